//! `findings`: what does not add up.

use super::out::one_line;
use super::{App, args};
use crate::finding::Severity;
use crate::run::report::Exit;
use crate::store::StoredFinding;

pub(super) fn run(app: &App, args: &args::Findings) -> anyhow::Result<Exit> {
    let store = app.view_for(args.client.as_deref(), args.as_of)?.store;
    let mut findings = store.findings(args.all)?;
    if let Some(client) = &args.client {
        findings.retain(|stored| stored.finding.client.as_ref() == Some(client));
    }
    print(app, &findings)?;
    let person = findings
        .iter()
        .any(|stored| stored.closed_at.is_none() && stored.finding.severity > Severity::Note);
    Ok(if person { Exit::Findings } else { Exit::Fine })
}

/// The list, the gravest first.
pub(super) fn print(app: &App, findings: &[StoredFinding]) -> anyhow::Result<()> {
    if app.out.json {
        let list: Vec<_> = findings
            .iter()
            .map(|stored| {
                serde_json::json!({
                    "id": stored.id,
                    "opened_at": stored.opened_at,
                    "closed_at": stored.closed_at,
                    "finding": stored.finding,
                })
            })
            .collect();
        return Ok(app.out.value(&list)?);
    }
    if findings.is_empty() {
        app.out.say("Everything adds up.");
        return Ok(());
    }
    for stored in findings {
        let finding = &stored.finding;
        let mark = match (finding.severity, stored.closed_at) {
            (_, Some(_)) => "closed",
            (Severity::Act, None) => "ACT   ",
            (Severity::Check, None) => "check ",
            (Severity::Note, None) => "note  ",
        };
        let client = finding
            .client
            .as_deref()
            .map_or(String::new(), |key| format!(" [{key}]"));
        app.out.line(&format!(
            "{mark}  {}{client}",
            one_line(&finding.sentence, 400)
        ))?;
        app.out.line(&format!(
            "        → {}  ({})",
            one_line(&finding.action, 400),
            stored.id
        ))?;
    }
    Ok(())
}
