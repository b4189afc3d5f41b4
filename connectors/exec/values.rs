//! The facts of one record, found by the mapping's paths.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::value::RawValue;

use super::node::Node;
use super::number;
use super::shape::{Shape, Times};
use crate::error::Reject;
use crate::import::csv_file::same_name;
use crate::import::durations::{Decimal, Unit};
use crate::import::entry::Rules;
use crate::import::layout::{Layout, Words};
use crate::import::shortened;
use crate::record::{ExternalId, Named, PersonRef};

/// A record and how to read it.
pub(super) struct Values<'a> {
    shape: &'a Shape,
    layout: &'a Layout,
    record: Node<'a>,
}

type Field = &'static str;

impl<'a> Values<'a> {
    pub(super) fn new(
        shape: &'a Shape,
        layout: &'a Layout,
        record: BTreeMap<String, &'a RawValue>,
    ) -> Self {
        Self {
            shape,
            layout,
            record: Node::Table(record),
        }
    }

    pub(super) fn rules(&self) -> Rules<'_> {
        Rules {
            layout: self.layout,
            zone: self.shape.zone,
            order: None,
        }
    }

    /// The first value that is one, or the constant. An empty text is none.
    fn find(&self, field: Field) -> Result<Option<Node<'_>>, Reject> {
        for path in self.shape.columns.get(field).into_iter().flatten() {
            match self.record.at(path)? {
                None | Some(Node::Null) => {}
                Some(Node::Text(text)) if text.trim().is_empty() => {}
                found => return Ok(found),
            }
        }
        let constant = self.shape.constants.get(field);
        Ok(constant.map(|text| Node::Text(text.clone())))
    }

    /// A text; an empty one counts as nothing.
    pub(super) fn text(&self, field: Field) -> Result<Option<String>, Reject> {
        let Some(found) = self.find(field)? else {
            return Ok(None);
        };
        let text = found.text().map_err(|why| Reject::field(field, why))?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    /// A text without which there is no record.
    pub(super) fn needed(&self, field: Field) -> Result<String, Reject> {
        self.text(field)?
            .ok_or_else(|| Reject::field(field, "is missing"))
    }

    /// The values of a list, sorted and without repetition; a text is taken apart where the
    /// mapping says by what.
    pub(super) fn list(&self, field: Field) -> Result<Vec<String>, Reject> {
        let mut list = Vec::new();
        for path in self.shape.columns.get(field).into_iter().flatten() {
            for node in self.record.all(path)? {
                let text = node.text().map_err(|why| Reject::field(field, why))?;
                list.extend(text);
            }
            if !list.is_empty() {
                break;
            }
        }
        if list.is_empty() {
            list.extend(self.shape.constants.get(field).cloned());
        }
        if let Some(separator) = &self.shape.tags_separator {
            list = list
                .iter()
                .flat_map(|text| text.split(separator.as_str()))
                .map(str::to_owned)
                .collect();
        }
        let mut list: Vec<String> = list.iter().map(|text| text.trim().to_owned()).collect();
        list.retain(|text| !text.is_empty());
        list.sort_unstable();
        list.dedup();
        Ok(list)
    }

    /// Yes or no, in the mapping's words.
    pub(super) fn flag(&self, field: Field, words: &Words) -> Result<Option<bool>, Reject> {
        let text = match self.find(field)? {
            None => return Ok(None),
            Some(Node::Flag(flag)) => return Ok(Some(flag)),
            Some(found) => found.text().map_err(|why| Reject::field(field, why))?,
        };
        let Some(text) = text
            .map(|text| text.trim().to_owned())
            .filter(|it| !it.is_empty())
        else {
            return Ok(None);
        };
        let among = |words: &[String]| words.iter().any(|word| same_name(word, &text));
        match (among(&words.yes), among(&words.no)) {
            (true, _) => Ok(Some(true)),
            (_, true) => Ok(Some(false)),
            _ => Err(Reject::field(
                field,
                format!(
                    "`{}` is neither of the words for yes ({}) nor for no ({})",
                    shortened(&text),
                    words.yes.join(", "),
                    words.no.join(", ")
                ),
            )),
        }
    }

    /// A moment as the import's rules read it.
    pub(super) fn moment(&self, field: Field) -> Result<Option<String>, Reject> {
        let Some(text) = self.text(field)? else {
            return Ok(None);
        };
        let per_second = match self.shape.times {
            Times::Text => return Ok(Some(plain_time(text.trim()).into_owned())),
            Times::UnixSeconds => 1,
            Times::UnixMilliseconds => 1000,
        };
        let at = number::floor(text.trim())
            .and_then(|count| DateTime::from_timestamp(count.div_euclid(per_second), 0));
        let at = at.ok_or_else(|| {
            let shown = shortened(&text);
            Reject::field(field, format!("`{shown}` is no count since 1970"))
        })?;
        Ok(Some(at.format("%Y-%m-%dT%H:%M:%SZ").to_string()))
    }

    pub(super) fn instant(&self, field: Field) -> Result<Option<DateTime<Utc>>, Reject> {
        let Some(text) = self.moment(field)? else {
            return Ok(None);
        };
        let instant = self.rules().instant(&text);
        instant
            .map(Some)
            .map_err(|reason| Reject::field(field, reason))
    }

    /// A calendar day. Programs give a day the form of an instant at midnight; a real time of day
    /// there would be another fact than a day.
    pub(super) fn date(&self, field: Field) -> Result<Option<String>, Reject> {
        let Some(text) = self.moment(field)? else {
            return Ok(None);
        };
        let Some((date, time)) = text.split_once(['T', ' ']) else {
            return Ok(Some(text));
        };
        let is_midnight = time.starts_with("00:00") && !time[5..].starts_with(":0")
            || time.starts_with("00:00:00");
        if is_midnight {
            return Ok(Some(date.to_owned()));
        }
        let shown = shortened(&text);
        Err(Reject::field(
            field,
            format!("`{shown}` has a time of day; map it as `start`"),
        ))
    }

    pub(super) fn day(&self, field: Field) -> Result<Option<NaiveDate>, Reject> {
        let Some(text) = self.date(field)? else {
            return Ok(None);
        };
        let day = self.rules().day_of(&text);
        day.map(Some).map_err(|reason| Reject::field(field, reason))
    }

    /// A duration as the import's rules read it. Digits that a machine computed become seconds
    /// here, exactly; what a person wrote says by its decimals how exact it is.
    pub(super) fn duration(&self, field: Field, unit: Unit) -> Result<Option<String>, Reject> {
        let digits = match self.find(field)? {
            None => return Ok(None),
            Some(Node::Number(digits)) => digits,
            Some(_) => return self.text(field),
        };
        let wrong = || {
            let shown = shortened(digits);
            Reject::field(field, format!("`{shown}` is not a duration"))
        };
        if number::is_computed(digits) {
            let seconds = number::whole(digits, seconds_of(unit)).ok_or_else(wrong)?;
            return Ok(Some(format!("{seconds} sec")));
        }
        let digits = number::plain(digits);
        Ok(Some(match self.shape.decimal {
            Decimal::Comma => digits.replace('.', ","),
            Decimal::Auto | Decimal::Point => digits,
        }))
    }

    /// A duration in whole seconds.
    pub(super) fn seconds(&self, field: Field, unit: Unit) -> Result<Option<i64>, Reject> {
        let Some(text) = self.duration(field, unit)? else {
            return Ok(None);
        };
        let written = crate::import::durations::read(text.trim(), unit, self.shape.decimal);
        let written = written
            .map_err(|reason| Reject::field(field, format!("`{}` {reason}", shortened(&text))))?;
        Ok(Some(written.seconds))
    }

    pub(super) fn named(&self, name: Field, id: Field) -> Result<Option<Named>, Reject> {
        let named = Named {
            id: self.id(id)?,
            name: self.text(name)?.map(|text| text.trim().to_owned()),
        };
        Ok((named != Named::default()).then_some(named))
    }

    pub(super) fn person(&self) -> Result<Option<PersonRef>, Reject> {
        let person = PersonRef {
            id: self.id("person_id")?,
            name: self.text("person")?.map(|text| text.trim().to_owned()),
            email: self.text("email")?.map(|text| text.trim().to_owned()),
        };
        Ok((person != PersonRef::default()).then_some(person))
    }

    /// An identifier, written as a record of that kind is known by it.
    pub(super) fn id(&self, field: Field) -> Result<Option<ExternalId>, Reject> {
        let id = match self.find(field)? {
            Some(Node::Number(digits)) => Some(number::plain(digits)),
            _ => self.text(field)?,
        };
        Ok(id.map(ExternalId::new))
    }
}

