//! Collects what is logged, of all crates and at all levels, by thread: a test runs on one.
//!
//! The collector is installed for the whole process, because a call site that was first met
//! without one stays silent for everybody.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
}

struct Collector;

struct Writer;

pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Collector).unwrap());
}

pub(crate) fn of_this_thread() -> String {
    TEXT.with_borrow(String::clone)
}

impl Visit for Writer {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        TEXT.with_borrow_mut(|text| write!(text, "{}={value:?} ", field.name()).unwrap());
    }
}

impl Subscriber for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut Writer);
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut Writer);
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Writer);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
