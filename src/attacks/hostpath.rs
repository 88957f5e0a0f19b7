//! Paths of the machine in a container: hostPath volumes, and claims whose volume is such a path.
//!
//! A volume counts where a container mounts it: `subPath` narrows it and `readOnly` leaves what
//! reading gives. Which paths matter is the table of `host_paths`.

use super::Family;
use super::control_plane::{ADMIN_KUBECONFIG_READ, ETCD_ACCESS, PKI_KEY_READ, STATIC_POD_WRITE};
use super::credentials;
use super::escape::{
    HOST_PID_LEAK, Power, UMH_CORE_PATTERN, at_next_start, is_unseen, power, sandbox, starts,
    user_fact,
};
use super::host_paths::{Distribution, Gain, PATHS, Place, Way};
use super::node_logs::{HOST_PATH_VAR_LOG_SYMLINK, Logs};
use super::resolved_paths::resolved;
use crate::graph::{Attack, Confidence, Fact, Odds, Sink, Thing};
use crate::world::hosts::Host;
use crate::world::pods::{Container, Mount, PodSpec, Volume};
use crate::world::{NodeIx, World};
use std::collections::BTreeMap;

crate::attack! {
    /// Owns the machine through its root directory, mounted writable.
    ///
    /// ## Needs
    /// A volume of the path `/` (`hostPath`, or a claim whose volume is one) mounted into the
    /// container without `readOnly` and without a `subPath`, and root inside, because the files are
    /// root's. Read-only, it still gives what the machine's files hold and the runtime's socket.
    /// ## Abuse
    /// `chroot /host`, or write a line into `/host/etc/cron.d/x` or a pod into
    /// `/host/etc/kubernetes/manifests`.
    /// ## Stopped by
    /// A user other than root, by the files' modes.
    /// ## Fix
    /// Mount the one directory that is needed, with `readOnly: true`; enforce Pod Security level
    /// `baseline`, which refuses hostPath.
    /// ## Detect
    /// Audit events that create pods with `hostPath`; writes below the mount from the container.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/volumes/#hostpath>
    /// - <https://bishopfox.com/blog/kubernetes-pod-privilege-escalation>
    pub(super) static HOST_PATH_ROOT_FS = {
        id: "host-path-root-fs", title: "Write to the machine's root directory",
        mitre: &["T1611", "MS-TA9013"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Writes what the machine executes: cron tables, units, programs, plugins, keys for login.
    ///
    /// ## Needs
    /// A writable mount, as root, of a path from which the machine runs something, or of a
    /// directory above it: `/etc`, `/etc/cron.d`, `/etc/systemd`, `/usr/bin`, `/opt/cni/bin`,
    /// `/var/lib/kubelet`, `/root` and others. Below `/etc`, `/usr` and `/var/lib` only such
    /// directories count, not every file.
    /// ## Abuse
    /// `echo '* * * * * root sh /tmp/x' > /host/etc/cron.d/x`; or replace a CNI plugin, which the
    /// runtime executes as root when the next pod starts.
    /// ## Stopped by
    /// `readOnly: true` on the mount; a user other than root, by the files' modes.
    /// ## Fix
    /// Mount read-only, or narrow the path to what is not executed.
    /// ## Detect
    /// File integrity monitoring of these directories; audit events that create pods with
    /// `hostPath`.
    /// ## References
    /// - <https://kubehound.io/reference/attacks/EXPLOIT_HOST_WRITE/>
    /// - <https://kubernetes.io/docs/concepts/storage/volumes/#hostpath>
    pub(super) static HOST_PATH_WRITE_EXEC = {
        id: "host-path-write-exec", title: "Write what the machine executes",
        mitre: &["T1611", "T1053.003"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads the kubelet's credentials from the machine's disk.
    ///
    /// ## Needs
    /// A mount, read-only too, as root, of `/var/lib/kubelet/pki`, of the kubelet's kubeconfig, or of
    /// a directory above them. kubeadm's `/etc/kubernetes/kubelet.conf` names the key's file and
    /// rarely holds the key.
    /// ## Abuse
    /// `kubectl --server=https://API --client-certificate=kubelet-client-current.pem
    /// --client-key=kubelet-client-current.pem get pods -A --field-selector spec.nodeName=NODE`
    /// ## Stopped by
    /// The Node authorizer keeps the identity to its own node's pods and Secrets.
    /// ## Fix
    /// Do not mount these directories; a node agent reads metrics over the kubelet's port.
    /// ## Detect
    /// Audit events of `system:node:NAME` from an address that is not the node's.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/access-authn-authz/node/>
    /// - <https://kubehound.io/reference/attacks/EXPLOIT_HOST_READ/>
    pub(super) static HOST_PATH_READ_CREDS = {
        id: "host-path-read-creds", title: "Read the kubelet's credentials",
        mitre: &["T1552.001"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads the tokens and Secrets of every pod on the machine from the kubelet's directory.
    ///
    /// ## Needs
    /// A mount, read-only too, as root, of `/var/lib/kubelet/pods` or of a directory above it, by
    /// `hostPath` or by a claim whose volume is that path. Secrets that pods have in their
    /// environment only are not on the disk.
    /// ## Abuse
    /// `cat /host/var/lib/kubelet/pods/*/volumes/kubernetes.io~projected/*/token` and
    /// `.../kubernetes.io~secret/*/*`.
    /// ## Stopped by
    /// A user other than root, by the files' modes. A pod without a token volume leaves no token.
    /// ## Fix
    /// Do not mount the directory; `/var/log/pods` serves log collectors. Restrict who may create
    /// PersistentVolumes with `hostPath`: Pod Security admission does not look behind a claim.
    /// ## Detect
    /// Audit events of a service account from an address of another pod than its own.
    /// ## References
    /// - <https://kubehound.io/reference/attacks/TOKEN_STEAL/>
    /// - executed on kube-apiserver 1.36: a claim on a hostPath volume passes `restricted`
    pub(super) static HOST_PATH_KUBELET_PODS = {
        id: "host-path-kubelet-pods", title: "Read the volumes of the machine's pods",
        mitre: &["T1552.007"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Has the container runtime start a container that is the machine's.
    ///
    /// ## Needs
    /// The socket of Docker, containerd, CRI-O or Podman in the container, directly or by a
    /// directory above it (`/run`, `/var/run`, `/`). `readOnly` does not stop connecting to a socket.
    /// ## Abuse
    /// `docker -H unix:///var/run/docker.sock run -v /:/host --privileged alpine chroot /host`;
    /// `ctr -a /run/containerd/containerd.sock -n k8s.io run --privileged ...`
    /// ## Stopped by
    /// A user other than root, by the socket's mode; a sandbox, into which sockets do not reach.
    /// ## Fix
    /// Remove the mount: build images without a daemon (BuildKit rootless, Kaniko's successors).
    /// ## Detect
    /// Containers that the kubelet did not start; connections to the socket from a container.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/>
    /// - <https://kubehound.io/reference/attacks/EXPLOIT_CONTAINERD_SOCK/>
    pub(super) static CONTAINER_RUNTIME_SOCKET = {
        id: "container-runtime-socket", title: "Command the container runtime",
        mitre: &["T1610", "T1611"], odds: Odds::certain(0.95),
    }
}

/// Mounted paths of the machine.
pub(super) static FAMILY: Family = Family {
    name: "J hostPath and sockets",
    attacks: &[
        &HOST_PATH_ROOT_FS,
        &HOST_PATH_WRITE_EXEC,
        &HOST_PATH_READ_CREDS,
        &HOST_PATH_KUBELET_PODS,
        &CONTAINER_RUNTIME_SOCKET,
        &HOST_PATH_VAR_LOG_SYMLINK,
    ],
    find,
};

/// What one mount gives to its container.
#[derive(Debug)]
struct Found {
    container: usize,
    /// It is the whole of the machine's disk.
    root: bool,
    /// The best of each kind, by the distribution that it takes.
    gains: BTreeMap<(Gain, Option<Distribution>), (Odds, Place)>,
    /// Field and value, without a template's prefix.
    facts: Vec<(String, String)>,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut known: Vec<Option<Vec<Found>>> = Vec::new();
    known.resize_with(world.specs.len(), || None);
    let mut logs = Logs::new(world);
    for host in world.hosts() {
        let Some(node) = world.host_node(host) else { continue };
        if world.nodes[node.index()].windows {
            continue;
        }
        let spec = world.host_spec(host);
        let Some(slot) = known.get_mut(world.host_shape(host).0 as usize) else { continue };
        for found in slot.get_or_insert_with(|| host_paths(world, spec)) {
            put(world, sink, &mut logs, (host, node), found, &[]);
        }
        if spec.volumes.iter().any(|v| matches!(v, Volume::Claim { .. })) {
            claims(world, sink, &mut logs, (host, node));
        }
    }
    logs.gates(world, sink);
}

/// What the mounts of a specification's hostPath volumes give.
fn host_paths(world: &World, spec: &PodSpec) -> Vec<Found> {
    let mut found = Vec::new();
    for (index, container) in spec.containers.iter().enumerate() {
        for mount in container.mounts.iter().filter(|m| !m.device) {
            let Some(Volume::HostPath(path)) = spec.volumes.get(usize::from(mount.volume)) else {
                continue;
            };
            let path = world.text(*path);
            let one = gains(world, spec, (index, container), mount, path, mount.read_only);
            found.extend(one.map(|mut one| {
                let field = format!(".spec.volumes[{}].hostPath.path", mount.volume);
                one.facts.push((field, path.to_owned()));
                one
            }));
        }
    }
    found
}

/// What mounts of claims give whose volume is a path of the machine.
fn claims(world: &World, sink: &mut Sink<'_>, logs: &mut Logs<'_>, at: (Host, NodeIx)) {
    let (host, _) = at;
    let spec = world.host_spec(host);
    let (_, ns) = world.host_object(host);
    for (index, container) in spec.containers.iter().enumerate() {
        for mount in container.mounts.iter().filter(|m| !m.device) {
            let Some(Volume::Claim { name, read_only }) =
                spec.volumes.get(usize::from(mount.volume))
            else {
                continue;
            };
            let Some(claim) = world.claim(ns, *name).map(|c| &world.claims[c.index()]) else {
                continue;
            };
            let Some(volume) = claim.volume.map(|v| &world.volumes[v.index()]) else { continue };
            let path = world.text(volume.path);
            let read_only = mount.read_only || *read_only;
            let one = gains(world, spec, (index, container), mount, path, read_only);
            let Some(mut one) = one else { continue };
            let field = format!(".spec.volumes[{}].persistentVolumeClaim.claimName", mount.volume);
            one.facts.push((field, world.text(*name).to_owned()));
            let field = if volume.local { ".spec.local.path" } else { ".spec.hostPath.path" };
            let behind = [
                sink.fact(claim.object, ".spec.volumeName", world.text(volume.name)),
                sink.fact(volume.object, field, path),
            ];
            put(world, sink, logs, at, &one, &behind);
        }
    }
}

/// What a mount of a path gives, with what stands against it. `None`: nothing.
fn gains(
    world: &World,
    spec: &PodSpec,
    (index, container): (usize, &Container),
    mount: &Mount,
    path: &str,
    read_only: bool,
) -> Option<Found> {
    let sub_path = world.text(mount.sub_path);
    let (path, sure) = resolved(path, sub_path)?;
    let root = path == "/";
    let mut gains = BTreeMap::new();
    for row in PATHS.iter().filter(|r| !read_only || r.way == Way::Read) {
        let Some(place) = row.place(&path) else { continue };
        // The whole disk includes the kernel's handler and the logs; one way to write is enough. A
        // privileged container needs no processes.
        let weaker = match row.gain {
            Gain::CorePattern | Gain::Logs | Gain::PodLogs => root,
            Gain::Processes => root || container.privileged,
            _ => false,
        };
        if weaker {
            continue;
        }
        let key = (row.gain, row.distribution(&path));
        let best = gains.entry(key).or_insert((row.odds, place));
        if row.odds.likelihood > best.0.likelihood {
            *best = (row.odds, place);
        }
    }
    if gains.is_empty() {
        return None;
    }
    let mut value = if read_only { "read-only" } else { "read-write" }.to_owned();
    if !sub_path.is_empty() {
        value = format!("{value}, subPath {sub_path}");
    }
    let mut facts = vec![(format!("{}.volumeMounts[{}]", container.field(), mount.place), value)];
    let power = power(container);
    if power == Power::Other {
        facts.push(user_fact(container));
    }
    if spec.user_namespace {
        facts.push((".spec.hostUsers".to_owned(), "false".to_owned()));
    }
    for (odds, _) in gains.values_mut() {
        *odds = odds.but(1.0, sure);
        match power {
            Power::Root => {}
            Power::Assumed => *odds = odds.but(1.0, Confidence::Likely),
            Power::Other => *odds = odds.but(0.5, Confidence::Possible),
        }
        if spec.user_namespace {
            *odds = odds.but(0.5, Confidence::Possible);
        }
    }
    Some(Found { container: index, root, gains, facts })
}

/// Puts the edges of one mount of one pod or template into the sink. `behind` is what leads from
/// the pod's claim to the path.
fn put(
    world: &World,
    sink: &mut Sink<'_>,
    logs: &mut Logs<'_>,
    (host, node): (Host, NodeIx),
    found: &Found,
    behind: &[Fact],
) {
    let (object, _) = world.host_object(host);
    let mut facts: Vec<Fact> = found
        .facts
        .iter()
        .map(|(field, value)| sink.fact(object, &world.host_field(host, field), value))
        .collect();
    facts.extend_from_slice(behind);
    let Some((from, ended)) = starts(world, sink, host, found.container) else { return };
    facts.extend(ended);
    let on = Thing::Node(node);
    let mut last = None;
    for ((gain, distribution), (odds, place)) in &found.gains {
        // What any node has comes before what a distribution's have.
        if last == Some(gain) || distribution.is_some_and(|d| !d.runs(world, node)) {
            continue;
        }
        last = Some(gain);
        let mut odds = if ended.is_some() { at_next_start(*odds) } else { *odds };
        let mut facts = facts.clone();
        if matches!(gain, Gain::Socket | Gain::CorePattern | Gain::Processes)
            && let Some(class) = sandbox(world, world.host_spec(host))
        {
            let field = world.host_field(host, ".spec.runtimeClassName");
            facts.push(sink.fact(object, &field, class));
            odds = odds.but(0.1, Confidence::Possible);
        }
        let (attack, to): (&'static Attack, _) = match gain {
            Gain::Socket => (&CONTAINER_RUNTIME_SOCKET, on),
            Gain::Execute if found.root => (&HOST_PATH_ROOT_FS, on),
            Gain::Execute => (&HOST_PATH_WRITE_EXEC, on),
            Gain::CorePattern => (&UMH_CORE_PATTERN, on),
            Gain::StaticPods => (&STATIC_POD_WRITE, on),
            Gain::Kubelet => (&HOST_PATH_READ_CREDS, Thing::NodeIdentity(node)),
            Gain::Pods => {
                let set = credentials::on(&credentials::MOUNTED, node);
                (&HOST_PATH_KUBELET_PODS, Thing::Set(set))
            }
            Gain::Applied => (&STATIC_POD_WRITE, Thing::ClusterAdmin),
            Gain::Keys => (&PKI_KEY_READ, Thing::ClusterAdmin),
            Gain::Admin => (&ADMIN_KUBECONFIG_READ, Thing::ClusterAdmin),
            Gain::Scheduler => match world.user("system:kube-scheduler") {
                Some(user) => (&ADMIN_KUBECONFIG_READ, Thing::User(user)),
                None => continue,
            },
            Gain::Etcd => (&ETCD_ACCESS, Thing::ClusterAdmin),
            Gain::Processes => {
                let set = Thing::Set(credentials::on(&credentials::ENVIRONMENT, node));
                sink.edge_with(from, set, &HOST_PID_LEAK, odds, &facts);
                let set = Thing::Set(credentials::on(&credentials::MOUNTED, node));
                (&HOST_PID_LEAK, set)
            }
            Gain::Logs | Gain::PodLogs => match logs.written(node, *gain == Gain::PodLogs) {
                Some(set) => (&HOST_PATH_VAR_LOG_SYMLINK, set),
                None => continue,
            },
        };
        let master = credentials::control_plane(world, sink, node);
        if gain.is_of_control_plane() {
            match master {
                Some(fact) => facts.push(fact),
                // Who mounts the control plane's own path will run on the control plane.
                None if is_unseen(world, node) && *place != Place::Above => {
                    odds = odds.but(0.5, Confidence::Unknown);
                    let of = world.nodes[node.index()].object;
                    facts.push(sink.fact(of, "", "not in the snapshot"));
                }
                None => continue,
            }
        } else if *gain == Gain::StaticPods
            && let Some(fact) = master
        {
            let facts = [&facts[..], &[fact]].concat();
            sink.edge_with(from, Thing::ClusterAdmin, attack, odds, &facts);
        }
        sink.edge_with(from, to, attack, odds, &facts);
    }
}
