//! The ends of a connection as they are typed: selectors, `internet`, addresses.

use super::Failure;
use super::open::Opened;
use super::query::selector_failure;
use crate::graph::{Graph, NodeId, NodeKind, Thing};
use crate::query::reach::around::enforcement;
use crate::query::reach::{Ground, Wanted};
use crate::query::selector::Selector;
use crate::world::coverage::{State, Topic, counted};
use crate::world::network::Holder;
use crate::world::network::plugin::Enforces;
use crate::world::{ObjectId, World};
use ipnet::IpNet;
use std::net::IpAddr;

/// One end as it was typed.
#[derive(Default)]
pub(crate) struct Typed {
    nets: Vec<IpNet>,
    internet: bool,
    selector: Option<Selector>,
}

impl Typed {
    pub(crate) fn new(text: &str) -> Result<Self, Failure> {
        let mut typed = Self::default();
        let mut rest = Vec::new();
        for part in text.split(',') {
            let word = part.trim();
            match (word.parse::<IpNet>(), word.parse::<IpAddr>()) {
                (Ok(net), _) => typed.nets.push(net.trunc()),
                (_, Ok(address)) => typed.nets.push(IpNet::from(address)),
                _ if word.eq_ignore_ascii_case("internet") => typed.internet = true,
                _ if word.contains('/') && word.starts_with(|c: char| c.is_ascii_digit()) => {
                    let help = "write it as 10.0.0.0/8 or 2001:db8::/32".to_owned();
                    let error = anyhow::anyhow!("`{word}` is no block of addresses");
                    return Err(Failure::usage(error, help));
                }
                _ => rest.push(part),
            }
        }
        if !rest.is_empty() {
            let parsed = Selector::parse(&rest.join(",")).map_err(|e| selector_failure(&e))?;
            typed.selector = Some(parsed);
        }
        Ok(typed)
    }

    /// Whether every node selected is a pod or in one.
    pub(crate) fn is_pods(&self, graph: &Graph) -> bool {
        let Some(selector) = &self.selector else { return false };
        let nodes = selector.matches(graph);
        let pod = |n| matches!(graph.kind(n), NodeKind::Pod | NodeKind::Container);
        !nodes.is_empty() && nodes.into_iter().all(pod)
    }

    /// Whether it takes the graph to tell what is meant.
    pub(crate) fn selects(&self) -> bool {
        self.selector.is_some()
    }

    /// The graph's nodes that are meant; addresses are none.
    pub(crate) fn nodes(&self, graph: &Graph) -> Result<Vec<NodeId>, Failure> {
        let mut nodes = match &self.selector {
            Some(selector) => selector.select(graph).map_err(|e| selector_failure(&e))?,
            None => Vec::new(),
        };
        if self.internet {
            nodes.extend(graph.node(&Thing::Internet));
            nodes.sort_unstable();
            nodes.dedup();
        }
        Ok(nodes)
    }

    /// What is meant of the network; a selection of nothing that runs is a mistake.
    pub(crate) fn running(
        &self,
        ground: &Ground<'_>,
        graph: Option<&Graph>,
    ) -> Result<Wanted, Failure> {
        let nodes = graph.map(|graph| self.nodes(graph)).transpose()?.unwrap_or_default();
        let wanted = self.wanted(ground, graph.map(|graph| (graph, nodes.as_slice())));
        if let Some(selector) = &self.selector
            && wanted.groups.is_empty()
            && wanted.nodes.is_empty()
        {
            let text = selector.text();
            let error = anyhow::anyhow!("`{text}` selects nothing that runs");
            let help = "an end is a pod, a workload, a namespace or a node, `internet`, or a \
                        block such as 10.0.0.0/8";
            return Err(Failure::usage(error, help.to_owned()));
        }
        Ok(wanted)
    }

