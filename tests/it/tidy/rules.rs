//! Rules about single files.

use sha2::{Digest as _, Sha256};

use super::Source;

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 600;

/// Every rule over every source.
pub(super) fn all(sources: &[Source]) -> Vec<String> {
    let rules: [fn(&Source) -> Vec<String>; 7] = [
        shape, leftovers, borders, purity, places, migrations, strangers,
    ];
    let each = |source| rules.iter().flat_map(move |rule| rule(source));
    sources.iter().flat_map(each).collect()
}

/// Lines and files that are too long to read; files that do not say what they are for.
fn shape(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    let path = &source.path;
    let mut complaints = Vec::new();
    for (at, line) in source.text.lines().enumerate() {
        // An address cannot be broken; a row of a table in a text would not be one any more.
        let exempt = line.contains("://") || line.contains("include_");
        if line.chars().count() > COLUMNS_MAX && !exempt && !is_data(line) {
            complaints.push(format!(
                "{path}:{}: more than {COLUMNS_MAX} columns",
                at + 1
            ));
        }
    }
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        complaints.push(format!("{path}: {lines} lines; split it above {LINES_MAX}"));
    }
    if !source.text.starts_with("//!") {
        complaints.push(format!("{path}: begins without `//!` and what it is for"));
    }
    complaints
}

/// A line within a text of several lines: a row of CSV or JSON that is one line in its file, too.
fn is_data(line: &str) -> bool {
    !line.starts_with(' ') && !line.starts_with("//") && line.matches(',').count() > 5
}

/// What somebody meant to come back to.
fn leftovers(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    // Written in two parts, so that this file is not its own first finding.
    let words = [
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("db", "g!("),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("TO", "DO"),
    ];
    found(
        source
            .text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line)),
        &words,
    )
    .map(|(at, word)| format!("{}:{at}: a leftover `{word}`", source.path))
    .collect()
}

/// Something that only some places may name.
struct Border {
    words: &'static [&'static str],
    /// Beginnings of paths.
    only: &'static [&'static str],
    why: &'static str,
}

const BORDERS: [Border; 5] = [
    Border {
        words: &[concat!("req", "west")],
        only: &["connectors/http/"],
        why: "only the HTTP layer talks HTTP; build a `Request` instead",
    },
    Border {
        words: &[concat!("rus", "qlite")],
        only: &["src/store/", "tests/", "benches/"],
        why: "only the store names SQLite; ask it for what you need",
    },
    Border {
        words: &[
            concat!("Utc::", "now("),
            concat!("Local::", "now("),
            concat!("SystemTime::", "now("),
            concat!("Instant::", "now("),
            concat!("tokio::time::", "sleep("),
        ],
        // Benches measure; a slow fake and another process take real time.
        only: &[
            "connectors/clock.rs",
            "benches/",
            "tests/fakes/wire.rs",
            "tests/it/crash/services.rs",
            "tests/it/daemon.rs",
        ],
        why: "only the clock asks for the time and waits; take a `Clock`",
    },
    Border {
        words: &[concat!(".exp", "ose(")],
        only: &[
            "connectors/secret.rs",
            "connectors/secret_tests.rs",
            "connectors/http/",
            // Where a service's header is made of the credential, once a connector.
            "connectors/clockify/api.rs",
            "connectors/kimai/api.rs",
            "connectors/activecollab/login.rs",
            "connectors/dav/login.rs",
            "connectors/asana/login.rs",
            "connectors/gdrive/key.rs",
            "connectors/toggl/api.rs",
            "connectors/trello/mod.rs",
            // Where logins are obtained, renewed and made into a header, and what a service
            // repeats of them is taken out of its words; their tests compare them.
            "connectors/login/",
            "connectors/tests/http/access.rs",
            "connectors/tests/login/",
            // Where they are sealed, and where a person's answer is tried and stored.
            "src/logins/",
            "src/cli/auth/",
            "connectors/exec/private.rs",
            "tests/it/logins/",
            "src/config/tests/",
        ],
        why: "a secret's characters go into one header and nowhere else",
    },
    Border {
        words: &[concat!("std::", "env::var")],
        only: &[
            "src/cli/",
            "tests/",
            "benches/",
            "connectors/tests/",
            "connectors/import/trello_board_tests.rs",
        ],
        why: "the environment is read once, at the start; take an `Environment`",
    },
];

