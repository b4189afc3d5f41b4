//! Heads of the chain as they are kept outside of the database.
//!
//! Who puts an old copy of the ledger back, or cuts its end off, leaves a chain that holds. What
//! tells it is a head that was written elsewhere. This is the form of the file that holds such
//! heads: text, a line a head, only ever appended to. `docs/ledger.md` describes it.

use std::fmt;

use chrono::{DateTime, Utc};

use super::{Event, Head, hex};
use crate::billing::Statement;
use crate::money::Cents;
use crate::time::Period;

/// Lines of no statement that stay when the file is made shorter.
const KEPT: usize = 200;
/// A file with more lines is made shorter.
pub const LONG: usize = 4_000;

/// What a file of heads says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Heads {
    /// The identity of the ledger; `None` in a file without a single good line.
    pub ledger: Option<String>,
    /// In the order of the file, without those that a restore gave up.
    pub marks: Vec<Mark>,
    /// The numbers of lines that cannot be read, from 1.
    pub unreadable: Vec<usize>,
    /// How many lines there are.
    pub lines: usize,
}

/// One head that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub head: Head,
    pub at: DateTime<Utc>,
    pub why: Why,
}

/// What had happened when a head was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The file was begun with this head.
    Begun,
    /// Rows were appended.
    Rows,
    Sealed(Bill),
    Cancelled(Bill),
    /// The statement of this number was corrected.
    Correction(String),
    /// A document was delivered.
    Delivered,
    /// A backup holds everything up to here.
    Backup,
    /// The ledger was replaced by a backup that ended in row `behind`: every head of a later row
    /// that was kept before is given up.
    Restored {
        behind: u64,
    },
}

/// A statement, as far as a list of losses needs it. It names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    pub number: String,
    pub period: Period,
    pub net: Cents,
    /// ISO 4217.
    pub currency: String,
}

impl Heads {
    /// Reads a file, whatever is in it: a line that cannot be read is told and passed over.
    pub fn read(bytes: &[u8]) -> Self {
        let mut heads = Self::default();
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        if text.is_empty() {
            return heads;
        }
        for line in text.split(|byte| *byte == b'\n') {
            heads.lines += 1;
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            match std::str::from_utf8(line).ok().and_then(Line::parse) {
                Some(Line::Ledger(identity)) => heads.ledger = Some(identity),
                Some(Line::Mark(mark)) => {
                    if let Why::Restored { behind } = mark.why {
                        heads.marks.retain(|kept| kept.head.seq <= behind);
                    }
                    heads.marks.push(mark);
                }
                None => heads.unreadable.push(heads.lines),
            }
        }
        heads
    }

    /// The head of the highest row; of several, the newest line.
    pub fn last(&self) -> Option<&Mark> {
        self.marks.iter().max_by_key(|mark| mark.head.seq)
    }

    /// The file anew, with all statements and the newest of the other lines.
    pub fn shortened(&self) -> String {
        let mut text = self.ledger.as_deref().map(first_line).unwrap_or_default();
        let newest = self.marks.len().saturating_sub(KEPT);
        for (at, mark) in self.marks.iter().enumerate() {
            if at >= newest || mark.why.is_of_a_statement() {
                text += &mark.line();
            }
        }
        text
    }
}

/// The line with which a file begins.
pub fn first_line(identity: &str) -> String {
    format!("ledger {identity}\n")
}

impl Mark {
    /// The mark as a line of the file, with its end.
    pub fn line(&self) -> String {
        let at = self.at.format("%Y-%m-%dT%H:%M:%SZ");
        format!("{} {} {at} {}\n", self.head.seq, self.head.hex(), self.why)
    }
}

impl Why {
    /// Why the head behind a row is kept for itself, if it is.
    pub fn of(subject: &str, event: &Event) -> Option<Self> {
        match event {
            Event::Sealed(sealed) => Some(Self::Sealed(Bill::of(subject, &sealed.statement))),
            Event::Cancelled(cancelled) => {
                Some(Self::Cancelled(Bill::of(subject, &cancelled.statement)))
            }
            Event::Correction(_) => Some(Self::Correction(subject.to_owned())),
            Event::Delivered(_) => Some(Self::Delivered),
            _ => None,
        }
    }

