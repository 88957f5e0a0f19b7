//! What the snapshot lacks, and what that makes unknown.
//!
//! A negative answer is worth as much as the evidence it rests on: every report prints these
//! topics, and what is not shown is never taken for absent.

use super::guarded::GuardCounts;
use super::network::plugin::{Enforces, Policies};
use super::network::{Switches, Truth};
use super::nodes::ControlPlane;
use super::{ServiceIx, World};
use crate::k8s::Kind;
use std::fmt::Write as _;

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
            reason: "who is in which group, and who holds which certificate, is not in a snapshot: paths of people begin at the users and groups that bindings name"
                .to_owned(),
            affects: &["paths that begin at a person"],
        });
        let clouds = self.accounts.iter().filter(|a| !a.annotations.is_empty()).count();
        if clouds > 0 {
            topics.push(Topic {
                topic: "cloud-identities",
                state: State::Unknown,
                reason: format!(
                    "{} an identity in a cloud; which tokens the provider trusts, and which accounts it knows without an annotation, is not in a snapshot: look there",
                    counted(clouds as u64, "service account names", "service accounts name")
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
                    "the snapshot holds objects of {} clusters (by the uids of kube-system), read as one: paths between them may not exist; give one cluster at a time",
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
        let seen = self.seen.iter().filter(of_kind).map(|(_, count)| count).sum();
        self.distinct(kind.name(), seen)
    }

    /// Of so many objects seen, those that are no copies of another, as far as the world keeps them.
    fn distinct(&self, kind: &str, seen: u64) -> u64 {
        let Some(kind) = self.symbols.get(kind).filter(|_| self.duplicates > 0 && seen > 1) else {
            return seen;
        };
        let own = self.objects.iter().filter(|o| o.kind == kind && o.is_present()).count() as u64;
        if own == 0 { seen } else { own.min(seen) }
    }

    /// How many objects of a group's kinds the snapshot holds; the kinds need not be read.
    fn count_of(&self, group: impl Fn(&str) -> bool, kind: impl Fn(&str) -> bool) -> u64 {
        let wanted = |((g, k), _): &(&(String, String), &u64)| group(g) && kind(k);
        self.seen.iter().filter(wanted).map(|((_, k), count)| self.distinct(k, *count)).sum()
    }

    /// How many network policies of each kind the snapshot holds.
    fn network_policies(&self) -> Vec<(Policies, u64)> {
        let of = |kind: Policies| {
            let own = |((g, k), _): &(&(String, String), &u64)| Policies::of(g, k) == Some(kind);
            self.seen.iter().filter(own).map(|((_, k), n)| self.distinct(k, *n)).sum()
        };
        Policies::ALL.iter().map(|kind| (*kind, of(*kind))).collect()
    }

    /// The network policies that may be enforced and are of kinds that are not evaluated.
    #[must_use]
    pub fn unread_policies(&self) -> Vec<String> {
        let switches = Switches::of(self.plugin());
        let unread = self.network.others.iter().filter(|policy| {
            let family = policy.says.family;
            !family.is_evaluated() && switches.enforced(family) != Truth::No
        });
        let name = |policy: &super::gateway::Item<super::network::OtherRow>| {
            let (kind, name) = (self.text(policy.says.kind), self.text(policy.name));
            match self.text(policy.ns) {
                "" => format!("{kind} {name}"),
                ns => format!("{kind} {ns}/{name}"),
            }
        };
        unread.map(name).collect()
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
                format!(
                    "{} and {} were read",
                    counted(self.bindings.len() as u64, "binding", "bindings"),
                    counted(self.roles.len() as u64, "role", "roles")
                ),
            ),
            0 => (
                State::Partial,
                format!(
                    "bindings refer to {} that the snapshot does not hold: taken not to exist, and so to grant nothing",
                    counted(missing_roles as u64, "role", "roles")
                ),
            ),
            _ => {
                let kinds = lacking.join(" and no ");
                let reason = format!("no {kinds} was collected: what those grant is not known");
                (State::Partial, reason)
            }
        };
        Topic { topic: "rbac", state, reason, affects: &["every permission"] }
    }

    fn secret_coverage(&self) -> Topic {
        let count = self.count(Kind::Secret);
        let (state, reason) = if count > 0 {
            (State::Complete, format!("{count} collected; their values are never kept"))
        } else {
            (
                State::Missing,
                "no Secret was collected: those that pods mount are known by name, tokens and credentials in others are not known; collect secrets too (their values are never kept)"
                    .to_owned(),
            )
        };
        Topic { topic: "secrets", state, reason, affects: &["what reading Secrets leads to"] }
    }

    fn exposure_coverage(&self) -> Topic {
        let services = self.count(Kind::Service);
        let ingresses = self.count(Kind::Ingress);
        let routes =
            self.gateway.routes.len() + self.router_routes.len() + self.istio.services.len();
        let routes = routes as u64;
        let (state, mut reason) = if services == 0 {
            (
                State::Missing,
                "no Service was collected: what faces the internet is not known".to_owned(),
            )
        } else {
            let routes = match routes {
                0 => String::new(),
                _ => format!(", {}", counted(routes, "route", "routes")),
            };
            let by_hand = self.endpoints_by_hand();
            let reason = format!(
                "{}{routes} and {} were read{by_hand}; what firewalls in front of them let through is not in a snapshot",
                counted(services, "Service", "Services"),
                counted(ingresses, "Ingress", "Ingresses")
            );
            (State::Partial, reason)
        };
        if let Some(unread) = self.routes_unread() {
            let _ = write!(reason, "; {unread}");
        }
        Topic { topic: "exposure", state, reason, affects: &["paths from the internet"] }
    }

    /// What is not known of where Services lead that are not led by a selector.
    fn endpoints_by_hand(&self) -> String {
        let (mut unknown, mut strange) = (0, 0);
        for (i, service) in self.services.iter().enumerate() {
            let outside = matches!(self.text(service.kind), "LoadBalancer" | "NodePort")
                || !service.external_ips.is_empty();
            if service.selector.is_some() || !outside {
                continue;
            }
            let slices = &self.slices[self.slices_of(ServiceIx::new(i))];
            unknown += u64::from(slices.is_empty());
            let no_pod = slices.iter().all(|slice| slice.ends.is_empty());
            strange += u64::from(no_pod && slices.iter().any(|slice| slice.strangers > 0));
        }
        let faces = |n| {
            counted(n, "Service that faces the outside is", "Services that face the outside are")
        };
        let mut said = String::new();
        if unknown > 0 {
            let faces = faces(unknown);
            let _ = write!(said, "; {faces} without a selector: where they lead is not known");
        }
        if strange > 0 {
            let leads = counted(
                strange,
                "Service without a selector leads",
                "Services without a selector lead",
            );
            let _ = write!(said, "; {leads} to addresses that are no pod's of the snapshot");
        }
        if self.count(Kind::EndpointSlice) + self.count(Kind::Endpoints) == 0 {
            said.push_str("; no EndpointSlice was collected: endpoints made by hand are not known");
        }
        said
    }

    fn network_policy_coverage(&self) -> Topic {
        let of_kind: Vec<(Policies, u64)> = self.network_policies();
        let plugin = self.plugin();
        let unread = self.unread_policies();
        let all = of_kind.iter().map(|(_, count)| count).sum::<u64>().max(unread.len() as u64);
        // What the plugin ignores, and what is not evaluated, is held against nothing.
        let counts = |kind: Policies| {
            !matches!(kind, Policies::Antrea | Policies::Aws)
                && plugin.enforces(kind) != Enforces::No
        };
        let held: u64 = of_kind.iter().filter(|(k, _)| counts(*k)).map(|(_, count)| count).sum();
        let effect = plugin.effect(&of_kind, self.nodes.iter().any(|n| n.windows));
        let mut reason = if all == 0 {
            format!("no network policy was collected; {effect}")
        } else if plugin.enforces == Enforces::No {
            effect
        } else {
            let mut reason = effect;
            if held > 0 {
                let _ = write!(
                    reason,
                    "; {} held against doors from outside and what pods reach: steps that they may stop are marked unknown",
                    counted(held, "network policy is", "network policies are")
                );
            }
            reason
        };
        if !unread.is_empty() && plugin.enforces != Enforces::No {
            reason = format!("{reason}; {}", unread_in_words(&unread));
        }
        let (pods, networks) = self.further_networks();
        if pods > 0 {
            let networks: Vec<&str> = networks.into_iter().collect();
            let _ = write!(
                reason,
                "; {} on further networks ({}), which these policies are not about: what is connected over them is not known",
                counted(pods, "pod is", "pods are"),
                first(&networks)
            );
        }
        Topic {
            topic: "network-policies",
            state: if all == 0 || plugin.enforces == Enforces::Unknown {
                State::Unknown
            } else {
                State::Partial
            },
            reason,
            affects: &["paths from the internet", "moves from pod to pod"],
        }
    }

    fn admission_coverage(&self) -> Topic {
        let GuardCounts { read, judged, other, elsewhere, inert } = self.guard_counts();
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
            let parts = [
                (judged, "judged by their CEL or by what they are known to forbid"),
                (
                    other,
                    "not judged, or not in full (a pod that one of them may refuse is possible at best)",
                ),
                (elsewhere, "not about new pods, may refuse other steps (exec, tokens, bindings)"),
                (inert, "without effect: they refuse nothing, or nobody asks them"),
            ];
            let parts: Vec<String> = parts
                .iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
            reasons.push(format!(
                "{} of Kyverno, Gatekeeper and the API server: {}; Rego, parameters and the groups of users are not evaluated",
                counted(read as u64, "policy was read", "policies were read"),
                parts.join(", ")
            ));
        }
        if engines + own > 0 {
            reasons.push(format!(
                "{} not evaluated: steps that a validating webhook may refuse are possible at best and name it; one that mutates is not weighed",
                counted(
                    engines + own,
                    "webhook configuration or policy is",
                    "webhook configurations and policies are"
                )
            ));
        }
        if reasons.is_empty() {
            reasons.push(
                "Pod Security labels were read; levels and exemptions that the API server itself is configured with are not in a snapshot"
                    .to_owned(),
            );
        }
        let unknown = other > 0 || engines + own > 0;
        let state = if unknown { State::Unknown } else { State::Partial };
        let reason = reasons.join("; ");
        let affects = &["creating privileged pods", "steps that write or connect"];
        Topic { topic: "admission", state, reason, affects }
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
            n => (State::Complete, format!("{n} SecurityContextConstraints were read")),
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
            let reason = "labels show its nodes; the API server's flags are not shown, as it does not run as a pod or its pod was not collected".to_owned();
            (State::Partial, reason)
        } else {
            (
                State::Unknown,
                "no node of the control plane is shown: a provider manages it, or it was not collected; its flags and authorizers are not known"
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

/// The first of many names.
fn first(names: &[&str]) -> String {
    const ENOUGH: usize = 5;
    match names.len().checked_sub(ENOUGH) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..ENOUGH].join(", ")),
    }
}

/// What becomes of policies that are not evaluated.
#[must_use]
pub fn unread_in_words(policies: &[String]) -> String {
    let names: Vec<&str> = policies.iter().map(String::as_str).collect();
    format!(
        "{} not evaluated ({}): what that means for the pods they may select is unknown",
        counted(policies.len() as u64, "policy is", "policies are"),
        first(&names)
    )
}

/// A count with its noun: `1 role`, `2 roles`, `no role`.
pub(crate) fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
