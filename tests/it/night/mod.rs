//! Whole nights: the program's own pass over a real ledger file, against fake services that
//! enforce the quotas of the real ones.

mod corrections;
pub(crate) mod drift;
mod explaining;
mod failing;
pub(crate) mod house;
mod proxied;
mod quiet;
pub(crate) mod statements;
mod vanishing;
mod write_back;
