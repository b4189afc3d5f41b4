//! From configured connections to connectors that are ready to be used.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use stundenbuch_connectors::secret::{self, Secret, SecretRef};
use stundenbuch_connectors::{Connector, Error, Platform};

use crate::config::{Config, Connection};
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
