//! Small disks: file systems in memory that are full soon. They need root.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// A mounted file system; unmounted when it is dropped.
#[derive(Debug)]
pub(super) struct Mount {
    place: PathBuf,
    /// Removed once it is unmounted.
    dir: Option<TempDir>,
}

impl Mount {
    /// A file system of its own; `options` as `size=256k` or `nr_inodes=4`. None where this user
    /// may not mount, which is said.
    pub(super) fn new(options: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().to_owned();
        let mut mount = Self::over(&place, options)?;
        mount.dir = Some(dir);
        Some(mount)
    }

    /// The same over a directory that is there.
    pub(super) fn over(place: &Path, options: &str) -> Option<Self> {
        let place = place.to_owned();
        if !rustix::process::geteuid().is_root() || !mount(&["-t", "tmpfs", "-o", options], &place)
        {
            println!("SKIPPED: only root can make a small disk");
            return None;
        }
        Some(Self { place, dir: None })
    }

    pub(super) fn path(&self) -> &Path {
        &self.place
    }

    /// The bytes that are used.
    pub(super) fn used(&self) -> u64 {
        let stat = rustix::fs::statvfs(&self.place).unwrap();
        (stat.f_blocks - stat.f_bfree) * stat.f_bsize
    }

    /// Gives it other options: `size=8m`, `ro`, `rw`.
    pub(super) fn change(&self, options: &str) {
        let options = format!("remount,{options}");
        assert!(mount(&["-o", &options], &self.place), "mount -o {options}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.place).status();
        assert!(unmounted.is_ok_and(|it| it.success()) || std::thread::panicking());
    }
}

fn mount(arguments: &[&str], place: &Path) -> bool {
    let mut command = Command::new("mount");
    if arguments.contains(&"-t") {
        command.args(arguments).arg("tmpfs")
    } else {
        command.args(arguments)
    }
    .arg(place)
    .status()
    .is_ok_and(|it| it.success())
}
