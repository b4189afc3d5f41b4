//! The folder connector over real folders: walks, guards and second looks.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "what tests share may panic, and skips are told"
)]

#[path = "folder/conformance.rs"]
mod conformance;
#[path = "folder/delivery.rs"]
mod delivery;
#[path = "folder/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt;

use stundenbuch_connectors::contract::{Cursor, Presence, Pull, Raw};
use stundenbuch_connectors::error::{Error, Kind};
use stundenbuch_connectors::record::Record;

use world::{
    Shoes, World, age, codes, confirm, connect, deliver, ids, names, pull, run, stands_in, swept,
    write_old,
};

/// Makes sure that a call was refused as an unmounted share is, with something to do about it.
fn assert_away<T: std::fmt::Debug>(result: Result<T, Error>, reason: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    assert!(error.to_string().contains(reason), "{error}");
    assert!(
        error.advice().is_some_and(|hint| hint.contains("mount")),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_file_becomes_a_record() {
    let world = World::new();
    world.write("Acme/2026-10/Bericht.pdf", "12345");
    let connector = world.connector();
    let (pages, _) = pull(&*connector, &Cursor::start()).await.unwrap();
    let raw = &pages[0].raw[0];
    assert_eq!(
        raw.body,
        concat!(
            r#"{"path":"Acme/2026-10/Bericht.pdf","size":5,"#,
            r#""modified":"2026-09-21T14:13:20Z","version":"5-1790000000.000000000"}"#
        )
    );
    let records = connector.normalise(raw).unwrap();
    let Record::File(file) = &records[0].record else {
        panic!("{records:?}")
    };
    assert_eq!(records[0].id, raw.id);
    assert_eq!(
        (file.path.as_str(), file.size),
        ("Acme/2026-10/Bericht.pdf", Some(5))
    );
    assert_eq!(
        file.modified.unwrap().to_rfc3339(),
        "2026-09-21T14:13:20+00:00"
    );
    for body in [
        "",
        "{}",
        "[]",
        r#"{"path":1}"#,
        &raw.body.replace("2026-09", "2026-19"),
    ] {
        let damaged = Raw {
            body: body.to_owned(),
            ..raw.clone()
        };
        assert!(connector.normalise(&damaged).is_err(), "{body}");
    }
}

#[tokio::test]
async fn only_changes_come_again() {
    let world = World::new();
    for path in ["a.txt", "b.txt", "sub/c.txt"] {
        world.write(path, "one");
    }
    let (pages, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    assert_eq!(ids(&pages), names(["a.txt", "b.txt", "sub/c.txt"]));
    let (pages, cursor) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!((ids(&pages), swept(&pages).unwrap().len()), (names([]), 3));
    // Another size; the same size at another time; the same size and time, which only the
    // change time tells; one new; one gone.
    world.write("a.txt", "longer");
    world.write("b.txt", "two");
    age(&world.root().join("b.txt"), 1_790_000_001);
    world.write("new.txt", "");
    world.remove("sub/c.txt");
    let (pages, cursor) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(ids(&pages), names(["a.txt", "b.txt", "new.txt"]));
    assert_eq!(swept(&pages), Some(names(["a.txt", "b.txt", "new.txt"])));
    world.tick();
    world.write("b.txt", "six");
    age(&world.root().join("b.txt"), 1_790_000_001);
    let (pages, _) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(ids(&pages), names(["b.txt"]));
}

#[tokio::test]
async fn a_file_written_just_now_is_looked_at_once_more() {
    let world = World::new();
    std::fs::write(world.root().join("fresh.txt"), "x").unwrap();
    let (_, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    let (pages, _) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(ids(&pages), names(["fresh.txt"]));
}

#[tokio::test]
async fn a_large_folder_comes_in_pages_and_survives_restarts() {
    let world = World::new();
    for number in 0..2_345 {
        std::fs::write(world.root().join(format!("{number}.txt")), "x").unwrap();
    }
    let mut cursor = Cursor::start();
    let (mut seen, mut sizes) = (BTreeSet::new(), Vec::new());
    loop {
        // A new instance for each page has no walk to go on with.
        let connector = world.connector();
        let page = connector.pull(&cursor, &Pull::Changes).await.unwrap();
        cursor = Cursor::stored(page.next.as_str().map(str::to_owned));
        sizes.push(page.raw.len());
        for raw in &page.raw {
            assert!(seen.insert(raw.id.clone()), "{} comes twice", raw.id);
        }
        assert_eq!(
            page.swept.is_empty(),
            page.more,
            "the last page alone is the proof"
        );
        if !page.more {
            break;
        }
    }
    assert_eq!((seen.len(), sizes), (2_345, vec![1_000, 1_000, 345]));
}

#[tokio::test]
async fn names_are_kept_as_they_are() {
    let world = World::new();
    let (composed, decomposed) = ("B\u{fc}ro.txt", "Bu\u{308}ro.txt");
    for name in [
        composed,
        decomposed,
        "100 %.txt",
        "a\\b.txt",
        "line\nbreak.txt",
    ] {
        world.write(name, "x");
    }
    let raw_name = std::ffi::OsStr::from_bytes(b"B\xFCro.txt");
    std::fs::write(world.root().join(raw_name), "x").unwrap();
    let connector = world.connector();
    let (pages, _) = pull(&*connector, &Cursor::start()).await.unwrap();
    let escaped = r"B\xFCro.txt";
    let expected = [
        composed,
        decomposed,
        "100 %.txt",
        r"a\\b.txt",
        "line\nbreak.txt",
        escaped,
    ];
    assert_eq!(ids(&pages), names(expected));
    assert_eq!(codes(&pages), ["folder-name-not-utf8"]);
    let here = confirm(&*connector, &expected).await.unwrap();
    assert_eq!(here, vec![Presence::Present; expected.len()]);
}

#[tokio::test]
async fn what_is_no_work_is_passed_over() {
    let world = World::new();
    for name in [
        ".~lock.a.odt#",
        "~$a.docx",
        "a.part",
        "a.tmp",
        ".sync_1.db",
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
        ".~a",
        "a.crdownload",
        ".git/config",
        ".stundenbuch-00.tmp",
        "private/x.txt",
        "x.bak",
        ".here",
    ] {
        world.write(name, "x");
    }
    world.write("kept.txt", "x");
    world.write("sub/.gitignore", "x");
    run("mkfifo", &[world.root().join("pipe").to_str().unwrap()]);
    std::os::unix::fs::symlink("/etc/passwd", world.root().join("link.txt")).unwrap();
    std::os::unix::fs::symlink("..", world.root().join("loop")).unwrap();
    let connector = connect(&world.root(), Some(".here"), &["private", "*.bak"]);
    let (pages, _) = pull(&*connector, &Cursor::start()).await.unwrap();
    assert_eq!(ids(&pages), names(["kept.txt", "sub/.gitignore"]));
    assert_eq!(codes(&pages), ["folder-links"]);
}

#[tokio::test]
async fn a_folder_too_deep_is_unknown_and_nothing_is_swept() {
    let world = World::new();
    world.write("a.txt", "x");
    let deep = "d/".repeat(70);
    world.write(&format!("{deep}x.txt"), "x");
    let (pages, _) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    assert_eq!((ids(&pages), swept(&pages)), (names(["a.txt"]), None));
    assert_eq!(codes(&pages), ["folder-unreadable"]);
}

#[tokio::test]
async fn an_unreadable_folder_is_unknown_and_its_files_stay() {
    if !stands_in(
        Shoes::Nobody,
        "an_unreadable_folder_is_unknown_and_its_files_stay",
    ) {
        return;
    }
    let world = World::new();
    world.write("a.txt", "x");
    world.write("sub/b.txt", "x");
    let (_, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    let sub = world.root().join("sub");
    world.remove("a.txt");
    world.write("c.txt", "x");
    std::fs::set_permissions(&sub, PermissionsExt::from_mode(0o000)).unwrap();
    let connector = world.connector();
    let (pages, cursor) = pull(&*connector, &cursor).await.unwrap();
    assert_eq!((ids(&pages), swept(&pages)), (names(["c.txt"]), None));
    assert!(
        pages[0].notices[0].text.contains("`sub`"),
        "{:?}",
        pages[0].notices
    );
    assert_eq!(
        confirm(&*connector, &["sub/b.txt"]).await.unwrap(),
        [Presence::Unknown]
    );
    // Names can be read, and nothing can be said about the files.
    std::fs::set_permissions(&sub, PermissionsExt::from_mode(0o444)).unwrap();
    let (pages, cursor) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!((ids(&pages), swept(&pages)), (names([]), None));
    std::fs::set_permissions(&sub, PermissionsExt::from_mode(0o755)).unwrap();
    let (pages, _) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(ids(&pages), names([]));
    assert_eq!(swept(&pages), Some(names(["c.txt", "sub/b.txt"])));
}

#[tokio::test]
async fn a_second_look_says_gone_only_when_it_is() {
    let world = World::new();
    for path in [
        "here.txt",
        "sub/x.txt",
        "file/x.txt",
        "linked/x.txt",
        "folder.txt",
    ] {
        world.write(path, "x");
    }
    let connector = world.connector();
    pull(&*connector, &Cursor::start()).await.unwrap();
    std::fs::remove_dir_all(world.root().join("sub")).unwrap();
    std::fs::remove_dir_all(world.root().join("file")).unwrap();
    world.write("file", "x");
    std::fs::rename(world.root().join("linked"), world.root().join("moved")).unwrap();
    std::os::unix::fs::symlink("moved", world.root().join("linked")).unwrap();
    world.remove("folder.txt");
    std::fs::create_dir(world.root().join("folder.txt")).unwrap();
    let asked = [
        "here.txt",
        "sub/x.txt",
        "file/x.txt",
        "linked/x.txt",
        "folder.txt",
        "../share/here.txt",
        "",
    ];
    let answers = confirm(&*connector, &asked).await.unwrap();
    let words: Vec<_> = answers
        .iter()
        .map(|presence| match presence {
            Presence::Present => "present",
            Presence::Gone(_) => "gone",
            Presence::Unknown => "unknown",
        })
        .collect();
    let expected = [
        "present", "gone", "gone", "unknown", "gone", "unknown", "unknown",
    ];
    assert_eq!(words, expected, "{answers:?}");
    assert_eq!(
        answers[1],
        Presence::Gone("ENOENT for the folder of `sub/x.txt`".to_owned())
    );
}

#[tokio::test]
async fn a_share_that_is_away_is_no_deletion() {
    let world = World::new();
    world.write("a.txt", "x");
    let (_, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    let away = world.beside("elsewhere");
    std::fs::rename(world.root(), &away).unwrap();
    let connector = world.connector();
    assert_away(pull(&*connector, &cursor).await, "nothing lies at the path");
    assert_away(connector.check().await, "nothing lies at the path");
    assert_away(
        confirm(&*connector, &["a.txt"]).await,
        "nothing lies at the path",
    );
    assert_away(
        deliver(&*connector, "b.txt", b"x").await,
        "nothing lies at the path",
    );
    // The bare mount point.
    std::fs::create_dir(world.root()).unwrap();
    assert_away(
        pull(&*connector, &cursor).await,
        "it is empty, and held 1 files",
    );
    assert_eq!(
        confirm(&*connector, &["a.txt"]).await.unwrap(),
        [Presence::Unknown]
    );
    std::fs::remove_dir(world.root()).unwrap();
    std::fs::rename(&away, world.root()).unwrap();
    let (pages, _) = pull(&*connector, &cursor).await.unwrap();
    assert_eq!(
        (ids(&pages), swept(&pages)),
        (names([]), Some(names(["a.txt"])))
    );
}

#[tokio::test]
async fn the_marker_proves_the_mount() {
    let world = World::new();
    world.write("a.txt", "x");
    let connector = connect(&world.root(), Some(".here"), &[]);
    for result in [
        pull(&*connector, &Cursor::start()).await.map(drop),
        connector.check().await.map(drop),
        deliver(&*connector, "b.txt", b"x").await.map(drop),
    ] {
        assert_away(result, "the marker `.here` is not in it");
    }
    assert!(!world.root().join("b.txt").exists());
    std::fs::create_dir(world.root().join(".here")).unwrap();
    assert_away(connector.check().await, "marker");
    std::fs::remove_dir(world.root().join(".here")).unwrap();
    world.write(".here", "");
    let (pages, cursor) = pull(&*connector, &Cursor::start()).await.unwrap();
    assert_eq!(ids(&pages), names(["a.txt"]));
    // With the marker in its place, an empty folder is empty.
    world.remove("a.txt");
    let (pages, _) = pull(&*connector, &cursor).await.unwrap();
    assert_eq!(swept(&pages), Some(names([])));
    assert!(matches!(
        confirm(&*connector, &["a.txt"]).await.unwrap()[..],
        [Presence::Gone(_)]
    ));
}

#[tokio::test]
async fn another_file_system_at_the_path_is_not_the_share() {
    let Ok(other) = tempfile::tempdir_in("/dev/shm") else {
        println!("SKIPPED: no second file system at /dev/shm");
        return;
    };
    let world = World::new();
    let link = world.beside("link");
    world.write("a.txt", "x");
    std::os::unix::fs::symlink(world.root(), &link).unwrap();
    let connector = connect(&link, None, &[]);
    let (_, cursor) = pull(&*connector, &Cursor::start()).await.unwrap();
    world.tick();
    std::fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(other.path(), &link).unwrap();
    write_old(&other.path().join("a.txt"), "x");
    assert_away(
        pull(&*connector, &cursor).await,
        "another file system lies at the path",
    );
    assert_away(confirm(&*connector, &["b.txt"]).await, "since it was read");
}

#[tokio::test]
async fn an_unmounted_share_is_known_by_its_mount() {
    if !stands_in(Shoes::Mounts, "an_unmounted_share_is_known_by_its_mount") {
        return;
    }
    let world = World::new();
    world.write("under the mount.txt", "x");
    let root = world.root();
    let path = root.to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=1m", "tmpfs", path]);
    world.write("a.txt", "x");
    let connector = world.connector();
    let details = connector.check().await.unwrap().details;
    assert!(
        details.contains(&"a file system is mounted here".to_owned()),
        "{details:?}"
    );
    let (_, cursor) = pull(&*connector, &Cursor::start()).await.unwrap();
    run("umount", &[path]);
    assert_away(pull(&*connector, &cursor).await, "no longer");
    assert_away(confirm(&*connector, &["a.txt"]).await, "unmounted");
    assert_away(deliver(&*connector, "b.txt", b"x").await, "no longer");
    assert!(
        !root.join("b.txt").exists(),
        "nothing is written beneath a mount point"
    );
    assert_away(pull(&*world.connector(), &cursor).await, "no longer");
}

#[tokio::test]
async fn the_same_share_mounted_anew_is_known_by_its_files() {
    // A reboot gives a network mount another number; here the cursor gets another one instead.
    let world = World::new();
    world.write("a.txt", "x");
    world.write("b.txt", "x");
    let (_, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    let mut state: serde_json::Value = serde_json::from_str(cursor.as_str().unwrap()).unwrap();
    state["root"]["dev"] = 4711.into();
    let cursor = Cursor::encode(&state);
    let (pages, cursor) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(
        (ids(&pages), codes(&pages)),
        (names([]), vec!["folder-mounted-anew"])
    );
    let (pages, _) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(codes(&pages), Vec::<&str>::new(), "told once");
}

#[tokio::test]
async fn an_unmounted_folder_within_is_unknown() {
    if !stands_in(Shoes::Mounts, "an_unmounted_folder_within_is_unknown") {
        return;
    }
    let world = World::new();
    let sub = world.root().join("sub");
    std::fs::create_dir(&sub).unwrap();
    run(
        "mount",
        &[
            "-t",
            "tmpfs",
            "-o",
            "size=1m",
            "tmpfs",
            sub.to_str().unwrap(),
        ],
    );
    world.write("a.txt", "x");
    world.write("sub/b.txt", "x");
    let (pages, cursor) = pull(&*world.connector(), &Cursor::start()).await.unwrap();
    assert_eq!(ids(&pages), names(["a.txt", "sub/b.txt"]));
    run("umount", &[sub.to_str().unwrap()]);
    let (pages, cursor) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(
        (swept(&pages), codes(&pages)),
        (None, vec!["folder-unreadable"])
    );
    // Still so in the next night.
    let (pages, _) = pull(&*world.connector(), &cursor).await.unwrap();
    assert_eq!(
        (swept(&pages), codes(&pages)),
        (None, vec!["folder-unreadable"])
    );
}

#[tokio::test]
async fn bad_settings_and_cursors_are_errors() {
    let world = World::new();
    let file = world.beside("file");
    std::fs::write(&file, "x").unwrap();
    let error = connect(&file, None, &[]).check().await.unwrap_err();
    assert_eq!(error.kind(), Kind::Settings, "{error}");
    for marker in ["", "..", "a/b"] {
        let settings = world::settings(&world.root(), Some(marker), &[]);
        let built = (world::entry().build)("share", &settings, &world::platform());
        assert_eq!(built.unwrap_err().kind(), Kind::Settings, "{marker:?}");
    }
    for text in ["", r#"{"files":"xyz"}"#, r#"{"root":1}"#] {
        let cursor = Cursor::stored(Some(text.to_owned()));
        let error = pull(&*world.connector(), &cursor).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Protocol, "{text}");
    }
}
