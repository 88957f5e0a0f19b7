//! Pods as the API server returns them: the template, what admission added, and the status.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cluster::{Access, Cluster, Owner, Place, Workload, node_ip};
use crate::json::List;
use crate::object::Object;
use crate::random::{Random, uid};
use crate::template;

/// Writes all pods that are not mirrors of a kubelet's files.
const CONTROLLER: &str = "kube-controller-manager";

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    for workload in &cluster.workloads {
        let spec = template::spec(workload);
        for ordinal in 0..workload.pods {
            let place = cluster.place(workload, ordinal);
            list.item(pod(cluster, workload, &spec, &place, ordinal))?;
        }
    }
    Ok(())
}

fn pod(
    cluster: &Cluster,
    workload: &Workload,
    template: &Value,
    place: &Place,
    ordinal: usize,
) -> Value {
    let mut random = Random::of(&["status", &workload.namespace, &place.name]);
    let mut spec = template.clone();
    let status = status(workload, template, place, &mut random);
    let pod = Object::new("v1", "Pod", &workload.namespace, &place.name)
        .meta("annotations", annotations(workload, place))
        .meta("labels", labels(workload, place, ordinal))
        .with("status", status);
    let pod = match workload.owner {
        Owner::Deployment => {
            let replica_set = workload.replica_set();
            pod.meta("generateName", format!("{replica_set}-"))
                .owner("apps/v1", "ReplicaSet", &replica_set)
                .by(CONTROLLER)
        }
        Owner::StatefulSet => {
            push(
                &mut spec["volumes"],
                json!({
                    "name": "data",
                    "persistentVolumeClaim": { "claimName": format!("data-{}", place.name) },
                }),
            );
            spec["hostname"] = place.name.as_str().into();
            spec["subdomain"] = workload.name.as_str().into();
            pod.meta("generateName", format!("{}-", workload.name))
                .owner("apps/v1", "StatefulSet", &workload.name)
                .by(CONTROLLER)
        }
        Owner::DaemonSet => pod
            .meta("generateName", format!("{}-", workload.name))
            .owner("apps/v1", "DaemonSet", &workload.name)
            .by(CONTROLLER),
        Owner::CronJob => {
            let job = workload.job(ordinal);
            pod.meta("generateName", format!("{job}-"))
                .owner("batch/v1", "Job", &job)
                .by(CONTROLLER)
        }
        Owner::Node => pod.owner("v1", "Node", &cluster.node(place.node)).by("kubelet"),
    };
    let mut pod = pod.with("spec", spec).finish();
    admit(&mut pod["spec"], cluster, workload, place);
    pod
}

fn labels(workload: &Workload, place: &Place, ordinal: usize) -> Value {
    let mut labels = template::labels(workload);
    let mut hash = workload.random("template-hash");
    match workload.owner {
        Owner::Deployment => labels["pod-template-hash"] = hash.suffix(10).into(),
        Owner::StatefulSet => {
            labels["apps.kubernetes.io/pod-index"] = ordinal.to_string().into();
            labels["controller-revision-hash"] =
                format!("{}-{}", workload.name, hash.suffix(10)).into();
            labels["statefulset.kubernetes.io/pod-name"] = place.name.as_str().into();
        }
        Owner::DaemonSet => {
            labels["controller-revision-hash"] = hash.suffix(10).into();
            labels["pod-template-generation"] = "1".into();
        }
        Owner::CronJob => {
            let job = workload.job(ordinal);
            let controller = uid("Job", &workload.namespace, &job);
            labels["batch.kubernetes.io/controller-uid"] = controller.into();
            labels["batch.kubernetes.io/job-name"] = job.into();
        }
        Owner::Node => {}
    }
    labels
}

fn annotations(workload: &Workload, place: &Place) -> Value {
    if workload.owner == Owner::Node {
        let hash = workload.random("file").hex(32);
        return json!({
            "kubernetes.io/config.hash": hash,
            "kubernetes.io/config.mirror": hash,
            "kubernetes.io/config.seen": "2026-01-05T08:11:42.118822941Z",
            "kubernetes.io/config.source": "file",
        });
    }
    let mut annotations = template::annotations(workload);
    if !workload.on_host_network() {
        annotations["cni.projectcalico.org/containerID"] =
            Random::of(&["sandbox", &workload.namespace, &place.name]).hex(64).into();
        annotations["cni.projectcalico.org/podIP"] = format!("{}/32", place.ip).into();
        annotations["cni.projectcalico.org/podIPs"] = format!("{}/32", place.ip).into();
    }
    annotations
}

