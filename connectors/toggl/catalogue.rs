//! Who and what the identifiers in entries mean: people, projects, clients, tasks, tags.
//!
//! Comes with the one bootstrap request and stays in the cursor, so that a quiet night needs no
//! second request to name things. Both of Toggl's interfaces name an entry's project, each in
//! its own way and at its own moment; taking the name from here first makes the same entry the
//! same record wherever it was read.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::wire;
use crate::record::{ExternalId, Named, PersonRef};

/// The names of one account. Part of the cursor, so its keys are short-lived but not free.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Catalogue {
    pub(super) me: i64,
    /// As the profile says: `Europe/Berlin`.
    pub(super) zone: Option<String>,
    pub(super) workspaces: BTreeMap<i64, String>,
    pub(super) people: BTreeMap<i64, Who>,
    pub(super) projects: BTreeMap<i64, ProjectName>,
    pub(super) tasks: BTreeMap<i64, String>,
    pub(super) tags: BTreeMap<i64, String>,
    /// Projects that entries name and no bootstrap does.
    #[serde(default)]
    pub(super) strange: BTreeSet<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Who {
    pub(super) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct ProjectName {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<Named>,
}

/// What the catalogue knew about one entry when it was read. Written beside the entry, so that
/// mapping it to a record needs nothing else, now and in years.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Names {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) person: Option<Who>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) project: Option<ProjectName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) task: Option<String>,
    /// For rows that carry only the identifiers of their tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<i64, String>,
}

/// The identifiers of one entry that have names.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ids<'a> {
    pub(super) person: Option<i64>,
    pub(super) project: Option<i64>,
    pub(super) task: Option<i64>,
    pub(super) tags: &'a [i64],
}

impl Catalogue {
    /// Reads the bootstrap. People that an earlier catalogue knew are kept: the bootstrap names
    /// only the token's owner.
    pub(super) fn from_me(me: &wire::Me, earlier: Option<&Self>) -> Self {
        let clients: BTreeMap<i64, String> = me
            .clients
            .iter()
            .flatten()
            .filter_map(|client| Some((client.id, client.name.clone()?)))
            .collect();
        let mut people = earlier
            .map(|known| known.people.clone())
            .unwrap_or_default();
        people.insert(
            me.id,
            Who {
                name: me.fullname.clone(),
                email: me.email.clone(),
            },
        );
        Self {
            me: me.id,
            zone: me.timezone.clone(),
            workspaces: me
                .workspaces
                .iter()
                .flatten()
                .map(|workspace| (workspace.id, workspace.name.clone().unwrap_or_default()))
                .collect(),
            people,
            projects: me
                .projects
                .iter()
                .flatten()
                .filter_map(|raw| serde_json::from_str::<wire::Project>(raw.get()).ok())
                .filter_map(|project| named_project(project, &clients))
                .collect(),
            tasks: names(me.tasks.as_deref()),
            tags: names(me.tags.as_deref()),
            strange: earlier
                .map(|known| known.strange.clone())
                .unwrap_or_default(),
        }
    }

    /// The zone of the profile, in which Toggl counts days.
    pub(super) fn zone(&self) -> Tz {
        let zone = self.zone.as_deref().and_then(|zone| zone.parse().ok());
        zone.unwrap_or(Tz::UTC)
    }

    /// What is known about one entry.
    pub(super) fn names(&self, ids: Ids<'_>) -> Names {
        Names {
            person: ids.person.and_then(|id| self.people.get(&id).cloned()),
            project: ids.project.and_then(|id| self.projects.get(&id).cloned()),
            task: ids.task.and_then(|id| self.tasks.get(&id).cloned()),
            tags: ids
                .tags
                .iter()
                .filter_map(|id| Some((*id, self.tags.get(id)?.clone())))
                .collect(),
        }
    }

    /// Remembers a person that a report names. True when that is news.
    pub(super) fn learn(&mut self, id: i64, who: &Who) -> bool {
        if id == self.me || self.people.get(&id) == Some(who) {
            return false;
        }
        self.people.insert(id, who.clone());
        true
    }
}

impl ProjectName {
    /// The project's client, by what the bootstrap says of both.
    fn client(
        id: Option<i64>,
        name: Option<String>,
        clients: &BTreeMap<i64, String>,
    ) -> Option<Named> {
        let name = id.and_then(|id| clients.get(&id).cloned()).or(name);
        let id = id.map(|id| ExternalId::new(id.to_string()));
        (id.is_some() || name.is_some()).then_some(Named { id, name })
    }
}

impl Who {
    pub(super) fn person(&self, id: Option<i64>) -> PersonRef {
        PersonRef {
            id: id.map(|id| ExternalId::new(id.to_string())),
            name: self.name.clone(),
            email: self.email.clone(),
        }
    }
}

fn named_project(
    project: wire::Project,
    clients: &BTreeMap<i64, String>,
) -> Option<(i64, ProjectName)> {
    let client = ProjectName::client(project.client_id, project.client_name, clients);
    let name = project.name?;
    Some((project.id, ProjectName { name, client }))
}

fn names(list: Option<&[wire::NamedId]>) -> BTreeMap<i64, String> {
    list.unwrap_or_default()
        .iter()
        .filter_map(|item| Some((item.id, item.name.clone()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn me() -> wire::Me {
        serde_json::from_str(include_str!("fixtures/me.json")).unwrap()
    }

    #[test]
    fn the_bootstrap_names_everything() {
        let catalogue = Catalogue::from_me(&me(), None);
        assert_eq!(catalogue.zone(), chrono_tz::Europe::Berlin);
        let names = catalogue.names(Ids {
            person: Some(1_000_001),
            project: Some(3_000_001),
            task: None,
            tags: &[5_000_001, 5_999_999],
        });
        let project = names.project.unwrap();
        assert_eq!(project.name, "Relaunch");
        assert_eq!(
            project.client.unwrap().name.as_deref(),
            Some("Bäckerei Ahorn")
        );
        assert_eq!(names.person.unwrap().name.as_deref(), Some("Mara Lindgrün"));
        assert_eq!(names.tags.len(), 1);
    }

    #[test]
    fn people_of_earlier_reports_survive_a_new_bootstrap() {
        let mut first = Catalogue::from_me(&me(), None);
        let who = Who {
            name: Some("Timo".to_owned()),
            email: None,
        };
        assert!(first.learn(7, &who));
        assert!(!first.learn(7, &who));
        let second = Catalogue::from_me(&me(), Some(&first));
        assert_eq!(second.people.get(&7), Some(&who));
    }

    #[test]
    fn an_account_without_anything_is_an_empty_catalogue() {
        let me: wire::Me = serde_json::from_str(r#"{"id":1,"clients":null}"#).unwrap();
        let catalogue = Catalogue::from_me(&me, None);
        assert!(catalogue.projects.is_empty());
        assert_eq!(catalogue.zone(), Tz::UTC);
    }
}
