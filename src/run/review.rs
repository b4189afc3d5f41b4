//! Review: what changed is matched and reconciled anew, and only that.
//!
//! The journal says what changed since the last review. A work that changed is looked at again
//! with its neighbours in time; a task that changed brings its works and those that wait for a
//! task. A change of the configuration brings back everything that is not settled. The cost
//! follows the changes, not the size of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::import;
use stundenbuch_connectors::record::{Record, Stream, Worked};

use super::intake::take_from_quarantine;
use super::sources::Built;
use crate::billing::{Attribution, ContractAt, attribute, contract_at, task_client};
use crate::config::Config;
use crate::finding::{Finding, Kind, Severity};
use crate::ledger::{Event, hex, sha256};
use crate::matching::{Aliases, Catalogue, Match, files_touched, normal};
use crate::reconcile::{WorkView, reconcile_task, reconcile_work};
use crate::statements::{self, Drifts};
use crate::store::{FILE_PREFIX, Quarantined, Result, Store, WorkQuery};
use crate::work::{FileItem, RecordKey, TaskItem, Work, WorkId};

/// How far the review has looked in the journal.
const SEEN: &str = "reviewed";
/// The configuration that it looked with.
const CONFIG: &str = "reviewed-config";
/// Rows of the journal that are looked at together.
const CHUNK: u64 = 2_000;
/// Works that are looked at together when everything is.
const PART: usize = 500;
/// Work older than this does not wait for a task any more.
const WAIT_DAYS: i64 = 100;
/// Work this long before or after may overlap: a timer that nobody stopped over a weekend.
const NEAR: TimeDelta = TimeDelta::hours(72);

/// Looks at everything that changed since the last review; how many findings are new.
pub fn review(store: &mut Store, config: &Config, now: DateTime<Utc>) -> Result<usize> {
    review_with(store, config, now, &BTreeSet::new())
}

/// As [`review`], and at these works in any case.
pub fn review_with(
    store: &mut Store,
    config: &Config,
    now: DateTime<Utc>,
    also: &BTreeSet<WorkId>,
) -> Result<usize> {
    let last = store.head()?.seq;
    let fingerprint = fingerprint(config);
    let mut seen: u64 = store
        .mark(SEEN)?
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    let whole = store.mark(CONFIG)?.as_deref() != Some(fingerprint.as_str());
    if seen >= last && !whole && store.running_works()?.is_empty() {
        return Ok(0);
    }
    let mut reviewer = Reviewer::new(store, config, now)?;
    let mut new = 0;
    if whole && seen > 0 {
        new += reviewer.look_at_everything(store)?;
    }
    while seen < last {
        let until = (seen + CHUNK).min(last);
        let changed = Changed::between(store, seen, until)?;
        new += reviewer.look_at(store, &changed)?;
        seen = until;
        store.write(|writer| writer.set_mark(SEEN, &seen.to_string()))?;
    }
    if !also.is_empty() {
        new += reviewer.look_at(
            store,
            &Changed {
                works: also.clone(),
                ..Changed::default()
            },
        )?;
    }
    // A forgotten timer becomes a finding by waiting, without any change.
    new += reviewer.look_at_works(store, store_ids(&store.running_works()?))?;
    store.write(|writer| writer.set_mark(CONFIG, &fingerprint))?;
    Ok(new)
}

fn store_ids(works: &[WorkId]) -> BTreeSet<WorkId> {
    works.iter().copied().collect()
}

/// What a stretch of the journal changed.
#[derive(Debug, Default)]
struct Changed {
    works: BTreeSet<WorkId>,
    tasks: BTreeSet<RecordKey>,
    /// Numbers of statements that were corrected or cancelled.
    statements: BTreeSet<String>,
}

