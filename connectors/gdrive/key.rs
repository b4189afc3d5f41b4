//! The key of a service account, and the statement that is signed with it (RFC 7523).
//!
//! The key is the file that Google Cloud hands out, JSON with a private key in PEM. It is never
//! sent: it signs a statement of who we are and for what, and Google answers with a token for an
//! hour.

use std::fmt;

use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result};
use crate::login::Sign;
use crate::secret::Secret;

/// "A maximum of 1 hour after the issued time" (Google Identity, "Using OAuth 2.0 for Server to
/// Server Applications", read 2026-11).
const VALID_SECONDS: i64 = 3_600;

/// A service account that signs for itself, or for a user who allowed it.
pub(super) struct ServiceAccount {
    pub(super) email: String,
    key_id: Option<String>,
    key: RsaKeyPair,
    scope: String,
    audience: String,
    user: Option<String>,
}

#[derive(Deserialize)]
struct KeyFile {
    client_email: String,
    private_key: String,
    private_key_id: Option<String>,
}

impl ServiceAccount {
    /// Reads the key file. `user` is for whom the account acts, where the domain delegated that.
    pub(super) fn read(
        file: &Secret,
        scope: &str,
        audience: &str,
        user: Option<&str>,
    ) -> Result<Self> {
        let wrong = |what: &str| {
            Error::new(Kind::Settings, format!("`key` names a secret that {what}")).hint(
                "store the JSON file that Google Cloud makes for a service account's key, whole",
            )
        };
        // The reader's own words may quote the key, so they are not shown.
        let file: KeyFile = serde_json::from_str(file.expose())
            .map_err(|_| wrong("is not the key file of a service account"))?;
        let pem = Zeroizing::new(file.private_key);
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|_| wrong("holds no private key in PEM"))?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der())
            .map_err(|_| wrong("holds a private key that is not RSA"))?;
        Ok(Self {
            email: file.client_email,
            key_id: file.private_key_id,
            key,
            scope: scope.to_owned(),
            audience: audience.to_owned(),
            user: user.map(str::to_owned),
        })
    }
}

impl Sign for ServiceAccount {
    fn assertion(&self, now: DateTime<Utc>) -> Result<Secret> {
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        if let Some(id) = &self.key_id {
            header["kid"] = json!(id);
        }
        let issued = now.timestamp();
        let mut claims = json!({
            "iss": self.email,
            "scope": self.scope,
            "aud": self.audience,
            "iat": issued,
            "exp": issued + VALID_SECONDS,
        });
        if let Some(user) = &self.user {
            claims["sub"] = json!(user);
        }
        let part = |value: &serde_json::Value| base64url(value.to_string().as_bytes());
        let text = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                text.as_bytes(),
                &mut signature,
            )
            .map_err(|_| Error::new(Kind::Settings, "the service account's key cannot sign"))?;
        let signed = Zeroizing::new(format!("{text}.{}", base64url(&signature)));
        Ok(Secret::new(&signed))
    }
}

impl fmt::Debug for ServiceAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount")
            .field("email", &self.email)
            .finish_non_exhaustive()
    }
}

/// Base64 with `-` and `_`, without padding (RFC 4648, section 5).
fn base64url(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut bits = 0_u32;
        for at in 0..3 {
            bits = bits << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..=chunk.len() {
            let sign = (bits >> (18 - 6 * at)) & 63;
            text.push(char::from(SIGNS[usize::try_from(sign).unwrap_or(0)]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use ring::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    fn account(user: Option<&str>) -> ServiceAccount {
        let file = Secret::new(include_str!("fixtures/service-account.json"));
        ServiceAccount::read(&file, "https://scope", "https://token", user).unwrap()
    }

    fn decoded(part: &str) -> Vec<u8> {
        let signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let (mut bits, mut count, mut bytes) = (0_u32, 0, Vec::new());
        for sign in part.bytes() {
            let value = signs.iter().position(|it| *it == sign).unwrap();
            bits = bits << 6 | u32::try_from(value).unwrap();
            count += 6;
            if count >= 8 {
                count -= 8;
                bytes.push(u8::try_from(bits >> count & 255).unwrap());
            }
        }
        bytes
    }

    #[test]
    fn the_statement_says_who_and_for_what_and_its_signature_holds() {
        let account = account(Some("erika@example.com"));
        let now = DateTime::from_timestamp(1_793_000_000, 0).unwrap();
        let secret = account.assertion(now).unwrap();
        let text = secret.expose();
        let parts: Vec<&str> = text.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            panic!("three parts");
        };
        let json = |part| serde_json::from_slice::<serde_json::Value>(&decoded(part)).unwrap();
        assert_eq!(
            json(header),
            json!({"alg": "RS256", "typ": "JWT", "kid": "f1c7"})
        );
        assert_eq!(
            json(claims),
            json!({"iss": "books@project.iam.gserviceaccount.example", "scope": "https://scope",
                "aud": "https://token", "iat": 1_793_000_000_i64, "exp": 1_793_003_600_i64,
                "sub": "erika@example.com"})
        );
        let public = account.key.public_key().as_ref();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        let signed = format!("{header}.{claims}");
        public
            .verify(signed.as_bytes(), &decoded(signature))
            .unwrap();
        assert!(
            public
                .verify(b"something else", &decoded(signature))
                .is_err()
        );
        assert!(!format!("{account:?}").contains("PRIVATE"));
    }

    #[test]
    fn a_wrong_key_file_is_told_without_its_content() {
        for text in [
            "canary",
            r#"{"client_email":"a","private_key":"canary"}"#,
            r#"{"type":"authorized_user","client_secret":"canary"}"#,
        ] {
            let error = ServiceAccount::read(&Secret::new(text), "s", "a", None).unwrap_err();
            assert_eq!(error.kind(), Kind::Settings);
            assert!(!format!("{error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn base64url_as_in_the_rfc() {
        for (plain, encoded) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v")] {
            assert_eq!(base64url(plain.as_bytes()), encoded);
        }
        assert_eq!(base64url(&[251, 255]), "-_8");
    }
}
