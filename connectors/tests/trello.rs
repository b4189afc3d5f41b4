//! The Trello connector against a Trello that behaves, and one that does not.

#[path = "../../tests/fakes/mod.rs"]
mod fakes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use stundenbuch_connectors::contract::{Absent, Cursor, Presence, Pull};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Record, Stream, TaskState};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Error, Platform};

use fakes::trello::{KEY, TOKEN, Trello};
use fakes::{Fault, FaultKind, Server};

struct Bench {
    clock: ManualClock,
    trello: Trello,
    server: Server,
}

impl Bench {
    async fn start() -> Self {
        let clock = ManualClock::at(at("2026-03-02T08:00:00Z"));
        let trello = Trello::new(clock.clone());
        let server = Server::start(trello.router()).await;
        Self {
            clock,
            trello,
            server,
        }
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.configured(&[]).unwrap()
    }

    fn configured(&self, more: &[(&str, Value)]) -> Result<Box<dyn Connector>, Error> {
        let entry = stundenbuch_connectors::find("trello").unwrap();
        let mut settings = Settings::default();
        let usual = [
            ("key", Value::Secret(Secret::new(KEY))),
            ("token", Value::Secret(Secret::new(TOKEN))),
            ("api_url", Value::Url(format!("{}/1", self.server.base()))),
            ("full_every_days", Value::Count(7)),
        ];
        for (key, value) in usual.iter().chain(more) {
            settings.set(entry.kind.setting(key).unwrap(), value.clone());
        }
        let platform = Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
        };
        (entry.build)("trello-test", &settings, &platform)
    }

    /// A day later.
    fn next_night(&self) {
        self.clock.advance(Duration::from_secs(86_400));
        self.server.forget_requests();
    }

    fn sent(&self) -> usize {
        self.server.requests().len()
    }
}

/// What a ledger keeps, as simple as can be: the newest state, and what is deleted.
#[derive(Clone, Debug, Default, PartialEq)]
struct Ledger {
    cursor: Cursor,
    current: BTreeMap<(Stream, ExternalId), (String, Record)>,
    deleted: BTreeMap<ExternalId, String>,
    revisions: usize,
    notices: BTreeSet<&'static str>,
    pages: usize,
}

impl Ledger {
    async fn pull(&mut self, connector: &dyn Connector) -> Result<(), Error> {
        self.pull_as(connector, &Pull::Changes).await
    }

    async fn pull_as(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<(), Error> {
        self.notices.clear();
        while self.page(connector, mode).await? {}
        Ok(())
    }

    /// One page with its cursor, as one transaction; tells whether there are more.
    async fn page(&mut self, connector: &dyn Connector, mode: &Pull) -> Result<bool, Error> {
        let page = connector.pull(&self.cursor, mode).await?;
        for raw in &page.raw {
            for found in connector.normalise(raw).unwrap() {
                let key = (raw.stream, found.id);
                let now = (raw.scope.clone(), found.record);
                self.deleted.remove(&key.1);
                let before = self.current.insert(key, now.clone());
                self.revisions += usize::from(before.map(|it| it.1) != Some(now.1));
            }
        }
        for gone in page.gone {
            if self.current.remove(&(gone.stream, gone.id.clone())).is_some() {
                self.deleted.insert(gone.id, gone.proof);
            }
        }
        for sweep in page.swept {
            let absent: Vec<Absent> = self
                .current
                .iter()
                .filter(|((stream, id), (scope, _))| {
                    *stream == sweep.stream && *scope == sweep.scope && !sweep.present.contains(id)
                })
                .map(|((stream, id), (scope, _))| Absent {
                    stream: *stream,
                    id: id.clone(),
                    scope: scope.clone(),
                })
                .collect();
            for (id, presence) in connector.confirm(&absent).await? {
                if let Presence::Gone(proof) = presence {
                    self.current.remove(&(Stream::Tasks, id.clone()));
                    self.deleted.insert(id, proof);
                }
            }
        }
        self.notices.extend(page.notices.iter().map(|it| it.code));
        self.cursor = page.next;
        self.pages += 1;
        Ok(page.more)
    }

    fn count(&self, stream: Stream) -> usize {
        self.current.keys().filter(|key| key.0 == stream).count()
    }

    fn task(&self, card: &str) -> &stundenbuch_connectors::record::Task {
        match &self.current[&(Stream::Tasks, ExternalId::new(card))].1 {
            Record::Task(task) => task,
            other => panic!("{other:?}"),
        }
    }

    fn has(&self, card: &str) -> bool {
        self.current
            .contains_key(&(Stream::Tasks, ExternalId::new(card)))
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn texts(words: &[&str]) -> Value {
    Value::Texts(words.iter().map(ToString::to_string).collect())
}

/// Boards with three lists each and so many cards in the first.
fn boards(trello: &Trello, boards: usize, cards: usize) -> Vec<(String, [String; 3], Vec<String>)> {
    let make = |number: usize| {
        let board = trello.add_board(&format!("Kunde {number}"));
        let lists = ["Zu erledigen", "In Arbeit", "Erledigt"];
        let lists = lists.map(|name| trello.add_list(&board, name));
        let cards = (0..cards).map(|card| trello.add_card(&lists[0], &format!("Karte {card}")));
        let cards = cards.collect();
        (board, lists, cards)
    };
    (0..boards).map(make).collect()
}

#[tokio::test]
async fn requests_stay_in_the_budget() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 5, 100);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 500);
    assert_eq!(ledger.count(Stream::Activity), 500);
    assert_eq!(ledger.count(Stream::Projects), 5);
    assert_eq!(ledger.count(Stream::People), 1);
    assert_eq!(bench.sent(), 6, "the first pull");
    assert_eq!(ledger.pages, 5);

