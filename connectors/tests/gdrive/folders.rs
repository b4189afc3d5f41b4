//! Folders that are made, renamed, moved and put away: the feed tells of them alone.

use super::*;

/// Two folders in the root, one in the other's way, with two files each.
fn world(bench: &Bench) -> ([String; 3], Vec<String>) {
    let drive = &bench.drive;
    let acme = drive.add_folder(&bench.root, "Acme");
    let month = drive.add_folder(&acme, "2026-10");
    let other = drive.add_folder(&bench.root, "Süd");
    let files = [&acme, &month, &other].map(|folder| {
        let one = |name| drive.add_file(folder, name, name);
        ["a.txt", "b.txt"].map(one)
    });
    ([acme, month, other], files.concat())
}

/// "Renamed directory = delete all and copy all" (rclone#8685): here it is one event.
#[tokio::test]
async fn a_renamed_folder_renames_what_lies_in_it_and_deletes_nothing() {
    let bench = Bench::start().await;
    let ([acme, _, _], files) = world(&bench);
    let mut ledger = pulled(&bench).await;
    assert_eq!(ledger.path(&files[2]), "Acme/2026-10/a.txt");
    bench.next_night();
    bench.drive.rename(&acme, "Acme AG");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.path(&files[0]), "Acme AG/a.txt");
    assert_eq!(ledger.path(&files[2]), "Acme AG/2026-10/a.txt");
    assert_eq!(ledger.path(&files[4]), "Süd/a.txt");
    assert!(ledger.deleted.is_empty());
    assert_eq!(bench.sent(), 3, "the feed, the folder, and the one in it");
}

#[tokio::test]
async fn a_moved_folder_moves_what_lies_in_it() {
    let bench = Bench::start().await;
    let ([_, month, other], files) = world(&bench);
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.move_to(&month, &other);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.path(&files[3]), "Süd/2026-10/b.txt");
    assert!(ledger.deleted.is_empty());
    assert_eq!(ledger.ids().len(), 6);
}

#[tokio::test]
async fn a_trashed_folder_takes_its_files_along_and_brings_them_back() {
    let bench = Bench::start().await;
    let ([acme, month, _], files) = world(&bench);
    for number in 0..20 {
        bench.drive.add_file(&month, &format!("{number}.txt"), "x");
    }
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.trash(&acme, true);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    assert_eq!(
        ledger.deleted.len(),
        24,
        "told one by one, and so not held for a person"
    );
    assert!(ledger.held.is_empty());
    assert!(
        ledger.deleted[&files[0]].contains("trashed"),
        "{:?}",
        ledger.deleted[&files[0]]
    );

    bench.next_night();
    bench.drive.trash(&acme, false);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids().len(), 26);
    assert_eq!(ledger.path(&files[3]), "Acme/2026-10/b.txt");
}

#[tokio::test]
async fn a_folder_that_is_moved_away_takes_its_files_along_and_brings_them_back() {
    let bench = Bench::start().await;
    let ([acme, _, _], files) = world(&bench);
    let elsewhere = bench.drive.add_folder("", "Archiv");
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.move_to(&acme, &elsewhere);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
    assert!(ledger.deleted[&files[2]].contains("moved away"));
    // What happens there is none of ours.
    bench.next_night();
    bench.drive.edit(&files[2], "anderswo");
    let before = ledger.clone();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!((ledger.current.clone(), bench.sent()), (before.current, 1));
    bench.next_night();
    bench.drive.move_to(&acme, &bench.root);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.ids().len(), 6);
    assert!(ledger.deleted.is_empty());
}

/// What lay in a folder is told of after it, and lies in ours again by then.
#[tokio::test]
async fn what_was_taken_out_of_a_folder_that_is_moved_away_stays() {
    for at_once in [1, 1_000] {
        let bench = Bench::start().await;
        let ([acme, month, _], files) = world(&bench);
        let elsewhere = bench.drive.add_folder("", "Archiv");
        let mut ledger = pulled(&bench).await;
        bench.drive.behave(|ways| ways.changes_at_once = at_once);
        bench.next_night();
        bench.drive.move_to(&acme, &elsewhere);
        bench.drive.move_to(&month, &bench.root);
        bench.drive.move_to(&files[1], &bench.root);
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
        assert_eq!(ledger.path(&files[1]), "b.txt", "{at_once}");
        assert_eq!(ledger.path(&files[2]), "2026-10/a.txt", "{at_once}");
        assert_eq!(ledger.deleted.len(), 1, "{at_once}");
    }
}

