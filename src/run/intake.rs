//! Intake: received records become revisions, and the same work from two sources becomes one.
//!
//! Everything here happens inside the transaction of one page or one file.

use chrono::{DateTime, Utc};
use stundenbuch_connectors::contract::{Identified, Raw};
use stundenbuch_connectors::error::Reject;
use stundenbuch_connectors::record::{Record, TimeEntry, Worked};

use crate::ledger::{Event, SameWork};
use crate::matching::same_work;
use crate::store::{Appended, Candidate, FILE_PREFIX, Quarantined, Result, Writer};
use crate::work::{RecordKey, WorkId};

/// What an intake came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    pub received: u64,
    pub new: u64,
    pub changed: u64,
    pub deleted: u64,
    /// New records that report a work which the ledger had from elsewhere.
    pub joined: u64,
    /// Records that were put aside because they cannot be understood.
    pub rejected: u64,
    /// Records that were erased with their client, and are not taken again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub forgotten: u64,
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.new += other.new;
        self.changed += other.changed;
        self.deleted += other.deleted;
        self.joined += other.joined;
        self.rejected += other.rejected;
        self.forgotten += other.forgotten;
    }

    /// Whether the ledger was changed.
    pub fn changed_anything(&self) -> bool {
        self.new + self.changed + self.deleted > 0
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Takes one received record in, or puts it aside with its reason.
pub fn take_in(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    connection: &str,
    raw: &Raw,
    read: Result<Vec<Identified>, Reject>,
    counts: &mut Counts,
) -> Result<()> {
    counts.received += 1;
    let records = match read {
        Ok(records) => records,
        Err(reject) => {
            let key = RecordKey {
                connection: connection.to_owned(),
                stream: raw.stream,
                id: raw.id.clone(),
            };
            if writer.is_forgotten(&key)? {
                counts.forgotten += 1;
                return Ok(());
            }
            counts.rejected += 1;
            return writer.quarantine(now, connection, raw, &reject.to_string());
        }
    };
    // A state that can be read takes the place of one that could not.
    if writer.any_quarantined()? {
        let (stream, id) = (raw.stream, raw.id.clone());
        writer.release(&RecordKey {
            connection: connection.to_owned(),
            stream,
            id,
        })?;
    }
    for Identified { id, record } in records {
        let key = RecordKey {
            connection: connection.to_owned(),
            stream: record.stream(),
            id,
        };
        let entry = match &record {
            Record::TimeEntry(entry) => Some(entry.clone()),
            _ => None,
        };
        let appended = writer.append_record(now, &key, record, raw)?;
        match appended {
            Appended::New(_) => counts.new += 1,
            Appended::Changed(_) => counts.changed += 1,
            Appended::Same => continue,
            Appended::Forgotten => {
                counts.forgotten += 1;
                continue;
            }
        }
        if let Some(entry) = entry {
            counts.joined += u64::from(join(writer, now, &key, &entry)?);
        }
    }
    Ok(())
}

/// Takes a record in that this version reads out of quarantine.
pub fn take_from_quarantine(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    held: &Quarantined,
    records: Vec<Identified>,
) -> Result<()> {
    let mut kept = false;
    for Identified { id, record } in records {
        let stream = record.stream();
        let key = RecordKey {
            connection: held.connection.clone(),
            stream,
            id,
        };
        let entry = match &record {
            Record::TimeEntry(entry) => Some(entry.clone()),
            _ => None,
        };
        if matches!(
            writer.append_quarantined(now, held, &key.id, record)?,
            Appended::Same | Appended::Forgotten
        ) {
            continue;
        }
        kept = true;
        if let Some(entry) = entry {
            join(writer, now, &key, &entry)?;
        }
    }
    writer.leave_quarantine(held, kept)
}

/// Joins a record to the work that another connection reported, when it is certainly the same.
///
/// The two must be equal in everything that both know. A work takes one record from each
/// connection, so two equal entries in one export stay two; an older row of an export whose entry
/// was edited since does not count any more. A row of a file also joins an entry that the API
/// calls deleted: an old export brings nothing back.
fn join(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    key: &RecordKey,
    entry: &TimeEntry,
) -> Result<bool> {
    let start = match &entry.worked {
        Worked::Running { .. } => return Ok(false),
        Worked::Span { start, .. } => *start,
        Worked::Day { date, .. } => date.and_time(chrono::NaiveTime::MIN).and_utc(),
    };
    let candidates = writer.records_starting_at(start, &key.connection)?;
    if candidates.is_empty() {
        return Ok(false);
    }
    let Some(mine) = writer.work_of(key)? else {
        return Ok(false);
    };
    let my_standing = writer.standing(mine)?;
    if my_standing.records > 1 {
        return gather(writer, now, key, entry, mine, &candidates);
    }
    let from_file = key.connection.starts_with(FILE_PREFIX);
    for Candidate {
        work,
        key: other,
        entry: candidate,
        deleted,
    } in candidates
    {
        if work == mine || !same_work(entry, &candidate) || (deleted && !from_file) {
            continue;
        }
        let rivals = writer.entries_of(work, &key.connection)?;
        if rivals.iter().any(|rival| same_work(rival, &candidate)) {
            continue;
        }
        // A settled work keeps its identity; where both are settled, both were billed, and that
        // is for a person to see.
        let standing = writer.standing(work)?;
        let (subject, with, into) = match (my_standing.settled, standing.settled) {
            (true, true) => continue,
            (true, false) if standing.records > 1 => continue,
            (true, false) => (other, key.clone(), mine),
            (false, _) => (key.clone(), other, work),
        };
        say_same(writer, now, &subject, with, into)?;
        return Ok(true);
    }
    Ok(false)
}

/// Brings a record that came before this edit to the work that it is about: an export made after
/// an edit may be imported before the edit is pulled.
fn gather(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    key: &RecordKey,
    entry: &TimeEntry,
    mine: WorkId,
    candidates: &[Candidate],
) -> Result<bool> {
    for Candidate {
        work,
        key: other,
        entry: candidate,
        deleted,
    } in candidates
    {
        let standing = writer.standing(*work)?;
        if *work == mine || *deleted || standing.records > 1 || standing.settled {
            continue;
        }
        let rivals = writer.entries_of(mine, &other.connection)?;
        if same_work(entry, candidate) && !rivals.iter().any(|rival| same_work(entry, rival)) {
            say_same(writer, now, other, key.clone(), mine)?;
            return Ok(true);
        }
    }
    Ok(false)
}

fn say_same(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    subject: &RecordKey,
    with: RecordKey,
    work: WorkId,
) -> Result<()> {
    let event = Event::SameWork(SameWork { work, with });
    writer.append(now, &subject.to_string(), &event)?;
    Ok(())
}

/// The connection under which files of a format stand in the ledger.
pub fn file_connection(format: &str) -> String {
    format!("{FILE_PREFIX}{format}")
}
