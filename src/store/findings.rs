//! Findings and matches: what reconciliation found, kept until it finds otherwise.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, params};

use super::connections::instant;
use super::project::parse_key;
use super::{Error, Result, Store, Writer};
use crate::finding::{Finding, Kind};
use crate::work::{RecordKey, WorkId};

/// A finding with its history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFinding {
    pub id: String,
    pub finding: Finding,
    pub opened_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

impl Writer<'_> {
    /// Replaces the open findings about a subject by what was found now. A finding that is gone
    /// is closed, one that is there still keeps its date. Returns how many are new.
    pub fn replace_findings(
        &mut self,
        now: DateTime<Utc>,
        subject: &str,
        found: &[Finding],
    ) -> Result<usize> {
        let found_now = found.iter().map(Finding::id).collect();
        self.close_findings(now, subject, &found_now, |_| false)?;
        let mut new = 0;
        for finding in found {
            new += usize::from(self.open_finding(now, finding)?);
        }
        Ok(new)
    }

    /// Closes the open findings about a subject, except these; those of another subject that
    /// name this one too only where `told_here` knows that other one.
    pub fn close_findings(
        &mut self,
        now: DateTime<Utc>,
        subject: &str,
        except: &BTreeSet<String>,
        told_here: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let open: Vec<(String, String)> = self
            .tx
            .prepare_cached(
                "SELECT id, subject FROM finding WHERE subject = ?1 AND closed_at IS NULL
                 UNION SELECT id, subject FROM finding WHERE other = ?1 AND closed_at IS NULL",
            )?
            .query_map([subject], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (id, about) in open {
            if !except.contains(&id) && (about == subject || told_here(&about)) {
                self.tx
                    .prepare_cached("UPDATE finding SET closed_at = ?2 WHERE id = ?1")?
                    .execute(params![id, now.timestamp()])?;
            }
        }
        Ok(())
    }

    /// Closes the open findings of a kind, except these.
    pub fn close_kind(
        &mut self,
        now: DateTime<Utc>,
        kind: Kind,
        except: &BTreeSet<String>,
    ) -> Result<()> {
        let open: Vec<String> = self
            .tx
            .prepare_cached("SELECT id FROM finding WHERE kind = ?1 AND closed_at IS NULL")?
            .query_map([kind.name()], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in open.iter().filter(|id| !except.contains(*id)) {
            self.tx
                .prepare_cached("UPDATE finding SET closed_at = ?2 WHERE id = ?1")?
                .execute(params![id, now.timestamp()])?;
        }
        Ok(())
    }

    /// Opens a finding, or refreshes its words; whether it is new, or was closed.
    pub fn open_finding(&mut self, now: DateTime<Utc>, finding: &Finding) -> Result<bool> {
        let id = finding.id();
        let body = serde_json::to_string(finding).expect("a finding is plain data");
        let known: Option<(bool, bool)> = self
            .tx
            .prepare_cached("SELECT closed_at IS NULL, body = ?2 FROM finding WHERE id = ?1")?
            .query_row([&id, &body], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match known {
            Some((true, true)) => return Ok(false),
            Some(_) => self.keep_finding(now, &id)?,
            None => {}
        }
        let severity = serde_json::to_string(&finding.severity).expect("a unit variant");
        self.tx
            .prepare_cached(
                "INSERT INTO finding (id, kind, severity, subject, other, client, body, opened_at,
                                      since)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)
                 ON CONFLICT (id) DO UPDATE SET severity = excluded.severity,
                     client = excluded.client, body = excluded.body,
                     opened_at = iif(closed_at IS NULL, opened_at, excluded.opened_at),
                     closed_at = NULL, since = excluded.since",
            )?
            .execute(params![
                id,
                finding.kind.name(),
                severity.trim_matches('"'),
                finding.subject,
                finding.other,
                finding.client,
                body,
                now.timestamp()
            ])?;
        Ok(!matches!(known, Some((true, _))))
    }

    /// Keeps a finding as it is before it changes. Closing one replaces nothing.
    fn keep_finding(&self, now: DateTime<Utc>, id: &str) -> Result<()> {
        self.tx
            .prepare_cached(
                "INSERT INTO finding_past (id, kind, severity, subject, other, client, body,
                                           opened_at, closed_at, since, until)
                 SELECT id, kind, severity, subject, other, client, body, opened_at, closed_at,
                        since, ?2 FROM finding WHERE id = ?1",
            )?
            .execute(params![id, now.timestamp()])?;
        Ok(())
    }

    /// Remembers which task a work belongs to, or that none is certain.
    pub fn set_match(
        &mut self,
        now: DateTime<Utc>,
        work: WorkId,
        task: Option<&RecordKey>,
        evidence: &str,
    ) -> Result<()> {
        let task = task.map(ToString::to_string);
        let same: Option<bool> = self
            .tx
            .prepare_cached("SELECT task IS ?2 AND evidence = ?3 FROM match WHERE work = ?1")?
            .query_row(params![work.0, task, evidence], |row| row.get(0))
            .optional()?;
        match same {
            Some(true) => return Ok(()),
            Some(false) => self.keep_match(now, work)?,
            None => {}
        }
        self.tx
            .prepare_cached(
                "INSERT INTO match (work, task, evidence, since) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (work) DO UPDATE SET task = excluded.task,
                     evidence = excluded.evidence, since = excluded.since",
            )?
            .execute(params![work.0, task, evidence, now.timestamp()])?;
        Ok(())
    }

    /// Forgets the match of a work that is no more.
    pub fn clear_match(&mut self, now: DateTime<Utc>, work: WorkId) -> Result<()> {
        self.keep_match(now, work)?;
        self.tx
            .prepare_cached("DELETE FROM match WHERE work = ?1")?
            .execute([work.0])?;
        Ok(())
    }

    /// Keeps a match as it is before it is replaced.
    fn keep_match(&self, now: DateTime<Utc>, work: WorkId) -> Result<()> {
        self.tx
            .prepare_cached(
                "INSERT INTO match_past (work, task, evidence, since, until)
                 SELECT work, task, evidence, since, ?2 FROM match WHERE work = ?1",
            )?
            .execute(params![work.0, now.timestamp()])?;
        Ok(())
    }

    /// Sets a named mark.
    pub fn set_mark(&mut self, name: &str, value: &str) -> Result<()> {
        self.tx.execute(
            "INSERT OR REPLACE INTO mark (name, value) VALUES (?1, ?2)",
            [name, value],
        )?;
        Ok(())
    }
}

