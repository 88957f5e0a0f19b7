//! `kspm-graph/report/v1` and `kspm-graph/graph/v1`: the formats that scripts read.
//!
//! What is written here is a contract. Fields may be added; a change of what is there is a new
//! version. Names are written as the cluster has them: JSON escapes what needs it, nothing is
//! shortened.

use super::{Lines, Placed, Report, Snapshot, placed, repeats};
use crate::graph::{EdgeId, FactView, Graph, NodeId, NodeKind, Tag, likelihood_of};
use crate::query::{Answer, Severity, Step, is_part};
use crate::world::coverage::Topic;
use serde::Serialize;
use serde::ser::{SerializeMap, SerializeSeq, Serializer};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

/// Writes a value and a newline.
///
/// # Errors
///
/// When the output cannot be written.
pub fn write_value(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)
}

/// Rounds to what the model can mean.
fn rounded(number: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (number * scale).round() / scale
}

#[derive(Serialize)]
struct NodeRef<'a> {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: String,
}

fn node<'a>(graph: &'a Graph, id: NodeId) -> NodeRef<'a> {
    let kind = graph.kind(id);
    // A namespace's admin is cluster-wide in name: the namespace is its name.
    let namespace = graph.namespace(id).filter(|_| kind != NodeKind::NamespaceAdmin);
    NodeRef { kind: kind.name(), namespace, name: graph.name(id).into_owned() }
}

#[derive(Serialize)]
struct ObjectRef<'a> {
    kind: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    name: &'a str,
}

#[derive(Serialize)]
pub(super) struct FactJson<'a> {
    object: ObjectRef<'a>,
    field: &'a str,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
}

pub(super) fn fact<'a>(fact: &FactView<'a>, source: &'a str, line: Option<u64>) -> FactJson<'a> {
    FactJson {
        object: ObjectRef { kind: fact.kind, namespace: fact.namespace, name: fact.name },
        field: fact.field,
        value: fact.value,
        source: (!source.is_empty()).then_some(source),
        line,
    }
}

#[derive(Serialize)]
struct SnapshotJson<'a> {
    sources: &'a [String],
    objects: u64,
    problems: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    source: &'a str,
    r#where: &'a str,
    message: &'a str,
}

fn snapshot(of: &Snapshot) -> SnapshotJson<'_> {
    SnapshotJson {
        sources: &of.sources,
        objects: of.objects,
        problems: of
            .problems
            .iter()
            .map(|p| ProblemJson { source: &p.source, r#where: &p.place, message: &p.message })
            .collect(),
    }
}

#[derive(Serialize)]
struct TopicJson<'a> {
    topic: &'a str,
    state: &'static str,
    reason: &'a str,
    affects: &'a [&'static str],
}

fn coverage(topics: &[Topic]) -> Vec<TopicJson<'_>> {
    topics
        .iter()
        .map(|t| TopicJson {
            topic: t.topic,
            state: t.state.name(),
            reason: &t.reason,
            affects: t.affects,
        })
        .collect()
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    query: &'a str,
    severity: &'static str,
    score: f64,
    from: NodeRef<'a>,
    to: NodeRef<'a>,
    fingerprint: &'a str,
    pair: &'a str,
    likelihood: f64,
    impact: f64,
    confidence: &'static str,
    needs_exploit: bool,
    steps: Vec<StepJson<'a>>,
    cut: Option<CutJson<'a>>,
    alternatives: usize,
    folded: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    same_as: Option<&'a str>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    from: NodeRef<'a>,
    to: NodeRef<'a>,
    attack: &'static str,
    title: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    by: Vec<&'static str>,
    likelihood: f64,
    confidence: &'static str,
    evidence: Vec<FactJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<SetJson<'a>>,
    #[serde(skip_serializing_if = "<[usize]>::is_empty")]
    needs: &'a [usize],
    #[serde(skip_serializing_if = "is_false")]
    part: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

#[derive(Serialize)]
struct SetJson<'a> {
    kind: &'static str,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    size: u32,
}

#[derive(Serialize)]
struct CutJson<'a> {
    fact: FactJson<'a>,
    closes: usize,
    of: usize,
}

