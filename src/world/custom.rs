//! Custom resources that no rule judges: whoever writes them may steer a controller that the tool
//! does not know.
//!
//! A service account that watches a resource and writes its status is its controller. What the
//! controller does for a writer depends on its program, so this is no edge: most resources give
//! away nothing, and every editor of a namespace may write some. It is said to be unknown.

use super::hosts::Host;
use super::rows::Rule;
use super::{Principal, World};
use crate::sym::Sym;
use std::collections::BTreeSet;

/// The API groups whose resources attacks judge.
pub const JUDGED: &[&str] = &[
    "agent.k8s.elastic.co",
    "apiextensions.crossplane.io",
    "apps.kruise.io",
    "apps.openshift.io",
    "argoproj.io",
    "authorization.azure.com",
    "batch.volcano.sh",
    "beat.k8s.elastic.co",
    "capsule.clastix.io",
    "cert-manager.io",
    "clustersecret.io",
    "elasticsearch.k8s.elastic.co",
    "external-secrets.io",
    "fleet.cattle.io",
    "helm.cattle.io",
    "helm.crossplane.io",
    "helm.m.crossplane.io",
    "helm.toolkit.fluxcd.io",
    "hnc.x-k8s.io",
    "iam.cnrm.cloud.google.com",
    "iam.services.k8s.aws",
    "jobset.x-k8s.io",
    "karpenter.k8s.aws",
    "keda.sh",
    "kibana.k8s.elastic.co",
    "kubeflow.org",
    "kubernetes.crossplane.io",
    "kubernetes.m.crossplane.io",
    "kubevirt.io",
    "kustomize.toolkit.fluxcd.io",
    "kyverno.io",
    "leaderworkerset.x-k8s.io",
    "machineconfiguration.openshift.io",
    "management.cattle.io",
    "monitoring.coreos.com",
    "mutations.gatekeeper.sh",
    "opentelemetry.io",
    "operators.coreos.com",
    "pkg.crossplane.io",
    "policies.kyverno.io",
    "pool.kubevirt.io",
    "ray.io",
    "secrets.hashicorp.com",
    "security.openshift.io",
    "serving.knative.dev",
    "source.toolkit.fluxcd.io",
    "sparkoperator.k8s.io",
    "tekton.dev",
    "triggers.tekton.dev",
    "user.openshift.io",
    "velero.io",
];

impl World {
    /// The API groups of custom resources whose controllers run and that no attack judges, sorted.
    #[must_use]
    pub fn unjudged_groups(&self) -> Vec<&str> {
        let of_rule: Vec<Vec<Sym>> = self.rules.iter().map(|rule| self.controlled(rule)).collect();
        if of_rule.iter().all(Vec::is_empty) {
            return Vec::new();
        }
        let mut running: Vec<_> = self.hosts().filter_map(|h: Host| self.host_account(h)).collect();
        running.sort_unstable();
        running.dedup();
        let mut found = BTreeSet::new();
        for account in running {
            for (binding, _) in self.index.bindings_of(Principal::Account(account)) {
                let role = self.bindings[binding.index()].role.map(|r| &self.roles[r.index()]);
                for rule in role.into_iter().flat_map(|role| &role.rules) {
                    found.extend(of_rule.get(rule.rule as usize).into_iter().flatten().copied());
                }
            }
        }
        found.into_iter().map(|group| self.text(group)).collect()
    }

    /// The groups whose resources' status a rule lets its holder write, as a controller does.
    fn controlled(&self, rule: &Rule) -> Vec<Sym> {
        let text = |list: &[Sym], wanted: &dyn Fn(&str) -> bool| {
            list.iter().any(|s| wanted(self.text(*s)))
        };
        let writes = text(&rule.verbs, &|verb| matches!(verb, "update" | "patch" | "*"));
        let status = text(&rule.resources, &|r| r == "*" || r.ends_with("/status"));
        if !writes || !status {
            return Vec::new();
        }
        rule.groups.iter().copied().filter(|group| is_unjudged(self.text(*group))).collect()
    }
}

/// Whether a group is that of custom resources that no attack judges. Those that end with `.k8s.io`
/// are Kubernetes' own or its projects'.
fn is_unjudged(group: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
    group.contains('.')
        && group.chars().all(plain)
        && !group.ends_with(".k8s.io")
        && !JUDGED.contains(&group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_kubernetes_and_those_that_are_judged_are_left_out() {
        assert!(is_unjudged("longhorn.io"));
        for group in ["", "*", "apps", "rbac.authorization.k8s.io", "velero.io", "evil\u{1b}.io"] {
            assert!(!is_unjudged(group), "{group}");
        }
    }
}
