//! A CSV file: dialect, encoding, header, rows.
//!
//! Everything that spreadsheets and vendors vary is settled here, before a format looks at a
//! value: a byte order mark, the delimiter, quotes, Windows line ends, and German Excel's
//! Windows-1252. What cannot be settled is refused with row and column.

use std::fmt;
use std::io::Read;

pub use super::scan::Record;
use super::scan::{Broken, Scanner};
use super::{Problem, Refusal, encoding::Encoding};

const DELIMITERS: [u8; 3] = [b',', b';', b'\t'];

/// An open CSV file behind its header.
pub struct CsvFile<'a> {
    scanner: Scanner<'a>,
    encoding: Encoding,
    header: Header,
    broken: bool,
}

impl fmt::Debug for CsvFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CsvFile")
            .field("header", &self.header)
            .field("encoding", &self.encoding)
            .finish_non_exhaustive()
    }
}

impl<'a> CsvFile<'a> {
    /// Opens a file and reads its header; the delimiter is the one that the header uses most,
    /// unless it is given.
    ///
    /// # Errors
    /// A file without a header, in an encoding that is not read, or broken in its first row.
    pub fn open(input: &'a mut dyn Read, delimiter: Option<u8>) -> Result<Self, Refusal> {
        let mut scanner = Scanner::new(input).map_err(|broken| refuse(broken.problem(None)))?;
        if let Some(reason) = unreadable(scanner.ahead()) {
            return Err(refuse(Problem {
                row: None,
                column: None,
                reason: reason.to_owned(),
            }));
        }
        if scanner.ahead().starts_with(b"\xEF\xBB\xBF") {
            scanner.skip(3);
        }
        scanner.delimiter = delimiter.unwrap_or_else(|| sniff(scanner.ahead()));
        let mut file = Self {
            scanner,
            encoding: Encoding::default(),
            header: Header::default(),
            broken: false,
        };
        let mut record = Record::default();
        match file.next_raw(&mut record) {
            Some(Ok(())) => file.header = Header::of(&record),
            Some(Err(problem)) => return Err(refuse(problem)),
            None => {
                return Err(refuse(Problem {
                    row: None,
                    column: None,
                    reason: "the file is empty; a header row is needed".to_owned(),
                }));
            }
        }
        Ok(file)
    }

    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next row into `record`; `None` at the end. A row that the header does not fit
    /// is a problem of its own, and the next call goes on behind it.
    pub fn next(&mut self, record: &mut Record) -> Option<Result<(), Problem>> {
        loop {
            match self.next_raw(record)? {
                Err(problem) => return Some(Err(problem)),
                Ok(()) if record.is_blank() => {}
                Ok(()) => return Some(self.header.fits(record)),
            }
        }
    }

    fn next_raw(&mut self, record: &mut Record) -> Option<Result<(), Problem>> {
        if self.broken {
            return None;
        }
        let mut bytes = std::mem::take(&mut record.text).into_bytes();
        let line = match self.scanner.next(&mut bytes, &mut record.ends) {
            Ok(line) => line?,
            Err(broken) => {
                self.broken = true;
                return Some(Err(broken.problem(Some(&self.header))));
            }
        };
        Scanner::mark(record, line);
        match self.encoding.decode(bytes, &mut record.ends) {
            Ok(text) => {
                record.text = text;
                Some(Ok(()))
            }
            Err((field, reason)) => Some(Err(Broken {
                line,
                field,
                reason,
            }
            .problem(Some(&self.header)))),
        }
    }
}

impl Broken {
    fn problem(self, header: Option<&Header>) -> Problem {
        Problem {
            row: Some(self.line),
            column: header.map(|header| header.name(self.field)),
            reason: self.reason,
        }
    }
}

/// The column names, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// As written, trimmed; a name that comes again carries a number, so that all differ.
    names: Vec<String>,
    /// The names that came more than once.
    repeated: Vec<String>,
}

impl Header {
    fn of(record: &Record) -> Self {
        let mut header = Self::default();
        for index in 0..record.len() {
            let written = record.get(index).trim();
            let mut name = match written {
                "" => format!("column {}", index + 1),
                written => written.to_owned(),
            };
            if header.names.iter().any(|known| same_name(known, &name)) {
                header.repeated.push(name.clone());
                name = format!("{name} ({})", index + 1);
            }
            header.names.push(name);
        }
        header
    }

    /// The header at the beginning of a file, for recognising its format.
    pub fn at_head(head: &[u8]) -> Option<Self> {
        let mut head = head;
        let file = CsvFile::open(&mut head, None).ok()?;
        Some(file.header)
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where that column is; capitals do not matter.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| same_name(known, name))
    }

    pub fn has(&self, name: &str) -> bool {
        self.position(name).is_some()
    }

    /// Whether that name stands over more than one column.
    pub fn is_repeated(&self, name: &str) -> bool {
        self.repeated.iter().any(|known| same_name(known, name))
    }

    /// The name to blame for a field, behind the last column as well.
    pub fn name(&self, index: usize) -> String {
        self.names
            .get(index)
            .cloned()
            .unwrap_or_else(|| format!("column {}", index + 1))
    }

    fn fits(&self, record: &Record) -> Result<(), Problem> {
        let (has, needs) = (record.len(), self.names.len());
        if has == needs {
            return Ok(());
        }
        Err(Problem {
            row: Some(record.line()),
            column: Some(self.name(has.min(needs))),
            reason: format!("the row has {has} fields and the header {needs}"),
        })
    }
}

/// Whether two column names are the same; files differ in capitals between versions.
pub(crate) fn same_name(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
        || (!(one.is_ascii() && other.is_ascii()) && one.to_lowercase() == other.to_lowercase())
}

fn refuse(problem: Problem) -> Refusal {
    let mut refusal = Refusal::default();
    refusal.push(problem);
    refusal
}

/// Encodings that a look at the first bytes rules out.
fn unreadable(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Some("the file is UTF-16; save it as \"CSV UTF-8\" and import that");
    }
    if head.starts_with(b"PK\x03\x04") {
        return Some("the file is a zip archive or a spreadsheet; export it as CSV");
    }
    head.iter()
        .take(4096)
        .any(|&byte| byte == 0)
        .then_some("the file is not text, or UTF-16 without a mark; save it as \"CSV UTF-8\"")
}

fn sniff(head: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut quoted = false;
    for &byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted && counts.iter().any(|&count| count > 0) => break,
            _ if quoted => {}
            _ => {
                if let Some(at) = DELIMITERS.iter().position(|&known| known == byte) {
                    counts[at] += 1;
                }
            }
        }
    }
    let most = (0..counts.len())
        .rev()
        .max_by_key(|&at| counts[at])
        .unwrap_or_default();
    DELIMITERS[most]
}
