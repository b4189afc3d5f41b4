//! Large files, made while they are read, so that only what the import keeps takes memory.

use std::io::Write as _;

use super::*;
use chrono::{DateTime, TimeDelta};

/// A Toggl export of so many rows, a few kilobytes of which exist at a time.
struct Generated {
    rows: u64,
    next: u64,
    ready: Vec<u8>,
    at: usize,
}

impl Generated {
    fn new(rows: u64) -> Self {
        Self {
            rows,
            next: 0,
            ready: format!("{TOGGL}\n").into_bytes(),
            at: 0,
        }
    }

    fn fill(&mut self) {
        self.ready.clear();
        self.at = 0;
        let (person, seconds) = (
            self.next % 40,
            60 + i64::try_from(self.next % 14_000).unwrap(),
        );
        let start = i64::try_from(self.next / 40 * 600).unwrap();
        let start = DateTime::from_timestamp(1_577_836_800 + start, 0).unwrap();
        // Wall times of a zone without clock changes; read as UTC below.
        let stop = start + TimeDelta::seconds(seconds);
        let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        writeln!(
            self.ready,
            "Person {person},person{person}@example.com,Client {},Project {},,Work on item {},Yes,\
             {},{},{hours:02}:{minutes:02}:{rest:02},\"design, review\"",
            self.next % 7,
            self.next % 23,
            self.next,
            start.format("%Y-%m-%d,%H:%M:%S"),
            stop.format("%Y-%m-%d,%H:%M:%S"),
        )
        .unwrap();
        self.next += 1;
    }
}

impl Read for Generated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.at == self.ready.len() {
            if self.next == self.rows {
                return Ok(0);
            }
            self.fill();
        }
        let length = buffer.len().min(self.ready.len() - self.at);
        buffer[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[test]
fn twenty_thousand_rows_keep_every_second() {
    let rows = 20_000;
    let format = format("toggl-csv");
    let options = Options {
        time_zone: Tz::UTC,
        dates: DateOrder::Detect,
    };
    let (mut read, mut sum) = (0_u64, 0);
    let done = format.read(&mut Generated::new(rows), &options, &mut |raw| {
        read += 1;
        sum += entry(format, &raw).worked.seconds().unwrap();
        Ok(())
    });
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(read, rows);
    let expected: u64 = (0..rows).map(|row| 60 + row % 14_000).sum();
    assert_eq!(u64::try_from(sum), Ok(expected));
}
