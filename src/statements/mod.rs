//! Statements over the ledger: preview, seal, what changed afterwards, and what is done about it.

mod cancel;
mod correct;
mod drift;
mod late;
mod preview;
mod seal;
mod write_back;

pub use cancel::{CancelError, cancel, reversal};
pub use correct::{CorrectError, Wanted, correct, proposals};
pub use drift::{Drifts, drift};
pub use late::late;
pub use preview::{Preview, Previews, preview};
pub use seal::{SealError, seal};

use crate::config::{Config, Templates};
use crate::store;

/// The user's own layout, where there is one.
pub fn template(config: &Config) -> Result<Option<String>, store::Error> {
    let directory = match &config.templates {
        None => return Ok(None),
        Some(Templates::Recorded(text)) => return Ok(Some(text.clone())),
        Some(Templates::Directory(directory)) => directory,
    };
    let path = directory.join("report.typ");
    std::fs::read_to_string(&path)
        .map(Some)
        .map_err(|error| store::Error::Open {
            path,
            reason: error.to_string(),
            hint: "`statements.templates` names a directory with a `report.typ`; remove the key to \
               use the built-in layout",
        })
}

#[cfg(test)]
mod history_tests;
#[cfg(test)]
mod tests;
