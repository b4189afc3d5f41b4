//! `ledger backup` and the backups of nights: whole or not at all, and never over something else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use stundenbuch::ledger::{Alias, Event, Heads};
use stundenbuch::store::{Anchors, Store, backups_in};

use super::home::Home;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
}

/// Backups of the home's ledger, oldest first.
fn backups(home: &Home, directory: &Path) -> Vec<PathBuf> {
    let store = Store::open_read_only(&home.ledger()).unwrap();
    let identity = store.identity().unwrap().unwrap();
    backups_in(directory, &home.ledger(), &identity).unwrap()
}

#[test]
fn a_backup_is_one_private_file_that_verifies_and_says_what_it_holds() {
    let home = Home::new();
    home.seal(1);
    home.seal(2);
    fs::create_dir(home.path("backups")).unwrap();
    let said = home.must(&["ledger", "backup", "backups"], 0);
    let rows = home.rows();
    let head = home.must(&["ledger", "head"], 0).out;
    let hash = head.trim().rsplit(' ').next().unwrap().to_owned();
    assert_eq!(said.out, format!("backups/ledger-NOW-{rows}.db\n"));
    assert_eq!(
        said.err,
        format!(
            "The backup holds, verified: {rows} rows, ending in {hash}; 2 statements, the newest \
             R 0002.\n"
        )
    );
    let made = backups(&home, &home.path("backups"));
    let [file] = made.as_slice() else {
        panic!("{made:?}")
    };
    let heads = format!("{}.heads", file.display());
    assert_eq!(
        names(&home.path("backups")).len(),
        2,
        "the backup and its heads"
    );
    for path in [file.as_path(), Path::new(&heads)] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
    let copy = Store::open_read_only(file).unwrap();
    assert_eq!(copy.verify().unwrap().damage, None);
    let kept = Heads::read(&fs::read(heads).unwrap());
    assert_eq!(kept.last().unwrap().head, copy.head().unwrap());
    drop(copy);
    // Read where nothing can be written beside it, and not changed by looking.
    let before = fs::read(file).unwrap();
    let output = home
        .command(&["ledger", "verify"])
        .env("STUNDENBUCH__LEDGER__PATH", file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(fs::read(file).unwrap(), before);
    assert_eq!(names(&home.path("backups")).len(), 2);
}

#[test]
fn a_backup_is_one_instant_of_a_ledger_that_is_written_to_all_the_time() {
    let home = Home::new();
    let stop = AtomicBool::new(false);
    let directory = home.path("backups");
    fs::create_dir(&directory).unwrap();
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut store = Store::open(&home.ledger(), at(0)).unwrap();
            let mut rows = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                store
                    .write(|writer| {
                        // Two rows a transaction, so that half of one would show.
                        for half in ["a", "b"] {
                            let alias = Event::Alias(Alias {
                                text: format!("{half} {rows} {}", "x".repeat(2_000)),
                                task: None,
                            });
                            writer.append(at(0), "ahorn", &alias)?;
                        }
                        Ok::<_, stundenbuch::store::Error>(())
                    })
                    .unwrap();
                rows += 2;
            }
            rows
        });
        let anchors = Anchors::new(&home.ledger(), None);
        let begun = home.rows();
        let mut ends = Vec::new();
        for nth in 0..8 {
            while nth == 0 && home.rows() < begun + 40 {
                std::thread::yield_now();
            }
            let store = Store::open_read_only(&home.ledger()).unwrap();
            let made = store.back_up(&directory, None, &anchors, at(nth)).unwrap();
            let copy = Store::open_read_only(&made.file).unwrap();
            let head = copy.head().unwrap();
            assert_eq!((head.seq, head.hex()), (made.rows, made.head));
            assert_eq!((head.seq - begun) % 2, 0, "a whole transaction");
            ends.push(head.seq);
        }
        stop.store(true, Ordering::Relaxed);
        assert!(ends.is_sorted() && ends.first() < ends.last(), "{ends:?}");
        writer.join().unwrap()
    });
    assert!(written > 40);
    assert_eq!(backups(&home, &directory).len(), 8);
    home.must(&["ledger", "verify"], 0);
}

#[test]
fn nothing_else_is_overwritten() {
    let (home, other) = (Home::new(), Home::new());
    home.seal(1);
    home.must(&["ledger", "backup", "newer.db"], 0);
    let newer = fs::read(home.path("newer.db")).unwrap();
    // The same ledger without its last row, and its heads with it.
    home.must(&["ledger", "backup", "older.db"], 0);
    other.must(&["ledger", "backup", "other.db"], 0);
    fs::copy(other.path("other.db"), home.path("other.db")).unwrap();
    fs::write(home.path("notes.txt"), "Brot, Butter").unwrap();
    for (to, why) in [
        ("other.db", "that is another ledger"),
        ("notes.txt", "something lies there that is no backup"),
        ("ledger.db", "that is the ledger itself"),
    ] {
        let before = fs::read(home.path(to)).unwrap();
        let said = home.must(&["ledger", "backup", to], 2);
        let text = format!(
            "error: back up to {to}: {why}\n\n\
             hint: name a directory, or a file that is not there yet\n"
        );
        assert_eq!(said.err, text);
        assert_eq!(fs::read(home.path(to)).unwrap(), before, "{to}");
        assert!(!home.path(&format!("{to}.part")).exists());
    }
    // An older backup of the same ledger may be replaced, a newer one may not.
    home.seal(2);
    home.must(&["ledger", "backup", "older.db"], 0);
    home.put_back(&home.path("newer.db"));
    fs::remove_file(home.path("ledger.db.heads")).unwrap();
    let said = home.must(&["ledger", "backup", "older.db"], 2);
    assert!(
        said.err
            .contains("it holds rows that this ledger does not have"),
        "{}",
        said.err
    );
    assert_eq!(fs::read(home.path("newer.db")).unwrap(), newer);
    let said = home.must(&["ledger", "backup"], 2);
    assert!(
        said.err
            .starts_with("error: back up the ledger: it is not said where to\n")
    );
    let said = home.must(&["ledger", "backup", "x.db", "--keep", "2"], 2);
    assert!(
        said.err
            .contains("keep some backups of x.db: it is no directory"),
        "{}",
        said.err
    );
}

