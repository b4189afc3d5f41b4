//! The requests that are sent to Toggl, each in one function.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::classify;
use super::state::Next;
use crate::basic_auth;
use crate::clock::Clock;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Options, Reply, Request, Verdict};
use crate::kind::{Bucket, Settings};
use crate::secret::Secret;

/// Everything below `/me` counts against the person, whatever the plan (Toggl, "API limits",
/// read 2026-03). The person's own apps and plugins draw from the same 30, hence the reserve.
pub(super) const USER: Bucket = Bucket {
    name: "user",
    requests: 30,
    per: Duration::from_hours(1),
    reserve: 10,
    spacing: Duration::from_secs(1),
};

/// Reports count against the organisation: 30 an hour on the Free plan, more on others. We
/// keep to what every plan has.
pub(super) const ORG: Bucket = Bucket {
    name: "org",
    ..USER
};

pub(super) static USER_BUCKETS: [Bucket; 1] = [USER];
pub(super) static ORG_BUCKETS: [Bucket; 1] = [ORG];

/// Track shows at most so many entries and does not say when there are more.
pub(super) const LISTING_MAX: usize = 1000;

/// The two interfaces of one account.
pub(super) struct Api {
    track: Http,
    reports: Http,
    clock: Arc<dyn Clock>,
    /// When the last answer came, from either interface.
    last: Mutex<Option<DateTime<Utc>>>,
}

/// A listing of time entries by Track.
pub(super) enum Listing {
    Rows {
        rows: Vec<Box<RawValue>>,
        /// The instant of the answer, by the service's clock.
        answered: Option<DateTime<Utc>>,
    },
    /// Nothing was listed: it may be asked from this day on.
    TooEarly(NaiveDate),
}

/// One page of a report.
pub(super) struct ReportPage {
    /// `None` for a null answer, which is taken for no rows and for no proof of anything.
    pub(super) rows: Option<Vec<Box<RawValue>>>,
    pub(super) next: Option<Next>,
}

impl Api {
    pub(super) fn new(name: &str, settings: &Settings, platform: &Platform) -> Result<Self> {
        let token = settings
            .secret("token")
            .filter(|token| !token.expose().is_empty())
            .ok_or_else(|| {
                Error::new(Kind::Settings, "the API token is missing").hint(classify::TOKEN_HINT)
            })?;
        let http = |key, default: &str, buckets, classify: fn(&Reply, _) -> Verdict| {
            let base = settings.text(key).unwrap_or(default);
            let mut options = Options::new(name, base.trim_end_matches('/'), buckets);
            options.headers = vec![("authorization", basic(token))];
            options.secrets = vec![token.clone()];
            options.timeout = Duration::from_mins(1);
            options.classify = classify;
            options.quota = Some(classify::quota);
            Http::new(options, platform)
        };
        Ok(Self {
            track: http("api_url", super::API_URL, &USER_BUCKETS, classify::track)?,
            reports: http(
                "reports_url",
                super::REPORTS_URL,
                &ORG_BUCKETS,
                classify::reports,
            )?,
            clock: Arc::clone(&platform.clock),
            last: Mutex::new(None),
        })
    }

    /// Sends with a second between two requests, whichever interface each of them asks: the
    /// service counts them together, by token and address (Toggl, "API limits", read 2026-03).
    async fn send(&self, http: &Http, request: Request) -> Result<Reply> {
        let mut last = self.last.lock().await;
        if let Some(last) = *last {
            let passed = (self.clock.now() - last).to_std().unwrap_or_default();
            let wait = USER.spacing.saturating_sub(passed);
            if !wait.is_zero() {
                self.clock.sleep(wait).await;
            }
        }
        let reply = http.send(request).await;
        *last = Some(self.clock.now());
        reply
    }

    pub(super) fn requests(&self) -> u64 {
        self.track.requests() + self.reports.requests()
    }

    /// The account and everything that it can name. One request replaces five (people,
    /// projects, clients, tags, workspaces), which matters with 30 an hour.
    pub(super) async fn me(&self) -> Result<Reply> {
        let request = Request::get(USER.name, "/me").query("with_related_data", true);
        self.send(&self.track, request).await
    }

    /// The change feed: own entries written since an instant, deleted ones included. It is the
    /// only listing that shows deletions.
    pub(super) async fn since(&self, since: DateTime<Utc>) -> Result<Listing> {
        let request = Request::get(USER.name, "/me/time_entries")
            .query("since", since.timestamp())
            .query("meta", true);
        self.listing(request).await
    }

    /// Own entries by their start.
    pub(super) async fn between(
        &self,
        from: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Listing> {
        let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        let request = Request::get(USER.name, "/me/time_entries")
            .query("start_date", text(from))
            .query("end_date", text(until))
            .query("meta", true);
        self.listing(request).await
    }

    async fn listing(&self, request: Request) -> Result<Listing> {
        let reply = self.send(&self.track, request).await?;
        if let Some(day) = classify::earliest(&reply) {
            return Ok(Listing::TooEarly(day));
        }
        let rows: Option<Vec<Box<RawValue>>> = reply.json()?;
        Ok(Listing::Rows {
            rows: rows.unwrap_or_default(),
            answered: classify::answered(&reply),
        })
    }

    /// One own entry. [`Kind::NotFound`] where there is none.
    pub(super) async fn entry(&self, id: i64) -> Result<Reply> {
        let request = Request::get(USER.name, format!("/me/time_entries/{id}"));
        self.send(&self.track, request).await
    }

    /// A page of a workspace's detailed report. `search` says which entries.
    pub(super) async fn report(&self, workspace: i64, mut search: Value) -> Result<ReportPage> {
        // Without it the user's preference decides, and a rounded report would differ from the
        // feed in every entry.
        search["rounding"] = json!(0);
        search["grouped"] = json!(false);
        search["enrich_response"] = json!(true);
        let path = format!("/workspace/{workspace}/search/time_entries");
        let request = Request::post_read(ORG.name, path, search);
        let reply = self.send(&self.reports, request).await?;
        let number = |name| reply.header(name).and_then(|text| text.trim().parse().ok());
        Ok(ReportPage {
            rows: reply.json()?,
            next: number("x-next-row-number").map(|row| Next {
                row,
                id: number("x-next-id"),
                timestamp: number("x-next-timestamp"),
            }),
        })
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// The header for a token: the token as user, the literal word as password.
fn basic(token: &Secret) -> Secret {
    basic_auth::header(token.expose(), "api_token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_user() {
        let header = basic(&Secret::new("t0ken\n"));
        assert_eq!(header.expose(), "Basic dDBrZW46YXBpX3Rva2Vu");
    }
}
