//! Which files there are, in which order they count, and what results from them.
//!
//! The main file, then `conf.d/*.toml` beside it in the order of their names, then the
//! environment; what comes later wins, key by key. Merging is the work of the `config` crate.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use config::{Config, Environment, Map, Value, ValueKind};
use stundenbuch_connectors::Entry;

use super::file::TomlFile;
use super::key_path::KeyPath;
use super::mistake::{ConfigErrors, Mistake, Place};
use super::syntax;

/// Where a configuration is looked for when none is named.
pub const PLACES: [&str; 2] = ["./stundenbuch.toml", "/etc/stundenbuch/stundenbuch.toml"];

/// What environment variables begin with; two underscores stand between the parts of a key.
const PREFIX: &str = "STUNDENBUCH";

/// What the `config` crate calls the origin of values from the environment.
const ENVIRONMENT: &str = "the environment";

/// The origin of values that the ledger recorded.
pub(super) const RECORD: &str = "the ledger's record";

/// The merged configuration and where its values came from.
#[derive(Debug)]
pub(super) struct Layers {
    pub(super) main: PathBuf,
    pub(super) root: Map<String, Value>,
    files: Vec<TomlFile>,
    /// The names of variables as they were written, by the path that they set.
    variables: BTreeMap<KeyPath, String>,
    /// Where a recorded configuration says that its rules stood, by the paths of their keys.
    recorded: BTreeMap<String, String>,
    /// What was found wrong besides the values.
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    /// Reads every layer.
    pub(super) fn read(
        main: &Path,
        environment: &BTreeMap<String, String>,
        registry: &[Entry],
    ) -> Result<Self, ConfigErrors> {
        let mut files = Vec::new();
        let mut unread = Vec::new();
        for (order, path) in files_of(main)?.into_iter().enumerate() {
            match read_file(order, &path, registry) {
                Ok(file) => files.push(file),
                Err(mistake) => unread.push(mistake),
            }
        }
        // With a file missing from the sum, everything that it holds would be told as missing.
        if !unread.is_empty() {
            return Err(ConfigErrors::Mistakes(unread));
        }
        let (variables, odd) = variables_of(environment);
        let mut layers = Self {
            main: main.to_owned(),
            root: merge(&files, &variables),
            files,
            variables: variables
                .into_iter()
                .map(|(path, name, _)| (path, name))
                .collect(),
            recorded: BTreeMap::new(),
            mistakes: odd,
        };
        layers.refuse_odd_keys();
        layers.refuse_split_lists();
        Ok(layers)
    }

    /// What the ledger recorded; see `recorded`.
    pub(super) fn recorded(
        main: &Path,
        root: Map<String, Value>,
        places: BTreeMap<String, String>,
    ) -> Self {
        Self {
            main: main.to_owned(),
            root,
            files: Vec::new(),
            variables: BTreeMap::new(),
            recorded: places,
            mistakes: Vec::new(),
        }
    }

    /// The place of a key.
    pub(super) fn key_place(&self, path: &KeyPath, origin: Option<&str>) -> Place {
        self.place(path, origin, TomlFile::key_position)
    }

    /// The place of a value.
    pub(super) fn value_place(&self, path: &KeyPath, origin: Option<&str>) -> Place {
        self.place(path, origin, TomlFile::value_position)
    }

    /// The digits of a number as they stand in its file.
    pub(super) fn number_text(&self, path: &KeyPath, origin: Option<&str>) -> Option<String> {
        let file = self
            .files
            .iter()
            .find(|file| Some(file.name.as_str()) == origin)?;
        file.number_text(path)
    }

    /// Whether a value may be a text where another kind is meant: variables of the environment
    /// are all text, and a record holds them as they were.
    pub(super) fn is_all_text(origin: Option<&str>) -> bool {
        Self::is_environment(origin) || origin == Some(RECORD)
    }

    fn is_environment(origin: Option<&str>) -> bool {
        origin == Some(ENVIRONMENT)
    }

    /// Looks in the file that the value came from. A table that several files fill has no
    /// origin: it stands where the first of them has it. What stands nowhere (a key that is
    /// missing) stands where its table does.
    fn place(
        &self,
        path: &KeyPath,
        origin: Option<&str>,
        position: fn(&TomlFile, &KeyPath) -> Option<(usize, usize)>,
    ) -> Place {
        if let Some(line) = self.recorded.get(path.as_str()) {
            return at(0, line, 0, 0);
        }
        let mut step = Some(path.clone());
        while let Some(here) = step {
            if Self::is_environment(origin)
                && let Some(variable) = self.variables.get(&here)
            {
                return Place::Environment(variable.clone());
            }
            for (order, file) in self.files.iter().enumerate() {
                let fits = origin.is_none_or(|origin| origin == file.name);
                if let Some((line, column)) = position(file, &here).filter(|_| fits) {
                    return at(order, &file.name, line, column);
                }
            }
            if let (None, Some(variable)) = (origin, self.variable_below(&here)) {
                return Place::Environment(variable);
            }
            step = here.parent().filter(|parent| !parent.as_str().is_empty());
        }
        at(
            0,
            self.files.first().map_or(RECORD, |file| &file.name),
            0,
            0,
        )
    }

    /// A variable that sets something within that table.
    fn variable_below(&self, path: &KeyPath) -> Option<String> {
        let within = format!("{path}.");
        let mut all = self.variables.iter();
        all.find(|(key, _)| key.as_str().starts_with(&within))
            .map(|(_, name)| name.clone())
    }

