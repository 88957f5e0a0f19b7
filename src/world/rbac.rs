//! RBAC, exactly as the API server evaluates it.
//!
//! Sources: `component-helpers/auth/rbac/validation`, `plugin/pkg/auth/authorizer/rbac`,
//! `pkg/registry/rbac/validation/rule.go`, and what a kube-apiserver 1.36 answered.

use super::{BindingIx, Principal, RoleIx, RuleRef, World};
use crate::sym::Sym;
use rustc_hash::FxHashMap;

/// The namespace and name in `system:serviceaccount:NAMESPACE:NAME`.
#[must_use]
pub fn account_of_user(user: &str) -> Option<(&str, &str)> {
    let (ns, name) = user.strip_prefix("system:serviceaccount:")?.split_once(':')?;
    (!ns.is_empty() && !name.is_empty() && !name.contains(':')).then_some((ns, name))
}

/// The name in `system:node:NAME`.
#[must_use]
pub fn node_of_user(user: &str) -> Option<&str> {
    user.strip_prefix("system:node:").filter(|name| !name.is_empty())
}

/// A request, as the authorizer sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request<'a> {
    pub user: &'a str,
    pub groups: &'a [&'a str],
    pub verb: &'a str,
    pub target: Target<'a>,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target<'a> {
    Resource {
        group: &'a str,
        resource: &'a str,
        /// Empty for the resource itself.
        subresource: &'a str,
        /// Empty for a whole collection.
        name: &'a str,
        /// Empty for a cluster-scoped request.
        namespace: &'a str,
    },
    /// A path such as `/healthz`.
    Path(&'a str),
}

impl Default for Target<'_> {
    fn default() -> Self {
        Self::Path("")
    }
}

/// Why a request is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// The user is in `system:masters`, which is authorized before RBAC is asked.
    Masters,
    /// By a rule of a binding's role.
    By { binding: BindingIx, subject: u32, rule: RuleRef },
}

/// From principals to bindings and from roles to bindings.
#[derive(Debug, Default)]
pub struct Index {
    /// The bindings that name a principal, cluster-wide ones first, each with the subject's place.
    of_principal: FxHashMap<Principal, Vec<(BindingIx, u32)>>,
    of_role: Vec<Vec<BindingIx>>,
}

impl Index {
    pub(super) fn new(world: &World) -> Self {
        let mut index = Self { of_role: vec![Vec::new(); world.roles.len()], ..Self::default() };
        for (i, binding) in world.bindings.iter().enumerate() {
            let ix = BindingIx::new(i);
            if let Some(role) = binding.role {
                index.of_role[role.index()].push(ix);
            }
            for subject in &binding.subjects {
                index.of_principal.entry(subject.principal).or_default().push((ix, subject.place));
            }
        }
        index
    }

    /// The bindings that name a principal itself, with the subject's place in each.
    #[must_use]
    pub fn bindings_of(&self, principal: Principal) -> &[(BindingIx, u32)] {
        self.of_principal.get(&principal).map_or(&[], Vec::as_slice)
    }

    /// The bindings of a role.
    #[must_use]
    pub fn bindings_to(&self, role: RoleIx) -> &[BindingIx] {
        self.of_role.get(role.index()).map_or(&[], Vec::as_slice)
    }
}

impl World {
    /// Answers a request as a SubjectAccessReview does: user and groups as given, and the
    /// namespace honoured even where a real request to a cluster-scoped resource would not carry
    /// one. O(bindings of the user and the groups).
    #[must_use]
    pub fn review(&self, request: &Request<'_>) -> Option<Allowed> {
        if request.groups.contains(&"system:masters") {
            return Some(Allowed::Masters);
        }
        let namespace = match request.target {
            Target::Resource { namespace, .. } => namespace,
            Target::Path(_) => "",
        };
        // A name that occurs nowhere in the snapshot occurs in no rule and no binding either.
        let namespace_sym = self.symbols.get(namespace);
        let user = self.principal_of_user(request.user);
        let groups = request.groups.iter().filter_map(|g| self.group(g)).map(Principal::Group);
        let mut candidates: Vec<(BindingIx, u32)> = user
            .into_iter()
            .chain(groups)
            .flat_map(|p| self.index.bindings_of(p).iter().copied())
            .filter(|(b, _)| {
                let ns = self.bindings[b.index()].ns;
                ns.is_empty() || Some(ns) == namespace_sym
            })
            .collect();
        // The API server visits cluster-wide bindings first.
        candidates.sort_unstable();
        candidates.into_iter().find_map(|(ix, subject)| {
            let role = self.bindings[ix.index()].role?;
            let rules = &self.roles[role.index()].rules;
            let rule = rules.iter().find(|r| self.rule_allows(r.rule, request))?;
            Some(Allowed::By { binding: ix, subject, rule: *rule })
        })
    }

