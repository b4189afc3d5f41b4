//! The conformance suite held to its own word: it passes a good connector and catches each of
//! the mistakes planted here.

#![allow(
    clippy::unwrap_used,
    reason = "a test file, though not each function is a test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use stundenbuch_connectors::contract::{
    Absent, Cursor, Gone, Identified, Identity, Outcome, Outgoing, Page, Presence, Pull, Raw,
    Receipt, Sweep,
};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{
    Changes, Deletions, Delivery, DeliveryKind, Kind, Repeat, StreamKind,
};
use stundenbuch_connectors::record::{ExternalId, Project, Record, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};
use stundenbuch_connectors::{Connector, Error, Reject, Result};

const CANARY: &str = "canary-0a1b2c3d";

/// What is wrong with the connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    LosesARecordBetweenPages,
    RepeatsARecordBetweenPages,
    NeverEnds,
    AsksTooOften,
    Miscounts,
    MissesEdits,
    ReportsOthersAsEdited,
    MissesDeletions,
    InventsDeletions,
    TakesNothingForAnEmptyWorld,
    SweepsBeforeTheLastPage,
    CallsEveryTroubleUnavailable,
    ForgetsThePlaceOverRestarts,
    ShowsItsSecretInDebug,
    ShowsItsSecretInErrors,
    StoresItsSecret,
    PanicsOnARetypedField,
    NormalisesByChance,
    UnescapesTexts,
    DeliversTwice,
    OverwritesAStranger,
    CutsADelivery,
}

impl Bug {
    const ALL: [Self; 22] = [
        Self::LosesARecordBetweenPages,
        Self::RepeatsARecordBetweenPages,
        Self::NeverEnds,
        Self::AsksTooOften,
        Self::Miscounts,
        Self::MissesEdits,
        Self::ReportsOthersAsEdited,
        Self::MissesDeletions,
        Self::InventsDeletions,
        Self::TakesNothingForAnEmptyWorld,
        Self::SweepsBeforeTheLastPage,
        Self::CallsEveryTroubleUnavailable,
        Self::ForgetsThePlaceOverRestarts,
        Self::ShowsItsSecretInDebug,
        Self::ShowsItsSecretInErrors,
        Self::StoresItsSecret,
        Self::PanicsOnARetypedField,
        Self::NormalisesByChance,
        Self::UnescapesTexts,
        Self::DeliversTwice,
        Self::OverwritesAStranger,
        Self::CutsADelivery,
    ];
}

