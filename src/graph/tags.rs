//! What a look at the world says of its things, whatever leads to them.

use super::layout::Layout;
use super::{Node, NodeId, NodeKind, Tag, Thing, own};
use crate::world::hosts::Host;
use crate::world::nodes::ControlPlane;
use crate::world::rows::Phase;
use crate::world::{
    AccountIx, GroupIx, MapIx, NodeIx, PodIx, Principal, SecretIx, UserIx, WorkloadIx, World,
};

/// Sets the tags that follow from the world alone. O(nodes of the graph).
pub(super) fn of_world(world: &World, layout: &Layout, kinds: &[NodeKind], nodes: &mut [Node]) {
    for (i, (node, kind)) in nodes.iter_mut().zip(kinds).enumerate() {
        let object = world.objects.get(node.object.index());
        let absent = object.is_some_and(|o| !o.is_present())
            && !matches!(kind, NodeKind::User | NodeKind::Group);
        let ns = world.text(layout.namespace(world, NodeId::new(i), *kind, node));
        node.tags |= if absent { Tag::Absent as u32 } else { 0 };
        node.tags |= if is_system(world, *kind, ns, node) { Tag::System as u32 } else { 0 };
    }
    let mut set = |thing: Thing<'_>, tag: Tag| {
        if let Some(node) = layout.fixed(&thing) {
            nodes[node.index()].tags |= tag as u32;
        }
    };
    for (i, node) in world.nodes.iter().enumerate() {
        if node.control_plane != ControlPlane::No {
            set(Thing::Node(NodeIx::new(i)), Tag::ControlPlane);
            set(Thing::NodeIdentity(NodeIx::new(i)), Tag::ControlPlane);
        }
    }
    let secrets = world.secrets.iter().enumerate();
    let secrets = secrets.map(|(i, secret)| (Thing::Secret(SecretIx::new(i)), secret));
    let maps = world.credential_maps.iter().enumerate();
    let maps = maps.map(|(i, map)| (Thing::ConfigMap(MapIx::new(i)), map));
    for (thing, secret) in secrets.chain(maps) {
        for tag in secret.holds.iter().filter_map(|finding| Tag::of(finding.content)) {
            set(thing, tag);
        }
        if secret.logins.iter().any(|login| !login.user.is_empty()) {
            set(thing, Tag::HoldsClusterLogin);
        }
    }
    for (i, pod) in world.pods.iter().enumerate() {
        if pod.phase == Phase::Finished {
            set(Thing::Pod(PodIx::new(i)), Tag::Finished);
        }
    }
    for host in world.hosts() {
        for (i, container) in world.host_spec(host).containers.iter().enumerate() {
            if container.privileged {
                set(Thing::Container(host, i), Tag::Privileged);
                set(host.into(), Tag::Privileged);
                if let Host::Pod(pod) = host
                    && let Some(workload) = world.pods[pod.index()].workload
                {
                    set(Thing::Workload(workload), Tag::Privileged);
                }
            }
        }
    }
    let principals = (0..world.accounts.len())
        .map(|i| Principal::Account(AccountIx::new(i)))
        .chain((0..world.users.len()).map(|i| Principal::User(UserIx::new(i))))
        .chain((0..world.groups.len()).map(|i| Principal::Group(GroupIx::new(i))));
    for principal in principals.filter(|p| own::is_principal(world, *p)) {
        set(principal.into(), Tag::System);
    }
    for namespace in world.namespaces.iter().filter(|n| own::is_namespace(world.text(n.name))) {
        let pods = world.pods_of(namespace.name).map(PodIx::new).map(Host::Pod);
        let tops = world.workloads_of(namespace.name).map(WorkloadIx::new);
        let tops = tops.filter(|w| world.workloads[w.index()].spec.is_some()).map(Host::Template);
        for host in pods.chain(tops) {
            let mut all = true;
            for (i, container) in world.host_spec(host).containers.iter().enumerate() {
                let own = own::is_image(world.text(container.image));
                all &= own;
                let counted = match host {
                    Host::Pod(_) => true,
                    Host::Template(workload) => world.is_template(workload),
                };
                if own && counted {
                    set(Thing::Container(host, i), Tag::System);
                }
            }
            if all {
                set(host.into(), Tag::System);
            }
        }
    }
}

/// Whether a thing belongs to Kubernetes by its name or place. Of what acts, other things decide.
fn is_system(world: &World, kind: NodeKind, ns: &str, node: &Node) -> bool {
    let name = || world.objects.get(node.object.index()).map_or("", |o| world.text(o.name));
    let bootstrapping = || world.label(node.object, "kubernetes.io/bootstrapping").is_some();
    match kind {
        NodeKind::ServiceAccount
        | NodeKind::User
        | NodeKind::Group
        | NodeKind::NodeIdentity
        | NodeKind::Pod
        | NodeKind::Container
        | NodeKind::Workload => false,
        NodeKind::Role
        | NodeKind::ClusterRole
        | NodeKind::RoleBinding
        | NodeKind::ClusterRoleBinding => {
            name().starts_with("system:") || bootstrapping() || own::is_namespace(ns)
        }
        NodeKind::Namespace => own::is_namespace(name()),
        _ => own::is_namespace(ns),
    }
}
