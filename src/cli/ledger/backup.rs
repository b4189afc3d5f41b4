//! `ledger backup`: a whole, verified copy, while others may write.

use super::super::{App, args};
use crate::error_text::Advised;
use crate::run::report::Exit;

pub(super) fn run(app: &App, args: &args::Backup) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let configured = config.backup.as_ref();
    let Some(to) = args
        .to
        .clone()
        .or(configured.map(|it| it.directory.clone()))
    else {
        let hint = "write `stundenbuch ledger backup DIRECTORY`, or set `backup.directory` in the \
                    configuration";
        return Err(Advised::new("back up the ledger: it is not said where to", hint).into());
    };
    if args.keep.is_some() && !to.is_dir() {
        let what = format!("keep some backups of {}: it is no directory", to.display());
        let hint = "`--keep` counts the backups in a directory; name one, or leave it out";
        return Err(Advised::new(what, hint).into());
    }
    // What the configuration says of its own directory holds there only.
    let own = configured.filter(|it| it.directory == to).map(|it| it.keep);
    let keep = args.keep.map(usize::from).or(own);
    let anchors = App::anchors(&config);
    let store = anchors.open_read_only()?;
    let made = store.back_up(&to, keep, &anchors, app.clock.now())?;
    if app.out.json {
        app.out.value(&made)?;
    } else {
        app.out.line(&made.file.display().to_string())?;
    }
    let statements = match (&made.newest, made.statements) {
        (Some(newest), 1) => format!("1 statement, {newest}"),
        (Some(newest), count) => format!("{count} statements, the newest {newest}"),
        (None, _) => "no statement".to_owned(),
    };
    app.out.say(&format!(
        "The backup holds, verified: {} rows, ending in {}; {statements}.",
        made.rows, made.head
    ));
    for file in &made.removed {
        app.out.say(&format!("Removed {}.", file.display()));
    }
    match store.agrees(&anchors) {
        Ok(_) => Ok(Exit::Fine),
        // The backup is good, and so are older ones that hold more.
        Err(error) => Err(error.into()),
    }
}