static KIND: Kind = Kind {
    name: "paper",
    title: "Paper",
    summary: "A service on paper.",
    settings: &[],
    streams: &[StreamKind {
        stream: Stream::Projects,
        changes: Changes::Snapshot,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    buckets: &[],
    quiet_night: "1 request",
    needs: "",
    experimental: false,
};

#[derive(Debug, Default)]
struct Service {
    /// Names by identifier; the last change counts up.
    projects: BTreeMap<u32, String>,
    changes: u64,
    trouble: Option<(Trouble, u32)>,
    requests: u64,
    delivered: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug)]
struct World {
    bug: Bug,
    service: Arc<Mutex<Service>>,
}

struct Paper {
    world: World,
    requests: AtomicU64,
    normalised: AtomicU64,
    /// Kept in memory only: what a restart forgets.
    place: Mutex<u32>,
}

impl std::fmt::Debug for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = if self.world.bug == Bug::ShowsItsSecretInDebug {
            CANARY
        } else {
            "…"
        };
        write!(f, "Paper({shown})")
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Place {
    /// The world's change count when the last complete listing began.
    mark: u64,
    listing: Option<Listing>,
}

#[derive(Default, Serialize, Deserialize)]
struct Listing {
    mark: u64,
    after: u32,
    present: Vec<u32>,
}

const PAGE: usize = 10;

impl Paper {
    /// One request; `None` is an answer without content.
    fn ask<T>(&self, answer: impl FnOnce(&mut Service) -> T) -> Result<Option<T>> {
        let mut service = self.world.service.lock().unwrap();
        service.requests += 1;
        if self.world.bug != Bug::Miscounts {
            self.requests.fetch_add(1, Ordering::Relaxed);
        }
        match &mut service.trouble {
            Some((trouble, 0)) => {
                let trouble = *trouble;
                if trouble == Trouble::Lost {
                    answer(&mut service);
                }
                self.fail(trouble)
            }
            Some((_, skip)) => {
                *skip -= 1;
                Ok(Some(answer(&mut service)))
            }
            None => Ok(Some(answer(&mut service))),
        }
    }

    fn fail<T>(&self, trouble: Trouble) -> Result<Option<T>> {
        let kind = match trouble {
            _ if self.world.bug == Bug::CallsEveryTroubleUnavailable => ErrorKind::Unavailable,
            Trouble::Away | Trouble::Cut | Trouble::Stalled | Trouble::Lost => {
                ErrorKind::Unavailable
            }
            Trouble::Refused => ErrorKind::Auth,
            Trouble::Forbidden => ErrorKind::Forbidden,
            Trouble::Missing => ErrorKind::NotFound,
            Trouble::Payment => ErrorKind::NotInPlan,
            Trouble::TooMany => ErrorKind::RateLimited,
            Trouble::Empty if self.world.bug == Bug::TakesNothingForAnEmptyWorld => {
                return Ok(None);
            }
            Trouble::Empty | Trouble::Garbage | Trouble::Html => ErrorKind::Protocol,
        };
        let error = Error::new(kind, "trouble");
        match self.world.bug {
            Bug::ShowsItsSecretInErrors => Err(error.with("token", CANARY)),
            _ => Err(error),
        }
    }

    fn list(&self, place: &Place, mut listing: Listing) -> Result<Page> {
        let bug = self.world.bug;
        let after = listing.after;
        let rows = self.ask(|service| {
            let rows = service.projects.range(after + 1..).take(PAGE);
            rows.map(|(id, name)| (*id, name.clone()))
                .collect::<Vec<_>>()
        })?;
        let rows = rows.unwrap_or_default();
        let more = rows.len() == PAGE;
        listing.present.extend(rows.iter().map(|(id, _)| id));
        listing.after = rows.last().map_or(after, |(id, _)| *id);
        match bug {
            Bug::LosesARecordBetweenPages => listing.after += 1,
            Bug::RepeatsARecordBetweenPages if more => listing.after -= 1,
            _ => {}
        }
        let mut page = Page {
            raw: rows.iter().map(|row| raw(row, bug)).collect(),
            ..Page::default()
        };
        let sweep = Sweep {
            stream: Stream::Projects,
            scope: "all".to_owned(),
            from: None,
            until: None,
            present: listing.present.iter().copied().map(id).collect(),
        };
        if bug == Bug::SweepsBeforeTheLastPage || !more && bug != Bug::MissesDeletions {
            page.swept.push(sweep);
        }
        if bug == Bug::InventsDeletions
            && let Some((first, _)) = rows.first()
        {
            let proof = "thought so".to_owned();
            page.gone.push(Gone {
                stream: Stream::Projects,
                id: id(*first),
                proof,
            });
        }
        page.more = more;
        page.next = Cursor::encode(&if more {
            *self.place.lock().unwrap() = listing.after;
            if bug == Bug::ForgetsThePlaceOverRestarts {
                listing.after += u32::try_from(PAGE).unwrap();
            }
            Place {
                mark: place.mark,
                listing: Some(listing),
            }
        } else {
            Place {
                mark: listing.mark,
                listing: None,
            }
        });
        if bug == Bug::NeverEnds {
            page.more = true;
        }
        Ok(page)
    }
}

fn id(number: u32) -> ExternalId {
    ExternalId::new(number.to_string())
}

fn raw((number, name): &(u32, String), bug: Bug) -> Raw {
    let mut body = serde_json::json!({"name": name});
    if bug == Bug::StoresItsSecret {
        body["token"] = CANARY.into();
    }
    Raw {
        stream: Stream::Projects,
        id: id(*number),
        body: body.to_string(),
        scope: "all".to_owned(),
    }
}

#[async_trait]
impl Connector for Paper {
    fn kind(&self) -> &'static Kind {
        &KIND
    }

    async fn check(&self) -> Result<Identity> {
        self.ask(|_| ())?;
        Ok(Identity {
            account: "anna".to_owned(),
            details: Vec::new(),
        })
    }

    async fn pull(&self, cursor: &Cursor, mode: &Pull) -> Result<Page> {
        let bug = self.world.bug;
        let place: Place = cursor.decode()?;
        if let Some(listing) = &place.listing {
            let mut listing = Listing {
                present: listing.present.clone(),
                ..*listing
            };
            let remembered = *self.place.lock().unwrap();
            if bug == Bug::ForgetsThePlaceOverRestarts && remembered > 0 {
                listing.after = remembered;
            }
            return self.list(
                &Place {
                    listing: None,
                    ..place
                },
                listing,
            );
        }
        if bug == Bug::AsksTooOften {
            self.ask(|_| ())?;
        }
        let mark = self.ask(|service| service.changes)?.unwrap_or(u64::MAX);
        let blind = bug == Bug::MissesEdits && place.mark > 0;
        if (mark == place.mark || blind) && *mode == Pull::Changes {
            return Ok(Page {
                next: cursor.clone(),
                ..Page::default()
            });
        }
        self.list(
            &place,
            Listing {
                mark,
                ..Listing::default()
            },
        )
    }

    fn normalise(&self, raw: &Raw) -> Result<Vec<Identified>, Reject> {
        let bug = self.world.bug;
        let body: serde_json::Value =
            serde_json::from_str(&raw.body).map_err(|error| Reject::new(error.to_string()))?;
        let Some(name) = body["name"].as_str() else {
            assert!(
                bug != Bug::PanicsOnARetypedField || !body["name"].is_number(),
                "a number"
            );
            return Err(Reject::field("name", "is missing"));
        };
        let mut name = name.to_owned();
        if bug == Bug::NormalisesByChance {
            name += &self.normalised.fetch_add(1, Ordering::Relaxed).to_string();
        }
        if bug == Bug::UnescapesTexts {
            name = name.replace("&amp;", "&");
        }
        if bug == Bug::ReportsOthersAsEdited {
            name += &self.world.service.lock().unwrap().changes.to_string();
        }
        let project = Project {
            name,
            client: None,
            archived: false,
            url: None,
        };
        Ok(vec![Identified {
            id: raw.id.clone(),
            record: Record::Project(project),
        }])
    }

    async fn confirm(&self, absent: &[Absent]) -> Result<Vec<(ExternalId, Presence)>> {
        if self.world.bug == Bug::TakesNothingForAnEmptyWorld
            || self.world.bug == Bug::SweepsBeforeTheLastPage
        {
            let gone = |it: &Absent| (it.id.clone(), Presence::Gone("not listed".to_owned()));
            return Ok(absent.iter().map(gone).collect());
        }
        let look = |service: &mut Service| {
            let truth: BTreeSet<_> = service.projects.keys().copied().map(id).collect();
            let look = |it: &Absent| {
                let here = truth.contains(&it.id);
                let gone = || Presence::Gone("404".to_owned());
                (it.id.clone(), if here { Presence::Present } else { gone() })
            };
            absent.iter().map(look).collect()
        };
        Ok(self.ask(look)?.unwrap_or_default())
    }

    async fn deliver(&self, item: &Outgoing) -> Result<Receipt> {
        let file = item.item.file()?;
        let bug = self.world.bug;
        let target = &mut self.world.service.lock().unwrap().delivered;
        let names = (1..).map(|n| {
            if n == 1 {
                file.path.clone()
            } else {
                format!("{n} {}", file.path)
            }
        });
        for (tries, location) in names.enumerate() {
            let fresh = if tries == 0 {
                Outcome::Created
            } else {
                Outcome::Beside
            };
            let outcome = match target.get(&location) {
                None => fresh,
                Some(there) if **there == *file.bytes && bug != Bug::DeliversTwice => {
                    return Ok(Receipt {
                        outcome: Outcome::AlreadyThere,
                        location,
                    });
                }
                Some(there) if file.replaces.as_ref() == Some(&hash(there)) => Outcome::Replaced,
                Some(_) if bug == Bug::OverwritesAStranger => Outcome::Beside,
                Some(_) => continue,
            };
            let keep = if bug == Bug::CutsADelivery {
                4
            } else {
                file.bytes.len()
            };
            target.insert(location.clone(), file.bytes[..keep].to_vec());
            return Ok(Receipt { outcome, location });
        }
        unreachable!("there is always another name")
    }

    fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        Stream::Projects
    }

    fn connector(&self) -> Box<dyn Connector> {
        Box::new(Paper {
            world: self.clone(),
            requests: AtomicU64::new(0),
            normalised: AtomicU64::new(0),
            place: Mutex::new(0),
        })
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let mut service = self.service.lock().unwrap();
        let first = service.projects.keys().last().map_or(1, |last| last + 1);
        let ids: Vec<u32> = (first..).take(count).collect();
        service.changes += 1;
        service
            .projects
            .extend(ids.iter().map(|id| (*id, format!("project {id}"))));
        ids.into_iter().map(id).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        let id = self.add(1).remove(0);
        let mut service = self.service.lock().unwrap();
        let number = id.as_str().parse().unwrap();
        service.projects.insert(number, text.to_owned());
        Some(id)
    }

    fn edit(&self, id: &ExternalId) {
        let mut service = self.service.lock().unwrap();
        service.changes += 1;
        service
            .projects
            .get_mut(&id.as_str().parse().unwrap())
            .unwrap()
            .push('!');
    }

    fn delete(&self, id: &ExternalId) {
        let mut service = self.service.lock().unwrap();
        service.changes += 1;
        service
            .projects
            .remove(&id.as_str().parse().unwrap())
            .unwrap();
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.service
            .lock()
            .unwrap()
            .projects
            .keys()
            .copied()
            .map(id)
            .collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        self.service.lock().unwrap().trouble = Some((trouble, skip));
        true
    }

    fn heal(&self) {
        self.service.lock().unwrap().trouble = None;
    }

    fn canary(&self) -> Option<String> {
        Some(CANARY.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1
    }

    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(self.service.lock().unwrap().delivered.clone())
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.service.lock().unwrap().requests)
    }
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

async fn run(bug: Bug) {
    suite::all(|| async {
        World {
            bug,
            service: Arc::default(),
        }
    })
    .await;
}

#[tokio::test]
async fn a_good_connector_passes() {
    run(Bug::None).await;
}

#[tokio::test]
async fn every_planted_mistake_is_caught() {
    for bug in Bug::ALL {
        let outcome = tokio::spawn(run(bug)).await;
        assert!(outcome.is_err(), "the suite does not catch {bug:?}");
    }
}
