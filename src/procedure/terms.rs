//! How time becomes money: each client's terms, and the rules that hold for all.

use super::facts::Facts;
use super::writer::Writer;
use crate::billing::rounding_words;
use crate::config::{Client, Contract, Grouping, Model, RateRule};

pub(super) fn write(w: &mut Writer, facts: &Facts<'_>) {
    w.chapter("Abrechnungsregeln", "Rules of billing");
    rules(w);
    numbers(w, facts);
    if facts.config.clients.is_empty() {
        w.text("Es ist kein Kunde eingerichtet.", "There is no client.");
    }
    for client in &facts.config.clients {
        one_client(w, client);
    }
}

fn rules(w: &mut Writer) {
    w.section("Von der Zeit zum Betrag", "From time to amount");
    w.list(&[
        (
            "Zeiten werden in ganzen Sekunden geführt, Beträge in ganzen Cent. Mit \
             Gleitkommazahlen wird nicht gerechnet.",
            "Time is kept in whole seconds and money in whole cents. No floating-point number \
             takes part.",
        ),
        (
            "Ein Eintrag gehört zu dem Tag, an dem er in der Zeitzone des Kunden beginnt; seine \
             Dauer ist der Unterschied zweier Zeitpunkte und hängt nicht von der Zeitumstellung \
             ab.",
            "An entry belongs to the day on which it begins in the client's time zone; its \
             duration is the difference of two instants and does not depend on a change of the \
             clock.",
        ),
        (
            "Der Vertrag folgt aus Tag und Projekt, der Stundensatz aus der genauesten \
             zutreffenden Regel: Person und Projekt vor Person, Person vor Projekt, Projekt vor \
             dem allgemeinen Satz.",
            "The contract follows from day and project, the rate from the most specific rule \
             that holds: person and project before person, person before project, project before \
             the general rate.",
        ),
        (
            "Die Zeit wird nach der Regel des Vertrags gerundet. Der Betrag einer Position ist \
             abgerechnete Zeit × Stundensatz, einmal kaufmännisch auf den Cent gerundet; die \
             Summe der gedruckten Beträge ist die Nettosumme.",
            "Time is rounded by the contract's rule. The amount of a position is billed time × \
             rate, rounded once to the cent, halves away from zero; the printed amounts add up \
             to the net total.",
        ),
        (
            "Die Umsatzsteuer wird je Abrechnung einmal auf die Nettosumme berechnet. Verträge \
             ohne Steuersatz überlassen sie dem Rechnungsprogramm.",
            "VAT is computed once for each statement, on the net total. Contracts without a rate \
             leave it to the invoicing program.",
        ),
        (
            "Jede Position nennt die Regel, aus der ihr Satz folgt. Eine Arbeit wird durch \
             höchstens eine geltende Abrechnung abgegolten.",
            "Each position names the rule that gave its rate. A piece of work is settled by at \
             most one statement that stands.",
        ),
    ]);
}

fn numbers(w: &mut Writer, facts: &Facts<'_>) {
    w.section("Nummern", "Numbers");
    let pattern = &facts.config.statements.number_pattern;
    w.text(
        &format!(
            "Nummern werden nach dem Muster „{pattern}“ vergeben ({{YYYY}} Jahr, {{MM}} Monat \
             der Festschreibung, {{0000}} laufende Nummer). Die laufende Nummer beginnt in jedem \
             Kreis bei 1 und wird im selben Schritt vergeben, in dem die Abrechnung \
             festgeschrieben wird; ein gescheiterter Versuch verbraucht keine. Stornierungen \
             zählen im selben Kreis."
        ),
        &format!(
            "Numbers follow the pattern \"{pattern}\" ({{YYYY}} and {{MM}} are year and month of \
             sealing, {{0000}} is the running number). The running number begins with 1 in each \
             series and is given in the step that seals the statement; an attempt that fails \
             uses none. Cancellations count in the same series."
        ),
    );
    let (Some(first), Some(last)) = (facts.statements.first(), facts.statements.last()) else {
        w.text(
            "Bisher wurde nichts festgeschrieben.",
            "Nothing was sealed so far.",
        );
        return;
    };
    let count = facts.statements.len();
    w.text(
        &format!(
            "Bisher festgeschrieben: {count}, von {} bis {}.",
            first.number, last.number
        ),
        &format!(
            "Sealed so far: {count}, from {} to {}.",
            first.number, last.number
        ),
    );
}

