//! Delivery: one file, put there once, and nobody's work lost.
//!
//! What lies in the folder decides, by its content. A new file is made under an id that was noted
//! before (see `claims.rs`), so an attempt may be repeated by any process. Our own earlier
//! version becomes a new revision of the same file, as long as nobody has changed it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::GDrive;
use super::api::{Api, FILES, WRITES};
use super::claims::{Place, age, enter, is_live, made_before, search};
use super::names::{in_any, quoted};
use super::root;
use super::state::Root;
use super::upload::Into;
use super::wire::Meta;
use crate::contract::{Outcome, Outgoing, OutgoingFile, Receipt};
use crate::drive::hash::hex;
use crate::drive::names::{beside, beside_number, outgoing};
use crate::error::{Error, Kind, Result};
use crate::http::{Method, Request, segment};

/// The property of a file of ours that names its delivery.
const KEY: &str = "stundenbuch";

/// How often what lies there may change while we look.
const ROUNDS: usize = 5;

/// How many names beside a taken one are tried.
const BESIDE_MAX: u32 = 20;

pub(super) async fn deliver(drive: &GDrive, item: &Outgoing) -> Result<Receipt> {
    let file = item.item.file()?;
    let (folders, name) = outgoing(&file.path)?;
    if hex(&Sha256::digest(&file.bytes)) != file.sha256 {
        return Err(
            Error::new(Kind::Rejected, "the file is not what its checksum promises")
                .with("path", &file.path)
                .hint("this is a defect of the program or a damaged store; nothing was written"),
        );
    }
    let api = &drive.api;
    let top = root::look(api, &drive.folder).await?;
    let home = Root::of(&top);
    let mut place = Place::of(&top);
    for folder in &folders {
        place = enter(api, &home, &mut place, folder).await?;
    }
    let mut delivery = Delivery {
        api,
        home,
        place,
        folder: folders.join("/"),
        name,
        key: hex(&Sha256::digest(&item.key)[..16]),
        file,
        seen: BTreeMap::new(),
        listed: BTreeSet::new(),
    };
    delivery.run().await
}

/// One delivery under way, in the folder where it belongs.
struct Delivery<'a> {
    api: &'a Api,
    home: Root,
    place: Place,
    folder: String,
    name: &'a str,
    key: String,
    file: &'a OutgoingFile,
    /// What was asked for by its id, which is newer than what a search says.
    seen: BTreeMap<String, Option<Meta>>,
    /// What a search has shown in the folder, of any name.
    listed: BTreeSet<String>,
}

/// What to do, seeing what lies there.
enum Choice {
    /// It lies there already.
    There(Meta),
    /// Our earlier version lies there.
    Replace(Meta),
    /// This name is free.
    Create(String),
}

