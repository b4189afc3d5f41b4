//! P8 and P5: the chain proves every row, and what was sealed stays as it was.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::{Checked, hold};
use crate::ledger::Ledger;

/// Walks the chain as `docs/ledger.md` describes it.
pub(crate) fn whole(ledger: &Ledger) -> Checked {
    let mut head = vec![0; 32];
    let mut second = false;
    let length = |text: &str| u64::try_from(text.len()).unwrap().to_be_bytes();
    for (expected, row) in (1..).zip(&ledger.rows) {
        let mut link = Sha256::new();
        link.update(&head);
        link.update(row.seq.to_be_bytes());
        link.update(row.at.to_be_bytes());
        link.update(length(&row.kind));
        link.update(row.kind.as_bytes());
        // Behind a row `format`, a subject enters by its hash.
        if second {
            link.update(Sha256::digest(row.subject.as_bytes()));
        } else {
            link.update(length(&row.subject));
            link.update(row.subject.as_bytes());
        }
        second |= row.kind == "format";
        link.update(&row.payload_hash);
        head = link.finalize().to_vec();
        let payload = Sha256::digest(row.payload.as_bytes()).to_vec();
        let proven = row.seq == expected && payload == row.payload_hash && head == row.hash;
        hold("P8", proven, || format!("row {} is not proved", row.seq))?;
    }
    Ok(())
}

/// What was sealed before, by number: the row's text, and the documents' bytes.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    statements: BTreeMap<String, String>,
    documents: BTreeMap<String, Vec<u8>>,
    rows: BTreeMap<i64, Vec<u8>>,
}

impl Kept {
    /// Compares with what was seen before, and remembers what is new.
    pub(crate) fn still(&mut self, ledger: &Ledger) -> Checked {
        for sealed in &ledger.sealed {
            let seen = self.statements.entry(sealed.number.clone());
            let seen = seen.or_insert_with(|| sealed.payload.clone());
            hold("P5", *seen == sealed.payload, || {
                format!("the statement {} has changed", sealed.number)
            })?;
        }
        for parcel in &ledger.parcels {
            let seen = self.documents.entry(parcel.key.clone());
            let seen = seen.or_insert_with(|| parcel.body.clone());
            hold("P5", *seen == parcel.body, || {
                format!("the document {} has changed", parcel.key)
            })?;
        }
        for row in &ledger.rows {
            let seen = self.rows.entry(row.seq).or_insert_with(|| row.hash.clone());
            hold("P8", *seen == row.hash, || {
                format!("row {} is another one than before", row.seq)
            })?;
        }
        for number in self.statements.keys() {
            let there = ledger.sealed.iter().any(|sealed| sealed.number == *number);
            hold("P5", there, || format!("the statement {number} is gone"))?;
        }
        Ok(())
    }
}
