//! What Box's answers mean: the one place that maps its failures.
//!
//! Failures are told as `{"type": "error", "status": 409, "code": "item_name_in_use", …}` (Box,
//! OpenAPI description of 2026-06, `ClientError`).

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::IgnoredAny;

use super::refusal::Refusal;
use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, retry_after};

/// Waited where somebody else works on the same things and Box names no time.
const PAUSE: TimeDelta = TimeDelta::seconds(5);
/// Waited where Box asks for fewer requests and names no time: its windows are a minute long.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

/// Reads an answer in JSON. What Box refuses with a reason is handed to the caller, who knows
/// what it means there.
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        200 | 201 if serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok() => Verdict::Good,
        // A captive portal, a proxy's page, or a body that was cut: none of it is an answer.
        200..=399 => Verdict::Retry {
            after: None,
            error: failure(Kind::Protocol, "Box's answer is not JSON", reply),
        },
        _ => refused(reply, now),
    }
}

/// Reads a download: any bytes are one. A file that was just uploaded may not be ready (202).
pub(super) fn classify_download(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        200 => Verdict::Good,
        202 => Verdict::Retry {
            after: Some(retry_after(reply, now).unwrap_or(now + PAUSE)),
            error: failure(Kind::Unavailable, "the file is not ready yet", reply),
        },
        201..=399 => Verdict::Fail(failure(Kind::Protocol, "this is no download", reply)),
        _ => refused(reply, now),
    }
}

fn refused(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    let fail = |kind, what, hint: &str| Verdict::Fail(failure(kind, what, reply).hint(hint));
    let reason = Refusal::of(reply);
    let code = reason.as_ref().map(|it| it.code.as_str());
    match (reply.status, code) {
        (401, _) => fail(Kind::Auth, "Box does not accept the login", "log in again"),
        (402, _) => fail(
            Kind::NotInPlan,
            "the plan does not include this",
            "see the plan at Box",
        ),
        (403, Some("storage_limit_exceeded")) => fail(
            Kind::Forbidden,
            "there is no room left at Box",
            "make room there, or deliver somewhere else",
        ),
        (409, Some("name_temporarily_reserved" | "operation_blocked_temporary")) => {
            Verdict::Retry {
                after: Some(retry_after(reply, now).unwrap_or(now + PAUSE)),
                error: failure(
                    Kind::Unavailable,
                    "somebody works on the same things",
                    reply,
                ),
            }
        }
        (403 | 404 | 409 | 412, Some(_)) => Verdict::Good,
        (403, None) => fail(
            Kind::Forbidden,
            "Box forbids this",
            "give the account that logged in access to the folder",
        ),
        (404 | 405 | 410, _) => fail(
            Kind::NotFound,
            "Box does not know this",
            "check `folder` and `api_url`",
        ),
        (409 | 412, None) => fail(
            Kind::Conflict,
            "something changed meanwhile",
            "nothing to do: it is looked at again",
        ),
        (429, _) => Verdict::Retry {
            after: Some(retry_after(reply, now).unwrap_or(now + WINDOW)),
            error: failure(Kind::RateLimited, "Box asks for fewer requests", reply),
        },
        (408 | 423 | 500.., _) => Verdict::Retry {
            after: retry_after(reply, now),
            error: failure(Kind::Unavailable, "Box is in trouble", reply),
        },
        _ => Verdict::Fail(failure(
            Kind::Rejected,
            "Box calls the request wrong",
            reply,
        )),
    }
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

    fn error(status: u16, code: &str) -> Reply {
        let body = format!(r#"{{"type": "error", "status": {status}, "code": "{code}"}}"#);
        reply(status, &body)
    }

    #[test]
    fn refusals_with_a_reason_go_to_the_caller() {
        for (status, code) in [(404, "not_found"), (409, "item_name_in_use"), (412, "x")] {
            let answer = error(status, code);
            assert!(
                matches!(classify(&answer, now()), Verdict::Good),
                "{status}"
            );
        }
        // A 404 of something on the way proves nothing.
        for body in [
            "",
            "{}",
            "<html>not found</html>",
            r#"{"code": "not_found"}"#,
        ] {
            let verdict = classify(&reply(404, body), now());
            assert!(matches!(verdict, Verdict::Fail(_)), "{body}: {verdict:?}");
        }
    }

    #[test]
    fn a_name_that_is_reserved_for_a_moment_is_waited_for() {
        for code in ["name_temporarily_reserved", "operation_blocked_temporary"] {
            let Verdict::Retry { after, .. } = classify(&error(409, code), now()) else {
                panic!("{code}");
            };
            assert_eq!(after, Some(now() + PAUSE));
        }
    }

    #[test]
    fn a_file_that_is_not_ready_is_waited_for() {
        let mut answer = reply(202, "");
        answer.headers = vec![("retry-after".to_owned(), "3".to_owned())];
        let Verdict::Retry { after, .. } = classify_download(&answer, now()) else {
            panic!("202 is no download");
        };
        assert_eq!(after, Some(now() + TimeDelta::seconds(3)));
        let html = reply(200, "<html>");
        assert!(matches!(classify_download(&html, now()), Verdict::Good));
        assert!(matches!(classify(&html, now()), Verdict::Retry { .. }));
    }
}
