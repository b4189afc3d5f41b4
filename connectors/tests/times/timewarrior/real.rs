//! What is read from the files is what Timewarrior itself exports, after all that people do.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use stundenbuch_connectors::contract::Pull;
use stundenbuch_connectors::record::{TimeEntry, Worked};

use super::Desk;

/// Timewarrior, with nothing of this machine's environment but its database and zone.
fn timew(desk: &Desk, arguments: &[&str]) -> Option<String> {
    let output = Command::new("timew")
        .env_clear()
        .env("TIMEWARRIORDB", &desk.path)
        .env("TZ", "Europe/Berlin")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let said = String::from_utf8(output.stdout).unwrap();
    let wrong = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}{wrong}");
    Some(said)
}

/// The export, without the numbers, which are places in a list.
fn exported(desk: &Desk) -> BTreeSet<String> {
    let export: Vec<Value> = serde_json::from_str(&timew(desk, &["export"]).unwrap()).unwrap();
    let rows = export.into_iter().map(|row| {
        let tags: BTreeSet<&str> = row["tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        json!([
            row["start"],
            row["end"],
            tags,
            row["annotation"].as_str().unwrap_or_default()
        ])
    });
    rows.map(|row| row.to_string()).collect()
}

/// The ledger in the same form.
fn known(desk: &Desk) -> BTreeSet<String> {
    let shown = |entry: &TimeEntry| {
        let text = |at: chrono::DateTime<chrono::Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
        let (start, stop) = match entry.worked {
            Worked::Running { start } => (start, None),
            Worked::Span { start, stop } => (start, Some(stop)),
            Worked::Day { .. } => panic!("Timewarrior has no days"),
        };
        // Without an annotation the description is what the tags say.
        let words = entry.tags.join(", ");
        let annotation = Some(&entry.description).filter(|it| **it != words);
        json!([
            text(start),
            stop.map(text),
            entry.tags,
            annotation.cloned().unwrap_or_default()
        ])
    };
    let entries = desk.ledger.entries.values();
    entries.map(|(entry, _)| shown(entry).to_string()).collect()
}

/// Tags that need quotes, escapes or neither, as people type them.
const TAGS: [&str; 22] = [
    "it's",
    "a\"b",
    "a \"q\" b",
    "back\\slash",
    "#hash",
    "a\\tb",
    "sl/ash",
    "uni\\u00e4x",
    "'single quoted'",
    "\"",
    "\\",
    "a\\\\b",
    "back \\ space",
    "end \\",
    "ä ö",
    "x#y",
    "projekt:Relaunch",
    "a,b",
    "http://x.example/z",
    "cafe 🦀",
    "inc",
    "a&b=c",
];

#[tokio::test]
async fn files_are_read_as_timewarrior_exports_them() {
    let mut desk = Desk::new();
    std::fs::write(desk.path.join("timewarrior.cfg"), "").unwrap();
    if timew(&desk, &["--version"]).is_none() {
        eprintln!("SKIPPED: there is no `timew`; install timewarrior to run this test too");
        return;
    }
    let run =
        |desk: &Desk, arguments: &[&str]| timew(desk, &[arguments, &[":yes"]].concat()).unwrap();
    for (number, tag) in TAGS.iter().enumerate() {
        let time = format!("2026-10-{:02}T09", number + 1);
        let (start, stop) = (format!("{time}:00"), format!("{time}:30"));
        run(&desk, &["track", &start, "-", &stop, tag, "kunde"]);
    }
    for annotation in ["Sag \"hallo\"", "mit # und \\ darin", "Umlaute äöü 🥐"] {
        run(&desk, &["annotate", "@1", annotation]);
        desk.ledger.pull(&Pull::Changes).await;
        assert_eq!(known(&desk), exported(&desk), "{annotation}");
    }
    // Over the border of a month, and through the night in which the clocks go back.
    run(
        &desk,
        &[
            "track",
            "2026-10-31T23:30",
            "-",
            "2026-11-01T00:30",
            "Nacht",
        ],
    );
    run(
        &desk,
        &["track", "2026-10-25T01:30", "-", "2026-10-25T03:30"],
    );
    run(&desk, &["start", "2026-11-02T08:00", "läuft"]);
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(known(&desk), exported(&desk));
    assert_eq!(desk.ledger.entries.len(), TAGS.len() + 3);
    let night = desk.ledger.entry("20261024T233000Z");
    assert_eq!(night.worked.seconds(), Some(3 * 3600));

    // Every number moves by one, and nothing else does.
    let before = desk.ledger.revisions;
    run(&desk, &["stop", "2026-11-02T09:00"]);
    run(
        &desk,
        &["track", "2026-11-03T08:00", "-", "2026-11-03T09:00", "neu"],
    );
    desk.ledger.pull(&Pull::Changes).await;
    assert_eq!(known(&desk), exported(&desk));
    assert_eq!(desk.ledger.revisions, before + 2);

    for change in [
        &["delete", "@3"][..],
        &["tag", "@1", "später"],
        &["untag", "@4", "kunde"],
        &["shorten", "@1", "10min"],
        &["split", "@2"],
        &["move", "@1", "2026-11-04T10:00"],
        &["undo"],
    ] {
        run(&desk, change);
        desk.ledger.pull(&Pull::Changes).await;
        assert_eq!(known(&desk), exported(&desk), "{change:?}");
    }
    assert_eq!(desk.ledger.rejected, []);
}
