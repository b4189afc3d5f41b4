//! The folders that are read, and what lies in each: what makes a deletion of a folder tell which
//! files are gone, without a request.
//!
//! It is part of the cursor, so it holds numbers and no names: about 14 bytes a file.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Tree {
    folders: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Node {
    /// Empty for the folder that everything is below.
    #[serde(rename = "p")]
    parent: String,
    /// Identifiers, with blanks between them.
    #[serde(rename = "f", default, skip_serializing_if = "String::is_empty")]
    files: String,
}

impl Node {
    fn files(&self) -> impl Iterator<Item = &str> {
        self.files.split(' ').filter(|id| !id.is_empty())
    }
}

impl Tree {
    pub(super) fn knows(&self, folder: &str) -> bool {
        self.folders.contains_key(folder)
    }

    pub(super) fn parent(&self, folder: &str) -> Option<&str> {
        self.folders.get(folder).map(|node| node.parent.as_str())
    }

    /// Adds a folder, or moves it.
    pub(super) fn place(&mut self, folder: &str, parent: &str) {
        let node = self.folders.entry(folder.to_owned()).or_default();
        parent.clone_into(&mut node.parent);
    }

    /// Takes a new listing of a folder; the files that were in it and are not any more.
    pub(super) fn fill(&mut self, folder: &str, files: &BTreeSet<&str>) -> Vec<String> {
        let Some(node) = self.folders.get_mut(folder) else {
            return Vec::new();
        };
        let left = node.files().filter(|id| !files.contains(id));
        let left = left.map(str::to_owned).collect();
        node.files = files.iter().copied().collect::<Vec<_>>().join(" ");
        left
    }

    pub(super) fn files(&self, folder: &str) -> Vec<String> {
        let node = self.folders.get(folder);
        node.into_iter()
            .flat_map(Node::files)
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn children(&self, folder: &str) -> Vec<String> {
        let inside = self
            .folders
            .iter()
            .filter(|(_, node)| node.parent == folder);
        inside.map(|(id, _)| id.clone()).collect()
    }

    /// Takes a folder and all below it out; each file with the folder that it was in.
    pub(super) fn cut(&mut self, folder: &str) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut branch = vec![folder.to_owned()];
        while let Some(id) = branch.pop() {
            branch.extend(self.children(&id));
            if let Some(node) = self.folders.remove(&id) {
                out.extend(node.files().map(|file| (file.to_owned(), id.clone())));
            }
        }
        out
    }

    /// The folder of each file.
    pub(super) fn homes(&self) -> BTreeMap<&str, &str> {
        let all = self.folders.iter();
        all.flat_map(|(id, node)| node.files().map(move |file| (file, id.as_str())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let mut tree = Tree::default();
        tree.place("0", "");
        tree.place("1", "0");
        tree.place("2", "1");
        tree.fill("0", &["10"].into());
        tree.fill("2", &["20", "21"].into());
        tree
    }

    #[test]
    fn a_branch_goes_with_all_that_is_in_it() {
        let mut tree = tree();
        let mut cut = tree.cut("1");
        cut.sort();
        let of = |file: &str| (file.to_owned(), "2".to_owned());
        assert_eq!(cut, [of("20"), of("21")]);
        assert!(!tree.knows("2") && tree.knows("0"));
        assert_eq!(tree.homes(), [("10", "0")].into());
    }

    #[test]
    fn a_listing_tells_what_left() {
        let mut tree = tree();
        assert_eq!(tree.fill("2", &["21", "22"].into()), ["20"]);
        assert_eq!(tree.fill("2", &["21", "22"].into()), Vec::<String>::new());
        assert_eq!(tree.fill("2", &BTreeSet::new()), ["21", "22"]);
        assert!(tree.fill("9", &["1"].into()).is_empty() && !tree.knows("9"));
    }

    #[test]
    fn a_circle_of_folders_ends() {
        let mut tree = tree();
        tree.place("1", "2");
        assert_eq!(tree.cut("1").len(), 2);
    }
}