fn one_client(w: &mut Writer, client: &Client) {
    let title = format!("{} ({})", client.party.name, client.key);
    w.section(&title, &title);
    let sources = &client.sources;
    let folders = sources.folders.iter();
    let folders: Vec<String> = folders
        .map(|folder| format!("{}:{}", folder.connection, folder.path))
        .collect();
    let recognised = [
        (w.pick("Kunde", "client"), &sources.clients),
        (w.pick("Projekt", "project"), &sources.projects),
        (w.pick("Board", "board"), &sources.boards),
        (w.pick("Ordner", "folder"), &folders),
    ];
    let recognised: Vec<String> = recognised
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what}: {}", names.join(", ")))
        .collect();
    let targets = client.deliver.iter().map(|target| {
        let formats: Vec<&str> = target
            .formats
            .iter()
            .map(|format| format.as_str())
            .collect();
        format!(
            "{}:{} ({})",
            target.connection,
            target.folder,
            formats.join(", ")
        )
    });
    let rows = [
        (
            w.pick("Arbeit wird erkannt an", "Work is recognised by"),
            recognised.join("\n"),
        ),
        (
            w.pick("Zeitzone", "Time zone"),
            client.time_zone.to_string(),
        ),
        (
            w.pick("Dokumente gehen an", "Documents go to"),
            targets.collect::<Vec<_>>().join("\n"),
        ),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let rows = rows
        .map(|(what, value)| vec![what.to_owned(), value])
        .collect();
    w.table(
        &[("Angabe", "What", 2), ("Inhalt", "Value", 6)],
        rows,
        ("", ""),
    );
    let contracts = client.contracts.iter().map(|it| contract(w, it)).collect();
    w.table(
        &[
            ("Vertrag", "Contract", 4),
            ("gilt", "holds", 3),
            ("Stundensätze", "Rates", 5),
            ("Rundung", "Rounding", 4),
            ("Steuer", "Tax", 2),
            ("Positionen", "Positions", 3),
        ],
        contracts,
        (
            "Es ist kein Vertrag hinterlegt; Arbeit für diesen Kunden wird nicht berechnet.",
            "There is no contract; work for this client is not charged.",
        ),
    );
}

fn contract(w: &Writer, contract: &Contract) -> Vec<String> {
    let Model::Hourly { rates } = &contract.model;
    let rates = rates.iter().map(|rule| rate(w, rule, &contract.currency));
    let from = w.day(contract.from);
    let holds = if let Some(until) = contract.until.map(|day| w.day(day)) {
        w.pick(format!("{from} bis {until}"), format!("{from} to {until}"))
    } else {
        w.pick(format!("ab {from}"), format!("from {from}"))
    };
    let projects = if contract.projects.is_empty() {
        String::new()
    } else {
        let names = contract.projects.join(", ");
        w.pick(format!("\nnur {names}"), format!("\nonly {names}"))
    };
    let flag = if contract.ignore_billable_flag {
        w.pick(
            "\nauch als nicht berechenbar markierte Einträge",
            "\nalso entries marked as not billable",
        )
    } else {
        ""
    };
    let vat = contract.vat.map_or_else(
        || {
            w.pick("im Rechnungsprogramm", "in the invoicing program")
                .to_owned()
        },
        |vat| {
            let plain = vat.normalize().to_string();
            format!("{} %", w.pick(plain.replace('.', ","), plain.clone()))
        },
    );
    vec![
        format!("{} ({}){projects}{flag}", contract.title, contract.key),
        holds,
        rates.collect::<Vec<_>>().join("\n"),
        rounding_words(contract.rounding, w.language()),
        vat,
        grouping(w, contract.group_by).to_owned(),
    ]
}

fn rate(w: &Writer, rule: &RateRule, currency: &str) -> String {
    let plain = rule.rate.to_string();
    let mut text = format!(
        "{} {currency}",
        w.pick(plain.replace('.', ","), plain.clone())
    );
    let mut add = |word: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!(", {word} {value}");
        }
    };
    add(w.pick("Person", "person"), rule.person.clone());
    add(w.pick("Projekt", "project"), rule.project.clone());
    add(w.pick("ab", "from"), rule.from.map(|day| w.day(day)));
    add(w.pick("bis", "until"), rule.until.map(|day| w.day(day)));
    format!("{text} [{}]", rule.origin)
}

fn grouping(w: &Writer, grouping: Grouping) -> &'static str {
    match grouping {
        Grouping::Project => w.pick("je Projekt", "one a project"),
        Grouping::Task => w.pick("je Aufgabe", "one a task"),
        Grouping::Person => w.pick("je Person", "one a person"),
        Grouping::Day => w.pick("je Tag", "one a day"),
        Grouping::Entry => w.pick("je Eintrag", "one an entry"),
    }
}
