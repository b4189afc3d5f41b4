//! Power loss: a life of the program is recorded once, then cut off at many moments, each time
//! with another part of what was not synced lost.
//!
//! Whatever is left, the ledger opens and holds; what a command had acknowledged is in it; what
//! it says was delivered lies on the drive, and nothing lies there that it does not know; and
//! the program goes on from there.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use stundenbuch::ledger::Head;
use stundenbuch::store::{Store, WorkQuery};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::chance::Chance;
use super::disk::{Disk, Image, Keep};
use super::outcome::{delivered, files, holds, statements};
use super::scene::{Scene, copy, ledger, run_in};
use super::services::{Calendar, Services, World};
use super::stopper::{self, Answer, Stop};
use super::{Only, every_point};

/// Cuts of a usual test beside those at acknowledgements; each is another moment.
const CUTS: usize = 120;
/// With every moment asked for, so many cuts at each.
const CUTS_EACH: usize = 6;
/// After every so many cuts, a night is spent on what was left.
const NIGHT_EVERY: usize = 8;

/// What the program does in its life. Between, people work.
const LIFE: &[Step] = &[
    Step::Run(&["init", "fresh.toml"]),
    Step::Run(&["nightly"]),
    Step::Run(&["import", "hours.csv"]),
    Step::Run(&["statement", "seal", "ahorn", "--period", "PERIOD"]),
    Step::Run(&["deliver"]),
    Step::PeopleWork,
    Step::Run(&["nightly"]),
    Step::Run(&["statement", "correct", "NUMBER"]),
    Step::Run(&["statement", "seal", "ahorn", "--period", "LATE"]),
    Step::Run(&["nightly"]),
    Step::Run(&["statement", "cancel", "NEXT"]),
];

enum Step {
    Run(&'static [&'static str]),
    PeopleWork,
}

/// What was acknowledged when a command said something, or had ended.
#[derive(Debug, Default)]
struct Acknowledged {
    /// The changes that were made by then.
    at: usize,
    command: String,
    head: Head,
    statements: Vec<String>,
    configuration: bool,
}

struct Recording {
    disk: Disk,
    /// In their order.
    acknowledged: Vec<Acknowledged>,
    /// The services, as they are at the end.
    scene: Scene,
    _runtime: Runtime,
}

#[test]
fn what_was_acknowledged_survives_a_power_cut_at_any_moment() {
    let only = Only::asked_for();
    if only.as_ref().is_some_and(|only| only.name != "power") || stopper::tracer().is_none() {
        return;
    }
    let only = only.and_then(|only| only.point);
    let recording = Recording::new();
    let (first, last) = (recording.disk.first(), recording.disk.len());
    println!(
        "{} changes recorded, with {} commands",
        last - first,
        LIFE.len() - 1
    );
    let spread = if every_point() {
        (last - first) * CUTS_EACH
    } else {
        CUTS
    };
    let cuts = recording.acknowledged.len() + spread;
    let next = AtomicUsize::new(only.unwrap_or(0));
    let failures = Mutex::new(Vec::new());
    let night = Mutex::new(());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let over = only.map_or(seed >= cuts, |only| seed > only);
                    if over || failures.lock().unwrap().len() >= 10 {
                        break;
                    }
                    if let Err(complaint) = recording.cut(seed, cuts, &night) {
                        failures.lock().unwrap().push(complaint);
                    }
                }
            });
        }
    });
    println!("the power was cut {cuts} times");
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

