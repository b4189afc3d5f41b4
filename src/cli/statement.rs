//! `statement`: preview, seal, list, show; correcting and cancelling stand next door.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use chrono::{DateTime, Days, NaiveDate, Utc};

use super::as_of::View;
use super::out::{Align, Table, one_line};
use super::statement_change::{self, change_words};
use super::{App, args};
use crate::billing::Statement;
use crate::config::{Client, Config};
use crate::error_text::Advised;
use crate::render::{self, Format};
use crate::run::report::Exit;
use crate::statements;
use crate::time::{Period, clock_text, local_day};

pub(super) fn run(app: &App, args: &args::Statement) -> anyhow::Result<Exit> {
    match &args.command {
        args::StatementCommand::Preview { of, as_of } => {
            preview(app, &app.view_for(Some(&of.client), *as_of)?, of)
        }
        args::StatementCommand::Seal(of) if of.dry_run => preview(
            app,
            &app.view_for(Some(&of.client), args::AsOf::default())?,
            of,
        ),
        args::StatementCommand::Seal(of) => seal(app, &app.config()?, of),
        args::StatementCommand::Correct(of) => statement_change::correct(app, &app.config()?, of),
        args::StatementCommand::Cancel(of) => statement_change::cancel(app, &app.config()?, of),
        args::StatementCommand::List(as_of) => list(app, &app.view(*as_of)?),
        args::StatementCommand::Show {
            number,
            document,
            as_of,
        } => show(app, &app.view(*as_of)?, number, document),
    }
}

fn preview(app: &App, view: &View, of: &args::StatementOf) -> anyhow::Result<Exit> {
    let View { config, store, now } = view;
    let client = client(config, &of.client)?;
    let period = period(*now, client, of.period);
    let statements::Previews { previews, findings } =
        statements::preview(store, config, client, period)?;
    for preview in &previews {
        write(app, config, &preview.draft.statement, &of.document)?;
    }
    for finding in &findings {
        app.out.say(&format!(
            "not billed: {}\n  → {}",
            finding.sentence, finding.action
        ));
    }
    if previews.is_empty() {
        app.out.say(&format!(
            "There is no open work for {} in {period}.",
            client.key
        ));
    }
    Ok(if findings.is_empty() {
        Exit::Fine
    } else {
        Exit::Findings
    })
}

fn seal(app: &App, config: &Config, of: &args::StatementOf) -> anyhow::Result<Exit> {
    let client = client(config, &of.client)?;
    let period = period(app.clock.now(), client, of.period);
    let today = local_day(app.clock.now(), client.time_zone);
    if period.last >= today {
        let hint = "seal a period that is over; work that comes later gets a statement of its own";
        let what = format!("seal {period}: it is not over yet");
        return Err(Advised::new(what, hint).into());
    }
    let (mut store, _lock) = app.open(config, "statement seal")?;
    let statement = statements::seal(&mut store, config, client, period, app.clock.now())
        .with_context(|| format!("seal {} for {}", period, client.key))?;
    write(app, config, &statement, &of.document)?;
    let number = statement.number.as_deref().unwrap_or_default();
    let waiting = store.parcels_of(number)?.len();
    app.out.say(&format!(
        "Sealed {number}. {waiting} documents wait in the outbox: `stundenbuch deliver` sends them."
    ));
    let left_out = statements::preview(&store, config, client, period)?.findings;
    for finding in &left_out {
        app.out.say(&format!(
            "not billed: {}\n  → {}",
            finding.sentence, finding.action
        ));
    }
    Ok(if left_out.is_empty() {
        Exit::Fine
    } else {
        Exit::Findings
    })
}

fn list(app: &App, View { store, .. }: &View) -> anyhow::Result<Exit> {
    let mut table = Table::new(&[
        ("number", Align::Left),
        ("client", Align::Left),
        ("first day", Align::Left),
        ("last day", Align::Left),
        ("net", Align::Right),
        ("delivered", Align::Right),
        ("", Align::Left),
    ]);
    let mut statements = Vec::new();
    for row in store.statements()? {
        let Some(statement) = store.statement(&row.number)? else {
            continue;
        };
        let parcels = store.parcels_of(&row.number)?;
        let done = parcels
            .iter()
            .filter(|parcel| parcel.state == crate::store::ParcelState::Delivered)
            .count();
        table.row(vec![
            row.number,
            row.client,
            row.first_day,
            row.last_day,
            format!("{} {}", statement.totals.net, statement.currency),
            format!("{done} of {}", parcels.len()),
            relation(&statement).unwrap_or_default(),
        ]);
        statements.push(statement);
    }
    if app.out.json {
        app.out.value(&statements)?;
    } else if table.is_empty() {
        app.out.say("Nothing was sealed yet.");
    } else {
        for line in table.lines() {
            app.out.line(&line)?;
        }
    }
    Ok(Exit::Fine)
}