impl Changed {
    fn between(store: &Store, after: u64, until: u64) -> Result<Self> {
        let mut changed = Self::default();
        for seq in after + 1..=until {
            let Some(row) = store.row(seq)? else { continue };
            match row.event()? {
                Event::Revision(_) | Event::Deleted(_) | Event::SameWork(_) => {
                    let key = store.parse_key(&row.subject)?;
                    match key.stream {
                        Stream::Time => changed.works.extend(store.work_of(&key)?),
                        Stream::Tasks => {
                            changed.tasks.insert(key);
                        }
                        Stream::Files
                        | Stream::Activity
                        | Stream::People
                        | Stream::Projects
                        | Stream::Expenses => {}
                    }
                }
                Event::Sealed(sealed) => {
                    changed
                        .works
                        .extend(sealed.works.iter().map(|settled| settled.work));
                }
                Event::Alias(_) => {
                    let from = DateTime::from_timestamp(row.at, 0).unwrap_or_default();
                    changed
                        .works
                        .extend(store.loosely_matched_since(from - TimeDelta::days(WAIT_DAYS))?);
                }
                Event::Cancelled(cancelled) => {
                    changed.statements.insert(cancelled.cancels);
                    let entries = cancelled.statement.entries.iter();
                    changed
                        .works
                        .extend(entries.filter_map(|entry| WorkId::parse(&entry.work)));
                }
                Event::Correction(correction) => {
                    changed.works.insert(correction.work);
                    changed.statements.insert(row.subject);
                }
                Event::Genesis(_)
                | Event::Delivered(_)
                | Event::Format(_)
                | Event::Configured(_)
                | Event::Restored(_)
                | Event::Erased(_)
                | Event::Gone => {}
            }
        }
        Ok(changed)
    }
}

/// What a review needs at hand.
#[derive(Debug)]
struct Reviewer<'a> {
    config: &'a Config,
    now: DateTime<Utc>,
    catalogue: Catalogue,
    aliases: Aliases,
    files: Vec<FileItem>,
}

impl<'a> Reviewer<'a> {
    fn new(store: &Store, config: &'a Config, now: DateTime<Utc>) -> Result<Self> {
        let mut aliases = Aliases::default();
        for (client, text, task) in store.aliases()? {
            let client = (!client.is_empty()).then_some(client);
            aliases.insert(client.as_deref(), &text, task);
        }
        let catalogue = Catalogue::new(store.tasks()?, &config.clients);
        Ok(Self {
            config,
            now,
            catalogue,
            aliases,
            files: store.files()?,
        })
    }

    /// Everything that is not settled or has changed since, a part at a time: the whole may be
    /// more than fits.
    fn look_at_everything(&mut self, store: &mut Store) -> Result<usize> {
        let query = WorkQuery {
            unsettled: true,
            ..WorkQuery::default()
        };
        let mut works: Vec<WorkId> = store
            .works(&query)?
            .into_iter()
            .map(|work| work.id)
            .collect();
        // Where billed work has changed, the configuration says what that comes to.
        let drifted = store.findings(false)?.into_iter();
        works.extend(
            drifted
                .map(|stored| stored.finding)
                .filter(|it| matches!(it.kind, Kind::BilledEntryChanged | Kind::BilledEntryDeleted))
                .filter_map(|it| WorkId::parse(&it.subject)),
        );
        let mut new = 0;
        for part in works.chunks(PART) {
            let works = part.iter().copied().collect();
            new += self.look_at(
                store,
                &Changed {
                    works,
                    ..Changed::default()
                },
            )?;
        }
        let tasks = store.tasks()?.into_iter().map(|item| item.key).collect();
        new += self.look_at_tasks(store, &tasks)?;
        // What is settled is as it was billed, whatever the configuration says by now; where it
        // gives other rates, that is told.
        let settled = store.statements()?.into_iter().map(|row| row.number);
        Ok(new + self.look_at_rates(store, &settled.collect())?)
    }

    fn look_at(&mut self, store: &mut Store, changed: &Changed) -> Result<usize> {
        let mut works = changed.works.clone();
        let mut tasks = changed.tasks.clone();
        for task in &changed.tasks {
            works.extend(store.works_on(task)?);
        }
        if !changed.tasks.is_empty() {
            works.extend(store.unmatched_since(self.now - TimeDelta::days(WAIT_DAYS))?);
        }
        // A work that leaves or joins a task changes what is to be said about the task.
        let before = tasks_of(store, &works)?;
        let new = self.look_at_works(store, works.clone())?;
        tasks.extend(before);
        tasks.extend(tasks_of(store, &works)?);
        let mut statements = changed.statements.clone();
        statements.extend(told_of_rates(store, &works)?);
        let new = new + self.look_at_tasks(store, &tasks)?;
        Ok(new + self.look_at_rates(store, &statements)?)
    }

