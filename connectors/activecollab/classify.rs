//! What ActiveCollab's answers mean: the one place that maps its failures.
//!
//! Errors come as JSON, `{"type": "<class>", "message": "…", "code": 0}` (vendor's PHP SDK of
//! 2025-05). What is no JSON comes from somewhere else: a proxy, a login page, another program
//! under that address. So a 404 counts as "not there" only in ActiveCollab's own words.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, classify_standard};

pub(super) const ADDRESS: &str = "check `url`: it is the address at which ActiveCollab is opened \
    in a browser, without `/api/v1` at its end (cloud: https://app.activecollab.com/123456)";

const NEW_TOKEN: &str = "make a new token and store it as the secret that `token` names; \
    ActiveCollab lists the old one under your profile, API subscriptions";

/// The body of a failure, where ActiveCollab wrote it.
#[derive(Debug, Deserialize)]
struct Failure {
    #[serde(default, rename = "type")]
    class: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

/// Reads an answer.
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        200 | 201 if is_json(reply) => Verdict::Good,
        // A captive portal, a proxy's page, or a body that was cut: none of it is an answer.
        200..=399 => Verdict::Retry {
            after: None,
            error: failed(Kind::Protocol, "the answer is not ActiveCollab's", reply).hint(ADDRESS),
        },
        401 => Verdict::Fail(
            failed(Kind::Auth, "ActiveCollab does not accept the token", reply).hint(NEW_TOKEN),
        ),
        404 | 410 if words(reply).is_some() => Verdict::Fail(failed(
            Kind::NotFound,
            "ActiveCollab does not have this",
            reply,
        )),
        404 | 410 => Verdict::Fail(
            failed(Kind::Protocol, "this address is no ActiveCollab", reply).hint(ADDRESS),
        ),
        // The login of the self-hosted program, asked of the cloud (feather-sdk#32).
        500 if reply.excerpt().contains("DOMDocument::loadXML") => Verdict::Fail(
            failed(
                Kind::Settings,
                "this is ActiveCollab's cloud, which has another login",
                reply,
            )
            .hint("set `cloud = true`"),
        ),
        _ => classify_standard(reply, now),
    }
}

fn is_json(reply: &Reply) -> bool {
    serde_json::from_slice::<IgnoredAny>(&reply.body).is_ok()
}

/// ActiveCollab's own words for a failure.
fn words(reply: &Reply) -> Option<String> {
    let body = reply.body.trim_ascii_start();
    let failure: Failure = serde_json::from_slice(body)
        .ok()
        .filter(|_| body[0] == b'{')?;
    match (failure.class, failure.message) {
        (None, None) => None,
        (class, message) => {
            let words = [class, message];
            Some(words.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
    }
}

fn failed(kind: Kind, what: &str, reply: &Reply) -> Error {
    let error = Error::new(kind, what).with("status", reply.status);
    match words(reply).unwrap_or_else(|| reply.excerpt()) {
        empty if empty.is_empty() => error,
        words => error.with("answer", words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, body: &str) -> Verdict {
        let reply = Reply {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        classify(&reply, DateTime::UNIX_EPOCH)
    }

    fn kind(status: u16, body: &str) -> Kind {
        match verdict(status, body) {
            Verdict::Fail(error) | Verdict::Retry { error, .. } => error.kind(),
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    #[test]
    fn only_json_is_an_answer() {
        assert!(matches!(verdict(200, "[]"), Verdict::Good));
        for body in ["", "<html>Sign in</html>", "{\"tasks\": [", "\u{0}"] {
            assert_eq!(kind(200, body), Kind::Protocol, "{body}");
        }
    }

    #[test]
    fn not_found_is_believed_in_its_own_words_only() {
        let own = r#"{"type":"Angie\\Http\\Response\\NotFound","message":"Not found"}"#;
        assert_eq!(kind(404, own), Kind::NotFound);
        for other in ["", "<h1>Not Found</h1>", "{}", "[\"x\",\"y\"]"] {
            assert_eq!(kind(404, other), Kind::Protocol, "{other}");
        }
    }

    #[test]
    fn the_usual_failures() {
        let body = r#"{"type":"X","message":"y"}"#;
        assert_eq!(kind(401, body), Kind::Auth);
        assert_eq!(kind(403, body), Kind::Forbidden);
        assert_eq!(kind(429, body), Kind::RateLimited);
        assert_eq!(kind(503, body), Kind::Unavailable);
        let legacy = r#"{"type":"ValueError","message":"DOMDocument::loadXML(): empty"}"#;
        assert_eq!(kind(500, legacy), Kind::Settings);
    }
}
