//! The world of a history: both services behind their fakes, the drive, the clock, and what
//! people do there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use stundenbuch_connectors::clock::{Clock as _, ManualClock};
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::plan::{CardEdit, Edit, History, Setup, Step, Tracked, Trouble, Who};
use super::setup;
use crate::fakes::toggl::{Access, Entry, Project, Toggl};
use crate::fakes::trello::Trello;
use crate::fakes::{Fault, FaultKind, Server};

/// The hour of the night, in seconds of the day of UTC.
pub(crate) const NIGHT: i64 = 2 * 3600 + 15 * 60;
/// When people do something on the day before a night, in seconds of that day.
pub(crate) const NOON: i64 = 12 * 3600 + 15 * 60;

/// What people write; some of it is also the title of a card.
pub(crate) const TEXTS: [&str; 8] = [
    "Startseite",
    "Warenkorb",
    "Abstimmung mit Ömer",
    "Fotos",
    "Texte für den Herbst",
    "Call",
    "",
    "Fehlersuche",
];
/// Identifier, name and client of each project.
pub(crate) const PROJECTS: [(i64, &str, Option<i64>); 4] = [
    (3_000_001, "Relaunch", Some(4_000_001)),
    (3_000_002, "Intern", None),
    (3_000_003, "Blog", Some(4_000_001)),
    (3_000_004, "Shop", Some(4_000_002)),
];
const TAG: i64 = 5_000_001;

/// Everything around the program.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) toggl: Toggl,
    pub(crate) trello: Trello,
    pub(crate) boards: Server,
    pub(crate) dir: TempDir,
    /// Files that a person wrote or changed, which must stay as they are.
    pub(crate) persons: BTreeMap<PathBuf, Vec<u8>>,
    base: i64,
    ids: BTreeMap<u32, i64>,
    /// People act one after another, a second apart.
    acts: i64,
    day: i64,
}

impl World {
    pub(crate) fn new(history: &History, fakes: &Handle) -> Self {
        let Setup { base, cards, .. } = history.setup;
        let clock = ManualClock::at(night(base, 0) - TimeDelta::hours(14));
        let toggl = fakes.block_on(Toggl::start(clock.clone()));
        let trello = Trello::new(clock.clone());
        let boards = fakes.block_on(Server::start(trello.router()));
        toggl.server.keep_time(clock.clone());
        boards.keep_time(clock.clone());
        toggl.with(|world| {
            world.clients.insert(4_000_002, "Café Birke".to_owned());
            for (id, name, client) in PROJECTS {
                let project = Project {
                    name: name.to_owned(),
                    workspace: *world.workspaces.keys().next().expect("a workspace"),
                    client,
                    active: true,
                    listed: true,
                };
                world.projects.insert(id, project);
            }
            if !history.setup.reports {
                world.reports = Access::NotInPlan;
            }
        });
        for number in 0..2 {
            let board = trello.add_board(&format!("Kunde {number}"));
            let list = trello.add_list(&board, "In Arbeit");
            trello.add_list(&board, "Fertig");
            for card in 0..cards {
                let text = TEXTS[(card as usize + number) % TEXTS.len()];
                trello.add_card(&list, &format!("{text} {number}"));
            }
        }
        let dir = setup::directory();
        std::fs::create_dir(dir.path().join("drive")).unwrap();
        let mut world = Self {
            clock,
            toggl,
            trello,
            boards,
            dir,
            persons: BTreeMap::new(),
            base,
            ids: BTreeMap::new(),
            acts: 0,
            day: 0,
        };
        // A drive that is empty all of a sudden is not believed to be the drive.
        world.put(world.drive().join("Willkommen.txt"), b"Willkommen".to_vec());
        world
    }

    pub(crate) fn server(&self, who: Who) -> &Server {
        match who {
            Who::Toggl => &self.toggl.server,
            Who::Trello => &self.boards,
        }
    }

    /// Where documents are delivered to.
    pub(crate) fn drive(&self) -> PathBuf {
        self.dir.path().join("drive")
    }

    /// The instant of a night.
    pub(crate) fn night(&self, day: i64) -> DateTime<Utc> {
        night(self.base, day)
    }

    /// Begins the day before the night of that number.
    pub(crate) fn begin_day(&mut self, day: i64) {
        (self.day, self.acts) = (day, 0);
    }

