//! Everything about a client in a directory of its own, before it is erased.
//!
//! Each file is written whole, readable for its owner alone, and synced before the erasure
//! begins: afterwards there is no second chance.

use std::borrow::Cow;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stundenbuch_connectors::record::{Record, Worked};

use super::Plan;
use crate::ledger::{Event, hex, sha256};
use crate::render::{self, Format, RenderError};
use crate::store::{self, Row, Store};

/// Why there is no export. Nothing was erased then.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("write {path}: {reason}")]
    Write { path: PathBuf, reason: String },
    #[error("write {0}: there is something in it already")]
    NotEmpty(PathBuf),
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What was written.
#[derive(Debug, Default)]
pub struct Exported {
    pub files: usize,
}

/// What stands beside the data, for whoever gets it.
const README: &str = "\
Everything that this ledger held about one client, as it was before the client was erased.

statements/*.pdf     the statements as documents
statements/*.json    the same as data (docs/statement.schema.json)
entries.csv          the tracked time in its newest state; times are UTC, durations in seconds
records.jsonl        every record in every state: time, tasks, activities, files, people, projects
received.jsonl       what was received from the services, as it came
findings.json        what did not add up
journal.jsonl        the rows of the journal that are about the client, with their hashes
manifest.json        the end of the chain, and the SHA-256 of each file here

Cells of entries.csv that begin with = + - @ are written with an apostrophe before, so that no
spreadsheet runs them; records.jsonl has them as they are.
";

impl Plan {
    /// Writes everything about the client into a new or empty directory.
    ///
    /// # Errors
    /// The first file that could not be written; what was written before it stays.
    pub fn export(
        &self,
        store: &Store,
        template: Option<&str>,
        directory: &Path,
    ) -> Result<Exported, ExportError> {
        let mut target = Target::new(directory)?;
        target.write("README.txt", README.as_bytes())?;
        self.export_statements(store, template, &mut target)?;
        self.export_entries(store, &mut target)?;
        self.export_rows(store, &mut target)?;
        let findings: Vec<_> = self.findings.iter().map(|it| &it.finding).collect();
        target.write("findings.json", &pretty(&json!(findings)))?;
        let manifest = json!({
            "client": self.erasure.client,
            "ledger": store.identity()?,
            "head": {"seq": self.head.seq, "hash": self.head.hex()},
            "files": target.hashes,
        });
        target.write("manifest.json", &pretty(&manifest))?;
        target.close()
    }

    fn export_statements(
        &self,
        store: &Store,
        template: Option<&str>,
        target: &mut Target,
    ) -> Result<(), ExportError> {
        for row in self.rows(store) {
            let statement = match row?.event()? {
                Event::Sealed(sealed) => sealed.statement,
                Event::Cancelled(cancelled) => cancelled.statement,
                _ => continue,
            };
            for format in [Format::Pdf, Format::Json] {
                let document = render::render(&statement, format, template)?;
                let name = format!("statements/{}", document.file_name);
                target.write(&name, &document.bytes)?;
            }
        }
        Ok(())
    }

    fn export_entries(&self, store: &Store, target: &mut Target) -> Result<(), ExportError> {
        let mut table = String::from(
            "work,date,start,stop,seconds,person,client,project,task,description,tags,billable,\
             statement\n",
        );
        for id in &self.erasure.works {
            let Some(work) = store.work(*id)? else {
                continue;
            };
            let entry = work.entry;
            let (date, start, stop) = match entry.worked {
                Worked::Running { start } => (start.date_naive(), start.to_rfc3339(), None),
                Worked::Span { start, stop } => {
                    (start.date_naive(), start.to_rfc3339(), Some(stop))
                }
                Worked::Day { date, .. } => (date, String::new(), None),
            };
            let name = |named: Option<stundenbuch_connectors::record::Named>| {
                named.and_then(|named| named.name).unwrap_or_default()
            };
            let seconds = entry.worked.seconds();
            let person = entry.person.and_then(|person| person.name.or(person.email));
            let cells = [
                work.id.to_string(),
                date.to_string(),
                start,
                stop.map_or_else(String::new, |stop| stop.to_rfc3339()),
                seconds.map_or_else(String::new, |seconds| seconds.to_string()),
                person.unwrap_or_default(),
                name(entry.client),
                name(entry.project),
                name(entry.task),
                entry.description,
                entry.tags.join("; "),
                entry.billable.map_or_else(String::new, |is| is.to_string()),
                work.statement.unwrap_or_default(),
            ];
            let cells: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
            table.push_str(&cells.join(","));
            table.push('\n');
        }
        target.write("entries.csv", table.as_bytes())
    }

    /// The rows of the journal, with the records in them, and what these were read from.
    fn export_rows(&self, store: &Store, target: &mut Target) -> Result<(), ExportError> {
        let mut journal = target.lines("journal.jsonl")?;
        let mut records = target.lines("records.jsonl")?;
        let mut received = target.lines("received.jsonl")?;
        for row in self.rows(store) {
            let row = row?;
            let payload: Value = serde_json::from_str(&row.payload).unwrap_or(Value::Null);
            journal.line(&json!({
                "seq": row.seq, "at": row.at, "kind": row.kind, "subject": row.subject,
                "payload": payload, "hash": hex(&row.hash),
            }))?;
            let Event::Revision(revision) = row.event()? else {
                continue;
            };
            records.line(&record_line(&row, &revision.record))?;
            if let Some(raw) = store.raw(revision.raw.id)? {
                received.line(&json!({
                    "id": raw.id, "record": row.subject, "scope": revision.scope,
                    "received_at": raw.received_at, "body": raw.body,
                }))?;
            }
        }
        for held in store.quarantined()? {
            if self.erasure.raws.contains(&held.id) {
                let record = format!("{}/{}/{}", held.connection, held.raw.stream, held.raw.id);
                received.line(&json!({
                    "id": held.id, "record": record, "scope": held.raw.scope,
                    "not_understood": held.reason, "body": held.raw.body,
                }))?;
            }
        }
        for lines in [journal, records, received] {
            target.finish(lines)?;
        }
        Ok(())
    }

    /// Every row of the journal that is about the client, in order.
    fn rows<'a>(&'a self, store: &'a Store) -> impl Iterator<Item = store::Result<Row>> + 'a {
        let mut rows: Vec<u64> = self
            .erasure
            .rows
            .iter()
            .chain(&self.stay)
            .copied()
            .collect();
        rows.sort_unstable();
        rows.dedup();
        rows.into_iter()
            .filter_map(|seq| store.row(seq).transpose())
    }
}

fn record_line(row: &Row, record: &Record) -> Value {
    json!({"row": row.seq, "at": row.at, "key": row.subject, "record": record})
}

/// A cell as RFC 4180 has it, that no spreadsheet takes for a formula.
fn quoted(cell: &str) -> String {
    let guard = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if guard.is_empty() && !cell.contains(['"', ',', '\n', '\r']) {
        return cell.to_owned();
    }
    format!("\"{guard}{}\"", cell.replace('"', "\"\""))
}

fn pretty(value: &Value) -> Vec<u8> {
    let mut text = serde_json::to_vec_pretty(value).expect("a value is plain data");
    text.push(b'\n');
    text
}

/// The directory that is written.
struct Target {
    directory: PathBuf,
    /// SHA-256 of each file, by its name.
    hashes: serde_json::Map<String, Value>,
}

/// A file of one JSON document a line.
struct Lines {
    name: String,
    path: PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
}

impl Target {
    fn new(directory: &Path) -> Result<Self, ExportError> {
        let target = Self {
            directory: directory.to_owned(),
            hashes: serde_json::Map::new(),
        };
        let failed = |error: std::io::Error| failure(directory, &error);
        if directory.exists() {
            let mut entries = std::fs::read_dir(directory).map_err(failed)?;
            if entries.next().is_some() {
                return Err(ExportError::NotEmpty(directory.to_owned()));
            }
        }
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory.join("statements"))
            .map_err(failed)?;
        Ok(target)
    }

    fn create(&self, name: &str) -> Result<(PathBuf, File), ExportError> {
        let path = self.directory.join(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(|error| failure(&path, &error))?;
        Ok((path, file))
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let (path, mut file) = self.create(name)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| failure(&path, &error))?;
        self.hashes
            .insert(name.to_owned(), hex(&sha256(bytes)).into());
        Ok(())
    }

    fn lines(&self, name: &str) -> Result<Lines, ExportError> {
        let (path, file) = self.create(name)?;
        Ok(Lines {
            name: name.to_owned(),
            path,
            file: BufWriter::new(file),
            hash: Sha256::new(),
        })
    }

    fn finish(&mut self, mut lines: Lines) -> Result<(), ExportError> {
        let path = lines.path;
        lines
            .file
            .flush()
            .and_then(|()| lines.file.get_ref().sync_all())
            .map_err(|error| failure(&path, &error))?;
        self.hashes
            .insert(lines.name, hex(&lines.hash.finalize()).into());
        Ok(())
    }

    /// Syncs the directories, so that the files are found again after a power cut.
    fn close(self) -> Result<Exported, ExportError> {
        for directory in [self.directory.join("statements"), self.directory] {
            File::open(&directory)
                .and_then(|open| open.sync_all())
                .map_err(|error| failure(&directory, &error))?;
        }
        Ok(Exported {
            files: self.hashes.len(),
        })
    }
}

impl Lines {
    fn line(&mut self, value: &Value) -> Result<(), ExportError> {
        let line = format!("{value}\n");
        self.hash.update(&line);
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| failure(&self.path, &error))
    }
}

impl ExportError {
    /// What a person can do.
    pub fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Write { .. } => {
                Some("nothing was erased; make room, or name another directory".into())
            }
            Self::NotEmpty(_) => {
                Some("nothing was erased; name a directory that is not there yet".into())
            }
            Self::Render(_) => None,
            Self::Store(error) => Some(error.hint()),
        }
    }
}

fn failure(path: &Path, error: &std::io::Error) -> ExportError {
    ExportError::Write {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