impl Delivery<'_> {
    async fn run(&mut self) -> Result<Receipt> {
        for _ in 0..ROUNDS {
            let lying = self.look().await?;
            match self.choose(&lying) {
                Choice::There(meta) => {
                    let meta = self.keep_one(meta, lying).await?;
                    return Ok(self.receipt(&meta, Outcome::AlreadyThere));
                }
                Choice::Replace(meta) => {
                    if let Some(meta) = self.replace(&meta).await? {
                        return Ok(self.receipt(&meta, Outcome::Replaced));
                    }
                }
                Choice::Create(name) => {
                    let Some(meta) = self.create(&name).await? else {
                        continue;
                    };
                    let ours = self.of_this_delivery().await?;
                    let meta = self.keep_one(meta, ours).await?;
                    return Ok(self.receipt(&meta, Outcome::Created));
                }
            }
        }
        Err(Error::new(
            Kind::Unavailable,
            "the folder changes faster than it can be read",
        )
        .with("path", &self.file.path)
        .hint("somebody writes there just now; it is tried again"))
    }

    /// What lies in the folder under the names that matter: as a search has it, with what we know
    /// better, and with what we made and no search shows yet.
    async fn look(&mut self) -> Result<Vec<Meta>> {
        let query = format!("{} and trashed = false", in_any(&[&self.place.id]));
        let mut lying = search(self.api, &self.home, &query).await?;
        self.listed = lying.iter().map(|meta| meta.id.clone()).collect();
        lying.retain(|meta| self.turn(&meta.name).is_some());
        for name in self.names() {
            let Some(id) = self.place.noted(self.api, &name).await? else {
                continue;
            };
            if lying.iter().all(|meta| meta.id != id) && !self.seen.contains_key(&id) {
                let meta = self.api.find(&id).await?;
                self.seen.insert(id, meta);
            }
        }
        lying.retain(|meta| !self.seen.contains_key(&meta.id));
        let seen = self.seen.values().flatten();
        lying.extend(seen.filter(|meta| is_live(meta, &self.place.id)).cloned());
        lying.retain(|meta| self.turn(&meta.name).is_some());
        lying.sort_by_key(|meta| (self.turn(&meta.name), age(meta)));
        Ok(lying)
    }

    /// The wanted name, and those that are tried where it is taken.
    fn names(&self) -> Vec<String> {
        let others = (2..=BESIDE_MAX).map(|number| beside(self.name, number));
        std::iter::once(self.name.to_owned())
            .chain(others)
            .collect()
    }

    /// Whose turn a name is: the wanted one's first; `None` for any other name.
    fn turn(&self, name: &str) -> Option<u32> {
        if name == self.name {
            return Some(1);
        }
        beside_number(self.name, name)
    }

    /// Decides by content. A name that was taken when we last tried has made us go beside it, so
    /// the names beside it are looked at as well.
    fn choose(&self, lying: &[Meta]) -> Choice {
        let has = |meta: &&Meta, sha256: Option<&String>| {
            sha256.is_some() && meta.sha256_checksum.as_ref() == sha256
        };
        if let Some(meta) = lying.iter().find(|meta| has(meta, Some(&self.file.sha256))) {
            return Choice::There(meta.clone());
        }
        if let Some(meta) = lying
            .iter()
            .find(|meta| has(meta, self.file.replaces.as_ref()))
        {
            return Choice::Replace(meta.clone());
        }
        let taken: BTreeSet<&str> = lying.iter().map(|meta| meta.name.as_str()).collect();
        let free = self
            .names()
            .into_iter()
            .find(|name| !taken.contains(name.as_str()));
        Choice::Create(free.unwrap_or_else(|| beside(self.name, BESIDE_MAX + 1)))
    }

    /// Puts the new version in the place of our earlier one; `None` where that has changed since
    /// it was looked at. Drive has no condition for it ("v3 … no `If-Match`", read 2026-11), so
    /// it is asked right before.
    async fn replace(&mut self, meta: &Meta) -> Result<Option<Meta>> {
        let now = self.api.find(&meta.id).await?;
        let ours = now.as_ref().is_some_and(|now| {
            is_live(now, &self.place.id) && now.sha256_checksum == self.file.replaces
        });
        self.seen.insert(meta.id.clone(), now);
        if !ours {
            return Ok(None);
        }
        let metadata = json!({"appProperties": {KEY: self.key}});
        self.api
            .upload(Into::Old(&meta.id), &metadata, self.file)
            .await
            .map(Some)
    }

    /// Makes the file under an id that is noted before; `None` where something else has that id.
    async fn create(&mut self, name: &str) -> Result<Option<Meta>> {
        let noted = self.place.noted(self.api, name).await?;
        // What is noted and was never made is made now, under the same id.
        let unused = noted.filter(|id| matches!(self.seen.get(id), Some(None)));
        let id = match unused {
            Some(id) => id,
            None => self.place.claim(self.api, name, &self.listed).await?,
        };
        let metadata = json!({"id": id, "name": name, "parents": [self.place.id],
            "appProperties": {KEY: self.key}});
        match self.api.upload(Into::New, &metadata, self.file).await {
            Ok(meta) => Ok(Some(meta)),
            Err(error) if error.kind() == Kind::Conflict => {
                let meta = made_before(self.api, &id, error).await?;
                let done = is_live(&meta, &self.place.id)
                    && meta.sha256_checksum.as_ref() == Some(&self.file.sha256);
                self.seen.insert(id, Some(meta.clone()));
                Ok(done.then_some(meta))
            }
            Err(error) => Err(error),
        }
    }

    /// What this delivery has put into the folder, as far as a search knows.
    async fn of_this_delivery(&self) -> Result<Vec<Meta>> {
        let query = format!(
            "{} and appProperties has {{ key={} and value={} }} and trashed = false",
            in_any(&[&self.place.id]),
            quoted(KEY),
            quoted(&self.key)
        );
        search(self.api, &self.home, &query).await
    }

    /// Two processes at once may have made two. Both keep the older one and put the other into
    /// the trash; nothing that a person wrote or changed is touched.
    async fn keep_one(&self, meta: Meta, lying: Vec<Meta>) -> Result<Meta> {
        let ours = |meta: &Meta| {
            meta.app_properties.get(KEY) == Some(&self.key)
                && meta.sha256_checksum.as_ref() == Some(&self.file.sha256)
        };
        if !ours(&meta) {
            return Ok(meta);
        }
        let mut copies = lying;
        copies.retain(|it| ours(it) && it.id != meta.id && is_live(it, &self.place.id));
        copies.push(meta);
        copies.sort_by_key(age);
        let mut copies = copies.into_iter();
        let oldest = copies.next().expect("one was put in");
        for copy in copies {
            let path = format!("{FILES}/{}", segment(&copy.id));
            let request = Request::new(Method::Patch, WRITES, path)
                .query("supportsAllDrives", true)
                .query("fields", "id")
                .json(json!({"trashed": true}));
            self.api.http.send(request).await?;
        }
        Ok(oldest)
    }

    fn receipt(&self, meta: &Meta, outcome: Outcome) -> Receipt {
        let location = match self.folder.as_str() {
            "" => meta.name.clone(),
            folder => format!("{folder}/{}", meta.name),
        };
        let outcome = match outcome {
            Outcome::Created | Outcome::AlreadyThere if meta.name != self.name => Outcome::Beside,
            outcome => outcome,
        };
        Receipt { outcome, location }
    }
}
