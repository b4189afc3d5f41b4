//! A renewal that is killed before each call that writes: afterwards the login is as good as it
//! can be for a service of its kind.

use super::*;
use crate::crash::stopper::{self, Answer, Ended, Stop};
use crate::fakes::logins::Rotation;

#[derive(Debug, PartialEq, Eq)]
enum After {
    /// The next process went on.
    Kept,
    /// The service gave a refresh token that nobody has.
    Lost,
}

/// One case: a process killed before its call number `point`, and one after it.
async fn case(rotation: Rotation, point: usize) -> (Ended, Option<After>) {
    let (provider, server) = started().await;
    provider.with(|world| world.rotation = rotation);
    let home = Home::new();
    let clock = Arc::new(stundenbuch_connectors::clock::SystemClock);
    home.log_in(&provider, server.base(), clock).await;
    let words = tempfile::tempdir().unwrap();
    let first = child::command(home.path(), server.base());
    let ended = tokio::task::block_in_place(|| {
        let mut calls = 0;
        stopper::run(&first, &words.path().join("words"), &mut |stop| {
            let Stop::Before(call) = stop else {
                return Answer::GoOn;
            };
            calls += usize::from(call.matters());
            if calls < point {
                Answer::GoOn
            } else {
                Answer::Kill
            }
        })
    });
    // Before anything else: whatever lies there can be read.
    let stored = home.tokens();
    let mut second = child::command(home.path(), server.base());
    let output = tokio::task::block_in_place(|| second.output().unwrap());
    if output.status.success() {
        let now = home.tokens();
        assert!(provider.is_alive(now.refresh.unwrap().expose()));
        return (ended, Some(After::Kept));
    }
    // Then nobody could have gone on: the service took back what lay on the disk, and what it
    // gave for it never arrived there.
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    assert!(
        said.contains("expired or was withdrawn"),
        "point {point}: {said}"
    );
    assert!(
        !provider.is_alive(stored.refresh.unwrap().expose()),
        "point {point}"
    );
    assert!(
        stored.previous.is_none(),
        "point {point}: it was stored before it was lost"
    );
    (ended, Some(After::Lost))
}

/// Every point, until a run survives; how many there were, and after how many it was lost.
async fn sweep(rotation: Rotation) -> (usize, usize) {
    let mut lost = 0;
    for point in 1.. {
        let (ended, after) = case(rotation, point).await;
        lost += usize::from(after == Some(After::Lost));
        if ended != Ended::Signal(9) {
            assert_eq!((ended, after), (Ended::Exit(0), Some(After::Kept)));
            return (point - 1, lost);
        }
    }
    unreachable!("a process makes an end")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_is_killed_loses_nothing_that_can_be_kept() {
    if stopper::tracer().is_none() {
        return;
    }
    // The service takes the old refresh token for a while: nothing is lost, wherever it was.
    let (points, lost) = sweep(Rotation::Always { grace: 60 }).await;
    println!("killed before {points} calls, {lost} logins lost, with a grace");
    assert!(points > 10, "{points} points say little");
    assert_eq!(lost, 0);
    // It takes it back at once: lost between its answer and the disk, and nowhere else.
    let (points, lost) = sweep(Rotation::Always { grace: 0 }).await;
    println!("killed before {points} calls, {lost} logins lost, without one");
    assert!((1..=6).contains(&lost), "{lost} of {points}");
}
