//! One pass: pull, import, review, deliver; each part on its own, interrupted anywhere, run again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stundenbuch_connectors::budget::BudgetStore;
use stundenbuch_connectors::contract::Notice;
use stundenbuch_connectors::{Connector, Platform};

use super::intake::Counts;
use super::pull::{self, Pulled, Source};
use super::report::{DeliveryReport, Failure, ImportReport, Report, SourceReport};
use super::sources::{self, Built, Environment};
use super::{backup, history, pickup, review, spare};
use crate::clock::Clock;
use crate::config::Config;
use crate::finding::{Finding, Kind, Severity};
use crate::outbox;
use crate::store::{Budgets, Result, Store};

/// The trigger of runs that the schedule began.
pub const SCHEDULE: &str = "schedule";
/// The mark that remembers when the last of them began.
pub const MARK: &str = "nightly";

/// What a pass should do.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// For the log: `schedule`, `command`.
    pub trigger: String,
    /// Only these connections; all when empty.
    pub only: BTreeSet<String>,
    /// Compare the last weeks with the source even when it is not due.
    pub compare: bool,
    /// Stop after pulling and importing.
    pub pull_only: bool,
    /// Nothing but what waits in the outbox.
    pub deliver_only: bool,
    /// The store is a copy that will be thrown away: deliver nothing, and count requests in this
    /// ledger, for they are really sent.
    pub dry_run: Option<PathBuf>,
}

impl Plan {
    /// Whether it is all of a night, on the ledger itself.
    fn is_whole(&self) -> bool {
        let part = self.pull_only || self.deliver_only || !self.only.is_empty();
        !part && self.dry_run.is_none()
    }
}

/// Runs one pass. Fails only when the ledger does; what else went wrong is in the report.
pub async fn run(
    store: &mut Store,
    config: &Config,
    environment: &Environment,
    clock: Arc<dyn Clock>,
    plan: &Plan,
) -> Result<Report> {
    let started_at = clock.now();
    history::record(store, config, started_at)?;
    let run = store.write(|writer| writer.begin_run(started_at, &plan.trigger))?;
    let platform = Platform {
        clock: Arc::clone(&clock),
        budgets: Arc::new(Budgets::open(
            plan.dry_run.as_deref().unwrap_or(store.path()),
        )?),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    let built = sources::build_all(store, config, environment, &platform)?;

    let mut report = Report {
        trigger: plan.trigger.clone(),
        started_at,
        finished_at: started_at,
        sources: Vec::new(),
        imports: Vec::new(),
        findings_new: 0,
        findings_open: 0,
        deliveries: DeliveryReport::default(),
        kept: None,
    };
    if !plan.deliver_only {
        let around = Around {
            config,
            clock: clock.as_ref(),
            budgets: platform.budgets.as_ref(),
            built: &built,
            plan,
        };
        take_in(store, &around, &mut report).await?;
    }
    if !plan.pull_only {
        report.findings_new = review::review(store, config, clock.now())?;
        if plan.dry_run.is_none() {
            // A share that could not be read is not written to: it may not be the share.
            let failed = report
                .sources
                .iter()
                .filter(|source| source.failure.is_some());
            let away = failed.map(|source| source.connection.clone()).collect();
            report.deliveries = outbox::deliver(store, clock.as_ref(), &built, &away).await?;
        }
    }
    end(store, clock.as_ref(), plan, run, &mut report)?;
    // Behind the end, so that a backup holds the whole night and a night counts without it.
    if plan.is_whole() {
        report.kept = backup::keep(store, config, clock.now())?;
        end(store, clock.as_ref(), plan, run, &mut report)?;
    }
    Ok(report)
}

/// Records what the pass came to.
fn end(
    store: &mut Store,
    clock: &dyn Clock,
    plan: &Plan,
    run: u64,
    report: &mut Report,
) -> Result<()> {
    report.findings_open = store
        .findings(false)?
        .iter()
        .filter(|stored| stored.finding.severity > Severity::Note)
        .count();
    report.finished_at = clock.now();
    let text = serde_json::to_string(&report).expect("a report is plain data");
    store.write(|writer| {
        // A night that did not come to its end is due again.
        if plan.trigger == SCHEDULE {
            writer.set_mark(MARK, &report.started_at.to_rfc3339())?;
        }
        writer.end_run(report.finished_at, run, &text)
    })?;
    store.fold_in_log();
    Ok(())
}

/// What a pass works with.
struct Around<'a> {
    config: &'a Config,
    clock: &'a dyn Clock,
    budgets: &'a dyn BudgetStore,
    built: &'a BTreeMap<String, Built>,
    plan: &'a Plan,
}

/// Pulls and imports, and tells what became of it.
async fn take_in(store: &mut Store, around: &Around<'_>, report: &mut Report) -> Result<()> {
    let &Around {
        config,
        clock,
        built,
        ..
    } = around;
    review::retry_quarantine(store, clock.now(), built)?;
    report.sources = pull_sources(store, around).await?;
    report.imports = pickup::pick_up(store, clock.now(), config, built).await?;
    tell_sources(store, config, clock, report)?;
    tell_imports(store, clock, &report.imports)?;
    review::tell_quarantine(store, clock.now())
}

