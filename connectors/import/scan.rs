//! Cuts a CSV file into records, strictly.
//!
//! A general CSV reader is lenient: a quotation mark that is never closed swallows the rest of
//! the file as one text, and nothing is said. Rows that will be billed must not be lost that way,
//! so this scanner refuses what RFC 4180 does not allow inside quotes, and knows the line on
//! which a record begins, through Windows line ends, blank lines and line breaks within a text.

use std::io::{ErrorKind, Read};

/// No row of a time sheet is longer; one that is has a quotation mark that was never closed.
const LONGEST: usize = 1 << 20;
const BUFFER: usize = 1 << 16;

/// The fields of one record, in one buffer that is used again for the next.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub(super) text: String,
    pub(super) ends: Vec<usize>,
    line: u64,
}

impl Record {
    /// The line of the file on which the record begins; the header is on line 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The field at that position, without quotes; empty where the record has none.
    pub fn get(&self, index: usize) -> &str {
        let Some(&end) = self.ends.get(index) else {
            return "";
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.text[start..end]
    }

    /// Whether nothing is written in any field, as in the rows that spreadsheets leave behind.
    pub fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// About how much memory a copy takes.
    pub(super) fn size(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>() + size_of::<Self>()
    }
}

/// Why a record cannot be cut out; nothing behind it can be trusted.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) line: u64,
    /// The position of the field, from 0.
    pub(super) field: usize,
    pub(super) reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    Start,
    Plain,
    Quoted,
    /// Behind a quotation mark within quotes: the end, or the first half of a doubled one.
    Quote,
}

/// The bytes of the file, with the place where the next record begins.
pub(super) struct Scanner<'a> {
    input: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    line: u64,
    /// A carriage return ended the last record: a line feed behind it belongs to it.
    after_return: bool,
    pub(super) delimiter: u8,
}

impl<'a> Scanner<'a> {
    /// Reads the beginning of the file, so that it can be looked at before the first record.
    pub(super) fn new(input: &'a mut dyn Read) -> Result<Self, Broken> {
        let mut scanner = Self {
            input,
            buffer: vec![0; BUFFER],
            at: 0,
            filled: 0,
            line: 1,
            after_return: false,
            delimiter: b',',
        };
        while scanner.filled < BUFFER {
            let more = scanner.read_at(scanner.filled)?;
            if more == 0 {
                break;
            }
            scanner.filled += more;
        }
        Ok(scanner)
    }

    /// What was read and not used yet.
    pub(super) fn ahead(&self) -> &[u8] {
        &self.buffer[self.at..self.filled]
    }

    /// Leaves out the next bytes, which [`Self::ahead`] has shown.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    fn read_at(&mut self, offset: usize) -> Result<usize, Broken> {
        loop {
            match self.input.read(&mut self.buffer[offset..]) {
                Ok(bytes) => return Ok(bytes),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(Broken {
                        line: self.line,
                        field: 0,
                        reason: format!("the file cannot be read further: {error}"),
                    });
                }
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, Broken> {
        if self.at == self.filled {
            self.at = 0;
            self.filled = 0;
            self.filled = self.read_at(0)?;
            if self.filled == 0 {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.at]))
    }

