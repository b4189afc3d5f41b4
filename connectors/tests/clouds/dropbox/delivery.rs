//! Deliveries: once, whole, and never over somebody's work.

use std::time::Duration;

use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::contract::Outcome;
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::record::ExternalId;

use super::Bench;
use crate::document;
use crate::fakes::{Fault, FaultKind};

const PATH: &str = "2026-11/Übersicht Nord.pdf";

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
    assert_eq!(bench.dropbox.files().len(), 1);
    assert_eq!(bench.dropbox.revisions(), 1);
}

/// Two processes at once: the second upload of the same bytes writes nothing.
#[tokio::test]
async fn two_at_once_are_one() {
    let bench = Bench::start().await;
    let item = document(PATH, b"%PDF 1", None);
    let (one, other) = (bench.connector(), bench.connector());
    let (one, other) = tokio::join!(one.deliver(&item), other.deliver(&item));
    assert_eq!(one.unwrap().location, other.unwrap().location);
    assert_eq!(
        (bench.dropbox.files().len(), bench.dropbox.revisions()),
        (1, 1)
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
    bench.clock.advance(Duration::from_secs(1));
    bench
        .dropbox
        .write(&format!("/{PATH}"), b"%PDF 1, corrected by hand");
    let item = document(PATH, b"%PDF 2", Some(b"%PDF 1"));
    for _ in 0..2 {
        let receipt = bench.connector().deliver(&item).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside);
        assert_eq!(receipt.location, "2026-11/Übersicht Nord (2).pdf");
    }
    let files = bench.dropbox.files();
    assert_eq!(files[&format!("/{PATH}")], b"%PDF 1, corrected by hand");
    assert_eq!(files.len(), 2);
}

/// The edit comes between our look and our write: the revision that we name is not there any more.
#[tokio::test]
async fn a_persons_edit_during_a_delivery_is_never_overwritten() {
    for (earlier, there) in [(None, false), (Some(&b"%PDF 1"[..]), true)] {
        let bench = Bench::start().await;
        if there {
            bench
                .connector()
                .deliver(&document(PATH, b"%PDF 1", None))
                .await
                .unwrap();
        }
        // The look is done when the upload arrives and is told to wait; then a person writes.
        bench
            .dropbox
            .write_meanwhile(&format!("/{PATH}"), b"a person's work");
        let item = document(PATH, b"%PDF 2", earlier);
        let receipt = bench.connector().deliver(&item).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside, "{earlier:?}");
        let files = bench.dropbox.files();
        assert_eq!(files[&format!("/{PATH}")], b"a person's work");
        assert_eq!(files[&format!("/{}", receipt.location)], b"%PDF 2");
        assert_eq!(files.len(), 2);
    }
}

#[tokio::test]
async fn a_name_that_differs_in_case_is_taken() {
    let bench = Bench::start().await;
    bench
        .dropbox
        .write("/2026-11/ÜBERSICHT NORD.PDF", b"somebody's");
    let receipt = bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap();
    assert_eq!(receipt.outcome, Outcome::Beside);
    bench.dropbox.folder("/2026-11/Übersicht Nord (3).pdf");
    let receipt = bench
        .connector()
        .deliver(&document(PATH, b"%PDF 2", None))
        .await
        .unwrap();
    assert_eq!(receipt.location, "2026-11/Übersicht Nord (4).pdf");
}

/// Our earlier version of more than one block is known by its bytes alone.
#[tokio::test]
async fn a_large_earlier_version_is_read_before_it_is_replaced() {
    let bench = Bench::start().await;
    let large = vec![7; (4 << 20) + 1];
    bench
        .connector()
        .deliver(&document(PATH, &large, None))
        .await
        .unwrap();
    let item = document(PATH, b"small", Some(&large));
    let receipt = bench.connector().deliver(&item).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Replaced);
    assert_eq!(bench.dropbox.files().len(), 1);
}

/// Failure 11: writes that block each other are waited for, as long as it takes.
#[tokio::test]
async fn too_many_write_operations_are_waited_out() {
    let bench = Bench::start().await;
    bench.dropbox.busy(2);
    let before = bench.clock.now();
    bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap();
    assert!((bench.clock.now() - before).num_seconds() >= 2);
    assert_eq!(bench.dropbox.files().len(), 1);
}

#[tokio::test]
async fn what_dropbox_refuses_is_told_with_what_to_do() {
    let bench = Bench::start().await;
    let refused = |reason: &str| {
        let body = format!(
            r#"{{"error_summary": "path/{reason}/..", "error": {{".tag": "path",
                "reason": {{".tag": "{reason}"}}, "upload_session_id": "A"}}}}"#
        );
        let (code, headers) = (409, Vec::new());
        FaultKind::Status {
            code,
            headers,
            body,
        }
    };
    for (reason, kind) in [
        ("insufficient_space", ErrorKind::Forbidden),
        ("no_write_permission", ErrorKind::Forbidden),
        ("disallowed_name", ErrorKind::Rejected),
        ("something_new", ErrorKind::Rejected),
    ] {
        let (path, times) = ("/files/upload", 9);
        bench.server.fail(Fault {
            path,
            times,
            kind: refused(reason),
        });
        let error = bench
            .connector()
            .deliver(&document(PATH, b"%PDF", None))
            .await
            .unwrap_err();
        bench.server.heal();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(reason) && error.advice().is_some());
    }
    assert!(bench.dropbox.files().is_empty());

    bench
        .dropbox
        .write("/2026-11", b"a file where the folder should be");
    let error = bench
        .connector()
        .deliver(&document(PATH, b"%PDF", None))
        .await
        .unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_eq!(bench.dropbox.files().len(), 1);
}

#[tokio::test]
async fn a_path_that_is_not_safe_or_bytes_that_are_not_ours_are_refused() {
    let bench = Bench::start().await;
    for path in ["../x.pdf", "/x.pdf", "a//b.pdf", "x.tmp"] {
        let error = bench
            .connector()
            .deliver(&document(path, b"x", None))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }
    assert_eq!(bench.sent(), 0);
}

/// Failure 16: a download is held against its hash.
#[tokio::test]
async fn a_file_is_read_whole_and_verified() {
    let bench = Bench::start().await;
    let id = ExternalId::new(bench.dropbox.write("/Zeiten/Übersicht.csv", b"a;b\n1;2\n"));
    let connector = bench.connector();
    assert_eq!(connector.fetch(&id, 8).await.unwrap(), b"a;b\n1;2\n");
    let error = connector.fetch(&id, 7).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let kind = FaultKind::Status {
        code: 200,
        headers: vec![("dropbox-api-result", r#"{"size": 8}"#.to_owned())],
        body: "a;b\n1;3\n".to_owned(),
    };
    bench.server.fail(Fault {
        path: "/files/download",
        times: 1,
        kind,
    });
    let error = connector.fetch(&id, 8).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    // Behind it stands no other file.
    let error = connector
        .fetch(&ExternalId::new("id:nothing"), 8)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// A page of the file's own, and no answer of a portal.
#[tokio::test]
async fn a_web_page_that_is_the_file_is_read() {
    let bench = Bench::start().await;
    let page = b"<!doctype html><html>Zeiten</html>";
    let id = ExternalId::new(bench.dropbox.write("/Zeiten.html", page));
    assert_eq!(bench.connector().fetch(&id, 100).await.unwrap(), page);
    let (path, times, kind) = ("/files/download", 9, FaultKind::Html);
    bench.server.fail(Fault { path, times, kind });
    let error = bench.connector().fetch(&id, 100).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
}
