//! Any history of two clients: one is erased, and the other's is as if nothing had happened.

use proptest::prelude::*;
use serde_json::json;
use stundenbuch::ledger::Event;
use stundenbuch::statements::{self, SealError};
use stundenbuch::store::{Error, Store, WorkQuery};
use stundenbuch_connectors::record::{Record, Stream};

use super::town::{Town, entry, free, key, now, today};

/// Whose work something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ahorn,
    Birke,
    Nobody,
}

/// One thing that happens to a ledger.
#[derive(Clone, Debug)]
enum Happening {
    Told { id: u32, day: u32, whose: Whose },
    Exported { id: u32, day: u32, whose: Whose },
    Deleted { id: u32 },
    Taught { client: Whose, task: bool },
    Sealed { client: Whose },
}

fn whose() -> impl Strategy<Value = Whose> {
    prop_oneof![
        3 => Just(Whose::Ahorn),
        3 => Just(Whose::Birke),
        1 => Just(Whose::Nobody),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        5 => (0..9_u32, 1..7_u32, whose())
            .prop_map(|(id, day, whose)| Happening::Told { id, day, whose }),
        3 => (0..9_u32, 1..7_u32, whose())
            .prop_map(|(id, day, whose)| Happening::Exported { id, day, whose }),
        2 => (0..9_u32).prop_map(|id| Happening::Deleted { id }),
        1 => (whose(), any::<bool>())
            .prop_map(|(client, task)| Happening::Taught { client, task }),
        1 => whose().prop_map(|client| Happening::Sealed { client }),
    ]
}

impl Whose {
    fn project(self) -> &'static str {
        match self {
            Self::Ahorn => "kanarie Projekt",
            Self::Birke => "birkenzeisig Projekt",
            Self::Nobody => "irgendwas",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Ahorn => "ahorn",
            Self::Birke => "birke",
            Self::Nobody => "",
        }
    }
}

fn record(day: u32, whose: Whose) -> Record {
    let project = whose.project();
    Record::TimeEntry(entry(day, project, &format!("Tag {day} für {project}")))
}

fn happen(town: &mut Town, happening: &Happening) {
    match *happening {
        Happening::Told { id, day, whose } => {
            town.take("toggl", "1", &id.to_string(), record(day, whose));
        }
        Happening::Exported { id, day, whose } => {
            let id = format!("row-{id}");
            town.take("file:toggl-csv", "csv", &id, record(day, whose));
        }
        Happening::Deleted { id } => {
            let key = key("toggl", Stream::Time, &id.to_string());
            let deleted: Result<bool, Error> = town
                .store
                .write(|writer| writer.append_deletion(now(), &key, "deleted"));
            deleted.unwrap();
        }
        Happening::Taught { client, task } => {
            let key = json!({"connection": "trello", "stream": "tasks", "id": "1"});
            let alias = json!({"text": "tag 1", "task": task.then_some(key)});
            town.append(client.key(), "alias", &alias);
        }
        Happening::Sealed { client } => seal(town, client),
    }
}

fn seal(town: &mut Town, client: Whose) {
    let Some(client) = town.config.client(client.key()) else {
        return;
    };
    let october = "2026-10".parse().unwrap();
    match statements::seal(&mut town.store, &town.config, client, october, now()) {
        Ok(_) | Err(SealError::Nothing { .. }) => {}
        Err(error) => panic!("{error}"),
    }
}

