//! The program itself, as systemd runs it: its memory, its start, its size.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Options;
use crate::house::{House, remove};
use crate::table::{Table, mebibytes, median, milliseconds, repeated, seconds};

const PROGRAM: &str = env!("CARGO_BIN_EXE_stundenbuch");
const MB: u64 = 1 << 20;
/// A run that takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_hours(1);
const TIMES: usize = 15;
/// A watched folder takes no file of more than 64 MB.
const FILES: u32 = 10;

pub(crate) fn measure(options: &Options, table: &mut Table) {
    let house = options.house();
    let size = fs::metadata(PROGRAM).unwrap().len();
    table.judge(
        "size of the stripped program",
        mebibytes(size),
        "≤ 60 MB",
        size <= 60 * MB,
    );
    importing(&house, table);
    starting(&house, table);
    idle(&house, table);
}

fn importing(house: &House, table: &mut Table) {
    let ledger = house.dir.join("process.db");
    remove(&ledger);
    let mut child = program(house, &ledger)
        .args(["import", "--format", "toggl-csv"])
        .arg(house.csv())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut peak = 0;
    // The peak only grows, so the last look before the end tells it.
    while child.try_wait().unwrap().is_none() {
        peak = memory(&child, "VmHWM").unwrap_or(peak);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(child.wait().unwrap().success());
    table.judge(
        "memory: peak while importing all entries",
        mebibytes(peak),
        "≤ 64 MB",
        peak <= 64 * MB,
    );
    remove(&ledger);
}

fn starting(house: &House, table: &mut Table) {
    let ledger = house.scratch();
    let mut times = Vec::new();
    for _ in 0..TIMES {
        let (mut child, told, begun) = daemon(house, &ledger);
        told.wait_for("READY=1");
        times.push(begun.elapsed());
        end(&mut child);
    }
    let ready = median(&times);
    table.judge(
        "start to ready",
        milliseconds(ready),
        "≤ 50 ms",
        ready <= Duration::from_millis(50),
    );
    let command = |name: &str| {
        repeated(TIMES, || {
            let output = program(house, &ledger).arg(name).output().unwrap();
            assert!(output.status.code() < Some(2), "{output:?}");
        })
    };
    table.tell(
        "a command without a ledger",
        milliseconds(command("connectors")),
    );
    table.tell(
        "`status` on the large ledger",
        milliseconds(command("status")),
    );
}

/// A daemon that finds all entries in a watched folder on its first night: it imports them,
/// reviews every one, and then waits for the next night.
fn idle(house: &House, table: &mut Table) {
    let folder = house.dir.join("folder");
    fs::create_dir_all(&folder).unwrap();
    let whole = house.sheet.entries;
    let part = whole.div_ceil(FILES);
    for file in 0..FILES {
        let path = folder.join(format!("hours-{file:02}.csv"));
        if !path.exists() {
            let rows = file * part..((file + 1) * part).min(whole);
            house.sheet.write_some(&path, rows, 0);
        }
    }
    let config = house.dir.join("watched.toml");
    let text = fs::read_to_string(&house.config.file).unwrap();
    let watched = "\n[connections.drive]\nconnector = \"folder\"\npath = \"folder\"\n\
                   \n[[imports]]\nconnection = \"drive\"\nfiles = \"*.csv\"\n";
    fs::write(&config, text + watched).unwrap();
    let ledger = house.dir.join("idle.db");
    remove(&ledger);

    let (mut child, told, _) = daemon_with(&config, &ledger);
    told.wait_for("STATUS=a run is under way");
    let begun = Instant::now();
    told.wait_for("STATUS=waiting");
    let took = begun.elapsed();
    std::thread::sleep(Duration::from_secs(1));
    let idle = memory(&child, "VmRSS").unwrap();
    let anonymous = memory(&child, "RssAnon").unwrap();
    let peak = memory(&child, "VmHWM").unwrap();
    end(&mut child);
    table.judge(
        "memory: idle after a full sync",
        mebibytes(idle),
        "≤ 20 MB",
        idle <= 20 * MB,
    );
    table.tell("memory: of that not of files", mebibytes(anonymous));
    table.tell("memory: peak of the full sync", mebibytes(peak));
    table.tell("the full sync, with the first review", seconds(took));
    remove(&ledger);
}

fn program(house: &House, ledger: &Path) -> Command {
    program_with(&house.config.file, ledger)
}

fn program_with(config: &Path, ledger: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command
        .env("STUNDENBUCH__LEDGER__PATH", ledger)
        .arg("--config")
        .arg(config);
    command
}

/// Where a daemon tells how it stands, as it would tell systemd.
#[derive(Debug)]
struct Told {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Told {
    fn wait_for(&self, state: &str) {
        let mut buffer = [0; 4_096];
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let length = self.socket.recv(&mut buffer).unwrap();
            let message = String::from_utf8_lossy(&buffer[..length]);
            if message.lines().any(|line| line.starts_with(state)) {
                return;
            }
        }
        panic!("the daemon did not say {state}");
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn daemon(house: &House, ledger: &Path) -> (Child, Told, Instant) {
    daemon_with(&house.config.file, ledger)
}

fn daemon_with(config: &Path, ledger: &Path) -> (Child, Told, Instant) {
    // A socket's path is short; the directory of the ledgers may be a long one.
    let path = std::env::temp_dir().join(format!("stundenbuch-{}", std::process::id()));
    let _ = fs::remove_file(&path);
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = program_with(config, ledger);
    command
        .arg("run")
        .env("NOTIFY_SOCKET", &path)
        .env("STUNDENBUCH_LOG", "error")
        .stdout(Stdio::null());
    let begun = Instant::now();
    (command.spawn().unwrap(), Told { socket, path }, begun)
}

/// Kills: what was committed is kept, and nothing else is asked of this process.
fn end(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A line of the kernel's account of a process, in bytes.
fn memory(child: &Child, name: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1_024)
}
