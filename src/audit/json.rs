//! The same tables as one JSON document, made from the files so that it cannot say anything else.

use std::io::Write as _;

use anyhow::Context as _;
use csv::ReaderBuilder;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::files::{DELIMITER, Folder, file_name, original};
use super::tables::{Kind, TABLES, Table};
use crate::ledger::Head;

const NAME: &str = "audit.json";
/// The version of the form; a change that breaks readers raises the number.
const SCHEMA: &str = "stundenbuch/audit/1";

pub(super) fn write(folder: &mut Folder, head: &Head) -> anyhow::Result<()> {
    let mut to = folder.create(NAME)?;
    let head = json!({ "seq": head.seq, "hash": head.hex() });
    write!(
        to,
        "{{\"schema\":\"{SCHEMA}\",\"head\":{head},\"tables\":{{"
    )?;
    for (nth, table) in TABLES.iter().enumerate() {
        let comma = if nth == 0 { "" } else { "," };
        write!(to, "{comma}\n\"{}\":[", table.name)?;
        rows(folder, table, &mut to).with_context(|| format!("write {NAME}"))?;
        write!(to, "]")?;
    }
    writeln!(to, "\n}}}}")?;
    folder.finish(NAME, to)
}

fn rows(folder: &Folder, table: &Table, to: &mut impl std::io::Write) -> anyhow::Result<()> {
    let mut reader = ReaderBuilder::new()
        .delimiter(DELIMITER)
        .from_path(folder.path(&file_name(table)))?;
    let mut record = csv::StringRecord::new();
    let mut first = true;
    while reader.read_record(&mut record)? {
        to.write_all(if first { b"\n" } else { b",\n" })?;
        first = false;
        let members = table.columns.iter().zip(&record);
        let row: Map<String, Value> = members
            .map(|(column, cell)| (column.name.to_owned(), value(column.kind, cell)))
            .collect();
        row.serialize(&mut serde_json::Serializer::new(&mut *to))?;
    }
    Ok(())
}

/// What is absent is null. Amounts and rates stay texts: a JSON number is a float to many.
fn value(kind: Kind, cell: &str) -> Value {
    match kind {
        Kind::Text if cell.is_empty() => Value::Null,
        Kind::Text => original(cell).into(),
        _ if cell.is_empty() => Value::Null,
        Kind::Whole => cell.parse::<i64>().map_or(Value::Null, Value::from),
        Kind::Money | Kind::Decimal | Kind::Day | Kind::Instant => cell.into(),
    }
}
