//! Which number each thing has as a node.
//!
//! Whatever stands in one of the world's tables gets its number from its place there, without a
//! lookup; only sets, gates and cloud identities are numbered when attacks name them.

use super::node::{NodeKind, SetKey, Thing};
use super::{NO_OBJECT, Node, NodeId};
use crate::sym::{Sym, Symbols};
use crate::world::exposure::Door;
use crate::world::hosts::Host;
use crate::world::{ObjectId, WorkloadIx, World};

/// A node that attacks named rather than the world's tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Dynamic {
    Set(SetKey),
    Gate(SetKey),
    Cloud(String),
    /// A node once more, for whoever acts as it without holding a credential of it.
    Acting(NodeId),
}

/// The node of full power over the cluster.
pub(super) const CLUSTER_ADMIN: NodeId = NodeId(1);

/// Where each table's nodes begin.
#[derive(Debug, Default)]
pub(super) struct Layout {
    namespaces: usize,
    admins: usize,
    nodes: usize,
    identities: usize,
    accounts: usize,
    users: usize,
    groups: usize,
    secrets: usize,
    pods: usize,
    /// First container of each pod, and of what follows the last.
    containers: Vec<u32>,
    workloads: usize,
    /// The node of each workload that is a top owner.
    workload_nodes: Vec<Option<NodeId>>,
    /// The top owners, in the order of their nodes.
    tops: Vec<WorkloadIx>,
    /// First container of each workload's template.
    templates: Vec<u32>,
    roles: usize,
    bindings: usize,
    volumes: usize,
    claims: usize,
    maps: usize,
    entries: usize,
    dynamic: usize,
    pub(super) named: Vec<Dynamic>,
}

impl Layout {
    pub(super) fn new(world: &World) -> Self {
        let mut at = 2;
        let mut take = |count: usize| {
            let start = at;
            at += count;
            start
        };
        let mut layout = Self {
            namespaces: take(world.namespaces.len()),
            admins: take(world.namespaces.len()),
            nodes: take(world.nodes.len()),
            identities: take(world.nodes.len()),
            accounts: take(world.accounts.len()),
            users: take(world.users.len()),
            groups: take(world.groups.len()),
            secrets: take(world.secrets.len()),
            pods: take(world.pods.len()),
            ..Self::default()
        };
        for pod in &world.pods {
            let count = world.specs.get(pod.spec as usize).map_or(0, |s| s.containers.len());
            layout.containers.push(number(take(count)));
        }
        layout.containers.push(number(take(0)));
        layout.workloads = take(0);
        for (i, workload) in world.workloads.iter().enumerate() {
            let top = workload.top == WorkloadIx::new(i);
            layout.workload_nodes.push(top.then(|| NodeId::new(take(1))));
            if top {
                layout.tops.push(WorkloadIx::new(i));
            }
        }
        for i in 0..world.workloads.len() {
            let ix = WorkloadIx::new(i);
            let count = if world.is_template(ix) {
                world.host_spec(Host::Template(ix)).containers.len()
            } else {
                0
            };
            layout.templates.push(number(take(count)));
        }
        layout.templates.push(number(take(0)));
        layout.roles = take(world.roles.len());
        layout.bindings = take(world.bindings.len());
        layout.volumes = take(world.volumes.len());
        layout.claims = take(world.claims.len());
        layout.maps = take(world.credential_maps.len());
        layout.entries = take(world.entries().len());
        layout.dynamic = take(0);
        layout
    }

    /// The number of the first node that attacks named.
    pub(super) fn first_dynamic(&self) -> usize {
        self.dynamic
    }

