//! A document of headings, paragraphs, lists and tables, and its two forms.

use serde::Serialize;

use crate::billing::Language;
use crate::render::{self, RenderError};
use chrono::NaiveDateTime;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    pub(super) language: Language,
    pub(super) title: String,
    /// Whose procedure it is.
    pub(super) owner: String,
    /// The lines below the title: what, and its value.
    pub(super) head: Vec<(String, String)>,
    pub(super) contents: String,
    pub(super) page: String,
    pub(super) blocks: Vec<Block>,
    #[serde(skip)]
    pub(super) at: NaiveDateTime,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum Block {
    /// Numbered by its place: `2.1`.
    Heading {
        level: u8,
        number: String,
        text: String,
    },
    Text {
        text: String,
    },
    List {
        items: Vec<String>,
    },
    Table {
        head: Vec<String>,
        /// Each column's share of the width.
        widths: Vec<u8>,
        rows: Vec<Vec<String>>,
    },
    /// Something that a person has to write.
    Gap {
        label: String,
        text: String,
    },
}

impl Document {
    /// As Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n**{}**\n\n", plain(&self.title), plain(&self.owner));
        text += "| | |\n|---|---|\n";
        for (what, value) in &self.head {
            text += &format!("| {} | {} |\n", cell(what), cell(value));
        }
        for block in &self.blocks {
            text.push('\n');
            text += &markdown(block);
        }
        text
    }

    /// As PDF/A.
    ///
    /// # Errors
    /// Those of the layout, which are defects of the program.
    pub fn pdf(&self) -> Result<Vec<u8>, RenderError> {
        let data = serde_json::to_value(self).map_err(RenderError::Data)?;
        let ident = format!("procedure/{}/{}", self.owner, self.at);
        render::document(render::PROCEDURE_TEMPLATE, data, &ident, self.at)
    }
}

fn markdown(block: &Block) -> String {
    match block {
        Block::Heading {
            level,
            number,
            text,
        } => format!(
            "{} {number} {}\n",
            "#".repeat(usize::from(*level) + 1),
            plain(text)
        ),
        Block::Text { text } => format!("{}\n", plain(text)),
        Block::List { items } => {
            let lines: Vec<String> = items.iter().map(|item| plain(item)).collect();
            format!("- {}\n", lines.join("\n- "))
        }
        Block::Table { head, rows, .. } => {
            let line = |cells: &[String]| {
                let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
                format!("| {} |\n", cells.join(" | "))
            };
            let mut text = line(head) + &format!("|{}\n", "---|".repeat(head.len()));
            text.extend(rows.iter().map(|row| line(row)));
            text
        }
        Block::Gap { label, text } => format!("> **{}:** {}\n", plain(label), plain(text)),
    }
}

/// Text of one line in which nothing is markup.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        for char in word.chars() {
            if "\\`*_[]<>|~".contains(char) {
                plain.push('\\');
            }
            plain.push(char);
        }
    }
    // At the beginning of a line these would be a heading, a list or a quotation.
    if plain.starts_with(['#', '-', '+']) {
        plain.insert(0, '\\');
    }
    plain
}

fn cell(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(plain).collect();
    lines.join("<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(
            plain("# a_b | <i> [x](y)\n*z*"),
            r"\# a\_b \| \<i\> \[x\](y) \*z\*"
        );
        assert_eq!(cell("one | two\n- three"), r"one \| two<br>\- three");
    }
}
