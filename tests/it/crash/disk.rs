//! A disk that forgets: what was written to a directory, in order, and what of it is left when
//! the power goes off.
//!
//! The tracer stops the program after each call that writes, and this looks at the directory
//! then, so it needs to understand no call but `fsync`: a change of names, or of the bytes of a
//! file, is what is seen to be different. From the changes any cut can be made, as often as
//! wanted, without the program. A FUSE file system would give one cut a run, needs root and a
//! device, and would be another thousand lines that can be wrong; this one is held against the
//! real directory, byte for byte, at the end of every recording.
//!
//! What is promised to be left is what POSIX promises, which is less than most disks keep:
//!
//! - The bytes of a file after `fsync` or `fdatasync` of it. Of later changes each page is left
//!   or not, whatever became of others, and a page may be torn between two sectors. The length
//!   is left or not by itself; where it is left and the bytes are not, there are zeros.
//! - A name after `fsync` of its directory. Later names are left or not: in their order, as a
//!   journal would have it, or each by itself. A rename happened or did not.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::chance::Chance;
use super::stopper::Stop;

/// What a disk writes at once, at best.
const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// A file or a directory, in the order in which they came; 0 is the root.
type Node = usize;
/// A name in a directory.
type Name = (Node, String);

/// Everything that was written to a directory.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
    device: u64,
    changes: Vec<Change>,
    /// What was there at the beginning, and stays.
    settled: usize,
    /// As last seen.
    names: BTreeMap<Name, Node>,
    contents: HashMap<Node, Vec<u8>>,
    /// What has a name, by the number that the file system gives it.
    nodes: HashMap<u64, Node>,
    count: usize,
    /// Of each thread that is syncing, how many changes there were when it began.
    syncing: HashMap<u32, usize>,
}

#[derive(Debug)]
enum Change {
    /// Names that came, went or moved at once.
    Names(Vec<(Name, Option<Node>)>),
    Data {
        file: Node,
        length: usize,
        /// The pages that changed, by their number.
        pages: Vec<(usize, Vec<u8>)>,
    },
    /// What was changed in a file or a directory before is there to stay.
    Sync { node: Node, before: usize },
}

/// How much of what was not synced is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Everything,
    Nothing,
    /// Names in their order.
    Journalled,
    /// Each thing by itself.
    Whatever,
}

