//! What users of other programs got burnt by, one test each (rclone's documentation and issues,
//! read 2026-11).

use chrono::TimeDelta;

use super::*;

fn five(bench: &Bench) -> Vec<String> {
    let inner = bench.drive.add_folder(&bench.root, "innen");
    let place = |number: usize| if number < 3 { &bench.root } else { &inner };
    let file = |number| {
        bench
            .drive
            .add_file(place(number), &number.to_string(), "x")
    };
    (0..5).map(file).collect()
}

/// "If true, then some search results might be missing."
#[tokio::test]
async fn an_incomplete_search_is_no_listing() {
    let bench = Bench::start().await;
    five(&bench);
    let mut ledger = pulled(&bench).await;
    let before = ledger.clone();
    bench.drive.behave(|ways| ways.incomplete = true);
    let error = ledger.compare(&*bench.connector()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error.to_string().contains("incompleteSearch=true"),
        "{error}"
    );
    assert_eq!(ledger.current, before.current);
    bench.drive.behave(|ways| ways.incomplete = false);
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.current, before.current);
}

/// Asked about several folders, a shared drive may answer with nothing (rclone#3114).
#[tokio::test]
async fn a_question_about_several_folders_that_finds_nothing_is_asked_one_by_one() {
    let bench = Bench::shared().await;
    let folders: Vec<_> = (0..4)
        .map(|number| {
            bench
                .drive
                .add_folder(&bench.root, &format!("Kunde {number}"))
        })
        .collect();
    for folder in &folders[1..] {
        bench.drive.add_file(folder, "a.txt", "a");
    }
    bench.drive.behave(|ways| ways.or_finds_nothing = true);
    let mut ledger = pulled(&bench).await;
    assert_eq!(ledger.ids().len(), 3);
    assert_eq!(
        bench.sent(),
        8,
        "folder, feed, root, all four in vain, and four times one"
    );
    // It is remembered: the four are not asked about at once again.
    bench.next_night();
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!((ledger.ids().len(), bench.sent()), (3, 6));
}

/// Modified while it is listed: what happens between two pages is told by the next pull.
#[tokio::test]
async fn what_changes_during_the_first_pull_is_not_missed() {
    let bench = Bench::start().await;
    let files = five(&bench);
    let (mut ledger, connector) = (Ledger::default(), bench.connector());
    let mut absent = Vec::new();
    assert!(
        ledger
            .page(&*connector, &Pull::Changes, &mut absent)
            .await
            .unwrap()
    );
    bench.clock.advance(Duration::from_secs(1));
    let new = bench.drive.add_file(&bench.root, "neu", "neu");
    bench.drive.edit(&files[0], "anders");
    bench.drive.trash(&files[1], true);
    bench.drive.move_to(&files[4], &bench.root);
    while ledger
        .page(&*connector, &Pull::Changes, &mut absent)
        .await
        .unwrap()
    {}
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    assert!(ledger.current.contains_key(&new));
    assert_eq!(ledger.file(&files[0]).size, Some(6));
    assert_eq!(ledger.path(&files[4]), "4");
}

/// `version` counts changes that nobody sees; times can be set at will.
#[tokio::test]
async fn a_change_that_changes_nothing_is_no_revision() {
    let bench = Bench::start().await;
    let files = five(&bench);
    let mut ledger = pulled(&bench).await;
    let before = ledger.revisions;
    bench.next_night();
    for file in &files {
        bench.drive.touch(file);
    }
    bench.drive.touch(&bench.root);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.revisions, before);
    assert_eq!(
        bench.sent(),
        2,
        "the feed, and a look at the folder that it names"
    );
}

/// A feed that has forgotten where we were is begun anew, and nothing is deleted by that.
#[tokio::test]
async fn a_lost_place_in_the_feed_lists_everything_anew() {
    let bench = Bench::start().await;
    let files = five(&bench);
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.behave(|ways| ways.forgot_the_feed = true);
    bench.drive.delete_for_good(&files[0]);
    let new = bench.drive.add_file(&bench.root, "neu", "neu");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.notices.contains("drive-feed-lost"));
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    assert!(ledger.current.contains_key(&new));
    assert_eq!(ledger.deleted.len(), 1);
    bench.drive.behave(|ways| ways.forgot_the_feed = false);
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!((bench.sent(), ledger.notices.len()), (1, 0));
}

/// "If the token is rejected for any reason, it should be discarded."
#[tokio::test]
async fn a_page_token_that_is_rejected_begins_the_listing_again() {
    let bench = Bench::start().await;
    for number in 0..30 {
        bench.drive.add_file(&bench.root, &number.to_string(), "x");
    }
    bench
        .drive
        .behave(|ways| (ways.files_at_once, ways.forget_pages) = (10, 1));
    let ledger = pulled(&bench).await;
    assert_eq!(ledger.ids().len(), 30);
    assert_eq!(
        bench.sent(),
        7,
        "folder, feed, a page and a refusal, and three pages"
    );
    bench.drive.behave(|ways| ways.forget_pages = 9);
    let error = Ledger::default()
        .pull(&*bench.connector())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

/// A changed setting: the files of the other folder stay, and nothing is called deleted.
#[tokio::test]
async fn another_folder_begins_anew_and_deletes_nothing() {
    let bench = Bench::start().await;
    five(&bench);
    let mut ledger = pulled(&bench).await;
    let other = bench.drive.add_folder("", "Kunde Süd");
    let file = bench.drive.add_file(&other, "s", "s");
    let link = format!("https://drive.google.com/drive/folders/{other}?usp=sharing");
    let connector = bench.configured(&[("folder", text(&link))]).unwrap();
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.notices.contains("drive-folder-changed"));
    assert!(ledger.deleted.is_empty() && ledger.current.contains_key(&file));
    assert_eq!(ledger.ids().len(), 6);
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 1);

    // A folder within the one before is a root of its own, and paths begin there.
    let inner = bench.drive.add_folder(&other, "innen");
    let deep = bench.drive.add_file(&inner, "tief", "t");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.path(&deep), "innen/tief");
    let narrower = bench.configured(&[("folder", text(&inner))]).unwrap();
    ledger.pull(&*narrower).await.unwrap();
    assert_eq!(ledger.path(&deep), "tief");
    assert!(ledger.deleted.is_empty());
}

