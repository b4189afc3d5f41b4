//! Where the time comes from: the clock of the connectors, under the name it has in this house.

pub use stundenbuch_connectors::clock::{Clock, ManualClock, SystemClock};
