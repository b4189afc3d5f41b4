//! A real folder, a connector over it, and ways into other users' and other mounts' shoes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use stundenbuch_connectors::budget::MemoryBudgets;
use stundenbuch_connectors::clock::SystemClock;
use stundenbuch_connectors::contract::Absent;
use stundenbuch_connectors::contract::{
    Connector, Cursor, Item, Outgoing, OutgoingFile, Page, Platform, Presence, Pull, Receipt,
};
use stundenbuch_connectors::error::Result;
use stundenbuch_connectors::kind::{Settings, Value};
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::{Entry, find};

pub(crate) fn entry() -> &'static Entry {
    find("folder").expect("the folder connector is in the list")
}

pub(crate) fn platform() -> Platform {
    Platform {
        clock: Arc::new(SystemClock),
        budgets: Arc::new(MemoryBudgets::default()),
        logins: Arc::new(stundenbuch_connectors::login::Memory::default()),
    }
}

pub(crate) fn settings(path: &Path, marker: Option<&str>, ignore: &[&str]) -> Settings {
    let kind = entry().kind;
    let mut settings = Settings::default();
    let key = |key| kind.setting(key).expect("a declared key");
    settings.set(key("path"), Value::Path(path.to_owned()));
    let ignore = ignore.iter().map(|name| (*name).to_owned()).collect();
    settings.set(key("ignore"), Value::Texts(ignore));
    if let Some(marker) = marker {
        settings.set(key("marker"), Value::Text(marker.to_owned()));
    }
    settings
}

/// A connection to `path`.
pub(crate) fn connect(path: &Path, marker: Option<&str>, ignore: &[&str]) -> Box<dyn Connector> {
    (entry().build)("share", &settings(path, marker, ignore), &platform()).expect("good settings")
}

pub(crate) struct World {
    /// The folder lies in this one, so that it can be moved away.
    around: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let around = tempfile::tempdir().unwrap();
        std::fs::create_dir(around.path().join("share")).unwrap();
        Self { around }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.around.path().join("share")
    }

    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.around.path().join(name)
    }

    /// Writes a file that was last changed long ago, so that it is not looked at twice.
    pub(crate) fn write(&self, path: &str, content: &str) {
        write_old(&self.root().join(path), content);
    }

    /// Waits until the kernel's clock for files has moved on: it ticks every few milliseconds.
    pub(crate) fn tick(&self) {
        use std::os::unix::fs::MetadataExt as _;
        let scratch = self.beside("scratch");
        let changed = || {
            std::fs::write(&scratch, "x").unwrap();
            let seen = scratch.metadata().unwrap();
            (seen.ctime(), seen.ctime_nsec())
        };
        let start = changed();
        while changed() == start {
            std::thread::yield_now();
        }
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.root().join(path)).unwrap();
    }

    pub(crate) fn connector(&self) -> Box<dyn Connector> {
        connect(&self.root(), None, &[])
    }
}

pub(crate) fn write_old(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
    age(path, 1_790_000_000);
}

pub(crate) fn age(path: &Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
        .unwrap();
}

/// Pulls to the end; the pages with the cursor behind them.
pub(crate) async fn pull(
    connector: &dyn Connector,
    cursor: &Cursor,
) -> Result<(Vec<Page>, Cursor)> {
    let mut pages = Vec::new();
    let mut cursor = cursor.clone();
    loop {
        let page = connector.pull(&cursor, &Pull::Changes).await?;
        cursor = page.next.clone();
        let more = page.more;
        pages.push(page);
        if !more {
            return Ok((pages, cursor));
        }
    }
}

pub(crate) fn ids(pages: &[Page]) -> BTreeSet<String> {
    let raws = pages.iter().flat_map(|page| &page.raw);
    raws.map(|raw| raw.id.as_str().to_owned()).collect()
}

/// What a complete walk has seen; `None` when no walk was complete.
pub(crate) fn swept(pages: &[Page]) -> Option<BTreeSet<String>> {
    let sweep = pages.last()?.swept.first()?;
    assert_eq!((sweep.stream, sweep.scope.as_str()), (Stream::Files, "."));
    Some(
        sweep
            .present
            .iter()
            .map(|id| id.as_str().to_owned())
            .collect(),
    )
}

pub(crate) fn codes(pages: &[Page]) -> Vec<&'static str> {
    let notices = pages.iter().flat_map(|page| &page.notices);
    notices.map(|notice| notice.code).collect()
}

pub(crate) fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

pub(crate) async fn confirm(connector: &dyn Connector, paths: &[&str]) -> Result<Vec<Presence>> {
    let absent: Vec<_> = paths
        .iter()
        .map(|path| Absent {
            stream: Stream::Files,
            id: ExternalId::new(*path),
            scope: ".".to_owned(),
        })
        .collect();
    let answers = connector.confirm(&absent).await?;
    let answer = |path: &&str| {
        let found = answers.iter().find(|(id, _)| id.as_str() == *path);
        found
            .map(|(_, presence)| presence.clone())
            .expect("one answer for each")
    };
    Ok(paths.iter().map(answer).collect())
}

pub(crate) async fn deliver(
    connector: &dyn Connector,
    path: &str,
    content: &[u8],
) -> Result<Receipt> {
    let hash = Command::new("sha256sum")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .and_then(|mut child| {
            use std::io::Write as _;
            child.stdin.take().expect("piped").write_all(content)?;
            child.wait_with_output()
        })
        .unwrap();
    let outgoing = Outgoing {
        key: format!("statement/{path}"),
        item: Item::File(OutgoingFile {
            path: path.to_owned(),
            bytes: Arc::from(content),
            sha256: String::from_utf8(hash.stdout[..64].to_vec()).unwrap(),
            replaces: None,
        }),
    };
    connector.deliver(&outgoing).await
}

/// Where the rest of a test must run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shoes {
    /// As a user whom permissions bind.
    Nobody,
    /// With mounts of its own.
    Mounts,
}

/// Whether this process stands in those shoes. Where it does not, the test runs again in a
/// process that does, and the caller returns. Skips with a message where that is not possible.
pub(crate) fn stands_in(shoes: Shoes, test: &str) -> bool {
    const MARK: &str = "STUNDENBUCH_TEST_SHOES";
    if std::env::var(MARK).is_ok_and(|here| here == format!("{shoes:?}")) {
        return true;
    }
    let root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|out| out.stdout == b"0\n");
    let wrapper: &[&str] = match shoes {
        Shoes::Nobody if !root => return true,
        Shoes::Nobody => &[
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
        ],
        Shoes::Mounts => &["unshare", "--user", "--map-root-user", "--mount"],
    };
    let command_there = || {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]);
        command
    };
    if !command_there()
        .arg("true")
        .output()
        .is_ok_and(|out| out.status.success())
    {
        println!("SKIPPED {test}: `{}` does not work here", wrapper.join(" "));
        return false;
    }
    // A copy, since another user need not be able to reach the build directory.
    let around = tempfile::tempdir().unwrap();
    let exe = around.path().join("test");
    std::fs::copy(std::env::current_exe().unwrap(), &exe).unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(around.path(), open).unwrap();
    let status = command_there()
        .arg(&exe)
        .args(["--exact", test, "--nocapture"])
        .env(MARK, format!("{shoes:?}"))
        .current_dir("/")
        .status()
        .unwrap();
    assert!(status.success(), "{test} fails as {shoes:?}");
    false
}

/// Runs a command that must succeed.
pub(crate) fn run(command: &str, arguments: &[&str]) {
    let status = Command::new(command).args(arguments).status().unwrap();
    assert!(status.success(), "{command} {arguments:?}");
}
