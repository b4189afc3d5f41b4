//! The Timewarrior connector as a subject of the conformance tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{Permissions, rename, set_permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Mutex;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::Connector;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::Desk;
use crate::ledger::monday;

/// A database that is written as Timewarrior writes it: a file a month, in order of the start.
struct World {
    desk: Desk,
    /// Annotation by start.
    intervals: Mutex<BTreeMap<String, String>>,
}

impl World {
    fn new() -> Self {
        Self {
            desk: Desk::new(),
            intervals: Mutex::default(),
        }
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut intervals = self.intervals.lock().unwrap();
        change(&mut intervals);
        let mut months: BTreeMap<String, String> = BTreeMap::new();
        for (start, text) in &*intervals {
            let month = format!("{}-{}", &start[..4], &start[4..6]);
            let text = text.replace('"', "\\\"");
            let lines = months.entry(month).or_default();
            let stop = format!("{}30Z", &start[..13]);
            let _ = writeln!(lines, "inc {start} - {stop} # kunde # \"{text}\"");
        }
        for old in std::fs::read_dir(self.desk.path.join("data")).unwrap() {
            let path = old.unwrap().path();
            if path.to_string_lossy().contains('-') {
                std::fs::remove_file(path).unwrap();
            }
        }
        for (month, lines) in months {
            std::fs::write(self.desk.month(&month), lines).unwrap();
        }
    }

    fn put(&self, text: &str) -> ExternalId {
        let mut id = String::new();
        self.change(|intervals| {
            let ago = TimeDelta::hours(11 * i64::try_from(intervals.len()).unwrap());
            let start: DateTime<Utc> = monday() - ago;
            id = start.format("%Y%m%dT%H%M%SZ").to_string();
            intervals.insert(id.clone(), text.to_owned());
        });
        ExternalId::new(id)
    }

    fn aside(&self) -> PathBuf {
        self.desk.path.with_extension("away")
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Time
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.desk.ledger.connector()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        (0..count).map(|_| self.put("Entwurf")).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        Some(self.put(text))
    }

    fn edit(&self, id: &ExternalId) {
        self.change(|intervals| intervals.get_mut(id.as_str()).unwrap().push('!'));
    }

    fn delete(&self, id: &ExternalId) {
        self.change(|intervals| drop(intervals.remove(id.as_str())));
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let intervals = self.intervals.lock().unwrap();
        intervals.keys().map(ExternalId::new).collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        let path = &self.desk.path;
        match trouble {
            // There are no requests, and so no later ones.
            _ if skip > 0 => {}
            Trouble::Away => rename(path, self.aside()).unwrap(),
            Trouble::Empty => {
                rename(path, self.aside()).unwrap();
                std::fs::create_dir_all(path.join("data")).unwrap();
            }
            Trouble::Refused => {
                set_permissions(path.join("data"), Permissions::from_mode(0o000)).unwrap();
                if std::fs::read_dir(path.join("data")).is_ok() {
                    eprintln!("SKIPPED: root may read everything");
                    self.heal();
                    return false;
                }
            }
            Trouble::Cut => {
                let month = self.desk.month("2026-11");
                let text = std::fs::read_to_string(&month).unwrap();
                std::fs::write(month, &text[..text.len() - 20]).unwrap();
            }
            _ => return false,
        }
        true
    }

    fn heal(&self) {
        let path = &self.desk.path;
        if self.aside().exists() {
            let _ = std::fs::remove_dir_all(path);
            rename(self.aside(), path).unwrap();
        }
        set_permissions(path.join("data"), Permissions::from_mode(0o755)).unwrap();
        self.change(|_| ());
    }

    fn canary(&self) -> Option<String> {
        None
    }

    fn quiet_requests(&self) -> u64 {
        0
    }

    fn many(&self) -> usize {
        200
    }
}

#[tokio::test]
async fn conforms() {
    suite::all(|| async { World::new() }).await;
}
