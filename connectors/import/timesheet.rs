//! Time sheets: from the rows of a file to raw records, and from there to time entries.

use std::collections::BTreeMap;
use std::io::Read;
use std::mem;

use chrono_tz::Tz;
use serde::Deserialize;

use super::csv_file::{CsvFile, Header, Record};
use super::dates::{self, DateStyle, Order, Reading};
use super::entry::{Fault, Row, Rules};
use super::identity::Seen;
use super::layout::{Cells, Field, Layout, Places};
use super::wall::Doubt;
use super::{DateOrder, Options, Problem, ReadError, Refusal, SinkError, shortened};
use crate::contract::{Identified, Raw};
use crate::error::Reject;
use crate::record::{Record as Ours, Stream};

/// Rows are held back until one tells the order of the dates, but only so many bytes of them.
const HELD_BACK: usize = 8 << 20;

/// What to read a file as.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sheet<'a> {
    pub(super) format: &'static str,
    pub(super) layout: &'a Layout,
    pub(super) delimiter: Option<u8>,
    /// The layout itself goes into the raw records of a mapped file: mapping files change, and
    /// a raw record must be read as it was when it came.
    pub(super) keep_layout: bool,
}

type Each<'e> = &'e mut dyn FnMut(Raw) -> Result<(), SinkError>;

/// Reads a file to its end.
pub(super) fn read(
    sheet: Sheet<'_>,
    input: &mut dyn Read,
    options: &Options,
    each: Each<'_>,
) -> Result<(), ReadError> {
    let mut file = CsvFile::open(input, sheet.delimiter).map_err(ReadError::Refused)?;
    let header = file.header().clone();
    let mut reader = Reader::new(sheet, &header, options).map_err(ReadError::Refused)?;
    let mut record = Record::default();
    while let Some(next) = file.next(&mut record) {
        match next {
            Err(problem) => reader.refusal.push(problem),
            Ok(()) => reader.take(&mut record, each).map_err(ReadError::Sink)?,
        }
    }
    reader.give_up();
    if reader.refusal.problems.is_empty() {
        Ok(())
    } else {
        Err(ReadError::Refused(reader.refusal))
    }
}

struct Reader<'a> {
    sheet: Sheet<'a>,
    header: &'a Header,
    places: Places,
    zone: Tz,
    order: Option<Order>,
    held_back: Vec<Record>,
    held_bytes: usize,
    given_up: bool,
    seen: Seen,
    refusal: Refusal,
    body: Body,
}

impl<'a> Reader<'a> {
    fn new(sheet: Sheet<'a>, header: &'a Header, options: &Options) -> Result<Self, Refusal> {
        let places = sheet.layout.locate(header).map_err(|problems| {
            let mut refusal = Refusal::default();
            for problem in problems {
                refusal.push(problem);
            }
            refusal
        })?;
        Ok(Self {
            sheet,
            header,
            places,
            zone: options.time_zone,
            order: match options.dates {
                DateOrder::Detect => None,
                DateOrder::DayFirst => Some(Order::DayFirst),
                DateOrder::MonthFirst => Some(Order::MonthFirst),
            },
            held_back: Vec::new(),
            held_bytes: 0,
            given_up: false,
            seen: Seen::new(),
            refusal: Refusal::default(),
            body: Body::new(&sheet, header, options.time_zone),
        })
    }

    /// Takes one row; holds it back while the order of its dates, or of those before, is open.
    fn take(&mut self, record: &mut Record, each: Each<'_>) -> Result<(), SinkError> {
        if self.given_up {
            return Ok(());
        }
        if self.order.is_some() {
            return self.row(record, each);
        }
        match self.evidence(record) {
            Evidence::Tells(order) => {
                self.order = Some(order);
                for held in mem::take(&mut self.held_back) {
                    self.row(&held, each)?;
                }
                self.row(record, each)
            }
            Evidence::None if self.held_back.is_empty() => self.row(record, each),
            Evidence::None | Evidence::Open => {
                self.held_bytes += record.size();
                self.held_back.push(mem::take(record));
                if self.held_bytes > HELD_BACK {
                    self.give_up();
                }
                Ok(())
            }
        }
    }

