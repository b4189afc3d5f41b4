//! Tokens, passwords, and what they must not show.

use super::*;
use crate::fakes::Fault;
use crate::fakes::activecollab::INTENT;

fn by_password(bench: &Bench, cloud: bool, password: &str) -> Box<dyn Connector> {
    let login = format!("{}/cloud", bench.server.base());
    let more = [
        ("user", Value::Text(USER.to_owned())),
        ("password", secret(password)),
        ("cloud", Value::Flag(cloud)),
        ("login_url", Value::Url(login)),
    ];
    bench.configured(&more).unwrap()
}

#[tokio::test]
async fn a_token_is_asked_for_once() {
    for (cloud, requests) in [(false, 1), (true, 2)] {
        let bench = Bench::start().await;
        bench.fake.add_project("Website");
        let connector = by_password(&bench, cloud, PASSWORD);
        let identity = connector.check().await.unwrap();
        assert!(
            identity
                .account
                .starts_with("Ada Beispiel <ada@example.org> at ")
        );
        assert_eq!(
            identity.details,
            ["version 7.4.600", "an owner: sees all time records"]
        );
        assert_eq!(bench.sent(), requests + 2);
        Ledger::default().pull(&*connector).await.unwrap();
        assert_eq!(bench.fake.with(|world| world.issued), 1);
        assert_eq!(connector.requests(), bench.sent() as u64);
        assert_eq!(bench.fake.refused(), 0);
    }
}

#[tokio::test]
async fn a_refused_login_says_what_to_do() {
    let bench = Bench::start().await;
    for cloud in [false, true] {
        let error = by_password(&bench, cloud, "falsch")
            .check()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth, "{error}");
        assert!(error.advice().unwrap().contains("`password`"));
    }
    bench.fake.with(|world| world.second_factor = true);
    let error = by_password(&bench, true, PASSWORD)
        .check()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.advice().unwrap().contains("configure `token`"));

    bench.fake.with(|world| world.revoked = true);
    let error = bench.connector().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Auth);
    assert!(error.advice().unwrap().contains("API subscriptions"));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let bench = Bench::start().await;
    let user = || ("user", Value::Text(USER.to_owned()));
    for more in [
        vec![],
        vec![user()],
        vec![("password", secret(PASSWORD))],
        vec![("token", secret("with space"))],
        vec![("token", secret(""))],
    ] {
        let error = bench.configured(&more).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings, "{error}");
    }
}

#[tokio::test]
async fn another_program_or_an_old_one_is_told() {
    let bench = Bench::start().await;
    bench.fake.with(|world| world.version = "4.2.17");
    let error = bench.connector().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Settings);
    assert!(error.advice().unwrap().contains("before 5"));
    let html = FaultKind::Status {
        code: 404,
        headers: Vec::new(),
        body: "<h1>Not Found</h1>".to_owned(),
    };
    let legacy = FaultKind::Status {
        code: 500,
        headers: Vec::new(),
        body: r#"{"type":"ValueError","message":"DOMDocument::loadXML(): Argument"}"#.to_owned(),
    };
    for (kind, hint) in [(html, "check `url`"), (legacy, "cloud = true")] {
        let (path, times) = ("/", u32::MAX);
        bench.server.fail(Fault { path, times, kind });
        let error = by_password(&bench, false, PASSWORD)
            .check()
            .await
            .unwrap_err();
        assert!(error.advice().unwrap().contains(hint), "{error:?}");
        bench.server.heal();
    }
}

#[tokio::test]
async fn no_secret_shows() {
    let bench = Bench::start().await;
    let project = bench.fake.add_project("Website");
    bench.fake.add_time(project, None, bench.day(0), json!(1));
    let connector = by_password(&bench, true, PASSWORD);
    let page = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    let shown = format!("{page:?} {connector:?}");
    let secrets = [TOKEN, PASSWORD, INTENT];
    assert!(secrets.iter().all(|it| !shown.contains(it)), "{shown}");
    for request in bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(secrets.iter().all(|it| !address.contains(it)), "{address}");
    }
    // An instance that repeats what it was sent, in each of the steps.
    let echo = format!("{{\"token\":5,\"message\":\"{TOKEN} {PASSWORD} {INTENT}\"}}");
    for (path, code) in [
        ("/external/login", 400),
        ("/external/login", 200),
        ("/issue-token-intent", 400),
        ("/users", 400),
        ("/users", 200),
    ] {
        let kind = FaultKind::Status {
            code,
            headers: Vec::new(),
            body: echo.clone(),
        };
        let times = u32::MAX;
        bench.server.fail(Fault { path, times, kind });
        let connector = by_password(&bench, true, PASSWORD);
        let error = connector.check().await.unwrap_err();
        bench.server.heal();
        let shown = format!("{error} {error:?} {:?} {connector:?}", error.advice());
        // What a step does not know yet, it cannot take out: each knows what it was given.
        let known: &[&str] = match path {
            "/external/login" => &[PASSWORD],
            "/issue-token-intent" => &[PASSWORD, INTENT],
            _ => &[PASSWORD, TOKEN],
        };
        assert!(
            known.iter().all(|it| !shown.contains(it)),
            "{path}: {shown}"
        );
    }
}

/// A server whose PHP prints warnings hands out the token and no JSON.
#[tokio::test]
async fn a_new_token_is_not_quoted_from_an_answer_that_cannot_be_read() {
    let bench = Bench::start().await;
    let warned = format!("<br />Warning: x in y {{\"is_ok\":true,\"token\":\"{TOKEN}\"}}");
    let intent = format!("Warning: x {{\"user\":{{\"intent\":\"{INTENT}\"}}}}");
    for (cloud, path, body) in [
        (false, "/issue-token", &warned),
        (true, "/external/login", &intent),
        (true, "/issue-token-intent", &warned),
    ] {
        let kind = FaultKind::Status {
            code: 200,
            headers: Vec::new(),
            body: body.clone(),
        };
        let times = u32::MAX;
        bench.server.fail(Fault { path, times, kind });
        let connector = by_password(&bench, cloud, PASSWORD);
        let error = connector.check().await.unwrap_err();
        bench.server.heal();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.advice().unwrap().contains("check `url`"));
        let shown = format!("{error} {error:?}");
        let secrets = [TOKEN, INTENT, PASSWORD];
        assert!(secrets.iter().all(|it| !shown.contains(it)), "{shown}");
    }
}
