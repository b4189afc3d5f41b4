//! The outbox: a sealed statement's documents on their way to where they should be.
//!
//! Documents are queued in the transaction that seals, so there is no sealed statement whose
//! documents could be forgotten. They leave here one at a time; a parcel is sent again until its
//! target has proved that it is there, and a target takes the same parcel twice without harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::Error;
use stundenbuch_connectors::contract::{
    Item, Outcome, Outgoing, OutgoingComment, OutgoingField, OutgoingFile, Receipt,
};
use stundenbuch_connectors::error::{Kind as ErrorKind, Retry};
use stundenbuch_connectors::planted::{Bug, planted};
use stundenbuch_connectors::record::ExternalId;

use crate::clock::Clock;
use crate::finding::{Finding, Kind, Severity};
use crate::ledger::{Delivered, Event, hex, sha256};
use crate::run::report::DeliveryReport;
use crate::run::sources::{self, Built};
use crate::store::{Parcel, ParcelState, Place, Result, Store};

/// The first wait after a failed attempt; doubled each time.
const WAIT_FIRST: TimeDelta = TimeDelta::minutes(5);
const WAIT_MAX: TimeDelta = TimeDelta::hours(6);

/// Delivers everything that is due, except to connections that are `away`. A target that fails
/// holds up its own parcels only.
pub async fn deliver(
    store: &mut Store,
    clock: &dyn Clock,
    targets: &BTreeMap<String, Built>,
    away: &BTreeSet<String>,
) -> Result<DeliveryReport> {
    let mut report = DeliveryReport::default();
    let mut down = away.clone();
    let mut order = Order::of(&store.parcels_open()?);
    for parcel in store.parcels_due(clock.now())? {
        if down.contains(&parcel.connection) || !order.is_next(&parcel) {
            continue;
        }
        if planted(Bug::DeliveredBeforeSent) {
            let (location, outcome) = (parcel.path.clone(), Outcome::Created);
            arrived(store, clock.now(), &parcel, &Receipt { outcome, location })?;
        }
        let target = targets.get(&parcel.connection);
        let is_built = matches!(target, Some(Ok(_)));
        let sent = match target {
            // What waits is not proved by the journal; its own hash tells what the disk did.
            Some(Ok(_)) if hex(&sha256(&parcel.bytes)) != parcel.sha256 => Err(changed(&parcel)),
            Some(Ok(target)) => {
                let sent = target.deliver(&outgoing(store, &parcel)?).await;
                sent.map_err(|error| sources::advised(&parcel.connection, &**target, error))
            }
            Some(Err(error)) => Err(error.clone()),
            None => Err(unknown_target(&parcel.connection)),
        };
        match sent {
            Ok(receipt) => {
                arrived(store, clock.now(), &parcel, &receipt)?;
                order.leave(&parcel);
                report
                    .delivered
                    .push(format!("{}:{}", parcel.connection, receipt.location));
            }
            Err(error) => {
                failed(store, clock.now(), &parcel, &error)?;
                if !is_built || concerns_all(&parcel, &error) {
                    down.insert(parcel.connection);
                }
            }
        }
    }
    for parcel in store.parcels_open()? {
        let Some(error) = &parcel.error else { continue };
        report
            .failed
            .push(format!("{}:{}: {error}", parcel.connection, parcel.path));
        if parcel.state == ParcelState::Failed {
            report.needs_person = true;
        } else {
            report.again = Some(
                report
                    .again
                    .map_or(parcel.not_before, |at| at.min(parcel.not_before)),
            );
        }
    }
    Ok(report)
}

/// What waits for one place, by number. A card's comment and field say what the latest statement
/// knows, so an earlier parcel that has to wait must not arrive behind a later one and undo it.
struct Order(BTreeMap<(String, String), BTreeSet<u64>>);

impl Order {
    fn of(open: &[Parcel]) -> Self {
        let mut order = Self(BTreeMap::new());
        for parcel in open {
            order.0.entry(place(parcel)).or_default().insert(parcel.id);
        }
        order
    }

    fn is_next(&self, parcel: &Parcel) -> bool {
        let waiting = self.0.get(&place(parcel));
        waiting.and_then(BTreeSet::first) == Some(&parcel.id)
    }

    fn leave(&mut self, parcel: &Parcel) {
        if let Some(waiting) = self.0.get_mut(&place(parcel)) {
            waiting.remove(&parcel.id);
        }
    }
}