    /// The node of a thing; of a set, gate or cloud identity only once the graph is frozen.
    pub(super) fn fixed(&self, thing: &Thing<'_>) -> Option<NodeId> {
        Some(NodeId::new(match *thing {
            Thing::Internet => 0,
            Thing::ClusterAdmin => CLUSTER_ADMIN.index(),
            Thing::Namespace(ix) => self.namespaces + ix.index(),
            Thing::NamespaceAdmin(ix) => self.admins + ix.index(),
            Thing::Node(ix) => self.nodes + ix.index(),
            Thing::NodeIdentity(ix) => self.identities + ix.index(),
            Thing::Account(ix) => self.accounts + ix.index(),
            Thing::User(ix) => self.users + ix.index(),
            Thing::Group(ix) => self.groups + ix.index(),
            Thing::Secret(ix) => self.secrets + ix.index(),
            Thing::Pod(ix) => self.pods + ix.index(),
            Thing::Container(Host::Pod(ix), i) => self.containers[ix.index()] as usize + i,
            Thing::Container(Host::Template(ix), i) => self.templates[ix.index()] as usize + i,
            Thing::Workload(ix) => return self.workload_nodes.get(ix.index()).copied().flatten(),
            Thing::Role(ix) => self.roles + ix.index(),
            Thing::Binding(ix) => self.bindings + ix.index(),
            Thing::Volume(ix) => self.volumes + ix.index(),
            Thing::Claim(ix) => self.claims + ix.index(),
            Thing::ConfigMap(ix) => self.maps + ix.index(),
            Thing::Entry(ix) => self.entries + ix as usize,
            Thing::Set(key) => return self.find(&Dynamic::Set(key)),
            Thing::Gate(key) => return self.find(&Dynamic::Gate(key)),
            Thing::Cloud(name) => return self.find(&Dynamic::Cloud(name.to_owned())),
        }))
    }

    fn find(&self, dynamic: &Dynamic) -> Option<NodeId> {
        self.named.binary_search(dynamic).ok().map(|i| NodeId::new(self.dynamic + i))
    }

    /// The key of a set or gate.
    pub(super) fn key(&self, node: NodeId) -> Option<&SetKey> {
        match self.named.get(node.index().checked_sub(self.dynamic)?)? {
            Dynamic::Set(key) | Dynamic::Gate(key) => Some(key),
            Dynamic::Acting(of) => self.key(*of),
            Dynamic::Cloud(_) => None,
        }
    }

    /// The node that a node is the second one of.
    pub(super) fn acted_as(&self, node: NodeId) -> Option<NodeId> {
        match self.named.get(node.index().checked_sub(self.dynamic)?)? {
            Dynamic::Acting(of) => Some(*of),
            Dynamic::Set(_) | Dynamic::Gate(_) | Dynamic::Cloud(_) => None,
        }
    }

    /// The namespace that a node lies in or has power over; empty for cluster-wide ones.
    pub(super) fn namespace(&self, world: &World, node: NodeId, kind: NodeKind, of: &Node) -> Sym {
        let object = world.objects.get(of.object.index());
        match kind {
            NodeKind::NamespaceAdmin => object.map_or(Sym::EMPTY, |o| o.name),
            _ => match object {
                Some(object) => object.ns,
                None => self.key(node).map_or(Sym::EMPTY, |key| key.ns),
            },
        }
    }

    /// The workload of a pod or container, else its pod, else the node itself.
    pub(super) fn fold(&self, world: &World, node: NodeId) -> NodeId {
        let i = node.index();
        let pod = if (self.pods..self.pods + world.pods.len()).contains(&i) {
            i - self.pods
        } else if (self.containers[0] as usize..self.workloads).contains(&i) {
            self.containers.partition_point(|start| *start as usize <= i) - 1
        } else if self.templates[0] as usize <= i && i < self.roles {
            let workload = self.templates.partition_point(|start| *start as usize <= i) - 1;
            return self.workload_nodes[workload].unwrap_or(node);
        } else {
            return self.acted_as(node).unwrap_or(node);
        };
        let workload = world.pods[pod].workload;
        let folded = workload.and_then(|w| self.workload_nodes[w.index()]);
        folded.unwrap_or_else(|| NodeId::new(self.pods + pod))
    }