    /// Takes back everything that fails until the night is over.
    pub(crate) fn heal(&self) {
        self.toggl.server.heal();
        self.boards.heal();
        self.toggl.with(|world| {
            world.lag.clear();
            world.clock_ahead = TimeDelta::zero();
        });
    }

    /// Requests that the services refused for being too many.
    pub(crate) fn refused(&self) -> u32 {
        self.toggl.refused() + self.trello.refused()
    }

    /// One step of people, or one fault.
    pub(crate) fn apply(&mut self, step: &Step) {
        self.acts += 1;
        let noon = night(self.base, self.day) - TimeDelta::hours(14);
        self.clock.set(noon + TimeDelta::seconds(self.acts));
        match step {
            Step::Add { key, entry } => self.track(*key, entry, true),
            Step::Run { key, entry } => self.track(*key, entry, false),
            Step::Stop { key, seconds } => self.change(*key, |entry| {
                let stop = entry.start + TimeDelta::seconds(*seconds);
                entry.stop.get_or_insert(stop);
            }),
            Step::Edit { key, edit } => self.change(*key, |entry| change(entry, edit)),
            Step::Delete { key } => {
                if let Some(id) = self.there(*key) {
                    self.toggl.delete(id);
                }
            }
            Step::Vanish { key } => {
                if let Some(id) = self.there(*key) {
                    // No listing but the feed shows timers, so nobody can miss one.
                    self.toggl.with(|world| {
                        if world.entries[&id].stop.is_some() {
                            world.entries.remove(&id);
                        }
                    });
                }
            }
            Step::Card { nth, edit } => self.card(*nth, edit),
            Step::Fail {
                who,
                trouble,
                path,
                skip,
                times,
            } => {
                let kind = fault(trouble);
                let (path, times) = (*path, *times);
                let server = self.server(*who);
                server.fail_after(*skip, Fault { path, times, kind });
            }
            Step::DriveAway => rename(&self.drive(), &self.dir.path().join("away")),
            Step::DriveBack => {
                rename(&self.dir.path().join("away"), &self.drive());
                let blocked = self.drive().join(setup::FOLDER);
                if blocked.is_file() {
                    std::fs::remove_file(blocked).unwrap();
                }
            }
            Step::DriveBlocked => {
                let folder = self.drive().join(setup::FOLDER);
                if self.drive().is_dir() && !folder.exists() {
                    std::fs::write(folder, "Notiz").unwrap();
                }
            }
            Step::Scribble { nth } => self.scribble(*nth),
            // The rest is about the night, or about the ledger.
            Step::Hide { .. }
            | Step::Throttle { .. }
            | Step::Jump { .. }
            | Step::Busy
            | Step::Occupy
            | Step::Seal { .. }
            | Step::Night { .. } => {}
        }
    }

    /// Others use up the quota, now.
    pub(crate) fn throttle(&self, reports: bool) {
        let now = self.clock.now();
        self.toggl.with(|world| {
            let now = now - world.clock_ahead;
            let quota = if reports {
                &mut world.org
            } else {
                &mut world.user
            };
            (quota.used, quota.since) = (quota.limit, Some(now));
        });
    }

    /// A person's own file, where the program would put one.
    pub(crate) fn put(&mut self, path: PathBuf, bytes: Vec<u8>) {
        let Some(folder) = path.parent() else { return };
        if self.drive().is_dir() && std::fs::create_dir_all(folder).is_ok() {
            std::fs::write(&path, &bytes).unwrap();
            self.persons.insert(path, bytes);
        }
    }

    fn scribble(&mut self, nth: u32) {
        let Ok(there) = std::fs::read_dir(self.drive().join(setup::FOLDER)) else {
            return;
        };
        let mut files: Vec<PathBuf> = there.map(|entry| entry.unwrap().path()).collect();
        // Nobody writes into the hidden left-over of a delivery that was cut off.
        files.retain(|path| path.extension().is_some_and(|it| it != "tmp"));
        files.sort();
        if let Some(path) = files.get(nth as usize) {
            self.put(path.clone(), format!("von Hand {nth}").into_bytes());
        }
    }

    /// The service's name of an entry that is there.
    pub(crate) fn there(&self, key: u32) -> Option<i64> {
        let id = *self.ids.get(&key)?;
        let there = |world: &mut crate::fakes::toggl::World| {
            world
                .entries
                .get(&id)
                .is_some_and(|it| it.deleted.is_none())
        };
        self.toggl.with(there).then_some(id)
    }

