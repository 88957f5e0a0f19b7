//! What makes the pods: Deployments and their ReplicaSets, StatefulSets, DaemonSets, CronJobs.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Owner, Workload};
use crate::json::List;
use crate::object::Object;
use crate::random::uid;
use crate::template;

/// Writes the kinds one after the other, as `kubectl get` lists them.
pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    let owned = |owner| cluster.workloads.iter().filter(move |workload| workload.owner == owner);
    for workload in owned(Owner::DaemonSet) {
        list.item(daemon_set(workload))?;
    }
    for workload in owned(Owner::Deployment) {
        list.item(deployment(workload))?;
    }
    for workload in owned(Owner::Deployment) {
        list.item(replica_set(workload, &workload.replica_set(), workload.pods))?;
        // What is left of an earlier rollout.
        if workload.app && workload.random("history").chance(15) {
            let old = format!("{}-{}", workload.name, workload.random("old-hash").suffix(10));
            list.item(replica_set(workload, &old, 0))?;
        }
    }
    for workload in owned(Owner::StatefulSet) {
        list.item(stateful_set(workload))?;
    }
    for workload in owned(Owner::CronJob) {
        list.item(cron_job(workload))?;
    }
    for workload in owned(Owner::CronJob) {
        for ordinal in 0..workload.pods {
            list.item(job(workload, &workload.job(ordinal)))?;
        }
    }
    Ok(())
}

fn object(api_version: &str, kind: &'static str, workload: &Workload, name: &str) -> Object {
    Object::new(api_version, kind, &workload.namespace, name)
        .meta("generation", 1)
        .meta("labels", template::labels(workload))
}

fn pod_template(workload: &Workload) -> Value {
    json!({
        "metadata": {
            "annotations": template::annotations(workload),
            "labels": template::labels(workload),
        },
        "spec": template::spec(workload),
    })
}

fn deployment(workload: &Workload) -> Value {
    let condition = |kind: &str, reason: &str| {
        json!({
            "lastTransitionTime": "2026-09-28T10:00:00Z",
            "lastUpdateTime": "2026-09-28T10:00:00Z",
            "message": format!("ReplicaSet \"{}\" is fine.", workload.replica_set()),
            "reason": reason,
            "status": "True",
            "type": kind,
        })
    };
    object("apps/v1", "Deployment", workload, &workload.name)
        .meta("annotations", json!({ "deployment.kubernetes.io/revision": "2" }))
        .with(
            "spec",
            json!({
                "progressDeadlineSeconds": 600,
                "replicas": workload.pods,
                "revisionHistoryLimit": 10,
                "selector": { "matchLabels": template::selector(workload) },
                "strategy": {
                    "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" },
                    "type": "RollingUpdate",
                },
                "template": pod_template(workload),
            }),
        )
        .with(
            "status",
            json!({
                "availableReplicas": workload.pods,
                "conditions": [
                    condition("Available", "MinimumReplicasAvailable"),
                    condition("Progressing", "NewReplicaSetAvailable"),
                ],
                "observedGeneration": 1,
                "readyReplicas": workload.pods,
                "replicas": workload.pods,
                "updatedReplicas": workload.pods,
            }),
        )
        .finish()
}

fn replica_set(workload: &Workload, name: &str, replicas: usize) -> Value {
    let hash = name.rsplit('-').next().unwrap_or_default();
    let mut labels = template::labels(workload);
    labels["pod-template-hash"] = hash.into();
    let mut selector = template::selector(workload);
    selector["pod-template-hash"] = hash.into();
    let mut template = pod_template(workload);
    template["metadata"]["labels"] = labels.clone();
    Object::new("apps/v1", "ReplicaSet", &workload.namespace, name)
        .meta("generation", 1)
        .meta(
            "annotations",
            json!({
                "deployment.kubernetes.io/desired-replicas": workload.pods.to_string(),
                "deployment.kubernetes.io/revision": if replicas == 0 { "1" } else { "2" },
            }),
        )
        .meta("labels", labels)
        .owner("apps/v1", "Deployment", &workload.name)
        .by("kube-controller-manager")
        .with(
            "spec",
            json!({
                "replicas": replicas,
                "selector": { "matchLabels": selector },
                "template": template,
            }),
        )
        .with(
            "status",
            json!({
                "availableReplicas": replicas,
                "fullyLabeledReplicas": replicas,
                "observedGeneration": 1,
                "readyReplicas": replicas,
                "replicas": replicas,
            }),
        )
        .finish()
}

