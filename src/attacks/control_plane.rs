//! The control plane: what root on one of its nodes, or its files in a container, amount to.
//!
//! Containers that mount the files are found with the other host paths; this file holds the pages
//! of these attacks, and the edges of the nodes.

use super::Family;
use crate::graph::{Confidence, Fact, Odds, Sink, Thing};
use crate::world::hosts::Host;
use crate::world::nodes::ControlPlane;
use crate::world::{Node, NodeIx, PodIx, World};

crate::attack! {
    /// Root on a node of the control plane rules the cluster.
    ///
    /// ## Needs
    /// A node that runs the API server, etcd or the controller manager as a static pod, or that is
    /// labelled as part of the control plane.
    /// ## Abuse
    /// Use `/etc/kubernetes/super-admin.conf` or `admin.conf`; or sign a client certificate for
    /// `O=system:masters` with `/etc/kubernetes/pki/ca.key`; or read and write
    /// `/var/lib/etcd`; or change `/etc/kubernetes/manifests/kube-apiserver.yaml`.
    /// ## Stopped by
    /// Nothing once root is held. Managed control planes run on machines that are no nodes of the
    /// cluster. A label may be wrong: where other nodes show static pods of the control plane and
    /// this one shows none, the step is only likely.
    /// ## Fix
    /// Keep workloads off these nodes (taint `node-role.kubernetes.io/control-plane:NoSchedule`,
    /// and policies against `nodeName` and broad tolerations); no privileged DaemonSet on them.
    /// ## Detect
    /// Logins and new processes on these nodes; API requests with certificates of
    /// `system:masters` that no administrator made.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/>
    /// - <https://kubernetes.io/docs/setup/best-practices/certificates/>
    pub(super) static CONTROL_PLANE_NODE_TO_ADMIN = {
        id: "control-plane-node-to-admin", title: "Take the control plane's keys",
        mitre: &["T1078"], odds: Odds::certain(0.97),
    }
}

