//! `ledger restore`: a backup takes the ledger's place, and nothing is lost unsaid.

use serde_json::json;

use super::super::{App, args};
use crate::error_text::{self, Advised};
use crate::run::report::Exit;
use crate::store::{Current, Lock, Restore};

pub(super) fn run(app: &App, args: &args::Restore) -> anyhow::Result<Exit> {
    let config = app.config()?;
    let _lock = Lock::take(&config.ledger, "ledger restore")?;
    let now = app.clock.now();
    let restore = Restore::prepare(&args.from, App::anchors(&config), now)?;
    let lost = &restore.lost;
    if let Some(number) = args
        .accept_lost
        .iter()
        .find(|number| !lost.iter().any(|lost| lost.number == **number))
    {
        let what = format!("accept the loss of {number}: it would not be lost");
        let hint = "leave it out; `--dry-run` lists what would be lost";
        return Err(Advised::new(what, hint).into());
    }
    say(app, &restore);
    let refused = restore.refused(&args.accept_lost);
    if args.dry_run {
        if app.out.json {
            app.out
                .value(&json!({ "rows": restore.end.seq, "lost": lost }))?;
        }
        app.out.say("Dry run: nothing was changed.");
        return Ok(if refused.is_empty() {
            Exit::Fine
        } else {
            Exit::Findings
        });
    }
    if !refused.is_empty() {
        let mut numbers: Vec<&str> = Vec::new();
        for lost in &refused {
            if !numbers.contains(&lost.number.as_str()) {
                numbers.push(&lost.number);
            }
        }
        let what = format!(
            "restore {}: it would lose what belongs to sealed statements; nothing was changed",
            args.from.display()
        );
        let hint = format!(
            "take a newer backup; if there is none, name each: `--accept-lost {}`",
            shell_words(&numbers)
        );
        app.out
            .say(&error_text::of(&Advised::new(what, hint).into()));
        return Ok(Exit::NeedsPerson);
    }
    let done = restore.carry_out(now)?;
    if app.out.json {
        app.out.value(&done)?;
    }
    app.out.say(&format!(
        "Restored: {} rows, ending in {}.",
        done.rows, done.head
    ));
    if let Some(kept) = &done.kept {
        app.out.say(&format!(
            "The ledger that was there is kept as {}.",
            kept.display()
        ));
    }
    app.out.say(
        "What the sources said since the backup is received again with the next run; what was \
         imported or taught by hand since has to be done again.",
    );
    Ok(Exit::Fine)
}

/// Numbers as they are typed; one with a blank in it needs quotation marks.
fn shell_words(numbers: &[&str]) -> String {
    let words = numbers.iter().map(|number| {
        if number.contains(char::is_whitespace) {
            format!("\"{number}\"")
        } else {
            (*number).to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What the backup is, and what would be lost.
fn say(app: &App, restore: &Restore) {
    app.out.say(&format!(
        "The backup holds, verified: {} rows, ending in {}.",
        restore.end.seq,
        restore.end.hex()
    ));
    match &restore.current {
        Current::Missing => app.out.say("There is no ledger in its place."),
        Current::Unreadable(why) => app.out.say(&format!(
            "The ledger in its place cannot be read ({why}), so only what is known of it \
             otherwise is compared."
        )),
        Current::Ends(end) => app.out.say(&format!(
            "The ledger in its place has {} rows; {} of them are not in the backup.",
            end.seq, restore.rows
        )),
    }
    for lost in &restore.lost {
        app.out.say(&format!("lost: {}", lost.what));
    }
}
