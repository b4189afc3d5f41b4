//! The Timewarrior connector, over files as Timewarrior writes them and over Timewarrior itself.

mod conformance;
mod real;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Presence, Pull};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::{find, suite};
use tempfile::TempDir;

use crate::ledger::{self, Ledger, compare, monday};

/// A database and the ledger that is filled from it.
pub(crate) struct Desk {
    _home: TempDir,
    pub(crate) path: PathBuf,
    pub(crate) ledger: Ledger,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("timewarrior");
        std::fs::create_dir_all(path.join("data")).unwrap();
        std::fs::write(path.join("data/tags.data"), "{}\n").unwrap();
        let mut ledger = Ledger::new("timewarrior", &ManualClock::at(monday()));
        ledger.set("path", Value::Path(path.clone()));
        Self {
            _home: home,
            path,
            ledger,
        }
    }

    pub(crate) fn month(&self, name: &str) -> PathBuf {
        self.path.join("data").join(format!("{name}.data"))
    }

    fn write(&self, month: &str, text: &str) {
        std::fs::write(self.month(month), text).unwrap();
    }

    fn texts(&mut self, key: &str, texts: &[&str]) {
        let texts = texts.iter().map(|text| (*text).to_owned());
        self.ledger.set(key, Value::Texts(texts.collect()));
    }
}

const TWO: &str = "inc 20261102T080000Z - 20261102T093000Z # Entwurf kunde:Ahorn projekt:Relaunch\n\
    inc 20261103T080000Z - 20261103T081500Z # kunde:Ahorn # \"Rückruf\"\n";

#[tokio::test]
async fn tags_name_clients_and_projects_where_the_settings_say_so() {
    let mut desk = Desk::new();
    desk.write("2026-11", TWO);
    desk.ledger.pull(&Pull::Changes).await;
    let plain = desk.ledger.entry("20261102T080000Z");
    assert_eq!(
        (&plain.client, &plain.project, &plain.person),
        (&None, &None, &None)
    );
    assert_eq!(plain.description, "Entwurf, kunde:Ahorn, projekt:Relaunch");
    assert_eq!(plain.worked.seconds(), Some(5_400));

    // What the settings say counts from the next pull on, also for months that did not change.
    desk.texts("clients", &["kunde:*"]);
    desk.texts("projects", &["projekt:*"]);
    desk.ledger
        .set("person", Value::Text("Mara Lindgrün".to_owned()));
    desk.ledger.pull(&Pull::Changes).await;
    let entry = desk.ledger.entry("20261102T080000Z");
    let name = |named: &Option<stundenbuch_connectors::record::Named>| {
        named.as_ref().and_then(|named| named.name.clone()).unwrap()
    };
    assert_eq!(name(&entry.client), "Ahorn");
    assert_eq!(name(&entry.project), "Relaunch");
    assert_eq!(entry.description, "Entwurf");
    assert_eq!(entry.tags, ["Entwurf", "kunde:Ahorn", "projekt:Relaunch"]);
    let person = entry.person.clone().unwrap();
    assert_eq!(person.name.as_deref(), Some("Mara Lindgrün"));
    assert_eq!(desk.ledger.entry("20261103T080000Z").description, "Rückruf");
}

#[tokio::test]
async fn a_night_gives_only_the_months_that_changed() {
    let mut desk = Desk::new();
    desk.write("2026-10", "inc 20261002T080000Z - 20261002T093000Z\n");
    desk.write("2026-11", TWO);
    desk.ledger.pull(&Pull::Changes).await;
    let connector = desk.ledger.connector();
    let quiet = connector.pull(&desk.ledger.cursor, &Pull::Changes).await;
    let quiet = quiet.unwrap();
    assert!(quiet.raw.is_empty() && quiet.swept.is_empty() && !quiet.more);
    assert_eq!(quiet.next, desk.ledger.cursor);
    desk.write("2026-11", &TWO.replace("Entwurf", "Plan"));
    let page = connector.pull(&desk.ledger.cursor, &Pull::Changes).await;
    let page = page.unwrap();
    assert_eq!((page.raw.len(), page.swept.len()), (2, 1));
    assert_eq!(page.swept[0].scope, "2026-11");
}

