//! The projection is a function of the journal: made anew, it is the same.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use stundenbuch::config::Config;
use stundenbuch::statements;
use stundenbuch::store::Store;
use stundenbuch::time::Period;
use stundenbuch_connectors::record::Record;
use tempfile::TempDir;

use super::pieces::{API, FILE, Piece, delete, ledger, now, pull, take};

/// One thing that happens to a ledger.
#[derive(Clone, Debug)]
enum Happening {
    /// The API tells an entry: new, changed, or the same as before.
    Told {
        id: u32,
        piece: Piece,
    },
    /// A file has it.
    Exported {
        id: u32,
        piece: Piece,
    },
    Deleted {
        id: u32,
    },
    Taught {
        text: u8,
        task: Option<u8>,
    },
    Sealed,
}

fn piece() -> impl Strategy<Value = Piece> {
    (0..8_i64, 1..4_i64, 1..3_u8, 0..3_u8).prop_map(|(start, length, person, text)| Piece {
        id: 0,
        start: start * 1_800,
        seconds: length * 900,
        person,
        text,
        project: Some(1),
    })
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..9_u32, piece()).prop_map(|(id, piece)| Happening::Told { id, piece }),
        3 => (0..9_u32, piece()).prop_map(|(id, piece)| Happening::Exported { id, piece }),
        2 => (0..9_u32).prop_map(|id| Happening::Deleted { id }),
        1 => (0..3_u8, proptest::option::of(0..3_u8))
            .prop_map(|(text, task)| Happening::Taught { text, task }),
        1 => Just(Happening::Sealed),
    ]
}

/// A configuration with one client, whose work all of this is.
pub(super) fn config(dir: &TempDir) -> Config {
    let file = dir.path().join("stundenbuch.toml");
    let text = r#"
[issuer]
name = "Mara"
address = ["Gartenweg 3"]
tax_number = "215/5081/0815"
[ledger]
path = "ledger.db"
[clients.ahorn]
name = "Ahorn"
address = ["Marktplatz 1"]
[clients.ahorn.sources]
projects = ["Projekt 1"]
[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "59.00"
"#;
    std::fs::write(&file, text).unwrap();
    Config::load(Some(&file), &BTreeMap::default()).unwrap()
}

fn happen(store: &mut Store, config: &Config, happening: &Happening) {
    match happening {
        Happening::Told { id, piece } => {
            let entry = Record::TimeEntry(piece.entry());
            take(store, API, &[(id.to_string(), entry)]);
        }
        Happening::Exported { id, piece } => {
            let entry = Record::TimeEntry(piece.entry());
            take(store, FILE, &[(format!("row-{id}"), entry)]);
        }
        Happening::Deleted { id } => {
            let piece = Piece { id: *id, ..known() };
            // What was never told cannot be deleted; the store says so by doing nothing.
            delete(store, &[piece.key()]);
        }
        Happening::Taught { text, task } => store
            .write(|writer| {
                let alias = json!({
                    "text": format!("aufgabe {text}"),
                    "task": task.map(|id| json!({
                        "connection": "trello", "stream": "tasks", "id": id.to_string(),
                    })),
                });
                let event = stundenbuch::ledger::Event::read("alias", &alias.to_string());
                writer.append(now(), "ahorn", &event.unwrap())
            })
            .map(drop)
            .unwrap(),
        Happening::Sealed => {
            let client = config.client("ahorn").unwrap();
            let october: Period = "2026-10".parse().unwrap();
            match statements::seal(store, config, client, october, now()) {
                Ok(_) | Err(statements::SealError::Nothing { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn known() -> Piece {
    Piece {
        id: 1,
        start: 0,
        seconds: 900,
        person: 1,
        text: 1,
        project: Some(1),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn made_anew_it_is_the_same(
        happenings in proptest::collection::vec(happening(), 1..40),
    ) {
        let (dir, mut store) = ledger();
        let config = config(&dir);
        for one in &happenings {
            happen(&mut store, &config, one);
        }
        let before = store.projection_hash().unwrap();
        let head = store.head().unwrap();
        let rebuilt = store.rebuild().unwrap();
        prop_assert_eq!(&rebuilt.before, &before);
        prop_assert_eq!(&rebuilt.after, &before);
        prop_assert_eq!(rebuilt.rows, head.seq);
        prop_assert_eq!(store.head().unwrap(), head);
        prop_assert_eq!(store.verify().unwrap().damage, None);
    }
}

#[test]
fn damage_done_by_hand_is_repaired() {
    for damage in [
        "UPDATE record SET seconds = seconds + 3600 WHERE seconds IS NOT NULL",
        "UPDATE record SET deleted = 1",
        "UPDATE record SET work = id, speaks = 1 WHERE work IS NOT NULL",
        "UPDATE record SET project = 'somebody else'",
        "DELETE FROM settled",
        "UPDATE settled SET line = NULL",
        "DELETE FROM alias",
        "INSERT INTO alias VALUES ('ahorn', 'x', 'trello/tasks/1')",
        "UPDATE statement SET running = 7",
    ] {
        let (dir, mut store) = ledger();
        let config = config(&dir);
        let pieces: Vec<Piece> = (1..6)
            .map(|id| Piece {
                id,
                start: i64::from(id) * 3_600,
                ..known()
            })
            .collect();
        pull(&mut store, &pieces);
        for one in [
            Happening::Exported {
                id: 1,
                piece: pieces[0].clone(),
            },
            Happening::Taught {
                text: 1,
                task: Some(1),
            },
            Happening::Sealed,
        ] {
            happen(&mut store, &config, &one);
        }
        let whole = store.projection_hash().unwrap();
        let hand = Connection::open(store.path()).unwrap();
        assert!(hand.execute(damage, []).unwrap() > 0, "{damage}");
        assert_ne!(store.projection_hash().unwrap(), whole, "{damage}");
        let verified = store.verify().unwrap();
        let what = verified.damage.map(|damage| damage.what);
        assert!(
            what.as_deref().is_some_and(|what| what.contains("rebuild")),
            "{damage}: {what:?}"
        );
        let rebuilt = store.rebuild().unwrap();
        assert_ne!(rebuilt.before, whole, "{damage}");
        assert_eq!(rebuilt.after, whole, "{damage}");
        assert_eq!(store.verify().unwrap().damage, None, "{damage}");
    }
}
