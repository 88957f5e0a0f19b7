//! What a question asks for: a verb, and a resource as it is typed, with the API group that it is of
//! and where it lives.

use super::groups::{Known, named};
use crate::world::World;
use crate::world::rbac::Target;
use std::collections::BTreeSet;

/// Where a resource lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// In namespaces.
    Namespaces,
    /// Outside them: no RoleBinding allows anything on it.
    Cluster,
    /// Neither Kubernetes nor the snapshot says.
    Unknown,
}

impl Scope {
    pub(super) const fn of(namespaced: bool) -> Self {
        if namespaced { Self::Namespaces } else { Self::Cluster }
    }
}

/// A verb and a resource as typed: `pods/exec`, `deployments.apps/scale`, `deploy`, `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub(super) verb: String,
    pub(super) group: String,
    pub(super) resource: String,
    pub(super) subresource: String,
    pub(super) scope: Scope,
    /// Other groups that have a resource of that name.
    pub(super) others: BTreeSet<String>,
}

/// Asks a kubelet's right to tokens for an audience, which stands where a resource would.
const AUDIENCE: &str = "request-serviceaccounts-token-audience";

const RBAC: &str = "rbac.authorization.k8s.io";
const AUTHENTICATION: &str = "authentication.k8s.io";

impl Asked {
    /// Reads what was typed. Every text is a resource; [`super::doubts`] tells which nobody knows.
    /// O(rules).
    #[must_use]
    pub fn read(world: &World, verb: &str, text: &str) -> Self {
        let plain = |resource: &str, scope| Self {
            verb: verb.to_owned(),
            group: String::new(),
            resource: resource.to_owned(),
            subresource: String::new(),
            scope,
            others: BTreeSet::new(),
        };
        if verb == AUDIENCE {
            return plain(text, Scope::Namespaces);
        }
        if text.starts_with('/') {
            return plain(text, Scope::Cluster);
        }
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let (name, group) = group_of(resource);
        let mut others = BTreeSet::new();
        let known = if resource == "*" {
            Known::new("*", "", Scope::Unknown)
        } else if let Some(identity) = impersonated(verb, name).filter(|_| group.is_none()) {
            identity
        } else {
            let mut all = named(world, name, group).into_iter();
            let first = all
                .next()
                .unwrap_or_else(|| Known::new(name, group.unwrap_or_default(), Scope::Unknown));
            // The core group has no resources but Kubernetes' own.
            others = all.map(|k| k.group).filter(|g| !g.is_empty() && *g != first.group).collect();
            first
        };
        let Known { group, plural, scope } = known;
        let scope = judged(verb, &group, &plural).unwrap_or(scope);
        let (verb, subresource) = (verb.to_owned(), subresource.to_owned());
        Self { verb, group, resource: plural, subresource, scope, others }
    }

    /// The verb.
    #[must_use]
    pub fn verb(&self) -> &str {
        &self.verb
    }

    /// What is asked for, as a review does: with the namespace as given. Without one, a request for
    /// a Namespace itself bears that namespace.
    #[must_use]
    pub fn target<'a>(&'a self, name: Option<&'a str>, ns: Option<&'a str>) -> Target<'a> {
        self.within(name, ns.or_else(|| self.own_namespace(name)))
    }

    /// What is asked for, as a request does, which bears no namespace but the one that its path has.
    pub(super) fn request<'a>(&'a self, name: Option<&'a str>, ns: Option<&'a str>) -> Target<'a> {
        let ns = if self.is_cluster_wide() { self.own_namespace(name) } else { ns };
        self.within(name, ns)
    }

    fn within<'a>(&'a self, name: Option<&'a str>, ns: Option<&'a str>) -> Target<'a> {
        if self.is_path() {
            return Target::Path(&self.resource);
        }
        Target::Resource {
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            name: name.unwrap_or(""),
            namespace: ns.unwrap_or(""),
        }
    }

    /// Whether it is a path and no resource.
    pub(super) fn is_path(&self) -> bool {
        self.resource.starts_with('/') && self.verb != AUDIENCE
    }

    /// Whether it lives outside namespaces, as far as is known.
    #[must_use]
    pub fn is_cluster_wide(&self) -> bool {
        self.scope == Scope::Cluster
    }

    /// The namespace in the path of a request for one Namespace, by which its RoleBindings count
    /// (`RequestInfoFactory.NewRequestInfo`). Lists, watches and creations have none.
    pub(super) fn own_namespace<'a>(&self, name: Option<&'a str>) -> Option<&'a str> {
        let name = name.filter(|n| !n.is_empty())?;
        let verb = self.verb.strip_prefix("impersonate-on:").and_then(|v| v.split_once(':'));
        let verb = verb.map_or(self.verb.as_str(), |(_, verb)| verb);
        let reaches = self.group.is_empty()
            && self.resource == "namespaces"
            && matches!(self.subresource.as_str(), "" | "status" | "finalize")
            && matches!(verb, "get" | "update" | "patch" | "delete");
        reaches.then_some(name)
    }

    /// The resource with its subresource, as a rule names it.
    pub(super) fn full(&self) -> String {
        match self.subresource.as_str() {
            "" => self.resource.clone(),
            sub => format!("{}/{sub}", self.resource),
        }
    }
}

/// A resource and the group behind it, if one is typed: `deployments.apps`, or with a version
/// `deployments.v1.apps`; `pods.v1.` is one of the core group.
fn group_of(resource: &str) -> (&str, Option<&str>) {
    let Some((plural, rest)) = resource.split_once('.') else { return (resource, None) };
    let group = match rest.split_once('.') {
        Some((version, group)) if is_version(version) => group,
        _ => rest,
    };
    (plural, Some(group))
}