    /// Every node: its kind, and the rest. `texts` takes the names that are no object's, but for
    /// those of sets and gates, which are made when they are asked for.
    pub(super) fn nodes(&self, world: &World, texts: &mut Symbols) -> (Vec<NodeKind>, Vec<Node>) {
        let count = self.dynamic + self.named.len();
        let (mut kinds, mut nodes) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut put = |kind: NodeKind, sub: Sym, object: ObjectId| {
            kinds.push(kind);
            nodes.push(Node { tags: 0, sub, object });
        };
        let none = Sym::EMPTY;
        put(NodeKind::Internet, texts.intern("internet"), NO_OBJECT);
        put(NodeKind::ClusterAdmin, texts.intern("cluster-admin"), NO_OBJECT);
        macro_rules! table {
            ($table:ident, $kind:ident) => {
                world.$table.iter().for_each(|t| put(NodeKind::$kind, none, t.object));
            };
        }
        table!(namespaces, Namespace);
        table!(namespaces, NamespaceAdmin);
        table!(nodes, Node);
        table!(nodes, NodeIdentity);
        table!(accounts, ServiceAccount);
        world.users.iter().for_each(|(object, _)| put(NodeKind::User, none, *object));
        world.groups.iter().for_each(|(object, _)| put(NodeKind::Group, none, *object));
        table!(secrets, Secret);
        table!(pods, Pod);
        for pod in &world.pods {
            let spec = world.specs.get(pod.spec as usize);
            for container in spec.into_iter().flat_map(|s| &s.containers) {
                put(NodeKind::Container, container.name, pod.object);
            }
        }
        for ix in &self.tops {
            let workload = &world.workloads[ix.index()];
            put(NodeKind::Workload, workload.kind, workload.object);
        }
        for (i, workload) in world.workloads.iter().enumerate() {
            if world.is_template(WorkloadIx::new(i)) {
                let spec = world.host_spec(Host::Template(WorkloadIx::new(i)));
                for container in &spec.containers {
                    put(NodeKind::Container, container.name, workload.object);
                }
            }
        }
        for role in &world.roles {
            let kind = if role.ns.is_empty() { NodeKind::ClusterRole } else { NodeKind::Role };
            put(kind, none, role.object);
        }
        for binding in &world.bindings {
            let cluster = binding.ns.is_empty();
            let kind = if cluster { NodeKind::ClusterRoleBinding } else { NodeKind::RoleBinding };
            put(kind, none, binding.object);
        }
        table!(volumes, PersistentVolume);
        table!(claims, PersistentVolumeClaim);
        table!(credential_maps, ConfigMap);
        for entry in world.entries() {
            let (name, object) = match entry.door {
                Door::Service(ix) => {
                    let s = &world.services[ix.index()];
                    (format!("service/{}", world.text(s.name)), s.object)
                }
                Door::Ingress(ix) => {
                    let i = &world.ingresses[ix.index()];
                    (format!("ingress/{}", world.text(i.name)), i.object)
                }
                Door::Route(ix) => {
                    let r = &world.gateway.routes[ix.index()];
                    let kind = world.text(r.says.kind).to_lowercase();
                    (format!("{kind}/{}", world.text(r.name)), r.object)
                }
                Door::Router(ix) => {
                    let r = &world.router_routes[ix.index()];
                    (format!("route/{}", world.text(r.name)), r.object)
                }
                Door::Mesh(ix) => {
                    let v = &world.istio.services[ix.index()];
                    (format!("virtualservice/{}", world.text(v.name)), v.object)
                }
                Door::HostPort(ix, port) => {
                    let p = &world.pods[ix.index()];
                    (format!("hostport/{}/{port}", world.text(p.name)), p.object)
                }
            };
            put(NodeKind::Entry, texts.intern(&name), object);
        }
        let seconds = self.named.iter().filter_map(|dynamic| match dynamic {
            Dynamic::Acting(of) => Some(of.index()),
            _ => None,
        });
        for dynamic in &self.named {
            match dynamic {
                Dynamic::Acting(_) => {}
                Dynamic::Set(_) => put(NodeKind::Set, none, NO_OBJECT),
                Dynamic::Gate(_) => put(NodeKind::Gate, none, NO_OBJECT),
                Dynamic::Cloud(name) => {
                    put(NodeKind::CloudIdentity, texts.intern(name), NO_OBJECT);
                }
            }
        }
        for of in seconds {
            kinds.push(kinds[of]);
            nodes.push(nodes[of]);
        }
        (kinds, nodes)
    }
}

/// A readable name of a set or gate by its kind and namespace.
pub(super) fn set_name(world: &World, key: &SetKey) -> String {
    match world.text(key.ns) {
        "" => format!("{} in the cluster", key.kind.noun),
        ns => format!("{} in namespace {ns}", key.kind.noun),
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
