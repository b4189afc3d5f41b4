//! What is gone, what has moved, and what only cannot be seen: absence is not deletion.

use super::*;

/// A project that is listed whole every night, with so many tasks.
async fn small(count: usize) -> (Bench, String, Vec<String>, Ledger) {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let tasks = add_tasks(&bench.asana, &project, count);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), count);
    bench.next_night();
    (bench, project, tasks, ledger)
}

#[tokio::test]
async fn a_deleted_task_is_missed_in_a_small_project_the_next_night() {
    let (bench, project, tasks, mut ledger) = small(5).await;
    bench.asana.delete(&tasks[2]);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 4);
    let proof = &ledger.deleted[&ExternalId::new(&*tasks[2])];
    assert!(proof.contains("Unknown object"), "{proof}");
    assert!(
        proof.contains(&format!("/projects/{project} can be read")),
        "{proof}"
    );
    // Projects, tasks, the missing one, the same again for the proof, the project.
    assert_eq!(bench.sent(), 5);
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 2, "asked for once");
}

#[tokio::test]
async fn a_task_that_moved_away_is_taken_over_and_not_asked_for_again() {
    let (bench, project, tasks, mut ledger) = small(5).await;
    let more = [("projects", texts(&["Kunde"]))];
    let away = bench.asana.add_project("Nicht gelesen");
    bench.asana.add_to(&tasks[0], &away);
    bench.asana.remove_from(&tasks[0], &project);
    bench.asana.remove_from(&tasks[1], &project);
    ledger
        .pull(&*bench.configured(&more).unwrap())
        .await
        .unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 5);
    assert!(ledger.deleted.is_empty());
    let named = |gid: &str| ledger.task(gid).project.clone().and_then(|it| it.name);
    assert_eq!(named(&tasks[0]).as_deref(), Some("Nicht gelesen"));
    assert_eq!(named(&tasks[1]), None, "removed from all projects");
    assert_eq!(named(&tasks[2]).as_deref(), Some("Kunde"));
    bench.next_night();
    ledger
        .pull(&*bench.configured(&more).unwrap())
        .await
        .unwrap();
    assert_eq!(bench.sent(), 1);

    // It comes back, and is one of them again.
    bench.next_night();
    bench.asana.add_to(&tasks[1], &project);
    ledger
        .pull(&*bench.configured(&more).unwrap())
        .await
        .unwrap();
    assert_eq!(ledger.scope(&tasks[1]), project);
}

#[tokio::test]
async fn a_move_within_the_project_is_seen_though_nothing_was_modified() {
    let (bench, project, tasks, mut ledger) = small(3).await;
    let done = bench.asana.add_section(&project, "Erledigt");
    bench.asana.move_to(&tasks[1], &done);
    ledger.pull(&*bench.connector()).await.unwrap();
    let section = ledger.task(&tasks[1]).section.clone().unwrap();
    assert_eq!(section.name.as_deref(), Some("Erledigt"));
}

#[tokio::test]
async fn a_task_that_is_not_for_us_any_more_stays() {
    let (bench, _, tasks, mut ledger) = small(3).await;
    bench.asana.hide(&tasks[1], Some(403));
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 3);
    assert!(ledger.notices.contains("asana-task-hidden"));
    assert!(ledger.deleted.is_empty());
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(bench.sent(), 2, "asked for once");
    assert!(ledger.notices.is_empty());
    bench.next_night();
    bench.asana.hide(&tasks[1], None);
    bench.asana.delete(&tasks[1]);
    ledger
        .pull_as(&*bench.connector(), &compare("2026-10-01T00:00:00Z"))
        .await
        .unwrap();
    assert_eq!(
        ledger.count(Stream::Tasks),
        3,
        "nobody knows whether it is hidden or gone"
    );
}

