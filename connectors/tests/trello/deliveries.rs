//! Comments and numbers that are written on cards.

use sha2::{Digest, Sha256};
use stundenbuch_connectors::contract::{
    Item, Outcome, Outgoing, OutgoingComment, OutgoingField, OutgoingFile, Receipt,
};
use stundenbuch_connectors::error::Retry;
use stundenbuch_connectors::suite::{self, CommentSubject, Trouble};

use super::*;

const MARKER: &str = "[#2026-03-7f3a9c]";

struct World {
    bench: Bench,
    list: String,
}

impl World {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let list = boards(&bench.trello, 1, 0).remove(0).1[0].clone();
        Self { bench, list }
    }

    async fn deliver(&self, item: Item) -> Result<Receipt, Error> {
        let key = "delivery".to_owned();
        self.bench
            .connector()
            .deliver(&Outgoing { key, item })
            .await
    }

    async fn number(&self, card: &str, value: &str, replaces: Option<&str>) -> Receipt {
        self.deliver(number(card, value, replaces)).await.unwrap()
    }

    fn value(&self, card: &str) -> String {
        let board = self.bench.trello.boards().remove(0);
        let cards = self.bench.trello.cards(&board);
        let card = cards.iter().find(|it| it["id"] == card).unwrap();
        card["customFieldItems"][0]["value"]["number"].to_string()
    }
}

impl CommentSubject for World {
    fn connector(&self) -> Box<dyn Connector> {
        // A quarter of an hour later: the window of requests for the member is a new one.
        self.bench.clock.advance(Duration::from_mins(16));
        self.bench.connector()
    }

    fn task(&self) -> ExternalId {
        ExternalId::new(self.bench.trello.add_card(&self.list, "Karte"))
    }

    fn comments(&self, task: &ExternalId) -> Vec<String> {
        self.bench.trello.comments(task.as_str())
    }

    fn say(&self, task: &ExternalId, text: &str) {
        self.bench.trello.comment_of_another(task.as_str(), text);
    }

    fn edit(&self, task: &ExternalId, from: &str, to: &str) {
        let trello = &self.bench.trello;
        let board = trello.boards().remove(0);
        let id = trello.comment_id(task.as_str(), from);
        trello.edit_comment(&board, &id, to);
    }

    fn break_with(&self, trouble: Trouble, skip: u32) {
        let (path, times, kind) = ("/", u32::MAX, FaultKind::of(trouble));
        self.bench
            .server
            .fail_after(skip, Fault { path, times, kind });
    }

    fn heal(&self) {
        self.bench.server.heal();
    }
}

fn comment(card: &str, text: &str) -> Item {
    Item::Comment(OutgoingComment {
        task: ExternalId::new(card),
        marker: MARKER.to_owned(),
        text: text.to_owned(),
        replaces: None,
    })
}

fn number(card: &str, value: &str, replaces: Option<&str>) -> Item {
    Item::Field(OutgoingField {
        task: ExternalId::new(card),
        field: "Stunden".to_owned(),
        value: value.to_owned(),
        replaces: replaces.map(str::to_owned),
    })
}

#[tokio::test]
async fn comments_conform() {
    suite::comments_once(&World::start().await).await;
}

#[tokio::test]
async fn a_comment_costs_three_requests_and_a_second_one_two() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let cards = [0, 1].map(|_| trello.add_card(&world.list, "Karte"));
    let connector = world.bench.connector();
    let text = format!("März: 2:30 h, „Übung“ 👩‍👩‍👧 & 100 % + 1\n{MARKER}");
    let mut receipts = Vec::new();
    for (card, cost) in cards.iter().zip([3, 2]) {
        world.bench.server.forget_requests();
        let (key, item) = (card.clone(), comment(card, &text));
        receipts.push(connector.deliver(&Outgoing { key, item }).await.unwrap());
        assert_eq!(world.bench.sent(), cost);
        assert_eq!(trello.comments(card), [text.as_str()]);
    }
    assert_eq!(receipts[0].outcome, Outcome::Created);
    assert!(receipts[0].location.starts_with("https://trello.com/c/"));
    assert!(receipts[0].location.contains("#comment-"));
    for request in world.bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(
            !address.contains(TOKEN) && !address.contains("bung"),
            "{address}"
        );
    }
    assert_eq!(trello.refused(), 0);
}

