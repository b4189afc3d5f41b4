//! Deliveries to the fake Nextcloud: once, whole, and never over somebody's work.

use stundenbuch_connectors::contract::Outcome;
use stundenbuch_connectors::error::Kind;

use super::*;

const PATH: &str = "Abrechnung/2026-10/Übersicht.pdf";

/// The same by number and by path: with conditions of `PUT`, and with moves.
fn both(bench: &Bench) -> [Box<dyn Connector>; 2] {
    [bench.connector(), bench.plain()]
}

fn is_clean(bench: &Bench) {
    let files = bench.cloud.files("");
    let ours = files.keys().find(|path| path.contains(".stundenbuch-"));
    assert_eq!(ours, None, "a file of ours was left");
}

#[tokio::test]
async fn folders_are_made_and_the_server_is_tried_once() {
    for which in 0..2 {
        let bench = Bench::start().await;
        let connector = both(&bench).into_iter().nth(which).unwrap();
        let receipt = connector
            .deliver(&outgoing(PATH, b"eins", None))
            .await
            .unwrap();
        assert_eq!(
            (receipt.outcome, receipt.location.as_str()),
            (Outcome::Created, PATH)
        );
        let first = bench.sent();
        bench.next_night();
        connector
            .deliver(&outgoing("Abrechnung/Zwei.pdf", b"zwei", None))
            .await
            .unwrap();
        assert!(
            bench.sent() <= 5 && bench.sent() + 5 < first,
            "{} then {}",
            first,
            bench.sent()
        );
        is_clean(&bench);
        assert_eq!(bench.cloud.files("").len(), 2);
    }
}

/// Somebody saves under the name right before our request that would take it.
#[tokio::test]
async fn a_name_taken_between_our_look_and_our_write_stays_somebodys() {
    for (which, method) in [(0, "PUT"), (1, "MOVE")] {
        let bench = Bench::start().await;
        let connector = both(&bench).into_iter().nth(which).unwrap();
        // So that the server is known, and the next request of that kind is the one that counts.
        connector
            .deliver(&outgoing("Anderes.pdf", b"x", None))
            .await
            .unwrap();
        bench.cloud.before(method, |cloud| {
            cloud.write("bert", "Übersicht.pdf", "von Bert");
        });
        let receipt = connector
            .deliver(&outgoing("Übersicht.pdf", b"eins", None))
            .await
            .unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside, "{method}");
        let files = bench.cloud.files("");
        assert_eq!(files["Übersicht.pdf"], b"von Bert");
        assert_eq!(files[&receipt.location], b"eins");
        assert_eq!(files.len(), 3);
        is_clean(&bench);
    }
}

/// Somebody edits our earlier version right before our request that would replace it.
#[tokio::test]
async fn an_edit_between_our_look_and_our_replacing_is_kept() {
    for (which, method) in [(0, "PUT"), (1, "MOVE")] {
        let bench = Bench::start().await;
        let connector = both(&bench).into_iter().nth(which).unwrap();
        connector
            .deliver(&outgoing("Übersicht.pdf", b"eins", None))
            .await
            .unwrap();
        bench.tick();
        bench.cloud.before(method, |cloud| {
            cloud.write("bert", "Übersicht.pdf", "eins, und Bert");
        });
        let second = outgoing("Übersicht.pdf", b"zwei", Some(b"eins"));
        let receipt = connector.deliver(&second).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside, "{method}");
        let files = bench.cloud.files("");
        assert_eq!(files["Übersicht.pdf"], b"eins, und Bert", "{method}");
        assert_eq!(files[&receipt.location], b"zwei");
        assert_eq!(files.len(), 2);
        is_clean(&bench);
    }
}

/// Somebody edits while our version is taken away to be looked at: then it goes back, or beside.
#[tokio::test]
async fn what_was_taken_away_and_is_not_ours_is_put_back() {
    let bench = Bench::start().await;
    let connector = bench.plain();
    connector
        .deliver(&outgoing("Übersicht.pdf", b"eins", None))
        .await
        .unwrap();
    bench.cloud.before("MOVE", |cloud| {
        cloud.write("bert", "Übersicht.pdf", "Bert hat ergänzt");
        // The next move is the one back: the name is taken again.
        cloud.before("MOVE", |cloud| {
            cloud.write("cora", "Übersicht.pdf", "Cora auch");
        });
    });
    let second = outgoing("Übersicht.pdf", b"zwei", Some(b"eins"));
    let receipt = connector.deliver(&second).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Beside);
    let files = bench.cloud.files("");
    let contents: Vec<&[u8]> = files.values().map(Vec::as_slice).collect();
    for content in ["Bert hat ergänzt", "Cora auch", "zwei"] {
        assert!(
            contents.contains(&content.as_bytes()),
            "{content}: {files:?}"
        );
    }
    assert_eq!(files.len(), 3);
    is_clean(&bench);
}

