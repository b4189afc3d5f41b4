//! What the catalogue finds, and what it refuses to guess.

use stundenbuch_connectors::record::TaskState;

use super::*;
use crate::matching::testing::{EntryBuilder, at, client, task};

fn clients() -> Vec<Client> {
    let mut acme = client("acme");
    acme.sources.boards = vec!["Acme Web".to_owned()];
    let mut other = client("other");
    other.sources.boards = vec!["Other".to_owned()];
    vec![acme, other]
}

fn card(id: &str, short: &str, title: &str) -> TaskItem {
    let mut item = task(id, "Acme Web", title);
    item.task.short_id = Some(short.to_owned());
    item.task.url = Some(format!("https://trello.com/c/{short}/1-slug"));
    item
}

fn catalogue(tasks: Vec<TaskItem>) -> Catalogue {
    Catalogue::new(tasks, &clients())
}

fn entry(text: &str) -> TimeEntry {
    EntryBuilder::span("2026-10-14T07:00:00Z", 3600)
        .text(text)
        .build()
}

fn find(catalogue: &Catalogue, entry: &TimeEntry) -> Match {
    catalogue.find(entry, Some("acme"), &Aliases::default())
}

fn found(answer: &Match) -> (&str, Evidence) {
    match answer {
        Match::Task { key, evidence } => (key.id.as_str(), *evidence),
        other => panic!("no single task: {other:?}"),
    }
}

#[test]
fn each_kind_of_evidence_finds_the_card() {
    let all = catalogue(vec![
        card("c1", "aB3dE6gH", "Relaunch"),
        card("c2", "zZ9yY8xX", "Shop"),
    ]);
    let link = entry("Fix https://trello.com/c/aB3dE6gH/7-fix");
    assert_eq!(found(&find(&all, &link)), ("c1", Evidence::Link));
    assert_eq!(
        found(&find(&all, &entry("aB3dE6gH fix"))),
        ("c1", Evidence::ShortId)
    );
    let tag = EntryBuilder::span("2026-10-14T07:00:00Z", 60)
        .tag("trello:zZ9yY8xX")
        .build();
    assert_eq!(found(&find(&all, &tag)), ("c2", Evidence::TagId));
    let tracker = EntryBuilder::span("2026-10-14T07:00:00Z", 60)
        .task(Some("1"), "shop")
        .build();
    assert_eq!(found(&find(&all, &tracker)), ("c2", Evidence::SourceTask));
    assert_eq!(
        found(&find(&all, &entry(" RELAUNCH "))),
        ("c1", Evidence::ExactTitle)
    );
    assert_eq!(find(&all, &entry("Relaunch call")), Match::None);
}

#[test]
fn asana_tasks_are_found_by_their_gid() {
    let mut item = task("1200000000000001", "Acme Web", "Shop");
    item.task.url = Some("https://app.asana.com/0/111/1200000000000001".to_owned());
    let all = catalogue(vec![item]);
    let link = entry("https://app.asana.com/1/9/project/111/task/1200000000000001?focus=true");
    assert_eq!(
        found(&find(&all, &link)),
        ("1200000000000001", Evidence::Link)
    );
    let tag = EntryBuilder::day("2026-10-14", 60)
        .tag("asana:1200000000000001")
        .build();
    assert_eq!(
        found(&find(&all, &tag)),
        ("1200000000000001", Evidence::TagId)
    );
    let synced = EntryBuilder::day("2026-10-14", 60)
        .task(Some("1200000000000001"), "x")
        .build();
    assert_eq!(
        found(&find(&all, &synced)),
        ("1200000000000001", Evidence::SourceTask)
    );
}

#[test]
fn a_short_number_of_another_tool_is_no_evidence() {
    let all = catalogue(vec![task("1234567", "Acme Web", "Shop")]);
    let other = EntryBuilder::day("2026-10-14", 60)
        .task(Some("1234567"), "Something")
        .build();
    assert_eq!(find(&all, &other), Match::None);
    let same = EntryBuilder::day("2026-10-14", 60)
        .task(Some("1234567"), "Shop")
        .build();
    assert_eq!(found(&find(&all, &same)).1, Evidence::SourceTask);
}

#[test]
fn a_link_to_an_unknown_card_is_not_replaced_by_a_title() {
    let all = catalogue(vec![card("c1", "aB3dE6gH", "Relaunch")]);
    let mut elsewhere = entry("https://trello.com/c/unknown1");
    elsewhere.task = crate::matching::testing::EntryBuilder::day("2026-10-14", 1)
        .task(None, "Relaunch")
        .build()
        .task;
    let link = "trello.com/c/unknown1".to_owned();
    assert_eq!(find(&all, &elsewhere), Match::Unknown { link });
    assert_eq!(
        find(&all, &entry("Read https://example.com/article")),
        Match::None
    );
}

