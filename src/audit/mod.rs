//! What an auditor gets: every amount with its way to the record that was received, as files
//! that need no program to be read (§ 147 (6) AO; GoBD, data medium).
//!
//! One walk over the journal fills all tables at once, so the export of any ledger takes the same
//! memory; what is remembered of the journal is one bit a row. The same ledger gives the same
//! bytes: nothing in them says when or where they were written.

mod files;
mod guide;
mod index;
mod json;
mod rows;
mod select;
mod tables;

use std::path::Path;

use self::files::{Folder, Tables};
use self::select::Selection;
use crate::billing::{Language, Party};
use crate::store::Store;
use crate::time::Period;

/// Which statements are exported, with everything that they rest on.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The client's key; none: all.
    pub client: Option<String>,
    /// Statements whose days touch these; none: all.
    pub period: Option<Period>,
}

impl Wanted {
    /// Whether nothing is left out.
    fn is_all(&self) -> bool {
        self.client.is_none() && self.period.is_none()
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Exported {
    pub statements: usize,
    /// Rows of the journal.
    pub rows: u64,
    pub head: String,
}

/// Writes the export into a directory that does not exist yet, or is empty.
///
/// # Errors
/// Those of the files and of the ledger, and a journal that cannot be read.
pub fn export(
    store: &Store,
    issuer: &Party,
    wanted: &Wanted,
    directory: &Path,
) -> anyhow::Result<Exported> {
    let mut folder = Folder::make(directory)?;
    // The daemon may append meanwhile: what is behind this row is left for the next export.
    let head = store.head()?;
    let selection = Selection::of(store, wanted, head.seq)?;
    let mut tables = Tables::create(&mut folder)?;
    rows::write(store, &selection, &mut tables, head.seq)?;
    tables.finish(&folder)?;
    json::write(&mut folder, &head)?;
    folder.write("index.xml", &index::text(issuer))?;
    folder.write("LIESMICH.md", &guide::text(Language::De))?;
    folder.write("README.md", &guide::text(Language::En))?;
    folder.seal()?;
    Ok(Exported {
        statements: selection.statements.len(),
        rows: head.seq,
        head: head.hex(),
    })
}
