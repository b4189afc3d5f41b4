//! The cursor: the program's own STATE, and what we must remember beside it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::node::Node;
use super::session::{Before, Part};
use super::shape::Mapped;
use crate::contract::Cursor;
use crate::error::{Error, Kind, Result};

/// A state is written with every page, so it must be small.
const STATE_MAX: usize = 1 << 20;

/// Where a connection continues.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The last STATE up to which everything is kept, as the program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<Box<RawValue>>,
    /// The mapping by which it was read.
    #[serde(default)]
    pub(super) mapping: String,
    /// Pages since the last run that was whole; keeps one cursor from another.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) page: u64,
    /// Versions of streams that were seen (`ACTIVATE_VERSION`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) versions: BTreeMap<String, i64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Mark {
    /// The mark of a cursor. With another mapping, everything is read from the beginning: the
    /// program tells only what is new of what we now read with other eyes.
    pub(super) fn of(cursor: &Cursor, mapping: &str) -> Result<(Self, bool)> {
        let mark: Self = cursor.decode()?;
        if mark.mapping == mapping {
            return Ok((mark, false));
        }
        let was_another = cursor.as_str().is_some();
        let fresh = Self {
            mapping: mapping.to_owned(),
            ..Self::default()
        };
        Ok((fresh, was_another))
    }

    /// What a run that starts here must know.
    pub(super) fn before(&self) -> Before {
        Before {
            whole: self.page == 0 && !self.is_in_the_middle(),
            versions: self.versions.clone(),
            parts: usize::try_from(self.page).unwrap_or(usize::MAX - 1),
        }
    }

    /// The mark behind a part.
    pub(super) fn after(&self, part: &Part) -> Result<Self> {
        let state = part.state.clone().or_else(|| self.state.clone());
        if let Some(state) = &state
            && state.get().len() > STATE_MAX
        {
            return Err(
                Error::new(Kind::Protocol, "the program's STATE is too large")
                    .with("bytes", state.get().len())
                    .with("most_bytes", STATE_MAX),
            );
        }
        Ok(Self {
            state,
            mapping: self.mapping.clone(),
            page: if part.done { 0 } else { self.page + 1 },
            versions: part.versions.clone(),
        })
    }

    /// Whether the program's state says itself that a stream was not finished (singer-python,
    /// `currently_syncing`, read 2026-11).
    fn is_in_the_middle(&self) -> bool {
        let Some(Ok(state)) = self.state.as_deref().map(Node::of) else {
            return false;
        };
        let syncing = state.at("currently_syncing");
        !matches!(syncing, Ok(None | Some(Node::Null)))
    }
}

/// A mapping in few letters, to see that it is another one.
pub(super) fn fingerprint(mapped: &[Mapped]) -> String {
    let mut hash = Sha256::new();
    for stream in mapped {
        let shape = serde_json::to_string(&stream.shape).expect("a shape is plain data");
        let rest = (&stream.name, &stream.key, &stream.prefix);
        hash.update(serde_json::to_string(&rest).expect("texts are plain data"));
        hash.update(shape);
    }
    let digest = hash.finalize();
    super::listing::hexadecimal(&digest[..8])
}
