//! The outbox: a sealed statement's documents on their way to where they should be.
//!
//! Documents are queued in the transaction that seals, so there is no sealed statement whose
//! documents could be forgotten. They leave here one at a time; a parcel is sent again until its
//! target has proved that it is there, and a target takes the same parcel twice without harm.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::Connector;
use stundenbuch_connectors::contract::{Item, Outcome, Outgoing, OutgoingFile, Receipt};
use stundenbuch_connectors::error::Retry;

use crate::clock::Clock;
use crate::finding::{Finding, Kind, Severity};
use crate::ledger::{Delivered, Event};
use crate::run::report::DeliveryReport;
use crate::store::{Parcel, Result, Store};

/// The first wait after a failed attempt; doubled each time.
const WAIT_FIRST: TimeDelta = TimeDelta::minutes(5);
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);

/// Delivers everything that is due. A target that fails holds up its own parcels only.
pub async fn deliver(
    store: &mut Store,
    clock: &dyn Clock,
    targets: &BTreeMap<String, Arc<dyn Connector>>,
) -> Result<DeliveryReport> {
    let mut report = DeliveryReport::default();
    let mut down: Vec<String> = Vec::new();
    for parcel in store.parcels_due(clock.now())? {
        if down.contains(&parcel.connection) {
            continue;
        }
        let outgoing = outgoing(store, &parcel)?;
        let sent = match targets.get(&parcel.connection) {
            Some(target) => target.deliver(&outgoing).await,
            None => Err(stundenbuch_connectors::Error::new(
                stundenbuch_connectors::error::Kind::Settings,
                format!(
                    "the connection `{}` is not in the configuration",
                    parcel.connection
                ),
            )
            .hint("bring it back, or name another target for this client and seal again")),
        };
        match sent {
            Ok(receipt) => {
                arrived(store, clock.now(), &parcel, &receipt)?;
                report
                    .delivered
                    .push(format!("{}:{}", parcel.connection, receipt.location));
            }
            Err(error) => {
                let person = failed(store, clock.now(), &parcel, &error)?;
                report.needs_person |= person;
                report
                    .failed
                    .push(format!("{}:{}: {error}", parcel.connection, parcel.path));
                down.push(parcel.connection);
            }
        }
    }
    Ok(report)
}

fn outgoing(store: &Store, parcel: &Parcel) -> Result<Outgoing> {
    let replaces = store.delivered_hash(&parcel.connection, &parcel.path)?;
    Ok(Outgoing {
        key: parcel.key.clone(),
        item: Item::File(OutgoingFile {
            path: parcel.path.clone(),
            bytes: Arc::clone(&parcel.bytes),
            sha256: parcel.sha256.clone(),
            replaces,
        }),
    })
}

/// Records the proof in the ledger, and tells when the document had to go under another name.
fn arrived(
    store: &mut Store,
    now: DateTime<Utc>,
    parcel: &Parcel,
    receipt: &Receipt,
) -> Result<()> {
    let outcome = match receipt.outcome {
        Outcome::Created => "created",
        Outcome::AlreadyThere => "already-there",
        Outcome::Replaced => "replaced",
        Outcome::Beside => "beside",
    };
    let beside = (receipt.outcome == Outcome::Beside).then(|| Finding {
        kind: Kind::DeliveredBeside,
        severity: Severity::Check,
        subject: parcel.key.clone(),
        other: None,
        client: None,
        sentence: format!(
            "On `{}`, `{}` is something that this program did not put there; the document lies \
             beside it as `{}`.",
            parcel.connection, parcel.path, receipt.location
        ),
        action: "Look at both files, and rename or remove the one that should not be there.".into(),
    });
    store.write(|writer| {
        writer.parcel_delivered(now, parcel.id, &receipt.location, outcome)?;
        let event = Event::Delivered(Delivered {
            connection: parcel.connection.clone(),
            sha256: parcel.sha256.clone(),
            location: receipt.location.clone(),
            outcome: outcome.into(),
        });
        writer.append(now, &parcel.key, &event)?;
        writer.replace_findings(now, &parcel.key, beside.as_slice())?;
        Ok(())
    })
}

/// Records a failed attempt; whether a person must act before the next.
fn failed(
    store: &mut Store,
    now: DateTime<Utc>,
    parcel: &Parcel,
    error: &stundenbuch_connectors::Error,
) -> Result<bool> {
    let person = error.needs_person();
    let doubled = WAIT_FIRST * 2_i32.saturating_pow(parcel.attempts.min(10));
    let wait = now + doubled.min(WAIT_MAX);
    let again = match error.retry_advice() {
        _ if person => None,
        Retry::Later { after } => Some(after.unwrap_or(wait).max(wait)),
        Retry::Unknown => Some(wait),
        Retry::Never => None,
    };
    let finding = Finding {
        kind: Kind::DeliveryFailed,
        severity: Severity::Act,
        subject: parcel.key.clone(),
        other: None,
        client: None,
        sentence: format!(
            "`{}` could not be delivered to `{}`: {error}.",
            parcel.path, parcel.connection
        ),
        action: match (error.advice(), again) {
            (Some(advice), None) => {
                format!("{advice}; then run `stundenbuch deliver --retry`.")
            }
            (None, None) => "Mend the cause, then run `stundenbuch deliver --retry`.".into(),
            (_, Some(at)) => {
                format!(
                    "It is tried again by itself, not before {}.",
                    at.format("%Y-%m-%d %H:%M UTC")
                )
            }
        },
    };
    store.write(|writer| {
        writer.parcel_failed(parcel.id, &error.to_string(), again)?;
        writer.replace_findings(now, &parcel.key, &[finding])?;
        Ok(again.is_none())
    })
}