    bench.next_night();
    let before = ledger.clone();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 1, "a quiet night");
    assert_eq!(ledger.cursor, before.cursor);

    bench.next_night();
    bench.trello.rename(&world[2].2[7], "Impressum");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 2, "one changed board");
    assert_eq!(ledger.task(&world[2].2[7]).title, "Impressum");
    assert_eq!(ledger.revisions, before.revisions + 2, "the card and the action");
    assert_eq!(bench.trello.refused(), 0);
    assert_eq!(connector.requests(), 9);
}

#[tokio::test]
async fn a_board_is_read_once_a_week_and_when_asked() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 2, 3);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    let field = bench.trello.add_field(&world[0].0, "Stunden", json!([]));
    let value = json!([{"idCustomField": field, "value": {"number": "2.5"}}]);
    bench.trello.set(&world[0].2[0], "customFieldItems", value);

    let mut compared = ledger.clone();
    let compare = Pull::Compare {
        from: at("2026-01-01T00:00:00Z"),
    };
    bench.server.forget_requests();
    compared.pull_as(&*connector, &compare).await.unwrap();
    assert_eq!(bench.sent(), 3);
    assert_eq!(compared.task(&world[0].2[0]).fields["Stunden"], "2.5");

    for _ in 0..6 {
        bench.next_night();
        ledger.pull(&*connector).await.unwrap();
        assert_eq!(bench.sent(), 1);
    }
    assert!(ledger.task(&world[0].2[0]).fields.is_empty());
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 3);
    assert_eq!(ledger.task(&world[0].2[0]).fields["Stunden"], "2.5");
}

#[tokio::test]
async fn a_card_becomes_a_task() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (board, lists, cards) = boards(trello, 1, 3).remove(0);
    let card = &cards[0];
    let label = trello.add_label(&board, "Abrechenbar", "green");
    let bare = trello.add_label(&board, "", "sky");
    let options = json!([{"id": "o1", "value": {"text": "Hoch"}}]);
    let (choice, tick) = (
        trello.add_field(&board, "Priorität", options),
        trello.add_field(&board, "Geprüft", json!([])),
    );
    trello.add_checklist(card, "Vor dem Start");
    trello.set(card, "idLabels", json!([bare, label]));
    trello.set(card, "idMembers", json!(["5a0000000000000000000001"]));
    trello.set(card, "due", json!("2026-03-06T11:00:00.000Z"));
    trello.set(card, "customFieldItems", json!([
        {"idCustomField": choice, "idValue": "o1", "value": null},
        {"idCustomField": tick, "value": {"checked": "true"}},
    ]));
    bench.clock.advance(Duration::from_secs(3600));
    trello.move_to(card, &lists[2]);
    trello.comment(card, "Fertig, bitte ansehen.");
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();

    let task = ledger.task(card).clone();
    assert_eq!(task.title, "Karte 0");
    assert_eq!(task.project.unwrap().name.unwrap(), "Kunde 0");
    assert_eq!(task.section.unwrap().name.unwrap(), "Erledigt");
    assert_eq!(task.state, TaskState::Done);
    assert!(!task.archived);
    assert_eq!(task.created, Some(at("2026-03-02T08:00:00Z")));
    assert_eq!(task.done_at, Some(at("2026-03-02T09:00:00Z")));
    assert_eq!(task.due, Some(at("2026-03-06T11:00:00Z")));
    assert_eq!(task.labels, ["Abrechenbar", "sky"]);
    assert_eq!(task.assignees[0].name.as_deref(), Some("Ada Beispiel"));
    assert_eq!(task.fields["Priorität"], "Hoch");
    assert_eq!(task.fields["Geprüft"], "true");
    assert_eq!(task.url.unwrap(), format!("https://trello.com/c/{}", task.short_id.unwrap()));
    let activities = ledger.current.values().filter_map(|(_, record)| match record {
        Record::Activity(activity) if activity.task.as_str() == card => Some(activity),
        _ => None,
    });
    let told: Vec<(&str, &str)> = activities.map(|it| (&*it.what, &*it.text)).collect();
    let comment = ("commented", "Fertig, bitte ansehen.");
    assert_eq!(told, [("created", ""), ("moved to Erledigt", ""), comment]);
    for (_, other) in [(0, &cards[1]), (1, &cards[2])] {
        assert_eq!(ledger.task(other).state, TaskState::Open);
    }
}

