//! Trello: cards of boards, with what was done to them.
//!
//! # What it reads
//! The boards of one member with their lists, cards, labels, custom fields, people and the log of
//! actions. A quiet night is one request: the list of boards tells when each was last active,
//! and a board that was not is skipped. A board that was is one more request, and one page. Cards
//! that are no work are left out: templates, separators, and the mirrors of other cards.
//!
//! A card is done when it is marked complete, or lies in a list that holds done cards. Archiving
//! a card, its list or its board is not deleting: the task stays, as archived. A card is deleted
//! when the log says so and the board no longer lists it, or when it is missing from a complete
//! list and Trello, asked for it, does not have it although its board can be read.
//!
//! # What it writes
//! Nothing.
//!
//! # Credentials
//! An API key and a token of scope `read`, sent in the `Authorization` header only, never in an
//! address. The key is at <https://trello.com/power-ups/admin>; the hint of the error for a
//! refused token has the address that makes a new one.
//!
//! # Limits
//! 100 requests in 10 seconds for a token, of which 20 are left to others; 100 in 900 seconds
//! for `/members/…` itself. Trello names no time to wait, so a refusal is waited out with the
//! length of its window. A board that is too big for one answer is read in pages of cards, and
//! the size that worked is remembered.
//!
//! # Known gaps
//! Changes of labels and custom fields may not show in a board's last activity; a board is read
//! again every `full_every_days` anyway. Label and custom-field changes are in no log that a
//! token can list. A deleted comment stays in the ledger, as it was. A card that was moved to a
//! board that is not read stays as it was last seen, and so does a card that became a template.
//! When a card was done is known only as far as the log goes back (50,000 actions) and Trello's
//! own `dateCompleted`. E-mail addresses are not read.

mod activity;
mod board;
mod classify;
mod done;
mod envelope;
mod pull;
mod records;
mod select;
mod state;
mod task;
mod value;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use zeroize::Zeroizing;

pub(crate) use records::of_export;
pub(crate) use task::normalise;
pub(crate) use value::is_object_id;
pub(crate) use wire::Board;

use done::DoneLists;

use crate::Entry;
use crate::clock::Clock;
use crate::contract::{Absent, Connector, Cursor, Identified, Identity, Page, Platform, Presence};
use crate::contract::{Pull, Raw};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::{Http, Options, Request};
use crate::kind::ValueKind;
use crate::kind::{Bucket, Changes, Deletions, Kind, Need, Setting, Settings, StreamKind};
use crate::record::{ExternalId, Stream};
use crate::secret::Secret;

/// The bucket of all requests that a token makes.
const TOKEN: &str = "token";
/// The bucket of requests to `/members/…` itself; what is below a member does not count.
const MEMBERS: &str = "members";

static KIND: Kind = Kind {
    name: "trello",
    title: "Trello",
    summary: "Reads the cards of Trello boards and what was done to them.",
    settings: &[
        Setting {
            key: "key",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "The API key of a Power-Up of yours, from https://trello.com/power-ups/admin.",
        },
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "A token for that key with the scope `read`.",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default("https://api.trello.com/1"),
            help: "Where Trello's API is.",
        },
        Setting {
            key: "boards",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "The boards to read, by name, short link or id; all open boards when left out.",
        },
        Setting {
            key: "done_lists",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "Lists whose cards are done; else Done, Erledigt, Fertig and Abgeschlossen.",
        },
        Setting {
            key: "full_every_days",
            value: ValueKind::Count { min: 1, max: 365 },
            need: Need::Default("7"),
            help: "Read a board at least so often, even when it seems unchanged.",
        },
    ],
    streams: &[
        StreamKind {
            stream: Stream::Tasks,
            changes: Changes::Snapshot,
            deletions: Deletions::ConfirmedAbsence,
        },
        StreamKind {
            stream: Stream::Activity,
            changes: Changes::Since,
            deletions: Deletions::Never,
        },
        StreamKind {
            stream: Stream::People,
            changes: Changes::Snapshot,
            deletions: Deletions::Never,
        },
        StreamKind {
            stream: Stream::Projects,
            changes: Changes::Snapshot,
            deletions: Deletions::Never,
        },
    ],
    delivers: &[],
    // Trello, "API rate limits", read 2026-01. The spacing keeps any ten seconds below the limit,
    // also those that lie across two of our windows.
    buckets: &[
        Bucket {
            name: TOKEN,
            requests: 100,
            per: Duration::from_secs(10),
            reserve: 20,
            spacing: Duration::from_millis(125),
        },
        Bucket {
            name: MEMBERS,
            requests: 100,
            per: Duration::from_mins(15),
            reserve: 60,
            spacing: Duration::ZERO,
        },
    ],
    quiet_night: "1 request an account",
    needs: "an API key (https://trello.com/power-ups/admin) and a token with the scope `read`",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

/// One Trello account.
struct Trello {
    http: Http,
    clock: Arc<dyn Clock>,
    boards: Vec<String>,
    done: DoneLists,
    full_every: TimeDelta,
}

