//! What goes wrong with drives, each as a test named after it.

use stundenbuch_connectors::contract::{Absent, Presence};
use stundenbuch_connectors::error::{Kind, Retry};
use stundenbuch_connectors::login::{Basic, Login, Logins as _, Stored};
use stundenbuch_connectors::record::{ExternalId, Stream};

use super::*;
use fakes::{Fault, FaultKind};

async fn filled() -> (Bench, Ledger) {
    let bench = Bench::start().await;
    for number in 0..20 {
        bench.cloud.write(
            USER,
            &format!("Kunde {}/Datei {number}.pdf", number % 4),
            "x",
        );
    }
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.next_night();
    (bench, ledger)
}

fn answer(code: u16, body: &str) -> FaultKind {
    FaultKind::Status {
        code,
        headers: Vec::new(),
        body: body.to_owned(),
    }
}

/// rclone#988: a listing that failed in part was taken for deletions.
#[tokio::test]
async fn a_partial_listing_is_no_deletion() {
    for status in [403, 404, 409, 500, 503] {
        let (bench, mut ledger) = filled().await;
        let gone = bench.cloud.find("Kunde 1/Datei 1.pdf").unwrap();
        bench.cloud.delete(gone);
        bench.cloud.write(USER, "Kunde 2/Neu.pdf", "x");
        bench.cloud.write(USER, "Kunde 3/Verdeckt.pdf", "x");
        bench.cloud.hide("Kunde 3", status);
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(
            (ledger.files.len(), ledger.deleted.len()),
            (21, 0),
            "{status}"
        );
        assert!(ledger.notices.contains("dav-folder-unreadable"), "{status}");
        // Still so the next night, and no request more than before.
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(ledger.deleted.len(), 0, "{status}");
        bench.cloud.hide("Kunde 3", 0);
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(
            (ledger.files.len(), ledger.deleted.len()),
            (21, 1),
            "{status}"
        );
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert_eq!(bench.sent(), 1, "{status}");
    }
}

/// grive2#131, and the same by plain WebDAV: an empty answer is not an empty drive.
#[tokio::test]
async fn an_answer_without_the_folder_itself_is_none() {
    let (bench, ledger) = filled().await;
    let mut plain = Ledger::default();
    plain.pull(&*bench.plain()).await.unwrap();
    let head = r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:">"#;
    for body in [
        format!("{head}</d:multistatus>"),
        format!(
            "{head}<d:response><d:href>/remote.php/dav/files/anna/</d:href></d:response>\
             </d:multistatus>"
        ),
        format!(
            "{head}<d:response><d:href>/elsewhere/</d:href><d:propstat><d:prop><d:resourcetype>\
            <d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status>\
            </d:propstat></d:response></d:multistatus>"
        ),
        head.to_owned(),
    ] {
        for (connector, before) in [(bench.connector(), &ledger), (bench.plain(), &plain)] {
            bench.tick();
            let (path, times) = ("/remote.php/dav/files", 40);
            bench.server.fail(Fault {
                path,
                times,
                kind: answer(207, &body),
            });
            let mut after = before.clone();
            let error = after.pull_as(&*connector, &WEEKLY).await.unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "{body}: {error}");
            assert_eq!(
                (&after.files, after.deleted.len()),
                (&before.files, 0),
                "{body}"
            );
            bench.server.heal();
        }
    }
}

/// bisync: everything counts as changed after a shift of times. Records say what is new.
#[tokio::test]
async fn all_files_touched_is_no_revision_of_any_other() {
    let (bench, mut ledger) = filled().await;
    bench.cloud.write("bert", "Kunde 0/Datei 0.pdf", "anders");
    ledger.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
    assert_eq!((ledger.revisions, ledger.came), (1, 1));
}

/// bisync: one critical error locks all following runs. Here the folder alone is left out.
#[tokio::test]
async fn one_broken_folder_does_not_stop_the_others() {
    let (bench, mut ledger) = filled().await;
    bench.cloud.hide("Kunde 0", 500);
    bench.cloud.write(USER, "Kunde 0/Verdeckt.pdf", "x");
    for night in 0..3 {
        let path = format!("Kunde 1/Nacht {night}.pdf");
        let id = bench.cloud.write(USER, &path, "x");
        bench.next_night();
        ledger.pull(&*bench.connector()).await.unwrap();
        assert!(ledger.has(id), "{path}");
    }
}

