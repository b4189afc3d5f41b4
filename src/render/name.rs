//! File names that every system takes: letters, digits, hyphens, underscores and one dot.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::Format;
use super::words::Words;
use crate::billing::Statement;

/// Long enough for any client, short enough for any file system (255 bytes in all).
const LONGEST_PART: usize = 60;

/// `Leistungsnachweis_2026-10_mueller_2026-0007.pdf`; a draft has no number and says so.
pub(super) fn file_name(statement: &Statement, format: Format) -> String {
    let words = Words::of(statement.language);
    let period = statement.period.to_string().replace("..", "_");
    let client = safe(&statement.client_key);
    let number = match &statement.number {
        Some(number) => safe(number),
        None => safe(words.draft),
    };
    let title = match statement.cancels {
        Some(_) => words.file_cancellation,
        None => words.file_title,
    };
    let mut parts = vec![title, &period];
    parts.extend(
        [client.as_str(), &number]
            .into_iter()
            .filter(|part| !part.is_empty()),
    );
    format!("{}.{}", parts.join("_"), format.extension())
}

/// Spells a text with unreserved characters only.
fn safe(text: &str) -> String {
    let mut name = String::new();
    for c in text.nfc() {
        match c {
            'ä' => name.push_str("ae"),
            'ö' => name.push_str("oe"),
            'ü' => name.push_str("ue"),
            'Ä' => name.push_str("Ae"),
            'Ö' => name.push_str("Oe"),
            'Ü' => name.push_str("Ue"),
            'ß' => name.push_str("ss"),
            'a'..='z' | 'A'..='Z' | '0'..='9' => name.push(c),
            _ => {
                for part in c.nfkd().filter(|part| !is_combining_mark(*part)) {
                    if part.is_ascii_alphanumeric() {
                        name.push(part);
                    } else if !name.ends_with('-') {
                        name.push('-');
                    }
                }
            }
        }
    }
    name.truncate(LONGEST_PART);
    name.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_spelled_out() {
        assert_eq!(safe("Müller & Söhne, Straße"), "Mueller-Soehne-Strasse");
        assert_eq!(safe("Mu\u{308}ller"), "Mueller");
        assert_eq!(safe("RE/2026/0007"), "RE-2026-0007");
        assert_eq!(safe("../../etc/passwd\0"), "etc-passwd");
        assert_eq!(safe("Łódź čšž"), "odz-csz");
        assert_eq!(safe("日本"), "");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_remains(text in any::<String>()) {
            let name = safe(&text);
            prop_assert!(name.len() <= LONGEST_PART);
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'));
            prop_assert!(!name.starts_with('-') && !name.ends_with('-'));
        }
    }
}
