//! Ways to log in, and what is said when one does not work.

use stundenbuch_connectors::login::{Grant, Login, Redirect};

use super::*;

#[tokio::test]
async fn a_person_logs_in_with_the_smallest_scope() {
    let bench = Bench::start().await;
    for (access, scope) in [
        ("metadata", "drive.metadata.readonly"),
        ("read", "drive.readonly"),
        ("write", "drive"),
    ] {
        let connector = bench.configured(&[("access", text(access))]).unwrap();
        let Some(Login::OAuth(oauth)) = connector.login() else {
            panic!("a person logs in");
        };
        assert_eq!(
            oauth.scopes,
            [format!("https://www.googleapis.com/auth/{scope}")]
        );
        assert!(oauth.pkce && oauth.authorize_extra.contains(&("access_type", "offline")));
        assert_eq!(oauth.redirect, Redirect::AnyPort);
        assert!(matches!(oauth.grant, Grant::Login { shown_code: false }));
    }
}

#[tokio::test]
async fn a_service_account_signs_for_itself() {
    let bench = Bench::start().await;
    let key = include_str!("../../gdrive/fixtures/service-account.json");
    let key = ("key", Value::Secret(Secret::new(key)));
    let connector = bench.configured(std::slice::from_ref(&key)).unwrap();
    assert!(connector.login().is_none());
    let debug = format!("{connector:?}");
    assert!(
        !debug.contains("PRIVATE") && !debug.contains("MII"),
        "{debug}"
    );
    let details = connector.check().await.unwrap().details;
    assert!(details[2].contains("no storage"), "{details:?}");
    let user = ("user", text("erika@example.com"));
    let connector = bench.configured(&[key.clone(), user]).unwrap();
    assert_eq!(connector.check().await.unwrap().details.len(), 2);
    let shared = Bench::shared().await;
    let connector = shared.configured(&[key]).unwrap();
    assert_eq!(connector.check().await.unwrap().details.len(), 2);
}

#[tokio::test]
async fn a_check_says_who_and_where() {
    let bench = Bench::start().await;
    let identity = bench.connector().check().await.unwrap();
    assert_eq!(identity.account, "Books (books@example.com)");
    let wanted = [
        "the folder `Kunde Nord`, in somebody's own drive",
        "readable and writable",
    ];
    assert_eq!(identity.details, wanted);
    let reads = bench.configured(&[("access", text("read"))]).unwrap();
    let details = reads.check().await.unwrap().details;
    assert!(
        details[1].contains("does not allow deliveries"),
        "{details:?}"
    );
}

#[tokio::test]
async fn wrong_settings_are_told_with_what_to_do() {
    let bench = Bench::start().await;
    let file = bench.drive.add_file(&bench.root, "a.txt", "a");
    for (key, value) in [("folder", text("Kunde Nord")), ("access", text("all"))] {
        let error = bench.configured(&[(key, value)]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(error.advice().is_some());
    }
    let no_folder = bench.configured(&[("folder", text(&file))]).unwrap();
    assert_eq!(
        no_folder.check().await.unwrap_err().kind(),
        ErrorKind::Settings
    );
    let nowhere = bench.configured(&[("folder", text("1nowhere"))]).unwrap();
    let error = nowhere.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.advice().unwrap().contains("share it again"));

    let mut settings = Settings::default();
    let folder = entry().kind.setting("folder").unwrap();
    settings.set(folder, text(&bench.root));
    let error = (entry().build)(NAME, &settings, &bench.platform()).unwrap_err();
    assert!(error.advice().unwrap().contains("client_id"));
}

/// The day's quota is waited for, a minute's limit as well; both are Google's 403.
#[tokio::test]
async fn quotas_are_told_from_refusals() {
    let bench = Bench::start().await;
    let refusal = |reason: &str| FaultKind::Status {
        code: 403,
        headers: Vec::new(),
        body: format!(r#"{{"error":{{"code":403,"errors":[{{"reason":"{reason}"}}]}}}}"#),
    };
    let (path, times) = ("/drive/v3/", 2);
    bench.server.fail(Fault {
        path,
        times,
        kind: refusal("userRateLimitExceeded"),
    });
    pulled(&bench).await;
    bench.fail(path, refusal("dailyLimitExceeded"));
    let connector = bench.connector();
    let error = connector.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let sent = bench.sent();
    assert!(connector.check().await.is_err());
    assert_eq!(
        bench.sent(),
        sent,
        "not asked again before the hour is over"
    );
}