    /// What is meant of the network: what runs among the graph's nodes, and addresses.
    pub(crate) fn wanted(
        &self,
        ground: &Ground<'_>,
        selected: Option<(&Graph, &[NodeId])>,
    ) -> Wanted {
        let mut wanted =
            selected.map(|(graph, nodes)| ground.wanted(graph, nodes)).unwrap_or_default();
        if self.internet {
            wanted.ranges = ground.internet();
        }
        self.nets.iter().for_each(|net| ground.add(&mut wanted, net));
        wanted
    }

    /// Whether it is the address of a pod, or several.
    pub(crate) fn is_pod_address(&self, world: &World) -> bool {
        let pod = |net: &IpNet| matches!(held(world, net), Some(Holder::Pod(_)));
        self.selector.is_none() && !self.internet && self.nets.iter().any(pod)
    }

    /// What to know of the addresses that were typed: whose they are, or whose they hold.
    pub(crate) fn notes(&self, world: &World) -> Vec<String> {
        let name = |object: ObjectId| {
            let object = &world.objects[object.index()];
            match (world.text(object.ns), world.text(object.name)) {
                ("", name) => name.to_owned(),
                (ns, name) => format!("{ns}/{name}"),
            }
        };
        let note = |net: &IpNet| {
            let address = net.addr();
            Some(match held(world, net) {
                Some(Holder::Pod(pod)) => {
                    let name = name(world.pods[pod.index()].object);
                    format!("`{address}` is the address of pod {name}, which is meant")
                }
                Some(Holder::Node(node)) => {
                    let name = name(world.nodes[node.index()].object);
                    format!("`{address}` is an address of node {name}, which is meant")
                }
                Some(Holder::Service(service)) => {
                    let meant = match world.behind(service).is_empty() {
                        true => "whose endpoints are not known: it is taken for what is outside",
                        false => "whose pods are meant, by their own ports",
                    };
                    let name = name(world.services[service.index()].object);
                    format!("`{address}` is the address of Service {name}, {meant}")
                }
                None if is_single(net) || net.prefix_len() == 0 => return None,
                None => {
                    let mut count = [0_u64; 3];
                    for holder in world.holders(net) {
                        count[match holder {
                            Holder::Pod(_) => 0,
                            Holder::Node(_) => 1,
                            Holder::Service(_) => 2,
                        }] += 1;
                    }
                    let words = [("pod", "pods"), ("node", "nodes"), ("Service", "Services")];
                    let all = count.into_iter().zip(words).filter(|(n, _)| *n > 0);
                    let all: Vec<String> =
                        all.map(|(n, (one, many))| counted(n, one, many)).collect();
                    if all.is_empty() {
                        return None;
                    }
                    let all = all.join(", ");
                    format!(
                        "`{net}` holds addresses of {all}, and only what is outside is asked about: give those by name"
                    )
                }
            })
        };
        self.nets.iter().filter_map(note).collect()
    }
}

fn is_single(net: &IpNet) -> bool {
    net.prefix_len() == net.max_prefix_len()
}

/// Who has the address that a block is.
fn held(world: &World, net: &IpNet) -> Option<Holder> {
    is_single(net).then(|| world.holder(net.addr()))?
}

/// What the snapshot shows; of policies, what a question about the network
/// makes of them.
pub(crate) fn coverage(opened: &Opened) -> Vec<Topic> {
    let plugin = opened.world.plugin();
    let mut topics = opened.coverage.clone();
    for topic in topics.iter_mut().filter(|t| t.topic == "network-policies") {
        topic.reason = enforcement(&opened.world);
        let policies = opened.world.policies.len() + opened.world.network.others.len();
        topic.state = match plugin.enforces {
            Enforces::Unknown => State::Unknown,
            _ if policies == 0 => State::Unknown,
            _ if !opened.world.unread_policies().is_empty() => State::Partial,
            _ => State::Complete,
        };
        topic.affects = &["every verdict that rests on a policy"];
    }
    topics
}
