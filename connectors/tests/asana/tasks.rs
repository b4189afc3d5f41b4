//! From Asana's tasks and stories to records.

use super::*;

#[tokio::test]
async fn a_task_becomes_a_record() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde Nord");
    let section = asana.add_section(&project, "In Arbeit");
    let field = asana.add_field("Stunden", "number", Some(2));
    asana.add_field("Leer", "text", None);
    let task = asana.add_task(&project, Some(&section), "Startseite 🧾");
    asana.assign(&task, OTHER);
    asana.set(&task, "notes", json!("Mit Übergang"));
    asana.set(&task, "due_on", json!("2026-11-30"));
    asana.set(
        &task,
        "tags",
        json!([{"gid": "2", "name": "b"}, {"gid": "1", "name": "a"}]),
    );
    asana.set(&task, "actual_time_minutes", json!(90));
    asana.set_value(&task, &field, json!(2.5));
    let comment = asana.comment(&task, "Bitte ansehen");
    bench.clock.advance(Duration::from_hours(1));
    asana.complete(&task);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();

    let record = ledger.task(&task).clone();
    assert_eq!(record.title, "Startseite 🧾");
    assert_eq!(record.notes, "Mit Übergang");
    assert_eq!(record.project.unwrap().name.unwrap(), "Kunde Nord");
    assert_eq!(record.section.unwrap().name.unwrap(), "In Arbeit");
    assert_eq!(record.state, TaskState::Done);
    assert_eq!(record.done_at, Some(at("2026-11-16T09:00:00Z")));
    assert_eq!(record.due, Some(at("2026-11-30T00:00:00Z")));
    assert_eq!(record.labels, ["a", "b"]);
    assert_eq!(record.assignees[0].name.as_deref(), Some("Ben Muster"));
    assert_eq!(record.tracked_seconds, Some(5400));
    assert_eq!(record.fields["Stunden"], "2.5");
    assert!(!record.fields.contains_key("Leer"));
    assert!(record.url.unwrap().ends_with(&task));

    let story = ledger.story(&comment);
    assert_eq!(
        (story.what.as_str(), story.text.as_str()),
        ("commented", "Bitte ansehen")
    );
    assert_eq!(story.task.as_str(), task);
    let whats: Vec<&str> = ledger
        .current
        .values()
        .filter_map(|(_, record)| match record {
            Record::Activity(activity) => Some(activity.what.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(whats, ["commented", "completed"]);
    assert_eq!(ledger.count(Stream::People), 2);
    assert_eq!(ledger.count(Stream::Projects), 1);
    assert!(ledger.rejected.is_empty(), "{:?}", ledger.rejected);
}

#[tokio::test]
async fn a_separator_is_no_work() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let line = bench.asana.add_task(&project, None, "---");
    bench
        .asana
        .set(&line, "is_rendered_as_separator", json!(true));
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 0);
}

#[tokio::test]
async fn a_task_in_several_projects_is_one_record_of_the_oldest() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let (first, second) = (asana.add_project("Erstes"), asana.add_project("Zweites"));
    let task = asana.add_task(&second, None, "Beides");
    asana.add_to(&task, &first);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 1);
    assert_eq!(
        ledger.task(&task).project.clone().unwrap().name.unwrap(),
        "Erstes"
    );
    assert_eq!(ledger.scope(&task), first);
    let revisions = ledger.revisions;
    for _ in 0..3 {
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
    }
    assert_eq!(
        ledger.revisions, revisions,
        "found by two lists, and one record"
    );

    bench.next_night();
    asana.remove_from(&task, &first);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        ledger.task(&task).project.clone().unwrap().name.unwrap(),
        "Zweites"
    );
    assert!(ledger.deleted.is_empty());
}

#[tokio::test]
async fn subtasks_are_read_down_to_the_last() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde");
    let top = asana.add_task(&project, None, "Website");
    let middle = asana.add_subtask(&top, "Startseite");
    let low = asana.add_subtask(&middle, "Bilder");
    let said = asana.comment(&low, "zu groß");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 3);
    assert_eq!(ledger.task(&low).fields["Parent task"], "Startseite");
    assert_eq!(
        ledger.task(&low).project.clone().unwrap().name.unwrap(),
        "Kunde"
    );
    assert!(ledger.has(Stream::Activity, &said));

    // A changed subtask does not modify its parent: it shows within the week.
    bench.next_night();
    asana.rename(&low, "Bilder kleiner");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.task(&low).title, "Bilder");
    let weekly = compare("2026-10-01T00:00:00Z");
    ledger.pull_as(&*bench.connector(), &weekly).await.unwrap();
    assert_eq!(ledger.task(&low).title, "Bilder kleiner");

    // Deleted subtasks are missed in their parent's list, also the last one.
    bench.next_night();
    asana.delete(&low);
    asana.rename(&top, "Website neu");
    ledger.pull_as(&*bench.connector(), &weekly).await.unwrap();
    assert!(!ledger.has(Stream::Tasks, &low));
    assert!(ledger.has(Stream::Tasks, &middle));

    // With their parent they go, too, and nothing else does.
    bench.next_night();
    asana.delete(&top);
    for _ in 0..2 {
        ledger.pull_as(&*bench.connector(), &weekly).await.unwrap();
    }
    assert_eq!(ledger.count(Stream::Tasks), 0);
    assert_eq!(ledger.deleted.len(), 3);
    assert_eq!(asana.refused(), 0);
}

