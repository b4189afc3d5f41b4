//! What Asana's answers mean: the one place that maps its failures.
//!
//! Errors are `{"errors": [{"message", "help", "phrase"}]}`; the phrase comes with a 500 and is
//! what Asana's support asks for (Asana, "Errors", read 2026-11). Two answers are no failures
//! though their status says so: 412 brings the first token of a feed of events, and 400 tells
//! that a page's mark has expired.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, retry_after};

/// Asana's quotas are by the minute ("Rate limits", read 2026-11), for a 429 that names no time.
const WINDOW: TimeDelta = TimeDelta::minutes(1);

pub(super) const NEW_TOKEN: &str = "make a personal access token at \
    https://app.asana.com/0/my-apps and store it as the secret that `token` names; with \
    `client_id`, log in again";

pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    let fail = |kind, what: &str| Verdict::Fail(failure(kind, what, reply));
    match reply.status {
        200 | 201 | 412 if is_json(reply) => Verdict::Good,
        // A captive portal, a proxy's page, or a body that was cut: none of it is an answer.
        200..=399 => Verdict::Retry {
            after: None,
            error: failure(Kind::Protocol, "Asana's answer is not JSON", reply),
        },
        400 if is_expired(reply) => fail(Kind::Conflict, "Asana no longer knows the next page"),
        400 => fail(Kind::Rejected, "Asana calls the request wrong"),
        401 => Verdict::Fail(
            failure(Kind::Auth, "Asana does not accept the credential", reply).hint(NEW_TOKEN),
        ),
        402 => fail(Kind::NotInPlan, "the plan at Asana does not include this"),
        403 => Verdict::Fail(
            failure(Kind::Forbidden, "Asana forbids this", reply)
                .hint("share the project with the user of the credential, or use another one"),
        ),
        404 | 410 => fail(Kind::NotFound, "Asana does not have this, or not for us"),
        409 => fail(Kind::Conflict, "something changed meanwhile"),
        429 => Verdict::Retry {
            after: Some(retry_after(reply, now).unwrap_or(now + WINDOW)),
            error: failure(Kind::RateLimited, "Asana asks for fewer requests", reply),
        },
        // 424 is a service behind Asana that did not answer (seen with attachments).
        408 | 424 | 500.. => Verdict::Retry {
            after: retry_after(reply, now),
            error: failure(Kind::Unavailable, "Asana is in trouble", reply),
        },
        _ => fail(Kind::Rejected, "Asana refused the request"),
    }
}

fn is_json(reply: &Reply) -> bool {
    serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok()
}

/// `offset: Your pagination token has expired.` (airbyte#13676)
fn is_expired(reply: &Reply) -> bool {
    let text = reply.excerpt().to_ascii_lowercase();
    text.contains("offset") && text.contains("expired")
}

/// The body of an answer that is an error.
#[derive(Deserialize)]
struct Errors {
    errors: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    phrase: Option<String>,
}

fn failure(kind: Kind, what: &str, reply: &Reply) -> Error {
    let error = Error::new(kind, what).with("status", reply.status);
    let read: Option<Errors> = serde_json::from_slice(&reply.body).ok();
    match read.and_then(|read| read.errors.into_iter().next()) {
        Some(One { message, phrase }) => {
            let error = error.with("answer", message.unwrap_or_else(|| reply.excerpt()));
            phrase.into_iter().fold(error, |error, phrase| {
                error.with("phrase for Asana's support", phrase)
            })
        }
        None if reply.body.is_empty() => error,
        None => error.with("answer", reply.excerpt()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-16T08:00:00Z".parse().unwrap()
    }

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn message(text: &str) -> String {
        serde_json::json!({"errors": [{"message": text, "help": "see the documents"}]}).to_string()
    }

    #[test]
    fn each_refusal_has_its_kind() {
        for (status, text, kind) in [
            (
                400,
                "offset: Your pagination token has expired.",
                Kind::Conflict,
            ),
            (400, "project: Not a recognized ID: x", Kind::Rejected),
            (401, "Not Authorized", Kind::Auth),
            (402, "Time tracking is not available", Kind::NotInPlan),
            (403, "Forbidden", Kind::Forbidden),
            (404, "task: Unknown object: 1", Kind::NotFound),
            (451, "Unavailable For Legal Reasons", Kind::Rejected),
        ] {
            let Verdict::Fail(error) = classify(&reply(status, &message(text)), now()) else {
                panic!("{status} {text}");
            };
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.to_string().contains(text), "{error}");
            assert!(!error.to_string().contains("see the documents"), "{error}");
        }
    }

    #[test]
    fn a_full_minute_is_waited_for_and_retry_after_honoured() {
        let after = |reply: &Reply| match classify(reply, now()) {
            Verdict::Retry { after, error } => {
                assert_eq!(error.kind(), Kind::RateLimited);
                after.unwrap() - now()
            }
            other => panic!("{other:?}"),
        };
        let mut limited = reply(429, &message("You have made too many requests"));
        assert_eq!(after(&limited), WINDOW);
        limited.headers = vec![("retry-after".to_owned(), "37".to_owned())];
        assert_eq!(after(&limited), TimeDelta::seconds(37));
    }

    #[test]
    fn a_phrase_is_handed_on_for_support() {
        let body = r#"{"errors": [{"message": "Server Error", "phrase": "6 sad squid snuggle"}]}"#;
        let Verdict::Retry { error, .. } = classify(&reply(500, body), now()) else {
            panic!();
        };
        assert!(error.to_string().contains("6 sad squid snuggle"), "{error}");
    }

    #[test]
    fn an_answer_that_is_no_json_is_no_answer() {
        for body in ["", "<html>Sign in</html>", r#"{"data":[{"gid":"5"#] {
            for status in [200, 201, 302] {
                let verdict = classify(&reply(status, body), now());
                assert!(matches!(verdict, Verdict::Retry { .. }), "{status} {body}");
            }
            let verdict = classify(&reply(412, body), now());
            assert!(matches!(verdict, Verdict::Fail(_)), "412 {body}");
        }
        assert!(matches!(classify(&reply(412, "{}"), now()), Verdict::Good));
        assert!(matches!(classify(&reply(200, "{}"), now()), Verdict::Good));
    }
}
