//! What the fake Kimai holds.

use std::collections::BTreeMap;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use serde_json::{Value, json};

pub const TOKEN: &str = "f00dcanary0ff1ce0000deadbeef1234567890ab";
pub const ME: i64 = 3;
pub const OTHER: i64 = 4;

/// Everything in the installation.
#[derive(Debug)]
pub struct World {
    pub sheets: BTreeMap<i64, Sheet>,
    /// Name and whether it is visible.
    pub projects: BTreeMap<i64, (String, bool)>,
    /// Whether the token's owner may see other people's time sheets.
    pub sees_team: bool,
    /// How far the owner's zone is ahead of UTC.
    pub zone_hours: i64,
    pub page_max: usize,
    /// Whether answers carry their totals.
    pub says_totals: bool,
    /// How far the installation's clock is ahead of the test's.
    pub clock_ahead: TimeDelta,
    /// Time sheets of which one is deleted after each listing.
    pub vanishing: Vec<i64>,
    next: i64,
}

/// A time sheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    pub user: i64,
    pub begin: DateTime<Utc>,
    pub end: Option<DateTime<Utc>>,
    pub pause: i64,
    pub description: Option<String>,
    pub project: i64,
    pub tags: Vec<String>,
    pub billable: bool,
    pub modified: DateTime<Utc>,
}

impl Sheet {
    /// An own time sheet of so many minutes.
    pub fn of(begin: DateTime<Utc>, minutes: i64) -> Self {
        Self {
            user: ME,
            begin,
            end: Some(begin + TimeDelta::minutes(minutes)),
            pause: 0,
            description: Some("Entwürfe für Frühjahr – 🥐".to_owned()),
            project: 11,
            tags: vec!["vor Ort".to_owned(), "Abstimmung".to_owned()],
            billable: true,
            modified: begin,
        }
    }

    pub fn running(begin: DateTime<Utc>) -> Self {
        Self {
            end: None,
            ..Self::of(begin, 0)
        }
    }
}

impl World {
    pub(super) fn new() -> Self {
        let project = |name: &str, visible| (name.to_owned(), visible);
        Self {
            sheets: BTreeMap::new(),
            projects: [
                (11, project("Relaunch", true)),
                (12, project("Altes", false)),
            ]
            .into(),
            sees_team: true,
            zone_hours: 1,
            page_max: 500,
            says_totals: true,
            clock_ahead: TimeDelta::zero(),
            vanishing: Vec::new(),
            next: 4_711,
        }
    }

    pub fn add(&mut self, sheet: Sheet, now: DateTime<Utc>) -> i64 {
        let id = self.next;
        self.next += 1;
        let modified = now;
        self.sheets.insert(id, Sheet { modified, ..sheet });
        id
    }

    /// The seconds of everything that does not run, without the pauses.
    pub fn worked_seconds(&self) -> i64 {
        let sheets = self.sheets.values();
        let spans = sheets.filter_map(|it| Some((it.end? - it.begin).num_seconds() - it.pause));
        spans.sum()
    }

    pub(super) fn projects(&self, hidden: bool) -> Value {
        let rows = self
            .projects
            .iter()
            .filter(|(_, (_, visible))| *visible || hidden);
        let rows = rows.map(|(id, (name, visible))| {
            json!({"id": id, "name": name, "visible": visible, "customer": 5,
                "parentTitle": "Bäckerei Ahorn", "billable": true})
        });
        rows.collect()
    }

    pub(super) fn row(&self, id: i64, sheet: &Sheet, full: bool) -> Value {
        let offset = i32::try_from(self.zone_hours * 3600).unwrap();
        let offset = FixedOffset::east_opt(offset).unwrap();
        let text = |at: DateTime<Utc>| {
            let local = at.with_timezone(&offset);
            local.format("%Y-%m-%dT%H:%M:%S%z").to_string()
        };
        let duration = sheet
            .end
            .map_or(0, |end| (end - sheet.begin).num_seconds() - sheet.pause);
        let mut row = json!({
            "id": id, "begin": text(sheet.begin), "end": sheet.end.map(text),
            "duration": duration, "break": sheet.pause, "user": sheet.user, "activity": 21,
            "project": sheet.project, "description": sheet.description, "rate": 42.5,
            "internalRate": 42.5, "exported": false, "billable": sheet.billable,
            "tags": sheet.tags, "metaFields": [],
        });
        if full {
            let (name, visible) = &self.projects[&sheet.project];
            row["user"] = user(sheet.user, false);
            row["activity"] = json!({"id": 21, "name": "Technik", "visible": true});
            row["project"] = json!({
                "id": sheet.project, "name": name, "visible": visible, "billable": true,
                "customer": {"id": 5, "name": "Bäckerei Ahorn", "visible": true},
            });
        }
        row
    }
}

/// A person, as the service shows one.
pub(super) fn user(id: i64, whole: bool) -> Value {
    let (alias, username) = match id {
        ME => (json!("Mara Lindgrün"), "mara"),
        _ => (Value::Null, "timo.aster"),
    };
    let mut user = json!({
        "id": id, "alias": alias, "username": username, "title": null, "enabled": true,
        "email": format!("{username}@lindgruen.example"), "apiToken": false, "avatar": null,
        "timezone": "Europe/Berlin", "locale": "de", "language": "de",
    });
    if whole {
        user["preferences"] = json!([{"name": "hourly_rate", "value": "42"}]);
        user["roles"] = json!(["ROLE_USER"]);
    }
    user
}
