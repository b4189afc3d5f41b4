//! Questions about the current state: work, tasks, files.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TimeEntry};

use super::project::{FILE_PREFIX, parse_key};
use super::{Error, Result, Store, Writer};
use crate::ledger::{Event, Revision};
use crate::work::{FileItem, RecordKey, TaskItem, Work, WorkId};

/// Which work to load. All conditions must hold; an empty list is no condition.
#[derive(Clone, Debug, Default)]
pub struct WorkQuery {
    /// Starts at or after.
    pub from: Option<DateTime<Utc>>,
    /// Starts before.
    pub until: Option<DateTime<Utc>>,
    /// Ends after, still runs, or has only a day.
    pub ends_after: Option<DateTime<Utc>>,
    /// Normalised names of the client or project, any of them.
    pub client_or_project: Option<(Vec<String>, Vec<String>)>,
    /// Normalised names of the person, any of them.
    pub persons: Vec<String>,
    /// Only what no sealed statement settles.
    pub unsettled: bool,
    pub work: Option<WorkId>,
}

const WORK_COLUMNS: &str = "SELECT r.work, s.connection, s.stream, r.ext_id, r.revision,
       r.deleted IS NOT NULL, t.statement, j.payload
  FROM record r
  JOIN source s ON s.id = r.source
  JOIN journal j ON j.seq = r.revision
  LEFT JOIN settled t ON t.work = r.work
 WHERE r.speaks = 1";

impl Store {
    /// Work in its current state, in order of its start.
    pub fn works(&self, query: &WorkQuery) -> Result<Vec<Work>> {
        let mut sql = WORK_COLUMNS.to_owned();
        let mut values: Vec<Value> = Vec::new();
        if let Some(from) = query.from {
            sql.push_str(" AND r.start_at >= ?");
            values.push(from.timestamp().into());
        }
        if let Some(until) = query.until {
            sql.push_str(" AND r.start_at < ?");
            values.push(until.timestamp().into());
        }
        if let Some(after) = query.ends_after {
            // Work that has only a day stands at 00:00 UTC of it.
            sql.push_str(
                " AND (r.seconds IS NULL OR r.start_at + r.seconds > ? OR r.start_at % 86400 = 0)",
            );
            values.push(after.timestamp().into());
        }
        if let Some((clients, projects)) = &query.client_or_project {
            sql.push_str(&format!(
                " AND (r.client IN ({}) OR r.project IN ({}))",
                marks(clients.len()),
                marks(projects.len())
            ));
            values.extend(clients.iter().chain(projects).cloned().map(Value::from));
        }
        if !query.persons.is_empty() {
            sql.push_str(&format!(
                " AND r.person IN ({})",
                marks(query.persons.len())
            ));
            values.extend(query.persons.iter().cloned().map(Value::from));
        }
        if query.unsettled {
            sql.push_str(" AND t.statement IS NULL");
        }
        if let Some(work) = query.work {
            // A work's own record by its number, those that joined it by their index; asked for
            // by `work` alone, SQLite would read every record.
            sql.push_str(" AND ((r.id = ? AND r.work = ?) OR (r.work = ? AND r.work <> r.id))");
            let work = Value::from(i64::try_from(work.0).unwrap_or(i64::MAX));
            values.extend([work.clone(), work.clone(), work]);
        }
        sql.push_str(" ORDER BY r.start_at, r.work");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut works = Vec::new();
        while let Some(row) = rows.next()? {
            works.push(work(row)?);
        }
        Ok(works)
    }

    /// One work in its current state.
    pub fn work(&self, id: WorkId) -> Result<Option<Work>> {
        let query = WorkQuery {
            work: Some(id),
            ..WorkQuery::default()
        };
        Ok(self.works(&query)?.pop())
    }