async fn pull_sources(store: &mut Store, around: &Around<'_>) -> Result<Vec<SourceReport>> {
    let &Around {
        config,
        clock,
        budgets,
        built,
        plan,
    } = around;
    let mut reports = Vec::new();
    let mut sources = Vec::new();
    for (name, built) in built {
        if !plan.only.is_empty() && !plan.only.contains(name) {
            continue;
        }
        match built {
            Ok(connector) if connector.kind().streams.is_empty() => {}
            Ok(connector) => {
                let compared_at = store.connection(name)?.compared_at;
                let mode = pull::mode(compared_at, clock.now(), plan.compare);
                sources.push(source(name, connector, mode));
            }
            Err(error) => {
                let now = clock.now();
                store.write(|writer| writer.pull_failed(name, now, &error.to_string()))?;
                reports.push(SourceReport {
                    connection: name.clone(),
                    counts: Counts::default(),
                    requests: 0,
                    notices: Vec::new(),
                    held: store.absences(name, true)?.len(),
                    failure: Some(error.into()),
                });
            }
        }
    }
    let mut pulled = pull::pull(store, clock, &sources).await?;
    if plan.dry_run.is_none() && !plan.pull_only {
        spare::compare(store, config, clock, budgets, (&sources, &mut pulled)).await?;
    }
    reports.extend(pulled.into_iter().map(report_of));
    reports.sort_by(|a, b| a.connection.cmp(&b.connection));
    Ok(reports)
}

fn source(
    name: &str,
    connector: &Arc<dyn Connector>,
    mode: stundenbuch_connectors::contract::Pull,
) -> Source {
    Source {
        name: name.to_owned(),
        connector: Arc::clone(connector),
        mode,
    }
}

fn report_of(pulled: Pulled) -> SourceReport {
    SourceReport {
        connection: pulled.name,
        counts: pulled.counts,
        requests: pulled.requests,
        notices: pulled
            .notices
            .into_iter()
            .map(|Notice { text, .. }| text)
            .collect(),
        held: pulled.held,
        failure: pulled.failure.as_ref().map(Failure::from),
    }
}

/// Findings about the connections themselves: failures, notices, held deletions. One finding a
/// cause, however many nights it lasts.
fn tell_sources(
    store: &mut Store,
    config: &Config,
    clock: &dyn Clock,
    report: &Report,
) -> Result<()> {
    let now = clock.now();
    let forgotten: Vec<String> = store
        .findings(false)?
        .into_iter()
        .filter(|stored| OF_SOURCES.contains(&stored.finding.kind))
        .map(|stored| stored.finding.subject)
        .filter(|name| config.connection(name).is_none())
        .collect();
    store.write(|writer| {
        // Of a connection that is not configured any more there is nothing to be told.
        for name in &forgotten {
            writer.replace_findings(now, name, &[])?;
        }
        for source in &report.sources {
            let findings = source_findings(source);
            writer.replace_findings(now, &source.connection, &findings)?;
        }
        Ok(())
    })
}

/// The findings whose subject is a connection.
const OF_SOURCES: [Kind; 3] = [
    Kind::SourceFailed,
    Kind::SuspiciousDeletion,
    Kind::SourceNotice,
];

fn source_findings(source: &SourceReport) -> Vec<Finding> {
    let name = &source.connection;
    let finding = |kind, severity, other, sentence, action| Finding {
        kind,
        severity,
        subject: name.clone(),
        other,
        client: None,
        sentence,
        action,
    };
    let mut findings = Vec::new();
    if let Some(failure) = &source.failure {
        let fallback = if failure.needs_person {
            format!("Mend it and run `stundenbuch check {name}`.")
        } else {
            "Nothing was lost; the next run goes on where this one stopped.".to_owned()
        };
        let severity = if failure.needs_person {
            Severity::Act
        } else {
            Severity::Check
        };
        findings.push(finding(
            Kind::SourceFailed,
            severity,
            None,
            format!("`{name}` could not be read to its end: {}.", failure.text),
            failure.hint.clone().unwrap_or(fallback),
        ));
    }
    if source.held > 0 {
        findings.push(finding(
            Kind::SuspiciousDeletion,
            Severity::Act,
            None,
            format!(
                "{} records of `{name}` vanished at once; none of them was taken as deleted.",
                source.held
            ),
            format!(
                "Look at the service. If they were really deleted, run \
                 `stundenbuch pull {name} --accept-deletions`."
            ),
        ));
    }
    for notice in &source.notices {
        findings.push(finding(
            Kind::SourceNotice,
            Severity::Note,
            Some(notice.clone()),
            format!("`{name}` says: {notice}"),
            "Nothing has to be done unless you expected otherwise.".into(),
        ));
    }
    findings
}

/// Refused files are tried again every night, so what is not refused now is no trouble any more.
fn tell_imports(store: &mut Store, clock: &dyn Clock, imports: &[ImportReport]) -> Result<()> {
    let now = clock.now();
    let refused: Vec<Finding> = imports.iter().filter_map(refused).collect();
    store.write(|writer| {
        writer.close_kind(
            now,
            Kind::ImportRefused,
            &refused.iter().map(Finding::id).collect(),
        )?;
        for finding in &refused {
            writer.open_finding(now, finding)?;
        }
        Ok(())
    })
}

fn refused(import: &ImportReport) -> Option<Finding> {
    let reason = import.refused.as_ref()?;
    Some(Finding {
        kind: Kind::ImportRefused,
        severity: Severity::Act,
        subject: import.file.clone(),
        other: None,
        client: None,
        sentence: format!("`{}` was not imported: {reason}", import.file),
        action: "Mend the file, or take it out of the pattern of `[[imports]]`.".into(),
    })
}

/// The name under which a file stands in reports and findings.
pub(super) fn file_name(connection: &str, path: &str) -> String {
    format!("{connection}:{}", Path::new(path).display())
}
