//! Whatever happens to work, and in whatever order it is sealed, corrected and cancelled: in the
//! end all statements together charge what one statement of the work as it is now would.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use serde_json::json;
use stundenbuch_connectors::contract::Raw;
use stundenbuch_connectors::record::{ExternalId, Record, Stream};
use tempfile::TempDir;

use super::*;
use crate::billing::{self, Attribution, Statement, Totals, attribute};
use crate::config::Config;
use crate::store::{Store, WorkQuery};
use crate::work::{RecordKey, Work};

const CONFIG: &str = r#"
[issuer]
name = "Mara"
address = ["Gartenweg 3"]
tax_number = "1"
[ledger]
path = "ledger.db"
[clients.ahorn]
name = "Ahorn"
address = ["Marktplatz 1"]
[clients.ahorn.sources]
projects = ["Relaunch", "Shop"]
[[clients.ahorn.contracts]]
from = 2026-01-01
rate = "60.00"
rounding = { step = "15m", MODE }
[[clients.ahorn.contracts.rates]]
project = "Shop"
rate = "80.00"
"#;

/// The last belongs to nobody.
const PROJECTS: [&str; 3] = ["Relaunch", "Shop", "Privat"];
const MONTHS: [&str; 2] = ["2026-10", "2026-11"];
const STEP: i64 = 15 * 60;

