//! What belongs to the statements that are exported.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use stundenbuch_connectors::record::Stream;

use super::Wanted;
use crate::billing::Statement;
use crate::ledger::{Event, SettledWork};
use crate::store::{Row, Store};
use crate::time::Period;
use crate::work::WorkId;

/// The statements, and the rows, works and corrections that they rest on.
#[derive(Debug)]
pub(super) struct Selection {
    all: bool,
    client: Option<String>,
    /// In the order of sealing.
    pub(super) statements: Vec<Selected>,
    /// Rows that a statement names.
    rows: Bits,
    /// Works that a statement names.
    works: Bits,
    /// By the row of a correction, the statement that charges it.
    pub(super) charged_by: BTreeMap<u64, String>,
}

/// One statement of an export.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) number: String,
    pub(super) cancelled_by: Option<String>,
}

/// A set of numbers of rows: one bit for each row of the journal.
#[derive(Debug, Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn insert(&mut self, number: u64) {
        let Ok(word) = usize::try_from(number / 64) else {
            return;
        };
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    fn has(&self, number: u64) -> bool {
        let word = usize::try_from(number / 64).ok();
        let word = word.and_then(|word| self.0.get(word));
        word.is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

impl Selection {
    /// The statements up to a row of the journal.
    pub(super) fn of(store: &Store, wanted: &Wanted, last: u64) -> anyhow::Result<Self> {
        let mut selection = Self {
            all: wanted.is_all(),
            client: wanted.client.clone(),
            statements: Vec::new(),
            rows: Bits::default(),
            works: Bits::default(),
            charged_by: BTreeMap::new(),
        };
        for listed in store.statements()? {
            let period = period_of(&listed.first_day, &listed.last_day)?;
            let touches = |asked: Period| period.first <= asked.last && asked.first <= period.last;
            let mine = wanted
                .client
                .as_ref()
                .is_none_or(|key| *key == listed.client)
                && wanted.period.is_none_or(touches)
                && listed.sealed <= last;
            let row = store.row(listed.sealed)?.filter(|_| mine);
            if let Some(row) = row {
                selection.add(&row)?;
            }
        }
        Ok(selection)
    }

    fn add(&mut self, row: &Row) -> anyhow::Result<()> {
        match row.event()? {
            Event::Sealed(sealed) => {
                self.name_works(&sealed.statement, &sealed.works);
                for correction in &sealed.corrections {
                    self.rows.insert(*correction);
                    self.charged_by.insert(*correction, row.subject.clone());
                }
            }
            Event::Cancelled(cancelled) => {
                self.name_works(&cancelled.statement, &[]);
                // What a cancelled statement charged is open again.
                self.charged_by.retain(|_, by| *by != cancelled.cancels);
                let mut all = self.statements.iter_mut();
                if let Some(old) = all.find(|old| old.number == cancelled.cancels) {
                    old.cancelled_by = Some(row.subject.clone());
                }
            }
            // Its content was erased, and there is nothing left to walk to.
            _ => return Ok(()),
        }
        self.rows.insert(row.seq);
        self.statements.push(Selected {
            number: row.subject.clone(),
            cancelled_by: None,
        });
        Ok(())
    }

    fn name_works(&mut self, statement: &Statement, settled: &[SettledWork]) {
        for entry in &statement.entries {
            if let Some(WorkId(work)) = WorkId::parse(&entry.work) {
                self.works.insert(work);
            }
        }
        for settled in settled {
            self.works.insert(settled.work.0);
            self.rows.insert(settled.revision);
        }
    }

    pub(super) fn statement(&self, number: &str) -> Option<&Selected> {
        self.statements.iter().find(|it| it.number == number)
    }

    /// Whether a row is exported with its content. Of the others stands in the journal only what
    /// the chain needs.
    pub(super) fn has(&self, store: &Store, row: &Row, event: &Event) -> anyhow::Result<bool> {
        if self.all || self.rows.has(row.seq) {
            return Ok(true);
        }
        Ok(match event {
            Event::Genesis(_) | Event::Format(_) | Event::Restored(_) | Event::Erased(_) => true,
            Event::Configured(_) => match row.subject.strip_prefix("client/") {
                Some(key) => self.is_of(key),
                None => true,
            },
            Event::Alias(_) => self.is_of(&row.subject),
            Event::Correction(_) => self.statement(&row.subject).is_some(),
            Event::Delivered(delivered) => {
                let target = format!("/{}/", delivered.connection);
                let numbers = row.subject.match_indices(&target);
                let mut numbers = numbers.map(|(at, _)| &row.subject[..at]);
                numbers.any(|number| self.statement(number).is_some())
            }
            Event::Revision(_) | Event::Deleted(_) | Event::SameWork(_) => {
                let key = store.parse_key(&row.subject)?;
                let work = match key.stream {
                    Stream::Time => store.work_of(&key)?,
                    _ => None,
                };
                work.is_some_and(|work| self.works.has(work.0))
            }
            Event::Sealed(_) | Event::Cancelled(_) | Event::Gone => false,
        })
    }

    fn is_of(&self, client: &str) -> bool {
        self.client.as_ref().is_none_or(|key| key == client)
    }
}

fn period_of(first: &str, last: &str) -> anyhow::Result<Period> {
    Ok(Period {
        first: first.parse::<NaiveDate>()?,
        last: last.parse::<NaiveDate>()?,
    })
}

/// A set of the received records that were written, in the order in which rows name them.
#[derive(Debug, Default)]
pub(super) struct Written(Bits);

impl Written {
    /// Whether it is the first time that this one is named.
    pub(super) fn first(&mut self, id: u64) -> bool {
        let first = !self.0.has(id);
        self.0.insert(id);
        first
    }
}
