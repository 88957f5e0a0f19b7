//! Looks for network plugins.

use super::known::{
    AWS, CILIUM, DATAPLANE_V2, EKS_AUTO, FLANNEL, K3S, KINDNET, KNOWN, KUBE_OVN, KUBE_ROUTER,
    KUBENET, Known, WEAVE, known,
};
use super::{Enforces, Fact, Found};
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::image::Image;
use crate::world::pods::Container;
use crate::world::{Node, ObjectId, PodIx, World};
use std::collections::BTreeSet;

/// What runs on the hosts' network, where every plugin runs: a DaemonSet, or a pod of one that the
/// snapshot does not hold.
struct Agent<'w> {
    object: ObjectId,
    ns: Sym,
    /// The DaemonSet's; empty if it is not known.
    name: &'w str,
    containers: &'w [Container],
    /// Where the pod's specification stands.
    prefix: &'static str,
}

impl Agent<'_> {
    fn fact(&self, container: &Container, field: &str, text: &str) -> Fact {
        let field = format!("{}{}{field}", self.prefix, container.field());
        Fact { object: Some(self.object), field, text: text.to_owned() }
    }
}

/// Every plugin that the snapshot shows, and, where it shows none, what hints at one.
pub(super) fn find(world: &World) -> (Vec<Found>, Vec<Fact>) {
    let mut found: Vec<Found> = Vec::new();
    for agent in agents(world) {
        for known in KNOWN {
            if let Some(plugin) = of_agent(world, known, &agent) {
                match found.iter_mut().find(|f| f.known.id == known.id) {
                    // A second one, for other nodes: one that enforces is enough, as everywhere.
                    Some(first) if first.enforces >= plugin.enforces => {}
                    Some(first) => *first = plugin,
                    None => found.push(plugin),
                }
            }
        }
    }
    if found.iter().any(|f| f.known.id == DATAPLANE_V2) {
        // Its agent is Cilium's.
        found.retain(|f| f.known.id != CILIUM);
    }
    found.extend(eks_auto(world));
    let k3s = k3s(world);
    if found.iter().all(|f| f.known.id == FLANNEL) || k3s_enforces(k3s.as_ref()) {
        found.extend(k3s);
    }
    if found.is_empty() {
        found.extend(by_condition(world).or_else(|| by_absence(world)).or_else(|| by_own(world)));
    }
    let hints = if found.is_empty() { hint(world) } else { Vec::new() };
    (found, hints)
}

fn k3s_enforces(k3s: Option<&Found>) -> bool {
    k3s.is_some_and(|f| f.enforces != Enforces::No)
}

/// Whatever may be a plugin, DaemonSets first.
fn agents(world: &World) -> Vec<Agent<'_>> {
    let is_set = |kind: Sym| world.text(kind) == "DaemonSet";
    // Where pods of DaemonSets were collected, a DaemonSet without one runs nowhere: its nodes were
    // taken from it, as the providers do with what they replace.
    let shown: BTreeSet<Sym> =
        world.workloads.iter().filter(|w| is_set(w.kind) && w.pods > 0).map(|w| w.ns).collect();
    let mut agents = Vec::new();
    for workload in world.workloads.iter().filter(|w| is_set(w.kind)) {
        let top = &world.workloads[workload.top.index()];
        let Some(spec) = workload.spec.and_then(|s| world.specs.get(s as usize)) else { continue };
        if spec.host_network && (top.pods > 0 || !shown.contains(&workload.ns)) {
            agents.push(Agent {
                object: workload.object,
                ns: workload.ns,
                name: world.text(workload.name),
                containers: &spec.containers,
                prefix: ".spec.template",
            });
        }
    }
    let mut seen = BTreeSet::new();
    for (i, pod) in world.pods.iter().enumerate() {
        let Some(spec) = world.specs.get(pod.spec as usize) else { continue };
        let workload = pod.workload.map(|w| &world.workloads[w.index()]);
        // That of a workload which the snapshot holds has been looked at, or is no DaemonSet's.
        let known = workload.is_some_and(|w| w.spec.is_some());
        if known || pod.mirror || !spec.host_network || !world.is_running(PodIx::new(i)) {
            continue;
        }
        let name = workload.filter(|w| is_set(w.kind)).map_or("", |w| world.text(w.name));
        if seen.insert((pod.ns, name, pod.spec)) {
            agents.push(Agent {
                object: pod.object,
                ns: pod.ns,
                name,
                containers: &spec.containers,
                prefix: "",
            });
        }
    }
    agents
}

