//! What happens in nights: pruning by tags, moves, shares, backups, deletions.

use super::*;

/// Ten folders with five files each.
fn fill(bench: &Bench) {
    for number in 0..50 {
        bench.cloud.write(
            USER,
            &format!("Kunde {}/Datei {number}.pdf", number % 10),
            "x",
        );
    }
}

async fn first(bench: &Bench) -> Ledger {
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    ledger
}

#[tokio::test]
async fn only_folders_around_a_change_are_listed() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    bench
        .cloud
        .write("bert", "Kunde 3/Neu/Tief/Bericht.pdf", "neu");
    ledger.pull(&*bench.connector()).await.unwrap();
    // The tag of the root; the root, the customer, two new folders; the log of activities.
    let methods = bench.methods();
    assert_eq!(
        methods,
        [
            "PROPFIND", "PROPFIND", "PROPFIND", "PROPFIND", "PROPFIND", "GET"
        ]
    );
    assert_eq!((ledger.files.len(), ledger.came), (51, 1));
}

/// rclone#8685: a renamed folder counted as a deletion of all that is in it.
#[tokio::test]
async fn a_moved_folder_is_no_deletion() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    bench
        .cloud
        .rename(bench.cloud.find("Kunde 3").unwrap(), "Kunde 4/Unterlagen");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        (ledger.revisions, ledger.doubted, ledger.deleted.len()),
        (5, 0, 0)
    );
    let moved = bench.cloud.find("Kunde 4/Unterlagen/Datei 3.pdf").unwrap();
    assert_eq!(ledger.file(moved).path, "Kunde 4/Unterlagen/Datei 3.pdf");
}

#[tokio::test]
async fn a_moved_file_is_no_deletion_whichever_folder_is_read_first() {
    for (from, to) in [("Kunde 1", "Kunde 8"), ("Kunde 8", "Kunde 1")] {
        let bench = Bench::start().await;
        fill(&bench);
        let mut ledger = first(&bench).await;
        let file = bench.cloud.write(USER, &format!("{from}/Wandert.pdf"), "x");
        ledger.pull(&*bench.connector()).await.unwrap();
        bench.cloud.rename(file, &format!("{to}/Wandert.pdf"));
        bench.tick();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!((ledger.revisions, ledger.doubted), (1, 0));
        assert_eq!(
            ledger.swept, 0,
            "nothing is missing, so nothing is to be proved"
        );
        assert_eq!(ledger.file(file).path, format!("{to}/Wandert.pdf"));
        let mut calm = ledger.clone();
        calm.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
        assert_eq!((calm.files, calm.doubted), (ledger.files, 0));
    }
}

#[tokio::test]
async fn a_deleted_folder_takes_its_files_with_it() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    let folder = bench.cloud.find("Kunde 3").unwrap();
    let file = bench.cloud.find("Kunde 3/Datei 3.pdf").unwrap();
    let kept = bench.cloud.find("Kunde 3/Datei 13.pdf").unwrap();
    bench.cloud.rename(kept, "Kunde 4/Gerettet.pdf");
    bench.cloud.delete(folder);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!((ledger.deleted.len(), ledger.files.len()), (4, 46));
    assert!(ledger.has(kept), "it was moved out before");
    assert!(ledger.proof(file).unwrap().contains("search by its number"));
}

#[tokio::test]
async fn the_trash_bin_is_a_proof() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    let file = bench.cloud.find("Kunde 3/Datei 3.pdf").unwrap();
    bench.cloud.delete(file);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.proof(file).unwrap().contains("trash bin"));
    assert!(
        !bench.methods().contains(&"SEARCH".to_owned()),
        "one proof is enough"
    );
}

