//! Kimai's answers, as far as they are read.
//!
//! Time sheets are asked for in full, so that one row holds all names. Versions before that was
//! possible, and single sheets, name things by number; both forms are read. Texts that hold
//! instants stay texts: whether one is readable is decided for one record.

use chrono::{DateTime, FixedOffset, Timelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::rows::Stop;

/// A time sheet, as Kimai calls an entry.
#[derive(Debug, Deserialize)]
pub(super) struct Timesheet {
    pub(super) begin: Option<String>,
    #[serde(default)]
    pub(super) end: Stop,
    /// Seconds within begin and end that were no work. Kimai's own duration is without them.
    #[serde(rename = "break")]
    pub(super) pause: Option<i64>,
    pub(super) user: Option<Reference<User>>,
    pub(super) activity: Option<Reference<Activity>>,
    pub(super) project: Option<Reference<Project>>,
    pub(super) description: Option<String>,
    pub(super) tags: Option<Vec<String>>,
    pub(super) billable: Option<bool>,
}

/// Something that is there by number, or with its names.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Reference<T> {
    Number(i64),
    Whole(T),
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct User {
    pub(super) id: i64,
    /// What people are shown by, where it is set.
    pub(super) alias: Option<String>,
    pub(super) username: Option<String>,
    pub(super) email: Option<String>,
}

/// `GET /users/me` besides.
#[derive(Debug, Deserialize)]
pub(super) struct Settings {
    pub(super) timezone: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Activity {
    pub(super) id: i64,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: i64,
    pub(super) name: Option<String>,
    pub(super) customer: Option<Reference<Activity>>,
    /// The customer's name, in listings of projects.
    #[serde(rename = "parentTitle")]
    pub(super) customer_name: Option<String>,
    pub(super) visible: Option<bool>,
}

/// `GET /version`.
#[derive(Debug, Deserialize)]
pub(super) struct Version {
    pub(super) version: Option<String>,
}

impl User {
    pub(super) fn shown(&self) -> Option<String> {
        let names = [&self.alias, &self.username];
        let mut names = names.into_iter().flatten();
        names.find(|name| !name.trim().is_empty()).cloned()
    }
}

pub(super) fn read(row: &RawValue) -> Option<Timesheet> {
    serde_json::from_str(row.get()).ok()
}

impl Timesheet {
    /// Whose it is.
    pub(super) fn owner(&self) -> Option<i64> {
        self.user.as_ref().map(|user| match user {
            Reference::Number(id) => *id,
            Reference::Whole(user) => user.id,
        })
    }

    /// When its timer was started, where it still runs.
    pub(super) fn running_since(&self) -> Option<DateTime<Utc>> {
        let begin = local(self.begin.as_deref()?)?;
        (self.end == Stop::Running).then(|| begin.with_timezone(&Utc))
    }
}

/// An instant in whole seconds with the offset of its owner's zone. Kimai writes it without the
/// colon, `2026-11-20T09:00:00+0100`.
pub(super) fn local(text: &str) -> Option<DateTime<FixedOffset>> {
    let read = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z");
    let read = read.or_else(|_| DateTime::parse_from_rfc3339(text));
    read.ok()?.with_nanosecond(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_an_offset_with_or_without_its_colon() {
        let plain = local("2026-10-25T02:30:00+0100").unwrap();
        assert_eq!(plain, local("2026-10-25T02:30:00+01:00").unwrap());
        assert_eq!(plain, local("2026-10-25T01:30:00Z").unwrap());
        for text in [
            "2026-10-25T02:30:00",
            "2026-10-25",
            "",
            "2026-02-30T00:00:00+0100",
        ] {
            assert_eq!(local(text), None, "{text}");
        }
    }

    #[test]
    fn people_are_called_by_what_they_are_shown_by() {
        let user = |text: &str| serde_json::from_str::<User>(text).unwrap().shown();
        let both = r#"{"id":1,"alias":"Mara","username":"mara.l"}"#;
        assert_eq!(user(both).as_deref(), Some("Mara"));
        let one = r#"{"id":1,"alias":"","username":"mara.l"}"#;
        assert_eq!(user(one).as_deref(), Some("mara.l"));
        assert_eq!(user(r#"{"id":1}"#), None);
    }
}
