//! The fake is held against the vendor's description (OpenAPI), where that is at hand: every
//! request that it takes and every answer that it gives. A fake that invents would make all other
//! tests worthless.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use yaml_rust2::{Yaml, YamlLoader};

use super::examples::shared;
use super::*;
use crate::fakes::asana::Exchange;

/// What the description says, as JSON.
struct Description(Json);

/// Fields that a list gives and its description names only for a single thing.
const ONLY_SINGLE: [(&str, &str); 1] = [(
    "/time_tracking_entries",
    "/time_tracking_entries/{time_tracking_entry_gid}",
)];

/// What is described without being named: `attributable_to` is a project, and every resource has
/// a type.
const UNNAMED: [&str; 1] = ["attributable_to.resource_type"];

impl Description {
    fn read() -> Option<Self> {
        let text = shared("specs/asana/asana_oas.yaml")?;
        let mut documents = YamlLoader::load_from_str(&text).unwrap();
        Some(Self(json_of(documents.remove(0))))
    }

    /// What a schema really is, behind references.
    fn resolve<'a>(&'a self, mut schema: &'a Json) -> &'a Json {
        while let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            schema = self
                .0
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{reference}"));
        }
        schema
    }

    /// The described path that a path is an instance of.
    fn route(&self, path: &str) -> (&str, &Json) {
        let parts: Vec<&str> = path.split('/').collect();
        let paths = self.0["paths"].as_object().unwrap();
        let mut fitting: Vec<_> = paths
            .iter()
            .filter(|(known, _)| {
                let known: Vec<&str> = known.split('/').collect();
                known.len() == parts.len()
                    && known
                        .iter()
                        .zip(&parts)
                        .all(|(known, part)| known.starts_with('{') || known == part)
            })
            .collect();
        fitting.sort_by_key(|(known, _)| known.matches('{').count());
        let (known, route) = fitting
            .first()
            .unwrap_or_else(|| panic!("no such path: {path}"));
        (known, route)
    }

    /// The parameters of an operation, by name.
    fn parameters<'a>(&'a self, route: &'a Json, method: &str) -> BTreeMap<&'a str, &'a Json> {
        let lists = [&route["parameters"], &route[method]["parameters"]];
        let all = lists.into_iter().filter_map(Json::as_array).flatten();
        all.map(|it| self.resolve(it))
            .map(|it| (it["name"].as_str().unwrap(), it))
            .collect()
    }

    /// Holds one exchange against its operation. Returns the complaints.
    fn complaints(&self, exchange: &Exchange) -> Vec<String> {
        let mut complaints = Vec::new();
        let (known, route) = self.route(&exchange.path);
        let method = exchange.method.to_ascii_lowercase();
        let operation = &route[&method];
        if !operation.is_object() {
            return vec![format!("{method} {known} is not described")];
        }
        let parameters = self.parameters(route, &method);
        for (key, value) in &exchange.query {
            match parameters.get(key.as_str()) {
                None => complaints.push(format!("{known}: no parameter `{key}`")),
                Some(_) if key == "opt_fields" => {
                    complaints.extend(self.wishes(known, &parameters, value));
                }
                Some(parameter) => {
                    let given = typed(value, &parameter["schema"]);
                    self.check(&parameter["schema"], &given, key, &mut complaints);
                }
            }
        }
        if !exchange.sent.is_null() {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            self.check(schema, &exchange.sent, "request", &mut complaints);
        }
        // 402 and 429 are described in words, for all operations alike.
        let status = match exchange.status {
            429 => 400,
            402 => 404,
            status => status,
        };
        let response = self.resolve(&operation["responses"][status.to_string()]);
        let schema = &response["content"]["application/json"]["schema"];
        if schema.is_null() {
            complaints.push(format!("{known}: no answer {status}"));
        }
        self.check(schema, &exchange.answer, "", &mut complaints);
        let told = complaints.into_iter();
        told.map(|it| format!("{} {}: {it}", exchange.method, exchange.path))
            .collect()
    }

    /// Fields that are asked for and not described.
    fn wishes(&self, known: &str, parameters: &BTreeMap<&str, &Json>, value: &str) -> Vec<String> {
        let mut described = names(parameters["opt_fields"]);
        for (_, single) in ONLY_SINGLE.iter().filter(|(list, _)| *list == known) {
            let route = &self.0["paths"][single];
            described.extend(names(self.parameters(route, "get")["opt_fields"]));
        }
        value
            .split(',')
            .filter(|field| !described.contains(*field) && !UNNAMED.contains(field))
            .map(|field| format!("{known}: opt_fields has no `{field}`"))
            .collect()
    }

    /// Checks a value, in depth. A property that no description names is a complaint.
    fn check(&self, schema: &Json, value: &Json, place: &str, complaints: &mut Vec<String>) {
        let schema = self.full(schema);
        if value.is_null() {
            // References to other things may be null all over Asana, described so or not.
            let plain = schema["type"].is_string() && schema["type"] != "object";
            if plain && schema["nullable"] != true && schema["type"] != "array" {
                complaints.push(format!("{place}: null, and may not be"));
            }
            return;
        }
        let fits = match schema["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            _ => true,
        };
        if !fits {
            complaints.push(format!("{place}: {value} is no {}", schema["type"]));
            return;
        }
        if let Some(words) = schema["enum"].as_array()
            && !words.contains(value)
        {
            complaints.push(format!("{place}: {value} is none of {words:?}"));
        }
        if let Some(text) = value.as_str() {
            let wrong = match schema["format"].as_str() {
                Some("date-time") => DateTime::parse_from_rfc3339(text).is_err(),
                Some("date") => text.parse::<chrono::NaiveDate>().is_err(),
                _ => false,
            };
            if wrong {
                complaints.push(format!("{place}: `{text}` is no {}", schema["format"]));
            }
        }
        if let Some(items) = value.as_array() {
            for item in items {
                self.check(&schema["items"], item, place, complaints);
            }
        }
        if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
            for (key, value) in fields {
                let place = format!("{place}.{key}");
                match known.get(key) {
                    Some(schema) => self.check(schema, value, &place, complaints),
                    None => complaints.push(format!("{place}: no such property")),
                }
            }
        }
    }

    /// A schema with everything that it is made of. A list describes its elements in their
    /// compact form, and gives whatever is asked for of the full one.
    fn full(&self, schema: &Json) -> Json {
        let compact = schema["$ref"].as_str();
        let compact = compact.and_then(|it| it.strip_prefix("#/components/schemas/"));
        if let Some(name) = compact.and_then(|it| it.strip_suffix("Compact")) {
            for end in ["Response", "Base"] {
                let full = format!("#/components/schemas/{name}{end}");
                if self.0.pointer(&full[1..]).is_some() {
                    return self.merged(&json!({"$ref": full}));
                }
            }
        }
        self.merged(schema)
    }

    fn merged(&self, schema: &Json) -> Json {
        let schema = self.resolve(schema);
        let mut all = schema.clone();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let part = self.merged(part);
            for (key, value) in part.as_object().unwrap() {
                if key == "properties" {
                    for (name, property) in value.as_object().unwrap() {
                        let known = &all["properties"][name];
                        if known.is_null() {
                            all["properties"][name] = property.clone();
                        }
                    }
                } else if all[key].is_null() {
                    all[key] = value.clone();
                }
            }
        }
        all
    }
}

