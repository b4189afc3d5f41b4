//! Every change of billed work is found, with the money it makes, and nothing else is.

use super::*;
use crate::billing::{Party, corrected, drift_finding, statements};
use crate::config::{Model, RateRule, Rounding, RoundingMode, RoundingScope};
use crate::finding::{Finding, Kind, Severity};
use crate::ledger::Correction;
use crate::matching::testing::{EntryBuilder, client, contract, person, rate};

fn acme() -> Client {
    let mut client = client("acme");
    client.sources.projects = vec!["Website".to_owned(), "Shop".to_owned()];
    client.contracts = vec![contract("main")];
    client
}

fn entry(seconds: i64) -> EntryBuilder {
    EntryBuilder::span("2026-10-14T07:00:00Z", seconds)
        .project("Website")
        .text("Relaunch")
        .by("Anna")
}

fn seal(client: &Client, works: &[Work]) -> Statement {
    let period = "2026-10".parse().unwrap();
    let mut drafts = statements(
        client,
        period,
        works,
        &[],
        &|_| None,
        &Party::default(),
        &[],
    );
    let mut statement = drafts.drafts.remove(0).statement;
    statement.number = Some("2026-0007".to_owned());
    statement
}

/// The drift of work 1, whose rates are as they were billed.
fn compared(
    sealed: &Statement,
    was: EntryBuilder,
    now: Option<&Work>,
    clients: &[Client],
) -> Option<Drift> {
    at_rates(Rates::AsBilled, sealed, was, now, clients)
}

fn at_rates(
    rates: Rates,
    sealed: &Statement,
    was: EntryBuilder,
    now: Option<&Work>,
    clients: &[Client],
) -> Option<Drift> {
    let terms = Terms {
        clients,
        people: &[],
        rates,
    };
    drift(sealed, WorkId(1), &was.build(), now, &terms)
}

fn money(drift: &Drift) -> (i64, String) {
    (drift.seconds(), drift.amount().to_string())
}

fn after(now: Option<EntryBuilder>) -> Option<(Drift, Finding)> {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    let now = now.map(|now| now.work(1));
    let clients = [acme(), client("other")];
    let drift = compared(&sealed, entry(9000), now.as_ref(), &clients)?;
    let finding = drift_finding(&drift, &sealed);
    Some((drift, finding))
}

fn fields(now: Option<EntryBuilder>) -> Vec<Field> {
    let (drift, _) = after(now).expect("it drifted");
    drift.what.iter().map(|change| change.field).collect()
}

#[test]
fn what_has_not_changed_does_not_drift() {
    assert_eq!(after(Some(entry(9000))), None);
    assert_eq!(after(Some(entry(9000).project(" website"))), None);
}

#[test]
fn a_shorter_entry_says_how_much_less() {
    let (drift, finding) = after(Some(entry(7200))).unwrap();
    assert_eq!(money(&drift), (-1800, "-29.50".to_owned()));
    assert_eq!(
        finding.sentence,
        "The entry by Anna on 2026-10-14, \"Relaunch\", was billed with 2:30 h in 2026-0007 and \
         now has 2:00 h: −0:30 h, −29.50 EUR."
    );
    assert_eq!(
        (finding.kind, finding.severity),
        (Kind::BilledEntryChanged, Severity::Act)
    );
    assert_eq!(finding.other.as_deref(), Some("2026-0007"));
}

#[test]
fn a_deleted_entry_takes_all_of_it_back() {
    for gone in [after(None), {
        let sealed = seal(&acme(), &[entry(9000).work(1)]);
        let mut work = entry(9000).work(1);
        work.deleted = true;
        let drift = compared(&sealed, entry(9000), Some(&work), &[acme()]).unwrap();
        let finding = drift_finding(&drift, &sealed);
        Some((drift, finding))
    }] {
        let (drift, finding) = gone.unwrap();
        assert_eq!(money(&drift), (-9000, "-147.50".to_owned()));
        assert_eq!(finding.kind, Kind::BilledEntryDeleted);
        assert!(
            finding
                .sentence
                .ends_with("and is now deleted: −2:30 h, −147.50 EUR.")
        );
    }
}

