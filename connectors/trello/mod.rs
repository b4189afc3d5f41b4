//! Placeholder.
use crate::contract::*;
use crate::kind::{Kind, Settings};
use crate::{Entry, Error, Result, error::Kind as ErrorKind};

static KIND: Kind = Kind {
    name: "trello",
    title: "trello",
    summary: "",
    settings: &[],
    streams: &[],
    delivers: &[],
    buckets: &[],
    quiet_night: "",
    needs: "",
};
pub(crate) const ENTRY: Entry = Entry { kind: &KIND, build };
fn build(_: &str, _: &Settings, _: &Platform) -> Result<Box<dyn Connector>> {
    Err(Error::new(ErrorKind::Unsupported, "trello"))
}
