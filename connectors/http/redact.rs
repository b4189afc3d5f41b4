//! Takes credentials out of what a service sends back.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::Options;
use super::base::segment;
use crate::secret::Secret;

/// What must not be seen, in the forms in which it may come back.
pub(super) struct Redactor {
    /// Longest first, so that a whole value goes before its parts.
    needles: Vec<Zeroizing<String>>,
    /// The last credentials that came while we worked, each with its forms.
    learnt: Mutex<VecDeque<Needles>>,
}

type Needles = Vec<Zeroizing<String>>;

impl Redactor {
    /// A shorter text is no credential, and replacing it would tear words apart.
    const SHORTEST: usize = 6;

    /// An access token may be repeated by an answer that was asked for with the one before it.
    const LEARNT_MAX: usize = 4;

    pub(super) fn new(options: &Options) -> Self {
        let headers = options.headers.iter().map(|(_, secret)| secret);
        Self {
            needles: needles(headers.chain(&options.secrets)),
            learnt: Mutex::default(),
        }
    }

    /// Hides this one, too, from now on.
    pub(super) fn learn(&self, secret: &Secret) {
        let needles = needles(std::iter::once(secret));
        let mut learnt = self.learnt.lock().expect("no panic while redacting");
        if !learnt.contains(&needles) {
            learnt.push_back(needles);
        }
        while learnt.len() > Self::LEARNT_MAX {
            learnt.pop_front();
        }
    }

    pub(super) fn text(&self, text: &str) -> String {
        let hide = |text: String, needle: &Zeroizing<String>| text.replace(needle.as_str(), "…");
        let learnt = self.learnt.lock().expect("no panic while redacting");
        let all = self.needles.iter().chain(learnt.iter().flatten());
        all.fold(text.to_owned(), hide)
    }

    pub(super) fn bytes(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let learnt = self.learnt.lock().expect("no panic while redacting");
        for needle in self.needles.iter().chain(learnt.iter().flatten()) {
            let needle = needle.as_bytes();
            if find(&bytes, needle).is_some() {
                bytes = replace(&bytes, needle);
            }
        }
        bytes
    }
}

/// The forms in which these may come back, longest first.
fn needles<'a>(secrets: impl Iterator<Item = &'a Secret>) -> Needles {
    let mut needles = Vec::new();
    for secret in secrets {
        let whole = secret.expose();
        let parts = whole
            .split([' ', ',', '"', '\''])
            .filter(|part| !is_word(part));
        for part in std::iter::once(whole).chain(parts) {
            for form in [part.to_owned(), segment(part), part.replace('/', "\\/")] {
                if form.len() >= Redactor::SHORTEST {
                    needles.push(Zeroizing::new(form));
                }
            }
        }
    }
    needles.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    needles.dedup();
    needles
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