fn step<'a>(
    graph: &'a Graph,
    steps: &'a [Step],
    place: usize,
    evidence: &[Placed<'a>],
) -> StepJson<'a> {
    let step = &steps[place];
    StepJson {
        part: is_part(steps, place),
        from: node(graph, step.from),
        to: node(graph, step.to),
        attack: step.attack.id,
        title: step.attack.title,
        by: step.by.iter().map(|attack| attack.id).collect(),
        likelihood: rounded(step.likelihood, 4),
        confidence: step.confidence.name(),
        evidence: evidence.iter().map(|p| fact(&p.fact, p.source, p.line)).collect(),
        set: step.set.map(|set| SetJson {
            kind: graph.set_kind(set).map_or("", |k| k.id),
            name: graph.name(set).into_owned(),
            namespace: graph.namespace(set),
            size: graph.set_size(set),
        }),
        needs: &step.needs,
    }
}

fn answer<'a>(
    graph: &'a Graph,
    answer: &'a Answer,
    evidence: &[Vec<Placed<'a>>],
    same_as: Option<&'a Answer>,
) -> AnswerJson<'a> {
    let steps = evidence.iter().enumerate().map(|(i, e)| step(graph, &answer.steps, i, e));
    AnswerJson {
        query: &answer.query,
        severity: answer.severity.name(),
        score: rounded(answer.score, 1),
        from: node(graph, answer.from),
        to: node(graph, answer.to),
        fingerprint: &answer.fingerprint,
        pair: &answer.pair,
        likelihood: rounded(answer.likelihood, 4),
        impact: rounded(answer.impact, 3),
        confidence: answer.confidence.name(),
        needs_exploit: answer.needs_exploit,
        steps: steps.collect(),
        cut: answer.cut.as_ref().map(|cut| CutJson {
            fact: fact(&graph.view(cut.fact), "", None),
            closes: cut.closes,
            of: cut.of,
        }),
        alternatives: answer.alternatives,
        folded: answer.folded,
        nodes: answer.nodes.iter().map(|node| graph.object_name(*node)).collect(),
        same_as: same_as.map(|first| first.fingerprint.as_str()),
    }
}

pub(super) fn write(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let evidence = placed(report, report.answers.iter(), false);
    let mut json = serde_json::Serializer::new(&mut *out);
    let mut map = json.serialize_map(None)?;
    map.serialize_entry("schema", "kspm-graph/report/v1")?;
    map.serialize_entry("snapshot", &snapshot(report.snapshot))?;
    map.serialize_entry("coverage", &coverage(report.coverage))?;
    let all = report.answers;
    let first = repeats(report.graph, all).into_iter().map(|of| of.and_then(|i| all.get(i)));
    let answers = all.iter().zip(&evidence).zip(first);
    let answers: Vec<_> = answers.map(|((a, e), of)| answer(report.graph, a, e, of)).collect();
    map.serialize_entry("answers", &answers)?;
    map.serialize_entry("findings", &super::findings::json(report))?;
    let summary = &report.summary;
    let mut counts: Vec<(&str, usize)> =
        Severity::ALL.iter().map(|s| s.name()).zip(summary.by_severity).collect();
    counts.push(("suppressed", summary.suppressed));
    counts.push(("unknown", summary.unknown));
    map.serialize_entry("summary", &Ordered(&counts))?;
    SerializeMap::end(map)?;
    writeln!(out)
}

/// A map whose entries keep their order.
struct Ordered<'a>(&'a [(&'a str, usize)]);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().copied())
    }
}

/// The whole graph as `kspm-graph/graph/v1`, written as it is walked.
pub struct GraphJson<'a> {
    /// The graph.
    pub graph: &'a Graph,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// What it shows and what it does not.
    pub coverage: &'a [Topic],
    /// How a field's line is found.
    pub lines: &'a dyn Lines,
    /// Whether to fold sets into direct edges.
    pub flat: bool,
    /// Only these edges and their ends; all of them without.
    pub only: Option<BTreeSet<EdgeId>>,
}

