//! What becomes of billed work: seven kinds of change, each found once and to the cent, also in
//! months that were sealed long ago.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch::config::Config;
use stundenbuch::finding::{Finding, Kind, Severity};

use super::house::{House, Size};
use super::statements::{seal, work_of};
use crate::fakes::toggl::{Entry, OTHER};

const FEW: Size = Size {
    boards: 1,
    cards: 3,
    entries: 14,
};
/// A second project of the client, at a rate of its own.
const SHOP: i64 = 3_000_003;

/// A house whose configuration gives the shop and one person other rates, reads the whole team's
/// entries, and goes back further.
pub(super) async fn house() -> House {
    let mut house = House::new(FEW).await;
    house.toggl.with(|world| {
        let mut shop = world.projects[&3_000_001].clone();
        "Shop".clone_into(&mut shop.name);
        world.projects.insert(SHOP, shop);
    });
    configure(&mut house, "59.00");
    house
}

fn configure(house: &mut House, rate: &str) {
    let file = house.file();
    let mut text = std::fs::read_to_string(&file).unwrap();
    if !text.contains("team = true") {
        text = text.replace(
            "history_from = 2026-08-01",
            "history_from = 2026-05-01\nteam = true",
        );
        text = text.replace(
            "[[clients.ahorn.deliver]]",
            "[[clients.ahorn.contracts.rates]]\nproject = \"Shop\"\nrate = \"80.00\"\n\n\
             [[clients.ahorn.contracts.rates]]\nperson = \"Timo Aster\"\nrate = \"45.00\"\n\n\
             [[clients.ahorn.deliver]]",
        );
    }
    let begin = text.find("rate = \"").unwrap();
    let end = begin + text[begin..].find('\n').unwrap();
    text.replace_range(begin..end, &format!("rate = \"{rate}\""));
    std::fs::write(&file, text).unwrap();
    house.config = Config::load(Some(&file), &house.environment.variables).unwrap();
}

/// An entry of so many minutes, at an hour of a day.
pub(super) fn add(house: &House, day: &str, hour: u32, minutes: i64) -> i64 {
    let start: DateTime<Utc> = format!("{day}T{hour:02}:00:00Z").parse().unwrap();
    house.toggl.add(Entry::of(start, minutes))
}

pub(super) fn shorten(house: &House, id: i64, minutes: i64) {
    house.noon();
    house.toggl.edit(id, |entry| {
        entry.stop = entry.stop.map(|stop| stop - TimeDelta::minutes(minutes));
    });
}

/// Every open finding about billed work.
pub(super) fn drifted(house: &House) -> Vec<Finding> {
    [
        Kind::BilledEntryChanged,
        Kind::BilledEntryDeleted,
        Kind::RateChanged,
    ]
    .into_iter()
    .flat_map(|kind| house.findings(kind))
    .collect()
}

/// A day of seven entries, sealed and quiet for a week with a comparison.
async fn sealed_day(house: &mut House) -> [i64; 7] {
    let day = "2026-10-15";
    let hours = [
        (6, 150),
        (9, 75),
        (11, 45),
        (12, 80),
        (14, 120),
        (17, 30),
        (18, 60),
    ];
    let ids = hours.map(|(hour, minutes)| add(house, day, hour, minutes));
    house.toggl.edit(ids[3], |entry| entry.user = OTHER);
    house.night().await;
    let statement = seal(house, day).unwrap();
    // 8:00 h at 59.00 are 472.00; Timo's 1:20 h at 45.00 are 60.00.
    assert_eq!(statement.totals.net.to_string(), "532.00");
    assert_eq!(statement.entries.len(), 7);
    quiet_week(house).await;
    assert_eq!(drifted(house), []);
    ids
}

async fn quiet_week(house: &mut House) {
    for _ in 0..8 {
        house.night().await;
    }
    assert_eq!(house.refused(), 0);
}