#[tokio::test]
async fn the_day_of_being_done_stays_known() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (_, lists, cards) = boards(trello, 1, 3).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    trello.move_to(&cards[0], &lists[2]);
    trello.complete(&cards[1], false);
    trello.complete(&cards[2], true);
    ledger.pull(&*connector).await.unwrap();
    let first = at("2026-03-02T08:00:00Z");
    for card in &cards {
        assert_eq!(ledger.task(card).done_at, Some(first));
    }
    let revisions = ledger.revisions;
    for _ in 0..3 {
        bench.next_night();
        trello.comment(&cards[0], "noch etwas");
        ledger.pull(&*connector).await.unwrap();
    }
    assert_eq!(ledger.task(&cards[0]).done_at, Some(first));
    assert_eq!(ledger.revisions, revisions + 3, "a comment each, and no task");
    trello.move_to(&cards[0], &lists[1]);
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&cards[0]).done_at, None);
    assert_eq!(ledger.task(&cards[0]).state, TaskState::Open);
}

#[tokio::test]
async fn own_done_lists_take_the_place_of_the_usual() {
    let bench = Bench::start().await;
    let (_, lists, cards) = boards(&bench.trello, 1, 2).remove(0);
    bench.trello.move_to(&cards[0], &lists[1]);
    bench.trello.move_to(&cards[1], &lists[2]);
    let own = [("done_lists", texts(&["in arbeit"]))];
    let (connector, mut ledger) = (bench.configured(&own).unwrap(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&cards[0]).state, TaskState::Done);
    assert_eq!(ledger.task(&cards[1]).state, TaskState::Open);
}

#[tokio::test]
async fn deleted_cards_are_noticed_and_archived_ones_stay() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (_, lists, cards) = boards(trello, 1, 10).remove(0);
    let elsewhere = trello.add_list(&trello.add_board("Anderes"), "Eingang");
    trello.move_to(&cards[9], &lists[1]);
    let connector = bench.configured(&[("boards", texts(&["Kunde 0"]))]).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();

    bench.next_night();
    for card in &cards[..3] {
        trello.delete(card);
    }
    trello.archive(&cards[3], true);
    trello.close_list(&lists[1]);
    trello.move_to_board(&cards[4], &elsewhere);
    trello.set(&cards[5], "isTemplate", json!(true));
    trello.set(&cards[6], "cardRole", json!("separator"));
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 2, "the log says it all, so nothing is asked twice");
    let deleted: Vec<&str> = ledger.deleted.keys().map(ExternalId::as_str).collect();
    assert_eq!(deleted, cards[..3].iter().map(String::as_str).collect::<Vec<_>>());
    assert!(ledger.deleted.values().all(|proof| proof.starts_with("deleteCard ")));
    for card in &cards[3..] {
        assert!(ledger.has(card), "{card}");
    }
    assert!(ledger.task(&cards[3]).archived);
    assert!(ledger.task(&cards[9]).archived, "its list is");
    assert!(!ledger.task(&cards[8]).archived);

    // Once gone from the log's window, the moved card is still not taken for deleted.
    for _ in 0..2 {
        bench.next_night();
        trello.comment(&cards[8], "weiter");
        ledger.pull(&*connector).await.unwrap();
        assert_eq!(bench.sent(), 2);
    }
    assert!(ledger.has(&cards[4]));
    assert_eq!(ledger.deleted.len(), 3);
}

