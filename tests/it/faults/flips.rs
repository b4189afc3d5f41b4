//! Single bits of the ledger's file, and every length of it.
//!
//! Who is to judge is not the program: what a bit belongs to is told by the file format
//! (`walk.rs`), and whether a file still says the same by plain SQL (`made.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::made::{
    Dice, Effort, Said, effort, larger_ledger, ledger, on_small_pages, proved, room, verify_bytes,
};
use super::walk::{self, Row};

/// A whole ledger, and a place to put damaged ones.
struct Bench {
    _room: TempDir,
    path: PathBuf,
    whole: Vec<u8>,
    says: String,
    rows: Vec<Row>,
    /// The row of the journal that names a received record.
    names: BTreeMap<i64, u64>,
}

/// What became of one flip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// The program found it.
    Found,
    /// The file says what it said.
    Harmless,
}

/// What a row of the journal is to the flip of one of its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touched {
    /// A value of this row, or of a received record that it names.
    Value(u64),
    /// What holds the row, so that SQLite may find it first. The mark of a column without a value
    /// may change: the number of a row stands elsewhere.
    Frame,
}

impl Bench {
    fn new(whole: Vec<u8>) -> Self {
        let room = room();
        let path = room.path().join("ledger.db");
        assert_eq!(verify_bytes(&path, &whole), Said::Holds);
        let says = proved(&path).unwrap();
        let rows = walk::rows(&whole);
        let hand = Connection::open(&path).unwrap();
        let mut named = hand
            .prepare("SELECT payload ->> '$.raw.id', seq FROM journal WHERE kind = 'revision'")
            .unwrap();
        let pairs = named.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
        let names = pairs.unwrap().map(Result::unwrap).collect();
        drop(named);
        Self {
            _room: room,
            path,
            whole,
            says,
            rows,
            names,
        }
    }

    fn bits(&self) -> usize {
        self.whole.len() * 8
    }

    /// Flips one bit and fails unless it is found, or does not matter.
    fn flip(&self, bit: usize, touched: Option<Touched>) -> Fate {
        let mut bytes = self.whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let said = verify_bytes(&self.path, &bytes);
        match (&said, touched) {
            (Said::Damaged(damage), Some(Touched::Value(row))) => {
                assert_eq!(damage.row, Some(row), "bit {bit}: {damage:?}");
                Fate::Found
            }
            (Said::Holds | Said::Refused(_), Some(Touched::Value(row))) => {
                panic!("bit {bit} is a value of row {row}: {said:?}")
            }
            (Said::Damaged(_) | Said::Refused(_), _) => Fate::Found,
            (Said::Holds, _) => {
                let now = proved(&self.path);
                assert_eq!(now.as_ref(), Some(&self.says), "bit {bit} went unnoticed");
                Fate::Harmless
            }
        }
    }

    /// The bytes of the journal's rows and of the received records that they name.
    fn touching(&self) -> BTreeMap<usize, Touched> {
        let mut touching = BTreeMap::new();
        let raw = walk::of(&self.rows, "raw");
        for (row, seq) in &self.names {
            for at in &raw[row].columns[5] {
                touching.insert(*at, Touched::Value(*seq));
            }
        }
        for (seq, row) in walk::of(&self.rows, "journal") {
            let frame = row.frame.iter().chain(&row.header);
            touching.extend(frame.map(|at| (*at, Touched::Frame)));
            let row_number = u64::try_from(seq).unwrap();
            let values = row.columns.iter().flatten();
            touching.extend(values.map(|at| (*at, Touched::Value(row_number))));
        }
        touching
    }
}

