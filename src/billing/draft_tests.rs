//! A statement adds up, whatever the work, the contract and the order.

use proptest::prelude::*;
use stundenbuch_connectors::record::TimeEntry;

use super::*;
use crate::billing::{Language, explain_line};
use crate::config::{Grouping, Model, Rounding, RoundingMode, RoundingScope};
use crate::matching::testing::{EntryBuilder, client, contract, day, rate};

fn month(text: &str) -> Period {
    text.parse().unwrap()
}

fn compute(client: &Client, period: &str, works: &[Work]) -> Drafts {
    let issuer = Party::default();
    statements(client, month(period), works, &[], &|_| None, &issuer, &[])
}

fn only(drafts: Drafts) -> Statement {
    assert_eq!(drafts.findings, []);
    let [draft] = <[Draft; 1]>::try_from(drafts.drafts).unwrap();
    draft.statement
}

fn acme() -> Client {
    let mut client = client("acme");
    client.contracts = vec![contract("main")];
    client
}

fn span(start: &str, seconds: i64) -> EntryBuilder {
    EntryBuilder::span(start, seconds)
        .project("Website")
        .text("Relaunch")
}

#[test]
fn a_month_holds_its_first_and_its_last_second() {
    let works = [
        span("2026-09-30T21:59:59Z", 60).work(1),
        span("2026-09-30T22:00:00Z", 60).work(2),
        span("2026-10-31T22:59:59Z", 3600).work(3),
        span("2026-10-31T23:00:00Z", 60).work(4),
    ];
    let works_of = |period: &str| -> Vec<String> {
        let statement = only(compute(&acme(), period, &works));
        statement.entries.into_iter().map(|row| row.work).collect()
    };
    assert_eq!(works_of("2026-09"), ["w1"]);
    assert_eq!(works_of("2026-10"), ["w2", "w3"]);
    assert_eq!(works_of("2026-11"), ["w4"]);
}

#[test]
fn rows_stand_in_order_of_time_and_whole_days_first() {
    let works = [
        span("2026-10-15T07:00:00Z", 60).work(1),
        span("2026-10-14T07:00:00Z", 60).work(3),
        EntryBuilder::day("2026-10-15", 60)
            .project("Website")
            .work(4),
        span("2026-10-14T07:00:00Z", 60).work(2),
    ];
    let statement = only(compute(&acme(), "2026-10", &works));
    let rows: Vec<_> = statement
        .entries
        .iter()
        .map(|row| row.work.as_str())
        .collect();
    assert_eq!(rows, ["w2", "w3", "w4", "w1"]);
}

#[test]
fn the_doubled_hour_is_billed_and_told_apart() {
    let statement = only(compute(
        &acme(),
        "2026-10",
        &[span("2026-10-24T23:30:00Z", 10_800).work(1)],
    ));
    let row = &statement.entries[0];
    assert_eq!(row.start.unwrap().to_rfc3339(), "2026-10-25T01:30:00+02:00");
    assert_eq!(row.stop.unwrap().to_rfc3339(), "2026-10-25T03:30:00+01:00");
    assert_eq!((row.date, row.tracked_seconds), (day("2026-10-25"), 10_800));
    assert_eq!(statement.totals.net.to_string(), "177.00");
}

#[test]
fn a_whole_day_has_23_and_25_hours() {
    for (date, from, seconds) in [
        ("2026-03-29", "2026-03-28T23:00:00Z", 23 * 3600),
        ("2026-10-25", "2026-10-24T22:00:00Z", 25 * 3600),
    ] {
        let half = span(from, seconds / 2).work(1);
        let rest = EntryBuilder::new(Worked::Span {
            start: match half.entry.worked {
                Worked::Span { stop, .. } => stop,
                _ => unreachable!("it is a span"),
            },
            stop: Period {
                first: day(date),
                last: day(date),
            }
            .instants(chrono_tz::Europe::Berlin)
            .1,
        });
        let mut acme = acme();
        acme.contracts[0].group_by = Grouping::Day;
        let works = [half, rest.project("Website").work(2)];
        let statement = only(compute(&acme, &date[..7], &works));
        assert_eq!(statement.lines.len(), 1, "{date}");
        assert_eq!(statement.lines[0].billed_seconds, seconds, "{date}");
    }
}