    /// The records that report a work, the speaking one first.
    pub fn claims(&self, id: WorkId) -> Result<Vec<RecordKey>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT s.connection, s.stream, r.ext_id FROM record r
             JOIN source s ON s.id = r.source
             WHERE (r.id = ?1 AND r.work = ?1) OR (r.work = ?1 AND r.work <> r.id)
             ORDER BY r.speaks DESC, r.id",
        )?;
        let keys = statement.query_map([id.0], |row| key(row, 0))?;
        Ok(keys.collect::<rusqlite::Result<_>>()?)
    }

    /// The work that a time record reports, and the record's number.
    pub fn work_of(&self, key: &RecordKey) -> Result<Option<WorkId>> {
        Ok(self.record_column(key, "r.work")?.map(WorkId))
    }

    /// Works whose timer runs.
    pub fn running_works(&self) -> Result<Vec<WorkId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT work FROM record
             WHERE start_at IS NOT NULL AND seconds IS NULL AND speaks = 1 AND deleted IS NULL
             ORDER BY work",
        )?;
        let works = statement.query_map([], |row| row.get(0).map(WorkId))?;
        Ok(works.collect::<rusqlite::Result<_>>()?)
    }

    /// Reads a record's key as journal subjects and findings write it.
    pub fn parse_key(&self, text: &str) -> Result<RecordKey> {
        parse_key(text)
    }

    /// The revision that holds now for a record.
    pub fn revision_of(&self, key: &RecordKey) -> Result<Option<u64>> {
        self.record_column(key, "r.revision")
    }

    /// The number of a record: the row of its first revision.
    pub fn record_number(&self, key: &RecordKey) -> Result<Option<u64>> {
        self.record_column(key, "r.id")
    }

    /// The row that a work's state comes from: its newest revision, or its deletion.
    pub fn state_row(&self, id: WorkId) -> Result<Option<u64>> {
        Ok(self
            .conn
            .prepare_cached(
                "SELECT coalesce(deleted, revision) FROM record
                 WHERE speaks = 1 AND ((id = ?1 AND work = ?1) OR (work = ?1 AND work <> id))",
            )?
            .query_row([id.0], |row| row.get(0))
            .optional()?)
    }

    fn record_column(&self, key: &RecordKey, column: &str) -> Result<Option<u64>> {
        let sql = format!(
            "SELECT {column} FROM record r JOIN source s ON s.id = r.source
             WHERE s.connection = ?1 AND s.stream = ?2 AND r.ext_id = ?3"
        );
        Ok(self
            .conn
            .prepare_cached(&sql)?
            .query_row(
                params![key.connection, key.stream.as_str(), key.id.as_str()],
                |row| row.get(0),
            )
            .optional()?
            .flatten())
    }

    /// All tasks. A task that an API reports hides the same one from a file.
    pub fn tasks(&self) -> Result<Vec<TaskItem>> {
        let mut tasks: BTreeMap<(ExternalId, bool), TaskItem> = BTreeMap::new();
        self.each_of(Stream::Tasks, |key, revision, deleted, record| {
            if let Record::Task(task) = record {
                let from_file = key.connection.starts_with(FILE_PREFIX);
                let item = TaskItem {
                    key,
                    revision,
                    task,
                    deleted,
                };
                tasks.insert((item.key.id.clone(), from_file), item);
            }
        })?;
        let spoken: std::collections::BTreeSet<ExternalId> = tasks
            .keys()
            .filter(|(_, from_file)| !from_file)
            .map(|(id, _)| id.clone())
            .collect();
        tasks.retain(|(id, from_file), _| !from_file || !spoken.contains(id));
        Ok(tasks.into_values().collect())
    }

    /// One task in its current state.
    pub fn task(&self, key: &RecordKey) -> Result<Option<TaskItem>> {
        let Some(revision) = self.revision_of(key)? else {
            return Ok(None);
        };
        let deleted = self.record_column(key, "r.deleted")?.is_some();
        let Some(row) = self.row(revision)? else {
            return Ok(None);
        };
        Ok(match row.event()? {
            Event::Revision(found) => match found.record {
                Record::Task(task) => Some(TaskItem {
                    key: key.clone(),
                    revision,
                    task,
                    deleted,
                }),
                _ => None,
            },
            _ => None,
        })
    }

    /// All files that are there now.
    pub fn files(&self) -> Result<Vec<FileItem>> {
        let mut files = Vec::new();
        self.each_of(Stream::Files, |key, revision, deleted, record| {
            if let Record::File(file) = record {
                files.push(FileItem {
                    key,
                    revision,
                    file,
                    deleted,
                });
            }
        })?;
        Ok(files)
    }

    fn each_of(
        &self,
        stream: Stream,
        mut each: impl FnMut(RecordKey, u64, bool, Record),
    ) -> Result<()> {
        let mut statement = self.conn.prepare_cached(
            // CROSS keeps this order: SQLite would walk all records to have them sorted, and a
            // ledger has few tasks beside many entries.
            "SELECT s.connection, s.stream, r.ext_id, r.revision, r.deleted IS NOT NULL, j.payload
               FROM source s CROSS JOIN record r ON r.source = s.id
                             CROSS JOIN journal j ON j.seq = r.revision
              WHERE s.stream = ?1 ORDER BY r.id",
        )?;
        let mut rows = statement.query([stream.as_str()])?;
        while let Some(row) = rows.next()? {
            let revision = record(&row.get::<_, String>(5)?)?;
            each(key(row, 0)?, row.get(3)?, row.get(4)?, revision.record);
        }
        Ok(())
    }

    /// What a person taught: text to task, for each client.
    pub fn aliases(&self) -> Result<Vec<(String, String, RecordKey)>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT client, text, task FROM alias ORDER BY 1, 2")?;
        let rows = statement
            .query_map([], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })?
            .collect::<rusqlite::Result<Vec<(String, String, String)>>>()?;
        rows.into_iter()
            .map(|(client, text, task)| Ok((client, text, parse_key(&task)?)))
            .collect()
    }
}

