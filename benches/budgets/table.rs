//! Figures beside their budgets, and the arithmetic of measuring.

use std::time::{Duration, Instant};

/// What was measured so far.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<[String; 4]>,
}

impl Table {
    /// A figure that has a budget.
    pub(crate) fn judge(&mut self, what: &str, figure: String, budget: &str, kept: bool) {
        let verdict = if kept { "pass" } else { "MISS" };
        self.add(what, figure, budget, verdict);
    }

    /// A figure that explains another.
    pub(crate) fn tell(&mut self, what: &str, figure: String) {
        self.add(what, figure, "", "");
    }

    fn add(&mut self, what: &str, figure: String, budget: &str, verdict: &str) {
        eprintln!("  {what}: {figure} {budget} {verdict}");
        self.rows
            .push([what.into(), figure, budget.into(), verdict.into()]);
    }

    /// Prints everything, as Markdown that can be read as it is.
    pub(crate) fn print(&self) {
        let head = ["what", "measured", "budget", ""].map(str::to_owned);
        let width = |column: usize| {
            let cells = self.rows.iter().chain([&head]);
            let widths = cells.map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        };
        let widths = [0, 1, 2, 3].map(width);
        let line = |row: &[String; 4]| {
            let cells = [0, 1, 2, 3].map(|at| format!("{:<1$}", row[at], widths[at]));
            println!("| {} |", cells.join(" | "));
        };
        line(&head);
        line(&widths.map(|width| "-".repeat(width.max(3))));
        self.rows.iter().for_each(line);
    }
}

/// How long something took, and what came of it.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let done = work();
    (begun.elapsed(), done)
}

/// The middle one; of an even number, the larger of the two.
pub(crate) fn median<T: PartialOrd + Copy>(values: &[T]) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| a.partial_cmp(b).expect("a measurement is a number"));
    sorted[sorted.len() / 2]
}

/// The median duration of so many repetitions.
pub(crate) fn repeated(times: usize, mut work: impl FnMut()) -> Duration {
    let each: Vec<Duration> = (0..times.max(1)).map(|_| timed(&mut work).0).collect();
    median(&each)
}

pub(crate) fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

pub(crate) fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes >> 20, ((bytes % (1 << 20)) * 10) >> 20)
}

/// The machine in words, and how busy it is with other things.
pub(crate) fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    format!("{cores} cores, load before the measurements {load}")
}
