//! Deliveries: once, whole, and never over somebody else's work.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;

use sha2::{Digest, Sha256};

use super::{Subject, Trouble, hides_in_error};
use crate::contract::{Item, Outcome, Outgoing, OutgoingFile, Receipt};
use crate::error::Kind as ErrorKind;

/// Repeated deliveries leave one file, our own is replaced, and a stranger's is left alone. A
/// connector that only reads refuses. Nothing is checked of one that delivers while its subject
/// does not show the target ([`Subject::delivered`]).
pub async fn delivers_once<S: Subject>(subject: &S) {
    let connector = subject.connector();
    if connector.kind().delivers.is_empty() {
        let error = connector.deliver(&file("a.pdf", b"one", None)).await;
        let error = error.expect_err("a connector that declares no delivery takes one");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        return;
    }
    let Some(before) = subject.delivered() else {
        return;
    };
    let path = "2026-11/statement 7 (ä).pdf";
    let first = file(path, b"first", None);
    let created = deliver(subject, &first).await;
    assert_eq!(created.outcome, Outcome::Created, "the first delivery");
    let with = |location: &str, bytes: &[u8]| {
        let mut all = before.clone();
        all.insert(location.to_owned(), bytes.to_vec());
        all
    };
    must_show(
        subject,
        &with(&created.location, b"first"),
        "the first delivery",
    );

    let again = deliver(subject, &first).await;
    assert_eq!(again.outcome, Outcome::AlreadyThere, "the same again");
    assert_eq!(
        again.location, created.location,
        "the same again lies elsewhere"
    );
    must_show(
        subject,
        &with(&created.location, b"first"),
        "the same again",
    );

    let second = file(path, b"second", Some(b"first"));
    for wanted in [Outcome::Replaced, Outcome::AlreadyThere] {
        let replaced = deliver(subject, &second).await;
        assert_eq!(replaced.outcome, wanted, "a new version of ours");
        must_show(
            subject,
            &with(&replaced.location, b"second"),
            "a new version of ours",
        );
    }

    // From here on the file counts as a stranger's: it is not what we say to have delivered.
    let foreign = with(&created.location, b"second");
    for (content, replaces) in [
        (b"third!", None),
        (b"fourth", Some(&b"never delivered"[..])),
    ] {
        let beside = file(path, content, replaces);
        let before = subject.delivered().unwrap_or_default();
        let receipt = deliver(subject, &beside).await;
        assert_eq!(receipt.outcome, Outcome::Beside, "a name that is taken");
        let mut wanted = before;
        wanted.insert(receipt.location.clone(), content.to_vec());
        must_show(subject, &wanted, "a name that is taken");
        assert_eq!(
            wanted.get(&created.location),
            foreign.get(&created.location)
        );
        deliver(subject, &beside).await;
        must_show(subject, &wanted, "a name that is taken, again");
    }
}

/// A delivery whose answer is lost, or that is cut off at any request, is there once after it was
/// made again.
pub async fn delivers_once_though_answers_are_lost<S: Subject, F: Future<Output = S>>(
    make: &impl Fn() -> F,
) {
    /// Requests into a delivery before the trouble, at most.
    const DEEP: u32 = 8;
    let path = "2026-11/statement 7 (ä).pdf";
    for trouble in [Trouble::Lost, Trouble::Away, Trouble::Cut] {
        for skip in 0..DEEP {
            let subject = make().await;
            if subject.delivered().is_none() {
                return;
            }
            for (content, replaces) in [(&b"first"[..], None), (b"second", Some(&b"first"[..]))] {
                if !subject.break_with(trouble, skip) {
                    return;
                }
                let item = file(path, content, replaces);
                let cut_off = subject.connector().deliver(&item).await;
                subject.heal();
                let what = format!("{trouble:?} after {skip} requests, {cut_off:?}");
                let receipt = deliver(&subject, &item).await;
                if let Ok(first) = &cut_off {
                    assert_eq!(first.location, receipt.location, "{what}");
                }
                let wanted = BTreeMap::from([(receipt.location.clone(), content.to_vec())]);
                must_show(&subject, &wanted, &what);
            }
        }
    }
}

async fn deliver<S: Subject>(subject: &S, item: &Outgoing) -> Receipt {
    // Each time a fresh connector: the process may have died since.
    match subject.connector().deliver(item).await {
        Ok(receipt) => receipt,
        Err(error) => panic!("a delivery fails: {}", hides_in_error(subject, error)),
    }
}

#[track_caller]
fn must_show<S: Subject>(subject: &S, wanted: &BTreeMap<String, Vec<u8>>, what: &str) {
    let shown = subject.delivered().unwrap_or_default();
    let names = |all: &BTreeMap<String, Vec<u8>>| all.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&shown), names(wanted), "{what} leaves other files");
    for (path, bytes) in wanted {
        assert!(
            shown.get(path) == Some(bytes),
            "{what} leaves other bytes in {path}"
        );
    }
}

fn file(path: &str, bytes: &[u8], replaces: Option<&[u8]>) -> Outgoing {
    let sha256 = hash(bytes);
    Outgoing {
        key: format!("{path} {sha256}"),
        item: Item::File(OutgoingFile {
            path: path.to_owned(),
            bytes: bytes.into(),
            sha256,
            replaces: replaces.map(hash),
        }),
    }
}

pub(super) fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a string takes it");
            text
        })
}
