//! What ActiveCollab sends, as far as it is read. Every field but the identifier may be missing.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A user, from `/users`.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct User {
    pub(super) id: i64,
    /// `Owner`, `Member`, `Client`.
    #[serde(default)]
    pub(super) class: Option<String>,
    #[serde(default)]
    pub(super) display_name: Option<String>,
    #[serde(default)]
    pub(super) first_name: Option<String>,
    #[serde(default)]
    pub(super) last_name: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
}

impl User {
    /// The name for people; an account without one is known by its address.
    pub(super) fn title(&self) -> Option<String> {
        let parts = [&self.first_name, &self.last_name];
        let parts: Vec<&str> = parts.into_iter().flatten().map(|it| it.trim()).collect();
        filled(self.display_name.as_deref())
            .or_else(|| filled(Some(&parts.join(" "))))
            .or_else(|| filled(self.email.as_deref()))
    }
}

/// Anything that gives a name: a company, a job type, a category, a task list.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Titled {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// A project, from `/projects` or its archive.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Project {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) company_id: Option<i64>,
    #[serde(default)]
    pub(super) is_trashed: Option<bool>,
}

/// A task.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Task {
    pub(super) id: i64,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) body: Option<String>,
    #[serde(default, rename = "task_list_id")]
    pub(super) list_id: Option<i64>,
    #[serde(default)]
    pub(super) assignee_id: Option<i64>,
    #[serde(default)]
    pub(super) is_completed: Option<bool>,
    #[serde(default)]
    pub(super) completed_on: Option<i64>,
    #[serde(default)]
    pub(super) created_on: Option<i64>,
    #[serde(default)]
    pub(super) due_on: Option<i64>,
    /// A list in one of its shapes.
    #[serde(default)]
    pub(super) labels: Option<Box<RawValue>>,
}

/// Whether something lies in the trash.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Bin {
    #[serde(default)]
    pub(super) is_trashed: Option<bool>,
}

/// A label of a task.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Label {
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// A time record, or an expense: the two have one shape.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Tracked {
    /// Decimal hours, or an amount; kept as text.
    #[serde(default, deserialize_with = "as_received")]
    pub(super) value: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) record_date: Option<Day>,
    #[serde(default)]
    pub(super) summary: Option<String>,
    #[serde(default)]
    pub(super) user_id: Option<i64>,
    #[serde(default)]
    pub(super) user_name: Option<String>,
    #[serde(default)]
    pub(super) user_email: Option<String>,
    #[serde(default)]
    pub(super) parent_type: Option<String>,
    #[serde(default)]
    pub(super) parent_id: Option<i64>,
    #[serde(default)]
    pub(super) job_type_id: Option<i64>,
    #[serde(default)]
    pub(super) category_id: Option<i64>,
    #[serde(default)]
    pub(super) billable_status: Option<i64>,
}

impl Tracked {
    /// The task that it was tracked on; others are tracked on the project itself.
    pub(super) fn task(&self) -> Option<i64> {
        let on_task = self.parent_type.as_deref() == Some("Task");
        self.parent_id.filter(|id| on_task && *id > 0)
    }
}

/// A day: seconds since 1970 at midnight UTC in answers, `2026-10-05` in requests.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Day {
    Seconds(i64),
    Text(String),
}

/// What the login answers.
#[derive(Debug, Deserialize)]
pub(super) struct Issued {
    #[serde(default)]
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) message: Option<String>,
}

/// What `/info` tells of the program.
#[derive(Debug, Deserialize)]
pub(super) struct Info {
    #[serde(default)]
    pub(super) application: Option<String>,
    #[serde(default)]
    pub(super) version: Option<String>,
}

/// A text that says something.
pub(super) fn filled(text: Option<&str>) -> Option<String> {
    let text = text?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Keeps a value to the letter; `null` as well, since a missing one is another matter.
fn as_received<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(from).map(Some)
}
