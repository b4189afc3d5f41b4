//! The names that a delivery may have on a drive that takes no two names which differ in case
//! alone: the wanted one, and those beside it.

use std::collections::BTreeSet;

use super::names::{beside, beside_number};
use crate::contract::Outcome;

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

/// How a delivery under `name` ended, where `wanted` was asked for.
pub(crate) fn outcome(wanted: &str, name: &str, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Created | Outcome::AlreadyThere if rank(wanted, name) != Some(1) => {
            Outcome::Beside
        }
        outcome => outcome,
    }
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
        let of = |name| outcome("Plan.pdf", name, Outcome::Created);
        assert_eq!(of("plan.PDF"), Outcome::Created);
        assert_eq!(of("Plan (2).pdf"), Outcome::Beside);
    }
}
