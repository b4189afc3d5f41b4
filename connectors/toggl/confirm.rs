//! The second look at entries that a comparison did not show.
//!
//! The listing was Toggl's reports, so the second look is by the entry's own address, which
//! answers from the live data. For other people's entries there is no such address, and a
//! report that is asked for the identifiers has to do.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::pull::external;
use super::{Toggl, span, wire};
use crate::contract::{Absent, Presence};
use crate::error::{Kind, Result};
use crate::record::{ExternalId, Stream};
use crate::rows::leaves_open;

/// Up to so many entries are asked for one by one. For more, one report first sieves out those
/// that are still there.
const ONE_BY_ONE: usize = 3;

/// A report spans at most a year (that of v2 did; v3 does not say), of which the days before
/// and after are a part.
const YEAR: TimeDelta = TimeDelta::days(363);

/// So many identifiers fit into one page of a report.
const IDS_MAX: usize = 200;

type Answers = Vec<(ExternalId, Presence)>;

impl Toggl {
    /// Answers as far as the quota goes; what is left out is unknown, and asked for again.
    pub(super) async fn second_look(&self, absent: &[Absent]) -> Result<Answers> {
        let mut answers = Vec::new();
        for (scope, ids) in by_scope(absent) {
            if let Err(error) = self.look_in(scope, ids, &mut answers).await {
                if answers.is_empty() {
                    return Err(error);
                }
                break;
            }
        }
        Ok(answers)
    }

    async fn look_in(
        &self,
        scope: &str,
        mut ids: BTreeSet<i64>,
        answers: &mut Answers,
    ) -> Result<()> {
        let (workspace, team) = match scope.strip_suffix("/team") {
            Some(workspace) => (workspace, true),
            None => (scope, false),
        };
        let Ok(workspace) = workspace.parse() else {
            return Ok(());
        };
        if team || ids.len() > ONE_BY_ONE {
            let asked: Vec<i64> = ids.iter().copied().take(IDS_MAX).collect();
            let found = match self.listed(workspace, &asked).await {
                Ok(found) => found,
                Err(error) if leaves_open(&error) => None,
                Err(error) => return Err(error),
            };
            for id in found.iter().flatten() {
                ids.remove(id);
                answers.push((external(*id), Presence::Present));
            }
            if team {
                let absent = asked
                    .into_iter()
                    .filter(|id| found.is_some() && ids.contains(id));
                let proof = "a report asked for its id does not list it";
                answers.extend(absent.map(|id| (external(id), Presence::Gone(proof.to_owned()))));
                return Ok(());
            }
        }
        for id in ids {
            let presence = self.look_at(id).await?;
            answers.push((external(id), presence));
        }
        Ok(())
    }

    /// Which of these a report of the last year lists; `None` when it cannot be told.
    async fn listed(&self, workspace: i64, ids: &[i64]) -> Result<Option<BTreeSet<i64>>> {
        let now = self.clock.now();
        let search = search(ids, now);
        let answer = self.api.report(workspace, search).await?;
        let Some(rows) = answer.rows.filter(|_| answer.next.is_none()) else {
            return Ok(None);
        };
        let mut found = BTreeSet::new();
        for row in rows {
            let row: Option<wire::Row> = serde_json::from_str(row.get()).ok();
            let Some(row) = row.filter(|row| !row.time_entries.is_empty()) else {
                return Ok(None);
            };
            found.extend(row.time_entries.iter().map(|entry| entry.id));
        }
        found.retain(|id| ids.contains(id));
        Ok(Some(found))
    }

    async fn look_at(&self, id: i64) -> Result<Presence> {
        let reply = match self.api.entry(id).await {
            Ok(reply) => reply,
            Err(error) if error.kind() == Kind::NotFound => {
                return Ok(Presence::Gone("404 at its own address".to_owned()));
            }
            Err(error) if leaves_open(&error) => return Ok(Presence::Unknown),
            Err(error) => return Err(error),
        };
        let entry: Option<wire::Entry> = reply.json().ok();
        Ok(match entry {
            Some(entry) if entry.id == id => match entry.server_deleted_at {
                Some(at) if wire::instant(&at).is_some() => {
                    Presence::Gone(format!("server_deleted_at {at}"))
                }
                Some(_) => Presence::Unknown,
                None => Presence::Present,
            },
            _ => Presence::Unknown,
        })
    }
}

fn search(ids: &[i64], now: DateTime<Utc>) -> serde_json::Value {
    let (first, last) = span::days((now - YEAR, now));
    json!({
        "start_date": first.to_string(),
        "end_date": last.to_string(),
        "page_size": IDS_MAX,
        "time_entry_ids": ids,
    })
}

fn by_scope(absent: &[Absent]) -> BTreeMap<&str, BTreeSet<i64>> {
    let mut scopes: BTreeMap<&str, BTreeSet<i64>> = BTreeMap::new();
    for absent in absent.iter().filter(|it| it.stream == Stream::Time) {
        if let Ok(id) = absent.id.as_str().parse() {
            scopes.entry(&absent.scope).or_default().insert(id);
        }
    }
    scopes
}
