//! One program, started without a shell and with nothing of our environment, and never waited for
//! without end. What it starts itself belongs to its group and ends with it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdout, Command};
use zeroize::Zeroizing;

use super::failure;
use super::lines::Lines;
use crate::error::{Error, Kind, Result};

/// Of what the program says on its standard error, so much of the end is kept.
const TAIL: usize = 4 * 1024;
/// Once the program has ended, so long is its last word waited for.
const LAST_WORD: Duration = Duration::from_secs(2);

/// What to start.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: Vec<OsString>,
    pub(super) environment: &'a [(String, Zeroizing<String>)],
    pub(super) directory: &'a Path,
}

/// How much of a program is borne.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// For the whole run.
    pub(super) whole: Duration,
    /// Without a word on its output.
    pub(super) silence: Duration,
    pub(super) bytes: u64,
    pub(super) records: u64,
}

/// Longer than any record; what is longer is no line of the protocol.
pub(super) const LONGEST_LINE: usize = 16 << 20;

/// A program that runs. Dropping it ends it, and all that it started.
#[derive(Debug)]
pub(super) struct Running {
    name: PathBuf,
    child: Child,
    group: Group,
    output: ChildStdout,
    lines: Lines,
    bytes: Vec<u8>,
    said: Said,
    listener: tokio::task::JoinHandle<()>,
    status: Option<ExitStatus>,
    limits: Limits,
    read: u64,
}

/// How a program ended, and what it said last.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) said: String,
    /// What came behind the last line's end.
    pub(super) rest: String,
}

/// The end of what was said on the standard error.
type Said = Arc<Mutex<VecDeque<u8>>>;

impl Running {
    pub(super) fn start(call: &Call<'_>, limits: Limits) -> Result<Self> {
        let mut command = Command::new(call.program);
        command
            .args(&call.arguments)
            .env_clear()
            .envs(
                call.environment
                    .iter()
                    .map(|(name, value)| (name, value.as_str())),
            )
            .current_dir(call.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command
            .spawn()
            .map_err(|error| failure::not_started(call.program, &error))?;
        let group = Group(
            child
                .id()
                .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
        );
        let output = child.stdout.take().expect("its output is piped");
        let errors = child.stderr.take().expect("its errors are piped");
        let said = Said::default();
        Ok(Self {
            name: call.program.to_owned(),
            child,
            group,
            output,
            lines: Lines::new(LONGEST_LINE),
            bytes: vec![0; 16 * 1024],
            listener: tokio::spawn(listen(errors, Arc::clone(&said))),
            said,
            status: None,
            limits,
            read: 0,
        })
    }

    /// The next line of its output; `None` once that is closed.
    pub(super) async fn line(&mut self) -> Result<Option<String>> {
        loop {
            let line = self.lines.next().map_err(|_| {
                Error::new(Kind::Protocol, "the program printed a line without an end")
                    .with("program", self.name.display())
                    .with("most_bytes", LONGEST_LINE)
            })?;
            if let Some(line) = line {
                return text(line, &self.name).map(Some);
            }
            if self.more().await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Reads what is there; 0 once the output is closed.
    async fn more(&mut self) -> Result<usize> {
        let read = tokio::time::timeout(self.limits.silence, async {
            loop {
                tokio::select! {
                    read = self.output.read(&mut self.bytes) => break read,
                    status = self.child.wait(), if self.status.is_none() => {
                        self.status = status.ok();
                        // What it started may still hold its output open.
                        self.group.end();
                    }
                }
            }
        });
        let read = read
            .await
            .map_err(|_| failure::silent(&self.name, self.limits.silence))?
            .map_err(|error| {
                Error::new(Kind::Unavailable, "the program's output cannot be read")
                    .with("program", self.name.display())
                    .with("error", error)
            })?;
        self.lines.push(&self.bytes[..read]);
        self.read += read as u64;
        if self.read > self.limits.bytes {
            return Err(failure::too_much(
                "bytes",
                self.limits.bytes,
                "output_mib_max",
            ));
        }
        Ok(read)
    }

    /// Waits for the end of a program whose output is closed.
    pub(super) async fn end(mut self) -> Result<Ended> {
        let status = match self.status {
            Some(status) => status,
            None => tokio::time::timeout(self.limits.silence, self.child.wait())
                .await
                .map_err(|_| failure::silent(&self.name, self.limits.silence))?
                .map_err(|error| {
                    Error::new(Kind::Unavailable, "the program's end cannot be seen")
                        .with("program", self.name.display())
                        .with("error", error)
                })?,
        };
        self.group.end();
        let rest = text(self.lines.rest(), &self.name)?;
        Ok(Ended {
            status,
            said: self.last_words().await,
            rest,
        })
    }

    /// The end of what it said on its standard error, up to now.
    pub(super) async fn last_words(&mut self) -> String {
        let _ = tokio::time::timeout(LAST_WORD, &mut self.listener).await;
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = said.iter().copied().collect();
        String::from_utf8_lossy(&bytes).trim().to_owned()
    }

    /// Ends it now.
    pub(super) fn kill(&mut self) {
        self.group.end();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// The program and all that it started, ended when this is dropped.
#[derive(Debug)]
struct Group(Option<Pid>);

impl Group {
    /// A group keeps its number as long as anybody is in it. Where nobody is, nobody is met: the
    /// kernel gives a number out again only after all others.
    fn end(&mut self) {
        if let Some(group) = self.0.take() {
            // It may be gone already, which is as well.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

fn text(line: &[u8], name: &Path) -> Result<String> {
    String::from_utf8(line.to_vec()).map_err(|_| {
        Error::new(Kind::Protocol, "the program's output is no text in UTF-8")
            .with("program", name.display())
            .hint("a Python program writes UTF-8 with PYTHONUTF8 = \"1\" in `environment`")
    })
}

/// Reads the standard error to its end, so that the program never waits for us, and keeps the
/// last of it.
async fn listen(mut errors: impl AsyncRead + Unpin, said: Said) {
    let mut bytes = vec![0; 4 * 1024];
    while let Ok(read) = errors.read(&mut bytes).await {
        if read == 0 {
            return;
        }
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.extend(&bytes[..read]);
        let over = said.len().saturating_sub(TAIL);
        said.drain(..over);
    }
}
