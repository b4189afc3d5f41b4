//! Import: a file becomes records, whole or not at all.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::import::mapping::{Mapping, MappingError};
use stundenbuch_connectors::import::{self, Format, Options, ReadError, Refusal};

use super::intake::{Counts, file_connection, take_in};
use crate::store::{self, Store};

/// As much of a file as is needed to recognise its format.
const HEAD_BYTES: u64 = 64 * 1024;

/// Why a file was not imported. Nothing of it is in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("read {path}: {reason}")]
    Read { path: PathBuf, reason: String },
    #[error("{path} is in no format that this program knows")]
    Unknown { path: PathBuf },
    #[error("{path} was not imported")]
    Refused { path: PathBuf, refusal: Refusal },
    #[error("there is no format and no mapping file `{name}`")]
    NoFormat { name: String },
    #[error("the mapping cannot work")]
    Mapping(#[from] MappingError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl ImportError {
    /// What a person can do.
    pub fn hint(&self) -> String {
        match self {
            Self::Read { .. } => "check the path and that this user may read the file".into(),
            Self::Unknown { .. } => {
                let names: Vec<_> = import::ALL.iter().map(|format| format.name()).collect();
                format!(
                    "say what it is with --format ({}), or describe its columns in a mapping: \
                     docs/imports.md",
                    names.join(", ")
                )
            }
            Self::Refused { .. } => {
                "nothing of the file was kept; mend these places and import it again".into()
            }
            Self::NoFormat { .. } => {
                let names: Vec<_> = import::ALL.iter().map(|format| format.name()).collect();
                format!(
                    "the formats are {}; a mapping is named by its file",
                    names.join(", ")
                )
            }
            Self::Mapping(_) => "docs/imports.md describes every key of a mapping".into(),
            Self::Store(error) => error.hint().into(),
        }
    }

    /// Every problem with its place, a line each.
    pub fn details(&self) -> Vec<String> {
        let Self::Refused { path, refusal } = self else {
            return Vec::new();
        };
        let name = path.display();
        let mut lines: Vec<String> = refusal
            .problems
            .iter()
            .map(|problem| format!("{name}: {problem}"))
            .collect();
        if refusal.more > 0 {
            lines.push(format!("{name}: … and {} more", refusal.more));
        }
        lines
    }
}

/// A format that was asked for by name.
#[derive(Debug)]
pub enum Chosen {
    Known(&'static dyn Format),
    Mapped(Box<Mapping>),
}

impl AsRef<dyn Format> for Chosen {
    fn as_ref(&self) -> &(dyn Format + 'static) {
        match self {
            Self::Known(format) => *format,
            Self::Mapped(mapping) => mapping.as_ref(),
        }
    }
}

/// Finds a format by its name, or reads the mapping file of that name: as given, or beside the
/// configuration.
pub fn named(name: &str, config_dir: Option<&Path>) -> Result<Chosen, ImportError> {
    if let Some(format) = import::find(name) {
        return Ok(Chosen::Known(format));
    }
    let beside = config_dir.map(|directory| directory.join(name));
    let found = beside
        .into_iter()
        .chain([PathBuf::from(name)])
        .find(|path| path.is_file());
    let path = found.ok_or_else(|| ImportError::NoFormat {
        name: name.to_owned(),
    })?;
    let text = std::fs::read_to_string(&path).map_err(|error| read_error(&path, &error))?;
    let mapping = Mapping::parse(&path.display().to_string(), &text)?;
    Ok(Chosen::Mapped(Box::new(mapping)))
}

/// Finds the format of a file on this machine from its name and beginning.
pub fn recognise(path: &Path) -> Result<&'static dyn Format, ImportError> {
    let mut head = Vec::new();
    open(path)?
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(|error| read_error(path, &error))?;
    recognise_head(path, &head)
}

/// Finds the format of a file from its name and beginning.
pub fn recognise_head(path: &Path, head: &[u8]) -> Result<&'static dyn Format, ImportError> {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    let head = &head[..head
        .len()
        .min(usize::try_from(HEAD_BYTES).unwrap_or(usize::MAX))];
    import::detect(&name, head).ok_or_else(|| ImportError::Unknown {
        path: path.to_owned(),
    })
}

/// Whether an import is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Yes,
    /// Everything happens and is then taken back: the counts are those of a real import.
    DryRun,
}

/// Imports a file of this machine in one transaction.
pub fn import_file(
    store: &mut Store,
    now: DateTime<Utc>,
    path: &Path,
    format: &dyn Format,
    options: &Options,
    keep: Keep,
) -> Result<Counts, ImportError> {
    let mut input = BufReader::with_capacity(1 << 16, open(path)?);
    import(store, now, path, &mut input, format, options, keep)
}

/// Imports what `input` gives in one transaction; `path` names it in errors.
pub fn import(
    store: &mut Store,
    now: DateTime<Utc>,
    path: &Path,
    input: &mut dyn Read,
    format: &dyn Format,
    options: &Options,
    keep: Keep,
) -> Result<Counts, ImportError> {
    let connection = file_connection(format.name());
    let outcome = store.write(|writer| {
        let mut counts = Counts::default();
        let mut each = |raw: Raw| {
            if let Some(gap) = import::gap(&raw) {
                tracing::warn!(file = %path.display(), "{}", gap.text);
            }
            let read = format.normalise(&raw);
            take_in(writer, now, &connection, &raw, read, &mut counts).map_err(Into::into)
        };
        match format.read(input, options, &mut each) {
            Ok(()) if keep == Keep::DryRun => Err(Stop::DryRun(counts)),
            Ok(()) => Ok(counts),
            Err(error) => Err(Stop::Failed(error)),
        }
    });
    match outcome {
        Ok(counts) | Err(Stop::DryRun(counts)) => Ok(counts),
        Err(Stop::Store(error)) => Err(error.into()),
        Err(Stop::Failed(ReadError::Refused(refusal))) => Err(ImportError::Refused {
            path: path.to_owned(),
            refusal,
        }),
        Err(Stop::Failed(ReadError::Sink(error))) => match error.downcast::<store::Error>() {
            Ok(error) => Err(ImportError::Store(*error)),
            Err(other) => Err(ImportError::Read {
                path: path.to_owned(),
                reason: other.to_string(),
            }),
        },
    }
}

/// Why the transaction of an import does not commit.
enum Stop {
    DryRun(Counts),
    Failed(ReadError),
    Store(store::Error),
}

impl From<store::Error> for Stop {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}

fn open(path: &Path) -> Result<File, ImportError> {
    File::open(path).map_err(|error| read_error(path, &error))
}

fn read_error(path: &Path, error: &std::io::Error) -> ImportError {
    ImportError::Read {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