#[test]
fn what_is_not_work_is_in_no_statement() {
    let mut deleted = span("2026-10-14T07:00:00Z", 3600).work(1);
    deleted.deleted = true;
    let works = [
        deleted,
        EntryBuilder::running("2026-10-14T07:00:00Z").work(2),
    ];
    assert_eq!(compute(&acme(), "2026-10", &works), Drafts::default());
}

#[test]
fn absurd_and_negative_times_are_told_and_not_billed() {
    let works = [
        EntryBuilder::day("2026-10-14", i64::MAX).work(1),
        EntryBuilder::day("2026-10-14", i64::MIN).work(2),
        span("2026-10-14T07:00:00Z", -60).work(3),
        EntryBuilder::day("2026-09-14", -60).work(4),
        span("2026-10-14T07:00:00Z", 3600).work(5),
    ];
    let drafts = compute(&acme(), "2026-10", &works);
    let kinds: Vec<_> = drafts
        .findings
        .iter()
        .map(|f| (f.subject.as_str(), f.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("w1", Kind::OverOneDay),
            ("w2", Kind::NegativeDuration),
            ("w3", Kind::NegativeDuration)
        ],
        "w4 belongs to another month"
    );
    assert_eq!(drafts.drafts[0].statement.totals.net.to_string(), "59.00");
}

#[test]
fn sums_that_do_not_fit_are_a_finding() {
    let mut acme = acme();
    acme.contracts[0].model = Model::Hourly {
        rates: vec![rate("79228162514264337593543950335")],
    };
    let drafts = compute(
        &acme,
        "2026-10",
        &[span("2026-10-14T07:00:00Z", 3600).work(1)],
    );
    assert_eq!(drafts.drafts, []);
    assert!(
        drafts.findings[0].sentence.contains("too large"),
        "{:?}",
        drafts.findings
    );
}

#[test]
fn work_without_contract_or_rate_stays_unbilled_and_is_told() {
    let mut acme = acme();
    acme.contracts[0].from = day("2026-10-15");
    let mut anna = rate("80");
    anna.person = Some("Anna".to_owned());
    acme.contracts[0].model = Model::Hourly { rates: vec![anna] };
    let works = [
        span("2026-10-14T07:00:00Z", 3600).by("Anna").work(1),
        span("2026-10-15T07:00:00Z", 3600).by("Ben").work(2),
        span("2026-10-15T07:00:00Z", 3600)
            .by("Ben")
            .billable(false)
            .work(3),
    ];
    let drafts = compute(&acme, "2026-10", &works);
    let subjects: Vec<_> = drafts.findings.iter().map(|f| f.subject.as_str()).collect();
    assert_eq!(subjects, ["w1", "w2"]);
    assert!(drafts.findings.iter().all(|f| f.kind == Kind::NoContract));
    assert_eq!(
        drafts.drafts[0].statement.entries[0].work, "w3",
        "what is free needs no rate"
    );
}

#[test]
fn each_currency_and_tax_is_a_statement_of_its_own() {
    let mut acme = acme();
    for (key, currency, vat) in [
        ("shop", "EUR", Some(7)),
        ("us", "USD", None),
        ("more", "EUR", Some(19)),
    ] {
        let mut other = contract(key);
        other.projects = vec![key.to_owned()];
        other.currency = currency.to_owned();
        other.vat = vat.map(Decimal::from);
        acme.contracts.push(other);
    }
    let works: Vec<Work> = ["Website", "shop", "us", "more"]
        .iter()
        .zip(1..)
        .map(|(project, id)| {
            EntryBuilder::span("2026-10-14T07:00:00Z", 3600)
                .project(project)
                .work(id)
        })
        .collect();
    let drafts = compute(&acme, "2026-10", &works).drafts;
    let totals: Vec<_> = drafts
        .iter()
        .map(|draft| {
            (
                draft.statement.currency.as_str(),
                draft.statement.totals.gross.to_string(),
            )
        })
        .collect();
    assert_eq!(
        totals,
        [
            ("EUR", "63.13".to_owned()),
            ("EUR", "140.42".to_owned()),
            ("USD", "59.00".to_owned())
        ]
    );
    assert_eq!(drafts[1].statement.lines.len(), 2);
    assert_eq!(drafts[2].statement.totals.vat, None);
}

