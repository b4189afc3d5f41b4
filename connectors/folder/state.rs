//! What is remembered between pulls, and the comparison of a walk with it. No file is touched
//! here.
//!
//! The memory is a snapshot: for each file sixteen bytes, a hash of the path and a mark of its
//! size and times. A page is committed with its cursor, and so is written anew each time; with
//! paths in it, it would be five times as long, and names of a client's files would lie about
//! in a place that nobody thinks of when data must be erased.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::root::{Place, RootMark};
use super::walk::{Scan, Seen, first_eight};
use crate::contract::{Cursor, Notice, Page, Raw, Sweep};
use crate::error::Result;
use crate::record::{ExternalId, Stream};

/// The scope of every file: the folder as a whole.
pub(super) const SCOPE: &str = ".";

/// At most so many records a page.
pub(super) const PAGE: usize = 1_000;

/// The connector's cursor.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct State {
    #[serde(default)]
    root: Option<RootMark>,
    /// The folders on which other file systems were mounted.
    #[serde(default)]
    pub(super) mounts: BTreeSet<String>,
    #[serde(default)]
    files: Snapshot,
    /// Within a round: the path up to which its pages have come.
    #[serde(default)]
    after: Option<String>,
}

/// Hash of the path → mark; the mark is odd for a file that must be looked at again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Snapshot(BTreeMap<u64, u64>);

/// The body of a raw record: what the file system said, as JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Body {
    pub(super) path: String,
    pub(super) size: u64,
    /// Absent for a time that no calendar has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) modified: Option<String>,
    pub(super) version: String,
}

impl State {
    /// The root as it was at the last walk.
    pub(super) fn root(&self) -> Option<RootMark> {
        self.root
    }

    /// Refuses a walk that was not one of the folder that the snapshot describes. Tells what is
    /// noteworthy and no reason to refuse.
    pub(super) fn recognise(&self, place: &Place, scan: &Scan) -> Result<Vec<Notice>> {
        let Some(before) = self.root else {
            return Ok(Vec::new());
        };
        // A person has put the marker there to settle exactly this.
        if place.marker.is_some() {
            return Ok(Vec::new());
        }
        if before.mount && !scan.root.mount {
            return Err(place.away("something was mounted here, and is no longer"));
        }
        let held = self.files.0.len();
        if held > 0 && scan.files.is_empty() && scan.folders == 0 && scan.unknown.is_empty() {
            let reason = format!("it is empty, and held {held} files before");
            return Err(place.away(&reason));
        }
        if before.dev == scan.root.dev {
            return Ok(Vec::new());
        }
        // A network mount has another device number after each reboot. Files with the same
        // change times, which nobody can set, prove that it is the same share all the same.
        let kept = scan.files.iter().filter(|file| self.files.same(file));
        if held > 0 && kept.count() * 2 >= held {
            return Ok(vec![notice(
                "folder-mounted-anew",
                "the folder has another device number, and the same files".to_owned(),
            )]);
        }
        Err(place.away("another file system lies at the path, with other files"))
    }

    /// The next page of the round, and the state behind it.
    pub(super) fn advance(mut self, scan: &Scan) -> (Page, Self) {
        self.root = Some(scan.root);
        self.mounts.clone_from(&scan.mounts);
        let after = self.after.take();
        let mut changed = scan
            .files
            .iter()
            .filter(|file| after.as_ref().is_none_or(|after| file.path > *after))
            .filter(|file| !self.files.settled(file))
            .peekable();
        let mut page = Page::default();
        let mut sent = Vec::new();
        while page.raw.len() < PAGE {
            let Some(file) = changed.next() else { break };
            page.raw.push(raw(file));
            sent.push(file);
        }
        page.more = changed.peek().is_some();
        drop(changed);
        for file in &sent {
            self.files.keep(file);
        }
        if page.more {
            self.after = sent.last().map(|file| file.path.clone());
        } else {
            self.finish(scan, &mut page);
        }
        page.next = Cursor::encode(&self);
        (page, self)
    }

    /// Ends a round. Only a walk that has seen every folder proves that a file is absent; after
    /// any other one, the snapshot keeps what it had.
    fn finish(&mut self, scan: &Scan, page: &mut Page) {
        page.notices.extend(notices(scan));
        if !scan.unknown.is_empty() {
            return;
        }
        self.files.retain(&scan.files);
        page.swept.push(Sweep {
            stream: Stream::Files,
            scope: SCOPE.to_owned(),
            from: None,
            until: None,
            present: scan
                .files
                .iter()
                .map(|file| ExternalId::new(file.path.as_str()))
                .collect(),
        });
    }
}