#[tokio::test]
async fn a_storage_that_is_away_is_asked_once() {
    let (bench, mut ledger) = filled().await;
    bench.cloud.write(USER, "Kunde 0/Verdeckt.pdf", "x");
    bench.cloud.hide("Kunde 0", 503);
    bench.next_night();
    ledger.pull(&*bench.connector()).await.unwrap();
    let requests = bench.server.requests();
    let asked = requests
        .iter()
        .filter(|it| it.path.contains("Kunde%200"))
        .count();
    assert_eq!(asked, 1);
}

/// nextcloud/desktop#819: an entry without a tag is not unchanged.
#[tokio::test]
async fn a_folder_without_a_tag_is_always_read() {
    let (bench, mut ledger) = filled().await;
    let number = |path| bench.cloud.find(path).unwrap();
    let (root, folder, file) = (100, number("Kunde 0"), number("Kunde 0/Datei 0.pdf"));
    let one = |href: &str, id: u64, folder: bool, tag: &str| {
        let kind = if folder { "<d:collection/>" } else { "" };
        format!(
            "<d:response><d:href>/remote.php/dav/files/anna/{href}</d:href><d:propstat><d:prop>\
             <d:resourcetype>{kind}</d:resourcetype><o:fileid>{id}</o:fileid>{tag}</d:prop>\
             <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )
    };
    let whole = |inner: &str| FaultKind::Status {
        code: 207,
        headers: vec![("date", "Tue, 03 Nov 2026 08:00:00 GMT".to_owned())],
        body: format!(
            "<d:multistatus xmlns:d=\"DAV:\" xmlns:o=\"http://owncloud.org/ns\">{inner}\
             </d:multistatus>"
        ),
    };
    let fail = |kind| {
        let (path, times) = ("/remote.php", 1);
        bench.server.fail(Fault { path, times, kind });
    };
    let bare = one("Kunde%200/", folder, true, "");
    let inner = one("Kunde%200/Datei%200.pdf", file, false, "");
    // The second night, nothing differs but the tag of the root.
    for tag in ["neu", "neuer"] {
        let alone = one("", root, true, &format!("<d:getetag>\"{tag}\"</d:getetag>"));
        for answer in [alone.clone(), alone + &bare, bare.clone() + &inner] {
            fail(whole(&answer));
        }
        ledger.came = 0;
        ledger
            .page(&*bench.connector(), &Pull::Changes)
            .await
            .unwrap();
        assert_eq!(ledger.came, 1, "{tag}: the file without a tag comes again");
    }
}

#[tokio::test]
async fn an_entry_that_the_server_does_not_describe_is_unknown() {
    let (bench, mut ledger) = filled().await;
    bench.cloud.write(USER, "Oben.pdf", "x");
    ledger.pull(&*bench.connector()).await.unwrap();
    let body = r#"<d:multistatus xmlns:d="DAV:" xmlns:o="http://owncloud.org/ns">
        <d:response><d:href>/remote.php/dav/files/anna/</d:href><d:propstat><d:prop>
        <d:resourcetype><d:collection/></d:resourcetype><o:fileid>100</o:fileid>
        <d:getetag>"neu"</d:getetag></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>
        </d:response><d:response><d:href>/remote.php/dav/files/anna/Oben.pdf</d:href>
        <d:status>HTTP/1.1 403 Forbidden</d:status></d:response></d:multistatus>"#;
    let (path, times, kind) = ("/remote.php", 2, answer(207, body));
    let alone = body
        .split("<d:response>")
        .take(2)
        .collect::<Vec<_>>()
        .join("<d:response>");
    let alone = answer(207, &format!("{}</d:multistatus>", alone.trim_end()));
    bench.server.fail(Fault {
        path,
        times: 1,
        kind: alone,
    });
    bench.server.fail(Fault {
        path,
        times: times - 1,
        kind,
    });
    ledger.pull(&*bench.connector()).await.unwrap();
    assert_eq!((ledger.doubted, ledger.files.len()), (0, 21));
    assert!(ledger.notices.contains("dav-folder-unreadable"));
    bench.next_night();
    ledger.pull_as(&*bench.connector(), &WEEKLY).await.unwrap();
    assert_eq!((ledger.doubted, ledger.files.len()), (0, 21));
}

/// GHSA-h4mf-4v27-hggj: a redirection took the credential elsewhere.
#[tokio::test]
async fn a_redirection_takes_no_credential_along() {
    let (bench, mut ledger) = filled().await;
    let stranger = Bench::start().await;
    let location = format!("{}/remote.php/dav/files/anna/", stranger.server.base());
    let kind = FaultKind::status_with(302, "location", location);
    bench.server.fail(Fault {
        path: "/",
        times: 9,
        kind,
    });
    let error = ledger.pull(&*bench.connector()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol, "{error}");
    assert_eq!(stranger.sent(), 0);
}

#[tokio::test]
async fn a_refused_password_is_tried_once() {
    let (bench, mut ledger) = filled().await;
    let mut settings = bench.usual();
    settings[2].1 = Value::Secret(Secret::new("wrong"));
    let connector = bench.configured("nextcloud", &settings).unwrap();
    for _ in 0..5 {
        let error = ledger.pull(&*connector).await.unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(
            error.advice().unwrap().contains("app password"),
            "{error:?}"
        );
        connector
            .deliver(&outgoing("a.pdf", b"x", None))
            .await
            .unwrap_err();
        connector.check().await.unwrap_err();
    }
    assert_eq!((bench.cloud.refusals(), bench.sent()), (1, 1));
    bench.clock.advance(Duration::from_hours(7));
    ledger.pull(&*connector).await.unwrap_err();
    assert_eq!(
        bench.cloud.refusals(),
        2,
        "the next night, it is tried again"
    );
}

#[tokio::test]
async fn maintenance_is_waited_out_by_the_next_run() {
    let (bench, mut ledger) = filled().await;
    bench.cloud.maintain(true);
    let error = ledger.pull(&*bench.connector()).await.unwrap_err();
    assert_eq!((error.kind(), bench.sent()), (Kind::Unavailable, 1));
    assert!(matches!(error.retry_advice(), Retry::Later { .. }));
    assert!(error.to_string().contains("maintenance"), "{error}");
    bench.cloud.maintain(false);
    ledger.pull(&*bench.connector()).await.unwrap();
}

#[tokio::test]
async fn names_with_every_sign_come_as_they_are() {
    let bench = Bench::start().await;
    // Two files on disk, though they look the same.
    let names = [
        "Übersicht.pdf",
        "U\u{308}bersicht.pdf",
        "100 %.pdf",
        "a+b&c;d=e?f#g.pdf",
        "'\"<>.pdf",
        "日本/語.pdf",
        "%41.pdf",
    ];
    for name in names {
        bench.cloud.write(USER, name, "x");
    }
    for connector in [bench.connector(), bench.plain()] {
        let mut ledger = Ledger::default();
        ledger.pull(&*connector).await.unwrap();
        let mut wanted = names.to_vec();
        wanted.sort_unstable();
        assert_eq!(ledger.paths(), wanted);
        for id in ledger.files.keys() {
            assert_eq!(connector.fetch(id, 9).await.unwrap(), b"x", "{id}");
        }
    }
}

#[tokio::test]
async fn by_plain_webdav_a_rename_is_a_deletion_and_an_addition() {
    let (bench, _) = filled().await;
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.plain()).await.unwrap();
    bench
        .cloud
        .rename(bench.cloud.find("Kunde 1").unwrap(), "Kunde eins");
    bench.next_night();
    ledger.pull(&*bench.plain()).await.unwrap();
    assert_eq!((ledger.files.len(), ledger.deleted.len()), (20, 5));
    // A proof by path alone is none while the root is not there either.
    let id = ExternalId::new("Kunde 1/Datei 1.pdf");
    assert!(ledger.deleted[&id].contains("not found"));
}