    fn change(&self, key: u32, change: impl FnOnce(&mut Entry)) {
        if let Some(id) = self.there(key) {
            self.toggl.edit(id, change);
        }
    }

    fn track(&mut self, key: u32, tracked: &Tracked, finished: bool) {
        let start = DateTime::from_timestamp(tracked.start, 0).expect("an instant of our time");
        let stop = start + TimeDelta::seconds(tracked.seconds);
        let id = self.toggl.add(Entry {
            stop: finished.then_some(stop),
            project: tracked.project.map(|nth| PROJECTS[nth as usize].0),
            billable: tracked.billable,
            description: Some(TEXTS[tracked.text as usize].to_owned()),
            tags: tags(tracked.tagged),
            ..Entry::of(start, 0)
        });
        self.ids.insert(key, id);
    }

    fn card(&self, nth: u32, edit: &CardEdit) {
        let boards = self.trello.boards();
        let board = &boards[nth as usize % boards.len()];
        let lists = self.trello.lists(board);
        if let CardEdit::Add(text) = edit {
            let number = nth as usize % boards.len();
            let name = format!("{} {number}", TEXTS[*text as usize]);
            self.trello.add_card(&lists[0], &name);
            return;
        }
        let (cards, _) = self.trello.ids(board);
        // A board that lost its last card would not be believed.
        let Some(card) = cards.get(nth as usize / 2 % cards.len().max(1)) else {
            return;
        };
        match edit {
            CardEdit::Rename(text) => self.trello.rename(card, TEXTS[*text as usize]),
            CardEdit::Archive => self.trello.archive(card, true),
            CardEdit::Complete => self.trello.complete(card, true),
            CardEdit::Move => self.trello.move_to(card, &lists[1]),
            CardEdit::Comment => drop(self.trello.comment(card, "Bitte ansehen")),
            CardEdit::MoveBoard if cards.len() > 1 => {
                let other = &boards[(nth as usize + 1) % boards.len()];
                let list = &self.trello.lists(other)[0];
                self.trello.move_to_board(card, list);
            }
            CardEdit::Delete if cards.len() > 1 => self.trello.delete(card),
            CardEdit::Add(_) | CardEdit::MoveBoard | CardEdit::Delete => {}
        }
    }
}

fn night(base: i64, day: i64) -> DateTime<Utc> {
    let seconds = (base + day) * 86_400 + NIGHT;
    DateTime::from_timestamp(seconds, 0).expect("an instant of our time")
}

fn change(entry: &mut Entry, edit: &Edit) {
    match edit {
        Edit::Longer(seconds) => {
            let start = entry.start;
            entry.stop = entry
                .stop
                .map(|stop| (stop + TimeDelta::seconds(*seconds)).max(start));
        }
        Edit::Later(seconds) => {
            let by = TimeDelta::seconds(*seconds);
            entry.start += by;
            entry.stop = entry.stop.map(|stop| stop + by);
        }
        Edit::Text(text) => entry.description = Some(TEXTS[*text as usize].to_owned()),
        Edit::Project(project) => entry.project = project.map(|nth| PROJECTS[nth as usize].0),
        Edit::Billable(billable) => entry.billable = *billable,
        Edit::Tagged(tagged) => entry.tags = tags(*tagged),
    }
}

fn tags(tagged: bool) -> Vec<i64> {
    if tagged { vec![TAG] } else { Vec::new() }
}

fn fault(trouble: &Trouble) -> FaultKind {
    match trouble {
        Trouble::Status(code) => FaultKind::status(*code),
        Trouble::Later(code, seconds) => {
            FaultKind::status_with(*code, "retry-after", json!(seconds))
        }
        Trouble::Cut(keep) => FaultKind::CutBody { keep: *keep },
        Trouble::Empty => FaultKind::EmptyOk,
        Trouble::Html => FaultKind::Html,
        Trouble::Garbage => FaultKind::Garbage,
        Trouble::Reset => FaultKind::Reset,
        Trouble::Lost => FaultKind::LostAnswer,
    }
}

/// Renames where it can.
fn rename(from: &std::path::Path, to: &std::path::Path) {
    if from.exists() && !to.exists() {
        std::fs::rename(from, to).unwrap();
    }
}
