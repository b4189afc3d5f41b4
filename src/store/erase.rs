//! Erasing: rows of the journal are emptied, everything that hangs on them goes, and one row says
//! so; all in one transaction. Behind it the file is written anew.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::open::BUSY;
use super::project_erased::identity;
use super::{Result, Store, Writer};
use crate::ledger::{Erased, Event, Kept, SeriesEnd, erased_subject, runs};
use crate::work::{RecordKey, WorkId};

/// How long readers may take to finish before they are in the way.
const READERS: Duration = Duration::from_secs(5);
/// Set until the file was written anew after an erasure.
const UNSWEPT: &str = "erased-unswept";
/// Before the client's hash: the names that do not enter a cursor again, as hashes.
const NAMES: &str = "erased-names/";

/// Everything that an erasure removes, worked out by the caller.
#[derive(Clone, Debug, Default)]
pub struct Erasure {
    /// The client's key.
    pub client: String,
    /// Rows of the journal, rising.
    pub rows: Vec<u64>,
    /// Received records, those in quarantine among them.
    pub raws: Vec<u64>,
    /// Records that are not taken again, each by its number.
    pub records: Vec<(u64, RecordKey)>,
    pub works: Vec<WorkId>,
    /// Numbers of statements that go.
    pub statements: Vec<String>,
    /// Statements that stay.
    pub kept: Vec<Kept>,
    /// Findings by their id, with everything that they said before.
    pub findings: Vec<String>,
    /// Files that were taken as imports: connection and path.
    pub imported: Vec<(String, String)>,
    /// What the program remembers of connections, without the client's names.
    pub connections: Vec<Remembered>,
    /// SHA-256, in hexadecimal, of names that do not enter a cursor again.
    pub names: Vec<String>,
}

/// The texts that the program remembers of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    pub connection: String,
    pub cursor: Option<String>,
    /// Why its last pull failed, unless one succeeded since.
    pub failure: Option<String>,
}

impl Writer<'_> {
    /// Erases, and makes the projection anew from what is left. The row of the journal that
    /// says so.
    pub fn erase(&mut self, now: DateTime<Utc>, erasure: &Erasure) -> Result<u64> {
        let client = Erased::client_hash(&identity(&self.tx)?, &erasure.client);
        let series = self.series_of(&erasure.statements)?;
        self.empty_rows(&erasure.rows)?;
        self.remove_raws(&erasure.raws)?;
        self.forget_memories(erasure)?;
        self.keep_out(&client, &erasure.names)?;
        self.set_mark(UNSWEPT, "1")?;
        let mut records: Vec<u64> = erasure.records.iter().map(|(id, _)| *id).collect();
        records.sort_unstable();
        let erased = Event::Erased(Erased {
            client,
            rows: runs(erasure.rows.iter().copied()),
            records: runs(records),
            raws: u64::try_from(erasure.raws.len()).expect("a count fits"),
            series,
            kept: erasure.kept.clone(),
        });
        let seq = self.append_row(now, "ledger", erased.kind(), &erased.payload())?;
        self.rebuild()?;
        Ok(seq)
    }

    /// Adds to the names that do not enter a cursor again. A later erasure, of what is left, may
    /// know fewer of them.
    fn keep_out(&mut self, client: &str, names: &[String]) -> Result<()> {
        let mark = format!("{NAMES}{client}");
        let before: Option<String> = self
            .tx
            .query_row("SELECT value FROM mark WHERE name = ?1", [&mark], |row| {
                row.get(0)
            })
            .optional()?;
        let mut all: BTreeSet<String> = before.as_deref().map(listed).unwrap_or_default();
        all.extend(names.iter().cloned());
        let list = serde_json::to_string(&all).expect("texts are plain data");
        self.set_mark(&mark, &list)
    }

    /// Where the numbers of these statements end, series by series.
    fn series_of(&self, statements: &[String]) -> Result<Vec<SeriesEnd>> {
        let mut ends: Vec<SeriesEnd> = Vec::new();
        let mut find = self
            .tx
            .prepare_cached("SELECT series, running FROM statement WHERE number = ?1")?;
        for number in statements {
            let found: Option<(String, u32)> = find
                .query_row([number], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            let Some((series, running)) = found else {
                continue;
            };
            match ends.iter_mut().find(|end| end.series == series) {
                Some(end) => end.running = end.running.max(running),
                None => ends.push(SeriesEnd { series, running }),
            }
        }
        ends.sort_by(|a, b| a.series.cmp(&b.series));
        Ok(ends)
    }

    /// Empties the payloads; of rows behind `format` the subject becomes its hash as well.
    fn empty_rows(&mut self, rows: &[u64]) -> Result<()> {
        let format: u64 = self.tx.query_row(
            "SELECT min(seq) FROM journal WHERE kind = 'format'",
            [],
            |row| row.get(0),
        )?;
        let mut find = self
            .tx
            .prepare_cached("SELECT subject FROM journal WHERE seq = ?1")?;
        let mut empty = self
            .tx
            .prepare_cached("UPDATE journal SET payload = '', subject = ?2 WHERE seq = ?1")?;
        for seq in rows {
            let subject: String = find.query_row([seq], |row| row.get(0))?;
            let subject = if *seq > format {
                erased_subject(&subject)
            } else {
                subject
            };
            empty.execute(params![seq, subject])?;
        }
        Ok(())
    }

    fn remove_raws(&mut self, raws: &[u64]) -> Result<()> {
        for raw in raws {
            for sql in [
                "DELETE FROM quarantine WHERE raw = ?1",
                "DELETE FROM raw WHERE id = ?1",
            ] {
                self.tx.prepare_cached(sql)?.execute([raw])?;
            }
        }
        Ok(())
    }

    /// What the running program remembers. The reports of all runs go, for they name files and
    /// boards of everybody; and everything is reconciled anew, because pairs lost a member.
    fn forget_memories(&mut self, erasure: &Erasure) -> Result<()> {
        for (_, key) in &erasure.records {
            self.clear_absent(key)?;
            for sql in [
                "DELETE FROM match WHERE task = ?1",
                "DELETE FROM match_past WHERE task = ?1",
            ] {
                self.tx.prepare_cached(sql)?.execute([key.to_string()])?;
            }
        }
        for work in &erasure.works {
            for sql in [
                "DELETE FROM match WHERE work = ?1",
                "DELETE FROM match_past WHERE work = ?1",
            ] {
                self.tx.prepare_cached(sql)?.execute([work.0])?;
            }
        }
        for id in &erasure.findings {
            for sql in [
                "DELETE FROM finding WHERE id = ?1",
                "DELETE FROM finding_past WHERE id = ?1",
            ] {
                self.tx.prepare_cached(sql)?.execute([id])?;
            }
        }
        for number in &erasure.statements {
            self.tx
                .execute("DELETE FROM outbox WHERE statement = ?1", [number])?;
        }
        for kept in &erasure.kept {
            self.tx.execute(
                "DELETE FROM outbox WHERE statement = ?1 AND state <> 'delivered'",
                [&kept.number],
            )?;
            self.tx.execute(
                "UPDATE outbox SET body = x'', error = NULL WHERE statement = ?1",
                [&kept.number],
            )?;
        }
        for (connection, path) in &erasure.imported {
            self.tx.execute(
                "DELETE FROM imported WHERE connection = ?1 AND path = ?2",
                [connection, path],
            )?;
        }
        for remembered in &erasure.connections {
            self.tx.execute(
                "UPDATE connection SET cursor = ?2, failure = ?3 WHERE name = ?1",
                params![remembered.connection, remembered.cursor, remembered.failure],
            )?;
        }
        self.tx.execute("UPDATE run SET report = NULL", [])?;
        self.tx
            .execute("DELETE FROM mark WHERE name = 'reviewed-config'", [])?;
        Ok(())
    }

    /// The hashes of names that do not enter a cursor again.
    pub(super) fn erased_names(&self) -> Result<Vec<String>> {
        let mut statement = self
            .tx
            .prepare_cached("SELECT value FROM mark WHERE name >= ?1 AND name < ?2")?;
        // The sign behind the slash: every name that begins with it, by the index.
        let lists = statement.query_map([NAMES, "erased-names0"], |row| row.get(0))?;
        let mut names = Vec::new();
        for list in lists {
            let list: String = list?;
            names.extend(listed(&list));
        }
        Ok(names)
    }
}

