//! Where a kind of time sheet keeps its facts, and how it writes them.
//!
//! The vendors' formats and the mapping files are the same thing here, so all of them are read
//! by the same code and one rule for clock changes, durations and identities holds for all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Problem;
use super::csv_file::{Header, same_name};
use super::dates::DateStyle;
use super::durations::{Decimal, Unit};

/// A fact that a column may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Field {
    Person,
    FirstName,
    LastName,
    Email,
    Client,
    Project,
    Task,
    Description,
    Billable,
    Date,
    Start,
    EndDate,
    End,
    Duration,
    Break,
    Tags,
}

impl Field {
    pub(crate) const ALL: [Self; 16] = [
        Self::Person,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Client,
        Self::Project,
        Self::Task,
        Self::Description,
        Self::Billable,
        Self::Date,
        Self::Start,
        Self::EndDate,
        Self::End,
        Self::Duration,
        Self::Break,
        Self::Tags,
    ];

    /// The key in a mapping file, and the word in a [`crate::Reject`].
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Email => "email",
            Self::Client => "client",
            Self::Project => "project",
            Self::Task => "task",
            Self::Description => "description",
            Self::Billable => "billable",
            Self::Date => "date",
            Self::Start => "start",
            Self::EndDate => "end_date",
            Self::End => "end",
            Self::Duration => "duration",
            Self::Break => "break",
            Self::Tags => "tags",
        }
    }
}

/// The cells of one row by what they hold; empty where the file has no such column.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cells<'a>([&'a str; Field::ALL.len()]);

impl<'a> Cells<'a> {
    pub(crate) fn get(&self, field: Field) -> &'a str {
        self.0[field as usize]
    }

    pub(crate) fn set(&mut self, field: Field, text: &'a str) {
        self.0[field as usize] = text.trim();
    }
}

/// The words of a billable column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Words {
    pub(crate) yes: Vec<String>,
    pub(crate) no: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let own = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Self {
            yes: own(&["yes", "ja", "true", "1"]),
            no: own(&["no", "nein", "false", "0"]),
        }
    }
}

/// A kind of time sheet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Layout {
    /// The names under which a fact may be found; the first that the file has is taken.
    pub(crate) columns: BTreeMap<Field, Vec<String>>,
    /// Columns that the header must have.
    #[serde(skip)]
    pub(crate) required: Vec<Field>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) constants: BTreeMap<Field, String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) dates: DateStyle,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) decimal: Decimal,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) duration: Unit,
    #[serde(rename = "break", skip_serializing_if = "is_default")]
    pub(crate) pause: Unit,
    /// A row may leave its times out and say a duration alone.
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) times_optional: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tags_separator: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    pub(crate) billable: Words,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Where each field is in one file.
pub(super) type Places = [Option<usize>; Field::ALL.len()];

impl Layout {
    /// A vendor's layout.
    pub(super) fn new(columns: &[(Field, &[&str])], required: &[Field]) -> Self {
        let columns = columns.iter().map(|(field, names)| {
            let names = names.iter().map(|&name| name.to_owned()).collect();
            (*field, names)
        });
        Self {
            columns: columns.collect(),
            required: required.to_vec(),
            ..Self::default()
        }
    }

    /// Finds the columns among these names.
    pub(super) fn places<S: AsRef<str>>(&self, names: &[S]) -> Places {
        let mut places = Places::default();
        for (&field, known) in &self.columns {
            places[field as usize] = known.iter().find_map(|known| {
                names
                    .iter()
                    .position(|name| same_name(name.as_ref(), known))
            });
        }
        places
    }

    /// Whether a file with this header is of this layout.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let places = self.places(header.names());
        self.required
            .iter()
            .all(|&field| places[field as usize].is_some())
    }

    /// Finds the columns of a file, or says what is wrong with its header.
    pub(super) fn locate(&self, header: &Header) -> Result<Places, Vec<Problem>> {
        let places = self.places(header.names());
        let mut problems = Vec::new();
        for &field in &self.required {
            if places[field as usize].is_none() {
                problems.push(Problem {
                    row: Some(1),
                    column: Some(self.names(field)),
                    reason: format!("is missing; the file has {}", listed(header.names())),
                });
            }
        }
        for place in places.iter().flatten() {
            let name = header.name(*place);
            if header.is_repeated(&name) {
                problems.push(Problem {
                    row: Some(1),
                    column: Some(name),
                    reason: "stands over more than one column; rename or remove one".to_owned(),
                });
            }
        }
        if problems.is_empty() {
            Ok(places)
        } else {
            Err(problems)
        }
    }

    /// The names of a field's column, for a person who looks for it.
    pub(super) fn names(&self, field: Field) -> String {
        match self.columns.get(&field) {
            Some(names) => names.join("` or `"),
            None => field.key().to_owned(),
        }
    }

    pub(super) fn has(&self, field: Field) -> bool {
        self.columns.contains_key(&field)
    }
}

fn listed(names: &[String]) -> String {
    let mut text = String::new();
    for name in names.iter().take(20) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&super::shortened(name));
    }
    if names.len() > 20 {
        text.push_str(", …");
    }
    text
}