#[test]
fn titles_say_what_a_line_is_in_the_clients_language() {
    let mut acme = acme();
    acme.language = Language::De;
    let works = [
        span("2026-10-14T07:00:00Z", 3600).work(1),
        EntryBuilder::span("2026-10-15T07:00:00Z", 3600).work(2),
        EntryBuilder::span("2026-10-15T09:00:00Z", 3600)
            .project(" WEB DEVELOPMENT")
            .work(3),
    ];
    let titles = |acme: &Client, works: &[Work]| -> Vec<String> {
        let statement = only(compute(acme, "2026-10", works));
        statement.lines.into_iter().map(|line| line.title).collect()
    };
    assert_eq!(
        titles(&acme, &works),
        [
            "WEB DEVELOPMENT",
            "Web development – Website",
            "Web development – weitere Leistungen"
        ]
    );
    assert_eq!(titles(&acme, &works[1..2]), ["Web development"]);
    acme.contracts[0].group_by = Grouping::Entry;
    assert_eq!(
        titles(&acme, &works[..1]),
        ["Web development – 14.10.2026: Relaunch"]
    );
}

#[test]
fn a_line_explains_itself() {
    let mut acme = acme();
    acme.contracts[0].rounding.step_minutes = 0;
    let works = [
        span("2026-10-14T07:00:00Z", 1000).work(1),
        span("2026-10-14T08:00:00Z", 200).work(2),
    ];
    let statement = only(compute(&acme, "2026-10", &works));
    let line = explain_line(&statement, 1).unwrap();
    assert_eq!(
        line.exact.unwrap().to_string(),
        "19.666666666666666666666666667"
    );
    assert_eq!(
        (line.amount.to_string(), line.entries.len()),
        ("19.67".to_owned(), 2)
    );
    assert_eq!(line.rate_rule, "rates[0] config.toml:40: all work");
    assert_eq!(explain_line(&statement, 2), None);
}

fn rounding() -> impl Strategy<Value = Rounding> {
    let mode = prop::sample::select(vec![RoundingMode::Nearest, RoundingMode::Up]);
    let per = prop::sample::select(vec![
        RoundingScope::Entry,
        RoundingScope::Day,
        RoundingScope::Line,
    ]);
    (prop::sample::select(vec![0u32, 1, 5, 6, 15]), mode, per).prop_map(
        |(step_minutes, mode, per)| Rounding {
            step_minutes,
            mode,
            per,
        },
    )
}

fn grouping() -> impl Strategy<Value = Grouping> {
    prop::sample::select(vec![
        Grouping::Project,
        Grouping::Task,
        Grouping::Person,
        Grouping::Day,
        Grouping::Entry,
    ])
}

fn entry() -> impl Strategy<Value = TimeEntry> {
    let start = DateTime::<Utc>::from_timestamp(1_790_000_000, 0).unwrap();
    let worked = prop_oneof![
        8 => (0i64..6_000_000, 0i64..40_000).prop_map(move |(at, seconds)| {
            let start = start + chrono::TimeDelta::seconds(at);
            Worked::Span { start, stop: start + chrono::TimeDelta::seconds(seconds) }
        }),
        2 => (1u32..31, 0i64..40_000).prop_map(|(date, seconds)| Worked::Day {
            date: day(&format!("2026-10-{date:02}")),
            seconds,
        }),
    ];
    let project = prop::sample::select(vec!["", "Website", "website ", "Shop"]);
    let person = prop::sample::select(vec!["Anna", "Ben", "Cem"]);
    let billable = prop::sample::select(vec![None, Some(true), Some(false)]);
    (worked, project, person, billable).prop_map(|(worked, project, person, billable)| {
        let mut entry = EntryBuilder::new(worked)
            .project(project)
            .by(person)
            .build();
        entry.billable = billable;
        entry
    })
}

fn works() -> impl Strategy<Value = Vec<Work>> {
    prop::collection::vec(entry(), 0..30).prop_map(|entries| {
        entries
            .into_iter()
            .zip(1..)
            .map(|(entry, id)| {
                let mut work = EntryBuilder::day("2026-10-14", 0).work(id);
                work.entry = entry;
                work
            })
            .collect()
    })
}

