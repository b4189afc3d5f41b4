//! Deliveries through the connector, onto disks that do not want them.

use std::os::unix::fs::PermissionsExt;

use stundenbuch_connectors::contract::{Cursor, Outcome};
use stundenbuch_connectors::error::Kind;

use crate::world::{Shoes, World, deliver, ids, names, pull, run, stands_in};

#[tokio::test]
async fn a_delivery_lies_where_it_should_and_is_seen_by_the_next_pull() {
    let world = World::new();
    world.write("a.txt", "x");
    let connector = world.connector();
    let receipt = deliver(&*connector, "Acme/2026-10/Bericht.pdf", b"%PDF")
        .await
        .unwrap();
    let expected = (Outcome::Created, "Acme/2026-10/Bericht.pdf".to_owned());
    assert_eq!((receipt.outcome, receipt.location), expected);
    let again = deliver(&*world.connector(), "Acme/2026-10/Bericht.pdf", b"%PDF")
        .await
        .unwrap();
    assert_eq!(again.outcome, Outcome::AlreadyThere);
    let (pages, _) = pull(&*connector, &Cursor::start()).await.unwrap();
    assert_eq!(ids(&pages), names(["a.txt", "Acme/2026-10/Bericht.pdf"]));
    for path in ["../out.pdf", "/out.pdf", "a/../../out.pdf", "a.txt/out.pdf"] {
        assert!(deliver(&*connector, path, b"x").await.is_err(), "{path}");
    }
    assert!(!world.beside("out.pdf").exists());
}

#[tokio::test]
async fn a_full_disk_and_a_read_only_one_are_told_apart() {
    if !stands_in(
        Shoes::Mounts,
        "delivery::a_full_disk_and_a_read_only_one_are_told_apart",
    ) {
        return;
    }
    let world = World::new();
    let root = world.root();
    let path = root.to_str().unwrap();
    run("mount", &["-t", "tmpfs", "-o", "size=64k", "tmpfs", path]);
    let connector = world.connector();
    let large = vec![b'x'; 200_000];
    let error = deliver(&*connector, "Acme/report.pdf", &large)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Unavailable);
    assert!(
        error
            .to_string()
            .contains("the disk is full (path=Acme/report.pdf"),
        "{error}"
    );
    assert!(error.advice().is_some());
    let left = std::fs::read_dir(root.join("Acme")).unwrap().count();
    assert_eq!(
        left, 0,
        "the half file is cleared away, or the disk stays full"
    );
    deliver(&*connector, "Acme/report.pdf", b"small")
        .await
        .unwrap();
    run("mount", &["-o", "remount,ro", path]);
    let error = deliver(&*connector, "Acme/other.pdf", b"x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
    assert!(
        error.to_string().contains("read-only (path=Acme/other.pdf"),
        "{error}"
    );
    let again = deliver(&*connector, "Acme/report.pdf", b"small")
        .await
        .unwrap();
    assert_eq!(again.outcome, Outcome::AlreadyThere);
    let details = connector.check().await.unwrap().details;
    assert!(details[0].contains("mounted read-only"), "{details:?}");
    run("umount", &[path]);
}

#[tokio::test]
async fn a_refused_permission_is_told() {
    if !stands_in(Shoes::Nobody, "delivery::a_refused_permission_is_told") {
        return;
    }
    let world = World::new();
    world.write("Acme/a.txt", "x");
    let connector = world.connector();
    let acme = world.root().join("Acme");
    std::fs::set_permissions(&acme, PermissionsExt::from_mode(0o555)).unwrap();
    let error = deliver(&*connector, "Acme/report.pdf", b"x")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Forbidden);
    assert!(
        error
            .to_string()
            .contains("permission denied (path=Acme/report.pdf"),
        "{error}"
    );
    assert!(error.advice().is_some());
    std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o555)).unwrap();
    let details = connector.check().await.unwrap().details;
    assert!(details[0].contains("not writable"), "{details:?}");
    std::fs::set_permissions(world.root(), PermissionsExt::from_mode(0o000)).unwrap();
    assert_eq!(connector.check().await.unwrap_err().kind(), Kind::Forbidden);
    let pulled = pull(&*connector, &Cursor::start()).await;
    assert_eq!(pulled.unwrap_err().kind(), Kind::Forbidden);
    for folder in [world.root(), acme] {
        std::fs::set_permissions(folder, PermissionsExt::from_mode(0o755)).unwrap();
    }
}
