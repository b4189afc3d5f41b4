//! What the fake answers and what the connector asks, against Box's own description, where that is
//! at hand.

use serde_json::{Value, json};

use super::Bench;
use crate::described::specification;
use crate::document;
use crate::ledger::Ledger;

/// The OpenAPI description.
struct Described(Value);

impl Described {
    /// Everything that a schema says of an object: its fields, and those that it must have.
    fn object(&self, schema: &Value) -> (serde_json::Map<String, Value>, Vec<String>) {
        let schema = self.resolve(schema);
        let mut fields = schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        let required = schema["required"].as_array();
        let mut required: Vec<String> = required
            .into_iter()
            .flatten()
            .filter_map(|it| Some(it.as_str()?.to_owned()))
            .collect();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let (more, needed) = self.object(part);
            fields.extend(more);
            required.extend(needed);
        }
        (fields, required)
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(place) => self.resolve(self.0.pointer(&place[1..]).unwrap()),
            None => schema,
        }
    }

    fn named(&self, name: &str) -> Value {
        self.0["components"]["schemas"][name].clone()
    }

    /// Every field is described and of the described type, and none that is needed is missing.
    #[track_caller]
    fn holds(&self, schema: &Value, value: &Value, at: &str) {
        let (fields, required) = self.object(schema);
        let Some(object) = value.as_object() else {
            panic!("{at}: {value}")
        };
        for field in &required {
            assert!(object.contains_key(field), "{at}: no {field}: {value}");
        }
        for (key, value) in object {
            let at = format!("{at}/{key}");
            let Some(field) = fields.get(key) else {
                panic!("{at} is not described");
            };
            self.is(field, value, &at);
        }
    }

    #[track_caller]
    fn is(&self, schema: &Value, value: &Value, at: &str) {
        let resolved = self.resolve(schema).clone();
        let any = ["oneOf", "anyOf"]
            .iter()
            .any(|key| resolved[*key].is_array());
        if value.is_null() || any {
            return;
        }
        let (fields, _) = self.object(&resolved);
        match resolved["type"].as_str() {
            _ if !fields.is_empty() => self.holds(&resolved, value, at),
            Some("string") => assert!(value.is_string(), "{at}: {value}"),
            Some("integer") => assert!(value.is_i64() || value.is_u64(), "{at}: {value}"),
            Some("boolean") => assert!(value.is_boolean(), "{at}: {value}"),
            Some("array") => {
                for (number, item) in value.as_array().unwrap().iter().enumerate() {
                    self.is(&resolved["items"], item, &format!("{at}/{number}"));
                }
            }
            _ => {}
        }
    }
}

fn description() -> Option<Described> {
    let text = specification("box/openapi.json")?;
    Some(Described(serde_json::from_str(&text).unwrap()))
}

#[tokio::test]
async fn the_fakes_answers_have_the_described_fields() {
    let Some(box_) = description() else { return };
    let bench = Bench::start().await;
    let file = bench.service.write("Ordner/a.txt", b"x");
    let trashed = bench.service.write("Ordner/b.txt", b"x");
    bench.service.trash(&trashed);
    let folder = bench.service.folder("Ordner");
    let all = "type,id,name,etag,sha1,size,modified_at,modified_by,path_collection,file_version,\
               item_status,parent";
    let fields = [("fields", all)];
    let get = |path: &str| bench.service.get(path, &fields);
    box_.holds(
        &box_.named("File--Full"),
        &get(&format!("/files/{file}")),
        "file",
    );
    box_.holds(
        &box_.named("Folder"),
        &get(&format!("/folders/{folder}")),
        "folder",
    );
    box_.holds(&box_.named("ClientError"), &get("/files/404"), "error");
    let trash = bench.service.get(&format!("/files/{trashed}/trash"), &[]);
    assert_eq!(trash["item_status"], "trashed");
    let list = [("fields", all), ("usemarker", "true"), ("limit", "1000")];
    let items = bench
        .service
        .get(&format!("/folders/{folder}/items"), &list);
    box_.holds(&box_.named("Items"), &items, "items");
    for item in items["entries"].as_array().unwrap() {
        box_.holds(&box_.named("File--Full"), item, "item");
    }
    let stream = [
        ("stream_type", "changes"),
        ("stream_position", "1"),
        ("limit", "500"),
    ];
    let events = bench.service.get("/events", &stream);
    box_.holds(&box_.named("Events"), &events, "events");
    let types = box_.named("Event")["properties"]["event_type"]["allOf"][0]["enum"].clone();
    for event in events["entries"].as_array().unwrap() {
        box_.holds(&box_.named("Event"), event, "event");
        assert!(
            types.as_array().unwrap().contains(&event["event_type"]),
            "{event}"
        );
    }
    let conflict = json!({"type": "file", "id": "1", "etag": "1", "name": "x", "sha1": "x"});
    box_.holds(&box_.named("FileConflict"), &conflict, "conflict");
}

/// Every request has a described path, method and parameters.
#[tokio::test]
async fn what_is_asked_is_described() {
    let Some(box_) = description() else { return };
    let bench = Bench::start().await;
    let gone = bench.service.write("Ordner/a.txt", b"x");
    bench.service.write("Ordner/b.txt", b"x");
    let (connector, mut ledger) = (bench.connector(), Ledger::default());
    connector.check().await.unwrap();
    ledger.pull(&*connector).await.unwrap();
    bench.service.purge(&gone);
    ledger.compare(&*connector).await.unwrap();
    for (bytes, earlier) in [(&b"1"[..], None), (b"2", Some(&b"1"[..]))] {
        connector
            .deliver(&document("Neu/d.pdf", bytes, earlier))
            .await
            .unwrap();
    }
    let mut asked = std::collections::BTreeSet::new();
    for request in bench.server.requests() {
        let path = request
            .path
            .replacen("/2.0", "", 1)
            .replacen("/upload", "", 1);
        let template = match path.split('/').collect::<Vec<_>>().as_slice() {
            ["", "files", "content"] => path.clone(),
            ["", kind @ ("files" | "folders"), _, rest @ ..] => {
                let name = kind.trim_end_matches('s');
                let id = format!("{{{name}_id}}");
                let way = ["", kind, &id].into_iter().chain(rest.iter().copied());
                way.collect::<Vec<_>>().join("/")
            }
            _ => path.clone(),
        };
        let method = request.method.to_lowercase();
        let described = &box_.0["paths"][&template][&method];
        assert!(described.is_object(), "{method} {template}");
        let parameters = described["parameters"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        for (key, _) in &request.query {
            let known = parameters.iter().any(|it| it["name"] == key.as_str());
            assert!(known, "{method} {template}: {key}");
        }
        asked.insert(format!("{method} {template}"));
    }
    assert_eq!(asked.len(), 10, "{asked:#?}");
}
