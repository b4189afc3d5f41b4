//! What the core keeps of a drive, as simple as can be: the newest state, what is deleted, and
//! what waits for its second look.

use std::collections::{BTreeMap, BTreeSet};

use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::record::{ExternalId, File, Record, Stream};
use stundenbuch_connectors::{Connector, Error};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) cursor: Cursor,
    pub(crate) current: BTreeMap<String, (String, File)>,
    pub(crate) deleted: BTreeMap<String, String>,
    absent: BTreeMap<String, String>,
    pub(crate) notices: BTreeSet<&'static str>,
    pub(crate) revisions: usize,
    pub(crate) pages: usize,
}

impl Ledger {
    pub(crate) async fn pull(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        self.pull_as(connector, &Pull::Changes).await
    }

    pub(crate) async fn compare(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        let from = super::at("2026-01-01T00:00:00Z");
        self.pull_as(connector, &Pull::Compare { from, until: None })
            .await
    }

    async fn pull_as(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<(), Error> {
        self.notices.clear();
        connector.resume(&self.cursor);
        for _ in 0..500 {
            if !self.page(connector, mode).await? {
                return self.confirm(connector).await;
            }
        }
        panic!("a pull does not end");
    }

    /// One page with its cursor, as one transaction; tells whether there are more.
    pub(crate) async fn page(
        &mut self,
        connector: &dyn Connector,
        mode: &Pull,
    ) -> Result<bool, Error> {
        let page = connector.pull(&self.cursor, mode).await?;
        self.take(connector, &page);
        self.cursor = page.next;
        self.pages += 1;
        Ok(page.more)
    }

    fn take(&mut self, connector: &dyn Connector, page: &Page) {
        for raw in &page.raw {
            for found in connector.normalise(raw).unwrap() {
                let Record::File(file) = found.record else {
                    panic!("{raw:?}");
                };
                let id = found.id.as_str().to_owned();
                self.absent.remove(&id);
                self.deleted.remove(&id);
                let before = self.current.insert(id, (raw.scope.clone(), file.clone()));
                self.revisions += usize::from(before.map(|it| it.1) != Some(file));
            }
        }
        for gone in &page.gone {
            self.delete(gone.id.as_str(), &gone.proof);
        }
        for sweep in &page.swept {
            let present: BTreeSet<&str> = sweep.present.iter().map(ExternalId::as_str).collect();
            self.absent.retain(|id, _| !present.contains(id.as_str()));
            for (id, (scope, _)) in &self.current {
                if *scope == sweep.scope && !present.contains(id.as_str()) {
                    self.absent.insert(id.clone(), scope.clone());
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
    }

    async fn confirm(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        let absent: Vec<Absent> = self
            .absent
            .iter()
            .map(|(id, scope)| Absent {
                stream: Stream::Files,
                id: ExternalId::new(id.as_str()),
                scope: scope.clone(),
            })
            .collect();
        if absent.is_empty() {
            return Ok(());
        }
        for (id, presence) in connector.confirm(&absent).await? {
            match presence {
                Presence::Gone(proof) => self.delete(id.as_str(), &proof),
                Presence::Present => drop(self.absent.remove(id.as_str())),
                Presence::Unknown => {}
            }
        }
        Ok(())
    }

    fn delete(&mut self, id: &str, proof: &str) {
        assert!(!proof.is_empty());
        self.absent.remove(id);
        if self.current.remove(id).is_some() {
            self.deleted.insert(id.to_owned(), proof.to_owned());
        }
    }

    pub(crate) fn file(&self, id: &str) -> &File {
        &self.current[id].1
    }

    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self
            .current
            .values()
            .map(|(_, it)| it.path.as_str())
            .collect();
        paths.sort_unstable();
        paths
    }

    pub(crate) fn ids(&self) -> BTreeSet<String> {
        self.current.keys().cloned().collect()
    }
}