/// The hashes in a mark. A list that cannot be read protects nobody, and stops nobody.
fn listed(list: &str) -> BTreeSet<String> {
    serde_json::from_str(list).unwrap_or_default()
}

/// How the last part of an erasure ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swept {
    Done,
    /// Somebody else reads the ledger, so that the old pages are still needed.
    Busy,
}

impl Store {
    /// Whether an erasure was committed and the file not written anew since.
    pub fn is_unswept(&self) -> Result<bool> {
        Ok(self.mark(UNSWEPT)?.is_some())
    }

    /// Writes the file anew and empties the write-ahead log, so that no page of it holds what
    /// was erased. Needs as much free space as the ledger has bytes, twice.
    pub fn sweep(&mut self) -> Result<Swept> {
        self.conn.busy_timeout(READERS)?;
        let swept = self.write_anew();
        self.conn.busy_timeout(BUSY)?;
        swept
    }

    fn write_anew(&mut self) -> Result<Swept> {
        if self.checkpoint()? == Swept::Busy {
            return Ok(Swept::Busy);
        }
        self.conn.execute_batch("VACUUM")?;
        if self.checkpoint()? == Swept::Busy {
            return Ok(Swept::Busy);
        }
        self.conn
            .execute("DELETE FROM mark WHERE name = ?1", [UNSWEPT])?;
        self.checkpoint()
    }

    fn checkpoint(&self) -> Result<Swept> {
        let busy: bool = self
            .conn
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        Ok(if busy { Swept::Busy } else { Swept::Done })
    }

    /// What the program remembers of every connection.
    pub fn remembered(&self) -> Result<Vec<Remembered>> {
        let mut statement = self
            .conn
            .prepare("SELECT name, cursor, failure FROM connection ORDER BY name")?;
        let remembered = statement.query_map([], |row| {
            Ok(Remembered {
                connection: row.get(0)?,
                cursor: row.get(1)?,
                failure: row.get(2)?,
            })
        })?;
        Ok(remembered.collect::<rusqlite::Result<_>>()?)
    }

    /// Every file that was taken as an import: connection and path.
    pub fn imported_files(&self) -> Result<Vec<(String, String)>> {
        let mut statement = self
            .conn
            .prepare("SELECT connection, path FROM imported ORDER BY connection, path")?;
        let files = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(files.collect::<rusqlite::Result<_>>()?)
    }

    /// The row that says that a client was erased, the newest; with its hash.
    pub fn erasure_of(&self, key: &str) -> Result<Option<(u64, [u8; 32])>> {
        let client = Erased::client_hash(&identity(&self.conn)?, key);
        Ok(self
            .conn
            .query_row(
                "SELECT j.seq, j.hash FROM erasure e JOIN journal j ON j.seq = e.row
                 WHERE e.client = ?1",
                [client],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?)
    }
}
