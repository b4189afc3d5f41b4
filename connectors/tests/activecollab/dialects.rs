//! Instances answer differently, and what the descriptions leave open must not matter.

use super::*;

/// One project with more of everything than a page holds.
fn fill(bench: &Bench) -> i64 {
    let fake = &bench.fake;
    let project = fake.add_project("Website");
    for number in 0..25 {
        let task = fake.add_task(project, &format!("Aufgabe {number}"));
        fake.add_time(project, Some(task), bench.day(number), json!(0.5));
        fake.add_expense(project, bench.day(number), json!(12));
        if number % 2 == 0 {
            fake.complete(project, task);
        }
    }
    fake.with(|world| world.page = 10);
    project
}

#[tokio::test]
async fn every_dialect_gives_the_same_records() {
    let mut all: Option<String> = None;
    for dialect in 0..16 {
        let bench = Bench::start().await;
        fill(&bench);
        bench.fake.with(|world| {
            world.announces = dialect & 1 == 0;
            world.pages = dialect & 2 == 0;
            world.keyed = dialect & 4 != 0;
            world.relates = dialect & 8 == 0;
        });
        let mut ledger = Ledger::default();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.count(Stream::Time), 25, "dialect {dialect}");
        assert_eq!(ledger.count(Stream::Tasks), 25, "dialect {dialect}");
        assert!(ledger.rejected.is_empty());
        let shown = format!("{:?}", ledger.current).replace(bench.server.base(), "");
        let same = *all.get_or_insert_with(|| shown.clone()) == shown;
        assert!(same, "dialect {dialect} gives other records");

        bench.next_night();
        let before = ledger.revisions;
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.revisions, before, "dialect {dialect}");
        assert!(ledger.deleted.is_empty() && ledger.notices.is_empty());
        if dialect & 2 != 0 {
            // What ignores pages is found out once for each list of the night.
            bench.next_night();
            ledger.pull(&*bench.connector()).await.unwrap();
            assert_eq!(bench.sent(), 5 + 3, "dialect {dialect}");
        }
    }
}

/// Between two pages a record goes, and all behind it move up: the one on the border would be
/// missed.
#[tokio::test]
async fn a_list_that_changes_between_its_pages_is_read_again() {
    let bench = Bench::start().await;
    let project = fill(&bench);
    bench.fake.with(|world| {
        world.meanwhile = Some(|world| {
            let project = world.projects.values_mut().next().unwrap();
            let first = *project.tasks.keys().nth(1).unwrap();
            project.tasks.get_mut(&first).unwrap()["is_trashed"] = json!(true);
        });
    });
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 24, "of project {project}");
}

#[tokio::test]
async fn rows_without_a_number_are_told_and_prove_nothing() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let ids: Vec<i64> = (0..3)
        .map(|it| bench.fake.add_time(project, None, bench.day(it), json!(1)))
        .collect();
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.fake.change(project, ids[0], "id", json!("x"));
    bench.fake.change(project, ids[1], "value", json!([1]));
    bench.fake.purge(project, ids[2]);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.notices.contains("activecollab-rows-unreadable"));
    assert!(ledger.deleted.is_empty(), "{:?}", ledger.deleted);
    assert_eq!(ledger.rejected.len(), 1);
    assert!(
        ledger.rejected[0].contains("value"),
        "{:?}",
        ledger.rejected
    );
}

#[tokio::test]
async fn a_user_who_may_not_see_companies_reads_the_rest() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    let id = bench.fake.add_time(project, None, bench.day(0), json!(1));
    bench.fake.add_expense(project, bench.day(0), json!(1));
    bench.fake.with(|world| {
        world.users[0]["class"] = json!("Member");
        world.forbidden.extend(["/companies", "/expenses"]);
    });
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    let told: Vec<_> = ledger.notices.iter().copied().collect();
    assert_eq!(
        told,
        ["activecollab-no-expenses", "activecollab-own-time-only"]
    );
    let client = ledger.time(id).client.clone().unwrap();
    assert_eq!((client.id, client.name), (Some(ExternalId::new("2")), None));

    // Refused for good, it costs nothing; refused all of a sudden, it stops the pull, for else
    // every record would lose its names.
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 4 + 3);
    let mut compared = ledger.clone();
    bench
        .fake
        .with(|world| world.forbidden.retain(|it| *it != "/companies"));
    let connector = bench.connector();
    compared.pull_as(&*connector, &compare()).await.unwrap();
    let client = compared.time(id).client.clone().unwrap();
    assert_eq!(client.name.as_deref(), Some("Bäckerei Ahorn"));
    bench.fake.with(|world| world.forbidden.push("/job-types"));
    let error = ledger.pull(&*bench.connector()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn projects_are_chosen_by_name_or_number() {
    let bench = Bench::start().await;
    let ids = ["Website", "Umbau", "Umbau Süd"].map(|name| bench.fake.add_project(name));
    let chosen = |words: &[&str]| {
        let words = words.iter().map(ToString::to_string).collect();
        bench.configured(&[("token", secret(TOKEN)), ("projects", Value::Texts(words))])
    };
    let mut ledger = Ledger::default();
    let connector = chosen(&["umbau süd", &ids[0].to_string()]).unwrap();
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.count(Stream::Projects), 2);
    let wrong = chosen(&["Umbua"]).unwrap();
    let error = wrong
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.advice().unwrap().contains("Umbau Süd"));
}