#[tokio::test]
async fn an_interval_is_its_start_and_a_counter() {
    let mut desk = Desk::new();
    let twice = "inc 20261102T080000Z - 20261102T083000Z # a\n\
        inc 20261102T080000Z - 20261102T090000Z # b\n";
    desk.write("2026-11", twice);
    // The same second in another month's file, as a change of the zone makes it.
    desk.write("2026-12", "inc 20261102T080000Z - 20261102T100000Z # c\n");
    desk.ledger.pull(&Pull::Changes).await;
    let ids = [
        "20261102T080000Z",
        "20261102T080000Z#2",
        "20261102T080000Z#3",
    ];
    assert_eq!(desk.ledger.ids(), ids);
    assert_eq!(
        desk.ledger.seconds(),
        (30 + 60 + 120) * 60,
        "no minute is lost"
    );
}

#[tokio::test]
async fn a_month_that_is_gone_whole_is_looked_for_twice() {
    let mut desk = Desk::new();
    desk.write("2026-10", "inc 20261002T080000Z - 20261002T093000Z\n");
    desk.write("2026-11", TWO);
    desk.ledger.pull(&Pull::Changes).await;
    std::fs::remove_file(desk.month("2026-10")).unwrap();
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.gone, [ExternalId::new("20261002T080000Z")]);
    assert_eq!(desk.ledger.entries.len(), 2);
}

#[tokio::test]
async fn an_interval_that_lies_in_another_month_now_is_not_gone() {
    let mut desk = Desk::new();
    let night = "inc 20261031T230000Z - 20261031T233000Z # nachts\n";
    desk.write(
        "2026-10",
        &format!("inc 20261002T080000Z - 20261002T093000Z\n{night}"),
    );
    desk.write("2026-11", TWO);
    desk.ledger.pull(&Pull::Changes).await;
    desk.write("2026-10", "inc 20261002T080000Z - 20261002T093000Z\n");
    desk.write("2026-11", &format!("{night}{TWO}"));
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.gone, []);
    assert_eq!(desk.ledger.entries.len(), 4);
}

#[tokio::test]
async fn files_that_were_cut_emptied_or_spoiled_delete_nothing() {
    let spoiled: [(&str, &[u8], Option<Kind>); 5] = [
        ("cut", &TWO.as_bytes()[..70], Some(Kind::Unavailable)),
        (
            "cut at the end of its times",
            &TWO.as_bytes()[..41],
            Some(Kind::Unavailable),
        ),
        ("emptied", b"", None),
        ("spoiled", b"\xff\xfe\x00 no text\n", None),
        (
            "a conflict",
            b"<<<<<<< HEAD\ninc 20261103T080000Z - 20261103T081500Z\n",
            None,
        ),
    ];
    for (what, bytes, kind) in spoiled {
        let mut desk = Desk::new();
        desk.write("2026-11", TWO);
        desk.ledger.pull(&Pull::Changes).await;
        std::fs::write(desk.month("2026-11"), bytes).unwrap();
        for mode in [Pull::Changes, compare(&desk.ledger.clock, 60)] {
            let outcome = desk.ledger.try_pull(&mode).await;
            assert_eq!(outcome.err().map(|error| error.kind()), kind, "{what}");
        }
        assert_eq!(desk.ledger.gone, [], "{what}");
        assert_eq!(desk.ledger.entries.len(), 2, "{what}");
    }
}

#[tokio::test]
async fn a_line_that_is_half_understood_is_put_aside_by_its_name() {
    let mut desk = Desk::new();
    let text = format!("{TWO}inc 20261104T080000Z - heute\nexc monday\n");
    desk.write("2026-11", &text);
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entries.len(), 2);
    assert_eq!(desk.ledger.notices, ["timewarrior-lines-unreadable"]);
    let (id, reason) = &desk.ledger.rejected[0];
    assert_eq!(id.as_str(), "20261104T080000Z");
    assert_eq!(reason, "end: `heute` is no instant");
}

