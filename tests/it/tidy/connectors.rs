//! Every connector has its header, its fixtures, and its place in the documents.

use std::fmt::Write as _;

use stundenbuch_connectors::ALL;
use stundenbuch_connectors::kind::{Bucket, Changes, Deletions, Kind, Need, Setting, StreamKind};

use super::{Source, root};

/// The headings of a connector's header, in their order.
const HEADINGS: [&str; 5] = [
    "What it reads",
    "What it writes",
    "Credentials",
    "Limits",
    "Known gaps",
];

/// What is missing of the connectors in the list, and connectors that are not in it.
pub(super) fn incomplete(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for entry in ALL {
        complaints.extend(header(sources, entry.kind.name));
        // What has a quota has a network, and what has a network is tried against fixtures.
        if !entry.kind.buckets.is_empty() {
            complaints.extend(fixtures(sources, entry.kind.name));
        }
        complaints.extend(mentions(sources, entry.kind.name));
    }
    let names: Vec<&str> = ALL.iter().map(|entry| entry.kind.name).collect();
    complaints.extend(unlisted(sources, &names));
    complaints
}

fn header(sources: &[Source], name: &str) -> Option<String> {
    let path = format!("connectors/{name}/mod.rs");
    let Some(source) = sources.iter().find(|source| source.path == path) else {
        return Some(format!(
            "{path}: there is no such file for the connector `{name}`"
        ));
    };
    let headings: Vec<&str> = source
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("//! # "))
        .collect();
    (headings != HEADINGS).then(|| format!("{path}: the header should have {HEADINGS:?}"))
}

fn fixtures(sources: &[Source], name: &str) -> Option<String> {
    let folder = format!("connectors/{name}/fixtures/");
    let any = sources
        .iter()
        .any(|source| source.path.starts_with(&folder));
    (!any).then(|| format!("{folder}: a connector with a network has fixtures"))
}

fn mentions(sources: &[Source], name: &str) -> Vec<String> {
    let names_it = |path: &str| {
        let source = sources.iter().find(|source| source.path == path);
        source.is_some_and(|source| source.text.contains(&format!("`{name}`")))
    };
    ["README.md", "docs/connectors.md"]
        .into_iter()
        .filter(|path| !names_it(path))
        .map(|path| format!("{path}: does not name the connector `{name}`"))
        .collect()
}

/// A module that has a conformance test or fixtures and is not in the list is dead code.
fn unlisted(sources: &[Source], names: &[&str]) -> Vec<String> {
    let is_module = |source: &&Source| {
        let parts: Vec<&str> = source.path.split('/').collect();
        matches!(parts[..], ["connectors", name, "mod.rs"]
            if !["dav", "drive", "http", "import", "login"].contains(&name) && !names.contains(&name))
    };
    let complain = |source: &Source| format!("{}: is not in `connectors::ALL`", source.path);
    sources.iter().filter(is_module).map(complain).collect()
}

/// `docs/connectors.md`, from what the connectors declare of themselves.
fn document() -> String {
    let mut text = "\
# Connectors

<!-- Made from the connectors' own declarations. After changing one, run
     `STUNDENBUCH_WRITE_DOCS=1 cargo test --test it tidy` and commit the result. -->

What each connector reads, delivers, needs and costs; `stundenbuch connectors` prints the same.
[`connectors/README.md`](../connectors/README.md) says how to write another one.

| connector | service | reads | delivers | a quiet night costs |
|---|---|---|---|---|
"
    .to_owned();
    for entry in ALL {
        let kind = entry.kind;
        let streams: Vec<_> = kind.streams.iter().map(|it| it.stream.as_str()).collect();
        let delivers = if kind.delivers.is_empty() {
            "–"
        } else {
            "files"
        };
        let (name, title, quiet) = (kind.name, kind.title, kind.quiet_night);
        let reads = streams.join(", ");
        let _ = writeln!(
            text,
            "| `{name}` | {title} | {reads} | {delivers} | {quiet} |"
        );
    }
    for entry in ALL {
        section(&mut text, entry.kind);
    }
    text
}

