//! Which lists hold cards that are done.

/// Names that mean done where the configuration names none.
const USUAL: [&str; 4] = ["Done", "Erledigt", "Fertig", "Abgeschlossen"];

/// The names of done lists.
#[derive(Clone, Debug)]
pub(crate) struct DoneLists(Vec<String>);

impl DoneLists {
    /// The configured names, or the usual ones.
    pub(crate) fn new(names: &[String]) -> Self {
        if names.is_empty() {
            return Self(USUAL.iter().map(|name| plain(name)).collect());
        }
        Self(names.iter().map(|name| plain(name)).collect())
    }

    /// Whether a list of this name holds done cards.
    pub(crate) fn holds(&self, list: &str) -> bool {
        let list = plain(list);
        self.0.contains(&list)
    }
}

/// The name without case, and without the signs around it that many boards have: `Done 🎉`. A
/// name of signs alone stays as it is.
fn plain(name: &str) -> String {
    let bare = name.trim_matches(|sign: char| !sign.is_alphanumeric());
    let bare = if bare.is_empty() { name.trim() } else { bare };
    bare.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_count_unless_others_are_configured() {
        let usual = DoneLists::new(&[]);
        for done in [
            "Done",
            "erledigt",
            " FERTIG ",
            "Done 🎉",
            "✅ Abgeschlossen",
        ] {
            assert!(usual.holds(done), "{done}");
        }
        for open in ["Doing", "Done and Deployed", "Fertigung", "", "🎉"] {
            assert!(!usual.holds(open), "{open}");
        }
        let own = DoneLists::new(&["Abgerechnet".to_owned(), "🎉".to_owned()]);
        assert!(own.holds("abgerechnet") && own.holds("🎉"));
        assert!(!own.holds("Done"));
    }
}
