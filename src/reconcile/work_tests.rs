//! One test for each finding, with its sentence; and what must not be told.

use chrono_tz::Europe::Berlin;
use stundenbuch_connectors::record::{Stream, TaskState};

use super::*;
use crate::billing::{Party, attribute, contract_at};
use crate::config::{Checks, Client, Statements};
use crate::finding::{Kind, Severity};
use crate::matching::Evidence;
use crate::matching::testing::{EntryBuilder, at, client, contract, day, key, person, task};

fn config() -> Config {
    let mut acme = client("acme");
    acme.sources.boards = vec!["Acme Web".to_owned()];
    acme.contracts = vec![contract("main")];
    let mut other = client("other");
    other.sources.boards = vec!["Other".to_owned()];
    Config {
        file: "config.toml".into(),
        issuer: Party::default(),
        ledger: "ledger.sqlite".into(),
        anchors: None,
        backup: None,
        time_zone: Berlin,
        nightly_at: chrono::NaiveTime::MIN,
        listen: None,
        connections: Vec::new(),
        clients: vec![acme, other],
        imports: Vec::new(),
        people: vec![person("anna", "Anna Beispiel", &["anna@example.com"])],
        checks: Checks::default(),
        statements: Statements {
            number_pattern: "{YYYY}-{0000}".to_owned(),
        },
        retention_years: 8,
        templates: None,
        parts: Vec::new(),
    }
}

/// Matched, described and billed: nothing to find.
fn good(start: &str, seconds: i64) -> EntryBuilder {
    EntryBuilder::span(start, seconds)
        .text("Relaunch")
        .by("anna@example.com")
        .client("acme")
        .project("Website")
}

fn matched(item: &TaskItem) -> Match {
    Match::Task {
        key: item.key.clone(),
        evidence: Evidence::Link,
    }
}

struct Case {
    config: Config,
    item: TaskItem,
    answer: Match,
    archived_at: Option<DateTime<Utc>>,
    files: usize,
}

fn case() -> Case {
    let item = task("c1", "Acme Web", "Relaunch");
    Case {
        config: config(),
        answer: matched(&item),
        item,
        archived_at: None,
        files: 0,
    }
}

impl Case {
    fn findings(&self, work: &Work, neighbours: &[Work]) -> Vec<Finding> {
        let owner = attribute(&work.entry, &self.config.clients);
        let client: Option<&Client> = owner.client().and_then(|key| self.config.client(key));
        let view = WorkView {
            work,
            client: &owner,
            matched: &self.answer,
            task: Some(&self.item),
            task_archived_at: self.archived_at,
            neighbours,
            contract: client.map_or(ContractAt::None, |client| contract_at(client, &work.entry)),
            now: at("2026-10-15T01:00:00Z"),
            files: self.files,
        };
        reconcile_work(&view, &self.config)
    }

    fn kinds(&self, entry: EntryBuilder) -> Vec<Kind> {
        self.findings(&entry.work(1), &[])
            .into_iter()
            .map(|finding| finding.kind)
            .collect()
    }

    fn sentence(&self, entry: EntryBuilder) -> String {
        let [finding] = <[Finding; 1]>::try_from(self.findings(&entry.work(1), &[])).unwrap();
        finding.sentence
    }
}

const MORNING: &str = "2026-10-14T07:00:00Z";

#[test]
fn good_and_deleted_work_has_no_findings() {
    assert_eq!(case().kinds(good(MORNING, 3600)), []);
    let mut deleted = EntryBuilder::span(MORNING, -1).work(1);
    deleted.deleted = true;
    assert_eq!(case().findings(&deleted, &[]), []);
}

#[test]
fn impossible_and_unlikely_durations_are_told() {
    let case = case();
    assert_eq!(case.kinds(good(MORNING, 0)), [Kind::ZeroDuration]);
    assert_eq!(case.kinds(good(MORNING, -60)), [Kind::NegativeDuration]);
    assert_eq!(case.kinds(good(MORNING, 36_000)), []);
    assert_eq!(case.kinds(good(MORNING, 36_001)), [Kind::LongEntry]);
    assert_eq!(case.kinds(good(MORNING, 86_400)), [Kind::LongEntry]);
    assert_eq!(case.kinds(good(MORNING, 86_401)), [Kind::OverOneDay]);
    assert_eq!(
        case.sentence(good(MORNING, 39_600)),
        "The entry by Anna Beispiel on 2026-10-14, 09:00–20:00 \"Relaunch\", has 11:00 h, more \
         than 10:00 h."
    );
}

#[test]
fn a_forgotten_timer_is_told_and_nothing_else_of_it() {
    let case = case();
    let running = |start| EntryBuilder::running(start).by("anna@example.com");
    assert_eq!(
        case.kinds(running("2026-10-14T15:00:00Z")),
        [],
        "ten hours are allowed"
    );
    assert_eq!(
        case.sentence(running("2026-10-14T13:29:50Z").text("Call")),
        "A timer of Anna Beispiel has been running since 15:29 \"Call\" on 2026-10-14, for 11:30 h \
         by now."
    );
}

