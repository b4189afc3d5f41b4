//! What becomes of tasks, hours and money.

use super::*;

#[tokio::test]
async fn hours_are_the_minutes_that_were_typed() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let task = bench.fake.add_task(project, "Startseite");
    let add = |hours| {
        bench
            .fake
            .add_time(project, Some(task), bench.day(1), hours)
    };
    let values = [
        json!(0.1),
        json!(0.17),
        json!("1.50"),
        json!(0.125),
        json!(8),
    ];
    let ids = values.map(add);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    let seconds = ids.map(|id| ledger.time(id).worked.seconds().unwrap());
    assert_eq!(seconds, [360, 600, 5400, 450, 28_800]);
    let entry = ledger.time(ids[0]);
    assert_eq!(day_of(entry), bench.day(1));
    let person = entry.person.as_ref().unwrap();
    assert_eq!(person.name.as_deref(), Some("Ada Beispiel"));
    assert_eq!(person.email.as_deref(), Some(USER));
    let name = |named: &Option<stundenbuch_connectors::record::Named>| {
        named.as_ref().and_then(|it| it.name.clone()).unwrap()
    };
    assert_eq!(name(&entry.client), "Bäckerei Ahorn");
    assert_eq!(name(&entry.project), "Website");
    assert_eq!(name(&entry.task), "Startseite");
    assert_eq!(entry.tags, ["Beratung"]);
    let task = ledger.task(task);
    assert_eq!(name(&task.section), "In Arbeit");
    assert_eq!(task.labels, ["Abrechenbar"]);
    assert_eq!(task.assignees[0].name.as_deref(), Some("Bo Beispiel"));
    let url = task.url.as_deref().unwrap();
    assert!(url.starts_with(bench.server.base()) && url.contains("/projects/"));
}

#[tokio::test]
async fn what_is_invoiced_or_paid_there_is_the_same_work_and_is_told() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let id = bench.fake.add_time(project, None, bench.day(1), json!(1));
    let mut ledger = Ledger::default();
    let mut revisions = Vec::new();
    for status in [1, 2, 3, 0, 7] {
        bench
            .fake
            .change(project, id, "billable_status", json!(status));
        ledger.pull(&*bench.connector()).await.unwrap();
        revisions.push((ledger.revisions, ledger.time(id).billable));
        let told = ledger.notices.contains("activecollab-invoiced");
        assert_eq!(told, matches!(status, 2 | 3), "status {status}");
        bench.next_night();
    }
    // Revisions of the project, two people and the record; then of the record alone.
    assert_eq!(revisions[0], (4, Some(true)));
    assert_eq!(revisions[2], (4, Some(true)));
    assert_eq!(revisions[3], (5, Some(false)));
    assert_eq!(revisions[4], (5, Some(false)), "put aside");
    assert!(ledger.rejected[0].contains("billable_status"));
}

#[tokio::test]
async fn money_is_exact_to_the_cent() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let add = |amount| bench.fake.add_expense(project, bench.day(2), amount);
    let [train, cent, odd] = [json!("19.90"), json!(0.1), json!("0.005")].map(add);
    let mut ledger = Ledger::default();
    let more = [
        ("token", secret(TOKEN)),
        ("currency", Value::Text("CHF".to_owned())),
    ];
    let connector = bench.configured(&more).unwrap();
    ledger.pull(&*connector).await.unwrap();
    let expense = ledger.expense(train);
    assert_eq!((expense.amount_cents, expense.date), (1990, bench.day(2)));
    assert_eq!(expense.currency.as_deref(), Some("CHF"));
    let category = expense.category.clone().unwrap();
    assert_eq!(category.name.as_deref(), Some("Fahrt"));
    assert_eq!(ledger.expense(cent).amount_cents, 10);
    assert!(ledger.find(Stream::Expenses, odd).is_none());
    assert!(
        ledger.rejected[0].contains("cents"),
        "{:?}",
        ledger.rejected
    );
}