/// Whether a text is a version of an API: `v1`, `v2beta3`.
fn is_version(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('v') else { return false };
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let stage = digits.trim_end_matches(|c: char| c.is_ascii_digit());
    let numbered = |whole: &str, rest: &str| whole.len() > rest.len();
    numbered(rest, digits)
        && (digits.is_empty() || matches!(stage, "alpha" | "beta") && numbered(digits, stage))
}

/// What a right to impersonate names: identities, which no API serves
/// (`pkg/endpoints/filters/impersonation.go`). The modes of KEP-5284 have a group of their own.
fn impersonated(verb: &str, name: &str) -> Option<Known> {
    let mode = verb.starts_with("impersonate:");
    if !mode && verb != "impersonate" {
        return None;
    }
    let (plural, scope) = match name {
        "users" | "groups" | "uids" | "userextras" => (name, Scope::Cluster),
        "nodes" if mode => (name, Scope::Cluster),
        "serviceaccounts" | "serviceaccount" | "sa" => ("serviceaccounts", Scope::Namespaces),
        _ => return None,
    };
    let group = if mode || matches!(plural, "uids" | "userextras") { AUTHENTICATION } else { "" };
    Some(Known::new(plural, group, scope))
}

/// Where a right counts that the server asks for by itself, and not for a request to the resource:
/// for what is made in a namespace it asks with that namespace.
fn judged(verb: &str, group: &str, resource: &str) -> Option<Scope> {
    let inside = matches!(
        (verb, group, resource),
        ("bind", RBAC, "clusterroles")
            | ("use", "policy" | "extensions", "podsecuritypolicies")
            | ("use", "security.openshift.io", "securitycontextconstraints")
    );
    inside.then_some(Scope::Namespaces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// The bootstrap roles alone.
    fn nothing() -> World {
        World::new(Vec::new(), BTreeMap::new())
    }

    fn read(verb: &str, text: &str) -> (String, String, String) {
        let Asked { group, resource, subresource, .. } = Asked::read(&nothing(), verb, text);
        (group, resource, subresource)
    }

    #[test]
    fn resources_are_read_as_kubectl_reads_them() {
        let told = |g: &str, r: &str, s: &str| (g.to_owned(), r.to_owned(), s.to_owned());
        assert_eq!(read("get", "pods/exec"), told("", "pods", "exec"));
        assert_eq!(read("get", "deploy"), told("apps", "deployments", ""));
        assert_eq!(read("get", "deployments.apps/scale"), told("apps", "deployments", "scale"));
        assert_eq!(read("get", "deployments.v1.apps"), told("apps", "deployments", ""));
        assert_eq!(read("get", "deploy.app"), told("apps", "deployments", ""), "a group's start");
        assert_eq!(read("get", "events"), told("", "events", ""));
        assert_eq!(read("get", "ev.events.k8s.io"), told("events.k8s.io", "events", ""));
        assert_eq!(read("get", "deployments.v1."), told("", "deployments", ""));
        assert_eq!(read("get", "foos.example.com"), told("example.com", "foos", ""));
        assert_eq!(read("get", "/healthz"), told("", "/healthz", ""));
        assert_eq!(read("get", "csr/approval").1, "certificatesigningrequests");
        assert_eq!(read("create", "tokenreviews").0, "authentication.k8s.io");
        assert_eq!(read("get", "*"), told("", "*", ""));
    }

    #[test]
    fn identities_are_of_the_groups_that_the_server_asks_with() {
        for plain in ["users", "groups", "serviceaccounts"] {
            assert_eq!(read("impersonate", plain).0, "");
            assert_eq!(read("impersonate:user-info", plain).0, AUTHENTICATION);
        }
        assert_eq!(read("impersonate", "uids").0, AUTHENTICATION);
        let scopes = (AUTHENTICATION.to_owned(), "userextras".to_owned(), "scopes".to_owned());
        assert_eq!(read("impersonate", "userextras/scopes"), scopes);
        assert_eq!(read("get", "groups").0, "user.openshift.io");
        assert_eq!(read(AUDIENCE, "sts.example.com/x").1, "sts.example.com/x");
    }

    #[test]
    fn a_resource_lives_where_kubernetes_puts_it() {
        let wide = |verb: &str, text: &str| Asked::read(&nothing(), verb, text).is_cluster_wide();
        for text in
            ["nodes", "signers", "storageclasses", "apiservices", "tokenreviews", "/metrics"]
        {
            assert!(wide("get", text), "{text}");
        }
        assert!(wide("impersonate", "groups") && !wide("impersonate", "sa"));
        assert!(!wide("get", "pods/exec") && !wide("get", "localsubjectaccessreviews"));
        // Asked with the namespace of the binding, and of the pod.
        assert!(wide("get", "clusterroles") && !wide("bind", "clusterroles"));
        assert!(wide("get", "psp") && !wide("use", "psp"));
    }

    #[test]
    fn a_request_for_one_namespace_bears_it() {
        let own = |verb: &str, text: &str| {
            Asked::read(&nothing(), verb, text).own_namespace(Some("a")).is_some()
        };
        assert!(own("get", "ns") && own("patch", "namespaces/status"));
        assert!(own("update", "namespaces/finalize") && own("delete", "namespaces"));
        assert!(own("impersonate-on:user-info:get", "namespaces"));
        assert!(!own("list", "namespaces") && !own("watch", "ns") && !own("create", "ns"));
        assert!(!own("get", "nodes") && !own("get", "namespaces/other"));
    }
}
