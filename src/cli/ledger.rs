//! `ledger`: its proof, and its current state made anew.

use serde_json::json;

use super::{App, args, ledger_erase};
use crate::error_text::Advised;
use crate::run::report::Exit;

pub(super) fn run(app: &App, args: &args::Ledger) -> anyhow::Result<Exit> {
    match &args.command {
        args::LedgerCommand::Verify => verify(app),
        args::LedgerCommand::Rebuild => rebuild(app),
        args::LedgerCommand::Head => head(app),
        args::LedgerCommand::Erase(args) => ledger_erase::run(app, args),
    }
}

fn verify(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let verified = app.open_read_only(&config)?.verify()?;
    let head = verified.head;
    if app.out.json {
        app.out.value(&json!({
            "rows": head.seq,
            "head": head.hex(),
            "received_records": verified.raws,
            "damage": verified.damage.as_ref().map(|damage| &damage.what),
            "broken_row": verified.damage.as_ref().and_then(|damage| damage.row),
        }))?;
    }
    match verified.damage {
        None => {
            app.out.say(&format!(
                "The ledger holds: {} rows, {} received records, ending in {}.",
                head.seq,
                verified.raws,
                head.hex()
            ));
            Ok(Exit::Fine)
        }
        Some(damage) => {
            let (what, hint) = match damage.row {
                Some(row) => (
                    format!("the ledger is damaged at row {row}: {}", damage.what),
                    "stop the daemon, keep a copy of the file, and restore a backup; rows \
                     before this one hold",
                ),
                None => (
                    format!("the ledger is damaged: {}", damage.what),
                    "stop the daemon and keep a copy of the file before anything else",
                ),
            };
            app.out
                .say(&crate::error_text::of(&Advised::new(what, hint).into()));
            Ok(Exit::NeedsPerson)
        }
    }
}

fn rebuild(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let (mut store, _lock) = app.open(&config, "ledger rebuild")?;
    let rebuilt = store.rebuild()?;
    let same = rebuilt.before == rebuilt.after;
    if app.out.json {
        app.out.value(&json!({
            "rows": rebuilt.rows, "before": rebuilt.before, "after": rebuilt.after,
        }))?;
    }
    app.out.say(&format!(
        "Walked {} rows. The current state {}.",
        rebuilt.rows,
        if same {
            "was right, to the byte"
        } else {
            "was wrong and is mended"
        }
    ));
    Ok(if same { Exit::Fine } else { Exit::Findings })
}

fn head(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let head = app.open_read_only(&config)?.head()?;
    if app.out.json {
        app.out
            .value(&json!({ "rows": head.seq, "head": head.hex() }))?;
    } else {
        app.out.line(&format!("{} {}", head.seq, head.hex()))?;
    }
    Ok(Exit::Fine)
}
