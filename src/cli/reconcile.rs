//! `reconcile`: a review without pulling.

use super::{App, findings};
use crate::run::report::Exit;
use crate::run::review;

pub(super) fn run(app: &App) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let (mut store, _lock) = app.open(&config, "reconcile")?;
    let new = review::review(&mut store, &config, app.clock.now())?;
    app.out.say(&format!("{new} findings are new."));
    let open = store.findings(false)?;
    findings::print(app, &open)?;
    let person = open
        .iter()
        .any(|stored| stored.finding.severity > crate::finding::Severity::Note);
    Ok(if person { Exit::Findings } else { Exit::Fine })
}
