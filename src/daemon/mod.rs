//! The daemon: schedule, signals, systemd, health.

mod schedule;

pub use schedule::Schedule;
