//! `init`: a configuration to begin with.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

use anyhow::Context as _;

use super::{App, args};
use crate::error_text::Advised;
use crate::run::report::Exit;

/// Every key with its explanation; what is needed first is not commented out.
const EXAMPLE: &str = include_str!("../../config/example.toml");

pub(super) fn run(app: &App, args: &args::Init) -> anyhow::Result<Exit> {
    let file = &args.file;
    let mut created = match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(created) => created,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let what = format!("write {}: it exists already", file.display());
            return Err(Advised::new(what, "edit it, or name another file").into());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("write {}", file.display()));
        }
    };
    created
        .write_all(EXAMPLE.as_bytes())
        .with_context(|| format!("write {}", file.display()))?;
    app.out.say(&format!(
        "Wrote {}. Edit it, then run `stundenbuch check --config {}`.",
        file.display(),
        file.display()
    ));
    Ok(Exit::Fine)
}
