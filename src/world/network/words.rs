//! Reasons as facts of evidence, and in words.

use super::Network;
use super::form::{Action, Direction, Family};
use super::judge::{Doubt, Reason};
use crate::world::ObjectId;

impl<'w> Network<'w> {
    /// What a reason rests on, for evidence: object, field and what it says. Empty where no object
    /// says anything.
    #[must_use]
    pub fn facts(&self, reason: &Reason) -> Vec<(ObjectId, &'w str, &'static str)> {
        match reason {
            Reason::Rule { policy, field, action, sure, .. } => {
                let says = match (action, sure) {
                    (Action::Allow, true) => "allows it",
                    (Action::Allow, false) => "may allow it",
                    (Action::Deny, true) => "denies it",
                    (Action::Deny, false) => "may deny it",
                    (Action::Pass, true) => "passes it on",
                    (Action::Pass, false) => "may pass it on",
                };
                vec![(*policy, self.world.text(*field), says)]
            }
            Reason::Isolated(policies) => {
                let fact = |(policy, family): &(ObjectId, Family)| {
                    let kind = self.world.objects[policy.index()].kind;
                    // Those of other families have several fields that select.
                    let field = match (self.world.text(kind), family) {
                        ("ConfigMap", _) => ".data[\"enable-policy\"]",
                        (_, Family::Kubernetes) => ".spec.podSelector",
                        _ => ".spec",
                    };
                    (*policy, field, "isolates the pod, and no rule matches")
                };
                policies.iter().map(fact).collect()
            }
            _ => Vec::new(),
        }
    }

    /// A reason in words: `isolated for ingress by shop/default-deny; no rule matched`.
    #[must_use]
    pub fn words(&self, reason: &Reason, direction: Direction) -> String {
        let way = direction.name();
        match reason {
            Reason::Free => format!("no policy decides about its {way}"),
            Reason::HostNetwork => {
                "it is on its node's network, where policies do not apply".to_owned()
            }
            Reason::OwnNode => "a pod and its own node: plugins let the node in, and differ in whether they let the pod out".to_owned(),
            Reason::Itself => "the pod itself".to_owned(),
            Reason::NoPod => "no policy speaks for what is no pod".to_owned(),
            Reason::NodePolicies => "policies of nodes are not evaluated".to_owned(),
            Reason::Rule { policy, field, action, doubt, .. } => {
                let does = match action {
                    Action::Allow => "allowed",
                    Action::Deny => "denied",
                    Action::Pass => "passed on",
                };
                let (name, field) = (self.name(*policy), self.world.text(*field));
                match doubt {
                    None => format!("{does} for {way} by {name} {field}"),
                    Some(doubt) => {
                        format!("may be {does} for {way} by {name} {field}: {}", self.doubt(*doubt))
                    }
                }
            }
            Reason::Isolated(policies) => {
                let names: Vec<String> = policies.iter().map(|(p, _)| self.name(*p)).collect();
                format!("isolated for {way} by {}; no rule matched", names.join(", "))
            }
            Reason::Unread(policy) => {
                let kind = self.world.text(self.world.objects[policy.index()].kind);
                format!("{kind} {} is not evaluated", self.name(*policy))
            }
            Reason::Enforcement(family) => {
                let whose = match family {
                    Family::Kubernetes => "NetworkPolicies",
                    Family::Admin => "AdminNetworkPolicies",
                    Family::Cluster => "ClusterNetworkPolicies",
                    Family::Cilium => "policies of Cilium",
                    Family::Calico => "policies of Calico",
                    Family::Antrea => "policies of Antrea",
                    Family::Aws => "policies of AWS",
                    Family::Other => "policies of other kinds",
                };
                format!("whether {whose} are enforced is not known")
            }
            Reason::Vague(policy, doubt) => {
                format!("may be isolated for {way} by {}: {}", self.name(*policy), self.doubt(*doubt))
            }
            Reason::Beside(network) => format!(
                "both are on the network {} too, which policies of the pods' own network are not about: what they connect over it is not known",
                self.world.text(*network)
            ),
        }
    }

    /// Why a rule may match and may not, in words.
    #[must_use]
    pub fn doubt(&self, doubt: Doubt) -> &'w str {
        match doubt {
            Doubt::Address => "whether its block of addresses matches the pod is not known",
            Doubt::PolicyGroup => {
                "its label stands for the nodes' network where OpenShift's plugin runs"
            }
            Doubt::Selector => "a part of its selectors cannot be read",
            Doubt::Labels => "labels of a namespace or an account that was not collected decide it",
            Doubt::Node => "which node it is, and which serves the API, is not known",
            Doubt::Tie => {
                "another policy has the same place, and which is asked first is not defined"
            }
            Doubt::Tier => "its tier was not collected",
            Doubt::Anyone => "nothing is known of the other end",
            Doubt::Said(said) => self.world.text(said),
        }
    }

    /// A policy's name, with its namespace if it has one.
    fn name(&self, policy: ObjectId) -> String {
        let object = &self.world.objects[policy.index()];
        let (ns, name) = (self.world.text(object.ns), self.world.text(object.name));
        if ns.is_empty() { name.to_owned() } else { format!("{ns}/{name}") }
    }
}
