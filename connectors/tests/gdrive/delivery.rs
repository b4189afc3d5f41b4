//! Deliveries: once, whole, and over nobody's work.

use chrono::TimeDelta;
use stundenbuch_connectors::contract::Outcome;

use super::*;

const PATH: &str = "Nord/2026-11/Bericht.pdf";

fn at(location: &str, outcome: Outcome) -> Receipt {
    Receipt {
        outcome,
        location: location.to_owned(),
    }
}

/// Three documents of a month, one after another into folders that no search knows yet.
#[tokio::test]
async fn folders_are_made_once_though_searches_lag_behind() {
    for shared in [false, true] {
        let bench = if shared {
            Bench::shared().await
        } else {
            Bench::start().await
        };
        bench.drive.behave(|ways| ways.lag = TimeDelta::hours(1));
        for name in ["Bericht.pdf", "Zeiten.csv", "Rechnung.xml"] {
            bench.clock.advance(Duration::from_secs(5));
            let file = outgoing(&format!("Nord/2026-11/{name}"), name.as_bytes(), None);
            let receipt = bench.deliver(name, &file).await.unwrap();
            assert_eq!(receipt.outcome, Outcome::Created);
        }
        let paths: Vec<_> = bench.drive.contents(&bench.root).into_keys().collect();
        let wanted = ["Bericht.pdf", "Rechnung.xml", "Zeiten.csv"];
        assert_eq!(paths, wanted.map(|name| format!("Nord/2026-11/{name}")));
        if !shared {
            assert_eq!(bench.drive.folders_named(&bench.root, "Nord"), 1);
        }
        assert_eq!(bench.drive.refused(), 0);
    }
}

/// A new version, minutes after the first one, is a revision of the same file.
#[tokio::test]
async fn a_new_version_is_a_revision_unless_somebody_has_changed_the_file() {
    for lag in [0, 60] {
        let bench = Bench::start().await;
        bench
            .drive
            .behave(|ways| ways.lag = TimeDelta::minutes(lag));
        bench
            .deliver("1", &outgoing(PATH, b"eins", None))
            .await
            .unwrap();
        let second = outgoing(PATH, b"zwei", Some(b"eins"));
        for outcome in [Outcome::Replaced, Outcome::AlreadyThere] {
            assert_eq!(
                bench.deliver("2", &second).await.unwrap(),
                at(PATH, outcome)
            );
        }
        let file = bench
            .drive
            .files_below(&bench.root)
            .into_iter()
            .next()
            .unwrap();
        bench.drive.edit(&file, "von Hand");
        let third = outgoing(PATH, b"drei", Some(b"zwei"));
        let receipt = bench.deliver("3", &third).await.unwrap();
        let beside = "Nord/2026-11/Bericht (2).pdf";
        assert_eq!(receipt, at(beside, Outcome::Beside));
        let contents = bench.drive.contents(&bench.root);
        assert_eq!(contents[PATH], "von Hand".as_bytes());
        assert_eq!(contents[beside], b"drei");
        assert_eq!(contents.len(), 2);
        // Ours beside it is ours to replace as well.
        let fourth = outgoing(PATH, b"vier", Some(b"drei"));
        assert_eq!(
            bench.deliver("4", &fourth).await.unwrap(),
            at(beside, Outcome::Replaced)
        );
    }
}

/// A search still says that the file is as we left it, and somebody has written in it since.
#[tokio::test]
async fn what_a_search_says_is_looked_at_again_before_a_file_is_replaced() {
    let bench = Bench::start().await;
    bench
        .deliver("1", &outgoing(PATH, b"eins", None))
        .await
        .unwrap();
    let file = bench
        .drive
        .files_below(&bench.root)
        .into_iter()
        .next()
        .unwrap();
    bench.next_night();
    bench.drive.behave(|ways| ways.lag = TimeDelta::hours(1));
    bench.drive.edit(&file, "von Hand");
    let second = outgoing(PATH, b"zwei", Some(b"eins"));
    let receipt = bench.deliver("2", &second).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Beside);
    assert_eq!(bench.drive.contents(&bench.root)[PATH], b"von Hand");
}

/// Two processes that know nothing of each other, at the same time.
#[tokio::test]
async fn a_race_leaves_one() {
    let bench = Bench::start().await;
    bench
        .deliver("0", &outgoing("Nord/2026-11/x.txt", b"x", None))
        .await
        .unwrap();
    for round in 0..5 {
        let path = format!("Nord/2026-11/Bericht {round}.pdf");
        let file = outgoing(&path, path.as_bytes(), None);
        bench.clock.advance(Duration::from_mins(2));
        let (key, key2) = (path.clone(), path.clone());
        let (one, other) = tokio::join!(bench.deliver(&key, &file), bench.deliver(&key2, &file));
        let locations = [one.unwrap().location, other.unwrap().location];
        assert_eq!(locations, [path.clone(), path]);
    }
    let contents = bench.drive.contents(&bench.root);
    assert_eq!(contents.len(), 6, "{:?}", contents.keys());
}

/// What a person has put away stays away, and is delivered anew when it is asked for.
#[tokio::test]
async fn a_delivery_that_was_trashed_is_made_anew() {
    let bench = Bench::start().await;
    bench.drive.behave(|ways| ways.lag = TimeDelta::hours(1));
    let file = outgoing(PATH, b"eins", None);
    bench.deliver("1", &file).await.unwrap();
    let first = bench
        .drive
        .files_below(&bench.root)
        .into_iter()
        .next()
        .unwrap();
    bench.drive.trash(&first, true);
    assert_eq!(
        bench.deliver("1", &file).await.unwrap(),
        at(PATH, Outcome::Created)
    );
    let now = bench.drive.files_below(&bench.root);
    assert!(now.len() == 1 && !now.contains(&first));
}

