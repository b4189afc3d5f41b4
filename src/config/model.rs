//! The configuration after it was checked: what the rest of the program sees.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;
use rust_decimal::Decimal;
use stundenbuch_connectors as connectors;

use crate::billing::{Language, Party};
use crate::money::HourlyRate;
use crate::render::Format;

/// A whole configuration.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read first; relative paths are relative to its directory.
    pub file: PathBuf,
    pub issuer: Party,
    /// The ledger's SQLite file.
    pub ledger: PathBuf,
    /// A directory for a second file of the ledger's heads. None: only the one beside it.
    pub anchors: Option<PathBuf>,
    /// Where the nights back the ledger up to. None: nowhere.
    pub backup: Option<Backup>,
    /// The zone of the schedule, and of clients that name none.
    pub time_zone: Tz,
    /// When the nightly run begins, local time.
    pub nightly_at: NaiveTime,
    /// Where the daemon answers `/health` and `/status`; loopback only. None: nowhere.
    pub listen: Option<std::net::SocketAddr>,
    pub connections: Vec<Connection>,
    pub clients: Vec<Client>,
    pub imports: Vec<ImportRule>,
    /// People under several names in several tools.
    pub people: Vec<Person>,
    pub checks: Checks,
    pub statements: Statements,
    /// For how many years, from the end of the year of issue, an erasure leaves statements.
    pub retention_years: u16,
    /// What replaces the built-in layout.
    pub templates: Option<Templates>,
    /// All of it in the form that the ledger records.
    pub parts: Vec<super::Part>,
}

/// The user's own layout of documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Templates {
    /// A directory with a `report.typ`.
    Directory(PathBuf),
    /// What stood in `report.typ` when the ledger recorded it.
    Recorded(String),
}

impl Config {
    /// The client of that key.
    pub fn client(&self, key: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.key == key)
    }

    /// The connection of that name.
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections
            .iter()
            .find(|connection| connection.name == name)
    }
}

/// The backups that nights make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    pub directory: PathBuf,
    /// How many stay; at least 1.
    pub keep: usize,
}

/// One configured account. Secrets are still references: they are looked up when the connection
/// is used, so that a preview needs none.
#[derive(Clone, Debug)]
pub struct Connection {
    pub name: String,
    pub entry: &'static connectors::Entry,
    pub settings: BTreeMap<&'static str, SettingValue>,
}

/// A setting as far as it can be known without opening a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    Plain(PlainValue),
    Secret(connectors::secret::SecretRef),
}

/// A setting that is no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlainValue {
    Text(String),
    Url(String),
    Path(PathBuf),
    Date(NaiveDate),
    Count(u64),
    Flag(bool),
    Texts(Vec<String>),
    /// As the connector reads it.
    Table(serde_json::Map<String, serde_json::Value>),
}

/// One client: how its work is recognised, what was agreed, where its reports go.
#[derive(Clone, Debug)]
pub struct Client {
    /// The table's name in the configuration; stable, part of the ledger's decisions.
    pub key: String,
    pub party: Party,
    pub language: Language,
    pub time_zone: Tz,
    pub reference: Option<String>,
    pub sources: Sources,
    pub contracts: Vec<Contract>,
    pub deliver: Vec<Deliver>,
    pub write_back: Vec<WriteBack>,
}

/// Which work and which tasks are this client's. Names compare without case and outer blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Names of the client in time trackers.
    pub clients: Vec<String>,
    /// Names of projects in time trackers.
    pub projects: Vec<String>,
    /// Names of boards or projects in task tools.
    pub boards: Vec<String>,
    /// `connection:path` of folders on drives.
    pub folders: Vec<Folder>,
}

/// A folder on a drive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    pub connection: String,
    /// Relative to the connection's root; empty for all of it.
    pub path: String,
}

/// What was agreed, from when to when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contract {
    /// Unique within the client.
    pub key: String,
    pub title: String,
    /// Only these projects; empty: all of the client's that no other contract names.
    pub projects: Vec<String>,
    pub from: NaiveDate,
    /// The last day; none: until further notice.
    pub until: Option<NaiveDate>,
    pub model: Model,
    /// ISO 4217.
    pub currency: String,
    /// Per cent; none leaves the tax to the invoicing system.
    pub vat: Option<Decimal>,
    pub rounding: Rounding,
    pub group_by: Grouping,
    /// Entries that the source marks as not billable are still charged.
    pub ignore_billable_flag: bool,
}

/// How time becomes money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    Hourly { rates: Vec<RateRule> },
}

/// A rate and where it holds. The most specific rule wins: person and project, person, project,
/// neither; two equally specific rules on one day are refused when the configuration is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateRule {
    pub rate: HourlyRate,
    pub project: Option<String>,
    /// The key of a person, or a name as the time tracker has it.
    pub person: Option<String>,
    pub from: Option<NaiveDate>,
    /// The last day.
    pub until: Option<NaiveDate>,
    /// `config.toml:41`, for `explain`.
    pub origin: String,
}

/// How tracked time becomes billed time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rounding {
    /// Whole minutes; 0 leaves the seconds as they are.
    pub step_minutes: u32,
    pub mode: RoundingMode,
    pub per: RoundingScope,
}

impl Default for Rounding {
    /// To the nearest minute, once for each line: the least that makes hours × rate = amount
    /// true of what is printed.
    fn default() -> Self {
        Self {
            step_minutes: 1,
            mode: RoundingMode::Nearest,
            per: RoundingScope::Line,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundingMode {
    /// Halves away from zero.
    Nearest,
    /// Every step that was begun.
    Up,
}

/// What is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoundingScope {
    Entry,
    /// The time of one line on one local day.
    Day,
    Line,
}

/// What becomes a line of its own. Different rates are different lines in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouping {
    #[default]
    Project,
    Task,
    Person,
    Day,
    Entry,
}

/// Where a client's documents are put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    pub connection: String,
    /// Relative to the connection's root.
    pub folder: String,
    pub formats: Vec<Format>,
}

/// A board whose cards are told the hours that were billed for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteBack {
    pub connection: String,
    /// One comment for each card and period.
    pub comment: bool,
    /// The custom field that holds the hours of all periods, by its name at the service.
    pub field: Option<String>,
}

/// Files that a folder connection brings and that are imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRule {
    pub connection: String,
    /// A path pattern with `*` and `**`.
    pub pattern: String,
    /// The name of a format or of a mapping; none: from the file itself.
    pub format: Option<String>,
    pub time_zone: Tz,
    pub dates: connectors::import::DateOrder,
}

/// One person under the names that tools have for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    pub key: String,
    /// As it stands on documents.
    pub name: String,
    /// Other names, e-mail addresses and ids, as the tools write them.
    pub known_as: Vec<String>,
}

/// The thresholds of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// An entry longer than this is suspicious, in seconds.
    pub long_entry_seconds: i64,
    /// A timer that runs longer than this was forgotten, in seconds.
    pub long_timer_seconds: i64,
    /// Overlaps shorter than this are not told, in seconds.
    pub overlap_seconds: i64,
}

impl Default for Checks {
    fn default() -> Self {
        Self {
            long_entry_seconds: 10 * 3600,
            long_timer_seconds: 10 * 3600,
            overlap_seconds: 60,
        }
    }
}

/// How statements are numbered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    /// `{YYYY}`, `{MM}` and a run of zeros in braces, `{0000}`, which is the running number.
    pub number_pattern: String,
}
