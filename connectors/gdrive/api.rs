//! The requests, one function each.

use serde_json::value::RawValue;

use super::state::Root;
use super::wire::{About, FILE_FIELDS, FeedPage, FileList, Ids, Meta, StartToken, unexpected};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Request, segment};

/// The bucket of everything that reads.
pub(super) const READS: &str = "reads";
/// The bucket of everything that changes something.
pub(super) const WRITES: &str = "writes";

/// The path of all files.
pub(super) const FILES: &str = "/drive/v3/files";

/// What is asked for of a single file.
pub(super) const META_FIELDS: &str = "id,name,mimeType,parents,driveId,trashed,size,\
    sha256Checksum,createdTime,appProperties,capabilities(canAddChildren)";

/// "The maximum value is 1000" (discovery document, `files.list` and `changes.list`).
const PAGE: u32 = 1_000;

/// A list of a million files has as many pages; one that goes on longer runs in a circle.
const PAGES_MAX: usize = 1_000;

/// Drive's API for one connection.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) http: Http,
}

impl Api {
    pub(super) async fn about(&self) -> Result<About> {
        let request = Request::get(READS, "/drive/v3/about")
            .query("fields", "user(displayName,emailAddress)");
        self.http.send(request).await?.json()
    }

    /// One file, by its id: unlike a search, that is always the newest state.
    pub(super) async fn get(&self, id: &str) -> Result<Meta> {
        let request = Request::get(READS, format!("{FILES}/{}", segment(id)))
            .query("supportsAllDrives", true)
            .query("fields", META_FIELDS);
        self.http.send(request).await?.json()
    }

    /// The same, where "not found" is an answer.
    pub(super) async fn find(&self, id: &str) -> Result<Option<Meta>> {
        match self.get(id).await {
            Ok(meta) => Ok(Some(meta)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Where the feed of changes is now.
    pub(super) async fn start_token(&self, root: &Root) -> Result<String> {
        let request = Request::get(READS, "/drive/v3/changes/startPageToken")
            .query("supportsAllDrives", true)
            .query("fields", "startPageToken");
        let reply = self.http.send(of_drive(request, root)).await?;
        Ok(reply.json::<StartToken>()?.start_page_token)
    }

    /// A page of the feed.
    pub(super) async fn changes(&self, root: &Root, token: &str) -> Result<FeedPage> {
        let fields = format!(
            "nextPageToken,newStartPageToken,\
             changes(changeType,removed,fileId,file({FILE_FIELDS},trashed,trashedTime))"
        );
        let request = Request::get(READS, "/drive/v3/changes")
            .query("pageToken", token)
            .query("pageSize", PAGE)
            .query("includeRemoved", true)
            .query("supportsAllDrives", true)
            .query("includeItemsFromAllDrives", true)
            // Else a file that was moved into a shared drive would be "removed" and nothing more.
            .query("includeCorpusRemovals", true)
            .query("fields", fields);
        self.http.send(of_drive(request, root)).await?.json()
    }

    /// All files that a query finds, from all pages.
    pub(super) async fn list(
        &self,
        root: &Root,
        query: &str,
        fields: &str,
    ) -> Result<Vec<Box<RawValue>>> {
        let mut found = Vec::new();
        let mut page: Option<String> = None;
        let mut again = true;
        for _ in 0..PAGES_MAX {
            let mut request = Request::get(READS, FILES)
                .query("q", query)
                .query("pageSize", PAGE)
                .query("supportsAllDrives", true)
                .query("includeItemsFromAllDrives", true)
                .query(
                    "corpora",
                    if root.drive.is_some() {
                        "drive"
                    } else {
                        "user"
                    },
                )
                .query(
                    "fields",
                    format!("nextPageToken,incompleteSearch,files({fields})"),
                );
            if let Some(page) = &page {
                request = request.query("pageToken", page);
            }
            let reply = match self.http.send(of_drive(request, root)).await {
                // "If the token is rejected for any reason, it should be discarded, and
                // pagination should be restarted from the first page of results."
                Err(error) if error.kind() == Kind::Rejected && page.is_some() && again => {
                    (page, again) = (None, false);
                    found.clear();
                    continue;
                }
                other => other?,
            };
            let files: FileList = reply.json()?;
            if files.incomplete_search {
                return Err(incomplete());
            }
            found.extend(files.files);
            page = files.next_page_token.filter(|page| !page.is_empty());
            if page.is_none() {
                return Ok(found);
            }
        }
        Err(unexpected("Drive's list of files does not end"))
    }

    /// An id for a file that is still to be made.
    pub(super) async fn fresh_id(&self) -> Result<String> {
        let request = Request::get(READS, format!("{FILES}/generateIds"))
            .query("count", 1)
            .query("space", "drive")
            .query("type", "files")
            .query("fields", "ids");
        let ids: Ids = self.http.send(request).await?.json()?;
        let id = ids.ids.into_iter().next();
        id.ok_or_else(|| unexpected("Drive makes no id for a new file"))
    }
}

/// Speaks of the shared drive, where the connection's folder lies in one.
fn of_drive(request: Request, root: &Root) -> Request {
    match &root.drive {
        Some(drive) => request.query("driveId", drive),
        None => request,
    }
}

/// "Some search results might be missing, since all documents were not searched."
fn incomplete() -> Error {
    Error::new(Kind::Unavailable, "Drive could not search everything")
        .with("incompleteSearch", true)
        .hint("nothing to do: it is asked again, and until then nothing is taken for deleted")
}
