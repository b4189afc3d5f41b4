//! Limits of time and size, on real sockets and in real, short time.

use stundenbuch_connectors::error::Kind;

use super::*;

#[tokio::test]
async fn silence_and_drops_of_answers_run_into_the_time_limit() {
    for kind in [FaultKind::Stall, FaultKind::Drip] {
        let world = World::start().await;
        let http = world.http(|options| {
            options.timeout = Duration::from_millis(300);
            options.attempts_max = 2;
        });
        world.fail(2, kind.clone());
        // Twice 0.3 s; the dripping answer would take seven seconds.
        let outcome = tokio::time::timeout(Duration::from_millis(2500), get_ok(&http)).await;
        let error = outcome.expect("the limit holds").unwrap_err();
        assert_eq!(
            (error.kind(), http.requests()),
            (Kind::Unavailable, 2),
            "{kind:?}: {error}"
        );
        assert!(
            error.to_string().contains("did not answer in time"),
            "{error}"
        );
        get_ok(&http)
            .await
            .unwrap_or_else(|error| panic!("after {kind:?}: {error}"));
    }
}

#[tokio::test]
async fn a_body_is_counted_unpacked_and_refused_beyond_the_limit() {
    for kind in [FaultKind::Huge, FaultKind::GzipBomb] {
        let world = World::start().await;
        let http = world.http(|options| options.body_max = 1 << 20);
        world.fail(1, kind.clone());
        let error = get_ok(&http).await.unwrap_err();
        assert_eq!(
            (error.kind(), world.served()),
            (Kind::Protocol, 1),
            "{kind:?}: {error}"
        );
        assert!(
            error.to_string().contains("longer than is accepted"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn the_limit_itself_is_allowed() {
    let world = World::start().await;
    let long = (1 << 16) + 2;
    for (limit, good) in [(long, true), (long - 1, false)] {
        let http = world.http(|options| options.body_max = limit);
        assert_eq!(
            http.send(Request::get("api", "/long")).await.is_ok(),
            good,
            "{limit}"
        );
    }
}

/// A packed answer that ends early must not pass for a short one.
#[tokio::test]
async fn a_cut_packed_body_is_no_answer() {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder
        .write_all(format!("[{}1]", "1,".repeat(5000)).as_bytes())
        .unwrap();
    let packed = encoder.finish().unwrap();
    for keep in [
        0,
        1,
        packed.len() / 2,
        packed.len() - 9,
        packed.len() - 1,
        packed.len(),
    ] {
        let part = packed[..keep].to_vec();
        let answer = move || async move { ([("content-encoding", "gzip")], part) };
        let router = Router::new().route("/ok", get(answer));
        let world = World {
            server: Server::start(router).await,
            ..World::start().await
        };
        let outcome = get_ok(&world.http(|_| ())).await;
        if keep == packed.len() {
            assert_eq!(outcome.unwrap().body.len(), 10_003);
        } else if keep == 0 {
            // Nothing at all is an empty answer, which is no JSON.
            assert!(outcome.unwrap().json::<serde_json::Value>().is_err());
        } else {
            assert_eq!(
                outcome.unwrap_err().kind(),
                Kind::Unavailable,
                "{keep} bytes"
            );
        }
    }
}

#[tokio::test]
async fn each_cut_of_a_body_is_noticed() {
    let world = World::start().await;
    let http = world.http(|options| options.attempts_max = 1);
    for keep in 0.."{\"a\":1}".len() {
        world.fail(1, FaultKind::CutBody { keep });
        let error = get_ok(&http).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{keep} bytes: {error}");
        assert!(
            error.to_string().contains("broke off"),
            "{keep} bytes: {error}"
        );
    }
}

#[tokio::test]
async fn only_encrypted_or_loopback_bases_are_taken() {
    let world = World::start().await;
    let build = |base: &str| {
        let options = Options {
            base: base.to_owned(),
            ..world.options()
        };
        Http::new(options, &world.platform())
    };
    for base in [
        "https://api.example.com",
        "https://cloud.example.com/remote.php/dav/",
        "http://127.0.0.1:8080",
        "http://127.255.255.254",
        "http://[::1]:9",
        "http://localhost:1",
    ] {
        build(base).unwrap_or_else(|error| panic!("{base}: {error}"));
    }
    for base in [
        "http://api.example.com",
        "http://128.0.0.1",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://[::ffff:10.0.0.1]",
        "http://0.0.0.0",
        "ftp://127.0.0.1",
        "https://anna:canary-7f3a9b2c4d@example.com",
        "https://example.com/?token=canary-7f3a9b2c4d",
        "example.com",
        "",
        "https://",
    ] {
        let error = build(base).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings, "{base}");
        assert!(error.advice().is_some(), "{base}");
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_path_cannot_leave_the_base() {
    let world = World::start().await;
    let http = world.http(|options| options.base = format!("{}/api/v9", options.base));
    for path in [
        "me",
        "/../admin",
        "/a/%2e%2E/b",
        "/a\\..\\..\\b",
        "/me?token=1",
        "/me#x",
        "/./me",
    ] {
        let error = http.send(Request::get("api", path)).await.unwrap_err();
        assert_eq!(
            (error.kind(), world.served()),
            (Kind::Rejected, 0),
            "{path}"
        );
    }
    let id = stundenbuch_connectors::http::segment("a/b c?ü");
    let path = format!("/boards/{id}");
    http.send(Request::get("api", path)).await.unwrap_err();
    assert_eq!(
        world.server.requests()[0].path,
        "/api/v9/boards/a%2Fb%20c%3F%C3%BC"
    );
}
