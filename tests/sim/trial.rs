//! One trial: a history is lived through, and every promise is held against what came of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use stundenbuch::finding::Kind;
use stundenbuch::run::report::Report;
use stundenbuch::statements::{self, SealError};
use stundenbuch::time::Period;
use tokio::runtime::Handle;

use super::calendar::day_text;
use super::checker::bills::{self, Asked};
use super::checker::chain::{self, Kept};
use super::checker::holds::{self, Vanished};
use super::checker::outside::{self, Rest};
use super::checker::{Checked, Violation, drift, hold, told};
use super::ledger::{Ledger, Sealed};
use super::plan::{History, Kill, KillAt, Step, Terms, Who};
use super::process::{Doom, Ended, Program, files, hold_for_a_moment};
use super::setup::{self, CLIENTS};
use super::tally::Tally;
use super::truth::Truth;
use super::world::World;
use stundenbuch_connectors::clock::Clock as _;

/// How the clients of the configuration are called at the source.
const NAMES: [&str; 2] = ["Bäckerei Ahorn", "Café Birke"];
/// The nights after the last one of a history: two quiet ones, then, where something vanished,
/// two on which the weekly comparison is due.
const AFTERWARDS: [i64; 4] = [1, 2, 10, 18];

/// Lives a history through; where anything goes wrong in it, also without the trouble, to compare
/// what remains.
pub(crate) fn trial(history: &History, fakes: &Handle, tally: &mut Tally) -> Checked {
    tally.one("histories");
    let state = Trial::new(history, fakes, tally).live()?;
    if history.has_trouble() {
        let calm = history.without_trouble();
        let mut uncounted = Tally::default();
        let expected = Trial::new(&calm, fakes, &mut uncounted).live()?;
        state.same_as(&expected)?;
    }
    Ok(())
}

struct Trial<'a> {
    history: &'a History,
    world: World,
    program: Program,
    tally: &'a mut Tally,
    kept: Kept,
    /// Places in the logs of requests at which the program may have forgotten what it was told.
    forgotten: BTreeMap<&'static str, Vec<usize>>,
    /// What the next night has to bear.
    tonight: Tonight,
    throttles: usize,
    kills: usize,
    last_night: i64,
    nights_after: usize,
}

#[derive(Debug, Default)]
struct Tonight {
    jump: i64,
    busy: bool,
    throttle: Vec<bool>,
}

impl<'a> Trial<'a> {
    fn new(history: &'a History, fakes: &Handle, tally: &'a mut Tally) -> Self {
        let world = World::new(history, fakes);
        let (config, environment) = setup::configure(&history.setup, &world);
        let clock = world.clock.clone();
        Self {
            history,
            world,
            program: Program {
                config,
                environment,
                clock,
            },
            tally,
            kept: Kept::default(),
            forgotten: BTreeMap::new(),
            tonight: Tonight::default(),
            throttles: 0,
            kills: 0,
            last_night: -1,
            nights_after: 0,
        }
    }

    fn live(mut self) -> Result<State, Violation> {
        let steps = self.history.steps.iter();
        let days: Vec<Option<i64>> = steps
            .map(|step| match step {
                Step::Night { day, .. } => Some(*day),
                _ => None,
            })
            .collect();
        for (at, step) in self.history.steps.iter().enumerate() {
            let next = days[at..].iter().flatten().next();
            let before = at.checked_sub(1).and_then(|before| days[before]);
            if at == 0 || before.is_some() {
                self.world
                    .begin_day(next.copied().unwrap_or(self.last_night + 1));
            }
            self.step(step)?;
        }
        self.afterwards()?;
        self.count();
        Ok(State::of(&self.ledger()))
    }

