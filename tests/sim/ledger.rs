//! The ledger as a stranger reads it: the format of `docs/ledger.md` by this file's own queries,
//! without the program's reader.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row as SqlRow};
use serde_json::Value;

use super::calendar::parse_instant;
use super::truth::{Card, Spot};

/// A row of the journal.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) payload: String,
    pub(crate) payload_hash: Vec<u8>,
    pub(crate) hash: Vec<u8>,
}

/// What the journal says of a record now.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    /// The row of its first revision, and of the one that holds.
    pub(crate) first: i64,
    pub(crate) revision: i64,
    pub(crate) scope: String,
    pub(crate) record: Value,
    pub(crate) deleted: bool,
}

/// A sealed statement.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) number: String,
    pub(crate) payload: String,
    pub(crate) body: Value,
}

/// A document on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) key: String,
    pub(crate) statement: String,
    pub(crate) path: String,
    pub(crate) sha256: String,
    pub(crate) state: String,
    pub(crate) location: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// An open finding.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) kind: String,
    pub(crate) subject: String,
    pub(crate) other: Option<String>,
    pub(crate) sentence: String,
}

/// Everything that a checker looks at.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) rows: Vec<Row>,
    /// By record key.
    pub(crate) current: BTreeMap<String, Current>,
    pub(crate) sealed: Vec<Sealed>,
    pub(crate) parcels: Vec<Parcel>,
    pub(crate) findings: Vec<Open>,
}

impl Ledger {
    pub(crate) fn read(file: &Path) -> Self {
        let ledger = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut read = Self {
            rows: all(
                &ledger,
                "SELECT seq, at, kind, subject, payload, payload_hash, hash FROM journal
                 ORDER BY seq",
                row,
            ),
            current: BTreeMap::new(),
            sealed: Vec::new(),
            parcels: all(
                &ledger,
                "SELECT key, statement, path, sha256, state, location, error, body FROM outbox
                 ORDER BY id",
                parcel,
            ),
            findings: all(
                &ledger,
                "SELECT kind, subject, other, body FROM finding WHERE closed_at IS NULL",
                open,
            ),
        };
        for index in 0..read.rows.len() {
            read.follow(index);
        }
        read
    }

    /// Brings what is current up to one row of the journal.
    fn follow(&mut self, index: usize) {
        let row = &self.rows[index];
        match row.kind.as_str() {
            "revision" => {
                let mut payload: Value = serde_json::from_str(&row.payload).unwrap();
                let first = self
                    .current
                    .get(&row.subject)
                    .map_or(row.seq, |it| it.first);
                let current = Current {
                    first,
                    revision: row.seq,
                    scope: payload["scope"].as_str().unwrap().to_owned(),
                    record: payload["record"].take(),
                    deleted: false,
                };
                self.current.insert(row.subject.clone(), current);
            }
            "deleted" => {
                let gone = self.current.get_mut(&row.subject);
                gone.expect("what is deleted was there").deleted = true;
            }
            "sealed" => self.sealed.push(Sealed {
                number: row.subject.clone(),
                payload: row.payload.clone(),
                body: serde_json::from_str(&row.payload).unwrap(),
            }),
            _ => {}
        }
    }

    /// The tracked time that is not deleted, by the source's identifier.
    pub(crate) fn entries(&self) -> BTreeMap<String, Spot> {
        let there = self.current.iter().filter(|(_, it)| !it.deleted);
        let entries = there.filter_map(|(key, it)| {
            let id = key.strip_prefix("toggl/time/")?;
            Some((id.to_owned(), spot(&it.record)))
        });
        entries.collect()
    }

    /// The cards that are not deleted, by the source's identifier.
    pub(crate) fn cards(&self) -> BTreeMap<String, Card> {
        let there = self.current.iter().filter(|(_, it)| !it.deleted);
        let cards = there.filter_map(|(key, it)| {
            let id = key.strip_prefix("trello/tasks/")?;
            let title = it.record["title"].as_str().unwrap().to_owned();
            Some((id.to_owned(), (title, it.record["archived"] == true)))
        });
        cards.collect()
    }

    /// The record that a work is: works have the number of their first row.
    pub(crate) fn work(&self, name: &str) -> Option<(&str, &Current)> {
        let first: i64 = name.strip_prefix('w')?.parse().ok()?;
        let found = self.current.iter().find(|(_, it)| it.first == first)?;
        Some((found.0.as_str(), found.1))
    }

    /// Open findings of some kinds.
    pub(crate) fn told<'a>(&'a self, kinds: &'a [&str]) -> impl Iterator<Item = &'a Open> {
        self.findings
            .iter()
            .filter(|it| kinds.contains(&it.kind.as_str()))
    }
}

/// A time entry's record in the terms of the truth.
pub(crate) fn spot(record: &Value) -> Spot {
    let worked = &record["worked"];
    let at = |key: &str| worked[key].as_str().map(parse_instant);
    let name = |key: &str| record[key]["name"].as_str().map(str::to_owned);
    let tags = record["tags"].as_array().into_iter().flatten();
    Spot {
        start: at("start").expect("every entry of this source has a start"),
        stop: at("stop"),
        text: record["description"].as_str().unwrap().to_owned(),
        project: name("project"),
        client: name("client"),
        billable: record["billable"] != false,
        tags: tags.map(|tag| tag.as_str().unwrap().to_owned()).collect(),
    }
}

fn all<T>(ledger: &Connection, sql: &str, read: fn(&SqlRow<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = ledger.prepare(sql).unwrap();
    let rows = statement.query_map([], read).unwrap();
    rows.map(Result::unwrap).collect()
}

fn row(row: &SqlRow<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        seq: row.get(0)?,
        at: row.get(1)?,
        kind: row.get(2)?,
        subject: row.get(3)?,
        payload: row.get(4)?,
        payload_hash: row.get(5)?,
        hash: row.get(6)?,
    })
}

fn parcel(row: &SqlRow<'_>) -> rusqlite::Result<Parcel> {
    Ok(Parcel {
        key: row.get(0)?,
        statement: row.get(1)?,
        path: row.get(2)?,
        sha256: row.get(3)?,
        state: row.get(4)?,
        location: row.get(5)?,
        error: row.get(6)?,
        body: row.get(7)?,
    })
}

fn open(row: &SqlRow<'_>) -> rusqlite::Result<Open> {
    let body: String = row.get(3)?;
    let body: Value = serde_json::from_str(&body).unwrap();
    Ok(Open {
        kind: row.get(0)?,
        subject: row.get(1)?,
        other: row.get(2)?,
        sentence: body["sentence"].as_str().unwrap().to_owned(),
    })
}
