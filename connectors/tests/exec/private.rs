//! What the program is handed, and what nobody else sees of it.

use serde_json::json;
use stundenbuch_connectors::contract::Cursor;
use stundenbuch_connectors::kind::Value;
use stundenbuch_connectors::secret::Secret;

use crate::world::{
    CANARY, SCHEMA, Script, codes, ids, lines, pull, pull_well, record, state, table, texts,
};

fn secret() -> Value {
    Value::Secret(Secret::new(CANARY))
}

#[tokio::test]
async fn the_environment_is_empty_but_for_what_is_named() {
    let script = Script::new(&lines(&["cat /proc/$$/environ > \"$OUT/environ\"", SCHEMA]))
        .with(
            "environment",
            table(json!({"LANG": "C.UTF-8", "TAP_KEY": "Bearer {credential}"})),
        )
        .with("credential", secret());
    pull_well(&*script.connector(), &Cursor::start()).await;
    let environ = script.trace("environ");
    let mut found: Vec<&str> = environ.split_terminator('\0').collect();
    found.sort_unstable();
    assert_eq!(found, ["LANG=C.UTF-8", &format!("TAP_KEY=Bearer {CANARY}")]);

    let script = Script::new(&lines(&["cat /proc/$$/environ > \"$OUT/environ\"", SCHEMA]));
    pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(script.trace("environ"), "");
}

#[tokio::test]
async fn a_secret_is_in_a_private_file_and_nowhere_else() {
    let look = r#"
        cp "$2" "$OUT/config"
        stat -c %a "$2" > "$OUT/mode"; stat -c %a "$(dirname "$2")" >> "$OUT/mode"
        cat /proc/$$/cmdline | tr '\0' ' ' > "$OUT/cmdline"
        pwd > "$OUT/pwd"; echo "$2" > "$OUT/path"
        cat "$2" >&2
        note="$(sed 's/.*"key":"\(.*\)".*/\1/' "$2")"
        say '{"type":"RECORD","stream":"zeiten","record":{"id":1,"note":"'"$note"'"}}'"#;
    let script = Script::new(&lines(&[
        "[ \"$3\" ] && exit 0",
        SCHEMA,
        look,
        &state("1"),
        "exit 1",
    ]))
    .with(
        "config",
        table(json!({"key": "{credential}", "a": {"n": [1, 0.5]}})),
    )
    .with("credential", secret());
    let (pages, end) = pull(&*script.connector(), &Cursor::start()).await;
    let config: serde_json::Value = serde_json::from_str(&script.trace("config")).unwrap();
    assert_eq!(config, json!({"key": CANARY, "a": {"n": [1, 0.5]}}));
    assert_eq!(script.trace("mode"), "600\n700\n");
    let cmdline = script.trace("cmdline");
    assert!(
        cmdline.contains("--config") && !cmdline.contains("k4n4r1"),
        "{cmdline}"
    );
    let (pwd, path) = (script.trace("pwd"), script.trace("path"));
    assert!(
        path.starts_with(pwd.trim()),
        "it works in its private directory"
    );
    assert_eq!(
        std::fs::read_dir(script.runs()).unwrap().count(),
        0,
        "it is gone afterwards"
    );
    // The tool repeats the secret in a record and on its standard error.
    assert_eq!(ids(&pages), ["1"]);
    let told = format!("{pages:?} {end:?}");
    assert!(told.contains('…') && !told.contains("k4n4r1"), "{told}");
}

#[tokio::test]
async fn a_login_that_changes_is_told() {
    let script = Script::new(&lines(&[
        SCHEMA,
        "echo '{\"key\":\"new\"}' > \"$2\"",
        &record(1),
    ]))
    .with("config", table(json!({"key": "{credential}"})))
    .with("credential", secret());
    let (pages, _) = pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(codes(&pages), ["config-rewritten"]);
}

#[tokio::test]
async fn arguments_are_handed_on_and_read_by_no_shell() {
    let script = Script::new(&lines(&[
        "printf '[%s]' \"$@\" > \"$OUT/arguments\"",
        SCHEMA,
    ]));
    let tap = script.around.path().join("tap.sh");
    let command = [
        "/bin/sh",
        tap.to_str().unwrap(),
        "$HOME; ls",
        "*",
        "--x=a b",
    ];
    let script = script.with("command", texts(&command));
    pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(script.trace("arguments"), "[$HOME; ls][*][--x=a b]");
}

#[tokio::test]
async fn the_catalog_selects_what_is_mapped_and_nothing_else() {
    let discover = r#"if [ "$1" = --discover ]; then
        cat <<'CATALOG'
{"streams": [
 {"tap_stream_id": "zeiten", "stream": "zeiten", "schema": {"properties": {"id": {}, "day": {},
   "hours": {}, "note": {}, "salary": {}}},
  "metadata": [
   {"breadcrumb": [], "metadata": {"table-key-properties": ["id"]}},
   {"breadcrumb": ["properties", "id"], "metadata": {"inclusion": "automatic"}},
   {"breadcrumb": ["properties", "day"], "metadata": {"inclusion": "available"}},
   {"breadcrumb": ["properties", "salary"], "metadata": {"inclusion": "available"}}]},
 {"tap_stream_id": "sick_notes", "stream": "sick_notes", "schema": {}}]}
CATALOG
        exit 0
    fi
    cp "$2" "$OUT/catalog"; echo "$1" > "$OUT/flag""#;
    for (select, flag) in [("catalog", "--catalog"), ("properties", "--properties")] {
        let mut streams = crate::world::zeiten();
        streams["zeiten"]["replication"] = "full".into();
        let script = Script::new(&lines(&[discover, SCHEMA, &record(1)]))
            .with("select", Value::Text(select.to_owned()))
            .with("streams", table(streams));
        pull_well(&*script.connector(), &Cursor::start()).await;
        assert_eq!(script.trace("flag").trim(), flag);
        let catalog: serde_json::Value = serde_json::from_str(&script.trace("catalog")).unwrap();
        let [zeiten, sick] = [&catalog["streams"][0], &catalog["streams"][1]];
        let marks = |at: usize| &zeiten["metadata"][at]["metadata"];
        assert_eq!(
            marks(0),
            &json!({"table-key-properties": ["id"], "selected": true,
                "replication-method": "FULL_TABLE"})
        );
        let selected = [1, 2, 3].map(|at| marks(at)["selected"] == true);
        assert_eq!(selected, [true, true, false]);
        assert_eq!(zeiten["schema"]["selected"], true);
        assert_eq!(zeiten["schema"]["properties"]["salary"]["selected"], false);
        assert_eq!(zeiten["schema"]["properties"]["note"]["selected"], true);
        assert_eq!(sick["metadata"][0]["metadata"]["selected"], false);
        assert_eq!(sick["schema"]["selected"], false);
    }
}

#[tokio::test]
async fn a_catalog_of_your_own_is_taken_as_it_is() {
    let script = Script::new(&lines(&[
        "echo \"$1 $2\" >> \"$OUT/arguments\"",
        SCHEMA,
        &record(1),
    ]))
    .with("select", Value::Text("catalog".to_owned()))
    .with("catalog", Value::Path("/etc/hostname".into()));
    pull_well(&*script.connector(), &Cursor::start()).await;
    assert_eq!(script.trace("arguments"), "--catalog /etc/hostname\n");
}
