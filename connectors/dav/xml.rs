//! Reads a `207 Multi-Status` answer: for each resource its address and the properties that the
//! server really gave.
//!
//! Prefixes say nothing: Apache writes `lp1:getetag`, sabre `d:getetag`, WsgiDAV `ns0:getetag` and
//! rclone declares the namespace at each element (all recorded 2026-11). So names are compared by
//! namespace and local part. Of several `propstat` only those with status 200 count; the others
//! list what the server does not have. A document that breaks off is an error, for half a listing
//! looks like a folder from which files were deleted.

use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::error::{Error, Kind, Result};

/// The namespaces of the properties that are read (Nextcloud, "Basic WebDAV APIs", read 2026-11).
const DAV: &str = "DAV:";
const OWNCLOUD: &str = "http://owncloud.org/ns";
const NEXTCLOUD: &str = "http://nextcloud.org/ns";

/// More resources in one answer than any folder should have.
const MOST: usize = 200_000;

/// One resource of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    /// As the server wrote it: escaped, perhaps with scheme and host.
    pub(crate) href: String,
    /// Where the server gave one for the resource as a whole, instead of properties.
    pub(crate) status: Option<u16>,
    pub(crate) props: Props,
}

/// The properties that were asked for and given, as texts without blanks around them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Props {
    /// `None` where the server does not say what kind of thing it is.
    pub(crate) collection: Option<bool>,
    /// With its quotes, and with `W/` where it is weak.
    pub(crate) etag: Option<String>,
    pub(crate) length: Option<String>,
    pub(crate) modified: Option<String>,
    pub(crate) fileid: Option<String>,
    pub(crate) mount_type: Option<String>,
    pub(crate) mount_root: Option<String>,
    pub(crate) fingerprint: Option<String>,
    pub(crate) trash_time: Option<String>,
}

impl Props {
    /// The properties of `other` that this one lacks: one resource may have several `propstat`.
    fn merge(&mut self, other: Self) {
        let fill = |ours: &mut Option<String>, theirs| {
            if ours.is_none() {
                *ours = theirs;
            }
        };
        self.collection = self.collection.or(other.collection);
        fill(&mut self.etag, other.etag);
        fill(&mut self.length, other.length);
        fill(&mut self.modified, other.modified);
        fill(&mut self.fileid, other.fileid);
        fill(&mut self.mount_type, other.mount_type);
        fill(&mut self.mount_root, other.mount_root);
        fill(&mut self.fingerprint, other.fingerprint);
        fill(&mut self.trash_time, other.trash_time);
    }

    fn set(&mut self, name: Name, text: String) {
        let slot = match name {
            Name::Etag => &mut self.etag,
            Name::Length => &mut self.length,
            Name::Modified => &mut self.modified,
            Name::FileId => &mut self.fileid,
            Name::MountType => &mut self.mount_type,
            Name::MountRoot => &mut self.mount_root,
            Name::Fingerprint => &mut self.fingerprint,
            Name::TrashTime => &mut self.trash_time,
            _ => return,
        };
        *slot = (!text.is_empty()).then_some(text);
    }
}

/// The elements that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Multistatus,
    Response,
    Href,
    Status,
    Propstat,
    Prop,
    ResourceType,
    Collection,
    Etag,
    Length,
    Modified,
    FileId,
    MountType,
    MountRoot,
    Fingerprint,
    TrashTime,
    Other,
}

impl Name {
    fn of(namespace: &ResolveResult<'_>, local: &str) -> Self {
        let ResolveResult::Bound(Namespace(namespace)) = namespace else {
            return Self::Other;
        };
        match (*namespace, local) {
            (DAV, "multistatus") => Self::Multistatus,
            (DAV, "response") => Self::Response,
            (DAV, "href") => Self::Href,
            (DAV, "status") => Self::Status,
            (DAV, "propstat") => Self::Propstat,
            (DAV, "prop") => Self::Prop,
            (DAV, "resourcetype") => Self::ResourceType,
            (DAV, "collection") => Self::Collection,
            (DAV, "getetag") => Self::Etag,
            (DAV, "getcontentlength") => Self::Length,
            (DAV, "getlastmodified") => Self::Modified,
            (OWNCLOUD, "fileid") => Self::FileId,
            (NEXTCLOUD, "mount-type") => Self::MountType,
            (NEXTCLOUD, "is-mount-root") => Self::MountRoot,
            (_, "data-fingerprint") => Self::Fingerprint,
            (NEXTCLOUD, "trashbin-deletion-time") => Self::TrashTime,
            _ => Self::Other,
        }
    }
}