impl fmt::Debug for Trello {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trello")
            .field("boards", &self.boards)
            .finish_non_exhaustive()
    }
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let days = settings.count("full_every_days").unwrap_or(7);
    let base = settings
        .text("api_url")
        .unwrap_or("https://api.trello.com/1");
    let (key, token) = (credential(settings, "key")?, credential(settings, "token")?);
    let mut options = Options::new(name, base.trim_end_matches('/'), KIND.buckets);
    options.headers = vec![("authorization", authorization(key, token))];
    options.secrets = vec![key.clone(), token.clone()];
    options.classify = classify::classify;
    // Trello itself gives up after 30 seconds, and a big board takes some to arrive.
    options.timeout = Duration::from_secs(90);
    options.body_max = 64 << 20;
    Ok(Box::new(Trello {
        http: Http::new(options, platform)?,
        clock: Arc::clone(&platform.clock),
        boards: settings.texts("boards").to_vec(),
        done: DoneLists::new(settings.texts("done_lists")),
        full_every: TimeDelta::days(i64::try_from(days).unwrap_or(7)),
    }))
}

/// A credential, if it can be one: a quote or a line end would break the header.
fn credential<'a>(settings: &'a Settings, key: &'static str) -> Result<&'a Secret> {
    let wrong = |what: &str| Error::new(ErrorKind::Settings, format!("`{key}` {what}"));
    let secret = settings
        .secret(key)
        .ok_or_else(|| wrong("is not configured"))?;
    let plain = |sign: u8| sign.is_ascii_alphanumeric() || b"-_.".contains(&sign);
    if secret.expose().is_empty() || !secret.expose().bytes().all(plain) {
        return Err(wrong("names a secret that is no such word as Trello gives")
            .hint("it is one word of letters and digits; copy it again, without quotes"));
    }
    Ok(secret)
}

/// Key and token as one header. The token works in the address as well, where every log on the
/// way would keep it.
fn authorization(key: &Secret, token: &Secret) -> Secret {
    let header = Zeroizing::new(format!(
        r#"OAuth oauth_consumer_key="{}", oauth_token="{}""#,
        key.expose(),
        token.expose()
    ));
    Secret::new(&header)
}

#[async_trait]
impl Connector for Trello {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let request = Request::get(MEMBERS, "/members/me")
            .query("fields", "username,fullName")
            .query("boards", "all")
            .query("board_fields", "name,closed,shortLink");
        let me: wire::Me = board::ask(&self.http, request).await?.json()?;
        let boards = select::select(&self.boards, &me.boards, &|_| false)?;
        let names: Vec<&str> = boards.iter().map(|board| board.title()).collect();
        let user = me.username.unwrap_or(me.id);
        Ok(Identity {
            account: match me.full_name {
                Some(name) if !name.trim().is_empty() => format!("{name} ({user})"),
                _ => user,
            },
            details: vec![format!(
                "reads {} boards: {}",
                names.len(),
                names.join(", ")
            )],
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        pull::pull(self, cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        task::normalise(raw)
    }

    /// Asks for each card. Trello's "not found" also stands for a card that the token may no
    /// longer see, so it counts only for cards of a board that can be read at the same time.
    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let mut answers = Vec::new();
        let mut readable = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        for card in absent
            .iter()
            .filter(|absent| absent.stream == Stream::Tasks)
        {
            if hidden.contains(&card.scope) || !is_object_id(card.id.as_str()) {
                continue;
            }
            let path = format!("/cards/{}", card.id);
            let request = Request::get(TOKEN, path).query("fields", "id,closed,idBoard");
            let presence = match board::ask(&self.http, request).await {
                Ok(reply) => found(&reply.json()?, card),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    if !readable.contains(&card.scope) && !self.sees(&card.scope).await? {
                        hidden.insert(card.scope.clone());
                        continue;
                    }
                    readable.insert(card.scope.clone());
                    Presence::Gone(format!("GET /cards/{} was answered: {error}", card.id))
                }
                Err(error) if error.kind() == ErrorKind::Forbidden => Presence::Unknown,
                Err(error) => return Err(error),
            };
            answers.push((card.id.clone(), presence));
        }
        Ok(answers)
    }

    fn requests(&self) -> u64 {
        self.http.requests()
    }
}

impl Trello {
    /// Whether the board can be read now.
    async fn sees(&self, board: &str) -> Result<bool> {
        if !is_object_id(board) {
            return Ok(false);
        }
        let request = Request::get(TOKEN, format!("/boards/{board}")).query("fields", "name");
        match board::ask(&self.http, request).await {
            Ok(reply) => Ok(reply.json::<Board>()?.id == board),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => {
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// A card that answers is there, on whichever board.
fn found(card: &serde_json::Value, absent: &Absent) -> Presence {
    if card["id"] == absent.id.as_str() {
        Presence::Present
    } else {
        Presence::Unknown
    }
}
