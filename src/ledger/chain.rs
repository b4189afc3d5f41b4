//! The hash chain: every row proves the row before it.

use sha2::{Digest, Sha256};

/// The end of the chain: the last row's number and hash. Number 0 stands before the first row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: [u8; 32],
}

impl Head {
    /// The hash in lower-case hexadecimal.
    pub fn hex(&self) -> String {
        hex(&self.hash)
    }
}

/// The parts of a row that are chained.
#[derive(Clone, Copy, Debug)]
pub struct Link<'a> {
    /// Unix seconds.
    pub at: i64,
    pub kind: &'a str,
    pub subject: &'a str,
    /// SHA-256 of the payload. Its hash and not its text is chained, so that a text that the
    /// law wants erased can go without breaking the chain.
    pub payload_hash: [u8; 32],
}

/// The head after one more row.
///
/// `SHA-256(previous ‖ seq ‖ at ‖ len(kind) ‖ kind ‖ len(subject) ‖ subject ‖ payload hash)`,
/// numbers as 8 bytes big-endian, lengths in bytes.
pub fn link(previous: &Head, row: Link<'_>) -> Head {
    let seq = previous.seq + 1;
    let mut hash = Sha256::new();
    hash.update(previous.hash);
    hash.update(seq.to_be_bytes());
    hash.update(row.at.to_be_bytes());
    for text in [row.kind, row.subject] {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    }
    hash.update(row.payload_hash);
    Head {
        seq,
        hash: hash.finalize().into(),
    }
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(subject: &str) -> Link<'_> {
        Link {
            at: 1_700_000_000,
            kind: "revision",
            subject,
            payload_hash: sha256(b"{}"),
        }
    }

    /// Fixed for good: a change of this value is a change of every ledger in the world.
    #[test]
    fn the_first_link_is_what_the_format_document_says() {
        let head = link(&Head::default(), row("toggl/time/1"));
        assert_eq!(head.seq, 1);
        assert_eq!(
            head.hex(),
            "7d432304c70833dd2db4cb529aed23d5d9c858e9c6fc89541c3df793eda2ec34"
        );
    }

    #[test]
    fn text_cannot_move_between_fields() {
        let one = Link {
            kind: "ab",
            subject: "c",
            ..row("")
        };
        let two = Link {
            kind: "a",
            subject: "bc",
            ..row("")
        };
        assert_ne!(
            link(&Head::default(), one).hash,
            link(&Head::default(), two).hash
        );
    }
}
