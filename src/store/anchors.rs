//! Heads of the chain in files outside of the database, written after each commit.
//!
//! A commit that was acknowledged is on the disk before its head is kept, so the files may be
//! behind the ledger and are never ahead of it. A head in them that the ledger does not have
//! therefore means that the ledger is older than it was.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::{Error, Result, Store, files};
use crate::ledger::{Bill, Event, Head, Heads, LONG, Mark, Why, first_line};

/// What the file beside a ledger is called: the ledger's name and this.
const SUFFIX: &str = "heads";

/// The files with the heads of one ledger.
#[derive(Clone, Debug)]
pub struct Anchors {
    ledger: PathBuf,
    files: Vec<PathBuf>,
}

/// What one of the files says.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) found: Found,
}

#[derive(Debug)]
pub(super) enum Found {
    Missing,
    /// It is there and cannot be read, for this reason.
    Closed(String),
    Heads(Heads),
}

/// How the kept heads agree with a ledger, when they do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Kept {
    /// Heads that the ledger still has in front of it, over all files.
    pub heads: usize,
    /// What a person should know of the files, a sentence each.
    pub notes: Vec<String>,
}

/// A ledger that lost rows which it had.
#[derive(Clone, Debug)]
pub struct RolledBack {
    pub ledger: PathBuf,
    /// The file that knows more.
    pub file: PathBuf,
    /// The highest row that was known.
    pub known: Mark,
    /// The highest known row that is still there; `None` when none is, or the file is gone.
    pub holds: Option<u64>,
    /// Whether the ledger's file is there.
    pub exists: bool,
    /// Statements, and corrections of statements, that are missing.
    pub lost: Vec<Why>,
}

impl Anchors {
    /// The file beside the ledger, and one of the same name in another directory.
    pub fn new(ledger: &Path, elsewhere: Option<&Path>) -> Self {
        let beside = files::with_suffix(ledger, SUFFIX);
        let other = elsewhere.and_then(|directory| Some(directory.join(beside.file_name()?)));
        Self {
            ledger: ledger.to_owned(),
            files: std::iter::once(beside).chain(other).collect(),
        }
    }

    /// The same with one of the files alone.
    pub(super) fn only(&self, file: PathBuf) -> Self {
        Self {
            ledger: self.ledger.clone(),
            files: vec![file],
        }
    }

    /// The ledger whose heads these are.
    pub fn ledger(&self) -> &Path {
        &self.ledger
    }

    /// Opens the ledger for reading; its absence is told as what it is, where it was once there.
    pub fn open_read_only(&self) -> Result<Store> {
        match Store::open_read_only(&self.ledger) {
            Err(Error::Missing { path }) => {
                self.refuse_new()?;
                Err(Error::Missing { path })
            }
            opened => opened,
        }
    }

    pub(super) fn read(&self) -> Vec<Place> {
        let files = self.files.iter();
        files
            .map(|file| Place {
                file: file.clone(),
                found: match std::fs::read(file) {
                    Ok(bytes) => Found::Heads(Heads::read(&bytes)),
                    Err(error) if error.kind() == ErrorKind::NotFound => Found::Missing,
                    Err(error) => Found::Closed(error.to_string()),
                },
            })
            .collect()
    }

    /// A ledger that is gone is not begun anew.
    pub(super) fn refuse_new(&self) -> Result<()> {
        for place in self.read() {
            if let Found::Heads(heads) = place.found
                && let Some(known) = heads.last()
            {
                return Err(Error::RolledBack(Box::new(RolledBack {
                    ledger: self.ledger.clone(),
                    file: place.file,
                    known: known.clone(),
                    holds: None,
                    exists: false,
                    lost: of_statements(&heads.marks, |_| true),
                })));
            }
        }
        Ok(())
    }

    /// Adds lines to every file; what did not work, a sentence each.
    pub(super) fn add(&self, identity: &str, marks: &[Mark]) -> Vec<String> {
        let lines: String = marks.iter().map(Mark::line).collect();
        let files = self.files.iter();
        files
            .filter_map(|file| {
                let error = append(file, identity, &lines).err()?;
                Some(format!(
                    "the ledger's head could not be kept in {}: {error}",
                    file.display()
                ))
            })
            .collect()
    }
}

fn of_statements(marks: &[Mark], lost: impl Fn(&Mark) -> bool) -> Vec<Why> {
    let marks = marks.iter().filter(|mark| mark.why.is_of_a_statement());
    marks
        .filter(|mark| lost(mark))
        .map(|mark| mark.why.clone())
        .collect()
}

/// Appends to a file, which is made where there is none. Others may append at the same time, and
/// replace the file by a shorter one.
fn append(path: &Path, identity: &str, lines: &str) -> std::io::Result<()> {
    let mut file = locked(path)?;
    let before = file.seek(SeekFrom::End(0))?;
    let mut text = String::new();
    if before == 0 {
        text += &first_line(identity);
    } else if last_byte(&mut file)? != b'\n' {
        // What was cut off by a full disk or a power cut stays a line of its own.
        text.push('\n');
    }
    text += lines;
    if let Err(error) = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
    {
        // Half a line says nothing; that it could not be written is told.
        let _ = file.set_len(before);
        return Err(error);
    }
    if before == 0 {
        files::sync_name(path)?;
    }
    shorten(path, &mut file)
}

