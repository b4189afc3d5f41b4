//! Names: what is not looked at, how a name becomes text and back, what we may write.
//!
//! A path is the identity of a file, so it is kept as the drive writes it: an `Ü` in one code
//! point and an `Ü` in two are two files, as they are on disk.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use crate::error::{Error, Kind, Result};

/// Our own files under way; ignored by the walk, and cleared by the delivery of the same key.
pub(super) const TEMP_PREFIX: &str = ".stundenbuch-";
pub(super) const TEMP_SUFFIX: &str = ".tmp";

/// What office programs, browsers and synchronisation clients leave lying about while they work.
const ALWAYS_IGNORED: &[&str] = &[
    ".~*",
    "~$*",
    "*.part",
    "*.tmp",
    ".sync*",
    ".DS_Store",
    "Thumbs.db",
    "desktop.ini",
    "*.crdownload",
    ".git",
];

/// The longest name that we write, in bytes: with room for ` (2)` still short enough for every
/// drive that a folder may be synchronised to.
const NAME_MAX: usize = 200;

/// Which names the walk passes over, files and folders alike.
#[derive(Clone, Debug)]
pub(super) struct Ignore {
    patterns: Vec<String>,
}

impl Ignore {
    /// The names that are always ignored, and those of the settings.
    pub(super) fn new(patterns: &[String], marker: Option<&str>) -> Self {
        let always = ALWAYS_IGNORED.iter().map(|pattern| (*pattern).to_owned());
        let patterns = always
            .chain(patterns.iter().cloned())
            // The marker proves that the folder is mounted; it is no work.
            .chain(marker.map(str::to_owned))
            .collect();
        Self { patterns }
    }

    pub(super) fn covers(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern, name))
    }
}

/// Whether `name` is described by `pattern`, where `*` stands for any characters, none included.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut left) = name.strip_prefix(first) else {
        return false;
    };
    // Each part between two stars is taken at its first place; only the last must end the name.
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

/// One name as text. Bytes that are no UTF-8 become `\xHH`, and a backslash is doubled, so that
/// no two names become the same text. The flag says whether the name was UTF-8.
pub(super) fn encode(name: &[u8]) -> (String, bool) {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(name.len());
    let mut clean = true;
    for chunk in name.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            clean = false;
            write!(text, "\\x{byte:02X}").expect("a string takes everything");
        }
    }
    (text, clean)
}

/// The name that [`encode`] made this text of; `None` for a text that it never makes, or that
/// would lead out of the folder.
pub(super) fn decode(text: &str) -> Option<OsString> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        rest = if let Some(after) = after.strip_prefix('\\') {
            bytes.push(b'\\');
            after
        } else {
            let digits = after.strip_prefix('x')?.get(..2)?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            &after[3..]
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    let leads_out = matches!(bytes.as_slice(), b"" | b"." | b"..");
    let strange = bytes.iter().any(|byte| matches!(byte, b'/' | 0));
    (!leads_out && !strange).then(|| OsString::from_vec(bytes))
}

/// The names that a path leads through, as the file system wants them.
pub(super) fn components(path: &str) -> Option<Vec<OsString>> {
    path.split('/').map(decode).collect()
}

/// The folder (empty for the root) and the name of a path that we are asked to write.
///
/// Only names that every synchronisation client and Windows share can carry are accepted: a
/// file that appears on our side alone is not delivered.
pub(super) fn outgoing(path: &str) -> Result<(Vec<&str>, &str)> {
    let mut names: Vec<&str> = path.split('/').collect();
    for name in &names {
        if let Some(reason) = unsafe_name(name) {
            return Err(
                Error::new(Kind::Rejected, "refused an unsafe path to write")
                    .with("path", path)
                    .with("reason", reason)
                    .hint("paths are relative, `/`-separated, and made of plain names"),
            );
        }
    }
    let name = names.pop().unwrap_or_default();
    Ok((names, name))
}

