//! The conformance suite over a real folder.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use stundenbuch_connectors::contract::Connector;
use stundenbuch_connectors::record::{ExternalId, Stream};

use crate::world::{self, Shoes, World, connect, stands_in};

use stundenbuch_connectors::suite::{self, Subject, Trouble};

/// The folder as the suite wants its world, with the marker that makes an unmounted share
/// known from the first pull on.
struct Share {
    world: World,
    next: std::sync::atomic::AtomicUsize,
}

impl Share {
    fn new() -> Self {
        let world = World::new();
        world.write(".here", "");
        Self {
            world,
            next: 0.into(),
        }
    }
}

impl Subject for Share {
    fn stream(&self) -> Stream {
        Stream::Files
    }

    fn connector(&self) -> Box<dyn Connector> {
        connect(&self.world.root(), Some(".here"), &[])
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        let add = |_| {
            let number = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let path = format!("folder {}/{number}.txt", number % 7);
            self.world.write(&path, "x");
            ExternalId::new(path)
        };
        (0..count).map(add).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        // A slash parts folders, and a backslash is doubled in a path's text.
        if text.contains(['/', '\\']) {
            return None;
        }
        let path = format!("folder 0/{text}.txt");
        self.world.write(&path, "x");
        Some(ExternalId::new(path))
    }

    fn edit(&self, id: &ExternalId) {
        let path = self.world.root().join(id.as_str());
        let content = std::fs::read_to_string(&path).unwrap();
        self.world.write(id.as_str(), &format!("{content}!"));
    }

    fn delete(&self, id: &ExternalId) {
        self.world.remove(id.as_str());
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let root = self.world.root();
        let root = if root.exists() {
            root
        } else {
            self.world.beside("away")
        };
        let mut found = BTreeSet::new();
        for folder in std::fs::read_dir(root).unwrap().map(Result::unwrap) {
            if folder.path().is_dir() {
                for file in std::fs::read_dir(folder.path())
                    .unwrap()
                    .map(Result::unwrap)
                {
                    let (folder, file) = (folder.file_name(), file.file_name());
                    let path = format!("{}/{}", folder.display(), file.display());
                    found.insert(ExternalId::new(path));
                }
            }
        }
        found
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        let (root, away) = (self.world.root(), self.world.beside("away"));
        match trouble {
            Trouble::Away | Trouble::Empty | Trouble::Refused if skip > 0 => {
                // There are no requests, and so no later ones.
            }
            Trouble::Away => std::fs::rename(root, away).unwrap(),
            Trouble::Empty => {
                std::fs::rename(&root, away).unwrap();
                std::fs::create_dir(root).unwrap();
            }
            Trouble::Refused => {
                std::fs::set_permissions(root, PermissionsExt::from_mode(0o000)).unwrap();
            }
            _ => return false,
        }
        true
    }

    fn heal(&self) {
        let (root, away) = (self.world.root(), self.world.beside("away"));
        if away.exists() {
            let _ = std::fs::remove_dir(&root);
            std::fs::rename(away, &root).unwrap();
        }
        std::fs::set_permissions(root, PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn canary(&self) -> Option<String> {
        None
    }

    fn quiet_requests(&self) -> u64 {
        0
    }

    fn many(&self) -> usize {
        1_100
    }
}

#[tokio::test]
async fn the_folder_conforms() {
    if stands_in(Shoes::Nobody, "conformance::the_folder_conforms") {
        suite::all(|| async { Share::new() }).await;
    }
}

#[test]
fn settings_are_declared() {
    let settings = world::settings(std::path::Path::new("/share"), Some(".here"), &["x"]);
    suite::settings_are_declared(world::entry(), &settings, &world::platform());
}
