//! Tokens of service accounts: in containers, in Secrets, and made on request.

use super::Family;
use super::pod_api::{named, set_of};
use super::secrets::enterable;
use super::sets::{SERVICE_ACCOUNTS, SET_MEMBER};
use super::workload_patch::patchers;
use super::workloads::{Maintainer, applied, creators};
use crate::graph::{Confidence, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::exposure::Host;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::pods::{Container, PodSpec, Volume};
use crate::world::{AccountIx, World};
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};

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
    /// service account that exists, with the uid that it has today.
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
    /// Makes a Secret that the control plane fills with a token of any service account of the
    /// namespace, and reads it.
    ///
    /// ## Needs
    /// `create` on `secrets`, and a way to read the new Secret: `get`, `list`, `watch`, `patch` or
    /// `deletecollection` on `secrets`, or making or changing a pod that mounts it. The two may be
    /// different identities. `create` and `patch` on one name in `resourceNames` do both.
    /// ## Abuse
    /// Create a Secret of type `kubernetes.io/service-account-token` with the annotation
    /// `kubernetes.io/service-account.name: ACCOUNT`, wait a second, read its `token`.
    /// ## Stopped by
    /// The account must exist. `create` alone answers without the token.
    /// ## Fix
    /// Remove `create` on `secrets` from the role, or keep accounts with more power out of the
    /// namespace.
    /// ## Detect
    /// Audit events with verb `create` on `secrets` whose object is of that type: nothing makes
    /// these by itself since 1.24.
    /// ## References
    /// - kubernetes `pkg/controller/serviceaccount/tokens_controller.go`
    /// - executed on kube-apiserver 1.36, read by `PATCH {}` and by a dry run of deletecollection
    pub(super) static SECRET_CREATE_TOKEN = {
        id: "secret-create-token", title: "Make a token Secret", mitre: &["T1528", "T1098"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Points an existing token Secret at another service account of the namespace, and reads the
    /// token that the control plane puts in.
    ///
    /// ## Needs
    /// `patch` on `secrets`, and a Secret of type `kubernetes.io/service-account-token` in the
    /// namespace that the grant covers.
    /// ## Abuse
    /// PATCH the Secret: set the annotation `kubernetes.io/service-account.name` to the account,
    /// remove `kubernetes.io/service-account.uid` and `data`. A second PATCH with `{}` answers with
    /// the new token.
    /// ## Stopped by
    /// A Secret's type cannot be changed, so that without a token Secret there is nothing to
    /// point. `resourceNames` limit it to those Secrets.
    /// ## Fix
    /// Delete token Secrets; remove `patch` on `secrets` from the role.
    /// ## Detect
    /// Audit events with verb `patch` on a Secret of that type by others than the control plane.
    /// ## References
    /// - executed on kube-apiserver 1.36: a token of cluster-admin came back
    pub(super) static SECRET_REPOINT_TOKEN = {
        id: "secret-repoint-token", title: "Point a token Secret at", mitre: &["T1528"],
        odds: Odds::certain(0.9),
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
    /// of the accounts of its own pods only.
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

/// Making a token Secret and reading it.
static TOKEN_SECRET: SetKind = SetKind { id: "token-secret", noun: "a new token secret" };
/// Whoever may create a Secret.
static MAKERS: SetKind = SetKind { id: "new-secrets", noun: "secrets to create" };
/// Whoever may read a Secret of a new name.
static READERS: SetKind = SetKind { id: "read-new-secrets", noun: "new secrets to read" };
/// The accounts of namespaces that have a token Secret.
static REPOINTABLE: SetKind =
    SetKind { id: "accounts-beside-tokens", noun: "service accounts beside token secrets" };

fn find(world: &World, sink: &mut Sink<'_>) {
    in_containers(world, sink);
    for secret in &world.secrets {
        let Some(account) = secret.account.filter(|_| !secret.dead) else { continue };
        let of = &world.accounts[account.index()];
        if of.exists {
            let field = ".metadata.annotations[\"kubernetes.io/service-account.name\"]";
            let fact = sink.fact(secret.object, field, world.text(of.name));
            let ix = world.secret(secret.ns, secret.name).map(Thing::Secret);
            let Some(from) = ix else { continue };
            sink.edge(from, Thing::Account(account), &SECRET_HOLDS_SERVICE_ACCOUNT_TOKEN, &[fact]);
        }
    }
    requests(world, sink);
    repoints(world, sink);
    creations(world, sink);
}

/// A token in a container: the container's place and the fields that put it there, with values.
struct Token {
    container: usize,
    fields: Vec<(String, String)>,
    /// It is there because the API server mounts one by default.
    by_default: bool,
}

/// Whether a mounted part of a token volume holds the token.
fn holds_token(sub_path: &str) -> bool {
    !matches!(sub_path.trim_matches('/'), "ca.crt" | "namespace")
}

/// The tokens that a specification spells out, and the containers that get one by default.
fn tokens(world: &World, spec: &PodSpec, audiences: &[Sym]) -> Vec<Token> {
    let is_api = |audience: Sym| {
        let text = world.text(audience);
        text.is_empty() || text.contains("kubernetes.default.svc") || audiences.contains(&audience)
    };
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
                let fields =
                    vec![(at, audience.to_owned()), (mounted, "the token's volume".to_owned())];
                found.push(Token { container: i, fields, by_default: false });
            }
        }
        if !container.mounts.iter().any(|m| m.at_token_path) {
            found.push(Token { container: i, fields: Vec::new(), by_default: true });
        }
    }
    found
}

