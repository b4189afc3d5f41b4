//! Writes blocks in one of two languages; each text is given in both.

use chrono::{DateTime, NaiveDate, Utc};

use super::document::{Block, Document};
use super::facts::Facts;
use crate::billing::Language;
use crate::time::local_time;

pub(super) struct Writer {
    language: Language,
    blocks: Vec<Block>,
    /// The numbers of the chapter and of the section.
    numbers: [u32; 2],
}

impl Writer {
    pub(super) fn new(language: Language) -> Self {
        Self {
            language,
            blocks: Vec::new(),
            numbers: [0, 0],
        }
    }

    pub(super) fn language(&self) -> Language {
        self.language
    }

    /// The text of the two that is in this language.
    pub(super) fn pick<T>(&self, de: T, en: T) -> T {
        match self.language {
            Language::De => de,
            Language::En => en,
        }
    }

    /// A day as people write it.
    pub(super) fn day(&self, day: NaiveDate) -> String {
        self.pick(day.format("%d.%m.%Y"), day.format("%Y-%m-%d"))
            .to_string()
    }

    /// A moment in the zone of the configuration, which the head of the document names.
    pub(super) fn instant(&self, at: DateTime<Utc>, facts: &Facts<'_>) -> String {
        let local = local_time(at, facts.config.time_zone);
        format!("{} {}", self.day(local.date()), local.format("%H:%M:%S"))
    }

    pub(super) fn chapter(&mut self, de: &str, en: &str) {
        self.numbers = [self.numbers[0] + 1, 0];
        let number = self.numbers[0].to_string();
        self.heading(1, number, de, en);
    }

    pub(super) fn section(&mut self, de: &str, en: &str) {
        self.numbers[1] += 1;
        let number = format!("{}.{}", self.numbers[0], self.numbers[1]);
        self.heading(2, number, de, en);
    }

    fn heading(&mut self, level: u8, number: String, de: &str, en: &str) {
        let text = self.pick(de, en).to_owned();
        self.blocks.push(Block::Heading {
            level,
            number,
            text,
        });
    }

    pub(super) fn text(&mut self, de: &str, en: &str) {
        let text = self.pick(de, en).to_owned();
        self.blocks.push(Block::Text { text });
    }

    pub(super) fn list(&mut self, items: &[(&str, &str)]) {
        let items = items.iter();
        let items = items.map(|(de, en)| self.pick(*de, *en).to_owned());
        self.blocks.push(Block::List {
            items: items.collect(),
        });
    }

    /// A table; where it has no rows, the sentence instead. A column is its name and its share of
    /// the width.
    pub(super) fn table(
        &mut self,
        head: &[(&str, &str, u8)],
        rows: Vec<Vec<String>>,
        none: (&str, &str),
    ) {
        if rows.is_empty() {
            self.text(none.0, none.1);
            return;
        }
        let names = head.iter();
        let names = names.map(|(de, en, _)| self.pick(*de, *en).to_owned());
        self.blocks.push(Block::Table {
            head: names.collect(),
            widths: head.iter().map(|(.., width)| *width).collect(),
            rows,
        });
    }

    /// What the program cannot know.
    pub(super) fn gap(&mut self, de: &str, en: &str) {
        self.blocks.push(Block::Gap {
            label: self
                .pick("Von Hand zu ergänzen", "To be filled in")
                .to_owned(),
            text: self.pick(de, en).to_owned(),
        });
    }

    pub(super) fn finish(self, facts: &Facts<'_>) -> Document {
        let head = [
            ("Stand", "As of", self.instant(facts.at, facts)),
            (
                "Zeitzone aller Zeitpunkte",
                "Time zone of all moments",
                facts.config.time_zone.to_string(),
            ),
            ("Programm", "Program", facts.program.clone()),
            (
                "Ende des Journals",
                "End of the journal",
                format!("{}:{}", facts.head.seq, &facts.head.hex()[..16]),
            ),
            ("Konfiguration", "Configuration", facts.config_name()),
        ];
        let head = head.map(|(de, en, value)| (self.pick(de, en).to_owned(), value));
        Document {
            language: self.language,
            title: self
                .pick("Verfahrensdokumentation", "Procedure description")
                .to_owned(),
            owner: facts.config.issuer.name.clone(),
            head: head.to_vec(),
            contents: self.pick("Inhalt", "Contents").to_owned(),
            page: self.pick("Seite", "Page").to_owned(),
            blocks: self.blocks,
            at: facts.at.naive_utc(),
        }
    }
}
