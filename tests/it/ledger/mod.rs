//! The ledger as a file: what it promises whatever is put into it, and whatever is done to it.

mod damage;
mod files;
pub(crate) mod migration;
mod pieces;
mod rebuild;
mod same_work;