/// The plugin that an agent is, if it is this one.
fn of_agent(world: &World, known: &'static Known, agent: &Agent<'_>) -> Option<Found> {
    let mut running = agent.containers.iter().filter(|c| c.keeps_running());
    let named = agent
        .containers
        .iter()
        .find(|c| c.keeps_running() && known.containers.contains(&world.text(c.name)));
    let container = match named {
        Some(container) => container,
        // The names that say little count where OpenShift puts them.
        None if known.id == "openshift-sdn" && world.text(agent.ns) != "openshift-sdn" => {
            return None;
        }
        None if known.sets.contains(&agent.name) => running.next()?,
        None => return None,
    };
    let image = world.text(container.image);
    let mut found = Found::new(known, vec![agent.fact(container, ".image", image)]);
    if named.is_some() {
        found.version = Image::new(image).version().map(|(major, minor, _)| (major, minor));
    }
    match known.id {
        AWS => aws(world, agent, &mut found),
        CILIUM => cilium(world, agent, container, &mut found),
        KINDNET => kindnet(world, image, &mut found),
        KUBE_OVN => kube_ovn(world, &mut found),
        KUBE_ROUTER => {
            if let Some(off) = flag(world, container, "--run-firewall").filter(|v| is_off(v)) {
                found.enforces = Enforces::No;
                found.why.push(agent.fact(container, ".args", &format!("--run-firewall={off}")));
            }
        }
        WEAVE => weave(world, agent, &mut found),
        _ => {}
    }
    Some(found)
}

/// The value of a flag: the last one counts.
fn flag<'w>(world: &'w World, container: &'w Container, name: &str) -> Option<&'w str> {
    world.flags(container, name).last()
}

fn is_off(value: &str) -> bool {
    matches!(value, "false" | "False" | "FALSE" | "f" | "F" | "0")
}

fn is_on(value: &str) -> bool {
    matches!(value, "" | "true" | "True" | "TRUE" | "t" | "T" | "1")
}

/// What a plugin's ConfigMap says of policies, with its object.
fn config(
    world: &World,
    ns: &str,
    name: &str,
) -> Option<(ObjectId, crate::k8s::data::PolicySwitches)> {
    let map =
        world.config_maps.iter().find(|m| world.text(m.name) == name && world.text(m.ns) == ns)?;
    Some((map.object, map.policies))
}

fn data(object: ObjectId, key: &str, text: &str) -> Fact {
    Fact { object: Some(object), field: format!(".data[\"{key}\"]"), text: text.to_owned() }
}

fn of(object: ObjectId, field: &str, text: &str) -> Fact {
    Fact { object: Some(object), field: field.to_owned(), text: text.to_owned() }
}

const AWS_KEY: &str = "enable-network-policy-controller";

/// What the ConfigMap of the plugin for AWS says; `false` too where ConfigMaps were collected and
/// it is not among them.
fn aws_config(world: &World) -> (Option<bool>, Option<Fact>) {
    match config(world, "kube-system", "amazon-vpc-cni") {
        Some((object, switches)) => {
            let on = switches.any.unwrap_or(false);
            (Some(on), Some(data(object, AWS_KEY, if on { "true" } else { "false" })))
        }
        None if world.count(Kind::ConfigMap) > 0 => (Some(false), None),
        None => (None, None),
    }
}

