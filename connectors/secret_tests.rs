//! Tests of the lookup of credentials, on real files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use tempfile::TempDir;

use super::*;

const TOKEN: &str = "canary-0123456789";

fn nothing(_: &str) -> Option<String> {
    None
}

fn sources<'a>(config: &'a Path, env: &'a dyn Fn(&str) -> Option<String>) -> Sources<'a> {
    Sources {
        credentials_directory: None,
        config_dir: config,
        env,
    }
}

fn store(path: &Path, bytes: &[u8], mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// What the failure says, which must name the place and never the secret.
fn failure(bytes: &[u8], mode: u32) -> String {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("token");
    store(&path, bytes, mode);
    let reference = SecretRef::File(path.clone());
    let error = resolve(&reference, &sources(dir.path(), &nothing)).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    let text = format!("{error} | {} | {error:?}", error.advice().unwrap());
    assert!(text.contains(path.to_str().unwrap()), "{text}");
    assert!(!text.contains("canary"), "{text}");
    text
}

#[test]
fn looks_in_the_order_systemd_then_configuration_then_environment() {
    let dir = TempDir::new().unwrap();
    let systemd = dir.path().join("systemd");
    let env =
        |name: &str| (name == "STUNDENBUCH_CREDENTIAL_TOGGL_ANNA_2").then(|| "from-env".to_owned());
    let sources = Sources {
        credentials_directory: Some(&systemd),
        config_dir: dir.path(),
        env: &env,
    };
    let reference = SecretRef::Credential("toggl-anna.2".to_owned());
    let found = || resolve(&reference, &sources).unwrap().expose().to_owned();
    assert_eq!(found(), "from-env");
    store(
        &dir.path().join("credentials/toggl-anna.2"),
        b" from-file \r\n",
        0o600,
    );
    assert_eq!(found(), "from-file");
    // systemd's files may be 0440; the directory is what protects them.
    store(
        &systemd.join("toggl-anna.2"),
        b"\xef\xbb\xbffrom-systemd\n",
        0o444,
    );
    assert_eq!(found(), "from-systemd");
}

#[test]
fn a_broken_first_place_is_told_and_not_passed_over() {
    let dir = TempDir::new().unwrap();
    store(
        &dir.path().join("credentials/toggl"),
        TOKEN.as_bytes(),
        0o640,
    );
    let env = |_: &str| Some(TOKEN.to_owned());
    let reference = SecretRef::Credential("toggl".to_owned());
    let error = resolve(&reference, &sources(dir.path(), &env)).unwrap_err();
    assert!(error.to_string().contains("open to other users"), "{error}");
}

#[test]
fn refuses_files_that_others_can_read() {
    for mode in [0o604, 0o640, 0o620, 0o601, 0o644, 0o660] {
        let text = failure(TOKEN.as_bytes(), mode);
        assert!(text.contains(&format!("mode={mode:04o}")), "{text}");
        assert!(text.contains("`chmod 600 "), "{text}");
    }
}

#[test]
fn a_key_file_may_have_several_lines() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("key");
    store(&path, b"{\n  \"private_key\": \"canary\"\n}\n", 0o600);
    let env = |_: &str| None;
    let secret = resolve(&SecretRef::File(path), &sources(dir.path(), &env)).unwrap();
    assert_eq!(secret.expose(), "{\n  \"private_key\": \"canary\"\n}");
    assert!(failure(b"{\n\x1b}", 0o600).contains("more than one line"));
    assert!(failure(b"{\n} canary", 0o600).contains("more than one line"));
}

#[test]
fn refuses_what_is_no_secret() {
    assert!(failure(b"", 0o600).contains("is empty"));
    assert!(failure(b" \r\n\n", 0o600).contains("is empty"));
    assert!(failure(b"canary\nsecond", 0o600).contains("more than one line"));
    assert!(failure(b"canary\0x", 0o600).contains("control characters"));
    assert!(failure(b"canary\xff", 0o600).contains("not text in UTF-8"));
    assert!(failure(&vec![b'c'; 64 * 1024 + 1], 0o600).contains("longer than 64 KiB"));
}

#[test]
fn takes_the_longest_secret() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("token");
    store(&path, &vec![b'c'; 64 * 1024], 0o400);
    let secret = resolve(&SecretRef::File(path), &sources(dir.path(), &nothing)).unwrap();
    assert_eq!(secret.expose().len(), 64 * 1024);
}

#[test]
fn refuses_directories_and_pipes_without_waiting() {
    let dir = TempDir::new().unwrap();
    let pipe = dir.path().join("pipe");
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o600),
        0,
    );
    made.unwrap();
    for path in [pipe, dir.path().to_owned()] {
        let error = resolve(&SecretRef::File(path), &sources(dir.path(), &nothing)).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
}

#[test]
fn refuses_names_that_lead_elsewhere_and_does_not_repeat_them() {
    let dir = TempDir::new().unwrap();
    store(&dir.path().join("outside"), TOKEN.as_bytes(), 0o600);
    for name in [
        "",
        "..",
        "../outside",
        "a/b",
        ".hidden",
        "/etc/passwd",
        "a\0b",
        "a b",
        "canary+",
    ] {
        let reference = SecretRef::Credential(name.to_owned());
        let error = resolve(&reference, &sources(dir.path(), &nothing)).unwrap_err();
        assert_eq!(error.kind(), Kind::Settings, "{name:?}");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[test]
fn what_is_missing_is_told_with_the_command_that_stores_it() {
    let dir = TempDir::new().unwrap();
    let config = dir.path().join("my config");
    let sources = sources(&config, &nothing);
    let error = resolve(&SecretRef::Credential("trello".to_owned()), &sources).unwrap_err();
    assert!(
        error.to_string().contains("STUNDENBUCH_CREDENTIAL_TRELLO"),
        "{error}"
    );
    let hint = error.advice().unwrap();
    let path = config.join("credentials/trello");
    assert!(
        hint.contains(&format!("/dev/stdin '{}'`", path.display())),
        "{hint}"
    );
    for reference in [
        SecretRef::File(config.join("none")),
        SecretRef::Env("NONE".to_owned()),
    ] {
        let error = resolve(&reference, &sources).unwrap_err();
        assert_eq!(error.kind(), Kind::Auth);
        assert!(error.advice().is_some());
    }
}

#[test]
fn environment_variables_are_held_to_the_same_rules() {
    let dir = TempDir::new().unwrap();
    let reference = SecretRef::Env("TOKEN".to_owned());
    for (value, why) in [("", "is empty"), ("canary\ntwo", "more than one line")] {
        let env = move |_: &str| Some(value.to_owned());
        let error = resolve(&reference, &sources(dir.path(), &env)).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    let env = |_: &str| Some(TOKEN.to_owned());
    let secret = resolve(&reference, &sources(dir.path(), &env)).unwrap();
    assert_eq!(secret.expose(), TOKEN);
    assert_eq!(
        format!("{secret:?} {:?}", sources(dir.path(), &env))
            .matches("canary")
            .count(),
        0
    );
}
