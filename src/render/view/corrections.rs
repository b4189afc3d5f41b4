//! What earlier statements owed: which work, and what became of it.

use serde::Serialize;

use super::Build;
use crate::render::references::References;
use crate::render::text::{block, line};

#[derive(Debug, Serialize)]
pub(super) struct CorrectionView {
    /// The earlier statement and its position.
    refers: String,
    date: String,
    description: String,
    changes: Vec<String>,
    /// The positions here that charge the difference.
    positions: String,
}

impl Build<'_> {
    pub(super) fn corrections(&self) -> Vec<CorrectionView> {
        let references = References::new(&self.locale);
        let works = self.statement.corrections.iter();
        works
            .map(|work| {
                let positions: Vec<String> = work.lines.iter().map(u32::to_string).collect();
                let description = block(&work.description);
                CorrectionView {
                    refers: references.corrected(work),
                    date: line(&self.locale.date(work.date)),
                    description: if description.is_empty() {
                        self.words.no_description.to_owned()
                    } else {
                        description
                    },
                    changes: work
                        .changes
                        .iter()
                        .map(|it| references.change(it))
                        .collect(),
                    positions: positions.join(", "),
                }
            })
            .collect()
    }
}
