//! The ends of a connection as they are typed: selectors, `internet`, addresses.

use super::Failure;
use super::open::Opened;
use super::query::selector_failure;
use crate::graph::{Graph, NodeId, NodeKind, Thing};
use crate::query::reach::around::enforcement;
use crate::query::reach::{Ground, Range, Wanted};
use crate::query::selector::Selector;
use crate::world::coverage::{State, Topic};
use crate::world::network::plugin::Enforces;
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
        wanted.ranges.extend(self.nets.iter().map(Range::of));
        wanted.ranges.sort_unstable();
        wanted.ranges.dedup();
        wanted
    }
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
            _ => State::Complete,
        };
        topic.affects = &["every verdict that rests on a policy"];
    }
    topics
}
