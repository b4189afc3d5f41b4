//! The program as a process that is still running.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinHandle;

use crate::night::house::{self, House};

/// A running program; killed when a test fails.
#[derive(Debug)]
pub(super) struct Child(pub(super) std::process::Child);

impl Child {
    pub(super) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.0.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Waits for the end: the exit code, if it has one, and about how many milliseconds it took.
    pub(super) fn ends(&mut self) -> (Option<i32>, u32) {
        for look in 0..3_000 {
            if let Some(status) = self.0.try_wait().unwrap() {
                return (status.code(), look * 10);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the program does not end");
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A house whose clock runs, as that of a program beside it does; stopped when it is dropped. The
/// fakes count requests by it.
#[derive(Debug)]
pub(super) struct Running(JoinHandle<()>);

impl Running {
    pub(super) fn of(house: &House) -> Self {
        let clock = house.clock.clone();
        Self(tokio::spawn(async move {
            loop {
                clock.advance(Duration::from_secs(2));
                pause(20).await;
            }
        }))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs the program on a house's files, to its end.
pub(super) async fn stundenbuch(house: &House, args: &[&str]) -> Output {
    let _running = Running::of(house);
    house::stundenbuch(house, args).await
}

async fn pause(milliseconds: u64) {
    let pause = move || std::thread::sleep(Duration::from_millis(milliseconds));
    tokio::task::spawn_blocking(pause).await.unwrap();
}

/// Starts a command on a house's files.
pub(super) fn begin(house: &House, command: &str) -> std::process::Child {
    Command::new(env!("CARGO_BIN_EXE_stundenbuch"))
        .arg(command)
        .arg("--config")
        .arg(house.file())
        .env_clear()
        .envs(&house.environment.variables)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for another process; half a minute at most, so that a test that hangs ends.
pub(super) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        pause(50).await;
    }
    panic!("waited for {what}");
}
