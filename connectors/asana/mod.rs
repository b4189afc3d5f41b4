//! Asana: tasks of projects, what was done to them, and tracked time.
//!
//! # What it reads
//! The tasks of the projects that one user sees, with subtasks, sections, tags and custom fields,
//! by the list of each project: one request a project in a quiet night. A project of up to 100
//! tasks is listed whole each night, which shows what moved and what is gone; a larger one by
//! what was modified, and whole every `full_every_days`. Stories (comments, completions, moves)
//! are read of tasks that were modified. A task in several projects is one record; it counts for
//! the oldest of those that are read.
//!
//! With `time`, time tracking entries: the days of this month and the last, each night whole,
//! because Asana does not say when an entry was changed. With `events`, the feed of events of
//! each project is asked for hints: changed subtasks, edited comments and deletions in large
//! projects then show the next night and not within the week. Events come at most once and are
//! kept for a day, so nothing rests on them alone.
//!
//! A task is deleted when a complete list of its project lacks it and Asana, asked for it,
//! does not have it although the project can be read. The same holds for stories, with their
//! task as the witness, and for time entries, with the project that they are attributed to. A
//! task that was moved out of all projects that are read is taken over as it says of itself,
//! and then no longer followed.
//!
//! # What it writes
//! Nothing.
//!
//! # Credentials
//! A personal access token, from <https://app.asana.com/0/my-apps>; it acts as its user, and
//! there is none that only reads.
//!
//! # Limits
//! 150 requests a minute on the free plan and 1,500 on others, of which we use 120. Two requests
//! a second keep below the shorter slices in which bursts are counted. Requests of one list
//! follow each other without others between them, because the marks of pages expire. No batch
//! requests: each of their parts counts like a request. 402 ends the reading of time entries with
//! a word, and nothing else.
//!
//! # Known gaps
//! - Without `events`, a changed subtask or an edited comment shows with the next change of its
//!   task, or within `full_every_days`. Asana does not count either as modifying the task.
//! - Whether a task that is moved within its project, or added to another, counts as modified is
//!   described in two ways; a large project shows it within `full_every_days`.
//! - A task that moved where the user cannot see it may be answered with the same 404 as a
//!   deleted one, and is then taken for deleted; it comes back when it is seen again.
//! - Of an entry whose day was moved from the last two months to before them, the old day stays
//!   until that time is compared. Timesheet approval is kept with the entry, and not used.
//! - Not confirmed by a second source (2026-11): that each part of a batch counts, that entries
//!   may be listed with the fields of a single one, and whether entries modify their task.
//! - Attachments, dependencies, goals and portfolios are not read.

mod activity;
mod api;
mod catalogue;
mod classify;
mod confirm;
mod envelope;
mod events;
mod normalise;
mod plan;
mod pull;
mod state;
mod stories;
mod tasks;
mod time;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use zeroize::Zeroizing;

pub(crate) use normalise::{Frame, Home, named, person, project, task, time_entry};

use self::api::{Api, TOKEN};
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Page, Platform, Presence, Pull, Raw,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::{Http, Options};
use crate::kind::{
    Bucket, Changes, Deletions, Kind, Need, Setting, Settings, StreamKind, ValueKind,
};
use crate::record::{ExternalId, Stream};
use crate::secret::Secret;

const API_URL: &str = "https://app.asana.com/api/1.0";

