//! What a connection remembers between pages: the content of its cursor.
//!
//! A pull is a queue of steps, one page each, and the queue lies in the cursor. Stopped between
//! any two pages, the next pull takes the next step.

use std::collections::{BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::window::Span;

/// Where a connection stands.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct State {
    /// Whose token it is; `None` before the first answer.
    pub(super) me: Option<i64>,
    /// Nothing that started before this was ever looked for.
    pub(super) earliest: Option<DateTime<Utc>>,
    /// When the changes were last asked for, by the service's own clock.
    pub(super) watermark: Option<DateTime<Utc>>,
    /// The earliest start of a timer that ran when it was last seen: the nightly look reaches
    /// back to it, however long it runs.
    pub(super) running: Option<DateTime<Utc>>,
    /// The steps left in this pull. Empty between pulls.
    pub(super) todo: VecDeque<Step>,
    /// How far back this pull compares; `None` when it is an ordinary one.
    pub(super) compare: Option<DateTime<Utc>>,
}

/// A part of a pull.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// Whose token it is.
    Account,
    Projects,
    /// Other people, where they are wanted.
    People,
    Changes(Changes),
    /// Becomes listings.
    Span {
        from: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    },
    Listing(Listing),
}

/// What was changed since an instant, or the rest of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Changes {
    pub(super) since: DateTime<Utc>,
    pub(super) page: u32,
    /// When the first page was answered: what is changed while the others are read comes next
    /// time.
    #[serde(default)]
    pub(super) answered: Option<DateTime<Utc>>,
}

/// What started within a span, or the rest of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Listing {
    pub(super) from: DateTime<Utc>,
    pub(super) until: Option<DateTime<Utc>>,
    pub(super) page: u32,
    /// What the pages before this one held.
    #[serde(default)]
    pub(super) seen: BTreeSet<i64>,
    /// How many there are, as the first page said.
    #[serde(default)]
    pub(super) total: Option<usize>,
    /// A row could not be counted, so nothing is called absent.
    #[serde(default)]
    pub(super) unclear: bool,
    /// How often it was begun anew because something came or went while it was read.
    #[serde(default)]
    pub(super) again: u32,
    /// The earliest start of a timer in it that runs.
    #[serde(default)]
    pub(super) running: Option<DateTime<Utc>>,
}

impl Listing {
    pub(super) fn new((from, until): Span) -> Self {
        Self {
            from,
            until,
            page: 1,
            seen: BTreeSet::new(),
            total: None,
            unclear: false,
            again: 0,
            running: None,
        }
    }
}
