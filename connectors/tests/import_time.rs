//! Time sheets from files: real samples, random files in every style, broken files, mappings.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests are tests, which clippy cannot tell here"
)]

use std::io::Read;
use std::path::PathBuf;

use chrono_tz::Tz;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::import::{DateOrder, Format, Options, ReadError, Refusal, find};
use stundenbuch_connectors::record::{Record, TimeEntry};

#[path = "import_time/broken.rs"]
mod broken;
#[path = "import_time/dialects.rs"]
mod dialects;
#[path = "import_time/large.rs"]
mod large;
#[path = "import_time/mapped.rs"]
mod mapped;
#[path = "import_time/nights.rs"]
mod nights;
#[path = "import_time/samples.rs"]
mod samples;
#[path = "import_time/variants.rs"]
mod variants;

const TOGGL: &str = "User,Email,Client,Project,Task,Description,Billable,\
                     Start date,Start time,End date,End time,Duration,Tags";

fn format(name: &str) -> &'static dyn Format {
    find(name).unwrap_or_else(|| panic!("no format {name}"))
}

fn berlin(dates: DateOrder) -> Options {
    Options {
        time_zone: Tz::Europe__Berlin,
        dates,
    }
}

/// Reads a file, and hands out the raw records only when the whole file was accepted.
fn read(format: &dyn Format, file: &[u8], options: &Options) -> Result<Vec<Raw>, Refusal> {
    let mut raws = Vec::new();
    let mut input = file;
    let input: &mut dyn Read = &mut input;
    let read = format.read(input, options, &mut |raw| {
        raws.push(raw);
        Ok(())
    });
    match read {
        Ok(()) => Ok(raws),
        Err(ReadError::Refused(refusal)) => {
            assert!(!refusal.problems.is_empty(), "a refusal says why");
            Err(refusal)
        }
        Err(ReadError::Sink(error)) => panic!("the sink never fails here: {error}"),
    }
}

#[track_caller]
fn accepted(format: &dyn Format, file: &[u8], options: &Options) -> Vec<Raw> {
    read(format, file, options).unwrap_or_else(|refusal| panic!("{}", told(&refusal)))
}

#[track_caller]
fn refused(format: &dyn Format, file: &[u8], options: &Options) -> String {
    match read(format, file, options) {
        Ok(raws) => panic!("accepted {} rows", raws.len()),
        Err(refusal) => told(&refusal),
    }
}

fn told(refusal: &Refusal) -> String {
    let lines: Vec<String> = refusal.problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

#[track_caller]
fn entry(format: &dyn Format, raw: &Raw) -> TimeEntry {
    let mut records = format
        .normalise(raw)
        .unwrap_or_else(|reject| panic!("{reject}"));
    let identified = records.pop().expect("a row is a record");
    assert!(records.is_empty(), "a row is one record");
    assert_eq!(identified.id, raw.id);
    assert_eq!(raw.scope, format.name());
    match identified.record {
        Record::TimeEntry(entry) => entry,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn entries(format: &dyn Format, raws: &[Raw]) -> Vec<TimeEntry> {
    raws.iter().map(|raw| entry(format, raw)).collect()
}

fn seconds(entries: &[TimeEntry]) -> i64 {
    entries
        .iter()
        .filter_map(|entry| entry.worked.seconds())
        .sum()
}

/// Real exports lie beside the repository on some machines and are not part of it.
fn shared(path: &str) -> Option<Vec<u8>> {
    let root = std::env::var_os("STUNDENBUCH_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let file = root.join("data").join(path);
    let bytes = std::fs::read(&file).ok();
    if bytes.is_none() {
        println!("SKIPPED: {} is not there", file.display());
    }
    bytes
}
