//! Which data comes from where, and what people do.

use stundenbuch_connectors::kind::{Changes, Deletions};
use stundenbuch_connectors::record::Stream;
use stundenbuch_connectors::secret::SecretRef;

use super::facts::Facts;
use super::writer::Writer;
use crate::config::{Connection, PlainValue, SettingValue};

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Quellen, Ziele und Bedienung", "Sources, targets and use");
    w.section("Quellen und Ziele", "Sources and targets");
    w.text(
        "Jede Verbindung ist ein Konto bei einem Dienst oder ein Verzeichnis. Gelesen wird nur, \
         was in der Tabelle steht. Zugangsdaten stehen nie in der Konfiguration, sondern nur der \
         Ort, an dem sie hinterlegt sind.",
        "A connection is an account at a service, or a directory. Nothing is read but what the \
         table says. Credentials are never in the configuration, only the place where they are \
         kept.",
    );
    let connections = facts.config.connections.iter();
    let rows: Vec<Vec<String>> = connections.map(|it| connection(w, it)).collect();
    w.table(
        &[
            ("Verbindung", "Connection", 2),
            ("Dienst", "Service", 2),
            ("gelesen wird", "What is read", 4),
            ("geliefert wird", "What is delivered", 2),
            ("Einstellungen", "Settings", 4),
        ],
        rows,
        (
            "Es ist keine Verbindung eingerichtet; Daten kommen nur aus importierten Dateien.",
            "There is no connection; data comes from imported files only.",
        ),
    );
    imports(w, facts);
    people(w);
}

fn connection(w: &Writer, connection: &Connection) -> Vec<String> {
    let kind = connection.entry.kind;
    let streams = kind.streams.iter().map(|declared| {
        format!(
            "{}: {}, {}",
            stream(w, declared.stream),
            changes(w, declared.changes),
            deletions(w, declared.deletions)
        )
    });
    let delivers = match kind.delivers {
        [] => "–",
        _ => w.pick("Dokumente (Dateien)", "documents (files)"),
    };
    let settings = connection.settings.iter().map(|(key, value)| {
        let value = match value {
            SettingValue::Secret(SecretRef::Credential(name)) => {
                w.pick(format!("hinterlegt als {name}"), format!("kept as {name}"))
            }
            SettingValue::Secret(SecretRef::File(path)) => w.pick(
                format!("hinterlegt in {}", path.display()),
                format!("kept in {}", path.display()),
            ),
            SettingValue::Secret(SecretRef::Env(name)) => w.pick(
                format!("hinterlegt in der Variablen {name}"),
                format!("kept in the variable {name}"),
            ),
            SettingValue::Plain(plain) => plain_text(plain),
        };
        format!("{key}: {value}")
    });
    vec![
        connection.name.clone(),
        match kind.name {
            "folder" => w.pick("Verzeichnis", "directory").to_owned(),
            _ => kind.title.to_owned(),
        },
        streams.collect::<Vec<_>>().join("\n"),
        delivers.to_owned(),
        settings.collect::<Vec<_>>().join("\n"),
    ]
}

fn plain_text(value: &PlainValue) -> String {
    match value {
        PlainValue::Text(text) | PlainValue::Url(text) => text.clone(),
        PlainValue::Path(path) => path.display().to_string(),
        PlainValue::Date(day) => day.to_string(),
        PlainValue::Count(count) => count.to_string(),
        PlainValue::Flag(flag) => flag.to_string(),
        PlainValue::Texts(texts) => texts.join(", "),
    }
}

fn stream(w: &Writer, stream: Stream) -> &'static str {
    match stream {
        Stream::Time => w.pick("Zeiteinträge", "time entries"),
        Stream::Tasks => w.pick("Aufgaben", "tasks"),
        Stream::Activity => w.pick("Vorgänge an Aufgaben", "activity on tasks"),
        Stream::Files => w.pick(
            "Dateien (Name, Größe, Änderungszeit)",
            "files (name, size, time)",
        ),
        Stream::People => w.pick("Personen", "people"),
        Stream::Projects => w.pick("Projekte", "projects"),
        Stream::Expenses => w.pick("Auslagen", "expenses"),
    }
}

