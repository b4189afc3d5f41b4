//! What a template is given: every number written, every text fit to be printed.
//!
//! `/data.json` is this value. A template arranges; it neither computes nor formats, so no
//! layout can print a sum that differs from the statement.

mod corrections;
mod details;
mod summary;

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::Serialize;

use self::corrections::CorrectionView;
use self::details::{Columns, Day};
use self::summary::{Amount, LineView, Sum};
use super::duration::Precision;
use super::locale::Locale;
use super::references::References;
use super::text::{block, line};
use super::words::Words;
use crate::billing::{Language, Party, Statement};

/// So much of the ledger's hash is printed: 64 bits, enough to notice any other head.
const HASH_DIGITS: usize = 16;

#[derive(Debug, Serialize)]
pub(super) struct View {
    lang: &'static str,
    words: &'static Words,
    draft: bool,
    /// What the document is; a cancellation names what it reverses.
    title: String,
    /// What became of the statement since, to be seen at once.
    notice: Option<String>,
    /// For the properties of the file.
    document_title: String,
    period: String,
    issuer: PartyView,
    client: PartyView,
    meta: Vec<Pair>,
    lines: Vec<LineView>,
    /// The time that no line charges, if there is any.
    not_charged: Option<LineView>,
    total_time: Amount,
    sums: Vec<Sum>,
    notes: Vec<String>,
    small_print: Vec<String>,
    corrections: Vec<CorrectionView>,
    columns: Columns,
    days: Vec<Day>,
    day_totals: Vec<Pair>,
    footer: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PartyView {
    name: String,
    address: Vec<String>,
    contact: Vec<String>,
    tax: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Pair {
    label: String,
    value: String,
}

/// What the parts of the view have in common while it is built.
struct Build<'a> {
    statement: &'a Statement,
    locale: Locale,
    words: &'static Words,
    zone: Option<Tz>,
    /// Of what was tracked for the lines, and of the sums below the entries.
    lines: Precision,
    /// Of what is charged; rounded to whole minutes by most contracts, whatever was tracked.
    charged: Precision,
    /// Of the entries.
    entries: Precision,
    persons: BTreeSet<&'a str>,
    projects: BTreeSet<Option<&'a str>>,
}

impl View {
    pub(super) fn of(statement: &Statement) -> Self {
        Build::new(statement).view()
    }
}

impl<'a> Build<'a> {
    fn new(statement: &'a Statement) -> Self {
        let totals = &statement.totals;
        let sums = [
            totals.tracked_seconds,
            totals.billed_seconds,
            totals.non_billable_seconds,
        ];
        let lines = statement.lines.iter();
        let entries = statement.entries.iter();
        Self {
            statement,
            locale: Locale::new(statement.language, &line(&statement.currency)),
            words: Words::of(statement.language),
            zone: statement.time_zone.parse().ok(),
            lines: Precision::of(
                lines
                    .flat_map(|l| [l.billed_seconds, l.tracked_seconds])
                    .chain(sums),
            ),
            charged: Precision::of(
                statement
                    .lines
                    .iter()
                    .map(|l| l.billed_seconds)
                    .chain([totals.billed_seconds]),
            ),
            entries: Precision::of(entries.flat_map(|e| [e.billed_seconds, e.tracked_seconds])),
            persons: statement
                .entries
                .iter()
                .filter_map(|e| e.person.as_deref())
                .collect(),
            projects: statement
                .entries
                .iter()
                .map(|e| e.project.as_deref())
                .collect(),
        }
    }

    fn view(&self) -> View {
        let statement = self.statement;
        let draft = statement.sealed_at.is_none();
        let period = self.locale.period_name(statement.period);
        let references = References::new(&self.locale);
        let cancels = statement.cancels.as_ref();
        let title = cancels.map(|other| references.cancels(other));
        let title = title.unwrap_or_else(|| self.words.title.to_owned());
        let by = statement.cancelled_by.as_ref();
        View {
            lang: match statement.language {
                Language::De => "de",
                Language::En => "en",
            },
            words: self.words,
            draft,
            document_title: format!("{title} {period}, {}", line(&statement.client.name)),
            title,
            notice: by.map(|other| references.cancelled_by(other)),
            period,
            issuer: self.party(&statement.issuer),
            client: self.party(&statement.client),
            meta: self.meta(),
            lines: statement.lines.iter().map(|l| self.line(l)).collect(),
            not_charged: self.not_charged(),
            total_time: self.amount(statement.totals.billed_seconds, self.charged),
            sums: self.sums(),
            notes: statement.notes.iter().map(|note| block(note)).collect(),
            small_print: self.small_print(draft),
            corrections: self.corrections(),
            columns: self.columns(),
            days: self.days(),
            day_totals: self.day_totals(),
            footer: self.footer(),
        }
    }

    fn party(&self, party: &Party) -> PartyView {
        let texts = |parts: [&Option<String>; 3]| -> Vec<String> {
            parts.into_iter().flatten().map(|part| line(part)).collect()
        };
        let tax = [
            (self.words.vat_id, &party.vat_id),
            (self.words.tax_number, &party.tax_number),
        ];
        PartyView {
            name: line(&party.name),
            address: party.address.iter().map(|part| line(part)).collect(),
            contact: texts([&party.phone, &party.email, &party.website]),
            tax: tax
                .into_iter()
                .filter_map(|(label, value)| {
                    value
                        .as_ref()
                        .map(|value| format!("{label} {}", line(value)))
                })
                .collect(),
        }
    }

    fn meta(&self) -> Vec<Pair> {
        let statement = self.statement;
        let words = self.words;
        let only_person = (self.persons.len() == 1)
            .then(|| self.persons.first().copied())
            .flatten()
            .filter(|person| *person != statement.issuer.name);
        let number = statement
            .number
            .as_deref()
            .map_or(words.draft.to_owned(), line);
        [
            (words.number, Some(number)),
            (
                words.date,
                statement.issued_on.map(|day| self.locale.date(day)),
            ),
            (words.period, Some(self.locale.period(statement.period))),
            (words.reference, statement.reference.as_deref().map(line)),
            (words.project, self.only_project().map(line)),
            (words.performed_by, only_person.map(line)),
        ]
        .into_iter()
        .filter_map(|(label, value)| {
            Some(Pair {
                label: label.to_owned(),
                value: value?,
            })
        })
        .collect()
    }

    /// The project that all entries share; it stands once at the top instead of on each row.
    fn only_project(&self) -> Option<&'a str> {
        if self.projects.len() == 1 {
            self.projects.first().copied().flatten()
        } else {
            None
        }
    }

    fn footer(&self) -> Vec<String> {
        let statement = self.statement;
        let number = statement.number.as_deref().unwrap_or(self.words.draft);
        let mut parts = vec![line(&statement.issuer.name), line(number)];
        if let Some(head) = &statement.ledger_head {
            let digits: String = head.hash.chars().take(HASH_DIGITS).collect();
            parts.push(format!(
                "{} {}:{}",
                self.words.ledger,
                head.seq,
                line(&digits)
            ));
        }
        parts
    }
}
