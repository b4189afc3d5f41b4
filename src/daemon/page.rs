//! The status page: one self-contained HTML document.

use super::status::{Health, Status};
use crate::time::clock_text;

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;\
padding:0 1rem;color:#1b1f24}h1{font-size:1.4rem;margin-bottom:.2rem}h2{font-size:1rem;\
margin-top:2rem;color:#57606a}.ok{color:#116329}.bad{color:#a40e26}table{border-collapse:collapse;\
width:100%}td,th{text-align:left;padding:.35rem .8rem .35rem 0;border-bottom:1px solid #d8dee4;\
vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}code{font-size:\
.85em;overflow-wrap:anywhere}li{margin:.4rem 0}";

/// The page.
pub fn html(status: &Status) -> String {
    let (class, word) = match status.health() {
        Health::Ok => ("ok", "All connections were read to their end.".to_owned()),
        Health::Degraded(reason) => ("bad", reason),
    };
    let mut body = format!(
        "<h1>Stundenbuch</h1><p class=\"{class}\">{}</p>",
        escape(&word).replace('\n', "<br>")
    );
    let last = status.last_run.map_or("never".to_owned(), |at| {
        at.format("%Y-%m-%d %H:%M UTC").to_string()
    });
    let stats = &status.stats;
    body += &format!(
        "<table><tr><td>Last run</td><td class=\"n\">{last}</td></tr>\
         <tr><td>Work in the ledger</td><td class=\"n\">{} entries, {} h</td></tr>\
         <tr><td>Tasks</td><td class=\"n\">{}</td></tr>\
         <tr><td>Open findings</td><td class=\"n\">{}</td></tr>\
         <tr><td>Documents on their way</td><td class=\"n\">{}</td></tr></table>",
        stats.works,
        clock_text(stats.work_seconds),
        stats.tasks,
        stats.open_findings,
        stats.undelivered
    );
    if let Some(report) = status
        .report
        .as_ref()
        .filter(|report| !report.sources.is_empty())
    {
        body += "<h2>Connections</h2><table><tr><th>Name</th><th class=\"n\">Requests</th>\
                 <th class=\"n\">New</th><th class=\"n\">Changed</th><th class=\"n\">Deleted</th>\
                 </tr>";
        for source in &report.sources {
            let counts = &source.counts;
            body += &format!(
                "<tr><td>{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{}</td><td class=\"n\">{}</td></tr>",
                escape(&source.connection),
                source.requests,
                counts.new,
                counts.changed,
                counts.deleted
            );
        }
        body += "</table>";
    }
    if !status.findings.is_empty() {
        body += "<h2>Somebody should act on</h2><ul>";
        for finding in &status.findings {
            body += &format!("<li>{}</li>", escape(finding));
        }
        body += "</ul>";
    }
    body += &format!(
        "<h2>Ledger</h2><p>{} rows, ending in <code>{}</code></p>",
        stats.rows, status.ledger_head
    );
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Stundenbuch</title>\
         <style>{STYLE}</style></head><body>{body}</body></html>\n"
    )
}

/// Text as HTML shows it; titles of cards come from other people.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
