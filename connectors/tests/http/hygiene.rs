//! What must not be seen: credentials in errors, debug output, logs and stored answers.

use stundenbuch_connectors::error::Kind;

use super::*;

fn options_of(options: &mut Options) {
    let oauth = format!("OAuth oauth_consumer_key=\"key-55aa66bb77\", oauth_token=\"{CANARY}\"");
    options.headers = vec![("authorization", Secret::new(&oauth))];
    options.secrets = vec![Secret::new("raw-canary/99+1=")];
    options.attempts_max = 1;
}

fn must_be_clean(what: &str, text: &str) {
    for part in ["canary", "key-55aa66bb77"] {
        assert!(!text.contains(part), "{what} shows {part}: {text}");
    }
}

#[tokio::test]
async fn the_headers_and_the_user_agent_are_sent() {
    let world = World::start().await;
    let http = world.http(options_of);
    get_ok(&http).await.unwrap();
    let seen = &world.server.requests()[0];
    assert!(seen.header("authorization").unwrap().contains(CANARY));
    let agent = format!("stundenbuch/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(seen.header("user-agent"), Some(agent.as_str()));
    assert_eq!(seen.header("referer"), None);
}

#[tokio::test]
async fn errors_and_debug_output_are_clean() {
    let echo = format!(
        "{{\"token\":\"{CANARY}\",\"key\":\"key-55aa66bb77\",\"raw\":\"raw-canary\\/99+1=\"}}"
    );
    let kinds = [
        FaultKind::Status {
            code: 400,
            headers: Vec::new(),
            body: echo.clone(),
        },
        FaultKind::Status {
            code: 503,
            headers: Vec::new(),
            body: echo.clone(),
        },
        FaultKind::Status {
            code: 401,
            headers: Vec::new(),
            body: echo,
        },
        FaultKind::CutBody { keep: 2 },
        FaultKind::LostAnswer,
        FaultKind::Reset,
        FaultKind::Html,
        FaultKind::status_with(302, "location", format!("http://example.com/{CANARY}")),
    ];
    for kind in kinds {
        let world = World::start().await;
        let http = world.http(options_of);
        must_be_clean("the client", &format!("{http:?} {:#?}", world.options()));
        world.fail(1, kind.clone());
        let request = Request::get("api", "/ok").query("token", CANARY);
        let error = http.send(request).await.unwrap_err();
        let text = format!("{error} {error:?} {:?}", error.advice());
        must_be_clean(&format!("the error after {kind:?}"), &text);
    }
}

#[tokio::test]
async fn a_failed_connection_names_the_host_and_no_query() {
    let world = World::start().await;
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let http = world.http(|options| {
        options.base = format!("http://{closed}");
        options.attempts_max = 1;
    });
    let request = Request::get("api", format!("/feed/{CANARY}")).query("token", "other-secret");
    let error = http.send(request).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(text.contains("host=127.0.0.1"), "{text}");
    assert!(!text.contains("other-secret"), "{text}");
    must_be_clean("the error", &text);
}

#[tokio::test]
async fn an_answer_that_repeats_a_credential_is_stored_without_it() {
    let body = format!("{{\"api_token\":\"{CANARY}\",\"note\":\"oauth_token is a word\"}}");
    let world = World::start().await;
    let http = world.http(options_of);
    let echo = ("x-echo", format!("raw-canary/99+1= {CANARY}"));
    world.fail(
        1,
        FaultKind::Status {
            code: 200,
            headers: vec![echo],
            body,
        },
    );
    let reply = get_ok(&http).await.unwrap();
    let expected = "{\"api_token\":\"…\",\"note\":\"oauth_token is a word\"}";
    assert_eq!(String::from_utf8(reply.body.clone()).unwrap(), expected);
    assert_eq!(reply.header("x-echo"), Some("… …"));
}

#[tokio::test]
async fn a_credential_that_no_header_can_carry_is_told_without_it() {
    let world = World::start().await;
    let headers = vec![("x-api-token", Secret::new("canary\nx: y"))];
    let options = Options {
        headers,
        ..world.options()
    };
    let error = Http::new(options, &world.platform()).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    must_be_clean(
        "the error",
        &format!("{error} {error:?} {:?}", error.advice()),
    );
}

#[tokio::test]
async fn a_log_line_has_no_credential_and_no_query() {
    let world = World::start().await;
    let http = world.http(options_of);
    let request = Request::get("api", "/ok")
        .query("secret", CANARY)
        .query("q", "also-hidden");
    http.send(request).await.unwrap();
    http.send(Request::get("api", format!("/feed/{CANARY}")))
        .await
        .unwrap_err();
    let text = log::of_this_thread();
    assert!(
        text.contains("connection=\"anna\" method=\"GET\" path=\"/ok\" status=200"),
        "{text}"
    );
    assert!(text.contains("path=\"/feed/…\""), "{text}");
    assert!(!text.contains("also-hidden"), "{text}");
    must_be_clean("the log", &text);
}
