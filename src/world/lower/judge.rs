//! What a policy is known to forbid: by its name, if it is one of the libraries of Kyverno and
//! Gatekeeper, and by what it says, where that is plain.

use super::policies::{is_given, texts};
use crate::world::guards::{Judged, Ways};
use serde_json::Value;

/// Policies of Kyverno's library, by name, that close ways from a pod to its node. A container
/// that must not escalate its privileges cannot be privileged (kubernetes
/// `pkg/apis/core/validation`).
const CLOSING: &[(&str, Ways)] = &[
    ("disallow-capabilities", Ways::CAPABILITIES),
    ("disallow-capabilities-strict", Ways::CAPABILITIES),
    ("disallow-host-namespaces", Ways::HOST_NAMESPACES),
    ("disallow-host-path", Ways::HOST_PATH),
    ("disallow-privilege-escalation", Ways::PRIVILEGED),
    ("disallow-privileged-containers", Ways::PRIVILEGED),
    ("restrict-volume-types", Ways::HOST_PATH),
];

/// Policies of the same library that a pod can satisfy and take its node all the same.
const HARMLESS: &[&str] = &[
    "disallow-container-sock-mounts",
    "disallow-cri-sock-mount",
    "disallow-host-ports",
    "disallow-host-process",
    "disallow-latest-tag",
    "disallow-proc-mount",
    "require-labels",
    "require-pod-probes",
    "require-pod-requests-limits",
    "require-requests-limits",
    "require-ro-rootfs",
    "restrict-apparmor-profiles",
    "restrict-image-registries",
    "restrict-seccomp",
    "restrict-seccomp-strict",
    "restrict-sysctls",
];

/// Templates of Gatekeeper's library that close ways.
const CONSTRAINTS: &[(&str, Ways)] = &[
    ("K8sPSPAllowPrivilegeEscalationContainer", Ways::PRIVILEGED),
    ("K8sPSPCapabilities", Ways::CAPABILITIES),
    ("K8sPSPHostFilesystem", Ways::HOST_PATH),
    ("K8sPSPHostNamespace", Ways::HOST_NAMESPACES),
    ("K8sPSPPrivilegedContainer", Ways::PRIVILEGED),
    ("K8sPSPVolumeTypes", Ways::HOST_PATH),
];

/// Templates of the same library that a pod can satisfy and take its node all the same.
const HARMLESS_CONSTRAINTS: &[&str] = &[
    "K8sAllowedRepos",
    "K8sContainerLimits",
    "K8sContainerRatios",
    "K8sContainerRequests",
    "K8sDisallowedTags",
    "K8sImageDigests",
    "K8sPSPAppArmor",
    "K8sPSPForbiddenSysctls",
    "K8sPSPFSGroup",
    "K8sPSPHostNetworkingPorts",
    "K8sPSPProcMount",
    "K8sPSPReadOnlyRootFilesystem",
    "K8sPSPSeccomp",
    "K8sPSPSeccompV2",
    "K8sRequiredLabels",
    "K8sRequiredProbes",
    "K8sRequiredResources",
];

/// Capabilities that take a node; `*` allows all.
const STRONG: &[&str] =
    &["*", "ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF"];

/// The controls of Pod Security, as Kyverno names them, that close ways.
const CONTROLS: &[(&str, Ways)] = &[
    ("Capabilities", Ways::CAPABILITIES),
    ("Host Namespaces", Ways::HOST_NAMESPACES),
    ("HostPath Volumes", Ways::HOST_PATH),
    ("Privileged Containers", Ways::PRIVILEGED),
];

fn found(table: &[(&str, Ways)], name: &str) -> Option<Ways> {
    table.iter().find(|(known, _)| *known == name).map(|(_, ways)| *ways)
}

/// What the name of a policy says. Kyverno puts `cpol-` or `vpol-` before the name of the policy
/// that it makes for the API server.
pub(super) fn by_name(name: &str) -> Judged {
    let name = ["cpol-", "vpol-"].iter().find_map(|p| name.strip_prefix(p)).unwrap_or(name);
    match found(CLOSING, name) {
        Some(ways) => Judged::Closes(ways),
        None if HARMLESS.contains(&name) => Judged::Harmless,
        None => Judged::Other,
    }
}

