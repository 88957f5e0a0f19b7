//! Who sends requests, as policies see it, and who may switch policies off.

use super::cel::Caller;
use super::grants::Permission;
use super::requests::Request;
use super::{Principal, World};
use crate::sym::Sym;

/// The resources of the API server's policies.
const POLICIES: [&str; 2] = ["validatingadmissionpolicies", "validatingadmissionpolicybindings"];

/// Controllers of Kubernetes that may change every object.
const OWNERS: [&str; 2] = ["generic-garbage-collector", "namespace-controller"];

/// A principal as policies see it.
pub(super) fn caller(world: &World, who: Principal) -> Caller {
    let mut groups = world.implicit_groups(who);
    let (name, all) = match who {
        Principal::Account(account) => {
            let account = &world.accounts[account.index()];
            let (ns, name) = (world.text(account.ns), world.text(account.name));
            (Some(format!("system:serviceaccount:{ns}:{name}")), true)
        }
        Principal::Node(node) => {
            let name = world.text(world.nodes[node.index()].name);
            (Some(format!("system:node:{name}")), true)
        }
        // Whoever signs a user in chooses his groups.
        Principal::User(user) => {
            let name = world.text(world.users[user.index()].1);
            (Some(name.to_owned()), name == "system:anonymous")
        }
        Principal::Group(group) => {
            groups.push(world.text(world.groups[group.index()].1).to_owned());
            (None, false)
        }
    };
    Caller { name, groups, all }
}

impl World {
    /// The account of the controller that makes the pods of a workload.
    #[must_use]
    pub fn controller(&self, request: &Request) -> Option<Principal> {
        let (ns, name) = (self.symbols.get("kube-system")?, request.controller()?);
        self.account(ns, self.symbols.get(name)?).map(Principal::Account)
    }

    /// Whether somebody may switch off policies of the API server who could do nothing with that
    /// alone: what they refuse is not closed then to who is both.
    pub(super) fn may_lift_policies(&self) -> bool {
        let world = self;
        let all = |list: &[Sym]| list.iter().any(|s| world.text(*s) == "*");
        let owns = |principal: &Principal| {
            matches!(principal, Principal::Account(account) if {
                let account = &world.accounts[account.index()];
                world.text(account.ns) == "kube-system"
                    && OWNERS.contains(&world.text(account.name))
            })
        };
        let verbs = ["delete", "deletecollection", "patch", "update"];
        let group = "admissionregistration.k8s.io";
        let permissions = POLICIES
            .iter()
            .flat_map(|r| verbs.map(|verb| Permission::cluster(verb, group, r)))
            .collect::<Vec<_>>();
        world.grants_any(&permissions).iter().any(|grant| {
            let rule = &world.rules[grant.rule.rule as usize];
            let admin = all(&rule.verbs) && all(&rule.groups) && all(&rule.resources);
            let subjects = &world.bindings[grant.binding.index()].subjects;
            !admin && !subjects.iter().all(|s| owns(&s.principal))
        })
    }
}
