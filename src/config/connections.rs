//! Connections, checked against what their connectors declare of themselves.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::ValueKind as Found;
use stundenbuch_connectors::Entry;
use stundenbuch_connectors::kind::{Need, Setting, ValueKind};
use stundenbuch_connectors::secret::SecretRef;

use super::model::{Connection, PlainValue, SettingValue};
use super::reader::{Field, Table};
use super::scalars::parse_day;
use super::{retired, suggest, tables};

/// Every connection, by name.
pub(super) fn read(root: &Table<'_>, base: &Path, registry: &'static [Entry]) -> Vec<Connection> {
    let named = root.named("connections");
    let read = named.into_iter().filter_map(|(name, field)| {
        let table = field.table()?;
        connection(name, table, base, registry)
    });
    read.collect()
}

fn connection(
    name: String,
    table: Table<'_>,
    base: &Path,
    registry: &'static [Entry],
) -> Option<Connection> {
    let field = table.need("connector", "connector = \"toggl\", say")?;
    let wanted = field.text()?;
    if let Some((gone, instead)) = retired::find(&wanted.to_lowercase()) {
        field.wrong(gone, instead.to_owned());
        return None;
    }
    let Some(entry) = registry.iter().find(|entry| entry.kind.name == wanted) else {
        let fix = suggest::help(&wanted, registry.iter().map(|entry| entry.kind.name));
        field.wrong(format!("there is no connector `{wanted}`"), fix);
        return None;
    };
    let mut settings = BTreeMap::new();
    for setting in entry.kind.settings {
        let value = match setting.need {
            Need::Required => table
                .need(setting.key, &example(setting))
                .and_then(|field| value(&field, setting, base)),
            Need::Optional => table
                .get(setting.key)
                .and_then(|field| value(&field, setting, base)),
            Need::Default(text) => match table.get(setting.key) {
                Some(field) => value(&field, setting, base),
                None => default(setting, text, base),
            },
        };
        if let Some(value) = value {
            settings.insert(setting.key, value);
        }
    }
    table.close();
    Some(Connection {
        name,
        entry,
        settings,
    })
}

/// What to write for a setting.
fn example(setting: &Setting) -> String {
    let key = setting.key;
    match setting.value {
        ValueKind::Text => format!("{key} = \"…\""),
        ValueKind::Url => format!("{key} = \"https://…\""),
        ValueKind::Secret => format!("{key} = {{ credential = \"NAME\" }}"),
        ValueKind::Path => format!("{key} = \"/a/path\""),
        ValueKind::Date => format!("{key} = 2026-01-31"),
        ValueKind::Count { min, .. } => format!("{key} = {min}"),
        ValueKind::Flag => format!("{key} = true"),
        ValueKind::Texts => format!("{key} = [\"…\"]"),
        ValueKind::Table(_) => format!("a table `{key}`"),
    }
}

fn value(field: &Field<'_>, setting: &Setting, base: &Path) -> Option<SettingValue> {
    let plain = match setting.value {
        ValueKind::Secret => return secret(field, base).map(SettingValue::Secret),
        ValueKind::Text => PlainValue::Text(field.text()?),
        ValueKind::Url => PlainValue::Url(url(field)?),
        ValueKind::Path => PlainValue::Path(path(field, base)?),
        ValueKind::Date => PlainValue::Date(field.day()?),
        ValueKind::Count { min, max } => PlainValue::Count(field.count(min, max)?),
        ValueKind::Flag => PlainValue::Flag(field.flag()?),
        ValueKind::Texts => PlainValue::Texts(field.texts()),
        ValueKind::Table(check) => PlainValue::Table(tables::read(field, check)?),
    };
    Some(SettingValue::Plain(plain))
}

/// The value that a connector takes when nothing is given. One that cannot be read is a defect
/// of the connector; a test reads them all.
fn default(setting: &Setting, text: &str, base: &Path) -> Option<SettingValue> {
    let plain = match setting.value {
        ValueKind::Secret | ValueKind::Table(_) => return None,
        ValueKind::Text => PlainValue::Text(text.to_owned()),
        ValueKind::Url => PlainValue::Url(text.to_owned()),
        ValueKind::Path => PlainValue::Path(base.join(text)),
        ValueKind::Date => PlainValue::Date(parse_day(text)?),
        ValueKind::Count { .. } => PlainValue::Count(text.parse().ok()?),
        ValueKind::Flag => PlainValue::Flag(text.parse().ok()?),
        ValueKind::Texts => PlainValue::Texts(default_texts(text)?),
    };
    Some(SettingValue::Plain(plain))
}

