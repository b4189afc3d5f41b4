//! The time report as PDF, read back with other people's tools where they are installed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use stundenbuch::billing::{Language, Statement};
use stundenbuch::clock::{Clock as _, SystemClock};
use stundenbuch::render::{BUILT_IN_TEMPLATE, Format, RenderError, render};

use super::sample::{self, HOSTILE};

fn pdf(statement: &Statement) -> Vec<u8> {
    render(statement, Format::Pdf, None).unwrap().bytes
}

/// The text of a PDF, or none (said aloud) where poppler is not installed.
fn text_of(pdf: &[u8]) -> Option<String> {
    let child = Command::new("pdftotext")
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("SKIPPED: pdftotext (poppler-utils) is not installed, the PDF was not read");
        return None;
    };
    child.stdin.take().unwrap().write_all(pdf).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The last number on the line that starts with a label, in cents, whatever the language.
fn cents_after(text: &str, label: &str) -> i64 {
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(label));
    let line = line.unwrap_or_else(|| panic!("no line `{label}` in:\n{text}"));
    let rest = line.trim_start().trim_start_matches(label);
    let rest = rest.rsplit_once('%').map_or(rest, |(_, rest)| rest);
    let digits: String = rest.chars().filter(char::is_ascii_digit).collect();
    let cents: i64 = digits.parse().unwrap();
    if rest.contains('\u{2212}') {
        -cents
    } else {
        cents
    }
}

/// The seconds of the last `h:mm` or `h:mm:ss` on a line.
fn seconds_after(text: &str, label: &str) -> i64 {
    let line = text
        .lines()
        .rfind(|line| line.trim_start().starts_with(label))
        .unwrap();
    let clock = line
        .split_whitespace()
        .rfind(|word| word.contains(':'))
        .unwrap();
    let mut parts = clock.split(':').map(|part| part.parse::<i64>().unwrap());
    let (hours, minutes) = (parts.next().unwrap(), parts.next().unwrap());
    hours * 3600 + minutes * 60 + parts.next().unwrap_or(0)
}

fn check_totals(statement: &Statement) {
    let Some(text) = text_of(&pdf(statement)) else {
        return;
    };
    let totals = &statement.totals;
    let german = statement.language == Language::De;
    let label = |de, en| if german { de } else { en };
    let (net, gross) = (
        label("Summe netto", "Net total"),
        label("Gesamtbetrag", "Total"),
    );
    match &totals.vat {
        None => assert_eq!(cents_after(&text, net), totals.net.get()),
        Some(vat) if vat.rate.is_zero() => {
            assert_eq!(cents_after(&text, gross), totals.gross.get());
            assert!(
                !text.contains("0 %") && !text.contains("0%"),
                "no tax is no rate of zero"
            );
        }
        Some(vat) => {
            assert_eq!(cents_after(&text, net), totals.net.get());
            assert_eq!(
                cents_after(&text, label("Umsatzsteuer", "VAT 1")),
                vat.amount.get()
            );
            assert_eq!(cents_after(&text, gross), totals.gross.get());
        }
    }
    if !statement.entries.is_empty() {
        let charged = label("Berechnete Zeit", "Time charged");
        assert_eq!(seconds_after(&text, charged), totals.billed_seconds);
        let tracked = label("Erfasste Zeit", "Time tracked");
        assert_eq!(seconds_after(&text, tracked), totals.tracked_seconds);
    }
}

#[test]
fn totals_read_back_from_the_page_are_those_of_the_statement() {
    for language in [Language::De, Language::En] {
        for vat in [None, Some("0"), Some("19")] {
            let mut statement = sample::busy(language, 40);
            sample::add_up(&mut statement, vat);
            check_totals(&statement);
        }
    }
}

/// Any Unicode, in any place: no panic, no error, and the same bytes twice.
#[test]
fn any_statement_becomes_a_pdf() {
    let mut runner = TestRunner::new(Config {
        cases: 24,
        ..Config::default()
    });
    let result = runner.run(&sample::random(8), |statement| {
        let first = pdf(&statement);
        prop_assert!(first.starts_with(b"%PDF-1.7"));
        prop_assert!(first == pdf(&statement), "the second rendering differs");
        Ok(())
    });
    result.unwrap();
}

#[test]
fn markup_is_printed_and_not_executed() {
    let entries = HOSTILE.iter().zip(1..).map(|(text, day)| {
        let mut entry = sample::entry(day, 9, 30, Some(1));
        (*text).clone_into(&mut entry.task.as_mut().unwrap().title);
        entry.description = format!("{text} {text}");
        entry.project = Some((*text).to_owned());
        entry
    });
    let mut statement = sample::statement(Language::De, entries.collect());
    statement.lines[0].title = HOSTILE[0].to_owned();
    statement.client.name = HOSTILE[1].to_owned();
    statement.notes = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    let Some(text) = text_of(&pdf(&statement)) else {
        return;
    };
    for literal in &HOSTILE[..5] {
        // Poppler reads a grave accent as one that belongs to the next letter.
        let literal = literal.trim_end_matches(" `raw`");
        assert!(
            text.contains(literal),
            "{literal} is not shown as it is:\n{text}"
        );
    }
    // As a position, a note, a project, a task, and twice in a description.
    assert_eq!(text.matches(HOSTILE[0]).count(), 6, "{text}");
    assert!(!text.contains("root:"), "a file was read");
    let harmless = "00,999 €";
    assert!(text.contains(harmless), "{text}");
}

