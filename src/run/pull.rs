//! Pulling: every connection on its own, one writer for all of them.
//!
//! Each connection runs in a task that knows the network and not the ledger. Its pages come
//! here, one at a time; a page and the cursor behind it are committed before the task may ask
//! for the next. A connection that fails stops alone.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch_connectors::contract::{Absent, Cursor, Notice, Page, Presence, Pull, Sweep};
use stundenbuch_connectors::planted::{Bug, planted};
use stundenbuch_connectors::record::ExternalId;
use stundenbuch_connectors::{Connector, Error as PullError};
use tokio::sync::{mpsc, oneshot};

use super::intake::{Counts, take_in};
use super::{sources, spare};
use crate::clock::Clock;
use crate::store::{Result, Store, Writer};
use crate::work::RecordKey;

/// So many records may vanish from a listing before a person is asked …
const ABSENT_MAX: usize = 10;
/// … or one in so many, whichever is more.
const ABSENT_SHARE: usize = 10;
/// A page loop longer than this is a service that repeats itself.
const PAGES_MAX: usize = 10_000;

/// One connection, ready to be pulled.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: String,
    pub connector: Arc<dyn Connector>,
    pub mode: Pull,
}

/// How one connection's pull went.
#[derive(Debug)]
pub struct Pulled {
    pub name: String,
    pub counts: Counts,
    pub requests: u64,
    pub notices: Vec<Notice>,
    /// Records that vanished, too many at once to believe it; since whichever pull.
    pub held: usize,
    pub failure: Option<PullError>,
}

/// What a connection's task sends to the writer.
enum Message {
    Page {
        at: usize,
        page: Box<Page>,
        done: oneshot::Sender<Result<()>>,
    },
    /// Asks what to look at a second time.
    Absences {
        at: usize,
        reply: oneshot::Sender<Result<Vec<Absent>>>,
    },
    Confirmed {
        at: usize,
        found: Vec<(Absent, Presence)>,
        done: oneshot::Sender<Result<()>>,
    },
    Ended {
        at: usize,
        requests: u64,
        failure: Option<PullError>,
    },
}

/// Pulls every source to its end. Fails only when the ledger does; a source's failure is in its
/// [`Pulled`].
pub async fn pull(store: &mut Store, clock: &dyn Clock, sources: &[Source]) -> Result<Vec<Pulled>> {
    let (sender, mut inbox) = mpsc::channel(sources.len().max(1));
    let mut tasks = tokio::task::JoinSet::new();
    let mut pulled = Vec::new();
    for (at, source) in sources.iter().enumerate() {
        let cursor = store.connection(&source.name)?.cursor;
        tasks.spawn(run(at, source.clone(), cursor, sender.clone()));
        pulled.push(Pulled {
            name: source.name.clone(),
            counts: Counts::default(),
            requests: 0,
            notices: Vec::new(),
            held: 0,
            // Replaced when the task says how it ended; a task that panics never does.
            failure: Some(protocol("the connector stopped without a word")),
        });
    }
    drop(sender);
    while let Some(message) = inbox.recv().await {
        if planted(Bug::CursorBeforeRows)
            && let Message::Page { at, page, .. } = &message
        {
            store.write(|writer| writer.set_cursor(&sources[*at].name, &page.next))?;
            tokio::task::yield_now().await;
        }
        tokio::task::block_in_place(|| handle(store, clock, sources, &mut pulled, message))?;
    }
    // Every task has said how it ended, except one that panicked.
    while let Some(ended) = tasks.join_next().await {
        if let Err(panic) = ended {
            tracing::error!(error = %panic, "A connector panicked.");
        }
    }
    Ok(pulled)
}

/// One connection's side: the network, and nothing else.
async fn run(at: usize, source: Source, cursor: Cursor, writer: mpsc::Sender<Message>) {
    let failure = match pull_pages(at, &source, cursor, &writer).await {
        Ok(()) => confirm(at, &source, &writer).await.err(),
        Err(error) => Some(error),
    };
    let failure =
        failure.map(|error| sources::advised(&source.name, source.connector.as_ref(), error));
    let requests = source.connector.requests();
    // The writer only goes away when the run is over.
    let _ = writer
        .send(Message::Ended {
            at,
            requests,
            failure,
        })
        .await;
}

