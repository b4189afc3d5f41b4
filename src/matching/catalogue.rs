//! The tasks, indexed by everything that names one for certain.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use stundenbuch_connectors::record::{TaskState, TimeEntry, Worked};

use super::link::{self, Reference};
use super::text::normal;
use super::{Aliases, Evidence, Match};
use crate::billing::{Attribution, task_client};
use crate::config::Client;
use crate::work::{RecordKey, TaskItem};

/// An id alone, without the service it comes from, is taken as another service's id only from
/// this length on. Asana's have 16 digits and Trello's 24; the 8 or 9 digits of a Toggl task
/// may be somebody else's task by chance.
const TELLING_ID: usize = 12;

/// All tasks of all connections.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Sorted by key.
    tasks: Vec<TaskItem>,
    by_reference: BTreeMap<Reference, Vec<usize>>,
    by_id: BTreeMap<String, Vec<usize>>,
    by_title: BTreeMap<(String, String), Vec<usize>>,
}

impl Catalogue {
    /// Indexes the tasks. Deleted ones are still found by link and id, for the work of the time
    /// when they existed, and no longer by title.
    pub fn new(mut tasks: Vec<TaskItem>, clients: &[Client]) -> Self {
        tasks.sort_by(|a, b| a.key.cmp(&b.key));
        let mut catalogue = Self {
            tasks,
            ..Self::default()
        };
        for (index, item) in catalogue.tasks.iter().enumerate() {
            let mut references = BTreeSet::new();
            references.extend(item.task.short_id.clone().map(Reference::Card));
            references.extend(item.task.url.as_deref().and_then(link::link));
            for reference in references {
                catalogue
                    .by_reference
                    .entry(reference)
                    .or_default()
                    .push(index);
            }
            let id = item.key.id.as_str().to_owned();
            catalogue.by_id.entry(id).or_default().push(index);
            let title = normal(&item.task.title);
            if item.deleted || title.is_empty() {
                continue;
            }
            if let Attribution::Client(client) = task_client(&item.task, clients) {
                catalogue
                    .by_title
                    .entry((client, title))
                    .or_default()
                    .push(index);
            }
        }
        catalogue
    }

    /// The task of that key.
    pub fn get(&self, key: &RecordKey) -> Option<&TaskItem> {
        let index = self.tasks.binary_search_by(|item| item.key.cmp(key)).ok()?;
        self.tasks.get(index)
    }

    /// The task that an entry is about, for certain or not at all.
    ///
    /// A person's decision stands above titles, and settles what the other evidence leaves open.
    pub fn find(&self, entry: &TimeEntry, client: Option<&str>, aliases: &Aliases) -> Match {
        let decided = aliases
            .get(client, &entry.description)
            .filter(|key| self.get(key).is_some())
            .map(|key| Match::Task {
                key: key.clone(),
                evidence: Evidence::Alias,
            });
        let named = self.by_named_reference(entry);
        let named = match named {
            Match::None => self.by_source_task(entry, client),
            found => found,
        };
        match (named, decided) {
            (Match::Task { key, evidence }, _) => Match::Task { key, evidence },
            (_, Some(decided)) => decided,
            (Match::None, None) => self
                .by_title(entry, client, &entry.description)
                .map_or(Match::None, |found| {
                    self.answer(&found, Evidence::ExactTitle)
                }),
            (open, None) => open,
        }
    }

    /// What the entry names by itself: links and short ids in its text, ids in its tags. All of
    /// them must mean the same task.
    fn by_named_reference(&self, entry: &TimeEntry) -> Match {
        let linked = link::links(&entry.description);
        let short = link::short_ids(&entry.description);
        let tagged: Vec<Reference> = entry.tags.iter().filter_map(|tag| link::tag(tag)).collect();
        let mut strongest = None;
        let mut found = BTreeSet::new();
        for (references, evidence) in [
            (&linked, Evidence::Link),
            (&short, Evidence::ShortId),
            (&tagged, Evidence::TagId),
        ] {
            for index in references
                .iter()
                .flat_map(|reference| self.named(reference))
            {
                strongest.get_or_insert(evidence);
                found.insert(index);
            }
        }
        if let Some(evidence) = strongest {
            return self.answer(&found.into_iter().collect::<Vec<_>>(), evidence);
        }
        // An unknown address of a card is a task that we cannot see. Any other address is just
        // something that somebody worked on.
        linked
            .iter()
            .find_map(foreign)
            .map_or(Match::None, |link| Match::Unknown { link })
    }

