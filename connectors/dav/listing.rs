//! What one folder holds, out of the resources that a server listed.

use chrono::{DateTime, Utc};

use super::href::{is_same, names};
use super::xml::Resource;
use crate::error::{Error, Kind, Result};

/// One folder: itself and what lies directly in it.
#[derive(Clone, Debug)]
pub(crate) struct Listing {
    pub(crate) own: Entry,
    pub(crate) entries: Vec<Entry>,
    /// Names that are no UTF-8, or no names: passed over.
    pub(crate) odd: usize,
    /// Names whose properties the server did not give, with its reason.
    pub(crate) unknown: Vec<(String, String)>,
    /// When the server answered, by its own clock.
    pub(crate) at: Option<DateTime<Utc>>,
}

/// One file or folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) folder: bool,
    pub(crate) etag: Option<String>,
    pub(crate) size: Option<String>,
    /// As the server writes it.
    pub(crate) modified: Option<String>,
    /// Nextcloud's number of the file.
    pub(crate) id: Option<u64>,
    pub(crate) mount: Option<Mount>,
    /// Whether the mount begins here, where the server says so.
    pub(crate) mount_root: Option<bool>,
    pub(crate) fingerprint: Option<String>,
}

/// What is not the user's own storage (Nextcloud, "Basic WebDAV APIs", read 2026-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mount {
    /// A group folder, whose parts may be hidden by rules of its own.
    Group,
    /// A share, an external storage, or a kind that is not known yet.
    Other,
}

impl Entry {
    fn of(name: String, resource: &Resource) -> Self {
        let props = &resource.props;
        let number = |text: &Option<String>| text.as_deref().and_then(|it| it.parse().ok());
        Self {
            name,
            folder: props.collection == Some(true),
            etag: props.etag.clone(),
            size: props.length.clone(),
            modified: props.modified.clone(),
            id: number(&props.fileid),
            mount: props.mount_type.as_deref().map(|kind| match kind {
                "group" => Mount::Group,
                _ => Mount::Other,
            }),
            mount_root: props
                .mount_root
                .as_deref()
                .map(|it| it == "true" || it == "1"),
            fingerprint: props.fingerprint.clone(),
        }
    }
}

/// Sorts the resources of an answer to `Depth: 1`. `asked` is the address of the folder, as names.
///
/// The answer must name the folder itself and call it one, and nothing that is not in it: an
/// answer that does not is none to this question, and what it lacks is not absent.
pub(crate) fn listing(
    asked: &[String],
    resources: &[Resource],
    at: Option<DateTime<Utc>>,
) -> Result<Listing> {
    let own = resources
        .iter()
        .filter_map(|resource| Some((names(&resource.href)?, resource)))
        .min_by_key(|(names, _)| names.len())
        .filter(|(names, _)| is_same(names, asked));
    let Some((place, own)) = own else {
        return Err(wrong("the folder itself is not in it"));
    };
    if own.props.collection != Some(true) {
        return Err(match own.status {
            Some(404) => Error::new(Kind::NotFound, "the folder is not there"),
            _ => wrong("what was listed is no folder"),
        });
    }
    let mut listing = Listing {
        own: Entry::of(String::new(), own),
        entries: Vec::with_capacity(resources.len()),
        odd: 0,
        unknown: Vec::new(),
        at,
    };
    let mut own_again = 0;
    for resource in resources {
        let Some(mut found) = names(&resource.href) else {
            listing.odd += 1;
            continue;
        };
        if found == place {
            own_again += 1;
            continue;
        }
        if found.len() != place.len() + 1 || !found.starts_with(&place) {
            return Err(
                wrong("it names what does not lie in the folder").with("href", &resource.href)
            );
        }
        let name = found.pop().expect("it has a name more than its folder");
        match (resource.status, resource.props.collection) {
            (None | Some(200), Some(_)) => listing.entries.push(Entry::of(name, resource)),
            (Some(status), _) => listing.unknown.push((name, format!("status {status}"))),
            (None, None) => listing
                .unknown
                .push((name, "it has no properties".to_owned())),
        }
    }
    if own_again != 1 {
        return Err(wrong("it names the folder itself more than once"));
    }
    listing
        .entries
        .sort_by(|one, other| one.name.cmp(&other.name));
    if listing
        .entries
        .windows(2)
        .any(|two| two[0].name == two[1].name)
    {
        return Err(wrong("it names something twice"));
    }
    Ok(listing)
}

fn wrong(why: &str) -> Error {
    Error::new(
        Kind::Protocol,
        format!("the listing of a folder cannot be believed: {why}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dav::xml::Props;

    fn resource(href: &str, folder: bool) -> Resource {
        Resource {
            href: href.to_owned(),
            status: None,
            props: Props {
                collection: Some(folder),
                ..Props::default()
            },
        }
    }

    fn asked(path: &str) -> Vec<String> {
        names(path).unwrap()
    }

    #[test]
    fn the_folder_and_what_lies_in_it() {
        let found = [
            resource("/dav/a/b.txt", false),
            resource("/dav/a/", true),
            resource("/dav/a/c/", true),
            resource("/dav/a/%FC.txt", false),
        ];
        let listing = listing(&asked("/dav/a"), &found, None).unwrap();
        let names: Vec<_> = listing
            .entries
            .iter()
            .map(|it| (&*it.name, it.folder))
            .collect();
        assert_eq!(names, [("b.txt", false), ("c", true)]);
        assert_eq!(listing.odd, 1);
    }

    #[test]
    fn what_is_no_listing_of_the_folder_is_refused() {
        let own = resource("/dav/a/", true);
        let cases = [
            vec![],
            vec![resource("/dav/a/b.txt", false)],
            vec![resource("/dav/other/", true)],
            vec![resource("/dav/a", false)],
            vec![own.clone(), own.clone()],
            vec![own.clone(), resource("/dav/a/b/c.txt", false)],
            vec![own.clone(), resource("/elsewhere/x/b.txt", false)],
            vec![
                own,
                resource("/dav/a/b", false),
                resource("/dav/a/b/", true),
            ],
        ];
        for found in cases {
            let error = listing(&asked("/dav/a"), &found, None).unwrap_err();
            assert_eq!(error.kind(), Kind::Protocol, "{found:?}");
        }
    }

    #[test]
    fn what_the_server_does_not_describe_is_unknown() {
        let refused = Resource {
            status: Some(403),
            props: Props::default(),
            ..resource("/a/secret", false)
        };
        let bare = Resource {
            props: Props::default(),
            ..resource("/a/bare", false)
        };
        let listing = listing(&asked("/a"), &[resource("/a/", true), refused, bare], None).unwrap();
        assert_eq!(listing.unknown.len(), 2);
        assert!(listing.entries.is_empty());
    }
}