impl Snapshot {
    /// Whether the file is as it was, and was old enough then to be sure.
    fn settled(&self, file: &Seen) -> bool {
        self.0.get(&key(&file.path)) == Some(&file.mark)
    }

    /// Whether the file is as it was.
    fn same(&self, file: &Seen) -> bool {
        self.0
            .get(&key(&file.path))
            .is_some_and(|mark| mark & !1 == file.mark)
    }

    fn keep(&mut self, file: &Seen) {
        self.0
            .insert(key(&file.path), file.mark | u64::from(file.racy));
    }

    fn retain(&mut self, files: &[Seen]) {
        let present: BTreeSet<u64> = files.iter().map(|file| key(&file.path)).collect();
        self.0.retain(|path, _| present.contains(path));
    }
}

impl From<Snapshot> for String {
    fn from(snapshot: Snapshot) -> Self {
        use std::fmt::Write as _;
        let mut text = Self::with_capacity(snapshot.0.len() * 32);
        for (path, mark) in snapshot.0 {
            write!(text, "{path:016x}{mark:016x}").expect("a string takes everything");
        }
        text
    }
}

impl TryFrom<String> for Snapshot {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let number = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| "no digits");
        if !text.is_ascii() || !text.len().is_multiple_of(32) {
            return Err("the snapshot is cut short");
        }
        (0..text.len())
            .step_by(32)
            .map(|at| {
                Ok((
                    number(&text[at..at + 16])?,
                    number(&text[at + 16..at + 32])?,
                ))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

fn key(path: &str) -> u64 {
    first_eight(&Sha256::digest(path))
}

fn raw(file: &Seen) -> Raw {
    let (seconds, rest) = (
        file.mtime_ns.div_euclid(1_000_000_000),
        file.mtime_ns.rem_euclid(1_000_000_000),
    );
    // Whole seconds for people; the version has the rest, as far as the share keeps it.
    let modified = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
    let body = Body {
        path: file.path.clone(),
        size: file.size,
        modified,
        version: format!("{}-{seconds}.{rest:09}", file.size),
    };
    Raw {
        stream: Stream::Files,
        id: ExternalId::new(file.path.as_str()),
        body: serde_json::to_string(&body).expect("a body is plain data"),
        scope: SCOPE.to_owned(),
    }
}

fn notices(scan: &Scan) -> Vec<Notice> {
    let mut notices = Vec::new();
    if let Some(((path, reason), rest)) = scan.unknown.split_first() {
        let more = match rest.len() {
            0 => String::new(),
            count => format!(", and {count} more folders"),
        };
        notices.push(notice(
            "folder-unreadable",
            format!("could not read `{path}` ({reason}){more}; deletions are not looked for"),
        ));
    }
    if let Some((count, first)) = &scan.odd_names {
        notices.push(notice(
            "folder-name-not-utf8",
            format!("{count} names are no UTF-8 and shown with escapes, such as `{first}`"),
        ));
    }
    if scan.links > 0 {
        notices.push(notice(
            "folder-links",
            format!("{} links were not followed", scan.links),
        ));
    }
    notices
}

fn notice(code: &'static str, text: String) -> Notice {
    Notice { code, text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(path: &str, mark: u64) -> Seen {
        Seen {
            path: path.to_owned(),
            size: 1,
            mtime_ns: 1_700_000_000_123_456_789,
            mark: mark * 2,
            racy: false,
        }
    }

    fn scan(mut files: Vec<Seen>) -> Scan {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Scan {
            root: RootMark {
                dev: 1,
                mount: false,
            },
            files,
            folders: 0,
            unknown: Vec::new(),
            mounts: BTreeSet::new(),
            links: 0,
            odd_names: None,
        }
    }

    fn place() -> Place {
        Place {
            path: "/share".into(),
            marker: None,
        }
    }

    fn ids(page: &Page) -> Vec<&str> {
        page.raw.iter().map(|raw| raw.id.as_str()).collect()
    }

    #[test]
    fn pages_join_without_gap_though_files_change_between_them() {
        let many = |mark| {
            (0..2_500)
                .map(|n| file(&format!("{n:05}"), mark))
                .collect::<Vec<_>>()
        };
        let (first, state) = State::default().advance(&scan(many(1)));
        assert_eq!(
            (first.raw.len(), first.more, first.swept.len()),
            (1_000, true, 0)
        );
        // Everything changes: the round goes on behind its place and ends.
        let stored: State = first.next.decode().unwrap();
        assert_eq!(stored.files, state.files);
        let (second, state) = stored.advance(&scan(many(2)));
        assert_eq!(ids(&second)[0], "01000");
        let (third, state) = state.advance(&scan(many(2)));
        assert_eq!(
            (third.raw.len(), third.more, third.swept.len()),
            (500, false, 1)
        );
        // What the round had passed comes in the next one.
        let (fourth, state) = state.advance(&scan(many(2)));
        assert_eq!(
            (fourth.raw.len(), ids(&fourth)[0], fourth.more),
            (1_000, "00000", false)
        );
        assert_eq!(state.advance(&scan(many(2))).0.raw.len(), 0);
    }

    #[test]
    fn a_racy_file_comes_once_more() {
        let fresh = Seen {
            racy: true,
            ..file("a", 1)
        };
        let (_, state) = State::default().advance(&scan(vec![fresh.clone()]));
        let (again, state) = state.advance(&scan(vec![file("a", 1)]));
        assert_eq!(ids(&again), ["a"]);
        assert_eq!(state.advance(&scan(vec![file("a", 1)])).0.raw.len(), 0);
    }

    #[test]
    fn an_unreadable_folder_is_no_absence() {
        let (_, state) = State::default().advance(&scan(vec![file("a", 1), file("sub/b", 1)]));
        let mut partial = scan(vec![file("a", 2)]);
        partial.unknown.push(("sub".to_owned(), "EIO".to_owned()));
        let (page, state) = state.advance(&partial);
        assert_eq!((ids(&page), page.swept.len()), (vec!["a"], 0));
        assert_eq!(page.notices[0].code, "folder-unreadable");
        // Back again, and nothing of it is news.
        let (page, _) = state.advance(&scan(vec![file("a", 2), file("sub/b", 1)]));
        assert_eq!((page.raw.len(), page.swept[0].present.len()), (0, 2));
    }

    #[test]
    fn another_root_is_refused_unless_the_files_are_known() {
        let before = scan(vec![file("a", 1), file("b", 1), file("c", 1)]);
        let (_, state) = State::default().advance(&before);
        let refused = |scan: &Scan| {
            let error = state.recognise(&place(), scan).unwrap_err();
            assert_eq!(error.kind(), crate::error::Kind::Unavailable);
            assert!(error.advice().unwrap().contains("marker"));
        };
        let moved = RootMark {
            dev: 2,
            mount: false,
        };
        refused(&scan(Vec::new()));
        refused(&Scan {
            root: moved,
            ..scan(vec![file("a", 1), file("b", 2), file("c", 2)])
        });
        let mounted_anew = Scan {
            root: moved,
            ..scan(vec![file("a", 1), file("b", 1)])
        };
        let notices = state.recognise(&place(), &mounted_anew).unwrap();
        assert_eq!(notices[0].code, "folder-mounted-anew");
        let marked = Place {
            marker: Some(".here".to_owned()),
            ..place()
        };
        state.recognise(&marked, &scan(Vec::new())).unwrap();
        // Folders without files: somebody has tidied up, and the share is there.
        state
            .recognise(
                &place(),
                &Scan {
                    folders: 1,
                    ..scan(Vec::new())
                },
            )
            .unwrap();
    }

    #[test]
    fn a_mount_that_is_none_any_more_is_refused() {
        let mounted = Scan {
            root: RootMark {
                dev: 1,
                mount: true,
            },
            ..scan(vec![file("a", 1)])
        };
        let (_, state) = State::default().advance(&mounted);
        assert!(state.recognise(&place(), &mounted).is_ok());
        assert!(
            state
                .recognise(&place(), &scan(vec![file("a", 1)]))
                .is_err()
        );
    }

    #[test]
    fn times_that_no_calendar_has_are_left_out() {
        let far = Seen {
            mtime_ns: i128::from(i64::MAX) * 1_000_000_000,
            ..file("a", 1)
        };
        let body: Body = serde_json::from_str(&raw(&far).body).unwrap();
        assert_eq!(body.modified, None);
        let early = Seen {
            mtime_ns: -1,
            ..file("a", 1)
        };
        let body: Body = serde_json::from_str(&raw(&early).body).unwrap();
        assert_eq!(body.modified.as_deref(), Some("1969-12-31T23:59:59Z"));
        assert_eq!(body.version, "1--1.999999999");
    }

    proptest! {
        #[test]
        fn the_snapshot_survives_its_text(map: BTreeMap<u64, u64>) {
            let text = String::from(Snapshot(map.clone()));
            prop_assert_eq!(Snapshot::try_from(text).unwrap().0, map);
        }

        #[test]
        fn a_damaged_snapshot_is_an_error_and_no_panic(text in ".{0,100}") {
            let _ = Snapshot::try_from(text);
        }
    }
}
