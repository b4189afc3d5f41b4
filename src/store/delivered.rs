//! What was delivered, as the journal proves it.

use std::collections::BTreeMap;

use super::{Place, Result, Store};
use crate::ledger::Event;

/// The document that should lie at a place.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Delivery {
    /// The delivery's key: statement, connection and path.
    pub key: String,
    pub connection: String,
    pub location: String,
    /// SHA-256 of the document, lower-case hexadecimal.
    pub sha256: String,
    /// The row that says so.
    pub row: u64,
}

impl Delivery {
    /// Whether it is a file, and not a comment or a field on a board.
    pub fn is_document(&self) -> bool {
        let place = self.key.split_once(&format!("/{}/", self.connection));
        place.is_none_or(|(_, place)| matches!(Place::parse(place), Place::File(_)))
    }
}

impl Store {
    /// Every place to which something was delivered, with the newest document of it, by
    /// connection and place.
    pub fn deliveries(&self) -> Result<Vec<Delivery>> {
        let mut places = BTreeMap::new();
        self.rows_of("delivered", |row| -> Result<()> {
            // Of an erased row nothing is known but that it was there.
            if let Event::Delivered(it) = row.event()? {
                let place = (it.connection.clone(), it.location.clone());
                let delivery = Delivery {
                    key: row.subject,
                    connection: it.connection,
                    location: it.location,
                    sha256: it.sha256,
                    row: row.seq,
                };
                places.insert(place, delivery);
            }
            Ok(())
        })?;
        Ok(places.into_values().collect())
    }
}
