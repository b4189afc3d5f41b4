//! The means of these tests, held against a program that is known to the last call: `dd`.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::chance::Chance;
use super::disk::{Disk, Keep};
use super::stopper::{self, Answer, Ended, Stop};

const BLOCKS: u64 = 3;
const BLOCK: u64 = 4096;

/// Copies three blocks into the file `copy`, with a call for each.
fn dd(dir: &Path, more: &str) -> Command {
    let mut command = Command::new("/bin/dd");
    command
        .args(["if=/bin/dd", "of=copy", "bs=4096", "count=3", "status=none"])
        .arg(more)
        .current_dir(dir);
    command
}

/// It has nothing to say.
fn words() -> &'static Path {
    Path::new("/dev/null")
}

#[test]
fn a_call_that_a_program_is_killed_before_does_not_take_place() {
    if stopper::tracer().is_none() {
        return;
    }
    for point in 1..=BLOCKS {
        let dir = tempfile::tempdir().unwrap();
        let mut writes = 0;
        let ended = stopper::run(&dd(dir.path(), "conv=fsync"), words(), &mut |stop| {
            let Stop::Before(call) = stop else {
                return Answer::GoOn;
            };
            writes += u64::from(call.name == "write");
            if writes == point {
                Answer::Kill
            } else {
                Answer::GoOn
            }
        });
        assert_eq!(ended, Ended::Signal(9));
        let written = fs::metadata(dir.path().join("copy")).unwrap().len();
        assert_eq!(written, (point - 1) * BLOCK, "killed before write {point}");
    }
}

#[test]
fn what_is_synced_is_left_and_what_is_not_may_be_lost() {
    if stopper::tracer().is_none() {
        return;
    }
    let whole = fs::read("/bin/dd").unwrap()[..3 * 4096].to_vec();
    for (more, synced) in [("conv=fsync", true), ("conv=notrunc", false)] {
        let dir = tempfile::tempdir().unwrap();
        let mut disk = Disk::watch(dir.path());
        let ended = stopper::run(&dd(dir.path(), more), words(), &mut |stop| {
            disk.see(&stop);
            Answer::GoOn
        });
        assert_eq!(ended, Ended::Exit(0));
        let cut = |keep, seed| {
            let image = disk.cut(disk.len(), keep, &mut Chance::new(seed));
            image.files.get(Path::new("copy")).cloned()
        };
        assert_eq!(cut(Keep::Everything, 0).as_deref(), Some(&whole[..]));
        assert_eq!(cut(Keep::Nothing, 0), None, "nobody synced the directory");
        let left: Vec<_> = (0..100)
            .filter_map(|seed| cut(Keep::Whatever, seed))
            .collect();
        assert!(
            (20..80).contains(&left.len()),
            "the name was left {} times",
            left.len()
        );
        let spoiled = left.iter().filter(|bytes| **bytes != whole).count();
        assert_eq!(
            spoiled == 0,
            synced,
            "{more}: {spoiled} of {} spoiled",
            left.len()
        );
    }
}