/// Adds to a list that need not exist yet.
fn push(list: &mut Value, item: Value) {
    match list {
        Value::Array(list) => list.push(item),
        other => *other = json!([item]),
    }
}

/// Adds what admission and the scheduler add.
fn admit(spec: &mut Value, cluster: &Cluster, workload: &Workload, place: &Place) {
    spec["enableServiceLinks"] = true.into();
    spec["nodeName"] = cluster.node(place.node).into();
    spec["preemptionPolicy"] = "PreemptLowerPriority".into();
    if spec["priorityClassName"].is_null() {
        spec["priority"] = 0.into();
    } else {
        spec["priority"] = 2_000_001_000.into();
    }
    if workload.owner == Owner::Node {
        spec["tolerations"] = json!([{ "effect": "NoExecute", "operator": "Exists" }]);
        return;
    }
    for taint in ["not-ready", "unreachable"] {
        push(
            &mut spec["tolerations"],
            json!({
                "effect": "NoExecute",
                "key": format!("node.kubernetes.io/{taint}"),
                "operator": "Exists",
                "tolerationSeconds": 300,
            }),
        );
    }
    spec["serviceAccount"] = workload.account.as_str().into();
    spec["serviceAccountName"] = workload.account.as_str().into();
    if workload.access != Access::NoToken {
        mount_token(spec, workload, place);
    }
}

/// Adds the token of the service account, in the shape that the API server gives it.
fn mount_token(spec: &mut Value, workload: &Workload, place: &Place) {
    let suffix = Random::of(&["token", &workload.namespace, &place.name]).suffix(5);
    let volume = format!("kube-api-access-{suffix}");
    if let Some(containers) = spec["containers"].as_array_mut() {
        for container in containers {
            push(
                &mut container["volumeMounts"],
                json!({
                    "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
                    "name": volume,
                    "readOnly": true,
                }),
            );
        }
    }
    push(
        &mut spec["volumes"],
        json!({
            "name": volume,
            "projected": {
                "defaultMode": 420,
                "sources": [
                    { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                    { "configMap": {
                        "items": [{ "key": "ca.crt", "path": "ca.crt" }],
                        "name": "kube-root-ca.crt",
                    } },
                    { "downwardAPI": { "items": [{
                        "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
                        "path": "namespace",
                    }] } },
                ],
            },
        }),
    );
}

fn status(workload: &Workload, template: &Value, place: &Place, random: &mut Random) -> Value {
    let done = workload.owner == Owner::CronJob;
    let failing = !done && workload.app && random.chance(1);
    let start = random.moment();
    let condition = |kind: &str, holds: bool| {
        json!({
            "lastProbeTime": null,
            "lastTransitionTime": start,
            "status": if holds { "True" } else { "False" },
            "type": kind,
        })
    };
    let running = !done && !failing;
    let containers = template["containers"].as_array().map(Vec::as_slice).unwrap_or_default();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|container| {
            let state = if done {
                let reason = "Completed";
                json!({ "terminated": {
                    "containerID": format!("containerd://{}", random.hex(64)),
                    "exitCode": 0, "finishedAt": start, "reason": reason, "startedAt": start,
                } })
            } else if failing {
                json!({ "waiting": {
                    "message": "back-off 5m0s restarting failed container",
                    "reason": "CrashLoopBackOff",
                } })
            } else {
                json!({ "running": { "startedAt": start } })
            };
            json!({
                "containerID": format!("containerd://{}", random.hex(64)),
                "image": container["image"],
                "imageID": format!("registry.example.com/mirror@sha256:{}", random.hex(64)),
                "lastState": {},
                "name": container["name"],
                "ready": running,
                "resources": container["resources"],
                "restartCount": if failing { 214 } else { random.pick(&[0, 0, 0, 1, 3]) },
                "started": running,
                "state": state,
            })
        })
        .collect();
    let host = node_ip(place.node);
    json!({
        "conditions": [
            condition("PodReadyToStartContainers", running),
            condition("Initialized", true),
            condition("Ready", running),
            condition("ContainersReady", running),
            condition("PodScheduled", true),
        ],
        "containerStatuses": statuses,
        "hostIP": host,
        "hostIPs": [{ "ip": host }],
        "observedGeneration": 1,
        "phase": if done { "Succeeded" } else { "Running" },
        "podIP": place.ip,
        "podIPs": [{ "ip": place.ip }],
        "qosClass": "Burstable",
        "startTime": start,
    })
}