#[test]
fn evidence_for_two_cards_is_ambiguous() {
    let all = catalogue(vec![
        card("c1", "aB3dE6gH", "Relaunch"),
        card("c2", "zZ9yY8xX", "Shop"),
    ]);
    let two = entry("https://trello.com/c/aB3dE6gH and https://trello.com/c/zZ9yY8xX");
    assert!(matches!(find(&all, &two), Match::Ambiguous { keys } if keys.len() == 2));
    let mut torn = entry("https://trello.com/c/aB3dE6gH");
    torn.tags.push("#zZ9yY8xX".to_owned());
    assert!(matches!(find(&all, &torn), Match::Ambiguous { .. }));
    let twice = entry("aB3dE6gH https://trello.com/c/aB3dE6gH");
    assert_eq!(found(&find(&all, &twice)), ("c1", Evidence::Link));
}

#[test]
fn titles_count_only_on_the_clients_boards() {
    let all = catalogue(vec![
        task("c1", "Other", "Relaunch"),
        task("c2", "Nobody", "Relaunch"),
    ]);
    assert_eq!(find(&all, &entry("Relaunch")), Match::None);
    assert_eq!(
        all.find(&entry("Relaunch"), None, &Aliases::default()),
        Match::None
    );
    let other = all.find(&entry("Relaunch"), Some("other"), &Aliases::default());
    assert_eq!(found(&other).0, "c1");
}

#[test]
fn a_repeated_title_is_settled_only_by_what_existed_at_the_time() {
    let october = || {
        let mut item = task("oct", "Acme Web", "Monthly report");
        item.task.created = Some(at("2026-10-01T08:00:00Z"));
        item.task.state = TaskState::Done;
        item.task.done_at = Some(at("2026-10-31T08:00:00Z"));
        item
    };
    let mut november = task("nov", "Acme Web", "Monthly report");
    november.task.created = Some(at("2026-11-01T08:00:00Z"));
    let all = catalogue(vec![october(), november.clone()]);
    assert_eq!(found(&find(&all, &entry("Monthly report"))).0, "oct");
    let later = EntryBuilder::span("2026-11-03T08:00:00Z", 60)
        .text("Monthly report")
        .build();
    assert_eq!(found(&find(&all, &later)).0, "nov");
    let undated = EntryBuilder::day("2026-10-14", 60)
        .text("Monthly report")
        .build();
    assert!(matches!(find(&all, &undated), Match::Ambiguous { .. }));

    // Put away at an unknown time is no proof.
    let mut archived = october();
    archived.task.state = TaskState::Open;
    archived.task.done_at = None;
    archived.task.archived = true;
    let all = catalogue(vec![archived, november]);
    assert!(matches!(find(&all, &later), Match::Ambiguous { .. }));
}

#[test]
fn a_persons_decision_settles_titles_and_doubts_for_that_client_alone() {
    let all = catalogue(vec![
        card("c1", "aB3dE6gH", "Call"),
        card("c2", "zZ9yY8xX", "Call"),
    ]);
    assert!(matches!(
        find(&all, &entry("Call")),
        Match::Ambiguous { .. }
    ));
    let mut aliases = Aliases::default();
    aliases.insert(Some("acme"), " CALL", task("c2", "Acme Web", "Call").key);
    aliases.insert(Some("acme"), "gone", task("c9", "Acme Web", "Call").key);
    let torn = "trello.com/c/aB3dE6gH or trello.com/c/zZ9yY8xX";
    let lost = "trello.com/c/unknown1";
    for text in [torn, lost] {
        aliases.insert(Some("acme"), text, task("c2", "Acme Web", "Call").key);
        let decided = all.find(&entry(text), Some("acme"), &aliases);
        assert_eq!(found(&decided), ("c2", Evidence::Alias), "{text}");
    }
    let decided = all.find(&entry("call"), Some("acme"), &aliases);
    assert_eq!(found(&decided), ("c2", Evidence::Alias));
    assert_eq!(
        all.find(&entry("call"), Some("other"), &aliases),
        Match::None
    );
    assert_eq!(
        all.find(&entry("gone"), Some("acme"), &aliases),
        Match::None
    );
}

#[test]
fn a_deleted_card_is_found_by_link_and_not_by_title() {
    let mut gone = card("c1", "aB3dE6gH", "Relaunch");
    gone.deleted = true;
    let all = catalogue(vec![gone]);
    assert_eq!(find(&all, &entry("Relaunch")), Match::None);
    assert_eq!(found(&find(&all, &entry("trello.com/c/aB3dE6gH"))).0, "c1");
}

#[test]
fn the_same_card_through_two_connections_is_one_task() {
    let one = card("c1", "aB3dE6gH", "Relaunch");
    let mut two = one.clone();
    two.key.connection = "trello-anna".to_owned();
    let all = catalogue(vec![two, one]);
    let answer = find(&all, &entry("aB3dE6gH"));
    assert!(matches!(&answer, Match::Task { key, .. } if key.connection == "trello"));
    assert!(matches!(find(&all, &entry("Relaunch")), Match::Task { .. }));
}
