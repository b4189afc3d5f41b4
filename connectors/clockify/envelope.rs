//! What is kept of an answer: the record as it was received, beside the person's name, which
//! entries name by number only. So mapping it to a record stays a pure function of these bytes.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::state::{Listing, Person};
use crate::contract::Raw;
use crate::record::{ExternalId, Stream};

/// A time entry as it is kept.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct EntryBody {
    pub(super) person: Person,
    pub(super) entry: Box<RawValue>,
}

pub(super) fn entry(listing: &Listing, id: &str, received: &RawValue, person: Person) -> Raw {
    let body = EntryBody {
        person,
        entry: received.to_owned(),
    };
    let body = serde_json::to_string(&body).expect("an envelope is plain data");
    raw(Stream::Time, id, body, listing.scope())
}

/// A project or a person, to the letter.
pub(super) fn whole(stream: Stream, id: &str, received: &RawValue, scope: &str) -> Raw {
    raw(stream, id, received.get().to_owned(), scope.to_owned())
}

fn raw(stream: Stream, id: &str, body: String, scope: String) -> Raw {
    Raw {
        stream,
        id: ExternalId::new(id),
        body,
        scope,
    }
}