#[test]
fn a_draft_says_so_and_a_sealed_one_does_not() {
    let statement = sample::busy(Language::De, 5);
    let Some(sealed) = text_of(&pdf(&statement)) else {
        return;
    };
    assert!(!sealed.to_lowercase().contains("entwurf:"), "{sealed}");
    assert!(sealed.contains("2026-0007") && sealed.contains("18342:9f2c4e1ab07d55c8"));
    let draft = text_of(&pdf(&sample::draft(statement))).unwrap();
    assert!(
        draft.contains("Entwurf: Der Zeitraum ist noch nicht abgeschlossen"),
        "{draft}"
    );
}

#[test]
fn the_doubled_hour_is_told_apart() {
    let mut entry = sample::entry(25, 1, 60, Some(1));
    entry.start = Some(sample::at("2026-10-25T02:30:00+02:00"));
    entry.stop = Some(sample::at("2026-10-25T02:30:00+01:00"));
    let statement = sample::statement(Language::De, vec![entry]);
    let Some(text) = text_of(&pdf(&statement)) else {
        return;
    };
    assert!(
        text.contains("02:30 (MESZ)–") && text.contains("02:30 (MEZ)"),
        "{text}"
    );
}

#[test]
fn long_reports_have_a_header_and_a_number_on_each_page() {
    let statement = sample::busy(Language::De, 200);
    let Some(text) = text_of(&pdf(&statement)) else {
        return;
    };
    let pages: Vec<&str> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert!(pages.len() > 3, "{} pages", pages.len());
    for (page, number) in pages.iter().zip(1..) {
        assert!(
            page.contains(&format!("Seite {number} von {}", pages.len())),
            "{page}"
        );
        assert!(
            page.contains("Von–bis"),
            "page {number} has no header of the table"
        );
    }
}

/// Rows are kept on one page; those that fit on none are divided, and nothing is cut off.
#[test]
fn texts_longer_than_a_page_are_shown_to_the_end() {
    let long = |words: usize| format!("{}Ende{words}.", "lange Rede ".repeat(words));
    let mut entry = sample::entry(5, 9, 30, Some(1));
    entry.description = long(2001);
    entry.task.as_mut().unwrap().title = long(502);
    let mut other = sample::entry(5, 11, 30, Some(1));
    other.person = Some(long(403));
    other.description = "Zeile\n".repeat(304) + "Ende304.";
    let mut statement = sample::statement(Language::De, vec![entry, other]);
    statement.lines[0].title = long(505);
    statement.notes.push(long(606));
    statement.client.address = vec!["Hof 7".to_owned(); 12];
    let Some(text) = text_of(&pdf(&statement)) else {
        return;
    };
    for words in [2001, 502, 403, 304, 505, 606] {
        let ending = format!("Ende{words}.");
        assert!(text.contains(&ending), "{ending} is cut off");
    }
}