/// The agent beside it enforces if its flag says so. The controller that feeds the agent is the
/// provider's, switched by a ConfigMap.
fn aws(world: &World, agent: &Agent<'_>, found: &mut Found) {
    let mut containers = agent.containers.iter();
    let node_agent = containers.find(|c| world.text(c.name) == "aws-eks-nodeagent");
    let value = node_agent.and_then(|c| flag(world, c, "--enable-network-policy"));
    if let (Some(container), Some(value)) = (node_agent, value) {
        let text = format!("--enable-network-policy={value}");
        found.why.push(agent.fact(container, ".args", &text));
    }
    let (config, fact) = aws_config(world);
    found.enforces = match (value, config) {
        // Nothing feeds the agent, unless a controller of one's own does.
        (Some(value), Some(false)) if is_on(value) && fact.is_some() => Enforces::Unknown,
        (Some(value), _) if is_on(value) => Enforces::Yes,
        // They contradict each other, or the agent's flag is set by other means.
        (_, Some(true)) => Enforces::Unknown,
        (Some(value), _) if !is_off(value) => Enforces::Unknown,
        _ => Enforces::No,
    };
    found.why.extend(fact);
}

/// Nodes of EKS Auto Mode have the plugin built in.
fn eks_auto(world: &World) -> Option<Found> {
    let node = labelled(world, "eks.amazonaws.com/compute-type", "auto")?;
    let label = ".metadata.labels[\"eks.amazonaws.com/compute-type\"]";
    let mut found = Found::new(known(EKS_AUTO)?, vec![of(node.object, label, "auto")]);
    let (config, fact) = aws_config(world);
    found.enforces = match config {
        Some(true) => Enforces::Yes,
        Some(false) => Enforces::No,
        None => Enforces::Unknown,
    };
    found.why.extend(fact);
    Some(found)
}

fn cilium(world: &World, agent: &Agent<'_>, container: &Container, found: &mut Found) {
    let mode = flag(world, container, "--enable-policy");
    if mode == Some("never") {
        found.enforces = Enforces::No;
        found.why.push(agent.fact(container, ".args", "--enable-policy=never"));
    } else if mode == Some("always") {
        found.isolates = Some(agent.object);
    }
    let blocks = flag(world, container, "--policy-cidr-match-mode");
    found.blocks_match_nodes |= blocks == Some("nodes");
    // In this mode verdicts are only logged, those of every kind of policy.
    let audit = flag(world, container, "--policy-audit-mode");
    if let Some(on) = audit.filter(|v| is_on(v)) {
        found.enforces = Enforces::No;
        let text = format!("--policy-audit-mode={}", if on.is_empty() { "true" } else { on });
        found.why.push(agent.fact(container, ".args", &text));
    }
    let Some((object, switches)) = config(world, world.text(agent.ns), "cilium-config") else {
        return;
    };
    // A flag outweighs the file.
    if switches.audit && audit.is_none() {
        found.enforces = Enforces::No;
        found.why.push(data(object, "policy-audit-mode", "true"));
    }
    if switches.any == Some(false) {
        found.enforces = Enforces::No;
        found.why.push(data(object, "enable-policy", "never"));
    }
    if switches.always {
        found.isolates = Some(object);
        found.why.push(data(object, "enable-policy", "always"));
    }
    found.blocks_match_nodes |= switches.nodes;
    if switches.plain == Some(false) {
        found.no_plain = true;
        found.why.push(data(object, "enable-k8s-networkpolicy", "false"));
    }
}

/// Enforces since kind 0.24, for which it may list policies; its images are named by their day.
fn kindnet(world: &World, image: &str, found: &mut Found) {
    let role = world.symbols.get("kindnet").and_then(|name| world.role(Sym::EMPTY, name));
    let role = role.map(|r| &world.roles[r.index()]).filter(|r| !r.missing);
    if let Some(role) = role {
        let lists = role.rules.iter().any(|rule| {
            let rule = world.rules.get(rule.rule as usize);
            rule.is_some_and(|r| r.resources.iter().any(|s| world.text(*s) == "networkpolicies"))
        });
        found.enforces = if lists { Enforces::Yes } else { Enforces::No };
        let text = if lists { "lists networkpolicies" } else { "does not list networkpolicies" };
        found.why.push(of(role.object, ".rules", text));
        return;
    }
    let tag = Image::new(image).tag.unwrap_or_default();
    let day = tag.trim_start_matches('v').split('-').next().unwrap_or_default();
    found.enforces = match day.parse::<u32>() {
        // The days of the images of kind 0.24.0 and, the last before it, of 0.23.0.
        Ok(20_240_813..30_000_000) => Enforces::Yes,
        Ok(10_000_000..=20_240_202) => Enforces::No,
        _ => Enforces::Unknown,
    };
}

