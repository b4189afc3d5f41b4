//! What is kept of an answer: the record as it was received, and the names known at that time,
//! so that mapping it is a pure function of these bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::state::external;
use crate::contract::Raw;
use crate::record::{Named, Stream};

/// What stands for the scope of people and projects, which are listed for the whole instance.
const ACCOUNT: &str = "account";

/// A person's names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Who {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
}

/// The project that a record lies in.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Place {
    pub(super) id: i64,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Named>,
    #[serde(default)]
    pub(super) archived: bool,
}

/// A task as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptTask {
    pub(super) project: Place,
    pub(super) task: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) assignee: Option<Who>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) list: Option<String>,
    pub(super) url: String,
}

/// A time record or an expense as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptTracked {
    pub(super) project: Place,
    pub(super) record: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<Who>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<String>,
    /// The job type of a time record, the category of an expense.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sort: Option<String>,
    /// What amounts are counted in, by the connection's settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
}

/// A project as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct KeptProject {
    pub(super) project: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Named>,
    pub(super) archived: bool,
    pub(super) url: String,
}

/// A record that belongs to a project.
pub(super) fn in_project(stream: Stream, id: i64, project: i64, body: &impl Serialize) -> Raw {
    raw(stream, id, body, project.to_string())
}

/// A record that belongs to the instance.
pub(super) fn in_account(stream: Stream, id: i64, body: &impl Serialize) -> Raw {
    raw(stream, id, body, ACCOUNT.to_owned())
}

fn raw(stream: Stream, id: i64, body: &impl Serialize, scope: String) -> Raw {
    Raw {
        stream,
        id: external(id),
        body: serde_json::to_string(body).expect("an envelope is plain data"),
        scope,
    }
}
