//! Statements to render: computed like a real one, so lines and totals add up.

use chrono::{DateTime, FixedOffset, NaiveDate, TimeDelta};
use chrono_tz::Europe::Berlin;
use proptest::prelude::*;
use stundenbuch::billing::{
    Change, CorrectedWork, EntryRow, Field, Language, LedgerHead, Line, Party, SCHEMA, Statement,
    TaskRow, Totals, Vat,
};
use stundenbuch::money::{Cents, HourlyRate};
use stundenbuch::time::Period;

pub(crate) const RATES: [&str; 2] = ["59.00", "72.50"];

pub(crate) fn at(text: &str) -> DateTime<FixedOffset> {
    DateTime::parse_from_rfc3339(text).unwrap()
}

/// An entry of so many minutes on a day of October 2026, charged by a line.
pub(crate) fn entry(day: u32, hour: u32, minutes: i64, line: Option<u32>) -> EntryRow {
    let date = NaiveDate::from_ymd_opt(2026, 10, day).unwrap();
    let wall = date.and_hms_opt(hour, 5, 0).unwrap();
    let start = wall
        .and_local_timezone(Berlin)
        .earliest()
        .unwrap()
        .fixed_offset();
    EntryRow {
        work: format!("toggl:{day}-{hour}"),
        line,
        date,
        start: Some(start),
        stop: Some(start + TimeDelta::minutes(minutes)),
        person: Some("Jana Sommer".to_owned()),
        project: Some("Telefonservice".to_owned()),
        task: Some(TaskRow {
            title: "Rückrufe Handwerker".to_owned(),
            url: Some("https://example.com/c/4711".to_owned()),
        }),
        description: "Termine vereinbart und bestätigt".to_owned(),
        tracked_seconds: minutes * 60,
        billed_seconds: minutes * 60,
        billable: line.is_some(),
    }
}

/// A sealed statement of October 2026 with one line for each rate that an entry uses.
pub(crate) fn statement(language: Language, entries: Vec<EntryRow>) -> Statement {
    let german = language == Language::De;
    let text = |de: &str, en: &str| if german { de.to_owned() } else { en.to_owned() };
    let mut made = Statement {
        schema: SCHEMA.to_owned(),
        number: Some("2026-0007".to_owned()),
        sealed_at: Some("2026-11-02T08:15:30Z".parse().unwrap()),
        issued_on: Some("2026-11-02".parse().unwrap()),
        language,
        time_zone: "Europe/Berlin".to_owned(),
        issuer: issuer(),
        client: client(),
        client_key: "mueller".to_owned(),
        reference: Some(text("Bestellung 4500017", "PO 4500017")),
        period: "2026-10".parse::<Period>().unwrap(),
        currency: "EUR".to_owned(),
        rounding: text(
            "minutengenau, ohne Rundung",
            "to the minute, nothing rounded",
        ),
        lines: Vec::new(),
        entries,
        totals: Totals::default(),
        notes: vec![text(
            "Vielen Dank für die gute Zusammenarbeit.",
            "Thank you for your business.",
        )],
        ledger_head: Some(LedgerHead {
            seq: 18_342,
            hash: "9f2c4e1ab07d55c8".repeat(4),
        }),
        corrections: Vec::new(),
        cancels: None,
        cancelled_by: None,
    };
    add_up(&mut made, Some("19"));
    made
}

fn issuer() -> Party {
    Party {
        name: "Anna Beispiel Büroservice".to_owned(),
        address: vec!["Lindenstraße 12".to_owned(), "10969 Berlin".to_owned()],
        email: Some("anna@beispiel.example".to_owned()),
        phone: Some("+49 30 5550123".to_owned()),
        website: Some("beispiel.example".to_owned()),
        vat_id: Some("DE123456788".to_owned()),
        tax_number: None,
    }
}

fn client() -> Party {
    Party {
        name: "Müller & Söhne Haustechnik GmbH".to_owned(),
        address: vec![
            "Frau Dr. Petra Müller".to_owned(),
            "Hafenstraße 7".to_owned(),
            "20457 Hamburg".to_owned(),
        ],
        ..Party::default()
    }
}

