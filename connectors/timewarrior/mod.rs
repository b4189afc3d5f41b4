//! Timewarrior: intervals, tags and annotations of its database on this machine.
//!
//! # What it reads
//!
//! The files below `data/`, one for each month, whole at each pull: they are small. The program
//! `timew` is not run. It would want to create or tidy what it does not find as it likes, as
//! another user than the one whose database it is; the files say all that its export says, and
//! the tests hold what is read from them to that export. A month that is what it was gives no
//! page. An interval is gone when its month, read whole, does not have it, and the whole
//! database, read again, has none that starts then.
//!
//! Timewarrior knows neither clients nor projects: `clients` and `projects` say which tags name
//! them. The description is the annotation, or the other tags where there is none.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! None. The user that the program runs as must be able to read the directory, or a synchronised
//! copy of it.
//!
//! # Limits
//!
//! 16 MiB a month, and a minute for reading. A file that does not end with a line end is in the
//! middle of being copied: the pull stops and comes back.
//!
//! # Known gaps
//!
//! - Timewarrior's numbers are places in a list, so an interval is known by its start. One whose
//!   start is moved is one that is gone and another that is new.
//! - Where two intervals start at the same second, which Timewarrior refuses and other programs
//!   do not, the order of their lines tells them apart.
//! - A month's file that is empty proves nothing: what was in it stays.
//! - Exclusions and other rules of `timewarrior.cfg` are reports' business and not read here.

mod database;
mod line;
mod names;
mod pull;
mod record;

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use self::database::Database;
use self::names::Patterns;
use self::pull::Wishes;
use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Page, Platform, Presence, Pull, Raw,
};
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::kind::{Changes, Deletions, Kind, Need, Setting, Settings, StreamKind, ValueKind};
use crate::record::{ExternalId, Stream};

/// How long the file system is waited for.
const READ_TIME: Duration = Duration::from_mins(1);

static KIND: Kind = Kind {
    name: "timewarrior",
    title: "Timewarrior",
    summary: "Reads the intervals of a Timewarrior database on this machine.",
    settings: &[
        Setting {
            key: "path",
            value: ValueKind::Path,
            need: Need::Required,
            help: "the database: the directory that holds `data`, usually ~/.timewarrior",
        },
        Setting {
            key: "person",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "whose time it is; Timewarrior does not say",
        },
        Setting {
            key: "clients",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "tags that name a client; `client:*` for all that begin so",
        },
        Setting {
            key: "projects",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "tags that name a project; `project:*` for all that begin so",
        },
    ],
    streams: &[StreamKind {
        stream: Stream::Time,
        changes: Changes::Snapshot,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[],
    buckets: &[],
    quiet_night: "no request; the database is read once",
    needs: "a Timewarrior database that the program's user can read",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, _platform: &Platform) -> Result<Box<dyn Connector>> {
    let path = settings.path("path").cloned().ok_or_else(|| {
        Error::new(
            ErrorKind::Settings,
            "the `path` of Timewarrior's database is missing",
        )
        .with("connection", name)
    })?;
    Ok(Box::new(Timewarrior {
        path,
        wishes: Wishes {
            person: settings.text("person").map(str::to_owned),
            clients: Patterns::new(settings.texts("clients")),
            projects: Patterns::new(settings.texts("projects")),
        },
    }))
}

/// One database.
#[derive(Debug)]
struct Timewarrior {
    path: PathBuf,
    wishes: Wishes,
}

impl Timewarrior {
    /// Reads on a thread of its own: a directory on a network share may not answer.
    async fn read(&self) -> Result<Database> {
        let path = self.path.clone();
        let work = tokio::task::spawn_blocking(move || Database::read(&path));
        let late = || {
            Error::new(
                ErrorKind::Unavailable,
                "Timewarrior's database does not answer",
            )
            .with("path", self.path.display())
        };
        let read = tokio::time::timeout(READ_TIME, work).await;
        read.map_err(|_| late())?.map_err(|_| late())?
    }
}

#[async_trait]
impl Connector for Timewarrior {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let database = self.read().await?;
        let months = database.months.len();
        let mut details = vec![format!(
            "{} intervals in {months} months",
            database.lines().count()
        )];
        let names = database.months.keys();
        if let (Some(first), Some(last)) = (names.clone().next(), names.clone().next_back()) {
            details.push(format!("from {first} to {last}"));
        }
        Ok(Identity {
            account: self.path.display().to_string(),
            details,
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let database = self.read().await?;
        pull::next_page(&database, &self.wishes, cursor, mode)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        record::normalise(raw)
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let database = self.read().await?;
        Ok(pull::confirm(&database, absent))
    }
}
