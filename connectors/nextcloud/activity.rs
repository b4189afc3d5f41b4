//! Who changed a file: the log of Nextcloud's Activity app.
//!
//! WebDAV does not say it. The log is read only when files changed, from where it was read last,
//! and an entry counts for a version of a file only when its time fits: not after the folder was
//! listed, for then it is about the next version, and not before the file's own time, for then
//! something changed it that is not in the log. What does not fit is not known.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::dav::client::{BUCKET, Dav, http_date};
use crate::dav::walk::Found;
use crate::error::{Error, Kind, Result};
use crate::http::Request;

/// Entries in one answer. The app's own limit is 200 (Activity app, "Endpoint v2", read 2026-11).
const ENTRIES: usize = 200;
/// More are not read for one page of files.
const ANSWERS: usize = 5;
/// Between the time of a file and that of the entry about it, both by the server's clock.
const SLACK: TimeDelta = TimeDelta::seconds(2);
/// What makes a version of a file.
const MAKES_A_VERSION: [&str; 3] = ["file_created", "file_changed", "file_restored"];

/// One entry of the log.
#[derive(Clone, Debug, Deserialize)]
struct Entry {
    activity_id: u64,
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    user: String,
    datetime: String,
    #[serde(default)]
    object_type: String,
    #[serde(default)]
    object_id: Value,
    /// Where one entry stands for several files: their numbers, with their paths.
    #[serde(default)]
    objects: Value,
}

/// Somebody made a version of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Deed {
    at: DateTime<Utc>,
    user: String,
}

/// What was read of the log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// By the file's number, oldest first.
    deeds: BTreeMap<String, Vec<Deed>>,
    /// Every entry's number and time.
    read: Vec<(u64, DateTime<Utc>)>,
}

impl Log {
    /// Reads what is newer than `since`; the newest entries where nothing was read yet.
    pub(super) async fn read(dav: &Dav, since: Option<u64>) -> Result<Self> {
        let mut log = Self::default();
        let mut since = since;
        for _ in 0..ANSWERS {
            let path = "/ocs/v2.php/apps/activity/api/v2/activity/all";
            let request = Request::get(BUCKET, path)
                .header("ocs-apirequest", "true")
                .query("format", "json")
                .query("limit", ENTRIES);
            let request = match since {
                Some(since) => request.query("since", since).query("sort", "asc"),
                None => request.query("sort", "desc"),
            };
            let reply = dav.send(request).await?;
            // "Nothing more", and "this user has the app switched off".
            if matches!(reply.status, 204 | 304) {
                break;
            }
            let entries = entries(&reply.json()?)?;
            let (count, last) = (entries.len(), entries.iter().map(|it| it.activity_id).max());
            log.take(entries);
            match since.zip(last) {
                Some((before, last)) if count >= ENTRIES && last > before => since = Some(last),
                _ => break,
            }
        }
        for deeds in log.deeds.values_mut() {
            deeds.sort_by_key(|deed| deed.at);
        }
        Ok(log)
    }

    fn take(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let Ok(at) = DateTime::parse_from_rfc3339(&entry.datetime) else {
                continue;
            };
            let at = at.to_utc();
            self.read.push((entry.activity_id, at));
            if entry.object_type != "files"
                || entry.user.is_empty()
                || !MAKES_A_VERSION.contains(&entry.kind.as_str())
            {
                continue;
            }
            let mut files: Vec<String> = match &entry.objects {
                Value::Object(objects) => objects.keys().cloned().collect(),
                _ => Vec::new(),
            };
            if files.is_empty() && entry.object_id.is_u64() {
                files.push(entry.object_id.to_string());
            }
            for file in files {
                let user = entry.user.clone();
                self.deeds.entry(file).or_default().push(Deed { at, user });
            }
        }
    }

    /// Who made the version of a file that was found.
    pub(super) fn author(&self, found: &Found) -> Option<String> {
        let listed = found.at?;
        let changed = http_date(found.entry.modified.as_deref()?)?;
        let deeds = self.deeds.get(&found.id)?.iter();
        let last = deeds.rev().find(|deed| deed.at <= listed)?;
        (last.at + SLACK >= changed).then(|| last.user.clone())
    }

    /// Where to read on: behind the last entry from before everything that was listed, so that one
    /// about a version that was not seen yet comes again.
    pub(super) fn until(&self, found: &[Found]) -> Option<u64> {
        let first = found.iter().filter_map(|found| found.at).min()?;
        let before = self.read.iter().filter(|(_, at)| *at < first);
        before.map(|(id, _)| *id).max()
    }
}