fn show(
    app: &App,
    View { config, store, .. }: &View,
    number: &str,
    document: &args::Document,
) -> anyhow::Result<Exit> {
    let Some(statement) = store.statement(number)? else {
        let hint = "`stundenbuch statement list` names those that there are";
        return Err(Advised::new(format!("show `{number}`: it was not sealed"), hint).into());
    };
    write(app, config, &statement, document)?;
    Ok(Exit::Fine)
}

/// A document, or a summary for the eye.
pub(super) fn write(
    app: &App,
    config: &Config,
    statement: &Statement,
    document: &args::Document,
) -> anyhow::Result<()> {
    let format = match document.format {
        Some(args::DocumentFormat::Pdf) => Format::Pdf,
        Some(args::DocumentFormat::Csv) => Format::Csv,
        Some(args::DocumentFormat::CsvMachine) => Format::CsvRaw,
        Some(args::DocumentFormat::Json) => Format::Json,
        None if app.out.json => Format::Json,
        None => return summary(app, statement),
    };
    let template = statements::template(config)?;
    let rendered = render::render(statement, format, template.as_deref())?;
    match &document.output {
        Some(path) => {
            write_new(path, &rendered.bytes)?;
            app.out.say(&format!("Wrote {}.", path.display()));
        }
        None => app.out.bytes(&rendered.bytes)?,
    }
    Ok(())
}

pub(super) fn write_new(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let context = || format!("write {}", path.display());
    let mut file = File::create(path).with_context(context)?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(context)
}

fn summary(app: &App, statement: &Statement) -> anyhow::Result<()> {
    let out = app.out;
    let currency = &statement.currency;
    let name = statement.number.as_deref().unwrap_or("draft");
    let relation = relation(statement).map_or_else(String::new, |words| format!("  {words}"));
    out.line(&format!(
        "{}  {}  {name}{relation}",
        statement.client.name, statement.period
    ))?;
    let mut table = Table::new(&[
        ("", Align::Right),
        ("position", Align::Left),
        ("tracked", Align::Right),
        ("billed", Align::Right),
        ("rate", Align::Right),
        ("amount", Align::Right),
    ]);
    for line in &statement.lines {
        table.row(vec![
            line.position.to_string(),
            one_line(&line.title, 80),
            clock_text(line.tracked_seconds),
            clock_text(line.billed_seconds),
            line.rate.to_string(),
            line.amount.to_string(),
        ]);
    }
    let totals = &statement.totals;
    let mut total = |what: &str, amount: String| {
        let empty = String::new;
        table.row(vec![
            empty(),
            what.into(),
            empty(),
            empty(),
            empty(),
            amount,
        ]);
    };
    total("net", totals.net.to_string());
    if let Some(vat) = &totals.vat {
        total(
            &format!("VAT {} %", vat.rate.normalize()),
            vat.amount.to_string(),
        );
        total("gross", totals.gross.to_string());
    }
    for line in table.lines() {
        out.line(&line)?;
    }
    out.line(&format!(
        "{} entries, {} h tracked, {} h billed, {} h not billable; amounts in {currency}",
        statement.entries.len(),
        clock_text(totals.tracked_seconds),
        clock_text(totals.billed_seconds),
        clock_text(totals.non_billable_seconds)
    ))?;
    for work in &statement.corrections {
        let changes: Vec<String> = work.changes.iter().map(change_words).collect();
        out.line(&format!(
            "corrects {} of {} ({}): {}",
            work.work,
            work.statement,
            work.date,
            changes.join(", ")
        ))?;
    }
    Ok(())
}

/// What a statement has to do with another.
fn relation(statement: &Statement) -> Option<String> {
    let cancels = statement.cancels.as_ref();
    let by = statement.cancelled_by.as_ref();
    cancels
        .map(|other| format!("cancels {}", other.number))
        .or_else(|| by.map(|other| format!("cancelled by {}", other.number)))
}

/// The client of that key, or which there are.
pub(super) fn client<'a>(config: &'a Config, key: &str) -> anyhow::Result<&'a Client> {
    config.client(key).ok_or_else(|| {
        let keys: Vec<_> = config
            .clients
            .iter()
            .map(|client| client.key.as_str())
            .collect();
        let hint = format!("there are: {}", keys.join(", "));
        Advised::new(format!("find the client `{key}`: there is none"), hint).into()
    })
}

/// The period that was asked for, or the last whole month.
fn period(now: DateTime<Utc>, client: &Client, asked: Option<Period>) -> Period {
    asked.unwrap_or_else(|| {
        let today: NaiveDate = local_day(now, client.time_zone);
        Period::month_of(Period::month_of(today).first - Days::new(1))
    })
}
