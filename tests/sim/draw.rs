//! From a seed to a history.

use super::calendar::{day_of, parse_day};
use super::dice::Dice;
use super::plan::{
    CardEdit, Edit, History, Kill, KillAt, Per, Setup, Step, Terms, Tracked, Trouble, Who,
};
use super::world::{NOON, PROJECTS, TEXTS};

const DAY: i64 = 86_400;
/// Entries go back so many days before the first night.
const BACK: i64 = 25;
/// Days near which more happens than elsewhere: both clock changes, ends of a month, of a year,
/// and of a February.
const EDGES: [(i64, i64, i64); 6] = [
    (2026, 3, 29),
    (2026, 10, 25),
    (2026, 12, 31),
    (2026, 6, 30),
    (2027, 2, 28),
    (2028, 2, 29),
];
/// Rates of which some give halves of a cent for whole minutes.
const RATES: [&str; 6] = ["59.00", "49.50", "61.25", "33.33", "80.10", "72.125"];

/// The history that a seed means.
pub(crate) fn history(seed: u64) -> History {
    let mut draw = Draw {
        dice: Dice::new(seed),
        keys: 0,
        base: 0,
        steps: Vec::new(),
        gone: 0,
    };
    let setup = draw.setup();
    draw.base = setup.base;
    for _ in 0..draw.dice.between(10, 26) {
        draw.add(0);
    }
    let nights = draw.dice.between(3, 6);
    for day in 0..nights {
        draw.day(day);
    }
    History {
        seed,
        setup,
        steps: draw.steps,
    }
}

struct Draw {
    dice: Dice,
    keys: u32,
    base: i64,
    steps: Vec<Step>,
    /// Entries that vanished; many at once would be held for a person.
    gone: u32,
}

impl Draw {
    fn setup(&mut self) -> Setup {
        let dice = &mut self.dice;
        let base = if dice.percent(75) {
            let (year, month, day) = dice.pick(&EDGES);
            day_of(year, month, day) - dice.between(-1, 4)
        } else {
            parse_day("2026-02-01") + dice.between(0, 700)
        };
        Setup {
            base,
            cards: dice.below(6) + 3,
            reports: dice.percent(85),
            terms: [terms(dice), terms(dice)],
        }
    }

    /// One day of the world, the night after it, and what is sealed in the morning.
    fn day(&mut self, day: i64) {
        for _ in 0..self.dice.between(1, 6) {
            self.people(day);
        }
        if self.dice.percent(55) {
            for _ in 0..self.dice.between(1, 2) {
                self.trouble();
            }
        }
        let kill = self.dice.percent(35).then(|| self.kill());
        let compare = self.dice.percent(25);
        self.steps.push(Step::Night { day, compare, kill });
        if self.dice.percent(45) {
            let first = self.base - self.dice.between(0, BACK);
            let last = first + self.dice.between(0, 20);
            let client = self.dice.below(2);
            self.steps.push(Step::Seal {
                client,
                first,
                last,
            });
            if self.dice.percent(10) {
                self.steps.push(Step::Occupy);
            }
        }
    }

    fn people(&mut self, day: i64) {
        let key = self.key();
        match self.dice.below(100) {
            0..22 => self.add(day),
            22..27 => {
                self.keys += 1;
                let entry = self.tracked(day);
                let key = self.keys;
                self.steps.push(Step::Run { key, entry });
            }
            27..35 => {
                let seconds = self.seconds();
                // Of most keys no timer runs; the newest are the likeliest.
                let key = self.keys - self.dice.below(4).min(self.keys);
                self.steps.push(Step::Stop { key, seconds });
            }
            35..60 => {
                let edit = self.edit();
                self.steps.push(Step::Edit { key, edit });
            }
            60..68 => self.steps.push(Step::Delete { key }),
            68..71 if self.gone < 3 => {
                self.gone += 1;
                self.steps.push(Step::Vanish { key });
            }
            71..74 => {
                let nth = self.dice.below(50);
                self.steps.push(Step::Scribble { nth });
            }
            _ => {
                let nth = self.dice.below(50);
                let edit = self.card_edit();
                self.steps.push(Step::Card { nth, edit });
            }
        }
    }

    fn trouble(&mut self) {
        let step = match self.dice.below(100) {
            0..58 => self.failure(),
            58..66 => Step::Throttle {
                reports: self.dice.percent(30),
            },
            66..72 => Step::Hide { key: self.key() },
            72..82 => Step::Jump {
                seconds: self.dice.pick(&[-1, 1])
                    * self.dice.pick(&[3600, DAY, 3 * DAY, 40 * DAY, 400 * DAY]),
            },
            82..84 => Step::Busy,
            84..88 => Step::DriveAway,
            88..92 => Step::DriveBlocked,
            _ => Step::DriveBack,
        };
        self.steps.push(step);
    }

