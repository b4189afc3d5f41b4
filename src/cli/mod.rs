//! The command line: one file a command.

mod args;
mod as_of;
mod auth;
mod check;
mod connectors;
mod deliver;
mod demo;
mod explain;
mod explain_correction;
mod export;
mod findings;
mod import;
mod init;
mod ledger;
mod ledger_erase;
mod matches;
mod nightly;
mod out;
mod procedure;
mod reconcile;
mod statement;
mod statement_change;
mod status;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser as _;
use stundenbuch_connectors::Platform;
use stundenbuch_connectors::budget::{BudgetStore, MemoryBudgets};

use self::args::{Args, Command};
use self::out::Out;
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::error_text;
use crate::run::history;
use crate::run::report::Exit;
use crate::run::sources::{self, Environment};
use crate::statements::{CancelError, CorrectError, SealError};
use crate::store::{Anchors, Budgets, Error as StoreError, Lock, Store};

/// What every command has at hand.
#[derive(Debug)]
struct App {
    config_file: Option<PathBuf>,
    environment: Environment,
    clock: Arc<dyn Clock>,
    out: Out,
    /// The ledger that the configuration names, once it was read; for messages.
    ledger: OnceLock<PathBuf>,
}

impl App {
    /// The configuration, or every mistake in it.
    fn config(&self) -> anyhow::Result<Config> {
        let config = Config::load(self.config_file.as_deref(), &self.environment.variables)?;
        let _ = self.ledger.set(config.ledger.clone());
        Ok(config)
    }

    /// The ledger for a command that changes it, and the right to. What is new in the
    /// configuration is recorded first, so that every change is under rules that are known.
    fn open(&self, config: &Config, what: &str) -> anyhow::Result<(Store, Lock)> {
        let (mut store, lock) = self.open_for_trial(config, what)?;
        history::record(&mut store, config, self.clock.now())?;
        Ok((store, lock))
    }

    /// The same for a dry run, which leaves nothing behind.
    fn open_for_trial(&self, config: &Config, what: &str) -> anyhow::Result<(Store, Lock)> {
        let lock = Lock::take(&config.ledger, what)?;
        let store = Store::open_kept(Self::anchors(config), self.clock.now())?;
        Ok((store, lock))
    }

    /// The ledger for a command that only reads.
    #[expect(clippy::unused_self, reason = "beside `open`, which needs the clock")]
    fn open_read_only(&self, config: &Config) -> anyhow::Result<Store> {
        Ok(Self::anchors(config).open_read_only()?)
    }

    /// What connections are built with, for commands that do not open the ledger. Their requests
    /// count like all others, where there is a ledger to count them in.
    fn platform(&self, config: &Config) -> anyhow::Result<Platform> {
        let budgets: Arc<dyn BudgetStore> = if config.ledger.exists() {
            Arc::new(Budgets::open(&config.ledger)?)
        } else {
            Arc::new(MemoryBudgets::default())
        };
        Ok(sources::platform(
            config,
            &self.environment,
            Arc::clone(&self.clock),
            budgets,
        ))
    }

    /// Where the ledger's heads are kept.
    fn anchors(config: &Config) -> Anchors {
        Anchors::new(&config.ledger, config.anchors.as_deref())
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap prints help to stdout and mistakes to stderr; a closed pipe is no failure.
            let _ = error.print();
            let mistake = error.use_stderr();
            return ExitCode::from(if mistake { Exit::Usage as u8 } else { 0 });
        }
    };
    log_to_stderr(args.verbose, matches!(args.command, Command::Run));
    let variables: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let app = App {
        config_file: args.config,
        environment: Environment { variables },
        clock: Arc::new(SystemClock),
        out: Out { json: args.json },
        ledger: OnceLock::new(),
    };
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| runtime.block_on(dispatch(&app, args.command)));
    match outcome {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => {
            // What fails deep within the ledger does not know which it is.
            let unnamed = store_error(&error).is_some_and(|error| !error.names_file());
            let ledger = app.ledger.get().filter(|_| unnamed);
            app.out
                .say(&error_text::of_ledger(&error, ledger.map(PathBuf::as_path)));
            ExitCode::from(exit_of(&error) as u8)
        }
    }
}

async fn dispatch(app: &App, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(app, args).await,
        Command::Init(args) => init::run(app, &args),
        Command::Check(args) => check::run(app, &args).await,
        Command::Auth(args) => auth::run(app, &args).await,
        Command::Pull(args) => nightly::pull(app, args).await,
        Command::Import(args) => import::run(app, &args),
        Command::Reconcile => reconcile::run(app),
        Command::Findings(args) => findings::run(app, &args),
        Command::Match(args) => matches::run(app, &args),
        Command::Statement(args) => statement::run(app, &args),
        Command::Explain(args) => explain::run(app, &args),
        Command::Deliver(args) => deliver::run(app, &args).await,
        Command::Nightly(args) => nightly::nightly(app, &args).await,
        Command::Run => nightly::daemon(app).await,
        Command::Export(args) => export::run(app, &args),
        Command::Procedure(args) => procedure::run(app, &args),
        Command::Ledger(args) => ledger::run(app, &args).await,
        Command::Status => status::run(app),
        Command::Connectors { command } => connectors::run(app, command.as_ref()),
    }
}

/// How a failure ends the program: what may pass by itself is told apart from what was asked
/// wrongly, for systemd starts the first again and not the second.
fn exit_of(error: &anyhow::Error) -> Exit {
    match store_error(error) {
        Some(error) if error.needs_person() => Exit::NeedsPerson,
        // A second daemon would only wait for the first one to end.
        Some(
            StoreError::Locked { .. }
            | StoreError::Missing { .. }
            | StoreError::Foreign { .. }
            | StoreError::Newer { .. }
            | StoreError::Older { .. }
            | StoreError::Refused { .. },
        )
        | None => Exit::Usage,
        Some(_) => Exit::ForNow,
    }
}

/// The failure of the ledger's file within an error.
fn store_error(error: &anyhow::Error) -> Option<&StoreError> {
    error.chain().find_map(|cause| {
        if let Some(SealError::Store(inner)) = cause.downcast_ref() {
            return Some(inner);
        }
        if let Some(CancelError::Store(inner)) = cause.downcast_ref() {
            return Some(inner);
        }
        if let Some(CorrectError::Store(inner)) = cause.downcast_ref() {
            return Some(inner);
        }
        cause.downcast_ref()
    })
}

/// Log lines go to stderr: few from a command, more from the daemon.
fn log_to_stderr(verbose: u8, daemon: bool) {
    use tracing_subscriber::EnvFilter;
    let default = match (verbose, daemon) {
        (0, false) => "warn",
        (0, true) => "info",
        (1, _) => "info,stundenbuch=debug,stundenbuch_connectors=debug",
        _ => "debug,stundenbuch=trace,stundenbuch_connectors=trace",
    };
    let filter = EnvFilter::try_from_env("STUNDENBUCH_LOG").unwrap_or_else(|_| default.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .init();
}
