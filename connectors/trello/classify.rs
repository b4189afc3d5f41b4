//! What Trello's answers mean: the one place that maps its failures.
//!
//! Error bodies are sometimes JSON and often plain text, so they are read as text first.

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::IgnoredAny;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, retry_after};

/// Trello names no time to wait; its windows are ten seconds long ("API limits", read 2026-01).
const WINDOW: TimeDelta = TimeDelta::seconds(10);

const NEW_TOKEN: &str = "make a new token: open https://trello.com/1/authorize?expiration=never\
    &name=Stundenbuch&scope=read&response_type=token&key=YOUR_KEY in a browser, allow it, and \
    store what it shows as the secret that `token` names";

/// What to do when the token may read and not write.
pub(super) const WRITE_TOKEN: &str = "the token may not write there: make one that may: open \
    https://trello.com/1/authorize?expiration=never&name=Stundenbuch&scope=read,write\
    &response_type=token&key=YOUR_KEY in a browser as a member of the board, allow it, and store \
    what it shows as the secret that `token` names";

const NEW_KEY: &str = "copy the API key from https://trello.com/power-ups/admin (a Power-Up of \
    yours, tab `API key`) into the secret that `key` names; a token works only with its own key";

/// Reads an answer. Answers that a smaller request would avoid are handed to the caller, who
/// knows how to make it smaller; see [`is_too_big`].
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    if is_too_big(reply) {
        return Verdict::Good;
    }
    match reply.status {
        200 if serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok() => Verdict::Good,
        // A captive portal, a proxy's page, or a body that was cut: none of it is an answer.
        200..=399 => Verdict::Retry {
            after: None,
            error: failure(Kind::Protocol, "Trello's answer is not JSON", reply),
        },
        400 => Verdict::Fail(failure(
            Kind::Rejected,
            "Trello calls the request wrong",
            reply,
        )),
        401 => Verdict::Fail(unauthorised(reply)),
        402 => Verdict::Fail(failure(
            Kind::NotInPlan,
            "the plan does not include this",
            reply,
        )),
        403 => Verdict::Fail(failure(Kind::Forbidden, "Trello forbids this", reply)),
        404 | 410 => Verdict::Fail(failure(Kind::NotFound, "Trello does not have this", reply)),
        409 => Verdict::Fail(failure(
            Kind::Conflict,
            "something changed meanwhile",
            reply,
        )),
        429 => Verdict::Retry {
            // Trello describes no `Retry-After`; a proxy, or a later Trello, may send one.
            after: Some(retry_after(reply, now).unwrap_or(now + WINDOW)),
            error: failure(Kind::RateLimited, "Trello asks to wait", reply),
        },
        // 449 is a failed part of a nested request, which Trello describes as passing.
        408 | 449 | 500.. => Verdict::Retry {
            after: retry_after(reply, now),
            error: failure(Kind::Unavailable, "Trello is not available", reply),
        },
        _ => Verdict::Fail(failure(
            Kind::Protocol,
            "Trello's answer is unexpected",
            reply,
        )),
    }
}

/// Whether the request asked for more than Trello gives at once: 403 `Too many checklists`
/// (airbyte#22037), 429 `API_TOO_MANY_CARDS_REQUESTED`, or a time-out after 30 seconds.
pub(super) fn is_too_big(reply: &Reply) -> bool {
    match reply.status {
        403 => reply.excerpt().to_ascii_lowercase().contains("too many"),
        429 => reply.excerpt().contains("API_TOO_MANY"),
        504 => true,
        _ => false,
    }
}

/// The error for an answer that is too big and cannot be asked for in smaller parts.
pub(super) fn too_big(reply: &Reply) -> Error {
    failure(
        Kind::Unavailable,
        "Trello could not answer so large a request",
        reply,
    )
}

fn unauthorised(reply: &Reply) -> Error {
    let text = reply.excerpt().to_ascii_lowercase();
    // `unauthorized card permission requested`: the token is good, and not for this thing.
    if text.contains("permission requested") {
        return failure(Kind::Forbidden, "the token may not see this", reply);
    }
    let (what, hint) = if text.contains("invalid key") {
        ("Trello does not know the API key", NEW_KEY)
    } else if text.contains("expired") {
        ("the Trello token has expired", NEW_TOKEN)
    } else {
        ("Trello does not accept the token", NEW_TOKEN)
    };
    failure(Kind::Auth, what, reply).hint(hint)
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
        Reply {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn failed(status: u16, body: &str) -> Error {
        match classify(&reply(status, body), now()) {
            Verdict::Fail(error) => error,
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    #[test]
    fn refused_credentials_say_how_to_make_new_ones() {
        for (body, message, hint) in [
            ("invalid token", "does not accept the token", "/1/authorize"),
            ("expired token", "has expired", "/1/authorize"),
            (
                "invalid key",
                "does not know the API key",
                "power-ups/admin",
            ),
        ] {
            let error = failed(401, body);
            assert_eq!(error.kind(), Kind::Auth);
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.advice().unwrap().contains(hint));
        }
        let other = failed(401, "unauthorized card permission requested");
        assert_eq!(other.kind(), Kind::Forbidden);
    }

    #[test]
    fn what_is_too_big_goes_to_the_caller() {
        let cards = r#"{"error":"API_TOO_MANY_CARDS_REQUESTED","message":"…"}"#;
        for big in [
            reply(403, "Too many checklists"),
            reply(429, cards),
            reply(504, ""),
        ] {
            assert!(matches!(classify(&big, now()), Verdict::Good), "{big:?}");
            assert!(is_too_big(&big));
        }
        assert_eq!(
            failed(403, "board must have Power-Up").kind(),
            Kind::Forbidden
        );
    }

    #[test]
    fn a_full_window_is_waited_for_and_retry_after_honoured() {
        let after = |reply: &Reply| match classify(reply, now()) {
            Verdict::Retry { after, error } => {
                assert_eq!(error.kind(), Kind::RateLimited);
                after.unwrap() - now()
            }
            other => panic!("{other:?}"),
        };
        let mut limited = reply(429, r#"{"error":"API_TOKEN_LIMIT_EXCEEDED"}"#);
        assert_eq!(after(&limited), WINDOW);
        limited.headers = vec![("retry-after".to_owned(), "37".to_owned())];
        assert_eq!(after(&limited), TimeDelta::seconds(37));
        limited.headers = vec![(
            "retry-after".to_owned(),
            "Mon, 02 Mar 2026 00:01:00 GMT".to_owned(),
        )];
        assert_eq!(after(&limited), TimeDelta::seconds(60));
    }

    #[test]
    fn an_answer_that_is_no_json_is_no_answer() {
        for body in ["", "<html>Sign in</html>", r#"[{"id":"5"#] {
            let verdict = classify(&reply(200, body), now());
            assert!(
                matches!(verdict, Verdict::Retry { .. }),
                "{body}: {verdict:?}"
            );
        }
        assert!(matches!(classify(&reply(200, "[]"), now()), Verdict::Good));
        assert!(matches!(
            classify(&reply(302, ""), now()),
            Verdict::Retry { .. }
        ));
    }
}