/// Reads the whole document, or nothing.
pub(crate) fn multistatus(body: &[u8]) -> Result<Vec<Resource>> {
    let text =
        std::str::from_utf8(body).map_err(|error| wrong("it is no UTF-8").with("error", error))?;
    let mut reader = NsReader::from_str(text);
    let config = reader.config_mut();
    config.expand_empty_elements = true;
    config.check_end_names = true;
    let mut state = Parse::default();
    loop {
        let (namespace, event) = reader
            .read_resolved_event()
            .map_err(|error| wrong("it is no XML").with("error", error))?;
        match event {
            Event::Start(start) => {
                let name = Name::of(&namespace, start.local_name().into_inner());
                state.open(name)?;
            }
            Event::End(_) => state.close()?,
            Event::Text(text) => state.text.push_str(&text.xml10_content()),
            Event::CData(text) => state.text.push_str(&text.xml10_content()),
            Event::GeneralRef(entity) => state.text.push(character(&entity)?),
            Event::DocType(_) => return Err(wrong("it has a document type of its own")),
            Event::Eof => return state.finish(),
            _ => {}
        }
    }
}

/// The character that a reference stands for; only those that need no definition are known.
fn character(entity: &BytesRef<'_>) -> Result<char> {
    let numbered = entity.resolve_char_ref();
    if let Some(found) =
        numbered.map_err(|error| wrong("a character is none").with("error", error))?
    {
        return Ok(found);
    }
    match &*entity.xml10_content() {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => Err(wrong("it refers to something that it does not define")),
    }
}

#[derive(Debug, Default)]
struct Parse {
    /// The elements that are open, outermost first.
    open: Vec<Name>,
    text: String,
    found: Vec<Resource>,
    current: Resource,
    /// The properties and the status of the `propstat` that is open.
    given: Props,
    given_status: Option<u16>,
    ended: bool,
}

