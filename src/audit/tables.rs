//! What the auditor's tables hold, column by column, in German and in English. The description
//! of the data medium, the guides and the JSON are made from this, so they cannot disagree.

use crate::billing::Language;

/// One table, a CSV file.
#[derive(Debug)]
pub(super) struct Table {
    /// The file's name without its ending; also the name in the JSON.
    pub(super) name: &'static str,
    pub(super) title: Words,
    pub(super) about: Words,
    /// How many of the first columns name a row. None: rows have no name of their own.
    pub(super) keys: usize,
    pub(super) columns: &'static [Column],
    /// Columns whose values are keys of another table.
    pub(super) refers: &'static [(&'static str, &'static str)],
}

#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) about: Words,
}

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Any text; see `files::inert`.
    Text,
    /// A whole number.
    Whole,
    /// An amount with a point and two places.
    Money,
    /// A number with a point and up to four places: a rate, a percentage.
    Decimal,
    /// `2026-10-14`.
    Day,
    /// `2026-10-14T09:00:00Z`; times of day in entries have the offset of their zone.
    Instant,
}

/// The same in both languages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words {
    de: &'static str,
    en: &'static str,
}

impl Words {
    pub(super) fn of(self, language: Language) -> &'static str {
        match language {
            Language::De => self.de,
            Language::En => self.en,
        }
    }
}

const fn words(de: &'static str, en: &'static str) -> Words {
    Words { de, en }
}

const fn column(name: &'static str, kind: Kind, de: &'static str, en: &'static str) -> Column {
    Column {
        name,
        kind,
        about: words(de, en),
    }
}

const fn text(name: &'static str, de: &'static str, en: &'static str) -> Column {
    column(name, Kind::Text, de, en)
}

const fn whole(name: &'static str, de: &'static str, en: &'static str) -> Column {
    column(name, Kind::Whole, de, en)
}

const STATEMENT: Column = text(
    "statement",
    "Nummer der Abrechnung",
    "number of the statement",
);
const ROW: Column = whole(
    "journal_row",
    "laufende Nummer der Journalzeile",
    "running number of the journal's row",
);
const AT: Column = column(
    "at",
    Kind::Instant,
    "Zeitpunkt, zu dem die Journalzeile geschrieben wurde (UTC)",
    "when the journal's row was written (UTC)",
);
const TRACKED: Column = whole(
    "tracked_seconds",
    "erfasste Zeit in Sekunden",
    "tracked time in seconds",
);
const BILLED: Column = whole(
    "billed_seconds",
    "abgerechnete Zeit nach Rundung in Sekunden",
    "billed time after rounding, in seconds",
);
const CONTRACT: Column = text(
    "contract",
    "Schlüssel des Vertrags in der Konfiguration",
    "key of the contract in the configuration",
);
const RATE: Column = column("rate", Kind::Decimal, "Stundensatz", "hourly rate");
const RATE_RULE: Column = text(
    "rate_rule",
    "Regel, aus der der Stundensatz folgt, mit Datei und Zeile",
    "the rule that gives the rate, with file and line",
);
const AMOUNT: Column = column("amount", Kind::Money, "Betrag netto", "net amount");

