//! `connectors`: what each reads, writes, needs and costs; from the same source as the docs.

use anyhow::bail;
use serde_json::{Value, json};
use stundenbuch_connectors::kind::{Kind, Need};
use stundenbuch_connectors::{ALL, find};

use super::out::{Align, Table};
use super::{App, args};
use crate::run::report::Exit;

pub(super) fn run(app: &App, command: Option<&args::Connectors>) -> anyhow::Result<Exit> {
    match command {
        None | Some(args::Connectors::List) => list(app)?,
        Some(args::Connectors::Show { name }) => {
            let Some(entry) = find(name) else {
                bail!("there is no connector `{name}`; `stundenbuch connectors list` names them");
            };
            show(app, entry.kind)?;
        }
    }
    Ok(Exit::Fine)
}

fn list(app: &App) -> anyhow::Result<()> {
    if app.out.json {
        let list: Vec<Value> = ALL.iter().map(|entry| value(entry.kind)).collect();
        return Ok(app.out.value(&list)?);
    }
    for (at, entry) in ALL.iter().enumerate() {
        if at > 0 {
            app.out.line("")?;
        }
        summary(app, entry.kind)?;
    }
    Ok(())
}

fn show(app: &App, kind: &Kind) -> anyhow::Result<()> {
    if app.out.json {
        return Ok(app.out.value(&value(kind))?);
    }
    summary(app, kind)?;
    app.out.line("")?;
    let mut table = Table::new(&[
        ("setting", Align::Left),
        ("without it", Align::Left),
        ("meaning", Align::Left),
    ]);
    for setting in kind.settings {
        let without = match setting.need {
            Need::Required => "required",
            Need::Optional => "–",
            Need::Default(value) => value,
        };
        table.row(vec![
            setting.key.to_owned(),
            without.to_owned(),
            setting.help.to_owned(),
        ]);
    }
    for line in table.lines() {
        app.out.line(&line)?;
    }
    Ok(())
}

fn summary(app: &App, kind: &Kind) -> anyhow::Result<()> {
    let experimental = if kind.experimental {
        ", experimental"
    } else {
        ""
    };
    app.out
        .line(&format!("{} ({}{experimental})", kind.name, kind.title))?;
    let reads: Vec<_> = kind.streams.iter().map(|it| it.stream.as_str()).collect();
    for (word, text) in [
        ("reads", reads.join(", ")),
        ("delivers", kind.delivered_words()),
        ("quiet night", kind.quiet_night.to_owned()),
        ("needs", kind.needs.to_owned()),
    ] {
        app.out.line(&format!("  {word:<12}{text}"))?;
    }
    Ok(())
}

fn value(kind: &Kind) -> Value {
    let streams = kind.streams.iter().map(|it| it.stream.as_str());
    let delivers = kind.delivers.iter().map(|it| it.what.as_str());
    let settings = kind.settings.iter().map(|setting| {
        json!({
            "key": setting.key,
            "required": setting.need == Need::Required,
            "help": setting.help,
        })
    });
    json!({
        "name": kind.name,
        "title": kind.title,
        "summary": kind.summary,
        "experimental": kind.experimental,
        "reads": streams.collect::<Vec<_>>(),
        "delivers": delivers.collect::<Vec<_>>(),
        "needs": kind.needs,
        "quiet_night": kind.quiet_night,
        "settings": settings.collect::<Vec<_>>(),
    })
}