    /// Statements whose works have another rate by the configuration of now.
    fn look_at_rates(&self, store: &mut Store, statements: &BTreeSet<String>) -> Result<usize> {
        let drifts = Drifts::new(self.config);
        let mut new = 0;
        for number in statements {
            let finding = drifts.rates(store, number)?;
            let now = self.now;
            new +=
                store.write(|writer| writer.replace_findings(now, number, finding.as_slice()))?;
        }
        Ok(new)
    }

    /// Looks at works and at those that they are told together with: a pair is told by its later
    /// member, so when one changes the other must be looked at as well.
    fn look_at_works(&mut self, store: &mut Store, works: BTreeSet<WorkId>) -> Result<usize> {
        let works = self.with_partners(store, works)?;
        let mut seen = Vec::with_capacity(works.len());
        let mut found = BTreeSet::new();
        let mut drifts = Drifts::new(self.config);
        for id in &works {
            let Some(work) = store.work(*id)?.filter(|work| !work.deleted) else {
                // Deleted, or reported as part of another work now; what was billed still drifts.
                let deleted = store.work(*id)?;
                let drift = deleted.map(|work| drifts.of(store, &work));
                let findings: Vec<_> = drift.transpose()?.flatten().into_iter().collect();
                found.extend(findings.iter().map(Finding::id));
                seen.push((*id, None, findings));
                continue;
            };
            let (matched, mut findings) = self.work(store, &work)?;
            findings.extend(drifts.of(store, &work)?);
            found.extend(findings.iter().map(Finding::id));
            seen.push((*id, Some(matched), findings));
        }
        let batch: BTreeSet<String> = works.iter().map(ToString::to_string).collect();
        let now = self.now;
        store.write(|writer| {
            let mut new = 0;
            for (id, matched, findings) in &seen {
                match matched {
                    None => writer.clear_match(now, *id)?,
                    Some(Match::Task { key, evidence }) => {
                        writer.set_match(now, *id, Some(key), evidence.as_str())?;
                    }
                    Some(Match::Ambiguous { .. }) => {
                        writer.set_match(now, *id, None, "ambiguous")?;
                    }
                    Some(Match::Unknown { link }) => writer.set_match(now, *id, None, link)?,
                    Some(Match::None) => writer.set_match(now, *id, None, "none")?,
                }
                let told_here = |subject: &str| batch.contains(subject);
                writer.close_findings(now, &id.to_string(), &found, told_here)?;
                for finding in findings {
                    new += usize::from(writer.open_finding(now, finding)?);
                }
            }
            Ok(new)
        })
    }

    fn with_partners(&self, store: &Store, works: BTreeSet<WorkId>) -> Result<BTreeSet<WorkId>> {
        let mut all = works.clone();
        for id in works {
            let Some(work) = store.work(id)? else {
                continue;
            };
            let later = self.neighbours(store, &work)?;
            all.extend(later.iter().map(|other| other.id));
            let told = store.partners(&id.to_string())?;
            all.extend(told.iter().filter_map(|name| WorkId::parse(name)));
        }
        Ok(all)
    }

