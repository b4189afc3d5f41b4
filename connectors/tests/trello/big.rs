//! Long logs and big boards.

use super::*;

#[tokio::test]
async fn a_long_log_is_read_to_its_end() {
    let bench = Bench::start().await;
    let (_, lists, cards) = boards(&bench.trello, 1, 1).remove(0);
    bench.clock.advance(Duration::from_mins(1));
    bench.trello.move_to(&cards[0], &lists[2]);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    for number in 0..2498 {
        bench.clock.advance(Duration::from_secs(1));
        bench.trello.comment(&cards[0], &format!("Nummer {number}"));
    }
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Activity), 2500);
    assert_eq!(
        bench.sent(),
        4,
        "list, board, two more pages of 1000 and 500"
    );
    assert_eq!(
        ledger.task(&cards[0]).done_at,
        Some(at("2026-03-02T08:01:00Z"))
    );
    assert!(ledger.notices.is_empty());

    // Exactly a thousand new ones: only an empty page shows that they were all.
    bench.next_night();
    for number in 0..1000 {
        bench.clock.advance(Duration::from_secs(1));
        bench
            .trello
            .comment(&cards[0], &format!("Nachtrag {number}"));
    }
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 3);
    assert_eq!(ledger.count(Stream::Activity), 3500);
    assert_eq!(
        ledger.task(&cards[0]).done_at,
        Some(at("2026-03-02T08:01:00Z"))
    );
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
    assert_eq!(
        bench.sent(),
        4,
        "list, board, and the empty ends of cards and log"
    );
}
