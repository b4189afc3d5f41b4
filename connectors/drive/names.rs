//! Names on drives: what is passed over, what we may write, and what is put beside a taken name.

use crate::error::{Error, Kind, Result};

/// Our own files under way; ignored by the walk, and cleared by the delivery of the same key.
pub(crate) const TEMP_PREFIX: &str = ".stundenbuch-";
pub(crate) const TEMP_SUFFIX: &str = ".tmp";

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
pub(crate) struct Ignore {
    patterns: Vec<String>,
}

impl Ignore {
    /// The names that are always ignored, and those of the settings.
    pub(crate) fn new(patterns: &[String], marker: Option<&str>) -> Self {
        let always = ALWAYS_IGNORED.iter().map(|pattern| (*pattern).to_owned());
        let patterns = always
            .chain(patterns.iter().cloned())
            // The marker proves that the folder is mounted; it is no work.
            .chain(marker.map(str::to_owned))
            .collect();
        Self { patterns }
    }

    pub(crate) fn covers(&self, name: &str) -> bool {
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

/// The folder (empty for the root) and the name of a path that we are asked to write.
///
/// Only names that every synchronisation client and Windows share can carry are accepted: a
/// file that appears on our side alone is not delivered.
pub(crate) fn outgoing(path: &str) -> Result<(Vec<&str>, &str)> {
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
pub(crate) fn beside(name: &str, number: u32) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
    }
}

/// The number of `candidate`, when it is `name` put beside itself.
pub(crate) fn beside_number(name: &str, candidate: &str) -> Option<u32> {
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
}
