//! What Dropbox's answers mean: the one place that maps its failures.
//!
//! Bad requests are told in plain text, everything else in JSON (Dropbox, "Errors", read
//! 2026-11).

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::IgnoredAny;
use serde_json::Value;

use super::api::RESULT;
use super::refusal::{Refusal, tags};
use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, retry_after};

/// Waited where Dropbox asks for fewer requests and names no time.
const PAUSE: TimeDelta = TimeDelta::seconds(10);
/// The same for writes, which block each other within one shared folder; a tenth of a minute was
/// not enough for others (rclone, "Dropbox", read 2026-08).
const WRITE_PAUSE: TimeDelta = TimeDelta::seconds(15);

/// Reads an answer. What an endpoint itself refuses (409) is handed to the caller, who knows what
/// it means there.
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    let fail = |kind, what, hint: &str| Verdict::Fail(failure(kind, what, reply).hint(hint));
    match reply.status {
        200 if is_answer(reply) => Verdict::Good,
        // A captive portal, a proxy's page, or a body that was cut: none of it is an answer.
        200..=399 => Verdict::Retry {
            after: None,
            error: failure(Kind::Protocol, "Dropbox's answer is not JSON", reply),
        },
        401 => Verdict::Fail(unauthorised(reply)),
        402 => fail(
            Kind::NotInPlan,
            "the plan does not include this",
            "see the plan at Dropbox",
        ),
        403 => fail(
            Kind::Forbidden,
            "Dropbox forbids this to the account",
            "ask the team's administrator for access, or log in with another account",
        ),
        404 | 410 => fail(
            Kind::NotFound,
            "Dropbox does not know this address",
            "check `api_url` and `content_url`",
        ),
        409 | 422 => match Refusal::of(reply) {
            Some(refusal) if refusal.has("too_many_write_operations") => Verdict::Retry {
                after: Some(pause(reply, now, WRITE_PAUSE)),
                error: failure(Kind::RateLimited, "others write there just now", reply),
            },
            Some(_) => Verdict::Good,
            None => Verdict::Fail(failure(Kind::Conflict, "Dropbox refuses this", reply)),
        },
        429 => {
            let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
            let writes = tags(&body["error"])
                .iter()
                .any(|it| it == "too_many_write_operations");
            let least = if writes { WRITE_PAUSE } else { PAUSE };
            Verdict::Retry {
                after: Some(pause(reply, now, least)),
                error: failure(Kind::RateLimited, "Dropbox asks for fewer requests", reply),
            }
        }
        408 | 500.. => Verdict::Retry {
            after: retry_after(reply, now),
            error: failure(Kind::Unavailable, "Dropbox is in trouble", reply),
        },
        _ => Verdict::Fail(failure(
            Kind::Rejected,
            "Dropbox calls the request wrong",
            reply,
        )),
    }
}

/// A download has its description in a header, everything else is JSON.
fn is_answer(reply: &Reply) -> bool {
    let json = |bytes: &[u8]| serde_json::from_slice::<IgnoredAny>(bytes).is_ok();
    match reply.header(RESULT) {
        Some(result) => json(result.as_bytes()),
        None => json(&reply.body),
    }
}

/// The header says when to come back, and the body says so, too (Dropbox, `RateLimitError`).
fn pause(reply: &Reply, now: DateTime<Utc>, usual: TimeDelta) -> DateTime<Utc> {
    if let Some(after) = retry_after(reply, now) {
        return after;
    }
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let named = body["error"]["retry_after"]
        .as_i64()
        .map(|it| it.clamp(0, 3600));
    now + named.map_or(usual, TimeDelta::seconds).max(usual)
}

fn unauthorised(reply: &Reply) -> Error {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let tags = tags(&body["error"]);
    let has = |tag: &str| tags.iter().any(|it| it == tag);
    if has("missing_scope") {
        let scope = body["error"]["required_scope"]
            .as_str()
            .unwrap_or("see the answer");
        let error = failure(Kind::Forbidden, "the login lacks a permission", reply);
        return error.with("permission", scope).hint(
            "tick the permission in the app's settings at https://www.dropbox.com/developers/apps \
             and log in again",
        );
    }
    let what = if has("user_suspended") {
        "Dropbox has suspended the account"
    } else {
        "Dropbox does not accept the login"
    };
    failure(Kind::Auth, what, reply).hint("log in again")
}

fn failure(kind: Kind, what: &str, reply: &Reply) -> Error {
    let error = Error::new(kind, what).with("status", reply.status);
    match reply.excerpt() {
        empty if empty.is_empty() => error,
        body => error.with("body", body),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_772_409_600, 0).unwrap()
    }

    fn reply(status: u16, body: &str) -> Reply {
        let (headers, body) = (Vec::new(), body.as_bytes().to_vec());
        Reply {
            status,
            headers,
            body,
        }
    }

    fn waits(reply: &Reply) -> i64 {
        match classify(reply, now()) {
            Verdict::Retry { after, error } => {
                assert_eq!(error.kind(), Kind::RateLimited);
                (after.unwrap() - now()).num_seconds()
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn writes_that_block_each_other_wait_longer() {
        let body = r#"{"error": {"reason": {".tag": "too_many_write_operations"},
            "retry_after": 1}, "error_summary": "too_many_write_operations/..."}"#;
        assert_eq!(waits(&reply(429, body)), 15);
        let body = r#"{"error": {"reason": {".tag": "too_many_requests"}, "retry_after": 37}}"#;
        assert_eq!(waits(&reply(429, body)), 37);
        assert_eq!(waits(&reply(429, "")), 10);
        let mut named = reply(429, "");
        named.headers = vec![("retry-after".to_owned(), "300".to_owned())];
        assert_eq!(waits(&named), 300);
        let body = r#"{"error": {".tag": "path",
            "reason": {".tag": "too_many_write_operations"}}}"#;
        assert_eq!(waits(&reply(409, body)), 15);
    }

    #[test]
    fn refusals_of_an_endpoint_go_to_the_caller() {
        let body = r#"{"error_summary": "path/not_found/..", "error": {".tag": "path",
            "path": {".tag": "not_found"}}}"#;
        assert!(matches!(classify(&reply(409, body), now()), Verdict::Good));
        assert!(matches!(
            classify(&reply(409, "<html>"), now()),
            Verdict::Fail(_)
        ));
    }

    #[test]
    fn a_login_that_lacks_a_permission_is_not_an_expired_one() {
        let failed = |body: &str| match classify(&reply(401, body), now()) {
            Verdict::Fail(error) => error,
            other => panic!("{other:?}"),
        };
        let scope = r#"{"error": {".tag": "missing_scope", "required_scope": "sharing.read"}}"#;
        let error = failed(scope);
        assert_eq!(error.kind(), Kind::Forbidden);
        assert!(
            error.to_string().contains("permission=sharing.read"),
            "{error}"
        );
        let expired = failed(r#"{"error": {".tag": "expired_access_token"}}"#);
        assert_eq!(expired.kind(), Kind::Auth);
    }
}
