//! The procedure description says what is configured, what was, and what a person must add.

use std::fs;
use std::process::Command;

use super::commands::{CONFIG, Desk, text};

fn markdown(desk: &Desk, more: &[&str]) -> String {
    let args = [&["procedure"], more].concat();
    String::from_utf8(desk.fine(&args).stdout).unwrap()
}

/// A desk whose rate was changed, and whose second client came later.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    desk.fine(&["statement", "seal", "mueller", "-p", "2026-02"]);
    let changed = CONFIG.replace("rate = \"59.00\"", "rate = \"70.00\"\ngroup_by = \"task\"");
    let more = "[clients.zwei]\nname = \"Zwei | *Fett* GmbH\"\n\
                [connections.toggl]\nconnector = \"toggl\"\n\
                token = { env = \"TOGGL_TOKEN\" }\n";
    desk.write("stundenbuch.toml", &format!("{changed}\n{more}"));
    desk.fine(&["reconcile"]);
    desk
}

#[test]
fn the_description_follows_the_configuration_and_its_history() {
    let desk = desk();
    let german = markdown(&desk, &[]);
    let english = markdown(&desk, &["--language", "en"]);
    for said in [
        "# Verfahrensdokumentation\n\n**Jana Albers**",
        "| Steuernummer | 232/123/45678 |",
        "Müller & Söhne GmbH (mueller)",
        "70,00 EUR \\[stundenbuch.toml:",
        "kaufmännisch auf volle Minuten gerundet, je Position",
        "19 %",
        "je Aufgabe",
        "hinterlegt in der Variablen TOGGL\\_TOKEN",
        "Änderungen seit dem letzten Abruf",
        "Muster „R-{0000}“",
        "Bisher festgeschrieben: 1, von R-0001 bis R-0001.",
        "contracts\\[0\\].rate: 59.00 → 70.00",
        "contracts\\[0\\].group\\_by: – → task",
        "| Kunde zwei | neu |",
        "Zwei \\| \\*Fett\\* GmbH",
        "> **Von Hand zu ergänzen:** ",
        "stundenbuch 0.1.0",
    ] {
        assert!(german.contains(said), "{said} is not in:\n{german}");
    }
    for said in [
        "# Procedure description",
        "rounded to the nearest minute, per line",
        "kept in the variable TOGGL\\_TOKEN",
        "contracts\\[0\\].rate: 59.00 → 70.00",
        "> **To be filled in:** ",
    ] {
        assert!(english.contains(said), "{said} is not in:\n{english}");
    }
    // The same chapters in both languages, and nothing of the other one.
    let shape = |text: &str| -> Vec<String> {
        let words = text.lines().filter_map(|line| line.split(' ').next());
        let marks = words.filter(|word| ["##", "###", "-", ">", "|"].contains(word));
        marks.map(str::to_owned).collect()
    };
    assert_eq!(shape(&german), shape(&english));
    assert!(!english.contains("Rundung") && !german.contains("rounded"));
    assert_eq!(markdown(&desk, &[]), german, "the same each time");
}

#[test]
fn what_is_not_recorded_yet_is_said() {
    let desk = desk();
    assert!(!markdown(&desk, &[]).contains("Noch nicht im Journal"));
    let text = fs::read_to_string(desk.path("stundenbuch.toml")).unwrap();
    desk.write("stundenbuch.toml", &text.replace("Zwei |", "Drei |"));
    let said = "weil das Programm seit der Änderung nicht gelaufen ist: Kunde zwei.";
    assert!(markdown(&desk, &[]).contains(said));
}

#[test]
fn the_description_of_then_is_the_one_that_was_written_then() {
    let desk = Desk::new();
    desk.fine(&["import", "first.csv"]);
    let then = markdown(&desk, &[]);
    let at = text(desk.written());
    desk.write("stundenbuch.toml", &CONFIG.replace("59.00", "70.00"));
    desk.fine(&["import", "second.csv"]);
    assert_ne!(markdown(&desk, &[]), then);
    assert_eq!(markdown(&desk, &["--as-of", &at]), then);
}

#[test]
fn the_pdf_says_what_the_text_says() {
    let desk = desk();
    for language in ["de", "en"] {
        let file = format!("{language}.pdf");
        desk.fine(&[
            "procedure",
            "--language",
            language,
            "--format",
            "pdf",
            "-o",
            &file,
        ]);
        let bytes = fs::read(desk.path(&file)).unwrap();
        assert!(bytes.starts_with(b"%PDF-"));
        desk.fine(&[
            "procedure",
            "--language",
            language,
            "--format",
            "pdf",
            "-o",
            "again.pdf",
        ]);
        assert!(
            bytes == fs::read(desk.path("again.pdf")).unwrap(),
            "the same bytes"
        );
        let output = Command::new("pdftotext")
            .args(["-layout", &file, "-"])
            .current_dir(desk.0.path())
            .output();
        let Ok(output) = output else {
            println!("SKIPPED: there is no pdftotext");
            return;
        };
        let text = String::from_utf8(output.stdout).unwrap();
        for said in [
            "Jana Albers",
            "Zwei | *Fett* GmbH",
            "59.00 → 70.00",
            "232/123/45678",
        ] {
            assert!(text.contains(said), "{said} is not in:\n{text}");
        }
    }
}
