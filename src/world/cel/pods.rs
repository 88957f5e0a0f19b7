//! The pods that somebody would make to take a node.
//!
//! Each way to the node has two kinds of pod. In one, everything but the way itself is unknown,
//! because whoever makes the pod chooses it: what is refused of it is refused of every such pod. The
//! others are whole pods: what lets one of them pass leaves the way open.

use super::value::{Mark, Value};
use crate::world::guards::Ways;
use serde_json::{Value as Json, json};
use std::sync::LazyLock;

/// Which request a policy is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Asked {
    /// A new pod.
    Create,
    /// An ephemeral container in a pod that is there.
    Ephemeral,
}

/// Capabilities that take a node, some of them together with other fields, which are open.
const STRONG: &[&str] =
    &["SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "DAC_READ_SEARCH", "BPF", "ALL"];

/// Folders of a node that are as good as the node.
const PATHS: &[&str] = &[
    "/",
    "/etc",
    "/proc",
    "/var/lib/kubelet",
    "/var/run/docker.sock",
    "/run/containerd/containerd.sock",
];

/// The ways that a request may take.
pub(super) const fn ways(asked: Asked) -> &'static [Ways] {
    match asked {
        Asked::Create => {
            &[Ways::PRIVILEGED, Ways::HOST_PATH, Ways::CAPABILITIES, Ways::HOST_NAMESPACES]
        }
        Asked::Ephemeral => &[Ways::PRIVILEGED, Ways::CAPABILITIES],
    }
}

/// Texts of the pods that may be a namespace's name too.
pub(super) const WORDS: &[&str] = &["app", "default", "first", "host"];

const UNKNOWN: Value = Value::Unknown;

fn danger(value: Value) -> Value {
    value.marked(Mark::Danger)
}

/// The security contexts that make a container dangerous: all else in them is open.
fn contexts(way: Ways) -> Vec<Value> {
    if way == Ways::PRIVILEGED {
        // A privileged container cannot be kept from escalating (`pkg/apis/core/validation`).
        let escalating = [Value::Absent, Value::Bool(true)];
        return escalating
            .into_iter()
            .map(|escalation| {
                Value::map(
                    [
                        ("privileged", danger(Value::Bool(true))),
                        ("allowPrivilegeEscalation", danger(escalation)),
                    ],
                    true,
                )
            })
            .collect();
    }
    let added = |capability: &&str| {
        let add = danger(Value::list(vec![Value::text(capability)], true));
        Value::map([("capabilities", Value::map([("add", add)], true))], true)
    };
    STRONG.iter().map(added).collect()
}

/// The objects that take a way, of which nothing else is known.
pub(super) fn outlines(way: Ways, asked: Asked, namespace: &Value) -> Vec<Value> {
    let any = || Value::map([], true);
    let container = |context: Value| Value::map([("securityContext", context)], true);
    let mut specs: Vec<Vec<(&str, Value)>> = Vec::new();
    if way == Ways::PRIVILEGED || way == Ways::CAPABILITIES {
        for context in contexts(way) {
            let of = Value::list(vec![container(context)], true);
            let others = Value::list(vec![any()], true);
            match asked {
                Asked::Ephemeral => {
                    specs.push(vec![("ephemeralContainers", of), ("containers", others)]);
                }
                Asked::Create => {
                    let none = ("ephemeralContainers", Value::Absent);
                    specs.push(vec![("containers", of.clone()), none.clone()]);
                    specs.push(vec![("initContainers", of), ("containers", others), none]);
                }
            }
        }
    } else {
        let (name, value) = if way == Ways::HOST_PATH {
            let path = danger(Value::map([("path", danger(UNKNOWN))], true));
            let volume = Value::map([("name", UNKNOWN), ("hostPath", path)], false);
            ("volumes", Value::list(vec![volume], true))
        } else {
            ("hostPID", danger(Value::Bool(true)))
        };
        let containers = ("containers", Value::list(vec![any()], true));
        specs.push(vec![(name, value.clone()), containers.clone()]);
        if way == Ways::HOST_NAMESPACES {
            specs.push(vec![("hostIPC", value), containers]);
        }
    }
    let whole = |spec: Vec<(&str, Value)>| {
        let metadata = Value::map([("namespace", namespace.clone())], true);
        Value::map(
            [
                ("apiVersion", Value::text("v1")),
                ("kind", Value::text("Pod")),
                ("metadata", metadata),
                ("spec", Value::map(spec, true)),
            ],
            true,
        )
    };
    specs.into_iter().map(whole).collect()
}