/// What is left: directories, and files with their bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Image {
    directories: Vec<PathBuf>,
    pub(super) files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Disk {
    /// Watches a directory from now on.
    pub(super) fn watch(root: &Path) -> Self {
        let found = fs::metadata(root).unwrap();
        let mut disk = Self {
            root: root.to_owned(),
            device: found.dev(),
            changes: Vec::new(),
            settled: 0,
            names: BTreeMap::new(),
            contents: HashMap::new(),
            nodes: HashMap::from([(found.ino(), 0)]),
            count: 1,
            syncing: HashMap::new(),
        };
        disk.look_around();
        disk.settled = disk.changes.len();
        disk
    }

    /// How many changes there were.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// The first moment that can be lost.
    pub(super) fn first(&self) -> usize {
        self.settled
    }

    /// Looks at what a call is about to do, or has done.
    pub(super) fn see(&mut self, stop: &Stop<'_>) {
        let (call, result) = match stop {
            Stop::Before(call) => {
                if call.syncs() {
                    self.syncing.insert(call.thread, self.changes.len());
                }
                return;
            }
            Stop::After(call, result) => (call, *result),
        };
        if result < 0 {
            return;
        }
        if call.names() {
            self.look_around();
            return;
        }
        let Some(handle) = call.handle() else { return };
        let Some(node) = self.node_at(&handle) else {
            return;
        };
        if !call.syncs() {
            self.look_at(node, &handle);
        } else if let Some(before) = self.syncing.remove(&call.thread) {
            self.changes.push(Change::Sync { node, before });
        }
    }

    fn node_at(&self, path: &Path) -> Option<Node> {
        let found = fs::metadata(path).ok()?;
        let ours = found.dev() == self.device && (found.is_file() || found.is_dir());
        self.nodes.get(&found.ino()).copied().filter(|_| ours)
    }

    /// Sees which names came and went, and which files were cut or made longer by that.
    fn look_around(&mut self) {
        let mut seen = BTreeMap::new();
        let mut files = Vec::new();
        let mut here = HashMap::from([(fs::metadata(&self.root).unwrap().ino(), 0)]);
        let mut open = vec![(0, self.root.clone())];
        while let Some((directory, path)) = open.pop() {
            for entry in fs::read_dir(path).unwrap().map(Result::unwrap) {
                // It may go while we look; then the call that removes it is next.
                let Ok(found) = entry.metadata() else {
                    continue;
                };
                let known = self.nodes.get(&found.ino()).copied();
                let node = known.unwrap_or_else(|| {
                    self.count += 1;
                    self.count - 1
                });
                self.nodes.insert(found.ino(), node);
                here.insert(found.ino(), node);
                seen.insert((directory, entry.file_name().into_string().unwrap()), node);
                if found.is_dir() {
                    open.push((node, entry.path()));
                } else {
                    files.push((node, entry.path()));
                }
            }
        }
        self.nodes = here;
        let gone = self.names.keys().filter(|name| !seen.contains_key(*name));
        let mut changes: Vec<_> = gone.map(|name| (name.clone(), None)).collect();
        let new = seen
            .iter()
            .filter(|(name, node)| self.names.get(*name) != Some(node));
        changes.extend(new.map(|(name, node)| (name.clone(), Some(*node))));
        self.names = seen;
        if !changes.is_empty() {
            self.changes.push(Change::Names(changes));
        }
        for (node, path) in files {
            self.look_at(node, &path);
        }
    }

    /// Sees what changed in a file.
    fn look_at(&mut self, file: Node, path: &Path) {
        let Ok(now) = fs::read(path) else { return };
        let before = self.contents.entry(file).or_default();
        let page_of = |bytes: &[u8], page: usize| {
            let end = bytes.len().min((page + 1) * PAGE);
            bytes.get(page * PAGE..end).unwrap_or_default().to_vec()
        };
        // A page that was cut off is empty, lest an older state of it come back.
        let count = now.len().max(before.len()).div_ceil(PAGE);
        let pages = (0..count).map(|page| (page, page_of(&now, page)));
        let changed = pages.filter(|(page, bytes)| *bytes != page_of(before, *page));
        let pages: Vec<_> = changed.collect();
        let length = now.len();
        if pages.is_empty() && length == before.len() {
            return;
        }
        *before = now;
        self.changes.push(Change::Data {
            file,
            length,
            pages,
        });
    }

    /// What is left when the power goes off after so many changes.
    pub(super) fn cut(&self, at: usize, keep: Keep, chance: &mut Chance) -> Image {
        let mut synced: HashMap<Node, usize> = HashMap::new();
        for change in &self.changes[..at] {
            if let Change::Sync { node, before } = change {
                let until = synced.entry(*node).or_default();
                *until = (*until).max(*before);
            }
        }
        let stays = |node: Node, at: usize| {
            at < self.settled || synced.get(&node).is_some_and(|before| at < *before)
        };
        let names = self.names_left(at, keep, &stays, chance);
        let mut image = Image::default();
        let mut open = vec![(0, PathBuf::new())];
        while let Some((directory, path)) = open.pop() {
            let inside = names.range((directory, String::new())..(directory + 1, String::new()));
            for ((_, name), node) in inside {
                let path = path.join(name);
                if self.contents.contains_key(node) {
                    let bytes = self.bytes_left(*node, at, keep, &stays, chance);
                    image.files.insert(path, bytes);
                } else {
                    image.directories.push(path.clone());
                    open.push((*node, path));
                }
            }
        }
        image
    }

    fn names_left(
        &self,
        at: usize,
        keep: Keep,
        stays: &dyn Fn(Node, usize) -> bool,
        chance: &mut Chance,
    ) -> BTreeMap<Name, Node> {
        let made = self.changes[..at].iter().enumerate();
        let made = made.filter_map(|(at, change)| match change {
            Change::Names(names) => Some((at, names)),
            _ => None,
        });
        let made: Vec<_> = made.collect();
        let stays = |at: usize, names: &[(Name, Option<Node>)]| {
            names
                .iter()
                .any(|((directory, _), _)| stays(*directory, at))
        };
        // A journal that has one change has all before it.
        let last = made.iter().rposition(|(at, names)| stays(*at, names));
        let written = last.map_or(0, |last| last + 1);
        let written = written + chance.below(made.len() - written + 1);
        let mut left = BTreeMap::new();
        for (number, (at, names)) in made.iter().enumerate() {
            let kept = match keep {
                _ if stays(*at, names) => true,
                Keep::Everything => true,
                Keep::Nothing => false,
                Keep::Journalled => number < written,
                Keep::Whatever => chance.percent(50),
            };
            for (name, node) in names.iter().filter(|_| kept) {
                match node {
                    Some(node) => left.insert(name.clone(), *node),
                    None => left.remove(name),
                };
            }
        }
        left
    }

    fn bytes_left(
        &self,
        file: Node,
        at: usize,
        keep: Keep,
        stays: &dyn Fn(Node, usize) -> bool,
        chance: &mut Chance,
    ) -> Vec<u8> {
        // Each length and each state of a page that may be left, the surest first.
        let mut lengths = vec![0];
        let mut pages: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
        for (at, change) in self.changes[..at].iter().enumerate() {
            let Change::Data {
                file: of,
                length,
                pages: changed,
            } = change
            else {
                continue;
            };
            if *of != file {
                continue;
            }
            let stays = stays(file, at);
            renew(&mut lengths, *length, stays);
            for (page, bytes) in changed {
                let states = pages.entry(*page).or_insert_with(|| vec![&[]]);
                renew(states, bytes.as_slice(), stays);
            }
        }
        let mut left = vec![0; *one_of(&lengths, keep, chance)];
        for (page, states) in pages {
            let mut bytes = one_of(&states, keep, chance).to_vec();
            if matches!(keep, Keep::Journalled | Keep::Whatever) && chance.percent(25) {
                let other = one_of(&states, keep, chance);
                let torn = (1 + chance.below(PAGE / SECTOR - 1)) * SECTOR;
                bytes.truncate(torn);
                bytes.resize(torn.min(other.len()).max(bytes.len()), 0);
                bytes.extend_from_slice(other.get(torn..).unwrap_or_default());
            }
            let begin = (page * PAGE).min(left.len());
            let end = (begin + bytes.len()).min(left.len());
            left[begin..end].copy_from_slice(&bytes[..end - begin]);
        }
        left
    }
}

