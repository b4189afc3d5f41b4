//! What is put into Asana: comments, and the hours in a custom field.
//!
//! Asana has no keys that make a repetition harmless, so each delivery looks first. A comment of
//! ours is known by its author and by the marker that stands in a line of its own; it is made
//! with a request that is never repeated by itself, and edited in place. A field is set, which a
//! repetition does not change.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::activity::COMMENT;
use super::api::{TOKEN, path};
use super::confirm::is_gid;
use super::{Asana, decimal};
use crate::contract::{Item, Outcome, OutgoingComment, OutgoingField, Receipt};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request};
use crate::record::ExternalId;

const COMMENTS: &str = "text,created_by.name,resource_subtype";
const FIELDS: &str = "custom_fields.name,custom_fields.resource_subtype,\
custom_fields.number_value,custom_fields.text_value,custom_fields.precision,\
custom_fields.is_value_read_only";

/// A comment that was found under a task.
#[derive(Debug, Deserialize)]
struct Found {
    gid: String,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    created_by: Option<Author>,
    #[serde(default)]
    resource_subtype: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Author {
    gid: String,
}

/// A task with its custom fields.
#[derive(Debug, Deserialize)]
struct Fields {
    #[serde(default)]
    custom_fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
struct Field {
    gid: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    resource_subtype: Option<String>,
    /// As written: a number that went through floating point is another one.
    #[serde(default)]
    number_value: Option<Box<RawValue>>,
    #[serde(default)]
    text_value: Option<String>,
    #[serde(default)]
    precision: Option<usize>,
    #[serde(default)]
    is_value_read_only: Option<bool>,
}

/// A body with one custom field, its value as written.
#[derive(Serialize)]
struct Update<'a> {
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    custom_fields: BTreeMap<&'a str, &'a RawValue>,
}

impl Asana {
    pub(super) async fn put(&self, item: &Item) -> Result<Receipt> {
        match item {
            Item::Comment(comment) => self.put_comment(comment).await,
            Item::Field(field) => self.put_field(field).await,
            Item::File(_) => Err(Error::new(
                Kind::Unsupported,
                "comments and fields are delivered to Asana, and no files",
            )),
        }
    }

    async fn put_comment(&self, wanted: &OutgoingComment) -> Result<Receipt> {
        let task = checked(&wanted.task)?;
        let receipt = |outcome, gid: &str| Receipt {
            outcome,
            location: format!("tasks/{task}/stories/{gid}"),
        };
        let Some(found) = self.own_comment(task, wanted).await? else {
            let body = json!({"data": {"text": wanted.text}});
            let path = path("tasks", task, "/stories");
            let request = Request::new(Method::Post, TOKEN, path).json(body);
            let reply = self.api.http.send(request.once()).await?;
            let (head, _) = super::api::single(&reply, "/stories")?;
            return Ok(receipt(Outcome::Created, &head.gid));
        };
        let there = found.text.as_deref().unwrap_or_default();
        if same(there, &wanted.text) {
            return Ok(receipt(Outcome::AlreadyThere, &found.gid));
        }
        if !wanted
            .replaces
            .as_deref()
            .is_some_and(|hash| is_ours(there, hash))
        {
            return Ok(receipt(Outcome::Kept, &found.gid));
        }
        let body = json!({"data": {"text": wanted.text}});
        let request = Request::new(Method::Put, TOKEN, path("stories", &found.gid, ""));
        self.api.http.send(request.json(body)).await?;
        Ok(receipt(Outcome::Replaced, &found.gid))
    }

    /// Our comment with this marker. Where there are several, one that is as we know it.
    async fn own_comment(&self, task: &str, wanted: &OutgoingComment) -> Result<Option<Found>> {
        let me = self.whoami().await?.data.gid;
        let listing = self
            .api
            .list(&path("tasks", task, "/stories"), COMMENTS, &[])
            .await?;
        if listing.unreadable > 0 {
            // One of them may be ours, and a second one must not be made.
            return Err(Error::new(
                Kind::Protocol,
                "stories in Asana's answer have no gid, so a comment of ours cannot be looked for",
            )
            .with("task", task));
        }
        let mut ours = Vec::new();
        for (head, row) in &listing.rows {
            let found: Found = serde_json::from_str(row.get()).map_err(|error| {
                Error::new(Kind::Protocol, "a story in Asana's answer cannot be read")
                    .with("story", &head.gid)
                    .with("error", error)
            })?;
            let by_us = found.created_by.as_ref().is_some_and(|it| it.gid == me);
            let text = found.text.as_deref().unwrap_or_default();
            let marked = text.lines().any(|line| line.trim() == wanted.marker);
            if by_us && marked && found.resource_subtype.as_deref() == Some(COMMENT) {
                ours.push(found);
            }
        }
        let known = |found: &Found| {
            let text = found.text.as_deref().unwrap_or_default();
            let before = wanted.replaces.as_deref();
            same(text, &wanted.text) || before.is_some_and(|hash| is_ours(text, hash))
        };
        let at = ours.iter().position(known);
        Ok(match at {
            Some(at) => Some(ours.swap_remove(at)),
            None => ours.pop(),
        })
    }

