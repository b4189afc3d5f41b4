//! The loop: wake, look whether a run is due, run, tell systemd; stop cleanly when asked.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};

use super::{Schedule, health};
use crate::clock::Clock;
use crate::config::Config;
use crate::run::nightly::{self, Plan};
use crate::run::report::Report;
use crate::run::sources::Environment;
use crate::store::{Anchors, Error as StoreError, Lock, Store};

/// How often the clock is looked at. The wall clock decides and not a timer, so a suspended
/// machine or a clock that was set runs neither late nor twice.
const TICK: Duration = Duration::from_secs(20);
/// The first wait before a failed source is tried again; doubled each time …
const AGAIN_FIRST: TimeDelta = TimeDelta::minutes(15);
/// … up to this.
const AGAIN_MAX: TimeDelta = TimeDelta::hours(4);

/// When sources that failed are tried again before the next night.
#[derive(Clone, Debug, Default)]
struct Again {
    at: Option<DateTime<Utc>>,
    only: std::collections::BTreeSet<String>,
    tries: u32,
}

/// Runs until a signal asks to stop. There is one daemon for a ledger; the right to change it is
/// taken for each run, so that a person can work with it during the day.
pub async fn run(
    config: &Config,
    environment: &Environment,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<()> {
    let _daemon = Lock::take_daemon(&config.ledger)?;
    let anchors = Anchors::new(&config.ledger, config.anchors.as_deref());
    let mut left_alone = false;
    // What cannot work is told at the start. A command that has the ledger now had it opened.
    if let Some(_lock) = turn(config) {
        open(&anchors, clock.now(), &mut left_alone)?;
    }
    let listener = match config.listen {
        Some(address) => Some(health::bind(address).await?),
        None => None,
    };
    let health = listener.map(|listener| tokio::spawn(health::serve(listener, anchors.clone())));
    let mut stop = stop_signal().context("listen for signals")?;
    let schedule = Schedule {
        at: config.nightly_at,
        zone: config.time_zone,
    };
    tell(&[
        NotifyState::Ready,
        NotifyState::Status(&waiting(&schedule, clock.now())),
    ]);
    tracing::info!(next = %schedule.next(clock.now()), "Ready.");

    let heart = tokio::spawn(beat());
    let mut again = Again::default();
    loop {
        let due = due(&anchors, &schedule, &again, clock.now())?;
        if let Some((plan, _lock)) = due.and_then(|plan| Some((plan, turn(config)?)))
            && let Some(mut store) = open(&anchors, clock.now(), &mut left_alone)?
        {
            tell(&[NotifyState::Status("a run is under way")]);
            let pass = nightly::run(&mut store, config, environment, Arc::clone(&clock), &plan);
            let report = tokio::select! {
                report = pass => report?,
                () = &mut stop => break,
            };
            log(&report);
            again = next_try(&again, &plan, &report);
            tell(&[NotifyState::Status(&waiting(&schedule, clock.now()))]);
        }
        tokio::select! {
            () = clock.sleep(TICK) => {}
            () = &mut stop => break,
        }
    }
    tracing::info!("Stopping; everything that was committed is kept.");
    tell(&[NotifyState::Stopping]);
    heart.abort();
    if let Some(health) = health {
        health.abort();
    }
    Ok(())
}

/// Opens the ledger for one run. Between runs nobody has it open, so that a backup can take its
/// place. A ledger that is not what it was is left alone until a person has looked: the daemon
/// says so and stays, and goes on by itself once the ledger is right.
fn open(
    anchors: &Anchors,
    now: DateTime<Utc>,
    left_alone: &mut bool,
) -> anyhow::Result<Option<Store>> {
    match Store::open_kept(anchors.clone(), now) {
        Ok(store) => {
            *left_alone = false;
            Ok(Some(store))
        }
        Err(error @ (StoreError::RolledBack(_) | StoreError::OtherHeads { .. })) => {
            // Once, and not with every look at the clock.
            if !std::mem::replace(left_alone, true) {
                tracing::error!(%error, hint = %error.hint(), "The ledger is left alone.");
                tell(&[NotifyState::Status(
                    "the ledger is not what it was; see the health",
                )]);
            }
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A run that is due, if any: the nightly one, or another try of what failed.
fn due(
    anchors: &Anchors,
    schedule: &Schedule,
    again: &Again,
    now: DateTime<Utc>,
) -> anyhow::Result<Option<Plan>> {
    let last = match anchors.open_read_only() {
        Ok(store) => store.mark(nightly::MARK)?,
        // Opening it for the run tells which of them it is.
        Err(StoreError::Missing { .. } | StoreError::Older { .. } | StoreError::RolledBack(_)) => {
            None
        }
        Err(error) => return Err(error.into()),
    };
    let last = last.and_then(|text| text.parse().ok());
    if schedule.due(last, now) {
        return Ok(Some(Plan {
            trigger: nightly::SCHEDULE.into(),
            ..Plan::default()
        }));
    }
    if again.at.is_some_and(|at| at <= now) {
        let only = again.only.clone();
        return Ok(Some(Plan {
            trigger: "again".into(),
            deliver_only: only.is_empty(),
            only,
            ..Plan::default()
        }));
    }
    Ok(None)
}

/// The right to change the ledger for one run; none while a command has it, and then the run
/// waits for the next look at the clock.
fn turn(config: &Config) -> Option<Lock> {
    match Lock::take(&config.ledger, "the daemon's run") {
        Ok(lock) => Some(lock),
        Err(error) => {
            tracing::info!(%error, "A run is due and waits.");
            None
        }
    }
}

/// Tells systemd that the process is alive. In a task of its own: a long import or review keeps
/// the loop busy, and that is no reason to be killed in the middle of it.
async fn beat() {
    let mut beat = tokio::time::interval(TICK);
    loop {
        beat.tick().await;
        tell(&[NotifyState::Watchdog]);
    }
}

fn next_try(before: &Again, plan: &Plan, report: &Report) -> Again {
    let Some(told) = report.try_again_at() else {
        return Again::default();
    };
    let tries = if plan.trigger == nightly::SCHEDULE {
        0
    } else {
        before.tries + 1
    };
    let wait = (AGAIN_FIRST * 2_i32.saturating_pow(tries.min(8))).min(AGAIN_MAX);
    let only = report
        .sources
        .iter()
        .filter(|source| {
            source
                .failure
                .as_ref()
                .is_some_and(|failure| !failure.needs_person)
        })
        .map(|source| source.connection.clone())
        .collect();
    Again {
        at: Some(told.max(report.finished_at + wait)),
        only,
        tries,
    }
}

fn waiting(schedule: &Schedule, now: DateTime<Utc>) -> String {
    let next = schedule.next(now).with_timezone(&schedule.zone);
    format!(
        "waiting; the next run begins {}",
        next.format("%Y-%m-%d %H:%M %Z")
    )
}

fn log(report: &Report) {
    for source in &report.sources {
        let counts = &source.counts;
        match &source.failure {
            None => tracing::info!(
                connection = source.connection,
                requests = source.requests,
                new = counts.new,
                changed = counts.changed,
                deleted = counts.deleted,
                "Pulled."
            ),
            Some(failure) if failure.needs_person => tracing::error!(
                connection = source.connection,
                error = failure.text,
                hint = failure.hint,
                "Could not pull; a person must act."
            ),
            Some(failure) => tracing::warn!(
                connection = source.connection,
                error = failure.text,
                "Could not pull to the end; it is tried again."
            ),
        }
    }
    tracing::info!(
        findings_new = report.findings_new,
        findings_open = report.findings_open,
        delivered = report.deliveries.delivered.len(),
        undelivered = report.deliveries.failed.len(),
        "The run is done."
    );
}

fn tell(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(states);
}

/// Resolves when the process is asked to stop.
fn stop_signal() -> std::io::Result<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}
