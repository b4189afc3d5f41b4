//! How documents name one another, and what they say of changes.

use chrono::NaiveDate;

use super::locale::Locale;
use super::text::line;
use crate::billing::{Change, CorrectedWork, Field, Language, Reference, Statement};

/// The words for what a statement has to do with others.
pub(super) struct References<'a> {
    locale: &'a Locale,
}

impl<'a> References<'a> {
    pub(super) fn new(locale: &'a Locale) -> Self {
        Self { locale }
    }

    /// `Storno zu 2026-0007 vom 03.11.2026`
    pub(super) fn cancels(&self, other: &Reference) -> String {
        let words = match self.locale.language {
            Language::De => "Storno zu",
            Language::En => "Cancellation of",
        };
        format!("{words} {}", self.name(other))
    }

    /// `Storniert durch 2026-0009 vom 20.11.2026`
    pub(super) fn cancelled_by(&self, other: &Reference) -> String {
        let words = match self.locale.language {
            Language::De => "Storniert durch",
            Language::En => "Cancelled by",
        };
        format!("{words} {}", self.name(other))
    }

    fn name(&self, other: &Reference) -> String {
        let number = line(&other.number);
        match (other.issued_on, self.locale.language) {
            (None, _) => number,
            (Some(day), Language::De) => format!("{number} vom {}", self.locale.date(day)),
            (Some(day), Language::En) => format!("{number} of {}", self.locale.date(day)),
        }
    }

    /// What the whole statement has to do with another.
    pub(super) fn of(&self, statement: &Statement) -> Option<String> {
        let cancels = statement.cancels.as_ref().map(|it| self.cancels(it));
        let by = statement.cancelled_by.as_ref();
        cancels.or_else(|| by.map(|it| self.cancelled_by(it)))
    }

    /// `2026-0007, Pos. 3`
    pub(super) fn corrected(&self, work: &CorrectedWork) -> String {
        let number = line(&work.statement);
        match (work.position, self.locale.language) {
            (None, _) => number,
            (Some(position), Language::De) => format!("{number}, Pos. {position}"),
            (Some(position), Language::En) => format!("{number}, item {position}"),
        }
    }

    /// `Dauer: 2:30 h → 2:00 h`
    pub(super) fn change(&self, change: &Change) -> String {
        let german = self.locale.language == Language::De;
        let pick = |de: &'static str, en: &'static str| if german { de } else { en };
        let [old, new] = [&change.old, &change.new].map(|text| self.value(change.field, text));
        match change.field {
            Field::Deleted => pick("entfallen", "no longer there").to_owned(),
            Field::Client => pick("gehört nicht zu Ihnen", "does not belong to you").to_owned(),
            field => format!("{}: {old} → {new}", field_name(field, german)),
        }
    }

    /// A value of the ledger in the language of the document.
    fn value(&self, field: Field, text: &str) -> String {
        let german = self.locale.language == Language::De;
        let known = match (text, german) {
            ("yes", true) => Some("ja"),
            ("no", true) => Some("nein"),
            ("none", true) => Some("ohne"),
            ("a running timer", true) => Some("läuft noch"),
            ("without a description", true) => Some("ohne Beschreibung"),
            _ => None,
        };
        if let Some(known) = known {
            return known.to_owned();
        }
        match field {
            Field::Day => match text.parse::<NaiveDate>() {
                Ok(day) => self.locale.date(day),
                Err(_) => line(text),
            },
            Field::Rate => self.locale.number(&line(text)),
            _ => line(text),
        }
    }
}

fn field_name(field: Field, german: bool) -> &'static str {
    let (de, en) = match field {
        Field::Deleted | Field::Client => ("entfallen", "gone"),
        Field::Duration => ("Dauer", "duration"),
        Field::Day => ("Tag", "day"),
        Field::Start => ("Beginn", "start"),
        Field::Project => ("Projekt", "project"),
        Field::Person => ("Person", "person"),
        Field::Billable => ("berechnet", "charged"),
        Field::Description => ("Beschreibung", "description"),
        Field::Tags => ("Schlagworte", "tags"),
        Field::Contract => ("Vertrag", "contract"),
        Field::Rate => ("Stundensatz", "hourly rate"),
    };
    if german { de } else { en }
}