    /// Every binding that allows a verb on a target, with the rule that does. With `anywhere` the
    /// bindings of all namespaces count, whatever namespace the target names.
    #[must_use]
    pub fn allowing(
        &self,
        verb: &str,
        target: &Target<'_>,
        anywhere: bool,
    ) -> Vec<(BindingIx, RuleRef)> {
        let request = Request { user: "", groups: &[], verb, target: target.clone() };
        let namespace = match target {
            Target::Resource { namespace, .. } => self.symbols.get(namespace),
            Target::Path(_) => None,
        };
        let in_scope = |ns: Sym| ns.is_empty() || anywhere || Some(ns) == namespace;
        let bindings = self.bindings.iter().enumerate().filter(|(_, b)| in_scope(b.ns));
        bindings
            .filter_map(|(i, b)| {
                let rules = &self.roles[b.role?.index()].rules;
                let rule = rules.iter().find(|r| self.rule_allows(r.rule, &request))?;
                Some((BindingIx::new(i), *rule))
            })
            .collect()
    }

    /// The principal that requests of a user come from.
    #[must_use]
    pub fn principal_of_user(&self, user: &str) -> Option<Principal> {
        if let Some((ns, name)) = account_of_user(user) {
            let account = self.account(self.symbols.get(ns)?, self.symbols.get(name)?)?;
            return Some(Principal::Account(account));
        }
        if let Some(name) = node_of_user(user) {
            return self.node(self.symbols.get(name)?).map(Principal::Node);
        }
        self.user(user).map(Principal::User)
    }

    /// Whether one rule allows a request: `RuleAllows` of the API server.
    fn rule_allows(&self, rule: u32, request: &Request<'_>) -> bool {
        let Some(rule) = self.rules.get(rule as usize) else { return false };
        let is = |sym: &Sym, text: &str| self.text(*sym) == text;
        let any = |list: &[Sym], text: &str| list.iter().any(|s| is(s, "*") || is(s, text));
        if !any(&rule.verbs, request.verb) {
            return false;
        }
        match request.target {
            Target::Resource { group, resource, subresource, name, .. } => {
                any(&rule.groups, group)
                    && rule
                        .resources
                        .iter()
                        .any(|r| matches_resource(self.text(*r), resource, subresource))
                    && (rule.names.is_empty() || rule.names.iter().any(|n| is(n, name)))
            }
            Target::Path(path) => rule.urls.iter().any(|u| matches_path(self.text(*u), path)),
        }
    }

    /// The groups that Kubernetes itself puts a principal into, by name, and those of OpenShift
    /// that list the user.
    ///
    /// A group's own are those that each of its members is in.
    #[must_use]
    pub fn implicit_groups(&self, principal: Principal) -> Vec<String> {
        let groups: &[&str] = match principal {
            Principal::Account(account) => {
                let ns = self.text(self.accounts[account.index()].ns);
                return vec![
                    format!("system:serviceaccounts:{ns}"),
                    "system:serviceaccounts".to_owned(),
                    "system:authenticated".to_owned(),
                ];
            }
            Principal::Node(_) => &["system:nodes", "system:authenticated"],
            Principal::User(user) => match self.text(self.users[user.index()].1) {
                "system:anonymous" => &["system:unauthenticated"],
                _ => {
                    let own = self.memberships.get(&user).into_iter().flatten();
                    let own = own.map(|(g, _)| self.text(self.groups[g.index()].1).to_owned());
                    return own.chain(["system:authenticated".to_owned()]).collect();
                }
            },
            Principal::Group(group) => match self.text(self.groups[group.index()].1) {
                "system:authenticated" | "system:unauthenticated" => &[],
                name if name.starts_with("system:serviceaccounts:") => {
                    &["system:serviceaccounts", "system:authenticated"]
                }
                _ => &["system:authenticated"],
            },
        };
        groups.iter().map(|g| (*g).to_owned()).collect()
    }
}

/// `ResourceMatches`: `*`, the resource with its subresource, or `*/subresource`. `pods/*` is not
/// a pattern, and `pods` does not cover `pods/exec`.
#[must_use]
pub fn matches_resource(rule: &str, resource: &str, subresource: &str) -> bool {
    if rule == "*" {
        return true;
    }
    if subresource.is_empty() {
        return rule == resource;
    }
    rule.split_once('/').is_some_and(|(r, sub)| sub == subresource && (r == resource || r == "*"))
}

/// `NonResourceURLMatches`: `*`, the path itself, or a prefix that ends with `*`.
#[must_use]
pub fn matches_path(rule: &str, path: &str) -> bool {
    rule == "*"
        || rule == path
        || rule.strip_suffix('*').is_some_and(|prefix| path.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_that_spell_accounts() {
        assert_eq!(account_of_user("system:serviceaccount:ops:robot"), Some(("ops", "robot")));
        assert_eq!(account_of_user("system:serviceaccount:ops"), None);
        assert_eq!(node_of_user("system:node:n1"), Some("n1"));
        assert_eq!(node_of_user("system:node:"), None);
    }

    #[test]
    fn resources_match_as_the_api_server_matches_them() {
        assert!(matches_resource("*/scale", "deployments", "scale"));
        assert!(matches_resource("pods/exec", "pods", "exec"));
        assert!(!matches_resource("pods/*", "pods", "exec"));
        assert!(!matches_resource("pods", "pods", "exec"));
        assert!(!matches_resource("*/exec", "pods", ""));
    }

    #[test]
    fn paths_match_by_prefix() {
        assert!(matches_path("/healthz/*", "/healthz/etcd"));
        assert!(!matches_path("/healthz/*", "/healthz"));
        assert!(matches_path("*", "/anything"));
    }
}
