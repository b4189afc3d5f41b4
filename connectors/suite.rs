//! The conformance tests that every connector must pass.
//!
//! A connector's own test implements [`Subject`] over its fake service and calls [`all`]; the
//! checks then read from [`crate::Kind`] what the connector claims and hold it to that. A check
//! panics with a sentence that names the broken rule.
//!
//! ```text
//! #[tokio::test]
//! async fn conforms() {
//!     suite::all(|| async { World::start(Stream::Time).await }).await;
//! }
//! ```

mod comments;
mod deliver;
mod model;
mod mutate;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use chrono::DateTime;

use self::model::{Known, Run};
use crate::contract::{Connector, Cursor, Platform, Pull};
use crate::error::Kind as ErrorKind;
use crate::kind::{Deletions, Settings};
use crate::record::{ExternalId, Stream};
use crate::{Entry, Error};

pub use self::comments::{CommentSubject, comments_once};
pub use self::deliver::{delivers_once, delivers_once_though_answers_are_lost};
pub use self::mutate::mutants;

/// A world that a test can change, and connectors that look at it. One subject tests one stream;
/// a connector with several streams has a subject for each.
///
/// A change of the world happens later than everything before it: where the service has a clock,
/// the subject turns it on with every change.
pub trait Subject: Sync {
    /// The stream under test.
    fn stream(&self) -> Stream;

    /// A fresh connector over the same world, as after a restart, with budgets of its own and a
    /// clock that need not be waited for.
    fn connector(&self) -> Box<dyn Connector>;

    /// Adds records to the world and returns what they are called in the stream.
    fn add(&self, count: usize) -> Vec<ExternalId>;

    /// Changes a record so that its normalised form changes.
    fn edit(&self, id: &ExternalId);

    /// Adds a record whose main text (title, description, name) is `text`, and returns what it is
    /// called; `None` where the source cannot hold such a text.
    fn add_titled(&self, text: &str) -> Option<ExternalId>;

    /// Deletes a record as a user of the service would.
    fn delete(&self, id: &ExternalId);

    /// What there is in the stream now.
    fn truth(&self) -> BTreeSet<ExternalId>;

    /// Lets all requests fail after the next `skip`, until [`Subject::heal`]. `false` where this
    /// trouble cannot happen to this kind of source.
    fn break_with(&self, trouble: Trouble, skip: u32) -> bool;

    /// Ends every trouble.
    fn heal(&self);

    /// The secret that the connectors are configured with; a text that occurs nowhere else.
    /// `None` for a source without one.
    fn canary(&self) -> Option<String>;

    /// The number that [`crate::Kind::quiet_night`] says in words.
    fn quiet_requests(&self) -> u64;

    /// So many records that the fake answers in several pages.
    fn many(&self) -> usize {
        25
    }

    /// What lies at the target of deliveries, by path; `None` for a connector that only reads.
    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        None
    }

    /// The requests that the fake has counted, to be compared with the connectors' own count.
    fn requests_seen(&self) -> Option<u64> {
        None
    }
}

/// What can befall a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The service answers 500; the share is not mounted.
    Away,
    /// The service answers 401; the directory may not be read.
    Refused,
    /// The answer breaks off though its length was announced.
    Cut,
    /// The answer is 200 and has no body; the mounted share is suddenly empty.
    Empty,
    /// The answer is 200 and is no JSON.
    Garbage,
    /// The answer is 200 and a login page.
    Html,
    /// The service answers 403.
    Forbidden,
    /// The service answers 404.
    Missing,
    /// The service answers 402.
    Payment,
    /// The service answers 429, with an hour as `Retry-After`.
    TooMany,
    /// The service takes the request and never answers. The subject sees to it that its clock
    /// loses patience after some milliseconds.
    Stalled,
    /// The service does what is asked, and its answer is lost.
    Lost,
}

impl Trouble {
    pub const ALL: [Self; 12] = [
        Self::Away,
        Self::Refused,
        Self::Cut,
        Self::Empty,
        Self::Garbage,
        Self::Html,
        Self::Forbidden,
        Self::Missing,
        Self::Payment,
        Self::TooMany,
        Self::Stalled,
        Self::Lost,
    ];

