//! Credentials: the only place that sees their characters.
//!
//! A secret has a type that cannot be printed, serialised or compared, and is wiped when it is
//! dropped. The configuration names a secret; it never holds one.

use std::fmt;

use zeroize::Zeroizing;

/// The characters of a credential.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the characters; blanks and line ends around them are dropped, as they come from
    /// editors and from `echo`.
    pub fn new(characters: &str) -> Self {
        Self(Zeroizing::new(characters.trim().to_owned()))
    }

    /// The characters, for the one header that needs them. Never for a message.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a credential lies. This is what the configuration holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// By name, in the places where credentials are kept.
    Credential(String),
    /// In a file of its own.
    File(std::path::PathBuf),
    /// In an environment variable.
    Env(String),
}
