//! One call in the file system at a time, on a thread of its own, and never waited for without
//! end.
//!
//! A call on a hard NFS mount whose server is away never returns, and no signal short of a kill
//! ends it. Such a thread keeps its turn: the calls after it find the turn taken and report it,
//! instead of adding one hung thread each night.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::error::{Error, Kind, Result, Retry};

/// Gives out turns.
#[derive(Debug)]
pub(super) struct Turn {
    one: Arc<Semaphore>,
    path: PathBuf,
}

/// Tells work under way that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// To be asked between two steps.
    pub(super) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) {
            return Err(Error::new(
                Kind::Unavailable,
                "stopped, as nobody waits any more",
            ));
        }
        Ok(())
    }
}

impl Turn {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            one: Arc::new(Semaphore::new(1)),
            path: path.to_owned(),
        }
    }

    /// Does work that only reads.
    pub(super) async fn take<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.wait(limit, Retry::Later { after: None }, work).await
    }

    /// Does work that changes something: when it is not waited for any longer, it may still come
    /// to its end.
    pub(super) async fn take_for_effect<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce(&Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.wait(limit, Retry::Unknown, work).await
    }

    async fn wait<T: Send + 'static>(
        &self,
        limit: Duration,
        late: Retry,
        work: impl FnOnce(&Stop) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // Dropping this future, by a time-out here or by a shutdown above, stops the work.
        let stop = StopOnDrop(Stop::default());
        let told = stop.0.clone();
        let run = async {
            let one = Arc::clone(&self.one);
            let turn = one
                .acquire_owned()
                .await
                .expect("the semaphore is never closed");
            let thread = tokio::task::spawn_blocking(move || {
                let result = work(&told);
                drop(turn);
                result
            });
            thread.await.map_err(|error| match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Error::new(Kind::Unavailable, "the program is shutting down"),
            })?
        };
        // A kernel that does not answer is measured in real time, whatever clock the records go
        // by.
        tokio::time::timeout(limit, run).await.unwrap_or_else(|_| {
            Err(Error::new(Kind::Unavailable, "the folder does not answer")
                .with("path", self.path.display())
                .with("waited_s", limit.as_secs())
                .retry(late)
                .hint("see that its server is up; mount network shares `soft`"))
        })
    }
}

struct StopOnDrop(Stop);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[tokio::test]
    async fn a_hung_call_is_left_behind_and_keeps_its_turn() {
        let turn = Turn::new(Path::new("/share"));
        let (release, hung) = mpsc::channel::<()>();
        let short = Duration::from_millis(50);
        let first = turn.take_for_effect(short, move |stop| {
            let _ = hung.recv();
            stop.check()
        });
        let error = first.await.unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
        assert_eq!(error.retry_advice(), &Retry::Unknown);
        // The second call does not even start, so nothing piles up.
        let error = turn
            .take(short, |_| -> Result<()> { unreachable!() })
            .await
            .unwrap_err();
        assert!(error.to_string().contains("does not answer"), "{error}");
        drop(release);
        let long = Duration::from_secs(10);
        assert_eq!(
            turn.take(long, |stop| stop.check().map(|()| 7))
                .await
                .unwrap(),
            7
        );
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_told() {
        let turn = Turn::new(Path::new("/share"));
        let (tell, told) = mpsc::channel();
        let work = turn.take(Duration::from_millis(20), move |stop| {
            while stop.check().is_ok() {
                std::thread::yield_now();
            }
            tell.send(())
                .map_err(|_| Error::new(Kind::Protocol, "nobody listens"))
        });
        assert!(work.await.is_err());
        told.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}
