//! One contract, as far as it can be read by itself.

use chrono::NaiveDate;
use config::ValueKind;
use rust_decimal::Decimal;

use super::days::Span;
use super::model::{Contract, Grouping, Model, RateRule, Rounding, RoundingMode, RoundingScope};
use super::reader::{Field, Spot, Table};
use super::references::Known;
use super::sections::fold;
use crate::billing::Language;
use crate::money::HourlyRate;

/// The longest step to which time is rounded, in minutes: a day of work.
const STEP_MAX: i64 = 8 * 60;

/// Currencies whose smallest coin is not the hundredth part (ISO 4217, 2024).
const WITHOUT_CENTS: &[&str] = &[
    "BHD", "BIF", "CLP", "DJF", "GNF", "IQD", "ISK", "JOD", "JPY", "KMF", "KRW", "KWD", "LYD",
    "OMR", "PYG", "RWF", "TND", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
];

/// A contract and what its checks need besides.
#[derive(Debug)]
pub(super) struct ReadContract {
    pub(super) contract: Contract,
    pub(super) spot: Spot,
    /// Its rates; none when one of them could not be read, which is told already.
    pub(super) rates: Option<Rates>,
}

/// The rates as they are written.
#[derive(Debug)]
pub(super) struct Rates {
    /// `rate` of the contract: holds where no rule for everybody does.
    pub(super) base: Option<(RateRule, Spot)>,
    pub(super) rules: Vec<ReadRule>,
}

/// A rule of `rates`, with its names in the form in which they compare.
#[derive(Debug)]
pub(super) struct ReadRule {
    pub(super) rule: RateRule,
    pub(super) spot: Spot,
    pub(super) project: Option<String>,
    pub(super) person: Option<String>,
}

impl ReadRule {
    pub(super) fn span(&self) -> Span {
        Span::new(self.rule.from, self.rule.until)
    }

    /// Whether it holds for every person and project.
    pub(super) fn is_general(&self) -> bool {
        self.project.is_none() && self.person.is_none()
    }
}

impl ReadContract {
    pub(super) fn span(&self) -> Span {
        Span::new(Some(self.contract.from), self.contract.until)
    }
}

/// Reads one contract; nothing when its first day is not known.
pub(super) fn read(
    table: Table<'_>,
    known: &Known<'_>,
    language: Language,
) -> Option<ReadContract> {
    let spot = table.spot();
    let text = |key: &str| table.get(key).and_then(|field| field.text());
    let (key, title) = (text("key"), text("title"));
    let from = table
        .need("from", "from = 2026-01-01, the first day")
        .and_then(|field| field.day());
    let until = last_day(&table, from);
    if let Some(field) = table.get("model") {
        field.choice(&[("hourly", ())]);
    }
    let projects = table
        .get("projects")
        .map(|field| field.texts())
        .unwrap_or_default();
    let currency = table.get("currency").and_then(|field| currency(&field));
    let vat = table.get("vat").and_then(|field| field.percent());
    let rounding = table.table("rounding").map(rounding).unwrap_or_default();
    let group_by = table.get("group_by").and_then(|field| grouping(&field));
    let ignore = table
        .get("ignore_billable_flag")
        .and_then(|field| field.flag());
    let rates = rates(&table, known);
    table.close();
    let from = from?;
    let rates_in_force = rates
        .as_ref()
        .map(|rates| rates.in_force(Span::new(Some(from), until)));
    let contract = Contract {
        // The first day names a contract for good, whatever is written before or behind it.
        key: key.unwrap_or_else(|| from.to_string()),
        title: title.unwrap_or_else(|| default_title(language).to_owned()),
        projects,
        from,
        until,
        model: Model::Hourly {
            rates: rates_in_force.unwrap_or_default(),
        },
        currency: currency.unwrap_or_else(|| "EUR".to_owned()),
        vat,
        rounding,
        group_by: group_by.unwrap_or_default(),
        ignore_billable_flag: ignore.unwrap_or_default(),
    };
    Some(ReadContract {
        contract,
        spot,
        rates,
    })
}

fn default_title(language: Language) -> &'static str {
    match language {
        Language::De => "Leistungen nach Aufwand",
        Language::En => "Services by the hour",
    }
}

/// The key `until`, which must not lie before the first day.
fn last_day(table: &Table<'_>, from: Option<NaiveDate>) -> Option<NaiveDate> {
    let field = table.get("until")?;
    let until = field.day()?;
    if from.is_some_and(|from| until < from) {
        let from = from.unwrap_or_default();
        field.wrong(
            format!("ends on {until}, before it begins on {from}"),
            "`until` is the last day that counts".to_owned(),
        );
        return None;
    }
    Some(until)
}

fn currency(field: &Field<'_>) -> Option<String> {
    let text = field.text()?;
    let upper = if text == "€" {
        "EUR".to_owned()
    } else {
        text.to_uppercase()
    };
    let is_code = upper.len() == 3 && upper.bytes().all(|byte| byte.is_ascii_uppercase());
    if !is_code || upper != text {
        let fix = if is_code { upper.as_str() } else { "EUR" };
        field.wrong(
            format!("`{text}` is no currency"),
            format!("write the three letters of ISO 4217: \"{fix}\""),
        );
        return None;
    }
    if WITHOUT_CENTS.contains(&upper.as_str()) {
        field.wrong(
            format!("{upper} is not counted in hundredths, which is not supported"),
            None,
        );
        return None;
    }
    Some(upper)
}

