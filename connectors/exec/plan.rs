//! The settings of a connection: what to start, what to hand it, and what it may take.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono_tz::Tz;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::private::{PLACEHOLDERS, Secrets};
use super::process::Limits;
use super::shape::Mapped;
use super::{state, words};
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::kind::{Fault, Settings};

/// How the program is told which streams to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Select {
    /// By `--catalog FILE`.
    Catalog,
    /// By `--properties FILE`, as older programs call it.
    Properties,
    /// Not at all: it reads what it reads.
    None,
}

/// Everything about the program that the configuration says.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    /// The table `config` as JSON, with placeholders.
    pub(super) config: Option<String>,
    pub(super) environment: Vec<(String, Zeroizing<String>)>,
    pub(super) secrets: Secrets,
    pub(super) select: Select,
    /// A catalog that somebody wrote.
    pub(super) catalog: Option<PathBuf>,
    pub(super) directory: PathBuf,
    pub(super) mapped: Vec<Mapped>,
    /// Of the mapping, to see that it is another one.
    pub(super) mapping: String,
    pub(super) limits: Limits,
}

impl Plan {
    pub(super) fn read(name: &str, settings: &Settings, clock: &dyn Clock) -> Result<Self> {
        let secrets = Secrets::of(|setting| settings.secret(setting));
        let mut wrong = Vec::new();
        let zone = zone(settings, &mut wrong);
        let empty = Map::new();
        let streams = settings.table("streams").unwrap_or(&empty);
        let mapped = words::streams(streams, zone).unwrap_or_else(|faults| {
            wrong.extend(faults.iter().map(|fault| told("streams", fault)));
            Vec::new()
        });
        let (program, arguments) = command(settings.texts("command"), &mut wrong);
        let config = settings.table("config").map(|config| {
            let text = serde_json::to_string(config).expect("a table is plain data");
            must_be_filled(&secrets, "config", &text, &mut wrong);
            text
        });
        let environment = environment(settings.table("environment"), &secrets, &mut wrong);
        let plan = Self {
            program,
            arguments,
            config,
            environment,
            secrets,
            select: select(settings, &mut wrong),
            catalog: settings.path("catalog").cloned(),
            directory: settings
                .path("directory")
                .cloned()
                .unwrap_or_else(|| PathBuf::from("/tmp")),
            mapping: state::fingerprint(&mapped),
            mapped,
            limits: limits(settings, clock),
        };
        if wrong.is_empty() {
            return Ok(plan);
        }
        Err(Error::new(Kind::Settings, wrong.join("; ")).with("connection", name))
    }

    /// The configuration file's content.
    pub(super) fn config_text(&self) -> Option<Zeroizing<String>> {
        Some(self.secrets.fill_json(self.config.as_deref()?))
    }
}

fn command(words: &[String], wrong: &mut Vec<String>) -> (PathBuf, Vec<String>) {
    for word in words {
        if PLACEHOLDERS
            .iter()
            .any(|(_, placeholder)| word.contains(placeholder))
        {
            wrong.push(
                "a credential does not belong on the command line, where every user of the \
                 machine sees it; put it into `config` or `environment`"
                    .to_owned(),
            );
        }
    }
    let Some((program, arguments)) = words.split_first() else {
        wrong.push("`command` is empty; it begins with the program's path".to_owned());
        return (PathBuf::new(), Vec::new());
    };
    if !Path::new(program).is_absolute() {
        wrong.push(format!(
            "`command` begins with `{program}`; write the program's whole path, for no search \
             path is handed over"
        ));
    }
    (PathBuf::from(program), arguments.to_vec())
}

fn environment(
    table: Option<&Map<String, Value>>,
    secrets: &Secrets,
    wrong: &mut Vec<String>,
) -> Vec<(String, Zeroizing<String>)> {
    let mut environment = Vec::new();
    for (name, value) in table.into_iter().flatten() {
        if let Some(text) = value.as_str() {
            must_be_filled(secrets, "environment", text, wrong);
            environment.push((name.clone(), secrets.fill(text)));
        }
    }
    wrong.extend(
        table
            .map(check_environment)
            .into_iter()
            .flatten()
            .map(|fault| told("environment", &fault)),
    );
    environment
}

fn must_be_filled(secrets: &Secrets, table: &str, text: &str, wrong: &mut Vec<String>) {
    for setting in secrets.unfilled(text) {
        wrong.push(format!(
            "`{table}` has {{{setting}}}, and the connection has no `{setting}`; write {setting} \
             = {{ credential = \"NAME\" }}"
        ));
    }
}