fn borders(source: &Source) -> Vec<String> {
    if !source.is_rust() {
        return Vec::new();
    }
    let beyond = |border: &&Border| !border.only.iter().any(|only| source.path.starts_with(only));
    let complain = |border: &Border| -> Vec<String> {
        found(source.code(), border.words)
            .map(|(at, word)| format!("{}:{at}: names `{word}`: {}", source.path, border.why))
            .collect()
    };
    BORDERS.iter().filter(beyond).flat_map(complain).collect()
}

/// What a pure module does not name: no clock, no network, no files, no storage, no chance.
const IMPURE: [&str; 10] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::time",
    "tokio",
    "rand::",
    "clock::",
    "crate::store",
    "crate::run",
];

fn purity(source: &Source) -> Vec<String> {
    let pure = [
        "src/matching/",
        "src/reconcile/",
        "src/billing/",
        "src/ledger/",
    ];
    if !pure.iter().any(|path| source.path.starts_with(path)) {
        return Vec::new();
    }
    found(source.code(), &IMPURE)
        .map(|(at, word)| format!("{}:{at}: a pure module names `{word}`", source.path))
        .collect()
}

/// The connectors do not know the application, and neither do the fakes that they share.
fn places(source: &Source) -> Vec<String> {
    let apart = ["connectors/", "tests/fakes/"];
    if !source.is_rust() || !apart.iter().any(|path| source.path.starts_with(path)) {
        return Vec::new();
    }
    found(source.code(), &[concat!("stundenbuch", "::")])
        .map(|(at, _)| format!("{}:{at}: a connector names the application", source.path))
        .collect()
}

/// The steps that files in the world were made by, with the SHA-256 of each.
const MIGRATIONS: [(&str, &str); 2] = [
    (
        "src/store/schema/0001.sql",
        "a20bec9ecc8969ab51da527e7abd8177f73b4365b8fb6366f17ba8526b74f120",
    ),
    (
        "src/store/schema/0002.sql",
        "9bab8aa55f25cf08b864a0933503ea96bbede28d364633a5f3339847922f121a",
    ),
];

/// A shipped step is never edited: a ledger that was made by it would be another ledger.
fn migrations(source: &Source) -> Vec<String> {
    if !source.path.starts_with("src/store/schema/") {
        return Vec::new();
    }
    let path = &source.path;
    let hash: String = Sha256::digest(source.text.as_bytes())
        .iter()
        .fold(String::new(), |hash, byte| hash + &format!("{byte:02x}"));
    match MIGRATIONS.iter().find(|(shipped, _)| shipped == path) {
        Some((_, shipped)) if *shipped == hash => Vec::new(),
        Some(_) => vec![format!(
            "{path}: a migration was changed; add another one (before the first release, put \
             {hash} into this test)"
        )],
        None => vec![format!(
            "{path}: a migration that is not in this test's list ({hash})"
        )],
    }
}

/// Paths of somebody's machine.
fn strangers(source: &Source) -> Vec<String> {
    let words = [
        concat!("/wo", "rk/"),
        concat!("/fa", "rm/"),
        concat!("/tmp/", "bash"),
        concat!("/tmp/", "sb-"),
    ];
    found(
        source
            .text
            .lines()
            .enumerate()
            .map(|(at, line)| (at + 1, line)),
        &words,
    )
    .map(|(at, word)| {
        format!(
            "{}:{at}: names `{word}`, a path of one machine",
            source.path
        )
    })
    .collect()
}

