//! Dropbox's mark of a content: the SHA-256 of the SHA-256s of its blocks.

use sha2::{Digest, Sha256};

use crate::drive::hash::hex;

/// The length of a block (Dropbox, "Content hash", read 2026-11).
const BLOCK: usize = 4 << 20;

/// The `content_hash` of these bytes.
pub(super) fn content_hash(bytes: &[u8]) -> String {
    let mut all = Sha256::new();
    for block in bytes.chunks(BLOCK) {
        all.update(Sha256::digest(block));
    }
    hex(&all.finalize())
}

/// The `content_hash` of a file of which only length and SHA-256 are known; `None` for one of
/// several blocks, whose hash cannot be told from the SHA-256 of the whole.
pub(super) fn of_one_block(sha256: &str, size: u64) -> Option<String> {
    if size == 0 {
        return Some(content_hash(&[]));
    }
    let fits = usize::try_from(size).is_ok_and(|size| size <= BLOCK);
    let digest = unhex(sha256).filter(|_| fits)?;
    Some(hex(&Sha256::digest(digest)))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let plain = text.bytes().all(|sign| sign.is_ascii_hexdigit()) && text.len() == 64;
    let pairs = text.as_bytes().chunks(2).filter(|_| plain);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes
        .collect::<Option<Vec<u8>>>()
        .filter(|it| it.len() == 32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drive::hash::sha256;

    /// The vectors, but for the first, were made by a second implementation (Python's hashlib,
    /// 2026-11); the first stands as an example in Dropbox's own description.
    #[test]
    fn known_vectors() {
        for (length, wanted) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "bf5d3affb73efd2ec6c36ad3112dd933efed63c4e1cbffcfa88e2759c144f2d8",
            ),
            (
                BLOCK,
                "907a506cf5e706bda5c7a29b43c9c65d8344bd2fa2f22339b359c214812af5a1",
            ),
            (
                BLOCK + 1,
                "5f858b62ccd88447586305aec6fd53c96747cfebf527cbba129a6dfed47d9624",
            ),
        ] {
            assert_eq!(content_hash(&vec![b'a'; length]), wanted, "{length} bytes");
        }
    }

    #[test]
    fn the_hash_of_one_block_follows_from_its_sha256() {
        for length in [0, 1, 1000, BLOCK] {
            let bytes = vec![7; length];
            let size = length as u64;
            assert_eq!(
                of_one_block(&sha256(&bytes), size),
                Some(content_hash(&bytes))
            );
        }
        assert_eq!(
            of_one_block(&sha256(&vec![7; BLOCK + 1]), BLOCK as u64 + 1),
            None
        );
        assert_eq!(of_one_block("no hash", 1), None);
    }
}
