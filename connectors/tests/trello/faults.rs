//! A Trello that misbehaves, and credentials that must not show.

use super::*;

#[tokio::test]
async fn faults_delete_nothing_and_leave_no_trace() {
    let kinds = [
        FaultKind::status(500),
        FaultKind::status(403),
        FaultKind::status(404),
        FaultKind::CutBody { keep: 700 },
        FaultKind::EmptyOk,
        FaultKind::Html,
        FaultKind::Garbage,
        FaultKind::Reset,
        FaultKind::LostAnswer,
        ok("[]"),
        ok("{}"),
        ok(r#"{"id":"5a0000000000000000000009","lists":[],"cards":[],"actions":[]}"#),
        text(401, "invalid token"),
        text(429, r#"{"error":"API_TOKEN_LIMIT_EXCEEDED"}"#),
        text(504, "gateway time-out"),
    ];
    for path in ["/boards/", "/members/me/boards"] {
        for kind in &kinds {
            let bench = Bench::start().await;
            let world = boards(&bench.trello, 2, 20);
            let (connector, mut ledger) = (bench.connector(), Ledger::default());
            ledger.pull(&*connector).await.unwrap();
            bench.next_night();
            bench.trello.rename(&world[0].2[4], "Neu");
            bench.trello.delete(&world[1].2[0]);
            let mut calm = ledger.clone();
            calm.pull(&*bench.connector()).await.unwrap();

            let (kind, times) = (kind.clone(), 40);
            let what = format!("{path} {kind:?}");
            bench.server.fail(Fault { path, times, kind });
            let before = ledger.clone();
            let failed = ledger.pull(&*connector).await;
            assert!(ledger.deleted.is_empty(), "{what}");
            assert_eq!(ledger.count(Stream::Tasks), 40, "{what}");
            if failed.is_err() {
                assert_eq!(ledger.current, before.current, "{what}");
            } else if path == "/boards/" {
                assert!(ledger.notices.contains("board-not-readable"), "{what}");
            }
            bench.server.heal();
            ledger.pull(&*connector).await.unwrap();
            assert_eq!(ledger.current, calm.current, "{what}");
            assert_eq!(ledger.deleted, calm.deleted, "{what}");
            assert_eq!(ledger.deleted.len(), 1, "{what}");
        }
    }
}

fn ok(body: &str) -> FaultKind {
    text(200, body)
}

pub(super) fn text(code: u16, body: &str) -> FaultKind {
    FaultKind::Status {
        code,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

#[tokio::test]
async fn a_passing_trouble_is_waited_out() {
    let bench = Bench::start().await;
    boards(&bench.trello, 1, 5);
    for kind in [text(429, "{}"), text(503, ""), FaultKind::Html] {
        let (path, times) = ("/boards/", 2);
        bench.server.fail(Fault { path, times, kind });
    }
    let before = bench.clock.now();
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    while ledger.pull(&*connector).await.is_err() {}
    assert_eq!(ledger.count(Stream::Tasks), 5);
    let waited = bench.clock.now() - before;
    assert!(waited.num_seconds() >= 20, "two full windows: {waited}");
}

#[tokio::test]
async fn a_refused_token_is_told_at_once_with_what_to_do() {
    let bench = Bench::start().await;
    boards(&bench.trello, 1, 1);
    let connector = bench.connector();
    for (text, hint) in [
        ("invalid token", "/1/authorize"),
        ("expired token", "/1/authorize"),
        ("invalid key", "power-ups/admin"),
    ] {
        bench.server.forget_requests();
        bench.trello.revoke(Some(text));
        let start = Cursor::start();
        let error = connector.pull(&start, &Pull::Changes).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(
            error.advice().unwrap().contains(hint),
            "{:?}",
            error.advice()
        );
        assert_eq!(bench.sent(), 1, "no second try");
    }
}

#[tokio::test]
async fn no_credential_is_in_any_address_record_or_message() {
    let bench = Bench::start().await;
    let (board, _, cards) = boards(&bench.trello, 1, 3).remove(0);
    let connector = bench.connector();
    let page = connector
        .pull(&Cursor::start(), &Pull::Changes)
        .await
        .unwrap();
    connector.check().await.unwrap();
    let id = ExternalId::new(&*cards[0]);
    let (stream, scope) = (Stream::Tasks, board);
    connector
        .confirm(&[Absent { stream, id, scope }])
        .await
        .unwrap();
    assert_eq!(bench.sent(), 5);
    for request in bench.server.requests() {
        let address = format!("{} {:?}", request.path, request.query);
        assert!(
            !address.contains(KEY) && !address.contains(TOKEN),
            "{address}"
        );
        assert!(request.header("authorization").unwrap().contains(TOKEN));
    }
    let echo = format!("{KEY} {TOKEN} went wrong");
    let kind = text(400, &echo);
    bench.server.fail(Fault {
        path: "/members/",
        times: 9,
        kind,
    });
    let error = connector
        .pull(&page.next, &Pull::Changes)
        .await
        .unwrap_err();
    let all = format!("{page:?} {error} {error:?} {connector:?}");
    assert!(!all.contains(KEY) && !all.contains(TOKEN), "{all}");
    assert!(
        !all.contains("boards.trello.example"),
        "the card's own mail address"
    );

    for bad in ["", "with space", "a\"b", "x\ny"] {
        let error = bench
            .configured(&[("token", Value::Secret(Secret::new(bad)))])
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Settings);
        assert!(bad.is_empty() || !error.to_string().contains(bad));
    }
}

#[tokio::test]
async fn half_a_board_is_no_board() {
    let bench = Bench::start().await;
    let (board, _, _) = boards(&bench.trello, 1, 3).remove(0);
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    ledger.pull(&*connector).await.unwrap();
    let before = ledger.clone();
    for missing in ["lists", "cards", "actions"] {
        bench.next_night();
        bench.trello.touch(&board);
        let mut answer = json!({"id": board, "lists": [], "cards": [], "actions": []});
        answer[missing] = json!(null);
        let (path, times, kind) = ("/boards/", 1, ok(&answer.to_string()));
        bench.server.fail(Fault { path, times, kind });
        let error = ledger.pull(&*connector).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{missing}");
        assert_eq!(ledger.current, before.current, "{missing}");
    }
}