/// What somebody does.
#[derive(Clone, Debug)]
enum Step {
    Write {
        entry: usize,
        minutes: i64,
        project: usize,
        month: usize,
        billable: bool,
    },
    Delete(usize),
    Seal(usize),
    /// Accepts everything that has changed.
    Correct,
    /// Cancels a statement, where that is allowed.
    Cancel(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let write = (
        0usize..3,
        0i64..200,
        0usize..3,
        0usize..2,
        prop::bool::weighted(0.8),
    )
        .prop_map(|(entry, minutes, project, month, billable)| Step::Write {
            entry,
            minutes,
            project,
            month,
            billable,
        });
    prop_oneof![
        5 => write,
        2 => (0usize..3).prop_map(Step::Delete),
        3 => (0usize..2).prop_map(Step::Seal),
        4 => Just(Step::Correct),
        2 => (0usize..8).prop_map(Step::Cancel),
    ]
}

/// A ledger, and the one who works with it.
struct Desk {
    _dir: TempDir,
    config: Config,
    store: Store,
    received: u32,
}

impl Desk {
    fn new(mode: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("stundenbuch.toml");
        std::fs::write(&file, CONFIG.replace("MODE", mode)).unwrap();
        let config = Config::load(Some(&file), &BTreeMap::new()).unwrap();
        let store = Store::open(&config.ledger, now()).unwrap();
        Self {
            _dir: dir,
            config,
            store,
            received: 0,
        }
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Write {
                entry,
                minutes,
                project,
                month,
                billable,
            } => {
                let day = ["2026-10-14", "2026-11-10"][*month];
                self.told(
                    *entry,
                    &json!({
                        "type": "time_entry", "description": "Arbeit", "billable": billable,
                        "project": {"name": PROJECTS[*project]},
                        "worked": {"how": "day", "date": day, "seconds": minutes * 60},
                    }),
                );
            }
            Step::Delete(entry) => {
                let key = key(*entry);
                if self.store.revision_of(&key).unwrap().is_some() {
                    let deleted = |writer: &mut crate::store::Writer<'_>| {
                        writer.append_deletion(now(), &key, "gone").map(drop)
                    };
                    self.store.write(deleted).unwrap();
                }
            }
            Step::Seal(month) => drop(self.seal(*month)),
            Step::Correct => drop(self.correct()),
            Step::Cancel(nth) => {
                let Some(row) = self.store.statements().unwrap().into_iter().nth(*nth) else {
                    return;
                };
                match cancel(&mut self.store, &self.config, &row.number, now()) {
                    Ok(made) => assert_eq!(made.cancels.unwrap().number, row.number),
                    Err(CancelError::Already { .. }) => assert!(row.cancelled_by.is_some()),
                    Err(CancelError::Reversal { .. }) => assert!(row.cancels.is_some()),
                    Err(CancelError::Charged { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    fn told(&mut self, entry: usize, record: &serde_json::Value) {
        self.received += 1;
        let record: Record = serde_json::from_value(record.clone()).unwrap();
        let key = key(entry);
        let raw = Raw {
            stream: Stream::Time,
            id: key.id.clone(),
            body: format!("{{\"received\": {}}}", self.received),
            scope: "1".to_owned(),
        };
        self.store
            .write(|writer| writer.append_record(now(), &key, record, &raw).map(drop))
            .unwrap();
    }

    /// Whether there was something to seal.
    fn seal(&mut self, month: usize) -> bool {
        let client = self.config.client("ahorn").unwrap();
        let period = MONTHS[month].parse().unwrap();
        match seal(&mut self.store, &self.config, client, period, now()) {
            Ok(statement) => {
                adds_up(&statement);
                true
            }
            Err(SealError::Nothing { .. }) => false,
            Err(other) => panic!("{other}"),
        }
    }

    /// Whether there was something to correct.
    fn correct(&mut self) -> bool {
        let mut any = false;
        for row in self.store.statements().unwrap() {
            match correct(
                &mut self.store,
                &self.config,
                &row.number,
                &Wanted::default(),
                now(),
            ) {
                Ok(drifts) => any |= !drifts.is_empty(),
                Err(CorrectError::Nothing(_)) => {}
                Err(CorrectError::Cancelled { .. } | CorrectError::Reversal { .. }) => {
                    assert!(!row.holds());
                }
                Err(other) => panic!("{other}"),
            }
        }
        any
    }

    /// Corrects and seals until there is nothing left to do.
    fn settle(&mut self) {
        for round in 0.. {
            assert!(round < 5, "it does not come to an end");
            let corrected = self.correct();
            let sealed = (0..MONTHS.len()).filter(|month| self.seal(*month)).count();
            if !corrected && sealed == 0 {
                return;
            }
        }
    }

    /// The client's work as it is now.
    fn works(&self) -> Vec<Work> {
        let mut works = self.store.works(&WorkQuery::default()).unwrap();
        let mine = Attribution::Client("ahorn".to_owned());
        works.retain(|it| !it.deleted && attribute(&it.entry, &self.config.clients) == mine);
        works
    }

    /// One statement of all the work as it is now.
    fn scratch(&self) -> Option<Statement> {
        let client = self.config.client("ahorn").unwrap();
        let period = "2026-10-01..2026-11-30".parse().unwrap();
        let issuer = &self.config.issuer;
        let works = self.works();
        let drafts = billing::statements(client, period, &works, &[], &|_| None, issuer, &[]);
        assert!(drafts.drafts.len() < 2);
        drafts
            .drafts
            .into_iter()
            .next()
            .map(|draft| draft.statement)
    }

    fn all(&self) -> Vec<Statement> {
        let rows = self.store.statements().unwrap().into_iter();
        rows.map(|row| self.store.statement(&row.number).unwrap().unwrap())
            .collect()
    }

    /// The tracked time of corrections that wait for something to be charged with.
    fn waiting(&self) -> i64 {
        let numbers = self
            .store
            .corrected_statements("ahorn")
            .unwrap()
            .into_iter();
        let carried = numbers.flat_map(|number| {
            let sealed = self.store.statement(&number).unwrap().unwrap();
            let recorded = self.store.corrections_of(&number).unwrap();
            billing::carried(&sealed, &recorded)
        });
        carried.map(|one| one.tracked()).sum()
    }
}

fn key(entry: usize) -> RecordKey {
    RecordKey {
        connection: "toggl".to_owned(),
        stream: Stream::Time,
        id: ExternalId::new(entry.to_string()),
    }
}

fn now() -> DateTime<Utc> {
    "2026-12-01T02:15:00Z".parse().unwrap()
}

/// Every line is hours × rate, and the lines are the total, in integers alone.
fn adds_up(statement: &Statement) {
    let (mut net, mut billed, mut tracked) = (0, 0, 0);
    for line in &statement.lines {
        let mut rate = line.rate.get();
        rate.rescale(2);
        let product = rate.mantissa() * i128::from(line.billed_seconds) * 2;
        let half = if product < 0 { -3600 } else { 3600 };
        assert_eq!(i128::from(line.amount.get()), (product + half) / 7200);
        net += line.amount.get();
        billed += line.billed_seconds;
        tracked += line.tracked_seconds;
    }
    let totals = &statement.totals;
    assert_eq!((totals.net.get(), totals.billed_seconds), (net, billed));
    let rows = statement.entries.iter().map(|row| row.tracked_seconds);
    let owed = statement
        .corrections
        .iter()
        .map(|work| work.tracked_seconds);
    assert_eq!(totals.tracked_seconds, rows.chain(owed).sum::<i64>());
    assert_eq!(
        totals.tracked_seconds,
        tracked + totals.non_billable_seconds
    );
}

/// The sums over statements: net, billed, tracked and not billable.
fn sums<'a>(totals: impl Iterator<Item = &'a Totals>) -> [i64; 4] {
    totals.fold([0; 4], |sums, it| {
        [
            sums[0] + it.net.get(),
            sums[1] + it.billed_seconds,
            sums[2] + it.tracked_seconds,
            sums[3] + it.non_billable_seconds,
        ]
    })
}

/// Lives through the steps, settles, and checks what does not depend on the rounding; returns the
/// sums of all statements, those of one from scratch, and how many lines take part.
fn lived(mode: &str, steps: &[Step]) -> ([i64; 4], [i64; 4], i64) {
    let mut desk = Desk::new(mode);
    for step in steps {
        desk.take(step);
    }
    desk.settle();
    let all = desk.all();
    let numbers: Vec<_> = all.iter().map(|it| it.number.clone().unwrap()).collect();
    let expected: Vec<_> = (1..=all.len())
        .map(|nth| format!("2026-{nth:04}"))
        .collect();
    assert_eq!(numbers, expected, "numbers without a gap");
    let settled: BTreeSet<_> = desk
        .works()
        .iter()
        .map(|it| it.statement.is_some())
        .collect();
    assert!(!settled.contains(&false), "everything is billed");
    assert_eq!(desk.store.verify().unwrap().damage, None);
    let mut sum = sums(all.iter().map(|it| &it.totals));
    let waiting = desk.waiting();
    sum[2] += waiting;
    let scratch = desk.scratch();
    let lines = scratch.iter().map(|it| it.lines.len());
    let standing = all
        .iter()
        .filter(|it| it.cancels.is_none() && it.cancelled_by.is_none());
    let lines = lines.chain(standing.map(|it| {
        let recorded = desk
            .store
            .corrections_of(it.number.as_deref().unwrap())
            .unwrap();
        let corrections = recorded.iter().map(|it| &it.correction);
        billing::corrected(it, corrections).lines.len()
    }));
    let lines = i64::try_from(lines.sum::<usize>()).unwrap();
    (sum, sums(scratch.iter().map(|it| &it.totals)), lines)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A quarter of an hour is a whole number of cents at both rates, so grouping moves none.
    #[test]
    fn rounded_by_entry_all_statements_are_one_from_scratch(
        steps in prop::collection::vec(step(), 1..32),
    ) {
        let (sum, scratch, _) = lived("mode = \"up\", per = \"entry\"", &steps);
        prop_assert_eq!(sum[..3].to_vec(), scratch[..3].to_vec());
    }

    /// Each line that takes part is within half a step of its exact time.
    #[test]
    fn rounded_by_line_all_statements_are_nearly_one_from_scratch(
        steps in prop::collection::vec(step(), 1..32),
    ) {
        let (sum, scratch, lines) = lived("mode = \"nearest\", per = \"line\"", &steps);
        prop_assert_eq!(sum[2], scratch[2], "what was tracked is exact");
        let seconds = (sum[1] - scratch[1]).abs();
        prop_assert!(seconds <= lines * STEP / 2, "{seconds} s with {lines} lines");
        // Half a step at 80.00, and a cent.
        let cents = (sum[0] - scratch[0]).abs();
        prop_assert!(cents <= lines * 1001, "{cents} cents with {lines} lines");
    }
}
