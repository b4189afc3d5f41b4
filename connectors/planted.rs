//! Mistakes that a test can plant, to see that the simulation finds them.
//!
//! Without the feature `planted`, which no shipped build has, [`planted`] is `false` at compile
//! time and the mistakes are not there. With it, one mistake at a time can be switched on for the
//! whole process.

/// A mistake that somebody could make, each at one place of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Bug {
    /// The cursor is committed before the rows that it is behind.
    CursorBeforeRows = 1,
    /// What a listing does not show is deleted, without a second look.
    AbsenceIsDeletion,
    /// A document that is there already is not recognised when it is sent again.
    RepeatCreatesSecond,
    /// A document counts as delivered before it was sent.
    DeliveredBeforeSent,
    /// Halves of a cent go to the even neighbour.
    RoundHalfEven,
    /// A working day is a day of UTC.
    DaysOfUtc,
    /// A running timer counts with an hour.
    RunningCounts,
    /// Hours have two decimals before they are multiplied.
    HoursOfTwoDecimals,
    /// Time is rounded for each entry, whatever was agreed.
    RoundEachEntry,
    /// A billed entry that changes is open again.
    ChangeReopens,
    /// `Retry-After` is not heeded.
    RetryAfterIgnored,
    /// The cursor takes its time from our clock.
    CursorOfOurClock,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::CursorBeforeRows,
        Self::AbsenceIsDeletion,
        Self::RepeatCreatesSecond,
        Self::DeliveredBeforeSent,
        Self::RoundHalfEven,
        Self::DaysOfUtc,
        Self::RunningCounts,
        Self::HoursOfTwoDecimals,
        Self::RoundEachEntry,
        Self::ChangeReopens,
        Self::RetryAfterIgnored,
        Self::CursorOfOurClock,
    ];
}

/// Whether the mistake is planted: never, in a build without the feature.
#[cfg(not(feature = "planted"))]
pub const fn planted(_bug: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub use switch::{plant, planted};

#[cfg(feature = "planted")]
mod switch {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    static PLANTED: AtomicU8 = AtomicU8::new(0);

    /// Whether the mistake is planted.
    pub fn planted(bug: Bug) -> bool {
        PLANTED.load(Ordering::Relaxed) == bug as u8
    }

    /// Plants one mistake in this process, in the place of any other; `None` takes it out.
    pub fn plant(bug: Option<Bug>) {
        PLANTED.store(bug.map_or(0, |bug| bug as u8), Ordering::Relaxed);
    }
}
