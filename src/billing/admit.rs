//! The gate in front of a statement: charged, listed without charge, or left out and why.
//!
//! What is left out stays unbilled and comes again with the next statement; it is never dropped
//! in silence.

use chrono::NaiveDate;
use stundenbuch_connectors::record::TimeEntry;

use super::terms::{ContractAt, RateAt, contract_at, entry_day, rate_at, rule_text};
use crate::config::{Client, Contract, Model, Person, RateRule};
use crate::finding::{Finding, Kind, Severity};
use crate::reconcile::words::{About, hours, listed};
use crate::work::Work;

/// Longer than any period that is billed at once, so no work but a mistake.
pub(super) const ABSURD_SECONDS: i64 = 31 * 86_400;

/// What happens to a piece of work.
#[derive(Debug)]
pub(super) enum Admission<'a> {
    /// A line charges it.
    Charged {
        contract: &'a Contract,
        day: NaiveDate,
        rule: (usize, &'a RateRule),
        seconds: i64,
    },
    /// The report lists it, and no line charges it.
    Listed {
        contract: &'a Contract,
        day: NaiveDate,
        seconds: i64,
    },
    /// Not in the statement.
    Out(Option<Finding>),
}

/// Decides for one piece of work of the client.
pub(super) fn admit<'a>(client: &'a Client, work: &Work, people: &[Person]) -> Admission<'a> {
    let entry = &work.entry;
    let Some(seconds) = entry.worked.seconds().filter(|_| !work.deleted) else {
        return Admission::Out(None);
    };
    let about = About {
        work,
        people,
        zone: client.time_zone,
        client: Some(&client.key),
    };
    if seconds < 0 {
        return Admission::Out(Some(negative(&about, seconds)));
    }
    if seconds > ABSURD_SECONDS {
        return Admission::Out(Some(over_one_day(&about, seconds)));
    }
    let day = entry_day(entry, client.time_zone);
    let contract = match contract_at(client, entry) {
        ContractAt::One(contract) => contract,
        open => return Admission::Out(contract_finding(&about, &open)),
    };
    // Nothing was worked, so there is nothing to charge; a line of 0:00 would only raise
    // questions.
    if seconds == 0 || !charges(contract, entry) {
        return Admission::Listed {
            contract,
            day,
            seconds,
        };
    }
    match rate_at(contract, entry, day, people) {
        RateAt::One(index, rule) => Admission::Charged {
            contract,
            day,
            rule: (index, rule),
            seconds,
        },
        open => Admission::Out(rate_finding(&about, contract, &open)),
    }
}

/// Whether the contract charges the work: what the source marks as not billable is not, unless
/// the contract says that the mark means nothing.
pub(crate) fn charges(contract: &Contract, entry: &TimeEntry) -> bool {
    contract.ignore_billable_flag || entry.billable != Some(false)
}

pub(crate) fn negative(about: &About<'_>, seconds: i64) -> Finding {
    about.finding(
        Kind::NegativeDuration,
        Severity::Act,
        format!(
            "{} ends before it begins ({}) and is not billed.",
            about.entry(),
            hours(seconds)
        ),
        format!("Correct its start or end in {}.", about.source()),
    )
}

pub(crate) fn over_one_day(about: &About<'_>, seconds: i64) -> Finding {
    let billed = if seconds > ABSURD_SECONDS {
        " That is longer than a month, so it is not billed."
    } else {
        ""
    };
    about.finding(
        Kind::OverOneDay,
        Severity::Act,
        format!(
            "{} has {}, more than a day has.{billed}",
            about.entry(),
            hours(seconds)
        ),
        format!(
            "Correct its start or end in {}, or split it by day.",
            about.source()
        ),
    )
}

/// Says that no single contract holds; nothing where one does.
pub(crate) fn contract_finding(about: &About<'_>, at: &ContractAt<'_>) -> Option<Finding> {
    let client = about.client.unwrap_or("");
    match at {
        ContractAt::One(_) => None,
        ContractAt::None => Some(about.finding(
            Kind::NoContract,
            Severity::Act,
            format!(
                "{} belongs to client `{client}`, who has no contract for {} on that day, so it \
                 is not billed.",
                about.entry(),
                project(about)
            ),
            format!(
                "Extend a contract of client `{client}` in the configuration, or correct the \
                 entry's project in {}.",
                about.source()
            ),
        )),
        ContractAt::Clash(several) => {
            let keys: Vec<String> = several.iter().map(|c| format!("`{}`", c.key)).collect();
            Some(about.finding(
                Kind::ContractClash,
                Severity::Act,
                format!(
                    "{} falls under {} contracts of client `{client}` ({}), so it is not billed.",
                    about.entry(),
                    several.len(),
                    listed(&keys)
                ),
                "End one of the contracts in the configuration, or give each its own projects."
                    .to_owned(),
            ))
        }
    }
}

/// Says that no single rate holds; nothing where one does.
pub(crate) fn rate_finding(
    about: &About<'_>,
    contract: &Contract,
    at: &RateAt<'_>,
) -> Option<Finding> {
    let Model::Hourly { rates } = &contract.model;
    match at {
        RateAt::One(..) => None,
        RateAt::None => Some(about.finding(
            Kind::NoContract,
            Severity::Act,
            format!(
                "{} falls under the contract `{}`, which has no rate for it on that day, so it is \
                 not billed.",
                about.entry(),
                contract.key
            ),
            format!(
                "Add a rate to the contract `{}` in the configuration.",
                contract.key
            ),
        )),
        RateAt::Clash(one, other) => {
            let rule = |index: usize| {
                rates
                    .get(index)
                    .map_or_else(String::new, |rule| rule_text(index, rule))
            };
            Some(about.finding(
                Kind::ContractClash,
                Severity::Act,
                format!(
                    "{} has two equally specific rates in the contract `{}`, so it is not billed: \
                     {}; and {}.",
                    about.entry(),
                    contract.key,
                    rule(*one),
                    rule(*other)
                ),
                "Remove one of the rates from the configuration, or end it the day before the \
                 other begins."
                    .to_owned(),
            ))
        }
    }
}

fn project(about: &About<'_>) -> String {
    super::project_name(&about.work.entry).map_or_else(
        || "work without a project".to_owned(),
        |name| format!("project \"{name}\""),
    )
}
