//! WebDAV, as far as its two connectors have it in common.
//!
//! `webdav` reads any server of that protocol, `nextcloud` one with stable numbers, with tags of
//! folders that tell of changes below them, and with more to ask. Here is what both need: the
//! listing of one folder ([`client`]), the walk over all of them and what is remembered of it
//! ([`tree`], [`walk`]), the record that a file becomes ([`record`]), and deliveries ([`deliver`]).

pub(crate) mod client;
pub(crate) mod deliver;
mod href;
pub(crate) mod listing;
pub(crate) mod login;
pub(crate) mod probe;
pub(crate) mod record;
pub(crate) mod tree;
pub(crate) mod walk;
mod xml;

pub(crate) use self::href::{escape, join, names};
pub(crate) use self::xml::Resource;
