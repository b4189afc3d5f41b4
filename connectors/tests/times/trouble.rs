//! Troubles of the conformance suite, for a fake that is asked over HTTP.

use std::time::Duration;

use stundenbuch_connectors::clock::ManualClock;
use stundenbuch_connectors::suite::Trouble;

use crate::fakes::{Fault, FaultKind, Server};

pub(crate) fn begin(server: &Server, clock: &ManualClock, trouble: Trouble, skip: u32) -> bool {
    if trouble == Trouble::Stalled {
        clock.lose_patience_after(Duration::from_millis(20));
    }
    let fault = Fault {
        path: "/",
        times: u32::MAX,
        kind: FaultKind::of(trouble),
    };
    server.fail_after(skip, fault);
    true
}

pub(crate) fn end(server: &Server, clock: &ManualClock) {
    server.heal();
    clock.lose_patience_after(Duration::MAX);
}