#[tokio::test]
async fn a_day_is_a_day_in_every_zone() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let days = ["2026-01-01", "2026-03-01", "2025-12-31"].map(|day| day.parse().unwrap());
    let ids = days.map(|day: NaiveDate| bench.fake.add_time(project, None, day, json!(1)));
    let noon = bench.fake.add_time(project, None, days[0], json!(1));
    bench
        .fake
        .change(project, noon, "record_date", json!(1_767_222_000));
    let text = bench.fake.add_time(project, None, days[0], json!(1));
    bench
        .fake
        .change(project, text, "record_date", json!("2026-02-28"));
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ids.map(|id| day_of(ledger.time(id))), days);
    assert_eq!(day_of(ledger.time(text)).to_string(), "2026-02-28");
    assert!(ledger.rejected[0].contains("midnight UTC"));
}

#[tokio::test]
async fn history_begins_where_it_is_said() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let [old, new] =
        [45, 10].map(|day| bench.fake.add_time(project, None, bench.day(day), json!(1)));
    let more = [
        ("token", secret(TOKEN)),
        ("history_from", Value::Date(bench.day(30))),
    ];
    let mut ledger = Ledger::default();
    for _ in 0..2 {
        let connector = bench.configured(&more).unwrap();
        ledger.pull(&*connector).await.unwrap();
        assert!(ledger.find(Stream::Time, old).is_none());
        assert_eq!(day_of(ledger.time(new)), bench.day(10));
    }
    bench.fake.trash(project, new);
    bench.fake.add_time(project, None, bench.day(5), json!(1));
    let connector = bench.configured(&more).unwrap();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!((ledger.deleted.len(), ledger.count(Stream::Time)), (1, 1));
}

#[tokio::test]
async fn a_completed_task_is_asked_for_and_many_are_listed() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let tasks: Vec<i64> = (0..30)
        .map(|it| bench.fake.add_task(project, &format!("Aufgabe {it}")))
        .collect();
    bench.fake.complete(project, tasks[0]);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.task(tasks[0]).state, TaskState::Done);
    assert_eq!(ledger.count(Stream::Tasks), 30);

    bench.next_night();
    bench.fake.complete(project, tasks[1]);
    let quick = bench.fake.add_task(project, "Schnell erledigt");
    bench.fake.complete(project, quick);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 5 + 3 + 2);
    assert_eq!(ledger.task(tasks[1]).state, TaskState::Done);
    assert!(ledger.task(tasks[1]).done_at.is_some());
    assert_eq!(ledger.task(quick).title, "Schnell erledigt");

    bench.next_night();
    tasks[2..20]
        .iter()
        .for_each(|task| bench.fake.complete(project, *task));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        bench.sent(),
        5 + 3 + 1,
        "one list instead of eighteen tasks"
    );
    assert_eq!(ledger.task(tasks[19]).state, TaskState::Done);

    bench.next_night();
    bench
        .fake
        .change(project, tasks[3], "is_completed", json!(false));
    bench
        .fake
        .change(project, tasks[3], "completed_on", json!(null));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.task(tasks[3]).state, TaskState::Open);
    assert_eq!(ledger.task(tasks[3]).done_at, None);
    assert!(ledger.deleted.is_empty());
}

#[tokio::test]
async fn without_a_list_of_completed_tasks_their_time_still_names_them() {
    let bench = Bench::start().await;
    bench
        .fake
        .with(|world| (world.has_archive, world.relates) = (false, false));
    let project = bench.fake.add_project("Website");
    let done = bench.fake.add_task(project, "Lange her");
    bench.fake.complete(project, done);
    let lost = bench.fake.add_task(project, "Weg");
    let time = [done, lost].map(|it| {
        bench
            .fake
            .add_time(project, Some(it), bench.day(1), json!(1))
    });
    bench.fake.purge(project, lost);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.notices.contains("activecollab-no-task-archive"));
    let title = |id| ledger.time(id).task.clone().unwrap().name;
    assert_eq!(title(time[0]).as_deref(), Some("Lange her"));
    assert_eq!(title(time[1]), None, "it is there no more");
    bench.next_night();
    let before = ledger.revisions;
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!((ledger.revisions, bench.sent()), (before, 5 + 3));
}
