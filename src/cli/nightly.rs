//! `nightly`, `pull` and `run`: passes, whole or in part, now or every night.

use std::sync::Arc;

use super::{App, args};
use crate::config::Config;
use crate::daemon;
use crate::error_text::Advised;
use crate::run::nightly::{self, Plan};
use crate::run::report::{Exit, Report};
use crate::store::Store;

pub(super) async fn nightly(app: &App, args: &args::Nightly) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let (store, _lock) = if args.dry_run {
        app.open_for_trial(&config, "nightly")?
    } else {
        app.open(&config, "nightly")?
    };
    let plan = Plan {
        trigger: "command".into(),
        ..Plan::default()
    };
    pass(app, &config, store, plan, args.dry_run).await
}

pub(super) async fn pull(app: &App, args: args::Pull) -> anyhow::Result<Exit> {
    let config = app.config()?;
    known(&config, &args.connections)?;
    if args.accept_deletions && args.connections.is_empty() {
        let hint = "write `stundenbuch pull NAME --accept-deletions`";
        return Err(Advised::new("accept deletions without naming a connection", hint).into());
    }
    let (mut store, _lock) = if args.dry_run {
        app.open_for_trial(&config, "pull")?
    } else {
        app.open(&config, "pull")?
    };
    if args.accept_deletions && !args.dry_run {
        for name in &args.connections {
            let released = store.write(|writer| writer.release_held(name))?;
            app.out
                .say(&format!("{name}: {released} absences will be confirmed."));
        }
    }
    let plan = Plan {
        trigger: "pull".into(),
        only: args.connections.into_iter().collect(),
        compare: args.compare,
        pull_only: true,
        ..Plan::default()
    };
    pass(app, &config, store, plan, args.dry_run).await
}

/// One pass on the ledger, or on a copy of it that is thrown away.
async fn pass(
    app: &App,
    config: &Config,
    mut store: Store,
    mut plan: Plan,
    dry_run: bool,
) -> anyhow::Result<Exit> {
    let clock = Arc::clone(&app.clock);
    if !dry_run {
        let report = nightly::run(&mut store, config, &app.environment, clock, &plan).await?;
        print(app, &report)?;
        return Ok(report.exit());
    }
    let copy = store.copy_beside("dry-run")?;
    plan.dry_run = Some(config.ledger.clone());
    let done = {
        let mut store = Store::open(&copy, clock.now())?;
        nightly::run(&mut store, config, &app.environment, clock, &plan).await
    };
    Store::remove(&copy);
    let report = done?;
    print(app, &report)?;
    app.out
        .say("Dry run: nothing was kept and nothing was delivered.");
    Ok(report.exit())
}

pub(super) async fn daemon(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    daemon::run(&config, &app.environment, Arc::clone(&app.clock)).await?;
    Ok(Exit::Fine)
}

fn known(config: &Config, names: &[String]) -> anyhow::Result<()> {
    for name in names {
        if config.connection(name).is_none() {
            let all: Vec<_> = config
                .connections
                .iter()
                .map(|connection| connection.name.as_str())
                .collect();
            let what = format!("pull from `{name}`: there is no such connection");
            return Err(Advised::new(what, format!("there are: {}", all.join(", "))).into());
        }
    }
    Ok(())
}

/// What a pass did, in words.
pub(super) fn print(app: &App, report: &Report) -> anyhow::Result<()> {
    if app.out.json {
        return Ok(app.out.value(report)?);
    }
    for line in lines(report) {
        app.out.line(&line)?;
    }
    Ok(())
}

/// A line for each connection, import and delivery.
pub(super) fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for source in &report.sources {
        let counts = &source.counts;
        let mut line = format!(
            "{}: {} new, {} changed, {} deleted",
            source.connection, counts.new, counts.changed, counts.deleted
        );
        if source.requests > 0 {
            line += &format!(" ({} requests)", source.requests);
        }
        if counts.rejected > 0 {
            line += &format!(", {} not understood", counts.rejected);
        }
        if source.held > 0 {
            line += &format!(", {} deletions held", source.held);
        }
        lines.push(line);
        if let Some(failure) = &source.failure {
            lines.push(format!("{}: FAILED: {}", source.connection, failure.text));
            if let Some(hint) = &failure.hint {
                lines.push(format!("  hint: {hint}"));
            }
        }
    }
    for import in &report.imports {
        lines.push(match &import.refused {
            None => format!(
                "{}: {} new of {} records ({})",
                import.file,
                import.counts.new,
                import.counts.received,
                import.format.as_deref().unwrap_or("?")
            ),
            Some(reason) => format!("{}: REFUSED: {reason}", import.file),
        });
    }
    lines.extend(
        report
            .deliveries
            .delivered
            .iter()
            .map(|place| format!("delivered {place}")),
    );
    lines.extend(
        report
            .deliveries
            .failed
            .iter()
            .map(|text| format!("NOT DELIVERED {text}")),
    );
    if let Some(kept) = &report.kept {
        let backup = kept.backup.iter();
        lines.extend(backup.map(|it| format!("backed up to {}", it.file.display())));
        lines.extend(kept.failed.iter().map(|what| format!("NOT KEPT {what}")));
    }
    lines.push(match (report.findings_new, report.findings_open) {
        (0, 0) => "Everything adds up.".to_owned(),
        (new, open) => format!(
            "{open} findings ask for a look, {new} are new: `stundenbuch findings` lists them."
        ),
    });
    lines
}
