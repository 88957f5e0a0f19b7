//! The human form: one block a finding, numbered steps with the evidence beneath each, and closing
//! lines that count what is not shown.

use super::escape::{shorten_middle, terminal};
use super::{Placed, Report, Style, placed};
use crate::graph::{Confidence, Graph, NodeId, NodeKind};
use crate::query::{Answer, Cut, Severity, Step};
use crate::world::coverage::State;
use anstyle::{AnsiColor, Style as Ansi};
use std::io::{self, Write};

/// Paints text if colour is wanted.
pub(super) fn paint(style: Style, with: Ansi, text: &str) -> String {
    if style.colour { format!("{with}{text}{with:#}") } else { text.to_owned() }
}

fn colour_of(severity: Severity) -> Ansi {
    let colour = match severity {
        Severity::Critical => AnsiColor::Red,
        Severity::High => AnsiColor::Magenta,
        Severity::Medium => AnsiColor::Yellow,
        Severity::Low => AnsiColor::Cyan,
        Severity::Info => AnsiColor::White,
    };
    colour.on_default().bold()
}

/// A node in a sentence: `pod shop/web-0`, `internet`.
pub(super) fn named(graph: &Graph, node: NodeId) -> String {
    let name = graph.name(node);
    let name = terminal(&name);
    let kind = match graph.kind(node) {
        NodeKind::Internet | NodeKind::ClusterAdmin => return name.into_owned(),
        NodeKind::NamespaceAdmin => return format!("admin of namespace {name}"),
        NodeKind::Set | NodeKind::Gate => return name.into_owned(),
        NodeKind::ServiceAccount => "service account",
        NodeKind::NodeIdentity => "node identity",
        NodeKind::CloudIdentity => "cloud identity",
        NodeKind::PersistentVolume => "persistent volume",
        NodeKind::PersistentVolumeClaim => "persistent volume claim",
        NodeKind::ConfigMap => "config map",
        NodeKind::ClusterRole => "cluster role",
        NodeKind::RoleBinding => "role binding",
        NodeKind::ClusterRoleBinding => "cluster role binding",
        NodeKind::Namespace => "namespace",
        NodeKind::Node => "node",
        NodeKind::User => "user",
        NodeKind::Group => "group",
        NodeKind::Secret => "secret",
        NodeKind::Pod => "pod",
        NodeKind::Container => "container",
        NodeKind::Role => "role",
        NodeKind::Entry | NodeKind::Workload => "",
    };
    let full = match graph.namespace(node) {
        Some(ns) => format!("{}/{name}", terminal(ns)),
        None => name.into_owned(),
    };
    if kind.is_empty() { full } else { format!("{kind} {full}") }
}

/// An object's fact in a line: `Role shop/ci .rules[2] = create on pods/exec`.
pub(super) fn fact_line(placed: &Placed<'_>) -> String {
    let f = &placed.fact;
    let name = match f.namespace {
        Some(ns) => format!("{} {}/{}", terminal(f.kind), terminal(ns), terminal(f.name)),
        None => format!("{} {}", terminal(f.kind), terminal(f.name)),
    };
    match (f.field, f.value) {
        ("", value) => format!("{name}: {}", terminal(value)),
        (field, "") => format!("{name} {}", terminal(field)),
        (field, value) => format!("{name} {} = {}", terminal(field), terminal(value)),
    }
}

/// How much of the sources' names is the folder that they have in common.
fn folder(sources: &[String]) -> usize {
    let Some((first, others)) = sources.split_first() else { return 0 };
    let shared = others.iter().fold(first.len(), |shared, other| {
        let same = first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        shared.min(same)
    });
    let ends_folder =
        |(i, c): (usize, u8)| (i < shared && matches!(c, b'/' | b':')).then_some(i + 1);
    first.bytes().enumerate().filter_map(ends_folder).max().unwrap_or(0)
}

