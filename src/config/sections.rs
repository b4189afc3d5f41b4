//! The small sections: who we are, the ledger, the daemon, checks, numbers, people, imports.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chrono::NaiveTime;
use chrono_tz::Tz;
use stundenbuch_connectors::import::DateOrder;

use super::connections::path;
use super::model::{Backup, Checks, ImportRule, Person, Statements, Templates};
use super::reader::{Field, Spot, Table};
use super::references::{Ability, Known};
use crate::billing::Party;

/// A party to a contract; the caller closes the table.
pub(super) fn party(table: &Table<'_>) -> Party {
    let text = |key: &str| table.get(key).and_then(|field| field.text());
    Party {
        name: table
            .need("name", "name = \"…\", as it stands on paper")
            .and_then(|field| field.text())
            .unwrap_or_default(),
        address: table
            .get("address")
            .map(|field| field.texts())
            .unwrap_or_default(),
        email: text("email"),
        phone: text("phone"),
        website: text("website"),
        vat_id: text("vat_id"),
        tax_number: text("tax_number"),
    }
}

pub(super) fn issuer(root: &Table<'_>) -> Party {
    let field = root.need("issuer", "a table [issuer] with your name");
    let Some(table) = field.and_then(|field| field.table()) else {
        return Party::default();
    };
    let party = party(&table);
    table.close();
    party
}

/// The path of the ledger's file, and the directory of a second file of its heads.
pub(super) fn ledger(root: &Table<'_>, base: &Path) -> (PathBuf, Option<PathBuf>) {
    let field = root.need("ledger", "a table [ledger] with path = \"stundenbuch.db\"");
    let Some(table) = field.and_then(|field| field.table()) else {
        return (PathBuf::new(), None);
    };
    let file = table
        .need("path", "path = \"stundenbuch.db\"")
        .and_then(|field| path(&field, base));
    let anchors = table.get("anchors").and_then(|field| path(&field, base));
    table.close();
    (file.unwrap_or_default(), anchors)
}

/// Where the nights back the ledger up to.
pub(super) fn backup(root: &Table<'_>, base: &Path) -> Option<Backup> {
    let table = root.table("backup")?;
    let directory = table.get("directory").and_then(|field| path(&field, base));
    let keep = table.get("keep").and_then(|field| field.count(1, 10_000));
    table.close();
    Some(Backup {
        directory: directory?,
        keep: keep.map_or(KEEP, |keep| usize::try_from(keep).unwrap_or(KEEP)),
    })
}

/// Two weeks of nights.
const KEEP: usize = 14;

/// What `[daemon]` says.
pub(super) struct Daemon {
    pub(super) time_zone: Tz,
    pub(super) nightly_at: NaiveTime,
    pub(super) listen: Option<SocketAddr>,
}

pub(super) fn daemon(root: &Table<'_>) -> Daemon {
    let mut daemon = Daemon {
        time_zone: Tz::Europe__Berlin,
        // Behind both changes of the clock, so that it comes exactly once every night.
        nightly_at: NaiveTime::from_hms_opt(3, 15, 0).expect("03:15 is a time of day"),
        listen: None,
    };
    let Some(table) = root.table("daemon") else {
        return daemon;
    };
    if let Some(zone) = table.get("time_zone").and_then(|field| field.zone()) {
        daemon.time_zone = zone;
    }
    if let Some(time) = table
        .get("nightly_at")
        .and_then(|field| field.time_of_day())
    {
        daemon.nightly_at = time;
    }
    daemon.listen = table.get("listen").and_then(|field| loopback(&field));
    table.close();
    daemon
}

/// An address that only this machine reaches: what is told there has names and hours in it.
fn loopback(field: &Field<'_>) -> Option<SocketAddr> {
    let text = field.text()?;
    let fix = "write it like \"127.0.0.1:8721\"".to_owned();
    let Ok(address) = text.parse::<SocketAddr>() else {
        field.wrong(format!("`{text}` is no address with a port"), fix);
        return None;
    };
    if !address.ip().is_loopback() {
        field.wrong(format!("`{text}` can be reached from other machines"), fix);
        return None;
    }
    Some(address)
}

pub(super) fn checks(root: &Table<'_>) -> Checks {
    let mut checks = Checks::default();
    let Some(table) = root.table("checks") else {
        return checks;
    };
    let duration = |key: &str, into: &mut i64| {
        if let Some(seconds) = table.get(key).and_then(|field| field.duration()) {
            *into = seconds;
        }
    };
    duration("long_entry", &mut checks.long_entry_seconds);
    duration("long_timer", &mut checks.long_timer_seconds);
    duration("overlap", &mut checks.overlap_seconds);
    table.close();
    checks
}

/// How long statements are kept when their client is erased. Eight years: § 147 (3) AO, § 257 (4)
/// HGB and § 14b (1) UStG, as of 2025.
pub(super) fn retention_years(root: &Table<'_>) -> u16 {
    const LAW: u16 = 8;
    let Some(table) = root.table("retention") else {
        return LAW;
    };
    let years = table.get("years").and_then(|field| field.count(1, 100));
    table.close();
    years
        .and_then(|years| u16::try_from(years).ok())
        .unwrap_or(LAW)
}

