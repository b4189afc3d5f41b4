//! Files of heads: what is written is read, and what is garbage is told.

use proptest::prelude::*;

use super::*;

fn head(seq: u64) -> Head {
    let mut hash = [0; 32];
    hash[..8].copy_from_slice(&seq.to_be_bytes());
    Head { seq, hash }
}

fn mark(seq: u64, why: Why) -> Mark {
    Mark {
        head: head(seq),
        at: "2026-11-03T09:00:00Z".parse().unwrap(),
        why,
    }
}

fn bill_of(number: &str, cents: i64) -> Bill {
    Bill {
        number: number.to_owned(),
        period: "2026-10".parse().unwrap(),
        net: Cents::new(cents),
        currency: "EUR".to_owned(),
    }
}

fn file(marks: &[Mark]) -> String {
    let lines: String = marks.iter().map(Mark::line).collect();
    first_line(&"5f".repeat(16)) + &lines
}

#[test]
fn a_line_reads_as_the_document_shows_it() {
    let sealed = mark(57, Why::Sealed(bill_of("R 2026-0001", 539_012)));
    let line = sealed.line();
    assert_eq!(
        line,
        "57 0000000000000039000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z sealed 2026-10 5390.12 EUR R 2026-0001\n"
    );
    assert_eq!(Heads::read(line.as_bytes()).marks, [sealed]);
}

#[test]
fn what_is_garbage_is_told_and_the_rest_is_read() {
    let good = mark(3, Why::Rows);
    for garbage in [
        "4",
        "4 ff 2026-11-03T09:00:00Z rows",
        "-4 0000000000000000000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z rows",
        "4 +0+0000000000000000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z rows",
        "4 0000000000000000000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z rowing",
        "4 0000000000000000000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z sealed 2026-10 5390.1 EUR 2026-0001",
        "4 0000000000000000000000000000000000000000000000000000000000000000 \
         2026-11-03T09:00:00Z sealed 2026-10 5390.12 EUR",
        "ledger 5f",
        "\u{fffd}",
    ] {
        let text = format!("{}{garbage}\n# a note\n\n{}", file(&[]), good.line());
        let heads = Heads::read(text.as_bytes());
        assert_eq!(heads.unreadable, [2], "{garbage}");
        assert_eq!(
            (heads.lines, heads.marks.as_slice()),
            (5, &[good.clone()][..])
        );
    }
    let torn = Heads::read(b"4 00\xff");
    assert_eq!((torn.lines, torn.unreadable), (1, vec![1]));
    assert_eq!(Heads::read(b""), Heads::default());
}

#[test]
fn a_restore_gives_up_what_came_behind_the_backup() {
    let marks = [
        mark(10, Why::Sealed(bill_of("1", 100))),
        mark(20, Why::Sealed(bill_of("2", 100))),
        mark(30, Why::Rows),
        mark(16, Why::Restored { behind: 15 }),
    ];
    let heads = Heads::read(file(&marks).as_bytes());
    assert_eq!(heads.marks, [marks[0].clone(), marks[3].clone()]);
    assert_eq!(heads.last(), Some(&marks[3]));
}

#[test]
fn the_highest_row_counts_and_not_the_last_line() {
    // A backup was made while a run went on.
    let marks = [
        mark(9, Why::Begun),
        mark(12, Why::Rows),
        mark(9, Why::Backup),
    ];
    let heads = Heads::read(file(&marks).as_bytes());
    assert_eq!(heads.last(), Some(&marks[1]));
}

#[test]
fn a_shortened_file_keeps_every_statement_and_the_end() {
    let marks: Vec<Mark> = (1..=9_000)
        .map(|seq| match seq % 100 {
            0 => mark(seq, Why::Sealed(bill_of(&seq.to_string(), 1))),
            50 => mark(seq, Why::Correction("7".to_owned())),
            _ => mark(seq, Why::Rows),
        })
        .collect();
    let heads = Heads::read(file(&marks).as_bytes());
    assert!(heads.lines > LONG);
    let shorter = Heads::read(heads.shortened().as_bytes());
    assert!(shorter.lines < LONG, "{}", shorter.lines);
    let of_statements = |heads: &Heads| {
        let marks = heads.marks.iter();
        marks.filter(|mark| mark.why.is_of_a_statement()).count()
    };
    assert_eq!(of_statements(&shorter), 180);
    assert_eq!(of_statements(&shorter), of_statements(&heads));
    assert_eq!(shorter.last(), heads.last());
    assert_eq!(shorter.ledger, heads.ledger);
    assert_eq!(shorter.unreadable, Vec::<usize>::new());
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        seq in 1_u64..1_000_000,
        cents in -9_000_000_000_i64..9_000_000_000,
        number in "[A-Za-zÄ0-9/ -]{0,12}[0-9]",
        kind in 0..8,
    ) {
        let bill = bill_of(&number, cents);
        let why = match kind {
            0 => Why::Begun,
            1 => Why::Rows,
            2 => Why::Sealed(bill),
            3 => Why::Cancelled(bill),
            4 => Why::Correction(number),
            5 => Why::Delivered,
            6 => Why::Backup,
            _ => Why::Restored { behind: seq },
        };
        let mark = mark(seq, why);
        let heads = Heads::read(file(std::slice::from_ref(&mark)).as_bytes());
        prop_assert_eq!(heads.unreadable, Vec::<usize>::new());
        prop_assert_eq!(heads.marks, [mark]);
    }

    #[test]
    fn whatever_is_in_the_file_is_read_without_a_panic(bytes: Vec<u8>) {
        let heads = Heads::read(&bytes);
        prop_assert!(heads.unreadable.len() <= heads.lines);
    }
}
