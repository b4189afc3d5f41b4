//! A reader of the ledger that knows `docs/ledger.md` alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

pub(super) struct Row {
    pub(super) seq: u64,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) payload: String,
}

impl Row {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.payload).unwrap()
    }
}

/// A ledger in which everything held.
pub(super) struct Verified {
    pub(super) rows: Vec<Row>,
    hash: [u8; 32],
}

impl Verified {
    pub(super) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|row| row.kind.as_str())
    }

    /// As `stundenbuch ledger head` prints it.
    pub(super) fn head(&self) -> String {
        format!("{} {}", self.rows.len(), hex(&self.hash))
    }
}

/// The steps of "Verifying", in their order.
pub(super) fn verify(file: &Path) -> Result<Verified, String> {
    let db = Connection::open(file).unwrap();
    let pragma =
        |name: &str| -> i64 { db.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
    assert_eq!(pragma("application_id"), 1_400_128_117);
    assert_eq!(pragma("user_version"), 2);
    let (mut hashed, mut gone) = (false, BTreeSet::new());
    let mut verified = Verified {
        rows: Vec::new(),
        hash: [0; 32],
    };
    let mut statement = db
        .prepare(
            "SELECT seq, at, kind, subject, payload, payload_hash, hash FROM journal ORDER BY seq",
        )
        .unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (seq, at): (u64, i64) = (row.get(0).unwrap(), row.get(1).unwrap());
        let [kind, subject, payload]: [String; 3] = [2, 3, 4].map(|at| row.get(at).unwrap());
        let [payload_hash, hash]: [Vec<u8>; 2] = [5, 6].map(|at| row.get(at).unwrap());
        if seq != verified.rows.len() as u64 + 1 {
            return Err(format!("row {seq}: a gap"));
        }
        if !payload.is_empty() && sha256(payload.as_bytes()).to_vec() != payload_hash {
            return Err(format!("row {seq}: payload"));
        }
        let mut bytes = verified.hash.to_vec();
        bytes.extend(seq.to_be_bytes());
        bytes.extend(at.to_be_bytes());
        for text in [Some(&kind), (!hashed).then_some(&subject)]
            .into_iter()
            .flatten()
        {
            bytes.extend((text.len() as u64).to_be_bytes());
            bytes.extend(text.as_bytes());
        }
        if hashed {
            bytes.extend(subject_hash(&subject, payload.is_empty()));
        }
        hashed |= kind == "format";
        bytes.extend(&payload_hash);
        verified.hash = sha256(&bytes);
        if verified.hash.to_vec() != hash {
            return Err(format!("row {seq}: hash"));
        }
        if (kind == "genesis") != (seq == 1) {
            return Err(format!("row {seq}: genesis"));
        }
        let row = Row {
            seq,
            kind,
            subject,
            payload,
        };
        if row.kind == "revision" && !row.payload.is_empty() {
            raw_holds(&db, &row)?;
        }
        erasure(&row, &mut gone)?;
        verified.rows.push(row);
    }
    match gone.first() {
        Some(seq) => Err(format!("row {seq}: empty")),
        None => Ok(verified),
    }
}

/// Empty rows wait in `gone` for the row that says that they were erased.
fn erasure(row: &Row, gone: &mut BTreeSet<u64>) -> Result<(), String> {
    let (seq, kind) = (row.seq, row.kind.as_str());
    if row.payload.is_empty() {
        if ["genesis", "format", "restored", "erased"].contains(&kind) {
            return Err(format!("row {seq}: never erased"));
        }
        gone.insert(seq);
    } else if kind == "erased" {
        for run in row.json()["rows"].as_array().unwrap() {
            let [first, last] = [0, 1].map(|end| run[end].as_u64().unwrap());
            if let Some(there) = (first..=last).find(|seq| !gone.remove(seq)) {
                return Err(format!("row {seq}: row {there} is not erased"));
            }
        }
    }
    Ok(())
}

/// The hash of a subject; of an erased one, the digits that stand in its place.
fn subject_hash(subject: &str, erased: bool) -> Vec<u8> {
    match subject.rsplit_once("sha256:") {
        Some((_, digits)) if erased && digits.len() == 64 => (0..32)
            .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap())
            .collect(),
        _ => sha256(subject.as_bytes()).to_vec(),
    }
}

fn key_hash(key: &str) -> Vec<u8> {
    sha256(key.as_bytes()).to_vec()
}

fn raw_holds(db: &Connection, row: &Row) -> Result<(), String> {
    let raw = row.json()["raw"].clone();
    let body: Option<String> = db
        .query_row(
            "SELECT body FROM raw WHERE id = ?1",
            [raw["id"].as_i64()],
            |row| row.get(0),
        )
        .optional()
        .unwrap();
    let Some(body) = body else {
        return Err(format!("row {}: its received record is gone", row.seq));
    };
    if hex(&sha256(body.as_bytes())) != raw["sha256"].as_str().unwrap() {
        return Err(format!("row {}: its received record was changed", row.seq));
    }
    Ok(())
}

