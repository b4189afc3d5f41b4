//! ActiveCollab, self-hosted or in its cloud: time records, expenses and tasks of projects.
//!
//! # What it reads
//!
//! Users, companies, job types, expense categories and projects with every pull, and of each
//! active project three lists: its open tasks, the time records of the last 62 and the next 31
//! days, its expenses. So a quiet night costs 5 requests and 3 a project (4 and 2 where
//! `expenses` is off, one less for each list of names that the user may not read): ActiveCollab
//! lists nothing by when it changed, and its webhooks need an address that the internet can
//! reach. A list of more than a hundred costs one more for each hundred. Every
//! `full_every_days`, and when a comparison is asked for, a project is read whole, with its
//! completed tasks and all of its time. Projects in the archive are read once, and by
//! comparisons.
//!
//! Time is in decimal hours there. Two decimals are rounded to the minute that was typed (0:10 is
//! `0.17`), more decimals to the second. Amounts are exact to the cent, or refused. A record on
//! an invoice of ActiveCollab, or paid, stays billable, and the pull tells of it.
//!
//! What a complete list does not show is looked for at its own address, when all projects were
//! read: it is deleted where it says that it lies in the trash, or where it is not found though
//! its project can be read.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! `token`, or `user` and `password`, with which a token is asked for at every start: one request
//! more, in the cloud two. Each such token stays in the user's profile under API subscriptions,
//! so a token that was made once is better. In the cloud a login that asks for a second factor
//! needs one. The token belongs to a user; members see only their own time.
//!
//! # Limits
//!
//! None are documented. We keep to four requests a second and wait where `Retry-After` says so.
//!
//! # Known gaps
//!
//! Experimental: written from the vendor's PHP SDK (2025-05), its help centre and the API notes of
//! version 5 (2015), and never tried against a real instance.
//!
//! - Not confirmed by a second source: the headers that tell how long a list is (without them the
//!   next page is asked for until it is empty or repeats), the shape of `/tasks/archive`, what
//!   `related` holds, that `completed_task_ids` comes with the open tasks, that a thing in the
//!   trash answers at its own address, the addresses of tasks for people.
//! - Edits and deletions in time older than 62 days, and edits of completed tasks, are seen when
//!   the project is read whole.
//! - A record that was moved to a project that is not read counts as deleted, if ActiveCollab says
//!   "not found" at its old address.
//! - Subtasks, comments, custom fields, attachments, estimates and running stopwatches are not
//!   read; the body of a task is HTML and stays so. Section names come only where the list of
//!   tasks brings its task lists.
//! - Amounts have no currency in the records that are described; `currency` says it for all.
//! - Versions before 5 have another interface; `check` refuses them.

mod api;
mod catalogue;
mod classify;
mod confirm;
mod envelope;
mod login;
mod normalise;
mod number;
mod project;
mod pull;
mod shape;
mod state;
mod wire;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};

use self::api::{Api, BUCKET, Wanted};
use self::catalogue::{Catalogue, Refused, object};
use self::login::{Credential, Doors};
use self::state::State;
use self::wire::{Info, User};
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Page, Platform, Presence, Pull, Raw,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::kind::{Changes, Deletions, Kind, Need, Setting, Settings, StreamKind, ValueKind};
use crate::record::{ExternalId, Stream};

/// Where the cloud is, and where one logs in to it ("Authentication", help centre, read 2026-11).
const CLOUD: &str = "https://app.activecollab.com/";
const CLOUD_LOGIN: &str = "https://activecollab.com/api/v1";

/// The oldest version with this interface.
const OLDEST: u32 = 5;

static KIND: Kind = Kind {
    name: "activecollab",
    title: "ActiveCollab",
    summary: "Reads time records, expenses and tasks of ActiveCollab projects.",
    settings: &[
        Setting {
            key: "url",
            value: ValueKind::Url,
            need: Need::Required,
            help: "Where ActiveCollab is opened in a browser; cloud: with the account's number.",
        },
        Setting {
            key: "token",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "An API token of a user who sees all time; else `user` and `password`.",
        },
        Setting {
            key: "user",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "The e-mail address to log in with, where there is no `token`.",
        },
        Setting {
            key: "password",
            value: ValueKind::Secret,
            need: Need::Optional,
            help: "The password of `user`.",
        },
        Setting {
            key: "cloud",
            value: ValueKind::Flag,
            need: Need::Default("false"),
            help: "Log in as the cloud wants it; known by itself for app.activecollab.com.",
        },
        Setting {
            key: "login_url",
            value: ValueKind::Url,
            need: Need::Default(CLOUD_LOGIN),
            help: "Where the cloud's login is.",
        },
        Setting {
            key: "projects",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "The projects to read, by name or number; all when left out.",
        },
        Setting {
            key: "history_from",
            value: ValueKind::Date,
            need: Need::Optional,
            help: "How far back time is read; all of it when left out.",
        },
        Setting {
            key: "expenses",
            value: ValueKind::Flag,
            need: Need::Default("true"),
            help: "Whether to read expenses, too.",
        },
        Setting {
            key: "currency",
            value: ValueKind::Text,
            need: Need::Default("EUR"),
            help: "What expenses are counted in.",
        },
        Setting {
            key: "full_every_days",
            value: ValueKind::Count { min: 1, max: 365 },
            need: Need::Default("7"),
            help: "Read a project whole at least so often.",
        },
    ],
    streams: &[
        stream(Stream::Time, Deletions::ConfirmedAbsence),
        stream(Stream::Expenses, Deletions::ConfirmedAbsence),
        stream(Stream::Tasks, Deletions::ConfirmedAbsence),
        stream(Stream::People, Deletions::Never),
        stream(Stream::Projects, Deletions::Never),
    ],
    delivers: &[],
    buckets: &[BUCKET],
    quiet_night: "5 requests an account and 3 an active project",
    needs: "an API token of a user who may see all time records, or a user and a password",
    experimental: true,
};

