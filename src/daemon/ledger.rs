//! The ledger as the daemon meets it: opened for each run, and left alone while it cannot be used.

use chrono::{DateTime, Utc};
use sd_notify::NotifyState;
use tokio::sync::watch;

use super::service::{AGAIN_FIRST, AGAIN_MAX};
use super::tell;
use crate::store::{Anchors, Error, Result, Store};

/// Between runs nobody has the ledger open, so that a backup can take its place.
///
/// One that is not what it was is left alone until a person has looked, and one that cannot be
/// written is tried again. The daemon says so, stays, and goes on by itself: systemd gives up
/// after a few starts, and a full disk lasts longer.
#[derive(Debug)]
pub(super) struct Ledger {
    anchors: Anchors,
    /// It could not be opened the last time.
    shut: bool,
    /// It was told that the ledger is not what it was.
    left_alone: bool,
    /// Nothing is begun before, after a run could not write.
    until: Option<DateTime<Utc>>,
    tries: u32,
    trouble: watch::Sender<Option<String>>,
}

impl Ledger {
    /// The ledger, and where it is said why it cannot be written; none while it can.
    pub(super) fn new(anchors: Anchors) -> (Self, watch::Receiver<Option<String>>) {
        let (trouble, told) = watch::channel(None);
        let ledger = Self {
            anchors,
            shut: false,
            left_alone: false,
            until: None,
            tries: 0,
            trouble,
        };
        (ledger, told)
    }

    /// Opens it for one run; none when that cannot be done for now, which is told.
    pub(super) fn open(&mut self, now: DateTime<Utc>) -> Result<Option<Store>> {
        let opened = Store::open_kept(self.anchors.clone(), now);
        let was_shut = std::mem::replace(&mut self.shut, false);
        match opened {
            Ok(store) => {
                self.left_alone = false;
                if was_shut {
                    self.trouble.send_replace(None);
                }
                Ok(Some(store))
            }
            Err(error @ (Error::RolledBack(_) | Error::OtherHeads { .. })) => {
                // Once, and not with every look at the clock.
                if !std::mem::replace(&mut self.left_alone, true) {
                    tracing::error!(%error, hint = %error.hint(), "The ledger is left alone.");
                    let status = "the ledger is not what it was; see the health";
                    tell(&[NotifyState::Status(status)]);
                }
                Ok(None)
            }
            Err(error) if error.may_pass() => {
                self.shut = true;
                self.tell_trouble(&error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it should be tried again to open it, though no run is due.
    pub(super) fn is_shut(&self) -> bool {
        self.shut
    }

    /// A mark of the ledger, read without the right to write; none while it cannot be read, and
    /// then opening it for the run tells why.
    pub(super) fn mark(&mut self, name: &str) -> Result<Option<String>> {
        match self
            .anchors
            .open_read_only()
            .and_then(|store| store.mark(name))
        {
            Err(Error::Missing { .. } | Error::Older { .. } | Error::RolledBack(_)) => Ok(None),
            Err(error) if error.may_pass() => {
                self.tell_trouble(&error);
                Ok(None)
            }
            read => read,
        }
    }

    /// A run ended early. What may pass is waited for, everything else ends the daemon.
    pub(super) fn failed(&mut self, error: Error, now: DateTime<Utc>) -> Result<()> {
        if !error.may_pass() {
            return Err(error);
        }
        let wait = (AGAIN_FIRST * 2_i32.saturating_pow(self.tries.min(8))).min(AGAIN_MAX);
        self.until = Some(now + wait);
        self.tries += 1;
        self.tell_trouble(&error);
        Ok(())
    }

    /// Whether nothing is begun yet, because a run could not write.
    pub(super) fn waits(&self, now: DateTime<Utc>) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// A run came to its end.
    pub(super) fn worked(&mut self) {
        self.until = None;
        self.tries = 0;
        self.trouble.send_replace(None);
    }

    /// Says why nothing can be done just now: in the log, to systemd, and whom health tells. Once
    /// for each reason.
    fn tell_trouble(&self, error: &Error) {
        let text = error.to_string();
        if self.trouble.borrow().as_ref() == Some(&text) {
            return;
        }
        let hint = error.hint();
        tracing::error!(%error, %hint, "The ledger cannot be written; it is tried again.");
        tell(&[NotifyState::Ready, NotifyState::Status(&text)]);
        self.trouble.send_replace(Some(text));
    }
}