fn grouping(field: &Field<'_>) -> Option<Grouping> {
    field.choice(&[
        ("project", Grouping::Project),
        ("task", Grouping::Task),
        ("person", Grouping::Person),
        ("day", Grouping::Day),
        ("entry", Grouping::Entry),
    ])
}

fn rounding(table: Table<'_>) -> Rounding {
    let mut rounding = Rounding::default();
    if let Some(minutes) = table.get("step").and_then(|field| step(&field)) {
        rounding.step_minutes = minutes;
    }
    let modes = [("nearest", RoundingMode::Nearest), ("up", RoundingMode::Up)];
    if let Some(mode) = table.get("mode").and_then(|field| field.choice(&modes)) {
        rounding.mode = mode;
    }
    let scopes = [
        ("entry", RoundingScope::Entry),
        ("day", RoundingScope::Day),
        ("line", RoundingScope::Line),
    ];
    if let Some(per) = table.get("per").and_then(|field| field.choice(&scopes)) {
        rounding.per = per;
    }
    table.close();
    rounding
}

fn step(field: &Field<'_>) -> Option<u32> {
    if matches!(field.kind(), ValueKind::String(text) if text.trim() == "exact") {
        return Some(0);
    }
    let seconds = field.duration()?;
    let minutes = (seconds % 60 == 0).then_some(seconds / 60);
    let minutes = minutes.filter(|minutes| *minutes <= STEP_MAX);
    if minutes.is_none() {
        field.wrong(
            "time is rounded to whole minutes, at most 8 hours",
            "write \"15m\", \"1m\", or \"exact\" for the seconds as they are".to_owned(),
        );
    }
    minutes.and_then(|minutes| u32::try_from(minutes).ok())
}

/// Every rate of a contract, or nothing when one is wrong.
fn rates(table: &Table<'_>, known: &Known<'_>) -> Option<Rates> {
    let mut whole = true;
    let base = table.get("rate").and_then(|field| {
        let rate = field.money();
        whole &= rate.is_some();
        let spot = field.spot();
        Some((rule(rate?, table.book.cite(&spot)), spot))
    });
    let mut rules = Vec::new();
    for table in table.tables("rates") {
        match one_rate(table, known) {
            Some(rule) => rules.push(rule),
            None => whole = false,
        }
    }
    whole.then_some(Rates { base, rules })
}

fn rule(rate: Decimal, origin: String) -> RateRule {
    RateRule {
        rate: HourlyRate::new(rate),
        project: None,
        person: None,
        from: None,
        until: None,
        origin,
    }
}

fn one_rate(table: Table<'_>, known: &Known<'_>) -> Option<ReadRule> {
    let spot = table.spot();
    let rate = table
        .need("rate", "rate = \"59.00\"")
        .and_then(|field| field.money());
    let text = |key: &str| table.get(key).map(|field| field.text());
    let (project, person) = (text("project"), text("person"));
    let from = table.get("from").map(|field| field.day());
    let until_given = table.get("until").is_some();
    let until = last_day(&table, from.flatten());
    let origin = table.book.cite(&spot);
    table.close();
    // A key that is given and cannot be read must not count as absent: without its project,
    // the rule would hold for all of them.
    let readable = |text: &Option<Option<_>>| !matches!(text, Some(None));
    if !readable(&project) || !readable(&person) || from == Some(None) {
        return None;
    }
    if until_given && until.is_none() {
        return None;
    }
    let (project, person) = (project.flatten(), person.flatten());
    let rule = RateRule {
        project: project.clone(),
        person: person.clone(),
        from: from.flatten(),
        until,
        ..rule(rate?, origin)
    };
    Some(ReadRule {
        rule,
        spot,
        project: project.as_deref().map(fold),
        person: person.map(|person| known.person(&person)),
    })
}

impl Rates {
    /// The rules as billing applies them: the contract's own `rate` becomes a rule for the days
    /// on which no other rule holds for everybody, so that no two are equally specific.
    pub(super) fn in_force(&self, contract: Span) -> Vec<RateRule> {
        let mut all: Vec<RateRule> = self.rules.iter().map(|read| read.rule.clone()).collect();
        if let Some((base, _)) = &self.base {
            for free in self.free_of_general_rules(contract) {
                all.push(RateRule {
                    from: (free.first != contract.first).then_some(free.first),
                    until: (free.last != contract.last).then_some(free.last),
                    ..base.clone()
                });
            }
        }
        all
    }

    /// The days of the contract on which no rule holds for everybody.
    pub(super) fn free_of_general_rules(&self, contract: Span) -> Vec<Span> {
        let general = self.rules.iter().filter(|read| read.is_general());
        contract.without(general.map(ReadRule::span))
    }
}
