//! How findings speak: whole sentences with the person, the day, the times and the words of the
//! entry, in the client's zone.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};
use stundenbuch_connectors::record::Worked;

use crate::billing::entry_day;
use crate::config::Person;
use crate::finding::{Finding, Kind, Severity};
use crate::matching::person_name;
use crate::time::{clock_text, local_day, local_time};
use crate::work::Work;

/// The longest text that a sentence quotes, in characters.
const QUOTED: usize = 60;

/// An entry as a sentence speaks of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) work: &'a Work,
    pub(crate) people: &'a [Person],
    pub(crate) zone: Tz,
    /// The key of the client, where it is known.
    pub(crate) client: Option<&'a str>,
}

impl About<'_> {
    pub(crate) fn who(&self) -> Option<String> {
        person_name(&self.work.entry, self.people)
    }

    /// `09:00–11:00`, or `23:00–01:00 (+1)` over midnight; `1:30 h` without a time of day.
    pub(crate) fn times(&self) -> String {
        match self.work.entry.worked {
            Worked::Running { start } => format!("since {}", wall(start, self.zone)),
            Worked::Span { start, stop } => {
                let days = local_day(stop, self.zone) - local_day(start, self.zone);
                let later = match days.num_days() {
                    0 => String::new(),
                    days => format!(" ({days:+})"),
                };
                format!(
                    "{}–{}{later}",
                    wall(start, self.zone),
                    wall(stop, self.zone)
                )
            }
            Worked::Day { seconds, .. } => hours(seconds),
        }
    }

    /// `09:00–11:00 "Relaunch"`
    pub(crate) fn part(&self) -> String {
        format!("{} {}", self.times(), quoted(&self.work.entry.description))
    }

    /// `2026-10-14, 09:00–11:00 "Relaunch"`
    pub(crate) fn dated(&self) -> String {
        format!(
            "{}, {}",
            entry_day(&self.work.entry, self.zone),
            self.part()
        )
    }

    /// `The entry by Anna Beispiel on 2026-10-14, 09:00–11:00 "Relaunch",`
    pub(crate) fn entry(&self) -> String {
        let who = self
            .who()
            .map_or_else(String::new, |who| format!(" by {who}"));
        format!("The entry{who} on {},", self.dated())
    }

    /// Where the entry is to be corrected.
    pub(crate) fn source(&self) -> &str {
        &self.work.key.connection
    }

    pub(crate) fn finding(
        &self,
        kind: Kind,
        severity: Severity,
        sentence: String,
        action: String,
    ) -> Finding {
        Finding {
            kind,
            severity,
            subject: self.work.id.to_string(),
            other: None,
            client: self.client.map(str::to_owned),
            sentence,
            action,
        }
    }
}

/// A wall time, with the zone's abbreviation where the clock shows it twice: `02:30 CEST`.
fn wall(instant: DateTime<Utc>, zone: Tz) -> String {
    let local = local_time(instant, zone);
    // Clocks go back by an hour everywhere but on Lord Howe Island.
    let hour = TimeDelta::hours(1);
    let twice = [
        instant.checked_sub_signed(hour),
        instant.checked_add_signed(hour),
    ]
    .into_iter()
    .flatten()
    .any(|other| local_time(other, zone) == local);
    let offset = zone.offset_from_utc_datetime(&instant.naive_utc());
    let abbreviation = offset.abbreviation().filter(|_| twice);
    let time = local.format("%H:%M");
    abbreviation.map_or_else(|| time.to_string(), |name| format!("{time} {name}"))
}

/// `2:30 h`
pub(crate) fn hours(seconds: i64) -> String {
    format!("{} h", clock_text(seconds))
}

/// `+0:30 h`, `−0:30 h`: with a sign, and a real minus.
pub(crate) fn signed_hours(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "+" };
    let text = clock_text(seconds);
    format!("{sign}{} h", text.trim_start_matches('-'))
}

/// In quotation marks, on one line, shortened; `without a description` where there is none.
pub(crate) fn quoted(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "without a description".to_owned();
    }
    if line.chars().count() <= QUOTED {
        return format!("\"{line}\"");
    }
    let short: String = line.chars().take(QUOTED - 1).collect();
    format!("\"{}…\"", short.trim_end())
}

/// `a`, `a and b`, `a, b and c`
pub(crate) fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::testing::EntryBuilder;
    use chrono_tz::Europe::Berlin;

    fn times(entry: EntryBuilder) -> String {
        let work = entry.work(1);
        let about = About {
            work: &work,
            people: &[],
            zone: Berlin,
            client: None,
        };
        about.times()
    }

    #[test]
    fn times_are_local_and_say_where_the_clock_is_in_doubt() {
        assert_eq!(
            times(EntryBuilder::span("2026-10-14T07:00:00Z", 7200)),
            "09:00–11:00"
        );
        assert_eq!(
            times(EntryBuilder::span("2026-10-14T21:00:00Z", 7200)),
            "23:00–01:00 (+1)"
        );
        assert_eq!(
            times(EntryBuilder::span("2026-10-25T00:30:00Z", 3600)),
            "02:30 CEST–02:30 CET"
        );
        assert_eq!(times(EntryBuilder::day("2026-10-14", 5400)), "1:30 h");
    }

    #[test]
    fn texts_are_short_and_on_one_line() {
        assert_eq!(quoted("a\n b"), "\"a b\"");
        assert_eq!(quoted(" "), "without a description");
        let long = quoted(&"ä".repeat(200));
        assert_eq!(long.chars().count(), QUOTED + 2);
        assert!(long.ends_with("…\""));
    }

    #[test]
    fn signs_and_lists_read_well() {
        assert_eq!(signed_hours(-1800), "−0:30 h");
        assert_eq!(signed_hours(1800), "+0:30 h");
        let names: Vec<String> = ["a", "b", "c"].map(str::to_owned).into();
        assert_eq!(listed(&names), "a, b and c");
        assert_eq!(listed(&names[..1]), "a");
    }
}