/// A pod as the API server would hold it before it asks policies: a bare one, or one that meets
/// what is often asked of pods.
fn pod(polite: bool) -> Json {
    let mut container = json!({
        "name": "app", "image": "registry.k8s.io/pause:3.10", "resources": {},
        "imagePullPolicy": "IfNotPresent", "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File", "securityContext": {},
    });
    let mut spec = json!({
        "restartPolicy": "Always", "terminationGracePeriodSeconds": 30, "dnsPolicy": "ClusterFirst",
        "serviceAccountName": "default", "serviceAccount": "default", "securityContext": {},
        "schedulerName": "default-scheduler", "automountServiceAccountToken": false,
        "enableServiceLinks": true, "preemptionPolicy": "PreemptLowerPriority", "priority": 0,
        "volumes": [],
    });
    let mut metadata = json!({"name": "app"});
    if polite {
        let amount = json!({"cpu": "10m", "memory": "16Mi"});
        container["resources"] = json!({"limits": amount, "requests": amount});
        container["securityContext"] = json!({
            "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        });
        spec["securityContext"] = json!({
            "runAsNonRoot": true, "runAsUser": 1000, "runAsGroup": 1000, "fsGroup": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        });
        metadata["labels"] = json!({
            "app": "app", "app.kubernetes.io/name": "app", "team": "app", "owner": "app",
        });
    }
    spec["containers"] = json!([container]);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})
}

/// Whole pods that take a way.
pub(super) fn whole(way: Ways, namespace: &Value) -> Vec<Value> {
    static PODS: LazyLock<Vec<(Ways, Value)>> = LazyLock::new(|| {
        let of = |way: &Ways| make(*way).into_iter().map(|pod| (*way, pod)).collect::<Vec<_>>();
        ways(Asked::Create).iter().flat_map(of).collect()
    });
    let pods = PODS.iter().filter(|(of, _)| *of == way);
    pods.map(|(_, pod)| with_namespace(pod.clone(), namespace)).collect()
}

fn make(way: Ways) -> Vec<Value> {
    let mut pods = Vec::new();
    for polite in [false, true] {
        let base = pod(polite);
        let mut changed = |change: &dyn Fn(&mut Json)| {
            let mut pod = base.clone();
            change(&mut pod);
            pods.push(pod);
        };
        if way == Ways::HOST_PATH {
            for path in PATHS {
                changed(&|pod| {
                    let volume = json!({"name": "host", "hostPath": {"path": path, "type": ""}});
                    pod["spec"]["volumes"] = json!([volume]);
                    let mount = json!({"name": "host", "mountPath": "/host"});
                    pod["spec"]["containers"][0]["volumeMounts"] = json!([mount]);
                });
            }
        } else if way == Ways::HOST_NAMESPACES {
            for field in ["hostPID", "hostIPC"] {
                changed(&|pod| pod["spec"][field] = json!(true));
            }
        } else {
            let capabilities: &[&str] = if way == Ways::PRIVILEGED { &[""] } else { STRONG };
            for capability in capabilities {
                let dangerous = |pod: &mut Json| {
                    let context = &mut pod["spec"]["containers"][0]["securityContext"];
                    if way == Ways::PRIVILEGED {
                        context["privileged"] = json!(true);
                    } else {
                        context["capabilities"]["add"] = json!([capability]);
                    }
                };
                changed(&dangerous);
                changed(&|pod| {
                    let plain = pod["spec"]["containers"][0].clone();
                    dangerous(pod);
                    let mut first = pod["spec"]["containers"][0].clone();
                    first["name"] = json!("first");
                    pod["spec"]["containers"][0] = plain;
                    pod["spec"]["initContainers"] = json!([first]);
                });
            }
        }
    }
    pods.iter().map(Value::json).collect()
}

fn with_namespace(pod: Value, namespace: &Value) -> Value {
    let Value::Map(mut object) = pod else { return pod };
    let map = std::sync::Arc::make_mut(&mut object);
    if let Some(Value::Map(metadata)) = map.entries.get_mut("metadata") {
        let metadata = std::sync::Arc::make_mut(metadata);
        metadata.entries.insert("namespace".into(), namespace.clone());
    }
    Value::Map(object)
}
