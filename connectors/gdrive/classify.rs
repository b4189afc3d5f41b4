//! What Drive's answers mean: the one place that maps its failures.
//!
//! Decided by `error.errors[0].reason`, since 403 stands for a dozen things ("Resolve errors",
//! Drive API, read 2026-11).

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

use crate::error::{Error, Kind};
use crate::http::{Reply, Verdict, classify_standard, retry_after};

/// The day's quota is used up; nothing says when the day ends.
const DAY: TimeDelta = TimeDelta::hours(1);

#[derive(Debug, Deserialize)]
struct Body {
    error: Failure,
}

#[derive(Debug, Deserialize)]
struct Failure {
    #[serde(default)]
    message: String,
    #[serde(default)]
    errors: Vec<Detail>,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Debug, Deserialize)]
struct Detail {
    #[serde(default)]
    reason: String,
}

/// Reads an answer. A body of a good one is looked at by the caller alone: it may be a file.
pub(super) fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    if (200..300).contains(&reply.status) {
        return Verdict::Good;
    }
    let body: Option<Body> = serde_json::from_slice(&reply.body).ok();
    let Some(Body { error }) = body else {
        return foreign(reply, now);
    };
    let mut reasons = error
        .errors
        .iter()
        .chain(&error.details)
        .map(|it| it.reason.as_str());
    let reason = reasons
        .find(|reason| !reason.is_empty())
        .unwrap_or_default();
    let told = Told {
        reply,
        reason,
        message: &error.message,
    };
    match (reply.status, reason) {
        (403 | 429, "rateLimitExceeded" | "userRateLimitExceeded" | "sharingRateLimitExceeded") => {
            Verdict::Retry {
                after: retry_after(reply, now),
                error: told.error(Kind::RateLimited, "Drive asks for fewer requests"),
            }
        }
        (403 | 429, "dailyLimitExceeded" | "quotaExceeded") => Verdict::Park {
            until: now + DAY,
            error: told.error(Kind::RateLimited, "the day's quota at Drive is used up"),
        },
        (403, _) => Verdict::Fail(told.refused()),
        (404, "") => foreign(reply, now),
        (404, _) => Verdict::Fail(
            told.error(
                Kind::NotFound,
                "Drive does not have this, or does not show it to us",
            )
            .hint("share the folder with the account that the connection uses"),
        ),
        _ => classify_standard(reply, now),
    }
}

/// An answer without a reason of Drive's. A 404 of something on the way does not mean that a file
/// is gone, and "not found" is taken for just that.
fn foreign(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    if !matches!(reply.status, 404 | 410) {
        return classify_standard(reply, now);
    }
    let error = Error::new(Kind::Protocol, "a \"not found\" that is not Drive's own")
        .with("status", reply.status)
        .hint("check `api_url`, and whether this network answers in Drive's place");
    Verdict::Fail(error)
}

struct Told<'a> {
    reply: &'a Reply,
    reason: &'a str,
    message: &'a str,
}