    fn failure(&mut self) -> Step {
        let dice = &mut self.dice;
        let who = dice.pick(&[Who::Toggl, Who::Trello]);
        let trouble = match dice.below(12) {
            0 | 1 => Trouble::Status(dice.pick(&[500, 502, 503, 504, 429])),
            2..5 => Trouble::Later(dice.pick(&[429, 503]), dice.pick(&[20, 90, 600, 7200])),
            5 => Trouble::Status(dice.pick(&[401, 403, 400])),
            6 => Trouble::Cut(dice.pick(&[0, 1, 200, 1500])),
            7 => Trouble::Empty,
            8 => Trouble::Html,
            9 => Trouble::Garbage,
            10 => Trouble::Reset,
            _ => Trouble::Lost,
        };
        let path = match who {
            Who::Toggl => dice.pick(&["/", "/", "/reports", "time_entries"]),
            Who::Trello => dice.pick(&["/", "/", "/boards/"]),
        };
        Step::Fail {
            who,
            trouble,
            path,
            skip: dice.below(5),
            times: dice.pick(&[1, 2, 3, 5, u32::MAX]),
        }
    }

    fn kill(&mut self) -> Kill {
        let dice = &mut self.dice;
        let at = match dice.below(4) {
            0 => KillAt::Request(Who::Toggl, dice.below(6)),
            1 => KillAt::Request(Who::Trello, dice.below(5)),
            2 => KillAt::Document(1 + dice.below(3) as usize),
            _ => KillAt::Wake(dice.below(24)),
        };
        Kill {
            at,
            again: dice.percent(60),
        }
    }

    fn add(&mut self, until: i64) {
        self.keys += 1;
        let entry = self.tracked(until);
        self.steps.push(Step::Add {
            key: self.keys,
            entry: entry.clone(),
        });
        // Two that are equal in everything are still two.
        if self.dice.percent(3) {
            self.keys += 1;
            let key = self.keys;
            self.steps.push(Step::Add { key, entry });
        }
    }

    /// Work that began before noon of the day before the night of that number.
    fn tracked(&mut self, until: i64) -> Tracked {
        let dice = &mut self.dice;
        let newest = (self.base + until - 1) * DAY + NOON;
        let start = match dice.below(10) {
            // Around midnight in Berlin, which is 22:00 or 23:00 UTC.
            0..3 => (self.base - dice.between(2, BACK)) * DAY + 21 * 3600 + dice.between(0, 10_800),
            // Around the hours at which clocks change.
            3 => (self.base - dice.between(0, 6) - 1) * DAY + dice.between(0, 3 * 3600),
            4 | 5 => newest - dice.between(600, 2 * DAY),
            _ => newest - dice.between(600, BACK * DAY),
        };
        Tracked {
            start: start.min(newest),
            seconds: self.seconds(),
            project: self.project(),
            text: self.text(),
            billable: self.dice.percent(85),
            tagged: self.dice.percent(25),
        }
    }

    fn edit(&mut self) -> Edit {
        let dice = &mut self.dice;
        match dice.below(10) {
            0..4 => Edit::Longer(dice.between(-3000, 3000)),
            4 => Edit::Later(-dice.between(1, DAY)),
            5 => Edit::Text(self.text()),
            6 | 7 => Edit::Project(self.project()),
            8 => Edit::Billable(dice.percent(50)),
            _ => Edit::Tagged(dice.percent(50)),
        }
    }

    fn card_edit(&mut self) -> CardEdit {
        match self.dice.below(10) {
            0 | 1 => CardEdit::Add(self.text()),
            2 | 3 => CardEdit::Rename(self.text()),
            4 => CardEdit::Archive,
            5 => CardEdit::Complete,
            6 => CardEdit::Move,
            7 => CardEdit::MoveBoard,
            8 => CardEdit::Comment,
            _ => CardEdit::Delete,
        }
    }

    fn key(&mut self) -> u32 {
        self.dice.below(self.keys.max(1)) + 1
    }

    fn seconds(&mut self) -> i64 {
        let dice = &mut self.dice;
        match dice.below(20) {
            0 => 0,
            1..7 => dice.between(1, 120) * 60,
            7..10 => dice.between(0, 24) * 450,
            _ => dice.between(1, 9000),
        }
    }

    fn project(&mut self) -> Option<u32> {
        let projects = u32::try_from(PROJECTS.len()).expect("few projects");
        (!self.dice.percent(5)).then(|| self.dice.below(projects))
    }

    fn text(&mut self) -> u32 {
        self.dice
            .below(u32::try_from(TEXTS.len()).expect("few texts"))
    }
}

fn terms(dice: &mut Dice) -> Terms {
    Terms {
        rate: dice.pick(&RATES),
        vat: dice.pick(&[Some(19), Some(7), None]),
        step: dice.pick(&[0, 1, 1, 1, 5, 6, 15]),
        up: dice.percent(35),
        per: dice.pick(&[Per::Entry, Per::Day, Per::Line, Per::Line]),
        group: dice.pick(&["task", "project", "day", "entry", "person"]),
    }
}
