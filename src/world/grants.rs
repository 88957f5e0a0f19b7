//! Who holds a permission, and by which binding: the question that attacks ask.
//!
//! A review (`rbac`) goes from one request to yes or no. Here the way is back: from a verb and a
//! resource to every binding that grants it, how far it reaches and which names it is limited to.
//! Edges follow real requests: a cluster-scoped resource is granted by ClusterRoleBindings alone.

use super::rbac::matches_resource;
use super::rows::Rule;
use super::{BindingIx, Namespace, NamespaceIx, Principal, RuleRef, Subject, World};
use crate::sym::Sym;

/// A permission that an attack needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    pub verb: &'static str,
    pub group: &'static str,
    pub resource: &'static str,
    /// Empty for the resource itself.
    pub subresource: &'static str,
    /// Whether a cluster-wide binding alone can grant it.
    pub cluster: bool,
    /// Whether the request bears the object's name, so that `resourceNames` can allow it.
    pub named: bool,
}

impl Permission {
    /// A permission on objects in namespaces, asked for by name or not as the verb goes:
    /// `create`, `list`, `watch` and `deletecollection` of a collection bear no name.
    #[must_use]
    pub const fn namespaced(
        verb: &'static str,
        group: &'static str,
        resource: &'static str,
    ) -> Self {
        let (resource, subresource) = split(resource);
        // A request to a subresource stands in the object's path and bears its name.
        let named = !subresource.is_empty() || !is_collection_verb(verb);
        Self { verb, group, resource, subresource, cluster: false, named }
    }

    /// A permission on objects of the whole cluster.
    #[must_use]
    pub const fn cluster(verb: &'static str, group: &'static str, resource: &'static str) -> Self {
        Self { cluster: true, ..Self::namespaced(verb, group, resource) }
    }

    /// The same with another verb that needs the object's name where this one does not.
    #[must_use]
    pub const fn with_name(self) -> Self {
        Self { named: true, ..self }
    }

    /// Whether the admission plugin NodeRestriction limits kubelets in it, whatever RBAC grants
    /// them: to tokens of their own pods, to mirror pods, to their own node and the pods on it
    /// (executed on 1.36). What the node authorizer gives a kubelet follows from its node. It has
    /// no say in reading and in connecting to pods.
    #[must_use]
    pub fn is_restricted_for_kubelets(&self) -> bool {
        if !self.group.is_empty() || !matches!(self.verb, "create" | "update" | "patch" | "delete")
        {
            return false;
        }
        match self.resource {
            "pods" => matches!(
                self.subresource,
                "" | "status" | "eviction" | "ephemeralcontainers" | "resize"
            ),
            "nodes" => matches!(self.subresource, "" | "status"),
            "serviceaccounts" => self.subresource == "token",
            _ => false,
        }
    }

    /// As kubectl would write it: `create pods/exec`.
    #[must_use]
    pub fn phrase(&self) -> String {
        match self.subresource {
            "" => format!("{} {}", self.verb, self.resource),
            sub => format!("{} {}/{sub}", self.verb, self.resource),
        }
    }
}

/// Splits `pods/exec`; `const`, so that tables of permissions are data.
const fn split(resource: &'static str) -> (&'static str, &'static str) {
    let bytes = resource.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if bytes[i] == b'/' {
            let (head, tail) = bytes.split_at(i);
            let (_, tail) = tail.split_at(1);
            return match (std::str::from_utf8(head), std::str::from_utf8(tail)) {
                (Ok(head), Ok(tail)) => (head, tail),
                _ => (resource, ""),
            };
        }
        i += 1;
    }
    (resource, "")
}

const fn is_collection_verb(verb: &str) -> bool {
    matches!(verb.as_bytes(), b"create" | b"list" | b"watch" | b"deletecollection")
}

/// How far a grant reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    Cluster,
    /// One namespace.
    Namespace(Sym),
}

impl Scope {
    /// The narrower of two grants that must be used together, if they meet.
    #[must_use]
    pub fn meet(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Cluster, scope) | (scope, Self::Cluster) => Some(scope),
            (a, b) => (a == b).then_some(a),
        }
    }

    /// Whether an object in this namespace is reached.
    #[must_use]
    pub fn covers(self, ns: Sym) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(of) => of == ns,
        }
    }
}

