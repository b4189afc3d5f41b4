//! The table of troubles in `docs/operations.md` quotes the program: every quotation is looked for
//! in the sources.

use super::Source;

/// A shorter piece of a message says nothing.
const SHORTEST: usize = 8;

/// The pieces of quoted messages that no source has.
pub(super) fn invented(sources: &[Source]) -> Vec<String> {
    let Some(document) = sources
        .iter()
        .find(|source| source.path == "docs/operations.md")
    else {
        return vec!["docs/operations.md: is not there".to_owned()];
    };
    let code: Vec<String> = sources
        .iter()
        .filter(|source| source.is_rust() && !source.path.starts_with("tests/"))
        .map(|source| joined(&source.text))
        .collect();
    let quoted = pieces(&document.text);
    assert!(!quoted.is_empty(), "the table of troubles was not found");
    quoted
        .into_iter()
        .filter(|piece| !code.iter().any(|text| text.contains(piece)))
        .map(|piece| format!("docs/operations.md: no source says `{piece}`"))
        .collect()
}

/// The messages in the first column, without what is in brackets.
fn pieces(document: &str) -> Vec<&str> {
    let Some((_, table)) = document.split_once("| message | what it means") else {
        return Vec::new();
    };
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| row.trim_start_matches("| ").split(" | ").next())
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .flat_map(|message| message.split(['[', ']']).step_by(2))
        .map(|piece| piece.trim_matches(|letter: char| !letter.is_alphanumeric()))
        .filter(|piece| piece.len() >= SHORTEST)
        .collect()
}

/// Source with the texts that go over several lines in one piece.
fn joined(text: &str) -> String {
    let mut lines = text.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |joined, line| joined + line.trim_start())
}

mod tests {
    use super::*;

    #[test]
    fn an_invented_message_is_told() {
        let table = "| message | what it means |\n|---|---|\n\
                     | `the disk [sda] is full of words` | make room |\n";
        let sources = |code: &str| {
            [
                Source::new("docs/operations.md", table),
                Source::new("src/a.rs", code),
            ]
        };
        let code = "\"the disk {disk} is full \\\n    of words\"";
        assert_eq!(invented(&sources(code)), Vec::<String>::new());
        let complaints = invented(&sources("\"the disk is empty\""));
        assert!(
            complaints[0].contains("`is full of words`"),
            "{complaints:?}"
        );
    }
}
