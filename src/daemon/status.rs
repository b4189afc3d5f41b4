//! How the program stands, read from the ledger: the same for `status`, health and the page.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::finding::{Kind, Severity};
use crate::run::report::{Exit, Report};
use crate::store::{Anchors, Error, Lock, Result, Stats};

/// How the program stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub stats: Stats,
    /// When the newest run that came to its end began.
    pub last_run: Option<DateTime<Utc>>,
    /// The newest run did not come to its end, and nobody is at it.
    pub interrupted: bool,
    /// Connections, imports and deliveries that fail, each with its reason.
    pub failures: Vec<String>,
    /// What the newest finished run reported.
    pub report: Option<Report>,
    /// Findings that ask for a person to act, the gravest first.
    pub findings: Vec<String>,
    /// The end of the chain.
    pub ledger_head: String,
    /// Rows are missing that were there, or the ledger is another one: nothing is sealed or
    /// delivered from it.
    pub rolled_back: Option<String>,
    /// What a person should know of the files that hold the ledger's heads.
    pub heads: Vec<String>,
}

/// Whether somebody must look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    Ok,
    Degraded(String),
}

impl Status {
    /// Reads the ledger, and compares it with the heads that were kept of it.
    pub fn read(anchors: &Anchors) -> Result<Self> {
        let store = anchors.open_read_only()?;
        let (rolled_back, heads) = match store.agrees(anchors) {
            Ok(kept) => (None, kept.notes),
            Err(error @ (Error::RolledBack(_) | Error::OtherHeads { .. })) => {
                (Some(error.to_string()), Vec::new())
            }
            Err(error) => return Err(error),
        };
        let finished = store.last_finished_run()?;
        let newest = store.last_run()?;
        let report: Option<Report> = finished
            .as_ref()
            .and_then(|run| run.report.as_deref())
            .and_then(|text| serde_json::from_str(text).ok());
        let open = store.findings(false)?;
        let told = |kind: Kind| {
            open.iter()
                .filter(move |stored| stored.finding.kind == kind)
                .map(|stored| stored.finding.sentence.clone())
        };
        // A pull of one connection says nothing of the others, so each is asked for itself.
        let mut failures: Vec<String> = store
            .failures()?
            .into_iter()
            .map(|(name, failure)| format!("{name}: {failure}"))
            .collect();
        failures.extend(told(Kind::SuspiciousDeletion));
        failures.extend(told(Kind::ImportRefused));
        failures.extend(told(Kind::DeliveryFailed));
        failures.extend(told(Kind::BackupFailed));
        failures.extend(told(Kind::HeadsNotKept));
        let act = open
            .iter()
            .filter(|stored| stored.finding.severity == Severity::Act);
        Ok(Self {
            stats: store.stats()?,
            last_run: finished.map(|run| run.started_at),
            interrupted: newest.is_some_and(|run| run.finished_at.is_none())
                && !Lock::is_held(anchors.ledger()),
            failures,
            report,
            findings: act.map(|stored| stored.finding.sentence.clone()).collect(),
            ledger_head: store.head()?.hex(),
            rolled_back,
            heads,
        })
    }

    /// Findings about the work do not make the program ill; a source that fails does.
    pub fn health(&self) -> Health {
        let interrupted = self
            .interrupted
            .then(|| "the last run was interrupted".to_owned());
        let reasons: Vec<String> = self
            .rolled_back
            .iter()
            .cloned()
            .chain(interrupted)
            .chain(self.failures.iter().cloned())
            .collect();
        if reasons.is_empty() {
            Health::Ok
        } else {
            Health::Degraded(reasons.join("\n"))
        }
    }

    /// How `status` ends.
    pub fn exit(&self) -> Exit {
        let reported = self.report.as_ref().map_or(Exit::Fine, Report::exit);
        if self.rolled_back.is_some() {
            return Exit::NeedsPerson;
        }
        match self.health() {
            Health::Ok if reported == Exit::Findings => Exit::Findings,
            Health::Ok => Exit::Fine,
            Health::Degraded(_) => reported.max(Exit::ForNow),
        }
    }
}
