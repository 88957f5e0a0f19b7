//! Tokens of service accounts: in containers, in Secrets, and made on request. Token Secrets that an
//! attacker makes are in `token_secrets`.

use super::Family;
use super::pod_api::{named, set_of};
use super::sets::SERVICE_ACCOUNTS;
use super::token_secrets::{self, SECRET_CREATE_TOKEN, SECRET_REPOINT_TOKEN};
use crate::graph::{Confidence, Fact, Odds, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission};
use crate::world::hosts::Host;
use crate::world::pods::{Container, PodSpec, Volume};
use crate::world::{AccountIx, World};
use rustc_hash::FxHashMap;

crate::attack! {
    /// A container has an API token of its pod's service account.
    ///
    /// ## Needs
    /// The container mounts a projected volume with a token for the API server's audience, as the
    /// API server adds it to every container unless `automountServiceAccountToken` is false in the
    /// pod, or in the account and not true in the pod.
    /// ## Abuse
    /// In the container: `cat /var/run/secrets/kubernetes.io/serviceaccount/token`, then
    /// `kubectl --token ... auth can-i --list`.
    /// ## Stopped by
    /// `automountServiceAccountToken: false` without a token volume; a container that does not
    /// mount the volume; a token for another audience. Static pods have no account.
    /// ## Fix
    /// Set `automountServiceAccountToken: false` in the pod's specification, or give the workload
    /// an account of its own without bindings.
    /// ## Detect
    /// Audit events of the account from other addresses or user agents than its pods use;
    /// `authentication.kubernetes.io/pod-name` in the event names the pod that a token is bound to.
    /// ## References
    /// - kubernetes `plugin/pkg/admission/serviceaccount/admission.go`
    /// - <https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/>
    pub(super) static POD_USES_SERVICE_ACCOUNT = {
        id: "pod-uses-service-account", title: "Holds the token of",
        mitre: &["T1528", "MS-TA9016"], odds: Odds::certain(0.98),
    }
}

crate::attack! {
    /// A Secret holds a token of a service account that does not expire.
    ///
    /// ## Needs
    /// The Secret has the type `kubernetes.io/service-account-token`, and its annotation names a
    /// service account that exists, with the uid that it has today. Where its keys are shown and
    /// the token is not among them, it is likely: the controller fills it, or the snapshot lacks it.
    /// ## Abuse
    /// Decode the Secret's `token` and send it as a bearer token.
    /// ## Stopped by
    /// An account that was made anew since: the uid differs. The label
    /// `kubernetes.io/legacy-token-invalid-since`, which the API server puts on unused ones.
    /// ## Fix
    /// Delete the Secret; use tokens that the kubelet projects, or short ones by TokenRequest.
    /// ## Detect
    /// Audit events with the annotation `authentication.k8s.io/legacy-token`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/secret/#serviceaccount-token-secrets>
    /// - executed on kube-apiserver 1.36: with a wrong uid the controller deletes the Secret
    pub(super) static SECRET_HOLDS_SERVICE_ACCOUNT_TOKEN = {
        id: "secret-holds-service-account-token", title: "Is a token of", mitre: &["T1528"],
        odds: Odds::certain(0.98),
    }
}

crate::attack! {
    /// Asks for a token of a service account.
    ///
    /// ## Needs
    /// `create` on `serviceaccounts/token`, of the API group ``""``; `resourceNames` are honoured.
    /// ## Abuse
    /// `kubectl create token -n NAMESPACE ACCOUNT --duration=24h`.
    /// ## Stopped by
    /// The account must exist. `resourceNames` limit it to those accounts. A kubelet gets tokens
    /// of the accounts of its own pods only. A namespace that is `Terminating` gives no new token.
    /// ## Fix
    /// Remove `serviceaccounts/token` from the role, or name the accounts in `resourceNames`.
    /// ## Detect
    /// Audit events with `objectRef.resource=serviceaccounts` and `subresource=token` by others
    /// than kubelets.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1/>
    /// - executed on kube-apiserver 1.36, with `resourceNames` too
    pub(super) static TOKEN_REQUEST = {
        id: "token-request", title: "Ask for a token of", mitre: &["T1528", "T1550.001"],
        odds: Odds::certain(0.95),
    }
}

