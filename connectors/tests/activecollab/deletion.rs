//! What is deleted, and what only looks so.

use super::*;

/// Two projects with five time records and three tasks each.
fn two(bench: &Bench) -> [(i64, Vec<i64>, Vec<i64>); 2] {
    ["Website", "Umbau"].map(|name| {
        let fake = &bench.fake;
        let id = fake.add_project(name);
        let tasks = (0..3).map(|it| fake.add_task(id, &format!("{name} {it}")));
        let tasks: Vec<i64> = tasks.collect();
        let time = (0..5).map(|it| fake.add_time(id, Some(tasks[0]), bench.day(it), json!(1)));
        let time = time.collect();
        (id, tasks, time)
    })
}

#[tokio::test]
async fn the_trash_and_what_was_purged_are_gone() {
    let bench = Bench::start().await;
    let [(one, tasks, time), _] = two(&bench);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.fake.trash(one, time[1]);
    bench.fake.trash(one, tasks[2]);
    bench.fake.purge(one, time[3]);
    ledger.pull(&*bench.connector()).await.unwrap();
    let proofs: Vec<&str> = ledger.deleted.values().map(String::as_str).collect();
    assert_eq!(ledger.deleted.len(), 3, "{proofs:?}");
    let of = |id: i64| &ledger.deleted[&ExternalId::new(id.to_string())];
    assert!(of(time[1]).starts_with("is_trashed, trashed_on "));
    assert!(of(time[3]).contains("does not have this"), "{proofs:?}");
    assert_eq!(ledger.count(Stream::Time), 8);

    // Taken out of the trash again, it is there again.
    bench.next_night();
    bench.fake.change(one, time[1], "is_trashed", json!(false));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Time), 9);
}

#[tokio::test]
async fn what_was_moved_to_another_project_is_not_deleted() {
    let bench = Bench::start().await;
    let [(one, tasks, time), (two, ..)] = two(&bench);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    for (from, to) in [(one, two), (two, one)] {
        bench.next_night();
        bench.fake.move_to(from, tasks[0], to);
        for time in &time {
            bench.fake.move_to(from, *time, to);
        }
        ledger.pull(&*bench.connector()).await.unwrap();
        assert!(ledger.deleted.is_empty(), "{:?}", ledger.deleted);
        assert_eq!(ledger.count(Stream::Time), 10);
        let project = ledger.time(time[0]).project.clone().unwrap();
        assert_eq!(project.id, Some(ExternalId::new(to.to_string())));
        assert_eq!(bench.sent(), 5 + 2 * 3, "nothing is asked for twice");
    }
}

#[tokio::test]
async fn a_project_that_is_lost_empty_or_forbidden_deletes_nothing() {
    let bench = Bench::start().await;
    let [(one, ..), (two, ..)] = two(&bench);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.fake.with(|world| world.project(one).hidden = true);
    let emptied = bench.fake.with(|world| {
        let project = world.project(two);
        let tasks = std::mem::take(&mut project.tasks);
        (tasks, std::mem::take(&mut project.time))
    });
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.deleted.is_empty(), "{:?}", ledger.deleted);
    let told: Vec<_> = ledger.notices.iter().copied().collect();
    let wanted = ["activecollab-project-lost", "activecollab-suddenly-empty"];
    assert_eq!(told, wanted);

    // A second look at a thing of a project that is out of sight proves nothing.
    let absent = Absent {
        stream: Stream::Time,
        id: ExternalId::new("1"),
        scope: one.to_string(),
    };
    let answers = bench.connector().confirm(&[absent]).await.unwrap();
    assert_eq!(answers[0].1, Presence::Unknown);

    bench.next_night();
    bench.fake.with(|world| {
        world.project(one).hidden = false;
        let project = world.project(two);
        (project.tasks, project.time) = emptied;
        world.forbidden.push("/time-records");
    });
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.deleted.is_empty());
    let told: Vec<_> = ledger.notices.iter().copied().collect();
    assert_eq!(told, ["activecollab-project-not-readable"]);
    assert_eq!(ledger.count(Stream::Time), 10);
}

#[tokio::test]
async fn a_project_in_the_archive_is_read_once_more() {
    let bench = Bench::start().await;
    let [(one, tasks, time), _] = two(&bench);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.fake.with(|world| world.project(one).archived = true);
    bench.fake.change(one, time[0], "value", json!(2));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.time(time[0]).worked.seconds(), Some(7200));
    assert!(ledger.task(tasks[0]).archived);
    assert!(ledger.deleted.is_empty() && ledger.notices.is_empty());
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 5 + 3, "and then left alone");
}

#[tokio::test]
async fn old_time_is_compared_once_a_week_and_when_asked() {
    let bench = Bench::start().await;
    let [(one, _, time), _] = two(&bench);
    let old = bench.fake.add_time(one, None, bench.day(200), json!(3));
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.time(old).worked.seconds(), Some(3 * 3600));
    bench.fake.change(one, old, "value", json!(4));
    bench.fake.trash(one, time[0]);
    let mut compared = ledger.clone();
    compared
        .pull_as(&*bench.connector(), &compare())
        .await
        .unwrap();
    assert_eq!(compared.time(old).worked.seconds(), Some(4 * 3600));
    for night in 1..=7 {
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        let hours = if night < 7 { 3 } else { 4 };
        assert_eq!(ledger.time(old).worked.seconds(), Some(hours * 3600));
        assert_eq!(ledger.deleted.len(), 1, "of the last weeks at once");
    }
    assert_eq!(ledger.current, compared.current);

    // Deleted, and older than any window: a window says nothing of it.
    bench.fake.trash(one, old);
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.deleted.len(), 1);
    ledger
        .pull_as(&*bench.connector(), &compare())
        .await
        .unwrap();
    assert_eq!(ledger.deleted.len(), 2);
}
