//! Whose each byte of a SQLite file is, told from the published file format alone: neither the
//! program nor SQLite is asked, so both can be judged by it.
//!
//! The format: <https://www.sqlite.org/fileformat2.html>, read on 2026-11-22.

use std::collections::BTreeMap;

/// One row of a table, as the places in the file where its bytes lie.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) table: String,
    pub(super) rowid: i64,
    /// The cell's length and row number.
    pub(super) frame: Vec<usize>,
    /// The types of the columns.
    pub(super) header: Vec<usize>,
    /// The values; an integer primary key has none, for it is the row number.
    pub(super) columns: Vec<Vec<usize>>,
}

impl Row {
    /// Every byte of the row.
    pub(super) fn bytes(&self) -> impl Iterator<Item = usize> {
        let values = self.columns.iter().flatten();
        let all = self.frame.iter().chain(&self.header).chain(values);
        all.copied()
    }
}

/// Every row of every table.
pub(super) fn rows(file: &[u8]) -> Vec<Row> {
    let walk = Walk::of(file);
    let mut rows = Vec::new();
    let mut schema = Vec::new();
    walk.tree(1, "sqlite_schema", &mut schema);
    for entry in &schema {
        let text = |column: usize| {
            let bytes = entry.columns[column].iter().map(|at| file[*at]);
            String::from_utf8(bytes.collect()).unwrap()
        };
        let root = entry.columns[3].iter();
        let root = root.fold(0, |number, at| number << 8 | usize::from(file[*at]));
        if text(0) == "table" {
            walk.tree(root, &text(1), &mut rows);
        }
    }
    rows.extend(schema);
    rows
}

/// The rows of one table by their number.
pub(super) fn of<'a>(rows: &'a [Row], table: &str) -> BTreeMap<i64, &'a Row> {
    let mine = rows.iter().filter(|row| row.table == table);
    mine.map(|row| (row.rowid, row)).collect()
}

/// The size of the file's pages.
pub(super) fn page_size(file: &[u8]) -> usize {
    match number(&file[16..18]) {
        1 => 65_536,
        size => size,
    }
}

struct Walk<'a> {
    file: &'a [u8],
    page: usize,
    /// The part of a page that is used.
    usable: usize,
}

impl<'a> Walk<'a> {
    fn of(file: &'a [u8]) -> Self {
        let page = page_size(file);
        let usable = page - usize::from(file[20]);
        Self { file, page, usable }
    }

    /// The rows below a page of a table.
    fn tree(&self, page: usize, table: &str, rows: &mut Vec<Row>) {
        let start = (page - 1) * self.page;
        let header = if page == 1 { 100 } else { start };
        let leaf = self.file[header] == 13;
        assert!(leaf || self.file[header] == 5, "page {page} is a table's");
        let cells = number(&self.file[header + 3..header + 5]);
        let pointers = header + if leaf { 8 } else { 12 };
        for cell in 0..cells {
            let at = pointers + cell * 2;
            let at = start + number(&self.file[at..at + 2]);
            if leaf {
                rows.push(self.row(at, table));
            } else {
                self.tree(number(&self.file[at..at + 4]), table, rows);
            }
        }
        if !leaf {
            let last = number(&self.file[header + 8..header + 12]);
            self.tree(last, table, rows);
        }
    }

    fn row(&self, cell: usize, table: &str) -> Row {
        let (length, after_length) = self.varint(cell);
        let (rowid, begin) = self.varint(after_length);
        let places = self.payload(begin, usize::try_from(length).unwrap());
        let varint = |at: usize| {
            let bytes: Vec<u8> = places[at..]
                .iter()
                .take(9)
                .map(|it| self.file[*it])
                .collect();
            varint(&bytes)
        };
        let (header, mut at) = varint(0);
        let header = usize::try_from(header).unwrap();
        let mut value = header;
        let mut columns = Vec::new();
        while at < header {
            let (kind, size) = varint(at);
            at += size;
            let size = match kind {
                0 | 8 | 9 => 0,
                1..=4 => usize::try_from(kind).unwrap(),
                5 => 6,
                6 | 7 => 8,
                kind => usize::try_from((kind - 12) / 2).unwrap(),
            };
            columns.push(places[value..value + size].to_vec());
            value += size;
        }
        assert_eq!(value, places.len(), "the columns are the whole row");
        Row {
            table: table.to_owned(),
            rowid: rowid.cast_signed(),
            frame: (cell..begin).collect(),
            header: places[..header].to_vec(),
            columns,
        }
    }

    /// Where the bytes of a row lie: in its cell, and on further pages when it is long.
    fn payload(&self, begin: usize, length: usize) -> Vec<usize> {
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let fits = least + (length - least) % (self.usable - 4);
            if fits <= most { fits } else { least }
        };
        let mut places: Vec<usize> = (begin..begin + here).collect();
        let mut pointer = begin + here;
        while places.len() < length {
            let next = (number(&self.file[pointer..pointer + 4]) - 1) * self.page;
            let some = (length - places.len()).min(self.usable - 4);
            places.extend(next + 4..next + 4 + some);
            pointer = next;
        }
        places
    }

    /// A number of up to nine bytes, and where it ends.
    fn varint(&self, at: usize) -> (u64, usize) {
        let (value, size) = varint(&self.file[at..]);
        (value, at + size)
    }
}

fn varint(bytes: &[u8]) -> (u64, usize) {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return (value, at + 1);
        }
    }
    (value << 8 | u64::from(bytes[8]), 9)
}

/// A number of a few bytes, the highest first.
fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |value, byte| value << 8 | usize::from(*byte))
}
