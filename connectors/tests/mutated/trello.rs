//! Trello's answers: the list of boards, a board at once, pages of cards and of the log, a card.

use serde_json::{Value, json};
use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Absent, Cursor, Page, Presence, Pull};
use stundenbuch_connectors::error::Error;
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, find};

use crate::Tally;
use crate::fakes::Server;
use crate::fakes::trello::{KEY, TOKEN};
use crate::judge::Case;
use crate::mutants::{Mutant, fields, wholes};
use crate::script::{Script, platform};

const BOARD: &str = include_str!("../../trello/fixtures/board.json");
/// Its identifier.
const ID: &str = "66a0000000000000000000b1";
/// Another board, which is read first.
const OTHER: &str = "66a0000000000000000000a1";

const NOW: &str = "2026-11-16T08:00:00Z";
const LISTED: &str = "/1/members/me/boards";

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
        let kind = find("trello").unwrap().kind;
        let mut settings = Settings::default();
        for (key, value) in [
            ("key", Setting::Secret(Secret::new(KEY))),
            ("token", Setting::Secret(Secret::new(TOKEN))),
            ("api_url", Setting::Url(format!("{}/1", server.base()))),
        ] {
            settings.set(kind.setting(key).unwrap(), value);
        }
        let build = find("trello").unwrap().build;
        let connector = build("trello", &settings, &platform(&clock)).unwrap();
        let empty = json!({"id": OTHER, "lists": [], "cards": [], "actions": []});
        script.put(LISTED, 200, boards().to_string().as_bytes());
        script.put(&nested(OTHER), 200, empty.to_string().as_bytes());
        script.put(&nested(ID), 200, board().to_string().as_bytes());
        Self {
            script,
            clock,
            connector,
            _server: server,
        }
    }

    async fn pull(&self, cursor: &Cursor) -> Result<Page, Error> {
        self.clock.set(NOW.parse().unwrap());
        self.connector.pull(cursor, &Pull::Changes).await
    }

    /// The cursor with which the board is the next to be read.
    async fn before_the_board(&self) -> Cursor {
        let page = self.pull(&Cursor::start()).await.unwrap();
        assert!(page.more);
        page.next
    }

    async fn spoil(&self, path: &str, cursor: &Cursor, part: &Part<'_>) {
        let honest = part.document.to_string();
        self.script.put(path, 200, honest.as_bytes());
        let case = Case {
            connector: &*self.connector,
            honest: self.pull(cursor).await.unwrap(),
            lists: part.lists,
            id_at: "/id",
            // Templates and separators are no work; of an action, its data say whether it is any.
            choosing: &["isTemplate", "cardRole", "type", "data", "state"],
            canaries: &[TOKEN, KEY],
            document: part.document.clone(),
        };
        let elements = case.elements();
        let mut tally = Tally::default();
        let text = case.document.to_string();
        let wholes = part.whole.then(|| wholes(&text)).into_iter().flatten();
        for mutant in fields(&case.document).into_iter().chain(wholes) {
            self.script.put(path, 200, &mutant.bytes);
            let outcome = self.pull(cursor).await;
            must_not_look_ahead(&mutant, outcome.as_ref().ok());
            tally.count(mutant.kind, case.judge(&elements, &mutant, outcome));
        }
        tally.tell(part.what, part.least);
    }
}

/// What to spoil.
struct Part<'a> {
    document: Value,
    lists: &'a [(&'a str, Stream)],
    /// Also cut at every byte.
    whole: bool,
    what: &'a str,
    least: usize,
}

fn nested(board: &str) -> String {
    format!("/1/boards/{board}?nested")
}

fn boards() -> Value {
    let board = |id: &str, name: &str| {
        json!({"id": id, "name": name, "closed": false, "shortLink": &id[16..],
            "dateLastActivity": "2026-02-05T09:00:00.000Z"})
    };
    json!([board(OTHER, "Kunde Süd"), board(ID, "Website Kunde Nord")])
}

/// The fixture as the nested request answers: one to four of everything.
fn board() -> Value {
    let mut board: Value = serde_json::from_str(BOARD).unwrap();
    for (list, most) in [
        ("cards", 2),
        ("actions", 4),
        ("lists", 2),
        ("labels", 1),
        ("members", 1),
        ("checklists", 1),
        ("customFields", 1),
    ] {
        if let Some(items) = board[list].as_array_mut() {
            items.truncate(most);
        }
    }
    board
}

const LISTS: [(&str, Stream); 2] = [("/cards", Stream::Tasks), ("/actions", Stream::Activity)];

/// A mark ahead of the clock would keep what comes until then from being asked for.
fn must_not_look_ahead(mutant: &Mutant, page: Option<&Page>) {
    let Some(cursor) = page.and_then(|page| page.next.as_str()) else {
        return;
    };
    let state: Value = serde_json::from_str(cursor).unwrap();
    let until = state["boards"][ID]["until"].as_str();
    let ahead = until.is_some_and(|until| until > "2026-11-17");
    assert!(
        !ahead,
        "{} at {}: until {until:?}",
        mutant.kind, mutant.path
    );
}

