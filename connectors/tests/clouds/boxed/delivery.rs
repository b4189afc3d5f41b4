//! Deliveries: once, whole, and never over somebody's work.

use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::Outcome;
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::record::ExternalId;

use super::Bench;
use crate::document;
use crate::fakes::{Fault, FaultKind};

const PATH: &str = "2026/11/Übersicht Nord.pdf";

#[tokio::test]
async fn a_document_arrives_once_however_often_it_is_sent() {
    let bench = Bench::start().await;
    let item = document(PATH, b"%PDF 1", None);
    for outcome in [
        Outcome::Created,
        Outcome::AlreadyThere,
        Outcome::AlreadyThere,
    ] {
        let receipt = bench.connector().deliver(&item).await.unwrap();
        assert_eq!(
            (receipt.outcome, receipt.location.as_str()),
            (outcome, PATH)
        );
    }
    assert_eq!(bench.service.files().len(), 1);
}

/// The refusal of the name tells what is there, though no list shows it yet.
#[tokio::test]
async fn a_list_that_lags_behind_makes_no_second_copy() {
    let bench = Bench::start().await;
    let item = document(PATH, b"%PDF 1", None);
    bench.connector().deliver(&item).await.unwrap();
    bench.service.lag();
    let receipt = bench.connector().deliver(&item).await.unwrap();
    assert_eq!(
        (receipt.outcome, receipt.location.as_str()),
        (Outcome::AlreadyThere, PATH)
    );
    assert_eq!(bench.service.files().keys().collect::<Vec<_>>(), [PATH]);
}

/// Two processes at once: folders and file are refused the second time.
#[tokio::test]
async fn two_at_once_are_one() {
    let bench = Bench::start().await;
    let item = document(PATH, b"%PDF 1", None);
    let (one, other) = (bench.connector(), bench.connector());
    let (one, other) = tokio::join!(one.deliver(&item), other.deliver(&item));
    assert_eq!(one.unwrap().location, other.unwrap().location);
    assert_eq!(bench.service.files().keys().collect::<Vec<_>>(), [PATH]);
    assert_eq!(
        bench.service.folders(),
        3,
        "the top, the year and the month"
    );
}

#[tokio::test]
async fn a_persons_edit_before_is_left_and_ours_goes_beside() {
    let bench = Bench::start().await;
    bench
        .connector()
        .deliver(&document(PATH, b"%PDF 1", None))
        .await
        .unwrap();
    bench.service.write(PATH, b"%PDF 1, corrected by hand");
    let item = document(PATH, b"%PDF 2", Some(b"%PDF 1"));
    for _ in 0..2 {
        let receipt = bench.connector().deliver(&item).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside);
        assert_eq!(receipt.location, "2026/11/Übersicht Nord (2).pdf");
    }
    let files = bench.service.files();
    assert_eq!(files[PATH], b"%PDF 1, corrected by hand");
    assert_eq!(files.len(), 2);
}

/// The edit comes between our look and our write: the `etag` is not the one that we saw.
#[tokio::test]
async fn a_persons_edit_during_a_delivery_is_never_overwritten() {
    for (earlier, there) in [(None, false), (Some(&b"%PDF 1"[..]), true)] {
        let bench = Bench::start().await;
        bench.service.folder("2026/11");
        if there {
            bench
                .connector()
                .deliver(&document(PATH, b"%PDF 1", None))
                .await
                .unwrap();
        }
        // The look is done when the upload arrives and is told to wait; then a person writes.
        bench.service.write_meanwhile(PATH, b"a person's work");
        let item = document(PATH, b"%PDF 2", earlier);
        let receipt = bench.connector().deliver(&item).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside, "{earlier:?}");
        let files = bench.service.files();
        assert_eq!(files[PATH], b"a person's work");
        assert_eq!(files[&receipt.location], b"%PDF 2");
        assert_eq!(files.len(), 2);
    }
}

#[tokio::test]
async fn a_name_that_is_reserved_for_a_moment_is_waited_for() {
    let bench = Bench::start().await;
    bench.service.reserve(2);
    let before = bench.clock.now();
    bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap();
    assert!((bench.clock.now() - before).num_seconds() >= 10);
    assert_eq!(bench.service.files().len(), 1);
}

#[tokio::test]
async fn a_name_that_differs_in_case_is_taken() {
    let bench = Bench::start().await;
    bench
        .service
        .write("2026/11/ÜBERSICHT NORD.PDF", b"somebody's");
    bench.service.folder("2026/11/Übersicht Nord (2).pdf");
    let receipt = bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap();
    assert_eq!(receipt.location, "2026/11/Übersicht Nord (3).pdf");
    assert_eq!(receipt.outcome, Outcome::Beside);
}

#[tokio::test]
async fn a_file_where_a_folder_should_be_is_told() {
    let bench = Bench::start().await;
    bench.service.write("2026", b"a file");
    let error = bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.advice().unwrap().contains("rename"));
}

#[tokio::test]
async fn what_box_refuses_is_told_with_what_to_do() {
    let bench = Bench::start().await;
    for (code, reason, kind) in [
        (403, "storage_limit_exceeded", ErrorKind::Forbidden),
        (
            403,
            "access_denied_insufficient_permissions",
            ErrorKind::Forbidden,
        ),
        (400, "item_name_invalid", ErrorKind::Rejected),
        (409, "something_new", ErrorKind::Conflict),
    ] {
        let body = format!(r#"{{"type": "error", "status": {code}, "code": "{reason}"}}"#);
        let (path, times, headers) = ("/upload/", 9, Vec::new());
        let kind_of = FaultKind::Status {
            code,
            headers,
            body,
        };
        bench.server.fail(Fault {
            path,
            times,
            kind: kind_of,
        });
        let error = bench
            .connector()
            .deliver(&document(PATH, b"%PDF", None))
            .await
            .unwrap_err();
        bench.server.heal();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(bench.service.files().is_empty());
}

/// Failure 16: the other host sees no credential, and what it sends is held against the hash.
#[tokio::test]
async fn a_file_is_read_from_another_host_without_the_login() {
    let bench = Bench::start().await;
    let id = ExternalId::new(bench.service.write("Zeiten.html", b"<html>1;2</html>"));
    let connector = bench.connector();
    bench.service.unready(2);
    assert_eq!(connector.fetch(&id, 16).await.unwrap(), b"<html>1;2</html>");
    assert_eq!(bench.abroad.requests().len(), 1);
    assert_eq!(bench.abroad.requests()[0].header("authorization"), None);
    let error = connector.fetch(&id, 15).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let (path, times, kind) = ("/d/1", 9, FaultKind::Html);
    bench.abroad.fail(Fault { path, times, kind });
    let error = connector.fetch(&id, 16).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let error = connector
        .fetch(&ExternalId::new("404"), 16)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
