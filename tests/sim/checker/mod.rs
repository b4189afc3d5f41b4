//! The checker: promises held against what the services have, what lies on the drive and what
//! the ledger's file says. It shares no code with the program: not its reader, not its calendar,
//! not its arithmetic. The promises have the numbers of `main.rs`.

pub(crate) mod bills;
pub(crate) mod chain;
pub(crate) mod drift;
pub(crate) mod holds;
pub(crate) mod money;
pub(crate) mod outside;
pub(crate) mod told;

/// A promise that does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) promise: &'static str,
    pub(crate) text: String,
}

pub(crate) type Checked = Result<(), Violation>;

/// Holds a promise to a condition.
pub(crate) fn hold(promise: &'static str, holds: bool, text: impl FnOnce() -> String) -> Checked {
    if holds {
        return Ok(());
    }
    let text = text();
    Err(Violation { promise, text })
}
