//! What happens in a Box, and what becomes of it. The numbers of failures are those that users of
//! other programs were burnt by.

use std::time::Duration;

use stundenbuch_connectors::contract::Pull;
use stundenbuch_connectors::error::Kind as ErrorKind;

use super::Bench;
use crate::fakes::boxed::Source;
use crate::fakes::{Fault, FaultKind};
use crate::ledger::Ledger;

async fn pulled(bench: &Bench) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    ledger
}

/// What the ledger holds is what there is, to the last path.
#[track_caller]
fn agrees(bench: &Bench, ledger: &Ledger) {
    assert_eq!(ledger.ids(), bench.service.ids());
    for id in ledger.ids() {
        assert_eq!(ledger.file(&id).path, bench.service.path(&id));
    }
}

/// Everything that people do, with events as they really come.
#[tokio::test]
async fn events_are_not_trusted_for_more_than_where_to_look() {
    for source in [Source::Whole, Source::Slim, Source::Bare, Source::Nothing] {
        for (twice, backwards, vague) in [
            (false, false, false),
            (true, false, true),
            (true, true, false),
            (false, true, true),
        ] {
            let bench = Bench::start().await;
            let file = |path: &str| bench.service.write(path, path.as_bytes());
            let (edited, moved) = (file("A/a.txt"), file("A/b.txt"));
            let below = file("A/Unter/c.txt");
            let (trashed, restored) = (file("B/d.txt"), file("B/e.txt"));
            for number in 0..12 {
                file(&format!("C/Unter/{number}.txt"));
            }
            let mut ledger = pulled(&bench).await;
            agrees(&bench, &ledger);
            bench.service.options(|it| {
                (it.source, it.twice, it.backwards) = (source, twice, backwards);
                (it.vague, it.chunk) = (vague, 3);
            });
            bench.service.edit(&edited, b"changed");
            bench.service.move_to(&moved, "/B/b2.txt");
            bench
                .service
                .move_to(&bench.service.folder("A/Unter"), "/B/Unten");
            bench.service.trash(&trashed);
            bench.service.trash(&restored);
            bench.service.restore(&restored);
            bench.service.move_to(&restored, "/A/zurück.txt");
            bench.service.trash(&bench.service.folder("C"));
            file("Neu/Tief/f.txt");
            let what = format!("{source:?} {twice} {backwards} {vague}");
            ledger
                .pull(&*bench.connector())
                .await
                .unwrap_or_else(|it| panic!("{what}: {it}"));
            agrees(&bench, &ledger);
            assert!(
                ledger.current.contains_key(&below) && ledger.deleted.len() == 13,
                "{what}"
            );
            bench.next_night();
            let before = ledger.clone();
            ledger.pull(&*bench.connector()).await.unwrap();
            assert_eq!(ledger.current, before.current, "{what}");
            assert_eq!(bench.sent(), 1, "{what}");
        }
    }
}

/// Failure 7: a renamed directory is not a deletion of everything and a copy of everything.
#[tokio::test]
async fn a_renamed_folder_deletes_nothing() {
    let bench = Bench::start().await;
    for number in 0..30 {
        bench
            .service
            .write(&format!("Alt/Unter/{number}.txt"), b"x");
    }
    let mut ledger = pulled(&bench).await;
    bench.service.move_to(&bench.service.folder("Alt"), "/Neu");
    ledger.pull(&*bench.connector()).await.unwrap();
    agrees(&bench, &ledger);
    assert!(
        ledger
            .paths()
            .iter()
            .all(|path| path.starts_with("Neu/Unter/"))
    );
    assert!(ledger.deleted.is_empty());
    assert_eq!(
        bench.sent(),
        5,
        "the events, their end, the folder, two lists"
    );
}

/// Failure 1: what was taken from us is not deleted.
#[tokio::test]
async fn a_folder_that_was_taken_away_keeps_its_files() {
    let bench = Bench::start().await;
    bench.service.write("Geteilt/Unter/a.txt", b"x");
    let own = bench.service.write("Eigenes/b.txt", b"x");
    let mut ledger = pulled(&bench).await;
    let all = ledger.ids();
    let folder = bench.service.folder("Geteilt");
    bench.service.hide(&folder, true);
    for _ in 0..2 {
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.ids(), all);
    }
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), all);
    bench.service.trash(&own);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.deleted.keys().collect::<Vec<_>>(), [&own]);
    bench.service.hide(&folder, false);
    ledger.pull(&*bench.connector()).await.unwrap();
    agrees(&bench, &ledger);
}