/// Every table, in the order in which one walks from an amount to its source.
pub(super) const TABLES: [Table; 12] = [
    Table {
        name: "statements",
        title: words("Abrechnungen", "Statements"),
        about: words(
            "Festgeschriebene Abrechnungen und ihre Stornierungen",
            "Sealed statements and their cancellations",
        ),
        keys: 1,
        columns: &[
            STATEMENT,
            text(
                "kind",
                "statement: Abrechnung; cancellation: Stornierung",
                "statement or cancellation",
            ),
            text("client_key", "Schlüssel des Kunden", "key of the client"),
            text("client", "Name des Kunden", "name of the client"),
            column(
                "first_day",
                Kind::Day,
                "erster Tag des Leistungszeitraums",
                "first day of the period",
            ),
            column(
                "last_day",
                Kind::Day,
                "letzter Tag des Leistungszeitraums",
                "last day of the period",
            ),
            column("issued_on", Kind::Day, "Ausstellungsdatum", "day of issue"),
            column(
                "sealed_at",
                Kind::Instant,
                "Zeitpunkt der Festschreibung (UTC)",
                "when it was sealed (UTC)",
            ),
            text("currency", "Währung nach ISO 4217", "currency, ISO 4217"),
            text(
                "rounding",
                "Rundung der Zeit in Worten",
                "rounding of time in words",
            ),
            TRACKED,
            BILLED,
            whole(
                "non_billable_seconds",
                "nicht berechnete Zeit in Sekunden",
                "time that is not charged, in seconds",
            ),
            column("net", Kind::Money, "Summe netto", "net total"),
            column("gross", Kind::Money, "Summe brutto", "total with tax"),
            text(
                "cancels",
                "Nummer der Abrechnung, die hiermit storniert wird",
                "number of the statement that this one reverses",
            ),
            text(
                "cancelled_by",
                "Nummer der Stornierung",
                "number of the statement that reverses this one",
            ),
            ROW,
            whole(
                "printed_row",
                "auf den Dokumenten gedrucktes Kettenende: Journalzeile",
                "the end of the chain that is printed on the documents: row",
            ),
            text(
                "printed_hash",
                "dasselbe: Prüfsumme dieser Journalzeile; gedruckt sind die ersten 16 Stellen",
                "the same: hash of that row; its first 16 digits are printed",
            ),
        ],
        refers: &[("journal_row", "journal"), ("printed_row", "journal")],
    },
    Table {
        name: "vat",
        title: words("Umsatzsteuer", "VAT"),
        about: words(
            "Umsatzsteuer je Abrechnung; ohne Zeile, wo die Steuer dem Rechnungsprogramm \
             überlassen ist",
            "VAT of each statement; no row where the tax is left to the invoicing system",
        ),
        keys: 1,
        columns: &[
            STATEMENT,
            column(
                "vat_rate",
                Kind::Decimal,
                "Steuersatz in Prozent",
                "rate in per cent",
            ),
            column("net", Kind::Money, "Bemessungsgrundlage", "taxable amount"),
            column("vat", Kind::Money, "Steuerbetrag", "amount of tax"),
        ],
        refers: &[("statement", "statements")],
    },
    Table {
        name: "lines",
        title: words("Positionen", "Lines"),
        about: words(
            "Positionen der Abrechnungen; abgerechnete Zeit × Stundensatz = Betrag",
            "Positions of the statements; billed time × rate = amount",
        ),
        keys: 2,
        columns: &[
            STATEMENT,
            whole("line", "Nummer der Position", "number of the position"),
            CONTRACT,
            text(
                "title",
                "Bezeichnung der Leistung",
                "what the service is called",
            ),
            TRACKED,
            BILLED,
            RATE,
            AMOUNT,
            RATE_RULE,
        ],
        refers: &[("statement", "statements")],
    },
    Table {
        name: "entries",
        title: words("Einzelnachweise", "Entries"),
        about: words(
            "Zeiteinträge, aus denen die Positionen bestehen; ohne Position nicht berechnet",
            "The entries that the lines are made of; without a line not charged",
        ),
        keys: 2,
        columns: &[
            STATEMENT,
            text(
                "work",
                "Kennung der Arbeit im Journal: w und die Zeile ihrer ersten Meldung",
                "the work in the ledger: w and the row in which it was first seen",
            ),
            whole(
                "line",
                "Position, die sie berechnet",
                "position that charges it",
            ),
            whole(
                "revision",
                "Journalzeile des abgerechneten Standes",
                "journal row of the state that was billed",
            ),
            column("date", Kind::Day, "Tag der Leistung", "day of the work"),
            column("start", Kind::Instant, "Beginn", "start"),
            column("stop", Kind::Instant, "Ende", "end"),
            text("person", "ausführende Person", "who worked"),
            text("project", "Projekt", "project"),
            text("task", "Aufgabe", "task"),
            text("task_url", "Adresse der Aufgabe", "address of the task"),
            text("description", "Beschreibung", "description"),
            TRACKED,
            BILLED,
            text(
                "billable",
                "berechenbar: true oder false",
                "billable: true or false",
            ),
        ],
        refers: &[("statement", "statements"), ("revision", "revisions")],
    },
    Table {
        name: "corrections",
        title: words("Korrekturen", "Corrections"),
        about: words(
            "Von einer Person angenommene Änderungen abgerechneter Arbeit, je Stundensatz eine \
             Zeile",
            "Changes of billed work that a person accepted, a row for each rate",
        ),
        keys: 2,
        columns: &[
            ROW,
            whole(
                "part",
                "laufende Nummer des Teils, ab 1; 0: nur Worte geändert",
                "number of the part, from 1; 0: only words changed",
            ),
            text(
                "statement",
                "Nummer der korrigierten Abrechnung",
                "number of the statement that is corrected",
            ),
            text("work", "Kennung der Arbeit", "the work"),
            whole(
                "state",
                "Journalzeile, die zur Korrektur führte",
                "journal row that led to it",
            ),
            text(
                "changes",
                "was sich geändert hat (JSON)",
                "what changed (JSON)",
            ),
            CONTRACT,
            RATE,
            RATE_RULE,
            whole(
                "tracked_seconds",
                "Differenz der erfassten Zeit in Sekunden",
                "difference of tracked time in seconds",
            ),
            whole(
                "billed_seconds",
                "Differenz der abgerechneten Zeit in Sekunden",
                "difference of billed time in seconds",
            ),
            column("amount", Kind::Money, "Differenz netto", "net difference"),
            text(
                "charged_by",
                "Nummer der Abrechnung, die die Differenz berechnet",
                "number of the statement that charges the difference",
            ),
        ],
        refers: &[("statement", "statements"), ("journal_row", "journal")],
    },
    Table {
        name: "cancellations",
        title: words("Stornierungen", "Cancellations"),
        about: words(
            "Welche Abrechnung welche aufhebt",
            "Which statement reverses which",
        ),
        keys: 1,
        columns: &[
            text(
                "statement",
                "Nummer der Stornierung",
                "number of the reversing statement",
            ),
            text(
                "cancels",
                "Nummer der stornierten Abrechnung",
                "number of the statement that is reversed",
            ),
            column("issued_on", Kind::Day, "Ausstellungsdatum", "day of issue"),
            ROW,
        ],
        refers: &[("statement", "statements"), ("cancels", "statements")],
    },
    Table {
        name: "revisions",
        title: words("Stände der Quelldaten", "Revisions"),
        about: words(
            "Jeder beobachtete Stand eines Quelldatensatzes, jede Löschung und jede \
             Zusammenführung",
            "Each observed state of a source's record, each deletion, each joining",
        ),
        keys: 1,
        columns: &[
            ROW,
            AT,
            text(
                "kind",
                "revision: Stand; deleted: gelöscht; same-work: dieselbe Arbeit",
                "revision, deleted, or same-work: reports a known work",
            ),
            text(
                "record",
                "Verbindung/Art/Kennung in der Quelle",
                "connection/stream/identifier at the source",
            ),
            text(
                "work",
                "Kennung der Arbeit, der die Zeit angehört",
                "the work that it reports",
            ),
            whole(
                "previous",
                "Journalzeile des vorigen Standes",
                "row of the state before",
            ),
            text("day", "Tag oder Beginn (UTC)", "day or start (UTC)"),
            whole("seconds", "Dauer in Sekunden", "duration in seconds"),
            whole("received", "empfangener Datensatz", "the received record"),
            text(
                "received_sha256",
                "SHA-256 des empfangenen Textes",
                "SHA-256 of the received text",
            ),
            text(
                "proof",
                "bei Löschungen: woher bekannt",
                "of deletions: how it was told",
            ),
        ],
        refers: &[("journal_row", "journal"), ("received", "received")],
    },
    Table {
        name: "received",
        title: words("Empfangene Datensätze", "Received records"),
        about: words(
            "Die Quelldaten so, wie sie empfangen wurden",
            "The source's data as it was received",
        ),
        keys: 1,
        columns: &[
            whole("received", "laufende Nummer", "running number"),
            column(
                "received_at",
                Kind::Instant,
                "Zeitpunkt des Empfangs (UTC)",
                "when it was received (UTC)",
            ),
            text("sha256", "SHA-256 des Textes", "SHA-256 of the text"),
            text("body", "der empfangene Text", "the received text"),
        ],
        refers: &[],
    },
    Table {
        name: "deliveries",
        title: words("Zustellungen", "Deliveries"),
        about: words(
            "Dokumente, die nachweislich am Ziel angekommen sind",
            "Documents that were proved to be at their target",
        ),
        keys: 1,
        columns: &[
            ROW,
            AT,
            text(
                "delivery",
                "Abrechnung/Verbindung/Pfad",
                "statement/connection/path",
            ),
            text("connection", "Verbindung", "connection"),
            text("sha256", "SHA-256 des Dokuments", "SHA-256 of the document"),
            text("location", "Ablageort", "where it lies"),
            text(
                "outcome",
                "created: angelegt; already-there: war schon da; replaced: ersetzt; beside: \
                 unter anderem Namen daneben",
                "created, already-there, replaced, or beside: under another name",
            ),
        ],
        refers: &[("journal_row", "journal")],
    },
    Table {
        name: "decisions",
        title: words("Entscheidungen", "Decisions"),
        about: words(
            "Von Personen festgelegte Zuordnungen von Texten zu Aufgaben",
            "Which task a text means, as persons said it",
        ),
        keys: 1,
        columns: &[
            ROW,
            AT,
            text("client_key", "Schlüssel des Kunden", "key of the client"),
            text("text", "der Text, normalisiert", "the text, normalised"),
            text(
                "task",
                "Aufgabe; leer: zurückgenommen",
                "task; empty: taken back",
            ),
        ],
        refers: &[("journal_row", "journal")],
    },
    Table {
        name: "configuration",
        title: words("Konfigurationshistorie", "History of the configuration"),
        about: words(
            "Jede Änderung der Konfiguration: Verträge, Sätze, Rundung, Quellen",
            "Each change of the configuration: contracts, rates, rounding, sources",
        ),
        keys: 1,
        columns: &[
            ROW,
            AT,
            text(
                "part",
                "Teil der Konfiguration",
                "part of the configuration",
            ),
            text("program", "Programm und Version", "program and version"),
            text(
                "settings",
                "die Einstellungen (JSON), Zugangsdaten nur mit ihrem Namen; leer: entfallen",
                "the settings (JSON), secrets by name only; empty: gone",
            ),
        ],
        refers: &[("journal_row", "journal")],
    },
    Table {
        name: "journal",
        title: words("Journal", "Journal"),
        about: words(
            "Alle Zeilen des Journals mit ihrer Prüfsummenkette",
            "All rows of the journal with their chain of hashes",
        ),
        keys: 1,
        columns: &[
            ROW,
            AT,
            column(
                "at_seconds",
                Kind::Whole,
                "derselbe Zeitpunkt in Sekunden seit 1970-01-01T00:00:00Z, wie er in die Kette \
                 eingeht",
                "the same in seconds since 1970-01-01T00:00:00Z, as it enters the chain",
            ),
            text("kind", "Art der Zeile", "kind of the row"),
            text(
                "subject",
                "Gegenstand; leer, wo er nicht zur Auswahl gehört",
                "what it is about; empty where it was not selected",
            ),
            text(
                "subject_sha256",
                "SHA-256 des Gegenstands, auch eines gelöschten",
                "SHA-256 of the subject, also of an erased one",
            ),
            text(
                "subject_chained_as",
                "wie der Gegenstand in die Kette eingeht: text oder sha256",
                "how the subject enters the chain: text or sha256",
            ),
            text(
                "payload",
                "Inhalt (JSON); leer, wo er gelöscht wurde oder nicht zur Auswahl gehört",
                "content (JSON); empty where it was erased or not selected",
            ),
            text(
                "payload_sha256",
                "SHA-256 des Inhalts",
                "SHA-256 of the payload",
            ),
            text(
                "hash",
                "Prüfsumme der Zeile und aller vor ihr",
                "hash of this row and all before it",
            ),
        ],
        refers: &[],
    },
];