/// The lines that hold one of the words.
fn found<'a>(
    lines: impl Iterator<Item = (usize, &'a str)>,
    words: &[&'static str],
) -> impl Iterator<Item = (usize, &'static str)> {
    lines.filter_map(|(at, line)| {
        let word = words.iter().find(|word| line.contains(**word))?;
        Some((at, *word))
    })
}

mod tests {
    use super::*;

    #[track_caller]
    fn complains(path: &str, text: &str, part: &str) {
        let complaints = all(&[Source::new(path, text)]);
        assert!(
            complaints.len() == 1 && complaints[0].contains(part),
            "{path}: wanted one complaint with `{part}`, got {complaints:?}"
        );
    }

    #[track_caller]
    fn is_fine(path: &str, text: &str) {
        assert_eq!(all(&[Source::new(path, text)]), Vec::<String>::new());
    }

    #[test]
    fn a_file_that_is_hard_to_read_is_told() {
        let wide = "x".repeat(101);
        complains(
            "src/a.rs",
            &format!("//! A.\n    {wide}"),
            "src/a.rs:2: more than 100",
        );
        complains(
            "src/a.rs",
            &format!("//! A.\n{}", "\n".repeat(600)),
            "601 lines",
        );
        complains("src/a.rs", "// A.\n", "begins without");
        is_fine("src/a.rs", &format!("//! A.\n// {}", "ü".repeat(97)));
        is_fine("src/a.rs", &format!("//! A.\n// https://a.example/{wide}"));
        is_fine("docs/a.md", &wide);
    }

    #[test]
    fn leftovers_are_told() {
        for word in [
            concat!("to", "do!()"),
            concat!("unimple", "mented!()"),
            concat!("db", "g!(1)"),
            concat!("// FIX", "ME: later"),
            concat!("// XX", "X"),
            concat!("// TO", "DO"),
        ] {
            complains(
                "src/a.rs",
                &format!("//! A.\n{word}\n"),
                "src/a.rs:2: a leftover",
            );
        }
    }

    #[test]
    fn a_name_beyond_its_border_is_told() {
        for (path, line) in [
            ("connectors/toggl/a.rs", concat!("use req", "west::Url;")),
            ("src/cli/a.rs", concat!("use rus", "qlite::Connection;")),
            (
                "connectors/toggl/a.rs",
                concat!("let now = Utc::", "now();"),
            ),
            (
                "tests/it/a.rs",
                concat!("let now = std::time::Instant::", "now();"),
            ),
            ("src/run/a.rs", concat!("let now = SystemTime::", "now();")),
            (
                "src/run/a.rs",
                concat!("tokio::time::", "sleep(second).await;"),
            ),
            ("src/run/a.rs", concat!("secret.exp", "ose();")),
            ("connectors/folder/a.rs", concat!("secret.exp", "ose();")),
            ("src/run/a.rs", concat!("std::", "env::var(\"HOME\");")),
        ] {
            complains(path, &format!("//! A.\n{line}\n"), ":2: names");
            is_fine(path, &format!("//! A.\n// {line}\n"));
        }
        is_fine(
            "connectors/http/a.rs",
            concat!("//! A.\nuse req", "west::Url;"),
        );
        is_fine(
            "src/store/a.rs",
            concat!("//! A.\nuse rus", "qlite::Connection;"),
        );
        is_fine("connectors/clock.rs", concat!("//! A.\nUtc::", "now()"));
    }

    #[test]
    fn an_impure_module_is_told() {
        for word in IMPURE {
            for path in [
                "src/matching/a.rs",
                "src/billing/a.rs",
                "src/ledger/chain.rs",
            ] {
                let text = format!("//! A.\nuse {word}x;\n");
                complains(path, &text, "a pure module names");
            }
            is_fine("src/daemon/a.rs", &format!("//! A.\nuse {word}x;\n"));
        }
    }

    #[test]
    fn a_connector_that_knows_the_application_is_told() {
        let line = concat!("//! A.\nuse stundenbuch", "::config::Config;");
        complains("connectors/toggl/a.rs", line, "names the application");
        complains("tests/fakes/a.rs", line, "names the application");
        is_fine("tests/it/a.rs", line);
        is_fine(
            "connectors/tests/a.rs",
            "//! A.\nuse stundenbuch_connectors::Kind;",
        );
    }

    #[test]
    fn an_edited_or_unlisted_migration_is_told() {
        complains(
            "src/store/schema/0001.sql",
            "CREATE TABLE a (b)",
            "was changed",
        );
        complains(
            "src/store/schema/9999.sql",
            "CREATE TABLE a (b)",
            "not in this test's list",
        );
    }

    #[test]
    fn a_path_of_one_machine_is_told() {
        complains(
            "README.md",
            concat!("see /wo", "rk/main/x"),
            "a path of one machine",
        );
        complains(
            "src/a.rs",
            concat!("//! /tmp/", "bash_jobs"),
            "a path of one machine",
        );
    }
}
