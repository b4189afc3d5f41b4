//! `demo`: a made-up month of a freelancer, and everything that the program does with it.
//!
//! No account and no network: the exports lie in a folder that the configuration calls a drive,
//! and the documents go into the same folder. Nothing here does the work itself; it is the same
//! night, the same sealing and the same outbox as ever.

mod files;
mod place;
mod words;

use std::sync::Arc;

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use serde::Serialize;

use self::files::{CONFIG, DRIVE, FILES, LEDGER};
use self::place::Place;
use super::{App, args};
use crate::billing::Statement;
use crate::clock::{Clock, ManualClock};
use crate::config::Config;
use crate::finding::Finding;
use crate::run::nightly::{self as pass, Plan};
use crate::run::report::{Exit, Report};
use crate::run::sources::Environment;
use crate::statements;
use crate::store::Store;
use crate::time::Period;

/// The nights, 03:15 in Berlin. The clock of the demo stands at each of them in turn and not at
/// today, so that its ledger, its findings and its documents are the same whenever and wherever
/// it is run.
const NIGHTS: [&str; 3] = [
    "2026-10-12T01:15:00Z",
    "2026-10-26T02:15:00Z",
    "2026-11-01T02:15:00Z",
];
/// When the freelancer seals, and the night after it, in which the documents go out.
const SEALING: &str = "2026-11-01T09:00:00Z";
const DELIVERY: &str = "2026-11-02T02:15:00Z";
/// The month that is billed.
const MONTH: &str = "2026-10";
/// The identity of every demo's ledger; that of a real one is random.
const IDENTITY: [u8; 16] = *b"stundenbuch demo";

/// What the demo came to.
#[derive(Debug, Serialize)]
struct Demo {
    directory: String,
    config: String,
    /// Pieces of work, each counted once.
    entries: u64,
    nights: Vec<Report>,
    findings: Vec<Finding>,
    statements: Vec<Statement>,
    /// Why some work is in no statement.
    not_billed: Vec<Finding>,
    documents: Vec<String>,
}

pub(super) async fn run(app: &App, args: args::Demo) -> anyhow::Result<Exit> {
    let mut place = Place::take(&args.dir)?;
    for file in FILES.iter().filter(|file| file.night == 0) {
        place.write(file)?;
    }
    // The variables of the environment could lead the demo to a real ledger.
    let environment = Environment::default();
    let config_file = place.path(CONFIG);
    let config = Config::load(Some(&config_file), &environment.variables)?;
    let clock = Arc::new(ManualClock::at(instant(NIGHTS[0])));
    let mut store = Store::create_as(&place.path(LEDGER), clock.now(), IDENTITY)?;

    let mut nights = Vec::new();
    for (night, at) in NIGHTS.iter().enumerate() {
        for file in FILES.iter().filter(|file| file.night == night && night > 0) {
            place.write(file)?;
        }
        clock.set(instant(at));
        nights.push(one_night(&mut store, &config, &environment, &clock).await?);
    }
    clock.set(instant(SEALING));
    let (statements, not_billed) = seal_all(&mut store, &config, clock.now())?;
    for statement in &statements {
        let number = statement.number.as_deref().unwrap_or_default();
        let parcels = store.parcels_of(number)?.into_iter();
        place.expect(
            parcels
                .map(|it| (it.sha256, format!("{DRIVE}/{}", it.path)))
                .collect(),
        )?;
    }
    clock.set(instant(DELIVERY));
    nights.push(one_night(&mut store, &config, &environment, &clock).await?);

    let demo = Demo {
        directory: args.dir.display().to_string(),
        config: config_file.display().to_string(),
        findings: store
            .findings(false)?
            .into_iter()
            .map(|stored| stored.finding)
            .collect(),
        documents: documents(&store, &place, &statements)?,
        entries: store.stats()?.works,
        nights,
        statements,
        not_billed,
    };
    if app.out.json {
        app.out.value(&demo)?;
    } else {
        for line in words::lines(&demo) {
            app.out.line(&line)?;
        }
    }
    Ok(Exit::Fine)
}

async fn one_night(
    store: &mut Store,
    config: &Config,
    environment: &Environment,
    clock: &Arc<ManualClock>,
) -> anyhow::Result<Report> {
    let plan = Plan {
        trigger: "demo".into(),
        ..Plan::default()
    };
    let clock: Arc<dyn Clock> = Arc::<ManualClock>::clone(clock);
    Ok(pass::run(store, config, environment, clock, &plan).await?)
}

/// Seals the month for every client, with what their previews leave out.
fn seal_all(
    store: &mut Store,
    config: &Config,
    now: DateTime<Utc>,
) -> anyhow::Result<(Vec<Statement>, Vec<Finding>)> {
    let period: Period = MONTH.parse().ok().context("read the demo's month")?;
    let (mut sealed, mut left_out) = (Vec::new(), Vec::new());
    for client in &config.clients {
        left_out.extend(statements::preview(store, config, client, period)?.findings);
        let statement = statements::seal(store, config, client, period, now)
            .with_context(|| format!("seal {period} for {}", client.key))?;
        sealed.push(statement);
    }
    Ok((sealed, left_out))
}

/// Where the documents of the statements arrived.
fn documents(
    store: &Store,
    place: &Place,
    statements: &[Statement],
) -> anyhow::Result<Vec<String>> {
    let mut arrived = Vec::new();
    for statement in statements {
        let number = statement.number.as_deref().unwrap_or_default();
        let locations = store
            .parcels_of(number)?
            .into_iter()
            .filter_map(|it| it.location);
        arrived.extend(locations.map(|at| place.path(DRIVE).join(at).display().to_string()));
    }
    Ok(arrived)
}

fn instant(text: &str) -> DateTime<Utc> {
    text.parse()
        .expect("the demo's instants are written in RFC 3339")
}