/// Its controller, which no node runs, has the flag.
fn kube_ovn(world: &World, found: &mut Found) {
    for workload in &world.workloads {
        let spec = workload.spec.and_then(|s| world.specs.get(s as usize));
        for container in spec.iter().flat_map(|spec| &spec.containers) {
            if world.text(container.name) != "kube-ovn-controller" {
                continue;
            }
            if let Some(off) = flag(world, container, "--enable-np").filter(|v| is_off(v)) {
                found.enforces = Enforces::No;
                let field = format!(".spec.template{}.args", container.field());
                found.why.push(of(workload.object, &field, &format!("--enable-np={off}")));
                return;
            }
        }
    }
}

/// The controller beside it enforces, unless the router is told not to expect one.
fn weave(world: &World, agent: &Agent<'_>, found: &mut Found) {
    let named = |name: &str| agent.containers.iter().find(|c| world.text(c.name) == name);
    let Some(controller) = named("weave-npc") else {
        found.enforces = Enforces::No;
        let text = "no container weave-npc";
        found.why.push(of(agent.object, &format!("{}.spec.containers", agent.prefix), text));
        return;
    };
    found.why.push(agent.fact(controller, ".name", "weave-npc"));
    let switched = |c: &&Container| c.command.iter().any(|word| world.text(*word) == "EXPECT_NPC");
    if let Some(container) = agent.containers.iter().find(switched) {
        found.enforces = Enforces::Unknown;
        found.why.push(agent.fact(container, ".env", "sets EXPECT_NPC, whose value is not kept"));
    }
}

/// k3s enforces by itself, in a process that is no pod.
fn k3s(world: &World) -> Option<Found> {
    let is_k3s = |node: &&Node| world.text(node.kubelet).contains("+k3s");
    let first = world.nodes.iter().find(is_k3s)?;
    let kubelet = world.text(first.kubelet);
    let fact = of(first.object, ".status.nodeInfo.kubeletVersion", kubelet);
    let mut found = Found::new(known(K3S)?, vec![fact]);
    found.version = Image { repository: "", tag: Some(kubelet) }.version().map(|v| (v.0, v.1));
    let field = ".metadata.annotations[\"k3s.io/node-args\"]";
    let servers: Vec<(&Node, bool)> =
        world.nodes.iter().filter_map(|n| Some((n, n.k3s_policies?))).collect();
    let said = |wanted: bool| servers.iter().find(|(_, enforces)| *enforces == wanted);
    found.enforces = match (said(true), said(false)) {
        (Some((node, _)), None) => {
            let text = "a server without --disable-network-policy";
            found.why.push(of(node.object, field, text));
            Enforces::Yes
        }
        (None, Some((node, _))) => {
            found.why.push(of(node.object, field, "--disable-network-policy"));
            // Then something else may, which would be a pod.
            let system = world.symbols.get("kube-system").map_or(0..0, |ns| world.pods_of(ns));
            let is_set = |kind: Sym| world.text(kind) == "DaemonSet";
            let shown = !system.is_empty() || world.workloads.iter().any(|w| is_set(w.kind));
            if shown { Enforces::No } else { Enforces::Unknown }
        }
        (Some(_), Some((node, _))) => {
            found.why.push(of(node.object, field, "--disable-network-policy, not on all servers"));
            Enforces::Unknown
        }
        (None, None) => Enforces::Unknown,
    };
    Some(found)
}

