//! Parcels for cards arrive in the order in which they were queued, and one card's trouble is not
//! another's.

use std::result::Result;
use std::sync::Mutex;

use async_trait::async_trait;
use stundenbuch_connectors::Connector;
use stundenbuch_connectors::contract::{Cursor, Identified, Identity, Page, Pull, Raw};
use stundenbuch_connectors::error::Reject;
use stundenbuch_connectors::kind::Kind as ConnectorKind;
use tempfile::TempDir;

use super::*;
use crate::clock::ManualClock;
use crate::store::NewParcel;

/// A board that fails as it is told to, and remembers what was written on it.
#[derive(Debug, Default)]
struct Board {
    fails: Mutex<BTreeMap<String, ErrorKind>>,
    written: Mutex<Vec<String>>,
}

impl Board {
    fn fail(&self, task: &str, kind: ErrorKind) {
        self.fails.lock().unwrap().insert(task.to_owned(), kind);
    }

    fn heal(&self) {
        self.fails.lock().unwrap().clear();
    }

    fn written(&self) -> Vec<String> {
        self.written.lock().unwrap().clone()
    }
}

#[async_trait]
impl Connector for Board {
    fn kind(&self) -> &'static ConnectorKind {
        stundenbuch_connectors::find("trello").unwrap().kind
    }

    async fn check(&self) -> Result<Identity, Error> {
        unreachable!()
    }

    async fn pull(&self, _: &Cursor, _: &Pull) -> Result<Page, Error> {
        unreachable!()
    }

    fn normalise(&self, _: &Raw) -> Result<Vec<Identified>, Reject> {
        unreachable!()
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<Receipt, Error> {
        let Item::Comment(comment) = &outgoing.item else {
            unreachable!()
        };
        if let Some(kind) = self.fails.lock().unwrap().get(comment.task.as_str()) {
            return Err(Error::new(*kind, "no"));
        }
        self.written.lock().unwrap().push(comment.text.clone());
        Ok(Receipt {
            outcome: Outcome::Created,
            location: comment.task.to_string(),
        })
    }
}

struct Desk {
    _dir: TempDir,
    store: Store,
    clock: ManualClock,
    board: Arc<Board>,
}

impl Desk {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-11-03T02:15:00Z".parse().unwrap());
        let store = Store::open(&dir.path().join("ledger.db"), clock.now()).unwrap();
        Self {
            _dir: dir,
            store,
            clock,
            board: Arc::default(),
        }
    }

    fn queue(&mut self, statement: &str, task: &str, text: &str) {
        let path = format!("comment:{task}:[#2026-10-7f3a9c]");
        let parcel = NewParcel {
            key: &format!("{statement}/{path}"),
            connection: "board",
            statement,
            path: &path,
            sha256: &hex(&sha256(text.as_bytes())),
            bytes: text.as_bytes(),
        };
        let now = self.clock.now();
        self.store
            .write(|writer| writer.enqueue(now, &parcel))
            .unwrap();
    }

    async fn deliver(&mut self) {
        let board: Arc<dyn Connector> = Arc::clone(&self.board) as _;
        let targets = BTreeMap::from([("board".to_owned(), Ok(board))]);
        deliver(&mut self.store, &self.clock, &targets, &BTreeSet::new())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn an_earlier_parcel_that_waits_does_not_undo_a_later_one() {
    let mut desk = Desk::new();
    desk.queue("2026-001", "card", "2:30 h");
    desk.board.fail("card", ErrorKind::Unavailable);
    desk.deliver().await;
    desk.board.heal();
    // Late work: a second statement of the same month, while the first still waits.
    desk.queue("2026-002", "card", "3:00 h");
    desk.queue("2026-002", "other", "1:00 h");
    desk.deliver().await;
    assert_eq!(desk.board.written(), ["1:00 h"]);
    desk.clock.advance(std::time::Duration::from_hours(7));
    desk.deliver().await;
    assert_eq!(desk.board.written(), ["1:00 h", "2:30 h", "3:00 h"]);
    assert!(desk.store.parcels_open().unwrap().is_empty());
}

#[tokio::test]
async fn a_board_without_the_field_holds_up_no_other_card() {
    for kind in [ErrorKind::Settings, ErrorKind::Forbidden] {
        let mut desk = Desk::new();
        desk.queue("2026-001", "card", "2:30 h");
        desk.queue("2026-001", "other", "1:00 h");
        desk.board.fail("card", kind);
        desk.deliver().await;
        assert_eq!(desk.board.written(), ["1:00 h"], "{kind:?}");
    }
    // A service that is away is not asked again for each card.
    let mut desk = Desk::new();
    desk.queue("2026-001", "card", "2:30 h");
    desk.queue("2026-001", "other", "1:00 h");
    desk.board.fail("card", ErrorKind::Unavailable);
    desk.deliver().await;
    assert!(desk.board.written().is_empty());
}