impl Recording {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut calendar = Calendar::new();
        let services = runtime.block_on(Services::start(&calendar, World::First));
        let scene = Scene::new(None, services);
        let mut disk = Disk::watch(&scene.home());
        let mut acknowledged = Vec::new();
        for step in LIFE {
            let Step::Run(command) = step else {
                calendar.move_on();
                scene.services.move_on(&calendar);
                continue;
            };
            let command = command.iter().map(|word| calendar.word(word));
            let command: Vec<String> = command.collect();
            let words: Vec<&str> = command.iter().map(String::as_str).collect();
            let ran = scene.run_stopped(&words, &mut |stop| {
                // What it says counts, and not only that it has ended: a clean end syncs
                // everything, which a daemon does not come to for months.
                if let Stop::Before(call) = &stop
                    && scene.hears(call)
                    && acknowledged
                        .last()
                        .is_none_or(|it: &Acknowledged| it.at < disk.len())
                {
                    acknowledged.push(Acknowledged::read(&scene, disk.len(), &command));
                }
                disk.see(&stop);
                Answer::GoOn
            });
            assert!(ran.is_fine(), "{command:?}: {ran:?}");
            let heard = acknowledged
                .last()
                .is_some_and(|it| it.command == command.join(" "));
            assert!(heard, "{command:?} was not heard");
            acknowledged.push(Acknowledged::read(&scene, disk.len(), &command));
        }
        assert_eq!(acknowledged.last().unwrap().statements.len(), 3);
        let recording = Self {
            disk,
            acknowledged,
            scene,
            _runtime: runtime,
        };
        recording.is_faithful();
        recording
    }

    /// With nothing lost, what was recorded is what lies there. SQLite's shared memory is mapped
    /// and not written, and made anew after a crash.
    fn is_faithful(&self) {
        let everything = self.disk.len();
        let mut recorded = self
            .disk
            .cut(everything, Keep::Everything, &mut Chance::new(0));
        let mut real = Image::of(&self.scene.home());
        for image in [&mut recorded, &mut real] {
            image
                .files
                .retain(|path, _| !path.to_string_lossy().ends_with("-shm"));
        }
        assert!(recorded.files.keys().eq(real.files.keys()));
        for (path, bytes) in &real.files {
            assert!(
                recorded.files[path] == *bytes,
                "{} was missed",
                path.display()
            );
        }
    }

    /// One cut, with everything that must hold after it.
    fn cut(&self, seed: usize, cuts: usize, night: &Mutex<()>) -> Result<(), String> {
        let last = self.disk.len();
        let mut chance = Chance::new(u64::try_from(seed).unwrap());
        let (at, keep) = self.moment(seed, cuts, &mut chance);
        let dir = tempfile::tempdir().unwrap();
        self.disk.cut(at, keep, &mut chance).write(dir.path());
        let mut checked = self.check(dir.path(), at);
        if checked.is_ok() && seed.is_multiple_of(NIGHT_EVERY) {
            let _one_at_a_time = night.lock().unwrap();
            checked = self.spend_a_night(dir.path());
        }
        checked.map_err(|complaint| {
            let before = self.acknowledged.iter().rfind(|it| it.at <= at);
            let before = before.map_or("the beginning", |it| it.command.as_str());
            format!(
                "power cut at change {at} of {last}, after `{before}`, seed {seed}, left \
                 {keep:?}: {complaint}\n  what was left lies in {}\n  again: \
                 STUNDENBUCH_CRASH_AT=power:{seed}",
                kept(dir).display()
            )
        })
    }

    /// When a cut takes place and what it leaves. First at each acknowledgement, with the least
    /// that may be left; then spread over the whole life, with what chance leaves.
    fn moment(&self, seed: usize, cuts: usize, chance: &mut Chance) -> (usize, Keep) {
        if let Some(acknowledged) = self.acknowledged.get(seed) {
            return (acknowledged.at, Keep::Nothing);
        }
        let (first, last) = (self.disk.first(), self.disk.len());
        let keep = [
            Keep::Nothing,
            Keep::Journalled,
            Keep::Whatever,
            Keep::Whatever,
            Keep::Everything,
        ][chance.below(5)];
        let spread = seed - self.acknowledged.len();
        let at = first + (last - first) * spread / (cuts - self.acknowledged.len());
        (at.min(last), keep)
    }

    /// What must hold before the program has run again, and after it has delivered.
    fn check(&self, home: &Path, at: usize) -> Result<(), String> {
        let nothing = Acknowledged::default();
        let known = self.acknowledged.iter().rfind(|it| it.at <= at);
        known.unwrap_or(&nothing).is_there(home)?;
        let ran = run_in(home, &["deliver"]);
        if !ran.is_fine() {
            return Err(format!("`deliver` failed: {ran:?}"));
        }
        let store = open(home)?;
        holds(&store)?;
        let places = delivered(&store, home)?;
        let drive = files(&home.join("drive"));
        if drive != places.values().cloned().collect() {
            return Err(format!(
                "on the drive are {drive:?}, delivered were {places:?}"
            ));
        }
        let waiting = store.parcels_open().unwrap();
        if !waiting.is_empty() {
            return Err(format!("{} documents still wait", waiting.len()));
        }
        Ok(())
    }

    /// After a night, the ledger has what the service has.
    fn spend_a_night(&self, home: &Path) -> Result<(), String> {
        let toggl = &self.scene.services.toggl;
        // Each night is the first to ask in its hour.
        let rested = toggl.with(|world| {
            world.user.since = None;
            world.org.since = None;
            world.clone()
        });
        let ran = run_in(home, &["nightly"]);
        toggl.with(|world| *world = rested);
        if !ran.is_fine() {
            return Err(format!("`nightly` failed: {ran:?}"));
        }
        let store = open(home)?;
        holds(&store)?;
        statements(&store)?;
        let works = store.works(&WorkQuery::default()).unwrap();
        let there = works.iter().filter(|work| !work.deleted);
        let pulled = there.filter(|work| work.key.to_string().starts_with("toggl/"));
        let seconds: i64 = pulled.filter_map(|work| work.entry.worked.seconds()).sum();
        let truth = toggl.with(|world| world.worked_seconds());
        if seconds != truth {
            return Err(format!(
                "{seconds} seconds of work, and {truth} at the service"
            ));
        }
        Ok(())
    }
}

