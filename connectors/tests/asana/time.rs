//! Time entries: windows of days, plans without them, and what moves out of sight.

use super::*;

struct Desk {
    bench: Bench,
    project: String,
    task: String,
    ledger: Ledger,
}

impl Desk {
    async fn start() -> Self {
        let bench = Bench::start().await;
        let project = bench.asana.add_project("Kunde");
        let task = bench.asana.add_task(&project, None, "Seite");
        Self {
            bench,
            project,
            task,
            ledger: Ledger::default(),
        }
    }

    fn track(&self, day: &str, minutes: i64) -> String {
        let project = Some(self.project.as_str());
        self.bench.asana.track(&self.task, project, day, minutes)
    }

    async fn pull_as(&mut self, mode: &Pull, more: &[(&str, Value)]) {
        let mut all = vec![("time", Value::Flag(true))];
        all.extend(more.iter().cloned());
        let connector = self.bench.configured(&all).unwrap();
        self.ledger.pull_as(&*connector, mode).await.unwrap();
    }

    async fn night(&mut self) {
        self.bench.next_night();
        self.pull_as(&Pull::Changes, &[]).await;
    }

    fn minutes(&self) -> i64 {
        let entries = self.ledger.current.values();
        let seconds = entries.filter_map(|(_, record)| match record {
            Record::TimeEntry(entry) => entry.worked.seconds(),
            _ => None,
        });
        seconds.sum::<i64>() / 60
    }
}

#[tokio::test]
async fn an_entry_becomes_minutes_on_a_day() {
    let mut desk = Desk::start().await;
    let entry = desk.track("2026-11-12", 75);
    let asana = &desk.bench.asana;
    asana.set_entry(&entry, "description", json!("Übung"));
    asana.set_entry(
        &entry,
        "categories",
        json!([{"gid": "5", "name": "Entwicklung"}]),
    );
    let free = asana.track(&desk.task, None, "2026-11-13", 10);
    asana.set_entry(&free, "billable_status", json!("nonBillable"));
    asana.set_entry(&free, "task", Json::Null);
    asana.set_entry(&free, "created_by", Json::Null);
    desk.night().await;
    let record = desk.ledger.entry(&entry).clone();
    let date = "2026-11-12".parse().unwrap();
    assert_eq!(
        record.worked,
        Worked::Day {
            date,
            seconds: 4500
        }
    );
    assert_eq!(record.description, "Übung");
    assert_eq!(record.tags, ["Entwicklung"]);
    assert_eq!(record.billable, Some(true));
    assert_eq!(record.person.unwrap().name.unwrap(), "Ada Beispiel");
    assert_eq!(record.project.unwrap().name.unwrap(), "Kunde");
    assert_eq!(record.task.unwrap().name.unwrap(), "Seite");
    let free = desk.ledger.entry(&free);
    assert_eq!(
        free.worked.seconds(),
        Some(600),
        "minutes stay though their task is deleted"
    );
    assert_eq!(
        (free.billable, &free.project, &free.person),
        (Some(false), &None, &None)
    );
}

#[tokio::test]
async fn the_first_pull_reads_from_the_month_before_or_as_wished() {
    let mut desk = Desk::start().await;
    desk.track("2026-08-15", 1);
    desk.track("2026-10-01", 10);
    desk.track("2026-11-16", 100);
    desk.track("2026-12-24", 1000);
    desk.night().await;
    assert_eq!(desk.minutes(), 1110, "also what is dated ahead");
    let wish = [("history_from", Value::Date("2026-08-01".parse().unwrap()))];
    desk.bench.next_night();
    desk.pull_as(&Pull::Changes, &wish).await;
    assert_eq!(desk.minutes(), 1111, "an earlier wish is read up");
    // Tasks, projects; August and September by themselves, and what is recent.
    assert_eq!(desk.bench.sent(), 5);
    desk.bench.next_night();
    desk.pull_as(&Pull::Changes, &wish).await;
    assert_eq!(desk.bench.sent(), 3, "once");
}

#[tokio::test]
async fn edits_and_deletions_show_in_the_window_and_older_ones_in_a_comparison() {
    let mut desk = Desk::start().await;
    let wish = [("history_from", Value::Date("2026-08-01".parse().unwrap()))];
    let (old, lost) = (desk.track("2026-08-15", 1), desk.track("2026-08-16", 2));
    let (edited, deleted) = (desk.track("2026-10-05", 10), desk.track("2026-11-05", 20));
    desk.pull_as(&Pull::Changes, &wish).await;
    assert_eq!(desk.minutes(), 33);
    let asana = &desk.bench.asana;
    asana.set_entry(&edited, "duration_minutes", json!(15));
    asana.delete_entry(&deleted);
    asana.set_entry(&old, "duration_minutes", json!(5));
    asana.delete_entry(&lost);
    desk.night().await;
    assert_eq!(desk.minutes(), 1 + 2 + 15);
    let august = Pull::Compare {
        from: at("2026-07-31T22:00:00Z"),
        until: Some(at("2026-08-31T22:00:00Z")),
    };
    desk.bench.next_night();
    desk.pull_as(&august, &[]).await;
    assert_eq!(desk.minutes(), 5 + 15);
    // The list of August, and the missing entry with its project.
    assert_eq!(desk.bench.sent(), 3);
}