    /// Puts the next record's bytes and field ends into the buffers; `None` at the end.
    ///
    /// Lines without a single character are no records.
    pub(super) fn next(
        &mut self,
        bytes: &mut Vec<u8>,
        ends: &mut Vec<usize>,
    ) -> Result<Option<u64>, Broken> {
        bytes.clear();
        ends.clear();
        self.skip_line_ends()?;
        let line = self.line;
        let mut state = State::Start;
        loop {
            let Some(byte) = self.peek()? else {
                return self.at_end(state, line, bytes, ends);
            };
            if bytes.len() > LONGEST {
                return Err(too_long(line, ends.len()));
            }
            match state {
                State::Start if byte == b'"' => {
                    state = State::Quoted;
                    self.at += 1;
                }
                State::Start | State::Plain => {
                    self.plain(bytes);
                    state = State::Plain;
                    if self.at < self.filled && self.field_ends(bytes, ends, &mut state) {
                        return Ok(Some(line));
                    }
                }
                State::Quoted => self.quoted(bytes, &mut state),
                State::Quote if byte == b'"' => {
                    bytes.push(b'"');
                    state = State::Quoted;
                    self.at += 1;
                }
                State::Quote => {
                    if byte != self.delimiter && byte != b'\n' && byte != b'\r' {
                        return Err(Broken {
                            line,
                            field: ends.len(),
                            reason: "goes on behind its closing quotation mark; a quotation mark \
                                     within a quoted text is written twice"
                                .to_owned(),
                        });
                    }
                    if self.field_ends(bytes, ends, &mut state) {
                        return Ok(Some(line));
                    }
                }
            }
        }
    }

    /// Takes bytes up to the end of an unquoted field, or of the buffer.
    fn plain(&mut self, bytes: &mut Vec<u8>) {
        let delimiter = self.delimiter;
        let rest = &self.buffer[self.at..self.filled];
        let length = rest
            .iter()
            .position(|&byte| byte == delimiter || byte == b'\n' || byte == b'\r')
            .unwrap_or(rest.len());
        bytes.extend_from_slice(&rest[..length]);
        self.at += length;
    }

    /// Takes bytes up to a quotation mark, or to the end of the buffer.
    fn quoted(&mut self, bytes: &mut Vec<u8>, state: &mut State) {
        let rest = &self.buffer[self.at..self.filled];
        let length = rest
            .iter()
            .position(|&byte| byte == b'"')
            .unwrap_or(rest.len());
        bytes.extend_from_slice(&rest[..length]);
        self.line += line_feeds(&rest[..length]);
        self.at += length;
        if self.at < self.filled {
            self.at += 1;
            *state = State::Quote;
        }
    }

    /// Ends the field before the byte at hand; says whether that ends the record, too.
    fn field_ends(&mut self, bytes: &[u8], ends: &mut Vec<usize>, state: &mut State) -> bool {
        ends.push(bytes.len());
        *state = State::Start;
        let byte = self.buffer[self.at];
        self.at += 1;
        if byte == self.delimiter {
            return false;
        }
        self.line += 1;
        self.after_return = byte == b'\r';
        true
    }

    fn skip_line_ends(&mut self) -> Result<(), Broken> {
        while let Some(byte) = self.peek()? {
            match byte {
                b'\n' if self.after_return => self.after_return = false,
                b'\n' | b'\r' => {
                    self.line += 1;
                    self.after_return = byte == b'\r';
                }
                _ => break,
            }
            self.at += 1;
        }
        self.after_return = false;
        Ok(())
    }

    fn at_end(
        &self,
        state: State,
        line: u64,
        bytes: &[u8],
        ends: &mut Vec<usize>,
    ) -> Result<Option<u64>, Broken> {
        match state {
            State::Start if ends.is_empty() => Ok(None),
            State::Quoted => Err(Broken {
                line,
                field: ends.len(),
                reason: "begins with a quotation mark that is never closed; the file was cut, or \
                         the mark belongs to the text and must be doubled"
                    .to_owned(),
            }),
            State::Start | State::Plain | State::Quote => {
                ends.push(bytes.len());
                Ok(Some(line))
            }
        }
        .inspect(|_| debug_assert!(self.at == self.filled))
    }

    /// Marks a record with its line, once its bytes have become text.
    pub(super) fn mark(record: &mut Record, line: u64) {
        record.line = line;
    }
}

fn too_long(line: u64, field: usize) -> Broken {
    Broken {
        line,
        field,
        reason: "makes the row longer than 1 MiB; a quotation mark before it is not closed"
            .to_owned(),
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}