/// Tokens of service accounts.
pub(super) static FAMILY: Family = Family {
    name: "D Tokens",
    attacks: &[
        &POD_USES_SERVICE_ACCOUNT,
        &SECRET_HOLDS_SERVICE_ACCOUNT_TOKEN,
        &SECRET_CREATE_TOKEN,
        &SECRET_REPOINT_TOKEN,
        &TOKEN_REQUEST,
    ],
    find,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    in_containers(world, sink);
    for secret in &world.secrets {
        let Some(account) = secret.account.filter(|_| !secret.dead) else { continue };
        let of = &world.accounts[account.index()];
        if of.exists {
            let field = ".metadata.annotations[\"kubernetes.io/service-account.name\"]";
            let mut facts = vec![sink.fact(secret.object, field, world.text(of.name))];
            let ix = world.secret(secret.ns, secret.name).map(Thing::Secret);
            let Some(from) = ix else { continue };
            let mut odds = SECRET_HOLDS_SERVICE_ACCOUNT_TOKEN.odds;
            if !secret.filled {
                // The controller puts it there sooner or later; or it was taken out of the dump.
                odds = odds.but(0.7, Confidence::Likely);
                facts.push(sink.fact(secret.object, ".data", "no token is shown"));
            }
            let to = Thing::Account(account);
            sink.edge_with(from, to, &SECRET_HOLDS_SERVICE_ACCOUNT_TOKEN, odds, &facts);
        }
    }
    requests(world, sink);
    token_secrets::find(world, sink);
}

/// A token in a container.
struct Token {
    container: usize,
    /// The facts that put it there, of the first host of its shape.
    facts: Vec<Fact>,
    /// It is there because the API server mounts one by default.
    by_default: bool,
}

/// Whether a mounted part of a token volume holds the token.
fn holds_token(sub_path: &str) -> bool {
    !matches!(sub_path.trim_matches('/'), "ca.crt" | "namespace")
}

/// The tokens that the specification of what has one shape spells out, and the containers that get
/// one by default.
fn tokens(world: &World, sink: &mut Sink<'_>, host: Host, audiences: &[Sym]) -> Vec<Token> {
    let spec = world.host_spec(host);
    let (object, _) = world.host_object(host);
    let mut fact =
        |field: &str, value: &str| sink.fact(object, &world.host_field(host, field), value);
    let account = fact(".spec.serviceAccountName", world.text(spec.account));
    let is_api = |audience: Sym| is_api_audience(world, audiences, audience);
    let mut found = Vec::new();
    for (i, container) in spec.containers.iter().enumerate() {
        for mount in container.mounts.iter().filter(|m| holds_token(world.text(m.sub_path))) {
            let volume = spec.volumes.get(usize::from(mount.volume));
            let Some(Volume::Projected { tokens, .. }) = volume else { continue };
            for (source, audience) in tokens.iter().filter(|(_, audience)| is_api(*audience)) {
                let at = format!(
                    ".spec.volumes[{}].projected.sources[{source}].serviceAccountToken",
                    mount.volume
                );
                let audience = match world.text(*audience) {
                    "" => "for the API server",
                    audience => audience,
                };
                let mounted = format!("{}.volumeMounts[{}]", container.field(), mount.place);
                let facts =
                    vec![fact(&at, audience), fact(&mounted, "the token's volume"), account];
                found.push(Token { container: i, facts, by_default: false });
            }
        }
        if !container.mounts.iter().any(|m| m.at_token_path) {
            found.push(Token { container: i, facts: vec![account], by_default: true });
        }
    }
    found
}

