//! What a ledger keeps, as simple as can be: the newest state, and what is deleted.

use std::collections::{BTreeMap, BTreeSet};

use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::record::{ExternalId, File, Record, Stream};
use stundenbuch_connectors::{Connector, Error};

#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) cursor: Cursor,
    /// With the scope.
    pub(crate) files: BTreeMap<ExternalId, (String, File)>,
    /// With the proof.
    pub(crate) deleted: BTreeMap<ExternalId, String>,
    /// Of the last pull: files that came, of which so many were new or changed.
    pub(crate) came: usize,
    pub(crate) revisions: usize,
    /// Scopes that were said to be listed completely.
    pub(crate) swept: usize,
    /// Files that were asked for a second time.
    pub(crate) doubted: usize,
    pub(crate) notices: BTreeSet<&'static str>,
    pub(crate) pages: usize,
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
        (self.came, self.revisions, self.doubted) = (0, 0, 0);
        (self.swept, self.pages) = (0, 0);
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
            for found in connector.normalise(raw).unwrap() {
                let Record::File(file) = found.record else {
                    panic!("{found:?}")
                };
                self.came += 1;
                self.deleted.remove(&found.id);
                // As the real one: the scope goes with a revision.
                let before = self.files.get(&found.id);
                if before.is_none_or(|(_, before)| *before != file) {
                    self.revisions += 1;
                    self.files.insert(found.id, (raw.scope.clone(), file));
                }
            }
        }
        assert!(page.gone.is_empty(), "no server tells of deletions");
        for sweep in page.swept {
            self.swept += 1;
            let present: BTreeSet<&ExternalId> = sweep.present.iter().collect();
            let absent: Vec<Absent> = self
                .files
                .iter()
                .filter(|(id, (scope, _))| *scope == sweep.scope && !present.contains(id))
                .map(|(id, (scope, _))| Absent {
                    stream: Stream::Files,
                    id: id.clone(),
                    scope: scope.clone(),
                })
                .collect();
            self.doubted += absent.len();
            for (id, presence) in connector.confirm(&absent).await? {
                if let Presence::Gone(proof) = presence {
                    self.files.remove(&id);
                    self.deleted.insert(id, proof);
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        self.pages += 1;
        Ok(page.more)
    }

    /// The paths of all files.
    pub(crate) fn paths(&self) -> Vec<&str> {
        let mut paths: Vec<&str> = self.files.values().map(|(_, file)| &*file.path).collect();
        paths.sort_unstable();
        paths
    }

    pub(crate) fn file(&self, id: u64) -> &File {
        &self.files[&ExternalId::new(id.to_string())].1
    }

    pub(crate) fn has(&self, id: u64) -> bool {
        self.files.contains_key(&ExternalId::new(id.to_string()))
    }

    /// The proof that a file is gone.
    pub(crate) fn proof(&self, id: u64) -> Option<&str> {
        let proof = self.deleted.get(&ExternalId::new(id.to_string()));
        proof.map(String::as_str)
    }
}
