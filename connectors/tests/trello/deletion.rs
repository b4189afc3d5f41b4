//! What is deleted, and what only looks so.

use super::*;

#[tokio::test]
async fn deleted_cards_are_noticed_and_archived_ones_stay() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (_, lists, cards) = boards(trello, 1, 10).remove(0);
    let elsewhere = trello.add_list(&trello.add_board("Anderes"), "Eingang");
    trello.move_to(&cards[9], &lists[1]);
    let connector = bench
        .configured(&[("boards", texts(&["Kunde 0"]))])
        .unwrap();
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
    assert_eq!(
        bench.sent(),
        2,
        "the log says it all, so nothing is asked twice"
    );
    let deleted: Vec<&str> = ledger.deleted.keys().map(ExternalId::as_str).collect();
    assert_eq!(
        deleted,
        cards[..3].iter().map(String::as_str).collect::<Vec<_>>()
    );
    assert!(
        ledger
            .deleted
            .values()
            .all(|proof| proof.starts_with("deleteCard "))
    );
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
    let asked = [
        absent(&cards[0]),
        absent(&cards[1]),
        absent("../members/me"),
    ];
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
    assert_eq!(
        bench.sent(),
        3,
        "the list, the closed board once more, the empty one"
    );
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
