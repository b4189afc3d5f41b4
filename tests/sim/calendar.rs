//! Days and the clock of Berlin in plain integers, beside the program's own.
//!
//! Since 1996 the clock there is an hour ahead of UTC, and two from the last Sunday of March,
//! 01:00 UTC, to the last Sunday of October, 01:00 UTC (Directive 2000/84/EC).

const DAY: i64 = 86_400;

/// The number of a day: 0 for 1970-01-01.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let leaps = |year: i64| year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    let before = 365 * (year - 1970) + leaps(year - 1) - leaps(1969);
    let months = (1..month).map(|month| length(year, month)).sum::<i64>();
    before + months + day - 1
}

fn length(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Year, month and day of a day's number.
pub(crate) fn civil(number: i64) -> (i64, i64, i64) {
    let mut year = 1970 + number.div_euclid(366);
    while day_of(year + 1, 1, 1) <= number {
        year += 1;
    }
    let month = (1..=12)
        .rev()
        .find(|month| day_of(year, *month, 1) <= number);
    let month = month.expect("every year has a January");
    (year, month, number - day_of(year, month, 1) + 1)
}

/// `2026-10-14`
pub(crate) fn day_text(number: i64) -> String {
    let (year, month, day) = civil(number);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Reads `2026-10-14`.
pub(crate) fn parse_day(text: &str) -> i64 {
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().expect("a date");
    day_of(part(0, 4), part(5, 7), part(8, 10))
}

/// Reads an instant with `Z` or an offset, in Unix seconds.
pub(crate) fn parse_instant(text: &str) -> i64 {
    let part = |from: usize, to: usize| text[from..to].parse::<i64>().expect("a time");
    let wall = parse_day(text) * DAY + part(11, 13) * 3600 + part(14, 16) * 60 + part(17, 19);
    let zone = text.len().min(text.find(['+', 'Z']).unwrap_or(text.len()));
    if text[zone..].starts_with('+') {
        return wall - part(zone + 1, zone + 3) * 3600 - part(zone + 4, zone + 6) * 60;
    }
    wall
}

/// How far the clock of Berlin is ahead of UTC, in seconds.
fn ahead(instant: i64) -> i64 {
    let (year, ..) = civil(instant.div_euclid(DAY));
    let last_sunday = |month: i64| {
        let last = day_of(year, month, 31);
        // 1970-01-01 was a Thursday.
        (last - (last + 4).rem_euclid(7)) * DAY + 3600
    };
    if (last_sunday(3)..last_sunday(10)).contains(&instant) {
        7200
    } else {
        3600
    }
}

/// The day in Berlin to which an instant belongs.
pub(crate) fn local_day(instant: i64) -> i64 {
    (instant + ahead(instant)).div_euclid(DAY)
}

#[test]
fn days_and_clock_changes_are_as_in_the_calendar() {
    assert_eq!(day_text(0), "1970-01-01");
    assert_eq!(day_text(parse_day("2028-02-29")), "2028-02-29");
    assert_eq!(parse_day("2026-10-25") - parse_day("2026-03-29"), 210);
    for (instant, day) in [
        ("2026-03-29T00:59:59Z", "2026-03-29"),
        ("2026-03-28T22:59:59Z", "2026-03-28"),
        ("2026-03-29T21:59:59Z", "2026-03-29"),
        ("2026-03-29T22:00:00Z", "2026-03-30"),
        ("2026-10-25T22:59:59Z", "2026-10-25"),
        ("2026-10-24T22:00:00Z", "2026-10-25"),
        ("2026-12-31T23:00:00Z", "2027-01-01"),
    ] {
        assert_eq!(
            day_text(local_day(parse_instant(instant))),
            day,
            "{instant}"
        );
    }
    let offset = parse_instant("2026-10-25T02:30:00+01:00");
    assert_eq!(offset, parse_instant("2026-10-25T01:30:00Z"));
}
