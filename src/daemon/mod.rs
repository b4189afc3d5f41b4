//! The daemon: schedule, signals, systemd, health.

mod health;
mod ledger;
mod page;
mod schedule;
mod service;
mod status;

use sd_notify::NotifyState;

pub use schedule::Schedule;
pub use service::run;
pub use status::{Health, Status};

/// Tells systemd how the daemon stands.
fn tell(states: &[NotifyState<'_>]) {
    // Without systemd there is nobody to tell.
    let _ = sd_notify::notify(states);
}
