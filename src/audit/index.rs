//! `index.xml`: the description of the tables in the form that the tax offices' programs read.
//!
//! The elements are those of `gdpdu-01-09-2004.dtd` (Beschreibungsstandard für die
//! Datenträgerüberlassung). The DTD itself is not ours to give; the programs bring it along.

use super::files::{DELIMITER, file_name};
use super::tables::{Column, Kind, TABLES, Table};
use crate::billing::{Language, Party};

pub(super) fn text(issuer: &Party) -> String {
    let mut xml = Xml::default();
    xml.text += "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
                 <!DOCTYPE DataSet SYSTEM \"gdpdu-01-09-2004.dtd\">\n";
    xml.within("DataSet", |xml| {
        xml.leaf("Version", "1.0");
        xml.within("DataSupplier", |xml| {
            xml.leaf("Name", &issuer.name);
            xml.leaf("Location", &issuer.address.join(", "));
            xml.leaf("Comment", "Stundenbuch: Abrechnungen mit ihrer Herkunft");
        });
        xml.within("Media", |xml| {
            xml.leaf("Name", "Stundenbuch");
            for one in &TABLES {
                table(xml, one);
            }
        });
    });
    xml.text
}

fn table(xml: &mut Xml, table: &Table) {
    xml.within("Table", |xml| {
        xml.leaf("URL", &file_name(table));
        xml.leaf("Name", table.name);
        xml.leaf("Description", table.about.of(Language::De));
        xml.empty("UTF8");
        xml.leaf("DecimalSymbol", ".");
        xml.leaf("DigitGroupingSymbol", ",");
        // The first line holds the names of the columns.
        xml.within("Range", |xml| xml.leaf("From", "2"));
        xml.within("VariableLength", |xml| {
            xml.leaf("ColumnDelimiter", &char::from(DELIMITER).to_string());
            xml.leaf("RecordDelimiter", "\n");
            xml.leaf("TextEncapsulator", "\"");
            let (keys, others) = table.columns.split_at(table.keys);
            for it in keys {
                column(xml, "VariablePrimaryKey", it);
            }
            for it in others {
                column(xml, "VariableColumn", it);
            }
            for (name, other) in table.refers {
                xml.within("ForeignKey", |xml| {
                    xml.leaf("Name", name);
                    xml.leaf("References", other);
                });
            }
        });
    });
}

fn column(xml: &mut Xml, element: &str, column: &Column) {
    xml.within(element, |xml| {
        xml.leaf("Name", column.name);
        xml.leaf("Description", column.about.of(Language::De));
        match column.kind {
            // An instant has no form in this standard.
            Kind::Text | Kind::Instant => xml.empty("AlphaNumeric"),
            Kind::Whole => xml.empty("Numeric"),
            Kind::Money => xml.within("Numeric", |xml| xml.leaf("Accuracy", "2")),
            Kind::Decimal => xml.within("Numeric", |xml| xml.leaf("Accuracy", "4")),
            Kind::Day => xml.within("Date", |xml| xml.leaf("Format", "YYYY-MM-DD")),
        }
    });
}

/// Elements, indented by their depth.
#[derive(Debug, Default)]
struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn indent(&mut self) {
        self.text += &"  ".repeat(self.depth);
    }

    fn within(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.indent();
        self.text += &format!("<{name}>\n");
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        self.indent();
        self.text += &format!("</{name}>\n");
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.indent();
        self.text += &format!("<{name}>{}</{name}>\n", escaped(text));
    }

    fn empty(&mut self, name: &str) {
        self.indent();
        self.text += &format!("<{name}/>\n");
    }
}

/// What would be read as markup, and the line break, which a reader would take for a blank.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\n' => escaped += "&#10;",
            // XML 1.0 has no other control characters.
            char if char.is_control() => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped
}