#[test]
fn work_that_nobody_is_billed_for_says_why() {
    let case = case();
    let entry = || EntryBuilder::span(MORNING, 3600).text("x");
    assert_eq!(case.kinds(entry()), [Kind::NoProject]);
    assert_eq!(case.kinds(entry().project("Private")), [Kind::NoClient]);
    assert_eq!(case.kinds(entry().client("acme")), [Kind::NoProject]);
    assert_eq!(
        case.sentence(entry().project("Private").client("Me")),
        "The entry on 2026-10-14, 09:00–10:00 \"x\", belongs to project \"Private\" and client \
         \"Me\", which no client of the configuration names."
    );
}

#[test]
fn clashes_of_clients_and_contracts_are_told() {
    let mut case = case();
    case.config.clients[1]
        .sources
        .clients
        .push("acme".to_owned());
    assert_eq!(
        case.sentence(good(MORNING, 3600)),
        "The entry by Anna Beispiel on 2026-10-14, 09:00–10:00 \"Relaunch\", is claimed by 2 \
         clients (`acme` and `other`), so it is not billed."
    );
    case.config = config();
    case.config.clients[0].contracts.push(contract("second"));
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::ContractClash]);
}

#[test]
fn work_outside_of_every_contract_or_rate_is_told() {
    let mut case = case();
    case.config.clients[0].contracts[0].until = Some(day("2026-10-13"));
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::NoContract]);
    case.config.clients[0].contracts[0].until = None;
    case.config.clients[0].contracts[0].model = crate::config::Model::Hourly { rates: Vec::new() };
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::NoContract]);
    assert_eq!(
        case.kinds(good(MORNING, 3600).billable(false)),
        [],
        "what is free needs no rate"
    );
}

#[test]
fn a_missing_task_is_told_only_where_there_are_boards() {
    let mut case = case();
    case.answer = Match::None;
    case.files = 1;
    assert!(case.sentence(good(MORNING, 3600)).ends_with(
        "belongs to no task on the client's boards. One of the client's files changed meanwhile."
    ));
    case.config.clients[0].sources.boards.clear();
    assert_eq!(case.kinds(good(MORNING, 3600)), []);
    case.answer = Match::Unknown {
        link: "trello.com/c/zZ9yY8xX".to_owned(),
    };
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::EntryWithoutTask]);
}

#[test]
fn an_ambiguous_task_names_the_choices() {
    let mut case = case();
    let keys = ["c1", "c2"]
        .map(|id| key("trello", Stream::Tasks, id))
        .into();
    case.answer = Match::Ambiguous { keys };
    let [finding] =
        <[Finding; 1]>::try_from(case.findings(&good(MORNING, 60).work(7), &[])).unwrap();
    assert_eq!(finding.kind, Kind::AmbiguousTask);
    assert!(
        finding
            .sentence
            .ends_with("fits 2 tasks: trello/tasks/c1 and trello/tasks/c2.")
    );
    assert!(
        finding
            .action
            .starts_with("Choose one: `stundenbuch match w7 trello/tasks/c1`")
    );
}

#[test]
fn time_on_a_task_that_was_over_is_told_only_when_that_is_certain() {
    let mut case = case();
    case.item.task.state = TaskState::Done;
    case.item.task.archived = true;
    assert_eq!(
        case.kinds(good(MORNING, 3600)),
        [],
        "nobody knows since when"
    );
    case.item.task.done_at = Some(at("2026-10-14T07:30:00Z"));
    assert_eq!(
        case.kinds(good(MORNING, 3600)),
        [],
        "it was done during the work"
    );
    case.item.task.done_at = Some(at("2026-10-13T15:00:00Z"));
    assert!(case.sentence(good(MORNING, 3600)).ends_with(
        "was tracked on the task \"Relaunch\", which had been done since 2026-10-13 17:00."
    ));
    case.item.task.state = TaskState::Open;
    assert_eq!(case.kinds(good(MORNING, 3600)), [], "it was opened again");
    case.archived_at = Some(at("2026-10-13T15:00:00Z"));
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::TimeOnArchivedTask]);
}

#[test]
fn a_task_of_another_client_is_told() {
    let mut case = case();
    case.item = task("c9", "Other", "Shop");
    case.answer = matched(&case.item);
    assert_eq!(case.kinds(good(MORNING, 3600)), [Kind::ContractClash]);
}

#[test]
fn work_that_says_nothing_is_told_unless_a_task_does() {
    let mut case = case();
    assert_eq!(case.kinds(good(MORNING, 3600).text(" ")), []);
    case.answer = Match::None;
    case.config.clients[0].sources.boards.clear();
    assert_eq!(
        case.kinds(good(MORNING, 3600).text(" ")),
        [Kind::NoDescription]
    );
}

