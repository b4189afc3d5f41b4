//! The path of a key, written as in the configuration: `clients.mueller.contracts[0].rate`.

use std::fmt;

/// Grows from the root; its text is also the key under which positions are found again.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct KeyPath(String);

impl KeyPath {
    pub(super) fn child(&self, key: &str) -> Self {
        let mut text = self.0.clone();
        if !text.is_empty() {
            text.push('.');
        }
        if is_bare(key) {
            text.push_str(key);
        } else {
            // As TOML itself would quote it, so that a dot in a name is not a border.
            text.push_str(&format!("{key:?}"));
        }
        Self(text)
    }

    pub(super) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    /// The path of what holds this; none at the root.
    pub(super) fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let border = if self.0.ends_with(']') {
            self.0.rfind('[')
        } else if self.0.ends_with('"') {
            self.0.rfind(".\"")
        } else {
            self.0.rfind('.')
        };
        Some(Self(self.0[..border.unwrap_or(0)].to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether TOML takes the key without quotation marks.
pub(super) fn is_bare(key: &str) -> bool {
    !key.is_empty()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_grow_and_shrink_by_the_same_steps() {
        let steps = KeyPath::default().child("clients").child("a.b").child("x");
        assert_eq!(steps.as_str(), "clients.\"a.b\".x");
        let element = steps.index(3);
        assert_eq!(element.parent(), Some(steps.clone()));
        let quoted = steps.parent().unwrap();
        assert_eq!(quoted.as_str(), "clients.\"a.b\"");
        assert_eq!(quoted.parent().unwrap().as_str(), "clients");
        assert_eq!(KeyPath::default().parent(), None);
    }
}