fn names(parameter: &Json) -> BTreeSet<&str> {
    let words = parameter["schema"]["items"]["enum"].as_array();
    words
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect()
}

/// A text of an address as the type that is described.
fn typed(value: &str, schema: &Json) -> Json {
    match schema["type"].as_str() {
        Some("integer" | "number" | "boolean") => {
            serde_json::from_str(value).unwrap_or_else(|_| json!(value))
        }
        _ => json!(value),
    }
}

fn json_of(yaml: Yaml) -> Json {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(flag) => json!(flag),
        Yaml::Array(items) => items.into_iter().map(json_of).collect(),
        Yaml::Hash(fields) => {
            let fields = fields.into_iter().map(|(key, value)| {
                let key = match key {
                    Yaml::String(key) => key,
                    Yaml::Integer(key) => key.to_string(),
                    other => format!("{other:?}"),
                };
                (key, json_of(value))
            });
            Json::Object(fields.collect())
        }
        _ => Json::Null,
    }
}

/// Everything that the connector does, against a world that has one of everything.
async fn life() -> Vec<Exchange> {
    use stundenbuch_connectors::contract::{Item, Outgoing, OutgoingComment, OutgoingField};
    let bench = Bench::start().await;
    let asana = &bench.asana;
    let project = asana.add_project("Kunde");
    let section = asana.add_section(&project, "In Arbeit");
    asana.add_field("Stunden", "number", Some(2));
    let tasks: Vec<String> = (0..110)
        .map(|it| asana.add_task(&project, Some(&section), &format!("Aufgabe {it}")))
        .collect();
    leave_alone(asana, &tasks[5..]);
    asana.assign(&tasks[0], OTHER);
    asana.set(&tasks[0], "due_on", json!("2026-11-30"));
    asana.set(&tasks[0], "tags", json!([{"gid": "1", "name": "a"}]));
    asana.add_subtask(&tasks[1], "Teil");
    asana.comment(&tasks[0], "Bitte ansehen");
    asana.move_to(&tasks[2], &section);
    let entry = asana.track(&tasks[0], Some(&project), "2026-11-12", 15);
    let both = [("time", Value::Flag(true)), ("events", Value::Flag(true))];
    let connector = bench.configured(&both).unwrap();
    let mut ledger = Ledger::default();
    ledger.pull(&*connector).await.unwrap();
    bench.clock.advance(Duration::from_hours(20));
    asana.complete(&tasks[1]);
    asana.delete(&tasks[3]);
    asana.delete_entry(&entry);
    ledger.pull(&*connector).await.unwrap();
    let weekly = compare("2026-10-01T00:00:00Z");
    ledger.pull_as(&*connector, &weekly).await.unwrap();
    let (task, marker) = (ExternalId::new(&*tasks[0]), "[#m]".to_owned());
    for (text, replaces) in [("eins\n[#m]", None), ("zwei\n[#m]", Some("eins\n[#m]"))] {
        let comment = OutgoingComment {
            task: task.clone(),
            marker: marker.clone(),
            text: text.to_owned(),
            replaces: replaces.map(sha256),
        };
        let (key, item) = (text.to_owned(), Item::Comment(comment));
        connector.deliver(&Outgoing { key, item }).await.unwrap();
    }
    let field = OutgoingField {
        task,
        field: "Stunden".to_owned(),
        value: "2.50".to_owned(),
        replaces: None,
    };
    let (key, item) = ("f".to_owned(), Item::Field(field));
    connector.deliver(&Outgoing { key, item }).await.unwrap();
    asana.set_plan(Plan::None);
    ledger.pull_as(&*connector, &weekly).await.unwrap();
    asana.revoke(true);
    connector.check().await.unwrap_err();
    asana.journal()
}

