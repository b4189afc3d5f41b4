//! The newest row about each part of the configuration.

use std::collections::BTreeMap;

use super::{Error, Result, Store};
use crate::ledger::{Configured, Event};

impl Store {
    /// What the journal knows of the configuration, by the name of the part. A part that was
    /// erased is not known.
    pub fn configured(&self) -> Result<BTreeMap<String, Configured>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT c.part, c.row, j.payload FROM configured c JOIN journal j ON j.seq = c.row
             ORDER BY c.part",
        )?;
        let mut rows = statement.query([])?;
        let mut parts = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (part, seq): (String, u64) = (row.get(0)?, row.get(1)?);
            let event = Event::read("configured", &row.get::<_, String>(2)?)
                .map_err(|reason| Error::Damaged(format!("row {seq}: {reason}")))?;
            if let Event::Configured(configured) = event {
                parts.insert(part, configured);
            }
        }
        Ok(parts)
    }
}
