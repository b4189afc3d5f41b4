//! The usual reading of an answer, for connectors whose service has no peculiarities.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

use super::{Reply, Verdict};
use crate::error::{Error, Kind};

/// Taken instead of a `Retry-After` that makes no sense.
const NONSENSE: TimeDelta = TimeDelta::hours(1);

/// The longest `Retry-After` that is believed.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// The least wait after a 429 that names none.
const REFUSED: TimeDelta = TimeDelta::seconds(10);

/// Reads an answer by its status alone; JSON is expected.
pub fn classify_standard(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    let error = |kind, message: &str| {
        let error = Error::new(kind, message).with("status", reply.status);
        match reply.excerpt() {
            excerpt if excerpt.is_empty() => error,
            excerpt => error.with("answer", excerpt),
        }
    };
    let fail = |kind, message, hint: &str| Verdict::Fail(error(kind, message).hint(hint));
    match reply.status {
        200..300 if looks_like_html(reply) => fail(
            Kind::Protocol,
            "a login or proxy page came instead of an answer",
            "check the base address, and whether this network asks for a login",
        ),
        200..300 => Verdict::Good,
        401 => fail(
            Kind::Auth,
            "the service does not accept the credential",
            "make a new token at the service and store it as the connection's credential",
        ),
        402 => fail(
            Kind::NotInPlan,
            "the account's plan does not include this",
            "see the plan at the service, or leave this out of the connection",
        ),
        403 => fail(
            Kind::Forbidden,
            "the credential does not suffice for this",
            "give its owner access at the service, or use another account's token",
        ),
        404 | 410 => fail(
            Kind::NotFound,
            "the service does not know this, or does not show it to us",
            "check the identifiers in the connection's settings",
        ),
        409 | 412 => fail(
            Kind::Conflict,
            "somebody else changed this in between",
            "nothing to do: it is looked at again",
        ),
        507 => fail(
            Kind::Rejected,
            "there is no room left at the service",
            "make room at the service, or take another target",
        ),
        429 => Verdict::Retry {
            after: Some(retry_after(reply, now).unwrap_or(now + REFUSED)),
            error: error(Kind::RateLimited, "the service asks for fewer requests"),
        },
        408 | 423 | 425 | 500..600 => Verdict::Retry {
            after: retry_after(reply, now),
            error: error(Kind::Unavailable, "the service is in trouble"),
        },
        _ => Verdict::Fail(error(Kind::Rejected, "the service refused the request")),
    }
}

/// The instant that a `Retry-After` header names: as seconds, as an HTTP date, or as ISO 8601,
/// which some proxies write. What cannot be read, lies before its own header or more than a day
/// ahead counts as an hour; an instant that has passed counts as now.
pub fn retry_after(reply: &Reply, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = reply.header("retry-after")?.trim();
    let after = seconds(text)
        .map(|seconds| now + seconds)
        .or_else(|| instant(text).map(|instant| instant.max(now)))
        .filter(|after| *after >= now && *after <= now + LONGEST);
    Some(after.unwrap_or(now + NONSENSE))
}

/// Whole or decimal seconds, rounded up; `None` for anything that is not a number of them.
fn seconds(text: &str) -> Option<TimeDelta> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let up = i64::from(fraction.bytes().any(|byte| byte != b'0'));
    let whole: i64 = whole.parse().ok()?;
    // Beyond the limit the exact number does not matter, and could overflow the calendar.
    TimeDelta::try_seconds(whole.saturating_add(up).min(LONGEST.num_seconds() + 1))
}

fn instant(text: &str) -> Option<DateTime<Utc>> {
    let utc = |naive: NaiveDateTime| naive.and_utc();
    let naive = |format| NaiveDateTime::parse_from_str(text, format).ok().map(utc);
    // The three forms of RFC 9110, section 5.6.7, then ISO 8601 with and without a zone.
    DateTime::parse_from_rfc2822(text)
        .or_else(|_| DateTime::parse_from_rfc3339(text))
        .map(|instant| instant.to_utc())
        .ok()
        .or_else(|| naive("%A, %d-%b-%y %H:%M:%S GMT"))
        .or_else(|| naive("%a %b %e %H:%M:%S %Y"))
        .or_else(|| naive("%Y-%m-%dT%H:%M:%S%.f"))
}

fn looks_like_html(reply: &Reply) -> bool {
    let declared = reply.header("content-type").is_some_and(|it| {
        it.trim_start()
            .to_ascii_lowercase()
            .starts_with("text/html")
    });
    let start = &reply.body[..reply.body.len().min(256)];
    let start = String::from_utf8_lossy(start).to_ascii_lowercase();
    let start = start.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    declared || start.starts_with("<!doctype html") || start.starts_with("<html")
}
