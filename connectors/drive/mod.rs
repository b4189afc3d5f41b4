//! What the connectors of drives have in common.

pub(crate) mod names;
