//! What happens in a Dropbox, and what becomes of it. The numbers of failures are those that users
//! of other programs were burnt by.

use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::{Cursor, Pull};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::record::ExternalId;

use super::Bench;
use crate::fakes::{Fault, FaultKind};
use crate::ledger::Ledger;

async fn pulled(bench: &Bench) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    ledger
}

#[tokio::test]
async fn a_deleted_folder_takes_all_its_files_and_no_other() {
    let bench = Bench::start().await;
    let kept = bench.dropbox.write("/Kunde/Plan.pdf", b"a");
    for number in 0..30 {
        bench
            .dropbox
            .write(&format!("/Kunde/Alt/{number}.txt"), b"x");
    }
    let near = bench.dropbox.write("/Kunde/Alt.txt", b"not in it");
    let mut ledger = pulled(&bench).await;
    bench.dropbox.delete("/Kunde/Alt");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), [kept, near].into());
    assert_eq!(ledger.deleted.len(), 30);
    let proof = ledger.deleted.values().next().unwrap();
    assert!(proof.contains("not_found"), "{proof}");
}

/// Failure 7: a renamed directory is not a deletion of everything and a copy of everything.
#[tokio::test]
async fn a_renamed_folder_deletes_nothing() {
    for new_first in [false, true] {
        let bench = Bench::start().await;
        for number in 0..30 {
            bench.dropbox.write(&format!("/Alt/{number}.txt"), b"x");
        }
        let mut ledger = pulled(&bench).await;
        let before = ledger.ids();
        bench.dropbox.move_to("/Alt", "/Neu", new_first);
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.ids(), before);
        assert!(ledger.paths().iter().all(|path| path.starts_with("Neu/")));
        assert!(ledger.deleted.is_empty());
        assert_eq!(ledger.revisions, 60);
    }
}

/// A file that takes another's place is told without a word of deletion.
#[tokio::test]
async fn a_file_in_the_place_of_another_ends_the_other() {
    let bench = Bench::start().await;
    let old = bench.dropbox.write("/Plan.pdf", b"old");
    let mut ledger = pulled(&bench).await;
    let new = bench.dropbox.supplant("/Plan.pdf", b"new");
    assert_ne!(old, new);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), [new].into());
    assert!(ledger.deleted.contains_key(&old));
}

/// Failure 1 and 4: a cursor that does not work any more is no deletion, and needs no person.
#[tokio::test]
async fn a_reset_cursor_costs_a_listing_and_deletes_what_is_really_gone() {
    let bench = Bench::start().await;
    for number in 0..40 {
        bench.dropbox.write(&format!("/Ordner/{number}.txt"), b"x");
    }
    let mut ledger = pulled(&bench).await;
    let revisions = ledger.revisions;
    bench.dropbox.delete("/Ordner/3.txt");
    let new = bench.dropbox.write("/Ordner/neu.txt", b"y");
    bench.dropbox.reset();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.dropbox.ids());
    assert!(ledger.current.contains_key(&new));
    assert_eq!((ledger.deleted.len(), ledger.revisions), (1, revisions + 1));

    // The same with a listing of several answers.
    bench.next_night();
    bench.dropbox.page(7);
    bench.dropbox.delete("/Ordner/4.txt");
    bench.dropbox.reset();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.dropbox.ids());
    assert_eq!(ledger.deleted.len(), 2);
}

/// An answer without entries is not the end of a list.
#[tokio::test]
async fn empty_answers_with_more_behind_them_are_followed() {
    let bench = Bench::start().await;
    bench.dropbox.write("/a.txt", b"x");
    let mut ledger = pulled(&bench).await;
    bench.dropbox.write("/b.txt", b"x");
    bench.dropbox.hollow(3);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.paths(), ["a.txt", "b.txt"]);
}

