//! A history: everything that happens to a world and to the program in it, as data. So it can be
//! printed, run again, and made smaller.

/// What one seed gives.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) seed: u64,
    pub(crate) setup: Setup,
    pub(crate) steps: Vec<Step>,
}

/// What is so from the beginning.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The day of night number 0, in days since 1970-01-01.
    pub(crate) base: i64,
    /// Cards on each of the two boards.
    pub(crate) cards: u32,
    /// Whether the workspace's plan gives reports.
    pub(crate) reports: bool,
    /// What was agreed with each of the two clients.
    pub(crate) terms: [Terms; 2],
}

/// What was agreed with a client.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    /// For an hour, as it is written in the configuration.
    pub(crate) rate: &'static str,
    pub(crate) vat: Option<u32>,
    /// Time is rounded to so many minutes; 0 for not at all.
    pub(crate) step: i64,
    pub(crate) up: bool,
    pub(crate) per: Per,
    pub(crate) group: &'static str,
}

/// What is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Per {
    Entry,
    Day,
    Line,
}

/// One thing that happens. Entries are named by a number of the history's own, so that a history
/// without some of its steps still means the rest; a step about what is not there does nothing.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody tracks time.
    Add {
        key: u32,
        entry: Tracked,
    },
    /// Somebody starts a timer.
    Run {
        key: u32,
        entry: Tracked,
    },
    /// Somebody stops it, so many seconds after its start.
    Stop {
        key: u32,
        seconds: i64,
    },
    Edit {
        key: u32,
        edit: Edit,
    },
    Delete {
        key: u32,
    },
    /// An entry goes without a word: no feed tells of it.
    Vanish {
        key: u32,
    },
    /// Reports do not show an entry that was read before until the next night is over.
    Hide {
        key: u32,
    },
    Card {
        nth: u32,
        edit: CardEdit,
    },
    /// A service fails, until the next night is over.
    Fail {
        who: Who,
        trouble: Trouble,
        path: &'static str,
        skip: u32,
        times: u32,
    },
    /// Others have used up the account's quota when the night begins.
    Throttle {
        reports: bool,
    },
    /// The machine's clock is off by so many seconds for the next night.
    Jump {
        seconds: i64,
    },
    /// Another program holds the ledger's file for a moment while the night begins.
    Busy,
    /// Something is wrong with the drive until [`Step::DriveBack`].
    DriveAway,
    /// A file has the name of the folder for documents.
    DriveBlocked,
    DriveBack,
    /// A person writes into a document that was delivered.
    Scribble {
        nth: u32,
    },
    /// A person puts a file of their own where the next document would go.
    Occupy,
    Seal {
        client: u32,
        first: i64,
        last: i64,
    },
    Night {
        day: i64,
        compare: bool,
        kill: Option<Kill>,
    },
}

/// A piece of tracked time.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    /// Unix seconds.
    pub(crate) start: i64,
    pub(crate) seconds: i64,
    /// One of the world's projects, or none.
    pub(crate) project: Option<u32>,
    pub(crate) text: u32,
    pub(crate) billable: bool,
    pub(crate) tagged: bool,
}

/// A change of an entry.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    /// It becomes so many seconds longer, but never shorter than nothing.
    Longer(i64),
    /// It moves in time.
    Later(i64),
    Text(u32),
    Project(Option<u32>),
    Billable(bool),
    Tagged(bool),
}

/// A change of a card.
#[derive(Clone, Debug)]
pub(crate) enum CardEdit {
    Add(u32),
    Rename(u32),
    Archive,
    Complete,
    Move,
    MoveBoard,
    Comment,
    Delete,
}

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Toggl,
    Trello,
}

/// How a service fails.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    Status(u16),
    /// With a `Retry-After` of so many seconds.
    Later(u16, i64),
    Cut(usize),
    Empty,
    Html,
    Garbage,
    Reset,
    Lost,
}

/// How a night ends before its end.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub(crate) at: KillAt,
    /// The machine starts it again a minute later, and not only the next night.
    pub(crate) again: bool,
}

/// The moment of a kill.
#[derive(Clone, Debug)]
pub(crate) enum KillAt {
    /// When the program has been woken so often.
    Wake(u32),
    /// When a service gets the night's request of this number, from 0.
    Request(Who, u32),
    /// When so many more documents lie on the drive than when the night began, and before the
    /// ledger knows of the last of them.
    Document(usize),
}

impl Step {
    /// Whether it is trouble for the program, and nothing that people did. What people did is
    /// the truth; a run without the trouble must come to the same.
    pub(crate) fn is_trouble(&self) -> bool {
        matches!(
            self,
            Self::Hide { .. }
                | Self::Fail { .. }
                | Self::Throttle { .. }
                | Self::Jump { .. }
                | Self::Busy
                | Self::DriveAway
                | Self::DriveBlocked
                | Self::DriveBack
        )
    }
}

impl History {
    /// The same without any trouble.
    pub(crate) fn without_trouble(&self) -> Self {
        let steps = self.steps.iter().filter(|step| !step.is_trouble());
        let calm = steps.map(|step| match step {
            Step::Night { day, compare, .. } => Step::Night {
                day: *day,
                compare: *compare,
                kill: None,
            },
            other => other.clone(),
        });
        Self {
            steps: calm.collect(),
            ..self.clone()
        }
    }

    /// Whether anything goes wrong in it.
    pub(crate) fn has_trouble(&self) -> bool {
        let killed = |step: &Step| matches!(step, Step::Night { kill: Some(_), .. });
        self.steps
            .iter()
            .any(|step| step.is_trouble() || killed(step))
    }
}
