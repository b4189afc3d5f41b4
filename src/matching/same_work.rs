//! One piece of work that two sources report: a file imported once, and the API later.
//!
//! The test is strict, for taking two pieces of work as one loses money without a trace, while
//! the opposite is told as a possible duplicate.

use std::collections::BTreeMap;

use stundenbuch_connectors::record::{Named, TimeEntry, Worked};

use super::text::normal;

/// Whether two entries of different sources are the same piece of work.
///
/// They are when they have the same start second and duration, and nothing that both sources
/// know differs. Where neither has a time of day, the day and the duration say little, so text
/// and project must be there and equal. An entry with a time of day and one without are never
/// the same for certain.
pub fn same_work(a: &TimeEntry, b: &TimeEntry) -> bool {
    match (fingerprint(a), fingerprint(b)) {
        (Some(one), Some(other)) if one == other => {}
        _ => return false,
    }
    let (text_a, text_b) = (normal(&a.description), normal(&b.description));
    let (project_a, project_b) = (project(a), project(b));
    let compatible = if matches!(a.worked, Worked::Day { .. }) {
        !text_a.is_empty() && text_a == text_b && project_a.is_some() && project_a == project_b
    } else {
        // Where one side does not say who it was, the text must speak for it.
        let known = knows_person(a) && knows_person(b);
        let blank = text_a.is_empty() || text_b.is_empty();
        let text = if known {
            blank || text_a == text_b
        } else {
            !blank && text_a == text_b
        };
        text && (project_a.is_none() || project_b.is_none() || project_a == project_b)
    };
    compatible && compatible_person(a, b)
}

/// The key under which all entries lie that may be the same work: the start second and the
/// duration, or the day and the duration. `None` for a running timer, which is no work yet.
pub fn fingerprint(entry: &TimeEntry) -> Option<String> {
    match &entry.worked {
        Worked::Running { .. } => None,
        Worked::Span { start, stop } => {
            let seconds = stop.timestamp() - start.timestamp();
            Some(format!("t{}+{seconds}", start.timestamp()))
        }
        Worked::Day { date, seconds } => Some(format!("d{date}+{seconds}")),
    }
}

/// Pairs new entries with old ones that are the same work, each at most once. Pairs that agree
/// on more go first; among equals the order of the slices decides. The answer is sorted.
pub fn pair(new: &[&TimeEntry], old: &[&TimeEntry]) -> Vec<(usize, usize)> {
    let mut index: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, entry) in old.iter().enumerate() {
        if let Some(key) = fingerprint(entry) {
            index.entry(key).or_default().push(at);
        }
    }
    let mut candidates = Vec::new();
    for (at, entry) in new.iter().enumerate() {
        let Some(key) = fingerprint(entry) else {
            continue;
        };
        for &other in index.get(&key).into_iter().flatten() {
            if same_work(entry, old[other]) {
                candidates.push((std::cmp::Reverse(agreement(entry, old[other])), at, other));
            }
        }
    }
    candidates.sort_unstable();
    let (mut used_new, mut used_old) = (vec![false; new.len()], vec![false; old.len()]);
    let mut pairs = Vec::new();
    for (_, at, other) in candidates {
        if !used_new[at] && !used_old[other] {
            (used_new[at], used_old[other]) = (true, true);
            pairs.push((at, other));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// How many of the things that may be missing are there and equal.
fn agreement(a: &TimeEntry, b: &TimeEntry) -> u32 {
    let text = normal(&a.description);
    let text = !text.is_empty() && text == normal(&b.description);
    let project = project(a).is_some() && project(a) == project(b);
    let person = [email(a).zip(email(b)), name(a).zip(name(b))];
    let person = person
        .into_iter()
        .flatten()
        .any(|(one, other)| one == other);
    u32::from(text) + u32::from(project) + 4 * u32::from(person)
}

/// Equal e-mail addresses; else equal names; else one side does not know. Ids say nothing
/// across sources.
fn compatible_person(a: &TimeEntry, b: &TimeEntry) -> bool {
    if let Some((one, other)) = email(a).zip(email(b)) {
        return one == other;
    }
    name(a).zip(name(b)).is_none_or(|(one, other)| one == other)
}

fn knows_person(entry: &TimeEntry) -> bool {
    email(entry).is_some() || name(entry).is_some()
}

fn email(entry: &TimeEntry) -> Option<String> {
    filled(entry.person.as_ref()?.email.as_deref())
}

fn name(entry: &TimeEntry) -> Option<String> {
    filled(entry.person.as_ref()?.name.as_deref())
}

/// A project is compared by name, for its id differs from source to source.
fn project(entry: &TimeEntry) -> Option<String> {
    let Named { name, .. } = entry.project.as_ref()?;
    filled(name.as_deref())
}

fn filled(text: Option<&str>) -> Option<String> {
    let key = normal(text?);
    (!key.is_empty()).then_some(key)
}

#[cfg(test)]
#[path = "same_work_tests.rs"]
mod tests;
