//! What is worth asking about a node: the questions that are offered, by its kind.

use super::question::Question;
use crate::graph::{Graph, NodeId, NodeKind, Thing};
use crate::k8s::Kind;
use crate::world::{Principal, World};

/// A question with what it means.
pub(super) type Offer = (String, Question);

/// The principal that a node is, if it is one.
pub(super) fn principal(graph: &Graph, node: NodeId) -> Option<Principal> {
    let world = graph.world();
    let name = graph.object_name(node);
    let found = match graph.kind(node) {
        NodeKind::ServiceAccount => {
            let ns = world.symbols.get(graph.namespace(node)?)?;
            Principal::Account(world.account(ns, world.symbols.get(name)?)?)
        }
        NodeKind::User => Principal::User(world.user(name)?),
        NodeKind::Group => Principal::Group(world.group(name)?),
        NodeKind::NodeIdentity => Principal::Node(world.node(world.symbols.get(name)?)?),
        _ => return None,
    };
    // A kubelet's node bears its machine's name; make sure that it is the same one.
    (graph.node(&found.into()) == Some(node)).then_some(found)
}

/// Whoever acts for a node, so that what they may do matters: the account of a pod, the anonymous
/// caller for the internet, the kubelet of a machine.
pub(super) fn actors(graph: &Graph, node: NodeId) -> Vec<NodeId> {
    let world = graph.world();
    let account = match graph.kind(node) {
        NodeKind::Internet => {
            let user = world.user("system:anonymous").map(Principal::User);
            let group = world.group("system:unauthenticated").map(Principal::Group);
            let both = user.into_iter().chain(group);
            return both.filter_map(|p| graph.node(&p.into())).collect();
        }
        NodeKind::Node => {
            let name = world.symbols.get(graph.object_name(node));
            let identity = name.and_then(|n| world.node(n)).map(Thing::NodeIdentity);
            return identity.and_then(|thing| graph.node(&thing)).into_iter().collect();
        }
        NodeKind::Pod | NodeKind::Container | NodeKind::Workload => account(graph, world, node),
        _ => None,
    };
    let thing = account.map(Thing::Account);
    thing.and_then(|thing| graph.node(&thing)).into_iter().collect()
}

fn account(graph: &Graph, world: &World, node: NodeId) -> Option<crate::world::AccountIx> {
    let symbol = |text: &str| world.symbols.get(text);
    let (ns, name) = (symbol(graph.namespace(node)?)?, symbol(graph.object_name(node))?);
    if graph.kind(node) != NodeKind::Workload
        && let Some(pod) = world.pod(ns, name)
    {
        return world.pods[pod.index()].account;
    }
    let kind = symbol(graph.part(graph.fold(node)))?;
    let name = symbol(graph.object_name(graph.fold(node)))?;
    let of = world.workloads_of(ns).filter_map(|at| world.workloads.get(at));
    of.filter(|w| (w.kind, w.name) == (kind, name)).find_map(|w| w.account)
}

