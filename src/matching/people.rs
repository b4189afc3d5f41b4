//! Who a record means: one person under the names that several tools have for them.

use stundenbuch_connectors::record::{ExternalId, PersonRef, TimeEntry};

use super::text::normal;
use crate::config::Person;

/// The configured person of a reference: by e-mail, else by id, else by name.
pub fn person_of<'a>(person: &PersonRef, people: &'a [Person]) -> Option<&'a Person> {
    written(person).find_map(|text| named(text, people))
}

/// What identifies the person of an entry: the configured key, else what the source has, e-mail
/// before name before id. `None` where the source does not say who it was.
pub fn person_key(entry: &TimeEntry, people: &[Person]) -> Option<String> {
    let person = entry.person.as_ref()?;
    if let Some(known) = person_of(person, people) {
        return Some(normal(&known.key));
    }
    let id = person.id.as_ref().map(ExternalId::as_str);
    [person.email.as_deref(), person.name.as_deref(), id]
        .into_iter()
        .flatten()
        .map(normal)
        .find(|key| !key.is_empty())
}

/// The person's name as it stands on documents. An id is no name.
pub fn person_name(entry: &TimeEntry, people: &[Person]) -> Option<String> {
    let person = entry.person.as_ref()?;
    if let Some(known) = person_of(person, people) {
        return Some(known.name.clone());
    }
    [person.name.as_deref(), person.email.as_deref()]
        .into_iter()
        .flatten()
        .map(str::trim)
        .find(|name| !name.is_empty())
        .map(str::to_owned)
}

/// Whether the entry is by the person that a rate rule names: by key, or by any name that a
/// tool has for them.
pub(crate) fn is_by(entry: &TimeEntry, rule: &str, people: &[Person]) -> bool {
    let Some(person) = entry.person.as_ref() else {
        return false;
    };
    match (named(rule, people), person_of(person, people)) {
        (Some(ruled), Some(known)) => ruled.key == known.key,
        (Some(_), None) => false,
        (None, _) => {
            let key = normal(rule);
            written(person).any(|text| normal(text) == key)
        }
    }
}

fn written(person: &PersonRef) -> impl Iterator<Item = &str> {
    let id = person.id.as_ref().map(ExternalId::as_str);
    [person.email.as_deref(), id, person.name.as_deref()]
        .into_iter()
        .flatten()
}

fn named<'a>(text: &str, people: &'a [Person]) -> Option<&'a Person> {
    let key = normal(text);
    if key.is_empty() {
        return None;
    }
    people.iter().find(|person| {
        normal(&person.key) == key
            || normal(&person.name) == key
            || person.known_as.iter().any(|known| normal(known) == key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matching::testing::{EntryBuilder, person};

    #[test]
    fn a_configured_person_is_known_by_every_name() {
        let people = [person("anna", "Anna Beispiel", &["anna@example.com", "77"])];
        for name in ["ANNA@example.com", "77", " anna  beispiel"] {
            let entry = EntryBuilder::span("2026-10-14T07:00:00Z", 60)
                .by(name)
                .build();
            assert_eq!(
                person_key(&entry, &people).as_deref(),
                Some("anna"),
                "{name}"
            );
            assert_eq!(
                person_name(&entry, &people).as_deref(),
                Some("Anna Beispiel")
            );
        }
    }

    #[test]
    fn an_unknown_person_is_what_the_source_says_and_an_id_is_no_name() {
        let mut entry = EntryBuilder::span("2026-10-14T07:00:00Z", 60).build();
        assert_eq!(person_key(&entry, &[]), None);
        entry.person = Some(PersonRef {
            id: Some(ExternalId::new("9")),
            ..PersonRef::default()
        });
        assert_eq!(person_key(&entry, &[]).as_deref(), Some("9"));
        assert_eq!(person_name(&entry, &[]), None);
    }

    #[test]
    fn rules_name_people_by_key_or_by_a_name_of_the_tracker() {
        let people = [person("anna", "Anna Beispiel", &["a.b@example.com"])];
        let anna = EntryBuilder::span("2026-10-14T07:00:00Z", 60)
            .by("Anna Beispiel")
            .build();
        let ben = EntryBuilder::span("2026-10-14T07:00:00Z", 60)
            .by("Ben")
            .build();
        assert!(is_by(&anna, "anna", &people));
        assert!(is_by(&anna, "a.b@example.com", &people));
        assert!(is_by(&ben, "BEN", &people));
        assert!(!is_by(&ben, "anna", &people));
    }
}