#[tokio::test]
async fn a_lost_folder_is_told() {
    let bench = Bench::start().await;
    bench.service.write("Geteilt/a.txt", b"x");
    let mut ledger = pulled(&bench).await;
    bench.service.hide(&bench.service.folder("Geteilt"), true);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.notices.contains("folder-lost"));
}

/// Deleted for good, without an event: believed while its folder can be read.
#[tokio::test]
async fn a_file_that_was_purged_is_gone_and_its_neighbours_are_not() {
    let bench = Bench::start().await;
    let purged = bench.service.write("A/a.txt", b"x");
    bench.service.write("A/b.txt", b"x");
    let mut ledger = pulled(&bench).await;
    bench.service.purge(&purged);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.current.len(), 2, "nothing was told");
    ledger.compare(&*bench.connector()).await.unwrap();
    agrees(&bench, &ledger);
    assert!(
        ledger.deleted[&purged].contains("can be read"),
        "{:?}",
        ledger.deleted
    );
}

#[tokio::test]
async fn a_trashed_folder_that_was_emptied_before_we_looked_is_gone() {
    let bench = Bench::start().await;
    bench.service.write("Alt/a.txt", b"x");
    let mut ledger = pulled(&bench).await;
    let folder = bench.service.folder("Alt");
    bench.service.trash(&folder);
    bench.service.purge(&folder);
    ledger.pull(&*bench.connector()).await.unwrap();
    agrees(&bench, &ledger);
    let proof = ledger.deleted.values().next().unwrap();
    assert!(proof.contains("ITEM_TRASH"), "{proof}");
}

/// Failure 4: a position that Box has forgotten, or that is too old, costs a listing.
#[tokio::test]
async fn lost_events_cost_a_listing_and_delete_what_is_really_gone() {
    for forgotten in [true, false] {
        let bench = Bench::start().await;
        let gone = bench.service.write("A/a.txt", b"x");
        bench.service.write("A/b.txt", b"x");
        let silent = bench.service.write("Still/s.txt", b"x");
        bench.service.write("Still/t.txt", b"x");
        for number in 0..15 {
            bench.service.write(&format!("Weg/{number}.txt"), b"x");
        }
        let mut ledger = pulled(&bench).await;
        bench.service.trash(&gone);
        bench.service.trash(&bench.service.folder("Weg"));
        // Of this one no event tells, so only a listing of everything shows it.
        bench.service.purge(&silent);
        bench.service.write("B/c.txt", b"x");
        if forgotten {
            bench.service.forget_events();
        } else {
            bench.clock.advance(Duration::from_hours(24 * 11));
        }
        ledger.pull(&*bench.connector()).await.unwrap();
        agrees(&bench, &ledger);
        assert_eq!(ledger.deleted.len(), 17);
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(bench.sent(), 1);
    }
}

/// Failure 3: what is modified during the run is seen by the next one at the latest.
#[tokio::test]
async fn changes_while_everything_is_listed_are_not_lost() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for folder in 0..40 {
        ids.push(bench.service.write(&format!("Ordner {folder}/a.txt"), b"x"));
    }
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    assert!(ledger.page(&*connector, &Pull::Changes).await.unwrap());
    bench.service.edit(&ids[0], b"changed meanwhile");
    bench.service.trash(&ids[1]);
    bench.service.move_to(&ids[39], "/Ordner 0/b.txt");
    bench.service.move_to(&ids[2], "/Ordner 39/b.txt");
    ledger.pull(&*connector).await.unwrap();
    ledger.pull(&*connector).await.unwrap();
    agrees(&bench, &ledger);
    assert_eq!(ledger.file(&ids[0]).size, Some(17));
    assert_eq!(
        ledger
            .file(&ids[0])
            .modified_by
            .clone()
            .unwrap()
            .name
            .unwrap(),
        "Otto Muster"
    );
}

/// Failure 9: another folder in the settings is another question, not a deletion by Box.
#[tokio::test]
async fn another_folder_in_the_settings_is_listed_anew() {
    let bench = Bench::start().await;
    let left = bench.service.write("A/a.txt", b"x");
    let found = bench.service.write("B/b.txt", b"x");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    ledger
        .pull(&*bench.on(&bench.service.folder("B")))
        .await
        .unwrap();
    assert_eq!(ledger.ids(), [found.clone()].into());
    assert_eq!(ledger.file(&found).path, "b.txt");
    assert!(ledger.deleted[&left].contains("outside the folder"));
}