/// The questions that are worth asking about a node, or about the cluster.
pub(super) fn offers(graph: &Graph, node: Option<NodeId>) -> Vec<Offer> {
    use NodeKind as K;
    let Some(node) = node else { return general() };
    let ns = graph.namespace(node);
    let name = graph.object_name(node);
    let it = |about: &str, verb: &str, resource: &str| {
        (about.to_owned(), Question::who(verb, resource, Some(name), ns))
    };
    let beside = |about: &str, verb: &str, resource: &str| {
        (about.to_owned(), Question::who(verb, resource, None, ns))
    };
    match graph.kind(node) {
        K::Secret => vec![
            it("read it", "get", "secrets"),
            beside("list its namespace's Secrets", "list", "secrets"),
            it("change it", "patch", "secrets"),
            beside("create a pod that mounts it", "create", "pods"),
            beside("enter pods that hold it", "create", "pods/exec"),
        ],
        K::ConfigMap => vec![
            it("read it", "get", "configmaps"),
            it("change it", "patch", "configmaps"),
            beside("create a pod that mounts it", "create", "pods"),
        ],
        K::Container if graph.kind(graph.fold(node)) == K::Workload && !is_pod(graph, node) => {
            workload(graph, graph.fold(node))
        }
        K::Pod | K::Container => vec![
            it("run commands in it", "create", "pods/exec"),
            it("attach to it", "create", "pods/attach"),
            it("put a container into it", "patch", "pods/ephemeralcontainers"),
            it("change its image", "patch", "pods"),
            it("reach its ports", "create", "pods/portforward"),
            it("read its logs", "get", "pods/log"),
            it("delete it", "delete", "pods"),
        ],
        K::Workload => workload(graph, node),
        K::Node => vec![
            it("run commands in its pods", "get", "nodes/proxy"),
            it("change its labels and taints", "patch", "nodes"),
            it("read its logs", "get", "nodes/log"),
            it("remove it", "delete", "nodes"),
        ],
        K::ServiceAccount => vec![
            it("ask for its token", "create", "serviceaccounts/token"),
            it("impersonate it", "impersonate", "serviceaccounts"),
            beside("create a pod that runs as it", "create", "pods"),
            beside("read its namespace's Secrets", "get", "secrets"),
        ],
        K::User => vec![it("impersonate it", "impersonate", "users")],
        K::Group => vec![it("impersonate its members", "impersonate", "groups")],
        K::NodeIdentity => vec![
            it("run commands in its pods", "get", "nodes/proxy"),
            beside("approve a kubelet's certificate", "update", "csr/approval"),
        ],
        K::Role | K::ClusterRole => {
            let plural = if graph.kind(node) == K::Role { "roles" } else { "clusterroles" };
            vec![
                it("change its rules", "patch", plural),
                it("put more into it than they have", "escalate", plural),
                it("bind it without having it", "bind", plural),
            ]
        }
        K::RoleBinding | K::ClusterRoleBinding => {
            let cluster = graph.kind(node) == K::ClusterRoleBinding;
            let plural = if cluster { "clusterrolebindings" } else { "rolebindings" };
            vec![
                it("change its subjects", "patch", plural),
                it("delete it", "delete", plural),
                beside("make another", "create", plural),
            ]
        }
        K::Namespace | K::NamespaceAdmin => namespace(&graph.name(node)),
        K::PersistentVolume => vec![
            it("change it", "patch", "persistentvolumes"),
            beside("make one with any host path", "create", "persistentvolumes"),
        ],
        K::PersistentVolumeClaim => vec![
            beside("create a pod that mounts it", "create", "pods"),
            it("change it", "patch", "persistentvolumeclaims"),
        ],
        K::Internet | K::ClusterAdmin | K::Entry | K::Set | K::Gate | K::CloudIdentity => general(),
    }
}

fn is_pod(graph: &Graph, node: NodeId) -> bool {
    let world = graph.world();
    let symbol = |text: &str| world.symbols.get(text);
    let ns = graph.namespace(node).and_then(symbol);
    let place = ns.zip(symbol(graph.object_name(node)));
    place.is_some_and(|(ns, name)| world.pod(ns, name).is_some())
}

fn workload(graph: &Graph, node: NodeId) -> Vec<Offer> {
    let (ns, name) = (graph.namespace(node), graph.object_name(node));
    let plural = Kind::typed(graph.part(node)).map_or("deployments", Kind::plural);
    let ask = |about: &str, verb: &str, resource: &str, name: Option<&str>| {
        (about.to_owned(), Question::who(verb, resource, name, ns))
    };
    vec![
        ask("change what its pods run", "patch", plural, Some(name)),
        ask("run commands in its pods", "create", "pods/exec", None),
        ask("put a container into its pods", "patch", "pods/ephemeralcontainers", None),
        ask("read its pods' logs", "get", "pods/log", None),
        ask("delete it", "delete", plural, Some(name)),
    ]
}

fn namespace(name: &str) -> Vec<Offer> {
    let ask = |about: &str, verb: &str, resource: &str| {
        (about.to_owned(), Question::who(verb, resource, None, Some(name)))
    };
    vec![
        ask("do everything in it", "*", "*"),
        ask("read its Secrets", "get", "secrets"),
        ask("create pods in it", "create", "pods"),
        ask("run commands in its pods", "create", "pods/exec"),
        ask("ask for its accounts' tokens", "create", "serviceaccounts/token"),
        ask("give rights in it", "create", "rolebindings"),
        ("change its labels".to_owned(), Question::who("patch", "namespaces", Some(name), None)),
    ]
}

fn general() -> Vec<Offer> {
    let ask = |about: &str, verb: &str, resource: &str| {
        (about.to_owned(), Question::who(verb, resource, None, None))
    };
    vec![
        ask("do everything", "*", "*"),
        ask("read Secrets", "get", "secrets"),
        ask("create pods", "create", "pods"),
        ask("run commands in pods", "create", "pods/exec"),
        ask("ask for accounts' tokens", "create", "serviceaccounts/token"),
        ask("impersonate users", "impersonate", "users"),
        ask("bind any ClusterRole", "bind", "clusterroles"),
        ask("put anything into ClusterRoles", "escalate", "clusterroles"),
        ask("reach kubelets", "get", "nodes/proxy"),
        ask("approve certificates", "update", "csr/approval"),
        ask("change what admission does", "patch", "mutatingwebhookconfigurations"),
        ask("make volumes of any host path", "create", "persistentvolumes"),
    ]
}