    /// Whether losing the row means to lose a statement or a part of one.
    pub fn is_of_a_statement(&self) -> bool {
        matches!(
            self,
            Self::Sealed(_) | Self::Cancelled(_) | Self::Correction(_)
        )
    }
}

impl Bill {
    fn of(number: &str, statement: &Statement) -> Self {
        Self {
            number: number.to_owned(),
            period: statement.period,
            net: statement.totals.net,
            currency: statement.currency.clone(),
        }
    }
}

impl fmt::Display for Bill {
    /// `statement 2026-0007 of 2026-10, 5390.12 EUR net`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            number,
            period,
            net,
            currency,
        } = self;
        write!(f, "statement {number} of {period}, {net} {currency} net")
    }
}

impl fmt::Display for Why {
    /// The end of a line. The number comes last, for it may hold blanks.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bill = |f: &mut fmt::Formatter<'_>, word: &str, bill: &Bill| {
            let Bill {
                number,
                period,
                net,
                currency,
            } = bill;
            write!(f, "{word} {period} {net} {currency} {number}")
        };
        match self {
            Self::Begun => f.write_str("begun"),
            Self::Rows => f.write_str("rows"),
            Self::Sealed(it) => bill(f, "sealed", it),
            Self::Cancelled(it) => bill(f, "cancelled", it),
            Self::Correction(number) => write!(f, "correction {number}"),
            Self::Delivered => f.write_str("delivered"),
            Self::Backup => f.write_str("backup"),
            Self::Restored { behind } => write!(f, "restored {behind}"),
        }
    }
}

/// A line that could be read.
enum Line {
    Ledger(String),
    Mark(Mark),
}

impl Line {
    fn parse(line: &str) -> Option<Self> {
        if let Some(identity) = line.strip_prefix("ledger ") {
            let is_hex = identity.bytes().all(|byte| byte.is_ascii_hexdigit());
            return (identity.len() == 32 && is_hex).then(|| Self::Ledger(identity.to_owned()));
        }
        let mut words = line.splitn(4, ' ');
        let head = Head {
            seq: words.next()?.parse().ok()?,
            hash: hash(words.next()?)?,
        };
        Some(Self::Mark(Mark {
            head,
            at: words.next()?.parse().ok()?,
            why: why(words.next()?)?,
        }))
    }
}

fn why(text: &str) -> Option<Why> {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    match (word, rest) {
        ("begun", "") => Some(Why::Begun),
        ("rows", "") => Some(Why::Rows),
        ("delivered", "") => Some(Why::Delivered),
        ("backup", "") => Some(Why::Backup),
        ("sealed", rest) => bill(rest).map(Why::Sealed),
        ("cancelled", rest) => bill(rest).map(Why::Cancelled),
        ("correction", number) if !number.is_empty() => Some(Why::Correction(number.to_owned())),
        ("restored", behind) => Some(Why::Restored {
            behind: behind.parse().ok()?,
        }),
        _ => None,
    }
}

fn bill(text: &str) -> Option<Bill> {
    let mut words = text.splitn(4, ' ');
    Some(Bill {
        period: words.next()?.parse().ok()?,
        net: cents(words.next()?)?,
        currency: words.next()?.to_owned(),
        number: words.next().filter(|number| !number.is_empty())?.to_owned(),
    })
}

/// Reads what [`Cents`] prints.
fn cents(text: &str) -> Option<Cents> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (units, cents) = digits.split_once('.')?;
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if cents.len() != 2 || !plain(units) || !plain(cents) {
        return None;
    }
    let units: i64 = units.parse().ok()?;
    let whole = units.checked_mul(100)?.checked_add(cents.parse().ok()?)?;
    whole.checked_mul(sign).map(Cents::new)
}

/// Reads a hash in lower-case hexadecimal.
fn hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if !text.is_ascii() || text.len() != 64 {
        return None;
    }
    for (at, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()?;
    }
    // `from_str_radix` takes a sign; what is read must be what is written.
    (hex(&hash) == text).then_some(hash)
}

#[cfg(test)]
#[path = "heads_tests.rs"]
mod tests;
