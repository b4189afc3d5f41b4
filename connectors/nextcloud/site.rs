//! Which server, and where in it: the settings as addresses.

use crate::dav::client::Place;
use crate::dav::{escape, names};
use crate::error::{Error, Kind, Result};
use crate::http::segment;

/// A server, and the folder of the connection in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// Without a slash at the end.
    pub(super) server: String,
    /// The word in a public link, where the folder is shared by one.
    pub(super) share: Option<String>,
    /// Below the user's files, or below the shared folder; empty for all of it.
    pub(super) folder: String,
}

impl Site {
    /// Reads what a person may paste: the server's address, that of a page in it, that for WebDAV,
    /// or a public link.
    pub(super) fn parse(url: &str, folder: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Err(Error::new(Kind::Settings, why).hint(
                "write `https://cloud.example.com`, or a public link as \
                 `https://cloud.example.com/s/AbCdEf`; the folder goes into `folder`",
            ))
        };
        let Some(folder) = names(folder) else {
            return wrong("`folder` is no path in the server");
        };
        let url = url.trim_end_matches('/');
        let Some(start) = url.find("://").map(|at| at + 3) else {
            return wrong("`url` is no web address");
        };
        let share = url
            .find("/s/")
            .filter(|at| *at > start)
            .map(|at| &url[at + 3..]);
        let share = share.or_else(|| {
            let at = url.find("/public.php/dav/files/")?;
            Some(&url[at + "/public.php/dav/files/".len()..])
        });
        if share.is_some_and(|word| {
            word.is_empty() || !word.bytes().all(|it| it.is_ascii_alphanumeric())
        }) {
            return wrong("the public link has another form than links of Nextcloud have");
        }
        let ends = ["/index.php", "/remote.php", "/public.php", "/apps/", "/s/"];
        let end = ends.iter().filter_map(|it| url[start..].find(it)).min();
        let server = end.map_or(url, |end| &url[..start + end]);
        Ok(Self {
            server: server.to_owned(),
            share: share.map(str::to_owned),
            folder: folder.join("/"),
        })
    }

    /// The root of the connection, for the user with this name in addresses.
    pub(super) fn root(&self, user: &str) -> Place {
        let folder = escape(&self.folder);
        Place::root(match &self.share {
            // Since Nextcloud 29 ("Basic WebDAV APIs", "Public shares", read 2026-11).
            Some(share) => format!("/public.php/dav/files/{share}{folder}"),
            None => format!("/remote.php/dav/files/{}{folder}", segment(user)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_is_understood() {
        for (url, server, share) in [
            (
                "https://cloud.example.com",
                "https://cloud.example.com",
                None,
            ),
            (
                "https://cloud.example.com/",
                "https://cloud.example.com",
                None,
            ),
            (
                "https://example.com/nextcloud/",
                "https://example.com/nextcloud",
                None,
            ),
            (
                "https://example.com/nc/index.php/apps/files/files/7?dir=/",
                "https://example.com/nc",
                None,
            ),
            (
                "https://example.com/apps/files/",
                "https://example.com",
                None,
            ),
            (
                "https://example.com/nc/remote.php/dav/files/anna/",
                "https://example.com/nc",
                None,
            ),
            (
                "https://example.com/s/AbC9",
                "https://example.com",
                Some("AbC9"),
            ),
            (
                "https://example.com/nc/index.php/s/AbC9",
                "https://example.com/nc",
                Some("AbC9"),
            ),
            (
                "https://example.com/public.php/dav/files/AbC9",
                "https://example.com",
                Some("AbC9"),
            ),
        ] {
            let site = Site::parse(url, "").unwrap();
            assert_eq!(
                (site.server.as_str(), site.share.as_deref()),
                (server, share),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for (url, folder) in [
            ("cloud.example.com", ""),
            ("https://cloud.example.com/s/a%2Fb", ""),
            ("https://cloud.example.com/s/a/b", ""),
            ("https://cloud.example.com", "../other"),
        ] {
            assert_eq!(
                Site::parse(url, folder).unwrap_err().kind(),
                Kind::Settings,
                "{url}"
            );
        }
    }

    #[test]
    fn folders_are_escaped() {
        let site = Site::parse("https://cloud.example.com", "/Kunde A/Übersicht/").unwrap();
        assert_eq!(
            site.root("anna@example.com").as_folder(),
            "/remote.php/dav/files/anna%40example.com/Kunde%20A/%C3%9Cbersicht/"
        );
    }
}