    /// No row told the order of the dates: one problem for all of them.
    fn give_up(&mut self) {
        self.given_up = true;
        let held = mem::take(&mut self.held_back);
        let Some(first) = held.first() else { return };
        let (field, text) = self
            .dates_of(first)
            .find(|(_, text)| matches!(self.open(text), Evidence::Open))
            .unwrap_or((Field::Date, ""));
        let reason = format!("`{}` {}", shortened(text), dates::ambiguous());
        self.refusal.push(Problem {
            row: Some(first.line()),
            column: Some(self.column(field)),
            reason,
        });
    }

    fn evidence(&self, record: &Record) -> Evidence {
        let mut all = Evidence::None;
        for (_, text) in self.dates_of(record) {
            match self.open(text) {
                Evidence::None => {}
                Evidence::Open => all = Evidence::Open,
                tells @ Evidence::Tells(_) => return tells,
            }
        }
        all
    }

    fn open(&self, text: &str) -> Evidence {
        // A cell that is no date at all becomes a problem when its row is read.
        match dates::read(text, self.sheet.layout.dates) {
            Err(_) | Ok(Reading::Known(_)) => Evidence::None,
            Ok(Reading::Open {
                day_first,
                month_first,
            }) => match (day_first, month_first) {
                (Some(_), None) => Evidence::Tells(Order::DayFirst),
                (None, Some(_)) => Evidence::Tells(Order::MonthFirst),
                _ => Evidence::Open,
            },
        }
    }

    /// The cells that hold dates, cut to the date.
    fn dates_of<'r>(&self, record: &'r Record) -> impl Iterator<Item = (Field, &'r str)> {
        let fields = if self.sheet.layout.dates != DateStyle::Auto {
            [].as_slice()
        } else if self.sheet.layout.has(Field::Date) {
            &[Field::Date, Field::EndDate]
        } else {
            &[Field::Start, Field::End]
        };
        let places = self.places;
        fields.iter().filter_map(move |&field| {
            let text = record.get(places[field as usize]?).trim();
            let date = text.split(['T', ' ']).next().unwrap_or_default();
            (!date.is_empty()).then_some((field, date))
        })
    }

    fn row(&mut self, record: &Record, each: Each<'_>) -> Result<(), SinkError> {
        let mut cells = Cells::default();
        for field in Field::ALL {
            if let Some(place) = self.places[field as usize] {
                cells.set(field, record.get(place));
            }
        }
        let rules = Rules {
            layout: self.sheet.layout,
            zone: self.zone,
            order: self.order,
        };
        match rules.row(cells) {
            Err(Fault { field, reason }) => {
                self.refusal.push(Problem {
                    row: Some(record.line()),
                    column: Some(self.column(field)),
                    reason,
                });
                Ok(())
            }
            // After a problem the file is read on for further problems, and nothing is kept.
            Ok(_) if !self.refusal.problems.is_empty() => Ok(()),
            Ok(row) => {
                let id = self.seen.identify(row.key());
                each(Raw {
                    stream: Stream::Time,
                    id,
                    body: self.body.of(record, self.order, &row),
                    scope: self.sheet.format.to_owned(),
                })
            }
        }
    }

    fn column(&self, field: Field) -> String {
        match self.places[field as usize] {
            Some(place) => self.header.name(place),
            None => self.sheet.layout.names(field),
        }
    }
}

/// What a row tells about the order of the dates.
enum Evidence {
    /// It has no date that could be read two ways.
    None,
    Open,
    Tells(Order),
}

/// Writes raw bodies; what is the same in every row is written once.
struct Body {
    before_row: String,
    after_zone: String,
    keys: Vec<String>,
    buffer: Vec<u8>,
}