/// What the API server takes for its own audience, as its flags say where they are shown.
pub(super) fn api_audiences(world: &World) -> Vec<Sym> {
    let flags = ["--api-audiences=", "--service-account-issuer="];
    let commands = world.specs.iter().flat_map(|s| &s.containers).flat_map(|c| &c.command);
    let values = commands.filter_map(|flag| {
        let flag = world.text(*flag);
        flags.iter().find_map(|f| flag.strip_prefix(f))
    });
    let mut found: Vec<Sym> =
        values.flat_map(|v| v.split(',')).filter_map(|v| world.symbols.get(v)).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a token for an audience is one for the API server: for none in particular, for its
/// usual issuer, or for one of those that `api_audiences` found.
pub(super) fn is_api_audience(world: &World, known: &[Sym], audience: Sym) -> bool {
    let text = world.text(audience);
    text.is_empty() || text.contains("kubernetes.default.svc") || known.contains(&audience)
}

fn in_containers(world: &World, sink: &mut Sink<'_>) {
    each_token(
        world,
        sink,
        |_| true,
        |sink, host, container, account, odds, facts| {
            let from = Thing::Container(host, container);
            sink.edge_with(from, Thing::Account(account), &POD_USES_SERVICE_ACCOUNT, odds, facts);
        },
    );
}

/// Every container that can be entered and has a token of the API of a wanted account: the host,
/// the container's place, the account, and how sure that is with what says so.
pub(super) fn each_token(
    world: &World,
    sink: &mut Sink<'_>,
    wanted: impl Fn(AccountIx) -> bool,
    mut found: impl FnMut(&mut Sink<'_>, Host, usize, AccountIx, Odds, &[Fact]),
) {
    let audiences = api_audiences(world);
    let mut known: FxHashMap<(u32, Sym), Vec<Token>> = FxHashMap::default();
    for host in world.hosts() {
        let account = world.host_account(host);
        let exists = |a: &AccountIx| world.accounts[a.index()].exists && wanted(*a);
        let Some(account) = account.filter(exists) else { continue };
        let spec = world.host_spec(host);
        let of_shape = known
            .entry(world.host_shape(host))
            .or_insert_with(|| tokens(world, sink, host, &audiences));
        // What the API server mounts by itself is in the pods that it has served already.
        let default =
            if world.is_served(host) { None } else { automount(world, sink, host, spec, account) };
        for token in of_shape {
            let container: &Container = &spec.containers[token.container];
            if !world.is_enterable(host, container) {
                continue;
            }
            let (object, _) = world.host_object(host);
            let mut facts = Vec::new();
            let mut odds = POD_USES_SERVICE_ACCOUNT.odds;
            if token.by_default {
                let Some((fact, sure)) = &default else { continue };
                facts.extend(fact);
                odds = odds.but(1.0, *sure);
            }
            facts.extend(token.facts.iter().map(|fact| Fact { object, ..*fact }));
            found(sink, host, token.container, account, odds, &facts);
        }
    }
}

/// Whether the API server mounts a token into the containers of a pod that it is yet to serve: the
/// pod decides, then its account, and else yes. An account that is not in the snapshot may say no.
fn automount(
    world: &World,
    sink: &mut Sink<'_>,
    host: Host,
    spec: &PodSpec,
    account: AccountIx,
) -> Option<(Vec<Fact>, Confidence)> {
    const FIELD: &str = "automountServiceAccountToken";
    let (object, _) = world.host_object(host);
    let field = world.host_field(host, &format!(".spec.{FIELD}"));
    let account = &world.accounts[account.index()];
    match (spec.automount, account.automount) {
        (Some(false), _) | (None, Some(false)) => None,
        (Some(true), _) => Some((vec![sink.fact(object, &field, "true")], Confidence::Certain)),
        (None, own) => {
            let value = if own.is_some() { "true" } else { "not set" };
            let own_field = format!(".{FIELD}");
            let facts = vec![
                sink.fact(object, &field, "not set"),
                sink.fact(account.object, &own_field, value),
            ];
            let present = world.objects[account.object.index()].is_present();
            Some((facts, if present { Confidence::Certain } else { Confidence::Likely }))
        }
    }
}

fn requests(world: &World, sink: &mut Sink<'_>) {
    for grant in world.grants(&Permission::namespaced("create", "", "serviceaccounts/token")) {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant);
        match grant.names {
            Names::All => {
                let to = set_of(&SERVICE_ACCOUNTS, grant.scope);
                sink.edge(from, to, &TOKEN_REQUEST, &facts);
            }
            Names::Only(names) => {
                for account in named(world, grant.scope, names, |ns, name| world.account(ns, name))
                {
                    if world.accounts[account.index()].exists {
                        sink.edge(from, Thing::Account(account), &TOKEN_REQUEST, &facts);
                    }
                }
            }
        }
    }
}