#[tokio::test]
async fn what_is_no_database_is_said_and_not_believed() {
    let mut desk = Desk::new();
    desk.write("2026-10", "inc 20261002T080000Z - 20261002T093000Z\n");
    desk.write("2026-11", TWO);
    desk.ledger.pull(&Pull::Changes).await;
    // Begun anew at the same place: Timewarrior's own files are there, and no month.
    for month in ["2026-10", "2026-11"] {
        std::fs::remove_file(desk.month(month)).unwrap();
    }
    let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.advice().unwrap().contains("a connection of its own"));
    // Unmounted.
    std::fs::remove_dir_all(&desk.path).unwrap();
    let error = desk.ledger.try_pull(&Pull::Changes).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(error.advice().unwrap().contains("timew diagnostics"));
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new("20261102T080000Z"),
        scope: "2026-11".to_owned(),
    };
    assert!(desk.ledger.connector().confirm(&[absent]).await.is_err());
    assert_eq!(desk.ledger.entries.len(), 3);
}

#[tokio::test]
async fn nothing_is_confirmed_gone_while_a_line_cannot_be_read() {
    let desk = Desk::new();
    desk.write("2026-11", &format!("{TWO}<<<<<<<\n"));
    let absent = |id: &str| Absent {
        stream: Stream::Time,
        id: ExternalId::new(id),
        scope: "2026-11".to_owned(),
    };
    let asked = [absent("20261102T080000Z"), absent("20261109T080000Z")];
    let answers = desk.ledger.connector().confirm(&asked).await.unwrap();
    assert_eq!(answers[0].1, Presence::Present);
    assert_eq!(answers[1].1, Presence::Unknown);
    desk.write("2026-11", TWO);
    let answers = desk.ledger.connector().confirm(&asked).await.unwrap();
    assert!(matches!(answers[1].1, Presence::Gone(_)));
}

#[tokio::test]
async fn other_files_beside_the_months_are_passed_over() {
    let mut desk = Desk::new();
    desk.write("2026-11", TWO);
    for name in [
        "2026-11.data.4711-1.tmp",
        "2026-11.sync-conflict-20261120-101010-ABCDEFG.data",
        "undo.data",
        "backlog.data",
        "20-26.data",
    ] {
        std::fs::write(desk.path.join("data").join(name), "inc 20200101T000000Z").unwrap();
    }
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entries.len(), 2);
}

#[tokio::test]
async fn a_large_database_is_read_month_by_month() {
    let mut desk = Desk::new();
    for year in 2016..2026 {
        for month in 1..=12 {
            let mut lines = String::new();
            for (day, hour) in (1..=28).flat_map(|day| (6..12).map(move |hour| (day, hour))) {
                let time = format!("{year}{month:02}{day:02}T{hour:02}");
                let words = "kunde \"lange Arbeit\"";
                let _ = writeln!(lines, "inc {time}0000Z - {time}4500Z # {words}");
            }
            desk.write(&format!("{year}-{month:02}"), &lines);
        }
    }
    let first = desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(desk.ledger.entries.len(), 120 * 28 * 6);
    assert_eq!(desk.ledger.seconds(), 120 * 28 * 6 * 45 * 60);
    let cursor = desk.ledger.cursor.as_str().unwrap();
    assert!(cursor.len() < 5_000, "{} bytes", cursor.len());
    let quiet = desk.ledger.quiet_night().await;
    desk.write("2025-12", "inc 20251201T080000Z - 20251201T093000Z\n");
    let changed = desk.ledger.quiet_night().await;
    assert_eq!(desk.ledger.entries.len(), 119 * 28 * 6 + 1);
    let counts = [("first", first), ("quiet", quiet), ("1 % changed", changed)];
    suite::requests_table("timewarrior", "20,160 entries", &counts);
    assert_eq!((first, quiet, changed), (0, 0, 0));
}

#[test]
fn declares_what_it_reads() {
    let mut ledger = Ledger::new("timewarrior", &ManualClock::at(monday()));
    ledger.set(
        "path",
        Value::Path(Path::new("/srv/timewarrior").to_owned()),
    );
    ledger.set("person", Value::Text("Mara".to_owned()));
    for key in ["clients", "projects"] {
        ledger.set(key, Value::Texts(vec!["x:*".to_owned()]));
    }
    let entry = find("timewarrior").unwrap();
    suite::settings_are_declared(entry, &ledger.settings, &ledger::platform());
}
