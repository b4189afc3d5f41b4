//! Every line of a run spoiled in every way: nothing panics, nothing is called gone, and a line
//! that cannot be read ends the run before it proves anything.

use serde_json::json;

use super::super::{normalise, words};
use super::{Before, Session};
use crate::suite::mutants;

const LINES: [&str; 5] = [
    r#"{"type":"SCHEMA","stream":"s","key_properties":["id"],
        "schema":{"properties":{"id":{},"day":{},"hours":{},"tags":{}}}}"#,
    r#"{"type":"RECORD","stream":"s","version":7,"time_extracted":"2026-03-03T00:00:00Z",
        "record":{"id":1,"day":"2026-03-02","hours":0.5,"tags":[{"name":"a"}]}}"#,
    r#"{"type":"RECORD","stream":"s","version":7,
        "record":{"id":2,"day":"2026-03-02","hours":1.25,"tags":null}}"#,
    r#"{"type":"ACTIVATE_VERSION","stream":"s","version":7}"#,
    r#"{"type":"STATE","value":{"bookmarks":{"s":{"at":"2026-03-02"}}}}"#,
];

#[test]
fn no_spoiled_line_invents_a_deletion() {
    let table = json!({"s": {"record": "time", "replication": "full",
        "columns": {"date": "day", "duration": "hours", "tags": "tags.name"}}});
    let table = table.as_object().expect("a table");
    let mapped = words::streams(table, chrono_tz::Tz::UTC).expect("a good mapping");
    let (mut refused, mut read) = (0, 0);
    for spoiled in 0..LINES.len() {
        for mutant in mutants(LINES[spoiled]) {
            let before = Before {
                whole: true,
                ..Before::default()
            };
            let mut session = Session::new(&mapped, before, 100);
            let mut lines = LINES;
            lines[spoiled] = &mutant;
            if lines.iter().any(|line| session.take(line).is_err()) {
                // What came before it is kept, and proves nothing.
                let part = session.broken().unwrap_or_default();
                assert!(part.swept.is_empty() && part.gone.is_empty(), "{mutant}");
                refused += 1;
                continue;
            }
            let part = session.finish().expect("all lines were taken");
            assert!(part.gone.is_empty(), "{mutant}");
            for raw in &part.raw {
                // Whatever is in it: a record, or a reason.
                let _ = normalise::normalise(raw);
                let named = part.swept.iter().flat_map(|sweep| &sweep.present);
                let proved = !part.swept.is_empty();
                assert!(!proved || named.clone().any(|id| *id == raw.id), "{mutant}");
            }
            read += 1;
        }
    }
    assert!(
        refused > 300 && read > 100,
        "{refused} refused, {read} read"
    );
}
