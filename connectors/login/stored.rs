//! Logins as text, for those who keep them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize as _, Zeroizing};

use super::{Basic, Stored, Tokens};
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;

/// The form of a login in a file. Fields are added and never change their meaning.
#[derive(Serialize, Deserialize)]
#[serde(tag = "login", rename_all = "snake_case")]
enum Form {
    Tokens {
        access: String,
        #[serde(default)]
        expires_at: Option<DateTime<Utc>>,
        #[serde(default)]
        refresh: Option<String>,
        #[serde(default)]
        previous: Option<String>,
    },
    Basic {
        user: String,
        password: String,
        #[serde(default)]
        facts: BTreeMap<String, String>,
    },
}

impl Stored {
    /// The whole of it as one line, to be sealed.
    pub fn to_text(&self) -> Secret {
        let text = |secret: &Secret| secret.expose().to_owned();
        let form = match self {
            Self::Tokens(tokens) => Form::Tokens {
                access: text(&tokens.access),
                expires_at: tokens.expires_at,
                refresh: tokens.refresh.as_ref().map(text),
                previous: tokens.previous.as_ref().map(text),
            },
            Self::Basic(basic) => Form::Basic {
                user: basic.user.clone(),
                password: text(&basic.password),
                facts: basic.facts.clone(),
            },
        };
        let line = Zeroizing::new(serde_json::to_string(&form).expect("a login is plain data"));
        form.wipe();
        Secret::new(&line)
    }

    /// Reads what [`Stored::to_text`] wrote.
    pub fn from_text(text: &Secret) -> Result<Self> {
        // What is wrong is not told: it would quote the login.
        let form: Form = serde_json::from_str(text.expose()).map_err(|_| {
            Error::new(Kind::Auth, "the stored login cannot be read")
                .hint("update the program, if a newer one wrote it; else log in again")
        })?;
        let stored = match &form {
            Form::Tokens {
                access,
                expires_at,
                refresh,
                previous,
            } => Self::Tokens(Tokens {
                access: Secret::new(access),
                expires_at: *expires_at,
                refresh: refresh.as_deref().map(Secret::new),
                previous: previous.as_deref().map(Secret::new),
            }),
            Form::Basic {
                user,
                password,
                facts,
            } => Self::Basic(Basic {
                user: user.clone(),
                password: Secret::new(password),
                facts: facts.clone(),
            }),
        };
        form.wipe();
        Ok(stored)
    }
}

impl Form {
    /// Leaves nothing of it in memory.
    fn wipe(self) {
        match self {
            Self::Tokens {
                mut access,
                mut refresh,
                mut previous,
                ..
            } => {
                access.zeroize();
                refresh.zeroize();
                previous.zeroize();
            }
            Self::Basic { mut password, .. } => password.zeroize(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_comes_back_as_it_went() {
        let tokens = Stored::Tokens(Tokens {
            access: Secret::new("a\"1"),
            expires_at: Some("2026-11-03T03:15:00Z".parse().unwrap()),
            refresh: Some(Secret::new("r-2")),
            previous: None,
        });
        let basic = Stored::Basic(Basic {
            user: "Jörg".to_owned(),
            password: Secret::new("p-4"),
            facts: BTreeMap::from([("server".to_owned(), "https://cloud.example".to_owned())]),
        });
        for stored in [tokens, basic] {
            let text = stored.to_text();
            let again = Stored::from_text(&text).unwrap().to_text();
            assert_eq!(text.expose(), again.expose());
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let error = Stored::from_text(&Secret::new(r#"{"login":"tokens","access":["s3cret"]}"#));
        let error = error.unwrap_err();
        assert!(
            !format!("{error} {error:?}").contains("s3cret"),
            "{error:?}"
        );
        assert!(error.needs_person());
    }
}