fn agreed(rounding: Rounding, group_by: Grouping, cents: i64) -> Client {
    let mut acme = acme();
    let mut shop = rate("71.37");
    shop.project = Some("Shop".to_owned());
    let mut ben = rate("33.335");
    ben.person = Some("Ben".to_owned());
    let mut general = rate("0");
    general.rate = crate::money::HourlyRate::new(Decimal::new(cents, 2));
    let contract = &mut acme.contracts[0];
    contract.model = Model::Hourly {
        rates: vec![general, shop, ben],
    };
    contract.rounding = rounding;
    contract.group_by = group_by;
    acme
}

/// The task of a work, for grouping: three of them, one without an address.
fn task_of(id: WorkId) -> Option<TaskRow> {
    (!id.0.is_multiple_of(4)).then(|| TaskRow {
        title: format!("Task {}", id.0 % 4),
        url: (id.0 % 4 > 1).then(|| "https://example.com".to_owned()),
    })
}

proptest! {
    #[test]
    fn everything_adds_up(
        works in works(),
        rounding in rounding(),
        group_by in grouping(),
        cents in 0i64..20_000,
    ) {
        let acme = agreed(rounding, group_by, cents);
        let period = month("2026-10");
        let drafts = statements(&acme, period, &works, &[], &task_of, &Party::default(), &[]);
        prop_assert_eq!(&drafts.findings, &vec![]);
        let inside: i64 = works
            .iter()
            .filter(|w| period.contains(crate::billing::entry_day(&w.entry, acme.time_zone)))
            .filter_map(|work| work.entry.worked.seconds())
            .sum();
        let Some(draft) = drafts.drafts.first() else {
            prop_assert_eq!(inside, 0);
            return Ok(());
        };
        let s = &draft.statement;
        let mut net = 0;
        let mut charged = 0;
        for line in &s.lines {
            let rows: Vec<_> = s.entries.iter().filter(|r| r.line == Some(line.position)).collect();
            prop_assert!(!rows.is_empty(), "a line charges something");
            let tracked: i64 = rows.iter().map(|row| row.tracked_seconds).sum();
            prop_assert_eq!(tracked, line.tracked_seconds);
            let billed: i64 = rows.iter().map(|row| row.billed_seconds).sum();
            let whole = rounding.per == RoundingScope::Line;
            prop_assert_eq!(billed, if whole { tracked } else { line.billed_seconds });
            // With integers alone: thousandths of a unit × seconds / 36000 are cents.
            let mut rate = line.rate.get();
            rate.rescale(3);
            let product = rate.mantissa() * i128::from(line.billed_seconds);
            prop_assert_eq!(i128::from(line.amount.get()), (product + 18_000) / 36_000);
            if rounding.step_minutes > 0 {
                prop_assert_eq!(line.billed_seconds % (i64::from(rounding.step_minutes) * 60), 0);
            }
            net += line.amount.get();
            charged += line.tracked_seconds;
        }
        let totals = &s.totals;
        prop_assert_eq!(totals.net.get(), net);
        prop_assert_eq!(totals.vat.as_ref().unwrap().amount.get(), (net * 19 + 50) / 100);
        prop_assert_eq!(totals.gross.get(), net + (net * 19 + 50) / 100);
        prop_assert_eq!(totals.tracked_seconds, inside);
        prop_assert_eq!(totals.tracked_seconds, charged + totals.non_billable_seconds);
        let billed: i64 = s.lines.iter().map(|l| l.billed_seconds).sum();
        prop_assert_eq!(totals.billed_seconds, billed);
        for row in &s.entries {
            let id = WorkId(row.work[1..].parse().unwrap());
            prop_assert_eq!(draft.line_of.get(&id).copied(), row.line);
        }
    }

    #[test]
    fn the_order_of_the_works_does_not_matter(
        works in works().prop_shuffle(),
        rounding in rounding(),
        group_by in grouping(),
    ) {
        let acme = agreed(rounding, group_by, 5900);
        let compute = |works: &[Work]| {
            let issuer = Party::default();
            statements(&acme, month("2026-10"), works, &[], &task_of, &issuer, &[])
        };
        let mut sorted = works.clone();
        sorted.sort_by_key(|work| work.id);
        let mut twice = works.clone();
        twice.extend(works.iter().cloned());
        prop_assert_eq!(compute(&works), compute(&sorted));
        prop_assert_eq!(compute(&twice), compute(&sorted), "a work given twice counts once");
    }
}