fn place(parcel: &Parcel) -> (String, String) {
    (parcel.connection.clone(), parcel.path.clone())
}

/// Whether the next parcel for the same target would fail as well: not where this one's card is
/// gone, or its name is refused. A board without the field, or one that is not ours to write on,
/// says nothing of the others.
fn concerns_all(parcel: &Parcel, error: &Error) -> bool {
    match error.kind() {
        ErrorKind::NotFound
        | ErrorKind::Rejected
        | ErrorKind::Conflict
        | ErrorKind::Unsupported => false,
        ErrorKind::Settings | ErrorKind::Forbidden | ErrorKind::NotInPlan => {
            matches!(Place::parse(&parcel.path), Place::File(_))
        }
        _ => true,
    }
}

fn unknown_target(connection: &str) -> Error {
    Error::new(
        ErrorKind::Settings,
        format!("the connection `{connection}` is not configured"),
    )
    .hint("bring it back, or name another target for this client and seal again")
}

fn changed(parcel: &Parcel) -> Error {
    Error::new(
        ErrorKind::Settings,
        "the document was changed on the disk while it waited, and was not sent",
    )
    .hint(format!(
        "restore a backup of the ledger, or put the document there by hand: `stundenbuch statement \
         show {}` makes it anew",
        parcel.statement
    ))
}

fn outgoing(store: &Store, parcel: &Parcel) -> Result<Outgoing> {
    let Parcel {
        connection, path, ..
    } = parcel;
    let text = || String::from_utf8_lossy(&parcel.bytes).into_owned();
    let item = match Place::parse(path) {
        Place::File(path) => Item::File(OutgoingFile {
            replaces: store.delivered_hash(connection, &path)?,
            path,
            bytes: Arc::clone(&parcel.bytes),
            sha256: parcel.sha256.clone(),
        }),
        Place::Comment { task, marker } => Item::Comment(OutgoingComment {
            task: ExternalId::new(task),
            marker,
            text: text(),
            replaces: store.delivered_hash(connection, path)?,
        }),
        Place::Field { task, name } => Item::Field(OutgoingField {
            task: ExternalId::new(task),
            field: name,
            value: text(),
            replaces: store.delivered_text(connection, path)?,
        }),
    };
    Ok(Outgoing {
        key: parcel.key.clone(),
        item,
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
        Outcome::Kept => "kept",
    };
    let found = look_at(parcel, receipt);
    store.write(|writer| {
        writer.parcel_delivered(now, parcel.id, &receipt.location, outcome)?;
        let event = Event::Delivered(Delivered {
            connection: parcel.connection.clone(),
            sha256: parcel.sha256.clone(),
            location: receipt.location.clone(),
            outcome: outcome.into(),
        });
        writer.append(now, &parcel.key, &event)?;
        writer.replace_findings(now, &parcel.key, found.as_slice())?;
        Ok(())
    })
}

/// What a person should look at, where somebody else's work was met.
fn look_at(parcel: &Parcel, receipt: &Receipt) -> Option<Finding> {
    let Parcel {
        connection, path, ..
    } = parcel;
    let (kind, sentence, action) = match receipt.outcome {
        Outcome::Created | Outcome::AlreadyThere | Outcome::Replaced => return None,
        Outcome::Beside => (
            Kind::DeliveredBeside,
            format!(
                "On `{connection}`, `{path}` is something that this program did not put there; \
                 the document lies beside it as `{}`.",
                receipt.location
            ),
            "Look at both files, and rename or remove the one that should not be there.",
        ),
        Outcome::Kept => (
            Kind::DeliveryKept,
            format!(
                "On `{connection}`, somebody changed what this program had written at {}; it was \
                 left as it is and does not say `{}`.",
                receipt.location,
                String::from_utf8_lossy(&parcel.bytes)
                    .lines()
                    .next()
                    .unwrap_or_default()
            ),
            "Look at it there, and write the new hours by hand if they should stand there.",
        ),
    };
    Some(Finding {
        kind,
        severity: Severity::Check,
        subject: parcel.key.clone(),
        other: None,
        client: None,
        sentence,
        action: action.into(),
    })
}

/// Records a failed attempt, and when the next may be.
fn failed(store: &mut Store, now: DateTime<Utc>, parcel: &Parcel, error: &Error) -> Result<()> {
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
        Ok(())
    })
}

#[cfg(test)]
mod tests;
