//! Plain WebDAV against servers as Debian brings them: `rclone serve webdav`, which ignores every
//! condition of a `PUT`, and Apache, whose tags are weak while a file is young.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use stundenbuch_connectors::contract::Outcome;
use stundenbuch_connectors::record::{ExternalId, Stream};
use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::*;
use fakes::proxy::ClosedPort;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Brand {
    Rclone,
    Apache,
}

impl Brand {
    fn program(self) -> &'static str {
        match self {
            Self::Rclone => "rclone",
            Self::Apache => "apache2",
        }
    }

    /// Whether it is installed; told where it is not.
    fn is_here(self, test: &str) -> bool {
        let out = Command::new(self.program()).arg("-h").output();
        if out.is_err() {
            eprintln!("SKIPPED {test}: `{}` is not installed", self.program());
        }
        out.is_ok()
    }
}

/// A running server over a folder of its own; it ends when it is dropped.
struct Running {
    brand: Brand,
    around: tempfile::TempDir,
    port: u16,
    child: Child,
    clock: ManualClock,
    down: AtomicBool,
    nowhere: ClosedPort,
    made: AtomicUsize,
}

impl Running {
    fn start(brand: Brand) -> Self {
        let around = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let root = around.path().join("root");
        std::fs::create_dir(&root).unwrap();
        let mut command = match brand {
            Brand::Rclone => rclone(&root, port),
            Brand::Apache => apache(around.path(), port),
        };
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = around.path().metadata().unwrap().modified().unwrap();
        let running = Self {
            brand,
            around,
            port,
            child,
            clock: ManualClock::at(began.into()),
            down: AtomicBool::new(false),
            nowhere: ClosedPort::take(),
            made: AtomicUsize::new(0),
        };
        running.open_to_all(&root);
        running.await_it();
        running
    }

    /// The server may run as another user.
    fn open_to_all(&self, folder: &Path) {
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder, all).unwrap();
        let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(self.around.path(), all).unwrap();
    }

    fn await_it(&self) {
        for _ in 0..400 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{:?} does not start", self.brand);
    }

    fn root(&self) -> PathBuf {
        self.around.path().join("root")
    }

    fn write(&self, path: &str, content: &str) {
        let file = self.root().join(path);
        let folder = file.parent().unwrap();
        std::fs::create_dir_all(folder).unwrap();
        if folder != self.root() {
            self.open_to_all(folder);
        }
        std::fs::write(file, content).unwrap();
    }

    fn connect(&self) -> Box<dyn Connector> {
        let base = if self.down.load(Ordering::Relaxed) {
            self.nowhere.base().to_owned()
        } else {
            format!("http://127.0.0.1:{}", self.port)
        };
        let mut values = vec![("url", Value::Url(base))];
        if self.brand == Brand::Rclone {
            values.push(("user", Value::Text(USER.to_owned())));
            values.push(("password", Value::Secret(Secret::new(PASSWORD))));
        }
        let platform = Platform {
            clock: Arc::new(self.clock.clone()),
            budgets: Arc::new(MemoryBudgets::default()),
            logins: Arc::new(Memory::default()),
        };
        let entry = stundenbuch_connectors::find("webdav").unwrap();
        (entry.build)("drive", &settings("webdav", &values), &platform).unwrap()
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![self.root()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
                // Apache's own book-keeping.
                if entry.file_name() == ".DAV" {
                    continue;
                }
                if entry.path().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let name = path.strip_prefix(self.root()).unwrap().to_str().unwrap();
                    files.insert(name.to_owned(), std::fs::read(&path).unwrap());
                }
            }
        }
        files
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Asked to end, so that it ends its own children as well.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

fn rclone(root: &Path, port: u16) -> Command {
    let mut command = Command::new("rclone");
    command.args(["serve", "webdav"]).arg(root);
    command.args([
        "--addr",
        &format!("127.0.0.1:{port}"),
        "--user",
        USER,
        "--pass",
        PASSWORD,
    ]);
    // What changes on disk is to be seen at once.
    command.args(["--dir-cache-time", "0s", "--config", "/dev/null"]);
    command
}

