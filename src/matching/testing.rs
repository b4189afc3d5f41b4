//! Short ways to make records, for the tests of the pure stages.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Europe::Berlin;
use stundenbuch_connectors::record::{
    ExternalId, File, Named, Stream, Task, TaskState, TimeEntry, Worked,
};

use crate::billing::{Language, Party};
use crate::config::{Client, Contract, Grouping, Model, Person, RateRule, Rounding, Sources};
use crate::money::HourlyRate;
use crate::work::{FileItem, RecordKey, TaskItem, Work, WorkId};

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

pub(crate) fn key(connection: &str, stream: Stream, id: &str) -> RecordKey {
    RecordKey {
        connection: connection.to_owned(),
        stream,
        id: ExternalId::new(id),
    }
}

/// Makes a time entry field by field.
#[derive(Clone, Debug)]
pub(crate) struct EntryBuilder(TimeEntry);

impl EntryBuilder {
    pub(crate) fn new(worked: Worked) -> Self {
        Self(TimeEntry {
            worked,
            description: String::new(),
            person: None,
            client: None,
            project: None,
            task: None,
            tags: Vec::new(),
            billable: None,
        })
    }

    pub(crate) fn span(start: &str, seconds: i64) -> Self {
        let start = at(start);
        Self::new(Worked::Span {
            start,
            stop: start + TimeDelta::seconds(seconds),
        })
    }

    pub(crate) fn day(date: &str, seconds: i64) -> Self {
        Self::new(Worked::Day {
            date: day(date),
            seconds,
        })
    }

    pub(crate) fn running(start: &str) -> Self {
        Self::new(Worked::Running { start: at(start) })
    }

    pub(crate) fn text(mut self, text: &str) -> Self {
        text.clone_into(&mut self.0.description);
        self
    }

    /// An address with `@` is an e-mail, anything else a name.
    pub(crate) fn by(mut self, who: &str) -> Self {
        let person = self.0.person.get_or_insert_default();
        let field = if who.contains('@') {
            &mut person.email
        } else {
            &mut person.name
        };
        *field = Some(who.to_owned());
        self
    }

    pub(crate) fn project(mut self, name: &str) -> Self {
        self.0.project = Named::by_name(name);
        self
    }

    pub(crate) fn client(mut self, name: &str) -> Self {
        self.0.client = Named::by_name(name);
        self
    }

    pub(crate) fn task(mut self, id: Option<&str>, name: &str) -> Self {
        self.0.task = Some(Named {
            id: id.map(ExternalId::new),
            name: Some(name.to_owned()),
        });
        self
    }

    pub(crate) fn tag(mut self, tag: &str) -> Self {
        self.0.tags.push(tag.to_owned());
        self
    }

    pub(crate) fn billable(mut self, billable: bool) -> Self {
        self.0.billable = Some(billable);
        self
    }

    pub(crate) fn build(self) -> TimeEntry {
        self.0
    }

    pub(crate) fn work(self, id: u64) -> Work {
        Work {
            id: WorkId(id),
            key: key("toggl", Stream::Time, &id.to_string()),
            revision: id,
            entry: self.0,
            deleted: false,
            statement: None,
        }
    }
}

pub(crate) fn task(id: &str, board: &str, title: &str) -> TaskItem {
    TaskItem {
        key: key("trello", Stream::Tasks, id),
        revision: 1,
        task: Task {
            title: title.to_owned(),
            notes: String::new(),
            project: Named::by_name(board),
            section: None,
            state: TaskState::Open,
            archived: false,
            short_id: None,
            url: None,
            assignees: Vec::new(),
            labels: Vec::new(),
            created: None,
            done_at: None,
            due: None,
            tracked_seconds: None,
            fields: std::collections::BTreeMap::new(),
        },
        deleted: false,
    }
}

pub(crate) fn file(connection: &str, path: &str, modified: &str) -> FileItem {
    FileItem {
        key: key(connection, Stream::Files, path),
        revision: 1,
        file: File {
            path: path.to_owned(),
            size: None,
            modified: Some(at(modified)),
            modified_by: None,
            version: None,
        },
        deleted: false,
    }
}

pub(crate) fn person(key: &str, name: &str, known_as: &[&str]) -> Person {
    Person {
        key: key.to_owned(),
        name: name.to_owned(),
        known_as: known_as.iter().map(|&name| name.to_owned()).collect(),
    }
}

/// A client in Berlin whose time-tracker name is its key.
pub(crate) fn client(key: &str) -> Client {
    Client {
        key: key.to_owned(),
        party: Party {
            name: key.to_owned(),
            ..Party::default()
        },
        language: Language::En,
        time_zone: Berlin,
        reference: None,
        sources: Sources {
            clients: vec![key.to_owned()],
            ..Sources::default()
        },
        contracts: Vec::new(),
        deliver: Vec::new(),
        write_back: Vec::new(),
    }
}

pub(crate) fn rate(rate: &str) -> RateRule {
    RateRule {
        rate: HourlyRate::new(rate.parse().unwrap()),
        project: None,
        person: None,
        from: None,
        until: None,
        origin: "config.toml:40".to_owned(),
    }
}

/// An open-ended contract of everything from 2026 on: 59.00 EUR, 19 per cent.
pub(crate) fn contract(key: &str) -> Contract {
    Contract {
        key: key.to_owned(),
        title: "Web development".to_owned(),
        projects: Vec::new(),
        from: day("2026-01-01"),
        until: None,
        model: Model::Hourly {
            rates: vec![rate("59")],
        },
        currency: "EUR".to_owned(),
        vat: Some(rust_decimal::Decimal::from(19)),
        rounding: Rounding::default(),
        group_by: Grouping::Project,
        ignore_billable_flag: false,
    }
}
