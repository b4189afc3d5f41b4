//! `ledger erase`: a client goes for good, except what the law wants kept.

use std::io::{IsTerminal as _, stdin};
use std::path::PathBuf;

use serde_json::json;

use super::{App, args};
use crate::config::Config;
use crate::erase::{Plan, plan};
use crate::error_text::Advised;
use crate::run::report::Exit;
use crate::statements;
use crate::store::{Store, Swept};
use crate::time::{clock_text, local_day};

pub(super) fn run(app: &App, args: &args::Erase) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let today = local_day(app.clock.now(), config.time_zone);
    // A command that erases makes no new ledger.
    let store = app.open_read_only(&config)?;
    must_be_known(&config, &store, &args.client)?;
    if args.dry_run {
        let plan = plan(&store, &config, &args.client, today)?;
        told(app, &plan)?;
        return Ok(Exit::Fine);
    }
    drop(store);
    // The configuration is not recorded first: the client's part of it is about to go.
    let (mut store, _lock) = app.open_for_trial(&config, "ledger erase")?;
    if store.is_unswept()? && !swept(app, &mut store)? {
        return Ok(Exit::ForNow);
    }
    let plan = plan(&store, &config, &args.client, today)?;
    told(app, &plan)?;
    if plan.is_empty() {
        app.out.say("There is nothing to erase now.");
        return copies(app, &config, &store, args);
    }
    may_begin(app, args, &plan)?;
    if let Some(directory) = &args.export {
        let template = statements::template(&config)?;
        let exported = plan.export(&store, template.as_deref(), directory)?;
        app.out.say(&format!(
            "Wrote {} files to {}.",
            exported.files,
            directory.display()
        ));
    }
    let now = app.clock.now();
    let row = store.write(|writer| writer.erase(now, &plan.erasure))?;
    app.out
        .say(&format!("Erased `{}`; row {row} says so.", args.client));
    if !swept(app, &mut store)? {
        return Ok(Exit::ForNow);
    }
    let exit = copies(app, &config, &store, args)?;
    advise(app, &config, &plan);
    Ok(exit)
}

/// A client is in the configuration, or was erased before and left statements.
fn must_be_known(config: &Config, store: &Store, key: &str) -> anyhow::Result<()> {
    if config.client(key).is_some() || store.client_is_erased(key)? {
        return Ok(());
    }
    let hint = "put its table back into the configuration: without it nobody can say which \
                records are its";
    Err(Advised::new(format!("erase the client `{key}`: there is none"), hint).into())
}

/// Refuses what was not thought of, and asks a person.
fn may_begin(app: &App, args: &args::Erase, plan: &Plan) -> anyhow::Result<()> {
    let key = &args.client;
    let open = plan.open;
    if open.anything() && !args.with_open_work {
        let what = format!(
            "erase `{key}`: {} pieces of work ({} h) were never billed, and {} documents never \
             delivered",
            open.works,
            clock_text(open.seconds),
            open.documents
        );
        let hint = format!(
            "bill it with `stundenbuch statement seal {key}` and send it with `stundenbuch \
             deliver`, or give it up with --with-open-work"
        );
        return Err(Advised::new(what, hint).into());
    }
    if args.export.is_none() && !args.no_export {
        let hint = "name a directory with --export DIR, or say --no-export: afterwards nobody can \
                    tell the client what was stored about it";
        return Err(Advised::new(format!("erase `{key}` without an export"), hint).into());
    }
    if args.yes || is_confirmed(app, key)? {
        return Ok(());
    }
    let hint = "nothing was erased; type the client's key when asked, or say --yes";
    Err(Advised::new(format!("erase `{key}`: nobody confirmed it"), hint).into())
}

fn is_confirmed(app: &App, key: &str) -> anyhow::Result<bool> {
    if !stdin().is_terminal() {
        return Ok(false);
    }
    app.out
        .say("This cannot be undone. Type the client's key to go on:");
    let mut typed = String::new();
    stdin().read_line(&mut typed)?;
    Ok(typed.trim() == key)
}

/// What goes and what stays.
fn told(app: &App, plan: &Plan) -> anyhow::Result<()> {
    let erasure = &plan.erasure;
    let counts = &plan.counts;
    if app.out.json {
        app.out.value(&json!({
            "client": erasure.client,
            "goes": counts,
            "statements_gone": erasure.statements,
            "statements_kept": erasure.kept,
            "open": plan.open,
        }))?;
        return Ok(());
    }
    let out = app.out;
    out.line(&format!(
        "Goes: {} rows of the journal, {} received records, {} findings",
        counts.rows, counts.received_records, counts.findings
    ))?;
    for (stream, count) in &counts.records {
        out.line(&format!("  {count} records of the stream {stream}"))?;
    }
    for number in &erasure.statements {
        out.line(&format!("  statement {number}"))?;
    }
    out.line(&format!(
        "Stays: {} statements, {} rows that hold and prove them",
        erasure.kept.len(),
        counts.rows_kept
    ))?;
    for kept in &erasure.kept {
        out.line(&format!(
            "  statement {}, to be erased from {} on",
            kept.number, kept.until
        ))?;
    }
    if counts.shared > 0 {
        out.line(&format!(
            "Stays as well: {} records that several clients claim",
            counts.shared
        ))?;
    }
    Ok(())
}

/// Writes the file anew; says so where somebody stands in the way.
fn swept(app: &App, store: &mut Store) -> anyhow::Result<bool> {
    if store.sweep()? == Swept::Done {
        return Ok(true);
    }
    app.out.say(
        "Another process reads the ledger, so old pages of the file could not be overwritten yet.\n\
         Stop the daemon, then run the same command again: it finishes this.",
    );
    Ok(false)
}

/// Copies of the ledger that still hold what was erased: removed when asked for, else told.
fn copies(app: &App, config: &Config, store: &Store, args: &args::Erase) -> anyhow::Result<Exit> {
    let Some(erased) = store.erasure_of(&args.client)? else {
        return Ok(Exit::Fine);
    };
    let copies = store.copies_before(erased, &directories(config))?;
    if copies.is_empty() {
        return Ok(Exit::Fine);
    }
    if args.delete_backups {
        for copy in &copies {
            Store::remove(copy);
            app.out.say(&format!("Removed {}.", copy.display()));
        }
        let left = store.copies_before(erased, &directories(config))?;
        if left.is_empty() {
            return Ok(Exit::Fine);
        }
    }
    app.out
        .say("It is not done: these copies of the ledger still hold what was erased here:");
    for copy in &copies {
        app.out.say(&format!("  {}", copy.display()));
    }
    app.out
        .say("Remove them, or run the same command again with --delete-backups.");
    Ok(Exit::Findings)
}

/// Where copies of the ledger are looked for.
fn directories(config: &Config) -> Vec<PathBuf> {
    let beside = config
        .ledger
        .parent()
        .filter(|it| !it.as_os_str().is_empty());
    let beside = beside.map_or_else(|| PathBuf::from("."), PathBuf::from);
    let backups = config
        .backup
        .as_ref()
        .map(|backup| backup.directory.clone());
    std::iter::once(beside).chain(backups).collect()
}

/// What this command cannot do.
fn advise(app: &App, config: &Config, plan: &Plan) {
    let key = &plan.erasure.client;
    if config.client(key).is_some() {
        app.out.say(&format!(
            "Now take [clients.{key}] out of the configuration, and its projects, boards and \
             folders out of what the connections read: what is new there would be taken in again."
        ));
    }
    app.out.say(
        "Documents that were delivered lie where they were put; backups on other disks hold what \
         they held.",
    );
}