    async fn put_field(&self, wanted: &OutgoingField) -> Result<Receipt> {
        let task = checked(&wanted.task)?;
        let (_, row) = self.api.one(&path("tasks", task, ""), FIELDS).await?;
        let fields: Fields = serde_json::from_str(row.get()).map_err(|error| {
            Error::new(Kind::Protocol, "Asana's answer has no custom fields").with("error", error)
        })?;
        let field = select(&fields.custom_fields, &wanted.field, task)?;
        let receipt = |outcome| Receipt {
            outcome,
            location: format!("tasks/{task}/custom_fields/{}", field.gid),
        };
        let value = field.literal(&wanted.value)?;
        let outcome = match field.shown() {
            None => Outcome::Created,
            Some(there) if field.equal(&there, &wanted.value) => {
                return Ok(receipt(Outcome::AlreadyThere));
            }
            Some(there) => {
                let before = wanted.replaces.as_deref();
                if !before.is_some_and(|before| field.equal(&there, before)) {
                    return Ok(receipt(Outcome::Kept));
                }
                Outcome::Replaced
            }
        };
        let update = Update {
            data: Data {
                custom_fields: BTreeMap::from([(field.gid.as_str(), &*value)]),
            },
        };
        let body = serde_json::to_vec(&update).expect("a body is plain data");
        let request = Request::new(Method::Put, TOKEN, path("tasks", task, ""))
            .query("opt_fields", "name")
            .bytes("application/json", body.into());
        self.api.http.send(request).await?;
        Ok(receipt(outcome))
    }
}

impl Field {
    fn is_number(&self) -> bool {
        self.resource_subtype.as_deref() == Some("number")
    }

    /// What stands in it; `None` where it is empty.
    fn shown(&self) -> Option<String> {
        if self.is_number() {
            let number = self.number_value.as_ref()?.get();
            return Some(number.to_owned()).filter(|number| number != "null");
        }
        self.text_value
            .clone()
            .filter(|text| !text.trim().is_empty())
    }

    fn equal(&self, there: &str, wanted: &str) -> bool {
        let plain = || there.trim() == wanted.trim();
        match (decimal::canonical(there), decimal::canonical(wanted)) {
            (Some(there), Some(wanted)) if self.is_number() => there == wanted,
            _ => plain(),
        }
    }

    /// The value as it is sent. A number that the field would round is refused: an hour that is
    /// shown as another one is worse than none.
    fn literal(&self, value: &str) -> Result<Box<RawValue>> {
        let named = self.name.as_deref().unwrap_or_default();
        let literal = match self.resource_subtype.as_deref() {
            Some("number") => {
                let number = decimal::canonical(value).ok_or_else(|| {
                    Error::new(
                        Kind::Rejected,
                        "the value for a field of Asana is no number",
                    )
                    .with("value", value)
                })?;
                let places = decimal::places(&number);
                if let Some(precision) = self.precision.filter(|precision| *precision < places) {
                    return Err(Error::new(
                        Kind::Settings,
                        format!("the field `{named}` in Asana would round {value}"),
                    )
                    .with("precision", precision)
                    .hint(format!(
                        "give the field at least {places} decimal places in Asana"
                    )));
                }
                number
            }
            Some("text") => serde_json::to_string(value).expect("a text"),
            other => {
                return Err(Error::new(
                    Kind::Settings,
                    format!("the field `{named}` in Asana holds neither numbers nor text"),
                )
                .with("type", other.unwrap_or("unknown"))
                .hint("name a number field, or make one"));
            }
        };
        Ok(RawValue::from_string(literal).expect("a literal of JSON"))
    }
}

/// The field of that name, if there is one alone and it can be written.
fn select<'a>(fields: &'a [Field], name: &str, task: &str) -> Result<&'a Field> {
    let wrong = |what: String, hint: &str| {
        Err(Error::new(Kind::Settings, what)
            .with("task", task)
            .hint(hint))
    };
    let called = |field: &&Field| field.name.as_deref().map(str::trim) == Some(name.trim());
    let named: Vec<&Field> = fields.iter().filter(called).collect();
    match named.as_slice() {
        [] => wrong(
            format!("the task has no field `{name}` in Asana"),
            "add the field to the task's project, or name another one",
        ),
        [field] if field.is_value_read_only == Some(true) => wrong(
            format!("the field `{name}` in Asana cannot be written"),
            "give its user the right to, or name another one",
        ),
        [field] => Ok(field),
        _ => wrong(
            format!("several fields of the task are called `{name}` in Asana"),
            "give them different names",
        ),
    }
}

/// What goes into a path is looked at first.
fn checked(task: &ExternalId) -> Result<&str> {
    let gid = task.as_str();
    if is_gid(gid) {
        return Ok(gid);
    }
    Err(Error::new(Kind::Rejected, "this is no gid of a task at Asana").with("task", gid))
}

/// Whether two texts are the same but for line ends and blanks at the end, which a service may
/// keep in its own way.
fn same(left: &str, right: &str) -> bool {
    plain(left) == plain(right)
}

fn plain(text: &str) -> String {
    text.replace("\r\n", "\n").trim_end().to_owned()
}

/// Whether a text is the one with this SHA-256.
fn is_ours(text: &str, hash: &str) -> bool {
    let plain = plain(text);
    [text.to_owned(), format!("{plain}\n"), plain]
        .iter()
        .any(|text| sha256(text) == hash)
}

fn sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes it");
        hex
    })
}
