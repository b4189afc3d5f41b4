//! The fake against the vendor's own description: every request names a method and parameters that
//! exist, and every answer has fields of the described types.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::*;

/// The discovery document; `None`, and told, where it is not at hand.
#[allow(
    clippy::print_stdout,
    reason = "a test says when it has nothing to test against"
)]
fn description() -> Option<Json> {
    let root = std::env::var_os("STUNDENBUCH_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let file = root.join("specs/gdrive/drive.v3.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("SKIPPED: {} is not there", file.display());
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// The method that an address belongs to, and whether it carries bytes.
fn method<'a>(spec: &'a Json, http: &str, path: &str) -> Option<&'a Json> {
    let uploads = path.starts_with("/upload/");
    let path = path
        .trim_start_matches("/upload")
        .strip_prefix("/drive/v3/")?;
    // A session's bytes are put where the session was opened, for a new file or a new version.
    let opened: &[&str] = match http {
        "PUT" if uploads => &["POST", "PATCH"],
        _ => &[http],
    };
    let resources = spec["resources"].as_object()?.values();
    let mut methods = resources.flat_map(|it| it["methods"].as_object().unwrap().values());
    methods.find(|method| {
        let wanted: Vec<&str> = method["path"].as_str().unwrap().split('/').collect();
        let given: Vec<&str> = path.split('/').collect();
        let same = |(wanted, given): (&&str, &&str)| wanted.starts_with('{') || wanted == given;
        let fits = wanted.len() == given.len() && wanted.iter().zip(&given).all(same);
        let named = opened.iter().any(|http| method["httpMethod"] == *http);
        fits && named && (!uploads || method["mediaUpload"].is_object())
    })
}

fn holds(spec: &Json, schema: &Json, value: &Json, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        return holds(spec, &spec["schemas"][name], value, at);
    }
    match schema["type"].as_str() {
        Some("object") => {
            for (name, value) in value.as_object().unwrap_or_else(|| panic!("{at}: {value}")) {
                let field = match &schema["properties"][name] {
                    Json::Null => &schema["additionalProperties"],
                    field => field,
                };
                assert!(!field.is_null(), "{at} has no field `{name}`");
                holds(spec, field, value, &format!("{at}.{name}"));
            }
        }
        Some("array") => {
            for item in value.as_array().unwrap_or_else(|| panic!("{at}: {value}")) {
                holds(spec, &schema["items"], item, at);
            }
        }
        Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
        Some("integer") => assert!(value.is_i64(), "{at}: {value}"),
        Some("string") => {
            let text = value.as_str().unwrap_or_else(|| panic!("{at}: {value}"));
            match schema["format"].as_str() {
                Some("int64") => assert!(text.parse::<i64>().is_ok(), "{at}: {text}"),
                Some("date-time") => {
                    assert!(
                        chrono::DateTime::parse_from_rfc3339(text).is_ok(),
                        "{at}: {text}"
                    );
                }
                _ => {}
            }
        }
        other => panic!("{at}: a schema of {other:?}"),
    }
}

/// Everything that the connector does, once.
async fn a_full_day(bench: &Bench) {
    let inner = bench.drive.add_folder(&bench.root, "innen");
    let files = ["a", "b", "c"].map(|name| bench.drive.add_file(&inner, name, name));
    bench.drive.add_document(&inner, "d");
    bench.drive.add_shortcut(&inner, "s", &bench.root);
    let mut ledger = pulled(bench).await;
    bench.drive.edit(&files[0], "neu");
    bench.drive.trash(&files[1], true);
    bench.drive.delete_for_good(&files[2]);
    ledger.pull(&*bench.connector()).await.unwrap();
    bench.drive.trash(&inner, true);
    ledger.pull(&*bench.connector()).await.unwrap();
    ledger.compare(&*bench.connector()).await.unwrap();
    bench.drive.trash(&inner, false);
    bench.connector().check().await.unwrap();
    bench
        .connector()
        .fetch(&ExternalId::new(&*files[0]), 99)
        .await
        .unwrap();
    bench.drive.behave(|ways| ways.lag = TimeDelta::hours(1));
    let large = vec![7; 6_000_000];
    let mut before: Option<&[u8]> = None;
    for (key, bytes) in [&b"eins"[..], b"zwei", &large].into_iter().enumerate() {
        let file = outgoing("Nord/x.pdf", bytes, before);
        bench.deliver(&key.to_string(), &file).await.unwrap();
        before = Some(bytes);
    }
}

#[tokio::test]
async fn every_request_and_every_answer_is_as_described() {
    let Some(spec) = description() else {
        return;
    };
    let mut seen = BTreeSet::new();
    for bench in [Bench::start().await, Bench::shared().await] {
        a_full_day(&bench).await;
        for answer in bench.drive.answers() {
            let (http, path) = (&answer.method, &answer.path);
            let Some(method) = method(&spec, http, path) else {
                panic!("{http} {path} is not described");
            };
            let session = answer.query.iter().any(|(name, _)| name == "upload_id");
            for (name, value) in answer.query.iter().filter(|(name, _)| name != "upload_id") {
                let own = &method["parameters"][name];
                let parameter = if own.is_null() {
                    &spec["parameters"][name]
                } else {
                    own
                };
                assert!(!parameter.is_null(), "{http} {path}: no parameter `{name}`");
                assert!(
                    parameter["deprecated"] != true,
                    "{http} {path}: `{name}` is deprecated"
                );
                let fits = match parameter["type"].as_str() {
                    Some("boolean") => matches!(value.as_str(), "true" | "false"),
                    Some("integer") => value.parse::<i64>().is_ok(),
                    _ => true,
                };
                assert!(fits, "{http} {path}: {name}={value}");
            }
            for (name, parameter) in method["parameters"].as_object().unwrap() {
                let required = parameter["required"] == true && parameter["location"] == "query";
                let given = answer.query.iter().any(|(key, _)| key == name);
                assert!(
                    !required || given || session,
                    "{http} {path}: `{name}` is required"
                );
            }
            let id = method["id"].as_str().unwrap();
            if (200..300).contains(&answer.status) {
                seen.insert(id.to_owned());
                if !answer.body.is_null() {
                    holds(&spec, &method["response"], &answer.body, id);
                }
            }
        }
    }
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    let all = [
        "drive.about.get",
        "drive.changes.getStartPageToken",
        "drive.changes.list",
        "drive.files.create",
        "drive.files.generateIds",
        "drive.files.get",
        "drive.files.list",
        "drive.files.update",
    ];
    assert_eq!(seen, all);
}
