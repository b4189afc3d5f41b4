//! How many requests a pull costs.

use stundenbuch_connectors::suite;

use super::*;

/// Five projects with a hundred tasks, two hundred time records and ten expenses each.
fn fill(bench: &Bench) -> Vec<(i64, Vec<i64>, Vec<i64>)> {
    let project = |number: i64| {
        let fake = &bench.fake;
        let id = fake.add_project(&format!("Projekt {number}"));
        let tasks: Vec<i64> = (0..100)
            .map(|it| fake.add_task(id, &format!("T{it}")))
            .collect();
        tasks[..60].iter().for_each(|task| fake.complete(id, *task));
        let time = |it: i64| {
            let task = Some(tasks[usize::try_from(it / 2).unwrap()]);
            fake.add_time(id, task, bench.day(it), json!(0.25))
        };
        let time = (0..200).map(time).collect();
        for it in 0..10 {
            fake.add_expense(id, bench.day(it), json!("19.90"));
        }
        (id, tasks, time)
    };
    (0..5).map(project).collect()
}

#[tokio::test]
async fn requests_stay_few() {
    let bench = Bench::start().await;
    let world = fill(&bench);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    let counts = [Stream::Tasks, Stream::Time, Stream::Expenses].map(|it| ledger.count(it));
    assert_eq!(counts, [500, 1000, 50]);
    let first = bench.sent();

    bench.next_night();
    let before = ledger.revisions;
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.revisions, before, "a quiet night");
    let quiet = bench.sent();

    bench.next_night();
    for (project, tasks, time) in &world[..2] {
        for it in 0..5 {
            bench.fake.change(*project, time[it], "value", json!(0.5));
            bench
                .fake
                .change(*project, tasks[99 - it], "name", json!("Neu"));
        }
        bench.fake.complete(*project, tasks[70]);
    }
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.revisions, before + 2 * 11);
    let changed = bench.sent();

    suite::requests_table(
        "activecollab",
        "5 projects, 500 tasks, 1,000 time records, 50 expenses",
        &[
            ("first pull", first as u64),
            ("quiet night", quiet as u64),
            ("1 % changed", changed as u64),
        ],
    );
    // The archive of projects; and of each project the list of completed tasks, and the second
    // page of its time.
    assert_eq!(first, 5 + 1 + 5 * (3 + 2));
    assert_eq!(quiet, 5 + 5 * 3);
    assert_eq!(changed, 5 + 5 * 3 + 2, "two tasks were completed");
    assert_eq!(bench.fake.refused(), 0);
}

#[tokio::test]
async fn without_expenses_it_is_less() {
    let bench = Bench::start().await;
    fill(&bench);
    let more = [("token", secret(TOKEN)), ("expenses", Value::Flag(false))];
    let mut ledger = Ledger::default();
    for _ in 0..2 {
        bench.next_night();
        let connector = bench.configured(&more).unwrap();
        ledger.pull(&*connector).await.unwrap();
    }
    assert_eq!(bench.sent(), 4 + 5 * 2);
    assert_eq!(ledger.count(Stream::Expenses), 0);
}

#[tokio::test]
async fn a_stopped_pull_goes_on_at_the_next_project() {
    let bench = Bench::start().await;
    fill(&bench);
    let mut ledger = Ledger::default();
    for _ in 0..2 {
        let more = ledger.page(&*bench.connector(), &Pull::Changes).await;
        assert!(more.unwrap());
    }
    // Another process asks for the names again, and for nothing else twice.
    let before = bench.sent();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent() - before, 4 + 3 * 5);
    assert_eq!(ledger.count(Stream::Time), 1000);

    // On another day the plan is made anew.
    let mut late = Ledger::default();
    late.page(&*bench.connector(), &Pull::Changes)
        .await
        .unwrap();
    bench.next_night();
    late.pull(&*bench.connector()).await.unwrap();
    assert_eq!(late.current, ledger.current);
    assert_eq!(bench.fake.refused(), 0);
}
