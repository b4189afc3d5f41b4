//! The projection: what the journal says now.
//!
//! [`Writer::project`] is a pure function of the rows so far, so `ledger rebuild` can drop every
//! table here, walk the journal again and arrive at the same bytes.

use chrono::{DateTime, NaiveTime, Utc};
use rusqlite::{OptionalExtension, params};
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::planted::{Bug, planted};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TimeEntry, Worked};

use super::{Error, Result, Writer};
use crate::ledger::{Content, Deleted, Event, RawRef, Revision, SameWork, hex, sha256};
use crate::matching::normal;
use crate::work::{RecordKey, WorkId};

/// Connections of this name were read from files; an API speaks before them.
pub const FILE_PREFIX: &str = "file:";

/// What appending a record came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// Never seen before.
    New(u64),
    /// Seen before, and different now.
    Changed(u64),
    /// Nothing new: no row was written.
    Same,
    /// It was erased: no row was written, and none will be.
    Forgotten,
}

/// The numbers of the sources, read once a transaction. There are a handful, and each record
/// asks: a walk over them costs less than a map's key.
#[derive(Debug, Default)]
pub(super) struct Sources(Vec<(String, Stream, i64)>);

impl Sources {
    fn get(&self, key: &RecordKey) -> Option<i64> {
        let mut all = self.0.iter();
        all.find(|(connection, stream, _)| *stream == key.stream && *connection == key.connection)
            .map(|(_, _, id)| *id)
    }
}

/// A record's row in the projection.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: u64,
    revision: u64,
    content: [u8; 32],
    deleted: Option<u64>,
}

/// The columns by which tracked time is found.
#[derive(Debug, Default)]
struct TimeColumns {
    start_at: Option<i64>,
    seconds: Option<i64>,
    person: Option<String>,
    project: Option<String>,
    client: Option<String>,
}

