//! The rules for a page that came from a spoiled answer.

use std::collections::BTreeSet;

use serde_json::Value;
use stundenbuch_connectors::contract::{Identified, Page, Raw};
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::{Connector, Error, Reject};

use crate::mutants::{Mutant, NO_JSON};

/// No message is longer, whatever was received: it must be read by a person.
const LONGEST: usize = 4_000;

/// An answer that can be spoiled, and what the connector makes of it when it is not.
pub(crate) struct Case<'a> {
    pub(crate) connector: &'a dyn Connector,
    pub(crate) document: Value,
    /// The lists whose elements are records, by pointer, with the stream that they are in; none
    /// for an answer that decides what is asked for next.
    pub(crate) lists: &'a [(&'a str, Stream)],
    /// Where an element has its identifier.
    pub(crate) id_at: &'a str,
    /// Fields whose value decides whether an element is meant at all.
    pub(crate) choosing: &'a [&'a str],
    pub(crate) honest: Page,
    /// Texts that no page and no message may hold.
    pub(crate) canaries: &'a [&'a str],
}

/// An element of a list in the honest answer that became a record.
pub(crate) struct Element {
    path: String,
    list: String,
    stream: Stream,
    id: String,
    records: Vec<Identified>,
}

/// Where a mutation is, seen from an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place<'p> {
    /// In a field of the element, by its path from there.
    Within(&'p str),
    /// The element itself.
    Whole,
    /// What the element lies in.
    Above,
    /// Another element of the same list.
    Beside,
    Elsewhere,
}

/// The least of a rule: what was broken, by which mutant.
macro_rules! rule {
    ($mutant:expr, $holds:expr, $($words:tt)+) => {
        assert!($holds, "{} at `{}`: {}: {}", $mutant.kind, $mutant.path, format!($($words)+),
            excerpt(&$mutant.bytes));
    };
}