/// A node with a label of a value; any value if none is given.
fn labelled<'w>(world: &'w World, key: &str, value: &str) -> Option<&'w Node> {
    let key = world.symbols.get(key)?;
    world.nodes.iter().find(|node| {
        let labels = world.labels_of(node.object);
        labels.iter().any(|(k, v)| *k == key && (value.is_empty() || world.text(*v) == value))
    })
}

/// Why a node says that its network is there, as the plugin writes it.
fn by_condition(world: &World) -> Option<Found> {
    world.nodes.iter().find_map(|node| {
        let reason = world.text(node.network);
        let known = KNOWN.iter().find(|k| !reason.is_empty() && k.reason == reason)?;
        let mut found = Found::new(known, vec![of(node.object, REASON, reason)]);
        // What runs beside it is not shown.
        let beside = known.id == FLANNEL && !sets_are_shown(world);
        if beside || known.id == WEAVE {
            found.enforces = Enforces::Unknown;
        }
        Some(found)
    })
}

const REASON: &str = ".status.conditions[type=NetworkUnavailable].reason";

/// Whether DaemonSets of `kube-system`, or pods of some, were collected. There is one in nearly
/// every cluster, be it `kube-proxy`.
fn sets_are_shown(world: &World) -> bool {
    let system = world.symbols.get("kube-system").map_or(0..0, |ns| world.workloads_of(ns));
    world.workloads[system].iter().any(|w| world.text(w.kind) == "DaemonSet")
}

/// What runs where no plugin does, by what makes the cluster. Others may bring a plugin that is
/// not known.
fn by_absence(world: &World) -> Option<Found> {
    if !sets_are_shown(world) {
        return None;
    }
    let label = |key: &str, id: &str| {
        let node = labelled(world, key, "")?;
        let value = world.label(node.object, key).map_or("", |v| world.text(v));
        let field = format!(".metadata.labels[\"{key}\"]");
        Some(Found::new(known(id)?, vec![of(node.object, &field, value)]))
    };
    label("cloud.google.com/gke-nodepool", "gke")
        .or_else(|| label("kubernetes.azure.com/cluster", "azure-cni"))
        .or_else(|| label("minikube.k8s.io/name", KUBENET))
        .or_else(|| {
            let node = world.nodes.iter().find(|n| {
                world.text(n.name) == "docker-desktop" || world.text(n.network) == "RouteCreated"
            })?;
            let fact = match world.text(node.network) {
                "" => of(node.object, ".metadata.name", world.text(node.name)),
                reason => of(node.object, REASON, reason),
            };
            Some(Found::new(known(KUBENET)?, vec![fact]))
        })
}

/// Objects that a plugin writes as long as it runs, where no DaemonSet was collected: in others
/// they may be left from one that is gone.
fn by_own(world: &World) -> Option<Found> {
    if world.workloads.iter().any(|w| world.text(w.kind) == "DaemonSet") {
        return None;
    }
    KNOWN.iter().filter(|k| !k.own.1.is_empty()).find_map(|known| {
        let (group, kinds) = known.own;
        let seen = |kind: &&&str| world.seen.contains_key(&(group.to_owned(), (**kind).to_owned()));
        let kind = kinds.iter().find(seen)?;
        let text = format!("{kind}.{group} was collected");
        let fact = Fact { object: None, field: String::new(), text };
        Some(Found::new(known, vec![fact]))
    })
}

/// What is known where no plugin is: a distribution that offers several, and why a node says that
/// its network is there.
fn hint(world: &World) -> Vec<Fact> {
    let rke2 = world.nodes.iter().find_map(|node| {
        let kubelet = world.text(node.kubelet);
        let field = ".status.nodeInfo.kubeletVersion";
        kubelet.contains("+rke2").then(|| of(node.object, field, kubelet))
    });
    let reason = world.nodes.iter().find_map(|node| {
        let reason = world.text(node.network);
        (!reason.is_empty()).then(|| of(node.object, REASON, reason))
    });
    rke2.into_iter().chain(reason).collect()
}
