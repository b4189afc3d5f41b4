//! What changed of settled works since they were billed.

use std::collections::BTreeMap;

use stundenbuch_connectors::record::{Record, TimeEntry};

use crate::billing::{self, Drift, Field, Rates, Statement, Terms, apply};
use crate::config::Config;
use crate::finding::Finding;
use crate::ledger::{Correction, Event};
use crate::money::Cents;
use crate::store::{Result, Store};
use crate::work::{Work, WorkId};

/// What changed of a settled work since it was billed.
pub fn drift(store: &Store, config: &Config, work: &Work) -> Result<Option<Finding>> {
    Drifts::new(config).of(store, work)
}

/// Compares works with what was billed, and reads each statement once.
#[derive(Debug)]
pub struct Drifts<'a> {
    config: &'a Config,
    billed: BTreeMap<String, Option<Billed>>,
}

impl<'a> Drifts<'a> {
    pub fn new(config: &'a Config) -> Self {
        Self {
            config,
            billed: BTreeMap::new(),
        }
    }

    /// What changed of a settled work since it was billed; what the configuration alone would
    /// change is told once a statement, by [`Drifts::rates`].
    pub fn of(&mut self, store: &Store, work: &Work) -> Result<Option<Finding>> {
        let Some(number) = &work.statement else {
            return Ok(None);
        };
        if !self.billed.contains_key(number) {
            let billed = Billed::load(store, number)?;
            self.billed.insert(number.clone(), billed);
        }
        let Some(Some(billed)) = self.billed.get(number) else {
            return Ok(None);
        };
        let drift = billed.compare(store, self.config, (work.id, Some(work)), Rates::AsBilled)?;
        Ok(drift.map(|drift| billing::drift_finding(&drift, &billed.statement)))
    }

    /// The works of a statement that are the same as ever and have another rate by now.
    pub fn rates(&self, store: &Store, number: &str) -> Result<Option<Finding>> {
        let Some(billed) = Billed::load(store, number)? else {
            return Ok(None);
        };
        let all = |rates| -> Result<Vec<Drift>> {
            let found = billed
                .clone()
                .drifts(store, self.config, &|_| true, rates)?;
            Ok(found.into_iter().map(|(drift, _)| drift).collect())
        };
        let (then, now) = (all(Rates::AsBilled)?, all(Rates::OfNow)?);
        let changed = |drifts: &[Drift], work: WorkId| {
            let drift = drifts.iter().find(|drift| drift.work == work);
            drift.is_some_and(|it| it.what.iter().any(|change| change.field == Field::Rate))
        };
        let only_rates: Vec<&Drift> = now
            .iter()
            .filter(|drift| changed(&now, drift.work) && !changed(&then, drift.work))
            .collect();
        let total = |drifts: &[Drift]| {
            let mut amounts = drifts.iter().map(Drift::amount);
            amounts.try_fold(Cents::ZERO, Cents::checked_add)
        };
        let amount = total(&now).zip(total(&then));
        let amount = amount.and_then(|(now, then)| now.checked_sub(then));
        let amount = amount.unwrap_or_default();
        Ok(billing::rates_finding(
            &only_rates,
            amount,
            &billed.statement,
        ))
    }
}

/// A sealed statement as its corrections left it, and the rows of the journal that say what its
/// works were then.
#[derive(Clone, Debug)]
pub(super) struct Billed {
    pub(super) statement: Statement,
    states: BTreeMap<WorkId, u64>,
}

impl Billed {
    /// `None` where nothing of that number stands.
    pub(super) fn load(store: &Store, number: &str) -> Result<Option<Self>> {
        let row = store.statement_row(number)?;
        if !row.is_some_and(|row| row.holds()) {
            return Ok(None);
        }
        let Some(sealed) = store.sealed(number)? else {
            return Ok(None);
        };
        let works = sealed.works.iter();
        let mut states: BTreeMap<_, _> = works.map(|it| (it.work, it.revision)).collect();
        let recorded = store.corrections_of(number)?;
        let corrections = recorded.iter().map(|it| &it.correction);
        states.extend(corrections.clone().map(|it| (it.work, it.state)));
        Ok(Some(Self {
            statement: billing::corrected(&sealed.statement, corrections),
            states,
        }))
    }

    /// What differs of one work; nothing where what it was then has been erased.
    pub(super) fn compare(
        &self,
        store: &Store,
        config: &Config,
        (work, now): (WorkId, Option<&Work>),
        rates: Rates,
    ) -> Result<Option<Drift>> {
        let terms = Terms {
            clients: &config.clients,
            people: &config.people,
            rates,
        };
        let was = self.was(store, work, now)?;
        Ok(was.and_then(|was| billing::drift(&self.statement, work, &was, now, &terms)))
    }

    /// The entry as it was billed.
    fn was(&self, store: &Store, work: WorkId, now: Option<&Work>) -> Result<Option<TimeEntry>> {
        let row = self.states.get(&work).map(|seq| store.row(*seq));
        let Some(row) = row.transpose()?.flatten() else {
            return Ok(None);
        };
        let Event::Revision(revision) = row.event()? else {
            return Ok(None);
        };
        let Record::TimeEntry(mut entry) = revision.record else {
            return Ok(None);
        };
        // Another record speaks for the work by now; tags that only it knows are no change.
        let other = now.filter(|now| now.key.to_string() != row.subject);
        if let Some(now) = other.filter(|_| entry.tags.is_empty()) {
            entry.tags.clone_from(&now.entry.tags);
        }
        Ok(Some(entry))
    }

    /// All drift of these works, each beginning where the one before it leads to, with the
    /// correction that would take note of it.
    pub(super) fn drifts(
        mut self,
        store: &Store,
        config: &Config,
        wanted: &dyn Fn(WorkId) -> bool,
        rates: Rates,
    ) -> Result<Vec<(Drift, Correction)>> {
        let rows = self.statement.entries.iter();
        let works: Vec<WorkId> = rows.filter_map(|row| WorkId::parse(&row.work)).collect();
        let mut found = Vec::new();
        for work in works.into_iter().filter(|work| wanted(*work)) {
            let now = store.work(work)?;
            let drift = self.compare(store, config, (work, now.as_ref()), rates)?;
            let (Some(drift), Some(state)) = (drift, store.state_row(work)?) else {
                continue;
            };
            let correction = Correction {
                work,
                state,
                changes: drift.what.clone(),
                entry: drift.entry.clone(),
                parts: drift.parts.clone(),
            };
            if !drift.cancel_only {
                apply(&mut self.statement, &correction);
            }
            found.push((drift, correction));
        }
        Ok(found)
    }
}
