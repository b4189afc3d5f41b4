//! The verbs of WebDAV on one connection.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::href::{escape, names};
use super::listing::{Entry, Listing, listing};
use super::xml::{Resource, multistatus};
use crate::clock::Clock;
use crate::contract::Platform;
use crate::error::{Error, Kind, Result, Retry};
use crate::http::{Http, Method, Options, Reply, Request, Verdict, classify_standard, retry_after};
use crate::kind::Bucket;

/// The bucket of every request.
pub(crate) const BUCKET: &str = "dav";

/// For so long after a refused login nothing more is sent. Nextcloud slows down and then locks out
/// whoever keeps trying (administration manual, "Brute force protection", read 2026-11).
const REFUSED_FOR: TimeDelta = TimeDelta::hours(6);

/// Longer than any listing or document should be.
const BODY_MAX: usize = 64 << 20;

/// A connection to one server.
#[derive(Clone, Debug)]
pub(crate) struct Dav {
    http: Http,
    clock: Arc<dyn Clock>,
    base: String,
    /// The properties that are asked for, as a body.
    wanted: &'static str,
    /// When the login was refused.
    refused: Arc<Mutex<Option<DateTime<Utc>>>>,
}

impl Dav {
    /// `prepare` adds the credential.
    pub(crate) fn new(
        connection: &str,
        base: &str,
        buckets: &'static [Bucket],
        wanted: &'static str,
        platform: &Platform,
        prepare: impl FnOnce(&mut Options),
    ) -> Result<Self> {
        let base = normal(base)?;
        let mut options = Options::new(connection, &base, buckets);
        options.classify = classify;
        options.body_max = BODY_MAX;
        // A folder with thousands of files takes a small server its time.
        options.timeout = Duration::from_secs(90);
        prepare(&mut options);
        Ok(Self {
            http: Http::new(options, platform)?,
            clock: Arc::clone(&platform.clock),
            base,
            wanted,
            refused: Arc::default(),
        })
    }

    pub(crate) fn requests(&self) -> u64 {
        self.http.requests()
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Sends, unless the login was refused a short time ago.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply> {
        let hold = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if hold().is_some_and(|at| now - at < REFUSED_FOR && now >= at) {
            return Err(refused().with("since", "an earlier request"));
        }
        let outcome = self.http.send(request).await;
        if outcome
            .as_ref()
            .is_err_and(|error| error.kind() == Kind::Auth)
        {
            *hold() = Some(self.clock.now());
        }
        outcome
    }

    /// What lies in a folder.
    pub(crate) async fn list(&self, folder: &Place) -> Result<Listing> {
        let path = folder.as_folder();
        let reply = self.propfind(&path, "1", self.wanted).await?;
        let resources = read(&reply)?;
        listing(&self.asked(&path), &resources, date(&reply))
            .map_err(|error| error.with("folder", &folder.path))
    }

    /// One file or folder; `None` where the server says that it is not there.
    pub(crate) async fn look(&self, place: &Place, folder: bool) -> Result<Option<Entry>> {
        let path = if folder {
            place.as_folder()
        } else {
            place.as_file()
        };
        let reply = match self.propfind(&path, "0", self.wanted).await {
            Err(error) if error.kind() == Kind::NotFound => return Ok(None),
            other => other?,
        };
        let mut resources = read(&reply)?;
        if resources.len() != 1 {
            return Err(
                Error::new(Kind::Protocol, "one thing was asked for, and others came")
                    .with("count", resources.len()),
            );
        }
        let mut resource = resources.remove(0);
        if resource.status == Some(404) {
            return Ok(None);
        }
        // Looked at alone, it need not be a folder; the rest of the rules is the same.
        let is_folder = resource.props.collection;
        resource.props.collection = Some(true);
        let mut own = listing(&self.asked(&path), &[resource], None)?.own;
        own.folder = is_folder == Some(true);
        Ok(Some(own))
    }

    pub(crate) async fn propfind(&self, path: &str, depth: &str, wanted: &str) -> Result<Reply> {
        let request = Request::new(Method::Propfind, BUCKET, path)
            .header("depth", depth)
            .bytes("application/xml; charset=utf-8", wanted.as_bytes().into());
        self.send(request).await
    }

    /// The content of a file.
    pub(crate) async fn get(&self, file: &Place) -> Result<Vec<u8>> {
        let reply = self.send(Request::get(BUCKET, file.as_file())).await?;
        match reply.status {
            200 => Ok(reply.body),
            // Nothing but the whole was asked for.
            status => Err(Error::new(
                Kind::Protocol,
                "a file was asked for, and something else came",
            )
            .with("status", status)),
        }
    }

    /// The content of a file that was looked at, whole and no longer than `most`.
    pub(crate) async fn fetch(
        &self,
        file: &Place,
        entry: Option<Entry>,
        most: usize,
    ) -> Result<Vec<u8>> {
        let wrong = |kind, why: &str| Error::new(kind, why).with("path", &file.path);
        let Some(entry) = entry else {
            return Err(wrong(Kind::NotFound, "the file is not there any more"));
        };
        if entry.folder {
            return Err(wrong(Kind::NotFound, "what lies there is a folder"));
        }
        let size: Option<usize> = entry.size.as_deref().and_then(|size| size.parse().ok());
        if size.is_some_and(|size| size > most) {
            return Err(
                wrong(Kind::Rejected, "the file is too large to be read whole")
                    .with("bytes", size.unwrap_or(most)),
            );
        }
        let content = self.get(file).await?;
        if content.len() > most {
            return Err(
                wrong(Kind::Rejected, "the file is too large to be read whole")
                    .with("bytes", content.len()),
            );
        }
        match size {
            // It changed in between, or something else was sent in its place.
            Some(size) if size != content.len() => Err(wrong(
                Kind::Unavailable,
                "the file did not arrive as it was listed",
            )
            .with("listed_bytes", size)
            .with("received_bytes", content.len())),
            _ => Ok(content),
        }
    }

    pub(crate) fn address(&self, file: &Place) -> String {
        format!("{}{}", self.base, file.as_file())
    }

    fn asked(&self, path: &str) -> Vec<String> {
        names(&format!("{}{path}", self.base)).unwrap_or_default()
    }
}

/// A path below the root of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the root lies below the base address, escaped; no slash at the end.
    root: String,
    pub(crate) path: String,
}

