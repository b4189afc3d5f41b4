//! Comments and fields: once, in place, and never over a person's words.

use stundenbuch_connectors::contract::{Item, Outcome, Outgoing, OutgoingField};
use stundenbuch_connectors::suite::CommentSubject;

use super::*;

struct Board {
    bench: Bench,
    project: String,
}

impl Board {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let project = bench.asana.add_project("Kunde");
        Self { bench, project }
    }

    async fn field(
        &self,
        task: &str,
        field: &str,
        value: &str,
        replaces: Option<&str>,
    ) -> Result<Outcome, Error> {
        let item = Item::Field(OutgoingField {
            task: ExternalId::new(task),
            field: field.to_owned(),
            value: value.to_owned(),
            replaces: replaces.map(str::to_owned),
        });
        let key = format!("{task} {field}");
        let receipt = self
            .bench
            .connector()
            .deliver(&Outgoing { key, item })
            .await?;
        Ok(receipt.outcome)
    }
}

impl CommentSubject for Board {
    fn connector(&self) -> Box<dyn Connector> {
        self.bench.connector()
    }

    fn task(&self) -> ExternalId {
        ExternalId::new(self.bench.asana.add_task(&self.project, None, "Seite"))
    }

    fn comments(&self, task: &ExternalId) -> Vec<String> {
        let stories = self.bench.asana.stories(task.as_str());
        let texts = stories.iter().map(|it| it["text"].as_str().unwrap());
        texts.map(str::to_owned).collect()
    }

    fn say(&self, task: &ExternalId, text: &str) {
        // By the same user: the marker alone must not be enough.
        self.bench.asana.comment(task.as_str(), text);
    }

    fn edit(&self, task: &ExternalId, from: &str, to: &str) {
        let stories = self.bench.asana.stories(task.as_str());
        let story = stories.iter().find(|it| it["text"] == from).unwrap();
        self.bench
            .asana
            .edit_comment(story["gid"].as_str().unwrap(), to);
    }

    fn break_with(&self, trouble: Trouble, skip: u32) {
        self.bench.break_with(trouble, skip);
    }

    fn heal(&self) {
        self.bench.heal();
    }
}

#[tokio::test]
async fn comments_stand_there_once() {
    let board = Board::start().await;
    suite::comments_once(&board).await;
    assert_eq!(board.bench.asana.refused(), 0);
}

#[tokio::test]
async fn somebody_elses_comment_is_not_ours_though_it_has_the_marker() {
    let board = Board::start().await;
    let task = board.task();
    let text = "2:30 h\n[#m]";
    board.bench.asana.comment_as(OTHER, task.as_str(), text);
    let item = Item::Comment(stundenbuch_connectors::contract::OutgoingComment {
        task: task.clone(),
        marker: "[#m]".to_owned(),
        text: text.to_owned(),
        replaces: None,
    });
    let key = "k".to_owned();
    let receipt = board.connector().deliver(&Outgoing { key, item }).await;
    assert_eq!(receipt.unwrap().outcome, Outcome::Created);
    assert_eq!(board.comments(&task), [text, text]);
}

#[tokio::test]
async fn a_field_is_written_when_it_is_empty_or_ours() {
    let board = Board::start().await;
    let asana = &board.bench.asana;
    let hours = asana.add_field("Stunden", "number", Some(2));
    let words = asana.add_field("Stand", "text", None);
    let task = asana.add_task(&board.project, None, "Seite");
    let sent = || board.bench.server.forget_requests();

    assert_eq!(
        board.field(&task, "Stunden", "12.50", None).await.unwrap(),
        Outcome::Created
    );
    assert_eq!(asana.value(&task, &hours).to_string(), "12.5");
    sent();
    assert_eq!(
        board.field(&task, "Stunden", "12.50", None).await.unwrap(),
        Outcome::AlreadyThere
    );
    assert_eq!(board.bench.sent(), 1, "looked, and wrote nothing");
    let replaced = board
        .field(&task, "Stunden", "13.1", Some("12.50"))
        .await
        .unwrap();
    assert_eq!(replaced, Outcome::Replaced);
    assert_eq!(asana.value(&task, &hours).to_string(), "13.1");

    asana.set_value(&task, &hours, json!(14));
    for replaces in [None, Some("13.10")] {
        let kept = board.field(&task, "Stunden", "15", replaces).await.unwrap();
        assert_eq!(kept, Outcome::Kept);
    }
    assert_eq!(asana.value(&task, &hours).to_string(), "14");

    assert_eq!(
        board.field(&task, "Stand", "2:30 h", None).await.unwrap(),
        Outcome::Created
    );
    assert_eq!(asana.value(&task, &words), "2:30 h");
}

#[tokio::test]
async fn a_field_that_cannot_hold_the_value_is_told_and_not_written() {
    let board = Board::start().await;
    let asana = &board.bench.asana;
    let whole = asana.add_field("Ganze", "number", Some(0));
    asana.add_field("Wahl", "enum", None);
    asana.add_field("Doppelt", "number", Some(2));
    asana.add_field("Doppelt", "number", Some(2));
    let task = asana.add_task(&board.project, None, "Seite");
    for (field, value, words) in [
        ("Ganze", "12.50", "would round 12.50"),
        ("Wahl", "12.50", "neither numbers nor text"),
        ("Doppelt", "12.50", "several fields"),
        ("Fehlt", "12.50", "has no field `Fehlt`"),
    ] {
        let error = board.field(&task, field, value, None).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.advice().is_some(), "{error}");
    }
    assert!(asana.value(&task, &whole).is_null());
    assert_eq!(
        board.field(&task, "Ganze", "12.00", None).await.unwrap(),
        Outcome::Created
    );

    let error = board
        .field("../users/me", "Ganze", "1", None)
        .await
        .unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Rejected,
        "what is no gid is not asked for"
    );
    let error = board
        .field("1299999999999999", "Ganze", "1", None)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
