//! How many requests a pull costs.

use super::*;

/// Five projects of a hundred tasks each, of which ten were touched in the last weeks, with two
/// comments each; a thousand time entries in these and the last month.
async fn big_world() -> (Bench, Vec<String>, Vec<Vec<String>>) {
    let bench = Bench::start().await;
    let mut all = Vec::new();
    let mut projects = Vec::new();
    for number in 0..5 {
        let project = bench.asana.add_project(&format!("Kunde {number}"));
        let section = bench.asana.add_section(&project, "In Arbeit");
        let tasks: Vec<String> = (0..100)
            .map(|it| {
                bench
                    .asana
                    .add_task(&project, Some(&section), &format!("Aufgabe {it}"))
            })
            .collect();
        for (at_index, task) in tasks.iter().enumerate() {
            if at_index < 10 {
                bench.asana.comment(task, "Bitte ansehen");
                bench.asana.comment(task, "Erledigt");
            } else {
                bench.asana.age(task, at("2026-05-01T09:00:00Z"));
            }
        }
        for entry in 0..200 {
            let day = format!("2026-{}-{:02}", 10 + entry % 2, 1 + entry % 15);
            bench
                .asana
                .track(&tasks[entry % 10], Some(&project), &day, 15);
        }
        projects.push(project);
        all.push(tasks);
    }
    bench.clock.advance(Duration::from_hours(12));
    (bench, projects, all)
}

async fn night(bench: &Bench, more: &[(&str, Value)], ledger: &mut Ledger) -> u64 {
    bench.next_night();
    let connector = bench.configured(more).unwrap();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(connector.requests(), bench.sent(), "miscounted");
    assert!(ledger.rejected.is_empty(), "{:?}", ledger.rejected);
    bench.sent()
}

#[tokio::test]
async fn requests_stay_in_the_budget() {
    let named: Vec<String> = (0..5).map(|it| format!("Kunde {it}")).collect();
    let named: Vec<&str> = named.iter().map(String::as_str).collect();
    let time = ("time", Value::Flag(true));
    for (what, more, wanted) in [
        // The account, its projects and people; five lists; the stories of fifty tasks.
        (
            "5 projects named",
            vec![("projects", texts(&named))],
            [58, 5, 10],
        ),
        ("all projects", vec![], [58, 6, 11]),
        // A thousand entries are ten pages, every night.
        (
            "5 named, with time",
            vec![("projects", texts(&named)), time],
            [68, 15, 20],
        ),
        (
            "5 named, with events",
            vec![("projects", texts(&named)), ("events", Value::Flag(true))],
            [63, 10, 15],
        ),
    ] {
        let (bench, _, tasks) = big_world().await;
        let mut ledger = Ledger::default();
        let first = night(&bench, &more, &mut ledger).await;
        assert_eq!(ledger.count(Stream::Tasks), 500);
        assert_eq!(ledger.count(Stream::Activity), 100);
        let revisions = ledger.revisions;
        let quiet = night(&bench, &more, &mut ledger).await;
        assert_eq!(ledger.revisions, revisions, "{what}: a quiet night");
        for tasks in &tasks {
            bench.asana.rename(&tasks[50], "Impressum");
        }
        let changed = night(&bench, &more, &mut ledger).await;
        assert_eq!(ledger.revisions, revisions + 5, "{what}: 1 % changed");
        suite::requests_table(
            "asana",
            &format!("500 tasks, {what}"),
            &[
                ("first pull", first),
                ("quiet night", quiet),
                ("1 % changed", changed),
            ],
        );
        assert_eq!([first, quiet, changed], wanted, "{what}");
        assert_eq!(bench.asana.refused(), 0, "{what}");
        assert!(ledger.notices.is_empty(), "{:?}", ledger.notices);
    }
}

#[tokio::test]
async fn a_large_project_is_read_by_what_was_modified_and_whole_once_a_week() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Groß");
    let tasks = add_tasks(&bench.asana, &project, 1_200);
    leave_alone(&bench.asana, &tasks);
    bench.clock.advance(Duration::from_hours(12));
    let more = [("projects", texts(&["Groß"]))];
    let mut ledger = Ledger::default();
    assert_eq!(
        night(&bench, &more, &mut ledger).await,
        15,
        "12 pages and the frame"
    );
    assert_eq!(ledger.count(Stream::Tasks), 1_200);
    bench.asana.delete(&tasks[7]);
    bench.asana.rename(&tasks[8], "Neu");
    assert_eq!(
        night(&bench, &more, &mut ledger).await,
        2,
        "one page, one list of stories"
    );
    assert!(
        ledger.has(Stream::Tasks, &tasks[7]),
        "absence is not deletion"
    );
    for _ in 0..5 {
        assert_eq!(night(&bench, &more, &mut ledger).await, 1);
    }
    // The frame, 12 pages, the missing task twice, its project as the witness.
    assert_eq!(night(&bench, &more, &mut ledger).await, 18);
    assert!(!ledger.has(Stream::Tasks, &tasks[7]));
    assert_eq!(ledger.deleted.len(), 1);
    assert_eq!(bench.asana.refused(), 0);
}

#[tokio::test]
async fn the_fake_enforces_the_limits_and_never_has_to() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    add_tasks(&bench.asana, &project, 700);
    // Each was just written, so each is asked for its stories: seven hundred requests.
    let mut ledger = Ledger::default();
    let connector = bench.connector();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(bench.sent(), 710);
    assert_eq!(bench.asana.refused(), 0, "700 requests, none too early");
    assert!(bench.clock.now() - at("2026-11-16T08:00:00Z") > chrono::TimeDelta::minutes(5));
    // The fake is not soft: two hundred at once are too many.
    let entry = stundenbuch_connectors::find("asana").unwrap();
    for _ in 0..200 {
        let careless = Platform {
            budgets: Arc::new(MemoryBudgets::default()),
            ..bench.platform()
        };
        let fresh = (entry.build)("x", &bench.settings(&[]), &careless).unwrap();
        if bench.asana.refused() > 0 {
            return;
        }
        let _ = fresh.check().await;
    }
    panic!("nothing was refused");
}

#[tokio::test]
async fn an_interrupted_pull_goes_on_where_it_stopped() {
    let (bench, ..) = big_world().await;
    let mut ledger = Ledger::default();
    for _ in 0..6 {
        let connector = bench.connector();
        assert!(ledger.page(&*connector, &Pull::Changes).await.unwrap());
    }
    let mut late = ledger.clone();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 58, "nothing twice");

    // On another day the lists are asked for anew, and what was owed is read.
    bench.next_night();
    late.pull(&*bench.connector()).await.unwrap();
    assert_eq!(late.current, ledger.current);
}