#[tokio::test]
async fn a_board_at_once() {
    let bench = Bench::start().await;
    let cursor = bench.before_the_board().await;
    let part = Part {
        document: board(),
        lists: &LISTS,
        whole: false,
        what: "trello board",
        least: 3_000,
    };
    bench.spoil(&nested(ID), &cursor, &part).await;
}

#[tokio::test]
async fn a_small_board_cut_at_every_byte() {
    let bench = Bench::start().await;
    let cursor = bench.before_the_board().await;
    let mut document = board();
    for list in ["cards", "actions"] {
        document[list].as_array_mut().unwrap().truncate(2);
    }
    let small = ["id", "name", "lists", "cards", "actions"];
    let fields = document.as_object_mut().unwrap();
    fields.retain(|key, _| small.contains(&key.as_str()));
    let part = Part {
        document,
        lists: &LISTS[..1],
        whole: true,
        what: "trello small board",
        least: 2_500,
    };
    bench.spoil(&nested(ID), &cursor, &part).await;
}

#[tokio::test]
async fn the_list_of_boards() {
    let bench = Bench::start().await;
    let part = Part {
        document: boards(),
        lists: &[],
        whole: true,
        what: "trello list of boards",
        least: 400,
    };
    bench.spoil(LISTED, &Cursor::start(), &part).await;
}

/// A board that is too big comes in parts: itself, its cards in pages, its log.
#[tokio::test]
async fn a_board_in_parts() {
    let bench = Bench::start().await;
    let cursor = bench.before_the_board().await;
    let mut alone = board();
    for (list, most) in [("cards", 2), ("actions", 3)] {
        alone[list].as_array_mut().unwrap().truncate(most);
    }
    let fields = alone.as_object_mut().unwrap();
    let (cards, actions) = (
        fields.remove("cards").unwrap(),
        fields.remove("actions").unwrap(),
    );
    let paths = [
        format!("/1/boards/{ID}"),
        format!("/1/boards/{ID}/cards/all"),
        format!("/1/boards/{ID}/actions"),
    ];
    let honest = [&alone, &cards, &actions].map(Value::to_string);
    bench.script.put(&nested(ID), 403, b"Too many checklists");
    let put = || {
        for (path, body) in paths.iter().zip(&honest) {
            bench.script.put(path, 200, body.as_bytes());
        }
    };
    put();
    let part = Part {
        document: cards,
        lists: &[("", Stream::Tasks)],
        whole: false,
        what: "trello page of cards",
        least: 1_000,
    };
    bench.spoil(&paths[1], &cursor, &part).await;
    put();
    let part = Part {
        document: actions,
        lists: &[("", Stream::Activity)],
        whole: false,
        what: "trello page of actions",
        least: 1_000,
    };
    bench.spoil(&paths[2], &cursor, &part).await;
}

/// The second look: a card that answers, however badly, is not gone.
#[tokio::test]
async fn a_card_at_its_own_address() {
    let bench = Bench::start().await;
    let card = "66a100000000000000000001";
    let document = json!({"id": card, "closed": false, "idBoard": ID});
    let absent = Absent {
        stream: Stream::Tasks,
        id: ExternalId::new(card),
        scope: ID.to_owned(),
    };
    let mut tally = Tally::default();
    for mutant in fields(&document)
        .into_iter()
        .chain(wholes(&document.to_string()))
    {
        bench
            .script
            .put(&format!("/1/cards/{card}"), 200, &mutant.bytes);
        let answers = bench.connector.confirm(std::slice::from_ref(&absent)).await;
        let gone = |answer: &(_, Presence)| matches!(answer.1, Presence::Gone(_));
        let gone = answers.iter().flatten().any(gone);
        assert!(!gone, "{} at {}", mutant.kind, mutant.path);
        tally.count(
            mutant.kind,
            if answers.is_ok() {
                "answered"
            } else {
                "refused"
            },
        );
    }
    tally.tell("trello card", 150);
}

/// The second look, where the card is not found: it counts only while its board can be read,
/// and a spoiled board is none.
#[tokio::test]
async fn a_board_that_vouches_for_a_missing_card() {
    let bench = Bench::start().await;
    let document = json!({"id": ID, "name": "Website Kunde Nord"});
    let absent = Absent {
        stream: Stream::Tasks,
        id: ExternalId::new("66a100000000000000000001"),
        scope: ID.to_owned(),
    };
    let mut tally = Tally::default();
    for mutant in fields(&document)
        .into_iter()
        .chain(wholes(&document.to_string()))
    {
        bench
            .script
            .put(&format!("/1/boards/{ID}"), 200, &mutant.bytes);
        let answers = bench.connector.confirm(std::slice::from_ref(&absent)).await;
        let gone = |answer: &(_, Presence)| matches!(answer.1, Presence::Gone(_));
        let gone = answers.iter().flatten().any(gone);
        let read: Option<Value> = serde_json::from_slice(&mutant.bytes).ok();
        let vouches = read.is_some_and(|board| board["id"] == ID);
        assert!(vouches || !gone, "{} at {}", mutant.kind, mutant.path);
        tally.count(mutant.kind, if gone { "gone" } else { "kept" });
    }
    tally.tell("trello board that vouches", 100);
}