/// Failure 3: what is modified during the run is seen by the next one at the latest.
#[tokio::test]
async fn changes_between_two_pages_are_not_lost() {
    let bench = Bench::start().await;
    let first = bench.dropbox.write("/0.txt", b"x");
    for number in 1..25 {
        bench.dropbox.write(&format!("/{number}.txt"), b"x");
    }
    bench.dropbox.page(10);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    assert!(ledger.page(&*connector, &Pull::Changes).await.unwrap());
    bench.dropbox.write("/0.txt", b"changed meanwhile");
    bench.dropbox.delete("/24.txt");
    bench.dropbox.move_to("/23.txt", "/Ordner/23.txt", false);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.ids(), bench.dropbox.ids());
    assert_eq!(ledger.file(&first).size, Some(17));
}

/// Failure 10: names that differ in case alone, and the same letter written in two ways.
#[tokio::test]
async fn a_change_of_case_is_seen_by_the_comparison_and_is_the_same_file() {
    let bench = Bench::start().await;
    let id = bench.dropbox.write("/ÜBERSICHT.pdf", b"x");
    let mut ledger = pulled(&bench).await;
    bench.dropbox.recase("/ÜBERSICHT.pdf", "Übersicht.pdf");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.file(&id).path, "ÜBERSICHT.pdf");
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.file(&id).path, "Übersicht.pdf");
    assert!(ledger.deleted.is_empty());
    let composed = bench.dropbox.write("/\u{dc}.txt", b"1");
    let decomposed = bench.dropbox.write("/U\u{308}.txt", b"2");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_ne!(ledger.file(&composed).path, ledger.file(&decomposed).path);
}

/// Failure 2: a touched clock is no new version.
#[tokio::test]
async fn a_comparison_without_changes_brings_no_revision() {
    let bench = Bench::start().await;
    bench
        .dropbox
        .write_as("/Geteilt/a.txt", b"x", Some(crate::fakes::dropbox::ME));
    bench.dropbox.share("/Geteilt", "11");
    let mut ledger = pulled(&bench).await;
    let before = ledger.clone();
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(
        (ledger.revisions, &ledger.current),
        (before.revisions, &before.current)
    );
}

#[tokio::test]
async fn who_changed_a_file_is_told_in_shared_folders() {
    let bench = Bench::start().await;
    let (otto, gone) = ("dbid:otto", "dbid:gone");
    bench.dropbox.add_account(otto, "Otto Muster");
    bench.dropbox.share(
        &{
            bench.dropbox.folder("/Geteilt");
            "/Geteilt".to_owned()
        },
        "11",
    );
    let his = bench.dropbox.write_as("/Geteilt/a.txt", b"x", Some(otto));
    let lost = bench.dropbox.write_as("/Geteilt/b.txt", b"x", Some(gone));
    let own = bench.dropbox.write("/c.txt", b"x");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    let by = |id: &str| ledger.file(id).modified_by.clone();
    assert_eq!(by(&his).unwrap().name.as_deref(), Some("Otto Muster"));
    assert_eq!(by(&lost).unwrap().name, None);
    assert_eq!(by(&lost).unwrap().id, Some(ExternalId::new(gone)));
    assert_eq!(by(&own), None);
    assert!(
        !ledger.cursor.as_str().unwrap().contains("Otto"),
        "no names in a cursor"
    );

    // Without the permission, accounts have no names, and the rest goes on.
    bench.dropbox.take_scope(Some("sharing.read"));
    let mut bare = Ledger::default();
    bare.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bare.file(&his).modified_by.clone().unwrap().name, None);
    assert_eq!(bare.ids(), ledger.ids());
}

/// Failure 1 again: what was taken from us is not deleted.
#[tokio::test]
async fn a_shared_folder_that_was_taken_away_keeps_its_files() {
    let bench = Bench::start().await;
    let own = bench.dropbox.write("/Eigenes.txt", b"x");
    bench.dropbox.write("/Geteilt/a.txt", b"x");
    bench.dropbox.write("/Geteilt/Unter/b.txt", b"x");
    bench.dropbox.share("/Geteilt", "11");
    let mut ledger = pulled(&bench).await;
    let all = ledger.ids();
    bench.dropbox.lose("/Geteilt", true);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), all);
    assert!(ledger.notices.contains("shared-folder-lost"));
    // What is really deleted beside it is seen.
    bench.dropbox.delete("/Eigenes.txt");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.deleted.contains_key(&own) && ledger.deleted.len() == 1);
    // It comes back, and one file was deleted meanwhile.
    bench.dropbox.lose("/Geteilt", false);
    bench.dropbox.delete("/Geteilt/a.txt");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.dropbox.ids());
    assert!(!ledger.notices.contains("shared-folder-lost"));
}