impl Acknowledged {
    /// Reads what the program has, from a copy: looking must not change what is recorded.
    fn read(scene: &Scene, at: usize, command: &[String]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        copy(&scene.home(), dir.path());
        let (head, statements) = if ledger(dir.path()).exists() {
            let store = open(dir.path()).unwrap();
            (store.head().unwrap(), statements(&store).unwrap())
        } else {
            (Head::default(), Vec::new())
        };
        Self {
            at,
            command: command.join(" "),
            head,
            statements,
            configuration: dir.path().join("fresh.toml").exists(),
        }
    }

    /// Complains of what is missing.
    fn is_there(&self, home: &Path) -> Result<(), String> {
        let example = include_str!("../../../config/example.toml");
        match fs::read_to_string(home.join("fresh.toml")) {
            Ok(text) if text == example => {}
            Ok(text) => return Err(format!("a configuration of {} bytes", text.len())),
            Err(_) if self.configuration => return Err("the configuration is gone".into()),
            Err(_) => {}
        }
        if self.head.seq == 0 && !ledger(home).exists() {
            return Ok(());
        }
        if !ledger(home).exists() {
            return Err("the ledger is gone".into());
        }
        let store = open(home)?;
        holds(&store)?;
        delivered(&store, home)?;
        if self.head.seq > 0 {
            let row = store
                .row(self.head.seq)
                .map_err(|error| error.to_string())?;
            if row.is_none_or(|row| row.hash != self.head.hash) {
                return Err(format!("row {} is gone", self.head.seq));
            }
        }
        let there = statements(&store)?;
        let gone = self
            .statements
            .iter()
            .find(|number| !there.contains(number));
        gone.map_or(Ok(()), |number| Err(format!("{number} is gone")))
    }
}

/// Opens a ledger as a command does that changes it.
fn open(home: &Path) -> Result<Store, String> {
    Store::open(&ledger(home), Calendar::new().later).map_err(|error| error.to_string())
}

fn kept(dir: TempDir) -> PathBuf {
    dir.keep()
}
