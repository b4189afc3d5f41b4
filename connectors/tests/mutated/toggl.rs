//! Toggl's answers: the account, a report, the change feed, a listing by start, one entry.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, find};

use crate::Tally;
use crate::fakes::Server;
use crate::fakes::toggl::TOKEN;
use crate::judge::Case;
use crate::mutants::{Mutant, fields, wholes};
use crate::script::{Script, platform};

const ME: &str = include_str!("../../toggl/fixtures/me.json");
const ENTRY: &str = include_str!("../../toggl/fixtures/track_entry.json");
const RUNNING: &str = include_str!("../../toggl/fixtures/track_running.json");
const ROW: &str = include_str!("../../toggl/fixtures/report_row.json");

const NOW: &str = "2026-11-16T08:00:00Z";
const FEED: &str = "/api/me/time_entries";
const REPORT: &str = "/reports/workspace/2000001/search/time_entries";

/// A token of somebody else, as workspaces have them.
const FOREIGN: &str = "ffeeddccbbaa99887766554433221100";

struct Bench {
    script: Script,
    clock: ManualClock,
    connector: Box<dyn Connector>,
    _server: Server,
}

impl Bench {
    async fn start() -> Self {
        let script = Script::default();
        let server = script.serve().await;
        let clock = ManualClock::at(NOW.parse().unwrap());
        let kind = find("toggl").unwrap().kind;
        let mut settings = Settings::default();
        for (key, value) in [
            ("token", Setting::Secret(Secret::new(TOKEN))),
            ("api_url", Setting::Url(format!("{}/api", server.base()))),
            (
                "reports_url",
                Setting::Url(format!("{}/reports", server.base())),
            ),
        ] {
            settings.set(kind.setting(key).unwrap(), value);
        }
        let build = find("toggl").unwrap().build;
        let connector = build("toggl", &settings, &platform(&clock)).unwrap();
        script.put("/api/me", 200, me().to_string().as_bytes());
        script.put(REPORT, 200, b"[]");
        script.put(FEED, 200, b"[]");
        Self {
            script,
            clock,
            connector,
            _server: server,
        }
    }

    /// The cursor behind so many pages.
    async fn after(&self, pages: usize, mode: &Pull) -> Cursor {
        let mut cursor = Cursor::start();
        for _ in 0..pages {
            cursor = self.pull(&cursor, mode).await.unwrap().next;
        }
        cursor
    }

    async fn pull(
        &self,
        cursor: &Cursor,
        mode: &Pull,
    ) -> Result<Page, stundenbuch_connectors::Error> {
        self.clock.set(NOW.parse().unwrap());
        self.connector.pull(cursor, mode).await
    }
}

fn me() -> Value {
    let mut me: Value = serde_json::from_str(ME).unwrap();
    me["api_token"] = json!(TOKEN);
    me["time_entries"] = json!([entry(1, RUNNING)]);
    me
}

/// Entry number so-and-so, on its own day of November.
fn entry(number: i64, text: &str) -> Value {
    let mut entry: Value = serde_json::from_str(text).unwrap();
    entry["id"] = json!(3_730_000_000_i64 + number);
    entry["start"] = json!(format!("2026-11-0{number}T08:00:00Z"));
    if entry["stop"].is_string() {
        entry["stop"] = json!(format!("2026-11-0{number}T09:30:17Z"));
    }
    entry["at"] = json!(format!("2026-11-0{number}T10:00:00.034497Z"));
    entry
}

fn row(number: i64) -> Value {
    let mut row: Value = serde_json::from_str(ROW).unwrap();
    let entry = entry(number, ENTRY);
    row["time_entries"] = json!([{"id": entry["id"], "seconds": 5417, "start": entry["start"],
        "stop": entry["stop"], "at": entry["at"], "at_tz": entry["at"]}]);
    row
}

fn listing() -> Value {
    let mut deleted = entry(4, ENTRY);
    deleted["server_deleted_at"] = json!("2026-11-04T12:00:00Z");
    json!([entry(2, ENTRY), entry(3, ENTRY), deleted, entry(1, RUNNING)])
}

/// Spoils an answer in every way, and judges the page that comes of it.
async fn spoil(
    bench: &Bench,
    (path, document): (&str, Value),
    (cursor, mode): (&Cursor, &Pull),
    (lists, id_at): (&[(&str, Stream)], &str),
    what: &str,
    least: usize,
) {
    bench.script.put(path, 200, document.to_string().as_bytes());
    let case = Case {
        connector: &*bench.connector,
        honest: bench.pull(cursor, mode).await.unwrap(),
        lists,
        id_at,
        // Another workspace, person or day is not what was asked for, and left out.
        choosing: &["workspace_id", "user_id", "start"],
        canaries: &[TOKEN, FOREIGN, "feedface"],
        document,
    };
    let elements = case.elements();
    let mut tally = Tally::default();
    let text = case.document.to_string();
    for mutant in fields(&case.document).into_iter().chain(wholes(&text)) {
        bench.script.put(path, 200, &mutant.bytes);
        let outcome = bench.pull(cursor, mode).await;
        must_not_look_ahead(&mutant, outcome.as_ref().ok());
        tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
    }
    tally.tell(what, least);
}

/// A mark ahead of the clock would keep what comes until then from being asked for.
fn must_not_look_ahead(mutant: &Mutant, page: Option<&Page>) {
    let Some(cursor) = page.and_then(|page| page.next.as_str()) else {
        return;
    };
    let state: Value = serde_json::from_str(cursor).unwrap();
    let now: DateTime<Utc> = NOW.parse().unwrap();
    for mark in ["watermark", "asked"] {
        let at = state[mark]
            .as_str()
            .map(|at| at.parse::<DateTime<Utc>>().unwrap());
        let ahead = at.is_some_and(|at| at > now + chrono::TimeDelta::hours(1));
        assert!(
            !ahead,
            "{} at {}: {mark} is {at:?}",
            mutant.kind, mutant.path
        );
    }
}