impl Place {
    /// The root itself.
    pub(crate) fn root(root: impl Into<String>) -> Self {
        Self {
            root: root.into(),
            path: String::new(),
        }
    }

    /// A path below the same root.
    pub(crate) fn at(&self, path: impl Into<String>) -> Self {
        Self {
            root: self.root.clone(),
            path: path.into(),
        }
    }

    /// Folders are asked for with a slash at the end, or some servers redirect (Apache, recorded
    /// 2026-11).
    pub(crate) fn as_folder(&self) -> String {
        format!("{}/", self.as_file())
    }

    pub(crate) fn as_file(&self) -> String {
        format!("{}{}", self.root, escape(&self.path))
    }
}

/// An address with its path escaped, so that it can stand in a header, too.
fn normal(base: &str) -> Result<String> {
    let base = base.trim_end_matches('/');
    let wrong = || Error::new(Kind::Settings, "the address cannot be read");
    let Some((scheme, rest)) = base.split_once("://") else {
        return Err(wrong().hint("begin it with `https://`"));
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let path = names(path).ok_or_else(|| wrong().hint("write it as the browser shows it"))?;
    Ok(format!("{scheme}://{host}{}", escape(&path.join("/"))))
}

pub(crate) fn read(reply: &Reply) -> Result<Vec<Resource>> {
    if reply.status != 207 {
        return Err(Error::new(
            Kind::Protocol,
            "a listing was asked for, and something else came",
        )
        .with("status", reply.status)
        .with("answer", reply.excerpt())
        .hint("check the address: it must be the one for WebDAV"));
    }
    multistatus(&reply.body)
}

/// When the server answered, by its own clock.
fn date(reply: &Reply) -> Option<DateTime<Utc>> {
    http_date(reply.header("date")?)
}

/// `Sun, 22 Nov 2026 03:22:15 GMT`.
pub(crate) fn http_date(text: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::parse_from_rfc2822(text.trim());
    at.ok().map(|at| at.to_utc())
}

/// What an answer means. Errors of Nextcloud name a class of its server in the body ("Sabre\DAV\
/// Exception\…"), and those of Apache are HTML (recorded 2026-11); the status decides.
fn classify(reply: &Reply, now: DateTime<Utc>) -> Verdict {
    match reply.status {
        // A file may be a page of HTML, so that says nothing here; callers look for themselves.
        // "Nothing new", "not there" and "not on this condition" answer what was asked.
        200..300 | 304 | 405 | 412 => Verdict::Good,
        401 => Verdict::Fail(refused()),
        503 if reply.header("x-nextcloud-maintenance-mode") == Some("1") => {
            let after = retry_after(reply, now);
            let error = Error::new(Kind::Unavailable, "the server is under maintenance");
            Verdict::Fail(
                error
                    .retry(Retry::Later { after })
                    .hint("nothing to do: it is tried again"),
            )
        }
        // One storage of many, which no second try brings back.
        503 if names_storage(reply) => Verdict::Fail(
            Error::new(Kind::Unavailable, "the storage behind this folder is away")
                .hint("see in the server's settings for external storage what is wrong"),
        ),
        501 => Verdict::Fail(
            Error::new(
                Kind::Rejected,
                "the server does not know this kind of request",
            )
            .with("status", reply.status),
        ),
        404 | 410 => Verdict::Fail(
            Error::new(
                Kind::NotFound,
                "the server has nothing there, or does not show it to us",
            )
            .with("status", reply.status)
            .hint("check `url`, `user` and `folder` in the connection's settings"),
        ),
        _ => classify_standard(reply, now),
    }
}

/// `OCP\\Files\\StorageNotAvailableException`, in the body.
fn names_storage(reply: &Reply) -> bool {
    String::from_utf8_lossy(&reply.body).contains("StorageNotAvailable")
}

fn refused() -> Error {
    Error::new(Kind::Auth, "the server does not accept user and password").hint(
        "make an app password (Nextcloud: Settings, Security) and store it as the connection's \
         credential, or run `stundenbuch auth`",
    )
}
