//! Nights in which one of the services fails: nothing is invented, the other one is read, one
//! finding says so, and two nights after the fault the ledger is as if it had never been.

use chrono::TimeDelta;
use stundenbuch::finding::Kind;
use stundenbuch::run::report::{Exit, Report};

use super::house::{House, SMALL, State, nth_entry, of};
use crate::fakes::toggl::Entry;
use crate::fakes::{Fault, FaultKind, Server};

/// Which of the two fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Toggl,
    Trello,
}

pub(super) const BOTH: [Who; 2] = [Who::Toggl, Who::Trello];

impl Who {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Toggl => "toggl",
            Self::Trello => "trello",
        }
    }

    fn other(self) -> &'static str {
        match self {
            Self::Toggl => "trello",
            Self::Trello => "toggl",
        }
    }

    pub(super) fn server(self, house: &House) -> &Server {
        match self {
            Self::Toggl => &house.toggl.server,
            Self::Trello => &house.boards_server,
        }
    }

    fn fail(self, house: &House, kind: FaultKind, skip: u32) {
        let (path, times) = ("/", u32::MAX);
        self.server(house)
            .fail_after(skip, Fault { path, times, kind });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_server() {
    nights(&FaultKind::status(500), Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_not_taken_any_more() {
    nights(&FaultKind::status(401), Exit::NeedsPerson).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_cut_short() {
    nights(&FaultKind::CutBody { keep: 1_500 }, Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn empty_answers() {
    nights(&FaultKind::EmptyOk, Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_page_instead_of_an_answer() {
    nights(&FaultKind::Html, Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_are_no_text() {
    nights(&FaultKind::Garbage, Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_for_being_too_many() {
    nights(&FaultKind::status(429), Exit::ForNow).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_break() {
    nights(&FaultKind::Reset, Exit::ForNow).await;
}

/// Each service in turn fails from the second night on and from the very first one, at its
/// first request and in the middle of its pull.
async fn nights(kind: &FaultKind, exit: Exit) {
    let expected = without_faults().await;
    for who in BOTH {
        for (well, skip) in [(1, 0), (0, 0), (0, 1), (0, 2), (1, 1)] {
            let case = format!("{who:?}, {well} nights well, {skip} requests well");
            let state = with_faults(who, kind, well, skip, exit, &case).await;
            if well > 0 {
                state.assert_same(&expected, &case);
            } else {
                state.present().assert_same(&expected.present(), &case);
            }
        }
    }
}

async fn without_faults() -> State {
    let mut house = House::new(SMALL).await;
    for number in 0..6 {
        happen(&house, number);
        house.night().await;
    }
    house.assert_true();
    house.state()
}

async fn with_faults(
    who: Who,
    kind: &FaultKind,
    well: u32,
    skip: u32,
    exit: Exit,
    case: &str,
) -> State {
    let mut house = House::new(SMALL).await;
    // A quiet Toggl night has one request: a fault at its second one is never met.
    let mut met = 0;
    for number in 0..6 {
        happen(&house, number);
        let failing = (well..4).contains(&number);
        if failing {
            who.server(&house).heal();
            who.fail(&house, kind.clone(), skip);
        } else {
            who.server(&house).heal();
        }
        let report = house.night().await;
        let asked = who.server(&house).requests().len();
        if failing && asked > usize::try_from(skip).unwrap() {
            met = 1;
            assert_failed(&house, who, &report, exit, case);
        }
        assert_nothing_invented(&house, case);
    }
    house.assert_true();
    assert_eq!(house.findings(Kind::SourceFailed), [], "{case}");
    assert!(
        met == 1 || (who, well, skip) == (Who::Toggl, 1, 1),
        "{case}"
    );
    assert_eq!(house.ever(Kind::SourceFailed), met, "{case}: one a cause");
    assert_eq!(house.store.verify().unwrap().damage, None, "{case}");
    house.state()
}

pub(super) fn assert_failed(house: &House, who: Who, report: &Report, exit: Exit, case: &str) {
    assert_eq!(report.exit(), exit, "{case}: {report:#?}");
    assert!(of(report, who.name()).failure.is_some(), "{case}");
    let other = of(report, who.other());
    assert_eq!(other.failure, None, "{case}");
    let findings = house.findings(Kind::SourceFailed);
    assert_eq!(findings.len(), 1, "{case}: {findings:?}");
    assert_eq!(findings[0].subject, who.name(), "{case}");
    match who {
        Who::Toggl => {
            let mut cards = house.cards();
            cards.sort();
            assert_eq!(house.tasks(), cards, "{case}: the boards are read");
        }
        Who::Trello => assert_eq!(house.worked(), house.truth(), "{case}: the time is read"),
    }
}

/// What the ledger calls deleted is deleted.
pub(super) fn assert_nothing_invented(house: &House, case: &str) {
    let cards = house.cards();
    let truth = house.truth();
    for key in house.deleted() {
        let id = key.rsplit('/').next().unwrap();
        assert!(!cards.iter().any(|card| card == id), "{case}: {key}");
        assert!(
            !truth.keys().any(|entry| entry.as_str() == id),
            "{case}: {key}"
        );
    }
}

/// What people do on the day before a night; the same in every house.
pub(super) fn happen(house: &House, night: u32) {
    house.noon();
    let ids: Vec<i64> = house
        .toggl
        .with(|world| world.entries.keys().copied().collect());
    let nth = usize::try_from(night).unwrap();
    house.toggl.edit(ids[nth + 5], |entry| {
        entry.stop = entry.stop.map(|stop| stop + TimeDelta::seconds(17));
    });
    house.toggl.delete(ids[nth + 15]);
    house.toggl.add(Entry {
        at: None,
        ..nth_entry(1_000 + i64::from(night) * 15)
    });
    let board = &house.trello.boards()[nth % 2];
    let (cards, _) = house.trello.ids(board);
    house.trello.rename(&cards[4], &format!("Neu {night}"));
    house.trello.delete(&cards[0]);
    let list = &house.trello.lists(board)[1];
    house.trello.add_card(list, &format!("Dazu {night}"));
}