    fn refuse_odd_keys(&mut self) {
        for (order, file) in self.files.iter().enumerate() {
            for key in &file.odd_keys {
                let path = KeyPath::default().child(key);
                let (line, column) = file.key_position(&path).unwrap_or((0, 0));
                self.mistakes.push(Mistake {
                    place: at(order, &file.name, line, column),
                    key: path.to_string(),
                    what: "unknown key".to_owned(),
                    fix: super::suggest::help(key, syntax::SECTIONS.iter().copied()),
                });
            }
        }
    }

    /// A list of tables in a later file replaces the list in an earlier one. Somebody who puts
    /// a second `[[imports]]` into another file means to add to it, and would lose the first
    /// without a word.
    fn refuse_split_lists(&mut self) {
        let mut seen: BTreeMap<&KeyPath, Place> = BTreeMap::new();
        let mut mistakes = Vec::new();
        for (order, file) in self.files.iter().enumerate() {
            for path in &file.table_lists {
                let (line, column) = file.key_position(path).unwrap_or((0, 0));
                let place = at(order, &file.name, line, column);
                let Some(first) = seen.insert(path, place.clone()) else {
                    continue;
                };
                mistakes.push(Mistake {
                    place,
                    key: path.to_string(),
                    what: format!("would replace the list at {}", first.without_column()),
                    fix: Some("write the whole list in one of the two files".to_owned()),
                });
            }
        }
        self.mistakes.extend(mistakes);
    }
}

/// The main file that counts: the one that was named, else the first that exists.
pub(super) fn find(named: Option<&Path>, places: &[&str]) -> Result<PathBuf, ConfigErrors> {
    let looked_at: Vec<PathBuf> = match named {
        Some(path) => vec![path.to_owned()],
        None => places.iter().map(PathBuf::from).collect(),
    };
    let found = looked_at.iter().find(|path| path.exists()).cloned();
    found.ok_or(ConfigErrors::NotFound { looked_at })
}

/// The main file and those of `conf.d`, without hidden ones as editors leave them.
fn files_of(main: &Path) -> Result<Vec<PathBuf>, ConfigErrors> {
    let directory = main.with_file_name("conf.d");
    let mut more = Vec::new();
    match std::fs::read_dir(&directory) {
        Ok(entries) => {
            for entry in entries {
                let path = entry
                    .map_err(|error| unreadable(1, &directory, &error))?
                    .path();
                let name = path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .unwrap_or("");
                if path.extension().is_some_and(|end| end == "toml") && !name.starts_with('.') {
                    more.push(path);
                }
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(1, &directory, &error).into()),
    }
    more.sort();
    more.insert(0, main.to_owned());
    Ok(more)
}

impl From<Mistake> for ConfigErrors {
    fn from(mistake: Mistake) -> Self {
        Self::Mistakes(vec![mistake])
    }
}

fn read_file(order: usize, path: &Path, registry: &[Entry]) -> Result<TomlFile, Mistake> {
    let name = display_name(path);
    let bytes = std::fs::read(path).map_err(|error| unreadable(order, path, &error))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()]
            .split(|byte| *byte == b'\n')
            .count();
        Mistake {
            place: at(order, &name, line, 1),
            key: String::new(),
            what: "this line is not UTF-8".to_owned(),
            fix: Some("save the file as UTF-8; umlauts are then read as they are".to_owned()),
        }
    })?;
    TomlFile::parse(&name, text)
        .map_err(|error| syntax::mistake(order, &name, text, &error, registry))
}

fn unreadable(order: usize, path: &Path, error: &io::Error) -> Mistake {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    Mistake {
        place: at(order, &display_name(path), 0, 0),
        key: String::new(),
        what: format!("cannot be read: {error}"),
        fix: denied.then(|| "the user who runs stundenbuch must be able to read it".to_owned()),
    }
}

/// `./stundenbuch.toml` is `stundenbuch.toml` to everybody.
fn display_name(path: &Path) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.display().to_string()
}

fn at(order: usize, name: &str, line: usize, column: usize) -> Place {
    Place::File {
        order,
        line,
        column,
        name: name.to_owned(),
    }
}

/// A variable that sets a key: the path, its name, its value.
type Variable = (KeyPath, String, String);

/// The variables that are meant for us, and mistakes for those that cannot be a key.
fn variables_of(environment: &BTreeMap<String, String>) -> (Vec<Variable>, Vec<Mistake>) {
    let (mut variables, mut odd) = (Vec::new(), Vec::new());
    for (name, value) in environment {
        let Some(rest) = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix("__"))
        else {
            continue;
        };
        let parts = rest.split("__").map(str::to_lowercase);
        // The `config` crate reads brackets as positions in a list and would fill one of four
        // thousand million elements; no shell sets such a name, but `env` does.
        if parts.clone().all(|part| super::key_path::is_bare(&part)) {
            let path = parts.fold(KeyPath::default(), |path, part| path.child(&part));
            variables.push((path, name.clone(), value.clone()));
        } else {
            odd.push(Mistake {
                place: Place::Environment(name.clone()),
                key: String::new(),
                what: "this variable names no key".to_owned(),
                fix: Some(format!("write it like {PREFIX}__LEDGER__PATH")),
            });
        }
    }
    (variables, odd)
}

/// Everything as one table.
fn merge(files: &[TomlFile], variables: &[Variable]) -> Map<String, Value> {
    let mut builder = Config::builder();
    for file in files {
        builder = builder.add_source(file.clone());
    }
    let pairs = variables
        .iter()
        .map(|(_, name, value)| (name.clone(), value.clone()));
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .source(Some(pairs.collect()));
    let merged = builder
        .add_source(environment)
        .build()
        .expect("the sources were read before, and merging refuses nothing");
    match merged.cache.kind {
        ValueKind::Table(root) => root,
        _ => Map::new(),
    }
}
