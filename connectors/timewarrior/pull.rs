//! One page of a pull: a month's file that is not what it was.

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Days, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::database::{self, Database, Month};
use super::names::Patterns;
use super::record::Body;
use crate::contract::{Absent, Cursor, Notice, Page, Presence, Pull, Raw, Sweep};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

/// What a connection adds to what stands in the files.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// Whose database it is; Timewarrior does not say.
    pub(super) person: Option<String>,
    pub(super) clients: Patterns,
    pub(super) projects: Patterns,
}

/// Where a connection stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct State {
    /// The months that were read, with the mark of what they held then.
    months: BTreeMap<String, String>,
    /// The months left in this pull.
    todo: VecDeque<String>,
}

/// The next page after a cursor.
pub(super) fn next_page(
    database: &Database,
    wishes: &Wishes,
    cursor: &Cursor,
    mode: &Pull,
) -> Result<Page> {
    let mut state: State = cursor.decode()?;
    if !state.months.is_empty() && database.months.is_empty() && state.months.len() > 1 {
        return Err(vanished(state.months.len()));
    }
    if state.todo.is_empty() {
        state.todo = changed(&state, database, wishes, mode);
    }
    let mut page = Page::default();
    if let Some(name) = state.todo.pop_front() {
        let month = database.months.get(&name).cloned();
        let month = month.unwrap_or_else(|| Month {
            whole: true,
            ..Month::default()
        });
        page = page_of(&name, &month, wishes);
        if database.months.contains_key(&name) {
            state.months.insert(name, mark(&month, wishes));
        } else {
            state.months.remove(&name);
        }
    }
    page.more = !state.todo.is_empty();
    page.next = Cursor::encode(&state);
    Ok(page)
}

/// The months to read, the newest first: what is billed next is read first.
fn changed(state: &State, database: &Database, wishes: &Wishes, mode: &Pull) -> VecDeque<String> {
    let known = state.months.keys().chain(database.months.keys());
    let names: std::collections::BTreeSet<&String> = known.collect();
    let differs = |name: &str| {
        let now = database.months.get(name).map(|month| mark(month, wishes));
        now.as_ref() != state.months.get(name)
    };
    let names = names.into_iter().rev();
    names
        .filter(|name| differs(name) || wanted(name, mode))
        .cloned()
        .collect()
}

/// Whether a comparison is about a month. Its file holds what starts in it by the zone of the
/// user's machine, so a day more on both sides.
fn wanted(name: &str, mode: &Pull) -> bool {
    let Pull::Compare { from, until } = mode else {
        return false;
    };
    let Ok(first) = format!("{name}-01").parse::<NaiveDate>() else {
        return true;
    };
    let begins = first - Days::new(1);
    let ends = first + Days::new(33);
    let day = |at: &DateTime<Utc>| at.date_naive();
    ends >= day(from) && until.as_ref().is_none_or(|until| begins <= day(until))
}

/// What a month held when it was read, and how its tags were understood: a change of either means
/// to read it again.
fn mark(month: &Month, wishes: &Wishes) -> String {
    let Wishes {
        person,
        clients,
        projects,
    } = wishes;
    let person = person.as_deref().unwrap_or_default();
    let parts = [&month.mark, person, &clients.text(), &projects.text()];
    database::hash(parts.join("\0").as_bytes())
}

fn page_of(name: &str, month: &Month, wishes: &Wishes) -> Page {
    let mut page = Page::default();
    for line in &month.lines {
        let body = Body::of(&line.text, wishes);
        page.raw.push(Raw {
            stream: Stream::Time,
            id: ExternalId::new(&line.id),
            body: serde_json::to_string(&body).expect("a body is plain data"),
            scope: name.to_owned(),
        });
    }
    if month.whole {
        let present = page.raw.iter().map(|raw| raw.id.clone());
        page.swept.push(Sweep {
            stream: Stream::Time,
            scope: name.to_owned(),
            from: None,
            until: None,
            present: present.collect(),
        });
    }
    if month.nameless > 0 {
        page.notices.push(Notice {
            code: "timewarrior-lines-unreadable",
            text: format!(
                "{} lines of {name}.data are no intervals; until they are, nothing that is missing \
                 from that month counts as deleted",
                month.nameless
            ),
        });
    }
    page
}

fn vanished(months: usize) -> Error {
    Error::new(
        Kind::Unavailable,
        "every month of Timewarrior's database is gone",
    )
    .with("months", months)
    .hint(
        "see that the database is mounted and synchronised; if it was begun anew, give it a \
         connection of its own",
    )
}

/// The second look: the whole database, read again.
pub(super) fn confirm(database: &Database, absent: &[Absent]) -> Vec<(ExternalId, Presence)> {
    // Where a line or a file cannot be read, the interval may be what it says.
    let whole = database.months.values().all(|month| month.whole);
    let there: std::collections::BTreeSet<&str> =
        database.lines().map(|line| line.id.as_str()).collect();
    let answer = |id: &ExternalId| match there.contains(id.as_str()) {
        true => Presence::Present,
        false if !whole => Presence::Unknown,
        false => Presence::Gone("no interval of the whole database starts then".to_owned()),
    };
    let absent = absent.iter().filter(|it| it.stream == Stream::Time);
    absent.map(|it| (it.id.clone(), answer(&it.id))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comparison_is_about_the_months_that_it_touches() {
        let compare = |from: &str, until: Option<&str>| Pull::Compare {
            from: from.parse().unwrap(),
            until: until.map(|until| until.parse().unwrap()),
        };
        let open = compare("2026-10-02T00:00:00Z", None);
        assert!(wanted("2026-10", &open) && wanted("2026-11", &open));
        assert!(wanted("2027-01", &open) && !wanted("2026-08", &open));
        let march = compare("2026-02-28T23:00:00Z", Some("2026-03-31T22:00:00Z"));
        assert!(wanted("2026-03", &march) && !wanted("2026-05", &march));
        assert!(!wanted("2026-03", &Pull::Changes));
    }
}
