//! The requests that are sent to Clockify, each in one function.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::value::RawValue;

use super::classify;
use super::state::Listing;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Options, Reply, Request, segment};
use crate::kind::{Bucket, Settings};
use crate::window::ANY_ZONE;

/// New workspaces on the Free plan have 30 requests an hour, all of their members' apps together
/// (Clockify, "Webhook and API limitations", read 2026-11).
pub(super) const FREE: Bucket = Bucket {
    name: "free",
    requests: 30,
    per: Duration::from_hours(1),
    reserve: 10,
    spacing: Duration::from_millis(200),
};

/// Paid workspaces have 50 requests a second (same page); five are plenty.
pub(super) const PAID: Bucket = Bucket {
    name: "paid",
    requests: 3_600,
    per: Duration::from_hours(1),
    reserve: 600,
    spacing: Duration::from_millis(200),
};

static FREE_BUCKETS: [Bucket; 1] = [FREE];
static PAID_BUCKETS: [Bucket; 1] = [PAID];

/// Rows of a page. The description names no most; others have had up to 5,000.
pub(super) const ROWS: usize = 1_000;

/// One account.
pub(super) struct Api {
    http: Http,
    bucket: &'static str,
}

/// One page of a listing.
pub(super) struct Listed {
    pub(super) rows: Vec<Box<RawValue>>,
    pub(super) last: bool,
}

impl Api {
    pub(super) fn new(name: &str, settings: &Settings, platform: &Platform) -> Result<Self> {
        let key = settings
            .secret("api_key")
            .filter(|key| !key.expose().is_empty())
            .ok_or_else(|| {
                Error::new(Kind::Settings, "the API key is missing").hint(classify::KEY_HINT)
            })?;
        let paid = settings.flag("paid");
        let base = settings.text("api_url").unwrap_or(super::API_URL);
        let buckets = if paid { &PAID_BUCKETS } else { &FREE_BUCKETS };
        let mut options = Options::new(name, base.trim_end_matches('/'), buckets);
        options.headers = vec![("x-api-key", key.clone())];
        options.secrets = vec![key.clone()];
        options.timeout = Duration::from_mins(1);
        options.classify = if paid { classify::paid } else { classify::free };
        Ok(Self {
            http: Http::new(options, platform)?,
            bucket: buckets[0].name,
        })
    }

    pub(super) fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// Who the key belongs to.
    pub(super) async fn user(&self) -> Result<Reply> {
        self.read(Request::get(self.bucket, "/user")).await
    }

    pub(super) async fn workspaces(&self) -> Result<Reply> {
        self.read(Request::get(self.bucket, "/workspaces")).await
    }

    /// A workspace's projects, archived ones included.
    pub(super) async fn projects(&self, workspace: &str, page: u32) -> Result<Listed> {
        let path = format!("/workspaces/{}/projects", segment(workspace));
        self.rows(Request::get(self.bucket, path), page, ROWS).await
    }

    /// A workspace's people.
    pub(super) async fn people(&self, workspace: &str, page: u32) -> Result<Listed> {
        let path = format!("/workspaces/{}/users", segment(workspace));
        self.rows(Request::get(self.bucket, path), page, ROWS).await
    }

    /// One person's entries by their start, the newest first, with the names of what they name.
    ///
    /// Clockify reads `start` and `end` as instants and then takes their digits for a wall clock
    /// in the account's zone (observed by others on the live service, August 2026).
    pub(super) async fn entries(&self, listing: &Listing) -> Result<Listed> {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let mut request = self
            .entries_of(&listing.workspace, &listing.user)
            .query("start", text(listing.from - ANY_ZONE))
            .query("hydrated", true);
        if let Some(until) = listing.until {
            request = request.query("end", text(until + ANY_ZONE));
        }
        self.rows(request, listing.page, ROWS).await
    }

    /// Whether a person's entries can be listed at all.
    pub(super) async fn can_list(&self, workspace: &str, user: &str) -> Result<()> {
        let request = self.entries_of(workspace, user);
        self.rows(request, 1, 1).await.map(|_| ())
    }

    fn entries_of(&self, workspace: &str, user: &str) -> Request {
        let (workspace, user) = (segment(workspace), segment(user));
        let path = format!("/workspaces/{workspace}/user/{user}/time-entries");
        Request::get(self.bucket, path)
    }

    /// One entry; `None` where Clockify says that there is none.
    pub(super) async fn entry(&self, workspace: &str, id: &str) -> Result<Option<Reply>> {
        let (workspace, id) = (segment(workspace), segment(id));
        let path = format!("/workspaces/{workspace}/time-entries/{id}");
        let reply = self.http.send(Request::get(self.bucket, path)).await?;
        Ok(Some(reply).filter(|reply| !classify::is_unknown(reply)))
    }

    /// Sends a request about something that must be there.
    async fn read(&self, request: Request) -> Result<Reply> {
        let path = request.path.clone();
        let reply = self.http.send(request).await?;
        if classify::is_unknown(&reply) {
            return Err(
                Error::new(Kind::NotFound, "Clockify says that this is not there")
                    .with("request", path)
                    .with("answer", reply.excerpt())
                    .hint("see whether the account is still in the workspace"),
            );
        }
        Ok(reply)
    }

    async fn rows(&self, request: Request, page: u32, size: usize) -> Result<Listed> {
        let request = request.query("page", page).query("page-size", size);
        let reply = self.read(request).await?;
        let rows: Vec<Box<RawValue>> = reply.json()?;
        let last = match reply.header("last-page").map(str::trim) {
            Some("true") => true,
            Some("false") => false,
            _ => rows.len() < size,
        };
        // A page without rows that is not the last would be asked for for ever.
        if rows.is_empty() && !last {
            return Err(
                Error::new(Kind::Protocol, "Clockify's listing does not come to an end")
                    .with("page", page),
            );
        }
        Ok(Listed { rows, last })
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}
