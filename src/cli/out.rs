//! Where words go: data to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr;

/// The two outputs of a command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Out {
    /// Data as JSON instead of text.
    pub(super) json: bool,
}

#[expect(
    clippy::unused_self,
    reason = "an output is handed in, not reached for"
)]
impl Out {
    /// One line of data.
    pub(super) fn line(self, text: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{text}").or_else(closed)
    }

    /// Data as it is.
    pub(super) fn bytes(self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .or_else(closed)
    }

    /// Data as JSON, in one document.
    pub(super) fn value<T: Serialize>(self, value: &T) -> io::Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(io::Error::other)?;
        self.line(&text)
    }

    /// Words to the person: progress, hints, what was done.
    pub(super) fn say(self, text: &str) {
        // Nobody can be told that stderr is closed.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Whether a person is watching.
    pub(super) fn watched(self) -> bool {
        io::stderr().is_terminal()
    }
}

/// A reader that has seen enough (`| head`) is no failure.
fn closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Ok(())
    } else {
        Err(error)
    }
}

/// How a column is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table of text, aligned by what the eye sees.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; as many cells as columns.
    pub(super) fn row(&mut self, cells: Vec<String>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines, the header first.
    pub(super) fn lines(&self) -> Vec<String> {
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|at| {
                let cells = self.rows.iter().map(|row| row[at].width());
                cells.chain([self.columns[at].0.width()]).max().unwrap_or(0)
            })
            .collect();
        let header: Vec<String> = self
            .columns
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        std::iter::once(&header)
            .chain(&self.rows)
            .map(|row| self.line(row, &widths))
            .collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[at].saturating_sub(cell.width()));
            if at > 0 {
                line.push_str("  ");
            }
            match self.columns[at].1 {
                Align::Left => line.push_str(&format!("{cell}{pad}")),
                Align::Right => line.push_str(&format!("{pad}{cell}")),
            }
        }
        line.trim_end().to_owned()
    }
}

/// Text for one cell or one line: no line breaks or control characters, at most `most` columns.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.width() <= most {
        return words;
    }
    let mut short = String::new();
    for c in words.chars() {
        if short.width() + 1 >= most {
            break;
        }
        short.push(c);
    }
    short + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other_whatever_the_letters() {
        let mut table = Table::new(&[("name", Align::Left), ("h", Align::Right)]);
        table.row(vec!["Müller".into(), "1:00".into()]);
        table.row(vec!["日本".into(), "12:00".into()]);
        assert_eq!(
            table.lines(),
            ["name        h", "Müller   1:00", "日本    12:00"]
        );
    }

    #[test]
    fn a_terminal_cannot_be_steered_by_a_title() {
        assert_eq!(one_line("a\u{1b}[2Jb\nc", 40), "a [2Jb c");
        assert_eq!(one_line("abcdef", 4), "abc…");
    }
}