/// What a rule of Kyverno forbids. One that does not take in every pod is not judged.
pub(super) fn rule(rule: &Value, named: Judged, narrowed: bool) -> Judged {
    if named == Judged::Harmless {
        return named;
    }
    if narrowed {
        return Judged::Other;
    }
    let validate = &rule["validate"];
    let mut ways = if let Judged::Closes(ways) = named { ways } else { Ways::default() };
    // Preconditions may let pods pass.
    if !is_given(&rule["preconditions"]) {
        ways = ways.and(pod_security(&validate["podSecurity"]));
        ways = ways.and(pattern(&validate["pattern"]["spec"]));
    }
    if ways == Ways::default() { Judged::Other } else { Judged::Closes(ways) }
}

/// What the levels of Pod Security forbid, without the controls that are left out for some images.
fn pod_security(of: &Value) -> Ways {
    if !matches!(of["level"].as_str(), Some("baseline" | "restricted")) {
        return Ways::default();
    }
    let left_out = of["exclude"].as_array().map_or(&[][..], Vec::as_slice);
    let controls = left_out.iter().filter_map(|e| e["controlName"].as_str());
    controls
        .fold(Ways::ALL, |ways, control| ways.without(found(CONTROLS, control).unwrap_or_default()))
}

/// What the pattern for a pod's `spec` forbids in plain words, as Kyverno's library writes it.
fn pattern(spec: &Value) -> Ways {
    let is_false = |value: &Value| *value == false || *value == "false";
    let refused = |name: &str| anchored(spec, name).is_some_and(is_false);
    let mut ways = Ways::default();
    if refused("hostPID") && refused("hostIPC") {
        ways = ways.and(Ways::HOST_NAMESPACES);
    }
    let of_containers = |name: &str| {
        let list = anchored(spec, name).and_then(|list| list.get(0));
        let context = list.and_then(|container| anchored(container, "securityContext"));
        context.and_then(|c| anchored(c, "privileged")).is_some_and(is_false)
    };
    if of_containers("containers") && of_containers("initContainers") {
        ways = ways.and(Ways::PRIVILEGED);
    }
    let volume = anchored(spec, "volumes").and_then(|list| list.get(0));
    if volume.is_some_and(|volume| !volume["X(hostPath)"].is_null()) {
        ways = ways.and(Ways::HOST_PATH);
    }
    ways
}

/// What a pattern asks of a field, whether or not the field may be absent. Other anchors make
/// conditions.
fn anchored<'v>(pattern: &'v Value, name: &str) -> Option<&'v Value> {
    pattern.get(name).or_else(|| pattern.get(format!("=({name})")))
}

/// What a constraint of Gatekeeper's library forbids with its parameters.
pub(super) fn constraint(kind: &str, parameters: &Value, narrowed: bool) -> Judged {
    if HARMLESS_CONSTRAINTS.contains(&kind) {
        return Judged::Harmless;
    }
    let allowed = |name: &str, strong: &[&str]| {
        texts(&parameters[name]).iter().any(|text| strong.contains(text))
    };
    let open = narrowed
        || is_given(&parameters["exemptImages"])
        || match kind {
            "K8sPSPCapabilities" => allowed("allowedCapabilities", STRONG),
            "K8sPSPHostFilesystem" => is_given(&parameters["allowedHostPaths"]),
            "K8sPSPVolumeTypes" => allowed("volumes", &["*", "hostPath"]),
            _ => false,
        };
    match found(CONSTRAINTS, kind) {
        Some(ways) if !open => Judged::Closes(ways),
        _ => Judged::Other,
    }
}

/// Whether a rule of an admission policy takes in the creation of a resource of the core group, or
/// the update of a part of one (kubernetes apiserver
/// `pkg/admission/plugin/webhook/predicates/rules`).
pub(super) fn hit(rule: &Value, resource: &str) -> bool {
    let (name, part) = resource.split_once('/').unwrap_or((resource, ""));
    let operation = if part.is_empty() { "CREATE" } else { "UPDATE" };
    let has =
        |list: &Value, wanted: &str| texts(list).iter().any(|text| *text == "*" || *text == wanted);
    let resources = texts(&rule["resources"]);
    let fits = |asked: &&str| {
        let (n, p) = asked.split_once('/').unwrap_or((asked, ""));
        (n == "*" || n == name) && (p == "*" || p == part)
    };
    let version = &rule["apiVersions"];
    rule["scope"] != "Cluster"
        && (!is_given(version) || has(version, "v1"))
        && has(&rule["operations"], operation)
        && has(&rule["apiGroups"], "")
        && resources.iter().any(fits)
}
