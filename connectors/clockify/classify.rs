//! What Clockify's answers mean: the one place where its failures become ours.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, classify_standard, retry_after};

/// Where to find what a person must give us.
pub(super) const KEY_HINT: &str = "generate an API key in Clockify under Preferences, Advanced, \
    and store it as the connection's credential; a workspace with an address of its own, or in \
    another region, needs a key made there and its own `api_url`";

/// The window of the Free plan's quota; when it ends is not told (Clockify, "Webhook and API
/// limitations", read 2026-11). Waiting too long loses an hour, asking too early what is left.
const HOUR: TimeDelta = TimeDelta::hours(1);

/// The body of a failure.
#[derive(Debug, Deserialize)]
struct Failure {
    code: Option<i64>,
}

/// An answer to a workspace on the Free plan, whose quota is for an hour.
pub(super) fn free(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        429 => {
            let until = retry_after(reply, now).unwrap_or(now + HOUR);
            let error = Error::new(
                Kind::RateLimited,
                "Clockify's quota for the hour is used up",
            )
            .with("until", until.format("%H:%M:%S UTC"));
            Verdict::Park { until, error }
        }
        _ => paid(reply, now),
    }
}

/// An answer to a workspace on a paid plan, whose quota is for a second.
pub(super) fn paid(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        400 if is_unknown(reply) => Verdict::Good,
        401 => Verdict::Fail(
            Error::new(Kind::Auth, "Clockify does not accept the API key")
                .with("status", reply.status)
                .hint(KEY_HINT),
        ),
        _ => classify_standard(reply, now),
    }
}

/// For what is not there Clockify answers 400 with the code 501, never 404 (observed by others on
/// the live service, August 2026: `Time entry doesn't belong to Workspace`). A route that does
/// not exist answers 404.
pub(super) fn is_unknown(reply: &Reply) -> bool {
    if reply.status != 400 {
        return false;
    }
    let failure: Option<Failure> = serde_json::from_slice(&reply.body).ok();
    failure.is_some_and(|failure| failure.code == Some(501))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-11-02T01:00:00Z".parse().unwrap()
    }

    fn reply(status: u16, headers: &[(&str, &str)], body: &str) -> Reply {
        let headers = headers.iter();
        Reply {
            status,
            headers: headers
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn kind(verdict: Verdict) -> Kind {
        match verdict {
            Verdict::Fail(error) => error.kind(),
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    #[test]
    fn what_is_not_there_is_a_400_with_its_code() {
        let gone = r#"{"message":"Time entry doesn't belong to Workspace","code":501}"#;
        let gone = reply(400, &[], gone);
        assert!(is_unknown(&gone) && matches!(paid(&gone, now()), Verdict::Good));
        // Neither another code nor the same words in another answer prove that.
        for body in [
            r#"{"message":"Time entry doesn't belong to Workspace","code":400}"#,
            r#"{"message":"501"}"#,
            "",
        ] {
            let verdict = paid(&reply(400, &[], body), now());
            assert_eq!(kind(verdict), Kind::Rejected, "{body}");
        }
    }

    #[test]
    fn a_used_up_hour_parks_and_a_full_second_is_waited_for() {
        match free(&reply(429, &[], ""), now()) {
            Verdict::Park { until, .. } => assert_eq!(until, now() + HOUR),
            other => panic!("expected to be parked, got {other:?}"),
        }
        match free(&reply(429, &[("retry-after", "90")], ""), now()) {
            Verdict::Park { until, .. } => assert_eq!(until, now() + TimeDelta::seconds(90)),
            other => panic!("expected to be parked, got {other:?}"),
        }
        let verdict = paid(&reply(429, &[], ""), now());
        assert!(matches!(verdict, Verdict::Retry { .. }), "{verdict:?}");
    }

    #[test]
    fn a_refused_key_names_the_place_of_the_right_one() {
        let body = r#"{"message":"Api key does not exist","code":4003}"#;
        match free(&reply(401, &[], body), now()) {
            Verdict::Fail(error) => {
                assert_eq!(error.kind(), Kind::Auth);
                assert!(error.advice().unwrap().contains("Preferences"));
            }
            other => panic!("expected a failure, got {other:?}"),
        }
    }
}
