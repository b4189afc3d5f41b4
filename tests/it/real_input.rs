//! Real exports: they import, their sums agree with sums made by other means, and a second
//! import appends nothing. Every other file is refused with its reason.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde_json::Value;
use stundenbuch::config::Config;
use stundenbuch::run::import::{ImportError, Keep, import_file, recognise};
use stundenbuch::run::intake::Counts;
use stundenbuch::statements;
use stundenbuch::store::Store;
use stundenbuch_connectors::import::{DateOrder, Options};
use tempfile::TempDir;

const CONFIG: &str = r#"
[issuer]
name = "Anna Beispiel"
[ledger]
path = "ledger.db"
[clients.one]
name = "Client One GmbH"
sources.clients = ["Client 1"]
[[clients.one.contracts]]
from = 2017-01-01
rate = "59.00"
vat = 19
ignore_billable_flag = true
"#;

/// The exports beside the checkout, where they exist.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("STUNDENBUCH_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let data = named.unwrap_or(beside).join("data");
    if data.is_dir() {
        return Some(data);
    }
    println!("SKIPPED: there are no real exports at {}", data.display());
    None
}

struct House {
    _dir: TempDir,
    config: Config,
    store: Store,
}

fn house() -> House {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("stundenbuch.toml");
    std::fs::write(&file, CONFIG).unwrap();
    let config = Config::load(Some(&file), &BTreeMap::new()).unwrap();
    let store = Store::open(&config.ledger, now()).unwrap();
    House {
        _dir: dir,
        config,
        store,
    }
}

fn now() -> DateTime<Utc> {
    "2026-11-01T02:15:00Z".parse().unwrap()
}

fn options(dates: DateOrder) -> Options {
    Options {
        time_zone: chrono_tz::Europe::Berlin,
        dates,
    }
}

fn import(house: &mut House, path: &Path) -> Result<Counts, ImportError> {
    let options = options(DateOrder::MonthFirst);
    import_file(
        &mut house.store,
        now(),
        path,
        recognise(path)?,
        &options,
        Keep::Yes,
    )
}

/// Rows of a Toggl export by the `csv` crate, which the importer does not use: project, client
/// and the seconds of the `Duration` column.
fn rows(path: &Path) -> Vec<(String, String, i64)> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header == name).unwrap();
    let (project, client, duration) = (at("Project"), at("Client"), at("Duration"));
    reader
        .records()
        .map(|row| {
            let row = row.unwrap();
            let clock = row[duration].trim_end_matches(" AM");
            let parts: Vec<i64> = clock.split(':').map(|part| part.parse().unwrap()).collect();
            let seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
            (row[project].to_owned(), row[client].to_owned(), seconds)
        })
        .collect()
}

#[test]
fn a_real_month_agrees_with_sums_made_by_other_means() {
    let Some(data) = shared() else { return };
    let path = data.join("toggl/toggl_dashboard_2017_month_217rows_redacted.csv");
    let rows = rows(&path);
    let mut house = house();
    let counts = import(&mut house, &path).unwrap();
    assert_eq!((counts.new, rows.len()), (217, 217));
    let stats = house.store.stats().unwrap();
    assert_eq!(
        stats.work_seconds,
        rows.iter().map(|(_, _, seconds)| seconds).sum::<i64>()
    );

    let mut projects: BTreeMap<&str, i64> = BTreeMap::new();
    for (project, client, seconds) in &rows {
        if client == "Client 1" {
            *projects.entry(project).or_default() += seconds;
        }
    }
    let client = house.config.client("one").unwrap();
    let period = "2017-08".parse().unwrap();
    let previews = statements::preview(&house.store, &house.config, client, period).unwrap();
    let statement = &previews.previews[0].draft.statement;
    assert_eq!(statement.lines.len(), projects.len());
    let mut net = 0;
    for (line, (project, seconds)) in statement.lines.iter().zip(&projects) {
        assert!(
            line.title.ends_with(project),
            "{} is not {project}",
            line.title
        );
        // To the nearest minute, and 5900 cents an hour, halves up; in integers.
        let minutes = (seconds + 30) / 60;
        let cents = (minutes * 5900 + 30) / 60;
        assert_eq!(line.tracked_seconds, *seconds);
        assert_eq!(line.billed_seconds, minutes * 60);
        assert_eq!(line.amount.get(), cents);
        net += cents;
    }
    assert_eq!(statement.totals.net.get(), net);
    let vat = (net * 19 + 50) / 100;
    assert_eq!(statement.totals.vat.as_ref().unwrap().amount.get(), vat);
    assert_eq!(statement.totals.gross.get(), net + vat);
}

#[test]
fn every_real_board_imports_with_all_its_cards() {
    let Some(data) = shared() else { return };
    let mut boards: Vec<PathBuf> = files(&data.join("trello"));
    boards.retain(|path| path.parent().unwrap().ends_with("trello"));
    boards.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
    assert_eq!(boards.len(), 5);
    for path in boards {
        let board: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let cards = board["cards"].as_array().unwrap();
        let left_out = cards.iter().filter(|card| {
            card["isTemplate"] == true
                || ["separator", "mirror", "link"]
                    .iter()
                    .any(|role| card["cardRole"] == *role)
        });
        let expected = cards.len() - left_out.count();
        let mut house = house();
        import(&mut house, &path).unwrap();
        let tasks = house.store.tasks().unwrap();
        assert_eq!(tasks.len(), expected, "{}", path.display());
        for card in cards.iter().filter(|card| card["isTemplate"] != true) {
            let id = card["id"].as_str().unwrap();
            let task = tasks.iter().find(|task| task.key.id.as_str() == id);
            if let Some(task) = task {
                assert_eq!(task.task.title, card["name"].as_str().unwrap());
            }
        }
    }
}

#[test]
fn every_file_imports_once_or_is_refused_with_its_place_and_reason() {
    let Some(data) = shared() else { return };
    let mut imported = 0;
    for path in files(&data) {
        let mut house = house();
        let before = house.store.head().unwrap();
        match import(&mut house, &path) {
            Ok(first) => {
                let head = house.store.head().unwrap();
                let again = import(&mut house, &path).unwrap();
                assert_eq!(first.received, again.received);
                assert_eq!((again.new, again.changed, again.rejected), (0, 0, 0));
                assert_eq!(house.store.head().unwrap(), head, "{}", path.display());
                assert_eq!(first.rejected, 0, "{}", path.display());
                imported += 1;
            }
            Err(error) => {
                assert_eq!(house.store.head().unwrap(), before, "{}", path.display());
                let text = format!("{error}\n{}", error.details().join("\n"));
                assert!(text.contains(&path.display().to_string()), "{text}");
                assert!(!error.hint().is_empty());
                println!("{text}");
            }
        }
    }
    assert!(imported >= 20, "only {imported} files were imported");
}

#[test]
fn an_ambiguous_date_is_refused_with_row_and_column() {
    let Some(data) = shared() else { return };
    let path = data.join("clockify/solidtime_clockify_1.csv");
    let mut house = house();
    let format = recognise(&path).unwrap();
    let options = options(DateOrder::Detect);
    let refused =
        import_file(&mut house.store, now(), &path, format, &options, Keep::Yes).unwrap_err();
    let details = refused.details().join("\n");
    assert!(
        details.contains("row 2, column `Start Date`: `03/04/2024`"),
        "{details}"
    );
}

/// All files below a directory, in order.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut entries: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