impl Writer<'_> {
    /// Records of other connections that start at that instant, deleted ones among them.
    pub fn records_starting_at(
        &self,
        start: DateTime<Utc>,
        not_from: &str,
    ) -> Result<Vec<Candidate>> {
        let mut statement = self.tx.prepare_cached(
            // The other sources first: mostly there are none, and then there is nothing to read.
            // The plus makes the instant and not the source lead to their records.
            "SELECT r.work, s.connection, s.stream, r.ext_id, j.payload, r.deleted IS NOT NULL
               FROM source s CROSS JOIN record r ON +r.source = s.id
                             CROSS JOIN journal j ON j.seq = r.revision
              WHERE s.stream = 'time' AND s.connection <> ?2 AND r.start_at = ?1
              ORDER BY r.deleted IS NOT NULL, r.id",
        )?;
        let mut rows = statement.query(params![start.timestamp(), not_from])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if let Record::TimeEntry(entry) = record(&row.get::<_, String>(4)?)?.record {
                let (work, key) = (WorkId(row.get(0)?), key(row, 1)?);
                found.push(Candidate {
                    work,
                    key,
                    entry,
                    deleted: row.get(5)?,
                });
            }
        }
        Ok(found)
    }

    /// What the records of one connection say of a work.
    pub fn entries_of(&self, work: WorkId, connection: &str) -> Result<Vec<TimeEntry>> {
        let mut statement = self.tx.prepare_cached(
            "SELECT j.payload FROM record r JOIN source s ON s.id = r.source
               JOIN journal j ON j.seq = r.revision
              WHERE ((r.id = ?1 AND r.work = ?1) OR (r.work = ?1 AND r.work <> r.id))
                AND s.connection = ?2 ORDER BY r.id",
        )?;
        let mut rows = statement.query(params![work.0, connection])?;
        let mut entries = Vec::new();
        while let Some(row) = rows.next()? {
            if let Record::TimeEntry(entry) = record(&row.get::<_, String>(0)?)?.record {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// How a work stands for being joined with another.
    pub fn standing(&self, work: WorkId) -> Result<Standing> {
        let count = |sql: &str| -> Result<u64> {
            Ok(self
                .tx
                .prepare_cached(sql)?
                .query_row([work.0], |row| row.get(0))?)
        };
        let own = count("SELECT count(*) FROM record WHERE id = ?1 AND work = ?1")?;
        let joined = count("SELECT count(*) FROM record WHERE work = ?1 AND work <> id")?;
        let settled = count("SELECT count(*) FROM settled WHERE work = ?1")?;
        Ok(Standing {
            records: own + joined,
            settled: settled > 0,
        })
    }

    /// The work that a time record reports.
    pub fn work_of(&self, key: &RecordKey) -> Result<Option<WorkId>> {
        Ok(self
            .tx
            .prepare_cached(
                "SELECT r.work FROM record r JOIN source s ON s.id = r.source
                 WHERE s.connection = ?1 AND s.stream = ?2 AND r.ext_id = ?3",
            )?
            .query_row(
                params![key.connection, key.stream.as_str(), key.id.as_str()],
                |row| row.get::<_, Option<u64>>(0),
            )
            .optional()?
            .flatten()
            .map(WorkId))
    }
}

/// A record that may report the same work as another.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub work: WorkId,
    pub key: RecordKey,
    pub entry: TimeEntry,
    pub deleted: bool,
}

/// What hangs on a work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// How many records report it.
    pub records: u64,
    pub settled: bool,
}

fn work(row: &rusqlite::Row<'_>) -> Result<Work> {
    let Record::TimeEntry(entry) = record(&row.get::<_, String>(7)?)?.record else {
        return Err(Error::Damaged(
            "a work's revision is no tracked time".into(),
        ));
    };
    Ok(Work {
        id: WorkId(row.get(0)?),
        key: key(row, 1)?,
        revision: row.get(4)?,
        entry,
        deleted: row.get(5)?,
        statement: row.get(6)?,
    })
}

/// A record key from three columns, the first at `at`.
fn key(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<RecordKey> {
    let stream: String = row.get(at + 1)?;
    Ok(RecordKey {
        connection: row.get(at)?,
        stream: Stream::parse(&stream).unwrap_or(Stream::Activity),
        id: ExternalId::new(row.get::<_, String>(at + 2)?),
    })
}

fn record(payload: &str) -> Result<Revision> {
    serde_json::from_str(payload)
        .map_err(|error| Error::Damaged(format!("a revision cannot be read: {error}")))
}

/// `?, ?, ?`; `NULL`, which equals nothing, for an empty list.
fn marks(count: usize) -> String {
    if count == 0 {
        "NULL".into()
    } else {
        vec!["?"; count].join(", ")
    }
}
