//! Splits a program's output into lines, none of them longer than what memory may hold.

/// A line was longer than the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooLong;

/// The bytes that came and were not yet given out as lines.
#[derive(Debug)]
pub(super) struct Lines {
    held: Vec<u8>,
    /// What of `held` was given out.
    start: usize,
    /// How far `held` was searched for a line's end.
    searched: usize,
    longest: usize,
}

impl Lines {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            held: Vec::new(),
            start: 0,
            searched: 0,
            longest,
        }
    }

    /// Takes what the program wrote.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.held.drain(..self.start);
            self.searched -= self.start;
            self.start = 0;
        }
        self.held.extend_from_slice(bytes);
    }

    /// The next whole line without its end; `None` until more bytes came.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let found = self.held[self.searched..]
            .iter()
            .position(|&byte| byte == b'\n');
        let Some(at) = found else {
            self.searched = self.held.len();
            return if self.searched - self.start > self.longest {
                Err(TooLong)
            } else {
                Ok(None)
            };
        };
        let (start, end) = (self.start, self.searched + at);
        self.start = end + 1;
        self.searched = self.start;
        if end - start > self.longest {
            return Err(TooLong);
        }
        let line = &self.held[start..end];
        Ok(Some(line.strip_suffix(b"\r").unwrap_or(line)))
    }

    /// What stands behind the last line's end, once the program has closed its output.
    pub(super) fn rest(&self) -> &[u8] {
        &self.held[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All lines of an output that comes in these pieces, and what is left.
    fn split(pieces: &[&[u8]], longest: usize) -> Result<(Vec<Vec<u8>>, Vec<u8>), TooLong> {
        let mut lines = Lines::new(longest);
        let mut all = Vec::new();
        for piece in pieces {
            lines.push(piece);
            while let Some(line) = lines.next()? {
                all.push(line.to_vec());
            }
        }
        Ok((all, lines.rest().to_vec()))
    }

    #[test]
    fn a_line_that_does_not_end_is_held_and_a_long_one_refused() {
        let (lines, rest) = split(&[b"a\r\n\nb", b"c\nhalf"], 10).unwrap();
        assert_eq!(lines, [b"a".to_vec(), b"".to_vec(), b"bc".to_vec()]);
        assert_eq!(rest, b"half");
        assert!(split(&[b"0123456789\n"], 10).is_ok());
        assert_eq!(split(&[b"0123456789a\n"], 10), Err(TooLong));
        // Without an end, too: it must not be waited for.
        assert_eq!(split(&[b"01234567", b"89a"], 10), Err(TooLong));
    }

    proptest! {
        #[test]
        fn the_pieces_do_not_matter(
            output in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
            cuts in proptest::collection::vec(0_usize..200, 0..8),
        ) {
            let whole = split(&[&output], 1000).unwrap();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (output.len() + 1)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts {
                pieces.push(&output[from..cut]);
                from = cut;
            }
            pieces.push(&output[from..]);
            prop_assert_eq!(split(&pieces, 1000).unwrap(), whole.clone());
            // Nothing is lost: as many line ends as the output has.
            let pieces = output.split(|&byte| byte == b'\n');
            prop_assert_eq!(whole.0.len() + 1, pieces.count());
        }
    }
}