    /// One work: its match, and everything that does not add up about it.
    fn work(&self, store: &Store, work: &Work) -> Result<(Match, Vec<Finding>)> {
        let attribution = attribute(&work.entry, &self.config.clients);
        let client = attribution.client().and_then(|key| self.config.client(key));
        let matched = self
            .catalogue
            .find(&work.entry, attribution.client(), &self.aliases);
        let neighbours = self.neighbours(store, work)?;
        let task = match &matched {
            Match::Task { key, .. } => self.catalogue.get(key),
            _ => None,
        };
        let view = WorkView {
            work,
            client: &attribution,
            matched: &matched,
            neighbours: &neighbours,
            contract: client.map_or(ContractAt::None, |client| contract_at(client, &work.entry)),
            task,
            task_archived_at: task
                .map(|item| archived_at(store, item))
                .transpose()?
                .flatten(),
            files: client.map_or(0, |client| {
                files_touched(&work.entry, &self.files, client).len()
            }),
            now: self.now,
        };
        let mut findings = reconcile_work(&view, self.config);
        findings.extend(statements::late(store, self.config, work)?);
        findings.extend(clock_doubts(store, work, &attribution)?);
        Ok((matched, findings))
    }

    /// What the same person did at about the same time; all of the day for work without times.
    fn neighbours(&self, store: &Store, work: &Work) -> Result<Vec<Work>> {
        let (from, until, ends_after) = match work.entry.worked {
            Worked::Running { .. } => return Ok(Vec::new()),
            Worked::Span { start, stop } => (
                start - NEAR,
                stop.max(start) + TimeDelta::seconds(1),
                Some(start),
            ),
            Worked::Day { date, .. } => {
                let day = date.and_time(chrono::NaiveTime::MIN).and_utc();
                (day - TimeDelta::days(1), day + TimeDelta::days(2), None)
            }
        };
        let persons = self.names_of(work);
        if persons.is_empty() {
            return Ok(Vec::new());
        }
        let query = WorkQuery {
            from: Some(from),
            until: Some(until),
            ends_after,
            persons,
            ..WorkQuery::default()
        };
        let mut neighbours = store.works(&query)?;
        neighbours.retain(|other| other.id != work.id && !other.deleted);
        Ok(neighbours)
    }

    /// Every name under which tools know the person of a work.
    fn names_of(&self, work: &Work) -> Vec<String> {
        let Some(person) = &work.entry.person else {
            return Vec::new();
        };
        let id = person.id.as_ref().map(|id| id.as_str().to_owned());
        let mut names: BTreeSet<String> = [person.email.clone(), person.name.clone(), id]
            .into_iter()
            .flatten()
            .map(|name| normal(&name))
            .collect();
        if let Some(known) = crate::matching::person_of(person, &self.config.people) {
            names.extend(
                known
                    .known_as
                    .iter()
                    .chain([&known.name])
                    .map(|name| normal(name)),
            );
        }
        names.into_iter().collect()
    }

    fn look_at_tasks(&self, store: &mut Store, tasks: &BTreeSet<RecordKey>) -> Result<usize> {
        let mut seen = Vec::new();
        for key in tasks {
            let Some(item) = store.task(key)? else {
                continue;
            };
            let attribution = task_client(&item.task, &self.config.clients);
            let works = store.works_on(key)?;
            let findings = reconcile_task(&item, !works.is_empty(), &attribution, self.config);
            seen.push((key.to_string(), findings));
        }
        let now = self.now;
        store.write(|writer| {
            let mut new = 0;
            for (subject, findings) in &seen {
                new += writer.replace_findings(now, subject, findings)?;
            }
            Ok(new)
        })
    }
}

/// The tasks that works are matched to.
fn tasks_of(store: &Store, works: &BTreeSet<WorkId>) -> Result<BTreeSet<RecordKey>> {
    let mut tasks = BTreeSet::new();
    for work in works {
        tasks.extend(store.matched(*work)?.and_then(|(task, _)| task));
    }
    Ok(tasks)
}

/// The statements of these works that were told to have other rates by now: a changed work
/// changes how much that is.
fn told_of_rates(store: &Store, works: &BTreeSet<WorkId>) -> Result<Vec<String>> {
    let told: BTreeSet<String> = store
        .findings(false)?
        .into_iter()
        .filter(|stored| stored.finding.kind == Kind::RateChanged)
        .map(|stored| stored.finding.subject)
        .collect();
    let mut statements = Vec::new();
    for work in works.iter().filter(|_| !told.is_empty()) {
        let settled = store.settled(*work)?;
        statements.extend(
            settled
                .map(|it| it.0)
                .filter(|number| told.contains(number)),
        );
    }
    Ok(statements)
}

