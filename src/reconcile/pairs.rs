//! Two pieces of work that cannot both be true: at the same time, or the same twice.

use chrono::{DateTime, Utc};
use stundenbuch_connectors::record::Worked;

use super::words::{About, hours};
use crate::billing::entry_day;
use crate::config::Checks;
use crate::finding::{Finding, Kind, Severity};
use crate::matching::{normal, person_key};
use crate::work::Work;

/// The pairs in which this work is the later one, so that each pair is told once. A pair that is
/// told as a duplicate is not told as an overlap, too.
pub(super) fn pairs(about: &About<'_>, neighbours: &[Work], checks: &Checks) -> Vec<Finding> {
    let work = about.work;
    let mut earlier: Vec<&Work> = neighbours
        .iter()
        .filter(|other| !other.deleted && same_person(about, other))
        .filter(|other| order(other, about) < order(work, about))
        .collect();
    earlier.sort_by_key(|other| order(other, about));
    earlier.dedup_by_key(|other| other.id);
    earlier
        .into_iter()
        .filter_map(|other| duplicate(about, other).or_else(|| overlap(about, other, checks)))
        .collect()
}

/// Nobody knows whether two unknown persons are one.
fn same_person(about: &About<'_>, other: &Work) -> bool {
    let key = person_key(&about.work.entry, about.people);
    key.is_some() && key == person_key(&other.entry, about.people)
}

fn order(work: &Work, about: &About<'_>) -> (chrono::NaiveDate, Option<DateTime<Utc>>, u64) {
    let start = match work.entry.worked {
        Worked::Running { start } | Worked::Span { start, .. } => Some(start),
        Worked::Day { .. } => None,
    };
    (entry_day(&work.entry, about.zone), start, work.id.0)
}

fn overlap(about: &About<'_>, other: &Work, checks: &Checks) -> Option<Finding> {
    let (start, stop) = span(about.work)?;
    let (other_start, other_stop) = span(other)?;
    let seconds = stop.min(other_stop).timestamp() - start.max(other_start).timestamp();
    if seconds <= 0 || seconds < checks.overlap_seconds {
        return None;
    }
    let earlier = About {
        work: other,
        ..*about
    };
    let (day, other_day) = (
        entry_day(&about.work.entry, about.zone),
        entry_day(&other.entry, about.zone),
    );
    let (when, first, second) = if day == other_day {
        (format!(" on {day}"), earlier.part(), about.part())
    } else {
        (String::new(), earlier.dated(), about.dated())
    };
    let who = about.who().unwrap_or_else(|| "One person".to_owned());
    let mut finding = about.finding(
        Kind::Overlap,
        Severity::Check,
        format!(
            "{who} has two entries at the same time{when}: {first} and {second} overlap by {}.",
            hours(seconds)
        ),
        correct(about, other),
    );
    finding.other = Some(other.id.to_string());
    Some(finding)
}

/// The same start and duration, or, where only the day is known, the same text in two sources.
fn duplicate(about: &About<'_>, other: &Work) -> Option<Finding> {
    let seconds = about.work.entry.worked.seconds()?;
    if seconds <= 0 || other.entry.worked.seconds() != Some(seconds) {
        return None;
    }
    let spans = span(about.work).zip(span(other));
    let alike = spans.map_or_else(
        || same_day_and_text(about, other),
        |((start, _), (other_start, _))| start.timestamp() == other_start.timestamp(),
    );
    if !alike {
        return None;
    }
    let earlier = About {
        work: other,
        ..*about
    };
    let who = about.who().unwrap_or_else(|| "One person".to_owned());
    let mut finding = about.finding(
        Kind::PossibleDuplicate,
        Severity::Act,
        format!(
            "{who} may have the same work twice on {}: {} in {} and {} in {}; {} would be billed \
             twice.",
            entry_day(&about.work.entry, about.zone),
            earlier.part(),
            earlier.source(),
            about.part(),
            about.source(),
            hours(seconds)
        ),
        format!(
            "If it is the same work, delete one of them in {}.",
            both(about, other)
        ),
    );
    finding.other = Some(other.id.to_string());
    Some(finding)
}

fn same_day_and_text(about: &About<'_>, other: &Work) -> bool {
    let text = normal(&about.work.entry.description);
    entry_day(&about.work.entry, about.zone) == entry_day(&other.entry, about.zone)
        && about.source() != other.key.connection
        && !text.is_empty()
        && text == normal(&other.entry.description)
}

fn correct(about: &About<'_>, other: &Work) -> String {
    format!(
        "Correct the start or end of one of them in {}.",
        both(about, other)
    )
}

fn both(about: &About<'_>, other: &Work) -> String {
    if about.source() == other.key.connection {
        about.source().to_owned()
    } else {
        format!("{} or {}", other.key.connection, about.source())
    }
}

fn span(work: &Work) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match work.entry.worked {
        Worked::Span { start, stop } => Some((start, stop)),
        Worked::Running { .. } | Worked::Day { .. } => None,
    }
}
