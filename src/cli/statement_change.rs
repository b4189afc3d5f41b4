//! `statement correct` and `statement cancel`: what can be done about a sealed statement.

use anyhow::Context as _;

use super::out::{Align, Table};
use super::statement::write;
use super::{App, args};
use crate::billing::{Change, Drift, difference_words};
use crate::config::Config;
use crate::money::Cents;
use crate::run::report::Exit;
use crate::run::review;
use crate::statements::{self, Wanted};
use crate::store::Store;

pub(super) fn correct(
    app: &App,
    config: &Config,
    of: &args::StatementCorrect,
) -> anyhow::Result<Exit> {
    let number = of.number.as_str();
    let wanted = Wanted {
        works: of.work.iter().copied().collect(),
        rates: of.rates,
    };
    let context = || format!("correct {number}");
    if of.dry_run {
        let store = app.open_read_only(config)?;
        let drifts =
            statements::proposals(&store, config, number, &wanted).with_context(context)?;
        print(app, &store, &drifts)?;
        app.out.say("Nothing was corrected: this was a dry run.");
        return Ok(Exit::Fine);
    }
    let (mut store, _lock) = app.open(config, "statement correct")?;
    let now = app.clock.now();
    let drifts =
        statements::correct(&mut store, config, number, &wanted, now).with_context(context)?;
    review::review(&mut store, config, now)?;
    print(app, &store, &drifts)?;
    let works = match drifts.len() {
        1 => "1 work".to_owned(),
        several => format!("{several} works"),
    };
    app.out.say(&format!(
        "Corrected {works} of {number}. The client's next statement charges the difference: \
         `stundenbuch statement preview` shows it."
    ));
    Ok(Exit::Fine)
}

/// Old, new and difference of each work, and the sum.
fn print(app: &App, store: &Store, drifts: &[Drift]) -> anyhow::Result<()> {
    if app.out.json {
        return Ok(app.out.value(&drifts)?);
    }
    let Some(first) = drifts.first() else {
        return Ok(());
    };
    let sealed = store.statement(&first.statement)?;
    let currency = sealed.map_or_else(String::new, |sealed| sealed.currency);
    let mut table = Table::new(&[
        ("work", Align::Left),
        ("difference", Align::Left),
        ("what changed", Align::Left),
    ]);
    for drift in drifts {
        let changes: Vec<String> = drift.what.iter().map(change_words).collect();
        table.row(vec![
            drift.work.to_string(),
            difference_words(drift.seconds(), drift.amount(), &currency),
            changes.join(", "),
        ]);
    }
    for line in table.lines() {
        app.out.line(&line)?;
    }
    let seconds = drifts.iter().map(Drift::seconds);
    let mut amounts = drifts.iter().map(Drift::amount);
    let amount = amounts.try_fold(Cents::ZERO, Cents::checked_add);
    let all = difference_words(
        seconds.fold(0, i64::saturating_add),
        amount.unwrap_or_default(),
        &currency,
    );
    app.out.line(&format!("together: {all}"))?;
    Ok(())
}

/// `duration 2:30 h → 2:00 h`
pub(super) fn change_words(change: &Change) -> String {
    format!("{} {} → {}", change.field.as_str(), change.old, change.new)
}

pub(super) fn cancel(
    app: &App,
    config: &Config,
    of: &args::StatementCancel,
) -> anyhow::Result<Exit> {
    let number = of.number.as_str();
    let context = || format!("cancel {number}");
    if of.dry_run {
        let store = app.open_read_only(config)?;
        let statement = statements::reversal(&store, number).with_context(context)?;
        write(app, config, &statement, &of.document)?;
        app.out.say("Nothing was cancelled: this was a dry run.");
        return Ok(Exit::Fine);
    }
    let (mut store, _lock) = app.open(config, "statement cancel")?;
    let now = app.clock.now();
    let statement = statements::cancel(&mut store, config, number, now).with_context(context)?;
    review::review(&mut store, config, now)?;
    write(app, config, &statement, &of.document)?;
    let own = statement.number.as_deref().unwrap_or_default();
    let waiting = store.parcels_of(own)?.len();
    app.out.say(&format!(
        "Cancelled {number} by {own}; its works are open again. {waiting} documents wait in the \
         outbox: `stundenbuch deliver` sends them."
    ));
    Ok(Exit::Fine)
}
