//! Whether documents that were delivered still lie where they were put, as they were.

use std::collections::BTreeMap;

use serde::Serialize;
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::record::ExternalId;

use super::sources::{self, Built, Environment};
use crate::config::Config;
use crate::ledger::{hex, sha256};
use crate::store::{Delivery, Result, Store};

/// The longest file that is read, in bytes. A document of ours has some hundred kilobytes, so a
/// longer file is another one.
const MOST: usize = 64 << 20;

/// What became of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    Same,
    /// Somebody edited or replaced it.
    Changed,
    Gone,
    /// It could not be looked at now, for this reason.
    Unseen(String),
    /// Its connection cannot be asked for files at all, or is not configured any more.
    Closed(String),
}

/// A document that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    #[serde(flatten)]
    pub delivery: Delivery,
    pub fate: Fate,
}

/// Looks at every document, in the order of connections and places.
pub async fn look(
    store: &Store,
    config: &Config,
    environment: &Environment,
    platform: &Platform,
) -> Result<Vec<Looked>> {
    let mut built: BTreeMap<String, Option<Built>> = BTreeMap::new();
    let mut looked = Vec::new();
    let documents = store
        .deliveries()?
        .into_iter()
        .filter(Delivery::is_document);
    for delivery in documents {
        let name = &delivery.connection;
        if !built.contains_key(name) {
            let connection = config.connection(name);
            let connector = connection.map(|it| sources::build(config, it, environment, platform));
            if let Some(Ok(connector)) = &connector {
                connector.resume(&store.connection(name)?.cursor);
            }
            built.insert(name.clone(), connector);
        }
        let fate = match &built[name] {
            None => Fate::Closed("its connection is not configured any more".to_owned()),
            Some(Err(error)) => Fate::Unseen(error.to_string()),
            Some(Ok(connector)) => {
                let file = ExternalId::new(delivery.location.as_str());
                match connector.fetch(&file, MOST).await {
                    Ok(bytes) if hex(&sha256(&bytes)) == delivery.sha256 => Fate::Same,
                    Ok(_) => Fate::Changed,
                    Err(error) => match error.kind() {
                        ErrorKind::NotFound | ErrorKind::Conflict => Fate::Gone,
                        // Longer than any document of ours.
                        ErrorKind::Rejected => Fate::Changed,
                        ErrorKind::Unsupported => Fate::Closed(error.to_string()),
                        _ => Fate::Unseen(error.to_string()),
                    },
                }
            }
        };
        looked.push(Looked { delivery, fate });
    }
    Ok(looked)
}