#[test]
fn each_kind_of_change_is_named() {
    let moved = EntryBuilder::span("2026-10-14T08:00:00Z", 9000).project("Website");
    let moved = moved.text("Relaunch").by("Anna");
    assert_eq!(fields(Some(moved)), [Field::Start]);
    let other_day = EntryBuilder::span("2026-10-15T07:00:00Z", 9000).project("Website");
    assert_eq!(
        fields(Some(other_day.text("Relaunch").by("Anna"))),
        [Field::Day]
    );
    assert_eq!(fields(Some(entry(9000).project("Shop"))), [Field::Project]);
    assert_eq!(fields(Some(entry(9000).by("Ben"))), [Field::Person]);
    assert_eq!(fields(Some(entry(9000).text("Call"))), [Field::Description]);
    assert_eq!(fields(Some(entry(9000).billable(false))), [Field::Billable]);
    assert_eq!(fields(Some(entry(9000).tag("new"))), [Field::Tags]);
    assert_eq!(
        fields(Some(entry(9000).project("Theirs").client("other"))),
        [Field::Client]
    );
    let running = EntryBuilder::running("2026-10-14T07:00:00Z").project("Website");
    assert_eq!(
        fields(Some(running.text("Relaunch").by("Anna"))),
        [Field::Duration]
    );
}

#[test]
fn work_that_is_no_longer_charged_takes_its_money_back() {
    for now in [
        entry(9000).billable(false),
        entry(9000).project("Theirs").client("other"),
        entry(-60),
    ] {
        let (drift, finding) = after(Some(now)).unwrap();
        assert_eq!(money(&drift), (-9000, "-147.50".to_owned()));
        assert_eq!(finding.severity, Severity::Act);
    }
}

#[test]
fn words_are_a_note_and_what_may_change_a_rate_is_to_check() {
    let severity = |now| after(Some(now)).unwrap().1.severity;
    assert_eq!(severity(entry(9000).text("Call")), Severity::Note);
    assert_eq!(severity(entry(9000).project("Shop")), Severity::Check);
    let (_, finding) = after(Some(entry(9000).text("Call"))).unwrap();
    assert!(
        finding
            .sentence
            .ends_with("\"Relaunch\" → \"Call\": time and money stay the same.")
    );
}

#[test]
fn the_contracts_rounding_decides_the_money() {
    let mut acme = acme();
    acme.contracts[0].rounding = Rounding {
        step_minutes: 15,
        mode: RoundingMode::Up,
        per: RoundingScope::Entry,
    };
    let sealed = seal(&acme, &[entry(8400).work(1), entry(3600).work(2)]);
    let money = |clients: &[Client], seconds: i64| {
        let now = entry(seconds).work(1);
        let drift = compared(&sealed, entry(8400), Some(&now), clients);
        drift.unwrap().amount().to_string()
    };
    let clients = [acme.clone()];
    assert_eq!(money(&clients, 8700), "0.00", "both are 2:30 h begun");
    assert_eq!(money(&clients, 9001), "14.75");
    // A rounding that was changed since says nothing about what was sealed.
    acme.contracts[0].rounding.step_minutes = 60;
    assert_eq!(money(&[acme], 8700), "4.92");
}

#[test]
fn free_work_that_becomes_billable_is_told_with_its_price() {
    let sealed = seal(&acme(), &[entry(3600).billable(false).work(1)]);
    let now = entry(3600).billable(true).work(1);
    let was = entry(3600).billable(false);
    let drift = compared(&sealed, was, Some(&now), &[acme()]).unwrap();
    assert_eq!(money(&drift), (3600, "59.00".to_owned()));
    let finding = drift_finding(&drift, &sealed);
    assert!(
        finding
            .sentence
            .contains("was listed without charge in 2026-0007"),
        "{finding:?}"
    );
}

