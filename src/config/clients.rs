//! Clients: how their work is recognised, what was agreed, where their documents go.

use chrono_tz::Tz;

use super::agreement;
use super::contracts;
use super::model::{Client, Deliver, Folder, Sources, WriteBack};
use super::reader::{Book, Spot, Table};
use super::references::{Ability, Known};
use super::sections::{fold, party};
use crate::billing::Language;
use crate::render::Format;

/// Every client, by key.
pub(super) fn read(root: &Table<'_>, known: &Known<'_>, zone: Tz) -> Vec<Client> {
    let mut clients = Vec::new();
    let mut claims = Vec::new();
    for (key, field) in root.named("clients") {
        if let Some(table) = field.table() {
            clients.push(client(key, table, known, zone, &mut claims));
        }
    }
    check_claims(root.book, &claims);
    clients
}

fn client(
    key: String,
    table: Table<'_>,
    known: &Known<'_>,
    zone: Tz,
    claims: &mut Vec<Claim>,
) -> Client {
    let party = party(&table);
    let language = table
        .get("language")
        .and_then(|field| field.choice(&[("de", Language::De), ("en", Language::En)]))
        .unwrap_or_default();
    let time_zone = table.get("time_zone").and_then(|field| field.zone());
    let reference = table.get("reference").and_then(|field| field.text());
    let sources = table
        .table("sources")
        .map(|table| sources(table, &key, known, claims));
    let read: Vec<_> = table
        .tables("contracts")
        .into_iter()
        .filter_map(|table| contracts::read(table, known, language))
        .collect();
    agreement::check(table.book, &read);
    let deliver = deliver(&table, known);
    let write_back = write_back(&table, known);
    table.close();
    Client {
        key,
        party,
        language,
        time_zone: time_zone.unwrap_or(zone),
        reference,
        sources: sources.unwrap_or_default(),
        contracts: read.into_iter().map(|read| read.contract).collect(),
        deliver,
        write_back,
    }
}

/// A name in a tool that is said to mean a client's work.
struct Claim {
    client: String,
    kind: &'static str,
    name: String,
    spot: Spot,
}

fn sources(table: Table<'_>, client: &str, known: &Known<'_>, claims: &mut Vec<Claim>) -> Sources {
    let mut claim = |kind, name: &str, spot| {
        claims.push(Claim {
            client: client.to_owned(),
            kind,
            name: fold(name),
            spot,
        });
    };
    let mut names = |key: &'static str| -> Vec<String> {
        let texts = table.get(key).map(|field| field.spotted_texts());
        let claimed = texts.unwrap_or_default().into_iter().map(|(name, spot)| {
            claim(key, &name, spot);
            name
        });
        claimed.collect()
    };
    let (clients, projects, boards) = (names("clients"), names("projects"), names("boards"));
    let fields = table
        .get("folders")
        .and_then(|field| field.list("a list of texts"));
    let folders = fields.unwrap_or_default().into_iter().filter_map(|field| {
        let folder = known.folder(&field)?;
        let Folder { connection, path } = &folder;
        claim("folders", &format!("{connection}:{path}"), field.spot());
        Some(folder)
    });
    let folders = folders.collect();
    table.close();
    Sources {
        clients,
        projects,
        boards,
        folders,
    }
}

/// One piece of work has one client.
fn check_claims(book: &Book<'_>, claims: &[Claim]) {
    for (index, claim) in claims.iter().enumerate() {
        let same = |other: &&Claim| {
            other.kind == claim.kind && other.name == claim.name && other.client != claim.client
        };
        if let Some(first) = claims[..index].iter().find(same) {
            let what = format!(
                "client `{}` claims the same at {}",
                first.client,
                first.spot.line()
            );
            let fix = "what is recognised by it can have one client only".to_owned();
            book.note_at(&claim.spot, what, Some(fix));
        }
    }
}

fn deliver(client: &Table<'_>, known: &Known<'_>) -> Vec<Deliver> {
    let mut read: Vec<(Deliver, Spot)> = Vec::new();
    for table in client.tables("deliver") {
        let spot = table.spot();
        let Some(deliver) = one_deliver(table, known) else {
            continue;
        };
        let same = |(other, _): &&(Deliver, Spot)| {
            other.connection == deliver.connection && other.folder == deliver.folder
        };
        if let Some((_, first)) = read.iter().find(same) {
            let what = format!("delivers to the same folder as {}", first.line());
            let fix = "name all formats in one of the two".to_owned();
            client.book.note_at(&spot, what, Some(fix));
        }
        read.push((deliver, spot));
    }
    read.into_iter().map(|(deliver, _)| deliver).collect()
}

fn write_back(client: &Table<'_>, known: &Known<'_>) -> Vec<WriteBack> {
    let mut read: Vec<WriteBack> = Vec::new();
    for table in client.tables("write_back") {
        let spot = table.spot();
        let Some(target) = write_back_to(table, known) else {
            continue;
        };
        if read
            .iter()
            .any(|other| other.connection == target.connection)
        {
            let what = format!("writes to `{}` a second time", target.connection);
            client.book.note_at(&spot, what, None);
        }
        read.push(target);
    }
    read
}

fn write_back_to(table: Table<'_>, known: &Known<'_>) -> Option<WriteBack> {
    let connection = table
        .need("connection", "connection = \"…\", one that takes comments")
        .and_then(|field| known.connection(&field, Ability::TakesComments));
    let comment = table.get("comment").map(|field| (field.flag(), field));
    let name = table.get("field").and_then(|field| field.text());
    if let (Some((Some(false), field)), None) = (&comment, &name) {
        field.wrong(
            "nothing would be written",
            "name a `field`, or leave the table out".to_owned(),
        );
    }
    table.close();
    Some(WriteBack {
        connection: connection?,
        comment: comment.is_none_or(|(flag, _)| flag.unwrap_or(true)),
        field: name,
    })
}

fn one_deliver(table: Table<'_>, known: &Known<'_>) -> Option<Deliver> {
    let connection = table
        .need("connection", "connection = \"…\", one that takes files")
        .and_then(|field| known.connection(&field, Ability::TakesFiles));
    let folder = table.get("folder").map(|field| field.inner_path());
    let mut formats = Vec::new();
    let listed = table.get("formats");
    for field in listed
        .iter()
        .filter_map(|field| field.list("a list of formats"))
        .flatten()
    {
        let format = field.choice(&[
            ("pdf", Format::Pdf),
            ("csv", Format::Csv),
            ("csv-machine", Format::CsvRaw),
            ("json", Format::Json),
        ]);
        match format {
            Some(format) if formats.contains(&format) => field.wrong("stands here twice", None),
            Some(format) => formats.push(format),
            None => {}
        }
    }
    match listed {
        None => formats.extend([Format::Pdf, Format::Csv]),
        Some(field) if field.is_empty_list() => {
            field.wrong("nothing would be delivered", "write [\"pdf\"]".to_owned());
        }
        Some(_) => {}
    }
    table.close();
    Some(Deliver {
        connection: connection?,
        folder: folder.unwrap_or_else(|| Some(String::new()))?,
        formats,
    })
}