#[tokio::test]
async fn of_a_folder_that_is_seen_in_part_nothing_is_missing() {
    let bench = Bench::start().await;
    bench.dropbox.write("/Team/a.txt", b"x");
    bench.dropbox.write("/Team/b.txt", b"x");
    bench.dropbox.share("/Team", "11");
    let mut ledger = pulled(&bench).await;
    bench.dropbox.traverse_only("/Team");
    bench.dropbox.delete("/Team/a.txt");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.current.len(), 2, "nobody can tell");
}

#[tokio::test]
async fn a_folder_is_followed_by_its_id_when_it_is_renamed() {
    let bench = Bench::start().await;
    bench.dropbox.write("/Kunde/Nord/a.txt", b"x");
    bench.dropbox.write("/Anderes.txt", b"x");
    let (connector, mut ledger) = (bench.on("/Kunde/Nord"), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.paths(), ["a.txt"]);
    assert!(
        !ledger.cursor.as_str().unwrap().contains("Nord"),
        "no names in a cursor"
    );
    bench.dropbox.move_to("/Kunde/Nord", "/Nord GmbH", false);
    bench.dropbox.write("/Nord GmbH/b.txt", b"x");
    bench.next_night();
    // Another process, as after a restart: the path in the settings is not there any more.
    let connector = bench.on("/Kunde/Nord");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.paths(), ["a.txt", "b.txt"]);
    assert!(ledger.deleted.is_empty());
    let receipt = connector
        .deliver(&crate::document("c.pdf", b"%PDF", None))
        .await
        .unwrap();
    assert_eq!(receipt.location, "c.pdf");
    assert!(bench.dropbox.files().contains_key("/Nord GmbH/c.pdf"));
}

/// What was moved out of the folder is not there any more, and is not called deleted by Dropbox.
#[tokio::test]
async fn a_file_that_was_moved_out_of_the_folder_is_out_of_scope() {
    let bench = Bench::start().await;
    let id = bench.dropbox.write("/Kunde/a.txt", b"x");
    bench.dropbox.write("/Kunde/b.txt", b"x");
    let (connector, mut ledger) = (bench.on("/Kunde"), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    bench
        .dropbox
        .move_to("/Kunde/a.txt", "/Privat/a.txt", false);
    ledger.pull(&*connector).await.unwrap();
    assert!(
        ledger.deleted[&id].contains("outside the folder"),
        "{:?}",
        ledger.deleted
    );
    assert_eq!(ledger.paths(), ["b.txt"]);
}

#[tokio::test]
async fn a_folder_that_is_gone_stops_the_pull_and_deletes_nothing() {
    let bench = Bench::start().await;
    bench.dropbox.write("/Kunde/a.txt", b"x");
    let (connector, mut ledger) = (bench.on("/Kunde"), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    bench.dropbox.delete("/Kunde");
    for _ in 0..2 {
        let error = ledger.pull(&*connector).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.advice().unwrap().contains("`folder`"));
        let error = ledger.compare(&*connector).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    assert_eq!(ledger.current.len(), 1);
}

/// Failure 9: another folder in the settings is another question, not a deletion.
#[tokio::test]
async fn another_folder_in_the_settings_is_listed_anew() {
    let bench = Bench::start().await;
    let left = bench.dropbox.write("/A/a.txt", b"x");
    let found = bench.dropbox.write("/B/b.txt", b"x");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.on("/A")).await.unwrap();
    ledger.pull(&*bench.on("/B")).await.unwrap();
    assert_eq!(ledger.ids(), [found].into());
    assert!(ledger.deleted[&left].contains("outside the folder"));
}

#[tokio::test]
async fn a_teams_space_is_seen_whole() {
    let bench = Bench::start().await;
    bench.dropbox.join_team("5000", "/Ada Beispiel");
    bench.dropbox.write("/Ada Beispiel/privat.txt", b"x");
    bench.dropbox.write("/Projekte/Nord/a.txt", b"x");
    let mut ledger = pulled(&bench).await;
    assert_eq!(
        ledger.paths(),
        ["Ada Beispiel/privat.txt", "Projekte/Nord/a.txt"]
    );
    let details = bench.connector().check().await.unwrap().details;
    assert!(details[0].contains("team"), "{details:?}");
    // The team moves to another space: everything is found again, and nothing is deleted.
    bench.dropbox.join_team("6000", "/Ada Beispiel");
    bench.dropbox.write("/Projekte/Nord/b.txt", b"x");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.current.len(), 3);
    assert!(ledger.deleted.is_empty());
}

