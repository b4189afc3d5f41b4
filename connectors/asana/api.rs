//! The requests that are sent to Asana, and the lists that come back in pages.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::wire::{self, Head};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, Reply, Request, segment};

/// The bucket of all requests.
pub(super) const TOKEN: &str = "token";

/// The largest page ("Pagination", read 2026-11).
const PAGE: usize = 100;

/// No list is longer; a pager that goes on is running in a circle.
const PAGES_MAX: usize = 1000;

/// What is asked of a task. Deep fields cost more of the quota, so there are no others.
pub(super) const TASK: &str = "name,notes,completed,completed_at,created_at,modified_at,due_on,\
due_at,resource_subtype,is_rendered_as_separator,assignee.name,memberships.project.name,\
memberships.section.name,parent.name,num_subtasks,tags.name,actual_time_minutes,\
custom_fields.name,custom_fields.display_value,permalink_url";

/// What is asked of a story.
pub(super) const STORY: &str = "created_at,created_by.name,resource_subtype,text,assignee.name,\
new_section.name,old_section.name,project.name,tag.name,old_name,custom_field.name";

/// What is asked of a time entry …
pub(super) const ENTRY: &str = "duration_minutes,entered_on,created_by.name,task.name,\
attributable_to.name,attributable_to.resource_type,categories.name,created_at,description,\
billable_status,approval_status";

/// … and where the plan has time tracking but not the add-on "Timesheets and Budgets".
pub(super) const ENTRY_LEAN: &str = "duration_minutes,entered_on,created_by.name,task.name,\
attributable_to.name,attributable_to.resource_type,categories.name,created_at,description";

/// One account at Asana.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) http: Http,
}

/// A list that was read to its end.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Each element as received, with what we need to know of it at once.
    pub(super) rows: Vec<(Head, Box<RawValue>)>,
    /// Elements of which not even the gid can be read.
    pub(super) unreadable: usize,
    /// The instant of the first answer, by Asana's clock.
    pub(super) answered: Option<DateTime<Utc>>,
}

/// One page of a list.
#[derive(Deserialize)]
struct Page {
    data: Vec<Box<RawValue>>,
    /// Null on the last page. An answer without it is no page, and not an empty one.
    #[serde(deserialize_with = "Option::deserialize")]
    next_page: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    offset: String,
}

/// A single thing.
#[derive(Deserialize)]
struct Single<T> {
    data: T,
}

impl Api {
    /// One thing by its address, as received.
    pub(super) async fn one(&self, path: &str, fields: &str) -> Result<(Head, Box<RawValue>)> {
        let request = Request::get(TOKEN, path).query("opt_fields", fields);
        let reply = self.http.send(request).await?;
        single(&reply, path)
    }

    /// A list, all pages at once: the marks of pages expire, so nothing else is asked for
    /// between them. Where one expires all the same, the list is begun again, once.
    pub(super) async fn list(
        &self,
        path: &str,
        fields: &str,
        filter: &[(&'static str, String)],
    ) -> Result<Listing> {
        match self.pages(path, fields, filter).await {
            Err(error) if error.kind() == Kind::Conflict => {
                let again = self.pages(path, fields, filter).await;
                again.map_err(|error| match error.kind() {
                    Kind::Conflict => Error::new(
                        Kind::Unavailable,
                        "Asana forgets the pages of a list faster than they can be read",
                    )
                    .with("path", path),
                    _ => error,
                })
            }
            outcome => outcome,
        }
    }

    async fn pages(
        &self,
        path: &str,
        fields: &str,
        filter: &[(&'static str, String)],
    ) -> Result<Listing> {
        let mut listing = Listing::default();
        let mut offsets = BTreeSet::new();
        let mut offset: Option<String> = None;
        let mut seen = BTreeSet::new();
        for page in 0..PAGES_MAX {
            let mut request = Request::get(TOKEN, path)
                .query("limit", PAGE)
                .query("opt_fields", fields);
            request.query.extend(filter.iter().cloned());
            if let Some(offset) = offset.take() {
                request = request.query("offset", offset);
            }
            let reply = self.http.send(request).await?;
            if page == 0 {
                listing.answered = answered(&reply);
            }
            let answer: Page = reply.json()?;
            for row in answer.data {
                match wire::head(&row) {
                    // What moves while the pages are read may come twice.
                    Some(head) if seen.insert(head.gid.clone()) => listing.rows.push((head, row)),
                    Some(_) => {}
                    None => listing.unreadable += 1,
                }
            }
            match answer.next_page {
                None => return listing.checked(path),
                Some(next) if offsets.insert(next.offset.clone()) => offset = Some(next.offset),
                Some(_) => break,
            }
        }
        Err(Error::new(Kind::Protocol, "a list of Asana does not end").with("path", path))
    }
}

impl Listing {
    /// Where no element has a gid, the answer is another than the one that was asked for.
    fn checked(self, path: &str) -> Result<Self> {
        if self.unreadable > 0 && self.rows.is_empty() {
            return Err(Error::new(
                Kind::Protocol,
                "none of the elements of Asana's answer has a gid",
            )
            .with("path", path)
            .with("elements", self.unreadable));
        }
        Ok(self)
    }

    pub(super) fn gids(&self) -> impl Iterator<Item = &str> {
        self.rows.iter().map(|(head, _)| head.gid.as_str())
    }
}

/// The one thing in an answer.
pub(super) fn single(reply: &Reply, path: &str) -> Result<(Head, Box<RawValue>)> {
    let single: Single<Box<RawValue>> = reply.json()?;
    let head = wire::head(&single.data).ok_or_else(|| {
        Error::new(Kind::Protocol, "Asana's answer has no gid").with("path", path)
    })?;
    Ok((head, single.data))
}

/// When an answer was given, by the service's own clock.
fn answered(reply: &Reply) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(reply.header("date")?).ok()?;
    Some(date.to_utc())
}

/// The path of one thing.
pub(super) fn path(kind: &str, gid: &str, below: &str) -> String {
    format!("/{kind}/{}{below}", segment(gid))
}
