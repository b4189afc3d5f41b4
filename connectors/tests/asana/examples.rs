//! The vendor's own examples, where they are at hand, through the connector's own reading.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use stundenbuch_connectors::contract::Raw;

use super::*;

/// A file of the material that is kept beside the repository; `None`, and told, where it is not.
pub(crate) fn shared(path: &str) -> Option<String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("STUNDENBUCH_SHARED").map_or(root, PathBuf::from);
    let path = root.join(path);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        println!("SKIPPED: there is no {}", path.display());
    }
    text
}

fn example(name: &str) -> Option<Json> {
    let text = shared(&format!("data/asana/api_examples/{name}.json"))?;
    Some(serde_json::from_str(&text).unwrap())
}

async fn normalised(stream: Stream, body: &Json) -> Record {
    let raw = Raw {
        stream,
        id: ExternalId::new("12345"),
        body: body.to_string(),
        scope: String::new(),
    };
    let bench = Bench::start().await;
    let mut records = bench.connector().normalise(&raw).unwrap();
    records.remove(0).record
}

#[tokio::test]
async fn the_example_of_a_task_becomes_a_record() {
    let Some(task) = example("task") else {
        return;
    };
    let body = json!({"task": task["data"], "project": {"gid": "12345", "name": "?"}});
    let Record::Task(task) = normalised(Stream::Tasks, &body).await else {
        panic!();
    };
    assert_eq!(task.title, "Buy catnip");
    assert_eq!(task.project.unwrap().name.unwrap(), "Stuff to buy");
    assert_eq!(task.section.unwrap().name.unwrap(), "Next Actions");
    assert_eq!(task.due, Some(at("2019-09-15T02:06:58.147Z")));
    assert_eq!(task.tracked_seconds, Some(12_000));
    assert_eq!(task.labels, ["Grade A"]);
    assert_eq!(task.fields["Status"], "blue");
    assert_eq!(task.fields["Parent task"], "Bug Task");
}

#[tokio::test]
async fn the_examples_of_stories_entries_people_and_projects_become_records() {
    let Some(stories) = example("stories") else {
        return;
    };
    for story in stories["data"].as_array().unwrap() {
        let body = json!({"story": story, "task": "7"});
        let Record::Activity(activity) = normalised(Stream::Activity, &body).await else {
            panic!();
        };
        assert_eq!(activity.what, "commented");
        assert_eq!(activity.text, "marked today");
    }
    for (name, stream) in [
        ("time_tracking_entry", Stream::Time),
        ("users_me", Stream::People),
        ("project", Stream::Projects),
    ] {
        let record = normalised(stream, &example(name).unwrap()["data"]).await;
        assert_eq!(record.stream(), stream);
        if let Record::TimeEntry(entry) = record {
            assert_eq!(entry.worked.seconds(), Some(720));
            assert_eq!(entry.billable, Some(true));
        }
    }
    let entries = example("time_tracking_entries").unwrap();
    for entry in entries["data"].as_array().unwrap() {
        let record = normalised(Stream::Time, entry).await;
        assert!(matches!(record, Record::TimeEntry(_)));
    }
}

/// Every list of the examples has a next page, under the same mark: a trap for those who read on.
#[tokio::test]
async fn a_service_of_nothing_but_examples_is_read_without_a_circle() {
    if example("tasks").is_none() {
        return;
    }
    let answer = |request: Request| async move {
        let path = request.uri().path().to_owned();
        let name = match path.trim_matches('/').split('/').collect::<Vec<_>>()[..] {
            ["users", "me"] => "users_me",
            ["projects"] => "projects",
            ["tasks"] => "tasks",
            ["tasks", _, "stories"] => "stories",
            _ => "workspaces",
        };
        let body = example(name).unwrap().to_string();
        Response::builder()
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap()
    };
    let server = Server::start(Router::new().fallback(answer)).await;
    let bench = Bench::start().await;
    let url = [("api_url", Value::Url(server.base().to_owned()))];
    let connector = bench.configured(&url).unwrap();
    let identity = connector.check().await.unwrap();
    assert_eq!(identity.account, "Greg Sanchez <gsanchez@example.com>");
    let error = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(error.to_string().contains("does not end"), "{error}");
    assert!(server.requests().len() < 6);
}

#[tokio::test]
async fn the_examples_of_errors_and_events_are_understood() {
    let Some(refused) = example("error_401") else {
        return;
    };
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let task = bench.asana.add_task(&project, None, "Aufgabe");
    let fail = |path, code, body: &Json| {
        let (headers, body) = (Vec::new(), body.to_string());
        let kind = FaultKind::Status {
            code,
            headers,
            body,
        };
        let times = 1;
        bench.server.fail(Fault { path, times, kind });
    };
    fail("/users/me", 401, &refused);
    let error = bench.connector().check().await.unwrap_err();
    assert!(
        error.to_string().contains("6 sad squid snuggle softly"),
        "{error}"
    );

    let connector = bench.configured(&[("events", Value::Flag(true))]).unwrap();
    let mut ledger = Ledger::default();
    fail("/events", 412, &example("events_412").unwrap());
    ledger.pull(&*connector).await.unwrap();
    // The example names the task 12345, which is not there: a hint that leads nowhere.
    bench.next_night();
    let mut events = example("events_200").unwrap();
    events["has_more"] = json!(false);
    fail("/events", 200, &events);
    ledger.pull(&*connector).await.unwrap();
    assert!(ledger.has(Stream::Tasks, &task));
    assert!(ledger.deleted.is_empty());
    let asked = bench.server.requests();
    let sync = asked.iter().find_map(|it| it.query("sync"));
    assert_eq!(sync, Some("de4774f6915eae04714ca93bb2f5ee81"));
}
