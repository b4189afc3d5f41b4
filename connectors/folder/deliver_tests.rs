//! Deliveries cut off at every step, and names that are taken at the worst moment.

use std::path::Path;
use std::sync::Arc;

use super::*;

const KEY: &str = "statement/acme/2026-10/1";

fn item(path: &str, content: &[u8], replaces: Option<&[u8]>) -> OutgoingFile {
    OutgoingFile {
        path: path.to_owned(),
        bytes: Arc::from(content),
        sha256: hex(&Sha256::digest(content)),
        replaces: replaces.map(|content| hex(&Sha256::digest(content))),
    }
}

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

fn put(root: &Path, file: &OutgoingFile) -> Receipt {
    deliver(&open(root), KEY, file, &mut |_| Ok(())).unwrap()
}

/// Runs a delivery and kills it when it comes to `step`; `false` when it never does.
fn kill_at(root: &Path, file: &OutgoingFile, step: Step) -> bool {
    let mut killed = false;
    let mut watch = |now: Step| {
        if now == step {
            killed = true;
            return Err(Error::new(Kind::Protocol, "killed"));
        }
        Ok(())
    };
    // Not through `deliver`, which would clear up: a killed program does not.
    let _ = prepare(&open(root), KEY, file, &mut watch).and_then(|d| d.run(&mut watch));
    killed
}

/// Every file below the folder with its content, by path.
fn tree(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path
                    .strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                found.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

fn files(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(path, content): &(&str, &str)| ((*path).to_owned(), (*content).to_owned());
    expected.iter().map(own).collect()
}

const STEPS: [Step; 7] = [
    Step::FoldersMade,
    Step::TempOpened,
    Step::TempHalf,
    Step::TempDurable,
    Step::Linked,
    Step::Named,
    Step::Done,
];

/// What lay there before, what is delivered, how a clean attempt ends, and what lies there then.
struct Case {
    before: &'static [(&'static str, &'static str)],
    replaces: Option<&'static [u8]>,
    outcome: Outcome,
    after: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 4] = [
    Case {
        before: &[],
        replaces: None,
        outcome: Outcome::Created,
        after: &[("Acme/10/report.pdf", "the new report")],
    },
    Case {
        before: &[("Acme/10/report.pdf", "the old report")],
        replaces: Some(b"the old report"),
        outcome: Outcome::Replaced,
        after: &[("Acme/10/report.pdf", "the new report")],
    },
    Case {
        before: &[("Acme/10/report.pdf", "edited by Anna")],
        replaces: Some(b"the old report"),
        outcome: Outcome::Beside,
        after: &[
            ("Acme/10/report (2).pdf", "the new report"),
            ("Acme/10/report.pdf", "edited by Anna"),
        ],
    },
    Case {
        before: &[
            ("Acme/10/report (2).pdf", "by Ben"),
            ("Acme/10/report (4).pdf", "by Cem"),
            ("Acme/10/report.pdf", "by Anna"),
        ],
        replaces: None,
        outcome: Outcome::Beside,
        after: &[
            ("Acme/10/report (2).pdf", "by Ben"),
            ("Acme/10/report (3).pdf", "the new report"),
            ("Acme/10/report (4).pdf", "by Cem"),
            ("Acme/10/report.pdf", "by Anna"),
        ],
    },
];

impl Case {
    fn seed(&self) -> (tempfile::TempDir, OutgoingFile) {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in self.before {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        (
            root,
            item("Acme/10/report.pdf", b"the new report", self.replaces),
        )
    }
}

#[test]
fn each_case_ends_as_described_and_again_changes_nothing() {
    for case in &CASES {
        let (root, file) = case.seed();
        let receipt = put(root.path(), &file);
        assert_eq!(receipt.outcome, case.outcome, "{:?}", case.before);
        assert_eq!(tree(root.path()), files(case.after));
        let again = put(root.path(), &file);
        let expected = match case.outcome {
            Outcome::Beside => Outcome::Beside,
            _ => Outcome::AlreadyThere,
        };
        assert_eq!(
            (again.outcome, again.location),
            (expected, receipt.location)
        );
        assert_eq!(tree(root.path()), files(case.after));
    }
}

#[test]
fn killed_at_any_step_and_tried_again_there_is_exactly_one() {
    for case in &CASES {
        let mut reached = 0;
        for step in STEPS {
            let (root, file) = case.seed();
            reached += usize::from(kill_at(root.path(), &file, step));
            put(root.path(), &file);
            assert_eq!(tree(root.path()), files(case.after), "killed at {step:?}");
        }
        // All but the link, which this file system does not need.
        assert_eq!(reached, STEPS.len() - 1, "{:?}", case.before);
    }
}

#[test]
fn killed_at_every_step_one_after_another() {
    for case in &CASES {
        let (root, file) = case.seed();
        for step in STEPS.into_iter().chain(STEPS) {
            kill_at(root.path(), &file, step);
        }
        put(root.path(), &file);
        assert_eq!(tree(root.path()), files(case.after));
    }
}

/// A delivery with its content written, as it stands before the name is given.
fn written<'a>(root: &Path, file: &'a OutgoingFile) -> Delivery<'a> {
    let delivery = prepare(&open(root), KEY, file, &mut |_| Ok(())).unwrap();
    delivery.write(&mut |_| Ok(())).unwrap();
    delivery
}

