//! The program, where it keeps what, and how that is proved.

use super::facts::Facts;
use super::writer::Writer;

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Technische Dokumentation", "Technical description");
    program(w, facts);
    storage(w, facts);
    controls(w, facts);
}

fn program(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Programm und Versionen", "Program and versions");
    w.text(
        "Stundenbuch ist ein einzelnes Programm ohne Datenbankserver. Seine Beschreibung für \
         Betreiber und das Format des Journals gehören zum Programm (docs/operations.md, \
         docs/ledger.md) und sind Teil dieser Dokumentation. Folgende Versionen haben in dieses \
         Journal geschrieben:",
        "Stundenbuch is a single program without a database server. Its description for \
         operators and the format of the ledger come with the program (docs/operations.md, \
         docs/ledger.md) and are part of this description. These versions have written to this \
         ledger:",
    );
    let rows = facts.programs.iter();
    let rows = rows.map(|(program, since)| vec![program.clone(), w.instant(*since, facts)]);
    w.table(
        &[("Version", "Version", 2), ("seit", "since", 4)],
        rows.collect(),
        ("Keine.", "None."),
    );
    w.gap(
        "Rechner, Betriebssystem, Standort; wer das Programm wie aktualisiert und wie eine neue \
         Version vor dem Einsatz geprüft wird.",
        "The machine, its operating system and place; who brings the program up to date, how, \
         and how a new version is tried before it is used.",
    );
}

fn storage(w: &mut Writer, facts: &Facts<'_>) {
    w.section(
        "Speicherung und Unveränderbarkeit",
        "Storage and immutability",
    );
    let (file, rows) = (facts.config.ledger.display(), facts.head.seq);
    w.text(
        &format!(
            "Alle Daten liegen in einer Datei ({file}) auf diesem Rechner, die nur ihr Besitzer \
             lesen kann. Kern ist das Journal mit derzeit {rows} Zeilen, in das nur angefügt \
             wird: empfangene Stände, Löschungen der Quellen, Entscheidungen, festgeschriebene \
             Abrechnungen, Korrekturen, Stornierungen, Zustellungen und Änderungen der \
             Konfiguration. Eine Änderung ist immer eine neue Zeile; der frühere Stand bleibt \
             feststellbar."
        ),
        &format!(
            "All data lies in one file ({file}) on this machine that its owner alone can read. \
             Its core is the journal, at present {rows} rows, to which is only ever appended: \
             states that were received, deletions at the sources, decisions, sealed statements, \
             corrections, cancellations, deliveries, and changes of the configuration. A change \
             is always a new row; what was there before can still be found."
        ),
    );
    w.list(&[
        (
            "Jede Zeile enthält eine Prüfsumme (SHA-256) über sich und die Zeile davor. Eine \
             nachträglich geänderte, entfernte oder vertauschte Zeile fällt bei der Prüfung auf \
             (`stundenbuch ledger verify`).",
            "Each row has a hash (SHA-256) of itself and the row before. A row that is changed, \
             removed or moved afterwards is found by verification (`stundenbuch ledger verify`).",
        ),
        (
            "Das Ende der Kette ist auf jedem Dokument gedruckt. Damit lässt sich auch erkennen, \
             dass Zeilen am Ende fehlen oder die ganze Kette neu berechnet wurde.",
            "The end of the chain is printed on every document. So it can also be seen when rows \
             at the end are missing, or when the whole chain was computed anew.",
        ),
        (
            "Nach jeder Änderung wird das Ende der Kette außerdem in einer Datei neben der \
             Datenbank festgehalten, auf Wunsch auch auf einem anderen Datenträger. Wird eine \
             ältere Kopie der Datenbank eingespielt, fällt das auf, bevor etwas abgerechnet \
             oder ausgeliefert wird.",
            "After every change, the end of the chain is also kept in a file beside the \
             database, and on another disk if that is configured. An older copy of the database \
             that is put back is noticed before anything is sealed or delivered.",
        ),
        (
            "Empfangene Datensätze werden im Wortlaut aufbewahrt und sind durch ihre Prüfsumme \
             im Journal gesichert.",
            "Received records are kept word for word, and the hash in the journal secures them.",
        ),
        (
            "Der aktuelle Stand, Zuordnungen und Befunde werden aus dem Journal berechnet und \
             lassen sich neu berechnen (`stundenbuch ledger rebuild`).",
            "The current state, matches and findings are computed from the journal and can be \
             computed anew (`stundenbuch ledger rebuild`).",
        ),
    ]);
}

fn controls(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Kontrollen", "Controls");
    let checks = &facts.config.checks;
    let minutes = |seconds: i64| format!("{}:{:02}", seconds / 3600, seconds / 60 % 60);
    let (long, timer, overlap) = (
        minutes(checks.long_entry_seconds),
        minutes(checks.long_timer_seconds),
        minutes(checks.overlap_seconds),
    );
    w.text(
        "Das Programm prüft bei jedem Lauf und meldet als Befund, was nicht zusammenpasst. Kein \
         Befund ändert Daten von selbst.",
        "With each run the program checks and tells as a finding what does not add up. No \
         finding changes data by itself.",
    );
    let items = [
        (
            format!(
                "Zeiteinträge: Überschneidungen ab {overlap} h, Einträge über {long} h, \
                 Stoppuhren, die länger als {timer} h laufen, leere und negative Zeiten, \
                 fehlende Beschreibung."
            ),
            format!(
                "Entries: overlaps from {overlap} h, entries above {long} h, timers that run \
                 longer than {timer} h, empty and negative times, no description."
            ),
        ),
        (
            "Zuordnung: Arbeit ohne Kunden, Vertrag, Projekt oder eindeutige Aufgabe; erledigte \
             Aufgaben ohne Zeit; Zeit auf archivierten Aufgaben; mögliche Doppelerfassung."
                .to_owned(),
            "Matching: work without client, contract, project or a certain task; tasks done \
             without time; time on archived tasks; possible duplicates."
                .to_owned(),
        ),
        (
            "Abgerechnetes: nachträglich geänderte oder gelöschte Einträge mit Zeit- und \
             Geldbetrag der Differenz; Arbeit, die nach der Festschreibung eines Zeitraums \
             dazukam."
                .to_owned(),
            "What was billed: entries that were changed or deleted afterwards, with the \
             difference in time and money; work that came after its period was sealed."
                .to_owned(),
        ),
        (
            "Quellen: fehlgeschlagene Abrufe, auffällig viele fehlende Datensätze (sie werden \
             nicht als gelöscht übernommen, bis eine Person zustimmt), nicht lesbare Datensätze, \
             abgelehnte Dateien."
                .to_owned(),
            "Sources: pulls that failed, suspiciously many missing records (not taken as deleted \
             until a person agrees), records that cannot be read, refused files."
                .to_owned(),
        ),
        (
            "Zustellung: gescheiterte Lieferungen, vorgefundene fremde Dateien am Ziel.".to_owned(),
            "Delivery: failed deliveries, other files found at the target.".to_owned(),
        ),
    ];
    let items: Vec<(&str, &str)> = items
        .iter()
        .map(|(de, en)| (de.as_str(), en.as_str()))
        .collect();
    w.list(&items);
    w.gap(
        "In welchen Abständen die Kette geprüft und ihr Ende außerhalb des Rechners festgehalten \
         wird; wie Befunde und ihre Erledigung dokumentiert werden; weitere Kontrollen im \
         Betrieb.",
        "How often the chain is verified and its end kept outside of the machine; how findings \
         and what became of them are documented; other controls in the business.",
    );
}
