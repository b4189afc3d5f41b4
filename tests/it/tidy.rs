//! The house rules that no compiler keeps, as an ordinary test over the sources.
//!
//! Each rule is a function from sources to complaints. The first test holds the tree to all of
//! them; the others show each rule a source that breaks it, because a rule that cannot complain
//! is no rule.

#[path = "tidy/connectors.rs"]
mod connectors;
#[path = "tidy/links.rs"]
mod links;
#[path = "tidy/messages.rs"]
mod messages;
#[path = "tidy/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};
use std::process::Command;

/// A text file of the repository.
#[derive(Clone, Debug)]
struct Source {
    /// From the root, with slashes.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, wanted: &str) -> bool {
        let extension = Path::new(&self.path).extension();
        extension.is_some_and(|extension| extension == wanted)
    }

    /// The lines that are code, with their numbers. A comment may name what code may not.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .map(|(at, line)| (at + 1, line))
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file that git has, or would take; `None` outside of a checkout.
fn sources() -> Option<Vec<Source>> {
    let arguments = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .output();
    let Some(listed) = output.ok().filter(|output| output.status.success()) else {
        println!("SKIPPED: this is no git checkout, or there is no git");
        return None;
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let read = |path: &str| {
        // A file that is deleted and not yet committed is still listed; one that is no text is
        // nothing for these rules.
        let text = std::fs::read_to_string(root().join(path)).ok()?;
        Some(Source::new(path, &text))
    };
    let sources: Vec<Source> = listed.split_terminator('\0').filter_map(read).collect();
    assert!(
        sources.len() > 100,
        "git lists only {} files",
        sources.len()
    );
    Some(sources)
}

fn must_be_tidy(complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn the_sources_are_tidy() {
    if let Some(sources) = sources() {
        must_be_tidy(&rules::all(&sources));
    }
}

#[test]
fn the_links_between_documents_lead_somewhere() {
    if let Some(sources) = sources() {
        must_be_tidy(&links::broken(&sources, &|path: &Path| {
            root().join(path).exists()
        }));
    }
}

#[test]
fn the_messages_in_the_trouble_table_exist() {
    if let Some(sources) = sources() {
        must_be_tidy(&messages::invented(&sources));
    }
}

#[test]
fn the_connectors_are_whole() {
    if let Some(sources) = sources() {
        must_be_tidy(&connectors::incomplete(&sources));
    }
}
