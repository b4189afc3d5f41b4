//! Whole configurations, good and wrong, and exactly what is said about them.

mod example;
mod good;
mod kinds;
mod layers;
mod mutated;
mod recorded;
mod secrets;
mod tables;
mod wrong;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Config, ConfigErrors, load_with};

/// What every configuration needs; put behind the text of a test, so that its lines count
/// from 1.
const NEEDED: &str = "\n[issuer]\nname = \"J\"\n[ledger]\npath = \"l.db\"\n";

/// A directory with files, removed at the end of the test.
struct Place(tempfile::TempDir);

impl Place {
    fn new(files: &[(&str, &str)]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            let path = place.0.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        place
    }

    fn main(&self) -> PathBuf {
        self.0.path().join("stundenbuch.toml")
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
        let pairs = variables
            .iter()
            .map(|(name, value)| ((*name).into(), (*value).into()));
        let environment: BTreeMap<String, String> = pairs.collect();
        load_with(&self.main(), &environment, kinds::ALL)
    }

    /// What is printed, without the directory, which is another one in every run.
    fn errors(&self, variables: &[(&str, &str)]) -> String {
        let errors = self
            .load(variables)
            .expect_err("this configuration is wrong");
        let text = crate::error_text::of(&anyhow::Error::new(errors));
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

/// Reads a text with all that is needed behind it.
fn load(text: &str) -> Result<Config, ConfigErrors> {
    let whole = format!("{text}{NEEDED}");
    Place::new(&[("stundenbuch.toml", &whole)]).load(&[])
}

/// What is printed about such a text.
fn errors(text: &str) -> String {
    let whole = format!("{text}{NEEDED}");
    Place::new(&[("stundenbuch.toml", &whole)]).errors(&[])
}