fn problem(template: &str) -> String {
    let statement = sample::busy(Language::De, 1);
    match render(&statement, Format::Pdf, Some(template)) {
        Err(error @ RenderError::Template(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_broken_template_says_where_and_why() {
    let text = problem("= Titel\n#let a = 1\n  #nummer");
    assert_eq!(
        text,
        "lay out the report: report.typ:3:4: unknown variable: nummer"
    );
    let text = problem("#let x = (1, 2\nHallo");
    assert!(
        text.contains("report.typ:1:10: unclosed delimiter"),
        "{text}"
    );
    let text = problem("#let data = json(\"data.json\")\n#data.isuer.name");
    assert!(
        text.contains("report.typ:2:7") && text.contains("isuer"),
        "{text}"
    );
    let text = problem("#let kebab = 1\n#(kebab-case)");
    assert!(
        text.contains("report.typ:2:3") && text.contains("(hint: "),
        "{text}"
    );
}

#[test]
fn a_template_reaches_no_file_and_no_package() {
    for reach in [
        "#read(\"/etc/passwd\")",
        "#image(\"logo.png\")",
        "#include \"other.typ\"",
        "#import \"@preview/tablex:0.0.9\": *",
    ] {
        let text = problem(reach);
        assert!(
            text.contains("can read `data.json` and no other file"),
            "{text}"
        );
    }
}

#[test]
fn a_template_of_ones_own_is_used_and_knows_the_date() {
    let statement = sample::busy(Language::De, 1);
    let template = "#let data = json(\"data.json\")\n\
        #data.client.name / #datetime.today().display()";
    let bytes = render(&statement, Format::Pdf, Some(template))
        .unwrap()
        .bytes;
    let Some(text) = text_of(&bytes) else { return };
    assert_eq!(
        text.lines().next().unwrap().trim(),
        "Müller & Söhne Haustechnik GmbH / 2026-11-02"
    );
}

#[test]
fn an_endless_template_is_stopped() {
    let text = problem("#let i = 0\n#while i >= 0 { i += 1 }");
    assert!(text.contains("infinite"), "{text}");
    let text = problem("#let f(x) = f(x)\n#f(1)");
    assert!(text.contains("depth"), "{text}");
}

/// PDF/A-3b by its own word, and sound by qpdf's.
#[test]
fn the_file_is_an_archive_pdf() {
    let bytes = pdf(&sample::busy(Language::De, 30));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("<pdfaid:part>3</pdfaid:part>"));
    assert!(text.contains("<pdfaid:conformance>B</pdfaid:conformance>"));
    assert!(
        text.contains("2026-11-02T08:15:30"),
        "the date is that of sealing"
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), &bytes).unwrap();
    match Command::new("qpdf")
        .arg("--check")
        .arg(file.path())
        .output()
    {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(_) => println!("SKIPPED: qpdf is not installed, the file was not checked"),
    }
}

/// Writes samples to look at: `STUNDENBUCH_RENDER_OUT=dir cargo test --test it preview`.
/// The template is read anew, so that a layout can be tried without compiling.
#[test]
fn preview() {
    let Some(out) = std::env::var_os("STUNDENBUCH_RENDER_OUT") else {
        return;
    };
    let root = env!("CARGO_MANIFEST_DIR");
    let template = std::fs::read_to_string(format!("{root}/config/templates/report.typ"));
    let template = template.unwrap_or_else(|_| BUILT_IN_TEMPLATE.to_owned());
    for (name, statement) in previews() {
        let begun = SystemClock.now();
        let rendered = render(&statement, Format::Pdf, Some(&template)).unwrap();
        println!(
            "{name}: {} ms",
            (SystemClock.now() - begun).num_milliseconds()
        );
        let path = std::path::Path::new(&out).join(format!("{name}.pdf"));
        std::fs::write(path, rendered.bytes).unwrap();
    }
}

fn previews() -> Vec<(&'static str, Statement)> {
    let hostile = HOSTILE.iter().zip(1..).map(|(text, day)| {
        let mut entry = sample::entry(day, 9, 30, Some(1));
        (*text).clone_into(&mut entry.task.as_mut().unwrap().title);
        entry.description = format!("{text} {text}");
        entry
    });
    let mut hostile = sample::statement(Language::De, hostile.collect());
    HOSTILE[0].clone_into(&mut hostile.lines[0].title);
    hostile.notes.push(HOSTILE[2].to_owned());
    let mut night = sample::entry(25, 1, 60, Some(1));
    night.start = Some(sample::at("2026-10-25T02:30:00+02:00"));
    night.stop = Some(sample::at("2026-10-25T02:15:00+01:00"));
    night.tracked_seconds = 2700;
    night.billed_seconds = 3600;
    let late = sample::entry(31, 22, 185, Some(1));
    let free = sample::entry(26, 10, 20, None);
    let third = sample::entry(26, 14, 20, Some(2));
    let mut rounded = sample::statement(Language::En, vec![night, free, third, late]);
    "CHF".clone_into(&mut rounded.currency);
    sample::add_up(&mut rounded, None);
    let mut small = sample::statement(Language::De, vec![sample::entry(5, 9, 90, Some(1))]);
    sample::add_up(&mut small, Some("0"));
    small
        .notes
        .push("Steuerbefreiung für Kleinunternehmer gemäß § 19 UStG.".to_owned());
    vec![
        ("one", small),
        ("de200", sample::busy(Language::De, 200)),
        ("en40draft", sample::draft(sample::busy(Language::En, 40))),
        ("hostile", hostile),
        ("rounded", rounded),
        (
            "empty",
            sample::draft(sample::statement(Language::De, Vec::new())),
        ),
        ("de2000", sample::busy(Language::De, 2000)),
    ]
}

#[test]
fn corrections_have_a_section_in_the_language_of_the_client() {
    for (language, words) in [
        (
            Language::De,
            [
                "Korrekturen",
                "2026-0003, Pos. 4",
                "Dauer: 2:30 h → 2:00 h",
                "Tag: 14.09.2026 → 15.09.2026",
                "berechnet: ja → nein",
            ],
        ),
        (
            Language::En,
            [
                "Corrections",
                "2026-0003, item 4",
                "duration: 2:30 h → 2:00 h",
                "day: 14 Sep 2026 → 15 Sep 2026",
                "charged: yes → no",
            ],
        ),
    ] {
        let Some(text) = text_of(&pdf(&sample::correcting(language))) else {
            return;
        };
        let text = text.replace('\u{a0}', " ");
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    }
    let plain = text_of(&pdf(&sample::busy(Language::De, 3))).unwrap();
    assert!(!plain.contains("Korrekturen"));
}
