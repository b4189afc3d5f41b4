//! Every change of billed work is found, with the money it makes, and nothing else is.

use super::*;
use crate::billing::{Party, drift_finding, statements};
use crate::config::{Rounding, RoundingMode, RoundingScope};
use crate::finding::{Finding, Kind, Severity};
use crate::matching::testing::{EntryBuilder, client, contract, person};

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
    let mut drafts = statements(client, period, works, &|_| None, &Party::default(), &[]);
    let mut statement = drafts.drafts.remove(0).statement;
    statement.number = Some("2026-0007".to_owned());
    statement
}

fn after(now: Option<EntryBuilder>) -> Option<(Drift, Finding)> {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    let now = now.map(|now| now.work(1));
    let drift = drift(
        &sealed,
        WorkId(1),
        now.as_ref(),
        &[acme(), client("other")],
        &[],
    )?;
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
    assert_eq!(
        after(Some(entry(9000).tag("new").project(" website"))),
        None
    );
}

#[test]
fn a_shorter_entry_says_how_much_less() {
    let (drift, finding) = after(Some(entry(7200))).unwrap();
    assert_eq!(
        (drift.seconds, drift.amount.to_string().as_str()),
        (-1800, "-29.50")
    );
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
        let drift = drift(&sealed, WorkId(1), Some(&work), &[acme()], &[]).unwrap();
        let finding = drift_finding(&drift, &sealed);
        Some((drift, finding))
    }] {
        let (drift, finding) = gone.unwrap();
        assert_eq!(
            (drift.seconds, drift.amount.to_string().as_str()),
            (-9000, "-147.50")
        );
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
        assert_eq!(
            (drift.seconds, drift.amount.to_string().as_str()),
            (-9000, "-147.50")
        );
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
        drift(&sealed, WorkId(1), Some(&now), clients, &[])
            .unwrap()
            .amount
            .to_string()
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
    let drift = drift(&sealed, WorkId(1), Some(&now), &[acme()], &[]).unwrap();
    assert_eq!(
        (drift.seconds, drift.amount.to_string().as_str()),
        (3600, "59.00")
    );
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
        drift(&sealed, WorkId(1), Some(&now), &[acme()], &[])
    };
    assert_eq!(drifted(0), None);
    assert_eq!(drifted(3600).unwrap().amount.to_string(), "59.00");
}

#[test]
fn a_new_name_of_the_same_person_is_no_drift() {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    let people = [person("anna", "Anna Beispiel", &["Anna"])];
    let now = entry(9000).work(1);
    assert_eq!(
        drift(&sealed, WorkId(1), Some(&now), &[acme()], &people),
        None
    );
}

#[test]
fn a_work_of_another_statement_does_not_drift_here() {
    let sealed = seal(&acme(), &[entry(9000).work(1)]);
    assert_eq!(drift(&sealed, WorkId(2), None, &[acme()], &[]), None);
}
