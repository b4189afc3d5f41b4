//! `auth --remove`: forgets a login on this machine.

use std::path::PathBuf;

use serde_json::json;
use stundenbuch_connectors::login::Logins as _;
use stundenbuch_connectors::secret::SecretRef;

use super::{App, args, token};
use crate::config::{Config, Connection, SettingValue};
use crate::error_text::Advised;
use crate::logins::Vault;
use crate::run::report::Exit;

pub(super) fn run(
    app: &App,
    config: &Config,
    connection: &Connection,
    args: &args::Auth,
) -> anyhow::Result<Exit> {
    let vault = Vault::of(config, &app.environment);
    let login = vault.path(&connection.name);
    let mut places = Vec::new();
    for reference in secrets(connection) {
        places.extend(own_place(app, config, connection, reference));
    }
    let verb = if args.dry_run {
        "Would remove"
    } else {
        "Removed"
    };
    let mut removed = Vec::new();
    for place in std::iter::once(login).chain(places) {
        if !place.exists() {
            continue;
        }
        if !args.dry_run {
            std::fs::remove_file(&place).map_err(|error| {
                let what = format!("remove {}: {error}", place.display());
                Advised::new(what, "remove it by hand")
            })?;
        }
        app.out.say(&format!("{verb} {}.", place.display()));
        removed.push(place.display().to_string());
    }
    if !args.dry_run {
        vault.remove(&connection.name)?;
    }
    if removed.is_empty() {
        app.out.say("There was nothing to remove.");
    } else {
        app.out
            .say("The service still knows it: withdraw the access there, too.");
    }
    if app.out.json {
        let connection = &connection.name;
        app.out
            .value(&json!({ "connection": connection, "removed": removed }))?;
    }
    Ok(Exit::Fine)
}

fn secrets(connection: &Connection) -> impl Iterator<Item = &SecretRef> {
    connection
        .settings
        .values()
        .filter_map(|value| match value {
            SettingValue::Secret(reference) => Some(reference),
            SettingValue::Plain(_) => None,
        })
}

/// The file of a secret that `auth` may have written and nobody else needs.
fn own_place(
    app: &App,
    config: &Config,
    connection: &Connection,
    reference: &SecretRef,
) -> Option<PathBuf> {
    let SecretRef::Credential(name) = reference else {
        return None;
    };
    let mut others = config
        .connections
        .iter()
        .filter(|other| other.name != connection.name);
    if let Some(other) = others.find(|other| secrets(other).any(|it| it == reference)) {
        app.out.say(&format!(
            "The credential `{name}` stays: `{}` uses it, too.",
            other.name
        ));
        return None;
    }
    token::place(config, app, reference).ok()
}