/// Computes lines and totals from the entries, as billing would.
pub(crate) fn add_up(statement: &mut Statement, vat: Option<&str>) {
    let german = statement.language == Language::De;
    let titles = if german {
        [
            "Telefonservice und Terminplanung",
            "Buchhaltung, vorbereitend",
        ]
    } else {
        ["Telephone service and scheduling", "Bookkeeping support"]
    };
    let used = |position: u32| {
        statement
            .entries
            .iter()
            .filter(move |e| e.line == Some(position))
    };
    let sum = |entries: &[EntryRow], of: fn(&EntryRow) -> i64| entries.iter().map(of).sum::<i64>();
    let mut lines = Vec::new();
    for (position, (rate, title)) in (1u32..).zip(RATES.into_iter().zip(titles)) {
        if used(position).next().is_none() {
            continue;
        }
        let rate = HourlyRate::new(rate.parse().unwrap());
        let billed: i64 = used(position).map(|e| e.billed_seconds).sum();
        lines.push(Line {
            position,
            contract: "service-2026".to_owned(),
            title: title.to_owned(),
            tracked_seconds: used(position).map(|e| e.tracked_seconds).sum(),
            billed_seconds: billed,
            rate,
            amount: rate.price_of(billed).unwrap(),
            rate_rule: "contract".to_owned(),
        });
    }
    let net = Cents::new(lines.iter().map(|line| line.amount.get()).sum());
    let vat = vat.map(|rate| {
        let rate = rate.parse().unwrap();
        let amount = net.to_decimal() * rate / rust_decimal::Decimal::ONE_HUNDRED;
        Vat {
            rate,
            amount: Cents::round(amount).unwrap(),
        }
    });
    let tax = vat.as_ref().map_or(0, |vat| vat.amount.get());
    let unbilled: Vec<EntryRow> = statement
        .entries
        .iter()
        .filter(|e| e.line.is_none())
        .cloned()
        .collect();
    statement.totals = Totals {
        tracked_seconds: sum(&statement.entries, |e| e.tracked_seconds),
        billed_seconds: lines.iter().map(|line| line.billed_seconds).sum(),
        non_billable_seconds: sum(&unbilled, |e| e.tracked_seconds),
        net,
        vat,
        gross: Cents::new(net.get() + tax),
    };
    statement.lines = lines;
}

/// A statement that also corrects an earlier one: half an hour less, and an hour that was not
/// charged and still is not.
pub(crate) fn correcting(language: Language) -> Statement {
    let mut made = statement(language, vec![entry(5, 9, 60, Some(1))]);
    let rate = HourlyRate::new("59.00".parse().unwrap());
    made.lines.push(Line {
        position: 2,
        title: "Korrektur zu 2026-0003, Position 4: Telefonservice (14.09.2026)".to_owned(),
        tracked_seconds: -1800,
        billed_seconds: -1800,
        rate,
        amount: rate.price_of(-1800).unwrap(),
        ..made.lines[0].clone()
    });
    let change = |field, old: &str, new: &str| Change {
        field,
        old: old.to_owned(),
        new: new.to_owned(),
    };
    let work = |position, lines, tracked_seconds, changes| CorrectedWork {
        row: 4711,
        statement: "2026-0003".to_owned(),
        position,
        lines,
        work: "w12".to_owned(),
        date: NaiveDate::from_ymd_opt(2026, 9, 14).unwrap(),
        person: Some("Jana Sommer".to_owned()),
        project: Some("Telefonservice".to_owned()),
        description: "=Rückruf".to_owned(),
        changes,
        tracked_seconds,
    };
    let shorter = vec![
        change(Field::Duration, "2:30 h", "2:00 h"),
        change(Field::Day, "2026-09-14", "2026-09-15"),
        change(Field::Billable, "yes", "no"),
    ];
    let longer = vec![change(Field::Duration, "1:00 h", "2:00 h")];
    made.corrections = vec![
        work(Some(4), vec![2], -1800, shorter),
        work(None, Vec::new(), 3600, longer),
    ];
    // 59.00 − 29.50, and 19 % of that are 5.605.
    made.totals = Totals {
        tracked_seconds: 3600 - 1800 + 3600,
        billed_seconds: 1800,
        non_billable_seconds: 3600,
        net: Cents::new(2950),
        vat: Some(Vat {
            rate: "19".parse().unwrap(),
            amount: Cents::new(561),
        }),
        gross: Cents::new(3511),
    };
    made
}

pub(crate) fn draft(mut statement: Statement) -> Statement {
    statement.number = None;
    statement.sealed_at = None;
    statement.issued_on = None;
    statement
}

