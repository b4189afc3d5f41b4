//! Stops a program before and after each call that writes, and asks what to do.
//!
//! ```text
//! tracer OUTPUT PROGRAM ARGUMENT…
//! ```
//!
//! runs the program with its words going to the file OUTPUT. Of each such call of any thread it
//! writes a line to its own stdout,
//!
//! ```text
//! before THREAD CALL ARGUMENT ARGUMENT ARGUMENT ARGUMENT
//! after THREAD CALL RESULT
//! end exit CODE
//! end signal NUMBER
//! ```
//!
//! and reads a line from its stdin before the thread may go on. `kill` kills the whole program
//! there and then, a call that was about to begin included; anything else lets it go on. The
//! program dies with the tracer.
//!
//! `strace` can kill at the N-th call of one kind of one thread. This one has all threads pass one
//! gate, so that N counts all of them, and whoever asks may look at the files meanwhile.

mod calls;

use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead as _, Write as _};
use std::process::{Command, ExitCode, Stdio};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(output) = arguments.next() else {
        eprintln!("usage: tracer OUTPUT PROGRAM ARGUMENT…");
        return ExitCode::from(2);
    };
    match start(&output, arguments).and_then(|leader| Tracer::new(leader).run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("trace the program: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Starts the program under a shell that waits for the tracer, for nothing of it shall be missed.
fn start(output: &str, program: impl Iterator<Item = String>) -> Result<Pid> {
    let words = File::create(output)?;
    let child = Command::new("/bin/sh")
        .args(["-c", "kill -STOP $$; exec \"$@\"", "sh"])
        .args(program)
        .stdin(Stdio::null())
        .stdout(words.try_clone()?)
        .stderr(words)
        .spawn()?;
    let leader = Pid::from_raw(i32::try_from(child.id())?);
    match waitpid(leader, Some(WaitPidFlag::WUNTRACED))? {
        WaitStatus::Stopped(..) => {}
        other => return Err(format!("the shell did not wait: {other:?}").into()),
    }
    let options = Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
        | Options::PTRACE_O_EXITKILL;
    ptrace::seize(leader, options)?;
    kill(leader, Signal::SIGCONT)?;
    Ok(leader)
}

/// A program under way.
struct Tracer {
    leader: Pid,
    /// The shell has made way for the program.
    begun: bool,
    /// Of each thread that is in a call: its name, where it is one that is told.
    inside: HashMap<Pid, Option<&'static str>>,
}

impl Tracer {
    fn new(leader: Pid) -> Self {
        Self {
            leader,
            begun: false,
            inside: HashMap::new(),
        }
    }

    /// Lets the program run to its end.
    fn run(mut self) -> Result<()> {
        loop {
            match waitpid(None, Some(WaitPidFlag::__WALL))? {
                WaitStatus::Exited(thread, code) if thread == self.leader => {
                    return Ok(writeln!(io::stdout(), "end exit {code}")?);
                }
                WaitStatus::Signaled(thread, signal, _) if thread == self.leader => {
                    return Ok(writeln!(io::stdout(), "end signal {}", signal as i32)?);
                }
                WaitStatus::Exited(thread, _) | WaitStatus::Signaled(thread, ..) => {
                    self.inside.remove(&thread);
                }
                WaitStatus::PtraceSyscall(thread) => {
                    self.at_call(thread)?;
                    go_on(thread, None)?;
                }
                WaitStatus::PtraceEvent(thread, _, event) => {
                    self.begun |= event == libc::PTRACE_EVENT_EXEC;
                    go_on(thread, None)?;
                }
                WaitStatus::Stopped(thread, signal) => go_on(thread, Some(signal))?,
                WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
            }
        }
    }

    /// A thread enters a call, or leaves the one that it is in.
    fn at_call(&mut self, thread: Pid) -> Result<()> {
        let registers = match ptrace::getregs(thread) {
            Ok(registers) => registers,
            // Killed meanwhile.
            Err(Errno::ESRCH) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        let line = if let Some(call) = self.inside.remove(&thread) {
            let result = registers.rax.cast_signed();
            call.map(|name| format!("after {thread} {name} {result}"))
        } else {
            let name = calls::name(registers.orig_rax).filter(|_| self.begun);
            self.inside.insert(thread, name);
            let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.r10];
            name.map(|name| {
                let [a, b, c, d] = arguments.map(|argument| format!(" {argument}"));
                format!("before {thread} {name}{a}{b}{c}{d}")
            })
        };
        match line {
            Some(line) => self.ask(&line),
            None => Ok(()),
        }
    }

    fn ask(&self, line: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{line}")?;
        out.flush()?;
        let mut answer = String::new();
        // Nobody there to ask is an answer, too: the program must not outlive its test.
        let read = io::stdin().lock().read_line(&mut answer)?;
        if read == 0 || answer.trim_end() == "kill" {
            kill(self.leader, Signal::SIGKILL)?;
        }
        Ok(())
    }
}

fn go_on(thread: Pid, signal: Option<Signal>) -> Result<()> {
    match ptrace::syscall(thread, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