#[test]
fn a_damaged_ledger_gives_no_backup() {
    let home = Home::new();
    home.seal(1);
    fs::create_dir(home.path("backups")).unwrap();
    home.sql("UPDATE journal SET at = at + 1 WHERE seq = 4");
    let said = home.must(&["ledger", "backup", "backups"], 4);
    assert!(
        said.err
            .starts_with("error: the ledger is damaged: row 4: its hash does not follow"),
        "{}",
        said.err
    );
    assert_eq!(names(&home.path("backups")), Vec::<String>::new());
}

#[test]
fn so_many_stay_and_what_is_not_ours_stays_too() {
    let (home, other) = (Home::new(), Home::new());
    let directory = home.path("backups");
    fs::create_dir(&directory).unwrap();
    let anchors = Anchors::new(&home.ledger(), None);
    let store = Store::open_read_only(&home.ledger()).unwrap();
    // Of another ledger under the same name, of nothing, and another name.
    let theirs = directory.join("ledger-19700101T000000Z-3.db");
    other.must(&["ledger", "backup", theirs.to_str().unwrap()], 0);
    fs::write(directory.join("ledger-19700101T000000Z-1.db"), "no ledger").unwrap();
    fs::write(directory.join("ledger-notes.txt"), "x").unwrap();
    for second in 1..=5 {
        let made = store
            .back_up(&directory, Some(3), &anchors, at(second))
            .unwrap();
        assert_eq!(made.removed.len(), usize::from(second > 3));
    }
    let rows = home.rows();
    let ours =
        (3..=5).map(|second| directory.join(format!("ledger-19700101T00000{second}Z-{rows}.db")));
    assert_eq!(backups(&home, &directory), ours.collect::<Vec<_>>());
    let names = names(&directory);
    assert_eq!(names.len(), 4 + 2 * 3, "{names:?}");
}

#[test]
fn a_night_makes_a_backup_and_tells_when_it_cannot() {
    let section = "[backup]\ndirectory = \"backups\"\nkeep = 2\n";
    let home = Home::with("", section);
    let said = home.must(&["nightly"], 3);
    let failed = "NOT KEPT the backup failed: back up to ./backups: there is no such directory";
    assert!(said.out.contains(failed), "{}", said.out);
    let findings = home.must(&["findings"], 1).out;
    assert!(findings.contains("The nightly backup failed"), "{findings}");
    let status = home.must(&["status"], 3).out;
    assert!(status.contains("The nightly backup failed"), "{status}");

    fs::create_dir(home.path("backups")).unwrap();
    let said = home.must(&["nightly"], 0);
    assert!(
        said.out.contains("backed up to ./backups/ledger-NOW-"),
        "{}",
        said.out
    );
    assert!(!home.must(&["findings"], 0).out.contains("backup"));
    let made = backups(&home, &home.path("backups"));
    assert_eq!(made.len(), 1);
    // The night is over in it.
    let copy = Store::open_read_only(&made[0]).unwrap();
    assert!(copy.last_run().unwrap().unwrap().finished_at.is_some());
    drop(copy);
    // A part of a night makes none, and neither does a rehearsal.
    home.must(&["pull"], 0);
    home.must(&["nightly", "--dry-run"], 0);
    assert_eq!(backups(&home, &home.path("backups")).len(), 1);
}

/// A small disk, unmounted in the end.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, size: &str) -> Option<Self> {
        fs::create_dir(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "none"])
            .arg(&at)
            .output();
        match mounted {
            Ok(output) if output.status.success() => Some(Self(at)),
            other => {
                println!("SKIPPED: a small disk needs root and mount(8): {other:?}");
                None
            }
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk_leaves_nothing_half() {
    let home = Home::new();
    home.seal(1);
    let size = fs::metadata(home.ledger()).unwrap().len();
    let mut made = 0;
    for (nth, part) in [8, 4, 2, 1].into_iter().enumerate() {
        let bytes = (size / part).to_string();
        let Some(disk) = Disk::mount(home.path(&format!("disk{nth}")), &bytes) else {
            return;
        };
        let to = disk.0.to_str().unwrap().to_owned();
        let said = home.run(&["ledger", "backup", &to]);
        if said.code == 0 {
            made += 1;
            continue;
        }
        assert_eq!(said.code, 3, "{said:?}");
        assert!(
            said.err.starts_with("error: back up to DIR/disk"),
            "{}",
            said.err
        );
        assert!(said.err.contains(": the disk is full\n"), "{}", said.err);
        assert_eq!(names(&disk.0), Vec::<String>::new(), "1/{part}");
    }
    assert!(made < 4, "one of the disks was too small");
    home.must(&["ledger", "verify"], 0);
}
