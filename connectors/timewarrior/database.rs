//! Timewarrior's database, read whole: a file for each month below `data/`.
//!
//! The files are small (ten years of a busy person are two megabytes), so each look reads all of
//! them, and what changed is told by their content and not by their times. Nothing is written,
//! locked or run here; Timewarrior replaces a file by renaming a new one over it, so each file is
//! seen before or after a change and never within (Timewarrior, `AtomicFile`, read 2026-11).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{ErrorKind as IoKind, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::line;
use crate::error::{Error, Kind, Result};

/// Much more than a month can hold.
const FILE_MAX: u64 = 16 << 20;

/// A database as it was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Database {
    /// By name: `2026-11`.
    pub(super) months: BTreeMap<String, Month>,
}

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Month {
    /// Hash of the content.
    pub(super) mark: String,
    pub(super) lines: Vec<Line>,
    /// Lines of which not even the start can be read.
    pub(super) nameless: usize,
    /// Whether what is not in it can be called absent.
    pub(super) whole: bool,
}

/// One interval as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) text: String,
}

impl Database {
    /// Reads all of it.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let data = path.join("data");
        let mut database = Self::default();
        let mut marked = false;
        let entries = std::fs::read_dir(&data).map_err(|error| failure(&data, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| failure(&data, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                continue;
            };
            marked |= matches!(name, "tags.data" | "undo.data");
            if let Some(month) = month_name(name) {
                let content = read_file(&entry.path())?;
                database.months.insert(month.to_owned(), month_of(&content));
            }
        }
        if database.months.is_empty() && !marked {
            return Err(away(path));
        }
        database.name_lines();
        Ok(database)
    }

    /// Gives every interval its identity: its start. Timewarrior's own numbers are places in a
    /// list and move with every new interval. Where two start at the same second, which
    /// Timewarrior itself does not allow, the later line has a counter.
    fn name_lines(&mut self) {
        let mut seen: BTreeMap<String, u32> = BTreeMap::new();
        for month in self.months.values_mut() {
            for line in &mut month.lines {
                let count = seen.entry(line.id.clone()).or_default();
                *count += 1;
                if *count > 1 {
                    line.id = format!("{}#{count}", line.id);
                }
            }
        }
    }

    /// Every interval.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        self.months.values().flat_map(|month| &month.lines)
    }
}

/// The month that a file is for; `None` for Timewarrior's other files, and for what it and
/// synchronisation clients leave beside them (`2026-11.data.4711-1.tmp`).
fn month_name(file: &str) -> Option<&str> {
    let month = file.strip_suffix(".data")?;
    let (year, number) = month.split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    (year.len() == 4 && number.len() == 2 && digits(year) && digits(number)).then_some(month)
}

fn month_of(content: &[u8]) -> Month {
    let mut month = Month {
        mark: hash(content),
        // Timewarrior removes a file with its last interval; one that is empty was cut.
        whole: !content.is_empty(),
        ..Month::default()
    };
    for bytes in content.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_end_matches('\r');
        if text.trim().is_empty() {
            continue;
        }
        if let Some(start) = line::start_of(text) {
            month.lines.push(Line {
                id: start.to_owned(),
                text: text.to_owned(),
            });
        } else {
            month.nameless += 1;
            month.whole = false;
        }
    }
    month
}

/// The content of a file whose last line is whole. One that does not end with a line end is being
/// copied, or was cut: its last interval may look open, and others are missing.
fn read_file(path: &Path) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(FILE_MAX + 1).read_to_end(&mut content))
        .map_err(|error| failure(path, &error))?;
    if content.len() as u64 > FILE_MAX {
        return Err(
            Error::new(Kind::Protocol, "a month of Timewarrior is far too large")
                .with("file", path.display()),
        );
    }
    if content.last().is_some_and(|byte| *byte != b'\n') {
        return Err(
            Error::new(Kind::Unavailable, "a month of Timewarrior ends in mid-line")
                .with("file", path.display())
                .hint(
                    "it may be in the middle of a synchronisation; if it was edited by hand, \
                     end it with a line end",
                ),
        );
    }
    Ok(content)
}

/// Sixty-four bits of a hash are enough to notice a change.
pub(super) fn hash(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    let mut text = String::with_capacity(16);
    for byte in &digest[..8] {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The error for a directory that is there and is no database.
pub(super) fn away(path: &Path) -> Error {
    Error::new(
        Kind::Unavailable,
        "there is no database of Timewarrior here",
    )
    .with("path", path.display())
    .hint(
        "give the directory that holds `data`, as `timew diagnostics` names it; see that it is \
         mounted and synchronised",
    )
}

fn failure(path: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        IoKind::NotFound | IoKind::NotADirectory => away(path.parent().unwrap_or(path)),
        IoKind::PermissionDenied => Error::new(
            Kind::Forbidden,
            "Timewarrior's database may not be read by this user",
        )
        .with("path", path.display())
        .hint(
            "give the user that runs the program read access (`setfacl`), or a synchronised copy",
        ),
        _ => Error::new(Kind::Unavailable, "Timewarrior's database cannot be read")
            .with("path", path.display())
            .with("error", error),
    }
}
