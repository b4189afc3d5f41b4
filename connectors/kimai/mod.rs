//! Kimai: time sheets, with the people, projects, customers and activities that they name.
//!
//! # What it reads
//!
//! Entries that were changed since the last time, and besides everything that started in the last
//! 35 days, in full, so that one row holds all names: two requests in a quiet night, for five
//! hundred entries each. Kimai tells of no deletions: an entry is gone when a whole listing, of
//! which the number of rows was what Kimai said, did not show it, and Kimai says 404 at its own
//! address. A comparison looks further back, and reads projects and people again. A customer is a
//! client here, and an activity a task.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! `token`: an API token from Kimai's profile, API access. It can do all that its owner can. For
//! other people's entries (`team`) its owner needs the permission `view_other_timesheet`.
//! `legacy_user`, for installations that have API passwords only (before 2.14), is the name that
//! goes with one.
//!
//! # Limits
//!
//! Kimai has none by itself. Requests are 100 ms apart and at most 3,600 an hour, for the sake of
//! small machines. A page has at most 500 rows.
//!
//! # Known gaps
//!
//! - That a tag, project, customer or activity was renamed shows in what started in the last 35
//!   days, and in older entries with a comparison. So do deletions.
//! - An entry with a break is so many seconds on a day: where the break lay is not said. A
//!   duration that Kimai rounded, or that was typed in, is not read; the instants are.
//! - Without the permission for it, `team` reads one's own entries only, and Kimai does not say so.
//! - Rates, the export mark and custom fields are not read.
//! - Read from Kimai's source (August 2026), and not tried against a running one.

mod api;
mod classify;
mod confirm;
mod normalise;
mod plan;
mod pull;
mod state;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;

use self::api::Api;
use self::plan::Wishes;
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Page, Platform, Presence, Pull, Raw,
};
use crate::error::{Reject, Result};
use crate::kind::{Changes, Deletions, Kind, Need, Setting, Settings, StreamKind, ValueKind};
use crate::record::{ExternalId, Stream};

static KIND: Kind = Kind {
    name: "kimai",
    title: "Kimai",
    summary: "Reads time sheets with their projects, customers and people.",
    settings: &[
        Setting {
            key: "url",
            value: ValueKind::Url,
            need: Need::Required,
            help: "the address of Kimai, as the browser shows it before `/en/`",
        },
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "an API token from Kimai's profile, API access",
        },
        Setting {
            key: "legacy_user",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the user's name, where `token` is an API password of an old Kimai",
        },
        Setting {
            key: "history_from",
            value: ValueKind::Date,
            need: Need::Optional,
            help: "how far back the first pull goes; three months when left out",
        },
        Setting {
            key: "team",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "whether to read other people's entries too; needs the permission for it",
        },
    ],
    streams: &[
        StreamKind {
            stream: Stream::Time,
            changes: Changes::Since,
            deletions: Deletions::ConfirmedAbsence,
        },
        StreamKind {
            stream: Stream::Projects,
            changes: Changes::Listing,
            deletions: Deletions::Never,
        },
        StreamKind {
            stream: Stream::People,
            changes: Changes::Listing,
            deletions: Deletions::Never,
        },
    ],
    delivers: &[],
    buckets: &[api::API],
    quiet_night: "2 requests",
    needs: "an API token, from Kimai's profile, API access",
    experimental: true,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    Ok(Box::new(Kimai {
        api: Api::new(name, settings, platform)?,
        wishes: Wishes {
            history_from: settings.date("history_from"),
            team: settings.flag("team"),
        },
        clock: Arc::clone(&platform.clock),
    }))
}

/// One account at one Kimai.
#[derive(Debug)]
struct Kimai {
    api: Api,
    wishes: Wishes,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Connector for Kimai {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let reply = self.api.me().await?;
        let me: wire::User = reply.json()?;
        let settings: wire::Settings = reply.json()?;
        let version: wire::Version = self.api.version().await?.json()?;
        let unknown = || "unknown".to_owned();
        let name = me.shown().unwrap_or_else(|| format!("user {}", me.id));
        Ok(Identity {
            account: match me.email {
                Some(email) => format!("{name} <{email}>"),
                None => name,
            },
            details: vec![
                format!("Kimai {}", version.version.unwrap_or_else(unknown)),
                format!("time zone {}", settings.timezone.unwrap_or_else(unknown)),
            ],
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        self.next_page(cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise::normalise(raw)
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        self.second_look(absent).await
    }

    fn requests(&self) -> u64 {
        self.api.requests()
    }
}