fn zone(settings: &Settings, wrong: &mut Vec<String>) -> Tz {
    let text = settings.text("time_zone").unwrap_or("Europe/Berlin");
    text.parse().unwrap_or_else(|_| {
        wrong.push(format!(
            "`time_zone`: `{text}` is not a time zone; write one such as \"Europe/Berlin\""
        ));
        Tz::UTC
    })
}

fn select(settings: &Settings, wrong: &mut Vec<String>) -> Select {
    const WORDS: [(&str, Select); 3] = [
        ("catalog", Select::Catalog),
        ("properties", Select::Properties),
        ("none", Select::None),
    ];
    let text = settings.text("select").unwrap_or("catalog");
    let found = WORDS.iter().find(|(word, _)| *word == text);
    found.map_or_else(
        || {
            let near = words::did_you_mean(text, WORDS.iter().map(|(word, _)| *word));
            let near = near.unwrap_or_default();
            wrong.push(format!("`select`: `{text}` is not known; {near}"));
            Select::None
        },
        |(_, select)| *select,
    )
}

fn limits(settings: &Settings, clock: &dyn Clock) -> Limits {
    let count = |key, without| settings.count(key).unwrap_or(without);
    Limits {
        whole: Duration::from_secs(count("seconds_max", 1800)),
        silence: clock.patience(Duration::from_secs(count("silent_seconds_max", 300))),
        bytes: count("output_mib_max", 1024) << 20,
        records: count("records_max", 1_000_000),
    }
}

fn told(table: &str, fault: &Fault) -> String {
    let path: Vec<&str> = std::iter::once(table)
        .chain(fault.path.iter().map(String::as_str))
        .collect();
    let fix = fault.fix.as_deref().map(|fix| format!("; {fix}"));
    format!(
        "`{}` {}{}",
        path.join("."),
        fault.what,
        fix.unwrap_or_default()
    )
}

/// The configuration's check of the table `config`: it goes into the ledger's record, so no
/// secret may stand in it.
pub(super) fn check_config(table: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut path = Vec::new();
    for (key, value) in table {
        look_for_secrets(key, value, &mut path, &mut faults);
    }
    faults
}

/// The same of `environment`, which holds texts alone.
pub(super) fn check_environment(table: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = check_config(table);
    for (name, value) in table {
        let fault = |what: &str| Fault {
            path: vec![name.clone()],
            what: what.to_owned(),
            fix: None,
        };
        if !value.is_string() {
            faults.push(fault("must be a text in quotation marks"));
        }
        if name.is_empty() || name.contains(['=', '\0']) {
            faults.push(fault("is no name of a variable"));
        }
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            faults.push(fault("must not hold a zero byte"));
        }
    }
    faults
}

fn look_for_secrets(key: &str, value: &Value, path: &mut Vec<String>, faults: &mut Vec<Fault>) {
    path.push(key.to_owned());
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                look_for_secrets(key, value, path, faults);
            }
        }
        Value::Array(items) => {
            for item in items
                .iter()
                .filter(|item| item.is_object() || item.is_array())
            {
                look_for_secrets("", item, path, faults);
            }
            let texts = items.iter().any(Value::is_string);
            if texts && names_a_secret(key) {
                faults.push(secret(path));
            }
        }
        Value::String(text)
            if names_a_secret(key)
                && !text.is_empty()
                && !PLACEHOLDERS
                    .iter()
                    .any(|(_, placeholder)| text.contains(placeholder)) =>
        {
            faults.push(secret(path));
        }
        _ => {}
    }
    path.pop();
}

fn secret(path: &[String]) -> Fault {
    Fault {
        path: path.iter().filter(|key| !key.is_empty()).cloned().collect(),
        what: "a secret does not belong into the configuration".to_owned(),
        fix: Some(
            "write \"{credential}\" here, and beside the table credential = { credential = \
             \"NAME\" }; if it was ever shared or committed with this file, make a new one at \
             the service"
                .to_owned(),
        ),
    }
}

/// Whether what stands under this name is a secret by its name.
fn names_a_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace(['_', '-', ' '], "");
    let ends = [
        "token",
        "secret",
        "password",
        "passwd",
        "apikey",
        "privatekey",
        "accesskey",
    ];
    ends.iter().any(|end| key.ends_with(end))
}
