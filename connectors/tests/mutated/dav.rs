//! Listings of WebDAV, spoilt: cut at every byte, each element removed, doubled and renamed, each
//! text replaced.
//!
//! What becomes of the resource that was spoilt, its own bytes say. The ones beside it must be what
//! they were, and none of them may be missing from a listing that is called complete.

use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::contract::{Cursor, Identified, Page, Pull};
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::Record;
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Connector, Error};

use crate::Tally;
use crate::script::{Script, platform};

const PASSWORD: &str = "canary-of-the-listing";
const WEEKLY: Pull = Pull::Compare {
    from: chrono::DateTime::UNIX_EPOCH,
    until: None,
};

/// A connector, and the paths of two folders: of the one that is spoilt, and of one in it.
struct Case {
    name: &'static str,
    document: &'static str,
    path: &'static str,
    inner: Option<(&'static str, &'static str)>,
    /// The files in the document: the identifier, and the address by which its resource is known.
    files: [(&'static str, &'static str); 2],
}

const INNER: &str = r#"<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">
<d:response><d:href>/remote.php/dav/files/anna/Kunde/</d:href><d:propstat><d:prop>
<d:getetag>"6a02"</d:getetag><d:resourcetype><d:collection/></d:resourcetype>
<oc:fileid>101</oc:fileid></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>
</d:multistatus>"#;

const CASES: [Case; 2] = [
    Case {
        name: "nextcloud",
        document: include_str!("../../nextcloud/fixtures/folder.xml"),
        path: "/remote.php/dav/files/anna/",
        inner: Some(("/remote.php/dav/files/anna/Kunde/", INNER)),
        files: [("103", "bersicht.pdf"), ("104", "Zeiten.csv")],
    },
    Case {
        name: "webdav",
        document: include_str!("../../webdav/fixtures/folder.xml"),
        path: "/ablage/",
        inner: None,
        files: [
            ("Übersicht.pdf", "bersicht.pdf"),
            ("Zeiten.csv", "Zeiten.csv"),
        ],
    },
];

fn connect(case: &Case, base: &str, clock: &ManualClock) -> Box<dyn Connector> {
    let entry = stundenbuch_connectors::find(case.name).unwrap();
    let mut settings = Settings::default();
    let mut set = |key, value| settings.set(entry.kind.setting(key).unwrap(), value);
    if case.name == "webdav" {
        set("url", Value::Url(format!("{base}/ablage")));
    } else {
        set("url", Value::Url(base.to_owned()));
        set("activity", Value::Flag(false));
    }
    set("user", Value::Text("anna".to_owned()));
    set("password", Value::Secret(Secret::new(PASSWORD)));
    (entry.build)("mutated", &settings, &platform(clock)).unwrap()
}

/// From where to where.
type Place = (usize, usize);

