//! The projection of statements: what is settled, corrected and cancelled.

use rusqlite::params;

use super::{Result, Writer};
use crate::billing::Statement;
use crate::ledger::{Cancelled, Configured, Correction, Sealed};

impl Writer<'_> {
    pub(super) fn project_sealed(&mut self, seq: u64, number: &str, sealed: &Sealed) -> Result<()> {
        let series = (sealed.series.as_str(), sealed.running);
        self.insert_statement(seq, number, &sealed.statement, series, None)?;
        let mut insert = self
            .tx
            .prepare_cached("INSERT INTO settled (work, statement, line) VALUES (?1, ?2, ?3)")?;
        for settled in &sealed.works {
            insert.execute(params![settled.work.0, number, settled.line])?;
        }
        let mut charge = self
            .tx
            .prepare_cached("UPDATE correction SET charged = ?2 WHERE id = ?1")?;
        for correction in &sealed.corrections {
            charge.execute(params![correction, number])?;
        }
        Ok(())
    }

    /// The works of the cancelled statement are open again, the corrections that it charged are
    /// not charged any more, and corrections of it have nothing left to correct.
    pub(super) fn project_cancelled(
        &mut self,
        seq: u64,
        number: &str,
        cancelled: &Cancelled,
    ) -> Result<()> {
        let series = (cancelled.series.as_str(), cancelled.running);
        let cancels = cancelled.cancels.as_str();
        self.insert_statement(seq, number, &cancelled.statement, series, Some(cancels))?;
        self.tx.execute(
            "UPDATE statement SET cancelled_by = ?1 WHERE number = ?2",
            [number, cancels],
        )?;
        for sql in [
            "DELETE FROM settled WHERE statement = ?1",
            "DELETE FROM correction WHERE statement = ?1",
            "UPDATE correction SET charged = NULL WHERE charged = ?1",
        ] {
            self.tx.execute(sql, [cancels])?;
        }
        Ok(())
    }

    pub(super) fn project_correction(
        &mut self,
        seq: u64,
        statement: &str,
        correction: &Correction,
    ) -> Result<()> {
        self.tx
            .prepare_cached("INSERT INTO correction (id, statement, work) VALUES (?1, ?2, ?3)")?
            .execute(params![seq, statement, correction.work.0])?;
        // What the client is not charged for any more may be billed anew, to whom it belongs.
        if correction.entry.is_none() {
            self.tx
                .prepare_cached("DELETE FROM settled WHERE work = ?1 AND statement = ?2")?
                .execute(params![correction.work.0, statement])?;
        }
        Ok(())
    }

    pub(super) fn project_configured(
        &mut self,
        seq: u64,
        part: &str,
        configured: &Configured,
    ) -> Result<()> {
        if configured.settings.is_none() {
            self.tx
                .execute("DELETE FROM configured WHERE part = ?1", [part])?;
            return Ok(());
        }
        self.tx.execute(
            "INSERT INTO configured (part, row) VALUES (?1, ?2)
             ON CONFLICT (part) DO UPDATE SET row = excluded.row",
            params![part, seq],
        )?;
        Ok(())
    }

    fn insert_statement(
        &mut self,
        seq: u64,
        number: &str,
        statement: &Statement,
        (series, running): (&str, u32),
        cancels: Option<&str>,
    ) -> Result<()> {
        self.tx.execute(
            "INSERT INTO statement (number, sealed, client, first_day, last_day, running, series,
                                    cancels)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                number,
                seq,
                statement.client_key,
                statement.period.first.to_string(),
                statement.period.last.to_string(),
                running,
                series,
                cancels,
            ],
        )?;
        Ok(())
    }
}
