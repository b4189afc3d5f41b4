//! Bodies of several parts (RFC 2046, section 5.1; RFC 7578 for forms).

use sha2::{Digest, Sha256};

/// One part of a body.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// Its headers, as they are written: `("Content-Type", "application/pdf")`.
    pub headers: &'a [(&'a str, &'a str)],
    pub bytes: &'a [u8],
}

/// The `Content-Type` and the bytes. The same parts give the same bytes, so that a repetition is
/// one to the last byte.
pub(super) fn encode(subtype: &str, parts: &[Part<'_>]) -> (String, Vec<u8>) {
    let boundary = boundary(parts);
    let mut body = Vec::new();
    for part in parts {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        for (name, value) in part.headers {
            // A line break in a file name would begin a header of its own.
            let value = value.replace(['\r', '\n'], " ");
            body.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(part.bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (format!("multipart/{subtype}; boundary={boundary}"), body)
}

/// A line that occurs in no part: made of the parts' hash, and of another where by some accident
/// it does.
fn boundary(parts: &[Part<'_>]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.bytes);
    }
    let mut digest = hash.finalize();
    loop {
        let number = u128::from_be_bytes(*digest.first_chunk().expect("32 bytes hold 16"));
        let text = format!("{number:032x}");
        let inside = |part: &Part<'_>| {
            let needle = text.as_bytes();
            part.bytes
                .windows(needle.len())
                .any(|bytes| bytes == needle)
        };
        if !parts.iter().any(inside) {
            return text;
        }
        digest = Sha256::digest(digest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stand_between_a_line_that_none_of_them_holds() {
        let parts = [
            Part {
                headers: &[("Content-Disposition", "form-data; name=\"a\"\r\nX: y")],
                bytes: b"one\r\n--two",
            },
            Part {
                headers: &[],
                bytes: "drei Ü".as_bytes(),
            },
        ];
        let (content_type, body) = encode("form-data", &parts);
        let boundary = content_type
            .strip_prefix("multipart/form-data; boundary=")
            .expect("the type names it");
        let text = String::from_utf8(body).expect("text");
        let wanted = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"  X: y\r\n\r\n\
             one\r\n--two\r\n--{boundary}\r\n\r\ndrei Ü\r\n--{boundary}--\r\n"
        );
        assert_eq!(text, wanted);
        assert_eq!(encode("form-data", &parts).1, text.as_bytes());
        let stubborn = boundary.as_bytes().to_vec();
        let own = super::boundary(&[Part {
            headers: &[],
            bytes: &stubborn,
        }]);
        assert!(!stubborn.starts_with(own.as_bytes()));
    }
}
