//! The same work from a file and from the API is counted once, in whatever order it comes.

use std::fmt::Write as _;
use std::path::Path;

use chrono_tz::Europe::Berlin;
use proptest::prelude::*;
use stundenbuch::run::import::{self, Keep};
use stundenbuch::store::Store;
use stundenbuch_connectors::import::{DateOrder, Options};
use stundenbuch_connectors::record::Record;

use super::pieces::{API, FILE, Piece, delete, key, ledger, now, pull, sum, take, works};

/// How a person set the dates of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Iso,
    German,
    American,
}

/// The detailed report that Toggl would give of the pieces.
fn csv(pieces: &[Piece], style: Style) -> String {
    let mut text = String::from(
        "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,\
         End time,Duration,Tags\n",
    );
    let (day, clock) = match style {
        Style::Iso => ("%Y-%m-%d", "%H:%M:%S"),
        Style::German => ("%d.%m.%Y", "%H:%M:%S"),
        Style::American => ("%m/%d/%Y", "%I:%M:%S %p"),
    };
    for piece in pieces {
        let (start, stop) = (
            piece.begins().with_timezone(&Berlin),
            piece.ends().with_timezone(&Berlin),
        );
        let (hours, rest) = (piece.seconds / 3_600, piece.seconds % 3_600);
        let project = piece.project.map(|it| format!("Projekt {it}"));
        writeln!(
            text,
            "Person {p},person{p}@example.org,,{},,{},Yes,{},{},{},{},{:02}:{:02}:{:02},",
            project.unwrap_or_default(),
            piece.description(),
            start.format(day),
            start.format(clock),
            stop.format(day),
            stop.format(clock),
            hours,
            rest / 60,
            rest % 60,
            p = piece.person,
        )
        .unwrap();
    }
    text
}

fn import(store: &mut Store, text: &str, style: Style) {
    let path = Path::new("report.csv");
    let format = import::recognise_head(path, text.as_bytes()).unwrap();
    assert_eq!(format.name(), "toggl-csv");
    let dates = match style {
        Style::American => DateOrder::MonthFirst,
        Style::Iso | Style::German => DateOrder::DayFirst,
    };
    let options = Options {
        time_zone: Berlin,
        dates,
    };
    let mut input = text.as_bytes();
    import::import(store, now(), path, &mut input, format, &options, Keep::Yes).unwrap();
}

/// One way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    File(Style),
    Api,
}

fn run(store: &mut Store, pieces: &[Piece], steps: &[Step]) {
    for step in steps {
        match step {
            Step::File(style) => import(store, &csv(pieces, *style), *style),
            Step::Api => {
                pull(store, pieces);
            }
        }
    }
}

fn truth(pieces: &[Piece]) -> (usize, i64) {
    let sum = pieces.iter().map(|piece| piece.seconds).sum();
    (pieces.len(), sum)
}

/// A month of two people, with entries that are alike in everything but one thing.
fn month() -> Vec<Piece> {
    let mut pieces: Vec<Piece> = (0..40)
        .map(|number| Piece {
            id: 100 + number,
            start: i64::from(number) * 7_201,
            seconds: 600 + i64::from(number) * 13,
            person: 1,
            text: u8::try_from(number % 7).unwrap(),
            project: Some(1),
        })
        .collect();
    // Two people in the same meeting.
    pieces.push(Piece {
        id: 200,
        person: 2,
        ..pieces[3].clone()
    });
    // The same person, twice the same, in one report: double work or a mistake, but two entries.
    pieces.push(Piece {
        id: 201,
        ..pieces[5].clone()
    });
    // The same hour on two projects.
    pieces.push(Piece {
        id: 202,
        project: Some(2),
        ..pieces[8].clone()
    });
    pieces
}

#[test]
fn every_order_of_file_and_api_counts_once() {
    use Step::{Api, File};
    use Style::{American, German, Iso};
    let pieces = month();
    for steps in [
        vec![File(Iso)],
        vec![Api],
        vec![File(Iso), Api],
        vec![Api, File(Iso)],
        vec![File(Iso), File(Iso), Api, Api],
        vec![Api, File(German), File(American), Api],
        vec![File(German), Api, File(Iso), File(American)],
        vec![File(American), File(German), File(Iso), Api],
    ] {
        let (_dir, mut store) = ledger();
        run(&mut store, &pieces, &steps);
        assert_eq!(sum(&store), truth(&pieces), "{steps:?}");
        let joined = steps.contains(&Api) && steps.len() > 1;
        for (work, _) in works(&store) {
            let claims = store.claims(work).unwrap();
            assert_eq!(
                claims.len(),
                if joined { 2 } else { 1 },
                "{steps:?} {claims:?}"
            );
            if joined {
                assert_eq!(claims[0].connection, API, "the API speaks");
                assert_eq!(claims[1].connection, FILE);
            }
        }
        assert_eq!(store.verify().unwrap().damage, None);
    }
}

