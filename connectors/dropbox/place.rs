//! Where we read and write: the team's space or the user's own, and the folder in it.

use serde_json::{Value, json};

use super::Dropbox;
use super::api::Said;
use super::state::Anchor;
use crate::drive::hash::sha256;
use crate::drive::received::id;
use crate::error::{Error, Kind, Result};

/// The folder as it stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// With a slash in front; empty for everything.
    pub(super) path: String,
    pub(super) path_lower: String,
    /// The shared folder that it is, or lies in.
    pub(super) shared: Option<String>,
}

impl Spot {
    /// The number of names on the way to the folder.
    pub(super) fn depth(&self) -> usize {
        self.path_lower.matches('/').count()
    }

    /// Whether a path lies below the folder.
    pub(super) fn holds(&self, path_lower: &str) -> bool {
        path_lower
            .strip_prefix(&self.path_lower)
            .is_some_and(|rest| rest.starts_with('/'))
    }
}

impl Dropbox {
    /// What is read: known from a cursor, or found out.
    pub(super) async fn anchor(&self) -> Result<Anchor> {
        if let Some(anchor) = self.known().filter(|it| it.setting == self.mark()) {
            return Ok(anchor);
        }
        let anchor = self.find_anchor().await?;
        self.know(&anchor);
        Ok(anchor)
    }

    /// Asks for the account, and for the folder where one is configured.
    ///
    /// In a team with a space of its own, paths are relative to the member's own folder until
    /// another root is named, and the team's folders are not to be seen (Dropbox, "Namespaces",
    /// read 2026-11).
    pub(super) async fn find_anchor(&self) -> Result<Anchor> {
        let account: Value = self.account().await?;
        let namespace = |key: &str| account["root_info"][key].as_str().map(str::to_owned);
        let (root, home) = (
            namespace("root_namespace_id"),
            namespace("home_namespace_id"),
        );
        let space = root.filter(|root| home.as_ref() != Some(root));
        let folder = match self.folder.as_str() {
            "" => None,
            word => Some(self.folder_named(space.as_deref(), word).await?.0),
        };
        let setting = self.mark();
        Ok(Anchor {
            setting,
            space,
            folder,
        })
    }

    /// The folder as it stands now. One request where a folder is configured.
    pub(super) async fn spot(&self, anchor: &Anchor) -> Result<Spot> {
        match &anchor.folder {
            None => Ok(Spot::default()),
            Some(id) => Ok(self.folder_named(anchor.space.as_deref(), id).await?.1),
        }
    }

    /// The account that logged in.
    pub(super) async fn account(&self) -> Result<Value> {
        let said = self
            .api
            .ask(None, "/users/get_current_account", Value::Null)
            .await?;
        let account: Value = said.done("Dropbox does not tell the account")?.json()?;
        if account["account_id"].is_string() {
            return Ok(account);
        }
        Err(Error::new(
            Kind::Protocol,
            "Dropbox's answer names no account",
        ))
    }

    async fn folder_named(&self, space: Option<&str>, word: &str) -> Result<(String, Spot)> {
        let arg = json!({"path": word});
        let found: Value = match self.api.ask(space, "/files/get_metadata", arg).await? {
            Said::Done(reply) => reply.json()?,
            Said::Refused(refusal) => {
                return Err(refusal.error("the folder cannot be found in the Dropbox"));
            }
        };
        let path = |key: &str| found[key].as_str().filter(|path| path.starts_with('/'));
        if let (Some("folder"), Some(id), Some(path_lower)) =
            (found[".tag"].as_str(), id(&found), path("path_lower"))
        {
            let sharing = &found["sharing_info"];
            let shared = ["shared_folder_id", "parent_shared_folder_id"]
                .iter()
                .find_map(|key| sharing[key].as_str());
            let spot = Spot {
                path: path("path_display").unwrap_or(path_lower).to_owned(),
                path_lower: path_lower.to_owned(),
                shared: shared.map(str::to_owned),
            };
            return Ok((id.to_owned(), spot));
        }
        let error = Error::new(Kind::Settings, "`folder` names something that is no folder");
        Err(error.hint("give a folder's path, as `/Clients/Nord`, or its id; leave it out for all"))
    }

    /// Stands for the configured folder in a cursor, which keeps no names.
    pub(super) fn mark(&self) -> String {
        match self.folder.as_str() {
            "" => String::new(),
            folder => sha256(folder.as_bytes())[..16].to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_lies_below_it() {
        let spot = Spot {
            path: "/Kunde A".to_owned(),
            path_lower: "/kunde a".to_owned(),
            shared: None,
        };
        assert!(spot.holds("/kunde a/x.pdf") && !spot.holds("/kunde ab/x.pdf"));
        assert!(!spot.holds("/kunde a"));
        assert!(Spot::default().holds("/x") && Spot::default().depth() == 0);
        assert_eq!(spot.depth(), 1);
    }
}