fn unsafe_name(name: &str) -> Option<&'static str> {
    let stem = name.split('.').next().unwrap_or_default();
    if matches!(name, "" | "." | "..") {
        Some("empty, `.` or `..`")
    } else if name.len() > NAME_MAX {
        Some("a name longer than 200 bytes")
    } else if name.contains(|c: char| c.is_control() || r#"\:*?"<>|"#.contains(c)) {
        Some(r#"a control character or one of \ : * ? " < > |"#)
    } else if name.ends_with([' ', '.']) || name.starts_with(' ') {
        Some("a blank at an end, or a dot at the end")
    } else if reserved(stem) {
        Some("a name that Windows reserves for a device")
    } else if Ignore::new(&[], None).covers(name) {
        Some("a name that is passed over when the folder is read")
    } else {
        None
    }
}

fn reserved(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" => true,
        _ => {
            let numbered = stem.strip_prefix("COM").or(stem.strip_prefix("LPT"));
            numbered.is_some_and(|n| matches!(n.as_bytes(), [b'1'..=b'9']))
        }
    }
}

/// `report.pdf`, 2 → `report (2).pdf`.
pub(super) fn beside(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// The number of `candidate`, when it is `name` put beside itself.
pub(super) fn beside_number(name: &str, candidate: &str) -> Option<u32> {
    let (before, after) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(").{extension}")),
        _ => (name, ")".to_owned()),
    };
    let number = candidate
        .strip_prefix(before)?
        .strip_prefix(" (")?
        .strip_suffix(after.as_str())?
        .parse()
        .ok()?;
    // Only the exact form counts: `(02)` and `(+2)` are somebody else's names.
    (number >= 2 && beside(name, number) == candidate).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*.tmp", "a.tmp", true),
            ("*.tmp", "a.tmp.pdf", false),
            (".~*", ".~lock.a.odt#", true),
            (".git", ".gitignore", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("ab*b", "ab", false),
            ("*", "", true),
            ("*x*", "aaxa", true),
            ("*aab", "aaab", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} on {name}");
        }
    }

    #[test]
    fn a_name_put_beside_is_known_again() {
        for name in ["report.pdf", "Bericht 2026.10.pdf", "README", ".profile"] {
            assert_eq!(beside_number(name, &beside(name, 12)), Some(12), "{name}");
            assert_eq!(beside_number(name, name), None);
        }
        assert_eq!(beside("a.tar.gz", 2), "a.tar (2).gz");
        for other in [
            "report (02).pdf",
            "report (1).pdf",
            "report (+2).pdf",
            "report (2).txt",
        ] {
            assert_eq!(beside_number("report.pdf", other), None, "{other}");
        }
    }

    #[test]
    fn paths_to_write_stay_inside() {
        assert_eq!(outgoing("a/b.pdf").unwrap(), (vec!["a"], "b.pdf"));
        for path in [
            "",
            "/etc/passwd",
            "../x",
            "a/../x",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "a\0",
            "a\nb",
            "con.txt",
            "a/NUL",
            "x.",
            "x ",
            "a:b",
            "x.tmp",
            ".stundenbuch-1.tmp",
            "lpt1",
        ] {
            let error = outgoing(path).unwrap_err();
            assert_eq!(error.kind(), Kind::Rejected, "{path:?}");
        }
        assert!(outgoing(&"x".repeat(201)).is_err());
    }

    proptest! {
        #[test]
        fn encoding_loses_nothing(name in proptest::collection::vec(1_u8.., 1..40)) {
            prop_assume!(!name.contains(&b'/') && name != b"." && name != b"..");
            let (text, clean) = encode(&name);
            prop_assert_eq!(clean, std::str::from_utf8(&name).is_ok());
            prop_assert_eq!(decode(&text), Some(OsString::from_vec(name)));
        }

        #[test]
        fn decoding_never_panics_and_never_leads_out(text in ".*") {
            if let Some(name) = decode(&text) {
                prop_assert!(name != ".." && name != "." && !name.is_empty());
            }
        }
    }
}