fn apache(dir: &Path, port: u16) -> Command {
    let modules = ["mpm_event", "authz_core", "dav", "dav_fs"];
    let load = modules
        .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
    let shown = dir.display();
    let config = format!(
        "{}ServerRoot {shown}\nServerName localhost\nListen 127.0.0.1:{port}\n\
         PidFile {shown}/pid\nErrorLog {shown}/error.log\nUser www-data\nGroup www-data\n\
         DocumentRoot {shown}/root\nDavLockDB {shown}/var/locks\n\
         <Directory {shown}/root>\nDav On\nRequire all granted\n\
         FileETag MTime Size\n</Directory>\n",
        load.concat()
    );
    std::fs::write(dir.join("httpd.conf"), config).unwrap();
    let var = dir.join("var");
    std::fs::create_dir(&var).unwrap();
    let all = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(var, all).unwrap();
    let mut command = Command::new("apache2");
    command
        .arg("-f")
        .arg(dir.join("httpd.conf"))
        .arg("-DFOREGROUND");
    command
}

impl Subject for Running {
    fn stream(&self) -> Stream {
        Stream::Files
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.connect()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let add = |_| {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let path = format!("Ordner {}/Übersicht {number} – €.txt", number % 7);
            self.write(&path, "x");
            ExternalId::new(path)
        };
        (0..count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        if text.contains('/') {
            return None;
        }
        self.write(text, "x");
        Some(ExternalId::new(text))
    }

    fn edit(&self, id: &ExternalId) {
        let content = std::fs::read_to_string(self.root().join(id.as_str())).unwrap();
        self.write(id.as_str(), &(content + "!"));
    }

    fn delete(&self, id: &ExternalId) {
        std::fs::remove_file(self.root().join(id.as_str())).unwrap();
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        self.files().into_keys().map(ExternalId::new).collect()
    }

    /// A real server can only be made to be away.
    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        self.down
            .store(trouble == Trouble::Away && skip == 0, Ordering::Relaxed);
        trouble == Trouble::Away
    }

    fn heal(&self) {
        self.down.store(false, Ordering::Relaxed);
    }

    fn canary(&self) -> Option<String> {
        (self.brand == Brand::Rclone).then(|| PASSWORD.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1 + self.made.load(Ordering::Relaxed).min(7) as u64
    }

    fn delivered(&self) -> Option<BTreeMap<String, Vec<u8>>> {
        Some(self.files())
    }
}

#[tokio::test]
async fn webdav_conforms_on_rclone() {
    if Brand::Rclone.is_here("webdav_conforms_on_rclone") {
        suite::all(|| async { Running::start(Brand::Rclone) }).await;
    }
}

#[tokio::test]
async fn webdav_conforms_on_apache() {
    if Brand::Apache.is_here("webdav_conforms_on_apache") {
        suite::all(|| async { Running::start(Brand::Apache) }).await;
    }
}

/// rclone#3263: a failed upload deleted the remote file. And rclone overwrites in spite of
/// `If-None-Match: *`, which only the probe notices.
#[tokio::test]
async fn a_persons_file_survives_on_every_server() {
    for brand in [Brand::Rclone, Brand::Apache] {
        if !brand.is_here("a_persons_file_survives_on_every_server") {
            continue;
        }
        let server = Running::start(brand);
        server.write("2026-11/Übersicht.pdf", "von Bert");
        let connector = server.connect();
        let wanted = "2026-11/Übersicht.pdf";
        for (content, replaces) in [(&b"eins"[..], None), (b"zwei", Some(&b"eins"[..]))] {
            let receipt = connector
                .deliver(&outgoing(wanted, content, replaces))
                .await
                .unwrap();
            assert_eq!(receipt.location, "2026-11/Übersicht (2).pdf", "{brand:?}");
        }
        let files = server.files();
        assert_eq!(files[wanted], b"von Bert", "{brand:?}");
        assert_eq!(files["2026-11/Übersicht (2).pdf"], b"zwei", "{brand:?}");
        assert_eq!(files.len(), 2, "{brand:?}: {:?}", files.keys());
        // Edited by a person since: it is nobody's to replace any more.
        server.write("2026-11/Übersicht (2).pdf", "zwei, und Bert");
        let third = outgoing(wanted, b"drei", Some(b"zwei"));
        let receipt = connector.deliver(&third).await.unwrap();
        assert_eq!(receipt.outcome, Outcome::Beside);
        assert_eq!(
            server.files()["2026-11/Übersicht (2).pdf"],
            b"zwei, und Bert"
        );
    }
}