fn stateful_set(workload: &Workload) -> Value {
    object("apps/v1", "StatefulSet", workload, &workload.name)
        .with(
            "spec",
            json!({
                "persistentVolumeClaimRetentionPolicy": {
                    "whenDeleted": "Retain",
                    "whenScaled": "Retain",
                },
                "podManagementPolicy": "OrderedReady",
                "replicas": workload.pods,
                "revisionHistoryLimit": 10,
                "selector": { "matchLabels": template::selector(workload) },
                "serviceName": workload.name,
                "template": pod_template(workload),
                "updateStrategy": { "rollingUpdate": { "partition": 0 }, "type": "RollingUpdate" },
                "volumeClaimTemplates": [{
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": { "name": "data" },
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": { "requests": { "storage": "20Gi" } },
                        "volumeMode": "Filesystem",
                    },
                }],
            }),
        )
        .with(
            "status",
            json!({
                "availableReplicas": workload.pods,
                "collisionCount": 0,
                "currentReplicas": workload.pods,
                "observedGeneration": 1,
                "readyReplicas": workload.pods,
                "replicas": workload.pods,
            }),
        )
        .finish()
}

fn daemon_set(workload: &Workload) -> Value {
    object("apps/v1", "DaemonSet", workload, &workload.name)
        .with(
            "spec",
            json!({
                "revisionHistoryLimit": 10,
                "selector": { "matchLabels": template::selector(workload) },
                "template": pod_template(workload),
                "updateStrategy": {
                    "rollingUpdate": { "maxSurge": 0, "maxUnavailable": 1 },
                    "type": "RollingUpdate",
                },
            }),
        )
        .with(
            "status",
            json!({
                "currentNumberScheduled": workload.pods,
                "desiredNumberScheduled": workload.pods,
                "numberAvailable": workload.pods,
                "numberMisscheduled": 0,
                "numberReady": workload.pods,
                "observedGeneration": 1,
            }),
        )
        .finish()
}

fn cron_job(workload: &Workload) -> Value {
    object("batch/v1", "CronJob", workload, &workload.name)
        .with(
            "spec",
            json!({
                "concurrencyPolicy": "Forbid",
                "failedJobsHistoryLimit": 1,
                "jobTemplate": { "metadata": {}, "spec": { "template": pod_template(workload) } },
                "schedule": "15 * * * *",
                "successfulJobsHistoryLimit": workload.pods,
                "suspend": false,
            }),
        )
        .with(
            "status",
            json!({
                "lastScheduleTime": "2026-09-28T10:15:00Z",
                "lastSuccessfulTime": "2026-09-28T10:15:42Z",
            }),
        )
        .finish()
}

fn job(workload: &Workload, name: &str) -> Value {
    let controller = json!({
        "batch.kubernetes.io/controller-uid": uid("Job", &workload.namespace, name),
    });
    let mut template = pod_template(workload);
    template["metadata"]["labels"]["batch.kubernetes.io/job-name"] = name.into();
    Object::new("batch/v1", "Job", &workload.namespace, name)
        .meta("generation", 1)
        .meta("labels", template["metadata"]["labels"].clone())
        .owner("batch/v1", "CronJob", &workload.name)
        .by("kube-controller-manager")
        .with(
            "spec",
            json!({
                "backoffLimit": 6,
                "completionMode": "NonIndexed",
                "completions": 1,
                "parallelism": 1,
                "selector": { "matchLabels": controller },
                "suspend": false,
                "template": template,
            }),
        )
        .with(
            "status",
            json!({
                "completionTime": "2026-09-28T10:15:42Z",
                "conditions": [{
                    "lastProbeTime": "2026-09-28T10:15:42Z",
                    "lastTransitionTime": "2026-09-28T10:15:42Z",
                    "status": "True",
                    "type": "Complete",
                }],
                "ready": 0,
                "startTime": "2026-09-28T10:15:00Z",
                "succeeded": 1,
                "terminating": 0,
            }),
        )
        .finish()
}