    fn named(&self, reference: &Reference) -> Vec<usize> {
        let mut found = self
            .by_reference
            .get(reference)
            .cloned()
            .unwrap_or_default();
        if let Reference::Gid(gid) = reference
            && found.is_empty()
            && gid.len() >= TELLING_ID
        {
            found = self.by_id.get(gid).cloned().unwrap_or_default();
        }
        found
    }

    /// What the tracker's own task says: by id where the id tells, by reference in its name, or
    /// by its name as a title.
    fn by_source_task(&self, entry: &TimeEntry, client: Option<&str>) -> Match {
        let Some(task) = &entry.task else {
            return Match::None;
        };
        let name = task.name.as_deref().unwrap_or("");
        if let Some(id) = &task.id {
            let title = normal(name);
            let found: Vec<usize> = self
                .by_id
                .get(id.as_str())
                .into_iter()
                .flatten()
                .copied()
                .filter(|index| {
                    id.as_str().len() >= TELLING_ID
                        || (!title.is_empty() && normal(&self.tasks[*index].task.title) == title)
                })
                .collect();
            if !found.is_empty() {
                return self.answer(&found, Evidence::SourceTask);
            }
        }
        let found: BTreeSet<usize> = link::links(name)
            .iter()
            .chain(&link::short_ids(name))
            .flat_map(|reference| self.named(reference))
            .collect();
        if !found.is_empty() {
            return self.answer(&found.into_iter().collect::<Vec<_>>(), Evidence::SourceTask);
        }
        self.by_title(entry, client, name)
            .map_or(Match::None, |found| {
                self.answer(&found, Evidence::SourceTask)
            })
    }

    /// The tasks of that title on the client's boards. Where there are several, those that did
    /// not exist yet or were already done at the time of the entry are left out, if that leaves
    /// some.
    fn by_title(&self, entry: &TimeEntry, client: Option<&str>, title: &str) -> Option<Vec<usize>> {
        let all = self.by_title.get(&(client?.to_owned(), normal(title)))?;
        let there: Vec<usize> = all
            .iter()
            .copied()
            .filter(|index| existed(&self.tasks[*index], entry))
            .collect();
        Some(if all.len() > 1 && !there.is_empty() {
            there
        } else {
            all.clone()
        })
    }

    fn answer(&self, found: &[usize], evidence: Evidence) -> Match {
        let mut items: Vec<&TaskItem> = found.iter().map(|index| &self.tasks[*index]).collect();
        // The same card, seen through two connections, is one task: the first key stands for it.
        items.dedup_by(|later, first| {
            later.key.id == first.key.id
                && later.task.url.is_some()
                && later.task.url == first.task.url
        });
        match items.as_slice() {
            [] => Match::None,
            [only] => Match::Task {
                key: only.key.clone(),
                evidence,
            },
            several => Match::Ambiguous {
                keys: several.iter().map(|item| item.key.clone()).collect(),
            },
        }
    }
}

/// Whether the task was there to be worked on when the entry was tracked, as far as is known.
fn existed(item: &TaskItem, entry: &TimeEntry) -> bool {
    let (start, stop): (DateTime<Utc>, DateTime<Utc>) = match entry.worked {
        Worked::Running { start } => (start, start),
        Worked::Span { start, stop } => (start, stop),
        // Without a time of day there is nothing to compare with.
        Worked::Day { .. } => return true,
    };
    let made = item.task.created.is_none_or(|created| created <= stop);
    let open =
        item.task.state == TaskState::Open || item.task.done_at.is_none_or(|done| done >= start);
    made && open
}

fn foreign(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Card(id) => Some(format!("trello.com/c/{id}")),
        Reference::Gid(gid) => Some(format!("app.asana.com/0/0/{gid}")),
        Reference::Address(_) => None,
    }
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
