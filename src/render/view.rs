//! What a template is given: every number written, every text fit to be printed.
//!
//! `/data.json` is this value. A template arranges; it neither computes nor formats, so no
//! layout can print a sum that differs from the statement.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::Serialize;

use super::locale::{Locale, Precision, hours};
use super::text::{block, line};
use super::words::Words;
use crate::billing::{EntryRow, Language, Line, Party, Statement};
use crate::money::Cents;

/// A row with more text than this may be divided between two pages.
const LONG_ROW: usize = 600;
/// So much of the ledger's hash is printed: 64 bits, enough to notice any other head.
const HASH_DIGITS: usize = 16;

#[derive(Debug, Serialize)]
pub(super) struct View {
    lang: &'static str,
    words: &'static Words,
    draft: bool,
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

/// A duration in both forms: 24:30 h is 24.50 hours, and often misread.
#[derive(Debug, Serialize)]
struct Amount {
    clock: String,
    hours: String,
}

#[derive(Debug, Serialize)]
struct LineView {
    position: String,
    title: String,
    /// What was measured, where it is not what is charged.
    tracked: Option<String>,
    time: Amount,
    rate: String,
    amount: String,
}

#[derive(Debug, Serialize)]
struct Sum {
    label: String,
    amount: String,
    strong: bool,
}

/// Which columns of the detailed table have something to say.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one switch for each optional column"
)]
struct Columns {
    times: bool,
    person: bool,
    position: bool,
    /// Tracked and charged time differ, so both are shown.
    charged: bool,
    /// Some day has more than one entry, so that its sum is worth a column.
    day: bool,
}

#[derive(Debug, Serialize)]
struct Day {
    weekday: &'static str,
    date: String,
    /// The charged time of the day.
    total: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    times: Option<String>,
    person: Option<String>,
    project: Option<String>,
    task: Option<String>,
    /// Only `http` and `https`.
    url: Option<String>,
    description: Option<String>,
    position: Option<u32>,
    tracked: String,
    charged: String,
    is_charged: bool,
    long: bool,
}