impl Case<'_> {
    /// The records in the honest answer, each with its place.
    pub(crate) fn elements(&self) -> Vec<Element> {
        let mut elements = Vec::new();
        for (list, stream) in self.lists {
            let items = self.document.pointer(list).and_then(Value::as_array);
            for (at, item) in items.into_iter().flatten().enumerate() {
                let Some(id) = item.pointer(self.id_at) else {
                    continue;
                };
                let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
                let Some(raw) = found(&self.honest, *stream, &id) else {
                    continue;
                };
                elements.push(Element {
                    path: format!("{list}/{at}"),
                    list: (*list).to_owned(),
                    stream: *stream,
                    records: self.connector.normalise(raw).unwrap(),
                    id,
                });
            }
        }
        assert!(elements.len() > 1 || self.lists.is_empty(), "no elements");
        elements
    }

    /// Holds every mutant's outcome to the rules; how each was taken.
    pub(crate) fn judge(
        &self,
        elements: &[Element],
        mutant: &Mutant,
        outcome: Result<Page, Error>,
    ) -> &'static str {
        let page = match outcome {
            Ok(page) => page,
            Err(error) => {
                self.judge_error(mutant, elements, &error);
                return "page refused";
            }
        };
        rule!(mutant, mutant.kind != NO_JSON, "taken for JSON");
        self.hides(mutant, &format!("{page:?}"));
        for notice in &page.notices {
            rule!(
                mutant,
                notice.text.len() < LONGEST,
                "a notice of {} bytes",
                notice.text.len()
            );
        }
        for raw in &page.raw {
            if let Err(reject) = self.connector.normalise(raw) {
                let text = reject.to_string();
                rule!(
                    mutant,
                    text.len() < LONGEST,
                    "a reason of {} bytes",
                    text.len()
                );
                self.hides(mutant, &text);
            }
        }
        self.judge_deletions(mutant, elements, &page);
        let mut end = "taken";
        for element in elements {
            if self.judge_element(mutant, element, &page) == Some(false) {
                end = "record put aside";
            }
        }
        if page.notices.len() > self.honest.notices.len() && end == "taken" {
            end = "told";
        }
        end
    }

    fn judge_error(&self, mutant: &Mutant, elements: &[Element], error: &Error) {
        let text = format!("{error} {:?}", error.advice());
        let kind = matches!(error.kind(), Kind::Protocol | Kind::Unavailable);
        rule!(mutant, kind, "{:?}: {error}", error.kind());
        rule!(
            mutant,
            text.len() < LONGEST,
            "a message of {} bytes",
            text.len()
        );
        self.hides(mutant, &format!("{text} {error:?}"));
        let of_one = elements
            .iter()
            .find(|element| matches!(element.place(&mutant.path), Place::Within(_) | Place::Whole));
        rule!(
            mutant,
            mutant.kind == NO_JSON || of_one.is_none(),
            "one record stops all of the page: {error}"
        );
    }

    fn judge_deletions(&self, mutant: &Mutant, elements: &[Element], page: &Page) {
        for gone in &page.gone {
            let says = |field, kind| mutant.path.ends_with(field) && mutant.kind == kind;
            let said = says("server_deleted_at", "a far instant") || says("/trashed", "a flag");
            // What is called gone has another identifier now, of something that is nowhere.
            let id = gone.id.as_str();
            let nowhere = mutant.path.ends_with("/id")
                && stands(mutant, id)
                && elements.iter().all(|element| element.id != id);
            let said = said || nowhere || self.lists.is_empty();
            let mut honest = self.honest.gone.iter();
            let known = honest.any(|it| it.stream == gone.stream && it.id == gone.id);
            rule!(mutant, said || known, "calls gone {gone:?}");
        }
        for sweep in &page.swept {
            let present: BTreeSet<&str> = sweep.present.iter().map(ExternalId::as_str).collect();
            let honest = self
                .honest
                .swept
                .iter()
                .filter(|it| it.stream == sweep.stream && it.scope == sweep.scope);
            let before: BTreeSet<&str> = honest
                .flat_map(|it| it.present.iter().map(ExternalId::as_str))
                .collect();
            for element in elements {
                let id = element.id.as_str();
                if element.stream != sweep.stream || !before.contains(id) || present.contains(id) {
                    continue;
                }
                let said = match element.place(&mutant.path) {
                    Place::Above => true,
                    Place::Whole => mutant.kind == "removed",
                    // Another identifier that can be read stands there instead.
                    Place::Within(field) if self.identifies(field) => {
                        present.iter().any(|id| !before.contains(id))
                    }
                    Place::Within(field) => self.chooses(field),
                    Place::Beside | Place::Elsewhere => false,
                };
                rule!(mutant, said, "a listing is called complete without {id}");
            }
        }
    }

    /// `Some(false)` when the record is put aside.
    fn judge_element(&self, mutant: &Mutant, element: &Element, page: &Page) -> Option<bool> {
        let id = &element.id;
        let raw = found(page, element.stream, id);
        let read = raw.map(|raw| self.connector.normalise(raw));
        match element.place(&mutant.path) {
            Place::Above => None,
            Place::Beside => {
                let same = read == Some(Ok(element.records.clone()));
                rule!(mutant, same, "another record, {id}, became {read:?}");
                Some(true)
            }
            Place::Elsewhere => {
                rule!(mutant, matches!(read, Some(Ok(_))), "{id} became {read:?}");
                Some(true)
            }
            Place::Whole => {
                let told = mutant.kind == "removed" || !page.notices.is_empty();
                rule!(
                    mutant,
                    read.is_none() && told,
                    "{id} became {read:?}, untold"
                );
                None
            }
            Place::Within(field) => self.judge_field(mutant, element, field, page, read),
        }
    }

    fn judge_field(
        &self,
        mutant: &Mutant,
        element: &Element,
        field: &str,
        page: &Page,
        read: Option<Result<Vec<Identified>, Reject>>,
    ) -> Option<bool> {
        match read {
            None => {
                let other = |raw: &Raw| found(&self.honest, raw.stream, raw.id.as_str()).is_none();
                let identifies = self.identifies(field);
                let instead = identifies && page.raw.iter().any(other);
                let gone = page.gone.iter().any(|gone| gone.id.as_str() == element.id);
                // Without an identifier it cannot be put aside, and is told all the same.
                let noticed = identifies && !page.notices.is_empty();
                let told = instead || gone || self.chooses(field) || noticed;
                rule!(
                    mutant,
                    told,
                    "{} is not there, and nothing says so",
                    element.id
                );
                None
            }
            Some(Err(reject)) => {
                let text = reject.to_string();
                let named = field
                    .split('/')
                    .any(|key| key.len() > 1 && text.contains(key));
                rule!(
                    mutant,
                    named,
                    "put aside, and the reason does not name it: {text}"
                );
                Some(false)
            }
            Some(Ok(records)) => {
                let honest: Vec<&Identified> = element.records.iter().collect();
                for record in &records {
                    let value = invented(mutant, field, record, &honest);
                    rule!(mutant, value.is_none(), "invents {value:?}");
                }
                Some(true)
            }
        }
    }

    fn identifies(&self, field: &str) -> bool {
        self.id_at.starts_with(field)
    }

    fn chooses(&self, field: &str) -> bool {
        field.split('/').any(|key| self.choosing.contains(&key))
    }

    fn hides(&self, mutant: &Mutant, text: &str) {
        // Nobody can know that something is a credential under a name that was made up here.
        for canary in self.canaries.iter().filter(|_| mutant.kind != "renamed") {
            rule!(mutant, !text.contains(canary), "shows {canary}");
        }
    }
}

