//! The program under the tracer: stopped before and after each call that writes, whichever thread
//! makes it.

use std::collections::HashMap;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use rustix::fs::OFlags;

/// A call that writes, as it is about to begin.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) thread: u32,
    pub(crate) name: String,
    arguments: [u64; 4],
}

/// What the tracer has stopped at; the thread stands still meanwhile.
#[derive(Debug)]
pub(crate) enum Stop<'a> {
    Before(&'a Call),
    /// With what the call gave back; negative is a failure.
    After(&'a Call, i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    GoOn,
    /// The program dies here; the call does not take place.
    Kill,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Exit(i32),
    Signal(i32),
}

impl Call {
    fn read(words: &[&str]) -> Option<Self> {
        let [thread, name, arguments @ ..] = words else {
            return None;
        };
        let arguments: Vec<u64> = arguments.iter().filter_map(|it| it.parse().ok()).collect();
        Some(Self {
            thread: thread.parse().ok()?,
            name: (*name).to_owned(),
            arguments: arguments.try_into().ok()?,
        })
    }

    /// The descriptor that it writes to, where it names one.
    fn descriptor(&self) -> Option<u64> {
        match self.name.as_str() {
            "copy_file_range" | "splice" => Some(self.arguments[2]),
            "open" | "creat" | "openat" | "openat2" | "truncate" => None,
            name if name.contains("link") || name.contains("rename") || name.contains("dir") => {
                None
            }
            _ => Some(self.arguments[0]),
        }
    }

    /// The kernel's own way to what it writes to, which leads there even without a name.
    pub(crate) fn handle(&self) -> Option<PathBuf> {
        let descriptor = self.descriptor()?;
        Some(format!("/proc/{}/fd/{descriptor}", self.thread).into())
    }

    /// What it writes to, in words.
    fn target(&self) -> Option<String> {
        let target = std::fs::read_link(self.handle()?).ok()?;
        Some(target.display().to_string())
    }

    /// Whether it writes to a file.
    pub(crate) fn goes_to(&self, path: &Path) -> bool {
        let target = self
            .handle()
            .and_then(|handle| std::fs::read_link(handle).ok());
        target.is_some_and(|target| target == path)
    }

    /// Whether it may change something that outlives the process. Threads wake each other by
    /// writing to descriptors that nobody else has.
    pub(crate) fn matters(&self) -> bool {
        let flags = match self.name.as_str() {
            "open" => self.arguments[1],
            "openat" => self.arguments[2],
            _ => {
                let target = self.target();
                return !target.is_some_and(|target| target.starts_with("anon_inode:"));
            }
        };
        flags & u64::from((OFlags::CREATE | OFlags::TRUNC).bits()) != 0
    }

    /// Whether it may give names or take them.
    pub(crate) fn names(&self) -> bool {
        self.descriptor().is_none() && self.name != "truncate"
    }

    pub(crate) fn syncs(&self) -> bool {
        matches!(self.name.as_str(), "fsync" | "fdatasync")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.target() {
            Some(target) => write!(f, "{} on {target}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// Runs a program and asks `gate` at each stop. Its words go to the file `words`.
pub(crate) fn run(
    program: &Command,
    words: &Path,
    gate: &mut dyn FnMut(Stop<'_>) -> Answer,
) -> Ended {
    let mut command = Command::new(tracer().expect("it was asked for before"));
    command
        .arg(words)
        .arg(program.get_program())
        .args(program.get_args())
        .env_clear()
        .envs(
            program
                .get_envs()
                .filter_map(|(name, it)| Some((name, it?))),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(dir) = program.get_current_dir() {
        command.current_dir(dir);
    }
    let mut tracer = command.spawn().unwrap();
    let mut answers = tracer.stdin.take().unwrap();
    let mut lines = BufReader::new(tracer.stdout.take().unwrap()).lines();
    let mut inside: HashMap<String, Call> = HashMap::new();
    let ended = loop {
        let line = lines.next().expect("the tracer tells the end").unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match words.as_slice() {
            ["before", call @ ..] => {
                let thread = call[0].to_owned();
                let call = Call::read(call).expect("our own tracer's line");
                let answer = gate(Stop::Before(&call));
                inside.insert(thread, call);
                answer
            }
            ["after", thread, _, result] => {
                let call = inside.remove(*thread).expect("it began before");
                gate(Stop::After(&call, result.parse().unwrap()))
            }
            ["end", "exit", code] => break Ended::Exit(code.parse().unwrap()),
            ["end", "signal", number] => break Ended::Signal(number.parse().unwrap()),
            _ => panic!("not a line of the tracer: {line}"),
        };
        let answer: &[u8] = match answer {
            Answer::GoOn => b"\n",
            Answer::Kill => b"kill\n",
        };
        answers.write_all(answer).unwrap();
    };
    assert!(tracer.wait().unwrap().success());
    ended
}

/// The tracer, or nothing where there can be none, and then it is said why.
pub(crate) fn tracer() -> Option<&'static Path> {
    static TRACER: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match TRACER.get_or_init(|| build().and_then(probe)) {
        Ok(tracer) => Some(tracer),
        Err(reason) => {
            println!("SKIPPED: programs cannot be traced here: {reason}");
            None
        }
    }
}

/// Builds the tracer, which is a package of its own.
fn build() -> Result<PathBuf, String> {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Err("the tracer knows the registers of x86-64 Linux only".into());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tracer");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tracer/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .output()
        .map_err(|error| format!("there is no cargo: {error}"))?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        return Err(format!("the tracer was not built: {said}"));
    }
    Ok(target.join("debug/tracer"))
}

/// Traces something harmless: a container may forbid it.
fn probe(tracer: PathBuf) -> Result<PathBuf, String> {
    let mut child = Command::new(&tracer)
        .args(["/dev/null", "/bin/true"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", tracer.display()))?;
    // It may have ended already; then its exit code says more than this.
    let _ = child.stdin.take().unwrap().write_all(&[b'\n'; 1000]);
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(tracer);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