#[test]
fn an_entry_of_no_time_drifts_only_when_it_gets_some() {
    let sealed = seal(&acme(), &[entry(0).work(1)]);
    let drifted = |seconds| {
        let now = entry(seconds).work(1);
        compared(&sealed, entry(0), Some(&now), &[acme()])
    };
    assert_eq!(drifted(0), None);
    assert_eq!(drifted(3600).unwrap().amount().to_string(), "59.00");
}

#[test]
fn a_new_name_of_the_same_person_is_no_drift() {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    let people = [person("anna", "Anna Beispiel", &["Anna"])];
    let now = entry(9000).work(1);
    let terms = Terms {
        clients: &[acme()],
        people: &people,
        rates: Rates::AsBilled,
    };
    let was = entry(9000).build();
    assert_eq!(drift(&sealed, WorkId(1), &was, Some(&now), &terms), None);
}

#[test]
fn a_work_of_another_statement_does_not_drift_here() {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    let terms = Terms {
        clients: &[acme()],
        people: &[],
        rates: Rates::AsBilled,
    };
    let was = entry(9000).build();
    assert_eq!(drift(&sealed, WorkId(2), &was, None, &terms), None);
}

/// Website at 59.00, Shop at 80.00; what Anna does on the website at 65.00.
fn with_rates() -> Client {
    let mut acme = acme();
    let ruled = |amount: &str, person: Option<&str>, project: Option<&str>| RateRule {
        person: person.map(str::to_owned),
        project: project.map(str::to_owned),
        ..rate(amount)
    };
    acme.contracts[0].model = Model::Hourly {
        rates: vec![
            ruled("59", None, None),
            ruled("80", None, Some("Shop")),
            ruled("65", Some("Anna"), Some("Website")),
        ],
    };
    acme
}

fn parts(drift: &Drift) -> Vec<(u32, String, i64, String)> {
    let parts = drift.parts.iter();
    parts
        .map(|part| {
            let (rate, amount) = (part.rate.to_string(), part.amount.to_string());
            (part.line, rate, part.billed_seconds, amount)
        })
        .collect()
}

#[test]
fn time_at_another_rate_leaves_one_line_and_comes_to_another() {
    let clients = [with_rates()];
    let sealed = seal(
        &clients[0],
        &[entry(9000).work(1), entry(3600).project("Shop").work(2)],
    );
    // Shop is position 1 of the statement, the website position 2.
    let moved = entry(9000).project("Shop").work(1);
    let drift = compared(&sealed, entry(9000), Some(&moved), &clients).unwrap();
    // 2:30 h: 162.50 at 65.00, 200.00 at 80.00.
    let expected = [
        (2, "65.00".to_owned(), -9000, "-162.50".to_owned()),
        (1, "80.00".to_owned(), 9000, "200.00".to_owned()),
    ];
    assert_eq!(parts(&drift), expected);
    assert_eq!(money(&drift), (0, "37.50".to_owned()));
    let fields: Vec<Field> = drift.what.iter().map(|it| it.field).collect();
    assert_eq!(fields, [Field::Project, Field::Rate]);
    // Nothing on the statement is at 59.00: that is a line behind the others.
    let given = EntryBuilder::span("2026-10-14T07:00:00Z", 9000)
        .project("Website")
        .text("Relaunch")
        .by("Ben");
    let drift = compared(&sealed, entry(9000), Some(&given.work(1)), &clients).unwrap();
    let expected = [
        (2, "65.00".to_owned(), -9000, "-162.50".to_owned()),
        (3, "59.00".to_owned(), 9000, "147.50".to_owned()),
    ];
    assert_eq!(parts(&drift), expected);
}

