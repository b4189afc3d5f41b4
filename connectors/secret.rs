//! Credentials: the only place that sees their characters.
//!
//! A secret has a type that cannot be printed, serialised or compared, and is wiped when it is
//! dropped. The configuration names a secret; it never holds one. What is looked up is handed in
//! ([`Sources`]), so that nothing here reads the process's environment by itself.

use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{ErrorKind as IoKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};

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

/// Where the configuration says that a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretRef {
    /// By name: systemd's credentials, then `credentials/<name>` beside the configuration, then
    /// the environment variable `STUNDENBUCH_CREDENTIAL_<NAME>`.
    Credential(String),
    /// In a file of its own.
    File(PathBuf),
    /// In an environment variable.
    Env(String),
}

/// Where secrets are looked for.
#[derive(Clone, Copy)]
pub struct Sources<'a> {
    /// systemd's `$CREDENTIALS_DIRECTORY`.
    pub credentials_directory: Option<&'a Path>,
    /// Where the configuration lies.
    pub config_dir: &'a Path,
    /// The value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
}

impl fmt::Debug for Sources<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources")
            .field("credentials_directory", &self.credentials_directory)
            .field("config_dir", &self.config_dir)
            .finish_non_exhaustive()
    }
}

/// Longer than any token; shorter than a file that was named by mistake.
const LENGTH_MAX: u64 = 64 * 1024;

/// Who may be able to read a file with a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    /// The owner alone, who is us or root.
    Owner,
    /// systemd sees to it: its directory is readable by the service alone, whatever the files'
    /// modes say (systemd.exec(5), "CREDENTIALS", read 2026-11).
    Systemd,
}

/// Finds the secret. Every failure names the place, what is wrong with it, and what mends it.
pub fn resolve(reference: &SecretRef, sources: &Sources<'_>) -> Result<Secret> {
    match reference {
        SecretRef::Credential(name) => credential(name, sources),
        SecretRef::File(path) => read(path, Access::Owner)?.ok_or_else(|| {
            Error::new(Kind::Auth, "the file with the credential does not exist")
                .with("path", path.display())
                .hint(store_command(path))
        }),
        SecretRef::Env(name) => from_env(name, sources)?.ok_or_else(|| {
            Error::new(
                Kind::Auth,
                "the environment variable with the credential is not set",
            )
            .with("variable", name)
            .hint("set it for this process, or name a `credential` or a `file` instead")
        }),
    }
}

fn credential(name: &str, sources: &Sources<'_>) -> Result<Secret> {
    check_name(name)?;
    if let Some(directory) = sources.credentials_directory
        && let Some(secret) = read(&directory.join(name), Access::Systemd)?
    {
        return Ok(secret);
    }
    let path = sources.config_dir.join("credentials").join(name);
    if let Some(secret) = read(&path, Access::Owner)? {
        return Ok(secret);
    }
    let variable = variable(name);
    from_env(&variable, sources)?.ok_or_else(|| {
        Error::new(Kind::Auth, "the credential is stored nowhere")
            .with("credential", name)
            .with("path", path.display())
            .with("variable", &variable)
            .hint(store_command(&path))
    })
}

/// A name becomes part of a path, so it must not be able to leave the directory.
fn check_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.bytes().all(plain) {
        return Ok(());
    }
    // A token pasted in the place of its name must not be repeated, so the name is not shown.
    Err(
        Error::new(Kind::Settings, "a credential's name is not acceptable").hint(
            "use up to 64 letters, digits, `-`, `_` and `.`, as in `toggl-anna`; \
         the credential itself goes into a file of that name",
        ),
    )
}

fn variable(name: &str) -> String {
    let sign = |sign: char| match sign {
        sign if sign.is_ascii_alphanumeric() => sign.to_ascii_uppercase(),
        _ => '_',
    };
    format!(
        "STUNDENBUCH_CREDENTIAL_{}",
        name.chars().map(sign).collect::<String>()
    )
}

fn from_env(name: &str, sources: &Sources<'_>) -> Result<Option<Secret>> {
    let Some(value) = (sources.env)(name).map(Zeroizing::new) else {
        return Ok(None);
    };
    one_line(&value).map(Some).map_err(|why| {
        Error::new(
            Kind::Auth,
            format!("the environment variable with the credential {why}"),
        )
        .with("variable", name)
        .hint("set it to the credential alone")
    })
}

/// Reads a secret; `None` where there is no such file.
fn read(path: &Path, access: Access) -> Result<Option<Secret>> {
    let wrong = |why: &str| {
        Error::new(Kind::Auth, format!("the file with the credential {why}"))
            .with("path", path.display())
    };
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == IoKind::NotFound => return Ok(None),
        Err(error) => {
            let hint = format!("make it readable for this user: `ls -l {}`", quoted(path));
            return Err(wrong("cannot be opened").with("error", error).hint(hint));
        }
    };
    // The opened file is asked, not the path, which could name another one by now.
    let metadata = file
        .metadata()
        .map_err(|e| wrong("cannot be examined").with("error", e))?;
    if !metadata.is_file() {
        return Err(wrong("is not a regular file").hint(store_command(path)));
    }
    if access == Access::Owner {
        check_access(path, &metadata)?;
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(LENGTH_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| wrong("cannot be read").with("error", error))?;
    if bytes.len() as u64 > LENGTH_MAX {
        return Err(wrong("is longer than 64 KiB").hint(store_command(path)));
    }
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| wrong("is not text in UTF-8").hint(store_command(path)))?;
    let secret = one_line(text).map_err(|why| wrong(why).hint(store_command(path)))?;
    Ok(Some(secret))
}

/// Opens without waiting, as a named pipe would make us do.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag is a small number");
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}

fn check_access(path: &Path, metadata: &Metadata) -> Result<()> {
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        return Err(Error::new(
            Kind::Auth,
            "the file with the credential belongs to another user",
        )
        .with("path", path.display())
        .with("owner", metadata.uid())
        .hint(format!("take it over: `chown {us} {}`", quoted(path))));
    }
    if metadata.mode() & 0o077 != 0 {
        return Err(Error::new(
            Kind::Auth,
            "the file with the credential is open to other users",
        )
        .with("path", path.display())
        .with("mode", format_args!("{:04o}", metadata.mode() & 0o7777))
        .hint(format!("close it: `chmod 600 {}`", quoted(path))));
    }
    Ok(())
}

/// The one line of a file or variable, without the marks that editors leave.
fn one_line(text: &str) -> Result<Secret, &'static str> {
    let line = text.trim_start_matches('\u{feff}').trim();
    if line.is_empty() {
        return Err("is empty");
    }
    if is_key_file(line) {
        return Ok(Secret::new(line));
    }
    if line.contains(['\n', '\r']) {
        return Err("has more than one line");
    }
    if line.contains(char::is_control) {
        return Err("contains control characters");
    }
    Ok(Secret::new(line))
}

/// A key of a service account is a JSON object of several lines, and is stored as it was received.
fn is_key_file(text: &str) -> bool {
    let odd = |sign: char| sign.is_control() && !matches!(sign, '\n' | '\r' | '\t');
    text.starts_with('{') && text.ends_with('}') && !text.contains(odd)
}

/// The command that stores a secret where it is looked for, without showing it in the shell's
/// history or the process list.
fn store_command(path: &Path) -> String {
    format!(
        "store it by `install -D -m 600 /dev/stdin {}`, then paste it",
        quoted(path)
    )
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.,:@".contains(&byte);
    if text.bytes().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
#[path = "secret_tests.rs"]
mod tests;
