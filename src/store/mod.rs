//! The only place that names SQLite: one file, one writer, schema and migrations.
//!
//! The other modules see the types that come out of here and the methods that put something in.
//! Whatever belongs together is written in one [`Writer`], which is one transaction.

mod budgets;
mod connections;
mod error;
mod findings;
mod journal;
mod lock;
mod open;
mod outbox;
mod project;
mod project_statements;
mod read;
mod rebuild;
mod runs;
mod stage;
mod statements;
mod verify;
mod works;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use budgets::Budgets;
pub use connections::ConnectionState;
pub use error::{Error, Result};
pub use findings::StoredFinding;
pub use journal::{Row, TracedRaw};
pub use lock::Lock;
pub use outbox::{NewParcel, Parcel, ParcelState};
pub use project::{Appended, FILE_PREFIX};
pub use read::Stats;
pub use rebuild::Rebuilt;
pub use runs::StoredRun;
pub use stage::Quarantined;
pub use statements::StatementRow;
pub use verify::{Damage, Verified};
pub use works::{Candidate, Standing, WorkQuery};

use crate::ledger::{Form, Head};

/// An open ledger.
#[derive(Debug)]
pub struct Store {
    conn: Connection,
    path: PathBuf,
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
            sources: project::Sources::default(),
        };
        let done = work(&mut writer)?;
        writer.tx.commit().map_err(Error::from)?;
        Ok(done)
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
    sources: project::Sources,
}

impl Writer<'_> {
    /// The end of the chain, with what this transaction appended.
    pub fn head(&self) -> Head {
        self.head
    }
}