/// A wall time from a file that the clock change made ambiguous.
fn clock_doubts(store: &Store, work: &Work, attribution: &Attribution) -> Result<Vec<Finding>> {
    if work.deleted || !work.key.connection.starts_with(FILE_PREFIX) {
        return Ok(Vec::new());
    }
    let Some(row) = store.row(work.revision)? else {
        return Ok(Vec::new());
    };
    let Event::Revision(revision) = row.event()? else {
        return Ok(Vec::new());
    };
    let Some(received) = store.raw(&revision.raw)? else {
        return Ok(Vec::new());
    };
    let raw = Raw {
        stream: Stream::Time,
        id: work.key.id.clone(),
        body: received.body,
        scope: revision.scope,
    };
    let doubts = import::doubts(&raw);
    Ok(doubts
        .into_iter()
        .map(|doubt| Finding {
            kind: Kind::ClockChangeDoubt,
            severity: Severity::Check,
            subject: work.id.to_string(),
            other: None,
            client: attribution.client().map(str::to_owned),
            sentence: format!(
                "The entry \"{}\" was imported with a time that the clock change leaves open: \
                 {}.",
                work.entry.description,
                doubt.text()
            ),
            action: "Compare its length with the time tracker; import an export in UTC, or \
                     pull it through the API."
                .into(),
        })
        .collect())
}

/// When a task was put away, as far as the ledger saw it happen.
fn archived_at(store: &Store, item: &TaskItem) -> Result<Option<DateTime<Utc>>> {
    if !item.task.archived {
        return Ok(None);
    }
    let mut seen = None;
    for row in store.history(item.revision)? {
        let Event::Revision(revision) = row.event()? else {
            break;
        };
        match revision.record {
            Record::Task(task) if task.archived => seen = DateTime::from_timestamp(row.at, 0),
            _ => return Ok(seen),
        }
    }
    // It was archived before the ledger knew it; nobody can say since when.
    Ok(None)
}

/// Tries again what an older version, or an older configuration, could not read.
pub fn retry_quarantine(
    store: &mut Store,
    now: DateTime<Utc>,
    built: &BTreeMap<String, Built>,
) -> Result<()> {
    for held in store.quarantined()? {
        let read = match held.connection.strip_prefix(FILE_PREFIX) {
            Some(format) => import::find(format).map(|format| format.normalise(&held.raw)),
            None => match built.get(&held.connection) {
                Some(Ok(connector)) => Some(connector.normalise(&held.raw)),
                _ => None,
            },
        };
        if let Some(Ok(records)) = read {
            store.write(|writer| take_from_quarantine(writer, now, &held, records))?;
        }
    }
    Ok(())
}

/// Tells what is in quarantine, and takes back what was told of what is not any more.
pub fn tell_quarantine(store: &mut Store, now: DateTime<Utc>) -> Result<()> {
    let held: Vec<Finding> = store.quarantined()?.iter().map(unreadable).collect();
    store.write(|writer| {
        writer.close_kind(
            now,
            Kind::UnreadableRecord,
            &held.iter().map(Finding::id).collect(),
        )?;
        for finding in &held {
            writer.open_finding(now, finding)?;
        }
        Ok(())
    })
}

fn subject(held: &Quarantined) -> String {
    format!("{}/{}/{}", held.connection, held.raw.stream, held.raw.id)
}

fn unreadable(held: &Quarantined) -> Finding {
    Finding {
        kind: Kind::UnreadableRecord,
        severity: Severity::Act,
        subject: subject(held),
        other: None,
        client: None,
        sentence: format!(
            "A record of `{}` cannot be understood and is in no sum: {}.",
            held.connection, held.reason
        ),
        action: format!(
            "Look at it with `stundenbuch explain {}`, mend it at its source, or report it.",
            subject(held)
        ),
    }
}

/// What of the configuration a review depends on.
fn fingerprint(config: &Config) -> String {
    let text = format!(
        "{:?} {:?} {:?}",
        config.clients, config.people, config.checks
    );
    hex(&sha256(text.as_bytes()))
}