/// It is not where it was, and not in a folder that we know: where it is has to be asked.
#[tokio::test]
async fn a_folder_that_moves_on_while_we_look_is_not_taken_for_gone() {
    let bench = Bench::start().await;
    let ([acme, _, _], files) = world(&bench);
    let elsewhere = bench.drive.add_folder("", "Archiv");
    let mut ledger = pulled(&bench).await;
    bench.next_night();
    bench.drive.move_to(&acme, &elsewhere);
    let connector = bench.connector();
    let mut absent = Vec::new();
    let more = ledger.page(&*connector, &Pull::Changes, &mut absent).await;
    assert!(more.unwrap(), "the folder has to be looked for");
    let outer = bench.drive.add_folder(&bench.root, "Neu");
    bench.drive.move_to(&acme, &outer);
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.deleted.is_empty(), "{:?}", ledger.deleted);
    assert_eq!(ledger.path(&files[2]), "Neu/Acme/2026-10/a.txt");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.ids(), bench.drive.files_below(&bench.root));
}

/// A folder is told of in the order of its last change, its parent perhaps after it.
#[tokio::test]
async fn a_folder_may_be_told_of_before_the_one_that_it_lies_in() {
    for at_once in [1, 2, 1_000] {
        let bench = Bench::start().await;
        let ([_, month, _], files) = world(&bench);
        let mut ledger = pulled(&bench).await;
        bench.drive.behave(|ways| ways.changes_at_once = at_once);
        bench.next_night();
        let outer = bench.drive.add_folder(&bench.root, "Neu");
        bench.drive.move_to(&month, &outer);
        let inner = bench.drive.add_folder(&outer, "Innen");
        let file = bench.drive.add_file(&inner, "c.txt", "c");
        bench.drive.rename(&inner, "Innen 2");
        bench.drive.rename(&outer, "Neu 2");
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.path(&file), "Neu 2/Innen 2/c.txt", "{at_once}");
        assert_eq!(ledger.path(&files[2]), "Neu 2/2026-10/a.txt", "{at_once}");
        assert!(ledger.deleted.is_empty(), "{at_once}");
    }
}

/// What lies in a folder that nobody may see any more is looked for, and so many at once are a
/// matter for a person.
#[tokio::test]
async fn a_folder_that_cannot_be_seen_any_more_is_no_deletion_of_many() {
    for silent in [false, true] {
        let bench = Bench::start().await;
        let ([_, month, _], files) = world(&bench);
        let mut ledger = pulled(&bench).await;
        bench.drive.behave(|ways| ways.silent_below = silent);
        bench.next_night();
        bench.drive.hide(&month, true);
        let mut few = ledger.clone();
        few.pull(&*bench.connector()).await.unwrap();
        assert!(
            few.deleted[&files[2]].contains("notFound"),
            "{:?}",
            few.deleted
        );
        assert_eq!(few.ids().len(), 4);
        bench.drive.behave(|ways| ways.silent_below = false);
        bench.drive.hide(&month, false);
        few.pull(&*bench.connector()).await.unwrap();
        assert_eq!(few.ids().len(), 6, "it comes back with the access");

        for number in 0..20 {
            bench.drive.add_file(&month, &format!("{number}.txt"), "x");
        }
        ledger.pull(&*bench.connector()).await.unwrap();
        bench.drive.behave(|ways| ways.silent_below = silent);
        bench.drive.hide(&month, true);
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(
            (ledger.held.len(), ledger.deleted.len()),
            (22, 0),
            "{silent}"
        );
    }
}

/// Links that lead in a circle, and folders of the same name (rclone, 2026-07-10).
#[tokio::test]
async fn shortcuts_are_not_followed_and_names_need_not_be_unique() {
    let bench = Bench::start().await;
    let ([acme, _, _], _) = world(&bench);
    let link = bench.drive.add_shortcut(&acme, "zurück", &bench.root);
    let twin = bench.drive.add_folder(&bench.root, "Acme");
    let same = ["a.txt", "a.txt"].map(|name| bench.drive.add_file(&twin, name, name));
    let odd = bench.drive.add_file(&twin, "2026/10 .. \\ 'x'", "x");
    let dots = bench.drive.add_file(&twin, "..", "x");
    let document = bench.drive.add_document(&twin, "Protokoll");
    let ledger = pulled(&bench).await;
    let target = ledger.file(&link).version.clone();
    assert_eq!(
        (target, ledger.file(&link).size),
        (Some(bench.root.clone()), None)
    );
    for file in &same {
        assert_eq!(ledger.path(file), "Acme/a.txt");
    }
    assert_eq!(ledger.path(&odd), "Acme/2026∕10 .. \\ 'x'");
    assert!(!ledger.path(&dots).contains(".."));
    let document = ledger.file(&document);
    assert_eq!((document.size, document.version.as_deref()), (None, None));
    assert!(document.modified.is_some());
}
