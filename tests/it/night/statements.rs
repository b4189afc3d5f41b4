//! Sealed statements: their numbers, what happens to their entries afterwards, their documents.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Connection;
use stundenbuch::billing::Statement;
use stundenbuch::finding::{Kind, Severity};
use stundenbuch::money::Cents;
use stundenbuch::render::{self, Format};
use stundenbuch::run::report::Exit;
use stundenbuch::statements::{self, SealError};
use stundenbuch::store::ParcelState;
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::record::ExternalId;

use super::house::{House, Size, bytes};
use crate::fakes::toggl::Entry;

/// Five days of work, the first of them the first day of the history.
pub(crate) const WEEK: Size = Size {
    boards: 2,
    cards: 10,
    entries: 70,
};

/// Seals a day, or says why not.
pub(crate) fn seal(house: &mut House, day: &str) -> Result<Statement, SealError> {
    let client = house.config.client("ahorn").unwrap();
    let period = format!("{day}..{day}").parse().unwrap();
    let now = house.clock.now();
    statements::seal(&mut house.store, &house.config, client, period, now)
}

fn json(statement: &Statement) -> Vec<u8> {
    render::render(statement, Format::Json, None).unwrap().bytes
}

fn sealed(house: &House, number: &str) -> Statement {
    house.store.sealed(number).unwrap().unwrap().statement
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_have_no_gap_and_nothing_is_sealed_twice() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    let days = ["2026-08-20", "2026-08-21", "2026-08-22", "2026-08-23"];
    let mut charged = BTreeMap::new();
    for (nth, day) in (1..).zip(days) {
        let statement = seal(&mut house, day).unwrap();
        assert_eq!(statement.number, Some(format!("2026-{nth:04}")));
        let rows = house.rows();
        let again = seal(&mut house, day);
        assert!(matches!(again, Err(SealError::Nothing { .. })), "{again:?}");
        assert_eq!(house.rows(), rows, "a refused seal takes no number");
        adds_up(&statement);
        for row in &statement.entries {
            let twice = charged.insert(row.work.clone(), day);
            assert_eq!(twice, None, "{} is in two statements", row.work);
        }
    }
    let nothing = seal(&mut house, "2026-09-30");
    assert!(matches!(nothing, Err(SealError::Nothing { .. })));
    assert_eq!(
        seal(&mut house, "2026-08-24").unwrap().number.unwrap(),
        "2026-0005"
    );
    assert_eq!(house.store.verify().unwrap().damage, None);
}

/// What is printed adds up, worked out here in plain integers.
fn adds_up(statement: &Statement) {
    let mut net = 0;
    for line in &statement.lines {
        assert_eq!(line.billed_seconds % 60, 0);
        let rows = statement.entries.iter();
        let mine = rows.filter(|row| row.line == Some(line.position));
        let tracked: i64 = mine.map(|row| row.tracked_seconds).sum();
        assert_eq!(line.tracked_seconds, tracked);
        assert_eq!(line.billed_seconds, (tracked + 30) / 60 * 60);
        // 59.00 an hour is 5,900 cents in 60 minutes, half a cent up.
        let cents = (5_900 * (line.billed_seconds / 60) * 2 + 60) / 120;
        assert_eq!(line.amount.to_string(), money(cents));
        net += cents;
    }
    let totals = &statement.totals;
    assert_eq!(totals.net.to_string(), money(net));
    let vat = (net * 19 * 2 + 100) / 200;
    assert_eq!(totals.vat.as_ref().unwrap().amount.to_string(), money(vat));
    assert_eq!(totals.gross.to_string(), money(net + vat));
    let all: i64 = statement
        .entries
        .iter()
        .map(|row| row.tracked_seconds)
        .sum();
    let lines: i64 = statement
        .lines
        .iter()
        .map(|line| line.tracked_seconds)
        .sum();
    assert_eq!(totals.tracked_seconds, all);
    assert_eq!(totals.non_billable_seconds, all - lines);
}

fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// The work that an entry of the fake is.
pub(super) fn work_of(house: &House, id: i64) -> String {
    let key = house.store.parse_key(&format!("toggl/time/{id}")).unwrap();
    house.store.work_of(&key).unwrap().unwrap().to_string()
}

/// An entry of the fifteenth of October.
fn october(house: &House, hour: u32, minutes: i64) -> i64 {
    let start: DateTime<Utc> = format!("2026-10-15T{hour:02}:00:00Z").parse().unwrap();
    house.toggl.add(Entry {
        description: Some(format!("Aufgabe 0-{}", hour % 3)),
        ..Entry::of(start, minutes)
    })
}

/// Each of these entries has its finding, with these words; returns what all findings are about.
fn assert_told(house: &House, number: &str, expected: &[(i64, Kind, &str, &str)]) -> Vec<String> {
    let mut findings = house.findings(Kind::BilledEntryChanged);
    findings.extend(house.findings(Kind::BilledEntryDeleted));
    let told: BTreeMap<&str, &str> = findings
        .iter()
        .map(|finding| (finding.subject.as_str(), finding.sentence.as_str()))
        .collect();
    for (id, kind, now, difference) in expected {
        let sentence = told[work_of(house, *id).as_str()];
        assert!(sentence.contains(*now), "{sentence}");
        assert!(sentence.ends_with(&format!("{difference}.")), "{sentence}");
        assert!(sentence.contains(number), "{sentence}");
        let finding = findings
            .iter()
            .find(|it| it.subject == work_of(house, *id))
            .unwrap();
        assert_eq!((finding.kind, finding.severity), (*kind, Severity::Act));
    }
    findings
        .into_iter()
        .map(|finding| finding.subject)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_after_sealing_is_told_in_hours_and_cents() {
    let mut house = House::new(WEEK).await;
    let shortened = october(&house, 6, 150);
    let deleted = october(&house, 9, 75);
    let moved = october(&house, 11, 45);
    let unmarked = october(&house, 12, 120);
    let untouched = october(&house, 15, 60);
    house.night().await;
    let number = seal(&mut house, "2026-10-15").unwrap().number.unwrap();
    let before = json(&sealed(&house, &number));
    house.night().await;
    assert_eq!(house.findings(Kind::BilledEntryChanged), []);

    house.noon();
    house.toggl.edit(shortened, |entry| {
        entry.stop = entry.stop.map(|stop| stop - TimeDelta::minutes(30));
    });
    house.toggl.delete(deleted);
    house.toggl.edit(moved, |it| it.project = Some(3_000_002));
    house.toggl.edit(unmarked, |it| it.billable = false);
    for _ in 0..3 {
        house.night().await;
    }
    let told = assert_told(
        &house,
        &number,
        &[
            (
                shortened,
                Kind::BilledEntryChanged,
                "now has 2:00 h",
                "−0:30 h, −29.50 EUR",
            ),
            (
                deleted,
                Kind::BilledEntryDeleted,
                "is now deleted",
                "−1:15 h, −73.75 EUR",
            ),
            (
                moved,
                Kind::BilledEntryChanged,
                "belongs to",
                "−0:45 h, −44.25 EUR",
            ),
            (
                unmarked,
                Kind::BilledEntryChanged,
                "billable yes → no",
                "−2:00 h, −118.00 EUR",
            ),
        ],
    );
    assert!(!told.contains(&work_of(&house, untouched)));
    assert_eq!(told.len(), 4, "one each, however many nights");
    assert_eq!(
        json(&sealed(&house, &number)),
        before,
        "sealed means sealed"
    );
    let again = seal(&mut house, "2026-10-15");
    assert!(matches!(again, Err(SealError::Nothing { .. })), "{again:?}");

    // Undone at the source, the finding closes.
    house.noon();
    house.toggl.edit(unmarked, |it| it.billable = true);
    house.night().await;
    assert_eq!(house.findings(Kind::BilledEntryChanged).len(), 2);
    assert_ne!(Cents::ZERO, sealed(&house, &number).totals.net);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_arrive_once() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    let first = seal(&mut house, "2026-08-20").unwrap();
    let number = first.number.clone().unwrap();
    let report = house.night().await;
    assert_eq!(report.deliveries.delivered.len(), 2);
    let folder = house.drive().join("Berichte");
    let there = files(&house);
    assert_eq!(there.len(), 2);
    let delivered: Vec<_> = there
        .iter()
        .find(|(name, _)| is(name, "json"))
        .into_iter()
        .collect();
    assert_eq!(*delivered[0].1, json(&sealed(&house, &number)));
    let report = house.night().await;
    assert_eq!(report.deliveries.delivered, Vec::<String>::new());
    assert_eq!(files(&house), there);

    // The power went off between the delivery and its record.
    let hand = Connection::open(house.store.path()).unwrap();
    let crashed = "UPDATE outbox SET state = 'queued', location = NULL, outcome = NULL,
                   done_at = NULL";
    for _ in 0..2 {
        assert_eq!(hand.execute(crashed, []).unwrap(), 2);
        let report = house.night().await;
        assert_eq!(report.deliveries.delivered.len(), 2);
        assert_eq!(files(&house), there, "still once");
        assert_eq!(house.findings(Kind::DeliveredBeside), []);
    }

    // Somebody's own file lies where the next document would go.
    let second = seal(&mut house, "2026-08-21").unwrap().number.unwrap();
    let parcels = house.store.parcels_of(&second).unwrap();
    let taken = parcels.iter().find(|it| is(&it.path, "csv")).unwrap();
    let mine = house.drive().join(&taken.path);
    fs::write(&mine, "Meine eigene Tabelle").unwrap();
    house.night().await;
    assert_eq!(bytes(&mine), b"Meine eigene Tabelle");
    assert_eq!(files(&house).len(), 5);
    let beside = house.findings(Kind::DeliveredBeside);
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].subject, taken.key);
    let parcels = house.store.parcels_of(&second).unwrap();
    assert!(parcels.iter().all(|it| it.state == ParcelState::Delivered));
    let other = parcels.iter().find(|it| is(&it.path, "csv")).unwrap();
    let other = house.drive().join(other.location.as_deref().unwrap());
    assert_eq!(bytes(&other), taken.bytes.to_vec());
    assert!(folder.is_dir());
}