const fn stream(stream: Stream, deletions: Deletions) -> StreamKind {
    StreamKind {
        stream,
        changes: Changes::Listing,
        deletions,
    }
}

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

/// One instance of ActiveCollab.
struct ActiveCollab {
    api: Api,
    clock: Arc<dyn Clock>,
    /// The address for people, without a slash at the end.
    site: String,
    projects: Vec<String>,
    history_from: Option<NaiveDate>,
    expenses: bool,
    currency: String,
    full_every: TimeDelta,
    /// The names of the pull that is under way, so that each page need not ask again.
    names: Mutex<Option<Arc<Catalogue>>>,
}

impl fmt::Debug for ActiveCollab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveCollab")
            .field("api", &self.api)
            .field("projects", &self.projects)
            .finish_non_exhaustive()
    }
}

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let url = settings.text("url").unwrap_or_default();
    let site = url.trim_end_matches('/').trim_end_matches("/api/v1");
    let cloud = settings.flag("cloud") || format!("{site}/").starts_with(CLOUD);
    let login = settings.text("login_url").unwrap_or(CLOUD_LOGIN);
    let doors = Doors {
        connection: name.to_owned(),
        api: format!("{site}/api/v1"),
        cloud: cloud.then(|| login.trim_end_matches('/').to_owned()),
    };
    let days = settings.count("full_every_days").unwrap_or(7);
    Ok(Box::new(ActiveCollab {
        api: Api::new(Credential::of(settings)?, doors, platform)?,
        clock: Arc::clone(&platform.clock),
        site: site.to_owned(),
        projects: settings.texts("projects").to_vec(),
        history_from: settings.date("history_from"),
        expenses: settings.flag("expenses"),
        currency: settings.text("currency").unwrap_or("EUR").to_owned(),
        full_every: TimeDelta::days(i64::try_from(days).unwrap_or(7)),
        names: Mutex::default(),
    }))
}

#[async_trait]
impl Connector for ActiveCollab {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let info: Info = self.api.get("/info").await?.json()?;
        let version = of_today(&info)?;
        let wanted = Wanted::new("/users", "users", "users");
        let users = self.api.list(&wanted, &mut BTreeSet::new()).await?.rows;
        let owner = self.api.owner().await?;
        let mut users = users.iter().filter_map(|row| object::<User>(row));
        let me = users.find(|user| Some(user.id) == owner);
        let mut details = vec![format!("version {version}")];
        details.push(match me.as_ref().and_then(|me| me.class.as_deref()) {
            Some("Owner") => "an owner: sees all time records".to_owned(),
            Some(role) => {
                format!("a {role}: may see only their own time; those of others would be missing")
            }
            None => "whether this user sees the time of others is unknown".to_owned(),
        });
        let name = me.as_ref().and_then(User::title);
        let email = me.and_then(|me| me.email);
        Ok(Identity {
            account: match (name, email) {
                (Some(name), Some(email)) => format!("{name} <{email}> at {}", self.site),
                (Some(name), None) => format!("{name} at {}", self.site),
                (None, _) => self.site.clone(),
            },
            details,
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        pull::pull(self, cursor, mode).await
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise::normalise(raw)
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        confirm::confirm(self, absent).await
    }

    fn requests(&self) -> u64 {
        self.api.requests()
    }
}

impl ActiveCollab {
    /// The names of the pull that is under way; a process that goes on with one reads them again.
    async fn names(&self, state: &mut State) -> Result<Arc<Catalogue>> {
        let held = self.held().clone();
        match held {
            Some(known) => Ok(known),
            None => self.read_names(state, false).await,
        }
    }

    /// Reads the names for a new pull. A comparison also tries what was refused before.
    async fn read_names(&self, state: &mut State, compare: bool) -> Result<Arc<Catalogue>> {
        let refused = Refused {
            first: state.projects.is_empty(),
            again: compare,
            without: &mut state.without,
        };
        let unpaged = &mut state.unpaged;
        let read = Catalogue::read(&self.api, self.expenses, unpaged, refused).await?;
        let read = Arc::new(read);
        *self.held() = Some(Arc::clone(&read));
        Ok(read)
    }

    fn held(&self) -> MutexGuard<'_, Option<Arc<Catalogue>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The version, where it is one that this connector can talk to.
fn of_today(info: &Info) -> Result<String> {
    let version = info.version.clone().unwrap_or_default();
    let major: Option<u32> = version.split('.').next().and_then(|it| it.parse().ok());
    let program = info.application.as_deref().unwrap_or("ActiveCollab");
    match major {
        _ if !program.to_lowercase().contains("activecollab") => Err(Error::new(
            ErrorKind::Settings,
            "the program at `url` is no ActiveCollab",
        )
        .with("program", program)),
        Some(major) if major < OLDEST => Err(Error::new(
            ErrorKind::Settings,
            "this ActiveCollab is too old",
        )
        .with("version", &version)
        .hint("versions before 5 have another interface; update it, or import its exports")),
        _ if version.is_empty() => Ok("unknown".to_owned()),
        _ => Ok(version),
    }
}