#[tokio::test]
async fn without_bin_and_search_a_second_listing_is_the_proof() {
    for parts in [&["bin"][..], &["search"], &["bin", "search"]] {
        let bench = Bench::start().await;
        for part in parts {
            bench.cloud.without(part);
        }
        fill(&bench);
        let mut ledger = first(&bench).await;
        let file = bench.cloud.find("Kunde 3/Datei 3.pdf").unwrap();
        bench.cloud.delete(file);
        bench.cloud.empty_bin();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert!(!ledger.has(file), "{parts:?}");
        let listed = ledger
            .proof(file)
            .unwrap()
            .contains("second listing of all 11 folders");
        assert_eq!(listed, parts.contains(&"search"), "{parts:?}");
    }
}

#[tokio::test]
async fn what_was_moved_out_of_the_folder_is_told_so() {
    let bench = Bench::start().await;
    let file = bench.cloud.write(USER, "Kunde/Bericht.pdf", "x");
    bench.cloud.write(USER, "Kunde/Rest.pdf", "x");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.with_folder("Kunde")).await.unwrap();
    assert_eq!(ledger.paths(), ["Bericht.pdf", "Rest.pdf"]);
    bench.cloud.rename(file, "Privat/Bericht.pdf");
    ledger.pull(&*bench.with_folder("Kunde")).await.unwrap();
    assert!(ledger.proof(file).unwrap().contains("moved out"));
}

#[tokio::test]
async fn a_share_that_is_gone_is_lost_access_and_no_deletion() {
    for kind in ["shared", "group", "external"] {
        let bench = Bench::start().await;
        fill(&bench);
        let share = bench.cloud.mount("Von Bert", kind);
        bench.cloud.write("bert", "Von Bert/Plan.pdf", "x");
        bench.cloud.write("bert", "Von Bert/Alt/Skizze.pdf", "x");
        bench.cloud.mount_file("Einzeln.pdf", "x");
        let mut ledger = first(&bench).await;
        assert_eq!(ledger.files.len(), 53);
        bench.cloud.take_away(share);
        bench
            .cloud
            .take_away(bench.cloud.find("Einzeln.pdf").unwrap());
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!((ledger.files.len(), ledger.doubted), (53, 0), "{kind}");
        assert!(ledger.notices.contains("nextcloud-share-gone"), "{kind}");
        bench.next_night();
        ledger.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
        assert_eq!(
            (ledger.files.len(), ledger.deleted.len()),
            (53, 0),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn a_deletion_within_a_share_is_one() {
    let bench = Bench::start().await;
    bench.cloud.mount("Von Bert", "shared");
    let file = bench.cloud.write("bert", "Von Bert/Plan.pdf", "x");
    bench.cloud.write("bert", "Von Bert/Rest.pdf", "x");
    let mut ledger = first(&bench).await;
    bench.cloud.take_away(file);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.proof(file).is_some());
}

#[tokio::test]
async fn in_a_group_folder_only_the_bin_proves_a_deletion() {
    let bench = Bench::start().await;
    bench.cloud.mount("Team", "group");
    let hidden = bench.cloud.write("bert", "Team/Geheim.pdf", "x");
    let deleted = bench.cloud.write("bert", "Team/Alt.pdf", "x");
    bench.cloud.write("bert", "Team/Rest.pdf", "x");
    let mut ledger = first(&bench).await;
    bench.cloud.take_away(hidden);
    bench.cloud.delete(deleted);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.has(hidden) && ledger.proof(deleted).is_some());
}

#[tokio::test]
async fn a_restored_backup_deletes_nothing_that_night() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    let backup = bench.cloud.copy();
    let new = bench
        .cloud
        .write(USER, "Kunde 3/Nach der Sicherung.pdf", "x");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.has(new));
    // The first mark is one, too: nothing to compare it with.
    bench.cloud.restore(&backup, "restored-1");
    bench.next_night();
    let mut unknown = ledger.clone();
    unknown.pull(&*bench.connector()).await.unwrap();
    assert!(!unknown.has(new), "no mark, no caution");

    let bench = Bench::start().await;
    fill(&bench);
    bench.cloud.restore(&bench.cloud.copy(), "first");
    let mut ledger = first(&bench).await;
    let backup = bench.cloud.copy();
    let new = bench
        .cloud
        .write(USER, "Kunde 3/Nach der Sicherung.pdf", "x");
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.cloud.restore(&backup, "second");
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.has(new) && ledger.doubted == 0);
    assert!(ledger.notices.contains("nextcloud-restored"));
    assert_eq!(bench.sent(), 12, "the root, and every folder again");
    // It is gone all the same, and the night after says so.
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(!ledger.has(new));
}

