//! How the program stands, read from the ledger: the same for `status`, health and the page.

use std::path::Path;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::finding::Severity;
use crate::run::report::{Exit, Report};
use crate::store::{Result, Stats, Store};

/// How the program stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub stats: Stats,
    /// When the newest run began.
    pub last_run: Option<DateTime<Utc>>,
    /// What the newest finished run reported.
    pub report: Option<Report>,
    /// Findings that ask for a person, the gravest first.
    pub findings: Vec<String>,
    /// The end of the chain.
    pub ledger_head: String,
}

/// Whether somebody must look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Ok,
    Degraded(String),
}

impl Status {
    /// Reads the ledger.
    pub fn read(ledger: &Path) -> Result<Self> {
        let store = Store::open_read_only(ledger)?;
        let run = store.last_run()?;
        let report = run
            .as_ref()
            .and_then(|run| run.report.as_deref())
            .and_then(|text| serde_json::from_str(text).ok());
        let findings = store
            .findings(false)?
            .into_iter()
            .filter(|stored| stored.finding.severity == Severity::Act)
            .map(|stored| stored.finding.sentence)
            .collect();
        Ok(Self {
            stats: store.stats()?,
            last_run: run.map(|run| run.started_at),
            report,
            findings,
            ledger_head: store.head()?.hex(),
        })
    }

    /// Findings about the work do not make the program ill; a source that fails does.
    pub fn health(&self) -> Health {
        let Some(report) = &self.report else {
            return Health::Ok;
        };
        if report.exit() < Exit::ForNow {
            return Health::Ok;
        }
        let failures = report.sources.iter().filter_map(|source| {
            let failure = source.failure.as_ref()?;
            Some(format!("{}: {}", source.connection, failure.text))
        });
        let held = report
            .sources
            .iter()
            .filter(|source| source.held > 0)
            .map(|source| {
                format!(
                    "{}: {} records vanished at once",
                    source.connection, source.held
                )
            });
        let refused = report
            .imports
            .iter()
            .filter_map(|import| Some(format!("{}: {}", import.file, import.refused.as_ref()?)));
        let reasons: Vec<String> = failures
            .chain(held)
            .chain(refused)
            .chain(report.deliveries.failed.iter().cloned())
            .collect();
        Health::Degraded(reasons.join("\n"))
    }
}
