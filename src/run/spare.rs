//! What is done with requests that a night leaves over: a month that was sealed is compared with
//! its source.
//!
//! The weekly comparison covers the last two months. What is changed later and not reported by
//! the service's own feed would stay unseen, and with it drift of what was billed. So each night
//! one sealed month is compared, that for which it is longest ago, each about once a month; and
//! only where at least half of the connection's budget is left when the night's own pull is done.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use stundenbuch_connectors::Error as PullError;
use stundenbuch_connectors::budget::BudgetStore;
use stundenbuch_connectors::contract::Pull;
use stundenbuch_connectors::error::Kind;
use stundenbuch_connectors::record::Stream;

use super::pull::{self, COMPARE_BACK, Pulled, Source};
use crate::clock::Clock;
use crate::config::Config;
use crate::store::{Result, StatementRow, Store};
use crate::time::Period;

/// A sealed month is compared again after so long.
const AGAIN: TimeDelta = TimeDelta::days(30);

/// Compares one sealed month of each connection that has been pulled well and has requests left;
/// adds what it found to what the pull found.
pub(super) async fn compare(
    store: &mut Store,
    config: &Config,
    clock: &dyn Clock,
    budgets: &dyn BudgetStore,
    (sources, pulled): (&[Source], &mut [Pulled]),
) -> Result<()> {
    let now = clock.now();
    let months = sealed_months(store, config)?;
    let mut chosen = Vec::new();
    for (source, pulled) in sources.iter().zip(pulled.iter()) {
        // A night that compared already has spent what it had to spend.
        if source.mode != Pull::Changes || pulled.failure.is_some() {
            continue;
        }
        if !has_time(source) || !has_room(source, budgets, now) {
            continue;
        }
        let Some((month, (from, until))) = due(store, &source.name, &months, now)? else {
            continue;
        };
        let until = Some(until);
        let mode = Pull::Compare { from, until };
        chosen.push((
            month,
            Source {
                mode,
                ..source.clone()
            },
        ));
    }
    let (months, spare): (Vec<Period>, Vec<Source>) = chosen.into_iter().unzip();
    if spare.is_empty() {
        return Ok(());
    }
    let more = pull::pull(store, clock, &spare).await?;
    for ((month, source), more) in months.into_iter().zip(&spare).zip(more) {
        if more.failure.is_none() {
            let mark = mark(&source.name, month);
            store.write(|writer| writer.set_mark(&mark, &now.to_rfc3339()))?;
        }
        if let Some(first) = pulled.iter_mut().find(|it| it.name == more.name) {
            add(first, more, &source.mode);
        }
    }
    Ok(())
}

/// Notices are about what can be read at all, and were told by the first pull.
fn add(first: &mut Pulled, more: Pulled, mode: &Pull) {
    first.counts.add(&more.counts);
    // A connector counts since it was built.
    first.requests = more.requests;
    first.held = more.held;
    first.failure = more.failure.filter(|error| !is_used_up(mode, error));
}

/// Whether a comparison with spare requests only ran out of them: then it goes on by itself.
pub(super) fn is_used_up(mode: &Pull, error: &PullError) -> bool {
    let spare = matches!(mode, Pull::Compare { until: Some(_), .. });
    spare && error.kind() == Kind::RateLimited
}

fn has_time(source: &Source) -> bool {
    let streams = source.connector.kind().streams.iter();
    !source.connector.kind().buckets.is_empty()
        && streams.map(|it| it.stream).any(|it| it == Stream::Time)
}

fn has_room(source: &Source, budgets: &dyn BudgetStore, now: DateTime<Utc>) -> bool {
    let mut buckets = source.connector.kind().buckets.iter();
    buckets.all(|bucket| {
        let ours = bucket.requests.saturating_sub(bucket.reserve);
        let state = budgets.load(&source.name, bucket.name);
        state.is_ok_and(|state| state.left(bucket, now) >= ours.div_ceil(2))
    })
}

/// From, and until but not with.
type Span = (DateTime<Utc>, DateTime<Utc>);

/// Every month that a standing statement is about, with its instants: in the zones of its
/// clients, the widest of them.
type Months = BTreeMap<Period, Span>;

fn sealed_months(store: &Store, config: &Config) -> Result<Months> {
    let mut months = Months::new();
    for row in store.statements()?.into_iter().filter(StatementRow::holds) {
        let client = config.client(&row.client);
        let zone = client.map_or(config.time_zone, |client| client.time_zone);
        let [first, last] = [&row.first_day, &row.last_day].map(|day| day.parse::<NaiveDate>());
        let (Ok(mut day), Ok(last)) = (first, last) else {
            continue;
        };
        while day <= last {
            let month = Period::month_of(day);
            let (from, until) = month.instants(zone);
            let span = months.entry(month).or_insert((from, until));
            *span = (span.0.min(from), span.1.max(until));
            day = month.last + Days::new(1);
        }
    }
    Ok(months)
}

/// The month that is to be compared now: that for which it is longest ago.
fn due(
    store: &Store,
    connection: &str,
    months: &Months,
    now: DateTime<Utc>,
) -> Result<Option<(Period, Span)>> {
    let mut oldest: Option<(DateTime<Utc>, Period)> = None;
    for (month, (_, until)) in months {
        let compared = store.mark(&mark(connection, *month))?;
        let compared = compared.and_then(|text| text.parse().ok());
        // Before, the weekly comparison saw all of it.
        let compared = compared.unwrap_or(*until + COMPARE_BACK);
        if now - compared >= AGAIN && oldest.is_none_or(|(at, _)| compared < at) {
            oldest = Some((compared, *month));
        }
    }
    Ok(oldest.map(|(_, month)| (month, months[&month])))
}

/// Where it is remembered when a month was compared.
fn mark(connection: &str, month: Period) -> String {
    format!("compared/{connection}/{month}")
}
