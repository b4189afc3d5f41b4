//! The statement: everything that a document about one client and period says.
//!
//! All forms (PDF, CSV, JSON) are made from this one value, so they cannot disagree. Its JSON
//! form is public: `docs/statement.schema.json` describes it, and [`SCHEMA`] names the version.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Change;
use crate::money::{Cents, HourlyRate};
use crate::time::Period;

/// The version of the JSON form; a change that breaks readers raises the number.
pub const SCHEMA: &str = "stundenbuch/statement/1";

/// The invoice-ready summary of one client and period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Given when it is sealed; a draft has none.
    pub number: Option<String>,
    /// When it was sealed, UTC; a draft was not.
    pub sealed_at: Option<DateTime<Utc>>,
    /// The local day of sealing in the client's zone.
    pub issued_on: Option<NaiveDate>,
    pub language: Language,
    /// The IANA zone to which days and times of day belong.
    pub time_zone: String,
    pub issuer: Party,
    pub client: Party,
    /// The key of the client in the configuration.
    pub client_key: String,
    /// The client's own reference: an order number, a Leitweg-ID.
    pub reference: Option<String>,
    pub period: Period,
    /// ISO 4217.
    pub currency: String,
    /// The rounding of time, in words of the document's language.
    pub rounding: String,
    /// What is charged. Printed hours × printed rate = printed amount on every line.
    pub lines: Vec<Line>,
    /// What it is made of: one row for each piece of work, in order of time.
    pub entries: Vec<EntryRow>,
    /// Work of earlier statements that has changed since; the difference is among the lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corrections: Vec<CorrectedWork>,
    pub totals: Totals,
    /// Sentences that the client should read.
    pub notes: Vec<String>,
    /// The end of the ledger's chain when this was computed; printed, so that a shortened
    /// ledger is noticed.
    pub ledger_head: Option<LedgerHead>,
    /// The statement that this one reverses; every time and amount is negated then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancels: Option<Reference>,
    /// The statement that reverses this one. What was sealed does not know it: it is filled in
    /// when a statement is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<Reference>,
}

/// Another statement, as documents name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    pub number: String,
    pub issued_on: Option<NaiveDate>,
}

/// The language of everything that a client reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    #[default]
    De,
    En,
}

/// A party to the contract as it stands on paper.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    pub name: String,
    /// Street, town, country: one line each.
    pub address: Vec<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub website: Option<String>,
    /// The `USt-IdNr.`.
    pub vat_id: Option<String>,
    /// The `Steuernummer`.
    pub tax_number: Option<String>,
}

/// One position: so much time at one rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// From 1.
    pub position: u32,
    /// The key of the contract that it follows.
    pub contract: String,
    pub title: String,
    /// What the source measured, in seconds.
    pub tracked_seconds: i64,
    /// What is charged after the contract's rounding, in seconds; whole minutes unless the
    /// contract says exact.
    pub billed_seconds: i64,
    pub rate: HourlyRate,
    /// `billed_seconds` × `rate`, rounded once.
    pub amount: Cents,
    /// Why this rate: the rule that won, for `explain`.
    pub rate_rule: String,
}

/// One piece of work in the time report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// The work's identity in the ledger, for `explain`.
    pub work: String,
    /// The position that charges it; none when it is not billable.
    pub line: Option<u32>,
    /// The local day to which it belongs: that of its start.
    pub date: NaiveDate,
    /// With the offset from UTC, so that the doubled hour in October is told apart. None when
    /// the source knows only the day.
    pub start: Option<DateTime<FixedOffset>>,
    pub stop: Option<DateTime<FixedOffset>>,
    pub person: Option<String>,
    pub project: Option<String>,
    pub task: Option<TaskRow>,
    pub description: String,
    pub tracked_seconds: i64,
    /// After rounding, where the contract rounds each entry or day; else as tracked.
    pub billed_seconds: i64,
    pub billable: bool,
}

/// A piece of work of an earlier statement that was corrected: what it was, what changed, and
/// where the difference stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorrectedWork {
    /// The row of the ledger that holds the correction, for `explain`.
    pub row: u64,
    /// The number of the earlier statement.
    pub statement: String,
    /// Its position that charged the work; none where it was listed without charge.
    pub position: Option<u32>,
    /// The positions of this statement that charge the difference.
    pub lines: Vec<u32>,
    /// The work's identity in the ledger, for `explain`.
    pub work: String,
    /// The local day, as it was billed; so are the next three.
    pub date: NaiveDate,
    pub person: Option<String>,
    pub project: Option<String>,
    pub description: String,
    /// What the client can see of it.
    pub changes: Vec<Change>,
    /// The difference in tracked time, in seconds.
    pub tracked_seconds: i64,
}

/// The task that an entry was matched to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRow {
    pub title: String,
    pub url: Option<String>,
}

/// The sums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Of all entries, and the differences of what is corrected.
    pub tracked_seconds: i64,
    /// Of all lines.
    pub billed_seconds: i64,
    /// Tracked time that no line charges.
    pub non_billable_seconds: i64,
    /// Σ of the lines' amounts.
    pub net: Cents,
    /// None for a contract that leaves the tax to the invoicing system.
    pub vat: Option<Vat>,
    /// `net` and the tax.
    pub gross: Cents,
}

/// The tax on the net sum, computed once (EN 16931, BR-CO-17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vat {
    /// Per cent.
    #[serde(with = "rust_decimal::serde::str")]
    pub rate: Decimal,
    pub amount: Cents,
}

/// A row of the ledger's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHead {
    pub seq: u64,
    /// SHA-256, lower-case hexadecimal.
    pub hash: String,
}
