//! Wall times to instants.
//!
//! Exports write what the clock on the wall showed, without a zone. Twice a year that clock is
//! changed: one hour is shown twice, another never. Where the file also says how long the work
//! took, the duration decides which of the two hours was meant; where it does not, the earlier
//! one is taken, and the row carries a doubt that a person is told of.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::durations::Written;

/// What a clock change leaves uncertain about a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// The hour came twice and nothing tells which is meant; the earlier one was taken.
    AmbiguousHour,
    /// The clock never showed this hour; it was shifted by the change.
    MissingHour,
    /// The duration is the difference on the wall and not the time that passed; the instants
    /// were taken.
    DurationByWallClock,
}

impl Doubt {
    /// A sentence for a person.
    pub fn text(self) -> &'static str {
        match self {
            Self::AmbiguousHour => {
                "the hour came twice in this night, and the earlier one was taken"
            }
            Self::MissingHour => {
                "the clock never showed this hour in this night, and it was shifted by an hour"
            }
            Self::DurationByWallClock => {
                "the duration in the file ignores the clock change of this night, and the time \
                 that really passed was taken"
            }
        }
    }
}

/// A moment as a file writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// What a clock on the wall showed.
    Wall(NaiveDateTime),
    /// A time with its own zone.
    Instant(DateTime<Utc>),
}

/// The instants that a moment may be, the preferred one first.
#[derive(Clone, Copy, Debug)]
struct Candidates {
    first: DateTime<Utc>,
    second: Option<DateTime<Utc>>,
    missing: bool,
}

impl Candidates {
    fn of(moment: Moment, zone: Tz) -> Self {
        let wall = match moment {
            Moment::Instant(instant) => return Self::one(instant),
            Moment::Wall(wall) => wall,
        };
        match zone.from_local_datetime(&wall) {
            LocalResult::Single(instant) => Self::one(instant.to_utc()),
            LocalResult::Ambiguous(one, other) => {
                let (one, other) = (one.to_utc(), other.to_utc());
                Self {
                    first: one.min(other),
                    second: Some(one.max(other)),
                    missing: false,
                }
            }
            LocalResult::None => Self::in_gap(wall, zone),
        }
    }

    fn one(instant: DateTime<Utc>) -> Self {
        Self {
            first: instant,
            second: None,
            missing: false,
        }
    }

    /// Reads the missing hour by the clock before the change, which shifts it by the gap, or
    /// else by the clock after it. No zone changes its clock twice within two days.
    fn in_gap(wall: NaiveDateTime, zone: Tz) -> Self {
        let by_clock_at = |day: i64| {
            let near = wall + TimeDelta::days(day);
            let offset = zone.offset_from_utc_datetime(&near).fix();
            Utc.from_utc_datetime(&(wall - TimeDelta::seconds(offset.local_minus_utc().into())))
        };
        Self {
            first: by_clock_at(-1),
            second: Some(by_clock_at(1)),
            missing: true,
        }
    }

    fn each(self) -> impl Iterator<Item = DateTime<Utc>> + Clone {
        [Some(self.first), self.second].into_iter().flatten()
    }

    fn doubt(self) -> Option<Doubt> {
        match (self.missing, self.second) {
            (true, _) => Some(Doubt::MissingHour),
            (false, Some(_)) => Some(Doubt::AmbiguousHour),
            (false, None) => None,
        }
    }
}

/// The instant of a moment that nothing else explains.
pub fn instant(moment: Moment, zone: Tz) -> (DateTime<Utc>, Option<Doubt>) {
    let candidates = Candidates::of(moment, zone);
    (candidates.first, candidates.doubt())
}

/// From an instant to an instant, with what is uncertain about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: DateTime<Utc>,
    pub stop: DateTime<Utc>,
    pub doubts: Vec<Doubt>,
}

impl Span {
    pub fn seconds(&self) -> i64 {
        self.stop.timestamp() - self.start.timestamp()
    }
}

/// How far apart start and stop are, and that this is not the written duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) seconds: i64,
}

/// A duration to check a span against.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) written: Written,
    /// So far the moments themselves may be off: a second cut off, or a minute.
    pub(crate) slack: i64,
}

impl Claim {
    fn explains(self, seconds: i64) -> bool {
        let off = seconds - self.written.seconds;
        // A step of one second is exact; a coarser one may be cut off or rounded.
        let slack = self.slack
            + if self.written.step > 1 {
                self.written.step
            } else {
                0
            };
        let off = if self.written.wraps {
            let rest = off.rem_euclid(86_400);
            rest.min(86_400 - rest)
        } else {
            off.abs()
        };
        off <= slack
    }
}

/// The span between two moments; the claim, where there is one, decides between readings.
pub(crate) fn span(
    start: Moment,
    stop: Moment,
    claim: Option<Claim>,
    zone: Tz,
) -> Result<Span, Contradiction> {
    let (starts, stops) = (Candidates::of(start, zone), Candidates::of(stop, zone));
    let pairs = starts
        .each()
        .flat_map(|start| stops.each().map(move |stop| (start, stop)));
    let seconds = |(start, stop): (DateTime<Utc>, DateTime<Utc>)| (stop - start).num_seconds();
    let mut doubts: Vec<Doubt> = [starts, stops]
        .into_iter()
        .filter_map(Candidates::doubt)
        .collect();
    doubts.dedup();
    let chosen = if let Some(claim) = claim {
        let mut explained = pairs.clone().filter(|&pair| claim.explains(seconds(pair)));
        if let Some(pair) = explained.next() {
            if explained.next().is_none() {
                doubts.retain(|doubt| *doubt == Doubt::MissingHour);
            }
            Some(pair)
        } else {
            let first = (starts.first, stops.first);
            if !on_the_wall(start, stop).is_some_and(|seconds| claim.explains(seconds)) {
                return Err(Contradiction {
                    seconds: seconds(first),
                });
            }
            doubts.push(Doubt::DurationByWallClock);
            Some(first)
        }
    } else {
        pairs.clone().find(|&pair| seconds(pair) >= 0)
    };
    let (start, stop) = chosen.unwrap_or((starts.first, stops.first));
    Ok(Span {
        start,
        stop,
        doubts,
    })
}

/// The difference that somebody computes who forgets the clock change.
fn on_the_wall(start: Moment, stop: Moment) -> Option<i64> {
    match (start, stop) {
        (Moment::Wall(start), Moment::Wall(stop)) => Some((stop - start).num_seconds()),
        _ => None,
    }
}

#[cfg(test)]
#[path = "wall_tests.rs"]
mod tests;
