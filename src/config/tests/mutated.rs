//! Whatever is done to a configuration, the answer is a configuration or a list of mistakes.

use proptest::prelude::*;

use super::Place;
use super::example::everything;

/// Pieces that mean something in TOML or here.
const PIECES: &[&str] = &[
    "",
    "\"",
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "#",
    "0",
    "-1",
    "9999999999999999999",
    "1e400",
    "nan",
    "true",
    "\"\"",
    "[]",
    "{}",
    "2026-02-30",
    "2026-01-01",
    "\u{0}",
    "ä",
    "\r",
    "\"\"\"",
    "[[clients]]",
    "[clients.mueller]",
    "a.b.c = 1\n",
    "until = 0001-01-01\n",
    "from = 9999-12-31\n",
    "from = -0001-01-01\n",
    "\u{feff}",
    "99999999h",
    "drive:",
    ":",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_mutated_example_never_panics(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, 0..PIECES.len()), 1..4),
    ) {
        let mut text: Vec<char> = everything().chars().collect();
        for (at, length, piece) in cuts {
            let start = at.index(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, PIECES[piece].chars());
        }
        let text: String = text.into_iter().collect();
        let place = Place::new(&[("stundenbuch.toml", &text)]);
        if let Err(errors) = place.load(&[]) {
            prop_assert!(!errors.mistakes().is_empty());
            for mistake in errors.mistakes() {
                prop_assert!(!mistake.what.is_empty());
            }
        }
    }

    /// Values of every kind at every key.
    #[test]
    fn a_key_with_any_value_never_panics(
        line in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![
            "1", "-1", "1.5", "-0.0", "inf", "true", "\"x\"", "\"\"", "[]", "[1]", "[[]]", "{}",
            "{ a = 1 }", "[{}]", "[\"x\"]", "2026-01-01", "2026-01-01T00:00:00Z", "03:15:00",
            "-262143-01-01", "9999-12-31", "0000-01-01",
        ]),
    ) {
        let example = everything();
        let mut lines: Vec<String> = example.lines().map(str::to_owned).collect();
        let keys: Vec<usize> = (0..lines.len())
            .filter(|at| lines[*at].contains(" = ") && !lines[*at].starts_with('#'))
            .collect();
        let at = keys[line.index(keys.len())];
        let key = lines[at].split(" = ").next().unwrap().to_owned();
        lines[at] = format!("{key} = {value}");
        let place = Place::new(&[("stundenbuch.toml", &lines.join("\n"))]);
        if let Err(errors) = place.load(&[]) {
            // Each mistake but a missing name stands in some line.
            let printed = errors.to_string();
            prop_assert!(printed.contains("stundenbuch.toml:"), "{printed}");
        }
    }
}
