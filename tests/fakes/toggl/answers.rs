//! What the fake Toggl answers. Shapes as recorded in December 2024 and as described by the
//! vendor in March 2026.

use axum::body::Body;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::world::{AUTHORIZATION, Access, Entry, OWNER, TOKEN, WORKSPACE, World};
use super::{Answer, Asked};

type Headers = Vec<(&'static str, String)>;
type Outcome = Result<(Value, Headers), (u16, Value)>;

/// Answers one request: who asks, how often, and only then what.
pub(super) fn answer(world: &mut World, asked: &Asked, now: DateTime<Utc>) -> Answer {
    let now = now - world.clock_ahead;
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let mut headers = vec![("date", date)];
    match asked.authorization.as_deref() {
        Some(AUTHORIZATION) => {}
        Some(_) => return reply(403, headers, "\"Incorrect username and/or password\""),
        None => {
            headers.push(("x-authorization-missing", "true".to_owned()));
            return reply(401, headers, "");
        }
    }
    if too_fast(world, now) {
        world.refused += 1;
        return reply(429, headers, "\"Too Many Requests\"");
    }
    let reports = asked.path.starts_with("/reports/api/v3/");
    let quota = if reports {
        &mut world.org
    } else {
        &mut world.user
    };
    let (left, seconds) = quota.count(now);
    headers.push(("x-toggl-quota-remaining", left.max(0).to_string()));
    headers.push(("x-toggl-quota-resets-in", seconds.to_string()));
    if left < 0 {
        world.refused += 1;
        return reply(402, headers, "\"You have reached your hourly limit\"");
    }
    let outcome = if reports {
        report(world, asked)
    } else {
        track(world, asked, now)
    };
    match outcome {
        Ok((body, more)) => {
            headers.extend(more);
            reply(200, headers, &body.to_string())
        }
        Err((status, body)) => reply(status, headers, &body.to_string()),
    }
}

fn reply(status: u16, headers: Headers, body: &str) -> Answer {
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8");
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(Body::from(body.to_owned())).unwrap()
}

/// A leaky bucket: one request a second runs out of it, and it holds three.
fn too_fast(world: &mut World, now: DateTime<Utc>) -> bool {
    let (level, last) = world.level;
    let leaked = last.map_or(0, |last| (now - last).num_seconds().max(0));
    let level = (level - leaked).max(0) + 1;
    world.level = (level, Some(now));
    level > 3
}

fn track(world: &World, asked: &Asked, now: DateTime<Utc>) -> Outcome {
    let path = asked.path.strip_prefix("/api/v9").unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("GET", "/me") => Ok((me(world, asked, now), Vec::new())),
        ("GET", "/me/time_entries") => listing(world, asked, now),
        ("GET", path) => {
            let id = path
                .strip_prefix("/me/time_entries/")
                .and_then(|id| id.parse().ok());
            let found = id.and_then(|id: i64| Some((id, world.entries.get(&id)?)));
            match found.filter(|(_, it)| it.user == OWNER && it.deleted.is_none()) {
                Some((id, entry)) => Ok((track_entry(world, id, entry, false), Vec::new())),
                None => Err((404, json!("Resource can not be found"))),
            }
        }
        _ => Err((404, json!("Not found"))),
    }
}

fn me(world: &World, asked: &Asked, now: DateTime<Utc>) -> Value {
    let (name, email) = &world.people[&OWNER];
    let mut me = json!({
        "id": OWNER, "api_token": TOKEN, "email": email, "fullname": name,
        "timezone": world.zone.name(), "default_workspace_id": world.workspaces.keys().next(),
        "beginning_of_week": 1, "at": micros(now), "has_password": true,
        "intercom_hash": format!("hash-of-{TOKEN}"), "oauth_providers": ["google"],
    });
    if asked.query("with_related_data") != Some("true") {
        return me;
    }
    let list = |items: Vec<Value>| {
        if items.is_empty() {
            Value::Null
        } else {
            items.into()
        }
    };
    let workspaces = world.workspaces.iter().map(|(id, name)| {
        json!({"id": id, "name": name, "role": "admin", "premium": false, "api_token": TOKEN,
            "ical_url": format!("/ical/{TOKEN}"), "rounding": 1, "rounding_minutes": 15})
    });
    let clients = world
        .clients
        .iter()
        .map(|(id, name)| json!({"id": id, "wid": WORKSPACE, "archived": false, "name": name}));
    let projects = world.projects.iter().filter(|(_, project)| project.listed);
    let projects = projects.map(|(id, project)| {
        json!({"id": id, "workspace_id": project.workspace, "wid": project.workspace,
            "client_id": project.client, "cid": project.client, "name": project.name,
            "active": project.active, "rate": 92.5, "server_deleted_at": null})
    });
    let tags = world
        .tags
        .iter()
        .map(|(id, name)| json!({"id": id, "workspace_id": WORKSPACE, "name": name}));
    let recent = now - TimeDelta::days(9);
    let recent = own(world).filter(|(_, it)| it.deleted.is_none() && it.start >= recent);
    me["workspaces"] = list(workspaces.collect());
    me["clients"] = list(clients.collect());
    me["projects"] = list(projects.collect());
    me["tags"] = list(tags.collect());
    me["tasks"] = Value::Null;
    me["time_entries"] = list(
        recent
            .map(|(id, it)| track_entry(world, id, it, false))
            .collect(),
    );
    me
}

