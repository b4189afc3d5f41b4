//! Tests of the Trello board export: a made-up board of today, one of 2015, and real ones.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::*;
use crate::import::DateOrder;
use crate::record::{Record, Stream, Task, TaskState};

const BOARD: &str = include_str!("../trello/fixtures/board.json");
const BOARD_2015: &str = include_str!("../trello/fixtures/board-2015.json");

fn read(document: &str) -> Result<Vec<Raw>, ReadError> {
    let options = Options {
        time_zone: chrono_tz::Europe::Berlin,
        dates: DateOrder::Detect,
    };
    let mut records = Vec::new();
    let keep = &mut |raw| {
        records.push(raw);
        Ok(())
    };
    TrelloBoard.read(&mut document.as_bytes(), &options, keep)?;
    Ok(records)
}

fn refused(document: &str) -> Refusal {
    match read(document) {
        Err(ReadError::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn records(raws: &[Raw]) -> Vec<(String, Record)> {
    let found = raws
        .iter()
        .flat_map(|raw| TrelloBoard.normalise(raw).unwrap());
    found.map(|it| (it.id.to_string(), it.record)).collect()
}

fn tasks(raws: &[Raw]) -> BTreeMap<String, Task> {
    let tasks = records(raws)
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::Task(task) => Some((task.title.clone(), task)),
            _ => None,
        });
    tasks.collect()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn a_board_of_today() {
    let raws = read(BOARD).unwrap();
    assert!(
        raws.iter().all(|raw| !raw.body.contains("geheim")),
        "the cards' mail address"
    );
    assert!(
        raws.iter().all(|raw| !raw.body.contains("badges")),
        "what changes by itself"
    );
    let tasks = tasks(&raws);
    let titles: Vec<&str> = tasks.keys().map(String::as_str).collect();
    let all = [
        "Alte Aufgabe",
        "Impressum prüfen",
        "Startseite überarbeiten",
        "Weggelegt",
    ];
    assert_eq!(titles, all, "and no template, separator or mirror");

    let task = &tasks["Startseite überarbeiten"];
    assert_eq!(task.state, TaskState::Done, "its list is done");
    assert_eq!(task.done_at, Some(at("2026-02-03T09:15:00Z")));
    assert_eq!(task.labels, ["Abrechenbar", "sky"]);
    assert_eq!(task.due, Some(at("2026-02-06T11:00:00Z")));
    let people: Vec<_> = task
        .assignees
        .iter()
        .filter_map(|it| it.name.as_deref())
        .collect();
    assert_eq!(people, ["Ada Beispiel", "bo_muster"]);
    let fields: Vec<_> = task
        .fields
        .iter()
        .map(|(key, it)| format!("{key}={it}"))
        .collect();
    assert_eq!(fields, ["Geprüft=true", "Priorität=Hoch", "Stunden=2.5"]);
    assert_eq!(
        tasks["Impressum prüfen"].done_at,
        Some(at("2026-02-04T15:30:00Z"))
    );
    assert!(tasks["Alte Aufgabe"].archived && tasks["Weggelegt"].archived);
    assert!(!task.archived);

    let told: Vec<String> = records(&raws)
        .into_iter()
        .filter_map(|(_, record)| match record {
            Record::Activity(activity) => Some(activity.what),
            _ => None,
        })
        .collect();
    let all = [
        "created",
        "moved to Erledigt ✅",
        "commented",
        "archived",
        "deleted",
    ];
    assert_eq!(told, all, "oldest first, and no positions");
}

#[test]
fn a_board_of_2015_lacks_what_came_later() {
    let tasks = tasks(&read(BOARD_2015).unwrap());
    let task = &tasks["Fragen sammeln"];
    assert_eq!(task.state, TaskState::Open);
    assert_eq!(
        task.labels,
        ["Entwurf"],
        "from the card, as the board lists none"
    );
    assert_eq!(task.created, Some(at("2015-07-11T11:37:36Z")));
    assert_eq!(task.assignees.len(), 1);
    assert_eq!(task.assignees[0].name, None);
}

/// A board whose log is as long as an export gives: so many actions on four cards, newest first.
fn long_board(actions: usize) -> String {
    let mut board: Value = serde_json::from_str(BOARD).unwrap();
    let cards: Vec<Value> = board["cards"].as_array().unwrap()[..4].to_vec();
    let action = |number: usize| {
        let at = DateTime::from_timestamp(1_780_000_000 - 60 * i64::try_from(number).unwrap(), 0);
        let card = &cards[number % 4];
        let card = serde_json::json!({"id": card["id"], "name": card["name"]});
        let (kind, data) = match number % 5 {
            0 => (
                "commentCard",
                serde_json::json!({"card": card, "text": format!("Nr {number}")}),
            ),
            1 => (
                "updateCard",
                serde_json::json!({"card": card, "old": {"pos": 1}}),
            ),
            2 => (
                "updateCard",
                serde_json::json!({"card": card, "old": {"name": "Alt"}}),
            ),
            3 => ("addMemberToCard", serde_json::json!({"card": card})),
            _ => (
                "addAttachmentToCard",
                serde_json::json!({"card": card, "attachment": {"name": "a.pdf"}}),
            ),
        };
        serde_json::json!({"id": format!("66f0000000000000{number:08x}"), "type": kind,
            "date": at.unwrap().to_rfc3339(), "data": data,
            "idMemberCreator": "5a0000000000000000000001"})
    };
    board["actions"] = (0..actions).map(action).collect();
    board.to_string()
}

#[test]
fn an_export_with_all_actions_that_it_can_hold_says_that_older_ones_are_missing() {
    let gaps = |raws: &[Raw]| {
        raws.iter()
            .filter_map(crate::import::gap)
            .collect::<Vec<_>>()
    };
    for (actions, told) in [(999, 0), (1000, 1)] {
        let raws = read(&long_board(actions)).unwrap();
        let activities = raws.iter().filter(|raw| raw.stream == Stream::Activity);
        // Of five actions, a position and a new member say nothing of the work.
        assert_eq!(
            activities.count(),
            actions.div_ceil(5) * 3 - usize::from(actions == 999)
        );
        let gaps = gaps(&raws);
        assert_eq!(gaps.len(), told, "{actions}");
        for gap in gaps {
            assert_eq!(gap.code, "trello-export-capped");
            assert!(
                gap.text.contains("Website Kunde Nord holds 1000"),
                "{}",
                gap.text
            );
        }
        // The record of the board is the same, so a connection makes no revision of it.
        let project = |raws: &[Raw]| TrelloBoard.normalise(&raws[0]).unwrap();
        assert_eq!(project(&raws), project(&read(BOARD).unwrap()));
    }
}

#[test]
fn what_is_no_whole_board_is_refused_with_a_reason() {
    let bad_card = BOARD.replace("\"name\": \"Weggelegt\"", "\"name\": 7");
    let no_id = BOARD.replace("\"id\": \"66a100000000000000000004\"", "\"id\": \"\"");
    for (document, reason) in [
        ("", "is not JSON"),
        ("{\"id\": ", "is not JSON"),
        ("[{\"id\": \"66a100000000000000000004\"}]", "is a list"),
        (
            "{\"id\": \"66a100000000000000000004\", \"idList\": \"x\"}",
            "is a part",
        ),
        (
            "{\"id\": \"66a0000000000000000000b1\", \"name\": \"x\"}",
            "has no `cards`",
        ),
        ("{\"data\": []}", "has no `id`"),
        (&bad_card, "tasks 66a100000000000000000004.name"),
        (&no_id, "cards[3].id"),
    ] {
        let refusal = refused(document);
        assert_eq!(refusal.problems.len(), 1, "{reason}");
        let told = refusal.problems[0].to_string();
        assert!(told.contains(reason), "{told}");
    }
    assert_eq!(refused("{\n\"id\": nothing}").problems[0].row, Some(2));
    assert_eq!(
        read(&format!("\u{feff}{BOARD}")).unwrap(),
        read(BOARD).unwrap()
    );
}

#[test]
fn only_boards_are_recognised() {
    for board in [BOARD, BOARD_2015] {
        let head = &board.as_bytes()[..600.min(board.len())];
        assert!(TrelloBoard.recognises("export.json", head));
    }
    for other in [
        "",
        "[{\"idOrganization\": 1}]",
        "{\"data\":[{\"gid\":\"1\"}]}",
        "a,b\n1,2",
    ] {
        assert!(
            !TrelloBoard.recognises("export.json", other.as_bytes()),
            "{other}"
        );
    }
}

/// The folder of real exports, where this machine has one.
fn real(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("STUNDENBUCH_SHARED").map_or(root, PathBuf::from);
    let path = shared.join("data/trello").join(name);
    if !path.exists() {
        println!(
            "SKIPPED: no {}; set STUNDENBUCH_SHARED to try it",
            path.display()
        );
        return None;
    }
    Some(path)
}

#[test]
fn real_boards_give_as_many_tasks_as_they_have_cards() {
    // Counted in the files by another program: cards, people, and actions that say something.
    for (name, cards, people) in [
        ("fda-food-recalls-2015.json", 69, 5),
        ("kanban-template-2020.json", 16, 1),
        ("synthetic-de-kanban.json", 16, 1),
        ("web-development-2020.json", 8, 2),
        ("wekan-project100-2021.json", 3, 1),
    ] {
        let Some(path) = real(name) else { continue };
        let document = std::fs::read_to_string(path).unwrap();
        assert!(
            TrelloBoard.recognises(name, &document.as_bytes()[..4096]),
            "{name}"
        );
        let raws = read(&document).unwrap();
        let count = |stream| raws.iter().filter(|raw| raw.stream == stream).count();
        assert_eq!(count(Stream::Tasks), cards, "{name}");
        assert_eq!(count(Stream::People), people, "{name}");
        assert_eq!(count(Stream::Projects), 1, "{name}");
        let document: Value = serde_json::from_str(&document).unwrap();
        for (raw, (id, record)) in raws.iter().zip(records(&raws)) {
            let Record::Task(task) = record else { continue };
            let cards = document["cards"].as_array().unwrap();
            let card = cards.iter().find(|card| card["id"] == *id).unwrap();
            assert_eq!(task.title, card["name"], "{name}");
            assert_eq!(
                task.labels.len(),
                card["idLabels"].as_array().unwrap().len()
            );
            assert_eq!(
                task.assignees.len(),
                card["idMembers"].as_array().unwrap().len()
            );
            assert!(task.created.is_some());
            assert_eq!(raw.scope, document["id"]);
        }
    }
}

#[test]
fn a_real_board_has_its_fields_and_its_done_days() {
    if let Some(path) = real("wekan-project100-2021.json") {
        let raws = read(&std::fs::read_to_string(path).unwrap()).unwrap();
        let task = &tasks(&raws)["Write code"];
        assert_eq!(task.fields["Text Value"], "Hello");
        assert_eq!(task.fields["Logical Value"], "true");
        assert_eq!(task.fields["Date Value"], "2021-01-07T10:00:00.000Z");
    }
    if let Some(path) = real("synthetic-de-kanban.json") {
        let raws = read(&std::fs::read_to_string(path).unwrap()).unwrap();
        let done = |task: &&Task| task.state == TaskState::Done && task.section.is_some();
        let tasks = tasks(&raws);
        let list = |task: &Task| task.section.as_ref().unwrap().name.clone().unwrap();
        // Done by their list, or ticked by a person wherever they lie.
        assert!(
            tasks
                .values()
                .filter(done)
                .any(|task| list(task) == "Erledigt")
        );
        let open = tasks.values().filter(|task| task.state == TaskState::Open);
        assert!(open.into_iter().all(|task| list(task) != "Erledigt"));
    }
}

#[test]
fn parts_of_a_board_are_refused() {
    for name in [
        "BoardActions",
        "GetBoardCardList",
        "GetCardExample",
        "GetBoardExample",
    ] {
        let Some(path) = real(&format!("api_samples/{name}.json")) else {
            continue;
        };
        let refusal = refused(&std::fs::read_to_string(path).unwrap());
        assert_eq!(refusal.problems.len(), 1, "{name}");
    }
}

/// A board put together of what Trello's API answered, part by part, as the nested request gives
/// it at once.
#[test]
fn recorded_answers_make_a_board() {
    let read_part = |name: &str| -> Option<Value> {
        let path = real(&format!("api_samples/{name}.json"))?;
        Some(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    };
    let Some(mut board) = read_part("GetBoardExample") else {
        return;
    };
    for (key, name) in [
        ("cards", "GetBoardCardList"),
        ("actions", "BoardActions"),
        ("lists", "GetListExample"),
        ("labels", "GetLabelsExample"),
        ("members", "Members"),
        ("checklists", "Checklists"),
    ] {
        board[key] = read_part(name).unwrap();
    }
    board["customFields"] = Value::Array(vec![read_part("GetCustomField").unwrap()]);
    let raws = read(&board.to_string()).unwrap();
    let count = |stream| raws.iter().filter(|raw| raw.stream == stream).count();
    assert_eq!(count(Stream::Tasks), 2);
    assert_eq!(count(Stream::People), 1);
    assert!(raws.iter().all(|raw| crate::import::gap(raw).is_none()));
    for (_, record) in records(&raws) {
        if let Record::Task(task) = record {
            assert!(!task.title.is_empty() && task.created.is_some());
        }
    }
    // Thirty changes of cards, of which positions say nothing, and one deletion.
    let actions = board["actions"].as_array().unwrap();
    let said = actions.iter().filter(|action| {
        let old = action["data"]["old"].as_object();
        let position = old.is_some_and(|old| old.keys().all(|key| key == "pos"));
        action["type"] == "deleteCard" || (action["type"] == "updateCard" && !position)
    });
    assert!(count(Stream::Activity) <= said.count() && count(Stream::Activity) > 1);
}
