//! The arguments, with the words of `--help`.

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};

use crate::time::{Moment, Period};
use crate::work::WorkId;

/// Hours and tasks from other people's tools: reconciled, explained, ready to invoice.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Args {
    /// The configuration; else ./stundenbuch.toml, then /etc/stundenbuch/stundenbuch.toml
    #[arg(long, short, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,

    /// Print data as JSON
    #[arg(long, global = true)]
    pub(super) json: bool,

    /// Tell more on stderr; twice for everything
    #[arg(long, short, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    #[command(subcommand)]
    pub(super) command: Command,
}

/// For reports: the state to speak of.
#[derive(Clone, Copy, Debug, Default, Arguments)]
pub(super) struct AsOf {
    /// What was known then: a day (its end) or an instant (2026-11-03T03:20:00+01:00)
    #[arg(long, value_name = "TIME")]
    pub(super) as_of: Option<Moment>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a lifelike month of a freelancer here and run the night on it; no account needed
    Demo(Demo),
    /// Write a configuration to begin with
    Init(Init),
    /// Check the configuration and every connection's login
    Check(Check),
    /// Log in to a connection's service, and store what it gives
    Auth(Auth),
    /// Pull from the connections
    Pull(Pull),
    /// Import exported files; nothing is taken twice
    Import(Import),
    /// Look again for what does not add up
    Reconcile,
    /// List what does not add up
    Findings(Findings),
    /// List work without a certain task, or teach which task a text means
    Match(Match),
    /// Preview, seal, correct, cancel and show statements
    Statement(Statement),
    /// Trace a statement's line, a work or a record to what was received, and back
    Explain(Explain),
    /// Deliver what waits in the outbox
    Deliver(Deliver),
    /// One whole pass: pull, import, reconcile, deliver
    Nightly(Nightly),
    /// The daemon: a pass every night until it is stopped
    Run,
    /// Print the ledger, a JSON line a row, or write tables for an auditor
    Export(Export),
    /// Write the procedure description (Verfahrensdokumentation) of what is configured
    Procedure(Procedure),
    /// Verify the ledger, back it up, restore it, rebuild what it says, show its head
    Ledger(Ledger),
    /// How the program stands
    Status,
    /// What each connector reads, writes, needs and costs
    Connectors {
        #[command(subcommand)]
        command: Option<Connectors>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Connectors {
    /// All of them
    List,
    /// One of them, with its settings
    Show {
        /// Its name, as in `connector = "…"`
        name: String,
    },
}

#[derive(Debug, Arguments)]
pub(super) struct Demo {
    /// Where to make it
    #[arg(long, default_value = "stundenbuch-demo", value_name = "DIR")]
    pub(super) dir: PathBuf,
}

#[derive(Debug, Arguments)]
pub(super) struct Init {
    /// The file to write
    #[arg(default_value = "stundenbuch.toml")]
    pub(super) file: PathBuf,
}

#[derive(Debug, Arguments)]
pub(super) struct Check {
    /// Only these connections
    pub(super) connections: Vec<String>,
    /// The configuration alone, without asking the services
    #[arg(long)]
    pub(super) offline: bool,
}

#[derive(Debug, Arguments)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Auth {
    /// The connection, by its name in the configuration
    pub(super) connection: String,
    /// By a code that is typed in on any other device, where the service has that
    #[arg(long)]
    pub(super) device: bool,
    /// With a browser on another machine: the code, or the address at which it ends, is pasted
    #[arg(long, visible_alias = "no-browser", conflicts_with = "device")]
    pub(super) paste: bool,
    /// Forget what is stored for this connection
    #[arg(long, conflicts_with_all = ["device", "paste"])]
    pub(super) remove: bool,
    /// Say what would be asked and stored, and do neither
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Pull {
    /// Only these connections
    pub(super) connections: Vec<String>,
    /// Compare the last weeks with the source, not only what it reports as changed
    #[arg(long)]
    pub(super) compare: bool,
    /// Take the deletions that were held for being too many at once
    #[arg(long)]
    pub(super) accept_deletions: bool,
    /// Do it on a copy of the ledger, and say what would have happened
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Nightly {
    /// Do it on a copy of the ledger, deliver nothing, and say what would have happened
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Import {
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// A format (see docs/imports.md) or a mapping file; else found out from the file
    #[arg(long)]
    pub(super) format: Option<String>,
    /// The zone of the times in the file; else that of the configuration
    #[arg(long, value_name = "ZONE")]
    pub(super) time_zone: Option<chrono_tz::Tz>,
    /// How to read 03/04/2026
    #[arg(long, value_enum, default_value_t = Dates::Detect)]
    pub(super) dates: Dates,
    /// Say what would be taken, and take nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Dates {
    Detect,
    DayFirst,
    MonthFirst,
}

#[derive(Debug, Arguments)]
pub(super) struct Findings {
    /// Only of this client
    #[arg(long)]
    pub(super) client: Option<String>,
    /// Closed ones too
    #[arg(long)]
    pub(super) all: bool,
    #[command(flatten)]
    pub(super) as_of: AsOf,
}

#[derive(Debug, Arguments)]
pub(super) struct Match {
    /// A work, as findings name it: w1042; without it, work that waits for a task is listed
    pub(super) work: Option<String>,
    /// The task that this work belongs to, and from now on all work of the client with the same
    /// text: its title, its short id, its address or its record key
    pub(super) task: Option<String>,
    /// Forget what was taught for the text of this work
    #[arg(long, requires = "work", conflicts_with = "task")]
    pub(super) forget: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Statement {
    #[command(subcommand)]
    pub(super) command: StatementCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum StatementCommand {
    /// What would be billed now; changes nothing
    Preview {
        #[command(flatten)]
        of: StatementOf,
        #[command(flatten)]
        as_of: AsOf,
    },
    /// Make it final: number it, fix it in the ledger, queue its documents for delivery
    Seal(StatementOf),
    /// Accept what became of billed work: the client's next statement charges the difference
    Correct(StatementCorrect),
    /// Reverse a sealed statement by a new one; its works are open again
    #[command(alias = "storno")]
    Cancel(StatementCancel),
    /// List what was sealed
    List(AsOf),
    /// Show a sealed statement, or write one of its documents
    Show {
        number: String,
        #[command(flatten)]
        document: Document,
        #[command(flatten)]
        as_of: AsOf,
    },
}

#[derive(Debug, Arguments)]
pub(super) struct StatementOf {
    /// The client's key in the configuration
    pub(super) client: String,
    /// A month (2026-10) or days (2026-10-05..2026-10-18); else the last whole month
    #[arg(long, short)]
    pub(super) period: Option<Period>,
    /// Say what would be sealed, and seal nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) document: Document,
}

#[derive(Debug, Arguments)]
pub(super) struct StatementCorrect {
    /// The statement's number
    pub(super) number: String,
    /// Only this work, as findings name it: w1042; may be given several times
    #[arg(long, value_name = "WORK", value_parser = parse_work)]
    pub(super) work: Vec<WorkId>,
    /// Also what only a rate in the configuration changed
    #[arg(long)]
    pub(super) rates: bool,
    /// Say what would be corrected, and correct nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

fn parse_work(text: &str) -> Result<WorkId, String> {
    WorkId::parse(text).ok_or_else(|| "a work is named like w1042".to_owned())
}

#[derive(Debug, Arguments)]
pub(super) struct StatementCancel {
    /// The statement's number
    pub(super) number: String,
    /// Say what would be sealed, and cancel nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    #[command(flatten)]
    pub(super) document: Document,
}

#[derive(Debug, Arguments)]
pub(super) struct Document {
    /// Write a document instead of a summary
    #[arg(long, value_enum)]
    pub(super) format: Option<DocumentFormat>,
    /// Where to write it; else to stdout
    #[arg(long, short, value_name = "FILE", requires = "format")]
    pub(super) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentFormat {
    Pdf,
    Csv,
    CsvMachine,
    Json,
}

#[derive(Debug, Arguments)]
pub(super) struct Explain {
    /// A line (2026-0007:3), a statement, a work (w1042), a record (toggl/time/123) or a finding
    pub(super) what: String,
    #[command(flatten)]
    pub(super) as_of: AsOf,
}

#[derive(Debug, Arguments)]
pub(super) struct Deliver {
    /// Try again what had failed for good
    #[arg(long)]
    pub(super) retry: bool,
    /// Say what would be delivered, and deliver nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Export {
    /// Where to write; else to stdout
    #[arg(long, short, value_name = "FILE", conflicts_with = "audit")]
    pub(super) output: Option<PathBuf>,
    /// For an auditor: into this directory, tables in which every amount leads to its source
    #[arg(long, value_name = "DIR")]
    pub(super) audit: Option<PathBuf>,
    /// Only statements of this client, and what they rest on
    #[arg(long, value_name = "CLIENT", requires = "audit")]
    pub(super) client: Option<String>,
    /// Only statements that touch a month (2026-10) or days (2026-10-05..2026-10-18)
    #[arg(long, short, requires = "audit")]
    pub(super) period: Option<Period>,
    #[command(flatten)]
    pub(super) as_of: AsOf,
}

#[derive(Debug, Arguments)]
pub(super) struct Procedure {
    #[arg(long, value_enum, default_value_t = DocumentLanguage::De)]
    pub(super) language: DocumentLanguage,
    #[arg(long, value_enum, default_value_t = ProcedureFormat::Md)]
    pub(super) format: ProcedureFormat,
    /// Where to write it; else to stdout
    #[arg(long, short, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    #[command(flatten)]
    pub(super) as_of: AsOf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum DocumentLanguage {
    De,
    En,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProcedureFormat {
    /// Markdown, to go on writing in
    Md,
    /// PDF/A
    Pdf,
}

#[derive(Debug, Arguments)]
pub(super) struct Ledger {
    #[command(subcommand)]
    pub(super) command: LedgerCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum LedgerCommand {
    /// Recompute the chain and everything that hangs on it, and look at what was delivered; names
    /// the first broken row
    Verify(Verify),
    /// Copy the ledger while others may write to it, and verify the copy
    Backup(Backup),
    /// Put a backup in the ledger's place; the ledger that is there is kept under another name
    Restore(Restore),
    /// Make the current state anew from the chain
    Rebuild,
    /// Print the end of the chain, to keep outside of this machine
    Head,
    /// Erase a client for good, except what the law wants kept
    Erase(Erase),
}

#[derive(Debug, Arguments)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct Erase {
    /// The client's key in the configuration
    #[arg(long, value_name = "KEY")]
    pub(super) client: String,
    /// Write everything about the client there first; a directory that is new or empty
    #[arg(long, value_name = "DIR", conflicts_with = "no_export")]
    pub(super) export: Option<PathBuf>,
    /// Write nothing first
    #[arg(long)]
    pub(super) no_export: bool,
    /// Say what would go and what would stay, and erase nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Do not ask
    #[arg(long)]
    pub(super) yes: bool,
    /// Erase work that was never billed and documents that were never delivered, too
    #[arg(long)]
    pub(super) with_open_work: bool,
    /// Remove copies of the ledger from before the erasure, too
    #[arg(long)]
    pub(super) delete_backups: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Verify {
    /// The ledger alone, without looking whether delivered documents are as they were
    #[arg(long)]
    pub(super) ledger_only: bool,
}

#[derive(Debug, Arguments)]
pub(super) struct Backup {
    /// A directory, or the file to write; else the directory of `[backup]` in the configuration
    #[arg(value_name = "DEST")]
    pub(super) to: Option<PathBuf>,
    /// So many backups of this ledger stay in the directory, the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) keep: Option<u16>,
}

#[derive(Debug, Arguments)]
pub(super) struct Restore {
    /// The backup; the ledger's own file goes on with what is left of a ledger
    #[arg(value_name = "FILE")]
    pub(super) from: PathBuf,
    /// Statements that may be lost, each by its number
    #[arg(long, value_name = "NUMBER", num_args = 1..)]
    pub(super) accept_lost: Vec<String>,
    /// Say what would be lost, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}
