//! When the next run is due. Pure: the daemon asks with the time it is.

use chrono::{DateTime, Days, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::time::{first_instant_from, local_day};

/// A last run further ahead than this was recorded by a clock that was wrong.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(25);

/// A time of day in a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub at: NaiveTime,
    pub zone: Tz,
}

impl Schedule {
    /// Whether a run is due now, given when the last one began.
    ///
    /// A run that was missed while the machine was off is made up for at once, however many
    /// nights were missed. On the night when the hour comes twice there is one run, and on the
    /// night when it does not come the run begins with the first instant after the gap.
    pub fn due(&self, last: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        match last {
            Some(last) if last - now <= AHEAD_MAX => last < self.latest(now),
            _ => true,
        }
    }

    /// The next scheduled instant after now.
    pub fn next(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = local_day(now, self.zone);
        [today, today + Days::new(1), today + Days::new(2)]
            .into_iter()
            .map(|day| first_instant_from(day.and_time(self.at), self.zone))
            .find(|instant| *instant > now)
            .expect("a time of day comes within two days")
    }

    /// The last scheduled instant, now included.
    fn latest(&self, now: DateTime<Utc>) -> DateTime<Utc> {
        let today = local_day(now, self.zone);
        [today, today - Days::new(1), today - Days::new(2)]
            .into_iter()
            .map(|day| first_instant_from(day.and_time(self.at), self.zone))
            .find(|instant| *instant <= now)
            .expect("a time of day came within two days")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn at(hour: u32, minute: u32) -> Schedule {
        Schedule {
            at: NaiveTime::from_hms_opt(hour, minute, 0).unwrap(),
            zone: Berlin,
        }
    }

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// Turns a clock minute by minute over some days and counts the runs.
    fn runs(schedule: Schedule, from: &str, hours: i64) -> Vec<DateTime<Utc>> {
        let mut last = Some(utc(from));
        let mut runs = Vec::new();
        for minute in 0..hours * 60 {
            let now = utc(from) + TimeDelta::minutes(minute);
            if schedule.due(last, now) {
                runs.push(now);
                last = Some(now);
            }
        }
        runs
    }

    #[test]
    fn one_run_a_night_over_both_clock_changes() {
        for (hour, minute) in [(2, 30), (3, 15), (0, 0)] {
            let schedule = at(hour, minute);
            assert_eq!(
                runs(schedule, "2026-03-27T12:00:00Z", 96).len(),
                4,
                "{hour}:{minute}"
            );
            assert_eq!(
                runs(schedule, "2026-10-23T12:00:00Z", 96).len(),
                4,
                "{hour}:{minute}"
            );
        }
    }

    #[test]
    fn a_time_that_does_not_exist_runs_right_after_the_gap() {
        let runs = runs(at(2, 30), "2026-03-28T12:00:00Z", 24);
        assert_eq!(runs, [utc("2026-03-29T01:00:00Z")]);
    }

    #[test]
    fn a_missed_night_is_made_up_for_once() {
        let schedule = at(3, 15);
        let last = Some(utc("2026-11-01T02:15:00Z"));
        assert!(schedule.due(last, utc("2026-11-20T15:00:00Z")));
        assert!(!schedule.due(
            Some(utc("2026-11-20T15:00:00Z")),
            utc("2026-11-20T15:01:00Z")
        ));
    }

    #[test]
    fn a_clock_that_jumps_neither_repeats_nor_stops_the_nights() {
        let schedule = at(3, 15);
        let ran = utc("2026-11-20T02:15:00Z");
        assert!(
            !schedule.due(Some(ran), ran - TimeDelta::hours(6)),
            "an hour back: no repetition"
        );
        let wrong = utc("2038-01-01T00:00:00Z");
        assert!(
            schedule.due(Some(wrong), ran),
            "a clock that was in 2038 must not stop us till then"
        );
    }

    #[test]
    fn the_next_instant_is_told_for_people() {
        let next = at(3, 15).next(utc("2026-10-24T12:00:00Z"));
        assert_eq!(next, utc("2026-10-25T02:15:00Z"));
    }
}
