//! From cards to tasks.

use super::*;

#[tokio::test]
async fn a_card_becomes_a_task() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (board, lists, cards) = boards(trello, 1, 3).remove(0);
    let card = &cards[0];
    let label = trello.add_label(&board, "Abrechenbar", "green");
    let bare = trello.add_label(&board, "", "sky");
    let options = json!([{"id": "o1", "value": {"text": "Hoch"}}]);
    let (choice, tick) = (
        trello.add_field(&board, "Priorität", options),
        trello.add_field(&board, "Geprüft", json!([])),
    );
    trello.add_checklist(card, "Vor dem Start");
    trello.set(card, "idLabels", json!([bare, label]));
    trello.set(card, "idMembers", json!(["5a0000000000000000000001"]));
    trello.set(card, "due", json!("2026-03-06T11:00:00.000Z"));
    trello.set(
        card,
        "customFieldItems",
        json!([
            {"idCustomField": choice, "idValue": "o1", "value": null},
            {"idCustomField": tick, "value": {"checked": "true"}},
        ]),
    );
    bench.clock.advance(Duration::from_hours(1));
    trello.move_to(card, &lists[2]);
    trello.comment(card, "Fertig, bitte ansehen.");
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();

    let task = ledger.task(card).clone();
    assert_eq!(task.title, "Karte 0");
    assert_eq!(task.project.unwrap().name.unwrap(), "Kunde 0");
    assert_eq!(task.section.unwrap().name.unwrap(), "Erledigt");
    assert_eq!(task.state, TaskState::Done);
    assert!(!task.archived);
    assert_eq!(task.created, Some(at("2026-03-02T08:00:00Z")));
    assert_eq!(task.done_at, Some(at("2026-03-02T09:00:00Z")));
    assert_eq!(task.due, Some(at("2026-03-06T11:00:00Z")));
    assert_eq!(task.labels, ["Abrechenbar", "sky"]);
    assert_eq!(task.assignees[0].name.as_deref(), Some("Ada Beispiel"));
    assert_eq!(task.fields["Priorität"], "Hoch");
    assert_eq!(task.fields["Geprüft"], "true");
    assert_eq!(
        task.url.unwrap(),
        format!("https://trello.com/c/{}", task.short_id.unwrap())
    );
    let activities = ledger
        .current
        .values()
        .filter_map(|(_, record)| match record {
            Record::Activity(activity) if activity.task.as_str() == card => Some(activity),
            _ => None,
        });
    let told: Vec<(&str, &str)> = activities.map(|it| (&*it.what, &*it.text)).collect();
    let comment = ("commented", "Fertig, bitte ansehen.");
    assert_eq!(told, [("created", ""), ("moved to Erledigt", ""), comment]);
    for (_, other) in [(0, &cards[1]), (1, &cards[2])] {
        assert_eq!(ledger.task(other).state, TaskState::Open);
    }
}

#[tokio::test]
async fn the_day_of_being_done_stays_known() {
    let bench = Bench::start().await;
    let trello = &bench.trello;
    let (_, lists, cards) = boards(trello, 1, 3).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    trello.move_to(&cards[0], &lists[2]);
    trello.complete(&cards[1], false);
    trello.complete(&cards[2], true);
    ledger.pull(&*connector).await.unwrap();
    let first = at("2026-03-02T08:00:00Z");
    for card in &cards {
        assert_eq!(ledger.task(card).done_at, Some(first));
    }
    let revisions = ledger.revisions;
    for _ in 0..3 {
        bench.next_night();
        trello.comment(&cards[0], "noch etwas");
        ledger.pull(&*connector).await.unwrap();
    }
    assert_eq!(ledger.task(&cards[0]).done_at, Some(first));
    assert_eq!(
        ledger.revisions,
        revisions + 3,
        "a comment each, and no task"
    );
    bench.next_night();
    trello.move_to(&cards[0], &lists[1]);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&cards[0]).done_at, None);
    assert_eq!(ledger.task(&cards[0]).state, TaskState::Open);
}

#[tokio::test]
async fn own_done_lists_take_the_place_of_the_usual() {
    let bench = Bench::start().await;
    let (_, lists, cards) = boards(&bench.trello, 1, 2).remove(0);
    bench.trello.move_to(&cards[0], &lists[1]);
    bench.trello.move_to(&cards[1], &lists[2]);
    let own = [("done_lists", texts(&["in arbeit"]))];
    let (connector, mut ledger) = (bench.configured(&own).unwrap(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&cards[0]).state, TaskState::Done);
    assert_eq!(ledger.task(&cards[1]).state, TaskState::Open);
}