    /// Requests into a pull before the trouble begins, at most. A stall takes real time.
    fn depth(self) -> u32 {
        if self == Self::Stalled { 2 } else { 6 }
    }

    /// Whether a pull may end well though a part was refused: what is not in the plan, or not for
    /// us, is left out and told.
    fn can_be_borne(self) -> bool {
        matches!(self, Self::Forbidden | Self::Missing | Self::Payment)
    }

    fn allows(self, kind: ErrorKind) -> bool {
        match self {
            Self::Away | Self::Stalled | Self::Lost => kind == ErrorKind::Unavailable,
            Self::TooMany => kind == ErrorKind::RateLimited,
            // A refusal may have many reasons; passing trouble is none of them.
            Self::Forbidden | Self::Missing | Self::Payment => !matches!(
                kind,
                ErrorKind::Unsupported | ErrorKind::Conflict | ErrorKind::Unavailable
            ),
            Self::Refused => matches!(kind, ErrorKind::Auth | ErrorKind::Forbidden),
            Self::Cut | Self::Empty => {
                matches!(kind, ErrorKind::Unavailable | ErrorKind::Protocol)
            }
            Self::Garbage | Self::Html => kind == ErrorKind::Protocol,
        }
    }
}

/// Runs every check, each in a world of its own.
pub async fn all<S: Subject, F: Future<Output = S>>(make: impl Fn() -> F) {
    checks_and_hides_its_secret(&make().await).await;
    pages_join(&make().await).await;
    a_second_pull_is_quiet(&make().await).await;
    edits_are_seen(&make().await).await;
    deletions_are_seen(&make().await).await;
    resumes_after_any_page(&make().await).await;
    for trouble in Trouble::ALL {
        fails_harmlessly(&make().await, trouble).await;
    }
    normalises_purely(&make().await).await;
    texts_are_kept(&make().await).await;
    delivers_once(&make().await).await;
    delivers_once_though_answers_are_lost(&make).await;
}

/// The credential works, and neither the connector nor its account shows it.
pub async fn checks_and_hides_its_secret<S: Subject>(subject: &S) {
    let connector = subject.connector();
    hides(subject, "the connector's Debug", &format!("{connector:?}"));
    let identity = connector
        .check()
        .await
        .unwrap_or_else(|error| panic!("check fails: {error}"));
    assert!(!identity.account.is_empty(), "check names no account");
    hides(subject, "the identity", &format!("{identity:?}"));
    let name = connector.kind().name;
    let stream = subject.stream();
    assert!(
        connector.kind().stream(stream).is_some(),
        "{name} does not declare {stream}"
    );
}

/// The pages of a full pull hold every record once.
pub async fn pages_join<S: Subject>(subject: &S) {
    subject.add(subject.many());
    let (known, _) = first_pull(subject).await;
    known.must_equal(&subject.truth(), "a full pull");
    assert!(
        known.repeated.is_empty(),
        "a full pull repeats {:?}",
        known.repeated
    );
}

/// With nothing changed, a pull from the last cursor brings nothing new and costs what is said.
pub async fn a_second_pull_is_quiet<S: Subject>(subject: &S) {
    subject.add(subject.many());
    let (mut known, cursor) = first_pull(subject).await;
    let before = known.clone();
    let seen = subject.requests_seen();
    let connector = subject.connector();
    let run = known
        .pull(subject, &*connector, cursor, &Pull::Changes)
        .await;
    expect_ok(run, "a quiet pull");
    known.must_hold_the_same(&before, "a quiet pull");
    let (cost, said) = (connector.requests(), subject.quiet_requests());
    assert_eq!(
        cost, said,
        "a quiet pull costs {cost} requests, and {said} were promised"
    );
    if let (Some(before), Some(after)) = (seen, subject.requests_seen()) {
        assert_eq!(after - before, cost, "the connector miscounts its requests");
    }
}

