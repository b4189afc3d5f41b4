//! `deliver`: what waits in the outbox goes where it should be.

use std::collections::BTreeSet;
use std::sync::Arc;

use stundenbuch_connectors::Platform;

use super::{App, args};
use crate::outbox;
use crate::run::report::Exit;
use crate::run::sources;
use crate::store::Budgets;

pub(super) async fn run(app: &App, args: &args::Deliver) -> anyhow::Result<Exit> {
    let config = app.config()?;
    if args.dry_run {
        let store = app.open_read_only(&config)?;
        for parcel in store.parcels_open()? {
            app.out
                .line(&format!("{}:{}", parcel.connection, parcel.path))?;
        }
        return Ok(Exit::Fine);
    }
    let (mut store, _lock) = app.open(&config, "deliver")?;
    let now = app.clock.now();
    if args.retry {
        store.write(|writer| writer.retry_failed_parcels(now))?;
    }
    let platform = Platform {
        clock: Arc::clone(&app.clock),
        budgets: Arc::new(Budgets::open(store.path())?),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    };
    let targets = sources::build_all(&store, &config, &app.environment, &platform)?;
    let report =
        outbox::deliver(&mut store, app.clock.as_ref(), &targets, &BTreeSet::new()).await?;
    if app.out.json {
        app.out.value(&report)?;
    } else {
        for delivered in &report.delivered {
            app.out.line(&format!("delivered {delivered}"))?;
        }
        for failed in &report.failed {
            app.out.say(&format!("failed {failed}"));
        }
    }
    Ok(match (report.needs_person, report.failed.is_empty()) {
        (true, _) => Exit::NeedsPerson,
        (false, false) => Exit::ForNow,
        (false, true) => Exit::Fine,
    })
}
