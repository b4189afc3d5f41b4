//! Running it: schedule, access, backup, retention, the auditor's data.

use serde_json::Value;

use super::facts::Facts;
use super::writer::Writer;

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Betrieb", "Operation");
    schedule(w, facts);
    access(w);
    backup(w, facts);
    retention(w);
    audit(w);
}

fn schedule(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Ablauf", "Schedule");
    let (time, zone) = (
        facts.config.nightly_at.format("%H:%M"),
        facts.config.time_zone,
    );
    w.text(
        &format!(
            "Der Dienst läuft jede Nacht um {time} Uhr ({zone}): abrufen, einlesen, abgleichen, \
             zustellen. Eine versäumte Nacht wird einmal nachgeholt; ein abgebrochener Lauf \
             setzt dort fort, wo er stand. Fällt eine Quelle aus, laufen die anderen weiter, und \
             der Ausfall wird gemeldet. Derzeit sind {} Arbeiten erfasst.",
            facts.works
        ),
        &format!(
            "The daemon runs every night at {time} ({zone}): it pulls, imports, reconciles and \
             delivers. A night that was missed is made up for once; a run that was interrupted \
             goes on where it stood. When a source fails, the others go on and the failure is \
             told. At present there are {} pieces of work.",
            facts.works
        ),
    );
}

fn access(w: &mut Writer) {
    w.section("Zugriff und Zugangsdaten", "Access and credentials");
    w.text(
        "Das Journal und alles, was daneben liegt, kann nur der Benutzer lesen, unter dem das \
         Programm läuft. Es öffnet keinen Zugang von außen; eine Statusseite ist, falls \
         eingerichtet, nur auf dem Rechner selbst erreichbar. Schreiben kann zu jeder Zeit \
         höchstens ein Vorgang. Zugangsdaten stehen weder in der Konfiguration noch im Journal, \
         in Protokollen, Exporten oder Sicherungen. Anmeldungen bei Diensten, die erneuert \
         werden, liegen verschlüsselt neben dem Journal; der Schlüssel liegt bei den \
         Zugangsdaten.",
        "The ledger and what lies beside it can be read by the user alone under whom the program \
         runs. It opens no way in from outside; a status page, where there is one, is reached \
         from the machine itself only. At any time at most one process can write. Credentials \
         are neither in the configuration nor in the ledger, in logs, exports or backups. Logins \
         at services that are renewed lie encrypted beside the ledger; their key is kept with \
         the credentials.",
    );
    w.gap(
        "Wer Zugang zum Rechner, zu den Konten bei den Diensten und zu den Zugangsdaten hat; \
         Verschlüsselung des Datenträgers; Verträge zur Auftragsverarbeitung.",
        "Who has access to the machine, to the accounts at the services and to the credentials; \
         encryption of the disk; agreements on data processing.",
    );
}

/// What the section `[backup]` says is told as it stands, whatever keys it has.
fn backup(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Sicherung und Wiederherstellung", "Backup and restore");
    let general = facts
        .config
        .parts
        .iter()
        .find(|part| part.name == "general");
    let backup = general.and_then(|part| part.settings["backup"].as_object());
    let rows = backup.into_iter().flatten().map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        vec![key.clone(), value]
    });
    w.table(
        &[("Einstellung", "Setting", 2), ("Wert", "Value", 6)],
        rows.collect(),
        (
            "In der Konfiguration ist keine Sicherung durch das Programm eingerichtet.",
            "The configuration sets up no backup by the program.",
        ),
    );
    w.text(
        "Wie gesichert und wiederhergestellt wird, beschreibt docs/operations.md. Nach einer \
         Wiederherstellung beweist die Prüfung der Kette zusammen mit einem aufbewahrten \
         Kettenende, dass nichts fehlt.",
        "How to back up and restore is described in docs/operations.md. After a restore, \
         verifying the chain together with an end of it that was kept proves that nothing is \
         missing.",
    );
    let rows = facts.events.iter().map(|(at, row, kind)| {
        let what = match kind.as_str() {
            "restored" => w.pick(
                "Wiederherstellung aus einer Sicherung",
                "restored from a backup",
            ),
            _ => w.pick(
                "Löschung personenbezogener Daten",
                "personal data was erased",
            ),
        };
        vec![w.instant(*at, facts), what.to_owned(), row.to_string()]
    });
    let rows: Vec<_> = rows.collect();
    w.table(
        &[
            ("Zeitpunkt", "When", 3),
            ("Vorgang", "What", 5),
            ("Zeile", "Row", 1),
        ],
        rows,
        (
            "Bisher wurde weder eine Sicherung eingespielt noch wurden Daten gelöscht.",
            "So far no backup was restored and no data was erased.",
        ),
    );
    w.gap(
        "Wohin, wie oft und wie lange gesichert wird; wer die Wiederherstellung wann geübt hat.",
        "Where to, how often and for how long backups are kept; who has practised a restore, and \
         when.",
    );
}

fn retention(w: &mut Writer) {
    w.section("Aufbewahrung und Löschung", "Retention and erasure");
    w.list(&[
        (
            "Abrechnungen und die Zeitnachweise, die sie belegen, sind Buchungsbelege: acht \
             Jahre (§ 147 Abs. 3 AO, § 14b UStG, in der Fassung ab 1. Januar 2025).",
            "Statements and the time reports that support them are accounting records: eight \
             years (§ 147 (3) AO, § 14b UStG, as in force from 1 January 2025).",
        ),
        (
            "Verfahrensdokumentationen in allen Fassungen: zehn Jahre.",
            "Procedure descriptions in all their versions: ten years.",
        ),
        (
            "Die Frist beginnt mit dem Ende des Kalenderjahres und läuft nicht ab, solange die \
             Steuerfestsetzung offen ist.",
            "The time begins with the end of the calendar year, and does not end while the \
             assessment is open.",
        ),
        (
            "Das Programm löscht nichts von selbst. Eine Löschung auf Verlangen ist selbst eine \
             Zeile des Journals; die Prüfsummen der gelöschten Zeilen bleiben, sodass die Kette \
             prüfbar bleibt.",
            "The program erases nothing by itself. An erasure on request is a row of the journal \
             itself; the hashes of erased rows stay, so that the chain can still be verified.",
        ),
    ]);
    w.gap(
        "Wer die Fristen überwacht und wo Fassungen dieses Dokuments abgelegt werden. Die \
         Angaben zum Recht bitte mit der Steuerberatung abstimmen.",
        "Who watches the dates, and where the versions of this document are kept. Please have \
         the statements about the law confirmed by a tax adviser.",
    );
}

fn audit(w: &mut Writer) {
    w.section("Datenzugriff bei Prüfungen", "Data for auditors");
    w.text(
        "`stundenbuch export --audit VERZEICHNIS` schreibt für eine Außenprüfung alle \
         Abrechnungen mit dem Weg von jedem Betrag zum empfangenen Datensatz: Tabellen (CSV) mit \
         einer Beschreibung nach dem Beschreibungsstandard für die Datenträgerüberlassung, \
         dieselben Daten als JSON und eine Anleitung. Mit `--as-of` entsteht der Export so, wie \
         er an einem früheren Tag gewesen wäre.",
        "`stundenbuch export --audit DIRECTORY` writes for an auditor all statements with the \
         way from each amount to the received record: tables (CSV) with a description in the \
         form of the German tax offices, the same data as JSON, and a guide. With `--as-of` the \
         export is what it would have been on an earlier day.",
    );
}