impl Body {
    fn new(sheet: &Sheet<'_>, header: &Header, zone: Tz) -> Self {
        let after_zone = if sheet.keep_layout {
            let layout = serde_json::to_string(sheet.layout).expect("a layout is plain data");
            format!(",\"mapping\":{layout}")
        } else {
            String::new()
        };
        Self {
            before_row: format!(
                "{{\"format\":\"{}\",\"zone\":\"{}\"",
                sheet.format,
                zone.name()
            ),
            after_zone,
            keys: header.names().iter().map(|name| json(name)).collect(),
            buffer: Vec::new(),
        }
    }

    fn of(&mut self, record: &Record, order: Option<Order>, row: &Row<'_>) -> String {
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(self.before_row.as_bytes());
        if let Some(order) = order {
            let order = match order {
                Order::DayFirst => ",\"dates\":\"day-first\"",
                Order::MonthFirst => ",\"dates\":\"month-first\"",
            };
            buffer.extend_from_slice(order.as_bytes());
        }
        if !row.doubts.is_empty() {
            buffer.extend_from_slice(b",\"doubts\":");
            write_json(buffer, &row.doubts);
        }
        buffer.extend_from_slice(self.after_zone.as_bytes());
        buffer.extend_from_slice(b",\"row\":");
        for (index, key) in self.keys.iter().enumerate() {
            buffer.push(if index == 0 { b'{' } else { b',' });
            buffer.extend_from_slice(key.as_bytes());
            buffer.push(b':');
            write_json(buffer, record.get(index));
        }
        buffer.extend_from_slice(b"}}");
        String::from_utf8(buffer.clone()).expect("JSON of text is text")
    }
}

fn json(text: &str) -> String {
    serde_json::to_string(text).expect("a text is plain data")
}

fn write_json<T: serde::Serialize + ?Sized>(buffer: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(buffer, value).expect("plain data goes into memory");
}

/// A raw body as [`Body`] writes it.
#[derive(Deserialize)]
struct Stored {
    zone: String,
    #[serde(default)]
    dates: Option<Order>,
    #[serde(default)]
    mapping: Option<Layout>,
    row: BTreeMap<String, String>,
}

/// Maps a raw record to a time entry; without a layout, by the one that it carries.
pub(super) fn normalise(raw: &Raw, layout: Option<&Layout>) -> Result<Vec<Identified>, Reject> {
    let stored: Stored = serde_json::from_str(&raw.body)
        .map_err(|error| Reject::new(format!("the raw record is not one of an import: {error}")))?;
    let layout = layout
        .or(stored.mapping.as_ref())
        .ok_or_else(|| Reject::field("mapping", "is missing in the raw record"))?;
    let zone = stored
        .zone
        .parse()
        .map_err(|_| Reject::field("zone", format!("`{}` is not known", stored.zone)))?;
    let (names, values): (Vec<&str>, Vec<&str>) = stored
        .row
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .unzip();
    let places = layout.places(&names);
    let mut cells = Cells::default();
    for field in Field::ALL {
        if let Some(place) = places[field as usize] {
            cells.set(field, values[place]);
        }
    }
    let rules = Rules {
        layout,
        zone,
        order: stored.dates,
    };
    let row = rules
        .row(cells)
        .map_err(|fault| Reject::field(fault.field.key(), fault.reason))?;
    Ok(vec![Identified {
        id: raw.id.clone(),
        record: Ours::TimeEntry(row.entry(layout.tags_separator.as_deref().unwrap_or(", "))),
    }])
}

/// What a clock change leaves uncertain about an imported row.
pub(super) fn doubts(raw: &Raw) -> Vec<Doubt> {
    #[derive(Deserialize)]
    struct Doubts {
        #[serde(default)]
        doubts: Vec<Doubt>,
    }
    if !raw.body.contains("\"doubts\":") {
        return Vec::new();
    }
    serde_json::from_str::<Doubts>(&raw.body).map_or_else(|_| Vec::new(), |found| found.doubts)
}
