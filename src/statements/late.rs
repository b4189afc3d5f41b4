//! Work that came too late for its statement.

use crate::billing::{Attribution, ContractAt, RateAt, attribute, contract_at, entry_day, rate_at};
use crate::config::Config;
use crate::finding::{Finding, Kind, Severity};
use crate::store::{Result, Store};
use crate::time::clock_text;
use crate::work::Work;

/// Work that could be billed and is in no statement, though its day was sealed: it came later,
/// became the client's later, or had no rate then.
pub fn late(store: &Store, config: &Config, work: &Work) -> Result<Option<Finding>> {
    if work.deleted || work.statement.is_some() || work.entry.worked.seconds().is_none() {
        return Ok(None);
    }
    let Attribution::Client(key) = attribute(&work.entry, &config.clients) else {
        return Ok(None);
    };
    let Some(client) = config.client(&key) else {
        return Ok(None);
    };
    let day = entry_day(&work.entry, client.time_zone);
    let Some(sealed) = store.sealed_over(&key, day)? else {
        return Ok(None);
    };
    // What has no contract or no rate is told as that; it is late once it could be billed.
    let ContractAt::One(contract) = contract_at(client, &work.entry) else {
        return Ok(None);
    };
    let RateAt::One(..) = rate_at(contract, &work.entry, day, &config.people) else {
        return Ok(None);
    };
    Ok(Some(Finding {
        kind: Kind::LateEntry,
        severity: Severity::Check,
        subject: work.id.to_string(),
        other: None,
        client: Some(key.clone()),
        sentence: format!(
            "\"{}\" of {day} ({} h) is not in {}, which was sealed over that day.",
            work.entry.description,
            clock_text(work.entry.worked.seconds().unwrap_or(0)),
            sealed.number
        ),
        action: format!(
            "Seal the late work on a statement of its own: `stundenbuch statement seal {key} \
             --period {}..{}`.",
            sealed.first_day, sealed.last_day
        ),
    }))
}
