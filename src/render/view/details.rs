//! The lower half: every entry, by day.

use serde::Serialize;

use super::{Build, Pair};
use crate::billing::EntryRow;
use crate::render::text::{block, line};

/// A row with more text than this may be divided between two pages.
const LONG_ROW: usize = 600;

/// Which columns of the detailed table have something to say.
#[derive(Clone, Copy, Debug, Serialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one switch for each optional column"
)]
pub(super) struct Columns {
    pub(super) times: bool,
    person: bool,
    position: bool,
    /// Tracked and charged time differ, so both are shown.
    charged: bool,
    /// Some day has more than one entry, so that its sum is worth a column.
    day: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Day {
    weekday: &'static str,
    date: String,
    /// The charged time of the day.
    total: String,
    rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub(super) struct Row {
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

impl Build<'_> {
    pub(super) fn columns(&self) -> Columns {
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

    pub(super) fn days(&self) -> Vec<Day> {
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

    pub(super) fn day_totals(&self) -> Vec<Pair> {
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

/// A link that can only lead to a web page.
fn safe_url(url: &str) -> Option<String> {
    let web = url.starts_with("https://") || url.starts_with("http://");
    (web && url.len() < 2000 && url.chars().all(|c| c.is_ascii_graphic())).then(|| url.to_owned())
}