#[test]
fn an_overlap_is_told_once_by_the_later() {
    let case = case();
    let first = good(MORNING, 7200).work(2);
    let second = good("2026-10-14T08:30:00Z", 5400).text("Call").work(1);
    let told = case.findings(&second, std::slice::from_ref(&first));
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].sentence,
        "Anna Beispiel has two entries at the same time on 2026-10-14: 09:00–11:00 \"Relaunch\" \
         and 10:30–12:00 \"Call\" overlap by 0:30 h."
    );
    assert_eq!(
        (told[0].subject.as_str(), told[0].other.as_deref()),
        ("w1", Some("w2"))
    );
    assert_eq!(case.findings(&first, std::slice::from_ref(&second)), []);
}

#[test]
fn what_only_touches_or_is_somebody_elses_is_no_overlap() {
    let case = case();
    let first = good(MORNING, 7200).work(1);
    for other in [
        good("2026-10-14T09:00:00Z", 3600),
        good("2026-10-14T08:59:01Z", 3600),
        good("2026-10-14T08:00:00Z", 3600).by("ben@example.com"),
    ] {
        assert_eq!(
            case.findings(&other.work(2), std::slice::from_ref(&first)),
            []
        );
    }
    let exactly_a_minute = good("2026-10-14T08:59:00Z", 3600).work(2);
    assert_eq!(
        case.findings(&exactly_a_minute, std::slice::from_ref(&first))
            .len(),
        1
    );
    let unknown = || {
        EntryBuilder::span(MORNING, 3600)
            .text("x")
            .client("acme")
            .project("Website")
    };
    let other = unknown().work(1);
    assert_eq!(
        case.findings(&unknown().work(2), &[other]),
        [],
        "two unknown may be two people"
    );
    let mut deleted = first.clone();
    deleted.deleted = true;
    assert_eq!(case.findings(&good(MORNING, 3600).work(2), &[deleted]), []);
}

#[test]
fn the_same_twice_is_a_duplicate_and_not_an_overlap() {
    let case = case();
    let mut file = good(MORNING, 3600).text("Relaunch, old name").work(1);
    file.key.connection = "archive".to_owned();
    let told = case.findings(&good(MORNING, 3600).work(2), &[file]);
    let kinds: Vec<_> = told.iter().map(|f| (f.kind, f.severity)).collect();
    assert_eq!(kinds, [(Kind::PossibleDuplicate, Severity::Act)]);
    assert!(
        told[0]
            .action
            .ends_with("delete one of them in archive or toggl."),
        "{told:?}"
    );
}

#[test]
fn entries_of_a_day_are_duplicates_only_across_sources_with_the_same_text() {
    let case = case();
    let mut whole = EntryBuilder::day("2026-10-14", 3600)
        .text("relaunch")
        .by("anna@example.com")
        .work(1);
    let entry = good(MORNING, 3600).work(2);
    assert_eq!(case.findings(&entry, std::slice::from_ref(&whole)), []);
    whole.key.connection = "harvest".to_owned();
    let told = case.findings(&entry, std::slice::from_ref(&whole));
    assert_eq!(
        told.iter().map(|f| f.kind).collect::<Vec<_>>(),
        [Kind::PossibleDuplicate]
    );
    whole.entry.description = "Call".to_owned();
    assert_eq!(case.findings(&entry, &[whole]), []);
}

#[test]
fn a_done_task_without_time_is_told_from_the_first_contract_on() {
    let config = config();
    let acme = Attribution::Client("acme".to_owned());
    let mut item = task("c1", "Acme Web", "Relaunch");
    let told = |item: &TaskItem, time| reconcile_task(item, time, &acme, &config);
    assert_eq!(told(&item, false), [], "it is open");
    item.task.state = TaskState::Done;
    item.task.done_at = Some(at("2026-10-14T22:30:00Z"));
    assert_eq!(told(&item, true), []);
    assert_eq!(
        told(&item, false)[0].sentence,
        "The task \"Relaunch\" on the board \"Acme Web\" was done on 2026-10-15, and no time was \
         tracked on it."
    );
    assert_eq!(
        reconcile_task(&item, false, &Attribution::None, &config),
        []
    );
    item.task.done_at = Some(at("2025-12-31T22:59:59Z"));
    assert_eq!(
        told(&item, false),
        [],
        "it was done before the contract began"
    );
}

#[test]
fn the_ends_of_time_do_not_stop_a_run() {
    let case = case();
    for (start, stop) in [
        (DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MAX_UTC),
        (DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC),
        (DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC),
    ] {
        let entry = EntryBuilder::new(Worked::Span { start, stop }).client("acme");
        assert!(!case.kinds(entry.clone()).is_empty());
        let running = EntryBuilder::new(Worked::Running { start }).by("Anna");
        let near = [running.work(2), entry.by("Anna").work(3)];
        let work = EntryBuilder::new(Worked::Span { start, stop })
            .by("Anna")
            .work(4);
        assert!(!case.findings(&work, &near).is_empty());
    }
    for (date, seconds) in [
        (chrono::NaiveDate::MAX, i64::MAX),
        (chrono::NaiveDate::MIN, i64::MIN),
    ] {
        let entry = EntryBuilder::new(Worked::Day { date, seconds }).client("acme");
        assert!(!case.kinds(entry).is_empty());
    }
}
