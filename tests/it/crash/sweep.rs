//! The crash sweep: for N = 1, 2, 3 … the program is killed before its N-th call that writes,
//! until a run survives. All threads of the program count together.
//!
//! After each kill the program is asked for the same again, then for two nights, and must come to
//! where a run comes that nobody killed.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::operations::{Base, Left, Making, OPERATIONS, Operation};
use super::outcome::Outcome;
use super::scene::{Ran, Scene, copy, ledger};
use super::services::{Calendar, Services, World};
use super::stopper::{self, Answer, Ended, Stop};
use super::{Only, every_point};
use crate::ledger::migration::make_version_1;

/// Cases at a time: most wait for a service's second to pass.
const AT_ONCE: usize = 8;
/// The least that a usual run takes.
const POINTS_MIN: usize = 300;
/// So many failures say enough.
const FAILURES_MAX: usize = 10;

/// What all cases share.
struct Ground {
    runtime: Runtime,
    calendar: Calendar,
    dir: TempDir,
    bases: Vec<(Base, PathBuf)>,
    /// The version of the ledger's format that the program writes.
    format: i64,
}

/// One operation under way through its points.
struct Progress {
    next: AtomicUsize,
    points: AtomicUsize,
    /// Calls of a run that survived.
    calls: AtomicUsize,
    survived: AtomicBool,
}

#[test]
fn a_program_that_is_killed_at_any_write_goes_on_as_if_nothing_had_been() {
    if stopper::tracer().is_none() {
        return;
    }
    let ground = Ground::new();
    let failures = Mutex::new(Vec::new());
    let mut total = 0;
    let only = Only::asked_for();
    let alone = only.as_ref().and_then(|only| only.point);
    let wanted = |it: &&Operation| only.as_ref().is_none_or(|only| only.name == it.name);
    for operation in OPERATIONS.iter().filter(wanted) {
        let expected = ground.undisturbed(operation);
        let progress = Progress {
            next: AtomicUsize::new(alone.unwrap_or(1)),
            points: AtomicUsize::new(0),
            calls: AtomicUsize::new(0),
            survived: AtomicBool::new(false),
        };
        std::thread::scope(|scope| {
            for _ in 0..if alone.is_some() { 1 } else { AT_ONCE } {
                scope.spawn(|| ground.sweep(operation, &expected, alone, &progress, &failures));
            }
        });
        let points = progress.points.into_inner();
        let calls = progress.calls.into_inner();
        println!(
            "{}: killed before {points} of {calls} calls",
            operation.name
        );
        total += points;
    }
    println!("{total} points in all");
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    let enough = only.is_some() || total >= POINTS_MIN;
    assert!(enough, "the sample is too small to say much");
}

