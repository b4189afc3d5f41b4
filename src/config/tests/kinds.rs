//! Connectors for these tests: their settings are those of the real ones in names and kinds,
//! so that the tests say what they say whatever the real ones become.

use stundenbuch_connectors::contract::{Connector, Platform};
use stundenbuch_connectors::error::Kind as ErrorKind;
use stundenbuch_connectors::kind::{
    Changes, Deletions, Delivery, DeliveryKind, Kind, Need, Repeat, Setting, Settings, StreamKind,
    ValueKind,
};
use stundenbuch_connectors::record::Stream;
use stundenbuch_connectors::{Entry, Error, Result};

const fn setting(key: &'static str, value: ValueKind, need: Need) -> Setting {
    Setting {
        key,
        value,
        need,
        help: "",
    }
}

const fn kind(name: &'static str, settings: &'static [Setting]) -> Kind {
    Kind {
        name,
        title: name,
        summary: "",
        settings,
        streams: &[],
        delivers: &[],
        buckets: &[],
        quiet_night: "",
        needs: "",
        experimental: false,
    }
}

static TOGGL: Kind = kind(
    "toggl",
    &[
        setting("token", ValueKind::Secret, Need::Required),
        setting(
            "api_url",
            ValueKind::Url,
            Need::Default("https://toggl.example/api"),
        ),
        setting(
            "reports_url",
            ValueKind::Url,
            Need::Default("https://toggl.example/rep"),
        ),
        setting("history_from", ValueKind::Date, Need::Optional),
        setting("workspaces", ValueKind::Texts, Need::Optional),
        setting("team", ValueKind::Flag, Need::Default("false")),
    ],
);

static TRELLO: Kind = kind(
    "trello",
    &[
        setting("key", ValueKind::Secret, Need::Required),
        setting("token", ValueKind::Secret, Need::Required),
        setting(
            "api_url",
            ValueKind::Url,
            Need::Default("https://trello.example/1"),
        ),
        setting("boards", ValueKind::Texts, Need::Optional),
        setting(
            "done_lists",
            ValueKind::Texts,
            Need::Default("[\"Done\", \"Fertig\"]"),
        ),
        setting(
            "full_every_days",
            ValueKind::Count { min: 1, max: 365 },
            Need::Default("7"),
        ),
    ],
);

static FOLDER: Kind = Kind {
    streams: &[StreamKind {
        stream: Stream::Files,
        changes: Changes::Listing,
        deletions: Deletions::ConfirmedAbsence,
    }],
    delivers: &[DeliveryKind {
        what: Delivery::File,
        repeat: Repeat::SameContent,
    }],
    ..kind(
        "folder",
        &[
            setting("path", ValueKind::Path, Need::Required),
            setting("ignore", ValueKind::Texts, Need::Optional),
            setting("marker", ValueKind::Text, Need::Optional),
        ],
    )
};

pub(super) static ALL: &[Entry] = &[
    Entry {
        kind: &TOGGL,
        build,
    },
    Entry {
        kind: &TRELLO,
        build,
    },
    Entry {
        kind: &FOLDER,
        build,
    },
];

fn build(_: &str, _: &Settings, _: &Platform) -> Result<Box<dyn Connector>> {
    Err(Error::new(ErrorKind::Unsupported, "a connector for tests"))
}
