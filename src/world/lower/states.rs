//! Which containers of a pod have ended for good, by their statuses and their policies.

use super::place;
use crate::k8s::pod_status::{ContainerStatus, ContainerTerminated, PodStatus};
use crate::k8s::workload::{Container, PodSpec};
use crate::world::pods::List;
use crate::world::states::States;

/// What the statuses of a pod's containers amount to. A container without one has not ended.
pub(super) fn states(spec: &PodSpec<'_>, status: &PodStatus<'_>) -> States {
    let mut states = States::default();
    let lists = [
        (List::Main, &spec.containers, &status.container_statuses),
        (List::Init, &spec.init_containers, &status.init_container_statuses),
        (List::Ephemeral, &spec.ephemeral_containers, &status.ephemeral_container_statuses),
    ];
    for (list, containers, statuses) in lists {
        for status in statuses.iter() {
            let Some(ended) = status.state.as_ref().and_then(|s| s.terminated.as_ref()) else {
                continue;
            };
            let mut known = containers.iter().take(States::length(list)).enumerate();
            if let Some((at, container)) = known.find(|(_, c)| *c.name == *status.name)
                && !starts_anew(spec, list, container, ended)
            {
                states.end(list, place(at));
            }
        }
    }
    if is_held_up(status) {
        states.hold_up();
    }
    states
}

/// Whether the kubelet starts a container anew that has ended (kubernetes
/// `pkg/kubelet/container/helpers.go`, `ShouldContainerBeRestarted`).
fn starts_anew(
    spec: &PodSpec<'_>,
    list: List,
    container: &Container<'_>,
    ended: &ContainerTerminated,
) -> bool {
    let policy = match (&*container.restart_policy, &*spec.restart_policy) {
        _ if list == List::Ephemeral => return false,
        _ if container.restart_policy_rules.0 => return true,
        // An init container that has done its work is done, whatever the pod's policy.
        ("", "Always" | "") if list == List::Init => "OnFailure",
        ("", "") => "Always",
        ("", pod) => pod,
        (own, _) => own,
    };
    match policy {
        "Never" => false,
        "OnFailure" => ended.exit_code.0.is_some_and(|code| code != 0),
        _ => true,
    }
}

/// Reasons to wait that pass by themselves: the container is on its way, or comes back in turns.
const PASSING: &[&str] = &["", "ContainerCreating", "PodInitializing", "CrashLoopBackOff"];

/// Whether nothing of a pod runs, and what its containers wait for need not come.
fn is_held_up(status: &PodStatus<'_>) -> bool {
    let waits = |s: &ContainerStatus<'_>| {
        let waiting = s.state.as_ref().and_then(|state| state.waiting.as_ref());
        waiting.is_some_and(|w| !PASSING.contains(&&*w.reason))
    };
    // A status that says nothing may be that of one that runs.
    let runs = |s: &ContainerStatus<'_>| {
        s.state.as_ref().is_none_or(|of| of.waiting.is_none() && of.terminated.is_none())
    };
    let (main, init) = (&status.container_statuses, &status.init_container_statuses);
    let all = main.iter().chain(init.iter()).chain(status.ephemeral_container_statuses.iter());
    let held = init.iter().any(waits) || !main.is_empty() && main.iter().all(waits);
    held && !all.into_iter().any(runs)
}
