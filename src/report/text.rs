//! The human form: one block a finding, numbered steps with the evidence beneath each, and closing
//! lines that count what is not shown.

use super::escape::{self, shorten_middle, terminal};
use super::words::{
    change, count, fact_line, hanging, listed, named, rests, short_path, shorten_both,
};
use super::{Placed, Report, Style, placed, repeats};
use crate::graph::{Confidence, EdgeId, Graph, NodeId, NodeKind};
use crate::query::{Answer, Cut, Severity, Step, is_part};
use crate::world::coverage::{State, Topic};
use anstyle::{AnsiColor, Style as Ansi};
use std::io::{self, Write};

/// Paints text if colour is wanted.
pub(super) fn paint(style: Style, with: Ansi, text: &str) -> String {
    if style.colour { format!("{with}{text}{with:#}") } else { text.to_owned() }
}

/// A severity's word, painted.
pub(super) fn severity(style: Style, severity: Severity) -> String {
    paint(style, colour_of(severity), severity.name())
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

/// Where a fact stands: the line, with the source where there are several, in so many columns.
fn place(report: &Report<'_>, placed: &Placed<'_>, room: usize) -> String {
    let source = match report.snapshot.sources.as_slice() {
        [_] => String::new(),
        sources => {
            let name = placed.source.get(folder(sources)..).unwrap_or(placed.source);
            short_path(&terminal(name), room)
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
    // What several queries find is one finding, under the first of them.
    let repeats = repeats(report.graph, report.answers);
    let firsts: Vec<usize> = (0..repeats.len()).filter(|i| repeats[*i].is_none()).collect();
    let shown = &firsts[..firsts.len().min(report.style.most)];
    let evidence = placed(report, shown.iter().map(|first| &report.answers[*first]), true);
    for (first, evidence) in shown.iter().zip(&evidence) {
        let others = repeats.iter().zip(report.answers).filter(|(of, _)| **of == Some(*first));
        let others: Vec<&Answer> = others.map(|(_, answer)| answer).collect();
        block(report, (&report.answers[*first], &others), evidence, out)?;
    }
    if report.answers.is_empty() && !report.is_of_findings() {
        writeln!(out, "no path found\n")?;
    }
    if report.is_of_findings() {
        super::findings::write(report, out)?;
    }
    closing(report, shown.len(), &repeats, out)
}

fn block(
    report: &Report<'_>,
    (answer, others): (&Answer, &[&Answer]),
    evidence: &[Vec<Placed<'_>>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let (graph, style) = (report.graph, report.style);
    let severity = paint(style, colour_of(answer.severity), answer.severity.name());
    let more = answer.nodes.len().saturating_sub(1);
    // Else it is a cloud identity of one of the machines.
    let nodes = answer.nodes.iter().any(|n| graph.kind(*n) != NodeKind::CloudIdentity);
    let alike = match (more, nodes) {
        (0, _) => String::new(),
        (1, true) => " (and 1 more node of its pool)".to_owned(),
        (more, true) => format!(" (and {more} more nodes of its pool)"),
        (more, false) => format!(" (and {more} more of its pool)"),
    };
    // They stand behind the end that is one of them.
    let of_start = more > 0 && answer.nodes.contains(&answer.from);
    let (start, end) = if of_start { (alike.as_str(), "") } else { ("", alike.as_str()) };
    let (from, to) = (named(graph, answer.from), named(graph, answer.to));
    // What begins at the internet is told apart by its door.
    let door = answer.door(graph).filter(|door| *door != answer.to);
    let door = door.map_or_else(String::new, |door| format!(" through {}", named(graph, door)));
    let room = style.width.saturating_sub(12 + end.len()).max(40);
    let head = shorten_both(&(from + &door), &format!("{start} reaches "), &to, room) + end;
    writeln!(out, "{severity}: {}", paint(style, Ansi::new().bold(), &head))?;
    let exploit = if answer.needs_exploit { " · needs an exploit" } else { "" };
    let query = if answer.query.is_empty() { "" } else { " · " };
    writeln!(
        out,
        "  {} · likelihood {:.2} · {} · score {:.1}{exploit}{query}{}",
        count(answer.step_count(), "step"),
        answer.likelihood,
        answer.confidence,
        answer.score,
        answer.query,
    )?;
    let column = answer.steps.iter().map(|s| s.attack.id.len()).max().unwrap_or(0);
    let (mut before, mut number) = (None, 0);
    for (i, (step, facts)) in answer.steps.iter().zip(evidence).enumerate() {
        if is_part(&answer.steps, i) {
            continue;
        }
        number += 1;
        let from = (before != Some(step.from)).then_some(step.from);
        write_step(report, (number, column), (step, from), out)?;
        if step.needs.is_empty() {
            write_facts(report, facts, 8, out)?;
        } else {
            write_parts(report, answer, (step, facts), evidence, out)?;
        }
        before = Some(step.to);
    }
    if let Some(cut) = &answer.cut {
        write_long(report, "cut", &cut_line(report, answer, cut), out)?;
    }
    // Who holds the end at once gains nothing by a longer way.
    if answer.alternatives > 0 && answer.steps.len() > 1 {
        let ways = if answer.alternatives == 1 { "way" } else { "ways" };
        writeln!(out, "  = also: {} other {ways} between these ends", answer.alternatives)?;
    }
    if more > 0 {
        let names: Vec<&str> = answer.nodes.iter().map(|n| graph.object_name(*n)).collect();
        let word = if nodes { "nodes" } else { "identities" };
        write_long(report, word, &listed(&names), out)?;
    }
    let replicas = answer.folded.saturating_sub(answer.nodes.len().max(1));
    if replicas > 0 {
        let paths = if replicas == 1 { "path" } else { "paths" };
        let ends = "from or to other pods and containers of these workloads";
        writeln!(out, "  = folded: {replicas} more such {paths}, {ends}")?;
    }
    for other in others {
        let Answer { query, fingerprint, .. } = other;
        writeln!(out, "  = same path: answers {query} too, as {fingerprint}")?;
    }
    writeln!(out, "  = {}\n", answer.fingerprint)
}

/// A line of the answer's end, on as many lines as it needs.
fn write_long(report: &Report<'_>, word: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    hanging(&format!("  = {word}: "), text, report.style.width, out)
}

/// How likely a step works, and how sure that is unless it is certain.
fn odds(step: &Step) -> String {
    match step.confidence {
        Confidence::Certain => format!("{:.2}", step.likelihood),
        other => format!("{:.2} {other}", step.likelihood),
    }
}

/// The head of a step. `from` is given where it does not begin at the end of the step before.
fn write_step(
    report: &Report<'_>,
    (number, column): (usize, usize),
    (step, from): (&Step, Option<NodeId>),
    out: &mut dyn Write,
) -> io::Result<()> {
    let (graph, style) = (report.graph, report.style);
    // The attack's column is as wide as that of the answer's longest.
    let attack =
        paint(style, AnsiColor::Cyan.on_default(), &format!("{:<column$}", step.attack.id));
    let odds = odds(step);
    let room = style.width.saturating_sub(12 + column + odds.len()).max(30);
    let to = named(graph, step.to);
    let ends = match from {
        Some(from) => shorten_both(&named(graph, from), " -> ", &to, room),
        None => shorten_middle(&format!("-> {to}"), room).into_owned(),
    };
    writeln!(out, "  {number:>2}  {attack}  {ends}  ({odds})")?;
    if !step.by.is_empty() {
        let by: Vec<&str> = step.by.iter().map(|attack| attack.id).collect();
        writeln!(out, "        by {}", by.join(", then "))?;
    }
    if let Some(set) = step.set {
        let size = graph.set_size(set);
        if size > 1 {
            writeln!(
                out,
                "        any of {size} {}{}",
                named(graph, set),
                passed(graph, step, set)
            )?;
        }
    }
    Ok(())
}

/// The member of a set that a step goes on from, where that is not what it gains.
fn passed(graph: &Graph, step: &Step, set: NodeId) -> String {
    let out = step.edges.iter().map(|edge| graph.ends(*edge)).find(|(from, _)| *from == set);
    let member = out.map(|(_, member)| member).filter(|member| {
        let own = matches!(graph.kind(*member), NodeKind::Set | NodeKind::Gate);
        !own && graph.fold(*member) != graph.fold(step.to)
    });
    member.map_or_else(String::new, |member| format!(": {}", named(graph, member)))
}

/// What a step needs at once, each part with its own evidence, and what follows from all of it.
fn write_parts(
    report: &Report<'_>,
    answer: &Answer,
    (step, facts): (&Step, &[Placed<'_>]),
    evidence: &[Vec<Placed<'_>>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let graph = report.graph;
    writeln!(out, "        needs {} things at once:", step.needs.len() + 1)?;
    let room = report.style.width.saturating_sub(10);
    // The step's own odds stand at its head.
    let mut part = |step: &Step, facts: &[Placed<'_>], own: bool| {
        let gate = step.edges.iter().rfind(|e| super::is_gate(graph, **e));
        let mut line = part_named(graph, step, gate.copied());
        let sure = step.likelihood >= 0.995 && step.confidence == Confidence::Certain;
        if !own && !sure {
            line = format!("{line}  ({})", odds(step));
        }
        writeln!(out, "        - {}", shorten_middle(&line, room))?;
        write_facts(report, facts, 12, out)
    };
    let (before, after) = facts.split_at(facts.partition_point(|placed| placed.part));
    part(step, before, true)?;
    for need in &step.needs {
        if let (Some(step), Some(facts)) = (answer.steps.get(*need), evidence.get(*need)) {
            part(step, facts, false)?;
        }
    }
    write_facts(report, after, 8, out)
}

/// A part of a step: what leads into the gate, and who holds it.
fn part_named(graph: &Graph, step: &Step, gate: Option<EdgeId>) -> String {
    let input = gate.map_or(step.from, |edge| graph.ends(edge).0);
    if input == step.from {
        return named(graph, input);
    }
    format!("{}, held by {}", named(graph, input), named(graph, step.from))
}

/// Facts, a line each; what does not fit goes on in the next line, and nothing is cut from it that
/// fits there.
fn write_facts(
    report: &Report<'_>,
    facts: &[Placed<'_>],
    indent: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let room = report.style.width.saturating_sub(indent).max(40);
    for placed in facts {
        let (line, at) = (fact_line(placed), place(report, placed, 32));
        let (wide, wide_at) = (escape::columns(&line), escape::columns(&at));
        let dimmed = |at: &str| paint(report.style, Ansi::new().dimmed(), at);
        let mut last = line.as_str();
        if wide > room
            && let Some((field, value)) = line.split_once(" = ")
        {
            writeln!(out, "{:indent$}{}", "", shorten_middle(field, room))?;
            write!(out, "{:indent$}  = ", "")?;
            last = value;
        } else {
            write!(out, "{:indent$}", "")?;
        }
        let used = if last.len() < line.len() { 4 } else { 0 };
        let last = shorten_middle(last, room - used);
        if at.is_empty() {
            writeln!(out, "{last}")?;
        } else if used + escape::columns(&last) + 2 + wide_at <= room {
            writeln!(out, "{last}  {}", dimmed(&at))?;
        } else {
            let at = place(report, placed, room - 20);
            writeln!(out, "{last}\n{:indent$}  {}", "", dimmed(&at))?;
        }
    }
    Ok(())
}

fn cut_line(report: &Report<'_>, answer: &Answer, cut: &Cut) -> String {
    let fact = Placed { fact: report.graph.view(cut.fact), source: "", line: None, part: false };
    let of = if answer.query.is_empty() { "found" } else { "of this query" };
    let paths = if cut.of == 1 { "path" } else { "paths" };
    format!("{} — closes {} of {} {paths} {of}", change(&fact), cut.closes, cut.of)
}

/// The counts, what is unknown, and what could not be read. A path that several queries find is
/// counted once.
fn closing(
    report: &Report<'_>,
    shown: usize,
    repeats: &[Option<usize>],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut summary = report.summary;
    let repeated = report.answers.iter().zip(repeats).filter(|(_, of)| of.is_some());
    for (answer, _) in repeated.clone() {
        let place = Severity::ALL.iter().position(|s| *s == answer.severity).unwrap_or(4);
        summary.by_severity[place] = summary.by_severity[place].saturating_sub(1);
        let unknown = usize::from(answer.confidence == Confidence::Unknown);
        summary.unknown = summary.unknown.saturating_sub(unknown);
    }
    let total: usize = summary.by_severity.iter().sum();
    let counts: Vec<String> = Severity::ALL
        .iter()
        .zip(summary.by_severity)
        .filter(|(_, count)| *count > 0)
        .map(|(severity, count)| {
            paint(report.style, colour_of(*severity), &format!("{count} {severity}"))
        })
        .collect();
    if report.is_of_findings() {
        return tail(report, out);
    }
    write!(out, "{}", count(total, "path"))?;
    if !counts.is_empty() {
        write!(out, ": {}", counts.join(", "))?;
    }
    if shown < total {
        write!(out, " · {} not printed (-o json has all, --top N prints more)", total - shown)?;
    }
    match repeated.count() {
        0 => {}
        1 => write!(out, " · 1 answers another query too")?,
        more => write!(out, " · {more} answer other queries too")?,
    }
    if summary.suppressed > 0 {
        write!(out, " · {} suppressed", summary.suppressed)?;
    }
    if summary.unknown > 0 {
        write!(out, " · {} on what the snapshot does not show", rests(summary.unknown))?;
    }
    writeln!(out)?;
    tail(report, out)
}

/// What was read, and what it does not tell.
fn tail(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if !report.is_of_findings() {
        super::findings::brief(report, out)?;
    }
    let snapshot = report.snapshot;
    writeln!(
        out,
        "{} from {} · {}",
        count(usize::try_from(snapshot.objects).unwrap_or(usize::MAX), "object"),
        count(snapshot.sources.len(), "source"),
        count(snapshot.problems.len(), "problem")
    )?;
    for note in report.notes {
        writeln!(out, "{}", terminal(note))?;
    }
    coverage(report, out)
}

/// What the snapshot leaves unknown, a line a topic.
fn coverage(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    if report.coverage.iter().any(|t| t.state != State::Complete) {
        writeln!(out, "what this snapshot does not tell:")?;
    }
    topics(report.coverage, report.style.width, out)
}

/// The topics that the snapshot does not show in full.
pub(super) fn topics(topics: &[Topic], width: usize, out: &mut dyn Write) -> io::Result<()> {
    for topic in topics.iter().filter(|t| t.state != State::Complete) {
        let head = format!("  {:<18} {:<8} ", topic.topic, topic.state.name());
        hanging(&head, &topic.reason, width, out)?;
    }
    Ok(())
}
