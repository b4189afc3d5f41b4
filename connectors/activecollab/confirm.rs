//! The second look at what a complete list did not show: the thing at its own address.
//!
//! Deleting puts a thing into the trash, where it still answers and says so; later it is gone
//! for good. "Not found" can also mean "not for you any more", so it counts only while the
//! project can be read.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ActiveCollab;
use super::catalogue::object;
use super::shape::{self, identifier};
use super::wire::Project;
use crate::contract::{Absent, Presence};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};

/// What a thing says of the trash.
#[derive(Debug, Deserialize)]
struct Trash {
    #[serde(default)]
    is_trashed: Option<bool>,
    #[serde(default)]
    trashed_on: Option<i64>,
}

pub(super) async fn confirm(
    it: &ActiveCollab,
    absent: &[Absent],
) -> Result<Vec<(ExternalId, Presence)>> {
    let mut readable: BTreeMap<i64, bool> = BTreeMap::new();
    let mut answers = Vec::new();
    for absent in absent {
        let (Ok(project), Ok(id)) = (absent.scope.parse(), absent.id.as_str().parse()) else {
            continue;
        };
        let Some(path) = address(absent.stream, project, id) else {
            continue;
        };
        let presence = match it.api.get(&path).await {
            Ok(reply) => found(id, &shape::single(&reply)?),
            Err(error) if error.kind() == Kind::NotFound => {
                let vouched = match readable.get(&project) {
                    Some(known) => *known,
                    None => sees(it, project).await?,
                };
                readable.insert(project, vouched);
                if vouched {
                    Presence::Gone(format!("GET {path} was answered: {error}"))
                } else {
                    Presence::Unknown
                }
            }
            Err(error) if error.kind() == Kind::Forbidden => Presence::Unknown,
            Err(error) => return Err(error),
        };
        answers.push((absent.id.clone(), presence));
    }
    Ok(answers)
}

fn address(stream: Stream, project: i64, id: i64) -> Option<String> {
    let list = match stream {
        Stream::Tasks => "tasks",
        Stream::Time => "time-records",
        Stream::Expenses => "expenses",
        _ => return None,
    };
    Some(format!("/projects/{project}/{list}/{id}"))
}

/// What a thing that answers says of itself.
fn found(id: i64, row: &serde_json::value::RawValue) -> Presence {
    if identifier(row) != Some(id) {
        return Presence::Unknown;
    }
    match object::<Trash>(row) {
        Some(trash) if trash.is_trashed == Some(true) => {
            let since = trash
                .trashed_on
                .map_or_else(String::new, |on| format!(", trashed_on {on}"));
            Presence::Gone(format!("is_trashed{since}"))
        }
        _ => Presence::Present,
    }
}

/// Whether a project can be read now, and is not in the trash with all that is in it.
async fn sees(it: &ActiveCollab, project: i64) -> Result<bool> {
    let reply = match it.api.get(&format!("/projects/{project}")).await {
        Ok(reply) => reply,
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    let found: Option<Project> = object(&shape::single(&reply)?);
    Ok(found.is_some_and(|found| found.id == project && found.is_trashed != Some(true)))
}