/// What the parts of the view have in common while it is built.
struct Build<'a> {
    statement: &'a Statement,
    locale: Locale,
    words: &'static Words,
    zone: Option<Tz>,
    /// Of the lines and sums.
    lines: Precision,
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
        View {
            lang: match statement.language {
                Language::De => "de",
                Language::En => "en",
            },
            words: self.words,
            draft,
            document_title: format!(
                "{} {period}, {}",
                self.words.title,
                line(&statement.client.name)
            ),
            period,
            issuer: self.party(&statement.issuer),
            client: self.party(&statement.client),
            meta: self.meta(),
            lines: statement.lines.iter().map(|l| self.line(l)).collect(),
            not_charged: self.not_charged(),
            total_time: self.amount(statement.totals.billed_seconds),
            sums: self.sums(),
            notes: statement.notes.iter().map(|note| block(note)).collect(),
            small_print: self.small_print(draft),
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

    fn amount(&self, seconds: i64) -> Amount {
        let (plain, exact) = hours(seconds);
        let about = if exact { "" } else { "≈\u{a0}" };
        Amount {
            clock: format!("{}\u{a0}h", self.lines.print(seconds)),
            hours: format!(
                "{about}{}\u{a0}{}",
                self.locale.number(&plain),
                self.words.hour_unit
            ),
        }
    }

    fn line(&self, from: &Line) -> LineView {
        LineView {
            position: from.position.to_string(),
            title: block(&from.title),
            tracked: (from.tracked_seconds != from.billed_seconds)
                .then(|| format!("{}\u{a0}h", self.lines.print(from.tracked_seconds))),
            time: self.amount(from.billed_seconds),
            rate: self.locale.rate(from.rate),
            amount: self.locale.amount(from.amount),
        }
    }

    fn not_charged(&self) -> Option<LineView> {
        let seconds = self.statement.totals.non_billable_seconds;
        (seconds != 0).then(|| LineView {
            position: String::new(),
            title: self.words.not_charged_time.to_owned(),
            tracked: None,
            time: self.amount(seconds),
            rate: String::new(),
            amount: self.locale.amount(Cents::ZERO),
        })
    }

    /// Net, tax and gross; one sum where there is no tax to show. A rate of zero is not printed:
    /// an exemption is said in words, among the notes (UStDV § 34a).
    fn sums(&self) -> Vec<Sum> {
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

    fn small_print(&self, draft: bool) -> Vec<String> {
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
        if totals.non_billable_seconds != 0 {
            sentences.push(words.brackets.to_owned());
        }
        if self.columns().times {
            sentences.push(format!("{} {}.", words.zone, line(&statement.time_zone)));
        }
        sentences
    }

    fn columns(&self) -> Columns {
        let entries = &self.statement.entries;
        Columns {
            times: entries.iter().any(|e| e.start.is_some()),
            person: self.persons.len() > 1,
            position: self.statement.lines.len() > 1,
            charged: entries
                .iter()
                .any(|e| is_charged(e) && e.billed_seconds != e.tracked_seconds),
            day: entries.windows(2).any(|pair| pair[0].date == pair[1].date),
        }
    }

    fn days(&self) -> Vec<Day> {
        self.statement
            .entries
            .chunk_by(|left, right| left.date == right.date)
            .map(|entries| {
                let charged = entries.iter().filter(|e| is_charged(e));
                let total = charged.fold(0i64, |sum, e| sum.saturating_add(e.billed_seconds));
                Day {
                    weekday: self.locale.weekday(entries[0].date),
                    date: self.locale.date(entries[0].date),
                    total: self.entries.print(total),
                    rows: entries.iter().map(|e| self.row(e)).collect(),
                }
            })
            .collect()
    }

    fn row(&self, entry: &EntryRow) -> Row {
        let shown = |text: &str| Some(line(text)).filter(|text| !text.is_empty());
        let charged = is_charged(entry);
        let task = entry.task.as_ref();
        let title = task.and_then(|task| shown(&task.title));
        // A description that only repeats the task's title says nothing new.
        let same = task.is_some_and(|task| task.title.trim() == entry.description.trim());
        let description = Some(block(&entry.description)).filter(|text| !same && !text.is_empty());
        let silent = title.is_none() && description.is_none();
        let project = entry
            .project
            .as_deref()
            .filter(|_| self.only_project().is_none());
        let brackets = |text: String| if charged { text } else { format!("({text})") };
        Row {
            times: self.times(entry),
            person: entry.person.as_deref().and_then(shown),
            project: project.and_then(shown),
            url: task.and_then(|task| task.url.as_deref()).and_then(safe_url),
            long: is_long(entry),
            description: if silent {
                Some(self.words.no_description.to_owned())
            } else {
                description
            },
            task: title,
            position: entry.line,
            tracked: brackets(self.entries.print(entry.tracked_seconds)),
            charged: if charged {
                self.entries.print(entry.billed_seconds)
            } else {
                String::new()
            },
            is_charged: charged,
        }
    }

    /// `09:00–11:30`, and how many days later it ends.
    fn times(&self, entry: &EntryRow) -> Option<String> {
        let start = entry.start?;
        let from = self.locale.time_of_day(start, self.zone);
        let Some(stop) = entry.stop else {
            return Some(from);
        };
        let until = self.locale.time_of_day(stop, self.zone);
        let days = (stop.date_naive() - start.date_naive()).num_days();
        let later = if days > 0 {
            format!("\u{a0}+{days}")
        } else {
            String::new()
        };
        Some(format!("{from}–{until}{later}"))
    }

    fn day_totals(&self) -> Vec<Pair> {
        let totals = &self.statement.totals;
        let pair = |label: &str, seconds| Pair {
            label: label.to_owned(),
            value: format!("{}\u{a0}h", self.lines.print(seconds)),
        };
        let mut pairs = vec![pair(self.words.tracked_total, totals.tracked_seconds)];
        if totals.non_billable_seconds != 0 {
            pairs.push(pair(
                self.words.not_charged_total,
                totals.non_billable_seconds,
            ));
        }
        pairs.push(pair(self.words.charged_total, totals.billed_seconds));
        pairs
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

fn is_charged(entry: &EntryRow) -> bool {
    entry.billable && entry.line.is_some()
}

/// Estimates whether a row could be higher than a few lines; the column of persons is narrow.
fn is_long(entry: &EntryRow) -> bool {
    let count = |text: &str| text.chars().count() + 50 * text.matches(['\n', '\r']).count();
    let title = entry.task.as_ref().map_or(0, |task| count(&task.title));
    let project = entry.project.as_deref().map_or(0, count);
    let person = entry.person.as_deref().map_or(0, count);
    count(&entry.description) + title + project + 4 * person > LONG_ROW
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

/// A link that can only lead to a web page.
fn safe_url(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() < 2000 && url.chars().all(|c| c.is_ascii_graphic())).then(|| url.to_owned())
}