    fn step(&mut self, step: &Step) -> Checked {
        match step {
            Step::Night { day, compare, kill } => self.night(*day, *compare, kill.as_ref()),
            Step::Seal {
                client,
                first,
                last,
            } => self.seal(*client as usize, *first, *last),
            Step::Occupy => {
                self.occupy();
                Ok(())
            }
            Step::Hide { key } => {
                self.hide(*key);
                Ok(())
            }
            Step::Jump { seconds } => {
                self.tonight.jump = *seconds;
                Ok(())
            }
            Step::Busy => {
                self.tonight.busy = true;
                Ok(())
            }
            Step::Throttle { reports } => {
                self.tonight.throttle.push(*reports);
                Ok(())
            }
            step => {
                self.world.apply(step);
                Ok(())
            }
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::read(&self.program.config.ledger)
    }

    fn night(&mut self, day: i64, compare: bool, kill: Option<&Kill>) -> Checked {
        self.last_night = day;
        let tonight = std::mem::take(&mut self.tonight);
        let jump = TimeDelta::seconds(tonight.jump);
        let exact = tonight.jump == 0;
        self.world.clock.set(self.world.night(day) + jump);
        self.world.toggl.with(|world| world.clock_ahead = jump);
        if tonight.jump != 0 {
            self.tally.one("trouble: clock off for a night");
            self.forget();
        }
        for reports in tonight.throttle {
            self.throttles += 1;
            self.tally.one("trouble: quota used up by others");
            self.world.throttle(reports);
        }
        let busy = tonight
            .busy
            .then(|| hold_for_a_moment(&self.program.config.ledger));
        let doom = kill.map_or_else(Doom::default, |kill| self.doom(&kill.at));
        self.tally.one("nights");
        let mut ended = self.program.night(compare, &doom);
        if let Some(holder) = busy.flatten() {
            self.tally.one("trouble: ledger held by another program");
            holder.join().expect("the other program ends");
        }
        if matches!(ended, Ended::Killed) {
            self.tally.one("kills");
            self.forget();
            self.kills += 1;
            self.look(&Ended::Killed, exact)?;
            if kill.is_some_and(|kill| kill.again) {
                self.tally.one("restarts within a minute");
                self.world
                    .clock
                    .set(self.world.night(day) + jump + TimeDelta::minutes(1));
                ended = self.program.night(compare, &Doom::default());
            }
        }
        self.world.heal();
        if tonight.jump != 0 {
            self.forget();
        }
        self.look(&ended, exact)
    }

    fn doom(&self, at: &KillAt) -> Doom {
        match at {
            KillAt::Wake(wakes) => Doom {
                wakes: Some(*wakes),
                ..Doom::default()
            },
            KillAt::Request(who, nth) => Doom {
                alarm: Some(self.world.server(*who).alarm(*nth)),
                ..Doom::default()
            },
            KillAt::Document(more) => {
                let folder = self.world.drive().join(setup::FOLDER);
                let there = files(&folder);
                Doom {
                    files: Some((folder, there + more)),
                    ..Doom::default()
                }
            }
        }
    }

    fn forget(&mut self) {
        for (name, who) in [("toggl", Who::Toggl), ("trello", Who::Trello)] {
            let asked = Truth::requests(&self.world, who);
            self.forgotten.entry(name).or_default().push(asked);
        }
    }

    /// Holds what must be so at any moment, and what must be so after a night that ended well.
    fn look(&mut self, ended: &Ended, exact: bool) -> Checked {
        if let Ended::Broken(error) = ended {
            return hold("P11", false, || {
                format!("the ledger stopped the night: {error}")
            });
        }
        let (ledger, truth) = (self.ledger(), Truth::of(&self.world));
        self.always(&ledger, &truth)?;
        let Ended::Whole(report) = ended else {
            return Ok(());
        };
        told::loud(&ledger, report)?;
        self.tally
            .many("deliveries", report.deliveries.delivered.len());
        let vanished = if self.nights_after == AFTERWARDS.len() {
            Vanished::Missed
        } else {
            Vanished::NotYetMissed
        };
        if exact && read_whole(report, "trello") {
            holds::cards(&ledger, &truth)?;
        }
        if exact && read_whole(report, "toggl") {
            holds::entries(&ledger, &truth, vanished)?;
        }
        if read_whole(report, "toggl") {
            self.drift(&ledger)?;
        }
        Ok(())
    }

    fn always(&mut self, ledger: &Ledger, truth: &Truth) -> Checked {
        chain::whole(ledger)?;
        self.kept.still(ledger)?;
        holds::nothing_invented(ledger, truth)?;
        bills::once(ledger)?;
        outside::documents_say_what_was_sealed(ledger)?;
        outside::documents(ledger, &self.world, Rest::UnderWay)
    }

    fn drift(&self, ledger: &Ledger) -> Checked {
        let terms = |sealed: &Sealed| {
            let key = drift::client_key(sealed);
            let nth = usize::from(key != CLIENTS[0]);
            (self.terms(nth).clone(), NAMES[nth])
        };
        drift::is_told(ledger, &terms)
    }

    fn terms(&self, client: usize) -> &Terms {
        &self.history.setup.terms[client]
    }

    fn seal(&mut self, client: usize, first: i64, last: i64) -> Checked {
        let morning = self.world.night(self.last_night) + TimeDelta::hours(5);
        self.world.clock.set(morning);
        let period: Period = format!("{}..{}", day_text(first), day_text(last))
            .parse()
            .unwrap();
        let sealed = self.program.with_store(|store, config| {
            let client = config.client(CLIENTS[client]).unwrap();
            statements::seal(store, config, client, period, morning)
        });
        let ledger = self.ledger();
        let asked = Asked {
            first,
            last,
            client: NAMES[client],
        };
        match sealed {
            Err(SealError::Nothing { .. }) => {
                let open = bills::open_work(&ledger, asked, &ledger.sealed);
                return hold("P2", open.is_empty(), || {
                    format!("nothing was sealed, and there is open work: {open:?}")
                });
            }
            Err(error) => return hold("P2", false, || format!("sealing failed: {error}")),
            Ok(_) => {}
        }
        self.tally.one("statements sealed");
        let (newest, before) = ledger.sealed.split_last().expect("one was sealed");
        bills::lists(newest, &bills::open_work(&ledger, asked, before))?;
        bills::adds_up(newest, self.terms(client))?;
        let truth = Truth::of(&self.world);
        self.always(&ledger, &truth)
    }

    /// A report shows too little. What was never read could not be missed by anybody.
    fn hide(&mut self, key: u32) {
        let Some(id) = self.world.there(key) else {
            return;
        };
        let ledger = self.program.config.ledger.exists().then(|| self.ledger());
        if ledger.is_some_and(|ledger| ledger.entries().contains_key(&id.to_string())) {
            self.world.toggl.with(|world| world.lag.insert(id, None));
            self.tally.one("trouble: an entry missing in reports");
        }
    }

    /// A person's own file lies where the next document would go.
    fn occupy(&mut self) {
        if !self.program.config.ledger.exists() {
            return;
        }
        let ledger = self.ledger();
        let next = ledger
            .parcels
            .iter()
            .find(|parcel| parcel.state == "queued");
        if let Some(parcel) = next {
            let path = self.world.drive().join(&parcel.path);
            if !path.exists() {
                self.world.put(path, b"Meine eigene Tabelle".to_vec());
                self.tally.one("files of a person in the way");
            }
        }
    }

    /// Everything works again. After two nights all is as if it always had, and after the
    /// comparisons that are due by then, what vanished without a word is missed as well.
    fn afterwards(&mut self) -> Checked {
        let last = self.last_night;
        self.world.begin_day(last + 1);
        self.world.apply(&Step::DriveBack);
        self.tonight = Tonight::default();
        self.world.heal();
        self.program.with_store(|store, _| {
            let now = self.program.clock.now();
            let failed = |it: &stundenbuch::store::Parcel| {
                it.state == stundenbuch::store::ParcelState::Failed
            };
            if store.parcels_open().unwrap().iter().any(failed) {
                // What a person does who mended the drive.
                store
                    .write(|writer| writer.retry_failed_parcels(now))
                    .unwrap();
            }
        });
        let vanished = |step: &Step| matches!(step, Step::Vanish { .. });
        let nights = if self.history.steps.iter().any(vanished) {
            4
        } else {
            2
        };
        for (nth, after) in (1..=nights).zip(AFTERWARDS) {
            self.nights_after = nth;
            self.world.begin_day(last + after);
            self.night(last + after, false, None)?;
            if nth >= 2 {
                self.at_rest()?;
            }
        }
        self.at_the_end()
    }

    /// Two nights after the last trouble.
    fn at_rest(&self) -> Checked {
        let ledger = self.ledger();
        let failed: Vec<_> = ledger.told(&["source-failed", "delivery-failed"]).collect();
        hold("P9", failed.is_empty(), || {
            format!("something still fails: {failed:?}")
        })?;
        outside::documents(&ledger, &self.world, Rest::AtRest)
    }

    fn at_the_end(&mut self) -> Checked {
        // A refusal that did not arrive, or was forgotten by a kill, is asked for again.
        let spoiled = outside::spoiled(&self.world, Who::Toggl);
        let allowed = match self.throttles {
            0 => 0,
            throttles => throttles + self.kills + spoiled,
        };
        let refused = usize::try_from(self.world.refused()).expect("few refusals");
        hold("P10", refused <= allowed, || {
            format!("{refused} requests were refused, and {allowed} could be")
        })?;
        for (name, who) in [("toggl", Who::Toggl), ("trello", Who::Trello)] {
            let forgotten = self.forgotten.get(name).cloned().unwrap_or_default();
            outside::patient(&self.world, who, &forgotten)?;
        }
        outside::discreet(&self.world)?;
        let damage = self
            .program
            .with_store(|store, _| store.verify().unwrap().damage);
        hold("P8", damage.is_none(), || {
            format!("the program's own check says {damage:?}")
        })
    }

    fn count(&mut self) {
        for who in [Who::Toggl, Who::Trello] {
            let requests = self.world.server(who).requests();
            self.tally.many("requests", requests.len());
            for fault in requests.iter().filter_map(|request| request.fault.as_ref()) {
                self.tally.one(format!("faults met: {}", name(fault)));
            }
        }
        let ledger = self.ledger();
        self.tally.many("rows of ledgers", ledger.rows.len());
        let entries = ledger
            .current
            .keys()
            .filter(|key| key.starts_with("toggl/time/"));
        self.tally.many("time entries", entries.count());
        let kinds = [
            Kind::BilledEntryChanged.name(),
            Kind::BilledEntryDeleted.name(),
        ];
        let kinds = [kinds[0].as_str(), kinds[1].as_str()];
        self.tally
            .many("changes told after billing", ledger.told(&kinds).count());
    }
}

/// Whether a night says that it has read a source to its end, and nothing else about it.
fn read_whole(report: &Report, source: &str) -> bool {
    let found = report.sources.iter().find(|it| it.connection == source);
    found.is_some_and(|it| it.failure.is_none() && it.notices.is_empty() && it.held == 0)
}

fn name(fault: &crate::fakes::FaultKind) -> String {
    let text = format!("{fault:?}");
    let word = text.split([' ', '{']).next().unwrap_or_default();
    match fault {
        crate::fakes::FaultKind::Status { code, headers, .. } => {
            let after = if headers.is_empty() {
                ""
            } else {
                " with Retry-After"
            };
            format!("status {code}{after}")
        }
        _ => word.to_owned(),
    }
}

/// What remains of a history: what is there, and what is told about it.
#[derive(Debug, PartialEq, Eq)]
struct State {
    records: BTreeMap<String, String>,
    findings: BTreeSet<(String, BTreeSet<String>)>,
}

impl State {
    fn of(ledger: &Ledger) -> Self {
        let is_there = |key: &str| ledger.current.get(key).is_some_and(|it| !it.deleted);
        // A timer that ran before the first pull may be read when it stops.
        let runs = |key: &str| {
            let current = ledger.current.get(key);
            current.is_some_and(|it| it.record["worked"]["how"] == "running")
        };
        let there = ledger.current.iter().filter(|(key, current)| {
            let task = current.record["task"].as_str();
            // What was done to a card that is gone was seen, or was not, before it went.
            let of_one_gone = key.contains("/activity/")
                && task.is_some_and(|task| !is_there(&format!("trello/tasks/{task}")));
            is_there(key) && !of_one_gone && !runs(key) && !key.starts_with("drive/")
        });
        let records = there.map(|(key, current)| {
            let content = format!("{} {}", current.scope, current.record);
            (key.clone(), content)
        });
        // Works have other numbers in another ledger; their records have the same names.
        let name = |subject: &str| {
            let work = ledger.work(subject);
            work.map_or_else(|| subject.to_owned(), |(key, _)| key.to_owned())
        };
        // What was sealed depends on what had been read by then, and the drive on what was sealed;
        // when a card was archived is known only from when that was seen, by our clock; and which
        // task an entry is about may depend on the titles that were there when it was read.
        let apart = [
            "billed-",
            "late-",
            "delivered-",
            "source-",
            "import-",
            "time-on-archived-",
            "ambiguous-task",
            "entry-without-task",
        ];
        let open = ledger.findings.iter();
        let open = open.filter(|it| !apart.iter().any(|kind| it.kind.starts_with(kind)));
        let findings = open.map(|it| {
            let subjects = [Some(it.subject.as_str()), it.other.as_deref()];
            let subjects: BTreeSet<String> = subjects.into_iter().flatten().map(name).collect();
            (it.kind.clone(), subjects)
        });
        let findings = findings.filter(|(_, subjects)| !subjects.iter().any(|key| runs(key)));
        Self {
            records: records.collect(),
            findings: findings.collect(),
        }
    }

    /// P9: fails with what differs, and not with everything.
    fn same_as(&self, calm: &Self) -> Checked {
        for key in self.records.keys().chain(calm.records.keys()) {
            let (found, wanted) = (self.records.get(key), calm.records.get(key));
            hold("P9", found == wanted, || {
                format!("{key} is {found:?}, and without trouble {wanted:?}")
            })?;
        }
        let differ: Vec<_> = self.findings.symmetric_difference(&calm.findings).collect();
        hold("P9", differ.is_empty(), || {
            format!("findings that only one of both runs has: {differ:?}")
        })
    }
}