fn seconds_of(unit: Unit) -> i64 {
    match unit {
        Unit::Hours => 3600,
        Unit::Minutes => 60,
        Unit::Seconds => 1,
    }
}

/// A time without fractions of a second, which records do not have, and with the zone as the
/// import's rules know it.
fn plain_time(text: &str) -> Cow<'_, str> {
    let text: Cow<'_, str> = match text.strip_suffix(" UTC") {
        Some(rest) => format!("{rest}Z").into(),
        None => text.into(),
    };
    let Some(at) = text.rfind(':').and_then(|from| {
        let dot = text[from..].find(['.', ','])?;
        Some(from + dot)
    }) else {
        // The zone may have a colon of its own behind the fraction.
        let fraction = text.find('.').filter(|at| text[..*at].contains(':'));
        return match fraction {
            Some(at) => without_fraction(&text, at).into(),
            None => text,
        };
    };
    without_fraction(&text, at).into()
}

fn without_fraction(text: &str, at: usize) -> String {
    let digits = text[at + 1..]
        .find(|letter: char| !letter.is_ascii_digit())
        .map_or(text.len(), |end| at + 1 + end);
    format!("{}{}", &text[..at], &text[digits..])
}

#[cfg(test)]
mod tests {
    use super::plain_time;

    #[test]
    fn fractions_of_a_second_are_left_out() {
        for (text, plain) in [
            ("2026-03-02T08:00:00.123456Z", "2026-03-02T08:00:00Z"),
            ("2026-03-02T08:00:00.123+02:00", "2026-03-02T08:00:00+02:00"),
            ("2026-03-02 08:00:00.5", "2026-03-02 08:00:00"),
            ("2026-03-02 08:00:00 UTC", "2026-03-02 08:00:00Z"),
            ("2026-03-02T08:00:00+0200", "2026-03-02T08:00:00+0200"),
            ("02.03.2026 08:00", "02.03.2026 08:00"),
            ("02.03.2026", "02.03.2026"),
            ("02.03.2026 08:00:00.9", "02.03.2026 08:00:00"),
            ("", ""),
            (":.", ":"),
        ] {
            assert_eq!(plain_time(text), plain);
        }
    }
}