/// A broken answer for one connection is an error of that night, and the next one goes on.
#[tokio::test]
async fn a_trouble_stops_one_night_and_needs_no_resync() {
    let kinds = [
        FaultKind::status(500),
        FaultKind::status(403),
        FaultKind::status(404),
        FaultKind::CutBody { keep: 30 },
        FaultKind::EmptyOk,
        FaultKind::Html,
        FaultKind::Reset,
        ok("{}"),
        ok("[]"),
        ok(r#"{"files":null}"#),
        ok(r#"{"changes":[]}"#),
    ];
    for path in ["/drive/v3/files", "/drive/v3/changes"] {
        for kind in &kinds {
            let what = format!("{path} {kind:?}");
            let bench = Bench::start().await;
            let files = five(&bench);
            let mut ledger = pulled(&bench).await;
            bench.next_night();
            bench.drive.delete_for_good(&files[0]);
            bench.drive.edit(&files[1], "neu");
            let mut calm = ledger.clone();
            calm.pull(&*bench.connector()).await.unwrap();
            bench.fail(path, kind.clone());
            let _ = ledger.pull(&*bench.connector()).await;
            let _ = ledger.compare(&*bench.connector()).await;
            assert!(ledger.deleted.is_empty(), "{what}");
            bench.server.heal();
            bench.clock.advance(Duration::from_hours(2));
            ledger.pull(&*bench.connector()).await.unwrap();
            ledger.compare(&*bench.connector()).await.unwrap();
            assert_eq!(ledger.current, calm.current, "{what}");
            assert_eq!(ledger.deleted.len(), 1, "{what}");
        }
    }
}

fn ok(body: &str) -> FaultKind {
    FaultKind::Status {
        code: 200,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// An empty answer where there were files is no deletion before each was asked for.
#[tokio::test]
async fn a_listing_that_is_suddenly_empty_deletes_nothing() {
    let bench = Bench::start().await;
    five(&bench);
    let mut ledger = pulled(&bench).await;
    let before = ledger.clone();
    bench.server.fail(Fault {
        path: "/drive/v3/files",
        times: 1,
        kind: ok(r#"{"files":[],"incompleteSearch":false}"#),
    });
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.current, before.current);
    assert!(ledger.deleted.is_empty());
}

/// What was made in the minutes before is in the feed, whether or not searches know of it.
#[tokio::test]
async fn searches_that_lag_behind_hide_nothing_that_the_feed_tells() {
    let bench = Bench::shared().await;
    let folder = bench.drive.add_folder(&bench.root, "Kunde");
    let mut ledger = pulled(&bench).await;
    bench.drive.behave(|ways| ways.lag = TimeDelta::hours(1));
    let file = outgoing("Kunde/neu.pdf", b"neu", None);
    bench.deliver("k", &file).await.unwrap();
    bench.drive.rename(&folder, "Kunde Nord");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    assert!(ledger.deleted.is_empty());
    bench.next_night();
    ledger.compare(&*bench.connector()).await.unwrap();
    let paths: Vec<_> = ledger
        .current
        .values()
        .map(|(_, file)| &*file.path)
        .collect();
    assert_eq!(paths, ["Kunde Nord/neu.pdf"]);
}

/// Truncated downloads, and what Google takes for harmful.
#[tokio::test]
async fn a_file_is_read_whole_or_not_at_all() {
    let bench = Bench::start().await;
    let connector = bench.connector();
    let file = bench
        .drive
        .add_file(&bench.root, "zeiten.csv", "Datum;Stunden\n");
    let harmful = bench.drive.add_file(&bench.root, "x.exe", "EICAR…");
    let document = bench.drive.add_document(&bench.root, "Tabelle");
    let fetch = async |id: &str, most| connector.fetch(&ExternalId::new(id), most).await;
    assert_eq!(fetch(&file, 100).await.unwrap(), b"Datum;Stunden\n");
    assert_eq!(
        fetch(&file, 3).await.unwrap_err().kind(),
        ErrorKind::Rejected
    );
    let error = fetch(&harmful, 100).await.unwrap_err();
    assert!(error.to_string().contains("harmful"), "{error}");
    let error = fetch(&document, 100_000).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.advice().unwrap().contains(".csv"));
    assert!(fetch("nirgends", 100).await.is_err());
    for body in ["Datum;Stunde", "Datum;Minuten\n", "<html>Anmeldung</html>"] {
        let kind = ok(body);
        let (path, times) = ("/drive/v3/files", 1);
        bench.server.fail_after(1, Fault { path, times, kind });
        let error = fetch(&file, 100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{body}");
    }
    let asked = bench.server.requests();
    assert!(
        asked
            .iter()
            .all(|it| it.query("acknowledgeAbuse").is_none())
    );
}
