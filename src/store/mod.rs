//! The only place that names SQLite: one file, one writer, schema and migrations.
//!
//! The other modules see the types that come out of here and the methods that put something in.
//! Whatever belongs together is written in one [`Writer`], which is one transaction.

mod anchors;
mod asof;
mod backup;
mod budgets;
mod configured;
mod connections;
mod copies;
mod delivered;
mod erase;
mod error;
mod files;
mod findings;
mod journal;
mod lock;
mod open;
mod outbox;
mod place;
mod project;
mod project_erased;
mod project_statements;
mod read;
mod rebuild;
mod restore;
mod runs;
mod stage;
mod statements;
mod swap;
mod verify;
mod works;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use anchors::{Anchors, Kept, RolledBack};
pub use backup::{Backup, backups_in};
pub use budgets::Budgets;
pub use connections::ConnectionState;
pub use delivered::Delivery;
pub use erase::{Erasure, Remembered, Swept};
pub use error::{Error, Result};
pub use findings::StoredFinding;
pub use journal::{Row, TracedRaw};
pub use lock::Lock;
pub use open::PROGRAM;
pub use outbox::{NewParcel, Parcel, ParcelState};
pub use place::Place;
pub use project::{Appended, FILE_PREFIX};
pub use read::Stats;
pub use rebuild::Rebuilt;
pub use restore::{Current, Done, Lost, Restore};
pub use runs::StoredRun;
pub use stage::Quarantined;
pub use statements::StatementRow;
pub use verify::{Damage, Verified};
pub use works::{Candidate, Standing, WorkQuery};

use crate::ledger::{Form, Head, Mark};

/// An open ledger.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
    /// Keeps heads outside of the file; a copy that will be thrown away has none.
    keeper: Option<anchors::Keeper>,
}

impl Store {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` in one transaction: everything in it happens, or nothing.
    ///
    /// # Errors
    /// Those of `work`, and those of the database; in both cases nothing was written.
    pub fn write<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Writer<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let (done, marks) = self.commit(work)?;
        if !marks.is_empty() {
            self.keep(&marks);
        }
        Ok(done)
    }

    /// What came out of `work`, and the heads to keep of it.
    fn commit<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Writer<'_>) -> std::result::Result<T, E>,
    ) -> std::result::Result<(T, Vec<Mark>), E> {
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::from)?;
        let head = journal::head(&tx)?;
        let form = journal::form(&tx)?;
        let mut writer = Writer {
            tx,
            head,
            form,
            marks: Vec::new(),
            sources: project::Sources::default(),
            forgets: None,
        };
        let done = work(&mut writer)?;
        writer.tx.commit().map_err(Error::from)?;
        Ok((done, writer.marks))
    }

    /// The end of the chain.
    pub fn head(&self) -> Result<Head> {
        journal::head(&self.conn)
    }
}

/// A transaction that may append to the journal and change what hangs on it.
#[derive(Debug)]
pub struct Writer<'a> {
    tx: Transaction<'a>,
    head: Head,
    /// How the subjects of the rows that it appends are chained.
    form: Form,
    /// The heads to keep once it is committed: those behind rows of statements, and the last.
    marks: Vec<Mark>,
    sources: project::Sources,
    /// Whether any record was erased; `None` until somebody asks.
    forgets: Option<bool>,
}

impl Writer<'_> {
    /// The end of the chain, with what this transaction appended.
    pub fn head(&self) -> Head {
        self.head
    }
}
