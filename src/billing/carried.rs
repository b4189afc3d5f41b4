//! Corrections on the client's next statement: which are open, and the lines that charge them.
//!
//! A printed line says hours × rate = amount. The difference between two rounded amounts is not
//! always such a product; then the old amount is taken back on one line and the new one charged
//! on another.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::corrected::{Recorded, apply};
use super::drift::{Change, Field};
use super::lines::date;
use super::{CorrectedWork, EntryRow, Language, Line, Statement};
use crate::config::Client;
use crate::ledger::{Correction, CorrectionPart};
use crate::money::Cents;

/// A correction that no statement charges yet, with what it needs of the one that it corrects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The journal row.
    pub id: u64,
    /// The number of the corrected statement.
    pub statement: String,
    pub currency: String,
    /// Per cent.
    pub vat: Option<Decimal>,
    /// The row as it was before.
    pub row: EntryRow,
    /// The titles of that statement's positions.
    titles: BTreeMap<u32, String>,
    pub correction: Correction,
}

/// The corrections of a statement that are to be charged, in their order. Those that changed
/// words alone never are. `recorded` are all corrections of the statement, in their order.
pub fn carried(sealed: &Statement, recorded: &[Recorded]) -> Vec<Carried> {
    let titles = sealed.lines.iter();
    let titles: BTreeMap<_, _> = titles.map(|it| (it.position, it.title.clone())).collect();
    let mut state = sealed.clone();
    let mut carried = Vec::new();
    for Recorded {
        id,
        charged,
        correction,
        ..
    } in recorded
    {
        let work = correction.work.to_string();
        let row = state.entries.iter().find(|row| row.work == work).cloned();
        apply(&mut state, correction);
        let Some(row) = row.filter(|_| charged.is_none()) else {
            continue;
        };
        let one = Carried {
            id: *id,
            statement: sealed.number.clone().unwrap_or_default(),
            currency: sealed.currency.clone(),
            vat: sealed.totals.vat.as_ref().map(|vat| vat.rate),
            row,
            titles: titles.clone(),
            correction: correction.clone(),
        };
        if one.tracked() != 0 || !one.correction.parts.is_empty() {
            carried.push(one);
        }
    }
    carried
}

impl Carried {
    /// The difference in tracked time, in seconds.
    pub fn tracked(&self) -> i64 {
        let now = self.correction.entry.as_ref();
        now.map_or(0, |row| row.tracked_seconds)
            .saturating_sub(self.row.tracked_seconds)
    }

    /// The lines that charge it, from a position on. `None` when an amount does not fit.
    pub(super) fn lines(&self, client: &Client, first: u32) -> Option<Vec<Line>> {
        let mut lines: Vec<Line> = Vec::new();
        for part in &self.correction.parts {
            let charged = self.charged(part)?;
            let title = self.title(client, part, &charged);
            let words = match (&charged, client.language) {
                (Charge::Whole(_), _) => ["", ""],
                (_, Language::De) => [" – bisher", " – neu"],
                (_, Language::En) => [" – before", " – now"],
            };
            for ((tracked, billed), word) in charged.lines(part)?.into_iter().zip(words) {
                let position = first.checked_add(u32::try_from(lines.len()).ok()?)?;
                lines.push(Line {
                    position,
                    contract: part.contract.clone(),
                    title: format!("{title}{word}"),
                    tracked_seconds: tracked,
                    billed_seconds: billed,
                    rate: part.rate,
                    amount: part.rate.price_of(billed)?,
                    rate_rule: part.rate_rule.clone(),
                });
            }
        }
        Some(lines)
    }

