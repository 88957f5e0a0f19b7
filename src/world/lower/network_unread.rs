//! Network policies of kinds that are not evaluated: whose they are, and which pods they speak of.

use super::network_other::{items, text};
use crate::sym::Sym;
use crate::world::network::{
    Direction, Expr, Family, Key, OtherRow, Place, Pods, Role, Section, Spaces, Truth,
};
use crate::world::rows::Part;
use serde_json::Value;

/// Who enforces the kinds of a group.
fn family(group: &str) -> Family {
    match group {
        "crd.antrea.io" | "security.antrea.tanzu.vmware.com" => Family::Antrea,
        "networking.k8s.aws" => Family::Aws,
        _ => Family::Other,
    }
}

/// What the kinds of a group can speak of, and whether only of what is outside the cluster.
fn directions(group: &str) -> (&'static [Direction], bool) {
    match group {
        "networking.gke.io" => (&[Direction::Egress], false),
        "k8s.ovn.org" | "network.openshift.io" => (&[Direction::Egress], true),
        _ => (&[Direction::Ingress, Direction::Egress], false),
    }
}

impl Part {
    /// `own`: the policy's namespace, if it has one. Of its pods, more may be meant than are.
    pub(super) fn unread_policy(
        &mut self,
        group: &str,
        kind: &str,
        own: Option<Sym>,
        spec: &Value,
    ) -> OtherRow {
        let (directions, outside) = directions(group);
        let pods = self.unread_pods(group, own, spec);
        let said = items(&spec["policyTypes"]);
        let names = |way: &Direction| {
            said.is_empty() || said.iter().any(|t| text(t).eq_ignore_ascii_case(way.name()))
        };
        let section = |direction: &Direction| Section {
            direction: *direction,
            pods: pods.clone(),
            isolates: Truth::No,
            tier: Place::FIRST,
            order: Place::FIRST,
            rules: Box::default(),
        };
        let sections = directions.iter().filter(|way| names(way)).map(section).collect();
        let name = if group.is_empty() { kind.to_owned() } else { format!("{kind}.{group}") };
        OtherRow {
            kind: self.sym(&name),
            family: family(group),
            sections,
            role: Role::Unread { outside },
        }
    }

    /// The pods of its namespace, less those that a selector known of old leaves out.
    fn unread_pods(&mut self, group: &str, own: Option<Sym>, spec: &Value) -> Pods {
        let Some(ns) = own else {
            return Pods { spaces: Spaces::Selected(Expr::all()), pods: Expr::all() };
        };
        // Both are NetworkPolicies that speak of names beside addresses.
        let like_plain = matches!(group, "networking.k8s.aws" | "networking.gke.io");
        let pods = match spec.get("podSelector").filter(|_| like_plain) {
            Some(selector) => self.label_expr(selector, Key::Label),
            None => Expr::all(),
        };
        Pods { spaces: Spaces::One(ns), pods }
    }
}
