//! Toggl Track: time entries, with the people, projects and clients that they name.
//!
//! # What it reads
//!
//! The token owner's time entries by the change feed of the Track API v9, one request in a
//! quiet night, deletions included. History and comparisons by the detailed reports of the
//! Reports API v3, month by month, the newest first; with `team`, other people's entries too.
//! Where a workspace gives no reports, own entries by their start instead, which reach back
//! three months. Both interfaces give the same record for the same entry.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! `token`: the API token at the end of <https://track.toggl.com/profile>. Toggl has no
//! read-only token and, for others than itself, no OAuth. Answers that repeat the token, or
//! carry another one, are kept without it.
//!
//! # Limits
//!
//! Toggl allows 30 requests an hour below `/me` on every plan, and on the Free plan 30 for the
//! organisation. Ten of each are left to the user's own apps. A pull that needs more stops at
//! its cursor and goes on in the next hour. A first pull takes 2 requests and one for each
//! workspace and month; a comparison 2 and one for each workspace and month.
//!
//! # Known gaps
//!
//! - The feed does not show that a tag was removed or renamed, or a project renamed; the next
//!   comparison does. Of other people's entries, deletions show only there.
//! - Deletions of other people's entries older than a year are not looked for.
//! - Where more than a thousand entries changed at once, those that start more than 85 days
//!   ago are seen by the next comparison only.
//! - Deleted and archived projects are taken as Toggl lists them; a project that vanishes from
//!   its list stays as it was last seen.
//! - Not confirmed by a second source (2026-11): the largest page of a report, that a report
//!   can be asked for entries by id without a narrower span, and the order of its changes.
//! - Toggl 2.0 ("Focus") is another service with another key, and not read here.

mod api;
mod bootstrap;
mod catalogue;
mod classify;
mod confirm;
mod envelope;
mod normalise;
mod plan;
mod pull;
mod report;
mod span;
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

const API_URL: &str = "https://api.track.toggl.com/api/v9";
const REPORTS_URL: &str = "https://api.track.toggl.com/reports/api/v3";

static KIND: Kind = Kind {
    name: "toggl",
    title: "Toggl Track",
    summary: "Reads time entries with their projects, clients and people.",
    settings: &[
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "the API token from track.toggl.com/profile",
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
            help: "whether to read other people's entries too; needs access to reports",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default(API_URL),
            help: "the address of the Track API",
        },
        Setting {
            key: "reports_url",
            value: ValueKind::Url,
            need: Need::Default(REPORTS_URL),
            help: "the address of the Reports API",
        },
    ],
    streams: &[
        StreamKind {
            stream: Stream::Time,
            changes: Changes::Since,
            deletions: Deletions::Tombstone,
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
    buckets: &[api::USER, api::ORG],
    quiet_night: "1 request an account; with `team`, 1 more a workspace",
    needs: "an API token, from the end of track.toggl.com/profile",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    Ok(Box::new(Toggl {
        api: Api::new(name, settings, platform)?,
        wishes: Wishes {
            history_from: settings.date("history_from"),
            workspaces: settings.texts("workspaces").to_vec(),
            team: settings.flag("team"),
        },
        clock: Arc::clone(&platform.clock),
    }))
}

/// One account at Toggl.
#[derive(Debug)]
struct Toggl {
    api: Api,
    wishes: Wishes,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl Connector for Toggl {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let me: wire::Me = self.api.me().await?.json()?;
        let name = me.fullname.unwrap_or_else(|| format!("user {}", me.id));
        let zone = me.timezone.unwrap_or_else(|| "unknown".to_owned());
        let mut details = vec![format!("time zone {zone}")];
        for workspace in me.workspaces.iter().flatten() {
            let plan = match workspace.premium {
                Some(true) => "paid plan",
                Some(false) => "free plan",
                None => "plan unknown",
            };
            details.push(format!(
                "workspace {} ({}): {}, {plan}",
                workspace.name.as_deref().unwrap_or("without a name"),
                workspace.id,
                workspace.role.as_deref().unwrap_or("role unknown"),
            ));
        }
        Ok(Identity {
            account: match me.email {
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