/// What the journal says now, as far as it can be told without knowing what a name is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Projected {
    /// By record key.
    pub(super) records: BTreeMap<String, State>,
    aliases: BTreeMap<(String, String), String>,
    /// Work to statement and line.
    settled: BTreeMap<u64, (String, Option<u64>)>,
    /// By the hash of the record's key: its number, and the work that it reports.
    forgotten: BTreeMap<Vec<u8>, (u64, Option<u64>)>,
    /// Client, as `erased` has it, to the newest row about it.
    erasures: BTreeMap<String, u64>,
    series: BTreeMap<String, u64>,
    /// Row to corrected statement, work, and charging statement.
    pub(super) corrections: BTreeMap<u64, (String, u64, Option<String>)>,
    /// Part of the configuration to its newest row.
    configured: BTreeMap<String, u64>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct State {
    id: u64,
    revision: u64,
    scope: String,
    content: Vec<u8>,
    pub(super) deleted: Option<u64>,
    work: Option<u64>,
    pub(super) speaks: bool,
}

/// The parts of a revision that the projection keeps; the record as its very bytes.
#[derive(serde::Deserialize)]
struct Revision<'a> {
    #[serde(borrow)]
    record: &'a RawValue,
    scope: String,
    previous: Option<u64>,
}

impl Projected {
    /// The rules of "The projection", row by row.
    pub(super) fn from_journal(rows: &[Row]) -> Self {
        let mut now = Self::default();
        for row in rows {
            match row.kind.as_str() {
                _ if row.payload.is_empty() => now.gone(row),
                "genesis" | "delivered" | "format" => {}
                "configured" if row.json()["settings"].is_null() => {
                    now.configured.remove(&row.subject);
                }
                "configured" => {
                    now.configured.insert(row.subject.clone(), row.seq);
                }
                "revision" => now.revision(row),
                "deleted" => now.deleted(row),
                "erased" => now.erased(row),
                "same-work" => now.same_work(row),
                "alias" => now.alias(row),
                "sealed" => now.sealed(row),
                "correction" => now.correction(row),
                "cancelled" => now.cancelled(row),
                other => panic!("a kind that the document does not know: {other}"),
            }
        }
        now
    }

    /// An erased row: a revision numbers its record all the same.
    fn gone(&mut self, row: &Row) {
        if row.kind == "revision" {
            let is_time = row.subject.split('/').nth(1) == Some("time");
            let key = subject_hash(&row.subject, true);
            let number = (row.seq, is_time.then_some(row.seq));
            self.forgotten.entry(key).or_insert(number);
        }
    }

    fn deleted(&mut self, row: &Row) {
        let Some(state) = self.records.get_mut(&row.subject) else {
            assert!(self.forgotten.contains_key(&key_hash(&row.subject)));
            return;
        };
        state.deleted = Some(row.seq);
        let work = state.work;
        self.choose_speaker(work);
    }

    fn erased(&mut self, row: &Row) {
        let erased = row.json();
        let client = erased["client"].as_str().unwrap().to_owned();
        self.erasures.insert(client, row.seq);
        for end in erased["series"].as_array().into_iter().flatten() {
            let series = end["series"].as_str().unwrap().to_owned();
            let running = self.series.entry(series).or_default();
            *running = (*running).max(end["running"].as_u64().unwrap());
        }
        for run in erased["records"].as_array().into_iter().flatten() {
            let [first, last] = [0, 1].map(|end| run[end].as_u64().unwrap());
            let in_run = |state: &State| (first..=last).contains(&state.id);
            let records = std::mem::take(&mut self.records);
            let (forgotten, stay) = records.into_iter().partition(|(_, state)| in_run(state));
            self.records = stay;
            for (key, state) in forgotten {
                self.forgotten
                    .insert(key_hash(&key), (state.id, state.work));
                self.choose_speaker(state.work);
            }
        }
    }

    fn revision(&mut self, row: &Row) {
        let revision: Revision<'_> = serde_json::from_str(&row.payload).unwrap();
        let content = sha256(revision.record.get().as_bytes()).to_vec();
        if revision.previous.is_none() {
            let is_time = row.subject.split('/').nth(1) == Some("time");
            let state = State {
                id: row.seq,
                revision: row.seq,
                scope: revision.scope,
                content,
                deleted: None,
                work: is_time.then_some(row.seq),
                speaks: true,
            };
            assert!(self.records.insert(row.subject.clone(), state).is_none());
            return;
        }
        // Its earlier revisions were erased, and this one was not.
        if let Some((id, work)) = self.forgotten.remove(&key_hash(&row.subject)) {
            let recalled = State {
                id,
                revision: 0,
                scope: String::new(),
                content: Vec::new(),
                deleted: None,
                work,
                speaks: true,
            };
            self.records.entry(row.subject.clone()).or_insert(recalled);
            self.choose_speaker(work);
        }
        let state = self.records.get_mut(&row.subject).unwrap();
        (state.revision, state.scope, state.content) = (row.seq, revision.scope, content);
        state.deleted = None;
        let work = state.work;
        self.choose_speaker(work);
    }

