//! Signals in the middle of a night: the program ends at once or goes on, nothing is half done,
//! and the next night has everything.

use rustix::process::Signal;

use super::made::{LITTLE, Said, verify};
use super::process::{Child, Running, begin, stundenbuch, until};
use crate::fakes::{Fault, FaultKind};
use crate::night::house::House;

/// A house in whose night the second service does not answer any more.
async fn stalled(command: &str) -> (House, Child) {
    let house = House::new(LITTLE).await;
    let fault = Fault {
        path: "/",
        times: u32::MAX,
        kind: FaultKind::Stall,
    };
    house.boards_server.fail_after(1, fault);
    let _running = Running::of(&house);
    let run = Child(begin(&house, command));
    until("two requests", || house.boards_server.requests().len() >= 2).await;
    (house, run)
}

/// The ledger holds, and the next night reads everything.
async fn goes_on(house: &House) {
    assert_eq!(verify(&house.config.ledger), Said::Holds);
    house.boards_server.heal();
    let output = stundenbuch(house, &["nightly"]).await;
    assert!(matches!(output.status.code(), Some(0 | 1)), "{output:?}");
    house.assert_true();
    assert_eq!(verify(&house.config.ledger), Said::Holds);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_ends_at_once() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
        let (house, mut run) = stalled("nightly").await;
        run.signal(signal);
        let (code, milliseconds) = run.ends();
        assert_eq!(code, None, "{signal:?} ends it, and its parent can tell");
        println!("nightly: {signal:?} took about {milliseconds} ms");
        goes_on(&house).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_ends_its_run() {
    for (signal, expected) in [
        (Signal::TERM, Some(0)),
        (Signal::INT, Some(0)),
        // Nobody sends it to a service, and a shell that goes away means it.
        (Signal::HUP, None),
    ] {
        let (house, mut run) = stalled("run").await;
        run.signal(signal);
        let (code, milliseconds) = run.ends();
        assert_eq!(code, expected, "{signal:?}");
        println!("run: {signal:?} took about {milliseconds} ms");
        goes_on(&house).await;
    }
}

/// As when a machine is suspended: the run goes on where it stood.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_run_goes_on() {
    let house = House::new(LITTLE).await;
    let _running = Running::of(&house);
    let mut run = Child(begin(&house, "nightly"));
    until("a request", || !house.boards_server.requests().is_empty()).await;
    run.signal(Signal::STOP);
    assert_eq!(run.0.try_wait().unwrap(), None);
    assert_eq!(verify(&house.config.ledger), Said::Holds);
    let busy = stundenbuch(&house, &["nightly"]).await;
    assert_eq!(busy.status.code(), Some(2), "it still has the ledger");
    run.signal(Signal::CONT);
    let (code, _) = run.ends();
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    house.assert_true();
    goes_on(&house).await;
}
