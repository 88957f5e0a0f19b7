//! The table of custom resources that become pods, each with the operator that makes them.

use super::custom_resources::{
    ARGO_WORKFLOW_CREATE, KNATIVE_OR_KEDA_OR_JOB_CR, KUBE_VIRT_VM, TEKTON_RUN_CREATE,
};
use super::operators::Operator;
use super::sets::PRIVILEGED_PODS;
use crate::graph::{Attack, SetKind};

/// A custom resource that becomes pods.
pub(super) struct Resource {
    pub(super) attack: &'static Attack,
    pub(super) group: &'static str,
    pub(super) resource: &'static str,
    pub(super) kind: &'static str,
    pub(super) operator: &'static Operator,
    /// A change of it makes new pods.
    pub(super) changes: bool,
    /// Its writer may ask for a pod that takes its node.
    privileged: bool,
}

impl Resource {
    /// Whether its pods lead to a kind of set.
    pub(super) fn gives(&self, kind: &SetKind) -> bool {
        self.privileged || *kind != PRIVILEGED_PODS
    }
}

macro_rules! operator {
    ($name:ident, [$($image:literal),*], [$($workload:literal),*]) => {
        static $name: Operator = Operator { images: &[$($image),*], names: &[$($workload),*] };
    };
}

operator!(ARGO_WORKFLOWS, ["workflow-controller"], ["workflow-controller"]);
operator!(
    TEKTON,
    ["tektoncd/pipeline/cmd/controller", "tektoncd/pipeline/controller-"],
    ["tekton-pipelines-controller"]
);
operator!(KNATIVE, ["knative.dev/serving/cmd/controller"], ["knative-serving/controller"]);
operator!(KEDA, ["kedacore/keda"], ["keda-operator"]);
operator!(ROLLOUTS, ["argo-rollouts"], ["argo-rollouts"]);
operator!(KRUISE, ["kruise-manager"], ["kruise-controller-manager"]);
operator!(JOB_SET, ["jobset/jobset"], ["jobset-controller-manager", "jobset-controller"]);
operator!(LEADER_WORKER_SET, ["lws/lws"], ["lws-controller-manager"]);
operator!(VOLCANO, ["vc-controller-manager"], ["volcano-controllers"]);
operator!(RAY, ["kuberay/operator"], ["kuberay-operator"]);
operator!(
    SPARK,
    ["spark-operator", "spark-operator/controller"],
    ["spark-operator", "spark-operator-controller"]
);
operator!(
    NOTEBOOKS,
    ["notebook-controller"],
    ["notebook-controller", "notebook-controller-deployment"]
);
operator!(TRAINING, ["training-operator"], ["training-operator"]);
operator!(PROMETHEUS, ["prometheus-operator"], ["prometheus-operator"]);
operator!(ELASTIC, ["eck-operator"], ["elastic-operator"]);
operator!(
    OPEN_TELEMETRY,
    ["opentelemetry-operator"],
    ["opentelemetry-operator", "opentelemetry-operator-controller-manager"]
);
operator!(
    DEPLOYMENT_CONFIGS,
    ["openshift-controller-manager"],
    ["openshift-controller-manager/controller-manager"]
);
operator!(KUBE_VIRT, ["virt-controller"], ["virt-controller"]);

/// What a change of the resource does.
const MADE_ONCE: bool = false;
const MADE_ANEW: bool = true;
/// What its pods may be.
const CONFINED: bool = false;
const PRIVILEGED: bool = true;

