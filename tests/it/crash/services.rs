//! The services that a program under test talks to: their world at two moments, and a clock that
//! runs as the program's does, for another process cannot be given ours.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Datelike as _, NaiveTime, TimeDelta, Utc};
use stundenbuch_connectors::clock::ManualClock;

use crate::fakes::Server;
use crate::fakes::toggl::{Entry, Toggl};
use crate::fakes::trello::Trello;

/// Entries of the first world: eight a day.
const ENTRIES: i64 = 24;
const CARDS: usize = 6;

/// When things happen in the fake worlds: not long ago, by the machine's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    /// The first day of work, at midnight UTC.
    pub(super) begin: DateTime<Utc>,
    /// When the second world comes about.
    pub(super) later: DateTime<Utc>,
}

/// What the services hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum World {
    First,
    /// The same after people have worked, changed and deleted.
    Later,
}

/// Both services; stopped when dropped.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) toggl: Toggl,
    pub(super) trello: Trello,
    pub(super) boards: Server,
    clock: ManualClock,
    running: Option<Running>,
}

impl Calendar {
    pub(super) fn new() -> Self {
        let today = now().date_naive().and_time(NaiveTime::MIN).and_utc();
        Self {
            begin: today - TimeDelta::days(20),
            later: now(),
        }
    }

    /// Puts the second world behind everything that was read so far.
    pub(super) fn move_on(&mut self) {
        self.later = now() + TimeDelta::seconds(3);
    }

    /// A word of a command, or what it stands for: `PERIOD` for the days of the first world,
    /// `LATE` for the day that only the second has, `NUMBER` and `NEXT` for the first
    /// numbers of this year.
    pub(super) fn word(&self, word: &str) -> String {
        let day = |days| (self.begin + TimeDelta::days(days)).date_naive();
        match word {
            "PERIOD" => format!("{}..{}", day(0), day(ENTRIES / 8 - 1)),
            "LATE" => format!("{0}..{0}", day(ENTRIES / 8)),
            "NUMBER" => format!("{}-0001", day(20).year()),
            "NEXT" => format!("{}-0002", day(20).year()),
            word => word.to_owned(),
        }
    }
}

impl Services {
    pub(super) async fn start(calendar: &Calendar, world: World) -> Self {
        let clock = ManualClock::at(calendar.begin + TimeDelta::days(10));
        let toggl = Toggl::start(clock.clone()).await;
        let trello = Trello::new(clock.clone());
        let boards = Server::start(trello.router()).await;
        for board in 0..2 {
            let board = trello.add_board(&format!("Kunde {board}"));
            let list = trello.add_list(&board, "In Arbeit");
            trello.add_list(&board, "Fertig");
            for card in 0..CARDS {
                trello.add_card(&list, &format!("Aufgabe {card}"));
            }
        }
        for number in 0..ENTRIES {
            toggl.add(entry(calendar, number));
        }
        let mut services = Self {
            toggl,
            trello,
            boards,
            clock,
            running: None,
        };
        if world == World::Later {
            services.move_on(calendar);
        }
        services.running = Some(Running::start(&services.clock, now().max(calendar.later)));
        services
    }

    /// Brings the second world about.
    pub(super) fn move_on(&self, calendar: &Calendar) {
        self.clock.set(calendar.later);
        let ids: Vec<i64> = self
            .toggl
            .with(|world| world.entries.keys().copied().collect());
        self.toggl
            .edit(ids[20], |it| it.description = Some("Neu benannt".into()));
        self.toggl.edit(ids[21], |it| {
            it.stop = it.stop.map(|stop| stop + TimeDelta::minutes(5));
        });
        self.toggl.delete(ids[22]);
        for number in ENTRIES..ENTRIES + 4 {
            self.toggl.add(entry(calendar, number));
        }
        let board = &self.trello.boards()[0];
        let (cards, _) = self.trello.ids(board);
        let lists = self.trello.lists(board);
        self.trello.rename(&cards[0], "Andere Aufgabe");
        self.trello.move_to(&cards[1], &lists[1]);
        self.trello.comment(&cards[2], "Bitte bis Freitag");
        self.trello.add_card(&lists[0], "Aufgabe 7");
    }

    /// Requests that were refused for being too many.
    pub(super) fn refused(&self) -> u32 {
        self.toggl.refused() + self.trello.refused()
    }

    /// Requests to Toggl that count against the person.
    pub(super) fn asked(&self) -> i64 {
        self.toggl.with(|world| world.user.used)
    }
}

/// Entry number so-and-so: three quarters of an hour at most, none overlapping, with odd seconds.
fn entry(calendar: &Calendar, number: i64) -> Entry {
    let day = calendar.begin + TimeDelta::days(number / 8) + TimeDelta::hours(7);
    let start = day + TimeDelta::seconds(number % 8 * 3_000 + number % 7);
    let stop = start + TimeDelta::seconds(600 + (number * 37) % 2_100);
    Entry {
        stop: Some(stop),
        description: Some(format!("Aufgabe {}", number % 8)),
        billable: number % 5 != 0,
        ..Entry::of(start, 1)
    }
}

/// A clock that is turned by the machine's, a little faster: two requests that are a second
/// apart where the program stands must not be closer where the service does.
#[derive(Debug)]
struct Running {
    stop: Arc<AtomicBool>,
    hand: Option<JoinHandle<()>>,
}

impl Running {
    #[expect(
        clippy::disallowed_methods,
        reason = "another process has the machine's clock"
    )]
    fn start(clock: &ManualClock, from: DateTime<Utc>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, clock) = (Arc::clone(&stop), clock.clone());
        clock.set(from);
        let begun = Instant::now();
        let hand = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let passed = begun.elapsed();
                clock.set(from + TimeDelta::from_std(passed + passed / 8).unwrap());
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        Self {
            stop,
            hand: Some(hand),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(hand) = self.hand.take() {
            let _ = hand.join();
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process has the machine's clock"
)]
fn now() -> DateTime<Utc> {
    Utc::now()
}
