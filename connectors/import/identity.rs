//! Identities for rows that have none.
//!
//! Exports carry no identifier, so a row is known by what it says of who, when and what: those
//! who import the same month twice must not bill it twice. The identity leaves out whatever an
//! export option changes (file name, order, columns, quotes, date and clock style) and what is
//! corrected most often afterwards (the end, the tags, the billable mark), so that a correction
//! is a new revision of the same entry. Rows that are equal in all of it are told apart by a
//! counter.

use std::collections::HashMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use crate::record::ExternalId;

/// Part of every identity, so that another recipe can never give the same one by chance.
const RECIPE: &[u8] = b"stundenbuch import 1";

/// What a row is known by.
#[derive(Debug)]
pub(super) struct Key {
    hash: Sha256,
}

impl Key {
    pub(super) fn new() -> Self {
        let mut hash = Sha256::new();
        hash.update(RECIPE);
        Self { hash }
    }

    /// Adds one part. Carriage returns do not count, being a matter of the exporting system.
    #[must_use]
    pub(super) fn part(mut self, text: &str) -> Self {
        let returns = text.bytes().filter(|&byte| byte == b'\r').count();
        let length = u64::try_from(text.len() - returns).expect("a text fits into memory");
        // The length before the text keeps `ab`+`c` apart from `a`+`bc`.
        self.hash.update(length.to_le_bytes());
        if returns == 0 {
            self.hash.update(text);
        } else {
            for piece in text.split('\r') {
                self.hash.update(piece);
            }
        }
        self
    }
}

/// The rows seen so far in one file.
///
/// Holds 64 bits a row, in sorted shelves: about 10 MB for a million rows, the only thing in an
/// import that grows. Two different rows fall together once in about 37 million files of a
/// million rows; the second would then carry the number 2, and still be an entry of its own.
#[derive(Debug)]
pub(super) struct Seen {
    shelves: Vec<Vec<u64>>,
    /// How often a row came again; rare, so kept apart.
    again: HashMap<u64, u32>,
}

const SHELVES: usize = 1 << 12;
/// A shelf grows by so many places, not by doubling, so that little memory is held in reserve.
const GROW: usize = 32;

impl Seen {
    pub(super) fn new() -> Self {
        Self {
            shelves: vec![Vec::new(); SHELVES],
            again: HashMap::new(),
        }
    }

    /// The identity of the next row with this key.
    pub(super) fn identify(&mut self, key: Key) -> ExternalId {
        let digest = key.hash.finalize();
        match self.count(first_bits(&digest)) {
            0 => ExternalId::new(hexadecimal(&digest)),
            count => {
                let mut hash = Sha256::new();
                hash.update(digest);
                hash.update(count.to_le_bytes());
                ExternalId::new(hexadecimal(&hash.finalize()))
            }
        }
    }

    /// How often this key came before.
    fn count(&mut self, bits: u64) -> u32 {
        let place = usize::try_from(bits % SHELVES as u64).expect("fewer shelves than memory");
        let sorted = &mut self.shelves[place];
        match sorted.binary_search(&bits) {
            Ok(_) => {
                let count = self.again.entry(bits).or_default();
                *count += 1;
                *count
            }
            Err(gap) => {
                if sorted.len() == sorted.capacity() {
                    sorted.reserve_exact(GROW);
                }
                sorted.insert(gap, bits);
                0
            }
        }
    }
}

fn first_bits(digest: &[u8]) -> u64 {
    let bytes = digest[..8].try_into().expect("a digest is longer");
    u64::from_le_bytes(bytes)
}

/// The first 128 bits: enough for a million million rows, and half as long to read.
fn hexadecimal(digest: &[u8]) -> String {
    let mut text = String::with_capacity(32);
    for byte in &digest[..16] {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
    }
    text
}
