//! The conformance suite over the fake Trello.

use std::sync::Mutex;

use stundenbuch_connectors::suite::{self, Subject, Trouble};

use super::*;

/// A world of which one stream is tested: cards, or comments on one card.
struct World {
    bench: Bench,
    stream: Stream,
    board: String,
    lists: [String; 3],
    /// The card that is commented on.
    card: Option<String>,
    edits: Mutex<u32>,
}

impl World {
    async fn start(stream: Stream) -> Self {
        let bench = Bench::start().await;
        let (board, lists, _) = boards(&bench.trello, 1, 0).remove(0);
        // Suite worlds begin small; several boards make several pages.
        boards(&bench.trello, 3, 0);
        let card = (stream == Stream::Activity).then(|| bench.trello.add_card(&lists[0], "Karte"));
        Self {
            bench,
            stream,
            board,
            lists,
            card,
            edits: Mutex::default(),
        }
    }

    fn tick(&self) {
        self.bench.clock.advance(Duration::from_mins(1));
    }
}

impl Subject for World {
    fn stream(&self) -> Stream {
        self.stream
    }

    fn connector(&self) -> Box<dyn Connector> {
        self.bench.connector()
    }

    fn add(&self, count: usize) -> Vec<ExternalId> {
        self.tick();
        let trello = &self.bench.trello;
        let one = |number: usize| match &self.card {
            None => trello.add_card(&self.lists[0], &format!("Karte {number}")),
            Some(card) => trello.comment(card, &format!("Nummer {number}")),
        };
        (0..count).map(one).map(ExternalId::new).collect()
    }

    fn add_titled(&self, text: &str) -> Option<ExternalId> {
        self.tick();
        let trello = &self.bench.trello;
        let id = match &self.card {
            None => trello.add_card(&self.lists[0], text),
            Some(card) => trello.comment(card, text),
        };
        Some(ExternalId::new(id))
    }

    fn edit(&self, id: &ExternalId) {
        self.tick();
        let mut edits = self.edits.lock().unwrap();
        *edits += 1;
        let text = format!("Neu {edits}");
        match self.card {
            None => self.bench.trello.rename_silently(id.as_str(), &text),
            Some(_) => self
                .bench
                .trello
                .edit_comment(&self.board, id.as_str(), &text),
        }
    }

    fn delete(&self, id: &ExternalId) {
        self.tick();
        match self.card {
            None => self.bench.trello.delete(id.as_str()),
            Some(_) => self.bench.trello.delete_comment(&self.board, id.as_str()),
        }
    }

    fn truth(&self) -> BTreeSet<ExternalId> {
        let (cards, actions) = self.bench.trello.ids(&self.board);
        let ids = if self.card.is_some() { actions } else { cards };
        ids.into_iter().map(ExternalId::new).collect()
    }

    fn break_with(&self, trouble: Trouble, skip: u32) -> bool {
        let kind = match trouble {
            Trouble::Refused => faults::text(401, "invalid token"),
            _ => FaultKind::of(trouble),
        };
        if trouble == Trouble::Stalled {
            self.bench
                .clock
                .lose_patience_after(Duration::from_millis(20));
        }
        let (path, times) = ("/", u32::MAX);
        self.bench
            .server
            .fail_after(skip, Fault { path, times, kind });
        true
    }

    fn heal(&self) {
        self.bench.server.heal();
        self.bench.clock.lose_patience_after(Duration::MAX);
    }

    fn canary(&self) -> Option<String> {
        Some(TOKEN.to_owned())
    }

    fn quiet_requests(&self) -> u64 {
        1
    }

    fn requests_seen(&self) -> Option<u64> {
        Some(self.bench.sent() as u64)
    }
}

#[tokio::test]
async fn cards_conform() {
    suite::all(|| World::start(Stream::Tasks)).await;
}

#[tokio::test]
async fn activities_conform() {
    suite::all(|| World::start(Stream::Activity)).await;
}

#[tokio::test]
async fn settings_are_declared() {
    let bench = Bench::start().await;
    let entry = stundenbuch_connectors::find("trello").unwrap();
    let more = [
        ("boards", texts(&["Kunde"])),
        ("done_lists", texts(&["Fertig"])),
    ];
    suite::settings_are_declared(entry, &bench.settings(&more), &bench.platform());
}