/// Where a fact stands: the line, with the source where there are several.
fn place(report: &Report<'_>, placed: &Placed<'_>) -> String {
    let source = match report.snapshot.sources.as_slice() {
        [_] => String::new(),
        sources => {
            let name = placed.source.get(folder(sources)..).unwrap_or(placed.source);
            shorten_middle(&terminal(name), 32).into_owned()
        }
    };
    match placed.line {
        // A built-in role that was not collected is assumed, and an auditor must see that.
        _ if placed.source.is_empty() && placed.fact.kind.ends_with("Role") => {
            "built in, assumed".to_owned()
        }
        _ if placed.source.is_empty() => String::new(),
        Some(line) if source.is_empty() => format!("line {line}"),
        Some(line) => format!("{source}:{line}"),
        None => source,
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let shown = &report.answers[..report.answers.len().min(report.style.most)];
    let evidence = placed(report, shown, true);
    for (answer, evidence) in shown.iter().zip(&evidence) {
        block(report, answer, evidence, out)?;
    }
    if report.answers.is_empty() {
        writeln!(out, "no path found\n")?;
    }
    closing(report, shown.len(), out)
}

fn block(
    report: &Report<'_>,
    answer: &Answer,
    evidence: &[Vec<Placed<'_>>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let (graph, style) = (report.graph, report.style);
    let severity = paint(style, colour_of(answer.severity), answer.severity.name());
    let steps = answer.steps.len();
    let ends = format!("{} reaches {}", named(graph, answer.from), named(graph, answer.to));
    let bold =
        paint(style, Ansi::new().bold(), &shorten_middle(&ends, style.width.saturating_sub(12)));
    writeln!(out, "{severity}: {bold}")?;
    let exploit = if answer.needs_exploit { " · needs an exploit" } else { "" };
    writeln!(
        out,
        "  {steps} {} · likelihood {:.2} · {} · score {:.1}{exploit} · {}",
        if steps == 1 { "step" } else { "steps" },
        answer.likelihood,
        answer.confidence,
        answer.score,
        if answer.query.is_empty() { answer.fingerprint.as_str() } else { answer.query.as_str() },
    )?;
    let column = answer.steps.iter().map(|s| s.attack.id.len()).max().unwrap_or(0);
    let mut before = None;
    for (i, (step, facts)) in answer.steps.iter().zip(evidence).enumerate() {
        let from = (before != Some(step.from)).then_some(step.from);
        write_step(report, (i, column), (step, from), facts, out)?;
        before = Some(step.to);
    }
    if let Some(cut) = &answer.cut {
        writeln!(out, "  = cut: {}", cut_line(report, cut))?;
    }
    // Who holds the end at once gains nothing by a longer way.
    if answer.alternatives > 0 && answer.steps.len() > 1 {
        let ways = if answer.alternatives == 1 { "way" } else { "ways" };
        writeln!(out, "  = also: {} other {ways} between these ends", answer.alternatives)?;
    }
    if answer.folded > 1 {
        writeln!(out, "  = folded: {} replicas and their like share this path", answer.folded)?;
    }
    writeln!(out, "  = {}\n", answer.fingerprint)
}

/// One step. `from` is given where it does not begin at the end of the step before.
fn write_step(
    report: &Report<'_>,
    (i, column): (usize, usize),
    (step, from): (&Step, Option<NodeId>),
    facts: &[Placed<'_>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let (graph, style) = (report.graph, report.style);
    // The attack's column is as wide as that of the answer's longest.
    let attack =
        paint(style, AnsiColor::Cyan.on_default(), &format!("{:<column$}", step.attack.id));
    let odds = match step.confidence {
        Confidence::Certain => format!("{:.2}", step.likelihood),
        other => format!("{:.2} {other}", step.likelihood),
    };
    let room = style.width.saturating_sub(12 + column + odds.len()).max(30);
    let to = named(graph, step.to);
    let ends = match from {
        Some(from) => format!("{} -> {to}", named(graph, from)),
        None => format!("-> {to}"),
    };
    writeln!(out, "  {:>2}  {attack}  {}  ({odds})", i + 1, shorten_middle(&ends, room))?;
    if !step.by.is_empty() {
        let by: Vec<&str> = step.by.iter().map(|attack| attack.id).collect();
        writeln!(out, "        by {}", by.join(", then "))?;
    }
    if let Some(set) = step.set {
        let size = graph.set_size(set);
        if size > 1 {
            writeln!(out, "        any of {size} {}", named(graph, set))?;
        }
    }
    if !step.needs.is_empty() {
        let needs: Vec<String> = step.needs.iter().map(|n| (n + 1).to_string()).collect();
        writeln!(out, "        needs step {} too", needs.join(" and "))?;
    }
    for placed in facts {
        let at = place(report, placed);
        let room = style.width.saturating_sub(10);
        let line = fact_line(placed);
        if at.is_empty() {
            writeln!(out, "        {}", shorten_middle(&line, room))?;
        } else {
            let line = shorten_middle(&line, room.saturating_sub(at.chars().count()).max(40));
            writeln!(out, "        {line}  {}", paint(style, Ansi::new().dimmed(), &at))?;
        }
    }
    Ok(())
}

fn cut_line(report: &Report<'_>, cut: &Cut) -> String {
    let fact = Placed { fact: report.graph.view(cut.fact), source: "", line: None };
    format!("{} — closes {} of {}", change(&fact), cut.closes, cut.of)
}

/// What removing a fact means: `roleRef` cannot be changed, so its binding has to go.
pub(super) fn change(placed: &Placed<'_>) -> String {
    match placed.fact.field {
        ".roleRef" => format!("delete {}", fact_line(placed)),
        _ => format!("remove {}", fact_line(placed)),
    }
}

/// The counts, what is unknown, and what could not be read.
fn closing(report: &Report<'_>, shown: usize, out: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let total: usize = summary.by_severity.iter().sum();
    let counts: Vec<String> = Severity::ALL
        .iter()
        .zip(summary.by_severity)
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            paint(report.style, colour_of(*severity), &format!("{count} {severity}"))
        })
        .collect();
    let paths = if total == 1 { "path" } else { "paths" };
    write!(out, "{total} {paths}")?;
    if !counts.is_empty() {
        write!(out, ": {}", counts.join(", "))?;
    }
    if shown < total {
        write!(out, " · {} not printed (-o json has all, --top N prints more)", total - shown)?;
    }
    if summary.suppressed > 0 {
        write!(out, " · {} suppressed", summary.suppressed)?;
    }
    if summary.unknown > 0 {
        write!(out, " · {} rest on what the snapshot does not show", summary.unknown)?;
    }
    writeln!(out)?;
    let snapshot = report.snapshot;
    writeln!(
        out,
        "{} objects from {} · {} problems",
        snapshot.objects,
        count(snapshot.sources.len(), "source"),
        snapshot.problems.len()
    )?;
    for note in report.notes {
        writeln!(out, "{}", terminal(note))?;
    }
    coverage(report, out)
}

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What the snapshot leaves unknown, a line a topic.
fn coverage(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let lacking: Vec<_> = report.coverage.iter().filter(|t| t.state != State::Complete).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    writeln!(out, "what this snapshot does not tell:")?;
    for topic in lacking {
        let head = format!("  {:<18} {:<8} ", topic.topic, topic.state.name());
        let room = report.style.width.saturating_sub(head.len()).max(30);
        for (i, line) in wrap(&topic.reason, room).iter().enumerate() {
            let head = if i == 0 { head.clone() } else { " ".repeat(head.len()) };
            writeln!(out, "{head}{line}")?;
        }
    }
    Ok(())
}

/// Breaks text at blanks into lines of at most `width` characters, where words allow.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let fits = |line: &String| {
            line.is_empty() || line.chars().count() + 1 + word.chars().count() <= width
        };
        match lines.last_mut().filter(|line| fits(line)) {
            Some(line) => {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            None => lines.push(word.to_owned()),
        }
    }
    lines
}
