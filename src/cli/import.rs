//! `import`: exported files become records; the same file twice is taken once.

use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::Path;

use stundenbuch_connectors::import::{DateOrder, Format, Options};

use super::{App, args};
use crate::config::Config;
use crate::error_text;
use crate::run::import::{self, ImportError, Keep};
use crate::run::intake::Counts;
use crate::run::report::Exit;
use crate::store::Store;

/// One file's outcome.
#[derive(Debug, serde::Serialize)]
struct Imported {
    file: String,
    format: String,
    counts: Counts,
}

pub(super) fn run(app: &App, args: &args::Import) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let (mut store, _lock) = if args.dry_run {
        app.open_for_trial(&config, "import")?
    } else {
        app.open(&config, "import")?
    };
    let mut done = Vec::new();
    let mut exit = Exit::Fine;
    for file in &args.files {
        match import_one(app, &config, &mut store, args, file) {
            Ok(imported) => {
                if !app.out.json {
                    app.out.say(&words(&imported, args.dry_run));
                }
                done.push(imported);
            }
            Err(error) => {
                exit = exit.max(Exit::Usage);
                tell(app, error);
            }
        }
    }
    if app.out.json {
        app.out.value(&done)?;
    }
    Ok(exit)
}

fn import_one(
    app: &App,
    config: &Config,
    store: &mut Store,
    args: &args::Import,
    file: &Path,
) -> Result<Imported, ImportError> {
    let directory = config.file.parent();
    let named;
    let format: &dyn Format = match &args.format {
        Some(name) => {
            named = import::named(name, directory)?;
            named.as_ref()
        }
        None => import::recognise(file)?,
    };
    let options = Options {
        time_zone: args.time_zone.unwrap_or(config.time_zone),
        dates: match args.dates {
            args::Dates::Detect => DateOrder::Detect,
            args::Dates::DayFirst => DateOrder::DayFirst,
            args::Dates::MonthFirst => DateOrder::MonthFirst,
        },
    };
    let keep = if args.dry_run {
        Keep::DryRun
    } else {
        Keep::Yes
    };
    let mut input = Progress::open(file, app.out.watched())?;
    let now = app.clock.now();
    let counts = import::import(store, now, file, &mut input, format, &options, keep)?;
    let format = format.name().to_owned();
    Ok(Imported {
        file: file.display().to_string(),
        format,
        counts,
    })
}

/// An outcome in words: `hours.csv: 217 records (toggl-csv), 217 new`.
fn words(imported: &Imported, dry_run: bool) -> String {
    let counts = &imported.counts;
    let mut parts = Vec::new();
    for (count, word) in [
        (counts.new, "new"),
        (counts.changed, "changed"),
        (counts.joined, "known from another source"),
        (counts.rejected, "not understood"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if parts.is_empty() {
        parts.push("nothing new".into());
    }
    let dry = if dry_run {
        " (dry run: nothing was kept)"
    } else {
        ""
    };
    format!(
        "{}: {} records ({}), {}{dry}",
        imported.file,
        counts.received,
        imported.format,
        parts.join(", ")
    )
}

fn tell(app: &App, error: ImportError) {
    let details = error.details();
    let hint = error.hint();
    let mut text = error_text::of(&error.into());
    if let Some(at) = text.find("\n\nhint:") {
        text.truncate(at);
    }
    for line in details {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    app.out.say(&format!("{text}\n\nhint: {hint}"));
}

/// A file that says how far it was read, when a person is watching.
struct Progress {
    input: BufReader<File>,
    name: String,
    read: u64,
    size: u64,
    shown: Option<u64>,
}

impl Progress {
    /// Smaller files are read before anybody could look.
    const WORTH_SHOWING: u64 = 4 << 20;

    fn open(path: &Path, watched: bool) -> Result<Self, ImportError> {
        let fail = |error: io::Error| ImportError::Read {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let file = File::open(path).map_err(fail)?;
        let size = file.metadata().map_err(fail)?.len();
        let shown = (watched && size >= Self::WORTH_SHOWING).then_some(0);
        let input = BufReader::with_capacity(1 << 16, file);
        Ok(Self {
            input,
            name: path.display().to_string(),
            read: 0,
            size,
            shown,
        })
    }
}

impl Read for Progress {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.read += count as u64;
        if let Some(shown) = &mut self.shown {
            let percent = (self.read * 100 / self.size.max(1)).min(100);
            if percent > *shown || count == 0 {
                *shown = percent;
                let end = if count == 0 { "\r\x1b[K" } else { "" };
                // Nobody can be told that stderr is closed.
                let _ = write!(io::stderr().lock(), "\r{}: {percent} %{end}", self.name);
            }
        }
        Ok(count)
    }
}
