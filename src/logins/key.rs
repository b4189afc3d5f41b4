//! The key of the stored logins: a credential like the others, made on first use.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom as _, SystemRandom};
use stundenbuch_connectors::Error;
use stundenbuch_connectors::error::{Kind, Result};
use stundenbuch_connectors::secret::SecretRef;

use super::seal::{KEY_LEN, Key, unhex};
use crate::config::Config;
use crate::durable;
use crate::ledger::hex;
use crate::run::sources::Environment;

/// The credential's name.
pub const NAME: &str = "login-key";

/// Finds the key where credentials are.
pub(super) fn find(config: &Config, environment: &Environment) -> Result<Key> {
    let reference = SecretRef::Credential(NAME.to_owned());
    let text = environment.secret(config, &reference)?;
    let bytes = unhex(text.expose()).and_then(|bytes| bytes.try_into().ok());
    let bytes: [u8; KEY_LEN] = bytes.ok_or_else(|| {
        Error::new(Kind::Auth, "the key of the stored logins is not a key")
            .with("credential", NAME)
            .hint("it is 64 hexadecimal digits: `openssl rand -hex 32` makes one")
    })?;
    Ok(Key::new(&bytes))
}

/// Where a key is made.
pub(super) fn place(config: &Config) -> PathBuf {
    let beside = config.file.parent().unwrap_or(Path::new("."));
    beside.join("credentials").join(NAME)
}

/// Makes a key, readable by its owner alone. One that is there already is left alone.
pub(super) fn make(config: &Config) -> Result<PathBuf> {
    let path = place(config);
    let failed = |error: std::io::Error| {
        Error::new(Kind::Auth, "the key of the stored logins cannot be made")
            .with("path", path.display())
            .with("error", error)
            .hint(format!(
                "make it by hand, `openssl rand -hex 32`, and store it as the credential \
                 `{NAME}` (docs/operations.md, \"Logins\")"
            ))
    };
    if let Some(directory) = path.parent() {
        durable::create_private_directory(directory).map_err(failed)?;
    }
    let mut bytes = [0; KEY_LEN];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::new(Kind::Unavailable, "this machine gives no random numbers"))?;
    // Under another name first: half a key would be refused for ever after.
    let new = path.with_file_name(format!(".{NAME}.new"));
    let written = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| {
            writeln!(file, "{}", hex(&bytes))?;
            file.sync_all()
        })
        .and_then(|()| std::fs::hard_link(&new, &path))
        .and_then(|()| std::fs::remove_file(&new))
        .and_then(|()| durable::sync_name(&path));
    written.map_err(failed)?;
    Ok(path)
}
