//! What is kept of an answer: the record as it was received, and the names known at that time.
//!
//! An entry from Track and the same entry from Reports have different shapes, and neither can
//! be understood without the names of its project and client. So each is wrapped together with
//! them, and mapping it to a record stays a pure function of these bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::catalogue::{Catalogue, Ids, Names, Who};
use super::wire;
use crate::contract::Raw;
use crate::record::{ExternalId, Named, Stream};

/// Keys whose values open something: they are emptied before anything is kept. A workspace's
/// calendar address is one of them, since it needs no login.
const CREDENTIALS: [&str; 4] = ["api_token", "intercom_hash", "ical_url", "password"];

/// Which interface an entry came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Source {
    Track,
    Reports,
}

/// A time entry as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct TimeBody {
    pub(super) source: Source,
    pub(super) id: i64,
    pub(super) entry: Box<RawValue>,
    pub(super) names: Names,
}

/// A project as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct ProjectBody {
    pub(super) project: Box<RawValue>,
    pub(super) client: Option<Named>,
}

/// An entry from Track. `entry` is `None` where the row could not be read further than its
/// identifier; it is kept all the same, to be refused with a reason.
pub(super) fn track(
    catalogue: &Catalogue,
    id: i64,
    received: &RawValue,
    entry: Option<&wire::Entry>,
) -> Raw {
    let ids = entry.map(|entry| Ids {
        person: entry.user_id,
        project: entry.project_id,
        task: entry.task_id,
        tags: entry.tag_ids.as_deref().unwrap_or_default(),
    });
    let workspace = entry.and_then(|entry| entry.workspace_id);
    let user = entry.and_then(|entry| entry.user_id);
    time(
        Source::Track,
        id,
        received,
        catalogue.names(ids.unwrap_or_default()),
        workspace.map_or_else(String::new, |id| scope(catalogue, id, user)),
    )
}

/// An entry from a workspace's report; its row is kept whole.
pub(super) fn report(
    catalogue: &Catalogue,
    workspace: i64,
    id: i64,
    received: &RawValue,
    row: &wire::Row,
) -> Raw {
    let ids = Ids {
        person: row.user_id,
        project: row.project_id,
        task: row.task_id,
        tags: row.tag_ids.as_deref().unwrap_or_default(),
    };
    let scope = scope(catalogue, workspace, row.user_id);
    time(Source::Reports, id, received, catalogue.names(ids), scope)
}

/// What an entry belongs to for a sweep. Other people's entries have a scope of their own:
/// a listing of the token owner's entries says nothing about them.
fn scope(catalogue: &Catalogue, workspace: i64, user: Option<i64>) -> String {
    match user {
        Some(user) if user != catalogue.me => team_scope(workspace),
        _ => own_scope(workspace),
    }
}

pub(super) fn own_scope(workspace: i64) -> String {
    workspace.to_string()
}

pub(super) fn team_scope(workspace: i64) -> String {
    format!("{workspace}/team")
}

fn time(source: Source, id: i64, received: &RawValue, names: Names, scope: String) -> Raw {
    let body = TimeBody {
        source,
        id,
        entry: without_credentials(received),
        names,
    };
    raw(Stream::Time, id, &body, scope)
}

/// A row of a report that could not be read further than the identifiers of its entries: kept
/// for each of them, to be refused with a reason.
pub(super) fn unread_report(workspace: i64, id: i64, received: &RawValue) -> Raw {
    let scope = own_scope(workspace);
    time(Source::Reports, id, received, Names::default(), scope)
}

/// A project, with its client by name. `read` is `None` where it could not be read further than
/// its identifier.
pub(super) fn project(
    catalogue: &Catalogue,
    id: i64,
    received: &RawValue,
    read: Option<&wire::Project>,
) -> Raw {
    let body = ProjectBody {
        project: without_credentials(received),
        client: catalogue
            .projects
            .get(&id)
            .and_then(|project| project.client.clone()),
    };
    let workspace = read.and_then(|read| read.workspace_id);
    let scope = workspace.map(own_scope).unwrap_or_default();
    raw(Stream::Projects, id, &body, scope)
}

/// The token's owner: the bootstrap without its lists, which are records of their own.
pub(super) fn owner(id: i64, received: &BTreeMap<String, Box<RawValue>>) -> Raw {
    let fields = received.iter().filter_map(|(key, value)| {
        let value = serde_json::from_str(value.get()).ok()?;
        Some((key.clone(), value)).filter(|(_, value): &(_, Value)| !value.is_array())
    });
    let mut owner = Value::Object(fields.collect());
    scrub(&mut owner);
    raw(Stream::People, id, &owner, String::new())
}

/// A person as a report names one.
pub(super) fn person(id: i64, who: &Who) -> Raw {
    let body = serde_json::json!({ "id": id, "username": who.name, "email": who.email });
    raw(Stream::People, id, &body, String::new())
}

fn raw(stream: Stream, id: i64, body: &impl Serialize, scope: String) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(id.to_string()),
        body: serde_json::to_string(body).expect("an envelope is plain data"),
        scope,
    }
}

/// The received text, unchanged unless it names a credential. One that does and cannot be
/// searched (it is nested too deeply, or holds half a character) is not kept at all.
fn without_credentials(received: &RawValue) -> Box<RawValue> {
    let text = received.get();
    if !names_credential(text) {
        return received.to_owned();
    }
    let Ok(mut value) = serde_json::from_str::<Value>(text) else {
        return RawValue::NULL.to_owned();
    };
    scrub(&mut value);
    serde_json::value::to_raw_value(&value).expect("it was JSON before")
}

/// Whether one of the keys stands in a text, in plain letters or in escapes.
fn names_credential(text: &str) -> bool {
    let named = |text: &str| CREDENTIALS.iter().any(|key| text.contains(key));
    let mut parts = text.split("\\u00");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).and_then(|it| u8::from_str_radix(it, 16).ok());
        plain.extend(digits.map(char::from));
        plain.push_str(part.get(2..).unwrap_or(part));
    }
    named(text) || named(&plain)
}

fn scrub(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if CREDENTIALS.contains(&key.as_str()) {
                    *value = Value::Null;
                } else {
                    scrub(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(scrub),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_credential_survives() {
        let me = serde_json::from_str(include_str!("fixtures/me.json")).unwrap();
        let kept = owner(1, &me).body;
        assert!(kept.contains("Mara Lindgr"));
        assert!(!kept.contains("00112233445566778899aabbccddeeff"));
        assert!(!kept.contains("feedface"));

        let text = r#"{"id":5,"deep":[{"\u0061pi_token":"canary","api_token":"canary"}]}"#;
        let received = RawValue::from_string(text.to_owned()).unwrap();
        assert!(!without_credentials(&received).get().contains("canary"));

        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in [
            r#"{"id":5,"\u0061pi_token":"canary"}"#.to_owned(),
            format!(r#"{{"id":5,"api_token":"canary","deep":{deep}}}"#),
            r#"{"id":5,"\u0061pi_token":"canary","half":"\ud83d"}"#.to_owned(),
        ] {
            let received = RawValue::from_string(text).unwrap();
            let kept = without_credentials(&received);
            assert!(!kept.get().contains("canary"), "{kept}");
        }
    }

    #[test]
    fn an_entry_is_kept_to_the_letter() {
        let text = r#"{"id":5, "rate":92.50,"z":1,"a":"\u00e4"}"#;
        let received = RawValue::from_string(text.to_owned()).unwrap();
        assert_eq!(without_credentials(&received).get(), text);
    }
}
