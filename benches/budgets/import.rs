//! Importing a time sheet, beside bare insertions of the rows that it came to.

use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use stundenbuch::store::Store;

use crate::Options;
use crate::house::{import, now, remove};
use crate::table::{Table, median, ratio, seconds, timed};

/// Rows that are read into memory, untimed, before they are inserted.
const AT_ONCE: i64 = 10_000;
/// The tables that an import writes for each entry, in the order in which it does.
const TABLES: [&str; 3] = ["raw", "journal", "record"];

pub(crate) fn measure(options: &Options, table: &mut Table) {
    let house = options.house();
    let csv = house.csv();
    let imported = house.dir.join("import.db");
    let mut ratios = Vec::new();
    let mut times = Vec::new();
    for _ in 0..options.repeat {
        remove(&imported);
        let mut store = Store::open(&imported, now()).unwrap();
        let (took, new) = timed(|| import(&mut store, &csv));
        assert_eq!(new, u64::from(options.entries), "every row is an entry");
        drop(store);
        let bare = bare_inserts(&imported, &house.dir.join("bare.db"));
        eprintln!("  import {}, bare {}", seconds(took), seconds(bare));
        ratios.push(ratio(bare, took));
        times.push((took, bare));
    }
    let speed = median(&ratios);
    table.judge(
        "import: speed, bare insertions = 1",
        format!("{speed:.2}"),
        "≥ 0.50",
        speed >= 0.5,
    );
    let (took, bare) = median(&times);
    table.tell("import: all entries", seconds(took));
    table.tell("import: the bare insertions", seconds(bare));
    let size = std::fs::metadata(&imported).unwrap().len();
    table.tell(
        "import: bytes of the ledger an entry",
        (size / u64::from(options.entries)).to_string(),
    );
    remove(&imported);
    remove(&house.dir.join("bare.db"));
}

/// Inserts every row of a ledger into an empty file of the same tables and indexes, in the same
/// order, under the same settings and in one transaction. Reading the rows is not counted.
fn bare_inserts(ledger: &Path, into: &Path) -> Duration {
    remove(into);
    let from = Connection::open(ledger).unwrap();
    let mut conn = Connection::open(into).unwrap();
    for (name, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "full"),
        ("foreign_keys", "off"),
        ("secure_delete", "on"),
        ("cache_size", "-8192"),
    ] {
        conn.pragma_update(None, name, value).unwrap();
    }
    let mut schema = from
        .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid")
        .unwrap();
    let statements = schema.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for sql in statements {
        conn.execute_batch(&sql.unwrap()).unwrap();
    }
    let last: i64 = from
        .query_row("SELECT max(seq) FROM journal", [], |row| row.get(0))
        .unwrap();

    let mut spent = Duration::ZERO;
    let tx = conn.transaction().unwrap();
    let mut first = 0;
    while first <= last {
        let rows = TABLES.map(|table| read(&from, table, first..first + AT_ONCE));
        let inserted = timed(|| insert(&tx, &rows)).0;
        spent += inserted;
        first += AT_ONCE;
    }
    spent + timed(|| tx.commit().unwrap()).0
}

fn read(from: &Connection, table: &str, range: std::ops::Range<i64>) -> Vec<Vec<Value>> {
    let sql = format!("SELECT * FROM {table} WHERE rowid >= ?1 AND rowid < ?2 ORDER BY rowid");
    let mut statement = from.prepare_cached(&sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([range.start, range.end], |row| {
        (0..columns).map(|column| row.get(column)).collect()
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Inserts row by row, a table after the other for each entry.
fn insert(tx: &Connection, rows: &[Vec<Vec<Value>>; 3]) {
    let mut statements = TABLES.map(|table| {
        let at = TABLES.iter().position(|name| *name == table).unwrap();
        let columns = rows[at].first().map_or(1, Vec::len);
        let marks = vec!["?"; columns].join(", ");
        (!rows[at].is_empty()).then(|| {
            tx.prepare(&format!("INSERT INTO {table} VALUES ({marks})"))
                .unwrap()
        })
    });
    let longest = rows.iter().map(Vec::len).max().unwrap_or_default();
    for number in 0..longest {
        for (statement, rows) in statements.iter_mut().zip(rows) {
            if let (Some(statement), Some(row)) = (statement, rows.get(number)) {
                statement.execute(params_from_iter(row)).unwrap();
            }
        }
    }
}