#[test]
fn what_the_configuration_alone_would_change_is_not_the_works_drift() {
    let before = acme();
    let sealed = seal(&before, &[entry(9000).work(1)]);
    let same = entry(9000).work(1);
    let mut dearer = before.clone();
    dearer.contracts[0].model = Model::Hourly {
        rates: vec![rate("65")],
    };
    let mut gone = before.clone();
    gone.contracts.clear();
    let mut renamed = before.clone();
    renamed.contracts[0].key = "since 2026".to_owned();
    let mut foreign = before.clone();
    foreign.sources.projects.clear();
    for now in [&dearer, &gone, &renamed, &foreign] {
        let drift = compared(&sealed, entry(9000), Some(&same), std::slice::from_ref(now));
        assert_eq!(drift, None);
    }
    assert_eq!(compared(&sealed, entry(9000), Some(&same), &[]), None);
    // Asked for, the new rate is told: 147.50 less, 162.50 more.
    let rates = |now: &Client| {
        let now = std::slice::from_ref(now);
        at_rates(Rates::OfNow, &sealed, entry(9000), Some(&same), now)
    };
    let drift = rates(&dearer).unwrap();
    assert_eq!(money(&drift), (0, "15.00".to_owned()));
    assert_eq!(drift.what.len(), 1);
    assert_eq!(drift.what[0].field, Field::Rate);
    for now in [&gone, &renamed, &foreign] {
        assert_eq!(rates(now), None);
    }
    // A shorter entry is shorter at the rate that was billed.
    let shorter = entry(7200).work(1);
    let drift = compared(&sealed, entry(9000), Some(&shorter), &[dearer]).unwrap();
    assert_eq!(money(&drift), (-1800, "-29.50".to_owned()));
}

#[test]
fn another_tax_can_only_be_cancelled() {
    let mut acme = acme();
    let mut texts = contract("texts");
    texts.projects = vec!["Shop".to_owned()];
    texts.vat = Some(rust_decimal::Decimal::from(7));
    acme.contracts.push(texts);
    let sealed = seal(&acme, &[entry(9000).work(1)]);
    let moved = entry(9000).project("Shop").work(1);
    let drift = compared(&sealed, entry(9000), Some(&moved), &[acme]).unwrap();
    assert!(drift.cancel_only);
    assert_eq!(drift.entry, None);
    let finding = drift_finding(&drift, &sealed);
    assert_eq!(finding.severity, Severity::Act);
    assert!(finding.action.contains("cancel 2026-0007"), "{finding:?}");
}

#[test]
fn a_correction_is_what_further_drift_is_measured_from() {
    let clients = [with_rates()];
    let sealed = seal(&clients[0], &[entry(9000).work(1)]);
    let accept = |drift: Drift| Correction {
        work: drift.work,
        state: 2,
        changes: drift.what,
        entry: drift.entry,
        parts: drift.parts,
    };
    let shop = || entry(9000).project("Shop");
    let moved = compared(&sealed, entry(9000), Some(&shop().work(1)), &clients).unwrap();
    let first = accept(moved);
    let then = corrected(&sealed, [&first]);
    assert_eq!(
        compared(&then, shop(), Some(&shop().work(1)), &clients),
        None
    );
    // It has a line of its own by now, and gives half of it back: 40 minutes at 80.00.
    let shorter = entry(6600).project("Shop").work(1);
    let drift = compared(&then, shop(), Some(&shorter), &clients).unwrap();
    let expected = [(2, "80.00".to_owned(), -2400, "-53.33".to_owned())];
    assert_eq!(parts(&drift), expected);
    // Undone at the source, all of it is undone on paper.
    let back = compared(&then, shop(), Some(&entry(9000).work(1)), &clients).unwrap();
    let all = corrected(&sealed, [&first, &accept(back)]);
    assert_eq!(all.totals, sealed.totals);
    assert_eq!(all.entries, sealed.entries);
    // Deleted, nothing of it is left.
    let gone = compared(&then, shop(), None, &clients).unwrap();
    let none = corrected(&sealed, [&first, &accept(gone)]);
    assert_eq!(none.totals.net, Cents::ZERO);
    assert_eq!(none.entries, []);
}