/// A changed record comes again, changed; the others stay as they were.
pub async fn edits_are_seen<S: Subject>(subject: &S) {
    let ids = subject.add(5);
    let (mut known, mut cursor) = first_pull(subject).await;
    for round in 1..=2 {
        let before = known.clone();
        subject.edit(&ids[2]);
        let connector = subject.connector();
        let run = known
            .pull(subject, &*connector, cursor, &Pull::Changes)
            .await;
        cursor = expect_ok(run, "a pull after an edit");
        let changed = known.differences(&before);
        let only: BTreeSet<_> = [ids[2].clone()].into();
        assert_eq!(
            changed, only,
            "edit {round} of {} shows as other changes",
            ids[2]
        );
        known.must_equal(&subject.truth(), "a pull after an edit");
    }
    let more = subject.add(2);
    let connector = subject.connector();
    let run = known
        .pull(subject, &*connector, cursor, &Pull::Changes)
        .await;
    expect_ok(run, "a pull after additions");
    known.must_equal(&subject.truth(), &format!("a pull after adding {more:?}"));
}

/// A deleted record is found in the way that the kind declares, and no other is lost.
pub async fn deletions_are_seen<S: Subject>(subject: &S) {
    let ids = subject.add(5);
    let (mut known, cursor) = first_pull(subject).await;
    let before = known.clone();
    subject.delete(&ids[1]);
    let connector = subject.connector();
    let run = known
        .pull(subject, &*connector, cursor, &Pull::Changes)
        .await;
    let cursor = expect_ok(run, "a pull after a deletion");
    let mode = Pull::Compare {
        from: DateTime::UNIX_EPOCH,
        until: None,
    };
    let run = known.pull(subject, &*connector, cursor, &mode).await;
    expect_ok(run, "a comparison after a deletion");
    let stream = subject.stream();
    match connector
        .kind()
        .stream(stream)
        .map(|declared| declared.deletions)
    {
        None => panic!("{} does not declare {stream}", connector.kind().name),
        Some(Deletions::Never) => known.must_hold_the_same(&before, "a deletion"),
        Some(Deletions::Tombstone) => {
            known.must_equal(&subject.truth(), "a pull after a deletion");
            assert!(
                known.confirmed.is_empty(),
                "tombstones were declared, and absence used"
            );
        }
        Some(Deletions::ConfirmedAbsence) => {
            known.must_equal(&subject.truth(), "a comparison after a deletion");
        }
    }
}

/// Stopped after any page, committed or not, a pull goes on in another process as if nothing
/// had happened.
pub async fn resumes_after_any_page<S: Subject>(subject: &S) {
    subject.add(subject.many());
    let mut known = Known::new(subject.stream());
    let mut cursor = Cursor::start();
    loop {
        // This page is fetched and lost: the process died before the commit.
        let lost = subject.connector().pull(&cursor, &Pull::Changes).await;
        lost.unwrap_or_else(|error| panic!("a pull fails: {error}"));
        let connector = subject.connector();
        let (next, more) = known
            .page(subject, &*connector, &cursor, &Pull::Changes)
            .await
            .unwrap_or_else(|error| panic!("the page fetched again fails: {error}"));
        cursor = Cursor::stored(next.as_str().map(str::to_owned));
        assert_eq!(cursor, next, "a cursor changes in its text form");
        if !more {
            break;
        }
    }
    known.must_equal(&subject.truth(), "a pull with a restart after each page");
}

/// A trouble at any request ends the pull with the right error, invents no deletion, and is
/// forgotten once it is over.
pub async fn fails_harmlessly<S: Subject>(subject: &S, trouble: Trouble) {
    subject.add(subject.many());
    let (known, last) = first_pull(subject).await;
    for (start, mode) in [
        (Cursor::start(), Pull::Changes),
        (last.clone(), Pull::Changes),
        (
            last,
            Pull::Compare {
                from: DateTime::UNIX_EPOCH,
                until: None,
            },
        ),
    ] {
        for skip in 0..trouble.depth() {
            if !subject.break_with(trouble, skip) {
                return;
            }
            let what = format!("{trouble:?} after {skip} requests of {mode:?} from {start:?}");
            let mut known = known.clone();
            let run = known
                .pull(subject, &*subject.connector(), start.clone(), &mode)
                .await;
            subject.heal();
            known.must_equal(&subject.truth(), &what);
            match run.outcome {
                Err(error) => assert!(
                    trouble.allows(error.kind()),
                    "{what}: {:?}: {error}",
                    error.kind()
                ),
                Ok(()) if trouble.can_be_borne() => {}
                Ok(()) => {
                    assert!(skip > 0, "{what}: the pull takes it for an answer");
                    break;
                }
            }
            let run = known
                .pull(subject, &*subject.connector(), run.cursor, &mode)
                .await;
            expect_ok(run, &format!("{what}, healed"));
            known.must_equal(&subject.truth(), &format!("{what}, healed"));
        }
    }
}

