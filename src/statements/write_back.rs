//! Writing back: each card that a statement's work was about is told how many hours it took.
//!
//! One comment for each card and period, whatever the number of statements: late work and
//! corrections change it, a cancellation takes its hours back. A custom field, where one is named,
//! holds the hours of all periods. Both say what is billable, in the client's language.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use crate::billing::Statement;
use crate::config::{Client, WriteBack};
use crate::ledger::{hex, sha256};
use crate::render;
use crate::store::{self, NewParcel, Place, Store, Writer};
use crate::time::Period;
use crate::work::{RecordKey, WorkId};

/// The billable time of cards.
#[derive(Debug, Default)]
pub(super) struct Cards {
    /// Of the statement's period, by card.
    period: BTreeMap<RecordKey, Told>,
    /// Of all periods, in seconds.
    ever: BTreeMap<RecordKey, i64>,
    /// Those that the statement itself is about: only they are told anew.
    touched: BTreeSet<RecordKey>,
}

/// What a card is told of a period.
#[derive(Debug, Default)]
struct Told {
    seconds: i64,
    /// The statements that stand.
    numbers: BTreeSet<String>,
}

/// Adds up what earlier statements and this one, which has no number yet, say of each card.
pub(super) fn cards(store: &Store, client: &Client, draft: &Statement) -> store::Result<Cards> {
    let mut cards = Cards::default();
    if client.write_back.is_empty() {
        return Ok(cards);
    }
    let cancels = draft.cancels.as_ref().map(|it| it.number.as_str());
    for row in store.statements()? {
        if row.client != client.key {
            continue;
        }
        let Some(earlier) = store.statement(&row.number)? else {
            continue;
        };
        let stands = row.holds() && cancels != Some(row.number.as_str());
        let number = stands.then_some(row.number.as_str());
        cards.add(store, &earlier, draft.period, number)?;
    }
    for key in cards.add(store, draft, draft.period, None)? {
        cards.touched.insert(key);
    }
    Ok(cards)
}

impl Cards {
    /// Adds one statement, and returns the cards that it is about.
    fn add(
        &mut self,
        store: &Store,
        statement: &Statement,
        period: Period,
        number: Option<&str>,
    ) -> store::Result<Vec<RecordKey>> {
        let mut about = Vec::new();
        let entries = statement.entries.iter().filter(|entry| entry.billable);
        let entries = entries.map(|entry| (&entry.work, entry.billed_seconds));
        let corrected = statement.corrections.iter();
        let corrected = corrected.map(|it| (&it.work, it.tracked_seconds));
        for (work, seconds) in entries.chain(corrected) {
            let Some(work) = WorkId::parse(work) else {
                continue;
            };
            let Some((Some(key), _)) = store.matched(work)? else {
                continue;
            };
            *self.ever.entry(key.clone()).or_default() += seconds;
            if statement.period == period {
                let told = self.period.entry(key.clone()).or_default();
                told.seconds += seconds;
                told.numbers.extend(number.map(str::to_owned));
            }
            about.push(key);
        }
        Ok(about)
    }

    /// Queues what the cards of the sealed statement are to be told.
    pub(super) fn queue(
        &self,
        writer: &mut Writer<'_>,
        now: DateTime<Utc>,
        client: &Client,
        statement: &Statement,
    ) -> store::Result<()> {
        let number = statement.number.as_deref().unwrap_or_default();
        let marker = marker(client, statement.period);
        for target in &client.write_back {
            for key in &self.touched {
                if key.connection != target.connection {
                    continue;
                }
                for (place, text) in self.tell(client, statement, target, key, &marker) {
                    let path = place.to_string();
                    let parcel = NewParcel {
                        key: &format!("{number}/{}/{path}", target.connection),
                        connection: &target.connection,
                        statement: number,
                        path: &path,
                        sha256: &hex(&sha256(text.as_bytes())),
                        bytes: text.as_bytes(),
                    };
                    writer.enqueue(now, &parcel)?;
                }
            }
        }
        Ok(())
    }

    /// What one card is to be told at one target.
    fn tell(
        &self,
        client: &Client,
        statement: &Statement,
        target: &WriteBack,
        key: &RecordKey,
        marker: &str,
    ) -> Vec<(Place, String)> {
        let task = key.id.as_str().to_owned();
        let mut all = Vec::new();
        if let Some(told) = self.period.get(key).filter(|_| target.comment) {
            let mut numbers = told.numbers.clone();
            if statement.cancels.is_none() {
                numbers.extend(statement.number.clone());
            }
            let text = render::card_comment(
                client.language,
                statement.period,
                told.seconds,
                &numbers,
                marker,
            );
            let place = Place::Comment {
                task: task.clone(),
                marker: marker.to_owned(),
            };
            all.push((place, text));
        }
        if let (Some(name), Some(seconds)) = (&target.field, self.ever.get(key)) {
            let name = name.clone();
            all.push((Place::Field { task, name }, render::decimal_hours(*seconds)));
        }
        all
    }
}

/// By this the comment of a period is found again: `[#2026-10-7f3a9c]`. Two clients on one board
/// have different ones.
fn marker(client: &Client, period: Period) -> String {
    let named = format!("{}\n{}\n{}", client.key, period.first, period.last);
    let hash = hex(&sha256(named.as_bytes()));
    format!("[#{}-{}]", period.first.format("%Y-%m"), &hash[..6])
}