#[test]
fn what_happens_to_a_joined_work_happens_once() {
    for steps in [
        [Step::File(Style::Iso), Step::Api],
        [Step::Api, Step::File(Style::Iso)],
    ] {
        let (_dir, mut store) = ledger();
        let mut pieces = month();
        run(&mut store, &pieces, &steps);
        // An edit through the API changes the one work; the file's word does not come back.
        pieces[0].seconds += 321;
        pieces[1].start += 60;
        pull(&mut store, &pieces);
        assert_eq!(sum(&store), truth(&pieces), "{steps:?}: edited");
        import(&mut store, &csv(&month(), Style::Iso), Style::Iso);
        assert_eq!(sum(&store), truth(&pieces), "{steps:?}: the old file again");
        // A deletion deletes it, though the file still has it.
        delete(&mut store, &[pieces[2].key(), pieces[0].key()]);
        pieces.remove(2);
        pieces.remove(0);
        assert_eq!(sum(&store), truth(&pieces), "{steps:?}: deleted");
        import(&mut store, &csv(&month(), Style::Iso), Style::Iso);
        assert_eq!(sum(&store), truth(&pieces), "{steps:?}: the file again");
    }
}

#[test]
fn an_old_export_brings_nothing_back() {
    let (_dir, mut store) = ledger();
    let mut pieces = month();
    let export = csv(&pieces, Style::Iso);
    pull(&mut store, &pieces);
    delete(&mut store, &[pieces[3].key()]);
    pieces.remove(3);
    import(&mut store, &export, Style::Iso);
    assert_eq!(sum(&store), truth(&pieces));
    assert_eq!(
        store.rebuild().unwrap().before,
        store.projection_hash().unwrap()
    );
}

#[test]
fn an_entry_that_was_edited_between_two_exports_is_there_once() {
    for api_first in [false, true] {
        let (_dir, mut store) = ledger();
        let mut pieces = month();
        import(&mut store, &csv(&pieces, Style::Iso), Style::Iso);
        pull(&mut store, &pieces);
        // A new text gives the row of the next export a new identity.
        pieces[0].text = 77;
        if api_first {
            pull(&mut store, &pieces);
        }
        import(&mut store, &csv(&pieces, Style::Iso), Style::Iso);
        pull(&mut store, &pieces);
        assert_eq!(
            sum(&store),
            truth(&pieces),
            "the edit was pulled first: {api_first}"
        );
        import(&mut store, &csv(&pieces, Style::Iso), Style::Iso);
        assert_eq!(sum(&store), truth(&pieces));
        assert_eq!(store.verify().unwrap().damage, None);
    }
}

#[test]
fn what_another_api_still_reports_is_not_lost_by_a_deletion() {
    let (_dir, mut store) = ledger();
    let pieces = month();
    pull(&mut store, &pieces);
    let other: Vec<_> = pieces
        .iter()
        .map(|piece| (format!("x{}", piece.id), Record::TimeEntry(piece.entry())))
        .collect();
    take(&mut store, "other", &other);
    assert_eq!(sum(&store), truth(&pieces), "both report the same");
    delete(&mut store, &[pieces[0].key()]);
    assert_eq!(sum(&store), truth(&pieces), "the other still has it");
    delete(&mut store, &[key("other", &format!("x{}", pieces[0].id))]);
    assert_eq!(sum(&store), truth(&pieces[1..]), "now nobody has it");
    // It comes back in one of them.
    take(&mut store, "other", &other[..1]);
    assert_eq!(sum(&store), truth(&pieces));
    let before = store.projection_hash().unwrap();
    assert_eq!(store.rebuild().unwrap().after, before);
}

/// An entry that the API knows under a new number, deleted and made again, is one.
#[test]
fn made_again_under_another_number() {
    let (_dir, mut store) = ledger();
    let pieces = month();
    run(&mut store, &pieces, &[Step::Api, Step::File(Style::Iso)]);
    delete(&mut store, &[pieces[4].key()]);
    let again = Record::TimeEntry(pieces[4].entry());
    take(&mut store, API, &[("999".to_owned(), again)]);
    assert_eq!(sum(&store), truth(&pieces));
    assert!(store.work_of(&key(API, "999")).unwrap().is_some());
}

fn piece() -> impl Strategy<Value = Piece> {
    // Few values each, so that entries collide in everything but one thing.
    (0..6_i64, 1..4_i64, 1..3_u8, 0..3_u8, 0..3_u8).prop_map(
        |(start, length, person, text, project)| Piece {
            id: 0,
            start: start * 1_800,
            seconds: length * 900,
            person,
            text,
            project: (project > 0).then_some(project),
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let style = prop_oneof![Just(Style::Iso), Just(Style::German), Just(Style::American)];
    let step = prop_oneof![Just(Step::Api), style.prop_map(Step::File)];
    proptest::collection::vec(step, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever there is and in whatever order it comes: as many works as there are, and the
    /// same seconds.
    #[test]
    fn any_world_in_any_order(
        pieces in proptest::collection::vec(piece(), 1..14),
        steps in steps(),
    ) {
        let mut pieces = pieces;
        for (number, piece) in (1_u32..).zip(&mut pieces) {
            piece.id = number;
        }
        let (_dir, mut store) = ledger();
        run(&mut store, &pieces, &steps);
        prop_assert_eq!(sum(&store), truth(&pieces));
        let before = store.projection_hash().unwrap();
        prop_assert_eq!(store.rebuild().unwrap().after, before);
    }
}
