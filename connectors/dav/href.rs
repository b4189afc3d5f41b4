//! Addresses of resources: what a server writes, and what we ask for.
//!
//! Apache escapes in lower case (`%c3`), sabre and rclone in upper case (recorded 2026-11), and a
//! server behind a proxy may write addresses with another beginning than ours. So addresses are
//! compared as decoded names, and a child is known by its place below the folder's own address.

use crate::http::segment;

/// The path of an address, without scheme and host.
fn path_of(href: &str) -> &str {
    match href.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => href,
    }
}

/// The names that an address leads through; `None` where one is no UTF-8, or hides a slash, or
/// would lead elsewhere.
pub(crate) fn names(href: &str) -> Option<Vec<String>> {
    let path = path_of(href);
    path.split('/')
        .filter(|name| !name.is_empty())
        .map(|name| decode(name).filter(|name| is_plain(name)))
        .collect()
}

/// A name that can be one step of a path.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\0'])
}

fn decode(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(
            u8::from_str_radix(digits, 16)
                .ok()
                .filter(|_| !digits.starts_with('+'))?,
        );
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok()
}

/// A path as it is asked for: each name escaped, with a slash in front.
pub(crate) fn escape(path: &str) -> String {
    let names = path.split('/').filter(|name| !name.is_empty());
    names.fold(String::new(), |mut text, name| {
        text.push('/');
        text.push_str(&segment(name));
        text
    })
}

/// Whether an address is the folder that was asked for, though a proxy gave it another beginning.
pub(crate) fn is_same(one: &[String], other: &[String]) -> bool {
    one.ends_with(other) || other.ends_with(one)
}

/// `a/b` and `c` → `a/b/c`; the root is empty.
pub(crate) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        path => format!("{path}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(parts: &[&str]) -> Vec<String> {
        parts.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_are_compared_as_names() {
        let wanted = all(&["dav", "Kunde A", "Übersicht.csv"]);
        for href in [
            "/dav/Kunde%20A/%c3%9cbersicht.csv",
            "/dav/Kunde%20A/%C3%9Cbersicht.csv",
            "https://cloud.example.com/dav/Kunde%20A/Übersicht.csv",
            "/dav//Kunde A/%C3%9Cbersicht.csv/",
        ] {
            assert_eq!(names(href), Some(wanted.clone()), "{href}");
        }
        assert_eq!(names("https://cloud.example.com"), Some(Vec::new()));
        assert_eq!(names("/100%25"), Some(all(&["100%"])));
    }

    #[test]
    fn what_leads_elsewhere_is_none() {
        for href in [
            "/a/%2e%2e/b",
            "/a/../b",
            "/a%2Fb",
            "/a/%00",
            "/a/%FC",
            "/%",
            "/%2",
            "/%+1",
        ] {
            assert_eq!(names(href), None, "{href}");
        }
    }

    #[test]
    fn a_proxy_may_change_the_beginning() {
        let asked = all(&["cloud", "remote.php", "dav", "x"]);
        assert!(is_same(&asked, &all(&["remote.php", "dav", "x"])));
        assert!(is_same(&all(&["dav", "x"]), &asked));
        assert!(!is_same(&asked, &all(&["remote.php", "dav", "y"])));
    }

    proptest! {
        #[test]
        fn what_we_ask_for_is_what_we_read(
            parts in proptest::collection::vec("[^/\0]{1,9}", 1..4),
        ) {
            prop_assume!(parts.iter().all(|part| part != "." && part != ".."));
            prop_assert_eq!(names(&escape(&parts.join("/"))), Some(parts));
        }

        #[test]
        fn no_address_panics(text in ".*") {
            let _ = names(&text);
        }
    }
}