fn own(world: &World) -> impl Iterator<Item = (i64, &Entry)> {
    let entries = world.entries.iter().map(|(id, entry)| (*id, entry));
    entries.filter(|(_, entry)| entry.user == OWNER)
}

fn listing(world: &World, asked: &Asked, now: DateTime<Utc>) -> Outcome {
    let refuse = |text: &str| Err((400, json!(text)));
    let earliest = now - world.reach;
    let too_early = |asked: DateTime<Utc>| {
        let day = earliest.date_naive();
        (asked.date_naive() < day).then(|| {
            let text = format!("start_date must not be earlier than {day}");
            (400, json!(text))
        })
    };
    let meta = asked.query("meta") == Some("true");
    let named = (
        asked.query("since"),
        asked.query("before"),
        asked.query("start_date"),
        asked.query("end_date"),
    );
    let mut rows: Vec<(i64, &Entry)> = match named {
        (Some(_), Some(_), ..) => {
            return refuse("'since' and 'before' can not be present simultaneously");
        }
        (Some(since), None, None, None) => {
            let since = since
                .parse()
                .ok()
                .and_then(|it| DateTime::from_timestamp(it, 0));
            let Some(since) = since else {
                return refuse("since is wrong");
            };
            if let Some(refusal) = too_early(since) {
                return Err(refusal);
            }
            own(world).filter(|(_, it)| it.at >= Some(since)).collect()
        }
        (None, None, Some(from), Some(until)) => {
            let (Some(from), Some(until)) = (instant(from), instant(until)) else {
                return refuse("start_date or end_date is wrong");
            };
            if let Some(refusal) = too_early(from) {
                return Err(refusal);
            }
            let there = own(world).filter(|(_, it)| it.deleted.is_none());
            there
                .filter(|(_, it)| it.start >= from && it.start < until)
                .collect()
        }
        _ => return refuse("start_date and end_date must be used together"),
    };
    rows.sort_by_key(|(id, entry)| std::cmp::Reverse((entry.start, *id)));
    rows.truncate(1000);
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|(id, entry)| track_entry(world, id, entry, meta))
        .collect();
    Ok((rows.into(), Vec::new()))
}

fn track_entry(world: &World, id: i64, entry: &Entry, meta: bool) -> Value {
    let seconds = |it: DateTime<Utc>| it.to_rfc3339_opts(SecondsFormat::Secs, false);
    let duration = entry.stop.map_or(-entry.start.timestamp(), |stop| {
        (stop - entry.start).num_seconds()
    });
    let tags: Vec<&String> = entry.tags.iter().map(|id| &world.tags[id]).collect();
    let mut row = json!({
        "id": id, "workspace_id": entry.workspace, "project_id": entry.project,
        "task_id": null, "billable": entry.billable, "start": seconds(entry.start),
        "stop": entry.stop.map(seconds), "duration": duration,
        "description": entry.description, "tags": tags, "tag_ids": entry.tags,
        "duronly": true, "at": entry.at.map(micros),
        "server_deleted_at": entry.deleted.map(seconds),
        "user_id": entry.user, "uid": entry.user, "wid": entry.workspace,
    });
    if let Some(project) = entry.project {
        row["pid"] = json!(project);
    }
    if meta {
        if let Some(project) = entry.project.and_then(|id| world.projects.get(&id)) {
            row["project_name"] = json!(project.name);
            row["project_color"] = json!("#d92b2b");
            row["project_active"] = json!(project.active);
            if let Some(client) = project.client {
                row["client_name"] = json!(world.clients[&client]);
            }
        }
        row["user_name"] = json!(world.people[&entry.user].0);
    }
    row
}

