//! The second look at entries that a listing did not show: each at its own address.
//!
//! Kimai says 403 for an entry that may not be seen and 404 for one that is not there, so its own
//! 404 is proof. Another 404 is not: it comes from a wrong address, or from a server before it.

use super::Kimai;
use super::pull::external;
use crate::contract::{Absent, Presence};
use crate::error::Result;
use crate::record::{ExternalId, Stream};
use crate::rows::{self, leaves_open};

type Answers = Vec<(ExternalId, Presence)>;

impl Kimai {
    /// What is left out because something failed is unknown, and asked for again.
    pub(super) async fn second_look(&self, absent: &[Absent]) -> Result<Answers> {
        let absent = absent.iter().filter(|it| it.stream == Stream::Time);
        let ids = absent.filter_map(|it| it.id.as_str().parse().ok());
        let mut answers = Vec::new();
        for id in ids {
            match self.look_at(id).await {
                Ok(presence) => answers.push((external(id), presence)),
                Err(error) if answers.is_empty() => return Err(error),
                Err(_) => break,
            }
        }
        Ok(answers)
    }

    async fn look_at(&self, id: i64) -> Result<Presence> {
        let reply = match self.api.timesheet(id).await {
            Ok(Some(reply)) => reply,
            Ok(None) => {
                return Ok(Presence::Gone("404 at its own address".to_owned()));
            }
            Err(error) if leaves_open(&error) => return Ok(Presence::Unknown),
            Err(error) => return Err(error),
        };
        let row = reply.json().ok();
        let row: Option<Box<serde_json::value::RawValue>> = row;
        Ok(match row.and_then(|row| rows::identifier::<i64>(&row)) {
            Some(found) if found == id => Presence::Present,
            _ => Presence::Unknown,
        })
    }
}
