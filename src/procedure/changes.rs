//! The history of the configuration, from the ledger.

use super::facts::{Change, Facts};
use super::writer::Writer;

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Änderungshistorie", "History of changes");
    w.text(
        "Jede Änderung der Konfiguration steht mit ihrem Zeitpunkt im Journal, sobald das \
         Programm mit ihr gearbeitet hat. Die Tabelle nennt, was sich geändert hat; die \
         vollständigen Fassungen enthält der Prüfungsexport (configuration.csv).",
        "Each change of the configuration is in the journal with its time as soon as the program \
         has worked with it. The table names what changed; the auditor's export has the whole \
         versions (configuration.csv).",
    );
    if !facts.unrecorded.is_empty() {
        let parts = facts.unrecorded.iter().map(|name| part(w, name));
        let parts = parts.collect::<Vec<_>>().join(", ");
        w.text(
            &format!(
                "Noch nicht im Journal, weil das Programm seit der Änderung nicht gelaufen ist: \
                 {parts}."
            ),
            &format!(
                "Not in the ledger yet, because the program has not run since the change: {parts}."
            ),
        );
    }
    let rows = facts.changes.iter().map(|change| {
        vec![
            w.instant(change.at, facts),
            change.row.to_string(),
            part(w, &change.part),
            what(w, change),
        ]
    });
    let rows = rows.collect();
    w.table(
        &[
            ("Zeitpunkt", "When", 3),
            ("Zeile", "Row", 1),
            ("Teil", "Part", 3),
            ("Änderung", "Change", 7),
        ],
        rows,
        (
            "Das Journal enthält noch keine Konfiguration.",
            "The ledger has no configuration yet.",
        ),
    );
}

fn part(w: &Writer, part: &str) -> String {
    if let Some(key) = part.strip_prefix("client/") {
        return w.pick(format!("Kunde {key}"), format!("client {key}"));
    }
    if let Some(name) = part.strip_prefix("connection/") {
        return w.pick(format!("Verbindung {name}"), format!("connection {name}"));
    }
    match part {
        "general" => w.pick("Allgemeines", "general").to_owned(),
        "template" => w
            .pick("Layout der Dokumente", "layout of documents")
            .to_owned(),
        other => other.to_owned(),
    }
}

fn what(w: &Writer, change: &Change) -> String {
    if change.gone {
        return w.pick("entfallen", "gone").to_owned();
    }
    if change.first {
        return w.pick("neu", "new").to_owned();
    }
    if change.what.is_empty() {
        return w
            .pick(
                "andere Zeile in der Datei oder andere Programmversion",
                "another line of the file, or another version of the program",
            )
            .to_owned();
    }
    let each = change.what.iter().map(|(key, old, new)| {
        let none = || "–".to_owned();
        format!(
            "{key}: {} → {}",
            old.clone().unwrap_or_else(none),
            new.clone().unwrap_or_else(none)
        )
    });
    each.collect::<Vec<_>>().join("\n")
}