async fn pull_pages(
    at: usize,
    source: &Source,
    mut cursor: Cursor,
    writer: &mpsc::Sender<Message>,
) -> Result<(), PullError> {
    for _ in 0..PAGES_MAX {
        let page = source.connector.pull(&cursor, &source.mode).await?;
        let (more, next) = (page.more, page.next.clone());
        let (done, committed) = oneshot::channel();
        ask(
            writer,
            Message::Page {
                at,
                page: Box::new(page),
                done,
            },
            committed,
        )
        .await?;
        if !more {
            return Ok(());
        }
        cursor = next;
    }
    Err(protocol("the service sends page after page without an end"))
}

async fn confirm(
    at: usize,
    source: &Source,
    writer: &mpsc::Sender<Message>,
) -> Result<(), PullError> {
    let (reply, answer) = oneshot::channel();
    let absent = ask(writer, Message::Absences { at, reply }, answer).await?;
    if absent.is_empty() {
        return Ok(());
    }
    let answers = source.connector.confirm(&absent).await?;
    let found = absent
        .into_iter()
        .filter_map(|absent| {
            let answer = answers.iter().find(|(id, _)| *id == absent.id)?;
            Some((absent, answer.1.clone()))
        })
        .collect();
    let (done, committed) = oneshot::channel();
    ask(writer, Message::Confirmed { at, found, done }, committed).await
}

async fn ask<T>(
    writer: &mpsc::Sender<Message>,
    message: Message,
    answer: oneshot::Receiver<Result<T>>,
) -> Result<T, PullError> {
    let gone = |_| protocol("the ledger stopped taking records");
    writer
        .send(message)
        .await
        .map_err(|_| protocol("the ledger stopped taking records"))?;
    let answer = answer.await.map_err(gone)?;
    answer.map_err(|error| protocol(&format!("the ledger did not take a page: {error}")))
}

fn protocol(text: &str) -> PullError {
    PullError::new(stundenbuch_connectors::error::Kind::Protocol, text)
}

/// The writer's side of one message. A failure of the ledger ends the run for all.
fn handle(
    store: &mut Store,
    clock: &dyn Clock,
    sources: &[Source],
    pulled: &mut [Pulled],
    message: Message,
) -> Result<()> {
    let now = clock.now();
    match message {
        Message::Page { at, page, done } => {
            let taken = store.write(|writer| take_page(writer, now, &sources[at], &page));
            let outcome = taken.map(|counts| {
                pulled[at].counts.add(&counts);
                pulled[at].notices.extend(page.notices);
            });
            pass_on(outcome, done)
        }
        Message::Absences { at, reply } => {
            let absences = store.absences(&sources[at].name, false);
            pass_on(absences, reply)
        }
        Message::Confirmed { at, found, done } => {
            let deleted =
                store.write(|writer| take_confirmed(writer, now, &sources[at].name, &found));
            pass_on(
                deleted.map(|deleted| pulled[at].counts.deleted += deleted),
                done,
            )
        }
        Message::Ended {
            at,
            requests,
            failure,
        } => {
            let source = &sources[at];
            let compared = matches!(source.mode, Pull::Compare { until: None, .. });
            store.write(|writer| match &failure {
                None => writer.pulled(&source.name, now, compared),
                // What is done with spare requests has failed when it had some and failed.
                Some(error) if spare::is_used_up(&source.mode, error) => Ok(()),
                Some(error) => writer.pull_failed(&source.name, now, &error.to_string()),
            })?;
            pulled[at].held = store.absences(&source.name, true)?.len();
            pulled[at].requests = requests;
            pulled[at].failure = failure;
            Ok(())
        }
    }
}

/// Answers the task; a failure of the ledger also goes up, once the task knows.
fn pass_on<T>(outcome: Result<T>, to: oneshot::Sender<Result<T>>) -> Result<()> {
    match outcome {
        Ok(value) => {
            // A task that is gone does not need its answer.
            let _ = to.send(Ok(value));
            Ok(())
        }
        Err(error) => {
            drop(to);
            Err(error)
        }
    }
}

