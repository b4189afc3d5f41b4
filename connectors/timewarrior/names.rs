//! What tags mean: Timewarrior has nothing else, so the settings say which of them name a client
//! or a project.

use crate::record::Named;

/// Tags that name one kind of thing. `kunde:*` is every tag that begins so, and what stands in
/// the place of the `*` is the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Patterns(Vec<String>);

impl Patterns {
    pub(super) fn new(patterns: &[String]) -> Self {
        let patterns = patterns.iter().map(|pattern| pattern.trim().to_owned());
        Self(patterns.filter(|pattern| !pattern.is_empty()).collect())
    }

    /// The name that one of the tags gives. `None` where no tag gives one, and where several give
    /// different ones: which of them is meant is not for us to guess.
    pub(super) fn name(&self, tags: &[String]) -> Option<Named> {
        let mut found = tags.iter().filter_map(|tag| self.within(tag));
        let first = found.next()?;
        found
            .all(|other| other == first)
            .then(|| Named::by_name(first))?
    }

    /// The part of a tag that is a name.
    pub(super) fn within<'t>(&self, tag: &'t str) -> Option<&'t str> {
        let mut patterns = self.0.iter();
        patterns.find_map(|pattern| match pattern.strip_suffix('*') {
            Some(start) => behind(tag, start),
            None => same(tag, pattern).then_some(tag),
        })
    }

    /// All patterns in one text, to notice that they were changed.
    pub(super) fn text(&self) -> String {
        self.0.join("\n")
    }
}

fn same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// What is left of a tag behind its beginning, which may be written in other case.
fn behind<'t>(tag: &'t str, start: &str) -> Option<&'t str> {
    let length: usize = tag
        .chars()
        .take(start.chars().count())
        .map(char::len_utf8)
        .sum();
    let (first, rest) = tag.split_at(length);
    (same(first, start) && !rest.trim().is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(patterns: &[&str], tags: &[&str]) -> Option<String> {
        let own = |texts: &[&str]| -> Vec<String> {
            texts.iter().map(|text| (*text).to_owned()).collect()
        };
        Patterns::new(&own(patterns))
            .name(&own(tags))
            .and_then(|named| named.name)
    }

    #[test]
    fn a_tag_is_a_name_whole_or_behind_its_beginning() {
        let patterns = ["Bäckerei Ahorn", "Kunde:*", ""];
        assert_eq!(
            name(&patterns, &["bäckerei ahorn"]).as_deref(),
            Some("bäckerei ahorn")
        );
        assert_eq!(
            name(&patterns, &["vor Ort", "kunde:Müller"]).as_deref(),
            Some("Müller")
        );
        for tags in [&["kunde:"][..], &["kund"], &["Ahorn"], &[]] {
            assert_eq!(name(&patterns, tags), None, "{tags:?}");
        }
    }

    #[test]
    fn two_names_are_none() {
        let patterns = ["kunde:*"];
        assert_eq!(name(&patterns, &["kunde:a", "kunde:b"]), None);
        assert_eq!(
            name(&patterns, &["kunde:a", "KUNDE:a"]).as_deref(),
            Some("a")
        );
    }
}
