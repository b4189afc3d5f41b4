//! `check`: the configuration, and whether every login works.

use std::sync::Arc;

use stundenbuch_connectors::Platform;
use stundenbuch_connectors::budget::{BudgetStore, MemoryBudgets};

use super::out::{Align, Table, one_line};
use super::{App, args};
use crate::error_text::Advised;
use crate::run::report::Exit;
use crate::run::sources;
use crate::store::Budgets;

/// One connection's answer.
#[derive(Debug, serde::Serialize)]
struct Answer {
    connection: String,
    connector: &'static str,
    account: Option<String>,
    details: Vec<String>,
    error: Option<String>,
    hint: Option<String>,
}

pub(super) async fn run(app: &App, args: &args::Check) -> anyhow::Result<Exit> {
    let config = app.config()?;
    for wanted in &args.connections {
        if config.connection(wanted).is_none() {
            let names: Vec<_> = config
                .connections
                .iter()
                .map(|connection| connection.name.as_str())
                .collect();
            let what = format!("check `{wanted}`: there is no such connection");
            return Err(Advised::new(what, format!("there are: {}", names.join(", "))).into());
        }
    }
    if args.offline {
        app.out
            .say(&format!("{} is in order.", config.file.display()));
        return Ok(Exit::Fine);
    }
    // The requests of a check count like all others, where there is a ledger to count them in.
    let budgets: Arc<dyn BudgetStore> = if config.ledger.exists() {
        Arc::new(Budgets::open(&config.ledger)?)
    } else {
        Arc::new(MemoryBudgets::default())
    };
    let platform = Platform {
        clock: Arc::clone(&app.clock),
        budgets,
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    let mut answers = Vec::new();
    let mut exit = Exit::Fine;
    for connection in &config.connections {
        if !args.connections.is_empty() && !args.connections.contains(&connection.name) {
            continue;
        }
        let checked = match sources::build(&config, connection, &app.environment, &platform) {
            Ok(connector) => connector.check().await,
            Err(error) => Err(error),
        };
        let kind = connection.entry.kind.name;
        answers.push(match checked {
            Ok(identity) => Answer {
                connection: connection.name.clone(),
                connector: kind,
                account: Some(identity.account),
                details: identity.details,
                error: None,
                hint: None,
            },
            Err(error) => {
                exit = exit.max(if error.needs_person() {
                    Exit::NeedsPerson
                } else {
                    Exit::ForNow
                });
                Answer {
                    connection: connection.name.clone(),
                    connector: kind,
                    account: None,
                    details: Vec::new(),
                    error: Some(error.to_string()),
                    hint: error.advice().map(str::to_owned),
                }
            }
        });
    }
    print(app, &config.file.display().to_string(), &answers)?;
    Ok(exit)
}

fn print(app: &App, file: &str, answers: &[Answer]) -> anyhow::Result<()> {
    if app.out.json {
        return Ok(app.out.value(&answers)?);
    }
    app.out.say(&format!("{file} is in order."));
    let mut table = Table::new(&[
        ("connection", Align::Left),
        ("connector", Align::Left),
        ("answer", Align::Left),
    ]);
    for answer in answers {
        let words = match (&answer.account, &answer.error) {
            (Some(account), _) if answer.details.is_empty() => account.clone(),
            (Some(account), _) => format!("{account} ({})", answer.details.join(", ")),
            // The whole of it is told below the table.
            (None, _) => "FAILED".to_owned(),
        };
        table.row(vec![
            answer.connection.clone(),
            answer.connector.to_owned(),
            one_line(&words, 100),
        ]);
    }
    for line in table.lines() {
        app.out.line(&line)?;
    }
    for answer in answers {
        let Some(error) = &answer.error else { continue };
        app.out
            .say(&format!("\nerror: {}: {error}", answer.connection));
        if let Some(hint) = &answer.hint {
            app.out.say(&format!("hint: {hint}"));
        }
    }
    Ok(())
}
