//! What an answer weighs: impact of what is gained, likelihood of gaining it, and the severity
//! that the two make, in the manner of NIST SP 800-30.

use super::answer::Severity;
use super::search::Proof;
use crate::graph::{Confidence, Graph, NodeId, NodeKind, Tag, likelihood_of};

/// Where the bands of likelihood begin, from very low to very high. An assumed exploit of an
/// exposed application (0.1) with a handful of sure steps behind it stays in the middle band.
const LIKELIHOOD: [f64; 4] = [0.01, 0.05, 0.3, 0.7];

/// Where the bands of impact begin.
const IMPACT: [f64; 4] = [0.05, 0.2, 0.5, 0.8];

/// By the band of the likelihood, then that of the impact.
const MATRIX: [[Severity; 5]; 5] = {
    use Severity::{Critical, High, Info, Low, Medium};
    [
        [Info, Info, Info, Low, Low],
        [Info, Low, Low, Low, Medium],
        [Info, Low, Medium, Medium, High],
        [Info, Low, Medium, High, Critical],
        [Info, Low, Medium, High, Critical],
    ]
};

/// A step at least this likely counts as one that works whenever it is tried.
const WORKS: f64 = 0.9;

/// The namespace whose accounts and Secrets are the cluster's own.
const KUBE_SYSTEM: &str = "kube-system";

/// What holding a node is worth, between 0 and 1.
///
/// Full power over the cluster is 1, and so is what leads there in one certain move: a machine of
/// the control plane, power over `kube-system`, the group `system:masters`. A Secret of
/// `kube-system` is 0.9. A machine is worth all its pods (0.6), a namespace its contents (0.5), a
/// cloud identity what an unknown role may do (0.5), an identity what it may be granted (0.4), a
/// pod what runs in it (0.3).
#[must_use]
pub fn impact(graph: &Graph, node: NodeId) -> f64 {
    let system = graph.namespace(node) == Some(KUBE_SYSTEM);
    match graph.kind(node) {
        NodeKind::ClusterAdmin => 1.0,
        NodeKind::Node | NodeKind::NodeIdentity if graph.has(node, Tag::ControlPlane) => 1.0,
        NodeKind::NamespaceAdmin if system => 1.0,
        NodeKind::Group if graph.name(node) == "system:masters" => 1.0,
        NodeKind::ClusterRole if graph.name(node) == "cluster-admin" => 1.0,
        NodeKind::Secret if system => 0.9,
        NodeKind::Node => 0.6,
        NodeKind::NodeIdentity | NodeKind::NamespaceAdmin | NodeKind::CloudIdentity => 0.5,
        NodeKind::Secret
        | NodeKind::ServiceAccount
        | NodeKind::User
        | NodeKind::Group
        | NodeKind::Role
        | NodeKind::ClusterRole
        | NodeKind::RoleBinding
        | NodeKind::ClusterRoleBinding
        | NodeKind::Gate
        | NodeKind::Set => 0.4,
        NodeKind::Pod | NodeKind::Container | NodeKind::Workload
            if graph.has(node, Tag::Absent) || graph.has(node, Tag::Finished) =>
        {
            0.1
        }
        NodeKind::Pod
        | NodeKind::Container
        | NodeKind::Workload
        | NodeKind::Namespace
        | NodeKind::PersistentVolume
        | NodeKind::PersistentVolumeClaim => 0.3,
        NodeKind::ConfigMap | NodeKind::Entry => 0.1,
        NodeKind::Internet => 0.0,
    }
}

/// The severity of a likelihood and an impact.
#[must_use]
pub fn severity(likelihood: f64, impact: f64) -> Severity {
    let band = |value: f64, bands: &[f64; 4]| bands.iter().filter(|b| value >= **b).count();
    MATRIX[band(likelihood, &LIKELIHOOD)][band(impact, &IMPACT)]
}

/// The rank within a severity, between 0 and 100. The square root keeps an unlikely way to a great
/// thing from being lost beside likely ways to trifles.
#[must_use]
pub fn score(likelihood: f64, impact: f64) -> f64 {
    100.0 * likelihood.sqrt() * impact
}

/// Whether a way works whenever somebody tries: each edge certain, none a matter of luck.
#[must_use]
pub fn is_deterministic(graph: &Graph, proof: &Proof) -> bool {
    proof.links.iter().all(|link| {
        graph.confidence(link.edge) == Confidence::Certain
            && likelihood_of(u64::from(graph.cost(link.edge))) >= WORKS
            && !is_exploit(graph.attack(link.edge).id)
    })
}

/// Whether an attack is an assumed exploit rather than something that Kubernetes allows.
#[must_use]
pub fn is_exploit(attack: &str) -> bool {
    attack.starts_with("exploit-")
}

/// Whether a node is somebody without any credential.
#[must_use]
pub fn is_nobody(graph: &Graph, node: NodeId) -> bool {
    match graph.kind(node) {
        NodeKind::Internet => true,
        NodeKind::User => graph.name(node) == "system:anonymous",
        NodeKind::Group => graph.name(node) == "system:unauthenticated",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_never_less() {
        let values: Vec<f64> = (0..=100).map(|i| f64::from(i) / 100.0).collect();
        for a in &values {
            for pair in values.windows(2) {
                assert!(severity(*a, pair[0]) <= severity(*a, pair[1]));
                assert!(severity(pair[0], *a) <= severity(pair[1], *a));
                assert!(score(pair[0], *a) <= score(pair[1], *a));
            }
        }
    }

    #[test]
    fn bands_and_matrix() {
        assert_eq!(severity(0.7, 0.8), Severity::Critical);
        assert_eq!(severity(0.2, 1.0), Severity::High);
        assert_eq!(severity(0.09, 1.0), Severity::High);
        assert_eq!(severity(0.04, 1.0), Severity::Medium);
        assert_eq!(severity(0.001, 1.0), Severity::Low);
        assert_eq!(severity(0.9, 0.4), Severity::Medium);
    }
}
