//! Container escape: from a container to the machine it runs on, by what its specification allows.
//!
//! What a specification allows is worked out once a specification and put down once a pod. A
//! container that has ended has no process to get out with. Whoever sets what its workload runs gets
//! out when the next pod starts: that edge is the workload's.

use super::Family;
use super::capabilities::{
    CAP_BPF_PERFMON, CAP_DAC_READ_SEARCH, CAP_NET_ADMIN_RAW_HOST_NET, CAP_SYS_ADMIN,
    CAP_SYS_MODULE, CAP_SYS_PTRACE_HOST_PID, CAPABILITIES, Row,
};
use super::credentials;
use crate::graph::{Attack, Confidence, Fact, Odds, Sink, Thing};
use crate::world::hosts::Host;
use crate::world::pods::{Container, List, PodSpec, Spared};
use crate::world::{NodeIx, World};

crate::attack! {
    /// Leaves a privileged container for the machine that it runs on.
    ///
    /// ## Needs
    /// `securityContext.privileged: true` on the container, in any of the pod's three lists, and that
    /// it runs: one that has ended is its workload's, when the next pod starts. As a user other than
    /// root it also takes a way to become root inside, such as a setuid binary.
    /// ## Abuse
    /// Inside: `mkdir /host && mount $(findmnt -no SOURCE /etc/hosts) /host && chroot /host`, or
    /// write a handler to `/proc/sys/kernel/core_pattern` and crash a process.
    /// ## Stopped by
    /// Nothing on the machine: seccomp and AppArmor are off for a privileged container. A user
    /// namespace (`hostUsers: false`) or a sandbox (gVisor, Kata) leaves only flaws in those.
    /// ## Fix
    /// Remove `privileged: true`; add the one capability or device that the program uses. Enforce
    /// Pod Security level `baseline` on the namespace.
    /// ## Detect
    /// Audit events that create pods with `privileged: true`; on the machine, `mount` and `chroot`
    /// calls from a container's cgroup.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    /// - <https://bishopfox.com/blog/kubernetes-pod-privilege-escalation>
    pub(super) static PRIVILEGED_CONTAINER = {
        id: "privileged-container", title: "Escape from a privileged container",
        mitre: &["T1611"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Enters the namespaces of the machine's first process from a privileged container that sees
    /// the machine's processes.
    ///
    /// ## Needs
    /// `hostPID: true` on the pod and `privileged: true` on the container.
    /// ## Abuse
    /// `nsenter --target 1 --mount --uts --ipc --net --pid -- sh` is a root shell on the machine.
    /// ## Stopped by
    /// Nothing; a sandbox has a first process of its own.
    /// ## Fix
    /// Remove `hostPID` and `privileged`; an agent that counts processes needs neither.
    /// ## Detect
    /// `setns` calls from a container's cgroup; audit events that create pods with `hostPID`.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    /// - nsenter(1)
    pub(super) static HOST_PID_PRIVILEGED_NSENTER = {
        id: "host-pid-privileged-nsenter", title: "Enter the machine's namespaces",
        mitre: &["T1611"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Reads the files and the environment of other pods' processes, which a pod with the machine's
    /// process namespace sees.
    ///
    /// ## Needs
    /// `hostPID: true`, or the machine's `/proc` mounted (read-only too), and that a process of another pod has the same user and no capability that
    /// this one lacks: the rule of `ptrace`. Containers that run as root with the default
    /// capabilities are such a pair.
    /// ## Abuse
    /// `for p in /proc/[0-9]*; do cat $p/root/var/run/secrets/kubernetes.io/serviceaccount/token;
    /// tr '\0' '\n' < $p/environ; done`
    /// ## Stopped by
    /// Another user, a user namespace, the Yama and AppArmor rules on `ptrace`. The machine's own
    /// processes hold more capabilities and stay closed.
    /// ## Fix
    /// Remove `hostPID: true` and the mount of `/proc`; enforce Pod Security level `baseline`.
    /// ## Detect
    /// Reads of `/proc/*/environ` and `/proc/*/root` from a container's cgroup.
    /// ## References
    /// - ptrace(2), section on access mode checking
    /// - <https://bishopfox.com/blog/kubernetes-pod-privilege-escalation>
    pub(super) static HOST_PID_LEAK = {
        id: "host-pid-leak", title: "Read other pods' processes", mitre: &["T1057", "T1003.007"],
        odds: Odds::possible(0.25),
    }
}

crate::attack! {
    /// Reaches what listens on the machine's own addresses, past network policies.
    ///
    /// ## Needs
    /// `hostNetwork: true`, and something on the machine's loopback or its cloud's metadata address
    /// that trusts whoever connects. The network namespace alone gives no process on the machine.
    /// ## Abuse
    /// `curl http://127.0.0.1:10248/healthz`, `curl -k https://127.0.0.1:10250/pods`,
    /// `curl http://169.254.169.254/latest/meta-data/` and whatever else `ss -lnt` shows.
    /// ## Stopped by
    /// Authentication of the kubelet and of local services. A hop limit on the metadata service
    /// does not stop the machine's own network namespace.
    /// ## Fix
    /// Remove `hostNetwork: true`; use a Service or a `hostPort` for the one port.
    /// ## Detect
    /// Connections to loopback ports and to the metadata address from a container's cgroup.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    /// - <https://bishopfox.com/blog/kubernetes-pod-privilege-escalation>
    pub(super) static HOST_NETWORK_REACH = {
        id: "host-network-reach", title: "Use the machine's own network",
        mitre: &["T1552.005", "T1046"], odds: Odds::possible(0.15),
    }
}

crate::attack! {
    /// Talks to the machine's processes through shared memory and semaphores.
    ///
    /// ## Needs
    /// `hostIPC: true`, and a process outside that keeps something of worth in shared memory.
    /// ## Abuse
    /// `ipcs -a` and a look into `/dev/shm`.
    /// ## Stopped by
    /// The permissions of each segment.
    /// ## Fix
    /// Remove `hostIPC: true`.
    /// ## Detect
    /// `shmget` and `shmat` calls from a container's cgroup.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/security/pod-security-standards/>
    pub(super) static HOST_IPC_SHARE = {
        id: "host-ipc-share", title: "Use the machine's shared memory", mitre: &["T1559"],
        odds: Odds::possible(0.05),
    }
}

crate::attack! {
    /// Has the kernel run a program of the container's choice on the machine, by the handler of
    /// crashed processes.
    ///
    /// ## Needs
    /// Root's write access to `/proc/sys/kernel/core_pattern`: the machine's `/proc`, `/proc/sys`
    /// or `/proc/sys/kernel` mounted writable, or `procMount: Unmasked` outside a user namespace. A
    /// privileged container may do it too and has its own edge.
    /// ## Abuse
    /// `echo '|/proc/%P/root/tmp/run' > /proc/sys/kernel/core_pattern`, put a script at `/tmp/run`
    /// and crash a process: the kernel runs the script as root outside every container.
    /// ## Stopped by
    /// A read-only mount, another user than root, a user namespace, a sandbox. The runtimes' AppArmor
    /// profile denies the write at `/proc` itself, not at another mount of the machine's.
    /// ## Fix
    /// Mount `/proc` with `readOnly: true` or not at all; leave `procMount` at its default.
    /// ## Detect
    /// Writes to `/proc/sys/kernel/core_pattern` from a container's cgroup.
    /// ## References
    /// - core(5), section on piping core dumps to a program
    /// - <https://kubehound.io/reference/attacks/CE_UMH_CORE_PATTERN/>
    pub(super) static UMH_CORE_PATTERN = {
        id: "umh-core-pattern", title: "Have the kernel run a program", mitre: &["T1611"],
        odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Runs on a Windows machine itself, as a HostProcess container does.
    ///
    /// ## Needs
    /// `windowsOptions.hostProcess: true` and a Windows node; Linux ignores the field. Full power
    /// needs the user to be an administrator, and a container that names none inherits the
    /// runtime's `SYSTEM`.
    /// ## Abuse
    /// Any command: the process is in no container. `C:\var\lib\kubelet` is at hand.
    /// ## Stopped by
    /// A `runAsUserName` without rights on the machine.
    /// ## Fix
    /// Remove `hostProcess: true`; enforce Pod Security level `baseline`.
    /// ## Detect
    /// Audit events that create pods with `hostProcess`; processes of the job objects' silos.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/>
    pub(super) static WINDOWS_HOST_PROCESS = {
        id: "windows-host-process", title: "Run as a process of the Windows machine",
        mitre: &["T1611"], odds: Odds::likely(0.9),
    }
}

/// Escapes, and what containers of a pod may do to one another.
pub(super) static FAMILY: Family = Family {
    name: "I Container escape",
    attacks: &[
        &PRIVILEGED_CONTAINER,
        &CAP_SYS_ADMIN,
        &CAP_SYS_MODULE,
        &CAP_SYS_PTRACE_HOST_PID,
        &HOST_PID_PRIVILEGED_NSENTER,
        &HOST_PID_LEAK,
        &CAP_DAC_READ_SEARCH,
        &CAP_NET_ADMIN_RAW_HOST_NET,
        &CAP_BPF_PERFMON,
        &HOST_NETWORK_REACH,
        &HOST_IPC_SHARE,
        &UMH_CORE_PATTERN,
        &WINDOWS_HOST_PROCESS,
    ],
    find,
};

/// Where a way out leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The machine.
    Node,
    /// Files on the machine's disk.
    Files,
    /// What other pods' processes hold.
    Processes,
}

/// A way out of one container of a specification.
#[derive(Debug)]
struct Way {
    container: usize,
    attack: &'static Attack,
    odds: Odds,
    goal: Goal,
    /// It works on Windows, and there alone.
    windows: bool,
    /// Field and value, without a template's prefix.
    facts: Vec<(String, String)>,
}

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut known: Vec<Option<Vec<Way>>> = Vec::new();
    known.resize_with(world.specs.len(), || None);
    for host in world.hosts() {
        let Some(node) = world.host_node(host) else { continue };
        let Some(slot) = known.get_mut(world.host_shape(host).0 as usize) else { continue };
        let ways = slot.get_or_insert_with(|| ways(world, world.host_spec(host)));
        for way in ways {
            put(world, sink, host, node, way);
        }
    }
}

/// Who gets out of a container: it itself while it runs, and its workload of one that has ended, with
/// the fact that says so. An ephemeral container is no part of a template, and a changed image starts
/// no container that has ended, so that of a bare pod leads nowhere.
pub(super) fn starts(
    world: &World,
    sink: &mut Sink<'_>,
    host: Host,
    index: usize,
) -> Option<(Thing<'static>, Option<Fact>)> {
    let container = world.host_spec(host).containers.get(index)?;
    if world.is_enterable(host, container) {
        return Some((Thing::Container(host, index), None));
    }
    let workload = match host {
        Host::Pod(pod) => world.pods[pod.index()].workload?,
        Host::Template(workload) => workload,
    };
    if container.list == List::Ephemeral {
        return None;
    }
    let (object, _) = world.host_object(host);
    let field = world.host_field(host, &container.field());
    let fact = sink.fact(object, &field, "runs when a pod starts, and has ended since");
    Some((Thing::Workload(workload), Some(fact)))
}

/// What a way out of a container that has ended is worth to its workload, whose next pod may stand
/// on another machine.
pub(super) fn at_next_start(odds: Odds) -> Odds {
    odds.but(0.5, Confidence::Possible)
}

/// Whether a node is one that the snapshot only refers to, or the one called `unknown`: what it is
/// like cannot be said.
pub(super) fn is_unseen(world: &World, node: NodeIx) -> bool {
    !world.objects[world.nodes[node.index()].object.index()].is_present()
}

/// The user that a container's processes bear on the machine, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    Root,
    /// Nothing says otherwise; the image decides.
    Assumed,
    Other,
}

/// Whether a container runs as root.
pub(super) fn power(container: &Container) -> Power {
    match container.run_as_user {
        Some(0) => Power::Root,
        None if !container.run_as_non_root => Power::Assumed,
        _ => Power::Other,
    }
}

/// The fact that a container does not run as root. The field may be the pod's or the container's.
pub(super) fn user_fact(container: &Container) -> (String, String) {
    let value = match container.run_as_user {
        Some(user) => format!("runs as user {user}"),
        None => "runs as a user other than root".to_owned(),
    };
    (container.field(), value)
}

/// The sandbox that a runtime class names, if its name tells one.
pub(super) fn sandbox<'w>(world: &'w World, spec: &PodSpec) -> Option<&'w str> {
    let class = world.text(spec.runtime_class);
    let lower = class.to_ascii_lowercase();
    ["gvisor", "runsc", "kata"].iter().any(|word| lower.contains(word)).then_some(class)
}

