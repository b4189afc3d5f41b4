//! The second look at entries that a listing did not show: each at its own address.
//!
//! Clockify answers the same for an entry that was deleted, that never was, and that belongs to
//! another workspace. So its word counts only where the person's entries can be listed at the
//! same time: somebody who left the workspace, or may not see it any more, has deleted nothing.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{Clockify, wire};
use crate::contract::{Absent, Presence};
use crate::error::Result;
use crate::record::{ExternalId, Stream};
use crate::rows::leaves_open;

type Answers = Vec<(ExternalId, Presence)>;

impl Clockify {
    /// Answers as far as the quota goes; what is left out is unknown, and asked for again.
    pub(super) async fn second_look(&self, absent: &[Absent]) -> Result<Answers> {
        let mut scopes: BTreeMap<&str, Vec<&ExternalId>> = BTreeMap::new();
        for it in absent.iter().filter(|it| it.stream == Stream::Time) {
            scopes.entry(&it.scope).or_default().push(&it.id);
        }
        let mut answers = Vec::new();
        for (scope, ids) in scopes {
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
        ids: Vec<&ExternalId>,
        answers: &mut Answers,
    ) -> Result<()> {
        let Some((workspace, user)) = scope.split_once('/') else {
            return Ok(());
        };
        match self.api.can_list(workspace, user).await {
            Ok(()) => {}
            Err(error) if leaves_open(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        for id in ids {
            let presence = self.look_at(workspace, id).await?;
            answers.push((id.clone(), presence));
        }
        Ok(())
    }

    async fn look_at(&self, workspace: &str, id: &ExternalId) -> Result<Presence> {
        let reply = match self.api.entry(workspace, id.as_str()).await {
            Ok(Some(reply)) => reply,
            Ok(None) => {
                return Ok(Presence::Gone(
                    "400 with the code 501 at its own address".to_owned(),
                ));
            }
            // A plain 404 comes from a wrong address, or from what stands before the service.
            Err(error) if leaves_open(&error) => return Ok(Presence::Unknown),
            Err(error) => return Err(error),
        };
        let row: Option<Box<RawValue>> = reply.json().ok();
        let found = row.and_then(|row| wire::identifier(&row));
        Ok(match found {
            Some(found) if found == id.as_str() => Presence::Present,
            _ => Presence::Unknown,
        })
    }
}
