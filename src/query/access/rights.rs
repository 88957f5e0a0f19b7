//! What somebody may do: every rule that reaches a principal, by itself or through its groups, the
//! dangerous ones first.

use super::holders::{allows, binding_words, rule_words, subject_words};
use crate::sym::Sym;
use crate::world::rows::Rule;
use crate::world::{BindingIx, Principal, RuleRef, World};

/// How much a rule is worth to an attacker, by its verbs and resources alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Every verb on everything.
    Everything,
    /// It leads to other identities, to nodes or to Secrets.
    Danger,
    /// It changes things.
    Writes,
    /// It reads things.
    Reads,
    /// It reaches paths that are no resources.
    Paths,
}

impl Weight {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Everything => "all",
            Self::Danger => "danger",
            Self::Writes => "write",
            Self::Reads => "read",
            Self::Paths => "path",
        }
    }
}

/// A rule that reaches a principal. None of its texts is made safe for output.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// How much it is worth.
    pub weight: Weight,
    /// The namespace it reaches; empty for the whole cluster.
    pub namespace: String,
    /// What it allows, in words.
    pub allows: String,
    /// The binding's kind and name.
    pub binding: String,
    /// The role's kind and name, and the rule's place in it.
    pub rule: String,
    /// Whom the binding names: the principal itself or a group of its.
    pub through: String,
    /// The same.
    pub principal: Principal,
    /// The binding.
    pub by: BindingIx,
    /// The subject's place in it.
    pub place: u32,
    /// The rule.
    pub of: RuleRef,
}

/// Every rule that reaches a principal. O(the bindings of it and of its groups, and their rules).
#[must_use]
pub fn rights(world: &World, principal: Principal) -> Vec<Right> {
    let mut rights = Vec::new();
    for holder in holders_of(world, principal) {
        for (by, place) in world.index.bindings_of(holder) {
            let binding = &world.bindings[by.index()];
            let Some(role) = binding.role else { continue };
            for of in &world.roles[role.index()].rules {
                let Some(row) = world.rules.get(of.rule as usize) else { continue };
                rights.push(Right {
                    weight: weight(world, row),
                    namespace: world.text(binding.ns).to_owned(),
                    allows: allows(world, *of),
                    binding: binding_words(world, *by),
                    rule: rule_words(world, *of),
                    through: subject_words(world, holder),
                    principal: holder,
                    by: *by,
                    place: *place,
                    of: *of,
                });
            }
        }
    }
    rights.sort_unstable();
    rights
}

/// A principal and the groups that it is in.
fn holders_of(world: &World, principal: Principal) -> Vec<Principal> {
    let groups = world.implicit_groups(principal);
    let groups = groups.iter().filter_map(|name| world.group(name)).map(Principal::Group);
    std::iter::once(principal).chain(groups).collect()
}

/// Whether a principal is in the group that is authorized before RBAC is asked.
#[must_use]
pub fn is_master(world: &World, principal: Principal) -> bool {
    let masters = world.group("system:masters").map(Principal::Group);
    holders_of(world, principal).into_iter().any(|holder| Some(holder) == masters)
}

/// Verbs that are dangerous on whatever they are allowed on.
const GRAVE_VERBS: &[&str] = &["bind", "escalate", "impersonate", "approve", "sign"];

/// Verbs that change things.
const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];

/// Resources that lead elsewhere for whoever creates or changes them.
const GRAVE_WRITES: &[&str] = &[
    "pods",
    "pods/ephemeralcontainers",
    "deployments",
    "daemonsets",
    "statefulsets",
    "replicasets",
    "replicationcontrollers",
    "jobs",
    "cronjobs",
    "secrets",
    "serviceaccounts/token",
    "roles",
    "clusterroles",
    "rolebindings",
    "clusterrolebindings",
    "nodes",
    "persistentvolumes",
    "certificatesigningrequests",
    "certificatesigningrequests/approval",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "apiservices",
    "customresourcedefinitions",
];

/// Resources that are worth as much to whoever may only read them.
const GRAVE_READS: &[&str] = &["secrets", "nodes/proxy"];

/// Resources that run commands or carry traffic, with any verb that reaches them.
const CONNECTS: &[&str] = &["pods/exec", "pods/attach", "pods/portforward", "pods/proxy"];

/// Requests that are created and change nothing: they ask what the caller is and may do.
const ASKS: &[&str] =
    &["selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews"];

fn weight(world: &World, rule: &Rule) -> Weight {
    let texts = |syms: &[Sym]| -> Vec<&str> { syms.iter().map(|s| world.text(*s)).collect() };
    let (verbs, resources) = (texts(&rule.verbs), texts(&rule.resources));
    if resources.is_empty() {
        return Weight::Paths;
    }
    let all_verbs = verbs.contains(&"*");
    let verb = |of: &[&str]| all_verbs || verbs.iter().any(|v| of.contains(v));
    let on = |of: &[&str]| resources.iter().any(|r| *r == "*" || of.contains(r));
    let reads = ["get", "list", "watch"];
    if all_verbs && resources.contains(&"*") && rule.names.is_empty() {
        return Weight::Everything;
    }
    let grave = verbs.iter().any(|v| GRAVE_VERBS.contains(v))
        || (verb(&["create", "update", "patch"]) && on(GRAVE_WRITES))
        || (verb(&["get", "create"]) && (on(CONNECTS) || on(GRAVE_READS)))
        || (verb(&reads) && on(&["secrets"]));
    if grave {
        Weight::Danger
    } else if resources.iter().all(|r| ASKS.contains(r)) {
        Weight::Reads
    } else if verb(WRITES) || !verbs.iter().all(|v| reads.contains(v)) {
        Weight::Writes
    } else {
        Weight::Reads
    }
}
