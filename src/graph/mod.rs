//! Nodes, edges and evidence: the attack graph, immutable once frozen.
//!
//! An edge says that who holds its `from` comes to hold its `to`. Attacks put edges into a
//! [`Sink`], which takes none without evidence; [`Graph::freeze`] sorts them and lays them out in
//! compressed rows, both ways ([`csr`]). The graph knows the world only to name its nodes; what an
//! edge means is told by the [`Attack`] it bears, whose instances live in `attacks`.

mod acting;
mod asked;
mod attack;
mod csr;
mod evidence;
mod freeze;
mod layout;
mod left;
mod node;
mod own;
mod records;
mod sink;
mod tags;
mod visit;

pub use asked::is_parted;
pub use attack::{Attack, Confidence, Identity, Odds, likelihood_of};
pub use csr::EdgeId;
pub use evidence::{Fact, FactView, Value, WhyId};
pub use node::{NodeKind, SetKey, SetKind, Tag, Thing};
pub use records::Fields;
pub use sink::{Named, Sink};

use crate::sym::{Sym, Symbols};
use crate::world::{ObjectId, World};
use csr::Csr;
use evidence::Evidence;
use layout::{Layout, set_name};
use std::borrow::Cow;
use std::sync::Arc;

crate::index! {
    /// A node of the graph.
    NodeId
}

/// What a node is beside its kind. Its name and namespace are those of its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Node {
    tags: u32,
    /// Of a container, its name; of a workload, its kind. Of a node that has a name of its own,
    /// that one, in the graph's texts.
    sub: Sym,
    /// The object it stands for, or [`NO_OBJECT`].
    object: ObjectId,
}

/// Stands for no object, in four bytes less than an `Option` takes.
const NO_OBJECT: ObjectId = ObjectId(u32::MAX);

/// Tells what a set or gate that belongs to one thing is called.
pub struct Namer(Box<Naming>);

type Naming = dyn Fn(&Graph, NodeId, &SetKey) -> Option<String> + Send + Sync;

impl Namer {
    /// A namer is given the graph, the set's node and its key. What it cannot tell is called by its
    /// kind and namespace.
    #[must_use]
    pub fn new(
        name: impl Fn(&Graph, NodeId, &SetKey) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(name))
    }
}

impl std::fmt::Debug for Namer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Namer")
    }
}

/// The frozen graph.
#[derive(Debug)]
pub struct Graph {
    world: Arc<World>,
    layout: Layout,
    /// Apart from the rest, since searches ask for nothing else.
    kinds: Vec<NodeKind>,
    nodes: Vec<Node>,
    /// Text that is no name of an object: fields, values, names of doors.
    texts: Symbols,
    csr: Csr,
    evidence: Evidence,
    /// The costs of all edges, in the order of their targets: a search backward would look them up
    /// here and there.
    incoming_costs: Vec<u16>,
    attacks: Vec<&'static Attack>,
    /// What each node is folded to.
    folded: Vec<NodeId>,
    /// Where each run of nodes of one kind ends.
    runs: Vec<(NodeKind, NodeId)>,
    /// How many members each set has, from the first dynamic node on.
    set_sizes: Vec<u32>,
    namer: Option<Namer>,
    /// From where on nodes stand a second time, for whoever acts as them.
    first_acting: usize,
}

impl Graph {
    /// The world that the graph was derived from.
    #[must_use]
    pub fn world(&self) -> &World {
        &self.world
    }

    /// How many nodes there are.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many edges there are.
    #[must_use]
    pub fn edge_count(&self) -> usize {
        self.csr.len()
    }