/// The odds of a way out that the runtimes' AppArmor profile stands in, where it does not.
const UNGUARDED: Odds = Odds::likely(0.85);

/// What a container is spared, for a person.
const fn says(spared: Spared) -> &'static str {
    match spared {
        Spared::AppArmor => "its AppArmor profile is Unconfined",
        Spared::SeLinux => "its SELinux type is spc_t",
    }
}

/// Every way out of a specification's containers.
fn ways(world: &World, spec: &PodSpec) -> Vec<Way> {
    let mut ways = Vec::new();
    for (index, container) in spec.containers.iter().enumerate() {
        let field = container.field();
        let security =
            |name: &str, value: &str| (format!("{field}.securityContext.{name}"), value.to_owned());
        let pod = |name: &str| (format!(".spec.{name}"), "true".to_owned());
        let mut add = |attack: &'static Attack, goal, odds, facts| {
            ways.push(Way { container: index, attack, odds, goal, windows: false, facts });
        };
        if container.host_process {
            let facts = vec![security("windowsOptions.hostProcess", "true")];
            let odds = WINDOWS_HOST_PROCESS.odds;
            add(&WINDOWS_HOST_PROCESS, Goal::Node, odds, facts);
            if let Some(way) = ways.last_mut() {
                way.windows = true;
            }
            continue;
        }
        if container.privileged {
            let privileged = security("privileged", "true");
            add(&PRIVILEGED_CONTAINER, Goal::Node, PRIVILEGED_CONTAINER.odds, vec![privileged]);
        }
        if spec.host_pid && container.privileged {
            let facts = vec![pod("hostPID"), security("privileged", "true")];
            let odds = HOST_PID_PRIVILEGED_NSENTER.odds;
            add(&HOST_PID_PRIVILEGED_NSENTER, Goal::Node, odds, facts);
        }
        if !container.privileged {
            let raised = |r: &&Row| {
                container.capabilities.has(r.capability) && container.may_raise_capabilities()
            };
            for row in CAPABILITIES.iter().filter(raised) {
                if row.host_pid && !spec.host_pid || row.host_network && !spec.host_network {
                    continue;
                }
                let mut facts = vec![security("capabilities.add", row.capability)];
                if let Some(also) = row.also {
                    let held = container.capabilities;
                    // In a user namespace they count for nothing outside it.
                    if !held.has(also) || held.has("SYS_ADMIN") || spec.user_namespace {
                        continue;
                    }
                    facts.push(security("capabilities.add", also));
                }
                if row.host_pid {
                    facts.push(pod("hostPID"));
                }
                if row.host_network {
                    facts.push(pod("hostNetwork"));
                }
                let mut odds = row.attack.odds;
                if let Some(spared) = container.spared.filter(|_| row.guarded) {
                    odds = UNGUARDED;
                    facts.push((field.clone(), says(spared).to_owned()));
                }
                if container.confined && row.filtered {
                    // The runtimes' default profile admits the calls that the capability is for;
                    // a profile of its own may not.
                    odds = odds.but(0.8, Confidence::Likely);
                    facts.push((field.clone(), "has a seccomp profile".to_owned()));
                }
                add(row.attack, row.goal, odds, facts);
            }
            if spec.host_pid {
                add(&HOST_PID_LEAK, Goal::Processes, HOST_PID_LEAK.odds, vec![pod("hostPID")]);
            }
            if container.proc_unmasked && !spec.user_namespace && power(container) != Power::Other {
                let mut facts = vec![security("procMount", "Unmasked")];
                let mut odds = Odds::likely(0.7);
                if let Some(spared) = container.spared {
                    odds = UNGUARDED;
                    facts.push((field.clone(), says(spared).to_owned()));
                }
                add(&UMH_CORE_PATTERN, Goal::Node, odds, facts);
            }
        }
        if spec.host_network {
            let facts = vec![pod("hostNetwork")];
            add(&HOST_NETWORK_REACH, Goal::Node, HOST_NETWORK_REACH.odds, facts);
        }
        if spec.host_ipc {
            add(&HOST_IPC_SHARE, Goal::Node, HOST_IPC_SHARE.odds, vec![pod("hostIPC")]);
        }
        for way in ways.iter_mut().filter(|w| w.container == index) {
            mitigate(world, spec, container, way);
        }
    }
    ways
}