    /// In which times the difference can be said so that they have its price: the difference
    /// itself, the entry's old and new time, or those of the whole position, which always do.
    /// `None` when an amount does not fit.
    fn charged(&self, part: &CorrectionPart) -> Option<Charge> {
        let price = |seconds| part.rate.price_of(seconds);
        if price(part.billed_seconds)? == part.amount {
            return Some(Charge::Whole(part.billed_seconds));
        }
        let on_it = |row: Option<&EntryRow>| {
            let row = row.filter(|row| row.line == Some(part.line));
            row.map_or(0, |row| row.billed_seconds)
        };
        let old = on_it(Some(&self.row));
        let new = on_it(self.correction.entry.as_ref());
        let fits = new.checked_sub(old) == Some(part.billed_seconds)
            && price(new)?.checked_sub(price(old)?) == Some(part.amount);
        Some(if fits {
            Charge::Entry(old, new)
        } else {
            Charge::Position(part.before_seconds, part.after_seconds)
        })
    }

    /// `Korrektur zu 2026-0007, Position 3: Entwicklung – Website (14.10.2026)`; without the day
    /// where the line is about the whole position.
    fn title(&self, client: &Client, part: &CorrectionPart, charged: &Charge) -> String {
        let own = self.titles.get(&part.line);
        let what = match client.language {
            Language::De => "Korrektur zu",
            Language::En => "Correction of",
        };
        let place = match (own, client.language) {
            (None, _) => String::new(),
            (Some(_), Language::De) => format!(", Position {}", part.line),
            (Some(_), Language::En) => format!(", item {}", part.line),
        };
        let mut contracts = client.contracts.iter();
        let contract = contracts.find(|contract| contract.key == part.contract);
        let contract = contract.map_or("", |contract| contract.title.trim());
        let title = match own {
            Some(title) => title,
            None if contract.is_empty() => &part.contract,
            None => contract,
        };
        let day = match charged {
            Charge::Position(..) => String::new(),
            _ => format!(" ({})", date(self.row.date, client.language)),
        };
        format!("{what} {}{place}: {title}{day}", self.statement)
    }

    /// What the client reads of it.
    pub(super) fn work(&self, lines: &[Line]) -> CorrectedWork {
        let row = &self.row;
        CorrectedWork {
            row: self.id,
            statement: self.statement.clone(),
            position: row.line.filter(|line| self.titles.contains_key(line)),
            lines: lines.iter().map(|line| line.position).collect(),
            work: row.work.clone(),
            date: row.date,
            person: row.person.clone(),
            project: row.project.clone(),
            description: row.description.clone(),
            changes: for_the_client(&self.correction.changes),
            tracked_seconds: self.tracked(),
        }
    }
}

/// The times that have a difference's price, in seconds.
#[derive(Clone, Copy, Debug)]
enum Charge {
    /// The difference in time.
    Whole(i64),
    /// The entry's time before and after.
    Entry(i64, i64),
    /// The time of all of the position before and after.
    Position(i64, i64),
}

impl Charge {
    /// The tracked and the billed time of each line.
    fn lines(self, part: &CorrectionPart) -> Option<Vec<(i64, i64)>> {
        Some(match self {
            Self::Whole(seconds) => vec![(part.tracked_seconds, seconds)],
            // What is taken back and charged again was tracked once.
            Self::Entry(old, new) | Self::Position(old, new) => {
                let taken = old.checked_neg()?;
                let tracked = old.checked_add(part.tracked_seconds)?;
                vec![(taken, taken), (tracked, new)]
            }
        })
    }
}

/// The changes that can be seen on the client's documents. Which other client the work belongs
/// to, and how contracts and tags are called, is nobody's business there.
fn for_the_client(changes: &[Change]) -> Vec<Change> {
    changes
        .iter()
        .filter(|change| !matches!(change.field, Field::Contract | Field::Tags))
        .map(|change| match change.field {
            Field::Client => Change {
                field: Field::Client,
                old: "yours".to_owned(),
                new: "not yours".to_owned(),
            },
            _ => change.clone(),
        })
        .collect()
}

/// Whether any of these lines charges something.
pub(super) fn charge_something(lines: &[Line]) -> bool {
    lines
        .iter()
        .any(|line| line.billed_seconds != 0 || line.amount != Cents::ZERO)
}
