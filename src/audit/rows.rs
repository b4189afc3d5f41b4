//! One walk over the journal that fills every table.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use stundenbuch_connectors::record::{Record, Stream, Worked};

use super::files::Tables;
use super::select::{Selection, Written};
use crate::billing::Statement;
use crate::ledger::{
    Cancelled, Configured, Correction, Event, Revision, Sealed, SettledWork, hex, sha256,
};
use crate::store::{Row, Store};

/// Writes everything that was selected, up to a row of the journal.
pub(super) fn write(
    store: &Store,
    selection: &Selection,
    tables: &mut Tables,
    last: u64,
) -> anyhow::Result<()> {
    let mut walk = Walk {
        store,
        selection,
        tables,
        received: Written::default(),
        subject_is_hashed: false,
    };
    store.rows_between(0, last, |row| walk.row(&row))
}

struct Walk<'a> {
    store: &'a Store,
    selection: &'a Selection,
    tables: &'a mut Tables,
    received: Written,
    /// Behind the row `format`, the chain takes the hash of the subject.
    subject_is_hashed: bool,
}

impl Walk<'_> {
    fn row(&mut self, row: &Row) -> anyhow::Result<()> {
        let event = row.event()?;
        let selected = self.selection.has(self.store, row, &event)?;
        self.journal(row, selected)?;
        self.subject_is_hashed |= matches!(event, Event::Format(_));
        if !selected {
            return Ok(());
        }
        match &event {
            Event::Sealed(sealed) => self.sealed(row, sealed),
            Event::Cancelled(cancelled) => self.cancelled(row, cancelled),
            Event::Correction(correction) => self.correction(row, correction),
            Event::Revision(revision) => self.revision(row, revision),
            Event::Deleted(deleted) => {
                let last = deleted.revision.to_string();
                self.state(row, [last, String::new(), String::new()], &deleted.proof)
            }
            Event::SameWork(same) => {
                let empty = String::new;
                let with = same.with.to_string();
                self.state(row, [empty(), empty(), empty()], &with)
            }
            Event::Delivered(delivered) => self.tables.row(
                "deliveries",
                &[
                    row.seq.to_string(),
                    instant(row.at),
                    row.subject.clone(),
                    delivered.connection.clone(),
                    delivered.sha256.clone(),
                    delivered.location.clone(),
                    delivered.outcome.clone(),
                ],
            ),
            Event::Alias(alias) => self.tables.row(
                "decisions",
                &[
                    row.seq.to_string(),
                    instant(row.at),
                    row.subject.clone(),
                    alias.text.clone(),
                    alias
                        .task
                        .as_ref()
                        .map(ToString::to_string)
                        .unwrap_or_default(),
                ],
            ),
            Event::Configured(configured) => self.configured(row, configured),
            Event::Genesis(_)
            | Event::Format(_)
            | Event::Restored(_)
            | Event::Erased(_)
            | Event::Gone => Ok(()),
        }
    }

    fn journal(&mut self, row: &Row, selected: bool) -> anyhow::Result<()> {
        // The chain of the first format cannot be followed without the subject.
        let shown = selected || !self.subject_is_hashed;
        let payload_hash = if row.payload.is_empty() {
            self.store.payload_hash(row.seq)?
        } else {
            sha256(row.payload.as_bytes())
        };
        let erased = row
            .payload
            .is_empty()
            .then(|| row.subject.rsplit_once("sha256:"));
        let subject_hash = match erased.flatten() {
            Some((_, digits)) if self.subject_is_hashed && digits.len() == 64 => digits.to_owned(),
            _ => hex(&sha256(row.subject.as_bytes())),
        };
        let only = |wanted: bool, text: &str| if wanted { text } else { "" }.to_owned();
        self.tables.row(
            "journal",
            &[
                row.seq.to_string(),
                instant(row.at),
                row.at.to_string(),
                row.kind.clone(),
                only(shown, &row.subject),
                subject_hash,
                if self.subject_is_hashed {
                    "sha256"
                } else {
                    "text"
                }
                .to_owned(),
                only(selected, &row.payload),
                hex(&payload_hash),
                hex(&row.hash),
            ],
        )
    }

    fn sealed(&mut self, row: &Row, sealed: &Sealed) -> anyhow::Result<()> {
        self.statement(row, &sealed.statement, "")?;
        self.entries(row, &sealed.statement, &sealed.works)
    }

    fn entries(
        &mut self,
        row: &Row,
        statement: &Statement,
        works: &[SettledWork],
    ) -> anyhow::Result<()> {
        let revisions: BTreeMap<String, u64> = works
            .iter()
            .map(|settled| (settled.work.to_string(), settled.revision))
            .collect();
        for entry in &statement.entries {
            let revision = revisions.get(&entry.work).copied();
            self.entry(&row.subject, entry, revision)?;
        }
        Ok(())
    }

    fn cancelled(&mut self, row: &Row, cancelled: &Cancelled) -> anyhow::Result<()> {
        self.statement(row, &cancelled.statement, &cancelled.cancels)?;
        // What it takes back is what the other one billed.
        let reversed = self.store.sealed(&cancelled.cancels)?;
        let works = reversed.map(|sealed| sealed.works).unwrap_or_default();
        self.entries(row, &cancelled.statement, &works)?;
        self.tables.row(
            "cancellations",
            &[
                row.subject.clone(),
                cancelled.cancels.clone(),
                optional(cancelled.statement.issued_on),
                row.seq.to_string(),
            ],
        )
    }

    /// The statement itself, its tax and its lines.
    fn statement(&mut self, row: &Row, it: &Statement, cancels: &str) -> anyhow::Result<()> {
        let number = row.subject.clone();
        let selected = self.selection.statement(&number);
        let by = selected.and_then(|it| it.cancelled_by.clone());
        let printed = it.ledger_head.as_ref();
        let totals = &it.totals;
        let kind = if cancels.is_empty() {
            "statement"
        } else {
            "cancellation"
        };
        self.tables.row(
            "statements",
            &[
                number.clone(),
                kind.to_owned(),
                it.client_key.clone(),
                it.client.name.clone(),
                it.period.first.to_string(),
                it.period.last.to_string(),
                optional(it.issued_on),
                it.sealed_at.map(utc).unwrap_or_default(),
                it.currency.clone(),
                it.rounding.clone(),
                totals.tracked_seconds.to_string(),
                totals.billed_seconds.to_string(),
                totals.non_billable_seconds.to_string(),
                totals.net.to_string(),
                totals.gross.to_string(),
                cancels.to_owned(),
                by.unwrap_or_default(),
                row.seq.to_string(),
                optional(printed.map(|head| head.seq)),
                printed.map(|head| head.hash.clone()).unwrap_or_default(),
            ],
        )?;
        if let Some(vat) = &totals.vat {
            let (rate, amount) = (vat.rate.normalize().to_string(), vat.amount.to_string());
            let net = totals.net.to_string();
            self.tables
                .row("vat", &[number.clone(), rate, net, amount])?;
        }
        for line in &it.lines {
            self.tables.row(
                "lines",
                &[
                    number.clone(),
                    line.position.to_string(),
                    line.contract.clone(),
                    line.title.clone(),
                    line.tracked_seconds.to_string(),
                    line.billed_seconds.to_string(),
                    line.rate.to_string(),
                    line.amount.to_string(),
                    line.rate_rule.clone(),
                ],
            )?;
        }
        Ok(())
    }

    fn entry(
        &mut self,
        number: &str,
        entry: &crate::billing::EntryRow,
        revision: Option<u64>,
    ) -> anyhow::Result<()> {
        let local = |at: Option<DateTime<chrono::FixedOffset>>| {
            let text = at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, false));
            text.unwrap_or_default()
        };
        let task = entry.task.as_ref();
        self.tables.row(
            "entries",
            &[
                number.to_owned(),
                entry.work.clone(),
                optional(entry.line),
                optional(revision),
                entry.date.to_string(),
                local(entry.start),
                local(entry.stop),
                entry.person.clone().unwrap_or_default(),
                entry.project.clone().unwrap_or_default(),
                task.map(|task| task.title.clone()).unwrap_or_default(),
                task.and_then(|task| task.url.clone()).unwrap_or_default(),
                entry.description.clone(),
                entry.tracked_seconds.to_string(),
                entry.billed_seconds.to_string(),
                entry.billable.to_string(),
            ],
        )
    }

    fn correction(&mut self, row: &Row, correction: &Correction) -> anyhow::Result<()> {
        let charged = self.selection.charged_by.get(&row.seq);
        let head = |part: usize| {
            [
                row.seq.to_string(),
                part.to_string(),
                row.subject.clone(),
                correction.work.to_string(),
                correction.state.to_string(),
                serde_json::to_string(&correction.changes).expect("changes are plain data"),
            ]
        };
        let tail = [charged.cloned().unwrap_or_default()];
        let mut written = false;
        for (part, it) in (1..).zip(&correction.parts) {
            let amounts = [
                it.contract.clone(),
                it.rate.to_string(),
                it.rate_rule.clone(),
                it.tracked_seconds.to_string(),
                it.billed_seconds.to_string(),
                it.amount.to_string(),
            ];
            let values = [&head(part)[..], &amounts, &tail].concat();
            self.tables.row("corrections", &values)?;
            written = true;
        }
        if !written {
            let none = ["", "", "", "0", "0", "0.00"].map(str::to_owned);
            let values = [&head(0)[..], &none, &tail].concat();
            self.tables.row("corrections", &values)?;
        }
        Ok(())
    }

    fn revision(&mut self, row: &Row, revision: &Revision) -> anyhow::Result<()> {
        let (day, seconds) = match &revision.record {
            Record::TimeEntry(entry) => {
                let day = match &entry.worked {
                    Worked::Running { start } | Worked::Span { start, .. } => utc(*start),
                    Worked::Day { date, .. } => date.to_string(),
                };
                (day, optional(entry.worked.seconds()))
            }
            _ => Default::default(),
        };
        let raw = &revision.raw;
        let key = self.store.parse_key(&row.subject)?;
        self.tables.row(
            "revisions",
            &[
                row.seq.to_string(),
                instant(row.at),
                row.kind.clone(),
                row.subject.clone(),
                self.work(&key)?,
                optional(revision.previous),
                day,
                seconds,
                raw.id.to_string(),
                raw.sha256.clone(),
                String::new(),
            ],
        )?;
        if !self.received.first(raw.id) {
            return Ok(());
        }
        let Some(received) = self.store.raw(raw.id)? else {
            return Ok(());
        };
        self.tables.row(
            "received",
            &[
                raw.id.to_string(),
                instant(received.received_at),
                hex(&sha256(received.body.as_bytes())),
                received.body,
            ],
        )
    }

    /// A deletion or a joining: `of` are the state before, the day and the seconds.
    fn state(&mut self, row: &Row, of: [String; 3], proof: &str) -> anyhow::Result<()> {
        let key = self.store.parse_key(&row.subject)?;
        let [previous, day, seconds] = of;
        self.tables.row(
            "revisions",
            &[
                row.seq.to_string(),
                instant(row.at),
                row.kind.clone(),
                row.subject.clone(),
                self.work(&key)?,
                previous,
                day,
                seconds,
                String::new(),
                String::new(),
                proof.to_owned(),
            ],
        )
    }

    /// The work that a record of tracked time reports.
    fn work(&self, key: &crate::work::RecordKey) -> anyhow::Result<String> {
        if key.stream != Stream::Time {
            return Ok(String::new());
        }
        Ok(optional(self.store.work_of(key)?))
    }

    fn configured(&mut self, row: &Row, configured: &Configured) -> anyhow::Result<()> {
        let settings = configured.settings.as_ref().map(ToString::to_string);
        self.tables.row(
            "configuration",
            &[
                row.seq.to_string(),
                instant(row.at),
                row.subject.clone(),
                configured.program.clone(),
                settings.unwrap_or_default(),
            ],
        )
    }
}

fn instant(seconds: i64) -> String {
    DateTime::from_timestamp(seconds, 0)
        .map(utc)
        .unwrap_or_default()
}

fn utc(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn optional(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
