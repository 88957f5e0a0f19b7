//! What a node is: part of the control plane or not, and which pool it belongs to.

use super::rows::Labels;
use super::{PodIx, World};
use crate::sym::{Sym, Symbols};

/// Whether a node runs the control plane, and how that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ControlPlane {
    No,
    /// It carries the label with this key.
    Label(Sym),
    /// It runs this static pod of the API server, etcd or the controller manager.
    StaticPod(PodIx),
}

/// The labels by which distributions mark the control plane.
const LABELS: &[(&str, Option<&str>)] = &[
    ("node-role.kubernetes.io/control-plane", None),
    ("node-role.kubernetes.io/controlplane", None),
    ("node-role.kubernetes.io/master", None),
    ("kubernetes.io/role", Some("master")),
];

/// The label that marks a node as part of the control plane, if it has one.
pub(super) fn control_plane_label(symbols: &Symbols, labels: &Labels) -> Option<Sym> {
    LABELS.iter().find_map(|(key, wanted)| {
        let key = symbols.get(key)?;
        let (_, value) = labels.iter().find(|(k, _)| *k == key)?;
        match symbols.text(*value) {
            // k3s sets "true"; nobody sets "false", but if somebody does, they mean it.
            "false" => None,
            value => wanted.is_none_or(|w| w == value).then_some(key),
        }
    })
}

/// The labels that name a node's pool, the provider's own before the generic ones.
const POOLS: &[&str] = &[
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "karpenter.sh/nodepool",
    "node.kubernetes.io/instance-group",
];

impl World {
    /// The nodes that a volume's `nodeAffinity` selects, in order. The kubelet labels a node with its
    /// host's name, which is the node's own where no label says otherwise.
    #[must_use]
    pub fn selected_nodes(&self, volume: super::VolumeIx) -> Vec<super::NodeIx> {
        let terms = &self.volumes[volume.index()].nodes;
        let host = self.symbols.get("kubernetes.io/hostname");
        let selected = |node: &super::Node| {
            let mut labels = self.labels_of(node.object).to_vec();
            if let Some(host) = host.filter(|host| labels.iter().all(|(key, _)| key != host)) {
                labels.push((host, node.name));
            }
            terms.iter().any(|term| term.selects(&labels))
        };
        let nodes = self.nodes.iter().enumerate().filter(|(_, node)| selected(node));
        nodes.map(|(i, _)| super::NodeIx::new(i)).collect()
    }

    /// The pool of a node: its provider's label, or its role.
    #[must_use]
    pub fn pool(&self, node: super::NodeIx) -> &str {
        let node = &self.nodes[node.index()];
        let labelled = POOLS.iter().find_map(|key| self.label(node.object, key));
        match (labelled, node.control_plane) {
            (Some(pool), _) => self.text(pool),
            (None, ControlPlane::No) => "worker",
            (None, _) => "control-plane",
        }
    }
}
