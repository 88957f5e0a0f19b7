//! Answering for a kind of custom resources: whoever changes its definition names a webhook that
//! converts every object of the kind, and so rewrites what its controller reads.
//!
//! What that gives is what writing such an object gives, by the same tables of controllers that
//! run. An object must be there: a conversion changes objects and makes none.

use super::Family;
use super::deputies::{Deputy, To, placed};
use super::together::parts;
use super::{flux, gitops, platform_operators, policy_engines, secret_operators};
use crate::graph::{Confidence, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::World;
use crate::world::grants::{Names, Permission};
use std::collections::BTreeSet;

crate::attack! {
    /// Rewrites the custom resources of a controller by a conversion webhook of one's own.
    ///
    /// ## Needs
    /// `update` or `patch` on the CustomResourceDefinition, a running controller that does with its
    /// own account what such an object says, and an object of the kind in the snapshot.
    /// ## Abuse
    /// Give the definition another served version and `spec.conversion: {strategy: Webhook, webhook:
    /// {clientConfig: {url: HOST, caBundle: CA}}}`; the API server then asks HOST for every object
    /// that is stored in another version than it is read in, and hands the answer to the
    /// controller. The answer may change everything but the object's metadata.
    /// ## Stopped by
    /// `resourceNames` without the definition's name. An API server that reaches neither the host
    /// nor a Service of the attacker's. A tool that puts the definition back. A wrong answer breaks
    /// the kind for everybody, so it shows.
    /// ## Fix
    /// Leave writes on `customresourcedefinitions` to whoever is an administrator already.
    /// ## Detect
    /// Audit events with verb `update` or `patch` on `customresourcedefinitions` that change
    /// `spec.conversion` or `spec.versions`, by others than the definition's installer.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/>
    /// - kubernetes apiextensions-apiserver `pkg/apiserver/conversion/webhook_converter.go`
    pub(super) static CRD_CONVERSION_WEBHOOK = {
        id: "crd-conversion-webhook", title: "Rewrite custom resources by a conversion",
        mitre: &["T1557", "T1546"], odds: Odds::possible(0.35),
    }
}

/// Conversion of custom resources.
pub(super) static FAMILY: Family = Family {
    name: "G Admission & API machinery: custom resources",
    attacks: &[&CRD_CONVERSION_WEBHOOK],
    find,
};

/// Controllers that read what a conversion rewrites; the row of the tables is told by the number.
static CONVERTED: SetKind =
    SetKind { id: "converted-resources", noun: "controllers of rewritten resources" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let right =
        |verb| Permission::cluster(verb, "apiextensions.k8s.io", "customresourcedefinitions");
    let grants = parts(world, &[right("update"), right("patch")]);
    if grants.is_empty() {
        return;
    }
    let tables = [
        flux::ROWS,
        gitops::ROWS,
        platform_operators::ROWS,
        policy_engines::ROWS,
        secret_operators::ROWS,
    ];
    let mut number = 0;
    for rows in tables {
        for (row, there) in placed(world, rows) {
            number += 1;
            if row.to != To::Account || there.is_empty() {
                continue;
            }
            let names = definitions(world, row);
            let to = Thing::Set(SetKey { kind: &CONVERTED, ns: Sym::EMPTY, of: number });
            let mut some = false;
            for grant in &grants {
                let fits = match grant.names {
                    Names::All => !names.is_empty(),
                    Names::Only(only) => only.iter().any(|name| names.contains(world.text(*name))),
                };
                if fits {
                    some = true;
                    let facts = sink.grant(grant);
                    sink.edge(Thing::Binding(grant.binding), to, &CRD_CONVERSION_WEBHOOK, &facts);
                }
            }
            for (found, reach) in there.iter().filter(|_| some) {
                let facts = found.facts(world, sink, reach.shows);
                let odds = Odds::certain(1.0).but(reach.factor, reach.sure.max(Confidence::Likely));
                let account = Thing::Account(found.account);
                sink.edge_with(to, account, &CRD_CONVERSION_WEBHOOK, odds, &facts);
            }
        }
    }
}

/// The definitions of the resources that steer a row's controller, where some object is there.
fn definitions(world: &World, row: &Deputy) -> BTreeSet<String> {
    let resources = row.steers.iter().filter(|steer| !steer.group.is_empty());
    let names = resources.flat_map(|s| s.resources.iter().map(|r| (s.group, *r)));
    let there = |(group, resource): &(&str, &str)| {
        let of = |((g, kind), count): (&(String, String), &u64)| {
            *count > 0 && g == group && is_plural(resource, kind)
        };
        world.seen.iter().any(of)
    };
    names.filter(there).map(|(group, resource)| format!("{resource}.{group}")).collect()
}

/// Whether a resource's name is that of a kind's objects.
fn is_plural(resource: &str, kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    let stem = kind.strip_suffix('y').map(|stem| format!("{stem}ies"));
    resource.strip_prefix(kind.as_str()).is_some_and(|end| matches!(end, "" | "s" | "es"))
        || stem.is_some_and(|plural| plural == resource)
}

#[cfg(test)]
mod tests {
    use super::is_plural;

    #[test]
    fn resources_of_kinds() {
        assert!(is_plural("applications", "Application") && is_plural("iampolicies", "IAMPolicy"));
        assert!(is_plural("gitrepos", "GitRepo") && is_plural("pushsecrets", "PushSecret"));
        assert!(!is_plural("applicationsets", "Application") && !is_plural("objects", "Release"));
    }
}
