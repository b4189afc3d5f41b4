//! The requests that are sent to Kimai, each in one function.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::classify;
use super::state::{Changes, Listing};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Options, Reply, Request};
use crate::kind::{Bucket, Settings};
use crate::secret::Secret;
use crate::window::ANY_ZONE;

/// Kimai limits nothing by itself (Kimai, `config/packages/rate_limiter.yaml`, read 2026-08). It
/// often runs on a small machine beside other things, so there is a distance between requests.
pub(super) const API: Bucket = Bucket {
    name: "api",
    requests: 3_600,
    per: Duration::from_hours(1),
    reserve: 0,
    spacing: Duration::from_millis(100),
};

static BUCKETS: [Bucket; 1] = [API];

/// Kimai gives no more rows at once (`BaseApiController::MAX_PAGE_SIZE`, read 2026-08).
pub(super) const ROWS: usize = 500;

/// One Kimai.
pub(super) struct Api {
    http: Http,
    team: bool,
}

/// One page of time sheets.
pub(super) struct Listed {
    pub(super) rows: Vec<Box<RawValue>>,
    pub(super) last: bool,
    /// How many there are on all pages.
    pub(super) total: Option<usize>,
    /// By the service's own clock.
    pub(super) answered: Option<DateTime<Utc>>,
}

impl Api {
    pub(super) fn new(name: &str, settings: &Settings, platform: &Platform) -> Result<Self> {
        let missing = |what: &str| {
            Error::new(Kind::Settings, format!("the {what} is missing")).with("connection", name)
        };
        let token = settings.secret("token");
        let token = token
            .filter(|token| !token.expose().is_empty())
            .ok_or_else(|| missing("API token").hint(classify::TOKEN_HINT))?;
        let url = settings
            .text("url")
            .ok_or_else(|| missing("address of Kimai"))?;
        let url = url.trim_end_matches('/').trim_end_matches("/api");
        let mut options = Options::new(name, format!("{url}/api"), &BUCKETS);
        options.headers = if let Some(user) = settings.text("legacy_user") {
            // API passwords are going away, and old installations have nothing else (Kimai,
            // `TokenAuthenticator`, deprecated since 2.54).
            vec![
                ("x-auth-user", Secret::new(user)),
                ("x-auth-token", token.clone()),
            ]
        } else {
            let bearer = Secret::new(&format!("Bearer {}", token.expose()));
            vec![("authorization", bearer)]
        };
        options.secrets = vec![token.clone()];
        options.timeout = Duration::from_mins(1);
        options.classify = classify::classify;
        Ok(Self {
            http: Http::new(options, platform)?,
            team: settings.flag("team"),
        })
    }

    pub(super) fn requests(&self) -> u64 {
        self.http.requests()
    }

    /// Whose token it is.
    pub(super) async fn me(&self) -> Result<Reply> {
        self.read(Request::get(API.name, "/users/me")).await
    }

    pub(super) async fn version(&self) -> Result<Reply> {
        self.read(Request::get(API.name, "/version")).await
    }

    /// All people, hidden ones included.
    pub(super) async fn people(&self) -> Result<Vec<Box<RawValue>>> {
        let request = Request::get(API.name, "/users").query("visible", 3);
        self.read(request).await?.json()
    }

    /// All projects, hidden and ended ones included.
    pub(super) async fn projects(&self) -> Result<Vec<Box<RawValue>>> {
        let request = Request::get(API.name, "/projects")
            .query("visible", 3)
            .query("ignoreDates", 1);
        self.read(request).await?.json()
    }

    /// What was changed since an instant; Kimai wants it in UTC, and without a mark of that.
    pub(super) async fn changes(&self, changes: &Changes) -> Result<Listed> {
        let request = self
            .timesheets()
            .query("modified_after", wall(changes.since));
        self.rows(request, changes.page).await
    }

    /// What started within a span. `begin` and `end` are wall clocks in the zone of the token's
    /// owner.
    pub(super) async fn listing(&self, listing: &Listing) -> Result<Listed> {
        let from = listing.from.checked_sub_signed(ANY_ZONE);
        let mut request = self
            .timesheets()
            .query("begin", wall(from.unwrap_or(listing.from)));
        if let Some(until) = listing.until {
            request = request.query("end", wall(until + ANY_ZONE));
        }
        self.rows(request, listing.page).await
    }

    /// One time sheet; `None` where Kimai says that there is none.
    pub(super) async fn timesheet(&self, id: i64) -> Result<Option<Reply>> {
        let request = Request::get(API.name, format!("/timesheets/{id}"));
        let reply = self.http.send(request).await?;
        Ok(Some(reply).filter(|reply| !classify::is_not_there(reply)))
    }

    /// By number, so that what is added while pages are read comes behind them.
    fn timesheets(&self) -> Request {
        let request = Request::get(API.name, "/timesheets")
            .query("full", 1)
            .query("orderBy", "id")
            .query("order", "ASC")
            .query("size", ROWS);
        if self.team {
            request.query("user", "all")
        } else {
            request
        }
    }

    async fn rows(&self, request: Request, page: u32) -> Result<Listed> {
        let reply = self.http.send(request.query("page", page)).await?;
        let number = |name| reply.header(name).and_then(|text| text.trim().parse().ok());
        let pages: Option<usize> = number("x-total-pages");
        let answered = classify::answered(&reply);
        if classify::is_not_there(&reply) {
            // The page behind the last one. The first is always there, be it empty.
            return match page {
                1 => Err(not_there(&reply)),
                _ => Ok(Listed {
                    rows: Vec::new(),
                    last: true,
                    total: None,
                    answered,
                }),
            };
        }
        let rows: Vec<Box<RawValue>> = reply.json()?;
        let last = pages.map_or(rows.len() < ROWS, |pages| page as usize >= pages);
        Ok(Listed {
            last,
            total: number("x-total-count"),
            answered,
            rows,
        })
    }

    /// Sends a request about something that must be there.
    async fn read(&self, request: Request) -> Result<Reply> {
        let reply = self.http.send(request).await?;
        if classify::is_not_there(&reply) {
            return Err(not_there(&reply));
        }
        Ok(reply)
    }
}

fn not_there(reply: &Reply) -> Error {
    Error::new(
        Kind::NotFound,
        "this Kimai does not know what it was asked for",
    )
    .with("answer", reply.excerpt())
    .hint("Kimai 2.0 or newer is needed")
}

/// The digits of an instant, as Kimai reads them.
fn wall(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%S").to_string()
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}