crate::attack! {
    /// Reads a private key of the cluster and makes credentials with it.
    ///
    /// ## Needs
    /// Reading `/etc/kubernetes/pki` (or the place of the distribution, such as
    /// `/var/lib/rancher/k3s/server/tls`) on a node of the control plane, as root: the keys have
    /// mode 0600.
    /// ## Abuse
    /// Sign a client certificate with `ca.key`:
    /// `openssl x509 -req -CA ca.crt -CAkey ca.key -in me.csr` for `/O=system:masters/CN=me`; or
    /// a token of any service account with `sa.key`; or a front-proxy certificate with
    /// `front-proxy-ca.key`, and name any user in `X-Remote-User`.
    /// ## Stopped by
    /// Keys that an external signer holds instead of a file; a user other than root; workers, which
    /// hold `ca.crt` only.
    /// ## Fix
    /// Take the hostPath mount away. After a leak, rotate the CA: its certificates cannot be
    /// revoked.
    /// ## Detect
    /// File audit on `/etc/kubernetes/pki/*.key`; API requests with unknown certificate serials.
    /// ## References
    /// - <https://kubernetes.io/docs/setup/best-practices/certificates/>
    /// - kubernetes `cmd/kubeadm/app/phases/certs`
    pub(super) static PKI_KEY_READ = {
        id: "pki-key-read", title: "Read the cluster's private keys",
        mitre: &["T1552.004", "T1649"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads the kubeconfig of an administrator or of a component of the control plane.
    ///
    /// ## Needs
    /// Reading `/etc/kubernetes/*.conf`, `/root/.kube`, `/etc/rancher` or the like on a node of the
    /// control plane, as root.
    /// ## Abuse
    /// `kubectl --kubeconfig super-admin.conf get secrets -A`. `admin.conf` of kubeadm since 1.29
    /// is of the group `kubeadm:cluster-admins`, `controller-manager.conf` of the user
    /// `system:kube-controller-manager`, which may make a token of any service account.
    /// ## Stopped by
    /// A user other than root, since the files have mode 0600; `kubelet.conf` of a worker is the
    /// node's identity only.
    /// ## Fix
    /// Take the hostPath mount away; keep `super-admin.conf` off the nodes.
    /// ## Detect
    /// File audit on these files; requests of `kubernetes-admin` from unusual addresses.
    /// ## References
    /// - <https://kubernetes.io/docs/reference/setup-tools/kubeadm/implementation-details/>
    /// - kubernetes `cmd/kubeadm/app/phases/kubeconfig`
    pub(super) static ADMIN_KUBECONFIG_READ = {
        id: "admin-kubeconfig-read", title: "Read an admin's kubeconfig",
        mitre: &["T1552.001", "MS-TA9003"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads or writes the cluster's database past the API server.
    ///
    /// ## Needs
    /// `/var/lib/etcd` on a node of the control plane, or the key of an etcd client in
    /// `/etc/kubernetes/pki/etcd` together with a way to port 2379; or an etcd whose flags open a port
    /// to the network without `--client-cert-auth` or `--trusted-ca-file`, and a way to that port.
    /// ## Abuse
    /// Read Secrets from the file `member/snap/db`; or `etcdctl put` a ClusterRoleBinding to
    /// `cluster-admin`, which no admission and no audit sees.
    /// ## Stopped by
    /// Encryption at rest keeps Secrets from being read, not objects from being written. Of an open
    /// port, users that are kept in etcd itself, which no snapshot shows, and policies on the egress
    /// of pods, which do not hold for nodes and pods on their network.
    /// ## Fix
    /// Take the hostPath mount away; set `--client-cert-auth` and `--trusted-ca-file`; let nobody but
    /// the API server reach etcd.
    /// ## Detect
    /// File audit on `/var/lib/etcd`; etcd connections from other clients than the API server.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/#etcd-api>
    /// - <https://kubernetes.io/docs/tasks/administer-cluster/encrypt-data/>
    pub(super) static ETCD_ACCESS = {
        id: "etcd-access", title: "Read or write etcd", mitre: &["T1552", "T1565"],
        odds: Odds::certain(0.9),
    }
}

crate::attack! {
    /// Puts a manifest where the kubelet of a control-plane node starts pods from.
    ///
    /// ## Needs
    /// Writing `/etc/kubernetes/manifests` (or the `pod-manifests` of k3s and rke2) on a node of
    /// the control plane. On a worker the same makes one root on that node only.
    /// ## Abuse
    /// Write a pod with `hostPath: /` and `privileged: true`, or add
    /// `--authorization-mode=AlwaysAllow` to `kube-apiserver.yaml`; the kubelet starts it within
    /// seconds.
    /// ## Stopped by
    /// A mount that is read-only. Admission is not asked about static pods.
    /// ## Fix
    /// Take the hostPath mount away, or make it read-only.
    /// ## Detect
    /// File audit on the folder; mirror pods in the API that no administrator wrote.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/#static-pods>
    /// - <https://kubernetes.io/docs/tasks/configure-pod-container/static-pod/>
    pub(super) static STATIC_POD_WRITE = {
        id: "static-pod-write", title: "Write a static pod", mitre: &["T1543", "MS-TA9017"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Uses the keys of a control-plane component from inside its container.
    ///
    /// ## Needs
    /// A command in the container of the static pod of kube-apiserver, etcd or
    /// kube-controller-manager: by `pods/exec` in `kube-system`, by `nodes/proxy`, or from a
    /// neighbour. Its mirror in the API takes exec like any other pod. The container mounts the
    /// component's private keys.
    /// ## Abuse
    /// The images hold no shell, but their own programs:
    /// `kubectl exec -n kube-system etcd-NODE -- etcdctl --cacert ... get /registry/secrets --prefix`;
    /// in `kube-apiserver-NODE` the program `kube-apiserver` itself, started a second time on another
    /// port with `--authorization-mode=AlwaysAllow` and the same keys.
    /// ## Stopped by
    /// Ephemeral containers and changes of the pod are refused for static pods. Managed control
    /// planes show no such pods.
    /// ## Fix
    /// Grant `pods/exec` in namespaces of applications only, never in `kube-system`.
    /// ## Detect
    /// Audit events on `pods/exec` whose name begins with `kube-apiserver-`, `etcd-` or
    /// `kube-controller-manager-`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/api-server-bypass-risks/>
    /// - <https://etcd.io/docs/v3.5/op-guide/container/>
    pub(super) static CONTROL_PLANE_POD_EXEC = {
        id: "control-plane-pod-exec", title: "Use a component's own keys",
        mitre: &["T1552.004", "T1609"], odds: Odds::likely(0.8),
    }
}

/// The control plane.
pub(super) static FAMILY: Family = Family {
    name: "L Control plane and etcd",
    attacks: &[
        &CONTROL_PLANE_NODE_TO_ADMIN,
        &PKI_KEY_READ,
        &ADMIN_KUBECONFIG_READ,
        &ETCD_ACCESS,
        &STATIC_POD_WRITE,
        &CONTROL_PLANE_POD_EXEC,
    ],
    find,
};

fn find(world: &World, sink: &mut Sink<'_>) {
    // k3s and most managed distributions show no static pods anywhere.
    let elsewhere =
        world.nodes.iter().any(|n| matches!(n.control_plane, ControlPlane::StaticPod(_)));
    for (i, node) in world.nodes.iter().enumerate() {
        if let Some((odds, facts)) = is_control_plane(world, sink, node, elsewhere) {
            let from = Thing::Node(NodeIx::new(i));
            sink.edge_with(from, Thing::ClusterAdmin, &CONTROL_PLANE_NODE_TO_ADMIN, odds, &facts);
        }
    }
    components(world, sink);
}

/// Leads the containers of the control plane's static pods to what their keys give.
fn components(world: &World, sink: &mut Sink<'_>) {
    let Some(system) = world.symbols.get("kube-system") else { return };
    for ix in world.pods_of(system).map(PodIx::new).filter(|p| world.is_running(*p)) {
        let pod = &world.pods[ix.index()];
        let Some(component) = world.label(pod.object, "component").filter(|_| pod.mirror) else {
            continue;
        };
        let component = world.text(component);
        if !matches!(component, "kube-apiserver" | "etcd" | "kube-controller-manager") {
            continue;
        }
        let facts = [
            sink.fact(pod.object, ".metadata.labels.component", component),
            sink.fact(pod.object, ".metadata.annotations", "kubernetes.io/config.mirror"),
        ];
        let spec = world.host_spec(Host::Pod(ix));
        for (i, container) in spec.containers.iter().enumerate() {
            if container.keeps_running() {
                let from = Thing::Container(Host::Pod(ix), i);
                sink.edge(from, Thing::ClusterAdmin, &CONTROL_PLANE_POD_EXEC, &facts);
            }
        }
    }
}

/// The odds that root on a node holds the control plane's keys, and what says so; none where
/// nothing does. `elsewhere`: some node shows static pods of the control plane.
fn is_control_plane(
    world: &World,
    sink: &mut Sink<'_>,
    node: &Node,
    elsewhere: bool,
) -> Option<(Odds, Vec<Fact>)> {
    let odds = CONTROL_PLANE_NODE_TO_ADMIN.odds;
    match node.control_plane {
        ControlPlane::No => None,
        ControlPlane::StaticPod(pod) => {
            let object = world.pods[pod.index()].object;
            let component = world.label(object, "component").map_or("", |c| world.text(c));
            let runs = sink.fact(object, ".metadata.labels.component", component);
            let on = sink.fact(object, ".spec.nodeName", world.text(node.name));
            Some((odds, vec![runs, on]))
        }
        ControlPlane::Label(key) => {
            let key = world.text(key);
            let value = world.label(node.object, key).map_or("", |v| world.text(v));
            let fact = sink.fact(node.object, &format!(".metadata.labels[\"{key}\"]"), value);
            let odds = if elsewhere { odds.but(0.8, Confidence::Likely) } else { odds };
            Some((odds, vec![fact]))
        }
    }
}