/// Of every byte of every row one bit, and of the rest of the file a sample; every bit of the
/// whole file with `STUNDENBUCH_FAULTS=all`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_flipped_bit_is_found_or_changes_nothing() {
    let whole = ledger().await;
    for whole in [on_small_pages(&whole), whole] {
        let bench = Bench::new(whole);
        let touching = bench.touching();
        let mut dice = Dice(2_026);
        let bits: BTreeSet<usize> = match effort(1_000) {
            Effort::All => (0..bench.bits()).collect(),
            Effort::Some(trials) => {
                let of_rows: Vec<usize> = touching.keys().map(|at| at * 8 + dice.roll(8)).collect();
                let step = of_rows.len().div_ceil(trials);
                let sample = (0..trials).map(|_| dice.roll(bench.bits()));
                of_rows
                    .into_iter()
                    .step_by(step)
                    .chain(sample.collect::<Vec<_>>())
                    .collect()
            }
        };
        let mut fates: BTreeMap<(bool, Fate), usize> = BTreeMap::new();
        for bit in bits {
            let touched = touching.get(&(bit / 8)).copied();
            let fate = bench.flip(bit, touched);
            *fates.entry((touched.is_some(), fate)).or_default() += 1;
        }
        let count = |touched, fate| fates.get(&(touched, fate)).copied().unwrap_or_default();
        println!(
            "{} bytes in pages of {}: {} flips in rows found, {} changed nothing; of the others {} \
             were found and {} changed nothing",
            bench.whole.len(),
            walk::page_size(&bench.whole),
            count(true, Fate::Found),
            count(true, Fate::Harmless),
            count(false, Fate::Found),
            count(false, Fate::Harmless),
        );
        assert!(
            count(true, Fate::Harmless) < 20,
            "marks of a few columns at most"
        );
        assert!(count(false, Fate::Harmless) > 0, "the file has free space");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_200_random_flips_all_that_touch_a_row_are_found() {
    for whole in [on_small_pages(&ledger().await), larger_ledger().await] {
        let bench = Bench::new(whole);
        let touching = bench.touching();
        let of_any_row: BTreeSet<usize> = bench.rows.iter().flat_map(Row::bytes).collect();
        let mut dice = Dice(200);
        let (mut journal, mut of_them, mut other, mut rest, mut found) = (0, 0, 0, 0, 0);
        for _ in 0..200 {
            let bit = dice.roll(bench.bits());
            let touched = touching.get(&(bit / 8)).copied();
            let is_found = bench.flip(bit, touched) == Fate::Found;
            found += usize::from(is_found);
            if touched.is_some() {
                journal += 1;
                of_them += usize::from(is_found);
            } else if of_any_row.contains(&(bit / 8)) {
                other += 1;
            } else {
                rest += 1;
            }
        }
        println!(
            "200 flips in pages of {}: {journal} touched the journal or what it names, {of_them} \
             of them were found; {other} touched another row, {rest} none; {found} of all were \
             found, the others changed nothing that is proved",
            walk::page_size(&bench.whole)
        );
        assert_eq!(of_them, journal);
        assert!(journal > 10, "enough of them touched a row: {journal}");
    }
}

/// Every end of a page and its neighbours, the first lengths, and a sample; every length with
/// `STUNDENBUCH_FAULTS=all`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cut_is_found_or_takes_free_space() {
    let whole = ledger().await;
    for whole in [on_small_pages(&whole), whole] {
        let bench = Bench::new(whole);
        let (length, page) = (bench.whole.len(), walk::page_size(&bench.whole));
        let mut dice = Dice(7);
        let lengths: BTreeSet<usize> = match effort(400) {
            Effort::All => (0..length).collect(),
            Effort::Some(trials) => {
                let ends = (0..length).step_by(page);
                let ends = ends.flat_map(|end| [end, end + 1, end + page - 1]);
                let sample = (0..trials).map(|_| dice.roll(length));
                (0..130).chain(ends).chain(sample).collect()
            }
        };
        let (mut found, mut harmless) = (0, 0);
        for length in lengths {
            if verify_bytes(&bench.path, &bench.whole[..length]) == Said::Holds {
                let now = proved(&bench.path);
                assert_eq!(now.as_ref(), Some(&bench.says), "cut to {length}");
                harmless += 1;
            } else {
                found += 1;
            }
        }
        println!("pages of {page}, {length} bytes: {found} cuts found, {harmless} of free space");
        assert!(harmless < page, "only the last page can be free");
    }
}

/// How tables are defined decides what their bytes say: a line feed that is none any more makes a
/// column part of the comment before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flipped_bit_in_a_definition_is_found() {
    let bench = Bench::new(ledger().await);
    let letter = |at: &usize| bench.whole[*at];
    let mut dice = Dice(4);
    let (mut definitions, mut flips) = (0, 0);
    for row in walk::of(&bench.rows, "sqlite_schema").values() {
        let kind: Vec<u8> = row.columns[0].iter().map(letter).collect();
        if kind == b"trigger" || row.columns[4].is_empty() {
            continue;
        }
        definitions += 1;
        let text = &row.columns[4];
        let ends = text.iter().filter(|at| letter(at) == b'\n');
        let sample = text.iter().step_by(24);
        let bits: BTreeSet<usize> = ends
            .map(|at| at * 8)
            .chain(sample.map(|at| at * 8 + dice.roll(8)))
            .collect();
        for bit in bits {
            assert_eq!(bench.flip(bit, None), Fate::Found, "bit {bit}");
            flips += 1;
        }
    }
    println!("{flips} flips in the definitions of {definitions} tables and indexes: all found");
    assert!(definitions > 20);
}
