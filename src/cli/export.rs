//! `export`: the whole ledger, a JSON line a row, in order; or tables for an auditor.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;
use serde_json::value::RawValue;

use super::as_of::View;
use super::{App, args};
use crate::audit::{self, Wanted};
use crate::ledger::hex;
use crate::run::report::Exit;
use crate::store::{self, Store};

/// One row as it is exported.
#[derive(serde::Serialize)]
struct Line<'a> {
    seq: u64,
    /// Unix seconds.
    at: i64,
    kind: &'a str,
    subject: &'a str,
    payload: &'a RawValue,
    hash: String,
}

pub(super) fn run(app: &App, args: &args::Export) -> anyhow::Result<Exit> {
    let view = app.view_for(args.client.as_deref(), args.as_of)?;
    let store = &view.store;
    if let Some(directory) = &args.audit {
        return audit(app, &view, args, directory);
    }
    let Some(path) = &args.output else {
        write(store, &mut BufWriter::new(std::io::stdout().lock()))?;
        return Ok(Exit::Fine);
    };
    let create = || format!("write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(create)?);
    write(store, &mut file).with_context(create)?;
    let file = file
        .into_inner()
        .map_err(std::io::IntoInnerError::into_error)?;
    file.sync_all().with_context(create)?;
    let head = store.head()?;
    app.out
        .say(&format!("Wrote {} rows to {}.", head.seq, path.display()));
    if app.out.json {
        app.out
            .value(&json!({ "rows": head.seq, "head": head.hex() }))?;
    }
    Ok(Exit::Fine)
}

/// Tables for an auditor.
fn audit(app: &App, view: &View, args: &args::Export, directory: &Path) -> anyhow::Result<Exit> {
    let wanted = Wanted {
        client: args.client.clone(),
        period: args.period,
    };
    let exported = audit::export(&view.store, &view.config.issuer, &wanted, directory)?;
    if app.out.json {
        app.out.value(&exported)?;
    }
    app.out.say(&format!(
        "Wrote {} statements and {} rows of the journal to {}; LIESMICH.md and README.md there \
         say how to read them.",
        exported.statements,
        exported.rows,
        directory.display()
    ));
    Ok(Exit::Fine)
}

fn write(store: &Store, to: &mut impl Write) -> anyhow::Result<()> {
    store.rows_after(0, |row| -> anyhow::Result<()> {
        // Of what was erased, null is left.
        let payload = if row.payload.is_empty() {
            "null"
        } else {
            &row.payload
        };
        let payload: &RawValue = serde_json::from_str(payload)
            .map_err(|error| store::Error::Damaged(format!("row {}: {error}", row.seq)))?;
        let line = Line {
            seq: row.seq,
            at: row.at,
            kind: &row.kind,
            subject: &row.subject,
            payload,
            hash: hex(&row.hash),
        };
        serde_json::to_writer(&mut *to, &line)?;
        to.write_all(b"\n")?;
        Ok(())
    })?;
    to.flush()?;
    Ok(())
}