/// Which objects a grant is limited to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names<'w> {
    All,
    /// `resourceNames`: never empty.
    Only(&'w [Sym]),
}

impl Names<'_> {
    /// Whether an object of this name is reached.
    #[must_use]
    pub fn covers(&self, name: Sym) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.contains(&name),
        }
    }
}

/// A binding that grants a permission by one of its rules.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'w> {
    pub binding: BindingIx,
    pub scope: Scope,
    pub rule: RuleRef,
    pub names: Names<'w>,
    /// The permission that was asked for.
    pub permission: Permission,
    /// Other permissions that would do as well, some of which the rule may grant too.
    pub others: &'static [Permission],
}

/// Two grants that one principal holds together.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'w> {
    pub holder: Holder,
    pub first: Grant<'w>,
    pub second: Grant<'w>,
    pub scope: Scope,
}

/// Whoever holds a pair of grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// One binding grants both, to all its subjects.
    Binding(BindingIx),
    /// A principal, by two bindings that name it or its groups at these subjects.
    Principal(Principal, Subject, Subject),
}

impl World {
    /// Every grant of a permission whose requests the API server's own admission lets pass, by
    /// binding and rule. O(distinct rules + bindings).
    #[must_use]
    pub fn grants(&self, permission: &Permission) -> Vec<Grant<'_>> {
        let mut grants = self.authorized(permission);
        grants.retain(|grant| !self.refuses(permission, grant.scope));
        grants
    }

    /// Every grant of a permission, in namespaces that refuse what it asks for too.
    #[must_use]
    pub fn authorized(&self, permission: &Permission) -> Vec<Grant<'_>> {
        let matching: Vec<Option<Names<'_>>> =
            self.rules.iter().map(|rule| self.matches(rule, permission)).collect();
        let mut grants = Vec::new();
        let restricted = permission.is_restricted_for_kubelets();
        for (i, role) in self.roles.iter().enumerate() {
            for rule in &role.rules {
                let Some(Some(names)) = matching.get(rule.rule as usize) else { continue };
                for binding in self.index.bindings_to(super::RoleIx::new(i)) {
                    if restricted && self.binds_kubelets_only(*binding) {
                        continue;
                    }
                    let ns = self.bindings[binding.index()].ns;
                    let scope = if ns.is_empty() { Scope::Cluster } else { Scope::Namespace(ns) };
                    if permission.cluster && scope != Scope::Cluster {
                        continue;
                    }
                    grants.push(Grant {
                        binding: *binding,
                        scope,
                        rule: *rule,
                        names: *names,
                        permission: *permission,
                        others: &[],
                    });
                }
            }
        }
        grants.sort_unstable_by_key(|g| (g.binding, g.rule));
        grants
    }

    /// Whether a binding has subjects, all of them kubelets.
    #[must_use]
    pub fn binds_kubelets_only(&self, binding: BindingIx) -> bool {
        let is_kubelet = |principal: Principal| match principal {
            Principal::Node(_) => true,
            Principal::Group(g) => self.text(self.groups[g.index()].1) == "system:nodes",
            Principal::Account(_) | Principal::User(_) => false,
        };
        let subjects = &self.bindings[binding.index()].subjects;
        !subjects.is_empty() && subjects.iter().all(|s| is_kubelet(s.principal))
    }

    /// The namespaces that a scope reaches, in order.
    #[must_use]
    pub fn reached(&self, scope: Scope) -> &[Namespace] {
        match scope {
            Scope::Cluster => &self.namespaces,
            Scope::Namespace(ns) => {
                let at = self.namespace(ns).map(NamespaceIx::index);
                at.map_or(&[], |i| &self.namespaces[i..=i])
            }
        }
    }

    /// Every grant of any of some permissions.
    #[must_use]
    pub fn grants_any(&self, permissions: &[Permission]) -> Vec<Grant<'_>> {
        let mut grants: Vec<_> = permissions.iter().flat_map(|p| self.grants(p)).collect();
        grants.sort_by_key(|g| (g.binding, g.rule));
        grants.dedup_by_key(|g| (g.binding, g.rule));
        grants
    }

    /// The same, where each of the permissions does as well as another.
    #[must_use]
    pub fn grants_either(&self, permissions: &'static [Permission]) -> Vec<Grant<'_>> {
        let grants = self.grants_any(permissions).into_iter();
        grants.map(|grant| Grant { others: permissions, ..grant }).collect()
    }

    /// Whether the rule of a grant grants another permission on as many objects.
    #[must_use]
    pub fn grants_also(&self, grant: &Grant<'_>, permission: &Permission) -> bool {
        let rule = self.rules.get(grant.rule.rule as usize);
        rule.and_then(|rule| self.matches(rule, permission)).is_some_and(|n| n == grant.names)
    }

    /// What a rule grants of a permission: nothing, everything, or these names.
    fn matches<'w>(&'w self, rule: &'w Rule, permission: &Permission) -> Option<Names<'w>> {
        let any = |list: &[Sym], wanted: &str| {
            list.iter().any(|s| matches!(self.text(*s), "*") || self.text(*s) == wanted)
        };
        let fits = any(&rule.verbs, permission.verb)
            && any(&rule.groups, permission.group)
            && rule.resources.iter().any(|r| {
                matches_resource(self.text(*r), permission.resource, permission.subresource)
            });
        if !fits {
            return None;
        }
        match (&*rule.names, permission.named) {
            ([], _) => Some(Names::All),
            (names, true) => Some(Names::Only(names)),
            // A request without a name bears the empty one, and a rule may list that
            // (executed on 1.36).
            (names, false) => names.contains(&Sym::EMPTY).then_some(Names::All),
        }
    }

    /// Every way in which one principal holds both of two kinds of grant at once, as two checks of
    /// one request need it. Groups that Kubernetes assigns are taken into account; whether two
    /// other groups share a member is not in the snapshot.
    #[must_use]
    pub fn pairs<'w>(&'w self, first: &[Grant<'w>], second: &[Grant<'w>]) -> Vec<Pair<'w>> {
        let mut pairs = Vec::new();
        for a in first {
            for b in second {
                let Some(scope) = a.scope.meet(b.scope) else { continue };
                if a.binding == b.binding {
                    let holder = Holder::Binding(a.binding);
                    pairs.push(Pair { holder, first: *a, second: *b, scope });
                    continue;
                }
                // A rule that grants both by itself needs no help from another binding.
                if self.grants_both(a, second) || self.grants_both(b, first) {
                    continue;
                }
                for s in &self.bindings[a.binding.index()].subjects {
                    for t in &self.bindings[b.binding.index()].subjects {
                        let Some(holder) = self.common(s.principal, t.principal) else { continue };
                        let holder = Holder::Principal(holder, *s, *t);
                        pairs.push(Pair { holder, first: *a, second: *b, scope });
                    }
                }
            }
        }
        pairs
    }

    fn grants_both(&self, grant: &Grant<'_>, other: &[Grant<'_>]) -> bool {
        let start = other.partition_point(|g| g.binding < grant.binding);
        other[start..]
            .iter()
            .take_while(|g| g.binding == grant.binding)
            .any(|g| g.rule == grant.rule && g.names == Names::All)
    }

    /// The principal that is both of two: one of them, where it is a member of the other.
    #[must_use]
    pub fn common(&self, a: Principal, b: Principal) -> Option<Principal> {
        if a == b || self.is_member(a, b) { Some(a) } else { self.is_member(b, a).then_some(b) }
    }

    /// Whether a principal, or each member of a group, is in another group by Kubernetes' rules.
    #[must_use]
    pub fn is_member(&self, member: Principal, group: Principal) -> bool {
        let Principal::Group(group) = group else { return false };
        let name = self.text(self.groups[group.index()].1);
        self.implicit_groups(member).iter().any(|g| g == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subresources_are_named_even_when_created() {
        let exec = Permission::namespaced("create", "", "pods/exec");
        assert_eq!((exec.resource, exec.subresource, exec.named), ("pods", "exec", true));
        assert!(!Permission::namespaced("create", "", "pods").named);
        assert!(Permission::namespaced("get", "", "secrets").named);
        assert_eq!(exec.phrase(), "create pods/exec");
    }
}