impl Writer<'_> {
    /// Appends a revision when the record differs from what the ledger has, and keeps what was
    /// received for it.
    pub fn append_record(
        &mut self,
        now: DateTime<Utc>,
        key: &RecordKey,
        record: Record,
        raw: &Raw,
    ) -> Result<Appended> {
        let raw_id = |writer: &Self| writer.keep_raw(now, key, raw);
        self.append_revision(now, key, record, &raw.scope, &raw.body, raw_id)
    }

    /// As [`Writer::append_record`], for a received record that is in the ledger already.
    pub(super) fn append_revision(
        &mut self,
        now: DateTime<Utc>,
        key: &RecordKey,
        record: Record,
        scope: &str,
        raw_body: &str,
        raw_id: impl FnOnce(&Self) -> Result<u64>,
    ) -> Result<Appended> {
        let content = Content::of(&record);
        let content_hash = sha256(content.json().as_bytes());
        let known = self.known(key)?;
        if let Some(known) = &known
            && known.content == content_hash
            && known.deleted.is_none()
        {
            return Ok(Appended::Same);
        }
        if known.is_none() && (self.is_forgotten(key)? || self.is_of_forgotten(key, &record)?) {
            return Ok(Appended::Forgotten);
        }
        let raw = RawRef {
            id: raw_id(self)?,
            sha256: hex(&sha256(raw_body.as_bytes())),
        };
        let previous = known.as_ref().map(|known| known.revision);
        let revision = Revision {
            record,
            scope: scope.to_owned(),
            raw,
            previous,
        };
        let payload = revision.payload_around(&content);
        let seq = self.append_row(now, &key.to_string(), "revision", &payload)?;
        let id = known.as_ref().map(|known| known.id);
        self.project_revision(seq, key, &revision, content_hash, id)?;
        Ok(if known.is_some() {
            Appended::Changed(seq)
        } else {
            Appended::New(seq)
        })
    }

    /// Appends that a record is gone. `false` when the ledger does not have it, or knows already.
    pub fn append_deletion(
        &mut self,
        now: DateTime<Utc>,
        key: &RecordKey,
        proof: &str,
    ) -> Result<bool> {
        match self.known(key)? {
            Some(Known {
                revision,
                deleted: None,
                ..
            }) => {
                let event = Event::Deleted(Deleted {
                    proof: proof.to_owned(),
                    revision,
                });
                self.append(now, &key.to_string(), &event)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Brings the projection up to one row of the journal.
    pub(super) fn project(&mut self, seq: u64, subject: &str, event: &Event) -> Result<()> {
        match event {
            Event::Genesis(_)
            | Event::Delivered(_)
            | Event::Format(_)
            | Event::Restored(_)
            | Event::Gone => Ok(()),
            Event::Erased(erased) => self.project_erased(seq, erased),
            Event::Revision(revision) => {
                let key = parse_key(subject)?;
                let known = match revision.previous {
                    Some(_) => Some(self.known_or_recalled(&key)?),
                    None => None,
                };
                let content = sha256(Content::of(&revision.record).json().as_bytes());
                self.project_revision(seq, &key, revision, content, known)
            }
            Event::Deleted(_) => self.project_deletion(seq, subject),
            Event::SameWork(same) => self.project_same_work(subject, same),
            Event::Alias(alias) => self.project_alias(subject, alias),
            Event::Sealed(sealed) => self.project_sealed(seq, subject, sealed),
            Event::Cancelled(cancelled) => self.project_cancelled(seq, subject, cancelled),
            Event::Correction(correction) => self.project_correction(seq, subject, correction),
            Event::Configured(configured) => self.project_configured(seq, subject, configured),
        }
    }

    /// `known` is the record's number, where it had a revision before.
    fn project_revision(
        &mut self,
        seq: u64,
        key: &RecordKey,
        revision: &Revision,
        content: [u8; 32],
        known: Option<u64>,
    ) -> Result<()> {
        let columns = match &revision.record {
            Record::TimeEntry(entry) => time_columns(entry),
            _ => TimeColumns::default(),
        };
        let TimeColumns {
            start_at,
            seconds,
            person,
            project,
            client,
        } = columns;
        let Some(known) = known else {
            let source = self.source(key)?;
            let is_time = matches!(revision.record, Record::TimeEntry(_));
            self.tx
                .prepare_cached(
                    "INSERT INTO record (id, source, ext_id, scope, revision, content, work,
                                         speaks, start_at, seconds, person, project, client)
                     VALUES (?1, ?2, ?3, ?4, ?1, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                )?
                .execute(params![
                    seq,
                    source,
                    key.id.as_str(),
                    revision.scope,
                    content,
                    is_time.then_some(seq),
                    is_time.then_some(1),
                    start_at,
                    seconds,
                    person,
                    project,
                    client,
                ])?;
            return Ok(());
        };
        self.tx
            .prepare_cached(
                "UPDATE record SET scope = ?2, revision = ?3, content = ?4, deleted = NULL,
                                   start_at = ?5, seconds = ?6, person = ?7, project = ?8,
                                   client = ?9
                 WHERE id = ?1",
            )?
            .execute(params![
                known,
                revision.scope,
                seq,
                content,
                start_at,
                seconds,
                person,
                project,
                client
            ])?;
        if planted(Bug::ChangeReopens) {
            let reopen = "DELETE FROM settled WHERE work = ?1";
            self.tx.execute(reopen, [known])?;
        }
        self.choose_again(known)
    }

    fn project_deletion(&mut self, seq: u64, subject: &str) -> Result<()> {
        let Some(id) = self.known_or_forgotten(&parse_key(subject)?)? else {
            return Ok(());
        };
        self.tx
            .prepare_cached("UPDATE record SET deleted = ?2 WHERE id = ?1")?
            .execute(params![id, seq])?;
        self.choose_again(id)
    }

    /// Joins a record to a work.
    fn project_same_work(&mut self, subject: &str, same: &SameWork) -> Result<()> {
        let key = parse_key(subject)?;
        let WorkId(work) = same.work;
        let Some(id) = self.known_or_forgotten(&key)? else {
            return self.forgotten_reports(&key, work);
        };
        self.tx
            .prepare_cached("UPDATE record SET work = ?2 WHERE id = ?1")?
            .execute([id, work])?;
        self.choose_speaker(work)
    }

    /// Decides which record of a work speaks for it: one that an API still has before one that an
    /// API had, that before one from a file, and then the one seen first. So a deletion counts
    /// unless another API still reports the work, and an export never brings it back.
    pub(super) fn choose_speaker(&self, work: u64) -> Result<()> {
        self.tx
            .prepare_cached(
                "UPDATE record SET speaks = (id = (
                     SELECT r.id FROM record r JOIN source s ON s.id = r.source
                     WHERE (r.id = ?1 AND r.work = ?1) OR (r.work = ?1 AND r.work <> r.id)
                     ORDER BY s.connection LIKE 'file:%', r.deleted IS NOT NULL, r.id LIMIT 1))
                 WHERE (id = ?1 AND work = ?1) OR (work = ?1 AND work <> id)",
            )?
            .execute([work])?;
        Ok(())
    }

    /// As [`Writer::choose_speaker`] for the work of a record, where others report it too.
    fn choose_again(&self, record: u64) -> Result<()> {
        let work: Option<u64> = self
            .tx
            .prepare_cached("SELECT work FROM record WHERE id = ?1")?
            .query_row([record], |row| row.get(0))?;
        let Some(work) = work else { return Ok(()) };
        let shared: bool = self
            .tx
            .prepare_cached("SELECT EXISTS (SELECT 1 FROM record WHERE work = ?1 AND work <> id)")?
            .query_row([work], |row| row.get(0))?;
        if shared {
            self.choose_speaker(work)
        } else {
            Ok(())
        }
    }

    fn project_alias(&mut self, client: &str, alias: &crate::ledger::Alias) -> Result<()> {
        match &alias.task {
            Some(task) => self
                .tx
                .prepare_cached(
                    "INSERT INTO alias (client, text, task) VALUES (?1, ?2, ?3)
                     ON CONFLICT (client, text) DO UPDATE SET task = excluded.task",
                )?
                .execute(params![client, alias.text, task.to_string()])?,
            None => self
                .tx
                .prepare_cached("DELETE FROM alias WHERE client = ?1 AND text = ?2")?
                .execute(params![client, alias.text])?,
        };
        Ok(())
    }

    pub(super) fn known(&mut self, key: &RecordKey) -> Result<Option<Known>> {
        let source = self.source(key)?;
        let known = self
            .tx
            .prepare_cached(
                "SELECT id, revision, content, deleted FROM record
                 WHERE source = ?1 AND ext_id = ?2",
            )?
            .query_row(params![source, key.id.as_str()], |row| {
                Ok(Known {
                    id: row.get(0)?,
                    revision: row.get(1)?,
                    content: row.get(2)?,
                    deleted: row.get(3)?,
                })
            })
            .optional()?;
        Ok(known)
    }

    /// The number of a source; a new one gets the next.
    pub(super) fn source(&mut self, key: &RecordKey) -> Result<i64> {
        if let Some(id) = self.sources.get(key) {
            return Ok(id);
        }
        let stream = key.stream.as_str();
        self.tx
            .prepare_cached("INSERT OR IGNORE INTO source (connection, stream) VALUES (?1, ?2)")?
            .execute([key.connection.as_str(), stream])?;
        let id = self
            .tx
            .prepare_cached("SELECT id FROM source WHERE connection = ?1 AND stream = ?2")?
            .query_row([key.connection.as_str(), stream], |row| row.get(0))?;
        let source = (key.connection.clone(), key.stream, id);
        self.sources.0.push(source);
        Ok(id)
    }

    /// Keeps a received record for good.
    pub(super) fn keep_raw(&self, now: DateTime<Utc>, key: &RecordKey, raw: &Raw) -> Result<u64> {
        let source = self.sources.get(key);
        self.tx
            .prepare_cached(
                "INSERT INTO raw (source, ext_id, scope, received_at, body)
                 VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute(params![
                source.expect("the record was looked up, which numbers its source"),
                raw.id.as_str(),
                raw.scope,
                now.timestamp(),
                raw.body
            ])?;
        Ok(u64::try_from(self.tx.last_insert_rowid()).expect("row ids are positive"))
    }
}

/// Reads `connection/stream/id` back; the id may hold slashes.
pub(super) fn parse_key(subject: &str) -> Result<RecordKey> {
    let wrong = || Error::Damaged(format!("`{subject}` is not the key of a record"));
    let mut parts = subject.splitn(3, '/');
    let connection = parts.next().ok_or_else(wrong)?.to_owned();
    let stream = parts.next().and_then(Stream::parse).ok_or_else(wrong)?;
    let id = ExternalId::new(parts.next().ok_or_else(wrong)?);
    Ok(RecordKey {
        connection,
        stream,
        id,
    })
}

fn time_columns(entry: &TimeEntry) -> TimeColumns {
    let start_at = match &entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => start.timestamp(),
        Worked::Day { date, .. } => date.and_time(NaiveTime::MIN).and_utc().timestamp(),
    };
    let person = entry.person.as_ref().and_then(|person| {
        let id = person.id.as_ref().map(|id| id.as_str().to_owned());
        person.email.clone().or_else(|| person.name.clone()).or(id)
    });
    let name = |named: &Option<stundenbuch_connectors::record::Named>| {
        named
            .as_ref()
            .and_then(|named| named.name.as_deref())
            .map(normal)
    };
    TimeColumns {
        start_at: Some(start_at),
        seconds: entry.worked.seconds(),
        person: person.as_deref().map(normal),
        project: name(&entry.project),
        client: name(&entry.client),
    }
}
