//! Findings about the network: each is one block, whatever the number of workloads.

use super::escape::terminal;
use super::json::{FactJson, fact};
use super::words::{count, hanging, wrap};
use super::{Placed, Report};
use crate::graph::FactView;
use crate::query::Finding;
use crate::query::network::{Fact, Row};
use crate::world::network::State;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::{self, Write};

/// How many reasons of a finding are told, and how many namespaces of each.
const REASONS: usize = 5;
const SPACES: usize = 8;

/// How many workloads of a namespace are named.
const NAMES: usize = 3;

/// The numbers of a finding: `12 of 14 workloads, 1 more perhaps`.
pub(super) fn counted(finding: &Finding) -> String {
    let (sure, perhaps) = (finding.count(State::Allowed), finding.count(State::Unknown));
    let of = count(finding.of, "workload");
    match (sure, perhaps) {
        (0, perhaps) => format!("perhaps {perhaps} of {of}"),
        (sure, 0) => format!("{sure} of {of}"),
        (sure, perhaps) => format!("{sure} of {of}, {perhaps} more perhaps"),
    }
}

/// The name without its namespace and with its kind before it: `Deployment/web`.
fn short(name: &str) -> String {
    let name = name.split_once('/').map_or(name, |(_, name)| name);
    match name.strip_suffix(']').and_then(|n| n.rsplit_once('[')) {
        Some((name, kind)) => format!("{}/{}", terminal(kind), terminal(name)),
        None => terminal(name).into_owned(),
    }
}

fn space(row: &Row) -> String {
    let mut text = terminal(&row.namespace).into_owned();
    let _ = match row.count == row.of {
        true => write!(text, " all {}", row.of),
        false => write!(text, " {} of {}", row.count, row.of),
    };
    let named = row.subjects.iter().take(NAMES).map(|subject| {
        let by: Vec<String> = subject.by.iter().map(|by| terminal(by).into_owned()).collect();
        let by = if by.is_empty() { String::new() } else { format!(" {}", by.join(" and ")) };
        format!("{}{by}", short(&subject.name))
    });
    let named: Vec<String> = named.collect();
    let rest = row.count.saturating_sub(named.len());
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let _ = write!(text, " ({}{more})", named.join(", "));
    text
}

/// Writes a line for each finding, beneath paths: reach is no compromise, and what they are about
/// can be asked for by name.
pub(super) fn brief(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "what the network lets through (`kspm-graph query SNAPSHOT NAME` tells which and why):"
    )?;
    let width = report.findings.iter().map(|f| f.query.len()).max().unwrap_or(0);
    for finding in report.findings {
        let pad = 7_usize.saturating_sub(finding.severity.name().len());
        let severity = super::text::severity(report.style, finding.severity);
        let (query, counted) = (terminal(&finding.query), counted(finding));
        writeln!(out, "  {severity}{:pad$} {query:<width$}  {counted}", "")?;
    }
    Ok(())
}

