//! The connection's folder: whether it can be read, and where it lies.

use super::api::Api;
use super::names::folder_id;
use super::state::Root;
use super::wire::{Meta, unexpected};
use crate::error::{Error, Kind, Result};

/// Asks for the folder that the settings name. As long as it cannot be read, nothing that is
/// "not found" says anything.
pub(super) async fn look(api: &Api, asked: &str) -> Result<Meta> {
    let id = folder_id(asked).ok_or_else(|| unreadable(asked))?;
    let meta = match api.get(id).await {
        Err(error) if error.kind() == Kind::NotFound => {
            return Err(error.hint(
                "the connection's folder is gone, or no longer shared with its account: share it \
                 again, or name another one in `folder`; nothing is taken for deleted",
            ));
        }
        other => other?,
    };
    // "root" stands for the top of one's own drive, whatever its id.
    if meta.id != id && id != "root" {
        return Err(unexpected(
            "Drive answers with another file than was asked for",
        ));
    }
    if meta.is_trashed() {
        return Err(
            Error::new(Kind::NotFound, "the connection's folder lies in the trash")
                .with("folder", &meta.name)
                .hint(
                    "take it out of the trash, or name another one; nothing is taken for deleted",
                ),
        );
    }
    if !meta.is_folder() {
        return Err(
            Error::new(Kind::Settings, "`folder` names something that is no folder")
                .with("name", &meta.name)
                .with("type", &meta.mime_type)
                .hint("copy the address of a folder from the browser"),
        );
    }
    Ok(meta)
}

impl Root {
    pub(super) fn of(meta: &Meta) -> Self {
        Self {
            id: meta.id.clone(),
            drive: meta.drive_id.clone().filter(|drive| !drive.is_empty()),
        }
    }
}

pub(super) fn unreadable(asked: &str) -> Error {
    Error::new(
        Kind::Settings,
        "`folder` is neither an id nor an address of a folder",
    )
    .with("folder", asked)
    .hint("open the folder at drive.google.com and copy the address from the browser")
}
