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
//! Comments on tasks, and the number or text of a custom field. A comment of ours is found by its
//! marker, edited in place, and left alone once a person changed it; so is a field.
//!
//! # Credentials
//! A personal access token, from <https://app.asana.com/0/my-apps>; it acts as its user, and
//! there is none that only reads. Or an app of your own there (`client_id`, `client_secret`), to
//! log in with and to ask for no more than is needed: reading by default, deliveries with
//! `stories:write` and `tasks:write` in `scopes`. Asana gives `events` only to apps with full
//! permissions, whose one scope is `default`, and to personal access tokens.
//!
//! # Limits
//! 150 requests a minute on the free plan and 1,500 on others, of which we use 120. Two requests
//! a second keep below the shorter slices in which bursts are counted. Requests of one list
//! follow each other without others between them, because the marks of pages expire. No batch
//! requests: each of their parts counts like a request. 402 ends the reading of time entries with
//! a word, and nothing else.
//!
//! # Known gaps
//! - Without `events`, a changed subtask shows with the next change of its task or within
//!   `full_every_days`, and an edited comment with the next change of its task or the weekly
//!   comparison. Asana does not count either as modifying the task.
//! - Whether a task that is moved within its project, or added to another, counts as modified is
//!   described in two ways; a large project shows it within `full_every_days`.
//! - A task that moved where the user cannot see it may be answered with the same 404 as a
//!   deleted one, and is then taken for deleted; it comes back when it is seen again.
//! - A task that is refused to us (403) stays as it was last seen, also when it is deleted later,
//!   and so does one that was moved out of all projects that are read.
//! - Of an entry whose day was moved from the last two months to before them, the old day stays
//!   until that time is compared. Timesheet approval is kept with the entry, and not used.
//! - Not confirmed by a second source (2026-11): that each part of a batch counts, that entries
//!   may be listed with the fields of a single one, and whether entries modify their task.
//! - A comment is edited a moment after it was read; what a person writes into it in between is
//!   overwritten, since Asana has no conditional requests.
//! - Attachments, dependencies, goals and portfolios are not read.

mod activity;
mod api;
mod catalogue;
mod classify;
mod confirm;
mod decimal;
mod deliver;
mod envelope;
mod events;
mod login;
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

pub(crate) use normalise::{Frame, Home, named, person, project, task, time_entry};

use self::api::{Api, TOKEN};
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::http::{Http, Options};
use crate::kind::{
    Bucket, Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings,
    StreamKind, ValueKind,
};
use crate::login::{Login, OAuth};
use crate::record::{ExternalId, Stream};

const API_URL: &str = "https://app.asana.com/api/1.0";

static KIND: Kind = Kind {
    name: "asana",
    title: "Asana",
    summary: "Reads tasks with what was done to them, and tracked time; writes comments and hours.",
    settings: &[
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "A personal access token, from https://app.asana.com/0/my-apps; else log in.",
        },
        Setting {
            key: "client_id",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "Instead of `token`: the id of an app of yours, from the same page.",
        },
        Setting {
            key: "client_secret",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "The secret of that app.",
        },
        Setting {
            key: "scopes",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "What to ask for at the login; only what is read, when left out.",
        },
        Setting {
            key: "redirect_url",
            value: ValueKind::Url,
            need: Need::Default(login::REDIRECT),
            help: "Where Asana sends the browser after the login; as registered for the app.",
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
        Setting {
            key: "login_url",
            value: ValueKind::Url,
            need: Need::Default(login::LOGIN_URL),
            help: "Where Asana's login is.",
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
    delivers: &[
        DeliveryKind {
            what: Delivery::Comment,
            repeat: Repeat::Marker,
        },
        DeliveryKind {
            what: Delivery::Field,
            repeat: Repeat::SameContent,
        },
    ],
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
    needs: "a personal access token (https://app.asana.com/0/my-apps), or a login by an app of \
        your own",
    experimental: false,
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
    login: Option<OAuth>,
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
    let login = login::describe(settings)?;
    match (settings.secret("token"), &login) {
        (Some(token), _) => {
            login::check(token)?;
            options.headers = vec![("authorization", login::bearer(token))];
            options.secrets = vec![token.clone()];
        }
        (None, Some(login)) => {
            options.access = Some(crate::login::oauth(name, login.clone(), platform)?);
        }
        (None, None) => {
            let error = Error::new(
                ErrorKind::Settings,
                "neither `token` nor `client_id` is given",
            );
            return Err(error.hint(classify::NEW_TOKEN));
        }
    }
    options.classify = classify::classify;
    // A hundred tasks with all their fields may take a while.
    options.timeout = Duration::from_mins(1);
    Ok(Box::new(Asana {
        api: Api {
            http: Http::new(options, platform)?,
        },
        clock: Arc::clone(&platform.clock),
        login: login.filter(|_| settings.secret("token").is_none()),
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

#[async_trait]
impl Connector for Asana {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    fn login(&self) -> Option<Login> {
        let login = self.login.clone()?;
        Some(Login::OAuth(Box::new(login)))
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

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        self.put(&item.item).await
    }

    fn requests(&self) -> u64 {
        self.api.http.requests()
    }
}
