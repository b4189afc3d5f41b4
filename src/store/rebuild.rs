//! Making the projection anew from the journal.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use sha2::{Digest, Sha256};

use super::journal::row;
use super::open::MIGRATIONS;
use super::{Error, Result, Store, Writer};
use crate::ledger::hex;

/// The tables that the journal alone determines, children first.
const PROJECTION: [&str; 9] = [
    "series",
    "erasure",
    "forgotten",
    "settled",
    "correction",
    "statement",
    "configured",
    "alias",
    "record",
];

/// What a rebuild came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Rows of the journal that were walked.
    pub rows: u64,
    /// SHA-256 over the projection before and after; different only if it was damaged.
    pub before: String,
    pub after: String,
}

impl Writer<'_> {
    /// Drops the projection and makes it anew from the journal; how many rows that has.
    pub(super) fn rebuild(&mut self) -> Result<u64> {
        for table in PROJECTION {
            self.tx.execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.forgets = None;
        let last = self.head.seq;
        for seq in 1..=last {
            let row = self
                .tx
                .prepare_cached(
                    "SELECT seq, at, kind, subject, payload, hash FROM journal WHERE seq = ?1",
                )?
                .query_row([seq], row)?;
            self.project_row(&row)?;
        }
        Ok(last)
    }
}

impl Store {
    /// Drops the projection and makes it anew from the journal, in one transaction.
    pub fn rebuild(&mut self) -> Result<Rebuilt> {
        let before = self.projection_hash()?;
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone holds for one lifetime, and any is asked for"
        )]
        let rows = self.write(|writer| writer.rebuild())?;
        Ok(Rebuilt {
            rows,
            before,
            after: self.projection_hash()?,
        })
    }

    /// What the projection's hash would be after a rebuild. Nothing of the file changes: the
    /// projection is made in a temporary database.
    pub(super) fn hash_if_rebuilt(&self) -> Result<String> {
        let mut scratch = self.scratch()?;
        scratch.write(|writer| {
            self.rows_after(0, |row| {
                writer.project_row(&row)?;
                Ok::<_, Error>(())
            })
        })?;
        scratch.projection_hash()
    }

    /// A temporary database of this schema with nothing in it but the numbers of the sources,
    /// which are given as they appear and which the journal alone does not tell. SQLite keeps it
    /// on disk when it is large.
    pub(super) fn scratch(&self) -> Result<Self> {
        let conn = Connection::open("")?;
        conn.pragma_update(None, "synchronous", "off")?;
        for sql in MIGRATIONS {
            conn.execute_batch(sql)?;
        }
        let mut sources = self
            .conn
            .prepare("SELECT id, connection, stream FROM source")?;
        let mut rows = sources.query([])?;
        while let Some(row) = rows.next()? {
            let (id, connection): (i64, String) = (row.get(0)?, row.get(1)?);
            let stream: String = row.get(2)?;
            conn.execute(
                "INSERT INTO source (id, connection, stream) VALUES (?1, ?2, ?3)",
                (id, connection, stream),
            )?;
        }
        Ok(Self::of(conn, Path::new("")))
    }

    /// SHA-256 over every value of the projection, in order; equal projections, equal hashes.
    pub fn projection_hash(&self) -> Result<String> {
        let mut hash = Sha256::new();
        for table in PROJECTION {
            hash.update(table.as_bytes());
            let mut statement = self
                .conn
                .prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2"))?;
            let columns = statement.column_count();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                for column in 0..columns {
                    let (kind, bytes): (u8, Vec<u8>) = match row.get_ref(column)? {
                        ValueRef::Null => (0, Vec::new()),
                        ValueRef::Integer(value) => (1, value.to_be_bytes().to_vec()),
                        ValueRef::Real(value) => (2, value.to_be_bytes().to_vec()),
                        ValueRef::Text(value) => (3, value.to_vec()),
                        ValueRef::Blob(value) => (4, value.to_vec()),
                    };
                    hash.update([kind]);
                    hash.update((bytes.len() as u64).to_be_bytes());
                    hash.update(bytes);
                }
            }
        }
        Ok(hex(&hash.finalize()))
    }
}