#[tokio::test]
async fn a_card_moves_between_boards_and_stays_one() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 2, 2);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    for (from, to) in [(0, 1), (1, 0)] {
        bench.next_night();
        bench.trello.move_to_board(&world[0].2[0], &world[to].1[0]);
        ledger.pull(&*connector).await.unwrap();
        let project = ledger.task(&world[0].2[0]).project.clone().unwrap();
        assert_eq!(project.id.unwrap().as_str(), world[to].0, "from {from}");
        assert_eq!(ledger.count(Stream::Tasks), 4);
        assert!(ledger.deleted.is_empty());
    }
}

#[tokio::test]
async fn a_card_missing_without_a_word_is_asked_for() {
    let bench = Bench::start().await;
    let (board, _, cards) = boards(&bench.trello, 1, 3).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    let absent = |card: &str| Absent {
        stream: Stream::Tasks,
        id: ExternalId::new(card),
        scope: board.clone(),
    };
    bench.trello.delete(&cards[0]);
    let asked = [absent(&cards[0]), absent(&cards[1]), absent("../members/me")];
    let answers = connector.confirm(&asked).await.unwrap();
    assert_eq!(answers.len(), 2, "what is no card's id is not asked for");
    assert!(matches!(answers[0].1, Presence::Gone(_)), "{answers:?}");
    assert_eq!(answers[1].1, Presence::Present);

    // A card that is not found because the whole board is out of sight is not gone.
    bench.trello.lose_board(&board);
    assert_eq!(connector.confirm(&asked[..2]).await.unwrap(), []);
}

#[tokio::test]
async fn a_board_that_is_closed_lost_or_empty_deletes_nothing() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 4, 4);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    bench.next_night();
    bench.trello.close_board(&world[0].0);
    bench.trello.lose_board(&world[1].0);
    bench.trello.empty_board(&world[2].0);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 3, "the list, the closed board once more, the empty one");
    assert_eq!(ledger.count(Stream::Tasks), 16);
    assert!(ledger.deleted.is_empty());
    let told: Vec<_> = ledger.notices.iter().copied().collect();
    assert_eq!(told, ["board-closed", "board-empty", "board-lost"]);
    assert!(ledger.task(&world[0].2[0]).archived);
    assert!(!ledger.task(&world[1].2[0]).archived);

    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 1);
    assert_eq!(ledger.notices.len(), 2);
}