fn sha256(text: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

#[tokio::test]
async fn the_fake_takes_and_gives_only_what_is_described() {
    let Some(description) = Description::read() else {
        return;
    };
    let journal = life().await;
    let mut complaints = BTreeSet::new();
    let mut operations = BTreeSet::new();
    for exchange in &journal {
        let (known, _) = description.route(&exchange.path);
        operations.insert(format!("{} {known} {}", exchange.method, exchange.status));
        complaints.extend(description.complaints(exchange));
    }
    println!("{} exchanges held against {operations:?}", journal.len());
    assert!(complaints.is_empty(), "{complaints:#?}");
    for wanted in [
        "GET /tasks 200",
        "GET /tasks/{task_gid} 404",
        "GET /tasks/{task_gid}/stories 200",
        "GET /tasks/{task_gid}/subtasks 200",
        "GET /events 412",
        "GET /events 200",
        "GET /time_tracking_entries 402",
        "GET /users/{user_gid} 401",
        "POST /tasks/{task_gid}/stories 201",
        "PUT /stories/{story_gid} 200",
        "PUT /tasks/{task_gid} 200",
    ] {
        assert!(
            operations.contains(wanted),
            "{wanted} never happened: {operations:?}"
        );
    }
}

/// The check itself must be able to complain.
#[tokio::test]
async fn what_is_not_described_is_told() {
    let Some(description) = Description::read() else {
        return;
    };
    let journal = life().await;
    let good = journal.iter().find(|it| it.path == "/tasks").unwrap();
    assert_eq!(description.complaints(good), Vec::<String>::new());
    let spoil = |change: &dyn Fn(&mut Exchange)| {
        let mut bad = good.clone();
        change(&mut bad);
        let complaints = description.complaints(&bad);
        assert_eq!(complaints.len(), 1, "{complaints:?}");
        complaints[0].clone()
    };
    let ask = |it: &mut Exchange, key: &str, value: &str| {
        it.query.insert(key.to_owned(), value.to_owned());
    };
    let first = |it: &mut Exchange, key: &str, value: Json| it.answer["data"][0][key] = value;
    for (text, part) in [
        (
            spoil(&|it| first(it, "gid", json!(7))),
            "7 is no \"string\"",
        ),
        (
            spoil(&|it| first(it, "invented", json!(1))),
            "no such property",
        ),
        (
            spoil(&|it| first(it, "modified_at", json!("today"))),
            "is no \"date-time\"",
        ),
        (
            spoil(&|it| first(it, "completed", Json::Null)),
            "may not be",
        ),
        (
            spoil(&|it| first(it, "resource_subtype", json!("card"))),
            "is none of",
        ),
        (spoil(&|it| ask(it, "since", "x")), "no parameter `since`"),
        (
            spoil(&|it| ask(it, "opt_fields", "colour")),
            "opt_fields has no `colour`",
        ),
        (spoil(&|it| ask(it, "limit", "many")), "is no \"integer\""),
    ] {
        assert!(text.contains(part), "{text}");
    }
}
