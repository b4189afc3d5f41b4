//! The budgets of the design, measured: `cargo bench --bench budgets [-- OPTIONS] [SECTION …]`.
//!
//! Every figure is a ratio of two measurements of the same run, a count, or a size, and is
//! printed beside its budget. Nothing here fails by the clock: a busy machine makes a figure
//! worse, and a person decides what that means.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a program that measures time, speaks to a person and gives up when something fails"
)]

#[path = "../../tests/fakes/mod.rs"]
mod fakes;

mod house;
mod import;
mod month;
mod night;
mod pdf;
mod process;
mod requests;
mod sheet;
mod table;

use std::path::PathBuf;

use crate::house::House;
use crate::table::Table;

/// One part of the measurements.
type Section = fn(&Options, &mut Table);

/// In an order in which one can use what the one before has made.
const SECTIONS: [(&str, Section); 6] = [
    ("import", import::measure),
    ("month", month::measure),
    ("night", night::measure),
    ("process", process::measure),
    ("requests", requests::measure),
    ("pdf", pdf::measure),
];

/// What was asked for.
#[derive(Debug)]
struct Options {
    /// Entries of the large ledger.
    entries: u32,
    people: u32,
    /// How often a measurement of seconds is repeated; the median counts.
    repeat: usize,
    /// Where the ledgers are made; those that are there already are used again.
    dir: PathBuf,
    sections: Vec<String>,
}

impl Options {
    fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut options = Self {
            entries: 1_000_000,
            people: 5,
            repeat: 3,
            dir: PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("budgets"),
            sections: Vec::new(),
        };
        let mut arguments = arguments.filter(|argument| argument != "--bench");
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.unwrap_or_else(|| panic!("{argument} needs a value"))
            };
            match argument.as_str() {
                "--entries" => options.entries = value().parse().unwrap(),
                "--people" => options.people = value().parse().unwrap(),
                "--repeat" => options.repeat = value().parse().unwrap(),
                "--dir" => options.dir = value().into(),
                _ => options.sections.push(argument),
            }
        }
        options
    }

    /// The large ledger's house, empty or as an earlier section left it.
    fn house(&self) -> House {
        House::new(&self.dir.join("large"), self.entries, self.people)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if let (Some(pdf::CHILD), Some(entries)) = (arguments.next().as_deref(), arguments.next()) {
        return pdf::as_child(&entries);
    }
    let options = Options::read(std::env::args().skip(1));
    for wanted in &options.sections {
        let known = SECTIONS.iter().any(|(name, _)| name == wanted);
        assert!(known, "there is no section `{wanted}`");
    }
    std::fs::create_dir_all(&options.dir).unwrap();
    println!("{}", table::machine());
    let mut table = Table::default();
    for (name, measure) in SECTIONS {
        if options.sections.is_empty() || options.sections.iter().any(|wanted| wanted == name) {
            eprintln!("measuring: {name}");
            measure(&options, &mut table);
        }
    }
    table.print();
}