impl Ground {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let mut ground = Self {
            runtime,
            calendar: Calendar::new(),
            dir: tempfile::tempdir().unwrap(),
            bases: Vec::new(),
            format: 0,
        };
        for base in Base::ALL {
            let (from, making) = base.made_from().unzip();
            if base.world() == World::Later {
                ground.calendar.move_on();
            }
            let scene = ground.scene(from, base.world());
            match making {
                None => {}
                Some(Making::Command(command)) => {
                    let ran = ground.run(&scene, command);
                    assert!(ran.is_fine(), "{base:?}: {ran:?}");
                }
                Some(Making::OldLedger) => {
                    let path = ledger(&scene.home());
                    std::fs::create_dir(path.parent().unwrap()).unwrap();
                    make_version_1(&path);
                }
            }
            let kept = ground.dir.path().join(format!("{base:?}"));
            copy(&scene.home(), &kept);
            ground.format = format(&kept).max(ground.format);
            ground.bases.push((base, kept));
        }
        ground
    }
    fn scene(&self, base: Option<Base>, world: World) -> Scene {
        let services = Services::start(&self.calendar, world);
        let services = self.runtime.handle().block_on(services);
        let base = base.map(|base| {
            let found = self.bases.iter().find(|(known, _)| *known == base);
            found.expect("bases are made in their order").1.as_path()
        });
        Scene::new(base, services)
    }

    /// A command with the days and numbers that are meant.
    fn words(&self, command: &[&'static str]) -> Vec<String> {
        let words = command.iter().map(|word| self.calendar.word(word));
        words.collect()
    }

    /// Where an operation and two nights come to when nothing is cut off.
    fn undisturbed(&self, operation: &Operation) -> Outcome {
        let scene = self.scene(Some(operation.base), operation.world);
        let ran = self.run(&scene, operation.command);
        assert!(ran.is_fine(), "{}: {ran:?}", operation.name);
        settle(&scene).expect(operation.name)
    }

    fn run(&self, scene: &Scene, command: &[&'static str]) -> Ran {
        let words = self.words(command);
        scene.run(&words.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Takes points, each the next that nobody has taken, until a run survives.
    fn sweep(
        &self,
        operation: &Operation,
        expected: &Outcome,
        alone: Option<usize>,
        progress: &Progress,
        failures: &Mutex<Vec<String>>,
    ) {
        let stride = if every_point() { 1 } else { operation.stride };
        while !progress.survived.load(Ordering::Relaxed) {
            let point = progress.next.fetch_add(stride, Ordering::Relaxed);
            let mut at = String::from("its end");
            match self.case(operation, point, expected, &mut at) {
                Ok((Ended::Signal(_), _)) => {
                    progress.points.fetch_add(1, Ordering::Relaxed);
                }
                Ok((Ended::Exit(_), calls)) => {
                    progress.calls.store(calls, Ordering::Relaxed);
                    progress.survived.store(true, Ordering::Relaxed);
                }
                Err(complaint) => {
                    let again = format!("STUNDENBUCH_CRASH_AT='{}:{point}'", operation.name);
                    let mut failures = failures.lock().unwrap();
                    failures.push(format!(
                        "{} killed before call {point} ({at}): {complaint}\n  again: {again}",
                        operation.name
                    ));
                    if failures.len() >= FAILURES_MAX {
                        progress.survived.store(true, Ordering::Relaxed);
                    }
                }
            }
            if alone.is_some() {
                progress.survived.store(true, Ordering::Relaxed);
            }
        }
    }

    /// One case: killed before call number `point`, asked for again, and two nights. Tells in
    /// `at` which call that was, and returns how the first run ended and how many calls it made.
    fn case(
        &self,
        operation: &Operation,
        point: usize,
        expected: &Outcome,
        at: &mut String,
    ) -> Result<(Ended, usize), String> {
        let scene = self.scene(Some(operation.base), operation.world);
        let words = self.words(operation.command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut calls = 0;
        let killed = scene.run_stopped(&words, &mut |stop| {
            let Stop::Before(call) = stop else {
                return Answer::GoOn;
            };
            calls += usize::from(call.matters());
            if calls < point {
                return Answer::GoOn;
            }
            *at = call.to_string();
            Answer::Kill
        });
        if !killed.is_fine() && killed.ended != Ended::Signal(9) {
            return Err(format!("it ended by itself: {killed:?}"));
        }
        self.go_on(operation, &scene, killed.ended)?;
        match settle(&scene)?.differs(expected) {
            None => Ok((killed.ended, calls)),
            Some(difference) => Err(difference),
        }
    }

    /// What a person does who sees that a command was cut off.
    fn go_on(&self, operation: &Operation, scene: &Scene, ended: Ended) -> Result<(), String> {
        // Cut off while it was made or brought forward, a ledger waits for the next command that
        // writes; before, there is nothing to verify.
        if format(&scene.home()) == self.format {
            fine("ledger verify", &scene.run(&["ledger", "verify"]))?;
        }
        let left = operation.left.map(|left| left(&scene.home())).transpose()?;
        if matches!(ended, Ended::Exit(_)) || left == Some(Left::Done) {
            return Ok(());
        }
        fine("the same again", &self.run(scene, operation.command))
    }
}

/// Two nights later: where everything has come to.
fn settle(scene: &Scene) -> Result<Outcome, String> {
    for night in ["the first night", "the second night"] {
        fine(night, &scene.run(&["nightly"]))?;
    }
    let refused = scene.services.refused();
    if refused > 0 {
        return Err(format!(
            "{refused} requests were refused for being too many"
        ));
    }
    let (counted, asked) = (counted(scene), scene.services.asked());
    if counted < asked {
        return Err(format!(
            "{asked} requests were sent and {counted} of them counted"
        ));
    }
    Outcome::of(&scene.home())
}

fn fine(what: &str, ran: &Ran) -> Result<(), String> {
    if ran.is_fine() {
        return Ok(());
    }
    Err(format!("{what} failed: {:?}\n{}", ran.ended, ran.words))
}

/// The version of the format that a home's ledger has; 0 where there is none. A copy is looked at,
/// for looking would mend what the program has to.
fn format(home: &Path) -> i64 {
    let dir = tempfile::tempdir().unwrap();
    copy(home, dir.path());
    let path = ledger(dir.path());
    if !path.exists() {
        return 0;
    }
    let hand = Connection::open(path).unwrap();
    hand.pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap()
}

/// Requests to Toggl as the ledger counts them.
fn counted(scene: &Scene) -> i64 {
    let hand = Connection::open(ledger(&scene.home())).unwrap();
    let sql = "SELECT used FROM budget WHERE connection = 'toggl' AND bucket = 'user'";
    hand.query_row(sql, [], |row| row.get(0)).unwrap()
}
