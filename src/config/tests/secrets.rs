//! No message repeats what may be a secret, however wrongly it was written.

use super::{NEEDED, Place, errors, load};

/// Seen nowhere but in the configuration.
const CANARY: &str = "CANARY";

#[test]
fn secrets_in_the_wrong_place_are_not_repeated() {
    let wrong = [
        "token = \"CANARY\"",
        "token = [\"CANARY\"]",
        "token = { value = \"CANARY\" }",
        "token = { credential = \"CANARY!\" }",
        "token = { credential = \"../CANARY\" }",
        "token = { credential = [\"CANARY\"] }",
        "token = { env = \"CANARY CANARY\" }",
        "token = { env = \"X\", file = \"~/CANARY\" }",
        "token = { file = \"~CANARY\" }",
        "tokne = \"CANARY\"",
        "token.env = \"X\"\napi_url = \"https://CANARY@toggl.example\"",
        "token.env = \"X\"\napi_url = \"https://toggl.example/?token=CANARY\"",
        "token.env = \"X\"\napi_url = \"CANARY\"",
        "token.env = \"X\"\nteam = \"CANARY\"",
        "token.env = \"X\"\nworkspaces = \"CANARY\"",
    ];
    for line in wrong {
        let text = format!("[connections.t]\nconnector = \"toggl\"\n{line}\n");
        let printed = errors(&text);
        assert!(!printed.contains(CANARY), "{line} prints:\n{printed}");
    }
}

#[test]
fn syntax_errors_show_no_line_that_may_hold_a_secret() {
    let wrong = [
        "token = \"CANARY",
        "token = CANARY",
        "token \"CANARY\"",
        "token = 'CANARY\n",
        "token = { credential = \"CANARY",
        "token = { env = CANARY }",
        "key = \"CANARY\" \"x\"",
        "tokne = \"CANARY",
        "toggl = { connector = \"toggl\", token = \"CANARY }",
        "rounding = { step = \"1m\", token = \"CANARY }",
        "connections.t.token = \"CANARY",
        "token = \"\"\"\nCANARY\nCANARY = x\n[CANARY]\n[CANARY = 1\n",
        "-----BEGIN CANARY-----",
        "CANARY==",
        "CANARY = \"x",
        "[CANARY",
        "[\"CANARY\"",
        "a = 1\na = \"CANARY\"",
        "token = \"x\"\ntoken = \"CANARY\"",
        "token = \"CANARY\\q\"",
        "token = 12CANARY",
        "token = 2026-99-99CANARY",
        "token = trueCANARY",
    ];
    for line in wrong {
        for before in ["", "[connections.t]\nconnector = \"toggl\"\n"] {
            let place = Place::new(&[("stundenbuch.toml", &format!("{before}{line}"))]);
            let printed = place.errors(&[]);
            assert!(
                printed.contains("this is no TOML"),
                "{line} prints:\n{printed}"
            );
            assert!(!printed.contains(CANARY), "{line} prints:\n{printed}");
        }
    }
}

#[test]
fn the_debug_form_of_a_configuration_holds_references_only() {
    let text = "[connections.t]\nconnector = \"toggl\"\ntoken = { credential = \"name\" }\n";
    let place = Place::new(&[
        ("stundenbuch.toml", &format!("{text}{NEEDED}")),
        ("credentials/name", CANARY),
    ]);
    let printed = format!("{:?}", place.load(&[]).unwrap());
    assert!(printed.contains("Credential(\"name\")") && !printed.contains(CANARY));
    assert!(load(text).is_ok());
}
