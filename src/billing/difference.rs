//! What drift comes to: where the work would be charged now, and which difference that makes on
//! each line that takes part.

use chrono::NaiveDate;
use stundenbuch_connectors::record::TimeEntry;

use super::admit::{ABSURD_SECONDS, charges};
use super::drift::{Rates, Terms, line_of, zone};
use super::explain::rows_of;
use super::rounding::{bill, sum};
use super::terms::{ContractAt, RateAt, contract_at, entry_day, project_name, rate_at, rule_text};
use super::{EntryRow, Line, Statement};
use crate::config::{Client, Contract, Person, RateRule, Rounding};
use crate::ledger::CorrectionPart;
use crate::matching::normal;
use crate::money::{Cents, HourlyRate};

/// Where a billed work goes by what it is now.
#[derive(Debug)]
pub(super) enum Goes<'a> {
    /// It is gone, another client's, or its time is impossible: charged and listed no more.
    Away,
    /// No contract, or no rate, holds for it.
    Nowhere,
    /// To a contract with another currency or tax than the statement has.
    Elsewhere,
    /// It is listed without charge.
    Listed(Time),
    Charged(Place<'a>, Time),
}

/// A day of the client's and the seconds that belong to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Time {
    day: NaiveDate,
    pub(super) seconds: i64,
}

/// A contract and a rate, with the line that has them.
#[derive(Debug)]
pub(super) struct Place<'a> {
    pub(super) contract: &'a str,
    pub(super) rate: HourlyRate,
    rule: String,
    title: &'a str,
    /// None: the statement has no line for this.
    line: Option<&'a Line>,
}

/// What an entry comes under by the configuration of now.
#[derive(Clone, Copy, Debug)]
enum Agreed<'a> {
    Nothing,
    Listed,
    Charged(&'a Contract, usize, &'a RateRule),
}

impl<'a> Agreed<'a> {
    fn of(client: &'a Client, entry: &TimeEntry, people: &[Person]) -> Self {
        let ContractAt::One(contract) = contract_at(client, entry) else {
            return Self::Nothing;
        };
        if entry.worked.seconds() == Some(0) || !charges(contract, entry) {
            return Self::Listed;
        }
        let day = entry_day(entry, client.time_zone);
        match rate_at(contract, entry, day, people) {
            RateAt::One(index, rule) => Self::Charged(contract, index, rule),
            RateAt::None | RateAt::Clash(..) => Self::Nothing,
        }
    }

    /// Whether the work, and not the configuration, is why there is a difference: if both come
    /// under the same, it is not.
    fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Nothing) | (Self::Listed, Self::Listed) => true,
            (Self::Charged(contract, _, rule), Self::Charged(other, _, its)) => {
                contract.key == other.key && rule.rate == its.rate
            }
            _ => false,
        }
    }
}

impl<'a> Goes<'a> {
    /// Where the configuration of now puts the work as it is now. Where it would put the work as
    /// it was there, too, the work stays where it was billed.
    pub(super) fn of(
        billed: &'a Statement,
        row: &EntryRow,
        was: &TimeEntry,
        now: &TimeEntry,
        terms: &Terms<'a>,
    ) -> Self {
        let possible = 0..=ABSURD_SECONDS;
        let Some(seconds) = now.worked.seconds().filter(|s| possible.contains(s)) else {
            return Self::Away;
        };
        let day = entry_day(now, zone(billed));
        let time = Time { day, seconds };
        let line = line_of(billed, row);
        let stays = || match line {
            Some(line) => Self::Charged(Place::of(line), time),
            None => Self::Listed(time),
        };
        let Some(client) = client_of(billed, terms.clients) else {
            return stays();
        };
        let [before, after] = [was, now].map(|it| Agreed::of(client, it, terms.people));
        if before.is(after) {
            return match (line, after) {
                (Some(line), Agreed::Charged(contract, index, rule))
                    if terms.rates == Rates::OfNow
                        && rule.rate != line.rate
                        && fits(billed, contract) =>
                {
                    Self::Charged(Place::find(billed, row, now, contract, (index, rule)), time)
                }
                _ => stays(),
            };
        }
        match after {
            Agreed::Nothing => Self::Nowhere,
            Agreed::Listed => Self::Listed(time),
            Agreed::Charged(contract, ..) if !fits(billed, contract) => Self::Elsewhere,
            Agreed::Charged(contract, index, rule) => {
                Self::Charged(Place::find(billed, row, now, contract, (index, rule)), time)
            }
        }
    }
}

/// Whether a contract's amounts can be added to the statement's.
fn fits(billed: &Statement, contract: &Contract) -> bool {
    let vat = billed.totals.vat.as_ref().map(|vat| vat.rate);
    contract.currency == billed.currency && contract.vat == vat
}

fn client_of<'a>(billed: &Statement, clients: &'a [Client]) -> Option<&'a Client> {
    clients
        .iter()
        .find(|client| client.key == billed.client_key)
}

impl<'a> Place<'a> {
    fn of(line: &'a Line) -> Self {
        Self {
            contract: &line.contract,
            rate: line.rate,
            rule: line.rate_rule.clone(),
            title: &line.title,
            line: Some(line),
        }
    }

