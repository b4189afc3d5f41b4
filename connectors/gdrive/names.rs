//! Names: how Drive's become parts of a path, what stands in a query, and which folder a person
//! means by a link.

/// A name as one part of a path. Drive allows names that a path cannot hold: with `/` in them,
/// or `.` and `..` alone (rclone, "Google drive", read 2026-11). They get signs that look the
/// same and mean nothing; a file is known by its id, so two that look alike stay two.
pub(super) fn part(name: &str) -> String {
    match name {
        "." | ".." => name.replace('.', "\u{2024}"),
        _ => name.replace('/', "\u{2215}"),
    }
}

/// Two parts of a path; the root is the empty path.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        part(name)
    } else {
        format!("{folder}/{}", part(name))
    }
}

/// A text between the quotation marks of a query.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Everything that lies directly in one of these folders.
pub(super) fn in_any(folders: &[&str]) -> String {
    let terms: Vec<String> = folders
        .iter()
        .map(|folder| format!("{} in parents", quoted(folder)))
        .collect();
    match terms.as_slice() {
        [one] => one.clone(),
        many => format!("({})", many.join(" or ")),
    }
}

/// The id in what a person pasted: the id itself, or the folder's address in a browser.
pub(super) fn folder_id(text: &str) -> Option<&str> {
    let text = text.trim();
    let id = match text.split_once("/folders/") {
        Some((_, rest)) => rest.split(['?', '#', '/']).next().unwrap_or_default(),
        None => match text.split_once("?id=") {
            Some((_, rest)) => rest.split(['&', '#']).next().unwrap_or_default(),
            None => text,
        },
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (!id.is_empty() && id.len() <= 128 && id.bytes().all(plain)).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_folder() {
        assert_eq!(join("", "a/b.pdf"), "a\u{2215}b.pdf");
        assert_eq!(join("x", ".."), "x/\u{2024}\u{2024}");
        assert_eq!(join("x", "..."), "x/...");
        assert_eq!(join("x", "Ü \\ 'q'"), "x/Ü \\ 'q'");
    }

    #[test]
    fn a_query_holds_any_name() {
        assert_eq!(quoted(r"O'Neil \ Co"), r"'O\'Neil \\ Co'");
        assert_eq!(in_any(&["a"]), "'a' in parents");
        assert_eq!(in_any(&["a", "b"]), "('a' in parents or 'b' in parents)");
    }

    #[test]
    fn a_folder_is_named_by_its_id_or_its_address() {
        let id = "1AbC-d_E";
        for text in [
            "1AbC-d_E",
            " https://drive.google.com/drive/folders/1AbC-d_E?usp=sharing ",
            "https://drive.google.com/drive/u/0/folders/1AbC-d_E",
            "https://drive.google.com/open?id=1AbC-d_E&usp=drive_copy",
        ] {
            assert_eq!(folder_id(text), Some(id), "{text}");
        }
        for text in ["", "Kunde Nord", "https://drive.google.com/", "a'b"] {
            assert_eq!(folder_id(text), None, "{text}");
        }
    }
}
