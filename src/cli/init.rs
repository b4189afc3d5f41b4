//! `init`: a configuration to begin with.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use anyhow::Context as _;
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::{App, args};
use crate::durable;
use crate::error_text::Advised;
use crate::run::report::Exit;

/// Every key with its explanation; what is needed first is not commented out.
const EXAMPLE: &str = include_str!("../../config/example.toml");

pub(super) fn run(app: &App, args: &args::Init) -> anyhow::Result<Exit> {
    let file = &args.file;
    match write(file) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let what = format!("write {}: it exists already", file.display());
            return Err(Advised::new(what, "edit it, or name another file").into());
        }
        Err(error) => {
            return Err(error).with_context(|| format!("write {}", file.display()));
        }
    }
    app.out.say(&format!(
        "Wrote {}. Edit it, then run `stundenbuch check --config {}`.",
        file.display(),
        file.display()
    ));
    Ok(Exit::Fine)
}

/// Writes the example beside the file and then gives it its name: half of it under that name
/// would be refused for ever after.
fn write(file: &Path) -> io::Result<()> {
    if file.symlink_metadata().is_ok() {
        return Err(ErrorKind::AlreadyExists.into());
    }
    let mut name = OsString::from(".");
    name.push(file.file_name().ok_or(ErrorKind::IsADirectory)?);
    name.push(".new");
    let new = file.with_file_name(name);
    let mut created = File::create(&new)?;
    created.write_all(EXAMPLE.as_bytes())?;
    created.sync_all()?;
    match rustix::fs::renameat_with(CWD, &new, CWD, file, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // Not every file system knows this way; then the look above has to do.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => std::fs::rename(&new, file)?,
        Err(errno) => return Err(errno.into()),
    }
    durable::sync_name(file)
}
