//! Reading Secrets: through the API, by four verbs, and from the containers that hold them.

use super::Family;
use super::pod_api::{named, set_of};
use super::sets::SECRETS;
use crate::graph::{Attack, Confidence, Fact, Odds, Sink, Thing, Value};
use crate::sym::Sym;
use crate::world::grants::{Names, Permission};
use crate::world::hosts::Host;
use crate::world::pods::{Given, Volume, is_public};
use crate::world::{SecretIx, World};
use rustc_hash::FxHashMap;

crate::attack! {
    /// Reads a Secret whose name is known.
    ///
    /// ## Needs
    /// `get` on `secrets` in the namespace; `resourceNames` are honoured. Without `list` the name
    /// has to be known: specifications of pods show it, Helm's releases follow a pattern.
    /// ## Abuse
    /// `kubectl get secret -n NAMESPACE NAME -o yaml`.
    /// ## Stopped by
    /// `resourceNames` limit it to those Secrets.
    /// ## Fix
    /// Name the Secrets in `resourceNames`, or mount them into the one pod that needs them.
    /// ## Detect
    /// Audit events with verb `get` on `secrets`; keep their level at `Metadata`, or the log holds
    /// the values.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/secret/>
    /// - executed on kube-apiserver 1.36
    pub(super) static SECRET_GET = {
        id: "secret-get", title: "Read a Secret", mitre: &["T1552.007", "MS-TA9025"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Lists or watches Secrets: both answers hold all their values.
    ///
    /// ## Needs
    /// `list` or `watch` on `secrets`. With `resourceNames` a request with
    /// `fieldSelector=metadata.name=NAME` reads those Secrets and no others.
    /// ## Abuse
    /// `kubectl get secrets -n NAMESPACE -o yaml`, or with `--field-selector metadata.name=NAME`.
    /// ## Stopped by
    /// `resourceNames` limit it to those Secrets.
    /// ## Fix
    /// Remove `list` and `watch` on `secrets` from the role; a controller can watch the Secrets of
    /// one namespace, or name them.
    /// ## Detect
    /// Audit events with verb `list` or `watch` on `secrets` from others than controllers.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/rbac-good-practices/#listing-secrets>
    /// - executed on kube-apiserver 1.36, with `resourceNames` too
    pub(super) static SECRET_LIST = {
        id: "secret-list", title: "List Secrets", mitre: &["T1552.007"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads a Secret by changing nothing in it: the answer to a PATCH holds the object.
    ///
    /// ## Needs
    /// `patch` on `secrets`, and the Secret's name; `resourceNames` are honoured. No `get`.
    /// ## Abuse
    /// Send `PATCH /api/v1/namespaces/NAMESPACE/secrets/NAME?dryRun=All` with the body `{}` and
    /// `Content-Type: application/merge-patch+json`; the answer holds `data`.
    /// ## Stopped by
    /// `resourceNames` limit it to those Secrets.
    /// ## Fix
    /// Treat `patch` on `secrets` like `get`: remove it from the role or name the Secrets.
    /// ## Detect
    /// Audit events with verb `patch` on `secrets`, above all with `dryRun=All` in the request URI.
    /// ## References
    /// - kubernetes apiserver `pkg/endpoints/handlers/patch.go`
    /// - executed on kube-apiserver 1.36, with `dryRun` too
    pub(super) static SECRET_PATCH_READ = {
        id: "secret-patch-read", title: "Read a Secret by an empty patch", mitre: &["T1552.007"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads every Secret by deleting none: the answer to a dry run of DELETE on the collection
    /// lists what it would delete, with the values.
    ///
    /// ## Needs
    /// `deletecollection` on `secrets`. Its requests bear no name, so that a rule with
    /// `resourceNames` does not allow it.
    /// ## Abuse
    /// `kubectl delete --raw '/api/v1/namespaces/NAMESPACE/secrets?dryRun=All'`.
    /// ## Stopped by
    /// Nothing else: the dry run needs no more than the right.
    /// ## Fix
    /// Remove `deletecollection` on `secrets` from the role; `delete` is enough to delete by name.
    /// ## Detect
    /// Audit events with verb `deletecollection` on `secrets`, above all with `dryRun=All`.
    /// ## References
    /// - kubernetes apiserver `pkg/registry/generic/registry/store.go`, `DeleteCollection`
    /// - executed on kube-apiserver 1.36
    pub(super) static SECRET_DELETE_COLLECTION_READ = {
        id: "secret-delete-collection-read", title: "Read Secrets by a dry run of deleting",
        mitre: &["T1552.007"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// A container has the Secret in a volume or in its environment.
    ///
    /// ## Needs
    /// The container mounts a volume from the Secret, or a projected volume with it, or refers to
    /// it in `env` or `envFrom`. What only the kubelet reads (`imagePullSecrets`, the Secret of a
    /// CSI volume) is not in the container.
    /// ## Abuse
    /// In the container: `cat` the files under the mount's path, or `env`.
    /// ## Stopped by
    /// A sidecar without the mount does not hold it. An init container that has ended cannot be
    /// entered.
    /// ## Fix
    /// Mount the Secret only into the container that needs it, and only the keys it needs.
    /// ## Detect
    /// File access under the mount's path by other programs than the container's own, as runtime
    /// sensors on the node report it.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod>
    pub(super) static POD_MOUNTS_SECRET = {
        id: "pod-mounts-secret", title: "Holds a Secret", mitre: &["T1552.001"],
        odds: Odds::certain(0.98),
    }
}

/// Reading Secrets.
pub(super) static FAMILY: Family = Family {
    name: "D Secrets",
    attacks: &[
        &SECRET_GET,
        &SECRET_LIST,
        &SECRET_PATCH_READ,
        &SECRET_DELETE_COLLECTION_READ,
        &POD_MOUNTS_SECRET,
    ],
    find,
};

/// How a verb that reads Secrets does it: whether the request bears a name, and whether the answer
/// tells names that were not known.
static READS: &[(&str, &Attack, bool)] = &[
    ("get", &SECRET_GET, false),
    ("list", &SECRET_LIST, true),
    ("watch", &SECRET_LIST, true),
    ("patch", &SECRET_PATCH_READ, false),
    ("deletecollection", &SECRET_DELETE_COLLECTION_READ, true),
];

fn find(world: &World, sink: &mut Sink<'_>) {
    for (verb, attack, tells_names) in READS {
        reads(world, sink, verb, attack, *tells_names);
    }
    mounts(world, sink);
}

fn reads(
    world: &World,
    sink: &mut Sink<'_>,
    verb: &'static str,
    attack: &'static Attack,
    tells_names: bool,
) {
    let permission = Permission::namespaced(verb, "", "secrets");
    let odds = attack.odds;
    // Where the name is not told, it has to be known from elsewhere.
    let all = if tells_names { odds } else { odds.but(0.95, Confidence::Likely) };
    for grant in world.grants(&permission).iter().filter(|g| g.names == Names::All) {
        let (from, to) = (Thing::Binding(grant.binding), set_of(&SECRETS, grant.scope));
        let facts = sink.grant(grant);
        sink.edge_with(from, to, attack, all, &facts);
    }
    // A list or watch may select one name, and then bears it; a deletion of a collection does not.
    if verb == "deletecollection" {
        return;
    }
    let collected = collected(world);
    for grant in world.grants(&permission.with_name()) {
        let Names::Only(names) = grant.names else { continue };
        let facts = sink.grant(&grant);
        for secret in named(world, grant.scope, names, |ns, name| world.secret(ns, name)) {
            let (from, to) = (Thing::Binding(grant.binding), Thing::Secret(secret));
            sink.edge_with(from, to, attack, seen(world, collected, secret, odds), &facts);
        }
    }
}

/// Whether the snapshot holds Secrets, so that one which is only referred to may not exist.
fn collected(world: &World) -> bool {
    world.seen.contains_key(&(String::new(), "Secret".to_owned()))
}

/// The odds of a step to a Secret, given whether Secrets were collected.
fn seen(world: &World, collected: bool, secret: SecretIx, odds: Odds) -> Odds {
    let object = &world.objects[world.secrets[secret.index()].object.index()];
    if object.is_present() || !collected { odds } else { odds.but(1.0, Confidence::Likely) }
}

/// A Secret in a container, as its specification says it: where it is named, and where the
/// container takes it up.
#[derive(Debug)]
struct Held {
    container: usize,
    secret: Sym,
    named: Sym,
    mounted: Option<Sym>,
}

/// The Secrets in the containers of what has one shape.
fn held(world: &World, sink: &mut Sink<'_>, host: Host) -> Vec<Held> {
    let spec = world.host_spec(host);
    let mut field = |text: &str| sink.field(&world.host_field(host, text));
    let mut found = Vec::new();
    for (i, container) in spec.containers.iter().enumerate() {
        let own = container.field();
        for mount in &container.mounts {
            let volume = spec.volumes.get(usize::from(mount.volume));
            let holds = match volume {
                Some(Volume::Secret(_)) => true,
                Some(Volume::Projected { secrets, .. }) => !secrets.is_empty(),
                _ => false,
            };
            if !holds {
                continue;
            }
            let at = format!(".spec.volumes[{}]", mount.volume);
            let mounted = format!("{own}.volumeMounts[{}]", mount.place);
            // A single file of the volume, whose name is its key, unless `items` say otherwise.
            if is_public(world.text(mount.sub_path)) {
                continue;
            }
            let mut hold = |given: &Given, named: &str| {
                let Given { secret, public } = *given;
                if public {
                    return;
                }
                let (named, mounted) = (field(named), Some(field(&mounted)));
                found.push(Held { container: i, secret, named, mounted });
            };
            match volume {
                Some(Volume::Secret(secret)) => hold(secret, &format!("{at}.secret.secretName")),
                Some(Volume::Projected { secrets, .. }) => {
                    for (source, secret) in secrets {
                        hold(secret, &format!("{at}.projected.sources[{source}].secret.name"));
                    }
                }
                _ => {}
            }
        }
        for env in container.env.iter().filter(|env| !env.public) {
            let named = if env.from {
                format!("{own}.envFrom[{}].secretRef.name", env.place)
            } else {
                format!("{own}.env[{}].valueFrom.secretKeyRef.name", env.place)
            };
            let named = field(&named);
            found.push(Held { container: i, secret: env.secret, named, mounted: None });
        }
    }
    found
}

fn mounts(world: &World, sink: &mut Sink<'_>) {
    let mut known: FxHashMap<(u32, Sym), Vec<Held>> = FxHashMap::default();
    let collected = collected(world);
    for host in world.hosts() {
        let spec = world.host_spec(host);
        let (object, ns) = world.host_object(host);
        let shape = world.host_shape(host);
        for held in known.entry(shape).or_insert_with(|| held(world, sink, host)) {
            if !world.is_enterable(host, &spec.containers[held.container]) {
                continue;
            }
            let Some(secret) = world.secret(ns, held.secret) else { continue };
            let fact = |field| Fact { object, field, value: Value::TARGET };
            let facts = [fact(held.named), fact(held.mounted.unwrap_or(held.named))];
            let facts = &facts[..1 + usize::from(held.mounted.is_some())];
            let odds = seen(world, collected, secret, POD_MOUNTS_SECRET.odds);
            let from = Thing::Container(host, held.container);
            sink.edge_with(from, Thing::Secret(secret), &POD_MOUNTS_SECRET, odds, facts);
        }
    }
}
