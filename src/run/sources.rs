//! From configured connections to connectors that are ready to be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use stundenbuch_connectors::budget::BudgetStore;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::kind::Setting;
use stundenbuch_connectors::login::Login;
use stundenbuch_connectors::secret::{self, Secret, SecretRef};
use stundenbuch_connectors::{Connector, Error, Platform};

use crate::clock::Clock;
use crate::config::{Config, Connection, SettingValue};
use crate::error_text::Advised;
use crate::logins::Vault;
use crate::store::{self, Store};

/// Where this process may look for credentials.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The process's environment variables.
    pub variables: BTreeMap<String, String>,
}

impl Environment {
    /// Looks a credential up.
    pub fn secret(&self, config: &Config, reference: &SecretRef) -> Result<Secret, Error> {
        let directory = self.variables.get("CREDENTIALS_DIRECTORY").map(Path::new);
        secret::resolve(
            reference,
            &secret::Sources {
                credentials_directory: directory,
                config_dir: config.file.parent().unwrap_or(Path::new(".")),
                env: &|name| self.variables.get(name).cloned(),
            },
        )
    }
}

/// What connections are built with: the clock, the request budgets, the stored logins.
pub fn platform(
    config: &Config,
    environment: &Environment,
    clock: Arc<dyn Clock>,
    budgets: Arc<dyn BudgetStore>,
) -> Platform {
    Platform {
        clock,
        budgets,
        logins: Arc::new(Vault::of(config, environment)),
    }
}

/// The connection of that name, or which there are; `what` is to be done with it.
pub fn named<'a>(config: &'a Config, what: &str, name: &str) -> Result<&'a Connection, Advised> {
    config.connection(name).ok_or_else(|| {
        let names = config.connections.iter();
        let names: Vec<_> = names.map(|connection| connection.name.as_str()).collect();
        let what = format!("{what} `{name}`: there is no such connection");
        Advised::new(what, format!("there are: {}", names.join(", ")))
    })
}

/// A connection that was built, or why it could not be.
pub type Built = Result<Arc<dyn Connector>, Error>;

/// Builds one connection.
pub fn build(
    config: &Config,
    connection: &Connection,
    environment: &Environment,
    platform: &Platform,
) -> Built {
    let settings = connection
        .settings(&|reference| environment.secret(config, reference))
        .map_err(first)?;
    (connection.entry.build)(&connection.name, &settings, platform).map(Arc::from)
}

/// What a person has to see to before a connection works.
#[derive(Debug)]
pub struct Needs {
    /// A login that the service gives to a person.
    pub login: Option<Login>,
    /// The secrets that are stored nowhere; where none is missing, all of them.
    pub secrets: Vec<&'static Setting>,
}

/// Looks at what a connection needs, without its secrets and without a request.
pub fn needs(
    platform: &Platform,
    config: &Config,
    connection: &Connection,
    environment: &Environment,
) -> Needs {
    let of = |setting: &&'static Setting| match connection.settings.get(setting.key) {
        Some(SettingValue::Secret(reference)) => Some(reference),
        _ => None,
    };
    let all = connection.entry.kind.settings.iter();
    let all: Vec<&'static Setting> = all.filter(|setting| of(setting).is_some()).collect();
    let missing = |setting: &&&'static Setting| {
        of(setting).is_some_and(|reference| environment.secret(config, reference).is_err())
    };
    let missing: Vec<&'static Setting> = all.iter().filter(missing).copied().collect();
    // Building asks nobody, so what stands in for a secret is seen by nobody.
    let stand_in = |reference: &SecretRef| {
        let found = environment.secret(config, reference);
        Ok(found.unwrap_or_else(|_| Secret::new("not stored yet")))
    };
    let built = connection.settings(&stand_in).map_err(first);
    let built =
        built.and_then(|settings| (connection.entry.build)(&connection.name, &settings, platform));
    let login = built.ok().and_then(|connector| connector.login());
    Needs {
        login: login.filter(Login::is_obtained),
        secrets: if missing.is_empty() { all } else { missing },
    }
}

/// An error with the command that mends it, where that is a login. Connectors do not know the
/// program's commands.
pub fn advised(connection: &str, connector: &dyn Connector, error: Error) -> Error {
    let login = connector.login().filter(Login::is_obtained);
    if error.kind() == Kind::Auth && login.is_some() {
        return error.hint(format!("run `stundenbuch auth {connection}`"));
    }
    error
}

/// Builds every connection by name, each with the cursor that the ledger has of it.
pub fn build_all(
    store: &Store,
    config: &Config,
    environment: &Environment,
    platform: &Platform,
) -> store::Result<BTreeMap<String, Built>> {
    let mut all = BTreeMap::new();
    for connection in &config.connections {
        let built = build(config, connection, environment, platform);
        if let Ok(connector) = &built {
            connector.resume(&store.connection(&connection.name)?.cursor);
        }
        all.insert(connection.name.clone(), built);
    }
    Ok(all)
}

/// Of several missing credentials the first is told by a run; `check` tells them all.
fn first(errors: Vec<Error>) -> Error {
    errors
        .into_iter()
        .next()
        .expect("a failed look-up has an error")
}