/// What is told of an entry: its number, what changed, the difference, and how grave it is.
type Told = (i64, &'static str, &'static str, Severity);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seven_kinds_of_change_are_found_once_and_none_is_invented() {
    let mut house = house().await;
    let ids = sealed_day(&mut house).await;
    let [shorter, deleted, moved, given, unmarked, tagged, untouched] = ids;
    shorten(&house, shorter, 30);
    house.toggl.delete(deleted);
    let edit = |id: i64, change: fn(&mut Entry)| house.toggl.edit(id, change);
    edit(moved, |entry| entry.project = Some(SHOP));
    edit(given, |entry| entry.user = 1_000_001);
    edit(unmarked, |entry| entry.billable = false);
    edit(tagged, |entry| entry.tags = vec![5_000_002]);
    house.night().await;
    let (act, note) = (Severity::Act, Severity::Note);
    let mut expected: [Told; 6] = [
        // 0:30 h at 59.00
        (shorter, "now has 2:00 h", "−0:30 h, −29.50 EUR", act),
        // 1:15 h at 59.00
        (deleted, "is now deleted", "−1:15 h, −73.75 EUR", act),
        // 0:45 h: 44.25 at 59.00, 60.00 at 80.00
        (moved, "\"Relaunch\" → \"Shop\"", "+0:00 h, +15.75 EUR", act),
        // 1:20 h: 60.00 at 45.00, 78.67 at 59.00
        (given, "rate 45.00 → 59.00", "+0:00 h, +18.67 EUR", act),
        // 2:00 h at 59.00
        (unmarked, "billable yes → no", "−2:00 h, −118.00 EUR", act),
        (
            tagged,
            "tags none → \"Abstimmung\"",
            "time and money stay the same",
            note,
        ),
    ];
    assert_told(&house, &expected);
    assert!(!subjects(&house).contains(&work_of(&house, untouched)));

    // The seventh kind: the configuration gives another rate. What was billed at 59.00 and is
    // the same since is 3:30 h: 206.50 at 59.00, 227.50 at 65.00. Timo's entry, now Mara's, goes
    // by the rate of now: 86.67.
    let before = expected[3];
    configure(&mut house, "65.00");
    house.night().await;
    expected[3] = (given, "rate 45.00 → 65.00", "+0:00 h, +26.67 EUR", act);
    assert_told(&house, &expected);
    let rates = house.findings(Kind::RateChanged);
    assert_eq!(rates.len(), 1);
    assert_eq!(rates[0].subject, "2026-0001");
    let sentence = &rates[0].sentence;
    assert!(sentence.starts_with("3 entries were billed"), "{sentence}");
    let end = "(59.00 → 65.00): +0:00 h, +21.00 EUR.";
    assert!(sentence.ends_with(end), "{sentence}");
    let all = drifted(&house);
    assert_eq!(all.len(), 7);
    quiet_week(&mut house).await;
    assert_eq!(
        drifted(&house),
        all,
        "told once, however many nights and comparisons"
    );

    // The rate was meant for later: what was billed is right again.
    configure(&mut house, "59.00");
    house.night().await;
    expected[3] = before;
    assert_told(&house, &expected);
    assert_eq!(house.findings(Kind::RateChanged), []);
}

pub(super) fn subjects(house: &House) -> BTreeSet<String> {
    drifted(house).into_iter().map(|it| it.subject).collect()
}

/// There are these findings about works and no others: what changed, and the difference at the
/// end.
fn assert_told(house: &House, expected: &[Told]) {
    let mut told = drifted(house);
    told.retain(|it| it.kind != Kind::RateChanged);
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (id, change, difference, severity) in expected {
        let work = work_of(house, *id);
        let finding = told.iter().find(|it| it.subject == work).unwrap();
        let sentence = &finding.sentence;
        assert!(sentence.contains(change), "{sentence}");
        assert!(
            sentence.ends_with(&format!(": {difference}.")),
            "{sentence}"
        );
        assert_eq!(finding.severity, *severity, "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_month_is_compared_with_spare_requests() {
    let mut house = house().await;
    let (edited, gone) = (
        add(&house, "2026-06-15", 6, 150),
        add(&house, "2026-06-15", 10, 60),
    );
    house.toggl.with(|world| {
        // Long before: the feed does not name them any more.
        for id in [edited, gone] {
            let entry = world.entries.get_mut(&id).unwrap();
            entry.at = entry.stop;
        }
    });
    house.night().await;
    seal(&mut house, "2026-06-15").unwrap();
    // Changed and deleted, and the service's feed does not say so.
    house.toggl.with(|world| {
        let entry = world.entries.get_mut(&edited).unwrap();
        entry.stop = entry.stop.map(|stop| stop - TimeDelta::minutes(30));
        world.entries.remove(&gone);
    });
    let report = house.night().await;
    let (toggl, _) = house.requests();
    assert_eq!(super::house::of(&report, "toggl").requests, toggl as u64);
    // The feed and the team's look as ever; then the names, the month, the missing entry, and
    // both again.
    assert!((5..=8).contains(&toggl), "{toggl} requests");
    let mut told: Vec<_> = drifted(&house).into_iter().map(|it| it.sentence).collect();
    told.sort();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter().any(|it| it.ends_with("−0:30 h, −29.50 EUR.")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|it| it.ends_with("deleted: −1:00 h, −59.00 EUR.")),
        "{told:?}"
    );

    // Not again before a month is over, and the nights in between are quiet: two requests with
    // the team, and more only where the last weeks are compared.
    let mark = |house: &House| house.store.mark("compared/toggl/2026-06").unwrap().unwrap();
    let (first, mut busy, mut again) = (mark(&house), 0, None);
    for night in 1..=33 {
        let before = mark(&house);
        house.night().await;
        let (toggl, _) = house.requests();
        busy += usize::from(toggl > 2);
        if mark(&house) != before {
            assert_eq!(again.replace(night), None, "compared twice");
            assert!(toggl > 2);
        }
    }
    assert!(
        again.is_some_and(|night| night >= 30),
        "{again:?}, first {first}"
    );
    assert_eq!(busy, 5, "four weeks, and the month once");
    assert_eq!(house.refused(), 0);
    assert_eq!(drifted(&house).len(), 2);
}
