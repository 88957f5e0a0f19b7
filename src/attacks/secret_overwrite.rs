//! Writing Secrets for what it does to those who use them, rather than for what they hold.
//!
//! Most consumers take a value that steers nothing: a password, a certificate. A container that
//! takes a whole Secret as its environment takes every variable that somebody puts in, though, and
//! runtimes have variables that run code. What controllers make of Secrets of theirs is with the
//! controllers.

use super::Family;
use super::pod_api::{named, set_of};
use super::sets::SET_MEMBER;
use crate::graph::{Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission, Scope};
use crate::world::{SecretIx, World};
use std::collections::{BTreeMap, BTreeSet};

crate::attack! {
    /// Puts variables into a Secret that a container takes whole as its environment, and has its
    /// runtime run code at the next start.
    ///
    /// ## Needs
    /// `update` or `patch` on `secrets`, a container with the Secret in `envFrom`, and a runtime
    /// that one of its variables steers: `NODE_OPTIONS`, `JAVA_TOOL_OPTIONS`, `PERL5OPT`,
    /// `BASH_ENV`, `LD_PRELOAD` with a file that is there. The container has to start again, which
    /// it does when its pod is replaced or it ends.
    /// ## Abuse
    /// `kubectl patch secret -n NAMESPACE NAME -p
    /// '{"stringData":{"JAVA_TOOL_OPTIONS":"-XX:OnOutOfMemoryError=... -Xmx8m"}}'`.
    /// ## Stopped by
    /// `immutable: true`; `resourceNames` limit it to those Secrets; images whose runtime reads no
    /// such variable. With `secretKeyRef` the container's own list fixes the names, and the same
    /// variable in `env` wins over one from `envFrom`. What is mounted as a file is not taken for
    /// code.
    /// ## Fix
    /// Name each variable by `secretKeyRef`, or set `immutable: true`; name the Secrets in the
    /// role's `resourceNames`.
    /// ## Detect
    /// Audit events with verb `patch` or `update` on Secrets by others than whoever deploys.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/inject-data-application/distribute-credentials-secure/>
    /// - kubernetes `pkg/kubelet/kubelet_pods.go`, `makeEnvironmentVariables`: every key that is a
    ///   name of a variable is taken, at each start of the container
    /// - kubernetes `pkg/registry/core/secret/strategy.go`: an update needs no `resourceVersion`
    pub(super) static SECRET_OVERWRITE = {
        id: "secret-overwrite", title: "Steer a container by its environment",
        mitre: &["T1574.007", "T1565"], odds: Odds::possible(0.25),
    }
}

/// Writing Secrets.
pub(super) static FAMILY: Family =
    Family { name: "D Secrets: writing", attacks: &[&SECRET_OVERWRITE], find };

/// The containers that a Secret, told by the number, or the Secrets of a namespace are the
/// environment of.
static STEERED: SetKind =
    SetKind { id: "containers-by-secret", noun: "containers with a secret as environment" };

fn find(world: &World, sink: &mut Sink<'_>) {
    let permissions = ["patch", "update"].map(|verb| Permission::namespaced(verb, "", "secrets"));
    let grants = world.grants_any(&permissions);
    if grants.is_empty() {
        return;
    }
    let steered = steered(world, sink);
    let namespaces: BTreeSet<Sym> =
        steered.keys().map(|secret| world.secrets[secret.index()].ns).collect();
    let (mut wanted, mut whole) = (BTreeSet::new(), BTreeSet::new());
    for grant in &grants {
        let from = Thing::Binding(grant.binding);
        let facts = sink.grant(grant);
        match (grant.names, grant.scope) {
            (Names::All, scope) => {
                let reached = match scope {
                    Scope::Cluster => !namespaces.is_empty(),
                    Scope::Namespace(ns) => namespaces.contains(&ns),
                };
                if reached {
                    whole.insert(scope);
                    sink.edge(from, set_of(&STEERED, scope), &SECRET_OVERWRITE, &facts);
                }
            }
            (Names::Only(names), scope) => {
                for secret in named(world, scope, names, |ns, name| world.secret(ns, name)) {
                    if steered.contains_key(&secret) {
                        wanted.insert(secret);
                        sink.edge(from, one(world, secret), &SECRET_OVERWRITE, &facts);
                    }
                }
            }
        }
    }
    if whole.contains(&Scope::Cluster) {
        for ns in namespaces {
            let Some(namespace) = world.namespace(ns) else { continue };
            let object = world.namespaces[namespace.index()].object;
            let fact = sink.fact(object, "", "has containers with a secret as environment");
            let part = set_of(&STEERED, Scope::Namespace(ns));
            sink.edge(set_of(&STEERED, Scope::Cluster), part, &SET_MEMBER, &[fact]);
        }
    }
    for (secret, containers) in &steered {
        let ns = Scope::Namespace(world.secrets[secret.index()].ns);
        let mut sets = Vec::new();
        if whole.contains(&ns) || whole.contains(&Scope::Cluster) {
            sets.push(set_of(&STEERED, ns));
        }
        if wanted.contains(secret) {
            sets.push(one(world, *secret));
        }
        for (container, fact) in containers {
            for set in &sets {
                sink.edge(*set, *container, &SET_MEMBER, &[*fact]);
            }
        }
    }
}

/// The set of one Secret.
fn one(world: &World, secret: SecretIx) -> Thing<'static> {
    let number = u32::try_from(secret.index() + 1).unwrap_or(u32::MAX);
    Thing::Set(SetKey { kind: &STEERED, ns: world.secrets[secret.index()].ns, of: number })
}

/// The containers that take each Secret whole as their environment.
fn steered(world: &World, sink: &mut Sink<'_>) -> BTreeMap<SecretIx, Vec<(Thing<'static>, Fact)>> {
    let mut found: BTreeMap<SecretIx, Vec<(Thing<'static>, Fact)>> = BTreeMap::new();
    for host in world.hosts() {
        let (object, ns) = world.host_object(host);
        for (i, container) in world.host_spec(host).containers.iter().enumerate() {
            // An init container that has ended does not start again in its pod.
            if !world.is_enterable(host, container) {
                continue;
            }
            for env in container.env.iter().filter(|env| env.from) {
                let secret = world.secret(ns, env.secret).filter(|s| is_open(world, *s));
                let Some(secret) = secret else { continue };
                let field = format!("{}.envFrom[{}].secretRef.name", container.field(), env.place);
                let field = world.host_field(host, &field);
                let fact = sink.fact(object, &field, world.text(env.secret));
                found.entry(secret).or_default().push((Thing::Container(host, i), fact));
            }
        }
    }
    found
}

/// Whether a Secret is there, as far as is known, and may be changed.
fn is_open(world: &World, secret: SecretIx) -> bool {
    let secret = &world.secrets[secret.index()];
    let collected = world.count(crate::k8s::Kind::Secret) > 0;
    !secret.immutable && (!collected || world.objects[secret.object.index()].is_present())
}
