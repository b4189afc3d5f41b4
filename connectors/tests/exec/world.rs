//! Programs that play a tap, and a connection to them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Map, Value as Json, json};
use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::SystemClock;
use stundenbuch_connectors::contract::{Connector, Cursor, Page, Platform, Pull};
use stundenbuch_connectors::error::{Error, Result};
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::login::Memory;
use stundenbuch_connectors::secret::Secret;
use stundenbuch_connectors::{Entry, find};

/// A text that occurs nowhere else.
pub(crate) const CANARY: &str = "k4n4r1env0gel\"zwitschert";

pub(crate) fn entry() -> &'static Entry {
    find("exec").expect("the exec connector is in the list")
}

pub(crate) fn platform() -> Platform {
    Platform {
        clock: Arc::new(SystemClock),
        budgets: Arc::new(MemoryBudgets::default()),
        logins: Arc::new(Memory::default()),
    }
}

/// Settings by their keys; tables are JSON.
pub(crate) fn settings(values: &[(&str, Value)]) -> Settings {
    let mut settings = Settings::default();
    for (key, value) in values {
        let setting = entry().kind.setting(key);
        settings.set(setting.expect("a declared key"), value.clone());
    }
    settings
}

pub(crate) fn table(json: Json) -> Value {
    match json {
        Json::Object(table) => Value::Table(table),
        other => panic!("{other} is no table"),
    }
}

pub(crate) fn texts(texts: &[&str]) -> Value {
    Value::Texts(texts.iter().map(|&text| text.to_owned()).collect())
}

pub(crate) fn build(values: &[(&str, Value)]) -> Result<Box<dyn Connector>> {
    (entry().build)("tool", &settings(values), &platform())
}

/// What is wrong with settings.
pub(crate) fn refused(values: &[(&str, Value)]) -> Error {
    build(values).map(|_| ()).unwrap_err()
}

/// The stream `zeiten` of the shell taps: time with a day and hours.
pub(crate) fn zeiten() -> Json {
    json!({"zeiten": {
        "record": "time",
        "columns": {"date": "day", "duration": "hours", "description": "note"},
    }})
}

/// A tap that is a shell script, in a directory of its own.
pub(crate) struct Script {
    pub(crate) around: tempfile::TempDir,
    settings: BTreeMap<&'static str, Value>,
}

impl Script {
    /// A script that says these lines of shell. `$OUT` is a directory to leave traces in.
    pub(crate) fn new(lines: &str) -> Self {
        let around = tempfile::tempdir().unwrap();
        let out = around.path().join("out");
        std::fs::create_dir(&out).unwrap();
        std::fs::create_dir(around.path().join("runs")).unwrap();
        let script = Self {
            settings: BTreeMap::new(),
            around,
        };
        script.rewrite(lines);
        let path = script.around.path().join("tap.sh");
        let path = path.to_str().unwrap();
        script
            .with("command", texts(&["/bin/sh", path]))
            .with("select", Value::Text("none".to_owned()))
            .with("streams", table(zeiten()))
    }

    pub(crate) fn rewrite(&self, lines: &str) {
        let out = self.around.path().join("out");
        let text = format!("OUT='{}'\n{lines}\n", out.display());
        std::fs::write(self.around.path().join("tap.sh"), text).unwrap();
    }

    pub(crate) fn with(mut self, key: &'static str, value: Value) -> Self {
        self.settings.insert(key, value);
        self
    }

    /// Where the runs have their private directories.
    pub(crate) fn runs(&self) -> PathBuf {
        self.around.path().join("runs")
    }

    /// What the script left under this name.
    pub(crate) fn trace(&self, name: &str) -> String {
        let path = self.around.path().join("out").join(name);
        std::fs::read_to_string(path).unwrap_or_default()
    }

    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        let mut values: Vec<(&str, Value)> = vec![("directory", Value::Path(self.runs()))];
        values.extend(
            self.settings
                .iter()
                .map(|(key, value)| (*key, value.clone())),
        );
        build(&values).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// `say` prints the message whose JSON is its argument.
pub(crate) const SAY: &str = "say() { printf '%s\\n' \"$1\"; }\n";
pub(crate) const SCHEMA: &str =
    r#"say '{"type":"SCHEMA","stream":"zeiten","schema":{},"key_properties":["id"]}'"#;

/// Shell that says one record.
pub(crate) fn record(id: u32) -> String {
    format!(
        "say '{}{{\"id\":{id},{},\"note\":\"n{id}\"}},{}'",
        r#"{"type":"RECORD","stream":"zeiten","record":"#,
        r#""day":"2026-03-02","hours":0.1"#,
        r#""time_extracted":"2026-03-03T00:00:00Z"}"#,
    )
}

/// Shell that says a state.
pub(crate) fn state(json: &str) -> String {
    format!("say '{{\"type\":\"STATE\",\"value\":{json}}}'")
}

/// The parts of a script, one a line.
pub(crate) fn lines(parts: &[&str]) -> String {
    format!("{SAY}{}", parts.join("\n"))
}

/// Pulls to the end: the pages with the cursor behind each, and how it ended.
pub(crate) async fn pull(
    connector: &dyn Connector,
    cursor: &Cursor,
) -> (Vec<Page>, std::result::Result<Cursor, Error>) {
    let mut pages: Vec<Page> = Vec::new();
    let mut cursor = cursor.clone();
    loop {
        match connector.pull(&cursor, &Pull::Changes).await {
            Err(error) => return (pages, Err(error)),
            Ok(page) => {
                let (next, more) = (page.next.clone(), page.more);
                pages.push(page);
                if !more {
                    return (pages, Ok(next));
                }
                assert_ne!(next, cursor, "there is more, and the cursor stands still");
                cursor = next;
            }
        }
    }
}

/// The same where it must end well.
pub(crate) async fn pull_well(connector: &dyn Connector, cursor: &Cursor) -> (Vec<Page>, Cursor) {
    let (pages, end) = pull(connector, cursor).await;
    (pages, end.unwrap_or_else(|error| panic!("{error}")))
}

pub(crate) fn ids(pages: &[Page]) -> Vec<String> {
    let raw = pages.iter().flat_map(|page| &page.raw);
    raw.map(|raw| raw.id.to_string()).collect()
}

pub(crate) fn codes(pages: &[Page]) -> Vec<&'static str> {
    let notices = pages.iter().flat_map(|page| &page.notices);
    notices.map(|notice| notice.code).collect()
}