static KIND: Kind = Kind {
    name: "asana",
    title: "Asana",
    summary: "Reads the tasks of Asana projects, what was done to them, and tracked time.",
    settings: &[
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Required,
            help: "A personal access token, from https://app.asana.com/0/my-apps.",
        },
        Setting {
            key: "workspaces",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "The workspaces to read, by name or gid; all when left out.",
        },
        Setting {
            key: "projects",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "The projects to read, by name, address or gid; all open ones when left out.",
        },
        Setting {
            key: "time",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "Read time tracking entries, too; leave it off where they are copies of \
                another tool's.",
        },
        Setting {
            key: "events",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "Ask each project for its events, too: one more request each night.",
        },
        Setting {
            key: "history_from",
            value: ValueKind::Date,
            need: Need::Optional,
            help: "How far back stories and time are read at first; else the month before.",
        },
        Setting {
            key: "full_every_days",
            value: ValueKind::Count { min: 1, max: 365 },
            need: Need::Default("7"),
            help: "List large projects, and all subtasks, at least so often.",
        },
        Setting {
            key: "api_url",
            value: ValueKind::Url,
            need: Need::Default(API_URL),
            help: "Where Asana's API is.",
        },
    ],
    streams: &[
        StreamKind {
            stream: Stream::Tasks,
            changes: Changes::Since,
            deletions: Deletions::ConfirmedAbsence,
        },
        StreamKind {
            stream: Stream::Activity,
            changes: Changes::Since,
            deletions: Deletions::ConfirmedAbsence,
        },
        StreamKind {
            stream: Stream::Time,
            changes: Changes::Listing,
            deletions: Deletions::ConfirmedAbsence,
        },
        StreamKind {
            stream: Stream::People,
            changes: Changes::Listing,
            deletions: Deletions::Never,
        },
        StreamKind {
            stream: Stream::Projects,
            changes: Changes::Listing,
            deletions: Deletions::Never,
        },
    ],
    delivers: &[],
    // Asana, "Rate limits", read 2026-11: 150 a minute on the free plan.
    buckets: &[Bucket {
        name: TOKEN,
        requests: 150,
        per: Duration::from_mins(1),
        reserve: 30,
        spacing: Duration::from_millis(500),
    }],
    quiet_night: "1 request a project, and 1 a workspace unless `projects` names them; with \
        `time`, 1 more for each 100 entries of this month and the last; with `events`, 1 more a \
        project",
    needs: "a personal access token (https://app.asana.com/0/my-apps)",
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

/// What the settings ask for.
#[derive(Clone, Debug)]
struct Wishes {
    workspaces: Vec<String>,
    projects: Vec<String>,
    time: bool,
    events: bool,
    history_from: Option<NaiveDate>,
    full_every: TimeDelta,
}

/// One user at Asana.
struct Asana {
    api: Api,
    clock: Arc<dyn Clock>,
    wishes: Wishes,
}

impl fmt::Debug for Asana {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asana")
            .field("wishes", &self.wishes)
            .finish_non_exhaustive()
    }
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let days = settings.count("full_every_days").unwrap_or(7);
    let base = settings.text("api_url").unwrap_or(API_URL);
    let mut options = Options::new(name, base.trim_end_matches('/'), KIND.buckets);
    let token = token(settings)?;
    options.headers = vec![("authorization", bearer(token))];
    options.secrets = vec![token.clone()];
    options.classify = classify::classify;
    // A hundred tasks with all their fields may take a while.
    options.timeout = Duration::from_secs(60);
    Ok(Box::new(Asana {
        api: Api {
            http: Http::new(options, platform)?,
        },
        clock: Arc::clone(&platform.clock),
        wishes: Wishes {
            workspaces: settings.texts("workspaces").to_vec(),
            projects: settings.texts("projects").to_vec(),
            time: settings.flag("time"),
            events: settings.flag("events"),
            history_from: settings.date("history_from"),
            full_every: TimeDelta::days(i64::try_from(days).unwrap_or(7)),
        },
    }))
}

/// The token, if it can be one: a blank or a line end would break the header.
fn token(settings: &Settings) -> Result<&Secret> {
    let wrong = |what: &str| {
        Error::new(ErrorKind::Settings, format!("`token` {what}")).hint(classify::NEW_TOKEN)
    };
    let secret = settings
        .secret("token")
        .ok_or_else(|| wrong("is not configured"))?;
    let plain = |sign: u8| sign.is_ascii_graphic();
    if secret.expose().is_empty() || !secret.expose().bytes().all(plain) {
        return Err(wrong("names a secret that is no such word as Asana gives"));
    }
    Ok(secret)
}

fn bearer(token: &Secret) -> Secret {
    Secret::new(&Zeroizing::new(format!("Bearer {}", token.expose())))
}

#[async_trait]
impl Connector for Asana {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let me = self.whoami().await?.data;
        let name = me.name.unwrap_or_else(|| format!("user {}", me.gid));
        let places = me.workspaces.into_iter().flatten();
        let places: Vec<String> = places.map(|it| it.name.unwrap_or(it.gid)).collect();
        Ok(Identity {
            account: match me.email {
                Some(email) => format!("{name} <{email}>"),
                None => name,
            },
            details: vec![format!("workspaces: {}", places.join(", "))],
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
        self.api.http.requests()
    }
}
