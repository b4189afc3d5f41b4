//! What is wrong with a configuration: all of it, each with its place and the way out.

use std::fmt;
use std::path::PathBuf;

/// Where a mistake stands. Ordered as a person would go through the files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Line and column from 1; both 0 where only the file is to blame.
    File {
        /// The position of the file among the layers, the first read being 0.
        order: usize,
        line: usize,
        column: usize,
        /// As it was given, not made absolute.
        name: String,
    },
    /// The name of an environment variable.
    Environment(String),
}

impl Place {
    /// `stundenbuch.toml:12`, for `explain` and for naming a second place in a sentence.
    pub fn without_column(&self) -> String {
        match self {
            Self::File { name, line: 0, .. } => name.clone(),
            Self::File { name, line, .. } => format!("{name}:{line}"),
            Self::Environment(variable) => variable.clone(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line: 0, .. } => f.write_str(name),
            Self::File {
                name, line, column, ..
            } => write!(f, "{name}:{line}:{column}"),
            Self::Environment(variable) => f.write_str(variable),
        }
    }
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mistake {
    pub place: Place,
    /// The path of the key, `clients.mueller.contracts[0].rate`; empty for a whole file.
    pub key: String,
    /// What is wrong. Never holds anything that may be a secret.
    pub what: String,
    /// What to write instead.
    pub fix: Option<String>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {}", self.place)?;
        if !self.key.is_empty() {
            write!(f, "  {}", self.key)?;
        }
        let fix = self.fix.iter().flat_map(|fix| fix.lines());
        for line in self.what.lines().chain(fix) {
            write!(f, "\n    {line}")?;
        }
        Ok(())
    }
}

/// Why there is no configuration. `crate::error_text` prints it with its [`hint`](Self::hint).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigErrors {
    /// There is no file in any of these places.
    NotFound { looked_at: Vec<PathBuf> },
    /// At least one, in the order of the files.
    Mistakes(Vec<Mistake>),
}

impl ConfigErrors {
    /// Everything that is wrong, in order; nothing when no file was found.
    pub fn mistakes(&self) -> &[Mistake] {
        match self {
            Self::NotFound { .. } => &[],
            Self::Mistakes(mistakes) => mistakes,
        }
    }

    /// What a person can do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => {
                "`stundenbuch init` writes one, and `stundenbuch demo` shows everything without"
            }
            Self::Mistakes(_) => {
                "config/example.toml explains every key; run `stundenbuch check` after the change"
            }
        }
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound { looked_at } => {
                f.write_str("no configuration was found")?;
                for place in looked_at {
                    write!(f, "\n  looked for {}", place.display())?;
                }
                Ok(())
            }
            Self::Mistakes(mistakes) => {
                let plural = if mistakes.len() == 1 { "" } else { "s" };
                write!(
                    f,
                    "the configuration has {} mistake{plural}",
                    mistakes.len()
                )?;
                for mistake in mistakes {
                    write!(f, "\n{mistake}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigErrors {}
