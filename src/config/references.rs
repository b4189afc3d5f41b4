//! Names that mean something defined elsewhere: connections and people.

use stundenbuch_connectors::kind::{Delivery, Kind};
use stundenbuch_connectors::record::Stream;

use super::model::{Connection, Folder, Person};
use super::reader::{Field, Table};
use super::scalars::inner_path;
use super::sections::fold;
use super::suggest;

/// What a connection must be able to do where it is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ability {
    BringsFiles,
    TakesFiles,
    TakesComments,
}

impl Ability {
    fn has(self, connection: &Connection) -> bool {
        let kind = connection.entry.kind;
        match self {
            Self::BringsFiles => kind.stream(Stream::Files).is_some(),
            Self::TakesFiles => takes(kind, Delivery::File),
            Self::TakesComments => takes(kind, Delivery::Comment),
        }
    }

    /// Who is able to, where no connection is.
    fn example(self) -> &'static str {
        match self {
            Self::BringsFiles | Self::TakesFiles => {
                "a connection with `connector = \"folder\"` does"
            }
            Self::TakesComments => "a connection with `connector = \"trello\"` does",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::BringsFiles => "brings no files",
            Self::TakesFiles => "takes no files",
            Self::TakesComments => "takes no comments",
        }
    }
}

fn takes(kind: &Kind, what: Delivery) -> bool {
    kind.delivers.iter().any(|kind| kind.what == what)
}

/// What can be named.
#[derive(Debug)]
pub(super) struct Known<'a> {
    pub(super) connections: &'a [Connection],
    /// All names, those of connections with mistakes included: they are not told twice.
    names: Vec<String>,
    pub(super) people: &'a [Person],
}

impl<'a> Known<'a> {
    pub(super) fn new(
        root: &Table<'_>,
        connections: &'a [Connection],
        people: &'a [Person],
    ) -> Self {
        Self {
            connections,
            names: root.keys_of("connections"),
            people,
        }
    }

    /// The name of a connection that is able to do that.
    pub(super) fn connection(&self, field: &Field<'_>, ability: Ability) -> Option<String> {
        let name = field.text()?;
        self.check(field, &name, ability).then_some(name)
    }

    /// A folder on a drive, `connection:path`.
    pub(super) fn folder(&self, field: &Field<'_>) -> Option<Folder> {
        let text = field.text()?;
        let Some((connection, path)) = text.split_once(':') else {
            let fix = "write the connection before it: \"drive:Kunden/Müller\"".to_owned();
            field.wrong(format!("`{text}` names no connection"), fix);
            return None;
        };
        if !self.check(field, connection, Ability::BringsFiles) {
            return None;
        }
        match inner_path(path) {
            Ok(path) => Some(Folder {
                connection: connection.to_owned(),
                path,
            }),
            Err(why) => {
                field.wrong(format!("`{path}` {why}"), None);
                None
            }
        }
    }

    fn check(&self, field: &Field<'_>, name: &str, ability: Ability) -> bool {
        let able = |connection: &&Connection| ability.has(connection);
        let Some(connection) = self.connections.iter().find(|known| known.name == name) else {
            if self.names.iter().any(|known| known == name) {
                return false;
            }
            let able = self.connections.iter().filter(able);
            let fix = suggest::help(name, able.map(|connection| connection.name.as_str()));
            let fix = fix.unwrap_or_else(|| format!("define it: [connections.{name}]"));
            field.wrong(format!("there is no connection `{name}`"), fix);
            return false;
        };
        if ability.has(connection) {
            return true;
        }
        let kind = connection.entry.kind.name;
        let able = self.connections.iter().filter(able);
        let names: Vec<String> = able.map(|other| format!("`{}`", other.name)).collect();
        let fix = if names.is_empty() {
            ability.example().to_owned()
        } else {
            format!("these do: {}", names.join(", "))
        };
        let what = format!(
            "the connection `{name}` is a `{kind}` and {}",
            ability.words()
        );
        field.wrong(what, fix);
        false
    }

    /// The key of the person of that name; a name that nobody has stands for itself.
    pub(super) fn person(&self, name: &str) -> String {
        let wanted = fold(name);
        let is_meant = |person: &&Person| {
            let names = [&person.key, &person.name]
                .into_iter()
                .chain(&person.known_as);
            names.into_iter().any(|known| fold(known) == wanted)
        };
        let found = self.people.iter().find(is_meant);
        found.map_or(wanted.clone(), |person| person.key.clone())
    }
}
