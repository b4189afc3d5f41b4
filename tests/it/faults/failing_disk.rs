//! A disk that says that it could not keep what was written: the program says so, too, and never
//! that it is done. Every single `fsync` of a run fails in turn; `strace` makes it fail.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::Connection;

use super::made::{self, DAY, LITTLE, Said, verify};
use super::process::Running;
use crate::night::house::House;

/// One run of the program in which one call to make something durable failed.
struct Run {
    output: Output,
    /// The file whose `fsync` failed; none: the run has fewer of them.
    failed: Option<String>,
    /// What was committed by that call did not reach the disk.
    lost: bool,
    /// The file of each call, in their order.
    synced: Vec<PathBuf>,
}

/// Runs the program and lets its `nth` `fsync` fail. None without `strace`, which is said.
async fn run(house: &House, args: &[&str], nth: u32) -> Option<Run> {
    run_at(house, args, nth, None).await
}

/// As [`run`]; with a path, only calls for that file count and fail.
async fn run_at(house: &House, args: &[&str], nth: u32, path: Option<&Path>) -> Option<Run> {
    let log = house.dir.path().join("trace");
    let inject = format!("inject=fsync,fdatasync:error=EIO:when={nth}");
    let mut command = Command::new("strace");
    command
        .args([
            "-f",
            "--seccomp-bpf",
            "-y",
            "-qq",
            "-e",
            "trace=fsync,fdatasync,pwrite64",
        ])
        .args(["-e", &inject, "-o"])
        .arg(&log)
        .args(path.into_iter().flat_map(|path| [Path::new("-P"), path]))
        .arg(env!("CARGO_BIN_EXE_stundenbuch"))
        .args(args)
        .arg("--config")
        .arg(house.file())
        .env_clear()
        .envs(&house.environment.variables);
    let _running = Running::of(house);
    let output = tokio::task::spawn_blocking(move || command.output()).await;
    let Ok(output) = output.unwrap() else {
        println!("SKIPPED: there is no strace");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("PTRACE") || said.contains("ptrace") {
        println!("SKIPPED: strace may not trace here");
        return None;
    }
    let trace = fs::read_to_string(&log).unwrap();
    let (failed, lost) = read(&trace);
    let calls = trace.lines().filter(|line| line.contains("sync("));
    let synced = calls.filter_map(|line| Some(line.split_once('<')?.1.split_once('>')?.0.into()));
    Some(Run {
        output,
        failed,
        lost,
        synced: synced.collect(),
    })
}

/// Reads from a trace which file's call failed, and whether something had been written to it since
/// it last was made durable.
fn read(trace: &str) -> (Option<String>, bool) {
    let mut unsafe_files = std::collections::BTreeSet::new();
    for line in trace.lines() {
        let path = line
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        let Some((path, _)) = path else { continue };
        if line.contains("pwrite64(") {
            unsafe_files.insert(path.to_owned());
        } else if line.contains("(INJECTED)") {
            return (Some(path.to_owned()), unsafe_files.contains(path));
        } else {
            unsafe_files.remove(path);
        }
    }
    (None, false)
}

/// A house after a night, with something new to pull.
async fn house() -> House {
    let mut house = House::new(LITTLE).await;
    house.night().await;
    house.noon();
    made::add(&house, 9);
    house
}

fn journal(house: &House, condition: &str) -> u64 {
    let hand = Connection::open(&house.config.ledger).unwrap();
    let sql = format!("SELECT count(*) FROM journal WHERE {condition}");
    hand.query_row(&sql, [], |row| row.get(0)).unwrap()
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The program says what it did: a code of 0 or 1 stands for a ledger that has everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_success_is_claimed_that_the_disk_refused() {
    let (mut commits, mut others, mut nth) = (0, 0, 0);
    loop {
        nth += 1;
        let mut house = house().await;
        let Some(night) = run(&house, &["nightly"], nth).await else {
            return;
        };
        let said = String::from_utf8_lossy(&night.output.stderr).into_owned();
        let done = matches!(night.output.status.code(), Some(0 | 1));
        let Some(file) = &night.failed else {
            assert!(done, "nothing failed: {said}");
            break;
        };
        if file.ends_with("-wal") && night.lost {
            assert!(
                !done,
                "fsync {nth} of {file} failed, and the program was content"
            );
            assert_eq!(night.output.status.code(), Some(3), "{said}");
            let sentence = format!(
                "error: the disk that holds the ledger fails: disk I/O error\n  \
                 the ledger is {}\n\nhint: see what the system says about the disk",
                house.config.ledger.display()
            );
            assert!(said.contains(&sentence), "{said}");
            commits += 1;
        } else {
            others += 1;
        }
        assert_eq!(verify(&house.config.ledger), Said::Holds, "fsync {nth}");
        house.night().await;
        assert_eq!(verify(&house.config.ledger), Said::Holds, "fsync {nth}");
        house.assert_true();
        let rows = journal(&house, "kind = 'revision' AND subject LIKE 'toggl/time/%'");
        assert_eq!(rows, 7, "fsync {nth}: each entry is there once");
    }
    println!(
        "{commits} commits that the disk refused, {others} other calls, {} in all",
        nth - 1
    );
    assert!(commits > 5);
}

/// A document whose file or folder could not be made durable was not delivered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_delivery_is_claimed_that_the_target_refused() {
    let mut house = house().await;
    made::seal(&mut house).unwrap();
    let Some(whole) = run(&house, &["deliver"], u32::from(u16::MAX)).await else {
        return;
    };
    // The names are the same each time: they follow from what is delivered.
    let drive = house.drive();
    let places: Vec<PathBuf> = whole
        .synced
        .iter()
        .filter_map(|path| Some(path.strip_prefix(&drive).ok()?.to_owned()))
        .collect();
    let mut refused = 0;
    for (at, place) in places.iter().enumerate() {
        let nth = places[..=at].iter().filter(|it| *it == place).count();
        let mut house = self::house().await;
        made::seal(&mut house).unwrap();
        let path = house.drive().join(place);
        let nth = u32::try_from(nth).unwrap();
        let sent = run_at(&house, &["deliver"], nth, Some(&path))
            .await
            .unwrap();
        let file = sent.failed.unwrap();
        assert_eq!(sent.output.status.code(), Some(3), "{file}");
        assert!(journal(&house, "kind = 'delivered'") < 2, "{file}");
        refused += 1;
        house.night().await;
        house.clock.advance(std::time::Duration::from_hours(25));
        let retried = run(&house, &["deliver", "--retry"], u32::from(u16::MAX)).await;
        assert_eq!(retried.unwrap().output.status.code(), Some(0), "{file}");
        assert_eq!(journal(&house, "kind = 'delivered'"), 2, "{file}");
        assert_eq!(
            documents(&house.drive().join("Berichte")).len(),
            2,
            "{file}: {DAY}"
        );
    }
    println!("{refused} calls that the target refused");
    assert!(refused > 2);
}
