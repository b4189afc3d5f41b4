//! Names: how a name becomes text and back.
//!
//! A path is the identity of a file, so it is kept as the drive writes it: an `Ü` in one code
//! point and an `Ü` in two are two files, as they are on disk.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
