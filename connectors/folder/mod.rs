//! Folder: a directory as a shared drive.
//!
//! Whatever keeps the directory in step with others does not matter here: a Nextcloud, Dropbox
//! or Drive client, an SMB or NFS mount, or nothing at all. So nothing is taken for granted
//! that only one of them gives: no change feed, no stable file number, no locks, no hash. A
//! file is its path, and a change is another size or another time.
//!
//! # What it reads
//!
//! Every regular file below the directory, by a walk of all of it at each pull: its path, its
//! size and its time, never its content, except of a file that is an import. Links are not
//! followed, and what office programs and synchronisation clients leave lying about is passed
//! over. A folder that cannot be read is unknown, and nothing in it counts as gone; a file is
//! gone when a whole walk did not show it and the file system, asked for it, does not have it.
//!
//! # What it writes
//!
//! Documents, each at once and whole: under a name of our own first, then renamed to the wanted
//! name. A file that we did not put there is never replaced; ours goes beside it.
//!
//! # Credentials
//!
//! None. The user that the program runs as must be able to read the directory, and to write to
//! it where documents are delivered.
//!
//! # Limits
//!
//! 200,000 files and 64 folders deep, ten minutes for a walk, five for a delivery. File system
//! calls can hang for ever (a hard NFS mount whose server is away). They run on a thread of their
//! own, one at a time, and a caller that has waited long enough goes on without an answer.
//!
//! # Known gaps
//!
//! A change that leaves size and times as they were is not seen. A renamed file is one that is
//! gone and another that is new, for nothing that all drives have tells them apart. Who changed
//! a file is not known. Names that are no UTF-8 are written with escapes.

mod deliver;
mod failure;
mod look;
mod names;
mod root;
mod state;
mod turn;
mod walk;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

use self::root::{Place, RootMark};
use self::state::{Body, State};
use self::turn::{Stop, Turn};
use self::walk::{Bounds, Plan, Scan};
use crate::Entry;
use crate::clock::Clock;
use crate::contract::{
    Absent, Connector, Cursor, Identified, Identity, Outgoing, Page, Platform, Presence, Pull, Raw,
    Receipt,
};
use crate::drive::names::Ignore;
use crate::error::{Error, Kind as ErrorKind, Reject, Result};
use crate::kind::{
    Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings, StreamKind,
    ValueKind,
};
use crate::record::{ExternalId, File, Record, Stream};

/// How long an answer is waited for. A hundred thousand files on a slow share take a minute or
/// two.
const WALK_TIME: Duration = Duration::from_mins(10);
const DELIVERY_TIME: Duration = Duration::from_mins(5);
const LOOK_TIME: Duration = Duration::from_mins(1);

const BOUNDS: Bounds = Bounds {
    depth: 64,
    files: 200_000,
};

