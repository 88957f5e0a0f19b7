//! Requests without a name, and with any name: what the API server gives to whoever asks.

use super::Family;
use crate::graph::{Odds, Sink, Thing};
use crate::world::rows::Rule;
use crate::world::{Binding, Principal, Role, Subject, UserIx, World};

crate::attack! {
    /// Sends requests to the API server without credentials and is granted more than its version
    /// and health.
    ///
    /// ## Needs
    /// A binding of the user `system:anonymous` or the group `system:unauthenticated` beyond those
    /// that Kubernetes and kubeadm make (`system:public-info-viewer`, the `cluster-info` ConfigMap),
    /// and an API server that is reachable: from the internet a snapshot does not tell; from
    /// containers and nodes it is, unless network policies keep them from it.
    /// ## Abuse
    /// `curl -k https://API:6443/api/v1/namespaces/default/pods` without a token.
    /// ## Stopped by
    /// `--anonymous-auth=false` on the API server, or an `AuthenticationConfiguration` that lets
    /// anonymous requests through to health endpoints only; a private API endpoint.
    /// ## Fix
    /// Delete the binding: `kubectl delete clusterrolebinding NAME`.
    /// ## Detect
    /// Audit events of the user `system:anonymous` that are allowed.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#anonymous-requests>
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles>
    pub(super) static ANONYMOUS_API = {
        id: "anonymous-api", title: "Ask the API server without credentials",
        mitre: &["T1078.001", "MS-TA9005"], odds: Odds::likely(0.5),
    }
}

crate::attack! {
    /// Holds what is bound to everyone who is authenticated, which on GKE is any Google account.
    ///
    /// ## Needs
    /// A binding of the group `system:authenticated` beyond the built-in ones, on GKE with a public
    /// endpoint. Elsewhere the internet has no way in, and the group's members are the cluster's own
    /// users and accounts: they hold the binding by membership, without this step.
    /// ## Abuse
    /// `kubectl --token=$(gcloud auth print-access-token) get pods` with any Google account.
    /// ## Stopped by
    /// Authorized networks or a private endpoint; GKE 1.28 and later refuse some such bindings.
    /// ## Fix
    /// Bind the accounts and groups that are meant; delete the binding of the group.
    /// ## Detect
    /// Audit events of users whose e-mail address is not the organisation's.
    /// ## References
    /// - <https://cloud.google.com/kubernetes-engine/docs/how-to/hardening-your-cluster>
    /// - <https://orca.security/resources/blog/sys-all-google-kubernetes-engine-risk/>
    pub(super) static SYSTEM_AUTHENTICATED_BROAD = {
        id: "system-authenticated-broad", title: "Hold what every authenticated user holds",
        mitre: &["T1078"], odds: Odds::possible(0.3),
    }
}

/// Callers that are nobody in particular.
pub(super) static FAMILY: Family = Family {
    name: "O Anonymous and authenticated callers",
    attacks: &[&ANONYMOUS_API, &SYSTEM_AUTHENTICATED_BROAD],
    find,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    let anonymous = world.user("system:anonymous");
    let unauthenticated = world.group("system:unauthenticated");
    let authenticated = world.group("system:authenticated");
    let refused = refuses_anonymous(world);
    // Any Google account is authenticated by a GKE cluster.
    let google = world.nodes.iter().find(|n| world.text(n.provider).starts_with("gce://"));
    for binding in &world.bindings {
        let Some(role) = binding.role.map(|r| &world.roles[r.index()]) else { continue };
        if role.missing || is_harmless(world, role) {
            continue;
        }
        for subject in &binding.subjects {
            let nameless = match subject.principal {
                Principal::User(user) => Some(user) == anonymous,
                Principal::Group(group) => Some(group) == unauthenticated,
                _ => false,
            };
            if nameless
                && !refused
                && let Some(user) = anonymous
            {
                let facts = facts(sink, binding, subject);
                sink.edge(Thing::Internet, Thing::User(user), &ANONYMOUS_API, &facts);
            }
            if let Principal::Group(group) = subject.principal
                && Some(group) == authenticated
                && let Some(node) = google
            {
                let mut facts = facts(sink, binding, subject);
                let provider = world.text(node.provider);
                facts.push(sink.fact(node.object, ".spec.providerID", provider));
                let to = Thing::Group(group);
                sink.edge(Thing::Internet, to, &SYSTEM_AUTHENTICATED_BROAD, &facts);
            }
        }
    }
}

fn facts(sink: &mut Sink<'_>, binding: &Binding, subject: &Subject) -> Vec<crate::graph::Fact> {
    vec![sink.subject(binding, subject), sink.role_ref(binding)]
}

/// The caller without a name, where it is let in and holds more than Kubernetes gives to everyone.
pub(super) fn nameless_caller(world: &World) -> Option<UserIx> {
    let user = world.user("system:anonymous").filter(|_| !refuses_anonymous(world))?;
    let group = world.group("system:unauthenticated");
    let is_nameless = |subject: &Subject| match subject.principal {
        Principal::User(of) => of == user,
        Principal::Group(of) => Some(of) == group,
        _ => false,
    };
    let gives_more = |binding: &Binding| {
        let role = binding.role.map(|role| &world.roles[role.index()]);
        role.is_some_and(|role| !role.missing && !is_harmless(world, role))
            && binding.subjects.iter().any(is_nameless)
    };
    world.bindings.iter().any(gives_more).then_some(user)
}

/// Whether every API server that the snapshot shows turns anonymous requests away.
fn refuses_anonymous(world: &World) -> bool {
    let mut servers = world.api_servers().peekable();
    servers.peek().is_some()
        && servers.all(|(_, c)| world.flags(c, "--anonymous-auth").last() == Some("false"))
}

/// Whether a role grants no more than what Kubernetes grants to everyone: versions, health and
/// discovery, questions about oneself, and the `cluster-info` with which kubeadm lets nodes join.
fn is_harmless(world: &World, role: &Role) -> bool {
    role.rules.iter().all(|r| world.rules.get(r.rule as usize).is_some_and(|r| rule(world, r)))
}

fn rule(world: &World, rule: &Rule) -> bool {
    const PATHS: &[&str] = &[
        "/healthz",
        "/livez",
        "/readyz",
        "/version",
        "/api",
        "/apis",
        "/openapi",
        "/openid",
        "/.well-known",
    ];
    let reads = rule.verbs.iter().all(|v| matches!(world.text(*v), "get" | "head" | "list"));
    if rule.resources.is_empty() {
        let public = |url: &crate::sym::Sym| {
            PATHS.iter().any(|path| {
                world
                    .text(*url)
                    .strip_prefix(path)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest == "*")
            })
        };
        return reads && rule.urls.iter().all(public);
    }
    let about_oneself = rule.resources.iter().all(|r| {
        matches!(
            world.text(*r),
            "selfsubjectaccessreviews" | "selfsubjectrulesreviews" | "selfsubjectreviews"
        )
    });
    let cluster_info = reads
        && rule.resources.iter().all(|r| world.text(*r) == "configmaps")
        && matches!(&*rule.names, [name] if world.text(*name) == "cluster-info");
    about_oneself || cluster_info
}
