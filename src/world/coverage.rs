//! What the snapshot lacks, and what that makes unknown.
//!
//! A negative answer is worth as much as the evidence it rests on: every report prints these
//! topics, and what is not shown is never taken for absent.

use super::World;
use super::nodes::ControlPlane;
use crate::k8s::Kind;

/// How much of a topic the snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// All of it.
    Complete,
    /// Some of it.
    Partial,
    /// None of it, although a cluster has some.
    Missing,
    /// It cannot be told, or is not evaluated.
    Unknown,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// One topic of coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What it is about, in kebab-case.
    pub topic: &'static str,
    pub state: State,
    /// Why, in a sentence without a full stop.
    pub reason: String,
    /// What that makes uncertain: ids of queries' ends or of attacks' families, as words.
    pub affects: &'static [&'static str],
}

/// A topic that one kind decides: missing if the snapshot holds no object of it, although every
/// cluster has some.
const ALWAYS_THERE: &[(Kind, &str, &str, &[&str])] = &[
    (
        Kind::Namespace,
        "namespaces",
        "no Namespace was collected: which Pod Security level each enforces is not known, and taken to be none",
        &["creating privileged pods"],
    ),
    (
        Kind::ServiceAccount,
        "service-accounts",
        "no ServiceAccount was collected: accounts are known by the pods and bindings that name them",
        &["accounts that no pod and no binding names", "token mounting by default"],
    ),
    (
        Kind::Pod,
        "pods",
        "no Pod was collected: workloads are analysed as if one pod of their template ran",
        &["what runs", "what shares a node"],
    ),
    (
        Kind::Node,
        "nodes",
        "no Node was collected: nodes are known by the pods that name them",
        &["which nodes are the control plane", "exposure by node ports"],
    ),
];

impl World {
    /// What the snapshot shows and what it does not, the topics in a fixed order.
    #[must_use]
    pub fn coverage(&self) -> Vec<Topic> {
        let mut topics = vec![self.rbac_coverage(), self.secret_coverage()];
        for (kind, topic, reason, affects) in ALWAYS_THERE {
            let count = self.count(*kind);
            let (state, reason) = match count {
                0 => (State::Missing, (*reason).to_owned()),
                n => (State::Complete, format!("{n} collected")),
            };
            topics.push(Topic { topic, state, reason, affects });
        }
        topics.push(self.exposure_coverage());
        topics.push(self.network_policy_coverage());
        topics.push(self.admission_coverage());
        topics.extend(self.constraints_coverage());
        topics.push(self.control_plane_coverage());
        topics.push(Topic {
            topic: "identity-provider",
            state: State::Unknown,
            reason: "who is in which group, and who holds which certificate, is not in a snapshot"
                .to_owned(),
            affects: &["paths that begin at a person"],
        });
        let clouds = self.accounts.iter().filter(|a| !a.annotations.is_empty()).count();
        if clouds > 0 {
            topics.push(Topic {
                topic: "cloud-identities",
                state: State::Unknown,
                reason: format!(
                    "service accounts name identities in a cloud ({clouds}); which tokens the provider trusts, and what it associates with accounts by itself, is not in a snapshot"
                ),
                affects: &["paths to cloud identities"],
            });
        }
        topics.extend(self.custom_coverage());
        if self.clusters > 1 {
            topics.push(Topic {
                topic: "clusters",
                state: State::Unknown,
                reason: format!(
                    "the snapshot holds objects of {} clusters (as many uids of kube-system), read as one",
                    self.clusters
                ),
                affects: &["every path"],
            });
        }
        topics
    }

    /// How many objects of a kind the snapshot holds.
    #[must_use]
    pub fn count(&self, kind: Kind) -> u64 {
        let of_kind = |((group, name), _): &(&(String, String), &u64)| {
            Kind::of(group, name) == Some(kind) || group.is_empty() && name == kind.name()
        };
        self.seen.iter().filter(of_kind).map(|(_, count)| count).sum()
    }

    /// How many objects of a group's kinds the snapshot holds; the kinds need not be read.
    fn count_of(&self, group: impl Fn(&str) -> bool, kind: impl Fn(&str) -> bool) -> u64 {
        let wanted = |((g, k), _): &(&(String, String), &u64)| group(g) && kind(k);
        self.seen.iter().filter(wanted).map(|(_, count)| count).sum()
    }

    fn rbac_coverage(&self) -> Topic {
        let kinds = [Kind::ClusterRole, Kind::ClusterRoleBinding, Kind::Role, Kind::RoleBinding];
        let lacking: Vec<&str> =
            kinds.iter().filter(|k| self.count(**k) == 0).map(|k| k.name()).collect();
        let missing_roles = self.roles.iter().filter(|r| r.missing).count();
        let (state, reason) = match lacking.len() {
            4 => (
                State::Missing,
                "no role and no binding was collected: what accounts and users may do is not known"
                    .to_owned(),
            ),
            0 if missing_roles == 0 => (
                State::Complete,
                format!("{} bindings, {} roles", self.bindings.len(), self.roles.len()),
            ),
            0 => (
                State::Partial,
                format!(
                    "{missing_roles} roles that bindings refer to are not in the snapshot: they grant nothing"
                ),
            ),
            _ => (State::Partial, format!("no {} was collected", lacking.join(", no "))),
        };
        Topic { topic: "rbac", state, reason, affects: &["every permission"] }
    }

    fn secret_coverage(&self) -> Topic {
        let count = self.count(Kind::Secret);
        let (state, reason) = if count > 0 {
            (State::Complete, format!("{count} collected, their values never read"))
        } else {
            (
                State::Missing,
                "no Secret was collected: those that pods mount are known by name, tokens and credentials kept in others are not"
                    .to_owned(),
            )
        };
        Topic { topic: "secrets", state, reason, affects: &["what reading Secrets leads to"] }
    }