#[test]
fn every_way_to_name_a_file_leaves_a_taken_name_alone() {
    for way in [Way::Rename, Way::Link, Way::LookAndRename] {
        let root = tempfile::tempdir().unwrap();
        let file = item("report.pdf", b"new", None);
        let delivery = written(root.path(), &file);
        std::fs::write(root.path().join("report.pdf"), "Anna").unwrap();
        let taken = delivery
            .place_by(way, "report.pdf", &mut |_| Ok(()))
            .unwrap();
        assert_eq!(taken, Err(Errno::EXIST), "{way:?}");
        let free = delivery.place_by(way, "free.pdf", &mut |_| Ok(())).unwrap();
        assert_eq!(free, Ok(()), "{way:?}");
        assert_eq!(
            tree(root.path()),
            files(&[("free.pdf", "new"), ("report.pdf", "Anna")])
        );
    }
}

#[test]
fn killed_between_link_and_unlink_there_is_exactly_one() {
    let root = tempfile::tempdir().unwrap();
    let file = item("report.pdf", b"new", None);
    let delivery = written(root.path(), &file);
    let killed = |_| Err(Error::new(Kind::Protocol, "killed"));
    delivery
        .place_by(Way::Link, "report.pdf", &mut { killed })
        .unwrap_err();
    assert_eq!(tree(root.path()).len(), 2, "both names are there");
    assert_eq!(put(root.path(), &file).outcome, Outcome::AlreadyThere);
    assert_eq!(tree(root.path()), files(&[("report.pdf", "new")]));
}

#[test]
fn a_name_taken_at_the_last_moment_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let file = item("report.pdf", b"new", None);
    let path = root.path().join("report.pdf");
    let mut watch = |step: Step| {
        if step == Step::TempDurable {
            std::fs::write(&path, "Anna was faster").unwrap();
        }
        Ok(())
    };
    let receipt = deliver(&open(root.path()), KEY, &file, &mut watch).unwrap();
    assert_eq!(
        (receipt.outcome, receipt.location.as_str()),
        (Outcome::Beside, "report (2).pdf")
    );
    let expected = [("report (2).pdf", "new"), ("report.pdf", "Anna was faster")];
    assert_eq!(tree(root.path()), files(&expected));
}

#[test]
fn our_earlier_version_edited_at_the_last_moment_is_not_replaced() {
    for edit in ["Anna", "old and edited"] {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("report.pdf");
        std::fs::write(&path, "old").unwrap();
        let file = item("report.pdf", b"new", Some(b"old"));
        let mut watch = |step: Step| {
            if step == Step::TempDurable {
                std::fs::write(&path, edit).unwrap();
            }
            Ok(())
        };
        let receipt = deliver(&open(root.path()), KEY, &file, &mut watch).unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside);
        assert_eq!(
            tree(root.path()),
            files(&[("report (2).pdf", "new"), ("report.pdf", edit)])
        );
    }
}

#[test]
fn a_version_that_was_put_beside_is_replaced_there() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("report.pdf"), "Anna").unwrap();
    std::fs::write(root.path().join("report (2).pdf"), "old").unwrap();
    let receipt = put(root.path(), &item("report.pdf", b"new", Some(b"old")));
    let expected = (Outcome::Replaced, "report (2).pdf");
    assert_eq!((receipt.outcome, receipt.location.as_str()), expected);
    assert_eq!(
        tree(root.path()),
        files(&[("report (2).pdf", "new"), ("report.pdf", "Anna")])
    );
}

#[test]
fn it_stays_one_when_the_name_is_free_again() {
    // The first attempt went beside Anna's file and was killed; then Anna moved hers away.
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("report.pdf"), "Anna").unwrap();
    let file = item("report.pdf", b"new", None);
    assert!(kill_at(root.path(), &file, Step::Named));
    std::fs::remove_file(root.path().join("report.pdf")).unwrap();
    assert_eq!(put(root.path(), &file).outcome, Outcome::Beside);
    assert_eq!(tree(root.path()), files(&[("report (2).pdf", "new")]));
}

#[test]
fn the_left_over_of_another_delivery_is_left_alone() {
    let root = tempfile::tempdir().unwrap();
    let other = ".stundenbuch-0123456789abcdef.tmp";
    std::fs::write(root.path().join(other), "half").unwrap();
    put(root.path(), &item("report.pdf", b"new", None));
    assert_eq!(
        tree(root.path()),
        files(&[(other, "half"), ("report.pdf", "new")])
    );
}

#[test]
fn a_failed_attempt_leaves_nothing_behind() {
    let root = tempfile::tempdir().unwrap();
    let file = item("report.pdf", b"new", None);
    let mut watch = |step: Step| match step {
        Step::TempHalf => Err(failure("could not write", "report.pdf", Errno::NOSPC)),
        _ => Ok(()),
    };
    let error = deliver(&open(root.path()), KEY, &file, &mut watch).unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert_eq!(tree(root.path()), []);
}

#[test]
fn links_and_pipes_are_neither_followed_nor_opened() {
    let root = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("Acme")).unwrap();
    let file = item("Acme/report.pdf", b"new", None);
    let error = deliver(&open(root.path()), KEY, &file, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), Kind::Conflict, "{error}");
    assert_eq!(tree(elsewhere.path()), []);
    // Opening a pipe without a writer waits for ever.
    let pipe = root.path().join("report.pdf");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    let same_size = item("report.pdf", b"", Some(b"old"));
    assert_eq!(put(root.path(), &same_size).location, "report (2).pdf");
    std::os::unix::fs::symlink("report (2).pdf", root.path().join("link.pdf")).unwrap();
    let through = item("link.pdf", b"", Some(b""));
    assert_eq!(put(root.path(), &through).location, "link (2).pdf");
}

#[test]
fn bytes_that_do_not_fit_their_checksum_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let mut file = item("report.pdf", b"new", None);
    file.bytes = Arc::from(&b"damaged"[..]);
    let error = deliver(&open(root.path()), KEY, &file, &mut |_| Ok(())).unwrap_err();
    assert_eq!(error.kind(), Kind::Rejected);
    assert_eq!(tree(root.path()), []);
}