    /// The line of that contract and rate: the work's own, else one of its project, else the
    /// first.
    fn find(
        billed: &'a Statement,
        row: &EntryRow,
        now: &TimeEntry,
        contract: &'a Contract,
        (index, rule): (usize, &RateRule),
    ) -> Self {
        let project = project_name(now).map(normal);
        let of_project = |line: &&&Line| {
            let mut rows = rows_of(billed, line);
            rows.any(|other| other.project.as_deref().map(normal) == project)
        };
        let lines: Vec<&Line> = billed
            .lines
            .iter()
            .filter(|line| line.contract == contract.key && line.rate == rule.rate)
            // What an earlier statement owed has its line and not its work here.
            .filter(|line| {
                let mut corrections = billed.corrections.iter();
                !corrections.any(|work| work.lines.contains(&line.position))
            })
            .collect();
        let own = lines.iter().find(|line| Some(line.position) == row.line);
        let line = own
            .or_else(|| lines.iter().find(of_project))
            .or(lines.first());
        match line {
            Some(line) => Self::of(line),
            None => Self {
                contract: &contract.key,
                rate: rule.rate,
                rule: rule_text(index, rule),
                title: &contract.title,
                line: None,
            },
        }
    }

    /// The line itself, or the one that a correction adds behind the others.
    fn line(&self, billed: &Statement) -> Line {
        self.line.cloned().unwrap_or_else(|| {
            let last = billed.lines.iter().map(|line| line.position).max();
            Line {
                position: last.unwrap_or(0).saturating_add(1),
                contract: self.contract.to_owned(),
                title: self.title.to_owned(),
                tracked_seconds: 0,
                billed_seconds: 0,
                rate: self.rate,
                amount: Cents::ZERO,
                rate_rule: self.rule.clone(),
            }
        })
    }
}

/// The parts of a difference, and where the row stands behind it.
#[derive(Debug)]
pub(super) struct Difference {
    pub(super) parts: Vec<CorrectionPart>,
    /// None where the client is not charged for the work any more.
    pub(super) place: Option<Stands>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Stands {
    pub(super) line: Option<u32>,
    pub(super) billed_seconds: i64,
}

/// What the move of a row makes: on the line that it leaves and on the one where it arrives, or
/// on the one where it stays.
pub(super) fn difference(
    billed: &Statement,
    row: &EntryRow,
    goes: &Goes<'_>,
    clients: &[Client],
) -> Difference {
    let client = client_of(billed, clients);
    let rounding = |line: &Line| {
        let mut contracts = client?.contracts.iter();
        let contract = contracts.find(|contract| contract.key == line.contract);
        contract.map(|contract| contract.rounding)
    };
    let old = line_of(billed, row);
    let leaves = || {
        let line = old?;
        Some(recomputed(billed, line, Some(row), None, rounding(line)).0)
    };
    let mut parts = Vec::new();
    let place = match goes {
        Goes::Away | Goes::Nowhere | Goes::Elsewhere => {
            parts.extend(leaves());
            None
        }
        Goes::Listed(time) => {
            parts.extend(leaves());
            Some(Stands {
                line: None,
                billed_seconds: time.seconds,
            })
        }
        Goes::Charged(place, time) => {
            let line = place.line(billed);
            let stays = row.line == Some(line.position);
            if !stays {
                parts.extend(leaves());
            }
            let leaving = stays.then_some(row);
            let (part, billed_seconds) =
                recomputed(billed, &line, leaving, Some(*time), rounding(&line));
            parts.push(part);
            Some(Stands {
                line: Some(line.position),
                billed_seconds,
            })
        }
    };
    let nothing = |part: &CorrectionPart| part.tracked_seconds == 0 && part.billed_seconds == 0;
    parts.retain(|part| !nothing(part));
    Difference { parts, place }
}

/// The line with one row less, one more, or one replaced: the difference to what it was, and the
/// new row's share of the time.
fn recomputed(
    billed: &Statement,
    line: &Line,
    leaves: Option<&EntryRow>,
    comes: Option<Time>,
    rounding: Option<Rounding>,
) -> (CorrectionPart, i64) {
    let rows: Vec<&EntryRow> = rows_of(billed, line).collect();
    let before: Vec<_> = rows
        .iter()
        .map(|it| (it.date, it.tracked_seconds))
        .collect();
    let mut after = before.clone();
    let at = leaves.and_then(|gone| rows.iter().position(|it| it.work == gone.work));
    if let Some(at) = at {
        after.remove(at);
    }
    let at = at.unwrap_or(after.len());
    if let Some(time) = comes {
        after.insert(at, (time.day, time.seconds));
    }
    let total = |rows: &[(NaiveDate, i64)]| {
        let seconds: Vec<i64> = rows.iter().map(|row| row.1).collect();
        sum(&seconds).unwrap_or(i64::MAX)
    };
    let tracked = total(&after).saturating_sub(total(&before));
    // A contract that does not give the line as it stands has another rounding by now.
    let holds = |rounding: &Rounding| {
        bill(&before, *rounding).is_some_and(|now| now.line == line.billed_seconds)
    };
    let rounded = rounding.filter(holds).and_then(|it| bill(&after, it));
    let (seconds, share) = match rounded {
        Some(now) => {
            let share = comes.and_then(|_| now.rows.get(at).copied());
            (now.line, share.unwrap_or(0))
        }
        None if after.is_empty() => (0, 0),
        None => (
            line.billed_seconds.saturating_add(tracked),
            comes.map_or(0, |time| time.seconds),
        ),
    };
    let amount = line.rate.price_of(seconds);
    let part = CorrectionPart {
        line: line.position,
        contract: line.contract.clone(),
        rate: line.rate,
        rate_rule: line.rate_rule.clone(),
        tracked_seconds: tracked,
        billed_seconds: seconds.saturating_sub(line.billed_seconds),
        amount: amount
            .and_then(|amount| amount.checked_sub(line.amount))
            .unwrap_or_default(),
        before_seconds: line.billed_seconds,
        after_seconds: seconds,
    };
    (part, share)
}