fn changes(w: &Writer, changes: Changes) -> &'static str {
    match changes {
        Changes::Since => w.pick(
            "Änderungen seit dem letzten Abruf",
            "changes since the last pull",
        ),
        Changes::Snapshot => w.pick(
            "vollständig, wo sich etwas geändert hat",
            "all of it, where something changed",
        ),
        Changes::Listing => w.pick("jedes Mal vollständig", "all of it each time"),
    }
}

fn deletions(w: &Writer, deletions: Deletions) -> &'static str {
    match deletions {
        Deletions::Tombstone => w.pick(
            "Löschungen meldet der Dienst",
            "the service tells deletions",
        ),
        Deletions::ConfirmedAbsence => w.pick(
            "Löschungen durch Fehlen in vollständiger Liste und zweite Nachfrage",
            "deletions by absence from a whole listing and a second look",
        ),
        Deletions::Never => w.pick(
            "Löschungen werden nicht übernommen",
            "deletions are not taken",
        ),
    }
}

fn imports(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Importierte Dateien", "Imported files");
    w.text(
        "Exporte anderer Programme können eingelesen werden. Dieselbe Datei zweimal eingelesen \
         ändert nichts. Dateien, die diesen Mustern entsprechen, werden nachts von selbst \
         übernommen:",
        "Exports of other programs can be read. The same file read twice changes nothing. Files \
         of these patterns are taken by themselves at night:",
    );
    let rules = facts.config.imports.iter().map(|rule| {
        vec![
            rule.connection.clone(),
            rule.pattern.clone(),
            rule.format
                .clone()
                .unwrap_or_else(|| w.pick("aus der Datei erkannt", "from the file").to_owned()),
            rule.time_zone.to_string(),
        ]
    });
    let rules = rules.collect();
    w.table(
        &[
            ("Verbindung", "Connection", 2),
            ("Muster", "Pattern", 3),
            ("Format", "Format", 3),
            ("Zeitzone", "Time zone", 2),
        ],
        rules,
        ("Es ist kein Muster eingerichtet.", "There is no pattern."),
    );
}

fn people(w: &mut Writer) {
    w.section("Tätigkeiten von Personen", "What people do");
    w.list(&[
        (
            "Befunde durchsehen (`stundenbuch findings`) und an der Quelle berichtigen oder \
             zuordnen (`stundenbuch match`). Zuordnungen stehen als Entscheidung im Journal.",
            "Look through the findings (`stundenbuch findings`) and mend them at the source, or \
             say which task is meant (`stundenbuch match`). The journal has these decisions.",
        ),
        (
            "Entwurf prüfen (`stundenbuch statement preview`) und festschreiben (`stundenbuch \
             statement seal`).",
            "Check the draft (`stundenbuch statement preview`) and seal it (`stundenbuch \
             statement seal`).",
        ),
        (
            "Änderungen abgerechneter Zeiten beurteilen: Sie werden als Befund mit der Differenz \
             gemeldet; die festgeschriebene Abrechnung bleibt, wie sie ist. Berichtigt wird \
             durch eine Korrektur in einer späteren Abrechnung oder durch eine Stornierung, \
             beides eigene Zeilen des Journals.",
            "Judge changes of billed hours: they are told as findings with their difference, and \
             the sealed statement stays as it is. It is put right by a correction on a later \
             statement or by a cancellation, both rows of the journal of their own.",
        ),
        (
            "Nachvollziehen: `stundenbuch explain` führt von jedem Betrag zum empfangenen \
             Datensatz und zurück; mit `--as-of` zeigen die Auswertungen, was an einem früheren \
             Tag bekannt war.",
            "Trace: `stundenbuch explain` leads from each amount to the received record and \
             back; with `--as-of` reports show what was known on an earlier day.",
        ),
    ]);
    w.gap(
        "Wie und wann Zeiten erfasst werden (laufend, täglich), wer die Erfassung prüft, wer \
         Abrechnungen freigibt, in welchen Abständen die Befunde durchgesehen werden.",
        "How and when hours are recorded (as they pass, daily), who checks them, who releases \
         statements, how often the findings are looked through.",
    );
}