/// Scales a way by what stands against it; each circumstance becomes a fact.
fn mitigate(world: &World, spec: &PodSpec, container: &Container, way: &mut Way) {
    // The machine's network is the same for whoever uses it.
    if way.attack == &HOST_NETWORK_REACH {
        return;
    }
    if power(container) == Power::Other {
        way.odds = if container.privileged {
            // Every capability is one setuid program away.
            way.odds.but(0.6, Confidence::Likely)
        } else {
            // Added capabilities are gone after `exec` unless the file bears them.
            way.odds.but(0.4, Confidence::Possible)
        };
        way.facts.push(user_fact(container));
    }
    if spec.user_namespace {
        way.odds = way.odds.but(0.3, Confidence::Possible);
        way.facts.push((".spec.hostUsers".to_owned(), "false".to_owned()));
    }
    if let Some(class) = sandbox(world, spec) {
        way.odds = way.odds.but(0.1, Confidence::Possible);
        way.facts.push((".spec.runtimeClassName".to_owned(), class.to_owned()));
    }
}

/// Puts a way's edges for one pod or template into the sink.
fn put(world: &World, sink: &mut Sink<'_>, host: Host, node: NodeIx, way: &Way) {
    let on = &world.nodes[node.index()];
    let fits = if way.windows { on.windows || is_unseen(world, node) } else { !on.windows };
    if !fits {
        return;
    }
    let (object, _) = world.host_object(host);
    let mut facts: Vec<_> = way
        .facts
        .iter()
        .map(|(field, value)| sink.fact(object, &world.host_field(host, field), value))
        .collect();
    let Some((from, ended)) = starts(world, sink, host, way.container) else { return };
    let odds = if ended.is_some() { at_next_start(way.odds) } else { way.odds };
    facts.extend(ended);
    match way.goal {
        Goal::Node => sink.edge_with(from, Thing::Node(node), way.attack, odds, &facts),
        Goal::Files => {
            let identity = Thing::NodeIdentity(node);
            sink.edge_with(from, identity, way.attack, odds, &facts);
            if let Some(fact) = credentials::control_plane(world, sink, node) {
                let facts = [facts, vec![fact]].concat();
                sink.edge_with(from, Thing::ClusterAdmin, way.attack, odds, &facts);
            }
        }
        Goal::Processes => {
            for kind in [&credentials::MOUNTED, &credentials::ENVIRONMENT] {
                let set = Thing::Set(credentials::on(kind, node));
                sink.edge_with(from, set, way.attack, odds, &facts);
            }
        }
    }
}