static KIND: Kind = Kind {
    name: "folder",
    title: "Shared folder",
    summary: "A directory on this machine: a synchronised Nextcloud, Dropbox or Drive folder, \
              an SMB or NFS mount.",
    settings: &[
        Setting {
            key: "path",
            value: ValueKind::Path,
            need: Need::Required,
            help: "the folder",
        },
        Setting {
            key: "ignore",
            value: ValueKind::Texts,
            need: Need::Optional,
            help: "names of files and folders to pass over; `*` stands for any characters",
        },
        Setting {
            key: "marker",
            value: ValueKind::Text,
            need: Need::Optional,
            help: "the name of a file in the folder's root that proves that the share is mounted",
        },
    ],
    streams: &[StreamKind {
        stream: Stream::Files,
        changes: Changes::Listing,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    buckets: &[],
    quiet_night: "no request; one walk through the folder",
    needs: "a folder that the program's user can read, and write for deliveries",
    experimental: false,
};

pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };

fn build(name: &str, settings: &Settings, platform: &Platform) -> Result<Box<dyn Connector>> {
    let path = settings.path("path").cloned().ok_or_else(|| {
        Error::new(ErrorKind::Settings, "the folder's `path` is missing").with("connection", name)
    })?;
    let marker = settings.text("marker").map(str::to_owned);
    if let Some(marker) = marker.as_deref()
        && (marker.is_empty() || marker.contains('/') || marker == "." || marker == "..")
    {
        return Err(
            Error::new(ErrorKind::Settings, "the `marker` is no name of a file")
                .with("marker", marker)
                .hint("give a name without a path, such as `.stundenbuch-root`"),
        );
    }
    let ignore = Ignore::new(settings.texts("ignore"), marker.as_deref());
    Ok(Box::new(Folder {
        turn: Turn::new(&path),
        place: Place { path, marker },
        ignore,
        clock: Arc::clone(&platform.clock),
        round: Mutex::new(None),
        known: Mutex::new(None),
    }))
}

/// One shared folder.
#[derive(Debug)]
struct Folder {
    place: Place,
    ignore: Ignore,
    clock: Arc<dyn Clock>,
    turn: Turn,
    /// The walk whose pages are being given out, with the cursor that asks for the next one. It
    /// only saves walking again for each page; another instance walks again and misses nothing.
    round: Mutex<Option<(Cursor, Arc<Scan>)>>,
    /// The root at the last walk.
    known: Mutex<Option<RootMark>>,
}

#[async_trait]
impl Connector for Folder {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        let place = self.place.clone();
        self.turn
            .take(LOOK_TIME, move |_| look::check(&place))
            .await
    }

    /// Every pull walks the whole folder, so [`Pull::Compare`] has nothing to add.
    async fn pull(&self, cursor: &Cursor, _mode: &Pull) -> Result<Page> {
        let state: State = cursor.decode()?;
        let under_way = hold(&self.round).take().filter(|(next, _)| next == cursor);
        let (scan, notices) = if let Some((_, scan)) = under_way {
            (scan, Vec::new())
        } else {
            let scan = Arc::new(self.walk(&state).await?);
            let notices = state.recognise(&self.place, &scan)?;
            (scan, notices)
        };
        *hold(&self.known) = Some(scan.root);
        let (mut page, _) = state.advance(&scan);
        page.notices.extend(notices);
        if page.more {
            *hold(&self.round) = Some((page.next.clone(), scan));
        }
        Ok(page)
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let body: Body =
            serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
        let modified = body.modified.map(|text| parse_time(&text)).transpose()?;
        Ok(vec![Identified {
            id: raw.id.clone(),
            record: Record::File(File {
                path: body.path,
                size: Some(body.size),
                modified,
                modified_by: None,
                version: Some(body.version),
            }),
        }])
    }

    fn resume(&self, cursor: &Cursor) {
        // A cursor that cannot be read is told by the pull.
        if let Ok(state) = cursor.decode::<State>() {
            *hold(&self.known) = state.root();
        }
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        let (place, known) = (self.place.clone(), *hold(&self.known));
        let ids: Vec<_> = absent
            .iter()
            .filter(|absent| absent.stream == Stream::Files)
            .map(|absent| absent.id.clone())
            .collect();
        self.turn
            .take(LOOK_TIME, move |stop| {
                look::confirm(&place, known, ids, stop)
            })
            .await
    }

    async fn fetch(&self, file: &ExternalId, most: usize) -> Result<Vec<u8>> {
        let (place, known, id) = (self.place.clone(), *hold(&self.known), file.clone());
        let work = move |_: &Stop| {
            let root = place.open()?;
            place.same_mount(known, &root)?;
            look::fetch(&root.fd, &place, id.as_str(), most)
        };
        self.turn.take(LOOK_TIME, work).await
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        let file = item.item.file()?.clone();
        let (place, known, key) = (self.place.clone(), *hold(&self.known), item.key.clone());
        let work = move |stop: &Stop| {
            let root = place.open()?;
            place.same_mount(known, &root)?;
            deliver::deliver(&root.fd, &key, &file, &mut |_| stop.check())
        };
        self.turn.take_for_effect(DELIVERY_TIME, work).await
    }
}

impl Folder {
    async fn walk(&self, state: &State) -> Result<Scan> {
        let now = self.clock.now();
        let plan = Plan {
            place: self.place.clone(),
            ignore: self.ignore.clone(),
            bounds: BOUNDS,
            now_ns: i128::from(now.timestamp()) * 1_000_000_000
                + i128::from(now.timestamp_subsec_nanos()),
            mounts: state.mounts.clone(),
        };
        self.turn
            .take(WALK_TIME, move |stop| walk::walk(&plan, stop))
            .await
    }
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, Reject> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|error| Reject::field("modified", error.to_string()))
}

/// Nothing that is held here can be left half changed by a panic.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
