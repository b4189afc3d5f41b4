//! `ledger verify`: the chain, what hangs on it, the heads outside of it, delivered documents.

use std::sync::Arc;

use serde_json::json;
use stundenbuch_connectors::Platform;

use super::super::{App, args};
use crate::config::Config;
use crate::error_text::{self, Advised};
use crate::run::delivered::{self, Fate, Looked};
use crate::run::report::Exit;
use crate::store::{Budgets, Damage, Kept, Store, Verified};

pub(super) async fn run(app: &App, args: &args::Verify) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let anchors = App::anchors(&config);
    let store = anchors.open_read_only()?;
    let verified = store.verify()?;
    if let Some(damage) = &verified.damage {
        return damaged(app, &verified, damage);
    }
    let kept = match store.agrees(&anchors) {
        Ok(kept) => kept,
        Err(error) if app.out.json => {
            let rolled_back = Some(error.to_string());
            app.out
                .value(&value(&verified, &[], rolled_back.as_deref()))?;
            return Err(error.into());
        }
        Err(error) => return Err(error.into()),
    };
    let looked = if args.ledger_only {
        Vec::new()
    } else {
        look(app, &config, &store).await?
    };
    if app.out.json {
        app.out.value(&value(&verified, &looked, None))?;
    }
    holds(app, &verified, &kept);
    Ok(tell(app, &looked))
}

async fn look(app: &App, config: &Config, store: &Store) -> anyhow::Result<Vec<Looked>> {
    let platform = Platform {
        clock: Arc::clone(&app.clock),
        budgets: Arc::new(Budgets::open(store.path())?),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    Ok(delivered::look(store, config, &app.environment, &platform).await?)
}

fn value(verified: &Verified, looked: &[Looked], rolled_back: Option<&str>) -> serde_json::Value {
    json!({
        "rows": verified.head.seq,
        "head": verified.head.hex(),
        "received_records": verified.raws,
        "damage": verified.damage.as_ref().map(|damage| &damage.what),
        "broken_row": verified.damage.as_ref().and_then(|damage| damage.row),
        "newest_statement": verified.statement,
        "rolled_back": rolled_back,
        "delivered": looked,
    })
}

fn damaged(app: &App, verified: &Verified, damage: &Damage) -> anyhow::Result<Exit> {
    if app.out.json {
        app.out.value(&value(verified, &[], None))?;
    }
    let (what, hint) = match damage.row {
        Some(row) => (
            format!(
                "the ledger is damaged at row {row}: {}\n  {}",
                damage.what,
                what_holds(verified)
            ),
            "stop the daemon, and put a backup in its place: `stundenbuch ledger restore FILE`; \
             it keeps the damaged file",
        ),
        None => (
            format!("the ledger is damaged: {}", damage.what),
            "stop the daemon and keep a copy of the file before anything else",
        ),
    };
    app.out
        .say(&error_text::of(&Advised::new(what, hint).into()));
    Ok(Exit::NeedsPerson)
}

/// How much of a damaged ledger can be relied on.
fn what_holds(verified: &Verified) -> String {
    let rows = match verified.head.seq {
        0 => return "no row before it holds".to_owned(),
        1 => "row 1 holds".to_owned(),
        last => format!("rows 1 to {last} hold"),
    };
    match &verified.statement {
        Some(number) => format!("{rows}, and with them the statements up to {number}"),
        None => format!("{rows}; no statement is among them"),
    }
}

fn holds(app: &App, verified: &Verified, kept: &Kept) {
    app.out.say(&format!(
        "The ledger holds: {} rows, {} received records, ending in {}.",
        verified.head.seq,
        verified.raws,
        verified.head.hex()
    ));
    if kept.heads > 0 {
        app.out.say(&format!(
            "It agrees with the {} heads that were kept of it.",
            kept.heads
        ));
    }
    for note in &kept.notes {
        app.out.say(&format!("note: {note}"));
    }
}

/// Tells what became of documents; the gravest of it.
fn tell(app: &App, looked: &[Looked]) -> Exit {
    let mut exit = Exit::Fine;
    for Looked { delivery, fate } in looked {
        let place = format!("{}:{}", delivery.connection, delivery.location);
        let (words, grave) = match fate {
            Fate::Same => continue,
            Fate::Changed => (
                format!("changed since it was delivered: {place}"),
                Exit::Findings,
            ),
            Fate::Gone => (format!("not there any more: {place}"), Exit::Findings),
            Fate::Unseen(why) => (
                format!("could not be looked at: {place}: {why}"),
                Exit::ForNow,
            ),
            Fate::Closed(why) => (format!("not looked at: {place}: {why}"), Exit::Fine),
        };
        app.out.say(&words);
        exit = exit.max(grave);
    }
    if !looked.is_empty() {
        let same = looked.iter().filter(|it| it.fate == Fate::Same).count();
        app.out.say(&format!(
            "{same} of {} delivered documents lie where they were put, as they were.",
            looked.len()
        ));
    }
    if exit == Exit::Findings {
        app.out.say(
            "Somebody may have edited or moved these; the ledger and `stundenbuch statement show` \
             have them as they were sealed.",
        );
    }
    exit
}
