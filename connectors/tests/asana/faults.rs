//! An Asana that misbehaves, and credentials that must not show.

use stundenbuch_connectors::login::{Login, Logins as _, Memory, Redirect, Stored, Tokens};

use super::*;

fn answer(code: u16, body: &str) -> FaultKind {
    FaultKind::Status {
        code,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn faults_delete_nothing_and_leave_no_trace() {
    let kinds = [
        FaultKind::status(500),
        FaultKind::status(402),
        FaultKind::status(403),
        FaultKind::status(404),
        FaultKind::CutBody { keep: 300 },
        FaultKind::EmptyOk,
        FaultKind::Html,
        FaultKind::Reset,
        answer(200, r#"{"data": []}"#),
        answer(200, r#"{"data": {}}"#),
        answer(200, r#"{"data": [], "next_page": null}"#),
        answer(200, r#"{"data": [{"name": "no gid"}], "next_page": null}"#),
        answer(200, r#"{"data": [], "next_page": {"offset": "x"}}"#),
        answer(504, "gateway time-out"),
    ];
    for path in ["/tasks", "/stories", "/projects"] {
        for kind in &kinds {
            let bench = Bench::start().await;
            let project = bench.asana.add_project("Kunde");
            let tasks = add_tasks(&bench.asana, &project, 20);
            let connector = bench.connector();
            let mut ledger = Ledger::default();
            ledger.pull(&*connector).await.unwrap();
            bench.next_night();
            bench.asana.rename(&tasks[4], "Neu");
            let said = bench.asana.comment(&tasks[5], "neu");
            bench.asana.delete(&tasks[0]);
            let times = 40;
            let what = format!("{path} {kind:?}");
            let kind = kind.clone();
            bench.server.fail(Fault { path, times, kind });
            let _ = ledger.pull(&*connector).await;
            assert!(
                ledger.deleted.len() <= usize::from(path == "/stories"),
                "{what}"
            );
            assert!(ledger.count(Stream::Tasks) >= 19, "{what}");
            assert!(ledger.rejected.is_empty(), "{what}");
            bench.server.heal();
            for _ in 0..2 {
                bench.next_night();
                ledger.pull(&*connector).await.unwrap();
            }
            assert_eq!(ledger.task(&tasks[4]).title, "Neu", "{what}");
            // An empty list in its full form is an answer like others, and deletes nothing.
            let lied = path == "/stories" && what.contains("next_page\\\": null");
            assert!(lied || ledger.has(Stream::Activity, &said), "{what}");
            assert_eq!(ledger.count(Stream::Tasks), 19, "{what}");
            assert_eq!(ledger.deleted.len(), 1, "{what}");
        }
    }
}

#[tokio::test]
async fn a_mark_of_a_page_that_expires_begins_the_list_again() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let tasks = add_tasks(&bench.asana, &project, 250);
    leave_alone(&bench.asana, &tasks);
    bench.asana.forget_offsets(1);
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!(ledger.count(Stream::Tasks), 250);
    // The frame; one page and a refusal; three pages.
    assert_eq!(bench.sent(), 3 + 2 + 3);

    bench.asana.forget_offsets(9);
    let error = Ledger::default()
        .pull(&*bench.connector())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_string().contains("forgets the pages"), "{error}");
}

#[tokio::test]
async fn nothing_is_asked_for_between_the_pages_of_a_list() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    for task in add_tasks(&bench.asana, &project, 250) {
        bench.asana.add_subtask(&task, "Teil");
    }
    Ledger::default().pull(&*bench.connector()).await.unwrap();
    let paths: Vec<String> = bench
        .server
        .requests()
        .iter()
        .map(|it| it.path.clone())
        .collect();
    assert_eq!(
        paths[3..6],
        ["/api/1.0/tasks", "/api/1.0/tasks", "/api/1.0/tasks"]
    );
    assert_eq!(paths.iter().filter(|it| *it == "/api/1.0/tasks").count(), 3);
    assert_eq!(bench.asana.refused(), 0);
}

#[tokio::test]
async fn a_list_without_end_is_left() {
    let bench = Bench::start().await;
    bench.asana.add_project("Kunde");
    let body = r#"{"data": [{"gid": "1", "name": "x"}], "next_page": {"offset": "same"}}"#;
    let (path, times, kind) = ("/tasks", u32::MAX, answer(200, body));
    bench.server.fail(Fault { path, times, kind });
    let error = Ledger::default()
        .pull(&*bench.connector())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    assert!(bench.sent() < 10, "{}", bench.sent());
}

#[tokio::test]
async fn a_refusal_for_a_time_is_waited_out() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    bench.asana.add_task(&project, None, "Aufgabe");
    let (path, times, kind) = ("/tasks", 1, FaultKind::status_with(429, "retry-after", 47));
    bench.server.fail(Fault { path, times, kind });
    let before = bench.clock.now();
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!((bench.clock.now() - before).num_seconds() >= 47);
    assert_eq!(ledger.count(Stream::Tasks), 1);
}

#[tokio::test]
async fn one_spoiled_task_is_put_aside_and_the_others_are_read() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let good = bench.asana.add_task(&project, None, "Gut");
    let bad = bench.asana.add_task(&project, None, "Schlecht");
    bench
        .asana
        .set_silently(&bad, "completed", json!("perhaps"));
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    assert!(ledger.has(Stream::Tasks, &good));
    assert_eq!(ledger.rejected.len(), 1);
    assert!(
        ledger.rejected[0].contains("completed"),
        "{:?}",
        ledger.rejected
    );
}

#[tokio::test]
async fn a_clock_that_jumps_misses_nothing() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    let tasks = add_tasks(&bench.asana, &project, 150);
    let connector = bench.connector();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    // A proxy's date lies a year ahead: it must not silence the feed until then.
    bench.next_night();
    let ahead = FaultKind::Status {
        code: 200,
        headers: vec![("date", "Tue, 16 Nov 2027 08:00:00 GMT".to_owned())],
        body: r#"{"data": [], "next_page": null}"#.to_owned(),
    };
    let (path, times, kind) = ("/tasks", 1, ahead);
    bench.server.fail(Fault { path, times, kind });
    ledger.pull(&*connector).await.unwrap();
    bench.next_night();
    bench.asana.rename(&tasks[3], "Neu");
    ledger.pull(&*connector).await.unwrap();
    assert_eq!(ledger.task(&tasks[3]).title, "Neu");
    assert_eq!(ledger.count(Stream::Tasks), 150);
}

#[tokio::test]
async fn a_refused_token_is_told_at_once_with_what_to_do() {
    let bench = Bench::start().await;
    let connector = bench.connector();
    let identity = connector.check().await.unwrap();
    assert_eq!(identity.account, "Ada Beispiel <ada@example.org>");
    assert_eq!(identity.details, ["workspaces: Agentur"]);
    bench.asana.revoke(true);
    bench.server.forget_requests();
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.advice().unwrap().contains("my-apps"));
    assert_eq!(bench.sent(), 1, "no second try");
}

