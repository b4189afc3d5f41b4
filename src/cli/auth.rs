//! `auth`: obtains what a connection needs to log in, proves that it works, and stores it.

mod ask;
mod browser;
mod forget;
mod obtain;
mod token;

use std::path::Path;

use serde::Serialize;
use stundenbuch_connectors::Error;
use stundenbuch_connectors::contract::Identity;
use stundenbuch_connectors::login::Login;

use super::{App, args};
use crate::config::Connection;
use crate::error_text::Advised;
use crate::run::report::Exit;
use crate::run::sources;

/// What a login came to.
#[derive(Debug, Default, Serialize)]
struct Answer {
    connection: String,
    connector: &'static str,
    /// What was stored, or would be.
    stored: Vec<String>,
    account: Option<String>,
    details: Vec<String>,
    error: Option<String>,
    hint: Option<String>,
}

pub(super) async fn run(app: &App, args: &args::Auth) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let connection = sources::named(&config, "log in to", &args.connection)?;
    is_ours(&config.ledger)?;
    if args.remove {
        return forget::run(app, &config, connection, args);
    }
    let platform = app.platform(&config)?;
    let needs = sources::needs(&platform, &config, connection, &app.environment);
    match needs.login {
        None if needs.secrets.is_empty() => {
            let what = format!("log in to `{}`: it needs no login", connection.name);
            let hint = format!("`stundenbuch check {}` tries it", connection.name);
            Err(Advised::new(what, hint).into())
        }
        None => token::run(app, &config, connection, &needs.secrets, args).await,
        Some(login) => obtain::run(app, &config, connection, &login, args).await,
    }
}

/// What is stored by another user than the ledger's could not be read by the one that uses it.
fn is_ours(ledger: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(metadata) = std::fs::metadata(ledger) else {
        return Ok(());
    };
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() == us {
        return Ok(());
    }
    let what = format!(
        "log in: {} belongs to user {}, and this is user {us}",
        ledger.display(),
        metadata.uid()
    );
    let hint = "run it as the ledger's user (docs/operations.md, \"Commands beside the daemon\")";
    Err(Advised::new(what, hint).into())
}

/// Proves what was obtained by one cheap request.
fn proved(checked: Result<Identity, Error>, answer: &mut Answer) -> Exit {
    match checked {
        Ok(identity) => {
            answer.account = Some(identity.account);
            answer.details = identity.details;
            Exit::Fine
        }
        Err(error) => {
            answer.error = Some(error.to_string());
            answer.hint = error.advice().map(str::to_owned);
            Exit::of(&error)
        }
    }
}

fn print(app: &App, answer: &Answer) -> anyhow::Result<()> {
    if app.out.json {
        return Ok(app.out.value(answer)?);
    }
    if let Some(account) = &answer.account {
        let more = match answer.details.join(", ") {
            details if details.is_empty() => String::new(),
            details => format!(" ({details})"),
        };
        app.out
            .line(&format!("{}: {account}{more}", answer.connection))?;
    }
    for stored in &answer.stored {
        app.out.say(&format!("Stored in {stored}."));
    }
    if let Some(error) = &answer.error {
        app.out
            .say(&format!("error: {}: {error}", answer.connection));
    }
    if let Some(hint) = &answer.hint {
        app.out.say(&format!("\nhint: {hint}"));
    }
    Ok(())
}

fn begun(connection: &Connection) -> Answer {
    Answer {
        connection: connection.name.clone(),
        connector: connection.entry.kind.name,
        ..Answer::default()
    }
}

/// The kinds of login in words, for a dry run.
fn words(login: &Login) -> &'static str {
    match login {
        Login::OAuth(_) => "a person agrees at the service's page",
        Login::Nextcloud { .. } => "a person agrees at the page of the Nextcloud server",
    }
}
