//! `connectors`: what each reads, writes, needs and costs; from the same source as the docs.

use serde_json::json;
use stundenbuch_connectors::ALL;
use stundenbuch_connectors::kind::Need;

use super::App;
use super::out::{Align, Table};
use crate::run::report::Exit;

pub(super) fn run(app: &App) -> anyhow::Result<Exit> {
    if app.out.json {
        let list: Vec<_> = ALL
            .iter()
            .map(|entry| {
                let kind = entry.kind;
                json!({
                    "name": kind.name,
                    "title": kind.title,
                    "summary": kind.summary,
                    "reads": kind.streams.iter().map(|s| s.stream.as_str()).collect::<Vec<_>>(),
                    "delivers": !kind.delivers.is_empty(),
                    "needs": kind.needs,
                    "quiet_night": kind.quiet_night,
                    "settings": kind.settings.iter().map(|setting| json!({
                        "key": setting.key,
                        "required": setting.need == Need::Required,
                        "help": setting.help,
                    })).collect::<Vec<_>>(),
                })
            })
            .collect();
        app.out.value(&list)?;
        return Ok(Exit::Fine);
    }
    let mut table = Table::new(&[
        ("name", Align::Left),
        ("reads", Align::Left),
        ("delivers", Align::Left),
        ("a quiet night", Align::Left),
        ("needs", Align::Left),
    ]);
    for entry in ALL {
        let kind = entry.kind;
        let reads: Vec<_> = kind
            .streams
            .iter()
            .map(|stream| stream.stream.as_str())
            .collect();
        table.row(vec![
            kind.name.to_owned(),
            reads.join(", "),
            kind.deliveries(),
            kind.quiet_night.to_owned(),
            kind.needs.to_owned(),
        ]);
    }
    for line in table.lines() {
        app.out.line(&line)?;
    }
    Ok(Exit::Fine)
}