/// A page's records, deletions and absences, with the cursor behind them: all, or nothing.
fn take_page(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    source: &Source,
    page: &Page,
) -> Result<Counts> {
    let mut counts = Counts::default();
    for raw in &page.raw {
        let read = source.connector.normalise(raw);
        take_in(writer, now, &source.name, raw, read, &mut counts)?;
    }
    for gone in &page.gone {
        let key = key(&source.name, gone.stream, &gone.id);
        counts.deleted += u64::from(writer.append_deletion(now, &key, &gone.proof)?);
        writer.clear_absent(&key)?;
        writer.release(&key)?;
    }
    for sweep in &page.swept {
        take_sweep(writer, &source.name, sweep)?;
        if planted(Bug::AbsenceIsDeletion) {
            for absent in writer.absent(&source.name, sweep)?.0 {
                let key = key(&source.name, absent.stream, &absent.id);
                writer.append_deletion(now, &key, "not listed")?;
            }
        }
    }
    writer.set_cursor(&source.name, &page.next)?;
    Ok(counts)
}

/// What a complete listing did not name is looked for a second time; too much of it at once is
/// held for a person. What waits for its second look already, because it was missed before or
/// because a person let it, is not counted, and not held again.
fn take_sweep(writer: &mut Writer<'_>, connection: &str, sweep: &Sweep) -> Result<()> {
    if writer.any_absent(connection)? {
        for id in &sweep.present {
            writer.clear_absent(&key(connection, sweep.stream, id))?;
        }
    }
    let (mut absent, all) = writer.absent(connection, sweep)?;
    let waiting = writer.waiting(connection)?;
    absent.retain(|absent| !waiting.contains(&(absent.stream, absent.id.clone())));
    let held = absent.len() > ABSENT_MAX.max(all / ABSENT_SHARE);
    writer.note_absent(connection, &absent, held)
}

fn take_confirmed(
    writer: &mut Writer<'_>,
    now: DateTime<Utc>,
    connection: &str,
    found: &[(Absent, Presence)],
) -> Result<u64> {
    let mut deleted = 0;
    for (absent, presence) in found {
        let key = key(connection, absent.stream, &absent.id);
        match presence {
            Presence::Gone(proof) => {
                deleted += u64::from(writer.append_deletion(now, &key, proof)?);
                writer.clear_absent(&key)?;
            }
            Presence::Present => writer.clear_absent(&key)?,
            Presence::Unknown => {}
        }
    }
    Ok(deleted)
}

fn key(
    connection: &str,
    stream: stundenbuch_connectors::record::Stream,
    id: &ExternalId,
) -> RecordKey {
    RecordKey {
        connection: connection.to_owned(),
        stream,
        id: id.clone(),
    }
}

/// How a connection is pulled now: what changed, and from time to time a full comparison of the
/// last weeks, for the changes that a service's own feed does not report.
pub fn mode(compared_at: Option<DateTime<Utc>>, now: DateTime<Utc>, forced: bool) -> Pull {
    let due = compared_at
        .is_some_and(|at| now - at >= TimeDelta::days(COMPARE_EVERY_DAYS) || at - now > AHEAD_MAX);
    if due || forced {
        Pull::Compare {
            from: now - COMPARE_BACK,
            until: None,
        }
    } else {
        Pull::Changes
    }
}

/// A comparison once a week fits the smallest quota.
const COMPARE_EVERY_DAYS: i64 = 7;
/// The open month and the one before it.
pub(super) const COMPARE_BACK: TimeDelta = TimeDelta::days(62);
/// A last comparison further ahead than this was recorded by a clock that was wrong.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(25);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_was_ahead_does_not_put_comparisons_off() {
        let now: DateTime<Utc> = "2026-11-03T02:15:00Z".parse().unwrap();
        let due = |days: i64| {
            let compared = Some(now - TimeDelta::days(days));
            matches!(mode(compared, now, false), Pull::Compare { .. })
        };
        assert!(!due(6) && due(7), "once a week");
        assert!(!due(-1), "the clock was turned back a little");
        assert!(due(-400), "the clock was ahead by a year");
        assert_eq!(mode(None, now, false), Pull::Changes);
    }
}