/// The entries in an answer; one that cannot be understood says nothing about anybody.
fn entries(answer: &Value) -> Result<Vec<Entry>> {
    let wrong = || {
        Error::new(
            Kind::Protocol,
            "the log of activities is not as the app describes it",
        )
    };
    let ocs = answer.get("ocs").ok_or_else(wrong)?;
    let data = ocs
        .get("data")
        .and_then(Value::as_array)
        .ok_or_else(wrong)?;
    let read = |value: &Value| {
        // A list would be read as the fields in their order.
        value.is_object().then(|| Entry::deserialize(value).ok())?
    };
    Ok(data.iter().filter_map(read).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dav::listing::Entry as Listed;
    use serde_json::json;

    fn log(entries: &Value) -> Log {
        let answer = json!({"ocs": {"meta": {"statuscode": 200}, "data": entries}});
        let mut log = Log::default();
        log.take(super::entries(&answer).unwrap());
        log
    }

    fn entry(id: u64, kind: &str, user: &str, time: &str) -> Value {
        json!({"activity_id": id, "app": "files", "type": kind, "user": user, "object_id": 7,
            "object_type": "files", "datetime": format!("2026-11-22T{time}+00:00"), "objects": []})
    }

    fn found(changed: &str, listed: &str) -> Found {
        Found {
            id: "7".to_owned(),
            path: "a".to_owned(),
            scope: ".".to_owned(),
            entry: Listed {
                modified: Some(format!("Sun, 22 Nov 2026 {changed} GMT")),
                ..Listed::default()
            },
            at: http_date(&format!("Sun, 22 Nov 2026 {listed} GMT")),
        }
    }

    #[test]
    fn the_last_deed_before_the_listing_counts() {
        let log = log(&json!([
            entry(1, "file_created", "anna", "08:00:00"),
            entry(2, "file_changed", "bert", "09:00:00"),
            entry(3, "file_changed", "cora", "10:00:00"),
        ]));
        let author = |changed, listed| log.author(&found(changed, listed));
        assert_eq!(author("09:00:01", "09:30:00").as_deref(), Some("bert"));
        assert_eq!(author("10:00:00", "11:00:00").as_deref(), Some("cora"));
        // Changed by something that the log does not know.
        assert_eq!(author("10:30:00", "11:00:00"), None);
        assert_eq!(author("07:00:00", "07:30:00"), None);
        assert_eq!(log.until(&[found("09:00:01", "09:30:00")]), Some(2));
    }

    #[test]
    fn what_is_no_deed_of_a_person_counts_for_nobody() {
        let mut other = entry(3, "file_changed", "bert", "09:00:00");
        other["object_type"] = json!("calendar");
        let log = log(&json!([
            entry(1, "file_changed", "", "09:00:00"),
            entry(2, "file_deleted", "bert", "09:00:00"),
            other, {"type": "file_changed"}, 7, [1, "file_changed"],
        ]));
        assert_eq!(log.author(&found("09:00:00", "09:30:00")), None);
    }

    #[test]
    fn one_entry_may_stand_for_several_files() {
        let mut several = entry(1, "file_changed", "bert", "09:00:00");
        several["object_id"] = json!(6);
        several["objects"] = json!({"6": "/x", "7": "/a"});
        let log = log(&json!([several]));
        assert_eq!(
            log.author(&found("09:00:00", "09:30:00")).as_deref(),
            Some("bert")
        );
    }

    #[test]
    fn another_answer_is_no_log() {
        for answer in [
            json!({}),
            json!([]),
            json!({"ocs": {"data": {}}}),
            json!({"ocs": []}),
        ] {
            assert!(entries(&answer).is_err(), "{answer}");
        }
    }
}
