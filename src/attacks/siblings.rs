//! What the containers of one pod may do to one another.

use super::Family;
use crate::graph::{Odds, Sink, Thing};
use crate::world::World;
use crate::world::pods::{Container, PodSpec};

crate::attack! {
    /// Enters the files and memory of another container of the pod through their common process
    /// namespace.
    ///
    /// ## Needs
    /// `shareProcessNamespace: true`, and the same user as the other container, or root, which may
    /// become that user, or `SYS_PTRACE`. Without `SYS_PTRACE` the other must hold no capability
    /// that this one lacks.
    /// ## Abuse
    /// `ls /proc/PID/root` is the other container's file system, its mounted tokens and Secrets
    /// included; `tr '\0' '\n' < /proc/PID/environ` is its environment.
    /// ## Stopped by
    /// Different users other than root. Pod Security admission does not look at the field.
    /// ## Fix
    /// Remove `shareProcessNamespace`, or give each container a user of its own with `runAsUser`.
    /// ## Detect
    /// Reads of `/proc/*/root` and `/proc/*/environ` inside the pod.
    /// ## References
    /// - <https://kubernetes.io/docs/tasks/configure-pod-container/share-process-namespace/>
    /// - ptrace(2), section on access mode checking
    pub(super) static CONTAINER_SHARES_PROCESS_NS = {
        id: "container-shares-process-ns", title: "Enter a container beside it",
        mitre: &["T1055", "T1003.007"], odds: Odds::certain(0.9),
    }
}

/// Containers beside one another.
pub(super) static FAMILY: Family =
    Family { name: "A Containers of one pod", attacks: &[&CONTAINER_SHARES_PROCESS_NS], find };

fn find(world: &World, sink: &mut Sink<'_>) {
    let mut known: Vec<Option<Vec<(usize, usize, Odds)>>> = vec![None; world.specs.len()];
    for host in world.hosts() {
        let spec = world.host_spec(host);
        if !spec.share_process_namespace {
            continue;
        }
        let Some(slot) = known.get_mut(world.host_shape(host).0 as usize) else { continue };
        let pairs = slot.get_or_insert_with(|| pairs(spec));
        let (object, _) = world.host_object(host);
        let field = world.host_field(host, ".spec.shareProcessNamespace");
        let shared = sink.fact(object, &field, "true");
        for (from, to, odds) in pairs {
            let (one, other) = (&spec.containers[*from], &spec.containers[*to]);
            if !world.is_enterable(host, one) || !world.is_enterable(host, other) {
                continue;
            }
            let mut facts = vec![shared];
            for container in [one, other] {
                let field = world.host_field(host, &container.field());
                facts.push(sink.fact(object, &field, &user(container)));
            }
            let (from, to) = (Thing::Container(host, *from), Thing::Container(host, *to));
            sink.edge_with(from, to, &CONTAINER_SHARES_PROCESS_NS, *odds, &facts);
        }
    }
}

/// A container's user, for a person.
fn user(container: &Container) -> String {
    match container.run_as_user {
        Some(user) => format!("runs as user {user}"),
        None if container.run_as_non_root => "runs as a user other than root".to_owned(),
        None => "runs as its image's user".to_owned(),
    }
}

/// Which running container may enter which, by their places.
fn pairs(spec: &PodSpec) -> Vec<(usize, usize, Odds)> {
    let running = || spec.containers.iter().enumerate().filter(|(_, c)| c.keeps_running());
    let mut pairs = Vec::new();
    for (i, from) in running() {
        for (k, to) in running().filter(|(k, _)| *k != i) {
            pairs.extend(enters(from, to).map(|odds| (i, k, odds)));
        }
    }
    pairs
}

fn enters(from: &Container, to: &Container) -> Option<Odds> {
    let odds = CONTAINER_SHARES_PROCESS_NS.odds;
    let root = from.run_as_user == Some(0);
    let maybe_root = from.run_as_user.is_none() && !from.run_as_non_root;
    if from.capabilities.has("SYS_PTRACE") && from.may_raise_capabilities() {
        return Some(match (root, maybe_root) {
            (true, _) => odds,
            (_, true) => Odds::likely(odds.likelihood),
            // An added capability is gone after `exec` unless the file bears it.
            _ => Odds::possible(0.4),
        });
    }
    // A process of another user than root holds no capability, whatever its container may use.
    let closed = to.may_be_root() && to.capabilities.0 & !from.capabilities.0 != 0;
    if closed {
        return None;
    }
    match (from.run_as_user, to.run_as_user) {
        (Some(a), Some(b)) if a == b => Some(odds),
        // Root becomes the other user, for which it needs the default set's SETUID.
        _ if root && (to.may_be_root() || from.capabilities.has("SETUID")) => {
            let sure = to.run_as_user.is_some() || to.run_as_non_root;
            Some(if sure { odds } else { Odds::likely(odds.likelihood) })
        }
        _ if maybe_root && (to.may_be_root() || from.capabilities.has("SETUID")) => {
            Some(Odds::likely(0.8))
        }
        // The same image, and so the same user.
        (None, None) if from.image == to.image => Some(Odds::likely(0.8)),
        (None, _) | (_, None) if !root => Some(Odds::unknown(0.3)),
        _ => None,
    }
}
