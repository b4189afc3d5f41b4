//! Takes credentials out of what a service sends back.

use std::fmt;

use zeroize::Zeroizing;

use super::Options;
use super::base::segment;

/// What must not be seen, in the forms in which it may come back.
pub(super) struct Redactor {
    /// Longest first, so that a whole value goes before its parts.
    needles: Vec<Zeroizing<String>>,
}

impl Redactor {
    /// A shorter text is no credential, and replacing it would tear words apart.
    const SHORTEST: usize = 6;

    pub(super) fn new(options: &Options) -> Self {
        let mut needles = Vec::new();
        for secret in options
            .headers
            .iter()
            .map(|(_, secret)| secret)
            .chain(&options.secrets)
        {
            let whole = secret.expose();
            let parts = whole
                .split([' ', ',', '"', '\''])
                .filter(|part| !is_word(part));
            for part in std::iter::once(whole).chain(parts) {
                for form in [part.to_owned(), segment(part), part.replace('/', "\\/")] {
                    if form.len() >= Self::SHORTEST {
                        needles.push(Zeroizing::new(form));
                    }
                }
            }
        }
        needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        needles.dedup();
        Self { needles }
    }

    pub(super) fn text(&self, text: &str) -> String {
        self.needles.iter().fold(text.to_owned(), |text, needle| {
            text.replace(needle.as_str(), "…")
        })
    }

    pub(super) fn bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for needle in &self.needles {
            let needle = needle.as_bytes();
            if find(&bytes, needle).is_some() {
                bytes = replace(&bytes, needle);
            }
        }
        bytes
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({})", self.needles.len())
    }
}

/// Whether a part of a header is a name of the scheme (`Bearer`, `oauth_token=`), which texts
/// may well contain, rather than a value.
fn is_word(part: &str) -> bool {
    let name = part.strip_suffix('=').unwrap_or(part);
    name.len() <= 20
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    loop {
        let at = from + bytes.get(from..)?.iter().position(|byte| byte == first)?;
        if bytes[at + 1..].starts_with(rest) {
            return Some(at);
        }
        from = at + 1;
    }
}

fn replace(mut bytes: &[u8], needle: &[u8]) -> Vec<u8> {
    let mut clean = Vec::with_capacity(bytes.len());
    while let Some(at) = find(bytes, needle) {
        clean.extend_from_slice(&bytes[..at]);
        clean.extend_from_slice("…".as_bytes());
        bytes = &bytes[at + needle.len()..];
    }
    clean.extend_from_slice(bytes);
    clean
}
