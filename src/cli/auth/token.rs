//! Secrets that a person makes at the service: asked for, tried, and only then stored where the
//! configuration looks for them.

use std::path::PathBuf;
use std::sync::Arc;

use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Setting;
use stundenbuch_connectors::secret::{Secret, SecretRef};
use stundenbuch_connectors::{Connector, Error, Platform};

use super::ask::Person;
use super::{args, begun, print, proved};
use crate::cli::App;
use crate::config::{Config, Connection, SettingValue};
use crate::durable;
use crate::error_text::Advised;
use crate::run::report::Exit;

/// A secret as it was typed in, and where it belongs.
#[derive(Debug)]
pub(super) struct Given {
    reference: SecretRef,
    place: PathBuf,
    secret: Secret,
}

pub(super) async fn run(
    app: &App,
    config: &Config,
    connection: &Connection,
    secrets: &[&'static Setting],
    args: &args::Auth,
) -> anyhow::Result<Exit> {
    let mut answer = begun(connection);
    let mut given = Vec::new();
    let mut person = Person::new(app.out);
    for setting in secrets {
        let reference = reference(connection, setting.key);
        let place = place(config, app, reference)?;
        answer.stored.push(place.display().to_string());
        if args.dry_run {
            continue;
        }
        given.push(typed(&mut person, connection, setting, reference, place).await?);
    }
    if args.dry_run {
        app.out.say(&format!(
            "Would ask for {} of `{}` and try it. Nothing was asked or stored.",
            names(secrets),
            connection.name
        ));
        if app.out.json {
            app.out.value(&answer)?;
        }
        return Ok(Exit::Fine);
    }
    answer.stored.clear();
    let platform = app.platform(config)?;
    let connector = build(config, connection, app, &platform, &given)?;
    let exit = proved(connector.check().await, &mut answer);
    // What is not known to be wrong is kept: a service that is away says nothing of a token.
    if exit == Exit::Fine {
        answer.stored = store(config, app, &given)?;
    } else {
        app.out.say("Nothing was stored.");
    }
    print(app, &answer)?;
    Ok(exit)
}

fn names(secrets: &[&'static Setting]) -> String {
    let keys: Vec<_> = secrets.iter().map(|it| format!("`{}`", it.key)).collect();
    keys.join(" and ")
}

/// Asks for those secrets of a connection that are stored nowhere.
pub(super) async fn missing(
    app: &App,
    config: &Config,
    connection: &Connection,
    person: &mut Person,
) -> anyhow::Result<Vec<Given>> {
    let mut given = Vec::new();
    for setting in connection.entry.kind.settings {
        let Some(SettingValue::Secret(reference)) = connection.settings.get(setting.key) else {
            continue;
        };
        if app.environment.secret(config, reference).is_ok() {
            continue;
        }
        let place = place(config, app, reference)?;
        given.push(typed(person, connection, setting, reference, place).await?);
    }
    Ok(given)
}

async fn typed(
    person: &mut Person,
    connection: &Connection,
    setting: &Setting,
    reference: &SecretRef,
    place: PathBuf,
) -> anyhow::Result<Given> {
    let question = format!(
        "`{}` of `{}`: {}\nNeeded: {}\nPaste it (it is not shown), then press Enter:",
        setting.key, connection.name, setting.help, connection.entry.kind.needs
    );
    let secret = person.secret(&question).await?;
    if secret.expose().is_empty() {
        return Err(Advised::new("log in: nothing was typed in", "nothing was stored").into());
    }
    Ok(Given {
        reference: reference.clone(),
        place,
        secret,
    })
}

/// Builds the connection with what was typed in, in the place of what is stored.
pub(super) fn build(
    config: &Config,
    connection: &Connection,
    app: &App,
    platform: &Platform,
    given: &[Given],
) -> Result<Arc<dyn Connector>, Error> {
    let settings = connection.settings(&|reference| match given
        .iter()
        .find(|given| given.reference == *reference)
    {
        Some(given) => Ok(given.secret.clone()),
        None => app.environment.secret(config, reference),
    });
    let settings = settings.map_err(|errors| {
        let first = errors.into_iter().next();
        first.unwrap_or_else(|| Error::new(Kind::Auth, "a credential is missing"))
    })?;
    (connection.entry.build)(&connection.name, &settings, platform).map(Arc::from)
}

/// Stores what was typed in; tells where.
pub(super) fn store(config: &Config, app: &App, given: &[Given]) -> anyhow::Result<Vec<String>> {
    let mut stored = Vec::new();
    for given in given {
        let place = &given.place;
        durable::write_private(place, given.secret.expose().as_bytes()).map_err(|error| {
            let what = format!("store the credential in {}: {error}", place.display());
            Advised::new(what, "make that directory writable for this user")
        })?;
        // Somewhere else may come first; then the new one would never be seen.
        let found = app.environment.secret(config, &given.reference)?;
        if found.expose() != given.secret.expose() {
            let what = format!("store the credential in {}", place.display());
            return Err(
                Advised::new(what, "another place comes first: see docs/operations.md").into(),
            );
        }
        stored.push(place.display().to_string());
    }
    Ok(stored)
}

fn reference<'a>(connection: &'a Connection, key: &str) -> &'a SecretRef {
    match connection.settings.get(key) {
        Some(SettingValue::Secret(reference)) => reference,
        _ => unreachable!("only secrets are asked for"),
    }
}

/// The file that a secret is stored in; not every place can be written to.
pub(super) fn place(config: &Config, app: &App, reference: &SecretRef) -> Result<PathBuf, Advised> {
    match reference {
        SecretRef::File(path) => Ok(path.clone()),
        SecretRef::Env(name) => Err(Advised::new(
            format!("log in: the secret comes from the variable {name}"),
            "set that variable, or name a `credential` or a `file` in the configuration",
        )),
        SecretRef::Credential(name) => {
            let systemd = app.environment.variables.get("CREDENTIALS_DIRECTORY");
            let systemd = systemd.map(|directory| PathBuf::from(directory).join(name));
            if systemd.is_some_and(|path| path.exists()) {
                return Err(Advised::new(
                    format!("log in: systemd hands in the credential `{name}`"),
                    "replace it there (docs/operations.md, \"Credentials\")",
                ));
            }
            let beside = config.file.parent().unwrap_or(std::path::Path::new("."));
            Ok(beside.join("credentials").join(name))
        }
    }
}
