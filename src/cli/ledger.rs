//! `ledger`: its proof, its backups, and its current state made anew.

mod backup;
mod restore;
mod verify;

use serde_json::json;

use super::{App, args, ledger_erase};
use crate::run::report::Exit;

pub(super) async fn run(app: &App, args: &args::Ledger) -> anyhow::Result<Exit> {
    match &args.command {
        args::LedgerCommand::Verify(args) => verify::run(app, args).await,
        args::LedgerCommand::Backup(args) => backup::run(app, args),
        args::LedgerCommand::Restore(args) => restore::run(app, args),
        args::LedgerCommand::Rebuild => rebuild(app),
        args::LedgerCommand::Head => head(app),
        args::LedgerCommand::Erase(args) => ledger_erase::run(app, args),
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
