//! How many requests a pull costs, and which boards it reads.

use super::*;
use stundenbuch_connectors::suite;

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
    assert_eq!(
        ledger.revisions,
        before.revisions + 2,
        "the card and the action"
    );
    bench.next_night();
    for (_, _, cards) in &world {
        bench.trello.rename(&cards[0], "Neu");
    }
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 6, "five cards, one on each board");
    assert_eq!(bench.trello.refused(), 0);
    assert_eq!(connector.requests(), 15);
    suite::requests_table(
        "trello",
        "5 boards, 500 cards",
        &[("first", 6), ("quiet", 1), ("1 % changed", 6)],
    );
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
        until: None,
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
async fn boards_are_chosen_by_name_link_or_id() {
    let bench = Bench::start().await;
    let world = boards(&bench.trello, 3, 2);
    let chosen = [("boards", texts(&["kunde 2", &world[0].0]))];
    let (connector, mut ledger) = (bench.configured(&chosen).unwrap(), Ledger::default());
    let identity = connector.check().await.unwrap();
    assert_eq!(identity.account, "Ada Beispiel (ada)");
    assert_eq!(identity.details[0], "reads 2 boards: Kunde 2, Kunde 0");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Projects), 2);

    let wrong = bench.configured(&[("boards", texts(&["Kunde2"]))]).unwrap();
    for error in [
        wrong.check().await.unwrap_err(),
        wrong
            .pull(&Cursor::start(), &Pull::Changes)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(
            error
                .advice()
                .unwrap()
                .starts_with("did you mean `Kunde 2`?")
        );
    }

    // A chosen board that was read before may go: that is told, and the other one is read.
    bench.trello.lose_board(&world[2].0);
    bench.next_night();
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.notices.contains("board-lost"));
}

#[tokio::test]
async fn the_fake_enforces_the_limits() {
    let bench = Bench::start().await;
    let (board, _, _) = boards(&bench.trello, 1, 1).remove(0);
    let connector = bench.connector();
    for _ in 0..300 {
        let compare = Pull::Compare {
            from: bench.clock.now(),
            until: None,
        };
        connector.pull(&Cursor::start(), &compare).await.unwrap();
    }
    assert_eq!(bench.sent(), 600);
    assert_eq!(
        bench.trello.refused(),
        0,
        "600 requests for {board}, none too early"
    );
}
