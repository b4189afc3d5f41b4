//! The least ledger that can hold a connector to its word: what is known after some pages.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveTime, Utc};

use super::{Subject, hides, hides_in_error};
use crate::contract::{Absent, Connector, Cursor, Page, Presence, Pull, Sweep};
use crate::error::Result;
use crate::record::{ExternalId, Record, Stream, Worked};

/// The current records of one stream.
#[derive(Clone, Debug)]
pub(super) struct Known {
    stream: Stream,
    records: BTreeMap<ExternalId, Seen>,
    /// Seen more than once within one pull.
    pub(super) repeated: BTreeSet<ExternalId>,
    /// Found to be gone by absence and a second look.
    pub(super) confirmed: BTreeSet<ExternalId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    record: Record,
    scope: String,
}

/// How a pull ended, and the cursor of its last committed page.
pub(super) struct Run {
    pub(super) cursor: Cursor,
    pub(super) outcome: Result<()>,
}

impl Known {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            records: BTreeMap::new(),
            repeated: BTreeSet::new(),
            confirmed: BTreeSet::new(),
        }
    }

    /// Pulls page by page until there is no more, or until a failure.
    pub(super) async fn pull<S: Subject>(
        &mut self,
        subject: &S,
        connector: &dyn Connector,
        mut cursor: Cursor,
        mode: &Pull,
    ) -> Run {
        /// No test has so many; a connector that goes on is running in a circle.
        const PAGES_MAX: usize = 1000;
        let mut before = BTreeSet::new();
        for _ in 0..PAGES_MAX {
            match self
                .page_after(subject, connector, &cursor, mode, &mut before)
                .await
            {
                Err(error) => {
                    return Run {
                        cursor,
                        outcome: Err(error),
                    };
                }
                Ok((next, true)) => {
                    assert_ne!(next, cursor, "there is more, and the cursor stands still");
                    cursor = next;
                }
                Ok((next, false)) => {
                    return Run {
                        cursor: next,
                        outcome: Ok(()),
                    };
                }
            }
        }
        panic!("a pull does not end within {PAGES_MAX} pages");
    }

    /// Pulls one page and takes it in; says where to go on, and whether to.
    pub(super) async fn page<S: Subject>(
        &mut self,
        subject: &S,
        connector: &dyn Connector,
        cursor: &Cursor,
        mode: &Pull,
    ) -> Result<(Cursor, bool)> {
        self.page_after(subject, connector, cursor, mode, &mut BTreeSet::new())
            .await
    }

    async fn page_after<S: Subject>(
        &mut self,
        subject: &S,
        connector: &dyn Connector,
        cursor: &Cursor,
        mode: &Pull,
        before: &mut BTreeSet<ExternalId>,
    ) -> Result<(Cursor, bool)> {
        let page = connector.pull(cursor, mode).await;
        let page = page.map_err(|error| hides_in_error(subject, error))?;
        hides(subject, "a page", &format!("{page:?}"));
        self.take_records(connector, &page, before);
        for gone in page.gone.iter().filter(|gone| gone.stream == self.stream) {
            assert!(
                !gone.proof.is_empty(),
                "{} is called gone without proof",
                gone.id
            );
            self.records.remove(&gone.id);
        }
        let absent: Vec<Absent> = page
            .swept
            .iter()
            .flat_map(|sweep| self.absent(sweep))
            .collect();
        if !absent.is_empty() {
            let answers = connector.confirm(&absent).await;
            for (id, presence) in answers.map_err(|error| hides_in_error(subject, error))? {
                assert!(
                    absent.iter().any(|absent| absent.id == id),
                    "confirm answers for {id}, which was not asked"
                );
                if let Presence::Gone(proof) = presence {
                    assert!(!proof.is_empty(), "{id} is confirmed gone without proof");
                    self.records.remove(&id);
                    self.confirmed.insert(id);
                }
            }
        }
        Ok((page.next, page.more))
    }

    fn take_records(
        &mut self,
        connector: &dyn Connector,
        page: &Page,
        before: &mut BTreeSet<ExternalId>,
    ) {
        for raw in &page.raw {
            let records = connector
                .normalise(raw)
                .unwrap_or_else(|reject| panic!("{} is rejected: {reject}: {}", raw.id, raw.body));
            for identified in records {
                if identified.record.stream() != self.stream {
                    continue;
                }
                if !before.insert(identified.id.clone()) {
                    self.repeated.insert(identified.id.clone());
                }
                let seen = Seen {
                    record: identified.record,
                    scope: raw.scope.clone(),
                };
                self.records.insert(identified.id, seen);
            }
        }
    }

    fn absent(&self, sweep: &Sweep) -> Vec<Absent> {
        if sweep.stream != self.stream {
            return Vec::new();
        }
        let present: BTreeSet<_> = sweep.present.iter().collect();
        self.records
            .iter()
            .filter(|(id, seen)| {
                seen.scope == sweep.scope && covers(sweep, &seen.record) && !present.contains(id)
            })
            .map(|(id, seen)| Absent {
                stream: self.stream,
                id: id.clone(),
                scope: seen.scope.clone(),
            })
            .collect()
    }

    /// The record of this id, as it would be stored.
    #[track_caller]
    pub(super) fn shown(&self, id: &ExternalId) -> String {
        let Some(seen) = self.records.get(id) else {
            panic!("{id} never arrived");
        };
        serde_json::to_string(&seen.record).expect("a record is plain data")
    }

    /// The records that are here and not there, there and not here, or different.
    pub(super) fn differences(&self, other: &Self) -> BTreeSet<ExternalId> {
        let ids: BTreeSet<_> = self.records.keys().chain(other.records.keys()).collect();
        ids.into_iter()
            .filter(|id| self.records.get(*id) != other.records.get(*id))
            .cloned()
            .collect()
    }

    #[track_caller]
    pub(super) fn must_hold_the_same(&self, before: &Self, what: &str) {
        let changed = self.differences(before);
        assert!(changed.is_empty(), "{what} changes {changed:?}");
    }

    #[track_caller]
    pub(super) fn must_equal(&self, truth: &BTreeSet<ExternalId>, what: &str) {
        let known: BTreeSet<ExternalId> = self.records.keys().cloned().collect();
        let missing: Vec<_> = truth.difference(&known).collect();
        let invented: Vec<_> = known.difference(truth).collect();
        assert!(
            missing.is_empty() && invented.is_empty(),
            "{what}: missing {missing:?}, still known though gone {invented:?}"
        );
    }
}

/// Whether a sweep speaks of this record: all do, except that one over time may be limited to
/// entries that start within it.
fn covers(sweep: &Sweep, record: &Record) -> bool {
    let Record::TimeEntry(entry) = record else {
        return true;
    };
    let start: DateTime<Utc> = match entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => start,
        Worked::Day { date, .. } => date.and_time(NaiveTime::MIN).and_utc(),
    };
    sweep.from.is_none_or(|from| start >= from) && sweep.until.is_none_or(|until| start < until)
}
