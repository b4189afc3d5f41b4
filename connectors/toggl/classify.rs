//! What Toggl's answers mean: the one place where its failures become ours.
//!
//! Toggl says 402 for two things. The hour's quota is used up, and then waiting helps; or the
//! plan lacks a feature, and then nothing does. Only the quota headers tell them apart (Toggl,
//! "API limits", read 2026-03): with `X-Toggl-Quota-Remaining: 0` it is the quota.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use crate::error::{Error, Kind};
use crate::http::{Quota, Reply, Verdict, classify_standard};

/// Where to find what a person must give us.
pub(super) const TOKEN_HINT: &str = "copy the API token from the end of \
    https://track.toggl.com/profile and store it as the connection's credential";

/// The window of a quota; also believed where the service names a longer one.
const HOUR: i64 = 3600;

/// An answer of the Track API. Everything that we ask there lies below `/me`, and that is
/// closed to a caller only when the credential is wrong.
pub(super) fn track(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        // Asked too far back: the answer names the day from which it may be asked again.
        400 if earliest(reply).is_some() => Verdict::Good,
        403 => Verdict::Fail(no_access(reply)),
        _ => common(reply, now),
    }
}

/// An answer of the Reports API, where a good credential may still be refused a workspace.
pub(super) fn reports(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    common(reply, now)
}

fn common(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        401 => Verdict::Fail(no_access(reply)),
        402 => payment(reply, now),
        410 => Verdict::Fail(
            Error::new(Kind::Settings, "this address of Toggl was given up in 2021")
                .hint("leave `api_url` and `reports_url` out of the connection"),
        ),
        _ => classify_standard(reply, now),
    }
}

fn no_access(reply: &Reply) -> Error {
    Error::new(Kind::Auth, "Toggl does not accept the API token")
        .with("status", reply.status)
        .hint(TOKEN_HINT)
}

fn payment(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match quota(reply, now) {
        Some(quota) if quota.remaining <= 0 => Verdict::Park {
            until: quota.resets_at,
            error: Error::new(Kind::RateLimited, "Toggl's hourly quota is used up")
                .with("until", quota.resets_at.format("%H:%M:%S UTC")),
        },
        _ => Verdict::Fail(
            Error::new(
                Kind::NotInPlan,
                "the workspace's plan at Toggl does not include this",
            )
            .with("answer", reply.excerpt()),
        ),
    }
}

/// What is left of the quota that the request counted against. A reset that is named and
/// unreadable, past or far away counts as a whole window: waiting too long loses an hour,
/// asking too early loses the quota of the user's own apps.
pub(super) fn quota(reply: &Reply, now: DateTime<Utc>) -> Option<Quota> {
    let remaining = reply
        .header("x-toggl-quota-remaining")?
        .trim()
        .parse()
        .ok()?;
    let seconds = reply
        .header("x-toggl-quota-resets-in")
        .and_then(|text| text.trim().parse().ok())
        .filter(|seconds| (0..=HOUR).contains(seconds))
        .unwrap_or(HOUR);
    Some(Quota {
        remaining,
        resets_at: now + TimeDelta::seconds(seconds),
    })
}

/// The day in `start_date must not be earlier than YYYY-MM-DD`. The day moves with the plan and
/// with time (toggl/mobileapp#405), so it is read and not assumed.
pub(super) fn earliest(reply: &Reply) -> Option<NaiveDate> {
    if reply.status != 400 {
        return None;
    }
    let text = reply.excerpt();
    let (_, day) = text.split_once("must not be earlier than ")?;
    NaiveDate::parse_from_str(day.get(..10)?, "%Y-%m-%d").ok()
}

/// The instant of an answer by the service's own clock.
pub(super) fn answered(reply: &Reply) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(reply.header("date")?.trim()).ok()?;
    Some(date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-02T01:00:00Z".parse().unwrap()
    }

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        Reply {
            status,
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn failed(verdict: Verdict) -> Error {
        match verdict {
            Verdict::Fail(error) => error,
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    #[test]
    fn payment_required_is_quota_only_when_the_headers_say_so() {
        let quota = [
            ("x-toggl-quota-remaining", "0"),
            ("x-toggl-quota-resets-in", "1855"),
        ];
        match reports(&reply(402, &quota, ""), now()) {
            Verdict::Park { until, .. } => assert_eq!(until, now() + TimeDelta::seconds(1855)),
            other => panic!("expected to be parked, got {other:?}"),
        }
        let plan = [("x-toggl-quota-remaining", "12")];
        for headers in [&plan[..], &[]] {
            let error = failed(reports(&reply(402, headers, "\"Starter\""), now()));
            assert_eq!(error.kind(), Kind::NotInPlan);
        }
    }

    #[test]
    fn a_nonsensical_reset_waits_a_whole_window() {
        for resets in ["-5", "soon", "99999999999999999999", "86400"] {
            let headers = [
                ("x-toggl-quota-remaining", "-2"),
                ("x-toggl-quota-resets-in", resets),
            ];
            let quota = quota(&reply(402, &headers, ""), now()).unwrap();
            assert_eq!(quota.resets_at, now() + TimeDelta::hours(1), "{resets}");
        }
    }

    #[test]
    fn forbidden_means_the_token_below_me_and_the_workspace_in_reports() {
        assert_eq!(
            failed(track(&reply(403, &[], ""), now())).kind(),
            Kind::Auth
        );
        let error = failed(reports(&reply(403, &[], ""), now()));
        assert_eq!(error.kind(), Kind::Forbidden);
        let error = failed(track(&reply(401, &[], ""), now()));
        assert!(error.advice().unwrap().contains("track.toggl.com/profile"));
    }

    #[test]
    fn the_day_is_read_from_the_refusal() {
        let body = "\"start_date must not be earlier than 2026-08-03\"";
        let day = NaiveDate::from_ymd_opt(2026, 8, 3);
        assert_eq!(earliest(&reply(400, &[], body)), day);
        assert!(matches!(
            track(&reply(400, &[], body), now()),
            Verdict::Good
        ));
        assert_eq!(earliest(&reply(200, &[], body)), None);
        let error = failed(track(&reply(400, &[], "\"wrong\""), now()));
        assert_eq!(error.kind(), Kind::Rejected);
    }
}