#[tokio::test]
async fn no_credential_is_in_any_address_record_or_message() {
    let bench = Bench::start().await;
    let project = bench.asana.add_project("Kunde");
    bench.asana.add_task(&project, None, "Aufgabe");
    let connector = bench.connector();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    for request in bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(!address.contains(TOKEN), "{address}");
        assert!(request.header("authorization").unwrap().contains(TOKEN));
    }
    let kind = answer(400, &format!("{TOKEN} went wrong"));
    let (path, times) = ("/", 9);
    bench.server.fail(Fault { path, times, kind });
    let error = connector.check().await.unwrap_err();
    let all = format!("{error} {error:?} {connector:?} {ledger:?}");
    assert!(!all.contains(TOKEN), "{all}");
    for bad in ["", "with space", "x\ny", "ü"] {
        let token = [("token", Value::Secret(Secret::new(bad)))];
        let error = bench.configured(&token).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(bad.is_empty() || !error.to_string().contains(bad));
    }
}

#[tokio::test]
async fn a_login_takes_the_place_of_the_token() {
    let bench = Bench::start().await;
    let entry = stundenbuch_connectors::find("asana").unwrap();
    let mut settings = Settings::default();
    let build = |settings: &Settings, logins: &Memory| {
        let platform = Platform {
            logins: Arc::new(logins.clone()),
            ..bench.platform()
        };
        (entry.build)("asana-test", settings, &platform)
    };
    let logins = Memory::default();
    let error = build(&settings, &logins).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("neither `token` nor `client_id`"),
        "{error}"
    );
    let mut set = |key, value| settings.set(entry.kind.setting(key).unwrap(), value);
    set("client_id", Value::Text("1200000000000099".to_owned()));
    set(
        "api_url",
        Value::Url(format!("{}/api/1.0", bench.server.base())),
    );
    let error = build(&settings, &logins).unwrap_err();
    assert!(error.to_string().contains("client_secret"), "{error}");
    let secret = Value::Secret(Secret::new("app-secret"));
    settings.set(entry.kind.setting("client_secret").unwrap(), secret);

    let connector = build(&settings, &logins).unwrap();
    let Some(Login::OAuth(login)) = connector.login() else {
        panic!("no login");
    };
    assert_eq!(
        login.authorize_url,
        "https://app.asana.com/-/oauth_authorize"
    );
    assert_eq!(login.token_url, "https://app.asana.com/-/oauth_token");
    assert_eq!(
        login.redirect,
        Redirect::Fixed("http://127.0.0.1:53682/callback".to_owned())
    );
    assert!(
        login.scopes.iter().all(|scope| scope.ends_with(":read")),
        "{:?}",
        login.scopes
    );
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth, "nobody has logged in");
    let stored = Stored::Tokens(Tokens {
        access: Secret::new(TOKEN),
        expires_at: None,
        refresh: None,
        previous: None,
    });
    logins.save("asana-test", &stored).unwrap();
    assert!(connector.check().await.is_ok());
    assert!(
        bench.connector().login().is_none(),
        "a token needs no login"
    );
}
