//! What is called deleted, with what proof, and what is not.

use super::*;

async fn confirm(bench: &Bench, id: &str) -> Option<Presence> {
    let absent = Absent {
        stream: Stream::Files,
        id: ExternalId::new(id),
        scope: bench.root.clone(),
    };
    let answers = bench.connector().confirm(&[absent]).await.unwrap();
    answers.into_iter().next().map(|(_, presence)| presence)
}

#[tokio::test]
async fn the_trash_is_the_services_own_word() {
    let bench = Bench::start().await;
    let file = bench.drive.add_file(&bench.root, "a.txt", "a");
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.trash(&file, true);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(
        ledger.deleted[&file].starts_with("trashed"),
        "{:?}",
        ledger.deleted
    );
    assert_eq!(bench.sent(), 1, "nothing has to be looked for");
    bench.next_night();
    bench.drive.trash(&file, false);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.current.contains_key(&file));
    assert_eq!(bench.sent(), 1);
}

/// "Removed" is deletion or lost access, and carries no file (dust-tt/dust#25169).
#[tokio::test]
async fn removed_is_looked_for_a_second_time() {
    let bench = Bench::start().await;
    let files = ["a", "b", "c"].map(|name| bench.drive.add_file(&bench.root, name, name));
    let stranger = bench.drive.add_folder("", "Privat");
    let stranger = bench.drive.add_file(&stranger, "x", "x");
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.delete_for_good(&files[0]);
    bench.drive.hide(&files[1], true);
    bench.drive.delete_for_good(&stranger);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    for file in &files[..2] {
        assert!(ledger.deleted[file].contains("notFound, while the folder"));
    }
    assert_eq!(
        bench.sent(),
        5,
        "feed, listing, the folder itself, and two files"
    );

    // What the feed calls removed and is there all the same stays.
    bench.next_night();
    bench.drive.hide(&files[2], true);
    let mut absent = Vec::new();
    let connector = bench.connector();
    while ledger
        .page(&*connector, &Pull::Changes, &mut absent)
        .await
        .unwrap()
    {}
    bench.drive.hide(&files[2], false);
    let answers = connector.confirm(&absent).await.unwrap();
    assert_eq!(answers, [(ExternalId::new(&*files[2]), Presence::Present)]);
}

#[tokio::test]
async fn a_file_that_is_moved_is_followed_as_far_as_the_folder_goes() {
    let bench = Bench::start().await;
    let inner = bench.drive.add_folder(&bench.root, "innen");
    let outer = bench.drive.add_folder("", "außen");
    let files = ["a", "b"].map(|name| bench.drive.add_file(&bench.root, name, name));
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.move_to(&files[0], &inner);
    bench.drive.move_to(&files[1], &outer);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.path(&files[0]), "innen/a");
    assert!(ledger.deleted[&files[1]].contains("outside the connection's folder"));
    // It can be found deep inside by going up.
    assert_eq!(confirm(&bench, &files[0]).await, Some(Presence::Present));
    bench.next_night();
    bench.drive.move_to(&files[1], &inner);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.path(&files[1]), "innen/b");
    assert!(ledger.deleted.is_empty());
}

/// The whole folder gone is a matter for a person, however Drive tells it.
#[tokio::test]
async fn a_folder_that_is_lost_as_a_whole_deletes_nothing() {
    for (shared, how) in [(false, 0), (false, 1), (false, 2), (true, 1), (true, 2)] {
        let bench = if shared {
            Bench::shared().await
        } else {
            Bench::start().await
        };
        let inner = bench.drive.add_folder(&bench.root, "innen");
        let files: Vec<_> = (0..5)
            .map(|number| bench.drive.add_file(&inner, &number.to_string(), "x"))
            .collect();
        let mut ledger = pulled(&bench).await;
        bench.drive.behave(|ways| ways.changes_at_once = 2);
        bench.next_night();
        match how {
            0 => bench.drive.trash(&bench.root, true),
            1 => bench.drive.hide(&bench.root, true),
            _ => bench.drive.delete_for_good(&bench.root),
        }
        let before = ledger.clone();
        let error = ledger.pull(&*bench.connector()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{shared} {how}: {error}");
        assert!(
            error
                .advice()
                .unwrap()
                .contains("nothing is taken for deleted")
        );
        assert_eq!(ledger.current, before.current);
        let compared = ledger.compare(&*bench.connector()).await;
        assert!(compared.is_err() && ledger.deleted.is_empty());
        assert_eq!(confirm(&bench, &files[0]).await, None);
        if how < 2 {
            bench.drive.trash(&bench.root, false);
            bench.drive.hide(&bench.root, false);
            ledger.compare(&*bench.connector()).await.unwrap();
            assert_eq!(ledger.current, before.current);
        }
    }
}

/// Many second looks may meet the quota: what was answered before counts.
#[tokio::test]
async fn a_second_look_that_is_cut_short_keeps_what_it_saw() {
    let bench = Bench::start().await;
    let absent = |number: u32| Absent {
        stream: Stream::Files,
        id: ExternalId::new(format!("1gone{number}")),
        scope: bench.root.clone(),
    };
    let absent: Vec<Absent> = (0..5).map(absent).collect();
    let kind = FaultKind::status_with(429, "retry-after", 3_600);
    let (path, times) = ("/", u32::MAX);
    bench.server.fail_after(3, Fault { path, times, kind });
    let answers = bench.connector().confirm(&absent).await.unwrap();
    assert_eq!(answers.len(), 2, "the folder, two files, and no more");
}

/// "Not found" counts in Drive's own words; a proxy on the way says it of everything.
#[tokio::test]
async fn a_404_of_something_on_the_way_is_no_deletion() {
    let bench = Bench::start().await;
    let file = bench.drive.add_file(&bench.root, "a.txt", "a");
    let absent = Absent {
        stream: Stream::Files,
        id: ExternalId::new(file),
        scope: bench.root.clone(),
    };
    let (path, times, kind) = ("/", u32::MAX, FaultKind::status(404));
    bench.server.fail_after(1, Fault { path, times, kind });
    let error = bench.connector().confirm(&[absent]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
}

/// A comparison finds what the feed has not told, and no more.
#[tokio::test]
async fn a_comparison_finds_what_the_feed_has_kept_silent() {
    let bench = Bench::start().await;
    let inner = bench.drive.add_folder(&bench.root, "innen");
    let file = bench.drive.add_file(&inner, "a", "a");
    let other = bench.drive.add_file(&bench.root, "b", "b");
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.behave(|ways| ways.silent_below = true);
    let dead = bench.drive.add_folder(&inner, "tief");
    let deep = bench.drive.add_file(&dead, "c", "c");
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.drive.delete_for_good(&inner);
    ledger.compare(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), [other].into());
    assert_eq!(ledger.deleted.len(), 2);
    assert!(ledger.deleted.contains_key(&file) && ledger.deleted.contains_key(&deep));
}