    fn same_work(&mut self, row: &Row) {
        let work = row.json()["work"].as_u64();
        match self.records.get_mut(&row.subject) {
            Some(state) => state.work = work,
            None => self.forgotten.get_mut(&key_hash(&row.subject)).unwrap().1 = work,
        }
        self.choose_speaker(work);
    }

    fn choose_speaker(&mut self, work: Option<u64>) {
        if work.is_none() {
            return;
        }
        let speaker = self
            .records
            .iter()
            .filter(|(_, state)| state.work == work)
            .min_by_key(|(key, state)| {
                (key.starts_with("file:"), state.deleted.is_some(), state.id)
            })
            .map(|(_, state)| state.id);
        for state in self.records.values_mut().filter(|state| state.work == work) {
            state.speaks = Some(state.id) == speaker;
        }
    }

    fn alias(&mut self, row: &Row) {
        let alias = row.json();
        let key = (
            row.subject.clone(),
            alias["text"].as_str().unwrap().to_owned(),
        );
        let part = |name: &str| alias["task"][name].as_str().unwrap().to_owned();
        if alias["task"].is_null() {
            self.aliases.remove(&key);
        } else {
            let task = [part("connection"), part("stream"), part("id")].join("/");
            self.aliases.insert(key, task);
        }
    }

    fn sealed(&mut self, row: &Row) {
        for settled in row.json()["works"].as_array().unwrap() {
            let place = (row.subject.clone(), settled["line"].as_u64());
            let before = self
                .settled
                .insert(settled["work"].as_u64().unwrap(), place);
            assert_eq!(before, None, "a work is settled once");
        }
        for charged in row.json()["corrections"].as_array().into_iter().flatten() {
            let correction = self
                .corrections
                .get_mut(&charged.as_u64().unwrap())
                .unwrap();
            let before = correction.2.replace(row.subject.clone());
            assert_eq!(before, None, "a correction is charged once");
        }
    }

    fn correction(&mut self, row: &Row) {
        let work = row.json()["work"].as_u64().unwrap();
        let correction = (row.subject.clone(), work, None);
        self.corrections.insert(row.seq, correction);
        if row.json()["entry"].is_null() {
            self.settled.remove(&work);
        }
    }

    fn cancelled(&mut self, row: &Row) {
        let other = row.json()["cancels"].as_str().unwrap().to_owned();
        self.settled.retain(|_, (number, _)| *number != other);
        self.corrections.retain(|_, (number, ..)| *number != other);
        for (_, _, charged) in self.corrections.values_mut() {
            charged.take_if(|number| *number == other);
        }
    }

    /// The same from the program's own tables.
    pub(super) fn from_tables(file: &Path) -> Self {
        let db = Connection::open(file).unwrap();
        let mut stored = Self::default();
        let mut statement = db
            .prepare(
                "SELECT s.connection || '/' || s.stream || '/' || r.ext_id, r.id, r.revision,
                        r.scope, r.content, r.deleted, r.work, coalesce(r.speaks, 1)
                   FROM record r JOIN source s ON s.id = r.source",
            )
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let state = State {
                id: row.get(1).unwrap(),
                revision: row.get(2).unwrap(),
                scope: row.get(3).unwrap(),
                content: row.get(4).unwrap(),
                deleted: row.get(5).unwrap(),
                work: row.get(6).unwrap(),
                speaks: row.get(7).unwrap(),
            };
            stored.records.insert(row.get(0).unwrap(), state);
        }
        let mut aliases = db.prepare("SELECT client, text, task FROM alias").unwrap();
        let aliases = aliases.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)));
        stored.aliases = aliases.unwrap().map(Result::unwrap).collect();
        let mut settled = db
            .prepare("SELECT work, statement, line FROM settled")
            .unwrap();
        let settled = settled.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
        stored.settled = settled.unwrap().map(Result::unwrap).collect();
        let mut forgotten = db.prepare("SELECT key, id, work FROM forgotten").unwrap();
        let forgotten =
            forgotten.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))));
        stored.forgotten = forgotten.unwrap().map(Result::unwrap).collect();
        let pairs = |sql: &str| -> BTreeMap<String, u64> {
            let mut statement = db.prepare(sql).unwrap();
            let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            pairs.unwrap().map(Result::unwrap).collect()
        };
        stored.erasures = pairs("SELECT client, row FROM erasure");
        stored.series = pairs("SELECT series, running FROM series");
        let mut corrections = db
            .prepare("SELECT id, statement, work, charged FROM correction")
            .unwrap();
        let corrections = corrections.query_map([], |row| {
            Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
        });
        stored.corrections = corrections.unwrap().map(Result::unwrap).collect();
        let mut configured = db.prepare("SELECT part, row FROM configured").unwrap();
        let configured = configured.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        stored.configured = configured.unwrap().map(Result::unwrap).collect();
        stored
    }
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}
