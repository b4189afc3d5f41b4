//! One run of the program: files and arguments for it, its lines into parts, and its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::catalog::Catalog;
use super::failure;
use super::plan::{Plan, Select};
use super::process::{Call, Ended, Running};
use super::scratch::Scratch;
use super::session::{Before, Part, Session};
use super::shape::Mapped;
use crate::contract::Notice;
use crate::error::{Error, Kind, Result};

/// A run whose parts are taken one by one. The program waits while nobody takes one, and is ended
/// when this is dropped.
#[derive(Debug)]
pub(super) struct Run {
    parts: mpsc::Receiver<Result<Part>>,
    task: JoinHandle<()>,
}

impl Run {
    /// Starts the program from its own `state`.
    pub(super) fn start(plan: Arc<Plan>, state: Option<Box<RawValue>>, before: Before) -> Self {
        let (sender, parts) = mpsc::channel(1);
        let task = tokio::spawn(async move {
            let limit = plan.limits.whole;
            let mut session = Session::new(&plan.mapped, before, plan.limits.records);
            let all: Vec<&Mapped> = plan.mapped.iter().collect();
            let work = follow(&plan, &all, state.as_deref(), &mut session, &sender);
            let outcome = tokio::time::timeout(limit, work)
                .await
                .unwrap_or_else(|_| Err(failure::too_long(&plan.program, limit)));
            let last = match outcome {
                Ok(notice) => session.finish().map(|mut part| {
                    part.notices.extend(notice);
                    part
                }),
                Err(error) => {
                    if let Some(part) = session.broken() {
                        let _ = sender.send(Ok(part)).await;
                    }
                    Err(error)
                }
            };
            let hide = |text: &str| plan.secrets.hide(text.to_owned());
            // Nobody may be there any more to take it.
            let _ = sender
                .send(last.map_err(|error| error.map_text(hide)))
                .await;
        });
        Self { parts, task }
    }

    /// The next part, once there is one.
    pub(super) async fn part(&mut self) -> Result<Part> {
        self.parts.recv().await.unwrap_or_else(|| {
            Err(Error::new(
                Kind::Unavailable,
                "the program's run ended without a word",
            ))
        })
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts the program and hands its parts over; ends well only when the program does.
async fn follow(
    plan: &Plan,
    mapped: &[&Mapped],
    state: Option<&RawValue>,
    session: &mut Session<'_>,
    parts: &mpsc::Sender<Result<Part>>,
) -> Result<Option<Notice>> {
    let desk = Desk::lay(plan)?;
    let mut running = desk.start(plan, mapped, state).await?;
    if let Err(error) = hear(plan, &mut running, session, parts).await {
        running.kill();
        return Err(match running.last_words().await {
            said if said.is_empty() => error,
            said => error.with("said", failure::last_lines(&plan.secrets.hide(said))),
        });
    }
    let ended = running.end().await?;
    well(plan, &ended)?;
    // A last line may lack its end; half a line is no message.
    session.take(&plan.secrets.hide(ended.rest)).map_err(|_| {
        Error::new(
            Kind::Unavailable,
            "the program's output ends in the middle of a line",
        )
        .with("program", plan.program.display())
    })?;
    Ok(desk.rewritten(plan))
}

/// Takes its lines until its output is closed.
async fn hear(
    plan: &Plan,
    running: &mut Running,
    session: &mut Session<'_>,
    parts: &mpsc::Sender<Result<Part>>,
) -> Result<()> {
    while let Some(line) = running.line().await? {
        // A line may hold a secret that the tool repeats; no part of the ledger may.
        if session.take(&plan.secrets.hide(line))? {
            let nobody = |_| Error::new(Kind::Unavailable, "the run was given up");
            // The run may reach its time limit while it waits here, so nothing is taken out of
            // the session before there is a place for it.
            let place = parts.reserve().await.map_err(nobody)?;
            place.send(Ok(session.part()));
        }
    }
    Ok(())
}

/// What the streams of these names hold now, by a run from the beginning.
pub(super) async fn listing(plan: &Plan, names: &[&str]) -> Result<Listed> {
    let mapped: Vec<Mapped> = plan
        .mapped
        .iter()
        .filter(|mapped| names.contains(&mapped.name.as_str()))
        .cloned()
        .collect();
    let before = Before {
        whole: true,
        ..Before::default()
    };
    let mut session = Session::new(&mapped, before, plan.limits.records);
    let chosen: Vec<&Mapped> = mapped.iter().collect();
    // The records themselves were taken before; here they are only counted.
    let (sender, mut parts) = mpsc::channel(1);
    let work = async {
        let follow = follow(plan, &chosen, None, &mut session, &sender);
        tokio::pin!(follow);
        loop {
            tokio::select! {
                outcome = &mut follow => break outcome,
                _ = parts.recv() => {}
            }
        }
    };
    let limit = plan.limits.whole;
    let outcome = tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(failure::too_long(&plan.program, limit)));
    let hide = |text: &str| plan.secrets.hide(text.to_owned());
    outcome
        .and_then(|_| session.listed())
        .map_err(|error| error.map_text(hide))
}

/// Identifiers by stream, of the streams that were listed whole.
pub(super) type Listed = BTreeMap<String, std::collections::BTreeSet<crate::record::ExternalId>>;

/// What the program is found to be: the streams that it has, or what it said first.
pub(super) async fn look(plan: &Plan) -> Result<Vec<String>> {
    let work = async {
        let desk = Desk::lay(plan)?;
        if plan.select != Select::None && plan.catalog.is_none() {
            let catalog = desk.discover(plan).await?;
            let names = catalog.names().join(", ");
            catalog.select(&plan.mapped.iter().collect::<Vec<_>>())?;
            return Ok(vec![format!("has the streams {names}")]);
        }
        let mapped: Vec<&Mapped> = plan.mapped.iter().collect();
        let mut session = Session::new(&plan.mapped, Before::default(), plan.limits.records);
        let mut running = desk.start(plan, &mapped, None).await?;
        while let Some(line) = running.line().await? {
            if !line.trim().is_empty() {
                session.take(&plan.secrets.hide(line))?;
                return Ok(vec!["starts, and speaks the Singer protocol".to_owned()]);
            }
        }
        well(plan, &running.end().await?)?;
        Err(Error::new(
            Kind::Protocol,
            "the program ended well and said nothing",
        ))
    };
    let limit = plan.limits.whole;
    let outcome = tokio::time::timeout(limit, work)
        .await
        .unwrap_or_else(|_| Err(failure::too_long(&plan.program, limit)));
    outcome.map_err(|error| error.map_text(|text| plan.secrets.hide(text.to_owned())))
}

/// The files for one run.
#[derive(Debug)]
struct Desk {
    scratch: Scratch,
    /// The arguments that every call gets.
    arguments: Vec<OsString>,
}

const CONFIG: &str = "config.json";

impl Desk {
    fn lay(plan: &Plan) -> Result<Self> {
        let scratch = Scratch::make(&plan.directory)?;
        let mut arguments: Vec<OsString> = plan.arguments.iter().map(OsString::from).collect();
        if let Some(config) = plan.config_text() {
            let path = scratch.write(CONFIG, &config)?;
            arguments.extend(["--config".into(), path.into()]);
        }
        Ok(Self { scratch, arguments })
    }