    /// Every node, in the order of their numbers.
    pub fn nodes(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeId)
    }

    /// The nodes of some kinds, in the order of their numbers; not those that stand a second time,
    /// for whoever acts as them. O(those nodes).
    pub fn nodes_of(&self, wanted: impl Fn(NodeKind) -> bool) -> impl Iterator<Item = NodeId> {
        let mut start = 0;
        let runs = self
            .runs
            .iter()
            .map(move |(kind, end)| (*kind, std::mem::replace(&mut start, end.0)..end.0));
        runs.filter(move |(kind, _)| wanted(*kind)).flat_map(|(_, run)| run.map(NodeId))
    }

    /// The node of a thing, if the graph has it.
    #[must_use]
    pub fn node(&self, thing: &Thing) -> Option<NodeId> {
        self.layout.fixed(thing)
    }

    /// What kind of node it is.
    #[must_use]
    pub fn kind(&self, node: NodeId) -> NodeKind {
        self.kinds[node.index()]
    }

    /// The node's namespace, unless it is cluster-wide.
    #[must_use]
    pub fn namespace(&self, node: NodeId) -> Option<&str> {
        let (kind, of) = (self.kind(node), &self.nodes[node.index()]);
        let ns = self.layout.namespace(&self.world, node, kind, of);
        (!ns.is_empty()).then(|| self.world.text(ns))
    }

    /// The node's name as the interface spells it: `pod/container`, `Deployment/web`,
    /// `service/web`, or the object's own. Not made safe for output.
    #[must_use]
    pub fn name(&self, node: NodeId) -> Cow<'_, str> {
        let name = self.object_name(node);
        match self.kind(node) {
            // What leads on from one who is acted as is called as ever.
            NodeKind::User | NodeKind::Group | NodeKind::ServiceAccount
                if self.acted_as(node).is_some() =>
            {
                format!("{name} (impersonated)").into()
            }
            NodeKind::Set | NodeKind::Gate => self.set_name(node).into(),
            NodeKind::Container => format!("{name}/{}", self.part(node)).into(),
            NodeKind::Workload => format!("{}/{name}", self.part(node)).into(),
            _ => name.into(),
        }
    }

    /// The name of the Kubernetes object that a container, workload or entry belongs to: the pod's,
    /// the workload's; for the others the node's own name. Sets and gates have none here.
    #[must_use]
    pub fn object_name(&self, node: NodeId) -> &str {
        let n = &self.nodes[node.index()];
        if self.kind(node).is_own() {
            return self.texts.text(n.sub);
        }
        self.world.objects.get(n.object.index()).map_or("", |object| self.world.text(object.name))
    }

    /// Of a container: its name in the pod. Of a workload: its kind.
    #[must_use]
    pub fn part(&self, node: NodeId) -> &str {
        if self.kind(node).is_own() { "" } else { self.world.text(self.nodes[node.index()].sub) }
    }

    /// The object that the node stands for.
    #[must_use]
    pub fn object(&self, node: NodeId) -> Option<ObjectId> {
        Some(self.nodes[node.index()].object).filter(|object| *object != NO_OBJECT)
    }

    /// The node's labels, as key and value.
    pub fn labels(&self, node: NodeId) -> impl Iterator<Item = (&str, &str)> {
        let labels = self.object(node).map_or(&[][..], |o| self.world.labels_of(o));
        labels.iter().map(|(k, v)| (self.world.text(*k), self.world.text(*v)))
    }

    /// Whether a node bears a tag.
    #[must_use]
    pub fn has(&self, node: NodeId, tag: Tag) -> bool {
        self.nodes[node.index()].tags & tag as u32 != 0
    }

    /// The workload that a pod or container belongs to, else the pod of a container, else the node
    /// itself: what answers are folded to.
    #[must_use]
    pub fn fold(&self, node: NodeId) -> NodeId {
        self.folded[node.index()]
    }

    /// The edges out of a node, sorted by target.
    pub fn outgoing(&self, node: NodeId) -> impl ExactSizeIterator<Item = (EdgeId, NodeId)> + '_ {
        self.csr.outgoing(node)
    }

    /// The edges into a node, sorted by source.
    pub fn incoming(&self, node: NodeId) -> impl ExactSizeIterator<Item = (EdgeId, NodeId)> + '_ {
        self.csr.incoming(node)
    }

    /// The edges into a node with what each costs, which a search wants of all of them.
    pub fn incoming_costs(&self, node: NodeId) -> impl Iterator<Item = (EdgeId, NodeId, u16)> + '_ {
        let places = self.csr.incoming_places(node);
        let edges = &self.csr.by_target()[places.clone()];
        edges.iter().zip(&self.incoming_costs[places]).map(|((from, edge), c)| (*edge, *from, *c))
    }

    /// Where an edge stands among those into its target; `None` for an edge into another node.
    /// O(log of how many there are).
    #[must_use]
    pub fn place_among_incoming(&self, target: NodeId, edge: EdgeId) -> Option<usize> {
        self.csr.place_among_incoming(target, edge)
    }

    /// Where an edge stands among those out of its source; `None` for an edge out of another node.
    #[must_use]
    pub fn place_among_outgoing(&self, source: NodeId, edge: EdgeId) -> Option<usize> {
        self.csr.place_among_outgoing(source, edge)
    }

    /// The edge at a place among those into a node, and its source. O(1).
    #[must_use]
    pub fn incoming_at(&self, target: NodeId, place: usize) -> Option<(EdgeId, NodeId)> {
        self.csr.incoming_at(target, place)
    }

    /// The edge at a place among those out of a node, and its target. O(1).
    #[must_use]
    pub fn outgoing_at(&self, source: NodeId, place: usize) -> Option<(EdgeId, NodeId)> {
        self.csr.outgoing_at(source, place)
    }

    /// What an edge costs a path: `-ln(likelihood)`, scaled; see [`likelihood_of`].
    #[must_use]
    pub fn cost(&self, edge: EdgeId) -> u16 {
        self.evidence.cost(self.csr.why(edge))
    }

    /// Where an edge begins and ends.
    #[must_use]
    pub fn ends(&self, edge: EdgeId) -> (NodeId, NodeId) {
        self.csr.ends(edge)
    }

    /// Where an edge ends.
    #[must_use]
    pub fn target(&self, edge: EdgeId) -> NodeId {
        self.csr.target(edge)
    }

    /// The attack that an edge stands for.
    #[must_use]
    pub fn attack(&self, edge: EdgeId) -> &'static Attack {
        self.attacks[self.attack_place(edge)]
    }

    /// The place of an edge's attack among all of them, which are in the order of their ids.
    #[must_use]
    pub fn attack_place(&self, edge: EdgeId) -> usize {
        usize::from(self.evidence.says(self.csr.why(edge)).attack)
    }

    /// How sure an edge is.
    #[must_use]
    pub fn confidence(&self, edge: EdgeId) -> Confidence {
        self.evidence.says(self.csr.why(edge)).confidence
    }

    /// The evidence of an edge, all of it needed together.
    pub fn evidence(&self, edge: EdgeId) -> impl Iterator<Item = FactView<'_>> {
        self.facts(edge).map(|fact| self.view(fact))
    }

    /// The facts of an edge, to compare with those of others.
    pub fn facts(&self, edge: EdgeId) -> impl Iterator<Item = Fact> + '_ {
        let why = self.csr.why(edge);
        let (via, target) = self.csr.objects(edge, |node| self.nodes[node.index()].object);
        self.evidence.facts(why).iter().map(move |fact| fact.completed(via, target))
    }

    /// A fact with its names.
    #[must_use]
    pub fn view(&self, fact: Fact) -> FactView<'_> {
        let object = self.world.objects[fact.object.index()];
        FactView {
            kind: self.world.text(object.kind),
            namespace: (!object.ns.is_empty()).then(|| self.world.text(object.ns)),
            name: self.world.text(object.name),
            field: self.texts.text(fact.field),
            value: match fact.value.name_or_text() {
                Ok(object) => {
                    self.world.objects.get(object.index()).map_or("", |o| self.world.text(o.name))
                }
                Err(text) => self.texts.text(text),
            },
            origin: object.is_present().then_some(object.origin),
        }
    }

    /// Has the sets and gates that belong to one thing called by it: only who made them knows to
    /// which. There are too many of them to write all their names down.
    pub fn name_sets(&mut self, namer: Namer) {
        self.namer = Some(namer);
    }

    /// What a set or gate is called by its kind and namespace alone.
    #[must_use]
    pub fn plain_set_name(&self, node: NodeId) -> String {
        self.layout.key(node).map_or_else(String::new, |key| set_name(&self.world, key))
    }

    fn set_name(&self, node: NodeId) -> String {
        let key = self.layout.key(node).filter(|key| key.of != 0);
        let name = key.zip(self.namer.as_ref()).and_then(|(key, namer)| namer.0(self, node, key));
        name.unwrap_or_else(|| self.plain_set_name(node))
    }

    /// How many members a set has, those of the sets within it included.
    #[must_use]
    pub fn set_size(&self, node: NodeId) -> u32 {
        self.set_sizes
            .get(node.index().wrapping_sub(self.layout.first_dynamic()))
            .copied()
            .unwrap_or(0)
    }

    /// Of a set, what it is a set of: `pods`, `service accounts`.
    #[must_use]
    pub fn set_kind(&self, node: NodeId) -> Option<&'static SetKind> {
        self.layout.key(node).map(|key| key.kind)
    }

    /// The attacks that edges may bear, in the order of their ids.
    #[must_use]
    pub fn attacks(&self) -> &[&'static Attack] {
        &self.attacks
    }
}