    fn exposure_coverage(&self) -> Topic {
        let services = self.count(Kind::Service);
        let ingresses = self.count(Kind::Ingress);
        let routes = self.count_of(
            |g| {
                matches!(
                    g,
                    "gateway.networking.k8s.io"
                        | "route.openshift.io"
                        | "networking.istio.io"
                        | "traefik.io"
                )
            },
            |k| {
                matches!(
                    k,
                    "HTTPRoute"
                        | "GRPCRoute"
                        | "TLSRoute"
                        | "TCPRoute"
                        | "UDPRoute"
                        | "Route"
                        | "VirtualService"
                        | "IngressRoute"
                )
            },
        );
        let (state, reason) = if services == 0 {
            (
                State::Missing,
                "no Service was collected: what faces the internet is not known".to_owned(),
            )
        } else if routes > 0 {
            let reason =
                format!("{routes} routes (Gateway API and its like) are not evaluated yet");
            (State::Partial, reason)
        } else {
            let reason = format!(
                "{services} Services and {ingresses} Ingresses; firewalls are not in a snapshot"
            );
            (State::Partial, reason)
        };
        Topic { topic: "exposure", state, reason, affects: &["paths from the internet"] }
    }

    fn network_policy_coverage(&self) -> Topic {
        let other = self.count_of(
            |g| {
                matches!(
                    g,
                    "cilium.io"
                        | "crd.projectcalico.org"
                        | "projectcalico.org"
                        | "policy.networking.k8s.io"
                )
            },
            |k| k.ends_with("NetworkPolicy"),
        );
        let all = self.count(Kind::NetworkPolicy) + other;
        let reason = if all == 0 {
            "no policy was collected; reach between pods is not evaluated yet".to_owned()
        } else {
            format!(
                "{all} policies are not evaluated yet: steps into the pods they isolate are marked unknown"
            )
        };
        Topic {
            topic: "network-policies",
            state: State::Unknown,
            reason,
            affects: &["paths from the internet", "moves from pod to pod"],
        }
    }

    fn admission_coverage(&self) -> Topic {
        let (read, judged, other, inert) = self.guard_counts();
        // What Kyverno writes down of its own work is no policy.
        let engines = self.count_of(
            |g| g == "policies.kubewarden.io",
            |k| k.ends_with("Policy") || k.ends_with("PolicyGroup"),
        );
        let own = self.count_of(
            |g| g == "admissionregistration.k8s.io",
            |k| k.ends_with("WebhookConfiguration") || k == "MutatingAdmissionPolicy",
        );
        let mut reasons = Vec::new();
        if read > 0 {
            reasons.push(format!(
                "of Kyverno, Gatekeeper and the API server {read} policies were read: {judged} judged by their CEL or by what they are known to forbid, {other} not judged, or not in full (what needs a privileged pod where one of them refuses is possible at best), {inert} without effect on new pods; Rego, parameters and who asks are not evaluated"
            ));
        }
        if engines + own > 0 {
            reasons.push(format!(
                "{} webhooks and policies that may refuse pods are not evaluated",
                engines + own
            ));
        }
        if reasons.is_empty() {
            reasons.push(
                "Pod Security labels are read; the API server's own admission configuration is not in a snapshot"
                    .to_owned(),
            );
        }
        let unknown = other > 0 || engines + own > 0;
        let state = if unknown { State::Unknown } else { State::Partial };
        let reason = reasons.join("; ");
        Topic { topic: "admission", state, reason, affects: &["creating privileged pods"] }
    }

    /// OpenShift's constraints, in a cluster of OpenShift.
    fn constraints_coverage(&self) -> Option<Topic> {
        let (state, reason) = match self.constraints.len() {
            _ if !self.openshift => return None,
            0 => (
                State::Missing,
                "no SecurityContextConstraints were collected, although OpenShift has some: which namespaces hold privileged pods is not known"
                    .to_owned(),
            ),
            n => (State::Complete, format!("{n} SecurityContextConstraints")),
        };
        let topic = "pod-constraints";
        Some(Topic { topic, state, reason, affects: &["creating privileged pods"] })
    }

    /// Controllers of custom resources that no rule judges, if any run.
    fn custom_coverage(&self) -> Option<Topic> {
        const SHOWN: usize = 3;
        let groups = self.unjudged_groups();
        let more = groups.len().saturating_sub(SHOWN);
        let mut named = groups.get(..SHOWN).unwrap_or(&groups).join(", ");
        if more > 0 {
            named = format!("{named} and {more} more");
        }
        (!groups.is_empty()).then(|| Topic {
            topic: "custom-resources",
            state: State::Unknown,
            reason: format!(
                "controllers act on custom resources that no rule judges ({named}): what they do for whoever writes one is not known"
            ),
            affects: &["paths from who may write custom resources"],
        })
    }

    fn control_plane_coverage(&self) -> Topic {
        let static_pods =
            self.nodes.iter().any(|n| matches!(n.control_plane, ControlPlane::StaticPod(_)));
        let labelled = self.nodes.iter().any(|n| n.control_plane != ControlPlane::No);
        let (state, reason) = if static_pods {
            (State::Complete, "the API server's static pods show its nodes and flags".to_owned())
        } else if labelled {
            let reason = "nodes are labelled, but the API server's flags are not shown".to_owned();
            (State::Partial, reason)
        } else {
            (
                State::Unknown,
                "no control-plane node is shown: it is managed by a provider, or was not collected; so are its authorizers"
                    .to_owned(),
            )
        };
        Topic {
            topic: "control-plane",
            state,
            reason,
            affects: &["paths through control-plane nodes", "authorizers other than RBAC"],
        }
    }
}
