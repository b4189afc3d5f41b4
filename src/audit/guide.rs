//! `LIESMICH.md` and `README.md`: what the files are, how to walk through them, what each column
//! holds.

use super::files::file_name;
use super::tables::{Kind, TABLES, Table};
use crate::billing::Language;

pub(super) fn text(language: Language) -> String {
    let mut text = match language {
        Language::De => GERMAN.to_owned(),
        Language::En => ENGLISH.to_owned(),
    };
    for table in &TABLES {
        describe(&mut text, table, language);
    }
    text
}

fn describe(text: &mut String, table: &Table, language: Language) {
    let head = match language {
        Language::De => "| Spalte | Form | Bedeutung |",
        Language::En => "| column | form | meaning |",
    };
    *text += &format!(
        "\n### `{}` – {}\n\n{}.\n\n{head}\n|---|---|---|\n",
        file_name(table),
        table.title.of(language),
        table.about.of(language),
    );
    for (nth, column) in table.columns.iter().enumerate() {
        let key = match language {
            _ if nth >= table.keys => "",
            Language::De => " (Schlüssel)",
            Language::En => " (key)",
        };
        let refers = table.refers.iter().find(|(name, _)| *name == column.name);
        let refers = refers.map_or(String::new(), |(_, other)| format!(" → `{other}`"));
        *text += &format!(
            "| `{}`{key} | {} | {}{refers} |\n",
            column.name,
            form(column.kind, language),
            column.about.of(language),
        );
    }
}

fn form(kind: Kind, language: Language) -> &'static str {
    match (kind, language) {
        (Kind::Text, _) => "Text",
        (Kind::Whole, Language::De) => "ganze Zahl",
        (Kind::Whole, Language::En) => "whole number",
        (Kind::Money, Language::De) => "Betrag, `1234.50`",
        (Kind::Money, Language::En) => "amount, `1234.50`",
        (Kind::Decimal, Language::De) => "Zahl, `59.125`",
        (Kind::Decimal, Language::En) => "number, `59.125`",
        (Kind::Day, Language::De) => "Tag, `2026-10-14`",
        (Kind::Day, Language::En) => "day, `2026-10-14`",
        (Kind::Instant, Language::De) => "Zeitpunkt, ISO 8601",
        (Kind::Instant, Language::En) => "instant, ISO 8601",
    }
}

const GERMAN: &str = "\
# Prüfungsexport aus Stundenbuch

Dieses Verzeichnis enthält festgeschriebene Abrechnungen mit dem vollständigen Weg von jedem
Betrag bis zu den Quelldaten, wie sie empfangen wurden, und zurück. Es lässt sich ohne Stundenbuch
lesen und prüfen.

| Datei | Inhalt |
|---|---|
| `index.xml` | Beschreibung der Tabellen nach dem Beschreibungsstandard für die \
Datenträgerüberlassung (gdpdu-01-09-2004) |
| `*.csv` | die Tabellen, unten Spalte für Spalte beschrieben |
| `audit.json` | dieselben Tabellen als ein JSON-Dokument |
| `SHA256SUMS` | Prüfsummen aller Dateien; `sha256sum --check SHA256SUMS` prüft sie |

Die DTD des Beschreibungsstandards liegt nicht bei; Prüfprogramme bringen sie mit.

## Form

UTF-8 ohne Byte Order Mark, Semikolon zwischen den Feldern, ein Zeilenvorschub (LF) am Ende jeder
Zeile, Spaltennamen in der ersten Zeile. Felder mit Semikolon, Anführungszeichen oder Zeilenumbruch
stehen in doppelten Anführungszeichen. Zahlen haben einen Dezimalpunkt und keine Tausendertrennung.
Ein leeres Feld bedeutet: nicht vorhanden.

Texte, die eine Tabellenkalkulation als Formel ausführen könnte, beginnen mit einem Apostroph,
ebenso Texte, die selbst mit einem Apostroph beginnen. Ohne den ersten Apostroph ist jeder Text
der ursprüngliche.

## Vom Betrag zur Quelle

1. `statements.net` ist die Summe von `lines.amount` der Abrechnung; `statements.gross` ist `net`
   zuzüglich `vat.vat`.
2. `lines.amount` ist `billed_seconds` × `rate` ÷ 3600, kaufmännisch auf den Cent gerundet. Nur
   bei Korrekturen kann der Betrag davon abweichen, weil beide Stände gerundet wurden;
   `corrections` weist sie einzeln nach.
