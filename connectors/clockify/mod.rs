//! Clockify: time entries, with the people, projects, clients, tasks and tags that they name.
//!
//! # What it reads
//!
//! Each person's time entries by their start, hydrated, so that one row holds all names. Clockify
//! lists neither changes nor deletions: each night looks at everything of the last 92 days, one
//! request for each workspace (and person, with `team`), a page of a thousand entries each. A
//! comparison looks as far back as it is told, and reads projects and people again. An entry is
//! gone when a whole listing did not show it and its own address says that it is not there, while
//! that person's entries can be listed. The detailed report is not used: it costs more pages, and
//! counts its days in the zone of whoever asks.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! `api_key`: from Clockify's Preferences, Advanced. It can do all that its owner can; Clockify
//! has no key that only reads.
//!
//! # Limits
//!
//! New workspaces on the Free plan have 30 requests an hour, of which ten are left to the user's
//! own apps; paid ones have 50 a second, which `paid` says. A pull that needs more stops at its
//! cursor and goes on in the next hour. A first pull takes 2 requests, one for each workspace, and
//! one for each workspace, person and half-year.
//!
//! # Known gaps
//!
//! - An entry that starts more than 92 days ago and is changed, added or deleted now is seen by a
//!   comparison that reaches it. One whose start is moved to before that keeps its old start until
//!   then.
//! - New workspaces and people are noticed by the weekly comparison; then their history is read.
//! - The time of somebody whose entries are refused stays as it was last seen, and that is told.
//! - A project that vanishes from its list stays as it was last seen.
//! - Pauses, holidays and leave are entries that are not billable.
//! - Rates, custom fields and the lock are not read.
//! - Not confirmed by a second source (2026-11): the largest page, whether `end` is about an
//!   entry's start or its end, and `Retry-After` with a 429. What `start` means, and the answer
//!   for what is not there, is what others observed and not what the description says.
//! - The change feed for entities that Clockify calls experimental is not used.

mod account;
mod api;
mod classify;
mod confirm;
mod envelope;
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

const API_URL: &str = "https://api.clockify.me/api/v1";

static KIND: Kind = Kind {
    name: "clockify",
    title: "Clockify",
    summary: "Reads time entries with their projects, clients and people.",
    settings: &[
        Setting {
            key: "api_key",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "the API key from Clockify's Preferences, Advanced",
        },
        Setting {
            key: "history_from",
            value: ValueKind::Date,
            need: Need::Optional,
            help: "how far back the first pull goes; three months when left out",
        },
        Setting {
            key: "workspaces",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "the workspaces to read, by name or id; all when left out",
        },
        Setting {
            key: "team",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "whether to read other people's entries too; needs an administrator's key",
        },
        Setting {
            key: "paid",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "whether the workspaces are on a paid plan, which allows more requests",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default(API_URL),
            help: "the address of the API; in another region https://euc1.clockify.me/api/v1, \
                   with use2, euw2 or apse2 for euc1",
        },
    ],
    streams: &[
        StreamKind {
            stream: Stream::Time,
            changes: Changes::Listing,
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
    buckets: &[api::FREE, api::PAID],
    quiet_night: "1 request a workspace; with `team`, 1 a workspace and person",
    needs: "an API key, from Clockify's Preferences, Advanced",
    experimental: true,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    Ok(Box::new(Clockify {
        api: Api::new(name, settings, platform)?,
        wishes: Wishes {
            history_from: settings.date("history_from"),
            workspaces: settings.texts("workspaces").to_vec(),
            team: settings.flag("team"),
        },
        clock: Arc::clone(&platform.clock),
    }))
}

/// One account at Clockify.
#[derive(Debug)]
struct Clockify {
    api: Api,
    wishes: Wishes,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Connector for Clockify {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let user: wire::User = self.api.user().await?.json()?;
        let workspaces: Vec<wire::Workspace> = self.api.workspaces().await?.json()?;
        let zone = user.settings.and_then(|it| it.time_zone);
        let zone = zone.unwrap_or_else(|| "unknown".to_owned());
        let mut details = vec![format!("time zone {zone}")];
        for workspace in workspaces {
            let plan = workspace.feature_subscription_type;
            details.push(format!(
                "workspace {} ({}): plan {}",
                workspace.name.as_deref().unwrap_or("without a name"),
                workspace.id,
                plan.as_deref().unwrap_or("free or unknown"),
            ));
        }
        let name = user.name.unwrap_or_else(|| format!("user {}", user.id));
        Ok(Identity {
            account: match user.email {
                Some(email) => format!("{name} <{email}>"),
                None => name,
            },
            details,
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
