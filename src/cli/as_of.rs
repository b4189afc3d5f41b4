//! What a report reads: the ledger and the configuration, as they are or as they were.

use std::io::Write as _;

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, Utc};

use super::{App, args};
use crate::config::Config;
use crate::error_text::Advised;
use crate::run::history;
use crate::store::Store;
use crate::time::Moment;

/// The two sources of a report, and the moment for which they speak.
pub(super) struct View {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) now: DateTime<Utc>,
}

impl App {
    /// The ledger for a command that only reads: as it is, or as it was.
    pub(super) fn view(&self, as_of: args::AsOf) -> anyhow::Result<View> {
        self.view_for(None, as_of)
    }

    /// The same for a report about one client, who has to be known.
    pub(super) fn view_for(&self, client: Option<&str>, as_of: args::AsOf) -> anyhow::Result<View> {
        let config = self.config()?;
        let known = |config: &Config| match client {
            Some(key) => super::statement::client(config, key).map(|_| ()),
            None => Ok(()),
        };
        let now = self.clock.now();
        let Some(moment) = as_of.as_of else {
            known(&config)?;
            let store = self.open_read_only(&config)?;
            return Ok(View { config, store, now });
        };
        let view = self.view_then(config, moment)?;
        known(&view.config)?;
        Ok(view)
    }

    fn view_then(&self, config: Config, moment: Moment) -> anyhow::Result<View> {
        let store = self.open_read_only(&config)?;
        let at = moment.instant(config.time_zone);
        let text = at.to_rfc3339_opts(SecondsFormat::Secs, true);
        if at > self.clock.now() {
            let hint =
                "name a moment that has passed; what is known now is shown without `--as-of`";
            return Err(Advised::new(format!("look at {text}: it is still to come"), hint).into());
        }
        if store.last_row_by(at)? == 0 {
            let hint = "the first row says since when: `stundenbuch export | head -n 1`";
            let what = format!("look at {text}: the ledger begins later");
            return Err(Advised::new(what, hint).into());
        }
        let then = store
            .as_of(at, &mut |row, of| self.progress(row, of))
            .with_context(|| format!("look at {text}"))?;
        let config = match history::recorded(&then, &config) {
            Ok(Some(recorded)) => recorded,
            Ok(None) => {
                self.out.say(&format!(
                    "The ledger had no configuration by {text}; that of now is used."
                ));
                config
            }
            Err(error) => {
                let hint = "what it names has to be known to this version; use the version that \
                            wrote the row, which `stundenbuch export` shows";
                return Err(error.context(Advised::new(
                    format!("read the configuration of {text}"),
                    hint,
                )));
            }
        };
        Ok(View {
            config,
            store: then,
            now: at,
        })
    }

    /// Tells a person who watches how far a long walk came.
    fn progress(&self, row: u64, of: u64) {
        const WORTH_SHOWING: u64 = 50_000;
        if of < WORTH_SHOWING || !self.out.watched() {
            return;
        }
        let end = if row == of { "\r\x1b[K" } else { "" };
        // Nobody can be told that stderr is closed.
        let _ = write!(
            std::io::stderr().lock(),
            "\rrow {row} of {of}: {} %{end}",
            row * 100 / of
        );
    }
}