impl Parse {
    fn open(&mut self, name: Name) -> Result<()> {
        if self.open.is_empty() && (name != Name::Multistatus || self.ended) {
            return Err(wrong("it is no list of resources"));
        }
        self.open.push(name);
        self.text.clear();
        match self.open[..] {
            [_, Name::Response] => self.current = Resource::default(),
            [_, Name::Response, Name::Propstat] => {
                self.given = Props::default();
                self.given_status = None;
            }
            [_, _, Name::Propstat, Name::Prop, Name::ResourceType] => {
                self.given.collection = Some(false);
            }
            [_, _, _, Name::Prop, Name::ResourceType, Name::Collection] => {
                self.given.collection = Some(true);
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        match self.open[..] {
            [Name::Multistatus] => self.ended = true,
            [_, Name::Response] => {
                if self.current.href.is_empty() {
                    return Err(wrong("a resource has no address"));
                }
                if self.found.len() == MOST {
                    return Err(wrong("it lists more than is accepted").with("limit", MOST));
                }
                self.found.push(std::mem::take(&mut self.current));
            }
            [_, Name::Response, Name::Href] => self.current.href = text,
            [_, Name::Response, Name::Status] => self.current.status = Some(status(&text)?),
            [_, Name::Response, Name::Propstat, Name::Status] => {
                self.given_status = Some(status(&text)?);
            }
            [_, Name::Response, Name::Propstat] => {
                let given = std::mem::take(&mut self.given);
                if self.given_status == Some(200) {
                    self.current.props.merge(given);
                }
            }
            [_, Name::Response, Name::Propstat, Name::Prop, name] => self.given.set(name, text),
            _ => {}
        }
        self.open.pop();
        Ok(())
    }

    fn finish(self) -> Result<Vec<Resource>> {
        if self.ended && self.open.is_empty() {
            return Ok(self.found);
        }
        Err(wrong("it breaks off"))
    }
}

/// `HTTP/1.1 200 OK` → 200.
fn status(line: &str) -> Result<u16> {
    let number = line
        .split(' ')
        .nth(1)
        .and_then(|number| number.parse().ok());
    number.ok_or_else(|| wrong("a status is none").with("status", line))
}

fn wrong(why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("the listing of a folder cannot be read: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        r#"<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">"#;

    fn one(inner: &str) -> Resource {
        let text =
            format!("{HEAD}<d:response><d:href>/x</d:href>{inner}</d:response></d:multistatus>");
        multistatus(text.as_bytes()).unwrap().remove(0)
    }

    #[test]
    fn prefixes_say_nothing() {
        for text in [
            r#"<D:multistatus xmlns:D="DAV:"><D:response xmlns:lp1="DAV:"><D:href>/a%20b</D:href>
               <D:propstat><D:prop><lp1:getetag>"1-2"</lp1:getetag><lp1:resourcetype/></D:prop>
               <D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"#,
            r#"<multistatus xmlns="DAV:"><response><href>/a%20b</href><propstat><prop>
               <getetag>"1-2"</getetag><resourcetype></resourcetype></prop>
               <status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"#,
            r#"<n:multistatus xmlns:n="DAV:"><n:response><n:href>/a%20b</n:href><n:propstat><n:prop>
               <getetag xmlns="DAV:">"1-2"</getetag><n:resourcetype xmlns:n="DAV:"/></n:prop>
               <n:status>HTTP/1.1 200 OK</n:status></n:propstat></n:response></n:multistatus>"#,
        ] {
            let found = multistatus(text.as_bytes()).unwrap();
            assert_eq!(found.len(), 1, "{text}");
            assert_eq!(found[0].href, "/a%20b");
            assert_eq!(found[0].props.etag.as_deref(), Some("\"1-2\""));
            assert_eq!(found[0].props.collection, Some(false));
        }
    }

    #[test]
    fn only_what_the_server_has_counts() {
        let found = one(
            "<d:propstat><d:prop><d:getetag/><oc:fileid>9</oc:fileid></d:prop>\
             <d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>\
             <d:propstat><d:prop><d:resourcetype><d:collection/></d:resourcetype>\
             <oc:fileid>7</oc:fileid></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>",
        );
        assert_eq!(found.props.fileid.as_deref(), Some("7"));
        assert_eq!(
            (found.props.collection, found.props.etag),
            (Some(true), None)
        );
        let refused = one("<d:status>HTTP/1.1 403 Forbidden</d:status>");
        assert_eq!(refused.status, Some(403));
    }

    #[test]
    fn addresses_within_properties_are_no_addresses() {
        let found = one(
            "<d:propstat><d:prop><d:owner><d:href>/principals/anna</d:href></d:owner></d:prop>\
             <d:status>HTTP/1.1 200 OK</d:status></d:propstat>",
        );
        assert_eq!(found.href, "/x");
    }

    #[test]
    fn characters_are_read_however_they_are_written() {
        let text = format!(
            "{HEAD}<d:response><d:href>/R&amp;D&#x2F;&#252;<![CDATA[<&>]]></d:href></d:response>\
             </d:multistatus>"
        );
        assert_eq!(multistatus(text.as_bytes()).unwrap()[0].href, "/R&D/ü<&>");
    }

    #[test]
    fn half_a_document_is_none() {
        let whole = format!("{HEAD}<d:response><d:href>/ü</d:href></d:response></d:multistatus>");
        assert_eq!(multistatus(whole.as_bytes()).unwrap().len(), 1);
        for end in 0..whole.len() {
            let error = multistatus(&whole.as_bytes()[..end]).unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "cut at {end}");
        }
    }

    #[test]
    fn other_documents_are_refused() {
        for text in [
            "",
            "{}",
            "<html><body>Sign in</body></html>",
            "<multistatus/>",
            r#"<d:error xmlns:d="DAV:"/>"#,
            r#"<!DOCTYPE x [<!ENTITY a "b">]><d:multistatus xmlns:d="DAV:"/>"#,
            r#"<d:multistatus xmlns:d="DAV:"><d:response/></d:multistatus>"#,
            r#"<d:multistatus xmlns:d="DAV:"/><d:multistatus xmlns:d="DAV:"/>"#,
        ] {
            let error = multistatus(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "{text}");
        }
    }
}