/// How statements are numbered, and the directory of their layout.
pub(super) fn statements(root: &Table<'_>, base: &Path) -> (Statements, Option<Templates>) {
    let mut statements = Statements {
        number_pattern: "{YYYY}-{0000}".to_owned(),
    };
    let Some(table) = root.table("statements") else {
        return (statements, None);
    };
    if let Some(field) = table.get("number")
        && let Some(pattern) = field.text()
    {
        match check_pattern(&pattern) {
            Ok(()) => statements.number_pattern = pattern,
            Err(why) => field.wrong(why, "write it like \"{YYYY}-{0000}\"".to_owned()),
        }
    }
    let templates = table.get("templates").and_then(|field| path(&field, base));
    table.close();
    (statements, templates.map(Templates::Directory))
}

/// Exactly one running number, and besides only the year and the month in braces.
fn check_pattern(pattern: &str) -> Result<(), String> {
    if pattern.contains(char::is_control) {
        return Err("a number has no line breaks and no control characters".to_owned());
    }
    let mut numbers = 0;
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        let end = rest[at..].find('}').filter(|_| rest[at..].starts_with('{'));
        let Some(end) = end else {
            return Err("a brace is open or closed alone".to_owned());
        };
        let word = &rest[at + 1..at + end];
        if (1..=9).contains(&word.len()) && word.bytes().all(|byte| byte == b'0') {
            numbers += 1;
        } else if word != "YYYY" && word != "MM" {
            return Err(format!("{{{word}}} is not known here"));
        }
        rest = &rest[at + end + 1..];
    }
    match numbers {
        1 => Ok(()),
        0 => Err("the running number is missing".to_owned()),
        _ => Err("the running number stands there more than once".to_owned()),
    }
}

/// The people, each with what names them; a name that means two is refused.
pub(super) fn people(root: &Table<'_>) -> Vec<Person> {
    let mut people = Vec::new();
    let mut taken: Vec<(String, String, Spot)> = Vec::new();
    for (key, field) in root.named("people") {
        let Some(table) = field.table() else {
            continue;
        };
        let spot = table.spot();
        let name = table
            .need("name", "name = \"…\", as it stands on documents")
            .and_then(|field| field.text());
        let known_as = table.get("known_as").map(|field| field.spotted_texts());
        let known_as = known_as.unwrap_or_default();
        table.close();
        let own = name
            .iter()
            .chain([&key])
            .map(|name| (name.clone(), spot.clone()));
        for (word, spot) in own.chain(known_as.iter().cloned()) {
            let word = fold(&word);
            let other = taken
                .iter()
                .find(|(other, whose, _)| *other == word && *whose != key);
            if let Some((_, whose, at)) = other {
                let what = format!("`{word}` is also a name of `{whose}` at {}", at.line());
                let fix = "a name can mean one person only".to_owned();
                root.book.note_at(&spot, what, Some(fix));
            }
            taken.push((word, key.clone(), spot));
        }
        people.push(Person {
            name: name.unwrap_or_default(),
            known_as: known_as.into_iter().map(|(name, _)| name).collect(),
            key,
        });
    }
    people
}

/// How names are compared: without case and outer blanks.
pub(super) fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

pub(super) fn imports(root: &Table<'_>, known: &Known<'_>, zone: Tz) -> Vec<ImportRule> {
    let tables = root.tables("imports").into_iter();
    tables
        .filter_map(|table| import(table, known, zone))
        .collect()
}

fn import(table: Table<'_>, known: &Known<'_>, zone: Tz) -> Option<ImportRule> {
    let connection = table
        .need("connection", "connection = \"…\", one that brings files")
        .and_then(|field| known.connection(&field, Ability::BringsFiles));
    let pattern = table
        .need("files", "files = \"exports/*.csv\"")
        .and_then(|field| field.inner_path());
    let format = table.get("format").and_then(|field| field.text());
    let time_zone = table.get("time_zone").and_then(|field| field.zone());
    let dates = table.get("dates").and_then(|field| {
        field.choice(&[
            ("detect", DateOrder::Detect),
            ("day-first", DateOrder::DayFirst),
            ("month-first", DateOrder::MonthFirst),
        ])
    });
    table.close();
    Some(ImportRule {
        connection: connection?,
        pattern: pattern?,
        format,
        time_zone: time_zone.unwrap_or(zone),
        dates: dates.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::check_pattern;

    #[test]
    fn a_number_pattern_has_exactly_one_running_number() {
        for good in ["{0000}", "R-{YYYY}{MM}-{000}", "{YYYY}/{0}"] {
            assert_eq!(check_pattern(good), Ok(()), "{good}");
        }
        for wrong in [
            "", "2026", "{0}\n", "{YYYY}", "{0}{0}", "{", "}", "{}", "{DD}{0}", "{0}}", "{{0}",
        ] {
            assert!(check_pattern(wrong).is_err(), "{wrong}");
        }
    }
}
