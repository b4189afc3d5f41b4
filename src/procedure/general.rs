//! What the procedure is for, who answers for it, and how the data flows.

use super::facts::Facts;
use super::writer::Writer;

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Allgemeine Beschreibung", "General description");
    w.section("Zweck und Geltungsbereich", "Purpose and scope");
    w.text(
        "Dieses Dokument beschreibt, wie Arbeitszeiten mit dem Programm Stundenbuch erfasst, \
         abgeglichen und abgerechnet werden. Es ist Teil der Verfahrensdokumentation nach den \
         GoBD (Grundsätze zur ordnungsmäßigen Führung und Aufbewahrung von Büchern, \
         Aufzeichnungen und Unterlagen in elektronischer Form sowie zum Datenzugriff). Es wurde \
         vom Programm selbst aus der geltenden Konfiguration und aus dem Journal erzeugt und \
         gilt ab dem oben genannten Stand. Was das Programm nicht wissen kann, ist als Lücke \
         gekennzeichnet und von Hand zu ergänzen.",
        "This document describes how working hours are recorded, reconciled and billed with the \
         program Stundenbuch. It is part of the procedure description that the German principles \
         of proper accounting (GoBD) ask for. The program wrote it itself, from the \
         configuration in force and from the ledger, and it holds from the moment named above. \
         What the program cannot know is marked as a gap and has to be filled in by hand.",
    );
    w.text(
        "Stundenbuch erstellt Leistungsnachweise und Abrechnungen über Zeiten als Grundlage für \
         Ausgangsrechnungen. Es führt keine Bücher und stellt keine E-Rechnungen aus; die \
         Rechnungsstellung und die Verbuchung geschehen in anderen Verfahren.",
        "Stundenbuch makes time reports and statements of hours from which invoices are made. It \
         keeps no books and issues no electronic invoices; invoicing and bookkeeping are other \
         procedures.",
    );
    w.gap(
        "Rechnungsprogramm und Buchhaltung, in die die Abrechnungen übernommen werden, und wer \
         das wie tut; Verfahrensdokumentationen dieser Programme.",
        "The invoicing and bookkeeping programs into which statements are taken, who does that \
         and how; the procedure descriptions of these programs.",
    );
    responsible(w, facts);
    flow(w);
}

fn responsible(w: &mut Writer, facts: &Facts<'_>) {
    let issuer = &facts.config.issuer;
    w.section(
        "Unternehmen und Verantwortliche",
        "The business and who answers for it",
    );
    let mut rows = vec![vec![w.pick("Name", "Name").to_owned(), issuer.name.clone()]];
    let mut row = |what: &str, value: Option<String>| {
        rows.extend(value.map(|value| vec![what.to_owned(), value]));
    };
    let address = (!issuer.address.is_empty()).then(|| issuer.address.join(", "));
    row(w.pick("Anschrift", "Address"), address);
    row(w.pick("E-Mail", "E-mail"), issuer.email.clone());
    row(w.pick("Telefon", "Telephone"), issuer.phone.clone());
    row(w.pick("USt-IdNr.", "VAT ID"), issuer.vat_id.clone());
    row(
        w.pick("Steuernummer", "Tax number"),
        issuer.tax_number.clone(),
    );
    w.table(
        &[("Angabe", "What", 2), ("Inhalt", "Value", 6)],
        rows,
        ("", ""),
    );
    let people = facts.config.people.iter();
    let rows = people.map(|person| {
        vec![
            person.key.clone(),
            person.name.clone(),
            person.known_as.join(", "),
        ]
    });
    w.table(
        &[
            ("Kürzel", "Key", 1),
            ("Person", "Person", 2),
            ("auch bekannt als", "also known as", 3),
        ],
        rows.collect(),
        (
            "In der Konfiguration sind keine weiteren Personen genannt.",
            "The configuration names no other people.",
        ),
    );
    w.gap(
        "Wer für das Verfahren, für die Freigabe der Abrechnungen und für den Betrieb des \
         Rechners verantwortlich ist; Vertretung; Steuerberatung.",
        "Who answers for the procedure, for releasing statements and for running the machine; \
         deputies; the tax adviser.",
    );
}

fn flow(w: &mut Writer) {
    w.section("Weg der Daten", "The way of the data");
    w.list(&[
        (
            "Erfassen: Zeiten, Aufgaben und Dateien entstehen in den Diensten, die in Kapitel 2 \
             genannt sind. Stundenbuch ändert dort nichts.",
            "Recording: hours, tasks and files come into being in the services that chapter 2 \
             names. Stundenbuch changes nothing there.",
        ),
        (
            "Übernehmen: Jede Nacht wird abgerufen, was neu, geändert oder gelöscht ist. Jeder \
             Datensatz wird so aufbewahrt, wie er empfangen wurde; daneben steht im Journal sein \
             Inhalt mit dem SHA-256 des empfangenen Textes. Datensätze und Abrufstand werden in \
             einem Schritt gespeichert oder gar nicht.",
            "Taking in: each night what is new, changed or deleted is fetched. Each record is \
             kept as it was received; the journal has its content beside it, with the SHA-256 of \
             the received text. Records and the mark up to which was read are saved in one step \
             or not at all.",
        ),
        (
            "Zusammenführen: Wird dieselbe Arbeit aus mehreren Quellen gemeldet, wird sie nur \
             einmal geführt. Die Regel steht in der Beschreibung des Journals.",
            "Joining: work that several sources report is there once, by the rule in the \
             description of the ledger.",
        ),
        (
            "Zuordnen und Abgleichen: Arbeit wird einem Kunden, einem Vertrag und einer Aufgabe \
             zugeordnet. Was nicht zusammenpasst, wird als Befund mit einem Vorschlag gemeldet; \
             entschieden wird von einer Person.",
            "Matching and reconciling: work is attributed to a client, a contract and a task. \
             What does not add up is told as a finding with a suggestion; a person decides.",
        ),
        (
            "Abrechnen: Aus den Zeiten eines Zeitraums entsteht nach den Vertragsregeln in \
             Kapitel 3 ein Entwurf.",
            "Billing: the hours of a period become a draft by the rules of chapter 3.",
        ),
        (
            "Festschreiben: Eine Person schreibt den Entwurf fest. Er erhält eine fortlaufende \
             Nummer und steht danach unveränderlich mit allen Einzelheiten im Journal.",
            "Sealing: a person seals the draft. It gets a running number, and from then on \
             stands in the journal with all its details and does not change.",
        ),
        (
            "Zustellen: Die Dokumente werden an die eingerichteten Ziele geliefert, bis \
             nachgewiesen ist, dass sie dort liegen; ihr SHA-256 steht im Journal.",
            "Delivering: the documents are put where they should be until it is proved that they \
             are there; the journal has their SHA-256.",
        ),
    ]);
}