/// What the API server takes for its own audience, as its flags say where they are shown.
fn api_audiences(world: &World) -> Vec<Sym> {
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

fn in_containers(world: &World, sink: &mut Sink<'_>) {
    let audiences = api_audiences(world);
    let mut by_spec: FxHashMap<*const PodSpec, Vec<Token>> = FxHashMap::default();
    for host in world.hosts() {
        let (account, served) = match host {
            Host::Pod(pod) => {
                let pod = &world.pods[pod.index()];
                (pod.account, pod.live)
            }
            Host::Template(workload) => (world.workloads[workload.index()].account, false),
        };
        let Some(account) = account.filter(|a| world.accounts[a.index()].exists) else { continue };
        let spec = world.host_spec(host);
        let of_spec = by_spec
            .entry(std::ptr::from_ref(spec))
            .or_insert_with(|| tokens(world, spec, &audiences));
        // What the API server mounts by itself is in the pods that it has served already.
        let default = if served { None } else { automount(world, sink, host, spec, account) };
        for token in of_spec {
            let container: &Container = &spec.containers[token.container];
            if !enterable(world, host, container) {
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
            for (field, value) in &token.fields {
                facts.push(sink.fact(object, &world.host_field(host, field), value));
            }
            let name = world.text(spec.account);
            let field = world.host_field(host, ".spec.serviceAccountName");
            facts.push(sink.fact(object, &field, name));
            let from = Thing::Container(host, token.container);
            sink.edge_with(from, Thing::Account(account), &POD_USES_SERVICE_ACCOUNT, odds, &facts);
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

fn repoints(world: &World, sink: &mut Sink<'_>) {
    let Some(kind) = world.symbols.get("kubernetes.io/service-account-token") else { return };
    // One token Secret of each namespace stands for all of them.
    let mut tokens: BTreeMap<Sym, Fact> = BTreeMap::new();
    for secret in world.secrets.iter().filter(|s| s.kind == kind) {
        tokens
            .entry(secret.ns)
            .or_insert_with(|| sink.fact(secret.object, ".type", world.text(kind)));
    }
    let mut whole = false;
    for grant in world.grants(&Permission::namespaced("patch", "", "secrets")) {
        let from = Thing::Binding(grant.binding);
        let mut facts = sink.grant(&grant).to_vec();
        match (grant.names, grant.scope) {
            (Names::All, Scope::Cluster) if !tokens.is_empty() => {
                whole = true;
                let to = set_of(&REPOINTABLE, grant.scope);
                sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
            }
            (Names::All, Scope::Cluster) => {}
            (Names::All, Scope::Namespace(ns)) => {
                if let Some(token) = tokens.get(&ns) {
                    facts.push(*token);
                    let to = set_of(&SERVICE_ACCOUNTS, grant.scope);
                    sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
                }
            }
            (Names::Only(names), scope) => {
                for secret in named(world, scope, names, |ns, name| world.secret(ns, name)) {
                    let secret = &world.secrets[secret.index()];
                    if secret.kind == kind {
                        let token = sink.fact(secret.object, ".type", world.text(kind));
                        let facts: Vec<Fact> = facts.iter().copied().chain([token]).collect();
                        let to = set_of(&SERVICE_ACCOUNTS, Scope::Namespace(secret.ns));
                        sink.edge(from, to, &SECRET_REPOINT_TOKEN, &facts);
                    }
                }
            }
        }
    }
    if whole {
        for (ns, token) in tokens {
            let part = set_of(&SERVICE_ACCOUNTS, Scope::Namespace(ns));
            sink.edge(set_of(&REPOINTABLE, Scope::Cluster), part, &SET_MEMBER, &[token]);
        }
    }
}

/// The parts of a gate lead into it without a likelihood of their own: the step's stands on the
/// edge out of it.
const PART: Odds = Odds::certain(1.0);

/// Making a Secret and reading it: a gate for the cluster where both rights reach all of it, and
/// one for each namespace that a narrower right is for.
fn creations(world: &World, sink: &mut Sink<'_>) {
    let absent = |ns: Sym, name: Sym| {
        let secret = world.secret(ns, name).map(|s| world.secrets[s.index()].object);
        !secret.is_some_and(|o| world.objects[o.index()].is_present())
    };
    for applied in applied(world, sink, "", "secrets", |ns, name| !absent(ns, name)) {
        // The answer to the patch that made it reads it.
        let to = set_of(&SERVICE_ACCOUNTS, applied.scope);
        sink.edge(applied.from, to, &SECRET_CREATE_TOKEN, &applied.facts);
    }
    let mut makers = Vec::new();
    for grant in world.grants(&Permission::namespaced("create", "", "secrets")) {
        let facts = sink.grant(&grant).to_vec();
        makers.push(Maintainer { from: Thing::Binding(grant.binding), scope: grant.scope, facts });
    }
    if makers.is_empty() {
        return;
    }
    let mut readers = creators(world, sink);
    readers.extend(api_readers(world, sink, absent));
    let (narrow, wide) = patchers(world, sink);
    readers.extend(narrow);

    let reach = |of: &[Maintainer]| of.iter().map(|m| m.scope).collect::<BTreeSet<Scope>>();
    let (made, mut read) = (reach(&makers), reach(&readers));
    // Changing workloads everywhere reads where there are some.
    let mut wide_sets = BTreeMap::new();
    for (template, maintainer) in &wide {
        let to = set_of(&template.readers, Scope::Cluster);
        sink.edge_with(maintainer.from, to, &SECRET_CREATE_TOKEN, PART, &maintainer.facts);
        wide_sets.entry(to).or_insert(*template);
    }
    for (set, template) in wide_sets {
        for ns in template.namespaces(world) {
            let scope = Scope::Namespace(ns);
            if made.contains(&scope) || made.contains(&Scope::Cluster) {
                read.insert(scope);
                let Some(namespace) = world.namespace(ns) else { continue };
                let object = world.namespaces[namespace.index()].object;
                let fact = sink.fact(object, "", "has workloads to change");
                sink.edge(set, set_of(&READERS, scope), &SET_MEMBER, &[fact]);
            }
        }
    }
    for (of, kind) in [(&makers, &MAKERS), (&readers, &READERS)] {
        for m in of {
            sink.edge_with(m.from, set_of(kind, m.scope), &SECRET_CREATE_TOKEN, PART, &m.facts);
        }
    }
    let has = |set: &BTreeSet<Scope>, scope| set.contains(&scope) || set.contains(&Scope::Cluster);
    let scopes: BTreeSet<Scope> = made.union(&read).copied().collect();
    for scope in scopes.into_iter().filter(|s| has(&made, *s) && has(&read, *s)) {
        gate(world, sink, scope, [&made, &read]);
    }
}

/// One gate and what leads into it. The rights on the whole cluster lead into the gates of the
/// namespaces too.
fn gate(world: &World, sink: &mut Sink<'_>, scope: Scope, parts: [&BTreeSet<Scope>; 2]) {
    let ns = match scope {
        Scope::Cluster => Sym::EMPTY,
        Scope::Namespace(ns) => ns,
    };
    let namespace = world.reached(scope).first();
    let Some(object) = namespace.map(|n| n.object) else { return };
    let fact = match scope {
        Scope::Cluster => sink.fact(object, "", "a namespace of the cluster"),
        Scope::Namespace(_) => sink.fact(object, ".metadata.name", world.text(ns)),
    };
    let gate = Thing::Gate(SetKey { kind: &TOKEN_SECRET, ns, of: 0 });
    for (part, kind) in parts.into_iter().zip([&MAKERS, &READERS]) {
        if scope != Scope::Cluster && part.contains(&Scope::Cluster) {
            let (from, to) = (set_of(kind, Scope::Cluster), set_of(kind, scope));
            sink.edge(from, to, &SET_MEMBER, &[fact]);
        }
        sink.edge_with(set_of(kind, scope), gate, &SECRET_CREATE_TOKEN, PART, &[fact]);
    }
    sink.edge(gate, set_of(&SERVICE_ACCOUNTS, scope), &SECRET_CREATE_TOKEN, &[fact]);
}

/// Whoever may read a Secret of a new name through the API.
fn api_readers(
    world: &World,
    sink: &mut Sink<'_>,
    absent: impl Fn(Sym, Sym) -> bool,
) -> Vec<Maintainer> {
    let reads = ["get", "list", "watch", "patch"]
        .map(|verb| Permission::namespaced(verb, "", "secrets").with_name());
    let unnamed = ["list", "watch", "deletecollection"]
        .map(|verb| Permission::namespaced(verb, "", "secrets"));
    let mut grants = world.grants_any(&unnamed);
    grants.extend(world.grants_any(&reads));
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    for grant in grants {
        if grant.names == Names::All && !known.insert((grant.binding, grant.rule)) {
            continue;
        }
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(&grant).to_vec();
        let Names::Only(names) = grant.names else {
            found.push(Maintainer { from, scope: grant.scope, facts });
            continue;
        };
        for namespace in world.reached(grant.scope) {
            let mut free = names.iter().filter(|n| !n.is_empty());
            if free.any(|name| absent(namespace.name, *name)) {
                let scope = Scope::Namespace(namespace.name);
                found.push(Maintainer { from, scope, facts: facts.clone() });
            }
        }
    }
    found
}
