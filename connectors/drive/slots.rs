//! The names that a delivery may have on a drive that takes no two names which differ in case
//! alone: the wanted one, and those beside it.

use std::collections::BTreeSet;

use super::hash::sha256;
use super::names::{beside, beside_number};
use crate::contract::{Outcome, OutgoingFile, Receipt};
use crate::error::{Error, Kind, Result};

/// What lies under one of the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// The content to deliver.
    ThisContent,
    /// What we delivered here before.
    EarlierContent,
    /// Somebody's work, or a folder.
    SomethingElse,
}

/// What to do, seeing what lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice<T> {
    /// It lies there already, under this name.
    There(String),
    /// Our earlier version lies there.
    Replace(String, T),
    /// This name is free.
    Create(String),
}

/// The place of a name among those that a delivery may have: 1 for the wanted one, 2 and more for
/// those beside it.
pub(crate) fn rank(wanted: &str, name: &str) -> Option<u32> {
    let (wanted, name) = (wanted.to_lowercase(), name.to_lowercase());
    if wanted == name {
        return Some(1);
    }
    beside_number(&wanted, &name)
}

/// Decides by content. A name that was taken when we last tried has made us go beside it, so the
/// names beside it count as well, whether or not it is taken now. `taken` are ranks that could
/// not be had, though nothing was seen there.
pub(crate) fn choose<T>(
    wanted: &str,
    seen: Vec<(u32, String, Holds, T)>,
    taken: &BTreeSet<u32>,
) -> Choice<T> {
    let mut taken = taken.clone();
    let mut replace = None;
    let mut seen = seen;
    seen.sort_by_key(|(rank, ..)| *rank);
    for (rank, name, holds, it) in seen {
        match holds {
            Holds::ThisContent => return Choice::There(name),
            Holds::EarlierContent if replace.is_none() => replace = Some((name, it)),
            _ => {}
        }
        taken.insert(rank);
    }
    if let Some((name, it)) = replace {
        return Choice::Replace(name, it);
    }
    // One more than are taken leaves one that is free.
    let last = u32::try_from(taken.len()).unwrap_or(u32::MAX - 1) + 1;
    let free = (1..=last)
        .find(|rank| !taken.contains(rank))
        .unwrap_or(last);
    Choice::Create(match free {
        1 => wanted.to_owned(),
        number => beside(wanted, number),
    })
}

/// Where a delivery lies that was put into `folder` under `name`, and how it ended; `wanted` is
/// the name that was asked for.
pub(crate) fn receipt(folder: &str, wanted: &str, name: &str, ended: Outcome) -> Receipt {
    let outcome = match ended {
        Outcome::Created | Outcome::AlreadyThere if rank(wanted, name) != Some(1) => {
            Outcome::Beside
        }
        ended => ended,
    };
    let location = match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    };
    Receipt { outcome, location }
}

/// Refuses a file that is not what its checksum promises, or that is too large for one upload.
pub(crate) fn acceptable(file: &OutgoingFile, most: usize) -> Result<()> {
    let refuse = |what: &str, hint: &str| {
        Err(Error::new(Kind::Rejected, what)
            .with("path", &file.path)
            .hint(hint))
    };
    if sha256(&file.bytes) != file.sha256 {
        return refuse(
            "the file is not what its checksum promises",
            "this is a defect of the program or a damaged store; nothing was written",
        );
    }
    if file.bytes.len() > most {
        return refuse(
            "the file is too large for one upload",
            "deliver it somewhere else, or split it",
        );
    }
    Ok(())
}

/// The error after names were taken from under us again and again.
pub(crate) fn too_busy(file: &OutgoingFile) -> Error {
    Error::new(
        Kind::Unavailable,
        "the target changes faster than it can be read",
    )
    .with("path", &file.path)
    .hint("somebody writes there just now; it is tried again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(seen: &[(&str, Holds)], taken: &[u32]) -> Choice<()> {
        let seen = seen.iter().filter_map(|(name, holds)| {
            Some((rank("Plan.pdf", name)?, (*name).to_owned(), *holds, ()))
        });
        choose("Plan.pdf", seen.collect(), &taken.iter().copied().collect())
    }

    #[test]
    fn our_content_is_found_under_every_name_that_it_may_have() {
        use Holds::{EarlierContent, SomethingElse, ThisContent};
        let create = |name: &str| Choice::Create(name.to_owned());
        assert_eq!(chosen(&[], &[]), create("Plan.pdf"));
        assert_eq!(chosen(&[], &[1]), create("Plan (2).pdf"));
        assert_eq!(
            chosen(&[("PLAN.PDF", SomethingElse)], &[]),
            create("Plan (2).pdf")
        );
        assert_eq!(
            chosen(&[("Plan (2).pdf", SomethingElse)], &[]),
            create("Plan.pdf")
        );
        // The name is free again, and ours lies beside it since an earlier attempt.
        let there = Choice::There("Plan (2).pdf".to_owned());
        assert_eq!(chosen(&[("Plan (2).pdf", ThisContent)], &[]), there);
        let both = [("plan.pdf", EarlierContent), ("Plan (3).pdf", ThisContent)];
        assert_eq!(chosen(&both, &[]), Choice::There("Plan (3).pdf".to_owned()));
        let earlier = [
            ("Plan (2).pdf", EarlierContent),
            ("Plan.pdf", SomethingElse),
        ];
        assert_eq!(
            chosen(&earlier, &[]),
            Choice::Replace("Plan (2).pdf".to_owned(), ())
        );
        assert_eq!(
            chosen(&[("Plan (02).pdf", ThisContent)], &[]),
            create("Plan.pdf")
        );
    }

    #[test]
    fn only_another_name_is_beside() {
        let of = |name| receipt("a/b", "Plan.pdf", name, Outcome::Created);
        assert_eq!(of("plan.PDF").outcome, Outcome::Created);
        assert_eq!(of("Plan (2).pdf").outcome, Outcome::Beside);
        assert_eq!(of("Plan (2).pdf").location, "a/b/Plan (2).pdf");
    }
}
