//! Pieces of ledgers: records as connectors bring them, taken in as the program does.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use stundenbuch::run::intake::{Counts, take_in};
use stundenbuch::store::{Store, WorkQuery};
use stundenbuch::work::{RecordKey, WorkId};
use stundenbuch_connectors::contract::{Identified, Raw};
use stundenbuch_connectors::record::{
    ExternalId, Named, PersonRef, Record, Stream, TimeEntry, Worked,
};
use tempfile::TempDir;

/// The connection of an API, and that of a file.
pub(super) const API: &str = "toggl";
pub(super) const FILE: &str = "file:toggl-csv";

pub(super) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(super) fn now() -> DateTime<Utc> {
    at("2026-11-03T02:15:00Z")
}

/// An empty ledger in a directory of its own.
pub(super) fn ledger() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("ledger.db"), now()).unwrap();
    (dir, store)
}

/// A piece of work as people do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) id: u32,
    /// Seconds after a beginning that all pieces share.
    pub(super) start: i64,
    pub(super) seconds: i64,
    pub(super) person: u8,
    pub(super) text: u8,
    pub(super) project: Option<u8>,
}

impl Piece {
    pub(super) fn begins(&self) -> DateTime<Utc> {
        at("2026-10-01T06:00:00Z") + TimeDelta::seconds(self.start)
    }

    pub(super) fn ends(&self) -> DateTime<Utc> {
        self.begins() + TimeDelta::seconds(self.seconds)
    }

    pub(super) fn description(&self) -> String {
        format!("Aufgabe {}", self.text)
    }

    /// As the API tells it.
    pub(super) fn entry(&self) -> TimeEntry {
        TimeEntry {
            worked: Worked::Span {
                start: self.begins(),
                stop: self.ends(),
            },
            description: self.description(),
            person: Some(PersonRef {
                id: Some(ExternalId::new(self.person.to_string())),
                name: Some(format!("Person {}", self.person)),
                email: Some(format!("person{}@example.org", self.person)),
            }),
            client: None,
            project: self.project.map(|project| Named {
                id: Some(ExternalId::new(format!("p{project}"))),
                name: Some(format!("Projekt {project}")),
            }),
            task: None,
            tags: Vec::new(),
            billable: Some(true),
        }
    }

    pub(super) fn key(&self) -> RecordKey {
        key(API, &self.id.to_string())
    }
}

pub(super) fn key(connection: &str, id: &str) -> RecordKey {
    RecordKey {
        connection: connection.to_owned(),
        stream: Stream::Time,
        id: ExternalId::new(id),
    }
}

pub(super) fn raw(stream: Stream, id: &str, body: &Value) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(id),
        body: body.to_string(),
        scope: "workspace".to_owned(),
    }
}

/// Takes records in as a page of a connection.
pub(super) fn take(store: &mut Store, connection: &str, page: &[(String, Record)]) -> Counts {
    store
        .write(|writer| {
            let mut counts = Counts::default();
            for (id, record) in page {
                let body = json!({"id": id, "record": record});
                let raw = raw(record.stream(), id, &body);
                let read = vec![Identified {
                    id: ExternalId::new(id.as_str()),
                    record: record.clone(),
                }];
                take_in(writer, now(), connection, &raw, Ok(read), &mut counts)?;
            }
            Ok::<_, stundenbuch::store::Error>(counts)
        })
        .unwrap()
}

/// Pulls all pieces through the API.
pub(super) fn pull(store: &mut Store, pieces: &[Piece]) -> Counts {
    let page: Vec<_> = pieces
        .iter()
        .map(|piece| (piece.id.to_string(), Record::TimeEntry(piece.entry())))
        .collect();
    take(store, API, &page)
}

/// The API says that these are deleted.
pub(super) fn delete(store: &mut Store, keys: &[RecordKey]) {
    store
        .write(|writer| {
            for key in keys {
                writer.append_deletion(now(), key, "server_deleted_at")?;
            }
            Ok::<_, stundenbuch::store::Error>(())
        })
        .unwrap();
}

/// All works that are not deleted: their number and seconds.
pub(super) fn works(store: &Store) -> Vec<(WorkId, i64)> {
    let works = store.works(&WorkQuery::default()).unwrap();
    let there = works.into_iter().filter(|work| !work.deleted);
    there
        .filter_map(|work| Some((work.id, work.entry.worked.seconds()?)))
        .collect()
}

/// How many works there are, and their sum.
pub(super) fn sum(store: &Store) -> (usize, i64) {
    let works = works(store);
    let sum = works.iter().map(|(_, seconds)| seconds).sum();
    let stats = store.stats().unwrap();
    assert_eq!((stats.works, stats.work_seconds), (works.len() as u64, sum));
    (works.len(), sum)
}