/// Adds a state that may be left; what stays is the least that is left.
fn renew<T>(states: &mut Vec<T>, state: T, stays: bool) {
    if stays {
        states.clear();
    }
    states.push(state);
}

fn one_of<'a, T>(states: &'a [T], keep: Keep, chance: &mut Chance) -> &'a T {
    match keep {
        Keep::Everything => states.last().expect("there is always one"),
        Keep::Nothing => &states[0],
        Keep::Journalled | Keep::Whatever => &states[chance.below(states.len())],
    }
}

impl Image {
    /// What lies in a directory.
    pub(super) fn of(root: &Path) -> Self {
        let mut image = Self::default();
        let mut open = vec![PathBuf::new()];
        while let Some(path) = open.pop() {
            for entry in fs::read_dir(root.join(&path)).unwrap().map(Result::unwrap) {
                let path = path.join(entry.file_name());
                if entry.file_type().unwrap().is_dir() {
                    image.directories.push(path.clone());
                    open.push(path);
                } else {
                    image.files.insert(path, fs::read(entry.path()).unwrap());
                }
            }
        }
        image
    }

    /// Puts everything into an empty directory.
    pub(super) fn write(&self, root: &Path) {
        for directory in &self.directories {
            fs::create_dir_all(root.join(directory)).unwrap();
        }
        for (path, bytes) in &self.files {
            fs::write(root.join(path), bytes).unwrap();
        }
    }
}
