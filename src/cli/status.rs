//! `status`: how the program stands.

use serde::Serialize;

use super::App;
use crate::daemon::{Health, Status};
use crate::logins::{self, Login};
use crate::run::report::Exit;
use crate::time::clock_text;

/// The ledger's state, with what lies beside it.
#[derive(Debug, Serialize)]
struct Answer {
    #[serde(flatten)]
    status: Status,
    logins: Vec<Login>,
}

pub(super) fn run(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let status = Status::read(&App::anchors(&config))?;
    let logins = logins::look(&config, &app.environment, &app.platform(&config)?);
    let person = logins.iter().any(Login::needs_person);
    let exit = if person {
        status.exit().max(Exit::NeedsPerson)
    } else {
        status.exit()
    };
    let answer = Answer { status, logins };
    if app.out.json {
        app.out.value(&answer)?;
    } else {
        print(app, &answer.status)?;
        for login in &answer.logins {
            let mark = if login.needs_person() { "ACT " } else { "note" };
            if let Some(sentence) = login.sentence() {
                app.out.line(&format!("{mark}  {sentence}"))?;
            }
        }
    }
    Ok(exit)
}

fn print(app: &App, status: &Status) -> anyhow::Result<()> {
    let out = app.out;
    match (&status.last_run, status.health()) {
        (None, _) => out.line("No run yet.")?,
        (Some(at), Health::Ok) => {
            out.line(&format!(
                "Last run {}: fine.",
                at.format("%Y-%m-%d %H:%M UTC")
            ))?;
        }
        (Some(at), Health::Degraded(reason)) => {
            out.line(&format!("Last run {}:", at.format("%Y-%m-%d %H:%M UTC")))?;
            for line in reason.lines() {
                out.line(&format!("  {line}"))?;
            }
        }
    }
    let stats = &status.stats;
    out.line(&format!(
        "{} pieces of work ({} h), {} tasks, {} files; {} timers run.",
        stats.works,
        clock_text(stats.work_seconds),
        stats.tasks,
        stats.files,
        stats.running
    ))?;
    out.line(&format!(
        "{} open findings, {} documents undelivered, {} records unreadable.",
        stats.open_findings, stats.undelivered, stats.quarantined
    ))?;
    out.line(&format!(
        "Ledger: {} rows, ending in {}.",
        stats.rows, status.ledger_head
    ))?;
    for note in &status.heads {
        out.line(&format!("note  {note}"))?;
    }
    for finding in &status.findings {
        out.line(&format!("ACT  {finding}"))?;
    }
    Ok(())
}
