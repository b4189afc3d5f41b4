//! Any sequence of sealing, backing up and restoring against a model of which statements exist.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::json;
use stundenbuch::ledger::{Event, Head, Sealed};
use stundenbuch::store::{Anchors, Error, Restore, Store};

#[derive(Clone, Debug)]
enum Step {
    Seal,
    BackUp,
    /// From the backup of this number, counted round; with or without accepting losses.
    Restore(usize, bool),
    /// An old backup's file put in the ledger's place.
    RollBack(usize),
    /// The ledger's file is removed.
    Lose,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Seal),
        3 => Just(Step::BackUp),
        3 => (0..4_usize, any::<bool>()).prop_map(|(nth, accept)| Step::Restore(nth, accept)),
        2 => (0..4_usize).prop_map(Step::RollBack),
        1 => Just(Step::Lose),
    ]
}

fn sealed(number: &str, running: u32) -> Event {
    let statement = json!({
        "schema": "stundenbuch/statement/1", "number": number, "sealed_at": null,
        "issued_on": null, "language": "de", "time_zone": "Europe/Berlin",
        "issuer": {"name": "M", "address": [], "email": null, "phone": null, "website": null,
                   "vat_id": null, "tax_number": null},
        "client": {"name": "A", "address": [], "email": null, "phone": null, "website": null,
                   "vat_id": null, "tax_number": null},
        "client_key": "ahorn", "reference": null,
        "period": {"first": "2026-01-01", "last": "2026-01-31"}, "currency": "EUR",
        "rounding": "", "lines": [], "entries": [],
        "totals": {"tracked_seconds": 0, "billed_seconds": 0, "non_billable_seconds": 0,
                   "net": 100, "vat": null, "gross": 100},
        "notes": [], "ledger_head": null, "corrections": [],
    });
    Event::Sealed(Box::new(Sealed {
        statement: serde_json::from_value(statement).unwrap(),
        series: "s".to_owned(),
        running,
        works: Vec::new(),
        corrections: Vec::new(),
    }))
}

/// The world: a ledger in a directory, its backups, and what must be in each.
struct World {
    dir: tempfile::TempDir,
    now: DateTime<Utc>,
    given: u32,
    /// What exists, in the order of sealing.
    sealed: Vec<String>,
    backups: Vec<(PathBuf, Vec<String>)>,
    /// The end of the chain that must be there.
    end: Head,
    /// What is in another file in the ledger's place; nothing, when there is none.
    instead: Option<Vec<String>>,
}

impl World {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            now: DateTime::UNIX_EPOCH,
            given: 0,
            sealed: Vec::new(),
            backups: Vec::new(),
            end: Head::default(),
            instead: None,
        }
    }

    fn anchors(&self) -> Anchors {
        Anchors::new(&self.dir.path().join("ledger.db"), None)
    }

    fn open(&self) -> Result<Store, Error> {
        Store::open_kept(self.anchors(), self.now)
    }

    fn seal(&mut self) -> Result<(), TestCaseError> {
        let opened = self.open();
        if self.instead.is_some() {
            let refused = matches!(opened, Err(Error::RolledBack(_)));
            prop_assert!(refused, "nothing is sealed from such a ledger: {opened:?}");
            return Ok(());
        }
        self.given += 1;
        let number = self.given.to_string();
        let event = sealed(&number, self.given);
        let now = self.now;
        opened
            .unwrap()
            .write(|writer| writer.append(now, &number, &event))
            .unwrap();
        self.sealed.push(number);
        Ok(())
    }

    fn back_up(&mut self) {
        if self.instead.is_some() {
            return;
        }
        drop(self.open().unwrap());
        let to = self
            .dir
            .path()
            .join(format!("backup{}.db", self.backups.len()));
        let store = self.anchors().open_read_only().unwrap();
        store.back_up(&to, None, &self.anchors(), self.now).unwrap();
        self.backups.push((to, self.sealed.clone()));
    }

    /// One of the backups, if there are any.
    fn backup(&self, nth: usize) -> Option<(PathBuf, Vec<String>)> {
        self.backups.iter().cycle().nth(nth).cloned()
    }

    fn restore(&mut self, nth: usize, accept: bool) -> Result<(), TestCaseError> {
        let Some((file, holds)) = self.backup(nth) else {
            return Ok(());
        };
        // What was sealed, and what is in the file that lies there now, whatever it is.
        let known = self.sealed.iter().chain(self.instead.iter().flatten());
        let gone: BTreeSet<String> = known.filter(|it| !holds.contains(it)).cloned().collect();
        let restore = Restore::prepare(&file, self.anchors(), self.now).unwrap();
        let named = restore.lost.iter().map(|it| it.number.clone());
        let named: BTreeSet<String> = named.collect();
        prop_assert_eq!(
            &named,
            &gone,
            "what would be lost is named, and nothing else"
        );
        prop_assert_eq!(restore.lost.len(), gone.len(), "each once");
        let accepted: Vec<String> = gone.iter().filter(|_| accept).cloned().collect();
        if !restore.refused(&accepted).is_empty() {
            prop_assert!(!accept && !gone.is_empty());
            return Ok(());
        }
        restore.carry_out(self.now).unwrap();
        self.sealed = holds;
        self.instead = None;
        Ok(())
    }

    fn put(&self, file: Option<&Path>) {
        let ledger = self.dir.path().join("ledger.db");
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", ledger.display()));
        }
        if let Some(file) = file {
            std::fs::copy(file, ledger).unwrap();
        }
    }

    fn take(&mut self, step: &Step) -> Result<(), TestCaseError> {
        self.now += TimeDelta::seconds(1);
        match step {
            Step::Seal => self.seal()?,
            Step::BackUp => self.back_up(),
            Step::Restore(nth, accept) => self.restore(*nth, *accept)?,
            Step::RollBack(nth) => {
                if let Some((file, holds)) = self.backup(*nth) {
                    let end = Store::open_read_only(&file).unwrap().head().unwrap();
                    self.put(Some(&file));
                    self.instead = (end != self.end).then_some(holds);
                }
            }
            Step::Lose => {
                self.put(None);
                self.instead = Some(Vec::new());
            }
        }
        self.check()
    }

    /// The ledger has what the model has, or is refused.
    fn check(&mut self) -> Result<(), TestCaseError> {
        if self.instead.is_some() {
            prop_assert!(matches!(self.open(), Err(Error::RolledBack(_))));
            return Ok(());
        }
        let store = self.open().unwrap();
        let numbers = store.statements().unwrap().into_iter().map(|it| it.number);
        prop_assert_eq!(numbers.collect::<Vec<_>>(), self.sealed.clone());
        prop_assert_eq!(store.verify().unwrap().damage, None);
        prop_assert_eq!(store.heads_trouble(), &[] as &[String]);
        self.end = store.head().unwrap();
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn no_statement_is_lost_unsaid(steps in proptest::collection::vec(step(), 1..16)) {
        let mut world = World::new();
        world.check()?;
        for step in &steps {
            world.take(step)?;
        }
    }
}