fn section(text: &mut String, kind: &Kind) {
    let Kind {
        name,
        title,
        summary,
        needs,
        ..
    } = kind;
    let _ = write!(
        text,
        "\n## `{name}`: {title}\n\n{summary}\n\nNeeds: {needs}.\n"
    );
    text.push_str("\n| stream | changes | deletions |\n|---|---|---|\n");
    for StreamKind {
        stream,
        changes,
        deletions,
    } in kind.streams
    {
        let (changes, deletions) = (words_of_changes(*changes), words_of_deletions(*deletions));
        let _ = writeln!(text, "| {stream} | {changes} | {deletions} |");
    }
    if !kind.buckets.is_empty() {
        text.push_str(
            "\n| budget | requests | in | left to others | apart |\n|---|---|---|---|---|\n",
        );
        for Bucket {
            name,
            requests,
            per,
            reserve,
            spacing,
        } in kind.buckets
        {
            let (per, apart) = (per.as_secs(), spacing.as_millis());
            let _ = writeln!(
                text,
                "| {name} | {requests} | {per} s | {reserve} | {apart} ms |"
            );
        }
    }
    text.push_str("\n| key | without it | meaning |\n|---|---|---|\n");
    for Setting {
        key, need, help, ..
    } in kind.settings
    {
        let need = match need {
            Need::Required => "required".to_owned(),
            Need::Optional => "–".to_owned(),
            Need::Default(value) => format!("`{value}`"),
        };
        let _ = writeln!(text, "| `{key}` | {need} | {help} |");
    }
}

fn words_of_changes(changes: Changes) -> &'static str {
    match changes {
        Changes::Since => "listed by the service since a mark",
        Changes::Snapshot => "from a listing, skipped where a mark says that nothing changed",
        Changes::Listing => "from a listing of everything",
    }
}

fn words_of_deletions(deletions: Deletions) -> &'static str {
    match deletions {
        Deletions::Tombstone => "told by the service",
        Deletions::ConfirmedAbsence => "absence, confirmed by a second look",
        Deletions::Never => "not seen: what was seen once stays",
    }
}

#[test]
fn the_table_of_connectors_is_what_they_declare() {
    let path = root().join("docs/connectors.md");
    let wanted = document();
    if std::env::var_os("STUNDENBUCH_WRITE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == wanted,
        "docs/connectors.md is not what the connectors declare; \
         STUNDENBUCH_WRITE_DOCS=1 with this test writes it"
    );
}

#[test]
fn an_incomplete_connector_is_told() {
    let start = "//! Toggl.\n//!\n//! # What it reads\n//! # What it writes\n//! # Credentials\n";
    let whole = format!("{start}//! # Limits\n//! # Known gaps\n");
    let good = [
        Source::new("connectors/toggl/mod.rs", &whole),
        Source::new("connectors/toggl/fixtures/a.json", "{}"),
        Source::new("README.md", "`toggl`"),
        Source::new("docs/connectors.md", "`toggl`"),
    ];
    assert_eq!(header(&good, "toggl"), None);
    assert_eq!(fixtures(&good, "toggl"), None);
    assert_eq!(mentions(&good, "toggl"), Vec::<String>::new());
    assert_eq!(unlisted(&good, &["toggl"]), Vec::<String>::new());

    let bad = [Source::new("connectors/toggl/mod.rs", start)];
    assert!(header(&bad, "toggl").unwrap().contains("should have"));
    assert!(header(&bad, "trello").unwrap().contains("no such file"));
    assert!(fixtures(&bad, "toggl").unwrap().contains("has fixtures"));
    assert_eq!(mentions(&bad, "toggl").len(), 2);
    assert!(unlisted(&bad, &["trello"])[0].contains("not in `connectors::ALL`"));
}