#[tokio::test]
async fn an_entry_that_goes_to_another_project_or_day_is_the_same_entry() {
    let mut desk = Desk::start().await;
    let entry = desk.track("2026-11-05", 20);
    desk.track("2026-11-06", 1);
    desk.night().await;
    let other = desk.bench.asana.add_project("Anderes");
    let place = json!({"gid": other, "resource_type": "project", "name": "Anderes"});
    desk.bench.asana.set_entry(&entry, "attributable_to", place);
    desk.bench
        .asana
        .set_entry(&entry, "entered_on", json!("2026-10-31"));
    desk.night().await;
    assert_eq!(desk.minutes(), 21);
    let record = desk.ledger.entry(&entry).clone();
    assert_eq!(record.project.unwrap().name.unwrap(), "Anderes");
    assert!(desk.ledger.deleted.is_empty());
}

#[tokio::test]
async fn entries_of_a_project_that_is_lost_are_not_gone() {
    for status in [403, 404] {
        let mut desk = Desk::start().await;
        let entry = desk.track("2026-11-05", 20);
        desk.night().await;
        desk.bench.asana.delete_entry(&entry);
        desk.bench.asana.hide_project(&desk.project, Some(status));
        desk.night().await;
        assert_eq!(
            desk.minutes(),
            20,
            "{status}: nothing vouches for the deletion"
        );
        desk.bench.asana.hide_project(&desk.project, None);
        desk.night().await;
        assert_eq!(desk.minutes(), 0);
    }
}

#[tokio::test]
async fn a_plan_without_time_ends_the_feature_and_not_the_connection() {
    let mut desk = Desk::start().await;
    desk.track("2026-11-05", 20);
    desk.bench.asana.set_plan(Plan::None);
    desk.night().await;
    assert!(desk.ledger.notices.contains("asana-time-not-in-plan"));
    assert_eq!(desk.ledger.count(Stream::Tasks), 1, "the rest is read");
    for _ in 0..6 {
        desk.night().await;
        assert_eq!(desk.bench.sent(), 2, "not asked for again");
    }
    desk.bench.asana.set_plan(Plan::Full);
    desk.night().await;
    assert_eq!(desk.minutes(), 20, "tried again after a week");

    // What was read stays when the plan is given up.
    desk.bench.asana.set_plan(Plan::None);
    desk.night().await;
    assert_eq!(desk.minutes(), 20);
}

#[tokio::test]
async fn a_plan_without_the_add_on_is_asked_for_less() {
    let mut desk = Desk::start().await;
    desk.bench.asana.set_plan(Plan::Lean);
    let entry = desk.track("2026-11-05", 20);
    desk.night().await;
    assert_eq!(desk.minutes(), 20);
    assert_eq!(
        desk.ledger.entry(&entry).billable,
        None,
        "not said, and not guessed"
    );
    desk.night().await;
    assert_eq!(
        desk.bench.sent(),
        3,
        "projects, tasks, entries, and no refusal"
    );
    assert!(desk.ledger.notices.is_empty());
}

#[tokio::test]
async fn a_week_in_which_entries_cannot_be_read_costs_one_request_behind_it() {
    let mut desk = Desk::start().await;
    desk.track("2026-11-05", 20);
    desk.night().await;
    let time = [("time", Value::Flag(true))];
    for _ in 0..5 {
        desk.bench.next_night();
        let (path, times) = ("/time_tracking_entries", u32::MAX);
        let kind = FaultKind::status(500);
        desk.bench.server.fail(Fault { path, times, kind });
        let connector = desk.bench.configured(&time).unwrap();
        desk.ledger.pull(&*connector).await.unwrap_err();
        desk.bench.heal();
    }
    desk.night().await;
    assert_eq!(desk.bench.sent(), 3, "projects, tasks, and entries once");
}

#[tokio::test]
async fn both_nights_of_the_clocks_and_the_ends_of_months_are_days_like_others() {
    let mut desk = Desk::start().await;
    let days = [
        "2026-10-01",
        "2026-10-25",
        "2026-10-31",
        "2026-11-01",
        "2026-11-30",
    ];
    let entries: Vec<String> = days.iter().map(|day| desk.track(day, 60)).collect();
    desk.night().await;
    for (entry, day) in entries.iter().zip(days) {
        let Worked::Day { date, seconds } = desk.ledger.entry(entry).worked else {
            panic!();
        };
        assert_eq!((date.to_string().as_str(), seconds), (day, 3600));
    }
}