fn report(world: &World, asked: &Asked) -> Outcome {
    match world.reports {
        Access::Open => {}
        Access::NotInPlan => {
            return Err((402, json!("Workspace needs to have this feature enabled")));
        }
        Access::Forbidden => return Err((403, json!("Workspace not found/accessible"))),
    }
    let path = asked
        .path
        .strip_prefix("/reports/api/v3/workspace/")
        .unwrap_or_default();
    let workspace = path
        .strip_suffix("/search/time_entries")
        .and_then(|id| id.parse().ok());
    let known = workspace.filter(|id| world.workspaces.contains_key(id));
    let (Some(workspace), "POST") = (known, asked.method.as_str()) else {
        return Err((403, json!("Workspace not found/accessible")));
    };
    let search = &asked.body;
    let size = search["page_size"].as_u64().unwrap_or(50);
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    if size > world.page_max {
        let text = format!(
            "Invalid 'page_size' value, allowed values are: '1-{}'",
            world.page_max
        );
        return Err((400, json!(text)));
    }
    let Some(rows) = matching(world, workspace, search) else {
        return Err((400, json!("At least one parameter must be set")));
    };
    let first = search["first_row_number"].as_u64().unwrap_or(1).max(1);
    let first = usize::try_from(first).unwrap_or(usize::MAX);
    let mut headers = Headers::new();
    if let Some((id, _)) = rows.get(first - 1 + size) {
        headers.push(("x-next-row-number", (first + size).to_string()));
        headers.push(("x-next-id", id.to_string()));
    }
    let page = rows.iter().enumerate().skip(first - 1).take(size);
    let page: Vec<Value> = page
        .map(|(row, (id, entry))| report_row(world, search, row + 1, *id, entry))
        .collect();
    Ok((page.into(), headers))
}

/// The finished, undeleted entries that a search means, in its order. `None` without a span.
fn matching<'a>(world: &'a World, workspace: i64, search: &Value) -> Option<Vec<(i64, &'a Entry)>> {
    let day = |key: &str| search[key].as_str()?.parse::<NaiveDate>().ok();
    let (first, last) = (day("start_date")?, day("end_date")?);
    let wanted = |key: &str, id: i64| {
        let given = search[key].as_array();
        given.is_none_or(|given| given.contains(&json!(id)))
    };
    let mut rows: Vec<(i64, &Entry)> = world
        .entries
        .iter()
        .filter_map(|(id, entry)| {
            let shown = world.lag.get(id).map_or(Some(entry), Option::as_ref);
            Some((*id, shown?))
        })
        .filter(|(_, it)| it.workspace == workspace && it.deleted.is_none() && it.stop.is_some())
        .filter(|(id, it)| wanted("user_ids", it.user) && wanted("time_entry_ids", *id))
        .filter(|(_, it)| {
            let day = it.start.with_timezone(&world.zone).date_naive();
            day >= first && day <= last
        })
        .collect();
    if search["order_by"] == "last_update" {
        rows.sort_by_key(|(id, entry)| (entry.at, *id));
    } else {
        rows.sort_by_key(|(id, entry)| (entry.start, *id));
    }
    if search["order_dir"] == "DESC" {
        rows.reverse();
    }
    Some(rows)
}

fn report_row(world: &World, search: &Value, number: usize, id: i64, entry: &Entry) -> Value {
    let local = |it: DateTime<Utc>| {
        let it = it.with_timezone(&world.zone);
        it.to_rfc3339_opts(SecondsFormat::Secs, false)
    };
    let mut stop = entry.stop.unwrap_or(entry.start);
    let mut seconds = (stop - entry.start).num_seconds();
    // Left out, the user's preference decides; so it does on the real service.
    if search["rounding"] != json!(0) {
        let unit = world.rounding * 60;
        seconds = (seconds + unit - 1) / unit * unit;
        stop = entry.start + TimeDelta::seconds(seconds);
    }
    let mut row = json!({
        "user_id": entry.user, "username": world.people[&entry.user].0,
        "project_id": entry.project, "task_id": null, "billable": entry.billable,
        "description": entry.description.clone().unwrap_or_default(), "tag_ids": entry.tags,
        "billable_amount_in_cents": null, "hourly_rate_in_cents": null, "currency": "EUR",
        "row_number": number,
        "time_entries": [{
            "id": id, "seconds": seconds, "start": local(entry.start),
            "stop": local(stop),
            "at": entry.at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, false)),
            "at_tz": entry.at.map(local),
        }],
    });
    if search["enrich_response"] == true {
        enrich(world, entry, row.as_object_mut().unwrap());
    }
    row
}

fn enrich(world: &World, entry: &Entry, row: &mut Map<String, Value>) {
    let project = entry.project.and_then(|id| world.projects.get(&id));
    let client = project.and_then(|project| world.clients.get(&project.client?));
    row.insert("email".into(), json!(world.people[&entry.user].1));
    row.insert(
        "project_name".into(),
        json!(project.map(|project| &project.name)),
    );
    row.insert("project_hex".into(), json!("#d92b2b"));
    row.insert("client_name".into(), json!(client));
    row.insert("task_name".into(), Value::Null);
    let tags: Vec<&String> = entry.tags.iter().map(|id| &world.tags[id]).collect();
    row.insert("tag_names".into(), json!(tags));
}

fn micros(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// A date alone means its midnight.
fn instant(text: &str) -> Option<DateTime<Utc>> {
    let full = DateTime::parse_from_rfc3339(text).map(|it| it.with_timezone(&Utc));
    let day = || {
        Some(
            text.parse::<NaiveDate>()
                .ok()?
                .and_time(NaiveTime::MIN)
                .and_utc(),
        )
    };
    full.ok().or_else(day)
}
