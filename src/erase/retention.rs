//! How long a statement must be kept.
//!
//! What proves an invoice is kept for eight years from the end of the calendar year in which it
//! came into being (§ 147 (3) and (4) AO, § 257 (4) and (5) HGB, § 14b (1) UStG, as of 2025). The
//! number of years is a setting, because other countries and other papers have others.

use std::collections::BTreeSet;

use chrono::{Datelike as _, NaiveDate};

use crate::ledger::Kept;

/// A statement as far as its keeping goes.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    pub(super) number: String,
    pub(super) issued: NaiveDate,
    /// Statements that it cannot be understood without, and that not without it.
    pub(super) with: Vec<String>,
}

/// Which statements stay, each until when, and the numbers of those that may go. Statements that
/// belong together stay as long as the one that stays longest.
pub(super) fn keep(papers: &[Paper], years: u16, today: NaiveDate) -> (Vec<Kept>, Vec<String>) {
    let mut until: Vec<NaiveDate> = papers.iter().map(|it| free(it.issued, years)).collect();
    loop {
        let mut longer = false;
        for (at, paper) in papers.iter().enumerate() {
            let others = (0..papers.len()).filter(|other| {
                paper.with.contains(&papers[*other].number)
                    || papers[*other].with.contains(&paper.number)
            });
            let latest = others.map(|other| until[other]).max();
            if let Some(latest) = latest.filter(|latest| *latest > until[at]) {
                until[at] = latest;
                longer = true;
            }
        }
        if !longer {
            break;
        }
    }
    let (mut kept, mut gone) = (Vec::new(), BTreeSet::new());
    for (paper, until) in papers.iter().zip(until) {
        if today < until {
            let number = paper.number.clone();
            kept.push(Kept { number, until });
        } else {
            gone.insert(paper.number.clone());
        }
    }
    (kept, gone.into_iter().collect())
}

/// The first day on which a paper of that day need not be kept any more.
fn free(issued: NaiveDate, years: u16) -> NaiveDate {
    let year = issued.year().saturating_add(1 + i32::from(years));
    NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(NaiveDate::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn paper(number: &str, issued: &str, with: &[&str]) -> Paper {
        Paper {
            number: number.to_owned(),
            issued: day(issued),
            with: with.iter().map(|&number| number.to_owned()).collect(),
        }
    }

    #[test]
    fn the_years_count_from_the_end_of_the_year_of_issue() {
        let papers = [paper("1", "2026-01-01", &[]), paper("2", "2026-12-31", &[])];
        let (kept, gone) = keep(&papers, 8, day("2034-12-31"));
        assert_eq!(gone, Vec::<String>::new());
        assert!(kept.iter().all(|kept| kept.until == day("2035-01-01")));
        let (kept, gone) = keep(&papers, 8, day("2035-01-01"));
        assert_eq!((kept, gone), (Vec::new(), vec!["1".into(), "2".into()]));
    }

    #[test]
    fn what_belongs_together_stays_together() {
        let papers = [
            paper("1", "2026-11-03", &[]),
            paper("2", "2027-01-04", &["1"]),
            paper("3", "2028-01-04", &["2"]),
            paper("4", "2026-11-03", &[]),
        ];
        let (kept, gone) = keep(&papers, 8, day("2036-06-01"));
        assert_eq!(gone, ["4"]);
        let until: Vec<NaiveDate> = kept.iter().map(|kept| kept.until).collect();
        assert_eq!(until, [day("2037-01-01"); 3]);
    }
}