/// Where an answer was lost, the card tells at once what became of the request; where nothing
/// came of it, the next attempt may write.
#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_is_sent_twice() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let text = |hours: &str| format!("März: {hours} h\n{MARKER}");
    let replacing = |old: &str, new: &str| match comment(&card, &text(new)) {
        Item::Comment(mut comment) => {
            comment.replaces = Some(sha256(&text(old)));
            Item::Comment(comment)
        }
        other => other,
    };
    let lose = |path, kind| {
        let times = 1;
        world.bench.server.fail(Fault { path, times, kind });
        world.bench.server.forget_requests();
    };
    lose("/actions/comments", FaultKind::status(500));
    let error = world.deliver(comment(&card, &text("1"))).await.unwrap_err();
    assert!(
        matches!(error.retry_advice(), Retry::Later { .. }),
        "{error:?}"
    );
    assert_eq!((trello.comments(&card).len(), world.bench.sent()), (0, 4));

    lose("/actions/comments", FaultKind::LostAnswer);
    let receipt = world.deliver(comment(&card, &text("1"))).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Created);
    assert_eq!((trello.comments(&card).len(), world.bench.sent()), (1, 4));

    let id = trello.comment_id(&card, &text("1"));
    let path: &'static str = format!("/1/actions/{id}").leak();
    lose(path, FaultKind::LostAnswer);
    let receipt = world.deliver(replacing("1", "2")).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Replaced);
    assert_eq!(
        (trello.comments(&card), world.bench.sent()),
        (vec![text("2")], 4)
    );

    // Not changed there, and not tried again at once: somebody may be editing it.
    lose(path, FaultKind::status(500));
    let error = world.deliver(replacing("2", "3")).await.unwrap_err();
    assert!(
        matches!(error.retry_advice(), Retry::Later { .. }),
        "{error:?}"
    );
    assert_eq!(
        (trello.comments(&card), world.bench.sent()),
        (vec![text("2")], 4)
    );
}

fn sha256(text: &str) -> String {
    use std::fmt::Write as _;
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tokio::test]
async fn the_longest_comment_is_taken_and_a_longer_one_refused_here() {
    let world = World::start().await;
    let card = world.bench.trello.add_card(&world.list, "Karte");
    let of_length = |length: usize| {
        let words = "𝄞".repeat(length - MARKER.chars().count() - 1);
        comment(&card, &format!("{words}\n{MARKER}"))
    };
    let receipt = world.deliver(of_length(16_384)).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::Created);
    world.bench.server.forget_requests();
    for item in [of_length(16_385), comment(&card, "ohne Zeichen")] {
        let error = world.deliver(item).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    }
    assert_eq!(world.bench.sent(), 0);
}

/// A thousand later comments do not hide ours, and a quotation by ourselves is not ours.
#[tokio::test]
async fn our_comment_is_found_under_a_thousand_others() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let text = format!("März: 1:00 h\n{MARKER}");
    world.deliver(comment(&card, &text)).await.unwrap();
    for number in 0..1000 {
        trello.comment(&card, &format!("Nummer {number}"));
    }
    trello.comment(&card, &format!("{MARKER}\nist der Bericht"));
    let receipt = world.deliver(comment(&card, &text)).await.unwrap();
    assert_eq!(receipt.outcome, Outcome::AlreadyThere);
    assert_eq!(trello.comments(&card).len(), 1002);
}

#[tokio::test]
async fn our_comments_come_back_as_reports_and_not_as_work() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let (connector, mut ledger) = (world.bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    world.bench.next_night();
    let text = format!("März: 1:00 h\n{MARKER}");
    world.deliver(comment(&card, &text)).await.unwrap();
    let theirs = trello.comment_of_another(&card, "Danke! [#2026-03-7f3a9c] passt");
    ledger.pull(&*connector).await.unwrap();
    let what = |ledger: &Ledger| {
        let activities = ledger
            .current
            .iter()
            .filter_map(|((_, id), (_, record))| match record {
                Record::Activity(activity) => Some((id.clone(), activity.what.clone())),
                _ => None,
            });
        activities.collect::<BTreeMap<_, _>>()
    };
    let told = what(&ledger);
    assert_eq!(told[&ExternalId::new(&*theirs)], "commented");
    let reports = told.values().filter(|it| *it == "reported").count();
    assert_eq!((reports, told.len()), (1, 3));
    // The night after is as quiet as any.
    world.bench.next_night();
    let before = ledger.revisions;
    ledger.pull(&*connector).await.unwrap();
    assert_eq!((ledger.revisions, world.bench.sent()), (before, 1));
}

