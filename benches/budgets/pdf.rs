//! How long the PDF takes: in a process that has just begun, and in one that is at it.

use std::process::Command;
use std::time::Duration;

use stundenbuch::billing::Language;
use stundenbuch::render::{Format, render};

use crate::Options;
use crate::table::{Table, median, milliseconds, repeated, timed};

#[allow(
    dead_code,
    reason = "shared with the tests of rendering, which use all of it"
)]
#[path = "../../tests/it/render/sample.rs"]
mod sample;

const ENTRIES: [u32; 3] = [20, 200, 2_000];
/// The option by which this program asks itself for one measurement in a process of its own.
pub(crate) const CHILD: &str = "--pdf-child";

pub(crate) fn measure(options: &Options, table: &mut Table) {
    for entries in ENTRIES {
        let runs: Vec<[u64; 3]> = (0..options.repeat).map(|_| child(entries)).collect();
        let middle = |at: usize| {
            let values: Vec<u64> = runs.iter().map(|run| run[at]).collect();
            median(&values)
        };
        let time = |at| milliseconds(Duration::from_micros(middle(at)));
        table.tell(
            &format!("PDF of {entries} entries: cold / warm"),
            format!("{} / {}", time(0), time(1)),
        );
        table.tell(
            &format!("PDF of {entries} entries: kB"),
            (middle(2) / 1_000).to_string(),
        );
    }
}

/// Microseconds of the first and of the following renderings, and the bytes.
fn child(entries: u32) -> [u64; 3] {
    let program = std::env::current_exe().unwrap();
    let output = Command::new(program)
        .args([CHILD, &entries.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let mut numbers = text.split_whitespace().map(|word| word.parse().unwrap());
    std::array::from_fn(|_| numbers.next().unwrap())
}

/// The other side of [`child`].
pub(crate) fn as_child(entries: &str) {
    let statement = sample::busy(Language::De, entries.parse().unwrap());
    let make = || render(&statement, Format::Pdf, None).unwrap().bytes.len();
    let (cold, bytes) = timed(make);
    let warm = repeated(5, || {
        make();
    });
    println!("{} {} {bytes}", cold.as_micros(), warm.as_micros());
}