#[tokio::test]
async fn faults_delete_nothing_and_leave_no_trace() {
    let kinds = [
        FaultKind::status(500),
        FaultKind::status(403),
        FaultKind::status(404),
        FaultKind::CutBody { keep: 700 },
        FaultKind::EmptyOk,
        FaultKind::Html,
        FaultKind::Garbage,
        FaultKind::Reset,
        FaultKind::LostAnswer,
        ok("[]"),
        ok("{}"),
        ok(r#"{"id":"5a0000000000000000000009","lists":[],"cards":[],"actions":[]}"#),
        text(401, "invalid token"),
        text(429, r#"{"error":"API_TOKEN_LIMIT_EXCEEDED"}"#),
        text(504, "gateway time-out"),
    ];
    for path in ["/boards/", "/members/me/boards"] {
        for kind in &kinds {
            let bench = Bench::start().await;
            let world = boards(&bench.trello, 2, 20);
            let (connector, mut ledger) = (bench.connector(), Ledger::default());
            ledger.pull(&*connector).await.unwrap();
            bench.next_night();
            bench.trello.rename(&world[0].2[4], "Neu");
            bench.trello.delete(&world[1].2[0]);
            let mut calm = ledger.clone();
            calm.pull(&*bench.connector()).await.unwrap();

            let (kind, times) = (kind.clone(), 40);
            let what = format!("{path} {kind:?}");
            bench.server.fail(Fault { path, times, kind });
            let before = ledger.clone();
            let failed = ledger.pull(&*connector).await;
            assert!(ledger.deleted.is_empty(), "{what}");
            assert_eq!(ledger.count(Stream::Tasks), 40, "{what}");
            if failed.is_err() {
                assert_eq!(ledger.current, before.current, "{what}");
            } else if path == "/boards/" {
                assert!(ledger.notices.contains("board-not-readable"), "{what}");
            }
            bench.server.heal();
            ledger.pull(&*connector).await.unwrap();
            assert_eq!(ledger.current, calm.current, "{what}");
            assert_eq!(ledger.deleted, calm.deleted, "{what}");
            assert_eq!(ledger.deleted.len(), 1, "{what}");
        }
    }
}

fn ok(body: &str) -> FaultKind {
    text(200, body)
}

fn text(code: u16, body: &str) -> FaultKind {
    FaultKind::Status {
        code,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn an_interrupted_pull_goes_on_at_the_next_board() {
    let bench = Bench::start().await;
    boards(&bench.trello, 5, 20);
    let mut ledger = Ledger::default();
    for _ in 0..2 {
        let connector = bench.connector();
        assert!(ledger.page(&*connector, &Pull::Changes).await.unwrap());
    }
    assert_eq!(bench.sent(), 3);
    let mut late = ledger.clone();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 6, "no board twice, and no second list");
    assert_eq!(ledger.count(Stream::Tasks), 100);

    // On another day the list is asked for again, and what was read is skipped.
    bench.next_night();
    late.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 4);
    assert_eq!(late.current, ledger.current);
}

#[tokio::test]
async fn a_passing_trouble_is_waited_out() {
    let bench = Bench::start().await;
    boards(&bench.trello, 1, 5);
    for kind in [text(429, "{}"), text(503, ""), FaultKind::Html] {
        let (path, times) = ("/boards/", 2);
        bench.server.fail(Fault { path, times, kind });
    }
    let before = bench.clock.now();
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    while ledger.pull(&*connector).await.is_err() {}
    assert_eq!(ledger.count(Stream::Tasks), 5);
    let waited = bench.clock.now() - before;
    assert!(waited.num_seconds() >= 20, "two full windows: {waited}");
}

#[tokio::test]
async fn a_refused_token_is_told_at_once_with_what_to_do() {
    let bench = Bench::start().await;
    boards(&bench.trello, 1, 1);
    let connector = bench.connector();
    for (text, hint) in [
        ("invalid token", "/1/authorize"),
        ("expired token", "/1/authorize"),
        ("invalid key", "power-ups/admin"),
    ] {
        bench.server.forget_requests();
        bench.trello.revoke(Some(text));
        let start = Cursor::start();
        let error = connector.pull(&start, &Pull::Changes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.advice().unwrap().contains(hint), "{:?}", error.advice());
        assert_eq!(bench.sent(), 1, "no second try");
    }
}

#[tokio::test]
async fn a_long_log_is_read_to_its_end() {
    let bench = Bench::start().await;
    let (_, lists, cards) = boards(&bench.trello, 1, 1).remove(0);
    bench.clock.advance(Duration::from_secs(60));
    bench.trello.move_to(&cards[0], &lists[2]);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    for number in 0..2498 {
        bench.clock.advance(Duration::from_secs(1));
        bench.trello.comment(&cards[0], &format!("Nummer {number}"));
    }
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Activity), 2500);
    assert_eq!(bench.sent(), 4, "list, board, two more pages of 1000 and 500");
    assert_eq!(ledger.task(&cards[0]).done_at, Some(at("2026-03-02T08:01:00Z")));
    assert!(ledger.notices.is_empty());

    // Exactly a thousand new ones: only an empty page shows that they were all.
    bench.next_night();
    for number in 0..1000 {
        bench.clock.advance(Duration::from_secs(1));
        bench.trello.comment(&cards[0], &format!("Nachtrag {number}"));
    }
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 3);
    assert_eq!(ledger.count(Stream::Activity), 3500);
    assert_eq!(ledger.task(&cards[0]).done_at, Some(at("2026-03-02T08:01:00Z")));
}

#[tokio::test]
async fn an_action_written_late_is_found_and_none_is_told_twice() {
    let bench = Bench::start().await;
    let (_, _, cards) = boards(&bench.trello, 1, 1).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    bench.trello.comment(&cards[0], "eins");
    ledger.pull(&*connector).await.unwrap();
    let revisions = ledger.revisions;
    bench.clock.set(at("2026-03-02T07:55:00Z"));
    bench.trello.comment(&cards[0], "mit früherer Zeit");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.revisions, revisions + 1);
    assert_eq!(ledger.count(Stream::Activity), 3);
}