#[tokio::test]
async fn a_server_that_keeps_no_condition_gets_nothing() {
    let bench = Bench::start().await;
    bench.cloud.without("conditions");
    bench.cloud.write("bert", "Übersicht.pdf", "von Bert");
    for connector in both(&bench) {
        let error = connector
            .deliver(&outgoing("Übersicht.pdf", b"x", None))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Unsupported, "{error}");
    }
    assert_eq!(bench.cloud.files("").len(), 1);
    is_clean(&bench);
}

#[tokio::test]
async fn a_lock_is_waited_out_and_a_lasting_one_is_for_another_night() {
    let bench = Bench::start().await;
    let connector = bench.connector();
    bench.cloud.lock(2);
    connector
        .deliver(&outgoing("a.pdf", b"x", None))
        .await
        .unwrap();
    bench.cloud.lock(1_000);
    let error = connector
        .deliver(&outgoing("b.pdf", b"x", None))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable, "{error}");
    bench.cloud.lock(0);
    let receipt = connector
        .deliver(&outgoing("b.pdf", b"x", None))
        .await
        .unwrap();
    assert_eq!(receipt.outcome, Outcome::Created);
    is_clean(&bench);
}

#[tokio::test]
async fn a_full_server_is_told() {
    let bench = Bench::start().await;
    bench.cloud.fill();
    for connector in both(&bench) {
        let error = connector
            .deliver(&outgoing("a.pdf", b"x", None))
            .await
            .unwrap_err();
        assert!(error.to_string().contains("no room"), "{error}");
        assert!(error.advice().is_some());
    }
}

#[tokio::test]
async fn unsafe_paths_and_damaged_content_go_nowhere() {
    let bench = Bench::start().await;
    let connector = bench.connector();
    for path in ["../a.pdf", "/a.pdf", "a/../b.pdf", "a//b.pdf", "a.tmp", ""] {
        let error = connector
            .deliver(&outgoing(path, b"x", None))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), Kind::Rejected, "{path}");
    }
    let mut damaged = outgoing("a.pdf", b"x", None);
    let Item::File(file) = &mut damaged.item else {
        panic!("{damaged:?}")
    };
    file.bytes = b"y"[..].into();
    assert_eq!(
        connector.deliver(&damaged).await.unwrap_err().kind(),
        Kind::Rejected
    );
    assert_eq!(bench.sent(), 0);
}

#[tokio::test]
async fn nothing_but_our_own_is_ever_deleted() {
    let bench = Bench::start().await;
    for connector in both(&bench) {
        let first = outgoing("Übersicht.pdf", b"eins", None);
        connector.deliver(&first).await.unwrap();
        connector
            .deliver(&outgoing("Übersicht.pdf", b"zwei", Some(b"eins")))
            .await
            .unwrap();
        connector
            .deliver(&outgoing("Übersicht.pdf", b"eins", Some(b"zwei")))
            .await
            .unwrap();
    }
    for request in bench.server.requests() {
        let ours = request.path.contains("/.stundenbuch-")
            && request.path.rsplit('.').next() == Some("tmp");
        assert!(request.method != "DELETE" || ours, "{}", request.path);
        if request.method == "MOVE" {
            assert_eq!(request.header("overwrite"), Some("F"));
        }
    }
}

#[tokio::test]
async fn a_file_is_fetched_whole_or_not_at_all() {
    let bench = Bench::start().await;
    bench
        .cloud
        .write(USER, "Zeiten/Oktober.csv", "Tag;Stunden\n1;2\n");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    let id = ledger.files.keys().next().unwrap().clone();
    for (connector, id) in both(&bench)
        .into_iter()
        .zip([id.as_str(), "Zeiten/Oktober.csv"])
    {
        let id = stundenbuch_connectors::record::ExternalId::new(id);
        assert_eq!(
            connector.fetch(&id, 16).await.unwrap(),
            b"Tag;Stunden\n1;2\n"
        );
        assert_eq!(
            connector.fetch(&id, 15).await.unwrap_err().kind(),
            Kind::Rejected
        );
        bench.cloud.before("GET", |cloud| {
            cloud.write(USER, "Zeiten/Oktober.csv", "kurz");
        });
        assert_eq!(
            connector.fetch(&id, 16).await.unwrap_err().kind(),
            Kind::Unavailable
        );
        bench
            .cloud
            .write(USER, "Zeiten/Oktober.csv", "Tag;Stunden\n1;2\n");
    }
    for id in ["4711", "x", "../a", "Zeiten"] {
        let id = stundenbuch_connectors::record::ExternalId::new(id);
        for connector in both(&bench) {
            assert!(connector.fetch(&id, 16).await.is_err(), "{id}");
        }
    }
}