/// Whether a process is there and not just waiting to be buried.
pub(crate) fn lives(id: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", id.trim()));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit(')').next().unwrap_or_default();
        !state.trim_start().starts_with(['Z', 'X'])
    })
}

/// Waits some seconds until it is so.
pub(crate) fn until(what: &str, so: impl Fn() -> bool) {
    for _ in 0..500 {
        if so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("waited in vain: {what}");
}

/// The interpreter itself, for one of a version manager is a script that needs an environment.
pub(crate) fn python() -> Option<&'static Path> {
    static FOUND: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        let asked = Command::new("python3")
            .args(["-c", "import sys; print(sys.executable)"])
            .output();
        let said = asked.ok().filter(|asked| asked.status.success())?;
        Some(PathBuf::from(String::from_utf8(said.stdout).ok()?.trim()))
    };
    let found = FOUND.get_or_init(find).as_deref();
    if found.is_none() {
        println!("SKIPPED: there is no python3 to play a tap");
    }
    found
}

/// The world of `tap.py`.
pub(crate) struct World {
    around: tempfile::TempDir,
    python: &'static Path,
    pub(crate) now: Mutex<Json>,
}

impl World {
    pub(crate) fn new(python: &'static Path, full: bool) -> Self {
        let world = Self {
            around: tempfile::tempdir().unwrap(),
            python,
            now: Mutex::new(json!({"full": full, "rows": [], "clock": 0, "next": 1})),
        };
        world.change(|_| ());
        world
    }

    fn path(&self) -> PathBuf {
        self.around.path().join("world.json")
    }

    /// Changes the world, a moment later than all before.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Json) -> T) -> T {
        let mut now = self.now.lock().unwrap();
        now["clock"] = (now["clock"].as_u64().unwrap() + 1).into();
        let changed = change(&mut now);
        std::fs::write(self.path(), now.to_string()).unwrap();
        changed
    }

    /// How often the program was started so far, `--discover` included.
    pub(crate) fn starts(&self) -> u64 {
        let log = std::fs::read_to_string(self.path().with_extension("json.log"));
        log.unwrap_or_default().lines().count() as u64
    }

    pub(crate) fn values(&self, streams: Json, select: &str) -> Vec<(&'static str, Value)> {
        let tap = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exec/tap.py");
        let command = [self.python.to_str().unwrap(), "-IS", tap.to_str().unwrap()];
        let config = json!({"world": self.path(), "api_key": "{credential}"});
        vec![
            ("command", texts(&command)),
            ("config", table(config)),
            ("credential", Value::Secret(Secret::new(CANARY))),
            ("streams", table(streams)),
            ("select", Value::Text(select.to_owned())),
            ("directory", Value::Path(self.around.path().to_owned())),
        ]
    }
}

/// The rows of a world.
pub(crate) fn rows(world: &mut Json) -> &mut Vec<Json> {
    world["rows"].as_array_mut().unwrap()
}

/// One more row, of now.
pub(crate) fn add_row(world: &mut Json, title: &str) -> String {
    let id = world["next"].as_u64().unwrap();
    world["next"] = (id + 1).into();
    let mut row = Map::new();
    row.insert("id".to_owned(), id.into());
    row.insert("title".to_owned(), title.into());
    row.insert("day".to_owned(), "2026-03-02T00:00:00.000000Z".into());
    row.insert("hours".to_owned(), json!(0.25));
    row.insert("at".to_owned(), world["clock"].clone());
    rows(world).push(Json::Object(row));
    id.to_string()
}

pub(crate) fn row<'w>(world: &'w mut Json, id: &str) -> &'w mut Json {
    let number: u64 = id.parse().unwrap();
    let found = rows(world).iter_mut().find(|row| row["id"] == number);
    found.expect("a row of that id")
}
