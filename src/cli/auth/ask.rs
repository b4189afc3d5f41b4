//! Questions to the person at the terminal; answers from a pipe are taken as well.
//!
//! A thread reads, for a terminal cannot be asked with patience; it ends with the process.

use std::io::{self, BufRead as _, IsTerminal as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use stundenbuch_connectors::secret::Secret;
use tokio::sync::mpsc;

use crate::cli::out::Out;
use crate::error_text::Advised;

/// Whether somebody can type an answer.
pub(super) fn is_terminal() -> bool {
    io::stdin().is_terminal()
}

/// The person, whose lines are read by one thread: two would take each other's answers.
#[derive(Debug)]
pub(super) struct Person {
    out: Out,
    lines: Option<mpsc::UnboundedReceiver<Secret>>,
}

impl Person {
    pub(super) fn new(out: Out) -> Self {
        Self { out, lines: None }
    }

    /// The next line; nothing where standard input has ended.
    pub(super) async fn line(&mut self) -> Option<Secret> {
        self.lines.get_or_insert_with(lines).recv().await
    }

    /// Asks for a line that is not shown while it is typed.
    pub(super) async fn secret(&mut self, question: &str) -> anyhow::Result<Secret> {
        self.out.say(question);
        let quiet = Quiet::begin();
        let line = tokio::select! {
            line = self.line() => line,
            _ = tokio::signal::ctrl_c() => {
                drop(quiet);
                return Err(Advised::new("log in: stopped", "nothing was stored").into());
            }
        };
        Ok(line.ok_or_else(nothing)?)
    }
}

/// Nothing came from standard input.
pub(super) fn nothing() -> Advised {
    Advised::new(
        "log in: standard input ended before an answer came",
        "run it at a terminal, or hand the answer in through a pipe",
    )
}

fn lines() -> mpsc::UnboundedReceiver<Secret> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        while let Ok(1..) = io::stdin().lock().read_line(&mut line) {
            if sender.send(Secret::new(&line)).is_err() {
                return;
            }
            line.clear();
        }
    });
    receiver
}

/// A terminal that does not show what is typed; shows it again when it is dropped.
struct Quiet {
    before: Termios,
}

impl Quiet {
    fn begin() -> Option<Self> {
        let stdin = io::stdin();
        let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok())??;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        quiet.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(&stdin, OptionalActions::Flush, &quiet).ok()?;
        Some(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.before);
    }
}