#[tokio::test]
async fn a_board_that_is_too_big_is_read_in_pages() {
    let bench = Bench::start().await;
    let (board, _, cards) = boards(&bench.trello, 1, 700).remove(0);
    bench.trello.limit_cards(&board, 130);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 700);
    assert_eq!(ledger.count(Stream::Activity), 700);
    // The list, the refused whole, the names, 500 and 250 refused, six pages of 125, the log.
    assert_eq!(bench.sent(), 12);

    bench.next_night();
    bench.trello.delete(&cards[0]);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 9, "the list, the names, six pages, the log");
    assert_eq!(ledger.deleted.len(), 1);
    assert_eq!(ledger.count(Stream::Tasks), 699);

    bench.next_night();
    bench.trello.limit_cards(&board, 5);
    bench.trello.touch(&board);
    let error = ledger.pull(&*connector).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(ledger.count(Stream::Tasks), 699);
}

#[tokio::test]
async fn a_list_that_may_be_cut_at_a_thousand_is_followed() {
    let bench = Bench::start().await;
    let (_, _, _) = boards(&bench.trello, 1, 1000).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 1000);
    assert_eq!(bench.sent(), 4, "list, board, and the empty ends of cards and log");
}

#[tokio::test]
async fn boards_are_chosen_by_name_link_or_id() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 3, 2);
    let chosen = [("boards", texts(&["kunde 2", &world[0].0]))];
    let (connector, mut ledger) = (bench.configured(&chosen).unwrap(), Ledger::default());
    let identity = connector.check().await.unwrap();
    assert_eq!(identity.account, "Ada Beispiel (ada)");
    assert_eq!(identity.details, ["reads 2 boards: Kunde 2, Kunde 0"]);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Projects), 2);

    let wrong = bench.configured(&[("boards", texts(&["Kunde2"]))]).unwrap();
    for error in [
        wrong.check().await.unwrap_err(),
        wrong.pull(&Cursor::start(), &Pull::Changes).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(error.advice().unwrap().starts_with("did you mean `Kunde 2`?"));
    }

    // A chosen board that was read before may go: that is told, and the other one is read.
    bench.trello.lose_board(&world[2].0);
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.notices.contains("board-lost"));
}

#[tokio::test]
async fn no_credential_is_in_any_address_record_or_message() {
    let bench = Bench::start().await;
    let (board, _, cards) = boards(&bench.trello, 1, 3).remove(0);
    let connector = bench.connector();
    let page = connector.pull(&Cursor::start(), &Pull::Changes).await.unwrap();
    connector.check().await.unwrap();
    let id = ExternalId::new(&*cards[0]);
    let (stream, scope) = (Stream::Tasks, board);
    connector.confirm(&[Absent { stream, id, scope }]).await.unwrap();
    assert_eq!(bench.sent(), 4);
    for request in bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(!address.contains(KEY) && !address.contains(TOKEN), "{address}");
        assert!(request.header("authorization").unwrap().contains(TOKEN));
    }
    let echo = format!("{KEY} {TOKEN} went wrong");
    let kind = text(400, &echo);
    bench.server.fail(Fault { path: "/members/", times: 9, kind });
    let error = connector.pull(&page.next, &Pull::Changes).await.unwrap_err();
    let all = format!("{page:?} {error} {error:?} {connector:?}");
    assert!(!all.contains(KEY) && !all.contains(TOKEN), "{all}");
    assert!(!all.contains("boards.trello.example"), "the card's own mail address");

    for bad in ["", "with space", "a\"b", "x\ny"] {
        let error = bench.configured(&[("token", Value::Secret(Secret::new(bad)))]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(bad.is_empty() || !error.to_string().contains(bad));
    }
}

#[tokio::test]
async fn the_fake_enforces_the_limits() {
    let bench = Bench::start().await;
    let (board, _, _) = boards(&bench.trello, 1, 1).remove(0);
    let connector = bench.connector();
    for _ in 0..300 {
        let compare = Pull::Compare { from: bench.clock.now() };
        connector.pull(&Cursor::start(), &compare).await.unwrap();
    }
    assert_eq!(bench.sent(), 600);
    assert_eq!(bench.trello.refused(), 0, "600 requests for {board}, none too early");
}
