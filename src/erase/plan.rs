//! The plan of an erasure: what goes, what stays until when, and what stands in the way.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::look::{Found, look};
use super::owner::{Owner, Owners};
use super::proofs::Proofs;
use super::redact::{name_hash, without_names};
use crate::config::{Client, Config};
use crate::finding::Finding;
use crate::ledger::Head;
use crate::matching::normal;
use crate::store::{Erasure, Remembered, Result, Store, StoredFinding};
use crate::work::WorkId;

/// A name shorter than this is in too many words to be looked for.
const SHORTEST: usize = 3;

/// Everything that is about a client, and what will become of it.
#[derive(Debug)]
pub struct Plan {
    /// The end of the chain for which it was made; the plan holds for no other.
    pub head: Head,
    /// What the store is to remove.
    pub erasure: Erasure,
    /// Rows about the client that stay, because they are statements or prove them; rising.
    pub stay: Vec<u64>,
    /// Findings that go, with what they said before; for the export.
    pub findings: Vec<StoredFinding>,
    pub counts: Counts,
    pub open: Open,
}

/// How much goes and stays, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Records that go, by stream.
    pub records: BTreeMap<String, u64>,
    /// Rows of the journal that go, and those about the client that stay.
    pub rows: u64,
    pub rows_kept: u64,
    pub received_records: u64,
    pub findings: u64,
    /// Records that are somebody else's as well, and stay.
    pub shared: u64,
}

/// What an erasure would cut off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Open {
    /// Pieces of billable work that no statement has.
    pub works: u64,
    pub seconds: i64,
    /// Documents that wait for their delivery.
    pub documents: u64,
}

impl Open {
    pub fn anything(self) -> bool {
        self.works > 0 || self.documents > 0
    }
}

impl Plan {
    /// Whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        let it = &self.erasure;
        it.rows.is_empty()
            && it.raws.is_empty()
            && it.records.is_empty()
            && it.findings.is_empty()
            && it.imported.is_empty()
            && it.connections.is_empty()
    }
}

/// Finds everything that is about a client. Of one that is not in the configuration any more,
/// only what statements brought is found: an earlier erasure left nothing else.
///
/// # Errors
/// Those of the ledger.
pub fn plan(store: &Store, config: &Config, key: &str, today: NaiveDate) -> Result<Plan> {
    let proofs = Proofs::of(store, key, config.retention_years, today)?;
    let mut delivered = BTreeSet::new();
    for number in proofs.numbers() {
        for parcel in store.parcels_of(number)? {
            let location = parcel.location.unwrap_or(parcel.path);
            delivered.insert((parcel.connection, location));
        }
    }
    let owners = Owners {
        clients: &config.clients,
        key,
        delivered,
    };
    let found = look(store, config, &owners, &proofs)?;
    let names = names(config.client(key), &proofs);
    let findings = findings(store, key, &found, &proofs, &names)?;
    let erasure = Erasure {
        client: key.to_owned(),
        rows: found.rows.keys().copied().collect(),
        raws: raws(store, &found, &names)?,
        records: found.records(store)?,
        works: found.works(),
        statements: proofs.gone.clone(),
        kept: proofs.kept.clone(),
        findings: ids(&findings),
        imported: imported(store, &owners)?,
        connections: remembered(store, &found, &names)?,
        names: hashes(names.iter().chain(&found.tasks)),
    };
    Ok(Plan {
        head: store.head()?,
        counts: counts(&erasure, &found),
        open: open(store, &found, &proofs)?,
        stay: found.stay.into_iter().collect(),
        findings,
        erasure,
    })
}

/// Everything by which the client is called, as names are compared.
fn names(client: Option<&Client>, proofs: &Proofs) -> BTreeSet<String> {
    let mut names: Vec<&String> = proofs.names.iter().collect();
    if let Some(client) = client {
        let sources = &client.sources;
        names.extend([&client.party.name]);
        names.extend(client.party.email.iter());
        names.extend(sources.clients.iter().chain(&sources.projects));
        names.extend(sources.boards.iter());
        let folders = sources.folders.iter().map(|folder| &folder.path);
        names.extend(folders);
    }
    let names = names.into_iter().map(|name| normal(name));
    names
        .filter(|name| name.chars().count() >= SHORTEST)
        .collect()
}

/// Whether a text names the client.
fn says(text: &str, names: &BTreeSet<String>) -> bool {
    // In JSON, quotation marks and backslashes are written with a backslash.
    let plain = normal(&text.replace("\\\"", "\"").replace("\\\\", "\\"));
    names.iter().any(|name| plain.contains(name.as_str()))
}

