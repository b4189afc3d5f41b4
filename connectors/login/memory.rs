//! Logins of a process that will not be started again: tests, and commands without any.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::{Logins, Stored};
use crate::error::Result;

/// Logins in memory. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    stored: Arc<Mutex<BTreeMap<String, Stored>>>,
    locked: Arc<Mutex<BTreeSet<String>>>,
}

/// Ends the right to renew when it is dropped.
struct Guard {
    locked: Arc<Mutex<BTreeSet<String>>>,
    connection: String,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(mut locked) = self.locked.lock() {
            locked.remove(&self.connection);
        }
    }
}

impl Logins for Memory {
    fn load(&self, connection: &str) -> Result<Option<Stored>> {
        let stored = self.stored.lock().expect("no panic while storing");
        Ok(stored.get(connection).cloned())
    }

    fn save(&self, connection: &str, login: &Stored) -> Result<()> {
        let mut stored = self.stored.lock().expect("no panic while storing");
        stored.insert(connection.to_owned(), login.clone());
        Ok(())
    }

    fn remove(&self, connection: &str) -> Result<()> {
        let mut stored = self.stored.lock().expect("no panic while storing");
        stored.remove(connection);
        Ok(())
    }

    fn try_lock(&self, connection: &str) -> Result<Option<Box<dyn Send + Sync>>> {
        let mut locked = self.locked.lock().expect("no panic while locking");
        let free = locked.insert(connection.to_owned());
        let guard = || Guard {
            locked: Arc::clone(&self.locked),
            connection: connection.to_owned(),
        };
        Ok(free.then(|| Box::new(guard()) as Box<dyn Send + Sync>))
    }
}
