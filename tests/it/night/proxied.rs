//! Nights in which the way to one of the services fails: the other one is read, one finding says
//! so, no credential goes astray, and two quiet nights later the ledger is as if nothing had been.

mod addresses;
mod rewritten;

use std::time::Duration;

use axum::Router;
use stundenbuch::config::Config;
use stundenbuch::finding::Kind;
use stundenbuch::run::report::{Exit, Report};

use super::failing::{BOTH, Who, assert_failed, assert_nothing_invented, happen};
use super::house::{House, SMALL, State};
use crate::fakes::Server;
use crate::fakes::proxy::{Fault, Proxy};
use crate::fakes::{toggl, trello};

/// How long a silent socket is really waited for here; honest answers take milliseconds.
const PATIENCE: Duration = Duration::from_millis(700);

/// The nights of a story; people work before the first [`BUSY`] of them.
const NIGHTS: u32 = 4;
const BUSY: u32 = 2;

/// A proxy before each of the two services.
struct Ways {
    toggl: Proxy,
    trello: Proxy,
}

impl Ways {
    async fn to(house: &mut House) -> Self {
        house.clock.lose_patience_after(PATIENCE);
        let ways = Self {
            toggl: Proxy::before(house.toggl.server.base()).await,
            trello: Proxy::before(house.boards_server.base()).await,
        };
        for who in BOTH {
            let from = who.server(house).base().to_owned();
            readdress(house, &from, ways.of(who).base());
        }
        ways
    }

    fn of(&self, who: Who) -> &Proxy {
        match who {
            Who::Toggl => &self.toggl,
            Who::Trello => &self.trello,
        }
    }
}

/// Writes the configuration anew, with one address in the place of another.
fn readdress(house: &mut House, from: &str, to: &str) {
    let text = std::fs::read_to_string(house.file()).unwrap();
    assert!(text.contains(from), "{from} is not configured");
    std::fs::write(house.file(), text.replace(from, to)).unwrap();
    house.config = Config::load(Some(&house.file()), &house.environment.variables).unwrap();
}

/// From which night on the way fails, and after how many requests.
const PLACES: [(Who, u32, usize); 4] = [
    (Who::Toggl, 1, 0),
    (Who::Toggl, 0, 2),
    (Who::Trello, 1, 0),
    (Who::Trello, 0, 1),
];

/// Whether a fault stops the pull that meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    Stops,
    /// What a server may do, or what the connector gets over.
    Passes,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_through_the_night() {
    nights(&[Fault::Silence], Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_in_the_middle_of_an_answer() {
    nights(&[Fault::StallsInHead, Fault::StallsInBody], Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_that_drip_or_never_come_to_their_end() {
    nights(&[Fault::Drips, Fault::LongLength], Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interim_answers_without_an_end_and_another_language() {
    nights(&[Fault::InterimForever, Fault::NotHttp], Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_end_too_early() {
    let faults = [
        Fault::EndsInHead,
        Fault::EndsInBody,
        Fault::EndsUnannounced,
        Fault::ResetsInHead,
        Fault::ResetsInBody,
    ];
    nights(&faults, Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lengths_and_pieces_that_lie() {
    let faults = [
        Fault::ShortLength,
        Fault::TwoLengths,
        Fault::ChunkNoise,
        Fault::ChunkHuge,
        Fault::ChunksEnd,
    ];
    nights(&faults, Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packings_and_heads_that_lie() {
    let faults = [
        Fault::GzipCut,
        Fault::GzipLie,
        Fault::ManyHeaders,
        Fault::LongHeader,
    ];
    nights(&faults, Effect::Stops).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_server_may_do() {
    let faults = [Fault::Interim, Fault::Stray, Fault::ClosesIdle];
    nights(&faults, Effect::Passes).await;
}

/// A page that is no answer stands at the address to which everything is redirected; and it may
/// be one that must not be asked at all, or the same one again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirections_to_elsewhere() {
    let parked = Router::new().fallback(async || {
        (
            [("content-type", "text/html")],
            "<html>This domain is for sale</html>",
        )
    });
    let stranger = Server::start(parked).await;
    let faults = [
        Fault::Redirects(stranger.base().to_owned()),
        Fault::Redirects("http://stundenbuch.invalid/".to_owned()),
        Fault::Redirects("/1/members/me/boards".to_owned()),
    ];
    nights(&faults, Effect::Stops).await;
    let seen = stranger.requests();
    assert!(seen.is_empty(), "an API leads nowhere else: {seen:?}");
}

async fn nights(faults: &[Fault], effect: Effect) {
    let expected = without_faults().await;
    for fault in faults {
        for (who, well, skip) in PLACES {
            let case = format!("{fault:?}, {who:?}, {well} nights and {skip} requests well");
            let mut house = House::new(SMALL).await;
            let ways = Ways::to(&mut house).await;
            for number in 0..NIGHTS {
                begin(&house, number);
                let failing = (well..BUSY).contains(&number);
                if failing {
                    ways.of(who).fail_after(skip, fault.clone());
                } else {
                    ways.of(who).heal();
                }
                let report = house.night().await;
                hides(&case, &format!("{report:?}"));
                if failing && (number == well || ways.of(who).spoiled() > 0) {
                    assert!(ways.of(who).spoiled() > 0, "{case}: the fault was not met");
                    assert_effect(&house, who, &report, effect, &case);
                }
                assert_nothing_invented(&house, &case);
            }
            assert_healed(&house, &expected, well, &case);
        }
    }
}

/// Begins the day before a night.
fn begin(house: &House, number: u32) {
    if number < BUSY {
        happen(house, number);
    }
}

async fn without_faults() -> State {
    let mut house = House::new(SMALL).await;
    for number in 0..NIGHTS {
        begin(&house, number);
        house.night().await;
    }
    house.assert_true();
    house.state()
}

fn assert_effect(house: &House, who: Who, report: &Report, effect: Effect, case: &str) {
    match effect {
        Effect::Stops => assert_failed(house, who, report, Exit::ForNow, case),
        Effect::Passes => {
            let mut sources = report.sources.iter();
            let failed = sources.find(|source| source.failure.is_some());
            assert!(failed.is_none(), "{case}: {failed:?}");
            house.assert_true();
        }
    }
}

fn assert_healed(house: &House, expected: &State, well: u32, case: &str) {
    house.assert_true();
    assert_eq!(house.findings(Kind::SourceFailed), [], "{case}");
    assert!(house.ever(Kind::SourceFailed) <= 1, "{case}: one a cause");
    assert_eq!(house.store.verify().unwrap().damage, None, "{case}");
    assert_eq!(house.refused(), 0, "{case}: asked too often");
    let findings = house.store.findings(true).unwrap();
    hides(case, &format!("{findings:?}"));
    if well > 0 {
        house.state().assert_same(expected, case);
    } else {
        house
            .state()
            .present()
            .assert_same(&expected.present(), case);
    }
}

/// No credential stands in a text that people or strangers see.
fn hides(what: &str, text: &str) {
    for secret in [toggl::TOKEN, trello::TOKEN, trello::KEY] {
        assert!(!text.contains(secret), "{what} shows a credential: {text}");
    }
}