/// The findings about the client, about what is its, and those whose words name it.
fn findings(
    store: &Store,
    key: &str,
    found: &Found,
    proofs: &Proofs,
    names: &BTreeSet<String>,
) -> Result<Vec<StoredFinding>> {
    let about = |subject: &str| {
        WorkId::parse(subject).is_some_and(|work| found.own.works.contains(&work))
            || found.own.keys.contains(subject)
            || proofs.stays(subject).is_some()
            || proofs.numbers().any(|number| {
                let rest = subject.strip_prefix(number.as_str());
                rest.is_some_and(|rest| rest.starts_with(['/', ':']))
            })
    };
    let goes = |finding: &Finding| {
        finding.client.as_deref() == Some(key)
            || about(&finding.subject)
            || finding.other.as_deref().is_some_and(about)
            || [&finding.subject, &finding.sentence, &finding.action]
                .into_iter()
                .any(|text| says(text, names))
    };
    // A finding goes with everything that it ever said; what of it still holds is found again.
    let mut findings = store.findings(true)?;
    findings.extend(store.past_findings()?);
    let going: BTreeSet<String> = findings
        .iter()
        .filter(|stored| goes(&stored.finding))
        .map(|stored| stored.id.clone())
        .collect();
    findings.retain(|stored| going.contains(&stored.id));
    Ok(findings)
}

fn ids(findings: &[StoredFinding]) -> Vec<String> {
    let ids: BTreeSet<&String> = findings.iter().map(|stored| &stored.id).collect();
    ids.into_iter().cloned().collect()
}

/// The received records that go: those of rows that go, and in quarantine those of the client's
/// records and boards, and those that name it.
fn raws(store: &Store, found: &Found, names: &BTreeSet<String>) -> Result<Vec<u64>> {
    let mut raws = found.raws.clone();
    for held in store.quarantined()? {
        let key = format!("{}/{}/{}", held.connection, held.raw.stream, held.raw.id);
        let scope = (held.connection, held.raw.scope);
        if found.own.keys.contains(&key)
            || found.own.scopes.contains(&scope)
            || says(&held.raw.body, names)
        {
            raws.push(held.id);
        }
    }
    Ok(raws)
}

fn imported(store: &Store, owners: &Owners<'_>) -> Result<Vec<(String, String)>> {
    let mut files = store.imported_files()?;
    files.retain(|(connection, path)| owners.of_file(connection, path) == Owner::Client);
    Ok(files)
}

/// The memory of the connections that named something of the client, without it.
fn remembered(store: &Store, found: &Found, names: &BTreeSet<String>) -> Result<Vec<Remembered>> {
    let hashes = hashes(names.iter().chain(&found.words).chain(&found.tasks));
    let mut changed = Vec::new();
    for before in store.remembered()? {
        let cursor = before.cursor.as_deref();
        let after = Remembered {
            connection: before.connection.clone(),
            cursor: cursor.map(|cursor| without_names(cursor, &hashes)),
            failure: before.failure.clone().filter(|text| !says(text, names)),
        };
        if after != before {
            changed.push(after);
        }
    }
    Ok(changed)
}

fn hashes<'a>(names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let hashes: BTreeSet<String> = names.map(|name| name_hash(name)).collect();
    hashes.into_iter().collect()
}

fn counts(erasure: &Erasure, found: &Found) -> Counts {
    let mut records = BTreeMap::new();
    for (_, key) in &erasure.records {
        *records.entry(key.stream.to_string()).or_default() += 1;
    }
    let count = |length: usize| u64::try_from(length).expect("a count fits");
    Counts {
        records,
        rows: count(erasure.rows.len()),
        rows_kept: count(found.stay.len()),
        received_records: count(erasure.raws.len()),
        findings: count(erasure.findings.len()),
        shared: count(found.several),
    }
}

/// Work that could still be billed, and documents that were not delivered.
fn open(store: &Store, found: &Found, proofs: &Proofs) -> Result<Open> {
    let mut open = Open::default();
    for id in &found.own.works {
        let Some(work) = store.work(*id)? else {
            continue;
        };
        let billable = work.entry.billable != Some(false);
        if billable && !work.deleted && work.statement.is_none() {
            open.works += 1;
            open.seconds += work.entry.worked.seconds().unwrap_or(0);
        }
    }
    let numbers: BTreeSet<&String> = proofs.numbers().collect();
    for parcel in store.parcels_open()? {
        open.documents += u64::from(numbers.contains(&parcel.statement));
    }
    Ok(open)
}
