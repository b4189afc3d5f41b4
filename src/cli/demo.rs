//! `demo`: placeholder.
use super::{App, args};
use crate::run::report::Exit;
pub(super) async fn run(_: &App, _: args::Demo) -> anyhow::Result<Exit> {
    Ok(Exit::Fine)
}
