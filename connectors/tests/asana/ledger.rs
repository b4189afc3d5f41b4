//! What a ledger keeps, as simple as can be: the newest state, and what is deleted.

use std::collections::BTreeMap;

use chrono::NaiveTime;
use stundenbuch_connectors::contract::Sweep;
use stundenbuch_connectors::record::{Activity, Task, TimeEntry};

use super::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) cursor: Cursor,
    pub(crate) current: BTreeMap<(Stream, ExternalId), (String, Record)>,
    pub(crate) deleted: BTreeMap<ExternalId, String>,
    pub(crate) revisions: usize,
    pub(crate) notices: BTreeSet<&'static str>,
    pub(crate) rejected: Vec<String>,
}

impl Ledger {
    pub(crate) async fn pull(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        self.pull_as(connector, &Pull::Changes).await
    }

    pub(crate) async fn pull_as(
        &mut self,
        connector: &dyn Connector,
        mode: &Pull,
    ) -> Result<(), Error> {
        self.notices.clear();
        while self.page(connector, mode).await? {}
        Ok(())
    }

    /// One page with its cursor, as one transaction; tells whether there are more.
    pub(crate) async fn page(
        &mut self,
        connector: &dyn Connector,
        mode: &Pull,
    ) -> Result<bool, Error> {
        let page = connector.pull(&self.cursor, mode).await?;
        for raw in &page.raw {
            match connector.normalise(raw) {
                Ok(records) => {
                    for found in records {
                        self.keep(raw.stream, found.id, (raw.scope.clone(), found.record));
                    }
                }
                Err(reject) => self.rejected.push(format!("{}: {reject}", raw.id)),
            }
        }
        for gone in page.gone {
            self.remove(gone.stream, gone.id, gone.proof);
        }
        let absent: Vec<Absent> = page.swept.iter().flat_map(|it| self.absent(it)).collect();
        if !absent.is_empty() {
            for (id, presence) in connector.confirm(&absent).await? {
                let asked = absent.iter().find(|it| it.id == id).unwrap();
                if let Presence::Gone(proof) = presence {
                    self.remove(asked.stream, id, proof);
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        Ok(page.more)
    }

    fn keep(&mut self, stream: Stream, id: ExternalId, now: (String, Record)) {
        self.deleted.remove(&id);
        let before = self.current.insert((stream, id), now.clone());
        self.revisions += usize::from(before.map(|it| it.1) != Some(now.1));
    }

    fn remove(&mut self, stream: Stream, id: ExternalId, proof: String) {
        if self.current.remove(&(stream, id.clone())).is_some() {
            self.deleted.insert(id, proof);
        }
    }

    fn absent(&self, sweep: &Sweep) -> Vec<Absent> {
        let within = |record: &Record| match record {
            Record::TimeEntry(TimeEntry {
                worked: Worked::Day { date, .. },
                ..
            }) => {
                let start = date.and_time(NaiveTime::MIN).and_utc();
                sweep.from.is_none_or(|from| start >= from)
                    && sweep.until.is_none_or(|until| start < until)
            }
            _ => true,
        };
        self.current
            .iter()
            .filter(|((stream, id), (scope, record))| {
                *stream == sweep.stream
                    && *scope == sweep.scope
                    && within(record)
                    && !sweep.present.contains(id)
            })
            .map(|((stream, id), (scope, _))| Absent {
                stream: *stream,
                id: id.clone(),
                scope: scope.clone(),
            })
            .collect()
    }

    pub(crate) fn count(&self, stream: Stream) -> usize {
        self.current.keys().filter(|key| key.0 == stream).count()
    }

    fn record(&self, stream: Stream, gid: &str) -> &Record {
        &self.current[&(stream, ExternalId::new(gid))].1
    }

    pub(crate) fn scope(&self, gid: &str) -> &str {
        &self.current[&(Stream::Tasks, ExternalId::new(gid))].0
    }

    pub(crate) fn task(&self, gid: &str) -> &Task {
        match self.record(Stream::Tasks, gid) {
            Record::Task(task) => task,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn story(&self, gid: &str) -> &Activity {
        match self.record(Stream::Activity, gid) {
            Record::Activity(activity) => activity,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn entry(&self, gid: &str) -> &TimeEntry {
        match self.record(Stream::Time, gid) {
            Record::TimeEntry(entry) => entry,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn has(&self, stream: Stream, gid: &str) -> bool {
        self.current.contains_key(&(stream, ExternalId::new(gid)))
    }
}