3. Die Einträge in `entries` mit derselben Abrechnung und Position ergeben die Position:
   `tracked_seconds` summiert sich. Positionen, die Korrekturen berechnen, haben keine Einträge;
   ihre Teile stehen in `corrections` (`charged_by`). In Stornierungen sind Zeiten und Beträge
   negativ.
4. `entries.revision` nennt die Journalzeile des abgerechneten Standes; in `revisions` steht sie
   mit Quelle, Dauer und Vorgängern (`previous`). Alle Stände einer Arbeit haben dieselbe Kennung
   `work`.
5. `revisions.received` führt zu `received.body`, dem Text, wie ihn die Quelle geliefert hat.
   Sein SHA-256 ist `received_sha256`.
6. Die Journalzeile in `journal` enthält als `payload` den Stand samt dieser Prüfsumme; ihr
   SHA-256 ist `payload_sha256`, und `hash` schließt diese Zeile und alle davor ein.
7. `statements.printed_row` und `printed_hash` nennen das Ende der Kette, das auf den Dokumenten
   der Abrechnung gedruckt ist. Es muss mit `journal.hash` dieser Zeile übereinstimmen: Dann ist
   alles, was vor der Festschreibung im Journal stand, unverändert.

Zurück führt derselbe Weg: von `received` über `revisions` und `entries` zu `lines` und
`statements`.

## Die Kette nachrechnen

`hash` ist SHA-256 über diese Bytes ohne Trennzeichen: `hash` der vorigen Zeile (32 Nullbytes vor
der ersten); `journal_row` und `at_seconds` als je 8 Bytes, höchstwertiges zuerst; die Länge von
`kind` in Bytes als 8 Bytes, dann `kind`; der Gegenstand; `payload_sha256`. Der Gegenstand ist
bei `subject_chained_as` = `sha256` der Wert von `subject_sha256` (32 Bytes), bei `text` seine
Länge als 8 Bytes und der Text selbst.

## Tabellen
";

const ENGLISH: &str = "\
# Auditor's export from Stundenbuch

This directory holds sealed statements with the whole way from each amount to the source's data as
it was received, and back. It can be read and verified without Stundenbuch.

| file | content |
|---|---|
| `index.xml` | description of the tables in the form of the German tax offices \
(gdpdu-01-09-2004) |
| `*.csv` | the tables, described below column by column |
| `audit.json` | the same tables as one JSON document |
| `SHA256SUMS` | hashes of all files; `sha256sum --check SHA256SUMS` verifies them |

The DTD of the description is not included; programs for audits bring it along.

## Form

UTF-8 without a byte order mark, semicolons between fields, one line feed (LF) at the end of each
line, the names of the columns in the first line. Fields with a semicolon, a quotation mark or a
line break stand in double quotation marks. Numbers have a decimal point and no separators of
thousands. An empty field means: not there.

Texts that a spreadsheet could run as a formula begin with an apostrophe, and so do texts that
begin with an apostrophe themselves. Without the first apostrophe each text is the original one.

## From an amount to its source

1. `statements.net` is the sum of `lines.amount` of the statement; `statements.gross` is `net`
   and `vat.vat`.
2. `lines.amount` is `billed_seconds` × `rate` ÷ 3600, rounded to the cent, halves away from
   zero. Of corrections alone the amount may differ, because both states were rounded;
   `corrections` has each of them.
3. The rows of `entries` with the same statement and line make the line: `tracked_seconds` adds
   up. Lines that charge corrections have no entries; their parts are in `corrections`
   (`charged_by`). In cancellations times and amounts are negative.
4. `entries.revision` names the journal row of the state that was billed; `revisions` has it with
   its source, its duration and the states before (`previous`). All states of a work have the
   same `work`.
5. `revisions.received` leads to `received.body`, the text as the source gave it. Its SHA-256 is
   `received_sha256`.
6. The row in `journal` has the state with that hash as `payload`; its SHA-256 is
   `payload_sha256`, and `hash` covers this row and all before it.
7. `statements.printed_row` and `printed_hash` name the end of the chain that is printed on the
   statement's documents. It must be `journal.hash` of that row: then all that the journal held
   before the statement was sealed is unchanged.

The same way leads back: from `received` through `revisions` and `entries` to `lines` and
`statements`.

## Computing the chain

`hash` is SHA-256 over these bytes without separators: `hash` of the row before (32 zero bytes
before the first); `journal_row` and `at_seconds` as 8 bytes each, the most significant first;
the length of `kind` in bytes as 8 bytes, then `kind`; the subject; `payload_sha256`. The subject
is, where `subject_chained_as` is `sha256`, the value of `subject_sha256` (32 bytes), and where
it is `text`, its length as 8 bytes and the text itself.

## Tables
";
