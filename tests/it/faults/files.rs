//! Damage of whole pages, and files that are not what they were.

use std::fs;

use stundenbuch::store::{Error, Store};

use super::made::{self, Dice, Effort, Said, effort, ledger, on_small_pages, proved, room};
use super::made::{verify, verify_bytes};
use super::walk;
use crate::night::house::House;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_zeroed_or_moved_is_found_or_was_free() {
    let whole = ledger().await;
    for whole in [on_small_pages(&whole), whole] {
        let room = room();
        let path = room.path().join("ledger.db");
        let page = walk::page_size(&whole);
        let pages = whole.len() / page;
        assert_eq!(verify_bytes(&path, &whole), Said::Holds);
        let says = proved(&path);
        let (mut found, mut harmless) = (0, 0);
        let mut judge = |bytes: &[u8], what: &str| match verify_bytes(&path, bytes) {
            Said::Holds => {
                assert_eq!(proved(&path), says, "{what} went unnoticed");
                harmless += 1;
            }
            _ => found += 1,
        };
        for zeroed in 0..pages {
            let mut bytes = whole.clone();
            bytes[zeroed * page..][..page].fill(0);
            judge(&bytes, &format!("page {zeroed} zeroed"));
        }
        let mut dice = Dice(3);
        let pairs: Vec<(usize, usize)> = match effort(100) {
            Effort::All => (0..pages)
                .flat_map(|one| (0..one).map(move |it| (one, it)))
                .collect(),
            Effort::Some(trials) => (0..trials)
                .map(|_| (dice.roll(pages), dice.roll(pages)))
                .filter(|(one, other)| one != other)
                .collect(),
        };
        for (one, other) in pairs {
            let mut bytes = whole.clone();
            for at in 0..page {
                bytes.swap(one * page + at, other * page + at);
            }
            judge(&bytes, &format!("pages {one} and {other} swapped"));
            // A write that went to the wrong place.
            let mut bytes = whole.clone();
            bytes.copy_within(one * page..(one + 1) * page, other * page);
            judge(&bytes, &format!("page {one} written over {other}"));
        }
        println!("pages of {page}: {found} damages found, {harmless} of free pages");
        assert!(found > 50 && harmless > 0);
    }
}

/// An emptied ledger is not taken for a new one: its statements would be counted from 1 again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_emptied_file_is_no_new_ledger() {
    let house = made::house().await;
    let path = house.store.path().to_owned();
    drop(house.store);
    let now = "2026-11-20T03:15:00Z".parse().unwrap();
    fs::write(&path, "").unwrap();
    for refused in [Store::open(&path, now), Store::open_read_only(&path)] {
        let error = refused.unwrap_err();
        assert!(matches!(error, Error::Damaged(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the ledger is damaged: the file is empty"
        );
    }
    assert_eq!(fs::metadata(&path).unwrap().len(), 0, "it is left alone");
}

/// A ledger is made under another name: a file of its name is whole, whenever its maker died.
#[test]
fn a_half_made_ledger_is_made_anew() {
    let room = room();
    let path = room.path().join("ledger.db");
    let now = "2026-11-20T03:15:00Z".parse().unwrap();
    for left_over in ["", "half of something"] {
        fs::write(made::beside(&path, ".new"), left_over).unwrap();
        let store = Store::open(&path, now).unwrap();
        assert!(store.head().unwrap().seq > 0);
        drop(store);
        assert_eq!(verify(&path), Said::Holds);
        let names: Vec<_> = fs::read_dir(room.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        fs::remove_file(&path).unwrap();
    }
}

/// A format that no version has: neither a panic nor a migration over what is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_format_that_no_version_has_is_refused() {
    let whole = ledger().await;
    let room = room();
    let path = room.path().join("ledger.db");
    for version in [0_i32, -1, i32::MIN] {
        let mut bytes = whole.clone();
        bytes[60..64].copy_from_slice(&version.to_be_bytes());
        assert!(matches!(verify_bytes(&path, &bytes), Said::Refused(_)));
        let error = Store::open(&path, "2026-11-20T03:15:00Z".parse().unwrap()).unwrap_err();
        let says = format!("the ledger is damaged: there is no format {version}");
        assert_eq!(error.to_string(), says);
    }
}

/// Another ledger in the place of this one holds by itself: what tells them apart is the head.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_ledger_in_its_place_shows_in_the_head() {
    let (one, other) = (
        House::new(made::LITTLE).await,
        House::new(made::LITTLE).await,
    );
    let head = |house: &House| house.store.head().unwrap();
    assert_eq!(head(&one).seq, head(&other).seq);
    assert_ne!(head(&one).hash, head(&other).hash);
    let (mine, theirs) = (one.store.path().to_owned(), other.store.path().to_owned());
    let printed = head(&one);
    drop((one.store, other.store));
    fs::rename(theirs, &mine).unwrap();
    assert_eq!(verify(&mine), Said::Holds);
    assert_ne!(
        Store::open_read_only(&mine).unwrap().head().unwrap(),
        printed
    );
}
