//! The names of accounts: who changed a file in a shared folder.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Dropbox;
use super::api::Said;
use crate::drive::received::Elements;
use crate::error::{Kind, Result};

/// Accounts in one request (Dropbox, `users/get_account_batch`, read 2026-11).
const AT_ONCE: usize = 300;

impl Dropbox {
    /// The names of these accounts, as far as they can be had. What was asked for once is kept
    /// while the program runs; a cursor holds no names.
    pub(super) async fn names(&self, wanted: &BTreeSet<&str>) -> Result<BTreeMap<String, String>> {
        let unknown: Vec<String> = {
            let people = self.people();
            let missing = wanted.iter().filter(|id| !people.contains_key(**id));
            missing.map(|id| (*id).to_owned()).collect()
        };
        for some in unknown.chunks(AT_ONCE) {
            let found = self.ask_names(some.to_vec()).await?;
            let mut people = self.people();
            for id in some {
                // An account that is gone has no name, and is not asked for again.
                people.insert(id.clone(), found.get(id).cloned());
            }
        }
        let people = self.people();
        let known = wanted.iter().filter_map(|id| people.get_key_value(*id));
        Ok(known
            .filter_map(|(id, name)| Some((id.clone(), name.clone()?)))
            .collect())
    }

    /// One account that is gone fails the whole question, and is named: the others are asked for
    /// again without it.
    async fn ask_names(&self, mut ids: Vec<String>) -> Result<BTreeMap<String, String>> {
        while !ids.is_empty() {
            let arg = json!({"account_ids": ids});
            match self.api.ask(None, "/users/get_account_batch", arg).await {
                Ok(Said::Done(reply)) => {
                    let Elements(accounts) = reply.json()?;
                    return Ok(accounts.iter().filter_map(named).collect());
                }
                Ok(Said::Refused(refusal)) => {
                    let before = ids.len();
                    ids.retain(|id| refusal.account.as_ref() != Some(id));
                    if ids.len() == before {
                        return Ok(BTreeMap::new());
                    }
                }
                // Without `sharing.read`, files have accounts without names.
                Err(error) if error.kind() == Kind::Forbidden => return Ok(BTreeMap::new()),
                Err(error) => return Err(error),
            }
        }
        Ok(BTreeMap::new())
    }
}

fn named(account: &Value) -> Option<(String, String)> {
    let name = account["name"]["display_name"].as_str()?.trim();
    let id = account["account_id"].as_str()?;
    (!name.is_empty()).then(|| (id.to_owned(), name.to_owned()))
}