#[tokio::test]
async fn a_project_that_is_lost_deletes_nothing() {
    for status in [403, 404] {
        let (bench, project, _, mut ledger) = small(3).await;
        bench.asana.hide_project(&project, Some(status));
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.count(Stream::Tasks), 3);
        assert!(
            ledger.notices.contains("asana-projects-lost"),
            "{:?}",
            ledger.notices
        );
        // Named in the settings, it is asked for all the same, and told.
        let more = [("projects", texts(&["Kunde"]))];
        bench.next_night();
        let mut named = Ledger {
            cursor: Cursor::start(),
            ..ledger.clone()
        };
        bench.asana.hide_project(&project, None);
        named
            .pull(&*bench.configured(&more).unwrap())
            .await
            .unwrap();
        bench.asana.hide_project(&project, Some(status));
        bench.next_night();
        named
            .pull(&*bench.configured(&more).unwrap())
            .await
            .unwrap();
        assert!(
            named.notices.contains("asana-project-not-readable"),
            "{:?}",
            named.notices
        );
        assert_eq!(named.count(Stream::Tasks), 3);
        // It comes back, and nothing was lost.
        bench.asana.hide_project(&project, None);
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert!(ledger.notices.is_empty());
        assert_eq!(ledger.count(Stream::Tasks), 3);
    }
}

#[tokio::test]
async fn not_found_counts_only_while_the_project_can_be_read() {
    let (bench, project, tasks, _) = small(2).await;
    let connector = bench.connector();
    let absent = |gid: &str, scope: &str| Absent {
        stream: Stream::Tasks,
        id: ExternalId::new(gid),
        scope: scope.to_owned(),
    };
    bench.asana.delete(&tasks[0]);
    let asked = [
        absent(&tasks[0], &project),
        absent(&tasks[1], &project),
        absent("../users/me", &project),
        absent(&tasks[0], "elsewhere"),
    ];
    let answers = connector.confirm(&asked).await.unwrap();
    assert_eq!(answers.len(), 3, "what is no gid is not asked for");
    assert!(matches!(answers[0].1, Presence::Gone(_)), "{answers:?}");
    assert_eq!(answers[1].1, Presence::Present);
    assert_eq!(answers[2].1, Presence::Unknown, "nothing vouches for it");
    for status in [403, 404] {
        bench.asana.hide_project(&project, Some(status));
        let answers = connector.confirm(&asked[..1]).await.unwrap();
        assert_eq!(answers[0].1, Presence::Unknown, "{status}");
    }
}

#[tokio::test]
async fn a_deleted_comment_goes_and_its_task_stays() {
    let (bench, _, tasks, mut ledger) = small(2).await;
    let said = bench.asana.comment(&tasks[0], "zu früh");
    let kept = bench.asana.comment(&tasks[0], "bleibt");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Activity), 2);
    bench.next_night();
    bench.asana.delete_comment(&said);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(!ledger.has(Stream::Activity, &said));
    assert!(ledger.has(Stream::Activity, &kept));
    // The stories of a deleted task stay: what was done was done.
    bench.next_night();
    bench.asana.delete(&tasks[0]);
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(!ledger.has(Stream::Tasks, &tasks[0]));
    assert!(ledger.has(Stream::Activity, &kept));
}

#[tokio::test]
async fn an_edited_comment_is_seen_within_the_week() {
    let (bench, _, tasks, mut ledger) = small(2).await;
    let said = bench.asana.comment(&tasks[0], "vorher");
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    bench.asana.edit_comment(&said, "nachher");
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(
        ledger.story(&said).text,
        "vorher",
        "an edit does not modify the task"
    );
    let weekly = compare("2026-10-01T00:00:00Z");
    ledger.pull_as(&*bench.connector(), &weekly).await.unwrap();
    assert_eq!(ledger.story(&said).text, "nachher");
}

/// A list that suddenly lacks most of a project is a matter for a person, and not for hundreds of
/// questions.
#[tokio::test]
async fn many_missing_tasks_are_handed_on_unasked() {
    let (bench, project, tasks, ledger) = small(80).await;
    for task in &tasks[..60] {
        bench.asana.delete(task);
    }
    let connector = bench.connector();
    let mut cursor = ledger.cursor.clone();
    let mut swept = Vec::new();
    loop {
        let page = connector.pull(&cursor, &Pull::Changes).await.unwrap();
        assert!(page.gone.is_empty());
        swept.extend(page.swept);
        cursor = page.next;
        if !page.more {
            break;
        }
    }
    assert_eq!(bench.sent(), 2);
    let sweep = swept.iter().find(|it| it.scope == project).unwrap();
    assert_eq!(sweep.present.len(), 20);
}