#[tokio::test]
async fn a_token_that_may_only_read_says_so() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let said = async || {
        world
            .bench
            .connector()
            .check()
            .await
            .unwrap()
            .details
            .remove(1)
    };
    assert_eq!(said().await, "the token may write comments and fields");
    trello.read_only(true);
    assert!(said().await.contains("`read,write`"));
    let error = world
        .deliver(comment(&card, &format!("x\n{MARKER}")))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    assert!(error.advice().unwrap().contains("scope=read,write"));
    let error = world.deliver(comment("0123456789abcdef01234567", &format!("x\n{MARKER}")));
    assert_eq!(error.await.unwrap_err().kind(), ErrorKind::NotFound);
    let file = Item::File(OutgoingFile {
        path: "a.pdf".to_owned(),
        bytes: (&b"x"[..]).into(),
        sha256: String::new(),
        replaces: None,
    });
    let error = world.deliver(file).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_number_is_written_once_and_never_over_a_persons() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let board = trello.boards().remove(0);
    let field = trello.add_number(&board, " stunden ");
    trello.add_field(&board, "Priorität", json!([]));
    assert_eq!(
        world.number(&card, "2.50", None).await.outcome,
        Outcome::Created
    );
    assert_eq!(world.value(&card), "\"2.5\"");
    assert_eq!(
        world.number(&card, "2.5", None).await.outcome,
        Outcome::AlreadyThere
    );
    let replaced = world.number(&card, "3.25", Some("2.50")).await;
    assert_eq!(replaced.outcome, Outcome::Replaced);
    for replaces in [None, Some("2.50")] {
        let kept = world.number(&card, "4", replaces).await;
        assert_eq!(kept.outcome, Outcome::Kept, "{replaces:?}");
        assert_eq!(world.value(&card), "\"3.25\"");
    }
    // Emptied by a person, it is free again.
    let item = json!([{"idCustomField": field, "value": null}]);
    trello.set(&card, "customFieldItems", item);
    assert_eq!(
        world.number(&card, "5", None).await.outcome,
        Outcome::Created
    );
    let error = world.deliver(number(&card, "1,5", None)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
}

#[tokio::test]
async fn a_number_whose_answer_is_lost_is_there_once() {
    for trouble in [Trouble::Lost, Trouble::Away, Trouble::Cut] {
        for skip in 0..4 {
            let world = World::start().await;
            let card = world.bench.trello.add_card(&world.list, "Karte");
            let board = world.bench.trello.boards().remove(0);
            world.bench.trello.add_number(&board, "Stunden");
            world.break_with(trouble, skip);
            let lost = world.deliver(number(&card, "1", None)).await;
            world.heal();
            if let Err(error) = &lost {
                let later = matches!(error.retry_advice(), Retry::Later { .. });
                assert!(later, "{trouble:?} after {skip}: {error:?}");
            }
            world.number(&card, "1", None).await;
            world.number(&card, "2", Some("1")).await;
            assert_eq!(
                world.value(&card),
                "\"2\"",
                "{trouble:?} after {skip}: {lost:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_board_without_the_field_says_what_is_missing() {
    let world = World::start().await;
    let trello = &world.bench.trello;
    let card = trello.add_card(&world.list, "Karte");
    let board = trello.boards().remove(0);
    let refused = async |kind, words: &str| {
        let error = world.deliver(number(&card, "1", None)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        let told = format!("{error} {}", error.advice().unwrap_or_default());
        assert!(told.contains(words), "{told}");
    };
    refused(ErrorKind::Settings, "Trello Standard").await;
    trello.add_field(&board, "Stunden", json!([]));
    refused(ErrorKind::Settings, "no number").await;
    trello.add_number(&board, "Stunden");
    trello.add_number(&board, "STUNDEN");
    refused(ErrorKind::Settings, "several").await;
    trello.without_fields(true);
    refused(ErrorKind::Forbidden, "Trello Standard").await;
}