/// So many entries over the month, like a busy office writes them.
pub(crate) fn busy(language: Language, count: u32) -> Statement {
    const WORK: [(&str, &str, &str); 6] = [
        (
            "Telefonservice",
            "Rückrufe Handwerker",
            "Termine vereinbart und im Kalender bestätigt",
        ),
        ("Telefonservice", "Anrufannahme", ""),
        (
            "Büro",
            "Angebote Bad-Sanierung",
            "Drei Angebote geschrieben, Preise beim Großhandel \
            angefragt und die Unterlagen auf dem Laufwerk abgelegt",
        ),
        ("Büro", "Reisekosten September", "Belege sortiert"),
        (
            "Website",
            "Texte „Über uns“",
            "Entwurf überarbeitet; siehe \
            https://docs.example.com/d/1aB2cD3eF4gH5iJ6kL7mN8oP9qR/edit?usp=sharing#heading=h.x",
        ),
        (
            "Buchhaltung",
            "Belege Oktober 2026",
            "Kontoabgleich → 3 offene Posten geklärt ✓",
        ),
    ];
    let people = [
        "Jana Sommer",
        "Anna Beispiel",
        "Maximilian Oberhuber-Lindenthal",
    ];
    let entries = (0..count).map(|index| {
        let day = 1 + index * 31 / count;
        let hour = 7 + index % 12;
        let line = match index % 11 {
            0..=5 => Some(1),
            6..=9 => Some(2),
            _ => None,
        };
        let minutes = 5 + i64::from(index * 37 % 110);
        let mut entry = entry(day, hour, minutes, line);
        let (project, task, description) = WORK[(index as usize * 5 + index as usize / 7) % 6];
        entry.work = format!("toggl:{index}");
        entry.project = Some(project.to_owned());
        entry.task = (index % 5 != 4).then(|| TaskRow {
            title: task.to_owned(),
            url: Some(format!("https://example.com/c/{index}")),
        });
        description.clone_into(&mut entry.description);
        entry.person = Some(people[index as usize % people.len()].to_owned());
        entry
    });
    statement(language, entries.collect())
}

/// Texts that somebody could put into a title, to do harm or by accident.
pub(crate) const HOSTILE: [&str; 14] = [
    "#read(\"/etc/passwd\")",
    "*bold* _emphasis_ = heading -- ~",
    "$x^2$ and @ref and <label>",
    "#set page(fill: red); #panic(\"no\")",
    "]] #] \\ \" // comment /* open `raw`",
    "=HYPERLINK(\"http://evil.example\",\"x\")",
    "-1+1|cmd' /C calc'!A0",
    "@SUM(1;2)",
    "\t=1\r\n\"quoted\"; and, separated",
    "\u{202e}00,999 €\u{202c} \u{0}\u{1b}[31m\u{feff}",
    "שלום עולم 日本語 👩‍👩‍👧 👍🏽 🇩🇪 e\u{301}\u{323}\u{20dd}",
    "DonaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaftAG",
    "https://example.com/a/very/long/path?with=parameters&and=more#and_a_fragment_that_never_ends",
    "${7*7} {{7*7}} %s %n ../../..",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => prop::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        2 => "[a-zäöüß ,.;\"'=+-]{0,40}",
        1 => any::<String>(),
        1 => Just(String::new()),
    ]
}

fn random_entry() -> impl Strategy<Value = EntryRow> {
    let texts = (
        text(),
        text(),
        prop::option::of(text()),
        prop::option::of(text()),
    );
    let time = (1u32..=31, 0u32..=23, 0i64..50_000, 0i64..50_000);
    (time, texts, prop::option::of(1u32..=2), any::<bool>()).prop_map(
        |((day, hour, tracked, billed), texts, line, timed)| {
            let mut entry = entry(day, hour, 1, line);
            let (work, description, person, project) = texts;
            entry.work = work;
            entry.task = project.clone().map(|title| TaskRow {
                title,
                url: person.clone(),
            });
            entry.description = description;
            entry.person = person;
            entry.project = project;
            entry.tracked_seconds = tracked;
            entry.billed_seconds = if line.is_some() { billed } else { tracked };
            entry.stop = entry.start.map(|start| start + TimeDelta::seconds(tracked));
            if !timed {
                entry.start = None;
                entry.stop = None;
            }
            entry
        },
    )
}

/// Any statement that is consistent, with any text in it.
pub(crate) fn random(entries: usize) -> impl Strategy<Value = Statement> {
    let list = prop::collection::vec(random_entry(), 0..=entries);
    let language = prop::sample::select(vec![Language::De, Language::En]);
    let currency = prop::sample::select(vec!["EUR", "CHF", "USD"]);
    let vat = prop::sample::select(vec![None, Some("19"), Some("7"), Some("0")]);
    (list, language, currency, vat, any::<bool>(), text()).prop_map(
        |(mut list, language, currency, vat, sealed, title)| {
            list.sort_by_key(|entry| entry.date);
            let mut made = statement(language, list);
            currency.clone_into(&mut made.currency);
            add_up(&mut made, vat);
            made.client.name.clone_from(&title);
            made.notes.push(title.clone());
            if let Some(line) = made.lines.first_mut() {
                line.title = title;
            }
            if sealed { made } else { draft(made) }
        },
    )
}
