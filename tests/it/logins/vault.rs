//! The files: private, sealed, each for its own connection and key, and in no backup.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use stundenbuch::store::Store;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::secret::Secret;

use super::*;

/// What no file may hold in the clear.
const CANARY: &str = "refresh-5be1-canary";

fn login() -> Stored {
    Stored::Tokens(Tokens {
        access: Secret::new("access"),
        expires_at: None,
        refresh: Some(Secret::new(CANARY)),
        previous: None,
    })
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_login_is_a_private_file_that_says_nothing() {
    let home = Home::new();
    home.vault().save(NAME, &login()).unwrap();
    assert_eq!(home.tokens().refresh.unwrap().expose(), CANARY);
    assert_eq!(mode(&home.login()), 0o600);
    assert_eq!(mode(home.login().parent().unwrap()), 0o700);
    assert_eq!(
        (mode(&home.key()), mode(home.key().parent().unwrap())),
        (0o600, 0o700)
    );
    assert!(!holds(&bytes_below(home.path()), CANARY));
    home.vault().remove(NAME).unwrap();
    assert!(home.vault().load(NAME).unwrap().is_none());
    home.vault().remove(NAME).unwrap();
}

#[test]
fn a_key_is_made_once() {
    let home = Home::new();
    let key = std::fs::read(home.key()).unwrap();
    let again = Vault::with_key(&home.config(), &Environment::default());
    assert_eq!(again.unwrap().1, None);
    assert_eq!(std::fs::read(home.key()).unwrap(), key);
    // One that cannot be used is not replaced: it may be the right one, with wrong rights.
    std::fs::set_permissions(home.key(), Permissions::from_mode(0o644)).unwrap();
    let error = Vault::with_key(&home.config(), &Environment::default()).unwrap_err();
    assert!(error.to_string().contains("open to other users"), "{error}");
    std::fs::set_permissions(home.key(), Permissions::from_mode(0o600)).unwrap();
    std::fs::write(home.key(), "no key").unwrap();
    let error = Vault::with_key(&home.config(), &Environment::default()).unwrap_err();
    assert!(error.to_string().contains("not a key"), "{error}");
}

#[test]
fn a_key_that_was_lost_or_exchanged_is_told_as_that() {
    let home = Home::new();
    home.vault().save(NAME, &login()).unwrap();
    let key = std::fs::read_to_string(home.key()).unwrap();
    std::fs::remove_file(home.key()).unwrap();
    let error = home.vault().load(NAME).unwrap_err();
    assert_eq!(error.kind(), Kind::Auth);
    assert!(error.to_string().contains("is not to be had"), "{error}");
    Vault::with_key(&home.config(), &Environment::default()).unwrap();
    let error = home.vault().load(NAME).unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");
    // Handed in by systemd, the old one opens it again.
    let credentials = home.path().join("systemd");
    std::fs::create_dir(&credentials).unwrap();
    std::fs::write(credentials.join("login-key"), key).unwrap();
    let named = credentials.display().to_string();
    let environment = Environment {
        variables: BTreeMap::from([("CREDENTIALS_DIRECTORY".to_owned(), named)]),
    };
    let vault = Vault::of(&home.config(), &environment);
    assert!(vault.load(NAME).unwrap().is_some());
}

#[test]
fn a_file_of_another_connection_or_a_damaged_one_is_refused() {
    let home = Home::new();
    home.vault().save(NAME, &login()).unwrap();
    std::fs::copy(home.login(), home.login().with_file_name("other")).unwrap();
    let error = home.vault().load("other").unwrap_err();
    assert!(error.to_string().contains("damaged"), "{error}");
    let mut bytes = std::fs::read(home.login()).unwrap();
    let last = bytes.len() - 2;
    bytes[last] = if bytes[last] == b'0' { b'1' } else { b'0' };
    std::fs::write(home.login(), bytes).unwrap();
    let error = home.vault().load(NAME).unwrap_err();
    assert!(
        error.needs_person() && error.to_string().contains("damaged"),
        "{error}"
    );
    assert!(!format!("{error:?}").contains(CANARY));
}

#[test]
fn two_ledgers_in_one_directory_share_no_login() {
    let home = Home::new();
    home.vault().save(NAME, &login()).unwrap();
    let variables = [("STUNDENBUCH__LEDGER__PATH", "var/other.db")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let other = Config::load(Some(&home.file()), &BTreeMap::from(variables)).unwrap();
    let other = Vault::of(&other, &Environment::default());
    assert!(other.load(NAME).unwrap().is_none());
}

#[test]
fn a_login_that_is_being_renewed_is_locked_for_others() {
    let home = Home::new();
    let (one, other) = (home.vault(), home.vault());
    let held = one.try_lock(NAME).unwrap();
    assert!(held.is_some());
    assert!(other.try_lock(NAME).unwrap().is_none());
    assert!(other.try_lock("another").unwrap().is_some());
    drop(held);
    assert!(other.try_lock(NAME).unwrap().is_some());
}

#[test]
fn a_disk_that_takes_nothing_is_found_before() {
    let home = Home::new();
    // A file where the directory should be: not even root can write there.
    std::fs::create_dir(home.path().join("var")).unwrap();
    std::fs::write(home.path().join("var/ledger.db.logins"), "").unwrap();
    let error = home.vault().prepare(NAME).unwrap_err();
    assert!(error.to_string().contains("cannot be stored"), "{error}");
}

#[test]
fn a_backup_holds_no_login() {
    let home = Home::new();
    home.vault().save(NAME, &login()).unwrap();
    let now = "2026-11-22T05:00:00Z".parse().unwrap();
    drop(Store::open(&home.config().ledger, now).unwrap());
    let sealed = std::fs::read_to_string(home.login()).unwrap();
    std::fs::create_dir(home.path().join("backups")).unwrap();
    let ran = command::run(home.path(), &["ledger", "backup", "backups"], "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let kept = bytes_below(&home.path().join("backups"));
    assert!(kept.len() > 1000);
    let sealed = sealed.lines().last().unwrap();
    assert!(!holds(&kept, sealed) && !holds(&kept, CANARY));
}