impl Store {
    /// Open findings, and with `closed` the others too: the gravest first, then the oldest.
    pub fn findings(&self, closed: bool) -> Result<Vec<StoredFinding>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, body, opened_at, closed_at FROM finding
             WHERE ?1 OR closed_at IS NULL
             ORDER BY closed_at IS NOT NULL,
                      CASE severity WHEN 'act' THEN 0 WHEN 'check' THEN 1 ELSE 2 END,
                      kind, opened_at, id",
        )?;
        let mut rows = statement.query([closed])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            findings.push(stored(row)?);
        }
        Ok(findings)
    }

    /// What findings said before they got other words, or were opened again.
    pub fn past_findings(&self) -> Result<Vec<StoredFinding>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT id, body, opened_at, closed_at FROM finding_past ORDER BY until, id",
        )?;
        let mut rows = statement.query([])?;
        let mut findings = Vec::new();
        while let Some(row) = rows.next()? {
            findings.push(stored(row)?);
        }
        Ok(findings)
    }

    /// What open findings name together with a subject.
    pub fn partners(&self, subject: &str) -> Result<Vec<String>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT other FROM finding
              WHERE subject = ?1 AND closed_at IS NULL AND other IS NOT NULL
             UNION SELECT subject FROM finding WHERE other = ?1 AND closed_at IS NULL",
        )?;
        let partners = statement.query_map([subject], |row| row.get(0))?;
        Ok(partners.collect::<rusqlite::Result<_>>()?)
    }

    /// The match of a work: the task, when one is certain, and the evidence.
    pub fn matched(&self, work: WorkId) -> Result<Option<(Option<RecordKey>, String)>> {
        let found: Option<(Option<String>, String)> = self
            .conn
            .prepare_cached("SELECT task, evidence FROM match WHERE work = ?1")?
            .query_row([work.0], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        found
            .map(|(task, evidence)| Ok((task.as_deref().map(parse_key).transpose()?, evidence)))
            .transpose()
    }

    /// The works that are matched to a task.
    pub fn works_on(&self, task: &RecordKey) -> Result<Vec<WorkId>> {
        let mut statement = self
            .conn
            .prepare_cached("SELECT work FROM match WHERE task = ?1 ORDER BY work")?;
        let works = statement.query_map([task.to_string()], |row| row.get(0).map(WorkId))?;
        Ok(works.collect::<rusqlite::Result<_>>()?)
    }

    /// Works without a certain task that start at or after an instant.
    pub fn unmatched_since(&self, from: DateTime<Utc>) -> Result<Vec<WorkId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.work FROM record r JOIN match m ON m.work = r.work
             WHERE r.start_at >= ?1 AND r.speaks = 1 AND m.task IS NULL ORDER BY r.work",
        )?;
        let works = statement.query_map([from.timestamp()], |row| row.get(0).map(WorkId))?;
        Ok(works.collect::<rusqlite::Result<_>>()?)
    }

    /// Works since an instant whose match a person's decision may change: all but those that
    /// name their task themselves.
    pub fn loosely_matched_since(&self, from: DateTime<Utc>) -> Result<Vec<WorkId>> {
        let mut statement = self.conn.prepare_cached(
            "SELECT r.work FROM record r JOIN match m ON m.work = r.work
             WHERE r.start_at >= ?1 AND r.speaks = 1
               AND (m.task IS NULL OR m.evidence IN ('alias', 'exact-title'))
             ORDER BY r.work",
        )?;
        let works = statement.query_map([from.timestamp()], |row| row.get(0).map(WorkId))?;
        Ok(works.collect::<rusqlite::Result<_>>()?)
    }

    /// A named mark.
    pub fn mark(&self, name: &str) -> Result<Option<String>> {
        Ok(self
            .conn
            .query_row("SELECT value FROM mark WHERE name = ?1", [name], |row| {
                row.get(0)
            })
            .optional()?)
    }
}

/// A finding from its columns `id, body, opened_at, closed_at`.
fn stored(row: &rusqlite::Row<'_>) -> Result<StoredFinding> {
    let body: String = row.get(1)?;
    let finding = serde_json::from_str(&body)
        .map_err(|error| Error::Damaged(format!("a finding cannot be read: {error}")))?;
    Ok(StoredFinding {
        id: row.get(0)?,
        finding,
        opened_at: instant(row.get(2)?).unwrap_or_default(),
        closed_at: row.get::<_, Option<i64>>(3)?.and_then(instant),
    })
}
