//! A resource as it is typed, and what a question names that neither Kubernetes nor the snapshot
//! knows.

use super::super::near;
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::World;
use crate::world::rbac::Target;
use crate::world::rows::Rule;
use std::collections::BTreeSet;

/// A resource as typed: `pods/exec`, `deployments.apps/scale`, `deploy`, `/healthz`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    group: String,
    resource: String,
    subresource: String,
}

impl Asked {
    /// Reads what was typed. Every text is a resource; [`doubts`] tells which nobody knows.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text.starts_with('/') {
            let resource = text.to_owned();
            return Self { group: String::new(), resource, subresource: String::new() };
        }
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let (plural, group) = match resource.split_once('.') {
            Some((plural, group)) => (plural.to_owned(), group.to_owned()),
            None => known(resource),
        };
        Self { group, resource: plural, subresource: subresource.to_owned() }
    }

    /// What is asked for.
    #[must_use]
    pub fn target<'a>(&'a self, name: Option<&'a str>, ns: Option<&'a str>) -> Target<'a> {
        if self.resource.starts_with('/') {
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

    /// Whether the resource lives outside namespaces, as far as the tool knows it.
    #[must_use]
    pub fn is_cluster_wide(&self) -> bool {
        Kind::typed(&self.resource).is_some_and(|k| !k.is_namespaced())
    }
}

/// The plural and group of a resource typed without a group, by its kind, plural or short name.
fn known(resource: &str) -> (String, String) {
    if let Some(kind) = Kind::typed(resource) {
        return (kind.plural().to_owned(), kind.group().to_owned());
    }
    let group = match resource {
        "certificatesigningrequests" | "csr" | "signers" => "certificates.k8s.io",
        "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => {
            "admissionregistration.k8s.io"
        }
        "storageclasses" | "csidrivers" => "storage.k8s.io",
        "poddisruptionbudgets" => "policy",
        "leases" => "coordination.k8s.io",
        "customresourcedefinitions" | "crd" => "apiextensions.k8s.io",
        _ => "",
    };
    let plural = match resource {
        "csr" => "certificatesigningrequests",
        "crd" => "customresourcedefinitions",
        other => other,
    };
    (plural.to_owned(), group.to_owned())
}

/// The verbs that Kubernetes knows.
const VERBS: &[&str] = &[
    "approve",
    "attest",
    "bind",
    "create",
    "delete",
    "deletecollection",
    "escalate",
    "get",
    "head",
    "impersonate",
    "list",
    "options",
    "patch",
    "post",
    "proxy",
    "put",
    "sign",
    "update",
    "use",
    "watch",
    "*",
];

/// Something that a question names and nobody knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubt {
    /// What is not known, in a sentence that quotes it.
    pub text: String,
    /// What was perhaps meant, in backticks; empty where nothing is near.
    pub near: String,
}

/// What a question names that neither Kubernetes nor the snapshot knows: a `no` to a slip of the pen
/// would be believed. Resources of other APIs are known by the rules that name them.
#[must_use]
pub fn doubts(world: &World, asked: &Asked, verb: &str, namespace: Option<&str>) -> Vec<Doubt> {
    let rules = |of: fn(&Rule) -> &[Sym], text: &str| {
        let sym = world.symbols.get(text);
        sym.is_some_and(|sym| world.rules.iter().any(|rule| of(rule).contains(&sym)))
    };
    let mut doubts = Vec::new();
    if !VERBS.contains(&verb) && !rules(|r| &r.verbs, verb) {
        let text = format!("no rule has the verb `{verb}`, and Kubernetes has none of that name");
        let near = near::words(verb, named(world, |r| &r.verbs, VERBS.iter().copied()).into_iter());
        doubts.push(Doubt { text, near });
    }
    let resource = &asked.resource;
    let path = resource.starts_with('/');
    let full = match asked.subresource.as_str() {
        "" => resource.clone(),
        sub => format!("{resource}/{sub}"),
    };
    let known = path
        || full == "*"
        || (asked.subresource.is_empty() && Kind::typed(resource).is_some())
        || rules(|r| &r.resources, &full);
    if !known {
        let text = format!("no rule names the resource `{full}`; is it spelled in the plural?");
        let all = named(world, |r| &r.resources, Kind::served().map(Kind::plural));
        let near = near::words(&full, all.into_iter());
        doubts.push(Doubt { text, near });
    }
    if let Some(ns) = namespace
        && world.symbols.get(ns).is_none_or(|ns| world.namespace(ns).is_none())
    {
        let text = format!("the snapshot has no namespace `{ns}`");
        let near = near::words(ns, world.namespaces.iter().map(|n| world.text(n.name)));
        doubts.push(Doubt { text, near });
    }
    doubts
}

/// What the rules of the snapshot name and what Kubernetes does, each once.
fn named(
    world: &World,
    of: fn(&Rule) -> &[Sym],
    known: impl Iterator<Item = &'static str>,
) -> BTreeSet<&str> {
    let rules = world.rules.iter().flat_map(|rule| of(rule).iter().map(|s| world.text(*s)));
    let mut all: BTreeSet<&str> = rules.collect();
    for name in known {
        all.insert(name);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, String, String) {
        let Asked { group, resource, subresource } = Asked::parse(text);
        (group, resource, subresource)
    }

    #[test]
    fn resources_are_read_as_kubectl_reads_them() {
        let told = |g: &str, r: &str, s: &str| (g.to_owned(), r.to_owned(), s.to_owned());
        assert_eq!(read("pods/exec"), told("", "pods", "exec"));
        assert_eq!(read("deploy"), told("apps", "deployments", ""));
        assert_eq!(read("deployments.apps/scale"), told("apps", "deployments", "scale"));
        assert_eq!(read("/healthz"), told("", "/healthz", ""));
        assert_eq!(read("csr/approval").1, "certificatesigningrequests");
        assert!(Asked::parse("nodes").is_cluster_wide());
        assert!(!Asked::parse("pods/exec").is_cluster_wide());
    }
}
