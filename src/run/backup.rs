//! What a night does for the ledger itself: a backup, and the heads outside of it.

use chrono::{DateTime, Utc};

use super::report::Kept;
use crate::config::Config;
use crate::finding::{Finding, Kind, Severity};
use crate::store::{Anchors, Result, Store};

/// Backs the ledger up where the configuration says so, and tells what could not be kept. A
/// night whose backup fails is done all the same.
pub(super) fn keep(store: &mut Store, config: &Config, now: DateTime<Utc>) -> Result<Option<Kept>> {
    let mut kept = Kept::default();
    let mut findings = Vec::new();
    if let Some(backup) = &config.backup {
        let anchors = Anchors::new(&config.ledger, config.anchors.as_deref());
        let keep = Some(backup.keep);
        let made = if backup.directory.is_dir() {
            store.back_up(&backup.directory, keep, &anchors, now)
        } else {
            Err(crate::store::Error::Backup {
                path: backup.directory.clone(),
                reason: "there is no such directory".to_owned(),
            })
        };
        match made {
            Ok(made) => kept.backup = Some(made),
            Err(error) => {
                let (why, hint) = (error.to_string(), error.hint());
                findings.push(finding(
                    Kind::BackupFailed,
                    format!("The nightly backup failed: {why}."),
                    format!("To mend it: {hint}. `stundenbuch ledger backup` tries it again."),
                ));
                kept.failed.push(format!("the backup failed: {why}"));
            }
        }
    }
    let trouble = store.heads_trouble().to_vec();
    if !trouble.is_empty() {
        findings.push(finding(
            Kind::HeadsNotKept,
            format!(
                "Heads could not be kept outside of the ledger: {}.",
                trouble.join("; ")
            ),
            "Make the file writable, or correct `ledger.anchors`.".to_owned(),
        ));
        kept.failed.extend(trouble);
    }
    store.write(|writer| {
        let open = findings.iter().map(Finding::id).collect();
        writer.close_kind(now, Kind::BackupFailed, &open)?;
        writer.close_kind(now, Kind::HeadsNotKept, &open)?;
        for finding in &findings {
            writer.open_finding(now, finding)?;
        }
        Ok::<_, crate::store::Error>(())
    })?;
    Ok((kept != Kept::default()).then_some(kept))
}

fn finding(kind: Kind, sentence: String, action: String) -> Finding {
    Finding {
        kind,
        severity: Severity::Act,
        subject: "ledger".to_owned(),
        other: None,
        client: None,
        sentence,
        action,
    }
}
