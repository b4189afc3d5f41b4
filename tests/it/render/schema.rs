//! The published schema against what is written.
//!
//! A small checker of our own for the words that the schema uses (type, const, enum, required,
//! properties, items, anyOf, $ref, minimum); it fails on any word that it does not know, and,
//! stricter than JSON Schema, on any field that the schema does not describe. Patterns are left
//! to other tools.

use proptest::prelude::*;
use serde_json::{Value, json};
use stundenbuch::billing::{Language, Reference, Statement};
use stundenbuch::render::{Format, render};

use super::sample;

const SCHEMA: &str = include_str!("../../../docs/statement.schema.json");

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn check(schema: &Value, root: &Value, value: &Value, at: &str) -> Result<(), String> {
    let object = schema.as_object().unwrap();
    for (word, rule) in object {
        match word.as_str() {
            "$schema" | "$id" | "$defs" | "title" | "description" | "format" | "pattern" => {}
            "type" => check_type(rule, value, at)?,
            "const" if rule == value => {}
            "const" => return Err(format!("{at}: {value} is not {rule}")),
            "enum" if rule.as_array().unwrap().contains(value) => {}
            "enum" => return Err(format!("{at}: {value} is not one of {rule}")),
            "minimum" if value.as_i64() >= rule.as_i64() => {}
            "minimum" => return Err(format!("{at}: {value} is too small")),
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        return Err(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, field) in value.as_object().into_iter().flatten() {
                    let rule = rule
                        .get(name)
                        .ok_or(format!("{at}: {name} is not described"))?;
                    check(rule, root, field, &format!("{at}/{name}"))?;
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(rule, root, item, &format!("{at}/{index}"))?;
                }
            }
            "anyOf" => {
                let rules = rule.as_array().unwrap();
                if !rules
                    .iter()
                    .any(|rule| check(rule, root, value, at).is_ok())
                {
                    return Err(format!("{at}: {value} fits none of {rule}"));
                }
            }
            "$ref" => {
                let target = root.pointer(rule.as_str().unwrap().trim_start_matches('#'));
                check(target.unwrap(), root, value, at)?;
            }
            other => panic!("the checker does not know `{other}`"),
        }
    }
    Ok(())
}

fn check_type(rule: &Value, value: &Value, at: &str) -> Result<(), String> {
    let names = rule
        .as_array()
        .cloned()
        .unwrap_or_else(|| vec![rule.clone()]);
    let fits = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the checker does not know the type `{other}`"),
    };
    if names.iter().any(fits) {
        Ok(())
    } else {
        Err(format!("{at}: {value} is not {rule}"))
    }
}

fn written(statement: &Statement) -> Value {
    serde_json::from_slice(&render(statement, Format::Json, None).unwrap().bytes).unwrap()
}

fn verdict(value: &Value) -> Result<(), String> {
    let schema = schema();
    check(&schema, &schema, value, "")
}

proptest! {
    #[test]
    fn every_statement_follows_the_schema(statement in sample::random(6)) {
        prop_assert_eq!(verdict(&written(&statement)), Ok(()));
    }
}

/// Takes away, adds and retypes every single field, and expects the schema to notice.
#[test]
fn the_schema_notices_every_change() {
    notices(&written(&sample::busy(Language::De, 3)), &[]);
    // What most statements leave out may be missing as a whole, but not in part.
    let mut related = sample::correcting(Language::En);
    let other = Reference {
        number: "2026-0003".to_owned(),
        issued_on: related.issued_on,
    };
    related.cancels = Some(other.clone());
    related.cancelled_by = Some(other);
    notices(
        &written(&related),
        &["/corrections", "/cancels", "/cancelled_by"],
    );
}

fn notices(good: &Value, optional: &[&str]) {
    verdict(good).unwrap();
    let mut paths = Vec::new();
    collect(good, String::new(), &mut paths);
    assert!(paths.len() > 60, "only {} fields", paths.len());
    for path in paths {
        let (parent, name) = path.rsplit_once('/').unwrap();
        let may_go = optional.contains(&path.as_str());
        if let Some(fields) = good.clone().pointer_mut(parent).unwrap().as_object_mut()
            && !may_go
        {
            let mut without = good.clone();
            fields.remove(name);
            *without.pointer_mut(parent).unwrap() = Value::Object(fields.clone());
            assert!(verdict(&without).is_err(), "{path} may be missing");
        }
        let mut retyped = good.clone();
        *retyped.pointer_mut(&path).unwrap() = json!(1.5);
        assert!(verdict(&retyped).is_err(), "{path} may be a fraction");
    }
    let mut more = good.clone();
    more["totals"]["surprise"] = json!(1);
    assert!(verdict(&more).is_err());
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), field))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (index.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (name, child) in children {
        collect(child, format!("{path}/{name}"), paths);
    }
    if !path.is_empty() {
        paths.push(path);
    }
}
