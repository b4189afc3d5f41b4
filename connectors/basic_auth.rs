//! The `Authorization` header of user and password (RFC 7617).

use zeroize::Zeroizing;

use crate::secret::Secret;

/// The header's value.
pub(crate) fn header(user: &str, password: &str) -> Secret {
    let pair = Zeroizing::new(format!("{user}:{password}"));
    let header = Zeroizing::new(format!("Basic {}", *base64(pair.as_bytes())));
    Secret::new(&header)
}

/// Base64 as in RFC 4648, section 4.
fn base64(bytes: &[u8]) -> Zeroizing<String> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Zeroizing::new(String::with_capacity(bytes.len().div_ceil(3) * 4));
    for chunk in bytes.chunks(3) {
        let mut group = 0_u32;
        for place in 0..3 {
            group = (group << 8) | u32::from(chunk.get(place).copied().unwrap_or(0));
        }
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            let digit = if place <= chunk.len() {
                ALPHABET[index as usize]
            } else {
                b'='
            };
            text.push(char::from(digit));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_rfc() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("foobar", "Zm9vYmFy"),
            ("\u{fb}\u{ff}", "w7vDvw=="),
        ];
        for (plain, encoded) in cases {
            assert_eq!(*base64(plain.as_bytes()), encoded);
        }
    }
}
