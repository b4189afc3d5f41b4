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
    pub subject: Subject<'a>,
    /// SHA-256 of the payload. Its hash and not its text is chained, so that a text that the
    /// law wants erased can go without breaking the chain.
    pub payload_hash: [u8; 32],
}

/// How a row's subject enters the chain.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// As its text: the rows up to the one that says `format`.
    Text(&'a str),
    /// As the SHA-256 of its text: all rows behind it, so that a subject can be erased too.
    Hash([u8; 32]),
}

/// Which form the subject of a row has in the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    #[default]
    Text,
    Hash,
}

impl Form {
    /// The subject of a row that is there.
    pub fn subject(self, text: &str) -> Subject<'_> {
        match self {
            Self::Text => Subject::Text(text),
            Self::Hash => Subject::Hash(sha256(text.as_bytes())),
        }
    }

    /// The subject of a row whose payload was erased, and perhaps its subject with it.
    pub fn erased(self, text: &str) -> Subject<'_> {
        match (self, erased_hash(text)) {
            (Self::Hash, Some(hash)) => Subject::Hash(hash),
            _ => self.subject(text),
        }
    }
}

/// Before the hash of a subject that was erased.
const ERASED: &str = "sha256:";

/// What stands in the place of a subject that was erased. Of a record's key, connection and
/// stream stay: they are the names of a configuration and of this format.
pub fn erased_subject(subject: &str) -> String {
    let hash = hex(&sha256(subject.as_bytes()));
    let mut parts = subject.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(connection), Some(stream), Some(_)) => {
            format!("{connection}/{stream}/{ERASED}{hash}")
        }
        _ => format!("{ERASED}{hash}"),
    }
}

/// The SHA-256 of a subject, whether it is there or was erased.
pub fn subject_hash(subject: &str) -> [u8; 32] {
    erased_hash(subject).unwrap_or_else(|| sha256(subject.as_bytes()))
}

/// The hash in the place of an erased subject; `None` for a subject that is still there.
fn erased_hash(subject: &str) -> Option<[u8; 32]> {
    let (_, digits) = subject.rsplit_once(ERASED)?;
    let digits = digits.as_bytes();
    if digits.len() != 64 {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let half = |digit: u8| char::from(digit).to_digit(16);
        let value = half(pair[0])? * 16 + half(pair[1])?;
        *byte = u8::try_from(value).ok()?;
    }
    Some(hash)
}

/// The head after one more row.
///
/// `SHA-256(previous ‖ seq ‖ at ‖ len(kind) ‖ kind ‖ subject ‖ payload hash)`, numbers as 8
/// bytes big-endian, lengths in bytes; `subject` is its length and text, or its SHA-256.
pub fn link(previous: &Head, row: Link<'_>) -> Head {
    let seq = previous.seq + 1;
    let mut hash = Sha256::new();
    hash.update(previous.hash);
    hash.update(seq.to_be_bytes());
    hash.update(row.at.to_be_bytes());
    let mut text = |text: &str| {
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    text(row.kind);
    match row.subject {
        Subject::Text(subject) => text(subject),
        Subject::Hash(subject) => hash.update(subject),
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
            subject: Subject::Text(subject),
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
            subject: Subject::Text("c"),
            ..row("")
        };
        let two = Link {
            kind: "a",
            subject: Subject::Text("bc"),
            ..row("")
        };
        assert_ne!(
            link(&Head::default(), one).hash,
            link(&Head::default(), two).hash
        );
    }

    /// The same for rows behind the one that says `format`.
    #[test]
    fn a_link_with_a_hashed_subject_is_what_the_format_document_says() {
        let hashed = Link {
            subject: Form::Hash.subject("toggl/time/1"),
            ..row("")
        };
        assert_eq!(
            link(&Head::default(), hashed).hex(),
            "7bfc460d1334086358c3092fa718815400114c4332d68aaceaa076fc64a4ca1a"
        );
    }

    #[test]
    fn an_erased_subject_keeps_its_place_in_the_chain() {
        for subject in [
            "toggl/time/1",
            "drive/files/Ahorn/Angebot.pdf",
            "ahorn",
            "a/b",
        ] {
            let erased = erased_subject(subject);
            let [there, gone] = [Form::Hash.subject(subject), Form::Hash.erased(&erased)]
                .map(|subject| Link { subject, ..row("") });
            assert_eq!(link(&Head::default(), there), link(&Head::default(), gone));
        }
        assert!(erased_subject("drive/files/Ahorn/x").starts_with("drive/files/sha256:"));
    }
}