/// The same bytes give the same records, and no bytes give a panic.
pub async fn normalises_purely<S: Subject>(subject: &S) {
    subject.add(3);
    let connector = subject.connector();
    let page = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_or_else(|error| panic!("a pull fails: {error}"));
    assert!(
        !page.raw.is_empty(),
        "the first page brings nothing to normalise"
    );
    for raw in &page.raw {
        mutate::normalise_all(&*connector, &*subject.connector(), raw);
    }
}

/// What people write arrives as they wrote it, to the last character.
pub async fn texts_are_kept<S: Subject>(subject: &S) {
    const ODD: [&str; 8] = [
        "Übung, U\u{308}bung",
        "👩‍👩‍👧 Rechnung 🧾",
        "\u{202e}umgedreht\u{202c}",
        "\"Zitat\" \\ <b>&amp;</b> {{x}} %20 +",
        "𝔘 ﷽ ẞ ı İ",
        "null",
        "0e1",
        "a\u{a0}b\u{200b}c\u{feff}d",
    ];
    let wanted: Vec<_> = ODD
        .iter()
        .filter_map(|text| Some((subject.add_titled(text)?, *text)))
        .collect();
    let (known, _) = first_pull(subject).await;
    for (id, text) in wanted {
        let shown = known.shown(&id);
        let quoted = serde_json::to_string(text).expect("a text");
        assert!(
            shown.contains(quoted.trim_matches('"')),
            "{text:?} arrives as {shown}"
        );
    }
}

/// Prints one line of the table of requests: what a first pull, a quiet night and a night with
/// changes cost. The test that calls it asserts the numbers.
#[expect(clippy::print_stderr, reason = "the table is what this is for")]
pub fn requests_table(connector: &str, world: &str, counts: &[(&str, u64)]) {
    let counts: Vec<String> = counts
        .iter()
        .map(|(what, count)| format!("{what} {count}"))
        .collect();
    eprintln!("requests | {connector} | {world} | {}", counts.join(" | "));
}

/// A connection can be built from `settings`, which has a value for every declared key, and
/// reads exactly the keys that it declares.
pub fn settings_are_declared(entry: &Entry, settings: &Settings, platform: &Platform) {
    let name = entry.kind.name;
    let declared: BTreeSet<String> = entry
        .kind
        .settings
        .iter()
        .map(|setting| setting.key.to_owned())
        .collect();
    assert_eq!(
        declared.len(),
        entry.kind.settings.len(),
        "{name} declares a key twice"
    );
    let given: BTreeSet<String> = settings.keys().map(str::to_owned).collect();
    assert_eq!(
        given, declared,
        "the test gives other settings than {name} declares"
    );
    let built = (entry.build)("suite", settings, platform);
    built.unwrap_or_else(|error| panic!("{name} cannot be built: {error}"));
    let read = settings.read_keys();
    assert_eq!(
        read, declared,
        "{name} reads (left) other keys than it declares (right)"
    );
}

async fn first_pull<S: Subject>(subject: &S) -> (Known, Cursor) {
    let mut known = Known::new(subject.stream());
    let connector = subject.connector();
    let run = known
        .pull(subject, &*connector, Cursor::start(), &Pull::Changes)
        .await;
    let cursor = expect_ok(run, "the first pull");
    (known, cursor)
}

fn expect_ok(run: Run, what: &str) -> Cursor {
    match run.outcome {
        Ok(()) => run.cursor,
        Err(error) => panic!("{what} fails: {error}"),
    }
}

fn hides<S: Subject>(subject: &S, what: &str, text: &str) {
    if let Some(canary) = subject.canary() {
        assert!(!text.contains(&canary), "{what} shows the secret");
    }
}

fn hides_in_error<S: Subject>(subject: &S, error: Error) -> Error {
    hides(
        subject,
        "an error",
        &format!("{error} {error:?} {:?}", error.advice()),
    );
    error
}
