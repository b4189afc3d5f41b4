//! What is true: the services' own state, read from the fakes.

use std::collections::BTreeMap;

use super::plan::Who;
use super::world::World;

/// A piece of tracked time, as either side tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Unix seconds.
    pub(crate) start: i64,
    /// None while the timer runs.
    pub(crate) stop: Option<i64>,
    pub(crate) text: String,
    pub(crate) project: Option<String>,
    pub(crate) client: Option<String>,
    pub(crate) billable: bool,
    pub(crate) tags: Vec<String>,
}

impl Spot {
    /// Worked seconds; none while the timer runs.
    pub(crate) fn seconds(&self) -> Option<i64> {
        Some(self.stop? - self.start)
    }
}

/// Title, and whether it is put away.
pub(crate) type Card = (String, bool);

/// Everything that the services have, by their own identifiers.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) entries: BTreeMap<String, Spot>,
    pub(crate) cards: BTreeMap<String, Card>,
}

impl Truth {
    pub(crate) fn of(world: &World) -> Self {
        let entries = world.toggl.with(|world| {
            let there = world.entries.iter().filter(|(_, it)| it.deleted.is_none());
            let spots = there.map(|(id, it)| {
                let project = it.project.and_then(|id| world.projects.get(&id));
                let client = project.and_then(|project| world.clients.get(&project.client?));
                let spot = Spot {
                    start: it.start.timestamp(),
                    stop: it.stop.map(|stop| stop.timestamp()),
                    text: it.description.clone().unwrap_or_default(),
                    project: project.map(|project| project.name.clone()),
                    client: client.cloned(),
                    billable: it.billable,
                    tags: it.tags.iter().map(|id| world.tags[id].clone()).collect(),
                };
                (id.to_string(), spot)
            });
            spots.collect()
        });
        let boards = world.trello.boards();
        let cards = boards.iter().flat_map(|board| world.trello.cards(board));
        let cards = cards.map(|card| {
            let text = |key: &str| card[key].as_str().unwrap().to_owned();
            (text("id"), (text("name"), card["closed"] == true))
        });
        Self {
            entries,
            cards: cards.collect(),
        }
    }

    /// How many requests a service has seen.
    pub(crate) fn requests(world: &World, who: Who) -> usize {
        world.server(who).requests().len()
    }
}
