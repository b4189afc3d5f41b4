//! The same work is found in both directions, once, and never between two people.

use proptest::prelude::*;

use super::*;
use crate::matching::testing::EntryBuilder;

fn span() -> EntryBuilder {
    EntryBuilder::span("2026-10-14T07:00:00Z", 3600)
}

fn full() -> EntryBuilder {
    span()
        .text("Relaunch")
        .project("Website")
        .by("anna@example.com")
        .by("Anna")
}

#[test]
fn what_a_file_and_an_api_say_of_one_entry_is_the_same() {
    let api = full().build();
    assert!(same_work(
        &api,
        &span()
            .text(" relaunch")
            .project("WEBSITE")
            .by("anna")
            .build()
    ));
    assert!(
        same_work(&api, &span().by("Anna").build()),
        "a source that knows no more than the person contradicts nothing"
    );
    assert!(
        same_work(&api, &span().text("relaunch").build()),
        "a source that names nobody must share the text"
    );
    assert!(!same_work(&api, &span().project("Website").build()));
    assert!(!same_work(&api, &span().build()));
    assert!(same_work(
        &api,
        &full().tag("x").billable(true).client("acme").build()
    ));
}

#[test]
fn any_difference_that_both_know_parts_them() {
    let api = full().build();
    for other in [
        full().text("Call"),
        full().project("Shop"),
        full().by("ben@example.com"),
        EntryBuilder::span("2026-10-14T07:00:01Z", 3600).text("Relaunch"),
        EntryBuilder::span("2026-10-14T07:00:00Z", 3601).text("Relaunch"),
        span().text("Relaunch").by("Ben"),
    ] {
        assert!(!same_work(&api, &other.clone().build()), "{other:?}");
    }
}

#[test]
fn equal_addresses_outweigh_names() {
    let renamed = span().by("ANNA@example.com").by("Anna Beispiel").build();
    assert!(same_work(&full().build(), &renamed));
}

#[test]
fn entries_of_a_day_need_text_and_project() {
    let day = || EntryBuilder::day("2026-10-14", 3600);
    let one = day().text("Call").project("Website").build();
    assert!(same_work(
        &one,
        &day().text("call").project("website").build()
    ));
    assert!(!same_work(&one, &day().text("call").build()));
    assert!(!same_work(
        &day().project("Website").build(),
        &day().project("Website").build()
    ));
    assert!(!same_work(
        &one,
        &EntryBuilder::span("2026-10-14T07:00:00Z", 3600).build()
    ));
}

#[test]
fn a_running_timer_is_no_work_yet() {
    let running = EntryBuilder::running("2026-10-14T07:00:00Z").build();
    assert_eq!(fingerprint(&running), None);
    assert!(!same_work(&running, &running));
}

#[test]
fn pairs_are_one_to_one_and_prefer_what_is_known() {
    let (nobody, anna, ben) = (
        span().text("Call").build(),
        span().text("Call").by("Anna").build(),
        span().text("Call").by("Ben").build(),
    );
    assert_eq!(pair(&[&nobody, &anna], &[&anna, &ben]), [(0, 1), (1, 0)]);
    assert_eq!(
        pair(&[&anna, &anna, &anna], &[&anna, &anna]),
        [(0, 0), (1, 1)]
    );
    assert_eq!(pair(&[&anna], &[&ben]), []);
}

fn entries() -> impl Strategy<Value = TimeEntry> {
    let worked = prop_oneof![
        (0i64..2, 0i64..2).prop_map(|(start, seconds)| {
            EntryBuilder::span(&format!("2026-10-14T07:00:0{start}Z"), seconds)
        }),
        (1u8..3, 0i64..2)
            .prop_map(|(day, seconds)| { EntryBuilder::day(&format!("2026-10-0{day}"), seconds) }),
        Just(EntryBuilder::running("2026-10-14T07:00:00Z")),
    ];
    let text = prop::sample::select(vec!["", "Call", "call ", "Shop"]);
    let project = prop::sample::select(vec!["", "Website", "WEBSITE", "Other"]);
    let name = prop::sample::select(vec!["", "Anna", "anna", "Ben"]);
    let email = prop::sample::select(vec!["", "a@x.de", "A@x.de", "b@x.de"]);
    (worked, text, project, name, email).prop_map(|(worked, text, project, name, email)| {
        let mut entry = worked.text(text).project(project);
        for who in [name, email] {
            if !who.is_empty() {
                entry = entry.by(who);
            }
        }
        entry.build()
    })
}

proptest! {
    #[test]
    fn it_does_not_matter_which_source_comes_first(a in entries(), b in entries()) {
        prop_assert_eq!(same_work(&a, &b), same_work(&b, &a));
        if same_work(&a, &b) {
            prop_assert_eq!(fingerprint(&a), fingerprint(&b));
        }
        let finished = fingerprint(&a).is_some();
        let day = matches!(a.worked, Worked::Day { .. });
        // An entry that names nobody and says nothing could be anybody's.
        let telling = a.person.is_some() || !normal(&a.description).is_empty();
        prop_assert!(day || !telling || same_work(&a, &a) == finished, "an entry is itself");
    }

    #[test]
    fn nothing_is_paired_twice_and_no_pair_is_left(
        new in prop::collection::vec(entries(), 0..6),
        old in prop::collection::vec(entries(), 0..6),
    ) {
        let new: Vec<&TimeEntry> = new.iter().collect();
        let old: Vec<&TimeEntry> = old.iter().collect();
        let pairs = pair(&new, &old);
        let mut left: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
        let mut right: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
        left.dedup();
        right.sort_unstable();
        right.dedup();
        prop_assert_eq!((left.len(), right.len()), (pairs.len(), pairs.len()));
        for (at, one) in new.iter().enumerate() {
            for (other_at, other) in old.iter().enumerate() {
                let free = !left.contains(&at) && !right.contains(&other_at);
                prop_assert!(!(free && same_work(one, other)), "a pair was left over");
            }
        }
    }
}