#[tokio::test]
async fn not_found_proves_nothing_while_the_root_is_not_found_either() {
    let (bench, _) = filled().await;
    let absent = Absent {
        stream: Stream::Files,
        id: ExternalId::new("Kunde 1/Datei 1.pdf"),
        scope: ".".to_owned(),
    };
    let ask = || async { bench.plain().confirm(std::slice::from_ref(&absent)).await };
    assert_eq!(ask().await.unwrap()[0].1, Presence::Present);
    bench.cloud.hide("Kunde 1/Datei 1.pdf", 404);
    assert!(matches!(ask().await.unwrap()[0].1, Presence::Gone(_)));
    bench.cloud.hide("", 404);
    assert_eq!(ask().await.unwrap_err().kind(), Kind::NotFound);
}

#[tokio::test]
async fn another_instance_proves_absence_with_a_walk_of_its_own() {
    let bench = Bench::start().await;
    for number in 0..60 {
        bench
            .cloud
            .write(USER, &format!("Kunde {number}/Datei.pdf"), "x");
    }
    let mut ledger = Ledger::default();
    ledger.pull(&*bench.plain()).await.unwrap();
    bench
        .cloud
        .delete(bench.cloud.find("Kunde 7/Datei.pdf").unwrap());
    bench.next_night();
    // Killed after the first page.
    assert!(ledger.page(&*bench.plain(), &Pull::Changes).await.unwrap());
    ledger.pull(&*bench.plain()).await.unwrap();
    assert_eq!((ledger.files.len(), ledger.deleted.len()), (59, 1));
}