impl Told<'_> {
    fn error(&self, kind: Kind, what: &str) -> Error {
        let error = Error::new(kind, what).with("status", self.reply.status);
        let error = match self.reason {
            "" => error,
            reason => error.with("reason", reason),
        };
        match self.message {
            "" => error,
            message => error.with("answer", message),
        }
    }

    /// A 403 that stays one.
    fn refused(&self) -> Error {
        let (what, hint) = match self.reason {
            // Since 2025-04; a service account owns no storage (n8n#26050, read 2026-11).
            "storageQuotaExceeded" if self.message.contains("Service Account") => (
                "a service account cannot put files into somebody's own drive",
                "let the connection's `folder` be in a shared drive, or name in `user` for whom \
                 the service account acts, or connect a person's account instead",
            ),
            "storageQuotaExceeded" => (
                "the drive is full",
                "free some space, or let another account own the folder",
            ),
            "insufficientPermissions" | "ACCESS_TOKEN_SCOPE_INSUFFICIENT" => (
                "the login does not reach so far",
                "set `access` to what the connection is for, and log in again with \
                 `stundenbuch auth`",
            ),
            "accessNotConfigured" | "SERVICE_DISABLED" => (
                "the Drive API is not switched on in the Google Cloud project",
                "switch it on at https://console.cloud.google.com/apis/library/drive.googleapis.com",
            ),
            "cannotDownloadAbusiveFile" => (
                "Google takes the file for harmful and does not hand it out",
                "look at the file at Google Drive; it is not read here",
            ),
            "cannotDownloadFile" | "fileNotDownloadable" => (
                "the file cannot be downloaded",
                "Google's own documents have no bytes; export one as a file beside it",
            ),
            "teamDriveFileLimitExceeded" | "numChildrenInNonRootLimitExceeded" => (
                "the folder holds as many files as Google allows",
                "let the connection deliver into another folder",
            ),
            _ => (
                "Drive does not allow this",
                "give the account of the connection the rights of an editor on the folder",
            ),
        };
        self.error(Kind::Forbidden, what).hint(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, reason: &str, message: &str) -> Reply {
        let body = serde_json::json!({"error": {"code": status, "message": message,
            "errors": [{"domain": "usageLimits", "reason": reason, "message": message}]}});
        Reply {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    fn read(status: u16, reason: &str, message: &str) -> Verdict {
        classify(&reply(status, reason, message), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn a_403_is_many_things() {
        for reason in [
            "rateLimitExceeded",
            "userRateLimitExceeded",
            "sharingRateLimitExceeded",
        ] {
            let verdict = read(403, reason, "");
            assert!(
                matches!(verdict, Verdict::Retry { after: None, .. }),
                "{verdict:?}"
            );
        }
        assert!(matches!(
            read(403, "dailyLimitExceeded", ""),
            Verdict::Park { .. }
        ));
        let full = "Service Accounts do not have storage quota. Leverage shared drives…";
        for (reason, message, hint) in [
            ("storageQuotaExceeded", full, "shared drive"),
            (
                "storageQuotaExceeded",
                "The user's Drive storage quota…",
                "free some space",
            ),
            ("insufficientPermissions", "", "stundenbuch auth"),
            ("accessNotConfigured", "", "console.cloud.google.com"),
            ("insufficientFilePermissions", "", "editor"),
            ("", "", "editor"),
        ] {
            let Verdict::Fail(error) = read(403, reason, message) else {
                panic!("{reason}");
            };
            assert_eq!(error.kind(), Kind::Forbidden);
            assert!(error.advice().unwrap().contains(hint), "{error}");
        }
    }

    #[test]
    fn a_404_without_a_reason_is_not_drives() {
        for body in [
            "",
            "<html>not found</html>",
            "{}",
            r#"{"error": {"code": 404}}"#,
        ] {
            let (status, headers, body) = (404, Vec::new(), body.as_bytes().to_vec());
            let reply = Reply {
                status,
                headers,
                body,
            };
            let Verdict::Fail(error) = classify(&reply, DateTime::UNIX_EPOCH) else {
                panic!("a 404 is no answer");
            };
            assert_eq!(error.kind(), Kind::Protocol);
        }
    }

    #[test]
    fn the_other_statuses_are_the_usual_ones() {
        let kind = |status| match read(status, "x", "") {
            Verdict::Fail(error) | Verdict::Retry { error, .. } => error.kind(),
            other => panic!("{other:?}"),
        };
        for (status, wanted) in [
            (400, Kind::Rejected),
            (401, Kind::Auth),
            (404, Kind::NotFound),
            (409, Kind::Conflict),
            (429, Kind::RateLimited),
            (500, Kind::Unavailable),
            (503, Kind::Unavailable),
        ] {
            assert_eq!(kind(status), wanted, "{status}");
        }
        assert!(matches!(read(200, "", ""), Verdict::Good));
    }
}