impl GraphJson<'_> {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// When the output cannot be written.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut json = serde_json::Serializer::new(&mut *out);
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("schema", "kspm-graph/graph/v1")?;
        map.serialize_entry("snapshot", &snapshot(self.snapshot))?;
        map.serialize_entry("coverage", &coverage(self.coverage))?;
        map.serialize_entry("nodes", &Nodes(self))?;
        map.serialize_entry("edges", &Edges(self))?;
        SerializeMap::end(map)?;
        writeln!(out)
    }

    /// Whether a node is folded away: a set, but for one that a gate needs, whose members are
    /// alternatives where the gate's inputs are not.
    fn folds(&self, node: NodeId) -> bool {
        self.flat
            && self.graph.kind(node) == NodeKind::Set
            && !self.graph.outgoing(node).any(|(_, to)| self.graph.kind(to) == NodeKind::Gate)
    }

    /// Whether a node is written: all are, or those that the edges in focus join.
    fn shows(&self, node: NodeId, ends: &BTreeSet<NodeId>) -> bool {
        if self.folds(node) {
            return false;
        }
        let always = matches!(self.graph.kind(node), NodeKind::Internet | NodeKind::ClusterAdmin);
        self.only.is_none() || always || ends.contains(&node)
    }

    /// The ends of the edges in focus.
    fn ends(&self) -> BTreeSet<NodeId> {
        let edges = self.only.iter().flatten();
        edges.flat_map(|edge| <[NodeId; 2]>::from(self.graph.ends(*edge))).collect()
    }

    /// Runs of edges to write, each with its ends: one edge, or one through sets when flat.
    fn runs(&self) -> Vec<(NodeId, NodeId, Vec<EdgeId>)> {
        let graph = self.graph;
        let mut runs = Vec::new();
        for from in graph.nodes() {
            if self.folds(from) {
                continue;
            }
            let mut stack: Vec<(NodeId, Vec<EdgeId>)> = vec![(from, Vec::new())];
            while let Some((at, edges)) = stack.pop() {
                for (edge, to) in graph.outgoing(at) {
                    if self.only.as_ref().is_some_and(|only| !only.contains(&edge)) {
                        continue;
                    }
                    let mut edges = edges.clone();
                    edges.push(edge);
                    // Sets lead to sets of smaller scopes only, so this ends.
                    if self.folds(to) {
                        stack.push((to, edges));
                    } else {
                        runs.push((from, to, edges));
                    }
                }
            }
        }
        if self.flat {
            runs.sort_unstable();
        }
        runs
    }
}

#[derive(Serialize)]
struct NodeJson<'a> {
    id: u32,
    #[serde(flatten)]
    node: NodeRef<'a>,
    labels: BTreeMap<&'a str, &'a str>,
    tags: Vec<&'static str>,
}

struct Nodes<'a>(&'a GraphJson<'a>);

impl Serialize for Nodes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let graph = self.0.graph;
        let mut list = serializer.serialize_seq(None)?;
        let ends = self.0.ends();
        for id in graph.nodes().filter(|id| self.0.shows(*id, &ends)) {
            let tags = Tag::ALL.iter().filter(|(tag, _)| graph.has(id, *tag));
            list.serialize_element(&NodeJson {
                id: id.0,
                node: node(graph, id),
                labels: graph.labels(id).collect(),
                tags: tags.map(|(_, name)| *name).collect(),
            })?;
        }
        list.end()
    }
}

#[derive(Serialize)]
struct EdgeJson<'a> {
    from: u32,
    to: u32,
    attack: &'static str,
    likelihood: f64,
    confidence: &'static str,
    gate: Option<u32>,
    evidence: Vec<FactJson<'a>>,
}

struct Edges<'a>(&'a GraphJson<'a>);

/// So many facts get their lines looked up; a larger graph is written without.
const LINES_AT_MOST: usize = 200_000;

impl Serialize for Edges<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let GraphJson { graph, snapshot, lines, .. } = self.0;
        let runs = self.0.runs();
        let facts = || runs.iter().flat_map(|(_, _, edges)| edges).flat_map(|e| graph.evidence(*e));
        let wanted: Vec<_> = if graph.edge_count() <= LINES_AT_MOST {
            facts().filter_map(|f| Some((f.origin?, f.field))).collect()
        } else {
            Vec::new()
        };
        let mut found = lines.lines(&wanted).into_iter();
        let mut list = serializer.serialize_seq(Some(runs.len()))?;
        for (from, to, edges) in &runs {
            let evidence = edges.iter().flat_map(|e| graph.evidence(*e)).map(|f| {
                let line = f.origin.and_then(|_| found.next().flatten());
                let source = f.origin.and_then(|o| snapshot.sources.get(o.source.index()));
                fact(&f, source.map_or("", String::as_str), line)
            });
            let evidence = evidence.collect();
            // The attack that gains the end names the run, as it names a step.
            let named = edges.iter().rfind(|e| !graph.attack(**e).structure).or(edges.first());
            let Some(named) = named else { continue };
            let cost: u64 = edges.iter().map(|e| u64::from(graph.cost(*e))).sum();
            let sure = edges.iter().map(|e| graph.confidence(*e)).max();
            list.serialize_element(&EdgeJson {
                from: from.0,
                to: to.0,
                attack: graph.attack(*named).id,
                likelihood: rounded(likelihood_of(cost), 4),
                confidence: sure.map_or("unknown", crate::graph::Confidence::name),
                gate: (graph.kind(*to) == NodeKind::Gate).then_some(to.0),
                evidence,
            })?;
        }
        list.end()
    }
}