/// nextcloud/documentation#7849: what changes on the storage itself changes no tag.
#[tokio::test]
async fn an_external_storage_is_walked_every_week() {
    let bench = Bench::start().await;
    bench.cloud.mount("NAS", "external");
    let file = bench.cloud.write(USER, "NAS/Scan.pdf", "x");
    let mut ledger = first(&bench).await;
    bench.cloud.change_behind("NAS/Scan.pdf", "longer");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.file(file).size, Some(1), "not seen by tags");
    ledger.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
    assert_eq!(ledger.file(file).size, Some(6));
}

#[tokio::test]
async fn a_change_while_we_read_is_seen_the_next_night() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    bench.cloud.write(USER, "Kunde 9/Eins.pdf", "x");
    // The first listing is of the root; the change comes right before the second.
    bench.cloud.before("PROPFIND", |_| {});
    bench.cloud.before("PROPFIND", |_| {});
    bench.cloud.before("PROPFIND", |cloud| {
        cloud.write(USER, "Kunde 1/Zwei.pdf", "x");
        cloud.write(USER, "Kunde 9/Drei.pdf", "x");
    });
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.files.len(), 53);
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 1);
}

#[tokio::test]
async fn another_choice_of_what_to_pass_over_deletes_nothing() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = first(&bench).await;
    let mut settings = bench.usual();
    settings.push(("ignore", Value::Texts(vec!["Kunde 3".to_owned()])));
    let narrower = bench.configured("nextcloud", &settings).unwrap();
    for mode in [&Pull::Changes, &WEEKLY] {
        ledger.pull_as(&*narrower, mode).await.unwrap();
        assert_eq!(
            (ledger.files.len(), ledger.deleted.len()),
            (50, 0),
            "{mode:?}"
        );
    }
}

#[tokio::test]
async fn a_replaced_root_is_another_drive() {
    let bench = Bench::start().await;
    let old = bench.cloud.write(USER, "Kunde/Alt.pdf", "x");
    let connector = bench.with_folder("Kunde");
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    bench
        .cloud
        .rename(bench.cloud.find("Kunde").unwrap(), "Kunde alt");
    let error = ledger.pull(&*connector).await.unwrap_err();
    assert!(error.advice().unwrap().contains("folder"), "{error:?}");
    assert!(ledger.has(old));
    let new = bench.cloud.write(USER, "Kunde/Neu.pdf", "x");
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.has(new));
    assert!(ledger.proof(old).unwrap().contains("moved out"));
}

#[tokio::test]
async fn a_public_link_is_read_without_a_user() {
    let bench = Bench::start().await;
    let file = bench
        .cloud
        .write(USER, "Kunde/Ablage/Bericht.pdf", "inhalt");
    bench.cloud.write(USER, "Privat.pdf", "x");
    bench.cloud.share("Kunde");
    let link = format!("{}/s/{}", bench.server.base(), fakes::nextcloud::SHARE);
    let settings = [("url", Value::Url(link)), ("activity", Value::Flag(true))];
    let connector = bench.configured("nextcloud", &settings).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.paths(), ["Ablage/Bericht.pdf"]);
    let id = ledger.files.keys().next().unwrap().clone();
    assert_eq!(connector.fetch(&id, 100).await.unwrap(), b"inhalt");
    connector.check().await.unwrap();
    bench.cloud.write(USER, "Kunde/Neu.pdf", "x");
    bench.cloud.delete(file);
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.paths(), ["Neu.pdf"]);
    assert!(
        bench
            .server
            .requests()
            .iter()
            .all(|it| it.header("authorization").is_none())
    );
}
