//! P3, P10 and P12: what is outside of the ledger. Documents lie where they should, once; no
//! service is asked too much or too early; no secret is in any file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::{Checked, hold};
use crate::fakes::{FaultKind, Logged, toggl, trello};
use crate::ledger::{Ledger, Parcel};
use crate::plan::Who;
use crate::world::World;

/// Whether the program has come to rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    UnderWay,
    AtRest,
}

/// P3: each document exists at most once, and exactly once when it counts as delivered; a
/// person's files stay as they are.
pub(crate) fn documents(ledger: &Ledger, world: &World, rest: Rest) -> Checked {
    let mut drive = world.drive();
    if !drive.is_dir() {
        drive = world.dir.path().join("away");
    }
    let files = files(&drive);
    let theirs = |path: &Path| {
        let there = world.drive().join(path.strip_prefix(&drive).unwrap());
        world.persons.get(&there)
    };
    for (path, bytes) in &files {
        if let Some(theirs) = theirs(path) {
            hold("P3", theirs == bytes, || {
                format!("{} was a person's", path.display())
            })?;
        }
    }
    for path in world.persons.keys() {
        let there = drive.join(path.strip_prefix(world.drive()).unwrap());
        hold("P3", files.contains_key(&there), || {
            format!("{} is gone", there.display())
        })?;
    }
    for parcel in &ledger.parcels {
        let place = parcel
            .location
            .as_ref()
            .map(|location| drive.join(location));
        let changed = place
            .as_deref()
            .is_some_and(|place| theirs(place).is_some());
        lies_there_once(ledger, parcel, &files, place.filter(|_| !changed), rest)?;
    }
    let known = |bytes: &[u8]| ledger.parcels.iter().any(|parcel| parcel.body == *bytes);
    for (path, bytes) in files.iter().filter(|(path, _)| theirs(path).is_none()) {
        let left_over = rest == Rest::UnderWay && path.to_string_lossy().ends_with(".tmp");
        let blocking = path.is_file() && path.ends_with(crate::setup::FOLDER);
        hold("P3", left_over || blocking || known(bytes), || {
            format!("nobody put {} there", path.display())
        })?;
    }
    Ok(())
}

/// A delivered document lies at its place, unless a person has changed it there; one that is not
/// delivered yet may lie there already when the program was killed in between.
fn lies_there_once(
    ledger: &Ledger,
    parcel: &Parcel,
    files: &BTreeMap<PathBuf, Vec<u8>>,
    place: Option<PathBuf>,
    rest: Rest,
) -> Checked {
    hold(
        "P3",
        hex(&Sha256::digest(&parcel.body)) == parcel.sha256,
        || format!("{} is not what its checksum promises", parcel.key),
    )?;
    let there = files
        .values()
        .filter(|bytes| **bytes == parcel.body)
        .count();
    let delivered = parcel.state == "delivered";
    let right = match (delivered, place) {
        (true, Some(place)) => there == 1 && files.get(&place) == Some(&parcel.body),
        (true, None) => there == 0,
        (false, _) => there <= 1 && rest == Rest::UnderWay,
    };
    hold("P3", right, || {
        let error = &parcel.error;
        format!(
            "{} is {} and lies there {there} times; {error:?}",
            parcel.key, parcel.state
        )
    })?;
    let rows = ledger.rows.iter();
    let rows = rows
        .filter(|row| row.kind == "delivered" && row.subject == parcel.key)
        .count();
    hold("P3", rows == usize::from(delivered), || {
        format!(
            "{} is {} and was recorded {rows} times",
            parcel.key, parcel.state
        )
    })
}

/// P5 of documents: the JSON says what the ledger says.
pub(crate) fn documents_say_what_was_sealed(ledger: &Ledger) -> Checked {
    for parcel in ledger.parcels.iter().filter(|parcel| is_json(&parcel.path)) {
        let said: serde_json::Value = serde_json::from_slice(&parcel.body).unwrap();
        let sealed = ledger
            .sealed
            .iter()
            .find(|it| it.number == parcel.statement);
        let same = sealed.is_some_and(|sealed| sealed.body["statement"] == said);
        hold("P5", same, || format!("{} says something else", parcel.key))?;
    }
    Ok(())
}

fn is_json(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == "json")
}

fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            let bytes = std::fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// P10: nothing was asked before the instant that a service had named. `forgotten` are the
/// places in the log at which the program could not know it: it was killed, or the clock turned.
pub(crate) fn patient(world: &World, who: Who, forgotten: &[usize]) -> Checked {
    let mut closed: BTreeMap<&str, i64> = BTreeMap::new();
    for (at, request) in world.server(who).requests().iter().enumerate() {
        if forgotten.contains(&at) {
            closed.clear();
        }
        let now = request.at.expect("the servers keep time").timestamp();
        let bucket = if request.path.starts_with("/reports/") {
            "reports"
        } else {
            "usual"
        };
        let until = closed.get(bucket).copied().unwrap_or(i64::MIN);
        hold("P10", now >= until, || {
            format!(
                "request {at} to {who:?} ({}) came {} s early",
                request.path,
                until - now
            )
        })?;
        if let Some(seconds) = retry_after(request) {
            closed.insert(bucket, now + seconds);
        }
    }
    Ok(())
}

/// Requests that the service answered and whose answer did not arrive whole.
pub(crate) fn spoiled(world: &World, who: Who) -> usize {
    let requests = world.server(who).requests();
    let faults = requests.iter().filter_map(|request| request.fault.as_ref());
    let spoils = |fault: &&FaultKind| {
        matches!(
            fault,
            FaultKind::CutBody { .. } | FaultKind::Reset | FaultKind::LostAnswer
        )
    };
    faults.filter(spoils).count()
}

fn retry_after(request: &Logged) -> Option<i64> {
    let Some(FaultKind::Status { headers, .. }) = &request.fault else {
        return None;
    };
    let header = headers.iter().find(|(name, _)| *name == "retry-after")?;
    header.1.parse().ok()
}

/// P12: no file of the program has a secret in it, nor the header that is made of it.
pub(crate) fn discreet(world: &World) -> Checked {
    let header = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY6YXBpX3Rva2Vu";
    for (path, bytes) in files(world.dir.path()) {
        let text = String::from_utf8_lossy(&bytes);
        for secret in [toggl::TOKEN, trello::KEY, trello::TOKEN, header] {
            hold("P12", !text.contains(secret), || {
                format!("{} has a secret in it", path.display())
            })?;
        }
    }
    Ok(())
}