/// Writes findings in full, the worst first.
pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.findings.is_empty() {
        writeln!(out, "nothing found\n")?;
    }
    for finding in report.findings {
        let head = super::text::severity(report.style, finding.severity);
        let title = terminal(&finding.title);
        let title = super::text::paint(report.style, anstyle::Style::new().bold(), &title);
        writeln!(out, "{head}: {title}")?;
        writeln!(out, "  {} · network · {}", counted(finding), finding.query)?;
        let mut reasons: Vec<((State, &str), Vec<&Row>)> = Vec::new();
        for row in &finding.rows {
            let key = (row.state, row.reason.as_str());
            match reasons.iter().position(|(known, _)| *known == key) {
                Some(place) => reasons[place].1.push(row),
                None if reasons.len() < REASONS => reasons.push((key, vec![row])),
                None => {}
            }
        }
        let told: usize = reasons.iter().flat_map(|(_, rows)| rows).map(|row| row.count).sum();
        for ((state, reason), rows) in &reasons {
            let word = if *state == State::Allowed { "" } else { "unknown: " };
            for (i, line) in wrap(&format!("{word}{}", terminal(reason)), report.style.width - 4)
                .iter()
                .enumerate()
            {
                writeln!(out, "  {}{line}", if i == 0 { "- " } else { "  " })?;
            }
            let mut spaces: Vec<String> = rows.iter().take(SPACES).map(|row| space(row)).collect();
            if rows.len() > SPACES {
                let rest = &rows[SPACES..];
                let all: usize = rest.iter().map(|row| row.count).sum();
                let of = count(rest.len(), "more namespace");
                spaces.push(format!("{all} in {of} (-o json lists all)"));
            }
            hanging("      ", &spaces.join("; "), report.style.width, out)?;
        }
        let all: usize = finding.rows.iter().map(|row| row.count).sum();
        if told < all {
            writeln!(
                out,
                "  - {} for other reasons (-o json lists all)",
                count(all - told, "workload")
            )?;
        }
        for note in &finding.notes {
            writeln!(out, "  = {}", terminal(note))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The evidence of each row of each finding, with places.
fn placed<'a>(report: &Report<'a>) -> Vec<Vec<Vec<Placed<'a>>>> {
    let world = report.graph.world();
    let rows = || report.findings.iter().flat_map(|finding| &finding.rows);
    let origin = |(object, field, _): &'a Fact| {
        let object = world.objects.get(object.index()).filter(|o| o.is_present())?;
        Some((object.origin, field.as_str()))
    };
    let wanted: Vec<_> = rows().flat_map(|row| &row.facts).filter_map(origin).collect();
    let mut lines = report.lines.lines(&wanted).into_iter();
    let mut place = |said: &'a Fact| {
        let (object, field, value) = said;
        let of = world.objects.get(object.index())?;
        let at = origin(said).map(|(origin, _)| origin);
        let line = at.and_then(|_| lines.next().flatten());
        let source = at.and_then(|at| report.snapshot.sources.get(at.source.index()));
        let ns = world.text(of.ns);
        let fact = FactView {
            kind: world.text(of.kind),
            namespace: (!ns.is_empty()).then_some(ns),
            name: world.text(of.name),
            field,
            value,
            origin: at,
        };
        Some(Placed { fact, source: source.map_or("", String::as_str), line, part: false })
    };
    let findings = report.findings.iter();
    findings
        .map(|finding| {
            let rows = finding.rows.iter();
            rows.map(|row| row.facts.iter().filter_map(&mut place).collect()).collect()
        })
        .collect()
}

/// Findings as JSON has them.
pub(super) fn json<'a>(report: &Report<'a>) -> Vec<FindingJson<'a>> {
    let evidence = placed(report);
    report.findings.iter().zip(&evidence).map(|(f, e)| finding(f, e)).collect()
}

#[derive(Serialize)]
pub(super) struct FindingJson<'a> {
    query: &'a str,
    title: &'a str,
    severity: &'static str,
    confidence: &'static str,
    of: usize,
    found: usize,
    unknown: usize,
    rows: Vec<RowJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct RowJson<'a> {
    namespace: &'a str,
    verdict: &'static str,
    reason: &'a str,
    of: usize,
    count: usize,
    workloads: Vec<SubjectJson<'a>>,
    evidence: Vec<FactJson<'a>>,
}

#[derive(Serialize)]
struct SubjectJson<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    by: &'a [String],
}

fn finding<'a>(finding: &'a Finding, evidence: &[Vec<Placed<'a>>]) -> FindingJson<'a> {
    let rows = finding.rows.iter().zip(evidence).map(|(row, facts)| RowJson {
        namespace: &row.namespace,
        verdict: if row.state == State::Allowed { "allowed" } else { "unknown" },
        reason: &row.reason,
        of: row.of,
        count: row.count,
        workloads: row.subjects.iter().map(|s| SubjectJson { name: &s.name, by: &s.by }).collect(),
        evidence: facts.iter().map(|p| fact(&p.fact, p.source, p.line)).collect(),
    });
    FindingJson {
        query: &finding.query,
        title: &finding.title,
        severity: finding.severity.name(),
        confidence: finding.confidence().name(),
        of: finding.of,
        found: finding.count(State::Allowed),
        unknown: finding.count(State::Unknown),
        rows: rows.collect(),
        notes: &finding.notes,
    }
}
