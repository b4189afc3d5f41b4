//! What the connectors of drives have in common.

pub(crate) mod hash;
pub(crate) mod names;
pub(crate) mod received;
pub(crate) mod slots;