#[tokio::test]
async fn events_show_what_lists_do_not() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde");
    let top = asana.add_task(&project, None, "Website");
    let below = asana.add_subtask(&top, "Startseite");
    let said = asana.comment(&top, "vorher");
    let with_events = [("events", Value::Flag(true))];
    let connector = bench.configured(&with_events).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    bench.clock.advance(Duration::from_hours(20));
    asana.rename(&below, "Startseite neu");
    asana.edit_comment(&said, "nachher");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&below).title, "Startseite neu");
    assert_eq!(ledger.story(&said).text, "nachher");
    assert_eq!(ledger.scope(&below), format!("{project}/{top}"));

    bench.clock.advance(Duration::from_hours(20));
    asana.delete(&below);
    ledger.pull(&*connector).await.unwrap();
    assert!(!ledger.has(Stream::Tasks, &below));
    assert!(ledger.deleted[&ExternalId::new(&*below)].contains("an event `deleted`"));
}

#[tokio::test]
async fn events_are_a_hint_and_nothing_rests_on_them() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde");
    let tasks = add_tasks(asana, &project, 3);
    let connector = bench.configured(&[("events", Value::Flag(true))]).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    // Two days later the token is too old: 412 is a beginning and no error.
    bench.next_night();
    bench.next_night();
    asana.rename(&tasks[0], "Neu");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&tasks[0]).title, "Neu");
    assert!(ledger.notices.is_empty());

    asana.lose_events();
    bench.clock.advance(Duration::from_hours(20));
    asana.rename(&tasks[1], "Auch neu");
    asana.delete(&tasks[2]);
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&tasks[1]).title, "Auch neu");
    assert!(
        !ledger.has(Stream::Tasks, &tasks[2]),
        "missed in the whole list"
    );

    // `undeleted` and a deletion that Asana does not confirm delete nothing.
    bench.clock.advance(Duration::from_hours(20));
    assert_eq!(ledger.count(Stream::Tasks), 2);
}

#[tokio::test]
async fn projects_are_chosen_by_name_address_or_gid() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let (first, second) = (asana.add_project("Kunde Nord"), asana.add_project("Süd"));
    let third = asana.add_project("Altes");
    asana.archive_project(&third, true);
    for project in [&first, &second, &third] {
        asana.add_task(project, None, "Aufgabe");
    }
    let address = format!("https://app.asana.com/1/{WORKSPACE}/project/{second}/list");
    for (words, count) in [
        (vec!["kunde nord"], 1),
        (vec![first.as_str(), address.as_str()], 2),
        (vec!["Altes"], 1),
        (vec![], 2),
    ] {
        let more = [("projects", texts(&words))];
        let mut ledger = Ledger::default();
        ledger
            .pull(&*bench.configured(&more).unwrap())
            .await
            .unwrap();
        assert_eq!(ledger.count(Stream::Tasks), count, "{words:?}");
    }
    let wrong = bench.configured(&[("projects", texts(&["Ost"]))]).unwrap();
    let error = wrong
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(
        error.advice().unwrap().contains("Kunde Nord, Süd"),
        "{:?}",
        error.advice()
    );
    let wrong = bench
        .configured(&[("workspaces", texts(&["Ost"]))])
        .unwrap();
    let error = wrong
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_err();
    assert_eq!(error.advice(), Some("there are: Agentur"));

    asana.add_project("Süd");
    let twice = bench.configured(&[("projects", texts(&["Süd"]))]).unwrap();
    let error = twice
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("several projects"), "{error}");
}

#[tokio::test]
async fn a_project_that_is_put_away_or_new_is_seen_the_next_night() {
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde");
    let task = asana.add_task(&project, None, "Aufgabe");
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(!ledger.task(&task).archived);

    bench.next_night();
    asana.archive_project(&project, true);
    asana.rename_project(&project, "Kunde (alt)");
    let new = asana.add_project("Neu");
    asana.add_task(&new, None, "Erste");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.task(&task).archived);
    assert_eq!(
        ledger.task(&task).project.clone().unwrap().name.unwrap(),
        "Kunde (alt)"
    );
    assert_eq!(ledger.count(Stream::Tasks), 2);
    assert!(ledger.deleted.is_empty());

    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 2, "what is put away is at rest");
    bench.next_night();
    asana.archive_project(&project, false);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(!ledger.task(&task).archived);
}
