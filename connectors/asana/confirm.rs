//! The second look at what a complete list did not show.
//!
//! Asana says 404 for what does not exist, and does not promise to say otherwise of what is not
//! for us. So a 404 counts only while what the thing lay in can be read.

use std::collections::BTreeMap;

use super::Asana;
use super::api::path;
use super::catalogue::is_refusal;
use super::envelope::ELSEWHERE;
use crate::contract::{Absent, Presence};
use crate::error::{Error, Kind, Result};
use crate::record::{ExternalId, Stream};

type Answers = Vec<(ExternalId, Presence)>;

/// What must be readable for a 404 to count: the path's word, and the gid.
type Witness = (&'static str, String);

impl Asana {
    /// Answers as far as the quota goes; what is left out is unknown, and asked for again.
    pub(super) async fn second_look(&self, absent: &[Absent]) -> Result<Answers> {
        let mut answers = Vec::new();
        let mut witnesses = BTreeMap::new();
        for absent in absent {
            match self.look_at(absent, &mut witnesses).await {
                Ok(Some(presence)) => answers.push((absent.id.clone(), presence)),
                Ok(None) => {}
                Err(error) if answers.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(answers)
    }

    async fn look_at(
        &self,
        absent: &Absent,
        witnesses: &mut BTreeMap<Witness, bool>,
    ) -> Result<Option<Presence>> {
        let gid = absent.id.as_str();
        let kind = match absent.stream {
            Stream::Tasks => "tasks",
            Stream::Activity => "stories",
            Stream::Time => "time_tracking_entries",
            _ => return Ok(None),
        };
        if !is_gid(gid) {
            return Ok(None);
        }
        let address = path(kind, gid, "");
        let fields = if kind == "stories" {
            "text"
        } else {
            "created_by"
        };
        match self.api.one(&address, fields).await {
            Ok((head, _)) if head.gid == gid => Ok(Some(Presence::Present)),
            Ok(_) => Ok(Some(Presence::Unknown)),
            Err(error) if error.kind() == Kind::NotFound => {
                self.not_found(absent, &address, &error, witnesses).await
            }
            Err(error) if is_refusal(&error) => Ok(Some(Presence::Unknown)),
            Err(error) => Err(error),
        }
    }

    async fn not_found(
        &self,
        absent: &Absent,
        address: &str,
        error: &Error,
        witnesses: &mut BTreeMap<Witness, bool>,
    ) -> Result<Option<Presence>> {
        let Some(witness) = witness(absent) else {
            return Ok(Some(Presence::Unknown));
        };
        let sees = if let Some(sees) = witnesses.get(&witness) {
            *sees
        } else {
            let sees = self.sees(witness.0, &witness.1).await?;
            witnesses.insert(witness.clone(), sees);
            sees
        };
        Ok(Some(if sees {
            let (kind, gid) = witness;
            Presence::Gone(format!(
                "GET {address} was answered: {error}; /{kind}/{gid} can be read"
            ))
        } else {
            Presence::Unknown
        }))
    }
}

/// The project of a task or time entry, the task of a story; of an entry without a project, the
/// workspace.
fn witness(absent: &Absent) -> Option<Witness> {
    let scope = absent.scope.as_str();
    let (first, second) = scope.split_once('/').unwrap_or((scope, ""));
    let witness = match absent.stream {
        Stream::Tasks if scope != ELSEWHERE => ("projects", first),
        Stream::Activity => ("tasks", scope),
        Stream::Time if second.is_empty() => ("workspaces", first),
        Stream::Time => ("projects", second),
        _ => return None,
    };
    is_gid(witness.1).then(|| (witness.0, witness.1.to_owned()))
}

/// Whether a text has the form of Asana's identifiers: digits.
pub(super) fn is_gid(text: &str) -> bool {
    !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_digit())
}