#[tokio::test]
async fn a_login_by_mail_finds_the_users_own_name() {
    let bench = Bench::start().await;
    bench.cloud.write(USER, "a.pdf", "x");
    let mut settings = bench.usual();
    settings[1].1 = Value::Text("anna@example.com".to_owned());
    let connect = || bench.configured("nextcloud", &settings).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connect()).await.unwrap();
    assert_eq!(ledger.paths(), ["a.pdf"]);
    bench.next_night();
    ledger.pull(&*connect()).await.unwrap();
    assert_eq!(bench.sent(), 1, "the name is remembered");
    let receipt = connect()
        .deliver(&outgoing("b.pdf", b"x", None))
        .await
        .unwrap();
    assert_eq!(receipt.location, "b.pdf");
}

#[tokio::test]
async fn a_stored_login_serves_without_settings() {
    let bench = Bench::start().await;
    bench.cloud.write(USER, "a.pdf", "x");
    let settings = [
        ("url", Value::Url(bench.server.base().to_owned())),
        ("activity", Value::Flag(false)),
    ];
    let connect = || bench.configured("nextcloud", &settings).unwrap();
    assert!(matches!(connect().login(), Some(Login::Nextcloud { .. })));
    let mut ledger = Ledger::default();
    let error = ledger.pull(&*connect()).await.unwrap_err();
    assert_eq!((error.kind(), bench.sent()), (Kind::Auth, 0));
    let login = Basic {
        user: USER.to_owned(),
        password: Secret::new(PASSWORD),
        facts: std::collections::BTreeMap::new(),
    };
    bench.logins.save("drive", &Stored::Basic(login)).unwrap();
    ledger.pull(&*connect()).await.unwrap();
    assert_eq!(ledger.paths(), ["a.pdf"]);
    assert!(bench.connector().login().is_none());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let bench = Bench::start().await;
    let url = || ("url", Value::Url(bench.server.base().to_owned()));
    let link = || ("url", Value::Url(format!("{}/s/AbC", bench.server.base())));
    let user = |name: &str| ("user", Value::Text(name.to_owned()));
    let password = || ("password", Value::Secret(Secret::new("x")));
    for settings in [
        vec![url(), user("anna")],
        vec![url(), password()],
        vec![url(), user("a:b"), password()],
        vec![link(), user("anna"), password()],
        vec![url(), ("folder", Value::Text("../x".to_owned()))],
    ] {
        let error = bench.configured("nextcloud", &settings).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings, "{settings:?}");
        assert!(error.advice().is_some());
    }
}