/// From `<` to `>`, from one such to the next, and from a tag to its end.
fn elements(document: &str) -> (Vec<Place>, Vec<Place>) {
    let (mut open, mut elements, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    let mut at = 0;
    while let Some(start) = document[at..].find('<').map(|it| it + at) {
        if !document[at..start].trim().is_empty() {
            texts.push((at, start));
        }
        let end = document[start..].find('>').unwrap() + start + 1;
        match &document[start..end] {
            tag if tag.starts_with("</") => elements.push((open.pop().unwrap(), end)),
            tag if tag.starts_with("<?") => {}
            tag if tag.ends_with("/>") => elements.push((start, end)),
            _ => open.push(start),
        }
        at = end;
    }
    (elements, texts)
}

/// Every spoilt copy, with what was done, and from where to where.
fn mutants(document: &str) -> Vec<(&'static str, Place, String)> {
    let whole = |(start, end): Place, middle: &str| {
        format!("{}{middle}{}", &document[..start], &document[end..])
    };
    let cuts = (0..document.len()).filter(|at| document.is_char_boundary(*at));
    // Blanks at the end are no part of it.
    let cuts = cuts.filter(|at| *at < document.trim_end().len());
    let mut all: Vec<_> = cuts
        .map(|at| ("cut", (at, document.len()), document[..at].to_owned()))
        .collect();
    let (elements, texts) = elements(document);
    for place in elements {
        let element = &document[place.0..place.1];
        all.push(("removed", place, whole(place, "")));
        all.push(("doubled", place, whole(place, &element.repeat(2))));
        let name = element[1..].split(['>', ' ', '/']).next().unwrap();
        let renamed = element.replacen(name, "d:other", 1);
        let renamed = match renamed.strip_suffix(&format!("</{name}>")) {
            Some(start) => format!("{start}</d:other>"),
            None => renamed,
        };
        all.push(("renamed", place, whole(place, &renamed)));
    }
    for place in texts {
        for (kind, text) in [
            ("a text", "x"),
            ("an empty text", ""),
            ("a negative number", "-1"),
            ("a number above 64 bits", "99999999999999999999"),
            ("an address above", "/../../x"),
            ("a refused status", "HTTP/1.1 403 Forbidden"),
            ("an unknown entity", "&other;"),
            ("a NUL", "&#0;"),
            ("a long text", "LONG"),
        ] {
            let long = "ü".repeat(20_000);
            let text = if text == "LONG" { &long } else { text };
            all.push((kind, place, whole(place, text)));
        }
    }
    all
}

#[tokio::test]
async fn listings_of_webdav() {
    for case in &CASES {
        let clock = ManualClock::at("2026-11-03T08:00:00Z".parse().unwrap());
        let script = Script::default();
        let server = script.serve().await;
        let put = |body: &str| script.put(case.path, 207, body.as_bytes());
        put(case.document);
        if let Some((path, body)) = case.inner {
            script.put(path, 207, body.as_bytes());
        }
        let connector = connect(case, server.base(), &clock);
        let first = connector.pull(&Cursor::start(), &WEEKLY).await.unwrap();
        let honest = records(&*connector, &first);
        assert_eq!(honest.len(), 2, "{}", case.name);
        let mut tally = Tally::default();
        for (kind, place, body) in mutants(case.document) {
            put(&body);
            // From the beginning, so that every file comes, and with what is remembered.
            for cursor in [&Cursor::start(), &first.next] {
                let what = format!(
                    "{}: {kind} at {place:?} of {}",
                    case.name,
                    excerpt(case, place)
                );
                let outcome = connector.pull(cursor, &WEEKLY).await;
                let end = judge(case, &*connector, &honest, place, &what, outcome);
                assert!(kind != "cut" || end == "refused", "{what}: taken");
                tally.count(kind, end);
            }
        }
        tally.tell(case.name, 1_500);
    }
}

fn judge(
    case: &Case,
    connector: &dyn Connector,
    honest: &[Identified],
    place: Place,
    what: &str,
    outcome: Result<Page, Error>,
) -> &'static str {
    let page = match outcome {
        Ok(page) => page,
        Err(error) => {
            let text = format!("{error} {error:?}");
            assert!(
                text.len() < 8_000 && !text.contains(PASSWORD),
                "{what}: {text}"
            );
            return "refused";
        }
    };
    assert!(page.gone.is_empty(), "{what}");
    assert!(!format!("{page:?}").contains(PASSWORD), "{what}");
    let found = records(connector, &page);
    for ((id, address), before) in case.files.iter().zip(honest) {
        // The resource that the mutation lies in speaks for itself.
        let end = case.document.find(address).unwrap();
        let start = case.document[..end].rfind("response").unwrap() - 3;
        let end = case.document[end..].find("response>").unwrap() + end + 9;
        if place.0 < end && place.1 > start {
            continue;
        }
        for sweep in page.swept.iter().filter(|sweep| sweep.scope == ".") {
            let there = sweep.present.iter().any(|present| present.as_str() == *id);
            assert!(there, "{what}: a complete listing lacks {id}");
        }
        let same = found.iter().find(|it| it.id.as_str() == *id);
        assert!(
            same.is_none_or(|it| it == before),
            "{what}: {id} became {same:?}"
        );
    }
    for record in &found {
        let Record::File(file) = &record.record else {
            panic!("{what}: {record:?}")
        };
        assert!(
            !file.path.contains("..") && !file.path.starts_with('/'),
            "{what}"
        );
    }
    if page.notices.is_empty() {
        "taken"
    } else {
        "told"
    }
}

/// The records of a page, in the order of their names; what is put aside is none.
fn records(connector: &dyn Connector, page: &Page) -> Vec<Identified> {
    let read = page
        .raw
        .iter()
        .filter_map(|raw| connector.normalise(raw).ok());
    let mut all: Vec<Identified> = read.flatten().collect();
    all.sort_by(|one, other| {
        other
            .id
            .as_str()
            .starts_with('Ü')
            .cmp(&one.id.as_str().starts_with('Ü'))
            .then(one.id.cmp(&other.id))
    });
    all
}

fn excerpt(case: &Case, (start, end): Place) -> &str {
    let end = end.min(start + 80);
    case.document.get(start..end).unwrap_or_default()
}
