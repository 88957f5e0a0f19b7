//! Admission webhooks: which of them a Service answers, and about what of worth they are asked.

use super::{number, place};
use crate::k8s::admission::Webhook;
use crate::world::rows::{Hook, Part, Selector};

/// What makes pods, by group: a webhook that changes it chooses their image and their account.
const MAKERS: &[(&str, &str)] = &[
    ("", "pods"),
    ("", "replicationcontrollers"),
    ("apps", "deployments"),
    ("apps", "daemonsets"),
    ("apps", "statefulsets"),
    ("apps", "replicasets"),
    ("batch", "jobs"),
    ("batch", "cronjobs"),
];

impl Part {
    /// The webhooks that are worth answering. One that does not change what it is asked about
    /// learns from Secrets alone.
    pub(super) fn hooks(&mut self, webhooks: &[Webhook<'_>], mutates: bool) -> Box<[Hook]> {
        let mut hooks = Vec::new();
        for (i, webhook) in webhooks.iter().enumerate() {
            let Some(service) = webhook.client_config.as_ref().and_then(|c| c.service.as_ref())
            else {
                continue;
            };
            let asks = |operations: &[&str], group: &str, resource: &str, namespaced| {
                webhook.rules.iter().any(|r| r.asks(operations, group, resource, namespaced))
            };
            // A pod is what it is from its creation on; a template counts at each change too.
            let makes = |(group, resource): &(&str, &str)| {
                let operations: &[&str] =
                    if *resource == "pods" { &["CREATE"] } else { &["CREATE", "UPDATE"] };
                asks(operations, group, resource, true)
            };
            let rights = |resource: &&str| {
                asks(&["CREATE", "UPDATE"], "rbac.authorization.k8s.io", resource, false)
            };
            let pods = mutates && MAKERS.iter().any(makes);
            let rights = mutates && ["clusterroles", "clusterrolebindings"].iter().any(rights);
            let secrets = asks(&["CREATE", "UPDATE", "DELETE"], "", "secrets", true);
            let refuses = !mutates && asks(&["CREATE"], "", "pods", true);
            if !pods && !rights && !secrets && !refuses {
                continue;
            }
            let objects = webhook.object_selector.as_ref().map(|s| self.selector(s));
            let narrowed =
                objects.is_some_and(|s| !s.0.is_empty()) || !webhook.match_conditions.is_empty();
            let namespaces = match &webhook.namespace_selector {
                Some(selector) => self.selector(selector),
                None => Selector(Box::default()),
            };
            hooks.push(Hook {
                place: place(i),
                service: (self.sym(&service.namespace), self.sym(&service.name)),
                port: match number(service.port) {
                    0 => 443,
                    port => port,
                },
                pods,
                rights,
                secrets,
                refuses,
                namespaces,
                narrowed,
            });
        }
        hooks.into()
    }
}