fn compare() -> Pull {
    Pull::Compare {
        from: "2026-11-01T00:00:00Z".parse().unwrap(),
        until: None,
    }
}

#[tokio::test]
async fn the_account() {
    let bench = Bench::start().await;
    let lists = [("/projects", Stream::Projects)];
    let start = (&Cursor::start(), &Pull::Changes);
    spoil(
        &bench,
        ("/api/me", me()),
        start,
        (&lists, "/id"),
        "toggl account",
        3_500,
    )
    .await;
}

#[tokio::test]
async fn a_page_of_the_history() {
    let bench = Bench::start().await;
    let cursor = bench.after(1, &Pull::Changes).await;
    let rows = json!([row(2), row(3), row(4)]);
    let lists = [("", Stream::Time)];
    let id_at = "/time_entries/0/id";
    let asked = (&cursor, &Pull::Changes);
    spoil(
        &bench,
        (REPORT, rows),
        asked,
        (&lists, id_at),
        "toggl history",
        3_500,
    )
    .await;
}

#[tokio::test]
async fn a_report_to_compare_with() {
    let bench = Bench::start().await;
    let cursor = bench.after(1, &compare()).await;
    let rows = json!([row(2), row(3)]);
    let lists = [("", Stream::Time)];
    let id_at = "/time_entries/0/id";
    spoil(
        &bench,
        (REPORT, rows),
        (&cursor, &compare()),
        (&lists, id_at),
        "toggl report",
        2_500,
    )
    .await;
}

#[tokio::test]
async fn the_change_feed() {
    let bench = Bench::start().await;
    // The account, and a report for each month since August.
    let cursor = bench.after(5, &Pull::Changes).await;
    assert!(
        cursor.as_str().unwrap().contains(r#""todo":["since"]"#),
        "{cursor:?}"
    );
    let lists = [("", Stream::Time)];
    let asked = (&cursor, &Pull::Changes);
    spoil(
        &bench,
        (FEED, listing()),
        asked,
        (&lists, "/id"),
        "toggl feed",
        4_500,
    )
    .await;
}

#[tokio::test]
async fn a_listing_by_start() {
    let bench = Bench::start().await;
    bench.script.put(REPORT, 403, b"");
    // The account, and the refusal of the reports that are compared with.
    let cursor = bench.after(2, &compare()).await;
    assert!(
        cursor.as_str().unwrap().contains(r#""todo":[{"track""#),
        "{cursor:?}"
    );
    let mut rows = listing();
    rows.as_array_mut().unwrap().remove(2);
    let lists = [("", Stream::Time)];
    let asked = (&cursor, &compare());
    spoil(
        &bench,
        (FEED, rows),
        asked,
        (&lists, "/id"),
        "toggl listing",
        3_500,
    )
    .await;
}

/// The second look: an entry that answers, however badly, is not gone.
#[tokio::test]
async fn an_entry_at_its_own_address() {
    let bench = Bench::start().await;
    let document = entry(1, ENTRY);
    let path = "/api/me/time_entries/3730000001";
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new("3730000001"),
        scope: "2000001".to_owned(),
    };
    let mut tally = Tally::default();
    for mutant in fields(&document)
        .into_iter()
        .chain(wholes(&document.to_string()))
    {
        bench.script.put(path, 200, &mutant.bytes);
        let said = mutant.path == "/server_deleted_at" && mutant.kind == "a far instant";
        let end = match bench.connector.confirm(std::slice::from_ref(&absent)).await {
            Err(_) => "refused",
            Ok(answers) => match answers.first() {
                Some((_, Presence::Gone(proof))) => {
                    assert!(said, "{} at {}: {proof}", mutant.kind, mutant.path);
                    "gone"
                }
                Some((_, Presence::Present)) => "present",
                _ => "unknown",
            },
        };
        tally.count(mutant.kind, end);
    }
    tally.tell("toggl entry", 1_200);
}

/// The second look at several: a report that is asked for their identifiers.
#[tokio::test]
async fn a_report_on_identifiers() {
    let bench = Bench::start().await;
    let document = json!([row(1), row(2), row(3), row(4)]);
    let absent: Vec<Absent> = (1..=4)
        .map(|number| Absent {
            stream: Stream::Time,
            id: ExternalId::new((3_730_000_000_i64 + number).to_string()),
            scope: "2000001/team".to_owned(),
        })
        .collect();
    let mut tally = Tally::default();
    for mutant in fields(&document)
        .into_iter()
        .chain(wholes(&document.to_string()))
    {
        bench.script.put(REPORT, 200, &mutant.bytes);
        let answers = bench.connector.confirm(&absent).await;
        let gone = |answer: &&(ExternalId, Presence)| matches!(answer.1, Presence::Gone(_));
        let gone = answers.iter().flatten().filter(gone).count();
        // A row that is not there proves that its entry is gone, and nothing else does.
        let said = match mutant.path.matches('/').count() {
            _ if mutant.kind == "an empty list" && mutant.path.is_empty() => 4,
            1 if mutant.kind == "removed" => 1,
            _ if mutant.path.contains("/time_entries") => 1,
            _ => 0,
        };
        assert!(
            gone <= said,
            "{} at {}: {gone} gone",
            mutant.kind,
            mutant.path
        );
        tally.count(mutant.kind, if gone > 0 { "gone" } else { "kept" });
    }
    tally.tell("toggl report on identifiers", 4_000);
}
