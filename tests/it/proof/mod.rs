//! What proves the ledger from outside of it: heads, backups, delivered documents.

mod backup;
mod delivered;
mod heads;
mod home;
mod model;
mod restore;
mod rolled_back;