/// Opens a file for one writer. The lock of a file that was replaced meanwhile is worth nothing.
fn locked(path: &Path) -> std::io::Result<File> {
    loop {
        let file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .mode(0o600)
            .open(path)?;
        file.lock()?;
        let (held, there) = (file.metadata()?, std::fs::metadata(path)?);
        if (held.dev(), held.ino()) == (there.dev(), there.ino()) {
            return Ok(file);
        }
    }
}

fn last_byte(file: &mut File) -> std::io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// Replaces a file that became long.
fn shorten(path: &Path, file: &mut File) -> std::io::Result<()> {
    /// No line is shorter, so a smaller file is not read.
    const SHORTEST: u64 = 90;
    if file.metadata()?.len() < LONG as u64 * SHORTEST {
        return Ok(());
    }
    let mut bytes = Vec::new();
    file.rewind()?;
    file.read_to_end(&mut bytes)?;
    let heads = Heads::read(&bytes);
    if heads.lines <= LONG {
        return Ok(());
    }
    files::write_whole(path, heads.shortened().as_bytes())
}

impl Store {
    /// The random name of the ledger, from its first row; `None` where that says none.
    pub fn identity(&self) -> Result<Option<String>> {
        if self.version()? == 0 {
            return Ok(None);
        }
        Ok(match self.row(1)?.map(|row| row.event()).transpose()? {
            Some(Event::Genesis(genesis)) => Some(genesis.ledger),
            _ => None,
        })
    }

    /// Compares the ledger with the heads that were kept of it.
    ///
    /// # Errors
    /// [`Error::RolledBack`] when rows are missing that were there, and [`Error::OtherHeads`]
    /// when the heads are those of another ledger.
    pub fn agrees(&self, anchors: &Anchors) -> Result<Kept> {
        let mut kept = Kept::default();
        for Place { file, found } in anchors.read() {
            let shown = file.display();
            match found {
                Found::Missing => kept.notes.push(format!(
                    "No heads are kept in {shown} yet; it is begun with the next change."
                )),
                Found::Closed(reason) => kept.notes.push(format!(
                    "The heads in {shown} cannot be read ({reason}), so nothing is compared with \
                     them."
                )),
                Found::Heads(heads) => {
                    kept.notes.extend(heads.unreadable.iter().map(|line| {
                        format!("Line {line} of {shown} cannot be read; it is passed over.")
                    }));
                    self.agrees_with(&file, &heads)?;
                    kept.heads += heads.marks.len();
                }
            }
        }
        Ok(kept)
    }

    fn agrees_with(&self, file: &Path, heads: &Heads) -> Result<()> {
        let identity = self.identity()?;
        if let (Some(theirs), Some(ours)) = (&heads.ledger, &identity)
            && theirs != ours
        {
            return Err(Error::OtherHeads {
                file: file.to_owned(),
                ledger: self.path.clone(),
            });
        }
        let Some(known) = heads.last() else {
            return Ok(());
        };
        if self.has(known.head)? || self.gave_up(known.head)?.is_some() {
            return Ok(());
        }
        let mut holds = None;
        for mark in heads.marks.iter().rev() {
            if holds < Some(mark.head.seq) && self.has(mark.head)? {
                holds = Some(mark.head.seq);
            }
        }
        let gone = |mark: &Mark| Some(mark.head.seq) > holds;
        Err(Error::RolledBack(Box::new(RolledBack {
            ledger: self.path.clone(),
            file: file.to_owned(),
            known: known.clone(),
            holds,
            exists: true,
            lost: of_statements(&heads.marks, gone),
        })))
    }

    /// Whether the chain goes through a head.
    pub(super) fn has(&self, head: Head) -> Result<bool> {
        if self.version()? == 0 {
            return Ok(false);
        }
        Ok(self.row(head.seq)?.is_some_and(|row| row.hash == head.hash))
    }

    /// The row that says that the chain ending in a head was given up for a backup. It is asked
    /// for when a restore was cut off before it could keep that in the files of heads.
    fn gave_up(&self, head: Head) -> Result<Option<Mark>> {
        if self.version()? == 0 {
            return Ok(None);
        }
        let hash = head.hex();
        let mut found = None;
        self.rows_of("restored", |row| -> Result<()> {
            if let Event::Restored(restored) = row.event()?
                && let Some(there) = restored.gave_up
                && (there.seq, there.hash) == (head.seq, hash.clone())
            {
                let behind = row.seq.saturating_sub(1);
                found = Some(row.mark(Why::Restored { behind }));
            }
            Ok(())
        })?;
        Ok(found)
    }