#[tokio::test]
async fn a_large_file_goes_through_a_session_that_is_in_no_message() {
    let bench = Bench::start().await;
    let large: Vec<u8> = (0..6_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let file = outgoing("groß.pdf", &large, None);
    bench.deliver("1", &file).await.unwrap();
    let second: Vec<u8> = large.iter().map(|byte| byte ^ 1).collect();
    let file = outgoing("groß.pdf", &second, Some(&large));
    assert_eq!(
        bench.deliver("2", &file).await.unwrap().outcome,
        Outcome::Replaced
    );
    assert!(bench.drive.contents(&bench.root)["groß.pdf"] == second);
    let puts = bench
        .server
        .requests()
        .into_iter()
        .filter(|it| it.method == "PUT")
        .count();
    assert_eq!(puts, 2);

    // The session breaks off: the error names no address of it, and the repetition begins anew.
    let third: Vec<u8> = large.iter().map(|byte| byte ^ 2).collect();
    let file = outgoing("groß 2.pdf", &third, None);
    bench.server.fail_after(
        8,
        Fault {
            path: "/upload",
            times: 0,
            kind: FaultKind::Reset,
        },
    );
    bench.server.fail_after(
        1,
        Fault {
            path: "/upload",
            times: u32::MAX,
            kind: FaultKind::LostAnswer,
        },
    );
    let error = bench.deliver("3", &file).await.unwrap_err();
    assert!(!format!("{error:?}").contains("ABg5"), "{error:?}");
    bench.server.heal();
    let receipt = bench.deliver("3", &file).await.unwrap();
    assert_eq!(receipt, at("groß 2.pdf", Outcome::AlreadyThere));
    assert_eq!(bench.drive.contents(&bench.root).len(), 2);
}

#[tokio::test]
async fn who_may_not_write_is_told_what_to_do() {
    let bench = Bench::start().await;
    bench.drive.behave(|ways| ways.no_storage = true);
    let file = outgoing("Bericht.pdf", b"x", None);
    let error = bench.deliver("1", &file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error
            .to_string()
            .contains("a service account cannot put files"),
        "{error}"
    );
    assert!(error.advice().unwrap().contains("shared drive"));

    bench
        .drive
        .behave(|ways| (ways.no_storage, ways.read_only) = (false, true));
    let error = bench.deliver("1", &file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(
        error.advice().unwrap().contains("editor"),
        "{:?}",
        error.advice()
    );
    let details = bench.connector().check().await.unwrap().details;
    assert!(details[1].contains("not writable"), "{details:?}");

    for path in ["../x", "/x", "a/../b", "con.txt", ""] {
        let error = bench
            .deliver("1", &outgoing(path, b"x", None))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{path}");
    }
    let damaged = OutgoingFile {
        sha256: hash(b"y"),
        ..outgoing("a.txt", b"x", None)
    };
    assert_eq!(
        bench.deliver("1", &damaged).await.unwrap_err().kind(),
        ErrorKind::Rejected
    );
    assert!(bench.drive.contents(&bench.root).is_empty());
}

/// "Never delete remote files at all", and never change those of others.
#[tokio::test]
async fn nothing_of_others_is_changed() {
    let bench = Bench::start().await;
    let folder = bench.drive.add_folder(&bench.root, "Nord");
    let theirs = bench.drive.add_file(&folder, "Bericht.pdf", "von Erika");
    let twin = bench.drive.add_file(&folder, "Bericht.pdf", "von Max");
    let document = bench.drive.add_document(&folder, "Bericht (2).pdf");
    let receipt = bench
        .deliver("1", &outgoing("Nord/Bericht.pdf", b"x", None))
        .await
        .unwrap();
    assert_eq!(receipt, at("Nord/Bericht (3).pdf", Outcome::Beside));
    for request in bench.server.requests() {
        assert_ne!(request.method, "DELETE");
        let touched = [&theirs, &twin, &document].map(|id| request.path.contains(id.as_str()));
        assert!(
            request.method == "GET" || touched == [false; 3],
            "{request:?}"
        );
    }
    // The same bytes, put there by a person, are as good as delivered.
    bench.drive.add_file(&folder, "Zeiten.csv", "eins");
    let receipt = bench
        .deliver("2", &outgoing("Nord/Zeiten.csv", b"eins", None))
        .await
        .unwrap();
    assert_eq!(receipt.outcome, Outcome::AlreadyThere);
}

/// A folder takes thirty private properties; the notes do not pile up.
#[tokio::test]
async fn the_notes_go_when_searches_know() {
    let bench = Bench::start().await;
    for number in 0..50 {
        bench.clock.advance(Duration::from_mins(1));
        let path = format!("Berichte/{number}.pdf");
        let file = outgoing(&path, path.as_bytes(), None);
        bench.deliver(&path, &file).await.unwrap();
    }
    let patched = bench
        .server
        .requests()
        .into_iter()
        .filter(|it| it.method == "PATCH");
    let refused = bench
        .drive
        .answers()
        .into_iter()
        .filter(|it| it.status == 400)
        .count();
    assert_eq!((patched.count(), refused), (51, 0));
}
