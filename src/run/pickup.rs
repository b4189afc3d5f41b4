//! Files on a drive that are imports: found by pattern, read once for each version.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use stundenbuch_connectors::import::{Format, Options};
use stundenbuch_connectors::record::ExternalId;

use super::import::{self, ImportError, Keep};
use super::intake::Counts;
use super::nightly::file_name;
use super::report::ImportReport;
use super::sources::Built;
use crate::config::{Config, ImportRule};
use crate::store::{Result, Store};
use crate::work::FileItem;

/// A larger file is imported by hand.
const FILE_MAX: usize = 64 * 1024 * 1024;

/// Imports every file that a rule names and whose version was not imported yet. A refused file
/// is told, and tried again when it changes.
pub(super) async fn pick_up(
    store: &mut Store,
    now: DateTime<Utc>,
    config: &Config,
    built: &BTreeMap<String, Built>,
) -> Result<Vec<ImportReport>> {
    let mut reports = Vec::new();
    if config.imports.is_empty() {
        return Ok(reports);
    }
    let files = store.files()?;
    for rule in &config.imports {
        let Some(Ok(connector)) = built.get(&rule.connection) else {
            continue;
        };
        for file in files.iter().filter(|file| wanted(rule, file)) {
            let path = &file.file.path;
            let version = version(file);
            if store.imported(&rule.connection, path)?.as_deref() == Some(version.as_str()) {
                continue;
            }
            let fetched = connector
                .fetch(&ExternalId::new(file.key.id.as_str()), FILE_MAX)
                .await;
            let report = match fetched {
                Ok(bytes) => import_bytes(store, now, config, rule, path, &bytes),
                Err(error) => Err(ImportError::Read {
                    path: PathBuf::from(path),
                    reason: error.to_string(),
                }),
            };
            let report = match report {
                // The ledger's own trouble is no fault of the file.
                Err(ImportError::Store(error)) => return Err(error),
                report => report.map_err(|error| explain(&error)),
            };
            let done = report.is_ok();
            reports.push(match report {
                Ok((format, counts)) => ImportReport {
                    file: file_name(&rule.connection, path),
                    format: Some(format),
                    counts,
                    refused: None,
                },
                Err(reason) => ImportReport {
                    file: file_name(&rule.connection, path),
                    format: rule.format.clone(),
                    counts: Counts::default(),
                    refused: Some(reason),
                },
            });
            if done {
                store.write(|writer| writer.set_imported(&rule.connection, path, &version))?;
            }
        }
    }
    Ok(reports)
}

fn import_bytes(
    store: &mut Store,
    now: DateTime<Utc>,
    config: &Config,
    rule: &ImportRule,
    path: &str,
    bytes: &[u8],
) -> Result<(String, Counts), ImportError> {
    let path = Path::new(path);
    let named;
    let format: &dyn Format = match &rule.format {
        Some(name) => {
            named = import::named(name, config.file.parent())?;
            named.as_ref()
        }
        None => import::recognise_head(path, bytes)?,
    };
    let options = Options {
        time_zone: rule.time_zone,
        dates: rule.dates,
    };
    import::import(
        store,
        now,
        path,
        &mut &bytes[..],
        format,
        &options,
        Keep::Yes,
    )
    .map(|counts| (format.name().to_owned(), counts))
}

/// An import's failure in one line.
fn explain(error: &ImportError) -> String {
    let details = error.details();
    if details.is_empty() {
        error.to_string()
    } else {
        details.join("; ")
    }
}

fn wanted(rule: &ImportRule, file: &FileItem) -> bool {
    !file.deleted
        && file.key.connection == rule.connection
        && matches(&rule.pattern, &file.file.path)
}

/// What tells one state of a file from another.
fn version(file: &FileItem) -> String {
    file.file
        .version
        .clone()
        .unwrap_or_else(|| file.revision.to_string())
}

/// Whether a path fits a pattern: `*` within a name, `**` over any number of directories.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    fn parts(pattern: &[&str], path: &[&str]) -> bool {
        match (pattern.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => {
                parts(rest, path)
                    || path
                        .split_first()
                        .is_some_and(|(_, tail)| parts(pattern, tail))
            }
            (Some((name, rest)), Some((head, tail))) => text(name, head) && parts(rest, tail),
            _ => false,
        }
    }
    fn text(pattern: &str, name: &str) -> bool {
        match pattern.split_once('*') {
            None => pattern == name,
            Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
                let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
                ends.into_iter().any(|at| text(after, &rest[at..]))
            }),
        }
    }
    parts(
        &pattern.split('/').collect::<Vec<_>>(),
        &path.split('/').collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns_name_files_as_people_expect() {
        for (pattern, path, fits) in [
            ("exports/*.csv", "exports/toggl.csv", true),
            ("exports/*.csv", "exports/old/toggl.csv", false),
            ("exports/*.csv", "exports/toggl.csv.part", false),
            ("**/*.csv", "a/b/c.csv", true),
            ("**/*.csv", "c.csv", true),
            ("*toggl*", "my toggl export.csv", true),
            ("*.csv", "Zürich.csv", true),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, path), fits, "{pattern} on {path}");
        }
    }
}
