//! Much vanishes at once, and no service says that it was deleted.

use serde_json::json;
use stundenbuch::finding::Kind;
use stundenbuch::run::nightly::Plan;
use stundenbuch::run::report::Exit;

use super::house::{House, Size, of, stundenbuch};

const BOARD: Size = Size {
    boards: 2,
    cards: 100,
    entries: 20,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_that_loses_most_of_its_cards_is_not_believed() {
    let mut house = House::new(BOARD).await;
    house.night().await;
    house.noon();
    let board = house.trello.boards()[0].clone();
    let lost = house.trello.lose_cards(&board, 60);
    house.trello.touch(&board);

    let report = house.night().await;
    assert_eq!(report.exit(), Exit::NeedsPerson);
    assert_eq!(of(&report, "trello").held, 60);
    assert_held(&house, 60);

    // It stays so, night after night, until somebody looks.
    for _ in 0..2 {
        let report = house.night().await;
        assert_eq!(report.exit(), Exit::NeedsPerson, "still held");
        assert_held(&house, 60);
    }

    // Half of them come back by themselves, and were never gone.
    house.noon();
    house.trello.find_cards(&board, lost[30..].to_vec());
    house.trello.touch(&board);
    house.night().await;
    assert_held(&house, 30);

    // Somebody looked, and says that the rest was deleted; but of those, ten still exist.
    house.noon();
    house.trello.hide_cards(lost[..10].to_vec());
    accept(&mut house);
    let report = house.pass(&only_trello()).await;
    assert_eq!(of(&report, "trello").counts.deleted, 20);
    let mut gone: Vec<String> = lost[10..30]
        .iter()
        .map(|card| format!("trello/tasks/{}", card["id"].as_str().unwrap()))
        .collect();
    gone.sort();
    assert_eq!(house.deleted(), gone);
    assert!(report.exit() <= Exit::Findings, "nothing is held any more");
    assert_eq!(house.findings(Kind::SuspiciousDeletion), []);
    assert_eq!(house.ever(Kind::SuspiciousDeletion), 1);
}

/// The board changes again before the deletions are accepted, so that the very pull that should
/// confirm them lists it once more and misses them all again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accepted_deletions_are_not_held_again_by_the_pull_that_confirms_them() {
    let mut house = House::new(BOARD).await;
    house.night().await;
    house.noon();
    let board = house.trello.boards()[0].clone();
    house.trello.lose_cards(&board, 60);
    house.trello.touch(&board);
    house.night().await;
    house.noon();
    let card = house.trello.ids(&board).0[0].clone();
    house.trello.set(&card, "desc", json!("Neu beschrieben"));
    house.trello.touch(&board);
    accept(&mut house);
    let report = house.pass(&only_trello()).await;
    assert_eq!(of(&report, "trello").counts.deleted, 60);
    assert_eq!(house.deleted().len(), 60);
    assert!(report.exit() <= Exit::Findings);
    house.assert_true();
}

/// An empty list of boards is not the end of all tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boards_that_are_lost_take_nothing_with_them() {
    let mut house = House::new(BOARD).await;
    house.night().await;
    house.noon();
    for board in house.trello.boards() {
        house.trello.lose_board(&board);
    }
    for _ in 0..3 {
        house.night().await;
        assert_eq!(house.deleted(), Vec::<String>::new());
    }
}

/// A board emptied to the last card: the connector itself does not believe it, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_board_deletes_nothing() {
    let mut house = House::new(BOARD).await;
    house.night().await;
    house.noon();
    let board = house.trello.boards()[1].clone();
    house.trello.empty_board(&board);
    let report = house.night().await;
    assert_eq!(house.deleted(), Vec::<String>::new());
    let notices = &of(&report, "trello").notices;
    assert!(notices[0].contains("lists no cards"), "{notices:?}");
    assert_eq!(house.findings(Kind::SourceNotice).len(), 1);
}

fn assert_held(house: &House, count: usize) {
    assert_eq!(house.deleted(), Vec::<String>::new());
    assert_eq!(house.store.absences("trello", true).unwrap().len(), count);
    let findings = house.findings(Kind::SuspiciousDeletion);
    assert_eq!(findings.len(), 1);
    let sentence = &findings[0].sentence;
    assert!(sentence.starts_with(&format!("{count} ")), "{sentence}");
}

/// What `stundenbuch pull trello --accept-deletions` does before it pulls.
fn accept(house: &mut House) {
    house
        .store
        .write(|writer| writer.release_held("trello"))
        .unwrap();
}

fn only_trello() -> Plan {
    Plan {
        trigger: "pull".into(),
        only: ["trello".to_owned()].into(),
        pull_only: true,
        ..Plan::default()
    }
}

/// The same through the command line.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_accepts_deletions_of_a_named_connection_only() {
    let mut house = House::new(BOARD).await;
    house.night().await;
    house.noon();
    let board = house.trello.boards()[0].clone();
    house.trello.lose_cards(&board, 60);
    house.trello.touch(&board);
    house.night().await;
    let output = stundenbuch(&house, &["pull", "--accept-deletions"]).await;
    assert_eq!(output.status.code(), Some(2));
    let output = stundenbuch(&house, &["pull", "trello", "--accept-deletions"]).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    assert!(code == Some(0) || code == Some(1), "{code:?} {errors}");
    assert!(errors.contains("60 absences will be confirmed"), "{errors}");
    assert_eq!(house.deleted().len(), 60);
}