/// Everything that the ledger says of Birke's work, statements and teachings.
///
/// What a statement of Ahorn billed goes with it, though it was moved to Birke since.
fn birkes(store: &Store) -> Vec<String> {
    let statements = store.statements().unwrap();
    let billed_to_ahorn = |number: &str| {
        let mut of_birke = statements.iter().filter(|row| row.client == "birke");
        !of_birke.any(|row| row.number == number)
    };
    let works = store.works(&WorkQuery::default()).unwrap().into_iter();
    let mut all: Vec<String> = works
        .filter(|work| {
            let project = work.entry.project.as_ref().and_then(|it| it.name.clone());
            project.as_deref() == Some(Whose::Birke.project())
        })
        .filter(|work| !work.statement.as_deref().is_some_and(billed_to_ahorn))
        .map(|work| format!("{work:?} {:?}", store.claims(work.id).unwrap()))
        .collect();
    for row in store.statements().unwrap() {
        if row.client == "birke" {
            let mut sealed = store.sealed(&row.number).unwrap().unwrap();
            // The head is of another chain behind an erasure.
            sealed.statement.ledger_head = None;
            all.push(format!("{sealed:?}"));
        }
    }
    let taught = store.aliases().unwrap().into_iter();
    all.extend(
        taught
            .filter(|it| it.0 == "birke")
            .map(|it| format!("{it:?}")),
    );
    all
}

/// Revisions of Ahorn that are there, and may not be.
fn left_over(store: &Store, stay: &[u64]) -> Vec<u64> {
    let mut left = Vec::new();
    let walked: Result<(), Error> = store.rows_after(0, |row| {
        let Event::Revision(revision) = row.event()? else {
            return Ok(());
        };
        let key = store.parse_key(&row.subject)?;
        let ahorns = row.payload.contains(Whose::Ahorn.project());
        // A record that joined another's work, and says the same.
        let joined = store.revision_of(&key)? == Some(row.seq);
        if ahorns && !joined && !stay.contains(&row.seq) && revision.raw.id > 0 {
            left.push(row.seq);
        }
        Ok(())
    });
    walked.unwrap();
    left
}

fn is_proof_of_birke(store: &Store, seq: u64) -> bool {
    let mut rows = store.statements().unwrap().into_iter();
    rows.any(|row| {
        let sealed = store.sealed(&row.number).unwrap().unwrap();
        sealed.works.iter().any(|work| work.revision == seq)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_others_are_as_if_nothing_had_happened(
        before in proptest::collection::vec(happening(), 1..40),
        after in proptest::collection::vec((100..106_u32, 1..7_u32, any::<bool>()), 0..8),
        late in any::<bool>(),
    ) {
        let mut erased = Town::empty();
        let mut untouched = Town::empty();
        for town in [&mut erased, &mut untouched] {
            for one in &before {
                happen(town, one);
            }
        }
        let day = if late { free() } else { today() };
        let plan = erased.erase("ahorn", day);
        prop_assert_eq!(birkes(&erased.store), birkes(&untouched.store));
        let left = left_over(&erased.store, &plan.stay);
        for seq in left {
            prop_assert!(is_proof_of_birke(&erased.store, seq), "row {} is left", seq);
        }
        prop_assert_eq!(erased.store.verify().unwrap().damage, None);
        let rebuilt = erased.store.rebuild().unwrap();
        prop_assert_eq!(rebuilt.before, rebuilt.after);
        crate::ledger_format::strangers_read(&erased.ledger());
        prop_assert!(erased.plan("ahorn", day).is_empty());

        // What comes later comes alike, and what was erased does not come.
        let head = erased.store.head().unwrap();
        for (_, key) in &plan.erasure.records {
            let again = record(3, Whose::Ahorn);
            erased.take(&key.connection, "1", key.id.as_str(), again);
        }
        prop_assert_eq!(erased.store.head().unwrap(), head);
        for town in [&mut erased, &mut untouched] {
            // Both journals are equally long from here on, so that the numbers of works are.
            if town.store.head().unwrap().seq < head.seq {
                town.append("ledger", "restored", &json!({}));
            }
            for (id, day, sealed) in &after {
                // No two records of one instant, for one of them may be erased.
                let record = record(*day + 10, Whose::Birke);
                town.take("toggl", "1", &id.to_string(), record);
                if *sealed {
                    seal(town, Whose::Birke);
                }
            }
        }
        prop_assert_eq!(birkes(&erased.store), birkes(&untouched.store));
        prop_assert_eq!(erased.store.verify().unwrap().damage, None);
    }
}
