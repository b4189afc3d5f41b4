//! Cards are told the hours that were billed for them: once, in place, and never over a person.

use rusqlite::Connection;
use stundenbuch::config::Config;
use stundenbuch::finding::Kind;
use stundenbuch::statements;
use stundenbuch_connectors::clock::Clock as _;

use super::house::House;
use super::statements::{WEEK, seal};
use crate::fakes::toggl::Entry;

/// A house whose client wants its cards told, comments and numbers.
async fn house() -> House {
    let mut house = House::new(WEEK).await;
    for board in house.trello.boards() {
        house.trello.add_number(&board, "Stunden");
    }
    let file = house.file();
    let text = std::fs::read_to_string(&file).unwrap();
    let told = "\n[[clients.ahorn.write_back]]\nconnection = \"trello\"\nfield = \"Stunden\"\n";
    std::fs::write(&file, text + told).unwrap();
    house.config = Config::load(Some(&file), &house.environment.variables).unwrap();
    house.night().await;
    house
}

/// The card of that name.
fn card(house: &House, name: &str) -> String {
    let boards = house.trello.boards();
    let mut cards = boards.iter().flat_map(|board| house.trello.cards(board));
    let card = cards.find(|card| card["name"] == name).unwrap();
    card["id"].as_str().unwrap().to_owned()
}

fn comments(house: &House, name: &str) -> Vec<String> {
    house.trello.comments(&card(house, name))
}

/// The first lines of a card's comments; below each stands its marker.
fn told(house: &House, name: &str) -> Vec<String> {
    let line = |text: &String| {
        let (line, marker) = text.split_once('\n').unwrap();
        assert!(
            marker.starts_with("[#2026-08-") && marker.len() == 17,
            "{marker}"
        );
        line.to_owned()
    };
    comments(house, name).iter().map(line).collect()
}

/// The number in the field, as the service stores it.
fn number(house: &House, name: &str) -> Option<String> {
    let boards = house.trello.boards();
    let mut cards = boards.iter().flat_map(|board| house.trello.cards(board));
    let card = cards.find(|card| card["name"] == name).unwrap();
    let value = card["customFieldItems"][0]["value"]["number"].as_str();
    value.map(str::to_owned)
}

fn cancel(house: &mut House, number: &str) {
    let now = house.clock.now();
    statements::cancel(&mut house.store, &house.config, number, now).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_has_one_comment_for_a_period_whatever_happens_to_its_statements() {
    let mut house = house().await;
    seal(&mut house, "2026-08-20").unwrap();
    assert_eq!(
        told(&house, "Aufgabe 0-5"),
        [""; 0],
        "only the outbox delivers"
    );
    house.night().await;
    // Entry 5 of the history took 785 seconds, entry 6 took 822; entry 0 is not billable.
    assert_eq!(
        told(&house, "Aufgabe 0-5"),
        ["20.08.2026: 0:13 Std. (Abrechnung 2026-0001)"]
    );
    assert_eq!(
        told(&house, "Aufgabe 1-6"),
        ["20.08.2026: 0:14 Std. (Abrechnung 2026-0001)"]
    );
    assert_eq!(told(&house, "Aufgabe 0-0"), [""; 0]);
    assert_eq!(number(&house, "Aufgabe 0-5").as_deref(), Some("0.22"));
    let before = comments(&house, "Aufgabe 0-5");

    // The power went off between each delivery and its record.
    let hand = Connection::open(house.store.path()).unwrap();
    let crashed = "UPDATE outbox SET state = 'queued', location = NULL, outcome = NULL,
                   done_at = NULL";
    assert!(hand.execute(crashed, []).unwrap() > 4);
    house.night().await;
    assert_eq!(comments(&house, "Aufgabe 0-5"), before, "still once");
    assert_eq!(house.findings(Kind::DeliveryKept), []);

    // Half an hour more turns up, and is sealed for the same day.
    let start = "2026-08-20T20:00:00Z".parse().unwrap();
    let mut late = Entry::of(start, 30);
    late.description = Some("Aufgabe 0-5".to_owned());
    late.project = Some(3_000_001);
    late.at = Some(house.noon());
    house.toggl.add(late);
    house.night().await;
    seal(&mut house, "2026-08-20").unwrap();
    house.night().await;
    assert_eq!(
        told(&house, "Aufgabe 0-5"),
        ["20.08.2026: 0:43 Std. (Abrechnungen 2026-0001, 2026-0002)"]
    );
    assert_eq!(number(&house, "Aufgabe 0-5").as_deref(), Some("0.72"));
    assert_eq!(told(&house, "Aufgabe 1-6").len(), 1);

    // Taken back, the hours are taken back on the card.
    cancel(&mut house, "2026-0002");
    house.night().await;
    assert_eq!(
        told(&house, "Aufgabe 0-5"),
        ["20.08.2026: 0:13 Std. (Abrechnung 2026-0001)"]
    );
    assert_eq!(number(&house, "Aufgabe 0-5").as_deref(), Some("0.22"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_changed_on_a_card_stays_and_is_told() {
    let mut house = house().await;
    seal(&mut house, "2026-08-20").unwrap();
    house.night().await;
    let ours = comments(&house, "Aufgabe 0-5").remove(0);
    let theirs = format!("Bezahlt, danke! Anna\n{ours}");
    let board = house.trello.boards().remove(0);
    let id = house.trello.comment_id(&card(&house, "Aufgabe 0-5"), &ours);
    house.noon();
    house.trello.edit_comment(&board, &id, &theirs);
    house.night().await;
    cancel(&mut house, "2026-0001");
    house.night().await;
    assert_eq!(comments(&house, "Aufgabe 0-5"), [theirs]);
    assert_eq!(told(&house, "Aufgabe 1-6"), ["20.08.2026: storniert"]);
    let kept = house.findings(Kind::DeliveryKept);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert!(
        kept[0].sentence.contains("20.08.2026: storniert"),
        "{kept:?}"
    );
    // The client sees to it, or not: it is not told again.
    house.night().await;
    assert_eq!(house.ever(Kind::DeliveryKept), 1);
}
