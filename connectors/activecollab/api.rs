//! The requests: lists to their end, and single things.
//!
//! Whether a list is paged is told by headers where there are any, and found out where there are
//! none: the second page is asked for, and a list that ignores pages answers with the first again.
//! What was found out is remembered in the cursor, so that a quiet night does not ask twice.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::OnceCell;

use super::classify::classify;
use super::login::{self, Credential, Doors};
use super::shape::{self, Listed, identifier};
use crate::contract::Platform;
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Options, Reply, Request};
use crate::kind::Bucket;
use crate::secret::Secret;

/// ActiveCollab documents no limit. Many instances run on small machines, so we keep to four
/// requests a second.
pub(super) const BUCKET: Bucket = Bucket {
    name: "api",
    requests: 240,
    per: Duration::from_mins(1),
    reserve: 40,
    spacing: Duration::from_millis(250),
};

/// Small machines take long for long lists.
pub(super) const TIMEOUT: Duration = Duration::from_mins(1);

/// So many pages have no list; one that goes on runs in a circle.
const PAGES_MAX: usize = 2_000;

/// A list that changes while its pages are read is read again so often.
const READINGS: usize = 3;

/// The way to one instance.
pub(super) struct Api {
    credential: Credential,
    doors: Doors,
    platform: Platform,
    open: OnceCell<Open>,
    /// Requests of the login.
    login: AtomicU64,
}

/// The way with a token.
struct Open {
    http: Http,
    owner: Option<i64>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api")
            .field("api", &self.doors.api)
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

impl Api {
    pub(super) fn new(credential: Credential, doors: Doors, platform: &Platform) -> Result<Self> {
        // Refuses now what the base address alone makes impossible.
        Http::new(Options::new(&doors.connection, &doors.api, &[]), platform)?;
        Ok(Self {
            credential,
            doors,
            platform: platform.clone(),
            open: OnceCell::new(),
            login: AtomicU64::new(0),
        })
    }

    pub(super) fn requests(&self) -> u64 {
        let open = self.open.get().map_or(0, |open| open.http.requests());
        open + self.login.load(Ordering::Relaxed)
    }

    /// The user whose token it is, where the token tells.
    pub(super) async fn owner(&self) -> Result<Option<i64>> {
        Ok(self.open().await?.owner)
    }

    /// One thing.
    pub(super) async fn get(&self, path: &str) -> Result<Reply> {
        self.send(Request::get(BUCKET.name, path)).await
    }

    /// A list, whole: every page was read, and their number is what was announced. `unpaged`
    /// holds the kinds of lists that ignore pages.
    pub(super) async fn list(
        &self,
        wanted: &Wanted<'_>,
        unpaged: &mut BTreeSet<String>,
    ) -> Result<Listed> {
        for _ in 0..READINGS {
            if let Some(listed) = self.try_list(wanted, unpaged).await? {
                return Ok(listed);
            }
        }
        Err(Error::new(
            Kind::Unavailable,
            "a list of ActiveCollab changes faster than it can be read",
        )
        .with("list", &wanted.path))
    }

    /// `None` where the list changed between two pages.
    async fn try_list(
        &self,
        wanted: &Wanted<'_>,
        unpaged: &mut BTreeSet<String>,
    ) -> Result<Option<Listed>> {
        let reply = self.send(wanted.page(1)).await?;
        let mut listed = shape::list(&reply, wanted.name)?;
        let announced = total(&reply);
        let mut seen = ids(&listed.rows);
        for number in 2..PAGES_MAX {
            let complete = match announced {
                Some(total) => listed.rows.len() >= total,
                None => listed.rows.is_empty() || unpaged.contains(wanted.kind),
            };
            if complete {
                return Ok(Some(listed));
            }
            let reply = self.send(wanted.page(number)).await?;
            let page = shape::list(&reply, wanted.name)?.rows;
            let found = ids(&page);
            if announced.is_some() {
                // Something came or went, and the border between the pages moved with it.
                let moved = total(&reply) != announced || !found.is_disjoint(&seen);
                if moved || page.is_empty() {
                    return Ok(None);
                }
            } else if page.is_empty() {
                return Ok(Some(listed));
            } else if found.is_subset(&seen) {
                if number == 2 {
                    unpaged.insert(wanted.kind.to_owned());
                }
                return Ok(Some(listed));
            }
            seen.extend(found);
            listed.rows.extend(page);
        }
        Err(
            Error::new(Kind::Protocol, "a list of ActiveCollab has no end")
                .with("list", &wanted.path),
        )
    }

    async fn send(&self, request: Request) -> Result<Reply> {
        self.open().await?.http.send(request).await
    }

    async fn open(&self) -> Result<&Open> {
        self.open.get_or_try_init(|| self.log_in()).await
    }

    async fn log_in(&self) -> Result<Open> {
        let token = match &self.credential {
            Credential::Token(token) => token.clone(),
            Credential::Password { user, password } => {
                let issued = login::issue(&self.doors, user, password, &self.platform).await?;
                self.login.fetch_add(issued.1, Ordering::Relaxed);
                issued.0
            }
        };
        Ok(Open {
            owner: Credential::owner(&token),
            http: self.with(token)?,
        })
    }

    fn with(&self, token: Secret) -> Result<Http> {
        let mut options = Options::new(&self.doors.connection, &self.doors.api, &[BUCKET]);
        options.headers = vec![("x-angie-authapitoken", token)];
        if let Credential::Password { password, .. } = &self.credential {
            options.secrets = vec![password.clone()];
        }
        options.classify = classify;
        options.timeout = TIMEOUT;
        options.body_max = 64 << 20;
        Http::new(options, &self.platform)
    }
}

/// A list to ask for.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) path: String,
    /// What the list is called in its answer, where it has a name.
    pub(super) name: &'a str,
    /// Lists of one kind are all paged, or none is.
    pub(super) kind: &'static str,
    /// The first and the last day, for a list that can be limited to them.
    pub(super) days: Option<(chrono::NaiveDate, chrono::NaiveDate)>,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(path: impl Into<String>, name: &'a str, kind: &'static str) -> Self {
        Self {
            path: path.into(),
            name,
            kind,
            days: None,
        }
    }

    fn page(&self, number: usize) -> Request {
        let mut request = Request::get(BUCKET.name, &*self.path);
        if let Some((from, to)) = self.days {
            request = request.query("from", from).query("to", to);
        }
        match number {
            1 => request,
            _ => request.query("page", number),
        }
    }
}

fn ids(rows: &[Box<RawValue>]) -> BTreeSet<i64> {
    rows.iter().filter_map(|row| identifier(row)).collect()
}

/// How many elements the list has, where the answer says so.
fn total(reply: &Reply) -> Option<usize> {
    let header = reply.header("x-angie-paginationtotalitems")?;
    header.trim().parse().ok()
}
