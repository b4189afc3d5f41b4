//! What we need to know at once of what Asana sends; everything else is kept as received and
//! read by the mapping.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

/// The parts of an element that decide what is done with it. Only the gid must be there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) gid: String,
    pub(super) name: Option<String>,
    pub(super) modified_at: Option<DateTime<Utc>>,
    pub(super) subtasks: u64,
    /// The gid of the task that this one is a part of.
    pub(super) parent: Option<String>,
    /// The projects that it lies in.
    pub(super) projects: Vec<String>,
    /// The project that a time entry is attributed to.
    pub(super) attributed: Option<String>,
    pub(super) archived: bool,
}

#[derive(Deserialize)]
struct OnlyGid {
    gid: String,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    modified_at: Option<DateTime<Utc>>,
    #[serde(default)]
    num_subtasks: Option<u64>,
    #[serde(default)]
    parent: Option<OnlyGid>,
    #[serde(default)]
    memberships: Option<Vec<Membership>>,
    #[serde(default)]
    attributable_to: Option<OnlyGid>,
    #[serde(default)]
    archived: Option<bool>,
}

#[derive(Deserialize)]
struct Membership {
    #[serde(default)]
    project: Option<OnlyGid>,
}

/// Reads the head of an element; `None` where it has no gid. Of one that cannot be read
/// otherwise only the gid is known, and the mapping will say what is wrong with it.
pub(super) fn head(row: &RawValue) -> Option<Head> {
    // A list would be read as well, its first text as the gid.
    let object = Some(row.get()).filter(|text| text.starts_with('{'))?;
    let gid = serde_json::from_str::<OnlyGid>(object).ok()?.gid;
    if gid.is_empty() {
        return None;
    }
    let Ok(fields) = serde_json::from_str::<Fields>(object) else {
        return Some(Head {
            gid,
            ..Head::default()
        });
    };
    let memberships = fields.memberships.into_iter().flatten();
    Some(Head {
        gid,
        name: fields.name.filter(|name| !name.trim().is_empty()),
        modified_at: fields.modified_at,
        subtasks: fields.num_subtasks.unwrap_or_default(),
        parent: fields.parent.map(|it| it.gid),
        projects: memberships.filter_map(|it| Some(it.project?.gid)).collect(),
        attributed: fields.attributable_to.map(|it| it.gid),
        archived: fields.archived == Some(true),
    })
}

impl Head {
    /// The name for people.
    pub(super) fn title(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.gid.clone())
    }
}

/// The user that a credential acts as.
#[derive(Debug, Deserialize)]
pub(super) struct Me {
    pub(super) gid: String,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) workspaces: Option<Vec<Place>>,
}

/// A workspace or organisation.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Place {
    pub(super) gid: String,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// An answer with the user.
#[derive(Debug, Deserialize)]
pub(super) struct Whoami {
    pub(super) data: Me,
}

/// An answer of the feed of events: 200, or 412 with the first token.
#[derive(Debug, Deserialize)]
pub(super) struct Events {
    #[serde(default)]
    pub(super) data: Option<Vec<Box<RawValue>>>,
    pub(super) sync: String,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// One event: what was done to what.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    #[serde(default)]
    pub(super) action: Option<String>,
    #[serde(default)]
    pub(super) resource: Option<Resource>,
    #[serde(default)]
    pub(super) parent: Option<Resource>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resource {
    pub(super) gid: String,
    #[serde(default)]
    pub(super) resource_type: Option<String>,
}

impl Resource {
    pub(super) fn is(&self, kind: &str) -> bool {
        self.resource_type.as_deref() == Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Head> {
        head(&RawValue::from_string(text.to_owned()).unwrap())
    }

    #[test]
    fn a_spoiled_field_costs_what_it_says_and_not_the_gid() {
        let whole = read(
            r#"{"gid": "7", "num_subtasks": 2, "modified_at": "2026-11-16T08:00:00.000Z",
            "memberships": [{"project": {"gid": "1"}, "section": null}, {"project": null}]}"#,
        )
        .unwrap();
        assert_eq!(whole.subtasks, 2);
        assert_eq!(whole.projects, ["1"]);
        let spoiled = read(r#"{"gid": "7", "num_subtasks": "two", "name": "\ud83d"}"#).unwrap();
        assert_eq!(spoiled.gid, "7");
        assert_eq!(spoiled.name, None);
        for none in [r#"["7"]"#, r#"{"gid": 7}"#, r#"{"gid": ""}"#, "7", "null"] {
            assert_eq!(read(none), None, "{none}");
        }
    }
}
