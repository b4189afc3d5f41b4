//! Exec: any other tool, through a program that speaks the Singer protocol.
//!
//! There are some hundred such programs, called taps, for as many tools. They print JSON lines:
//! what a stream looks like (`SCHEMA`), its records (`RECORD`), and where to go on (`STATE`). This
//! connector starts one, maps its streams to our records by the configuration, and keeps its
//! `STATE` in the cursor. The program runs unchanged, without a shell, in a directory of its own
//! and with an environment that is empty but for what the configuration names.
//!
//! # What it reads
//!
//! What the program says: each stream that the configuration maps, as time, tasks, files, people,
//! projects or expenses. One run a pull, and before it one with `--discover`, for the catalog in
//! which the mapped streams and columns are selected. A page ends at a `STATE`, so rows and the
//! place to go on are kept together; rows behind the last `STATE` of a run that failed are kept,
//! too, and come again.
//!
//! A record is deleted when the program says so (`_sdc_deleted_at`, or the column that the mapping
//! names in `deleted`), or when two runs that list a stream whole, one right after the other, do
//! not have it. A stream is listed whole where the mapping says `replication = "full"`, or where
//! the program names a new version of it (`ACTIVATE_VERSION`), and only by a run that began at the
//! beginning, ended well and named every record.
//!
//! # What it writes
//!
//! Nothing.
//!
//! # Credentials
//!
//! Up to three, for the places `{credential}`, `{credential_2}` and `{credential_3}` in the tables
//! `config` and `environment`. They go into a file that only this user can read, gone after the
//! run, or into the program's environment; never into its arguments.
//!
//! # Limits
//!
//! Half an hour for a run, five minutes of silence, 1 GiB of output, a million records: all are
//! settings. 16 MiB for a line, 4 KiB of the standard error, 1 MiB for the state. When a limit is
//! passed, and when the daemon stops, the program is killed with everything that it started. How
//! many requests it makes is its own affair; quotas are not known here.
//!
//! # Known gaps
//!
//! `BATCH` is refused by its name. A program that writes a renewed login into its configuration
//! file (QuickBooks, Xero) loses it, and that is told. A process that leaves its group is ended by
//! the service manager only. Deletions in streams that are not listed whole are not seen, nor is
//! the deletion of a stream's last record. A time in the hour that comes twice a year is taken for
//! the earlier one without a word. Values are not checked against the `SCHEMA`.

mod catalog;
mod failure;
mod lines;
mod listing;
mod message;
mod node;
mod normalise;
mod number;
mod plan;
mod private;
mod process;
mod raw;
mod run;
mod scratch;
mod session;
mod settings;
mod shape;
mod state;
mod values;
mod words;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use self::plan::Plan;
use self::run::Run;
use self::state::Mark;
use crate::Entry;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Notice, Page, Platform, Presence, Pull, Raw,
};
use crate::error::{Reject, Result};
use crate::kind::{Changes, Deletions, Kind, Settings, StreamKind};
use crate::record::{ExternalId, Stream};

static KIND: Kind = Kind {
    name: "exec",
    title: "Any other tool (Singer)",
    summary: "A program that speaks the Singer protocol: reads what the program says, by a \
              mapping in the configuration.",
    settings: settings::ALL,
    streams: &[
        stream(Stream::Time),
        stream(Stream::Tasks),
        stream(Stream::Files),
        stream(Stream::People),
        stream(Stream::Projects),
        stream(Stream::Expenses),
    ],
    delivers: &[],
    buckets: &[],
    quiet_night: "no request of ours; one run of the program, and one with --discover",
    needs: "an installed Singer tap, a mapping of its streams, and the credentials that it wants",
    experimental: false,
};

const fn stream(stream: Stream) -> StreamKind {
    StreamKind {
        stream,
        changes: Changes::Since,
        deletions: Deletions::ConfirmedAbsence,
    }
}

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let plan = Plan::read(name, settings, &*platform.clock)?;
    Ok(Box::new(Exec {
        plan: Arc::new(plan),
        under_way: Mutex::new(None),
    }))
}

/// One program.
#[derive(Debug)]
struct Exec {
    plan: Arc<Plan>,
    /// The run whose parts are being given out, with the cursor that asks for the next one. It
    /// only saves starting the program again for each page; another instance starts it from the
    /// last STATE, and misses nothing.
    under_way: Mutex<Option<(Cursor, Run)>>,
}

#[async_trait]
impl Connector for Exec {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let details = run::look(&self.plan).await?;
        Ok(Identity {
            account: self.plan.program.display().to_string(),
            details,
        })
    }

    /// The program knows one way to tell what is new, so [`Pull::Compare`] has nothing to add.
    async fn pull(&self, cursor: &Cursor, _mode: &Pull) -> Result<Page> {
        let (mark, mapped_anew) = Mark::of(cursor, &self.plan.mapping)?;
        let mut under_way = self.under_way.lock().await;
        // What is not asked for any more is ended by this.
        let mut run = match under_way.take() {
            Some((next, run)) if next == *cursor => run,
            _ => Run::start(Arc::clone(&self.plan), mark.state.clone(), mark.before()),
        };
        let part = run.part().await?;
        let next = Cursor::encode(&mark.after(&part)?);
        let mut notices = part.notices;
        if mapped_anew {
            notices.push(Notice {
                code: "mapping-changed",
                text: "the mapping was changed, so everything was read from the beginning"
                    .to_owned(),
            });
        }
        if !part.done {
            *under_way = Some((next.clone(), run));
        }
        Ok(Page {
            raw: part.raw,
            gone: part.gone,
            swept: part.swept,
            next,
            more: !part.done,
            notices,
        })
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        normalise::normalise(raw)
    }

    /// Lets the program list the streams once more, from the beginning. A record that two whole
    /// listings in a row do not have is gone; what only one of them missed is there.
    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let mut names: Vec<&str> = absent.iter().map(|absent| absent.scope.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let listed = run::listing(&self.plan, &names).await?;
        let answer = |absent: &Absent| match listed.get(&absent.scope) {
            None => Presence::Unknown,
            Some(ids) if ids.contains(&absent.id) => Presence::Present,
            Some(_) => Presence::Gone(format!(
                "two whole listings of `{}` in a row do not have it",
                absent.scope
            )),
        };
        let answers = absent
            .iter()
            .map(|absent| (absent.id.clone(), answer(absent)));
        Ok(answers.collect())
    }
}
