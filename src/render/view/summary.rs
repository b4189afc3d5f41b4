//! The upper half: what is charged, the sums, and how they were found.

use serde::Serialize;

use super::Build;
use crate::billing::Line;
use crate::money::Cents;
use crate::render::duration::{Precision, hours};
use crate::render::text::{block, line};

/// A duration in both forms: 24:30 h is 24.50 hours, and often misread.
#[derive(Debug, Serialize)]
pub(super) struct Amount {
    clock: String,
    hours: String,
}

#[derive(Debug, Serialize)]
pub(super) struct LineView {
    position: String,
    title: String,
    /// What was measured, where it is not what is charged.
    tracked: Option<String>,
    time: Amount,
    rate: String,
    amount: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Sum {
    label: String,
    amount: String,
    strong: bool,
}

impl Build<'_> {
    pub(super) fn amount(&self, seconds: i64, precision: Precision) -> Amount {
        let (plain, exact) = hours(seconds);
        let about = if exact { "" } else { "≈\u{a0}" };
        Amount {
            clock: format!("{}\u{a0}h", precision.print(seconds)),
            hours: format!(
                "{about}{}\u{a0}{}",
                self.locale.number(&plain),
                self.words.hour_unit
            ),
        }
    }

    pub(super) fn line(&self, from: &Line) -> LineView {
        LineView {
            position: from.position.to_string(),
            title: block(&from.title),
            tracked: (from.tracked_seconds != from.billed_seconds)
                .then(|| format!("{}\u{a0}h", self.lines.print(from.tracked_seconds))),
            time: self.amount(from.billed_seconds, self.charged),
            rate: self.locale.rate(from.rate),
            amount: self.locale.amount(from.amount),
        }
    }

    pub(super) fn not_charged(&self) -> Option<LineView> {
        let seconds = self.statement.totals.non_billable_seconds;
        (seconds != 0).then(|| LineView {
            position: String::new(),
            title: self.words.not_charged_time.to_owned(),
            tracked: None,
            time: self.amount(seconds, self.lines),
            rate: String::new(),
            amount: self.locale.amount(Cents::ZERO),
        })
    }

    /// Net, tax and gross; one sum where there is no tax to show. A rate of zero is not printed:
    /// an exemption is said in words, among the notes (UStDV § 34a).
    pub(super) fn sums(&self) -> Vec<Sum> {
        let totals = &self.statement.totals;
        let sum = |label: &str, amount: Cents, strong| Sum {
            label: label.to_owned(),
            amount: self.locale.amount(amount),
            strong,
        };
        match &totals.vat {
            None => vec![sum(self.words.net, totals.net, true)],
            Some(vat) if vat.rate.is_zero() && vat.amount == Cents::ZERO => {
                vec![sum(self.words.gross, totals.gross, true)]
            }
            Some(vat) => {
                let label = format!("{} {}", self.words.vat, self.locale.percent(vat.rate));
                vec![
                    sum(self.words.net, totals.net, false),
                    sum(&label, vat.amount, false),
                    sum(self.words.gross, totals.gross, true),
                ]
            }
        }
    }

    pub(super) fn small_print(&self, draft: bool) -> Vec<String> {
        let statement = self.statement;
        let words = self.words;
        let lines = statement.lines.iter().map(|l| l.billed_seconds);
        let totals = &statement.totals;
        let rounded = lines
            .chain([totals.billed_seconds, totals.non_billable_seconds])
            .any(|seconds| !hours(seconds).1);
        let mut sentences = Vec::new();
        if draft {
            sentences.push(words.draft_note.to_owned());
        }
        if !statement.rounding.trim().is_empty() {
            sentences.push(format!(
                "{}: {}",
                words.rounding,
                sentence(&statement.rounding)
            ));
        }
        if rounded {
            sentences.push(words.rounded_hours.to_owned());
        }
        let in_brackets = statement.entries.iter().any(|entry| entry.line.is_none());
        if totals.non_billable_seconds != 0 && in_brackets {
            sentences.push(words.brackets.to_owned());
        }
        if self.columns().times {
            sentences.push(format!("{} {}.", words.zone, line(&statement.time_zone)));
        }
        sentences
    }
}

/// Ends with a full stop, so that sentences can follow one another.
fn sentence(text: &str) -> String {
    let text = line(text);
    if text.ends_with(['.', '!', '?']) {
        text
    } else {
        format!("{text}.")
    }
}
