//! Sealing: a login as it lies on the disk, readable and changeable only with the key.
//!
//! AES-256-GCM with a random nonce. The connection's name is sealed in, so that the login of one
//! connection cannot be put in the place of another.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};
use stundenbuch_connectors::secret::Secret;

use crate::ledger::hex;

/// The first line of each file.
const HEADER: &str = "stundenbuch-login 1";
pub(super) const KEY_LEN: usize = 32;

/// The key that seals.
pub(super) struct Key {
    key: LessSafeKey,
    /// Tells keys apart, and says nothing of them.
    mark: String,
}

/// Why a file could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// It was sealed with another key.
    OtherKey,
    /// By a newer version of the program.
    Newer,
    /// It is not what was sealed, or not for this connection.
    Damaged,
}

impl Key {
    pub(super) fn new(bytes: &[u8; KEY_LEN]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("the key has the right length");
        let mark = Sha256::new()
            .chain_update(b"stundenbuch login key\0")
            .chain_update(bytes)
            .finalize();
        Self {
            key: LessSafeKey::new(key),
            mark: hex(&mark[..4]),
        }
    }

    /// The file's text. The nonce is random: with one login an hour, it takes longer than there
    /// are years until one comes twice.
    pub(super) fn seal(&self, connection: &str, login: &Secret) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = login.expose().as_bytes().to_vec();
        let with = self.bound_to(connection);
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(with.as_bytes()),
                &mut sealed,
            )
            .ok()?;
        Some(format!(
            "{HEADER}\n{}\n{}\n{}\n",
            self.mark,
            hex(&nonce),
            hex(&sealed)
        ))
    }

    pub(super) fn open(&self, connection: &str, file: &str) -> Result<Secret, Unsealed> {
        let lines: Vec<&str> = file.lines().collect();
        let [header, mark, nonce, sealed] = lines.as_slice() else {
            return Err(Unsealed::Damaged);
        };
        if *header != HEADER {
            let newer = header.starts_with("stundenbuch-login ");
            return Err(if newer {
                Unsealed::Newer
            } else {
                Unsealed::Damaged
            });
        }
        if *mark != self.mark {
            return Err(Unsealed::OtherKey);
        }
        let nonce: [u8; NONCE_LEN] = unhex(nonce)
            .and_then(|nonce| nonce.try_into().ok())
            .ok_or(Unsealed::Damaged)?;
        let mut sealed = unhex(sealed).ok_or(Unsealed::Damaged)?;
        let with = self.bound_to(connection);
        let opened = self.key.open_in_place(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(with.as_bytes()),
            &mut sealed,
        );
        let opened = opened.map_err(|_| Unsealed::Damaged)?;
        let login = std::str::from_utf8(opened).map(Secret::new);
        opened.fill(0);
        login.map_err(|_| Unsealed::Damaged)
    }

    /// What is sealed in besides the login.
    fn bound_to(&self, connection: &str) -> String {
        format!("{HEADER}\n{}\n{connection}", self.mark)
    }
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str = r#"{"login":"tokens","access":"a"}"#;

    fn key(byte: u8) -> Key {
        Key::new(&[byte; KEY_LEN])
    }

    #[test]
    fn what_was_sealed_is_opened_by_its_key_for_its_connection_alone() {
        let file = key(1).seal("box", &Secret::new(LOGIN)).unwrap();
        assert!(!file.contains("access"), "{file}");
        assert_eq!(key(1).open("box", &file).unwrap().expose(), LOGIN);
        assert_eq!(key(2).open("box", &file).unwrap_err(), Unsealed::OtherKey);
        assert_eq!(key(1).open("asana", &file).unwrap_err(), Unsealed::Damaged);
        let again = key(1).seal("box", &Secret::new(LOGIN)).unwrap();
        assert_ne!(file, again, "a nonce comes once");
    }

    #[test]
    fn whatever_is_changed_is_found() {
        let file = key(1).seal("box", &Secret::new(LOGIN)).unwrap();
        for at in 0..file.len() {
            let mut bytes = file.clone().into_bytes();
            bytes[at] ^= 1;
            let Ok(changed) = String::from_utf8(bytes) else {
                continue;
            };
            assert!(key(1).open("box", &changed).is_err(), "byte {at}");
            assert!(key(1).open("box", &file[..at]).is_err() || at + 1 == file.len());
        }
        let newer = file.replacen("-login 1", "-login 2", 1);
        assert_eq!(key(1).open("box", &newer).unwrap_err(), Unsealed::Newer);
    }
}