    async fn start(
        &self,
        plan: &Plan,
        mapped: &[&Mapped],
        state: Option<&RawValue>,
    ) -> Result<Running> {
        let mut arguments = self.arguments.clone();
        let flag = match plan.select {
            Select::Catalog => Some("--catalog"),
            Select::Properties => Some("--properties"),
            Select::None => None,
        };
        if let Some(flag) = flag {
            let path = if let Some(path) = &plan.catalog {
                path.clone()
            } else {
                let catalog = self.discover(plan).await?.select(mapped)?;
                self.scratch.write("catalog.json", &catalog)?
            };
            arguments.extend([flag.into(), path.into()]);
        }
        if let Some(state) = state.filter(|state| state.get() != "null") {
            let path = self.scratch.write("state.json", state.get())?;
            arguments.extend(["--state".into(), path.into()]);
        }
        self.call(plan, arguments)
    }

    async fn discover(&self, plan: &Plan) -> Result<Catalog> {
        let mut arguments = self.arguments.clone();
        arguments.push("--discover".into());
        let mut running = self.call(plan, arguments)?;
        let mut text = String::new();
        while let Some(line) = running.line().await? {
            text.push_str(&line);
            text.push('\n');
        }
        let ended = running.end().await?;
        well(plan, &ended)?;
        text.push_str(&ended.rest);
        Catalog::parse(&text)
    }

    fn call(&self, plan: &Plan, arguments: Vec<OsString>) -> Result<Running> {
        let call = Call {
            program: &plan.program,
            arguments,
            environment: &plan.environment,
            directory: self.scratch.path(),
        };
        Running::start(&call, plan.limits)
    }

    /// Programs whose logins rotate write the new one into their configuration file, and expect
    /// to find it there the next time. It cannot be kept, so it is told.
    fn rewritten(&self, plan: &Plan) -> Option<Notice> {
        let wrote = plan.config_text()?;
        let now = std::fs::read(Path::new(self.scratch.path()).join(CONFIG)).ok()?;
        (now != wrote.as_bytes()).then(|| Notice {
            code: "config-rewritten",
            text: "the program changed its configuration file, as it does when its login \
                   changes with each use; that change was not kept, so the next login may fail: \
                   use a login that stays, such as an API key"
                .to_owned(),
        })
    }
}

fn well(plan: &Plan, ended: &Ended) -> Result<()> {
    if ended.status.success() {
        return Ok(());
    }
    let said = plan.secrets.hide(ended.said.clone());
    Err(failure::ended(&plan.program, ended.status, &said))
}