    /// From now on, every commit that appends rows keeps its head. Files that are not there yet
    /// are begun with what the ledger holds; others are brought up to it.
    pub(super) fn keep_heads(&mut self, anchors: Anchors) -> Result<()> {
        let Some(identity) = self.identity()? else {
            return Ok(());
        };
        let end = self.head()?;
        let end = self.row(end.seq)?.map(|row| row.mark(Why::Rows));
        let mut trouble = Vec::new();
        for Place { file, found } in anchors.read() {
            let marks = match found {
                Found::Missing => self.begin()?,
                Found::Closed(reason) => {
                    trouble.push(format!(
                        "the heads in {} cannot be read: {reason}",
                        file.display()
                    ));
                    continue;
                }
                Found::Heads(heads) => match heads.last() {
                    None => self.begin()?,
                    Some(last) if !self.has(last.head)? => self
                        .gave_up(last.head)?
                        .into_iter()
                        .chain(end.clone())
                        .collect(),
                    Some(last) => {
                        let behind = |mark: &Mark| mark.head.seq > last.head.seq;
                        end.clone().filter(behind).into_iter().collect()
                    }
                },
            };
            if marks.is_empty() {
                continue;
            }
            trouble.extend(anchors.only(file).add(&identity, &marks));
        }
        self.keeper = Some(Keeper {
            anchors,
            identity,
            trouble: Vec::new(),
        });
        self.tell(trouble);
        Ok(())
    }

    /// The first lines of a new file: every statement, and the end of the chain.
    fn begin(&self) -> Result<Vec<Mark>> {
        let mut marks = Vec::new();
        let mut rows = self
            .conn
            .prepare("SELECT sealed FROM statement UNION SELECT id FROM correction ORDER BY 1")?;
        for seq in rows.query_map([], |row| row.get(0))? {
            if let Some(row) = self.row(seq?)? {
                let event = row.event()?;
                marks.extend(Why::of(&row.subject, &event).map(|why| row.mark(why)));
            }
        }
        let end = self.row(self.head()?.seq)?;
        marks.extend(end.map(|row| row.mark(Why::Begun)));
        Ok(marks)
    }

    /// Keeps heads after a commit. That one could not be kept does not undo the commit; it is
    /// told, and the next run makes a finding of it.
    pub(super) fn keep(&mut self, marks: &[Mark]) {
        if let Some(keeper) = &self.keeper {
            let trouble = keeper.anchors.add(&keeper.identity, marks);
            self.tell(trouble);
        }
    }

    fn tell(&mut self, trouble: Vec<String>) {
        let Some(keeper) = &mut self.keeper else {
            return;
        };
        for what in trouble {
            tracing::warn!(what, "A head could not be kept outside of the ledger.");
            if !keeper.trouble.contains(&what) {
                keeper.trouble.push(what);
            }
        }
    }

    /// Why heads could not be kept since the ledger was opened; empty when all were.
    pub fn heads_trouble(&self) -> &[String] {
        self.keeper.as_ref().map_or(&[], |keeper| &keeper.trouble)
    }
}

/// Keeps the heads of an open ledger.
#[derive(Debug)]
pub(super) struct Keeper {
    anchors: Anchors,
    identity: String,
    trouble: Vec<String>,
}

impl RolledBack {
    /// What a person can do.
    pub fn hint(&self) -> String {
        let (ledger, file) = (self.ledger.display(), self.file.display());
        let restore = "put the newest backup in its place: `stundenbuch ledger restore FILE`";
        if self.exists {
            format!(
                "{restore}; where there is none, `stundenbuch ledger restore {ledger}` goes on \
                 with what is left"
            )
        } else {
            format!("{restore}; to begin a new ledger here, move {file} away")
        }
    }
}

impl fmt::Display for RolledBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ledger, file) = (self.ledger.display(), self.file.display());
        let (seq, at) = (self.known.head.seq, self.known.at);
        let at = at.format("%Y-%m-%d %H:%M UTC");
        if self.exists {
            write!(
                f,
                "the ledger {ledger} was rolled back: row {seq} of {at} is not in it any more, and \
                 {file} knows that it was"
            )?;
            match self.holds {
                Some(holds) => write!(f, "\n  rows behind row {holds} are missing")?,
                None => f.write_str("\n  none of the rows that are known is in it")?,
            }
        } else {
            write!(
                f,
                "the ledger {ledger} is gone: {file} knows it with {seq} rows on {at}"
            )?;
        }
        for lost in &self.lost {
            write!(f, "\n  missing: {}", Loss(lost))?;
        }
        Ok(())
    }
}

/// A lost row of a statement in words.
pub(super) struct Loss<'a>(pub(super) &'a Why);

impl fmt::Display for Loss<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Why::Sealed(bill) => write!(f, "{bill}"),
            Why::Cancelled(Bill {
                number,
                period,
                net,
                currency,
            }) => write!(f, "cancellation {number} of {period}, {net} {currency} net"),
            Why::Correction(number) => write!(f, "a correction of statement {number}"),
            other => write!(f, "{other}"),
        }
    }
}
