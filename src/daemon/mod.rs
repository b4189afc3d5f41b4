//! The daemon: schedule, signals, systemd, health.

mod health;
mod page;
mod schedule;
mod service;
mod status;

pub use schedule::Schedule;
pub use service::run;
pub use status::{Health, Status};