/// A list as it would stand in the configuration: `["Done", "Erledigt"]`.
fn default_texts(text: &str) -> Option<Vec<String>> {
    let value: toml_edit::Value = text.parse().ok()?;
    let elements = value.as_array()?.iter();
    elements
        .map(|element| element.as_str().map(str::to_owned))
        .collect()
}

/// A path on this machine; a relative one begins at the directory of the configuration.
pub(super) fn path(field: &Field<'_>, base: &Path) -> Option<PathBuf> {
    let text = field.text()?;
    if text.starts_with('~') {
        field.wrong(
            "begins with `~`, which only a shell understands",
            "write the whole path: \"/home/…\"".to_owned(),
        );
        return None;
    }
    Some(base.join(text))
}

/// An address that a credential may be sent to. What is wrong with it is told without it, for
/// it may hold a password.
fn url(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    let text = text.trim_end_matches('/');
    let Some((scheme, rest)) = text.split_once("://") else {
        field.wrong(
            "this is no address",
            "write it like \"https://…\"".to_owned(),
        );
        return None;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    let problem = if authority.contains('@') {
        Some("an address must not hold a user or a password")
    } else if rest.contains(['?', '#']) {
        Some("an address ends before the question mark")
    } else if authority.is_empty() || text.contains(char::is_whitespace) {
        Some("this is no address")
    } else if scheme == "https" || (scheme == "http" && is_loopback(authority)) {
        None
    } else {
        Some("only https addresses are taken, and http to this machine alone")
    };
    if let Some(problem) = problem {
        field.wrong(problem, "write it like \"https://host/path\"".to_owned());
        return None;
    }
    Some(text.to_owned())
}

fn is_loopback(authority: &str) -> bool {
    let port = authority
        .rfind(':')
        .filter(|at| !authority[*at..].contains(']'));
    let host = &authority[..port.unwrap_or(authority.len())];
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A reference to a credential. No message here repeats anything that was written.
fn secret(field: &Field<'_>, base: &Path) -> Option<SecretRef> {
    let Found::Table(_) = field.kind() else {
        let fix = if field.is_all_text() {
            "unset this variable; in the file write { env = \"VARIABLE\" } with another one"
        } else {
            "put it into a file of its own, readable by you alone, and write \
             here\n\
             { credential = \"NAME\" }, { file = \"PATH\" } or { env = \"VARIABLE\" };\n\
             if it was ever shared or committed with this file, make a new one at the service"
        };
        field.wrong(
            "a secret does not belong into the configuration",
            fix.to_owned(),
        );
        return None;
    };
    let table = field.table()?;
    let found: Vec<SecretRef> = [
        table
            .get("credential")
            .and_then(|field| simple_word(&field, "-_.").map(SecretRef::Credential)),
        table
            .get("file")
            .and_then(|field| path(&field, base).map(SecretRef::File)),
        table
            .get("env")
            .and_then(|field| simple_word(&field, "_").map(SecretRef::Env)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let given = ["credential", "file", "env"]
        .iter()
        .filter(|key| table.get(key).is_some());
    let given = given.count();
    table.close();
    if given != 1 {
        field.wrong(
            "a credential has exactly one of `credential`, `file` and `env`",
            "write { credential = \"NAME\" }".to_owned(),
        );
        return None;
    }
    found.into_iter().next()
}

/// The name of a credential or of a variable. It is not repeated: what is no name may be the
/// secret itself.
fn simple_word(field: &Field<'_>, also: &str) -> Option<String> {
    let Found::String(text) = field.kind() else {
        field.wrong("expected a name", None);
        return None;
    };
    let fits = |char: char| char.is_ascii_alphanumeric() || also.contains(char);
    if text.is_empty() || text.len() > 64 || text.starts_with('.') || !text.chars().all(fits) {
        let marks: Vec<String> = also.chars().map(|mark| format!("`{mark}`")).collect();
        field.wrong(
            format!(
                "this is no name: it has letters, digits and {} only",
                marks.join(", ")
            ),
            "the secret itself does not belong here, only where it is found".to_owned(),
        );
        return None;
    }
    Some(text.clone())
}
