//! The client's statements: which stay, and what proves them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate};

use super::retention::{Paper, keep};
use crate::ledger::{Event, Kept};
use crate::store::{Error, Result, Store};
use crate::work::WorkId;

/// The client's statements, sealed ones and those that reverse them.
#[derive(Debug, Default)]
pub(super) struct Proofs {
    pub(super) kept: Vec<Kept>,
    /// Numbers of those that go.
    pub(super) gone: Vec<String>,
    /// Numbers of those that stay.
    pub(super) staying: BTreeSet<String>,
    /// Revisions that statements that stay billed.
    pub(super) billed: BTreeSet<u64>,
    /// Revisions that statements that go billed.
    pub(super) unbound: BTreeSet<u64>,
    /// The keys of records that statements that stay billed.
    pub(super) keys: BTreeSet<String>,
    /// The keys of records that statements that go billed.
    pub(super) loose: BTreeSet<String>,
    /// Works that statements that go list, with the number.
    pub(super) settled: Vec<(WorkId, String)>,
    /// The client's name on its statements.
    pub(super) names: BTreeSet<String>,
}

/// One statement as its row says it.
struct Read {
    paper: Paper,
    billed: Vec<u64>,
    works: Vec<WorkId>,
    name: String,
}

impl Proofs {
    pub(super) fn of(store: &Store, client: &str, years: u16, today: NaiveDate) -> Result<Self> {
        let mut statements = Vec::new();
        for row in store.statements()? {
            if row.client == client {
                statements.extend(read(store, &row.number, row.sealed)?);
            }
        }
        let papers: Vec<Paper> = statements.iter().map(|it| it.paper.clone()).collect();
        let (kept, gone) = keep(&papers, years, today);
        let mut proofs = Self {
            staying: kept.iter().map(|kept| kept.number.clone()).collect(),
            kept,
            gone,
            ..Self::default()
        };
        for statement in statements {
            proofs.names.insert(statement.name);
            let stays = proofs.staying.contains(&statement.paper.number);
            if !stays {
                let number = &statement.paper.number;
                let works = statement.works.iter();
                proofs
                    .settled
                    .extend(works.map(|work| (*work, number.clone())));
            }
            let (rows, keys) = if stays {
                (&mut proofs.billed, &mut proofs.keys)
            } else {
                (&mut proofs.unbound, &mut proofs.loose)
            };
            for seq in &statement.billed {
                keys.extend(store.row(*seq)?.map(|row| row.subject));
            }
            rows.extend(statement.billed);
        }
        Ok(proofs)
    }

    /// Whether a statement is the client's, and then whether it stays.
    pub(super) fn stays(&self, number: &str) -> Option<bool> {
        if self.staying.contains(number) {
            return Some(true);
        }
        self.gone.iter().any(|gone| gone == number).then_some(false)
    }

    /// As [`Proofs::stays`], for what a text about a delivery begins with.
    pub(super) fn delivery_stays(&self, subject: &str, connection: &str) -> Option<bool> {
        let of = |number: &String| {
            let rest = subject.strip_prefix(number.as_str());
            let rest = rest.and_then(|rest| rest.strip_prefix('/'));
            rest.and_then(|rest| rest.strip_prefix(connection))
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if self.staying.iter().any(of) {
            return Some(true);
        }
        self.gone.iter().any(of).then_some(false)
    }

    /// All of the client's statements.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &String> {
        self.staying.iter().chain(&self.gone)
    }
}

fn read(store: &Store, number: &str, seq: u64) -> Result<Option<Read>> {
    let row = store
        .row(seq)?
        .ok_or_else(|| Error::Damaged(format!("row {seq}, which seals {number}, is missing")))?;
    let day = |issued: Option<NaiveDate>| {
        let written = DateTime::from_timestamp(row.at, 0).unwrap_or_default();
        issued.unwrap_or_else(|| written.date_naive())
    };
    let (statement, with, settled) = match row.event()? {
        Event::Sealed(sealed) => {
            let mut with = Vec::new();
            for correction in &sealed.corrections {
                with.extend(store.row(*correction)?.map(|row| row.subject));
            }
            (sealed.statement, with, sealed.works)
        }
        Event::Cancelled(cancelled) => (cancelled.statement, vec![cancelled.cancels], Vec::new()),
        _ => return Ok(None),
    };
    Ok(Some(Read {
        paper: Paper {
            number: number.to_owned(),
            issued: day(statement.issued_on),
            with,
        },
        billed: settled.iter().map(|settled| settled.revision).collect(),
        works: settled.iter().map(|settled| settled.work).collect(),
        name: statement.client.name,
    }))
}
