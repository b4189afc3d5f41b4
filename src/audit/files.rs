//! The files of an export: private, complete on disk, and safe to open in a spreadsheet.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use sha2::{Digest as _, Sha256};

use super::tables::{Kind, TABLES, Table};
use crate::error_text::Advised;
use crate::ledger::hex;

pub(super) const DELIMITER: u8 = b';';

/// The directory of an export.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// The names of what was written.
    names: Vec<String>,
}

impl Folder {
    /// Makes the directory; one that is there must be empty.
    pub(super) fn make(path: &Path) -> anyhow::Result<Self> {
        let context = || format!("write the export to {}", path.display());
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .with_context(context)?;
        if fs::read_dir(path).with_context(context)?.next().is_some() {
            let what = format!("write the export to {}: it is not empty", path.display());
            return Err(Advised::new(what, "name a directory that does not exist yet").into());
        }
        Ok(Self {
            path: path.to_owned(),
            names: Vec::new(),
        })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A new file that its owner alone can read.
    pub(super) fn create(&mut self, name: &str) -> anyhow::Result<BufWriter<File>> {
        let path = self.path(name);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("write {}", path.display()))?;
        self.names.push(name.to_owned());
        Ok(BufWriter::new(file))
    }

    /// A small file, whole.
    pub(super) fn write(&mut self, name: &str, text: &str) -> anyhow::Result<()> {
        let mut file = self.create(name)?;
        file.write_all(text.as_bytes())
            .with_context(|| format!("write {}", self.path(name).display()))?;
        self.finish(name, file)
    }

    /// Waits until a file is on disk.
    pub(super) fn finish(&self, name: &str, file: BufWriter<File>) -> anyhow::Result<()> {
        let context = || format!("write {}", self.path(name).display());
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error)
            .with_context(context)?;
        file.sync_all().with_context(context)
    }

    /// Lists every file with its SHA-256, as `sha256sum --check` reads it.
    pub(super) fn seal(mut self) -> anyhow::Result<()> {
        let mut names = std::mem::take(&mut self.names);
        names.sort();
        let mut sums = String::new();
        for name in &names {
            let path = self.path(name);
            let sum = sum(&path).with_context(|| format!("read {}", path.display()))?;
            sums += &format!("{sum}  {name}\n");
        }
        self.write("SHA256SUMS", &sums)?;
        File::open(&self.path)
            .and_then(|directory| directory.sync_all())
            .with_context(|| format!("write {}", self.path.display()))
    }
}

fn sum(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 16];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hex(&hash.finalize())),
            count => hash.update(&part[..count]),
        }
    }
}

/// All tables, open at once: one walk over the journal fills them.
pub(super) struct Tables(Vec<(&'static Table, Writer<BufWriter<File>>)>);

impl Tables {
    pub(super) fn create(folder: &mut Folder) -> anyhow::Result<Self> {
        let mut tables = Vec::new();
        for table in &TABLES {
            let mut writer = WriterBuilder::new()
                .delimiter(DELIMITER)
                .quote_style(QuoteStyle::Necessary)
                .terminator(Terminator::Any(b'\n'))
                .from_writer(folder.create(&file_name(table))?);
            writer.write_record(table.columns.iter().map(|column| column.name))?;
            tables.push((table, writer));
        }
        Ok(Self(tables))
    }

    /// Writes one row: a value for each column. Texts are made inert here and nowhere else.
    pub(super) fn row(&mut self, name: &str, values: &[String]) -> anyhow::Result<()> {
        let (table, writer) = self
            .0
            .iter_mut()
            .find(|(table, _)| table.name == name)
            .expect("rows are written to tables that there are");
        assert_eq!(
            table.columns.len(),
            values.len(),
            "a value for each column of {name}"
        );
        for (column, value) in table.columns.iter().zip(values) {
            match column.kind {
                Kind::Text => writer.write_field(inert(value))?,
                _ => writer.write_field(value)?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub(super) fn finish(self, folder: &Folder) -> anyhow::Result<()> {
        for (table, writer) in self.0 {
            let name = file_name(table);
            let file = writer
                .into_inner()
                .map_err(csv::IntoInnerError::into_error)
                .with_context(|| format!("write {}", folder.path(&name).display()))?;
            folder.finish(&name, file)?;
        }
        Ok(())
    }
}

pub(super) fn file_name(table: &Table) -> String {
    format!("{}.csv", table.name)
}

/// What an apostrophe stands before.
const RISKY: [char; 12] = [
    '=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\'',
];

/// A text that no spreadsheet takes for a formula (OWASP, "CSV Injection", read 2026-11): one
/// apostrophe before what would begin one, and before an apostrophe, so that leaving the first
/// one away always gives the text itself.
fn inert(text: &str) -> String {
    if text.starts_with(RISKY) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text itself.
pub(super) fn original(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_inert_and_comes_back(text in "['=+@\t\n-]{0,3}.{0,5}") {
            let cell = inert(&text);
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']));
            prop_assert_eq!(original(&cell), text);
        }
    }
}