/// Failure 8: documents without a size.
#[tokio::test]
async fn a_document_that_cannot_be_downloaded_is_metadata_alone() {
    let bench = Bench::start().await;
    let paper = bench.dropbox.write_paper("/Besprechung.paper");
    let ledger = pulled(&bench).await;
    assert_eq!(ledger.file(&paper).size, None);
    assert!(ledger.file(&paper).version.is_some());
    let error = bench
        .connector()
        .fetch(&ExternalId::new(paper), 1000)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn an_expired_login_and_a_missing_permission_are_told_apart() {
    let bench = Bench::start().await;
    bench.dropbox.write("/a.txt", b"x");
    let ledger = pulled(&bench).await;
    bench.dropbox.expire(true);
    let error = ledger.clone().pull(&*bench.connector()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    bench.dropbox.expire(false);
    ledger.clone().pull(&*bench.connector()).await.unwrap();
    let body = r#"{"error_summary": "missing_scope/..", "error": {".tag": "missing_scope",
        "required_scope": "files.metadata.read"}}"#;
    let kind = FaultKind::Status {
        code: 401,
        headers: Vec::new(),
        body: body.to_owned(),
    };
    bench.server.fail(Fault {
        path: "/files/",
        times: 9,
        kind,
    });
    bench.server.forget_requests();
    let error = ledger.clone().pull(&*bench.connector()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    assert!(
        error.to_string().contains("permission=files.metadata.read"),
        "{error}"
    );
    assert_eq!(
        bench.sent(),
        1,
        "another token of the same login changes nothing"
    );
}

#[tokio::test]
async fn a_comparison_that_was_interrupted_goes_on() {
    let bench = Bench::start().await;
    for number in 0..30 {
        bench.dropbox.write(&format!("/{number}.txt"), b"x");
    }
    bench.dropbox.page(10);
    let mut ledger = pulled(&bench).await;
    let from = crate::at("2026-01-01T00:00:00Z");
    let compare = Pull::Compare { from, until: None };
    assert!(ledger.page(&*bench.connector(), &compare).await.unwrap());
    bench.server.forget_requests();
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(
        bench.sent(),
        5,
        "two pages that were left, and three of the proof"
    );
    // One sealed month has nothing that a drive could compare.
    let month = Pull::Compare {
        from,
        until: Some(bench.clock.now()),
    };
    bench.server.forget_requests();
    assert!(!ledger.page(&*bench.connector(), &month).await.unwrap());
    assert_eq!(bench.sent(), 1);
}

#[tokio::test]
async fn no_token_and_no_file_name_is_in_any_address() {
    let bench = Bench::start().await;
    let id = bench.dropbox.write("/Geheim/a.txt", b"x");
    let connector = bench.on("/Geheim");
    connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    connector.fetch(&ExternalId::new(id), 10).await.unwrap();
    connector
        .deliver(&crate::document("b.pdf", b"y", None))
        .await
        .unwrap();
    for request in bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query).to_lowercase();
        assert!(
            !address.contains("geheim") && !address.contains("sl.u"),
            "{address}"
        );
        assert!(
            request
                .header("authorization")
                .unwrap()
                .starts_with("Bearer sl.u")
        );
    }
}