/// A drive that is away holds up its own documents, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drive_that_is_away_is_waited_for() {
    let mut house = House::new(WEEK).await;
    house.night().await;
    seal(&mut house, "2026-08-20").unwrap();
    let away = house.dir.path().join("unplugged");
    fs::rename(house.drive(), &away).unwrap();
    for _ in 0..3 {
        let report = house.night().await;
        assert!(report.exit() >= Exit::ForNow, "{report:#?}");
        assert_eq!(report.deliveries.delivered, Vec::<String>::new());
        assert!(!house.drive().exists(), "the mount point is not made up");
        assert_eq!(house.worked(), house.truth());
    }
    fs::rename(&away, house.drive()).unwrap();
    let hand = Connection::open(house.store.path()).unwrap();
    hand.execute(
        "UPDATE outbox SET state = 'queued' WHERE state = 'failed'",
        [],
    )
    .unwrap();
    house.night().await;
    assert_eq!(files(&house).len(), 2);
    assert_eq!(house.findings(Kind::DeliveryFailed), []);
    assert_eq!(house.findings(Kind::SourceFailed), []);
}

fn is(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|it| it == extension)
}

fn files(house: &House) -> BTreeMap<String, Vec<u8>> {
    let folder = house.drive().join("Berichte");
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, bytes(&entry.path()))
        })
        .collect()
}

/// The identifiers that a statement's entries have upstream.
pub(super) fn upstream(house: &House, statement: &Statement) -> BTreeMap<String, ExternalId> {
    let rows = statement.entries.iter();
    rows.map(|row| {
        let work = stundenbuch::work::WorkId::parse(&row.work).unwrap();
        let claims = house.store.claims(work).unwrap();
        (row.work.clone(), claims[0].id.clone())
    })
    .collect()
}
