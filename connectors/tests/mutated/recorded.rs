//! Answers that the real services gave, where they are at hand: through the mapping, spoiled.

use std::path::PathBuf;

use serde_json::{Value, json};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::SystemClock;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::kind::{Settings, Value as Setting};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Platform, find};

use crate::Tally;
use crate::mutants::{fields, wholes};

/// A file of the collection of real data; `None`, and told, where there is none.
pub(crate) fn shared(path: &str) -> Option<Value> {
    let root = std::env::var_os("STUNDENBUCH_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let file = root.join("data").join(path);
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: {} is not there", file.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn connector(name: &str) -> Box<dyn Connector> {
    let entry = find(name).unwrap();
    let mut settings = Settings::default();
    for key in ["key", "token"] {
        if let Some(setting) = entry.kind.setting(key) {
            settings.set(setting, Setting::Secret(Secret::new("0123456789abcdef")));
        }
    }
    let platform = Platform {
        clock: std::sync::Arc::new(SystemClock),
        budgets: std::sync::Arc::new(MemoryBudgets::default()),
        logins: std::sync::Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    (entry.build)(name, &settings, &platform).unwrap()
}

/// Maps every spoiled copy: it is refused with a short reason, or gives records of its own id.
fn spoil(connector: &dyn Connector, stream: Stream, id: &str, body: &Value, tally: &mut Tally) {
    let text = body.to_string();
    for mutant in fields(body).into_iter().chain(wholes(&text)) {
        // A raw record is a text: what is no UTF-8 never becomes one.
        let Ok(body) = String::from_utf8(mutant.bytes) else {
            continue;
        };
        let raw = Raw {
            stream,
            id: ExternalId::new(id),
            body,
            scope: String::new(),
        };
        tally.count(
            mutant.kind,
            match connector.normalise(&raw) {
                Ok(records) => {
                    assert!(records.iter().all(|it| it.id == raw.id));
                    "read"
                }
                Err(reject) => {
                    let text = reject.to_string();
                    assert!(!reject.reason.is_empty() && text.len() < 4_000, "{text}");
                    "put aside"
                }
            },
        );
    }
}

#[test]
fn recorded_entries_of_toggl() {
    let Some(samples) = shared("toggl/wire_samples_v9_2024-12_anonymised.json") else {
        return;
    };
    let connector = connector("toggl");
    let mut tally = Tally::default();
    let mut seen = 0;
    for sample in samples.as_array().unwrap() {
        let body: Value = match sample["body"].as_str() {
            Some(text) => serde_json::from_str(text).unwrap_or_default(),
            None => continue,
        };
        let rows = match body {
            Value::Array(rows) => rows,
            row => vec![row],
        };
        for row in rows.iter().filter(|row| row["start"].is_string()).take(3) {
            seen += 1;
            let id = row["id"].to_string();
            let kept = json!({"source": "track", "id": row["id"], "entry": row, "names": {}});
            spoil(&*connector, Stream::Time, &id, &kept, &mut tally);
        }
    }
    assert!(seen >= 5, "{seen} entries");
    tally.tell("toggl recorded entries", 5_000);
}

#[test]
fn recorded_cards_and_actions_of_trello() {
    let connector = connector("trello");
    let mut tally = Tally::default();
    for file in ["GetCardExample", "GetBoardCardList"] {
        let Some(cards) = shared(&format!("trello/api_samples/{file}.json")) else {
            return;
        };
        let cards = match cards {
            Value::Array(cards) => cards,
            card => vec![card],
        };
        for card in cards.iter().take(2) {
            let kept = json!({"board": {"id": "b"}, "card": card});
            let id = card["id"].as_str().unwrap();
            spoil(&*connector, Stream::Tasks, id, &kept, &mut tally);
        }
    }
    let Some(actions) = shared("trello/api_samples/BoardActions.json") else {
        return;
    };
    // One of each type.
    let mut types = std::collections::BTreeSet::new();
    for action in actions.as_array().unwrap() {
        if types.insert(action["type"].as_str().unwrap()) {
            let id = action["id"].as_str().unwrap();
            spoil(&*connector, Stream::Activity, id, action, &mut tally);
        }
    }
    tally.tell("trello recorded cards and actions", 5_000);
}
