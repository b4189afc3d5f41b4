//! The requests that the fake Nextcloud understands.

use std::fmt::Write as _;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use stundenbuch_connectors::clock::Clock as _;
use stundenbuch_connectors::http::segment;

use super::{Nextcloud, PASSWORD, ROOT, SHARE, USER, World};

/// An answer before it is one.
struct Said {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

fn say(status: u16, body: impl Into<Vec<u8>>) -> Said {
    Said {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

/// An error as sabre writes it.
fn fail(status: u16, exception: &str) -> Said {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<d:error xmlns:d=\"DAV:\" \
         xmlns:s=\"http://sabredav.org/ns\">\n  <s:exception>{exception}</s:exception>\n\
         </d:error>"
    );
    say(status, text)
}

/// One request, as far as it matters here.
struct Asked<'a> {
    method: &'a str,
    headers: &'a HeaderMap,
    body: &'a [u8],
    query: &'a str,
    now: DateTime<Utc>,
}

impl Asked<'_> {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

pub(super) async fn answer(
    State(cloud): State<Nextcloud>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let act = {
        let mut world = cloud.world();
        let at = world
            .before
            .iter()
            .position(|(it, _)| *it == method.as_str());
        at.map(|at| world.before.remove(at).1)
    };
    if let Some(act) = act {
        act(&cloud);
    }
    let now = cloud.clock.now();
    let asked = Asked {
        method: method.as_str(),
        headers: &headers,
        body: &body,
        query: uri.query().unwrap_or_default(),
        now,
    };
    let path = decode(uri.path());
    let said = route(&mut cloud.world(), &asked, &path);
    let mut builder = Response::builder()
        .status(said.status)
        .header("date", http_date(now));
    for (name, value) in said.headers {
        builder = builder.header(name, value);
    }
    builder.body(Body::from(said.body)).unwrap()
}

fn route(world: &mut World, asked: &Asked<'_>, path: &str) -> Said {
    if world.maintenance {
        let mut said = fail(503, "OCA\\Exception\\Maintenance");
        said.headers = vec![("x-nextcloud-maintenance-mode", "1".to_owned())];
        return said;
    }
    let shared = format!("/public.php/dav/files/{SHARE}");
    if let Some(below) = path.strip_prefix(&shared) {
        return match world.shared {
            Some(root) => files(world, asked, root, &shared, below),
            None => fail(404, "Sabre\\DAV\\Exception\\NotFound"),
        };
    }
    let login = format!("{USER}:{PASSWORD}");
    let mail = format!("anna@example.com:{PASSWORD}");
    let right = [login, mail].map(|it| format!("Basic {}", base64(it.as_bytes())));
    if !right
        .iter()
        .any(|right| asked.header("authorization") == Some(right))
    {
        world.refusals += 1;
        // Whoever keeps trying is locked out.
        let status = if world.refusals > 3 { 429 } else { 401 };
        return fail(status, "Sabre\\DAV\\Exception\\NotAuthenticated");
    }
    let own = format!("/remote.php/dav/files/{USER}");
    if let Some(below) = path.strip_prefix(&own) {
        return files(world, asked, ROOT, &own, below);
    }
    match path {
        "/remote.php/dav/" if asked.method == "SEARCH" && world.has("search") => {
            search(world, asked)
        }
        "/remote.php/dav/trashbin/anna/trash" if world.has("bin") => trash(world),
        "/ocs/v2.php/cloud/user" => ocs(asked, json!({"id": USER, "display-name": "Anna Ü."})),
        "/ocs/v2.php/apps/activity/api/v2/activity/all" if world.has("activity") => {
            log(world, asked)
        }
        "/remote.php/dav/" => fail(501, "Sabre\\DAV\\Exception\\NotImplemented"),
        _ => fail(404, "Sabre\\DAV\\Exception\\NotFound"),
    }
}

fn files(world: &mut World, asked: &Asked<'_>, root: u64, base: &str, below: &str) -> Said {
    let below = below.trim_matches('/');
    if let Some(status) = world.hidden.get(below) {
        let away = "OCP\\Files\\StorageNotAvailableException";
        return fail(
            *status,
            if *status == 503 {
                away
            } else {
                "Sabre\\DAV\\Exception"
            },
        );
    }
    let (above, name) = below.rsplit_once('/').unwrap_or(("", below));
    let place = world.find(root, below);
    let folder = world.find(root, above);
    match asked.method {
        "PROPFIND" => match place {
            Some(id) => propfind(world, asked, id, base, below),
            None => fail(404, "Sabre\\DAV\\Exception\\NotFound"),
        },
        "GET" => match place.and_then(|id| world.nodes[&id].content.clone()) {
            Some(content) => say(200, content),
            None => fail(404, "Sabre\\DAV\\Exception\\NotFound"),
        },
        "PUT" => put(world, asked, place, folder, name),
        "MKCOL" => match (place, folder) {
            (Some(_), _) => fail(405, "Sabre\\DAV\\Exception\\MethodNotAllowed"),
            (None, None) => fail(409, "Sabre\\DAV\\Exception\\Conflict"),
            (None, Some(folder)) => {
                world.add(folder, name, None, asked.now);
                say(201, "")
            }
        },
        "DELETE" => match place {
            Some(id) => {
                world.touch(id);
                world.remove(id);
                say(204, "")
            }
            None => fail(404, "Sabre\\DAV\\Exception\\NotFound"),
        },
        "MOVE" => rename(world, asked, root, base, place),
        _ => fail(501, "Sabre\\DAV\\Exception\\NotImplemented"),
    }
}

fn put(
    world: &mut World,
    asked: &Asked<'_>,
    place: Option<u64>,
    folder: Option<u64>,
    name: &str,
) -> Said {
    let Some(folder) = folder else {
        return fail(409, "Sabre\\DAV\\Exception\\Conflict");
    };
    if world.full {
        return fail(507, "Sabre\\DAV\\Exception\\InsufficientStorage");
    }
    if world.locked > 0 {
        world.locked -= 1;
        return fail(423, "OCA\\DAV\\Connector\\Sabre\\Exception\\FileLocked");
    }
    if place.is_some_and(|id| world.nodes[&id].content.is_none()) {
        return fail(409, "Sabre\\DAV\\Exception\\Conflict");
    }
    let none = asked.header("if-none-match") == Some("*");
    let tag = place.map(|id| format!("\"{:x}\"", world.nodes[&id].etag));
    let other = asked
        .header("if-match")
        .is_some_and(|it| tag.as_deref() != Some(it));
    if world.has("conditions") && ((none && place.is_some()) || other) {
        return fail(412, "Sabre\\DAV\\Exception\\PreconditionFailed");
    }
    let id = world.put(folder, name, asked.body, asked.now);
    let mut said = say(if place.is_some() { 204 } else { 201 }, "");
    said.headers = vec![
        ("oc-etag", format!("\"{:x}\"", world.nodes[&id].etag)),
        ("oc-fileid", format!("{id:08}octest")),
    ];
    said
}

fn rename(world: &mut World, asked: &Asked<'_>, root: u64, base: &str, place: Option<u64>) -> Said {
    let to = asked.header("destination").unwrap();
    let to = decode(&to[to.find("://").unwrap() + 3..]);
    let to = to.split_once(base).unwrap().1.trim_matches('/').to_owned();
    let (above, name) = to.rsplit_once('/').unwrap_or(("", &to));
    let (Some(id), Some(folder)) = (place, world.find(root, above)) else {
        return fail(404, "Sabre\\DAV\\Exception\\NotFound");
    };
    let taken = world.find(root, &to);
    if taken.is_some() && asked.header("overwrite") == Some("F") && world.has("conditions") {
        return fail(412, "Sabre\\DAV\\Exception\\PreconditionFailed");
    }
    if let Some(taken) = taken {
        world.remove(taken);
    }
    world.touch(id);
    let node = world.nodes.get_mut(&id).unwrap();
    (node.up, node.name) = (folder, name.to_owned());
    world.touch(id);
    say(201, "")
}

fn propfind(world: &World, asked: &Asked<'_>, id: u64, base: &str, below: &str) -> Said {
    let mut ids = vec![(id, below.to_owned())];
    if asked.header("depth") != Some("0") {
        for child in world.children(id) {
            let name = &world.nodes[&child].name;
            let path = format!("{below}/{name}");
            ids.push((child, path.trim_matches('/').to_owned()));
        }
    }
    let wanted = String::from_utf8_lossy(asked.body);
    let mut text = HEAD.to_owned();
    for (id, path) in ids {
        resource(world, id, &href(world, id, base, &path), &wanted, &mut text);
    }
    multistatus(text)
}

const HEAD: &str = "<?xml version=\"1.0\"?>\n<d:multistatus xmlns:d=\"DAV:\" \
    xmlns:s=\"http://sabredav.org/ns\" xmlns:oc=\"http://owncloud.org/ns\" \
    xmlns:nc=\"http://nextcloud.org/ns\">";

fn multistatus(text: String) -> Said {
    let mut said = say(207, format!("{text}</d:multistatus>"));
    said.headers = vec![("content-type", "application/xml; charset=utf-8".to_owned())];
    said
}

fn href(world: &World, id: u64, base: &str, path: &str) -> String {
    let names = path.split('/').filter(|name| !name.is_empty()).map(segment);
    let mut href = base.to_owned();
    for name in names {
        write!(href, "/{name}").unwrap();
    }
    if world.nodes[&id].content.is_none() {
        href.push('/');
    }
    href
}

/// The properties that a node has; those that were asked for and that it lacks come with 404.
fn resource(world: &World, id: u64, href: &str, wanted: &str, text: &mut String) {
    let node = &world.nodes[&id];
    let folder = node.content.is_none();
    let has = [
        ("d:getetag", Some(format!("\"{:x}\"", node.etag))),
        ("d:getlastmodified", Some(http_date(node.changed))),
        (
            "d:getcontentlength",
            node.content.as_ref().map(|it| it.len().to_string()),
        ),
        (
            "d:resourcetype",
            Some(if folder { "<d:collection/>" } else { "" }.to_owned()),
        ),
        ("oc:fileid", Some(id.to_string())),
        (
            "oc:data-fingerprint",
            folder.then(|| world.fingerprint.clone()),
        ),
        ("nc:data-fingerprint", None),
        (
            "nc:mount-type",
            Some(node.mount.unwrap_or_default().to_owned()),
        ),
        ("nc:is-mount-root", Some(node.mount_root.to_string())),
    ];
    let (mut given, mut lacked) = (String::new(), String::new());
    for (name, value) in has {
        if !wanted.contains(&format!("<{name}/>")) {
            continue;
        }
        match value {
            Some(value) => write!(given, "<{name}>{}</{name}>", value.replace('"', "&quot;")),
            None => write!(lacked, "<{name}/>"),
        }
        .unwrap();
    }
    write!(
        text,
        "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{given}</d:prop>\
         <d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
    )
    .unwrap();
    if !lacked.is_empty() {
        write!(
            text,
            "<d:propstat><d:prop>{lacked}</d:prop><d:status>HTTP/1.1 404 Not Found</d:status>\
             </d:propstat>"
        )
        .unwrap();
    }
    text.push_str("</d:response>");
}

fn search(world: &World, asked: &Asked<'_>) -> Said {
    let query = String::from_utf8_lossy(asked.body);
    let numbers = query.split("<d:literal>").skip(1);
    let numbers = numbers.map(|it| it.split('<').next().unwrap().parse::<u64>().unwrap());
    let mut text = HEAD.to_owned();
    for id in numbers {
        if let Some(path) = world
            .path(id, ROOT)
            .filter(|_| world.nodes.contains_key(&id))
        {
            let href = href(world, id, &format!("/remote.php/dav/files/{USER}"), &path);
            resource(world, id, &href, &query, &mut text);
        }
    }
    multistatus(text)
}

fn trash(world: &World) -> Said {
    let base = "/remote.php/dav/trashbin/anna/trash";
    let mut text = HEAD.to_owned();
    let mut one = |href: String, props: String| {
        write!(
            text,
            "<d:response><d:href>{href}</d:href><d:propstat><d:prop>{props}</d:prop>\
             <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        )
        .unwrap();
    };
    one(
        format!("{base}/"),
        "<d:resourcetype><d:collection/></d:resourcetype>".to_owned(),
    );
    for (id, at) in &world.trash {
        let at = at.timestamp();
        one(
            format!("{base}/x.d{at}"),
            format!(
                "<d:resourcetype/><oc:fileid>{id}</oc:fileid>\
                 <nc:trashbin-deletion-time>{at}</nc:trashbin-deletion-time>"
            ),
        );
    }
    multistatus(text)
}

fn ocs(asked: &Asked<'_>, data: Value) -> Said {
    if asked.header("ocs-apirequest") != Some("true") {
        return say(412, "CSRF check failed");
    }
    let meta = json!({"status": "ok", "statuscode": 200, "message": "OK"});
    let mut said = say(
        200,
        json!({"ocs": {"meta": meta, "data": data}}).to_string(),
    );
    said.headers = vec![("content-type", "application/json; charset=utf-8".to_owned())];
    said
}

fn log(world: &World, asked: &Asked<'_>) -> Said {
    let parameter = |name: &str| {
        let mut pairs = asked
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    let number = |name: &str| parameter(name).map(|it| it.parse::<u64>().unwrap());
    let limit = usize::try_from(number("limit").unwrap_or(50).min(200)).unwrap();
    let mut log = world.log.clone();
    if parameter("sort").as_deref() == Some("asc") {
        log.retain(|it| it.id > number("since").unwrap_or(0));
    } else {
        log.reverse();
    }
    log.truncate(limit);
    if log.is_empty() {
        return say(304, "");
    }
    let entries = log.iter().map(|it| {
        json!({"activity_id": it.id, "app": "files", "type": it.kind, "user": it.user,
            "subject": "…", "object_type": "files", "object_id": it.file, "objects": [],
            "datetime": it.at.to_rfc3339()})
    });
    ocs(asked, entries.collect())
}

fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

fn decode(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = std::str::from_utf8(&rest[..2]).unwrap();
            bytes.push(u8::from_str_radix(digits, 16).unwrap());
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let group = (three[0] << 16) | (three[1] << 8) | three[2];
        for place in 0..4_usize {
            let digit = DIGITS[(group >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}