#[tokio::test]
async fn a_file_that_was_moved_out_of_the_folder_is_out_of_scope() {
    let bench = Bench::start().await;
    let (out, branch) = (
        bench.service.write("K/a.txt", b"x"),
        bench.service.write("K/Unter/b.txt", b"x"),
    );
    let kept = bench.service.write("K/c.txt", b"x");
    let root = bench.service.folder("K");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.on(&root)).await.unwrap();
    bench.service.move_to(&out, "/Privat/a.txt");
    bench
        .service
        .move_to(&bench.service.folder("K/Unter"), "/Privat/Unter");
    ledger.pull(&*bench.on(&root)).await.unwrap();
    assert_eq!(ledger.ids(), [kept].into());
    assert!(ledger.deleted[&out].contains("outside the folder"));
    assert!(ledger.deleted[&branch].contains("outside the folder"));
    // What happens elsewhere costs nothing.
    bench.next_night();
    bench.service.edit(&out, b"changed");
    ledger.pull(&*bench.on(&root)).await.unwrap();
    assert_eq!(bench.sent(), 2, "the events and their end");
}

#[tokio::test]
async fn the_folder_itself_in_the_trash_stops_the_pull_and_deletes_nothing() {
    for vague in [false, true] {
        let bench = Bench::start().await;
        bench.service.write("K/a.txt", b"x");
        let root = bench.service.folder("K");
        let mut ledger = Ledger::default();
        ledger.pull(&*bench.on(&root)).await.unwrap();
        bench.service.options(|it| it.vague = vague);
        bench.service.trash(&root);
        for _ in 0..2 {
            let error = ledger.pull(&*bench.on(&root)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.advice().unwrap().contains("`folder`"));
            let error = ledger.compare(&*bench.on(&root)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        assert_eq!(ledger.current.len(), 1);
        // It comes back.
        bench.service.restore(&root);
        ledger.pull(&*bench.on(&root)).await.unwrap();
        assert_eq!(ledger.current.len(), 1);
    }
}

/// A 404 of something on the way is no word of Box's.
#[tokio::test]
async fn a_404_without_a_reason_deletes_nothing() {
    let bench = Bench::start().await;
    let id = bench.service.write("A/a.txt", b"x");
    let mut ledger = pulled(&bench).await;
    bench.service.edit(&id, b"changed");
    for path in ["/folders/", "/2.0/"] {
        let (times, kind) = (9, FaultKind::status(404));
        bench.server.fail(Fault { path, times, kind });
        ledger.pull(&*bench.connector()).await.unwrap_err();
        bench.server.heal();
        assert!(ledger.deleted.is_empty());
    }
    ledger.pull(&*bench.connector()).await.unwrap();
    agrees(&bench, &ledger);
    assert_eq!(ledger.file(&id).size, Some(7));
}

/// Failure 2: a comparison without changes brings nothing new.
#[tokio::test]
async fn a_comparison_without_changes_brings_no_revision() {
    let bench = Bench::start().await;
    for number in 0..30 {
        bench.service.write(&format!("Ordner {number}/a.txt"), b"x");
    }
    let mut ledger = pulled(&bench).await;
    let before = ledger.clone();
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(
        (ledger.revisions, &ledger.current),
        (before.revisions, &before.current)
    );
    // The comparison goes on where it was interrupted.
    let from = crate::at("2026-01-01T00:00:00Z");
    let compare = Pull::Compare { from, until: None };
    assert!(ledger.page(&*bench.connector(), &compare).await.unwrap());
    bench.server.forget_requests();
    ledger.compare(&*bench.connector()).await.unwrap();
    assert!(bench.sent() < 15, "{} requests", bench.sent());
}

/// Failure 10: the same letter written in two ways, and names with odd signs.
#[tokio::test]
async fn names_are_kept_as_they_are_written() {
    let bench = Bench::start().await;
    let composed = bench.service.write("\u{dc} #1?/100 %.txt", b"1");
    let decomposed = bench.service.write("U\u{308} #1?/100 %.txt", b"2");
    let ledger = pulled(&bench).await;
    assert_eq!(ledger.file(&composed).path, "\u{dc} #1?/100 %.txt");
    assert_eq!(ledger.file(&decomposed).path, "U\u{308} #1?/100 %.txt");
}