impl Element {
    fn place<'p>(&self, path: &'p str) -> Place<'p> {
        if let Some(field) = path.strip_prefix(&self.path) {
            return match field {
                "" => Place::Whole,
                _ if field.starts_with('/') => Place::Within(field),
                _ => Place::Beside,
            };
        }
        let above = |prefix: &str| {
            prefix
                .strip_prefix(path)
                .is_some_and(|it| it.starts_with('/'))
        };
        if above(&self.path) {
            return Place::Above;
        }
        match path.strip_prefix(&self.list) {
            Some(rest) if rest.starts_with('/') => Place::Beside,
            _ => Place::Elsewhere,
        }
    }
}

fn found<'p>(page: &'p Page, stream: Stream, id: &str) -> Option<&'p Raw> {
    let mut raws = page.raw.iter();
    raws.find(|raw| raw.stream == stream && raw.id.as_str() == id)
}

/// A part of a record that neither the honest ones have nor the spoiled answer says.
pub(crate) fn invented(
    mutant: &Mutant,
    field: &str,
    record: &Identified,
    honest: &[&Identified],
) -> Option<String> {
    let honest: Vec<_> = honest.iter().flat_map(|it| leaves(it)).collect();
    let mut parts = leaves(record).into_iter();
    let found = parts.find(|(path, value)| {
        let kept = honest
            .iter()
            .any(|(other, it)| other == path && it == value);
        !kept && !is_said(mutant, field, path, value)
    });
    found.map(|(path, value)| format!("{path} = {value}"))
}

/// Whether a part of a record is what a spoiled answer says: empty, or a text that stands there.
fn is_said(mutant: &Mutant, field: &str, path: &str, value: &Value) -> bool {
    let text = match value {
        Value::String(text) => text,
        Value::Null => return true,
        Value::Bool(flag) => return !flag || mutant.kind == "a flag",
        Value::Array(items) => return items.is_empty(),
        Value::Object(fields) => return fields.is_empty(),
        // The bytes of a file, as they stand there.
        Value::Number(_) if path.ends_with("/size") => return stands(mutant, &value.to_string()),
        Value::Number(number) => {
            let seconds = [420, -60, 90, 9_007_199_254_740_993 * 60];
            // Minutes, as Asana counts: those of the mutants, in seconds.
            let minutes = field.contains("minutes");
            // Hours in seconds, and amounts in cents, as ActiveCollab counts them.
            let hundredths = [25_200, -3_600, 5_400, 700, -100, 150];
            let value = field.rsplit('/').next() == Some("value");
            // Of an entry with a break: what is between its instants, and not in the break.
            let parts = ["/begin", "/end", "/break"];
            let worked = path.ends_with("/seconds") && parts.iter().any(|it| field.ends_with(it));
            let said = number.as_i64();
            return worked
                || minutes && seconds.map(Some).contains(&said)
                || value && hundredths.map(Some).contains(&said);
        }
    };
    // A timer runs when the service says that there is no end, and only then.
    if path.ends_with("/how") {
        let wanted = match text.as_str() {
            "running" => "null",
            // With a break it is not said when the work ended; without one it is.
            "day" | "span" if field.ends_with("/break") => return true,
            _ => "a far instant",
        };
        let ends = field.ends_with("/stop") || field.ends_with("/end");
        return ends && mutant.kind == wanted;
    }
    // Words of ours for what was done; they quote what stands there.
    if path.ends_with("/what") {
        return true;
    }
    let derived = match path.rsplit('/').next() {
        // Made of the names of folders, each of which stands there.
        Some("path") => text.split('/').all(|name| stands(mutant, name)),
        Some("state") => text == "open" || (text == "done" && mutant.kind == "a flag"),
        Some("url") => text
            .rsplit('/')
            .next()
            .is_some_and(|end| stands(mutant, end)),
        _ => false,
    };
    derived || text.is_empty() || stands(mutant, text)
}

/// Whether a text stands in the spoiled answer; of an instant, as far as its seconds.
fn stands(mutant: &Mutant, text: &str) -> bool {
    let quoted = Value::from(text).to_string();
    let quoted = &quoted[1..quoted.len() - 1];
    let instant = text.ends_with('Z') && text.len() >= 20 && text.as_bytes()[10] == b'T';
    let wanted = if instant { &quoted[..19] } else { quoted };
    let mut places = mutant.bytes.windows(wanted.len().max(1));
    wanted.is_empty() || places.any(|it| it == wanted.as_bytes())
}

/// Every value in a record that holds no others, with its path.
fn leaves(identified: &Identified) -> Vec<(String, Value)> {
    fn collect(value: &Value, path: String, leaves: &mut Vec<(String, Value)>) {
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                for (key, value) in fields {
                    collect(value, format!("{path}/{key}"), leaves);
                }
            }
            // The order of a list says nothing here.
            Value::Array(items) if !items.is_empty() => {
                for value in items {
                    collect(value, format!("{path}/*"), leaves);
                }
            }
            _ => leaves.push((path, value.clone())),
        }
    }
    let mut found = Vec::new();
    let value = serde_json::to_value(&identified.record).unwrap();
    collect(&value, String::new(), &mut found);
    found
}

fn excerpt(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(1_500).collect()
}