const fn row(
    attack: &'static Attack,
    (group, resource, kind): (&'static str, &'static str, &'static str),
    operator: &'static Operator,
    changes: bool,
    privileged: bool,
) -> Resource {
    Resource { attack, group, resource, kind, operator, changes, privileged }
}

#[rustfmt::skip]
pub(super) static RESOURCES: &[Resource] = &[
    row(&ARGO_WORKFLOW_CREATE, ("argoproj.io", "workflows", "Workflow"), &ARGO_WORKFLOWS, MADE_ONCE, PRIVILEGED),
    row(&ARGO_WORKFLOW_CREATE, ("argoproj.io", "cronworkflows", "CronWorkflow"), &ARGO_WORKFLOWS, MADE_ANEW, PRIVILEGED),
    row(&TEKTON_RUN_CREATE, ("tekton.dev", "taskruns", "TaskRun"), &TEKTON, MADE_ONCE, PRIVILEGED),
    row(&TEKTON_RUN_CREATE, ("tekton.dev", "pipelineruns", "PipelineRun"), &TEKTON, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("serving.knative.dev", "services", "Service"), &KNATIVE, MADE_ANEW, CONFINED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("serving.knative.dev", "configurations", "Configuration"), &KNATIVE, MADE_ANEW, CONFINED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("keda.sh", "scaledjobs", "ScaledJob"), &KEDA, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("argoproj.io", "rollouts", "Rollout"), &ROLLOUTS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.kruise.io", "clonesets", "CloneSet"), &KRUISE, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.kruise.io", "statefulsets", "StatefulSet"), &KRUISE, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.kruise.io", "daemonsets", "DaemonSet"), &KRUISE, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.kruise.io", "broadcastjobs", "BroadcastJob"), &KRUISE, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.kruise.io", "advancedcronjobs", "AdvancedCronJob"), &KRUISE, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("jobset.x-k8s.io", "jobsets", "JobSet"), &JOB_SET, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("leaderworkerset.x-k8s.io", "leaderworkersets", "LeaderWorkerSet"), &LEADER_WORKER_SET, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("batch.volcano.sh", "jobs", "Job"), &VOLCANO, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("ray.io", "rayclusters", "RayCluster"), &RAY, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("ray.io", "rayjobs", "RayJob"), &RAY, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("ray.io", "rayservices", "RayService"), &RAY, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("sparkoperator.k8s.io", "sparkapplications", "SparkApplication"), &SPARK, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("sparkoperator.k8s.io", "scheduledsparkapplications", "ScheduledSparkApplication"), &SPARK, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("kubeflow.org", "notebooks", "Notebook"), &NOTEBOOKS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("kubeflow.org", "pytorchjobs", "PyTorchJob"), &TRAINING, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("kubeflow.org", "tfjobs", "TFJob"), &TRAINING, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("kubeflow.org", "mpijobs", "MPIJob"), &TRAINING, MADE_ONCE, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("monitoring.coreos.com", "prometheuses", "Prometheus"), &PROMETHEUS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("monitoring.coreos.com", "prometheusagents", "PrometheusAgent"), &PROMETHEUS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("monitoring.coreos.com", "alertmanagers", "Alertmanager"), &PROMETHEUS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("monitoring.coreos.com", "thanosrulers", "ThanosRuler"), &PROMETHEUS, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("elasticsearch.k8s.elastic.co", "elasticsearches", "Elasticsearch"), &ELASTIC, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("kibana.k8s.elastic.co", "kibanas", "Kibana"), &ELASTIC, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("beat.k8s.elastic.co", "beats", "Beat"), &ELASTIC, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("agent.k8s.elastic.co", "agents", "Agent"), &ELASTIC, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("opentelemetry.io", "opentelemetrycollectors", "OpenTelemetryCollector"), &OPEN_TELEMETRY, MADE_ANEW, PRIVILEGED),
    row(&KNATIVE_OR_KEDA_OR_JOB_CR, ("apps.openshift.io", "deploymentconfigs", "DeploymentConfig"), &DEPLOYMENT_CONFIGS, MADE_ANEW, PRIVILEGED),
    row(&KUBE_VIRT_VM, ("kubevirt.io", "virtualmachines", "VirtualMachine"), &KUBE_VIRT, MADE_ONCE, CONFINED),
    row(&KUBE_VIRT_VM, ("kubevirt.io", "virtualmachineinstances", "VirtualMachineInstance"), &KUBE_VIRT, MADE_ONCE, CONFINED),
    row(&KUBE_VIRT_VM, ("kubevirt.io", "virtualmachineinstancereplicasets", "VirtualMachineInstanceReplicaSet"), &KUBE_VIRT, MADE_ONCE, CONFINED),
    row(&KUBE_VIRT_VM, ("pool.kubevirt.io", "virtualmachinepools", "VirtualMachinePool"), &KUBE_VIRT, MADE_ONCE, CONFINED),
];
