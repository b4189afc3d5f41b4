//! Reading the configuration: files and environment into a [`Config`], or every mistake at once.
//!
//! [`Config::load`] goes through five steps. `layers` finds the files and merges them with the
//! environment (the `config` crate), `file` remembers where each key stands (`toml_edit`),
//! `reader` walks the merged value and collects mistakes instead of stopping at the first,
//! the sections are read one by one, and `agreement` compares what belongs together. Nothing
//! is opened but the configuration itself: credentials are looked up when they are used.
//! `recorded` is the form in which the ledger keeps a configuration, and the way back from it.

mod agreement;
mod clients;
mod connections;
mod contracts;
mod days;
mod file;
mod key_path;
mod layers;
mod mistake;
mod model;
mod reader;
mod recorded;
mod references;
mod resolve;
mod retired;
mod scalars;
mod sections;
mod suggest;
mod syntax;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use stundenbuch_connectors::{self as connectors, Entry};

pub use layers::PLACES;
pub use mistake::{ConfigErrors, Mistake, Place};
pub use model::*;
pub use recorded::{Part, TEMPLATE_PART};

use layers::Layers;
use reader::{Book, Table};
use references::Known;

impl Config {
    /// Reads the configuration: the named file or the first of [`PLACES`], `conf.d/*.toml`
    /// beside it, and the variables `STUNDENBUCH__SECTION__KEY` of the environment.
    ///
    /// # Errors
    /// Every mistake that was found, or the places where no file was.
    pub fn load(
        named: Option<&Path>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, ConfigErrors> {
        let main = layers::find(named, &PLACES)?;
        load_with(&main, environment, connectors::ALL)
    }
}

/// The same for a main file that was found and with the connectors that there are.
fn load_with(
    main: &Path,
    environment: &BTreeMap<String, String>,
    registry: &'static [Entry],
) -> Result<Config, ConfigErrors> {
    let layers = Layers::read(main, environment, registry)?;
    let book = Book::new(&layers);
    let config = read(book.root(), &layers.main, registry);
    let cited = book.take_cited();
    let mut config = book.close(config)?;
    config.parts = recorded::parts(&layers, &cited);
    Ok(config)
}

/// Reads every section; what is wrong is in the table's book afterwards.
fn read(root: Table<'_>, main: &Path, registry: &'static [Entry]) -> Config {
    let base = main.parent().unwrap_or(Path::new(""));
    let daemon = sections::daemon(&root);
    let connections = connections::read(&root, base, registry);
    let people = sections::people(&root);
    let known = Known::new(&root, &connections, &people);
    let clients = clients::read(&root, &known, daemon.time_zone);
    let imports = sections::imports(&root, &known, daemon.time_zone);
    let (statements, templates) = sections::statements(&root, base);
    let issuer = sections::issuer(&root);
    let (ledger, anchors) = sections::ledger(&root, base);
    let backup = sections::backup(&root, base);
    let checks = sections::checks(&root);
    let retention_years = sections::retention_years(&root);
    root.close();
    Config {
        file: main.to_owned(),
        issuer,
        ledger,
        anchors,
        backup,
        time_zone: daemon.time_zone,
        nightly_at: daemon.nightly_at,
        listen: daemon.listen,
        connections,
        clients,
        imports,
        people,
        checks,
        statements,
        retention_years,
        templates,
        parts: Vec::new(),
    }
}
