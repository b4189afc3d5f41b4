//! What Kimai's answers mean: the one place where its failures become ours.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, classify_standard};

/// Where to find what a person must give us.
pub(super) const TOKEN_HINT: &str = "create an API token in Kimai under your profile, API access, \
    and store it as the connection's credential";

/// An answer. Kimai itself says 404 for what is not there, and for a page behind the last one;
/// those are answers that the caller understands. Any other 404 comes from a wrong address.
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        404 if is_not_there(reply) => Verdict::Good,
        404 => Verdict::Fail(
            Error::new(Kind::NotFound, "there is no API of Kimai at this address")
                .with("answer", reply.excerpt())
                .hint("give Kimai's own address as `url`, as the browser shows it before `/en/`"),
        ),
        401 => Verdict::Fail(
            Error::new(Kind::Auth, "Kimai does not accept the API token")
                .with("status", reply.status)
                .hint(TOKEN_HINT),
        ),
        _ => classify_standard(reply, now),
    }
}

/// Whether Kimai itself says that something is not there: in its own words for failures, which a
/// server before it does not use (Kimai, `config/packages/fos_rest.yaml`, read 2026-08).
pub(super) fn is_not_there(reply: &Reply) -> bool {
    #[derive(Deserialize)]
    struct Failure {
        code: i64,
        #[serde(rename = "message")]
        _message: String,
    }
    let object = reply.body.trim_ascii_start().first() == Some(&b'{');
    let failure = || serde_json::from_slice::<Failure>(&reply.body).ok();
    reply.status == 404 && object && failure().is_some_and(|failure| failure.code == 404)
}

/// The instant of an answer by the service's own clock.
pub(super) fn answered(reply: &Reply) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(reply.header("date")?.trim()).ok()?;
    Some(date.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn only_kimais_own_404_means_that_something_is_not_there() {
        let now = DateTime::UNIX_EPOCH;
        let own = reply(404, r#"{"code":404,"message":"Not Found"}"#);
        assert!(matches!(classify(&own, now), Verdict::Good));
        for body in [
            "",
            "{}",
            "<html>404</html>",
            r#"{"code":500,"message":"Not Found"}"#,
            r#"[404,"Not Found"]"#,
        ] {
            match classify(&reply(404, body), now) {
                Verdict::Fail(error) => assert_eq!(error.kind(), Kind::NotFound, "{body}"),
                other => panic!("{body}: {other:?}"),
            }
        }
    }
}
