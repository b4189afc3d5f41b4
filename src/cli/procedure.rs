//! `procedure`: the procedure description of what is configured.

use super::statement::write_new;
use super::{App, args};
use crate::billing::Language;
use crate::procedure;
use crate::run::report::Exit;

pub(super) fn run(app: &App, args: &args::Procedure) -> anyhow::Result<Exit> {
    let view = app.view(args.as_of)?;
    let language = match args.language {
        args::DocumentLanguage::De => Language::De,
        args::DocumentLanguage::En => Language::En,
    };
    let document = procedure::describe(&view.store, &view.config, language)?;
    let bytes = match args.format {
        args::ProcedureFormat::Md => document.markdown().into_bytes(),
        args::ProcedureFormat::Pdf => document.pdf()?,
    };
    match &args.output {
        Some(path) => {
            write_new(path, &bytes)?;
            app.out.say(&format!("Wrote {}.", path.display()));
        }
        None => app.out.bytes(&bytes)?,
    }
    Ok(Exit::Fine)
}
