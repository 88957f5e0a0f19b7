//! Pods and everything that carries a pod template.
//!
//! Only the fields that an attack or an answer needs are declared; serde skips the rest. The field
//! names are those of the published API (`tests/fields.rs` holds them against it).

use super::Meta;
use super::scalar::{Bool, Filled, Int, List, Present, Str};
use serde::Deserialize;

/// `spec` of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PodSpec<'a> {
    pub node_name: Str<'a>,
    pub service_account_name: Str<'a>,
    /// The old name of `serviceAccountName`, which the API server keeps equal to it.
    pub service_account: Str<'a>,
    pub automount_service_account_token: Bool,
    pub host_network: Bool,
    #[serde(rename = "hostPID")]
    pub host_pid: Bool,
    #[serde(rename = "hostIPC")]
    pub host_ipc: Bool,
    pub host_users: Bool,
    pub restart_policy: Str<'a>,
    pub share_process_namespace: Bool,
    pub runtime_class_name: Str<'a>,
    pub security_context: Option<PodSecurityContext<'a>>,
    pub containers: List<Container<'a>>,
    pub init_containers: List<Container<'a>>,
    pub ephemeral_containers: List<Container<'a>>,
    pub volumes: List<Volume<'a>>,
    pub image_pull_secrets: List<LocalRef<'a>>,
}

/// `spec.securityContext` of a Pod.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct PodSecurityContext<'a> {
    pub run_as_user: Int,
    pub run_as_non_root: Bool,
    pub seccomp_profile: Option<Profile<'a>>,
    pub app_armor_profile: Option<Profile<'a>>,
    pub se_linux_options: Option<Box<SeLinuxOptions<'a>>>,
    pub windows_options: Option<WindowsOptions>,
    pub sysctls: List<Sysctl<'a>>,
}

/// `seLinuxOptions` of a security context.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct SeLinuxOptions<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
    pub user: Str<'a>,
    pub role: Str<'a>,
}

/// One of `sysctls` of a Pod's security context.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Sysctl<'a> {
    pub name: Str<'a>,
}

/// A seccomp or AppArmor profile.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Profile<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
}

/// `windowsOptions` of a security context.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WindowsOptions {
    pub host_process: Bool,
}

/// A container of any of the three lists.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Container<'a> {
    pub name: Str<'a>,
    pub image: Str<'a>,
    pub command: List<Str<'a>>,
    pub args: List<Str<'a>>,
    pub env: List<EnvVar<'a>>,
    pub env_from: List<EnvFrom<'a>>,
    pub ports: List<ContainerPort<'a>>,
    pub security_context: Option<SecurityContext<'a>>,
    pub volume_mounts: List<VolumeMount<'a>>,
    pub volume_devices: List<VolumeDevice<'a>>,
    pub stdin: Bool,
    pub tty: Bool,
    /// On an init container, `Always` makes it a sidecar that keeps running. On others, where it is
    /// set, it comes before the pod's.
    pub restart_policy: Str<'a>,
    /// By exit codes it may start anew whatever its policy says.
    pub restart_policy_rules: Present,
    /// Of an ephemeral container: the one whose processes it sees.
    pub target_container_name: Str<'a>,
    pub liveness_probe: Option<Action>,
    pub readiness_probe: Option<Action>,
    pub startup_probe: Option<Action>,
    pub lifecycle: Option<Lifecycle>,
}

impl<'a> Container<'a> {
    /// What the kubelet connects to for this container: probes and hooks.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        let probes = [&self.liveness_probe, &self.readiness_probe, &self.startup_probe];
        let hooks = self.lifecycle.as_ref().map(|l| [&l.post_start, &l.pre_stop]);
        probes.into_iter().chain(hooks.into_iter().flatten()).flatten()
    }
}

/// `lifecycle` of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Lifecycle {
    pub post_start: Option<Action>,
    pub pre_stop: Option<Action>,
}

/// A probe, or a hook of `lifecycle`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Action {
    pub http_get: Option<Endpoint>,
    pub tcp_socket: Option<Endpoint>,
}

/// Where a probe or a hook connects to.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Endpoint {
    /// Left out, it is the pod itself.
    pub host: Filled,
}

/// `securityContext` of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SecurityContext<'a> {
    pub privileged: Bool,
    pub run_as_user: Int,
    pub run_as_non_root: Bool,
    pub allow_privilege_escalation: Bool,
    pub read_only_root_filesystem: Bool,
    pub capabilities: Option<Capabilities<'a>>,
    pub proc_mount: Str<'a>,
    pub seccomp_profile: Option<Profile<'a>>,
    pub app_armor_profile: Option<Profile<'a>>,
    pub se_linux_options: Option<Box<SeLinuxOptions<'a>>>,
    pub windows_options: Option<WindowsOptions>,
}

/// `securityContext.capabilities`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Capabilities<'a> {
    pub add: List<Str<'a>>,
    pub drop: List<Str<'a>>,
}

/// One of `env`; a literal value is never kept.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct EnvVar<'a> {
    pub name: Str<'a>,
    pub value: Literal,
    pub value_from: Option<EnvSource<'a>>,
}

/// Whether a variable's value is written down, and not that of another variable, `$(NAME)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Literal(pub bool);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Str::deserialize(deserializer)?;
        Ok(Self(!text.is_empty() && !text.starts_with("$(")))
    }
}

/// `env[].valueFrom`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct EnvSource<'a> {
    pub secret_key_ref: Option<SecretKeySelector<'a>>,
    pub config_map_key_ref: Option<LocalRef<'a>>,
}

/// One of `envFrom`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct EnvFrom<'a> {
    pub secret_ref: Option<LocalRef<'a>>,
    pub config_map_ref: Option<LocalRef<'a>>,
}

/// A key of an object in the same namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct SecretKeySelector<'a> {
    pub name: Str<'a>,
    pub key: Str<'a>,
}

/// One of `items`, the keys of an object that a volume has; without any it has all.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct KeyToPath<'a> {
    pub key: Str<'a>,
}

/// The name of an object in the same namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct LocalRef<'a> {
    pub name: Str<'a>,
}

/// One of `ports` of a container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ContainerPort<'a> {
    pub name: Str<'a>,
    pub container_port: Int,
    pub host_port: Int,
    #[serde(rename = "hostIP")]
    pub host_ip: Str<'a>,
    pub protocol: Str<'a>,
}

/// One of `volumeMounts`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct VolumeMount<'a> {
    pub name: Str<'a>,
    pub mount_path: Str<'a>,
    pub read_only: Bool,
    pub sub_path: Str<'a>,
    pub sub_path_expr: Str<'a>,
}

/// One of `volumeDevices`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct VolumeDevice<'a> {
    pub name: Str<'a>,
}

/// One of `spec.volumes`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct Volume<'a> {
    pub name: Str<'a>,
    pub host_path: Option<HostPath<'a>>,
    pub secret: Option<SecretVolume<'a>>,
    pub config_map: Option<LocalRef<'a>>,
    pub projected: Option<Projected<'a>>,
    pub persistent_volume_claim: Option<ClaimVolume<'a>>,
    pub csi: Option<CsiVolume<'a>>,
    pub aws_elastic_block_store: Present,
    pub azure_disk: Present,
    pub azure_file: Present,
    pub cephfs: Present,
    pub cinder: Present,
    pub fc: Present,
    pub flex_volume: Present,
    pub flocker: Present,
    pub gce_persistent_disk: Present,
    pub git_repo: Present,
    pub glusterfs: Present,
    pub iscsi: Present,
    pub nfs: Present,
    pub photon_persistent_disk: Present,
    pub portworx_volume: Present,
    pub quobyte: Present,
    pub rbd: Present,
    #[serde(rename = "scaleIO")]
    pub scale_io: Present,
    pub storageos: Present,
    pub vsphere_volume: Present,
}

impl Volume<'_> {
    /// Whether it names storage itself instead of by a claim or a CSI driver.
    #[must_use]
    pub fn names_storage(&self) -> bool {
        [
            &self.aws_elastic_block_store,
            &self.azure_disk,
            &self.azure_file,
            &self.cephfs,
            &self.cinder,
            &self.fc,
            &self.flex_volume,
            &self.flocker,
            &self.gce_persistent_disk,
            &self.git_repo,
            &self.glusterfs,
            &self.iscsi,
            &self.nfs,
            &self.photon_persistent_disk,
            &self.portworx_volume,
            &self.quobyte,
            &self.rbd,
            &self.scale_io,
            &self.storageos,
            &self.vsphere_volume,
        ]
        .iter()
        .any(|kind| kind.0)
    }
}

/// `volumes[].hostPath`, also of a PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct HostPath<'a> {
    pub path: Str<'a>,
}

/// `volumes[].secret`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct SecretVolume<'a> {
    pub secret_name: Str<'a>,
    pub items: List<KeyToPath<'a>>,
}

/// `projected.sources[].secret`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct SecretProjection<'a> {
    pub name: Str<'a>,
    pub items: List<KeyToPath<'a>>,
}

/// `volumes[].projected`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Projected<'a> {
    pub sources: List<ProjectedSource<'a>>,
}

/// One of `projected.sources`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ProjectedSource<'a> {
    pub service_account_token: Option<TokenSource<'a>>,
    pub secret: Option<SecretProjection<'a>>,
    pub config_map: Option<LocalRef<'a>>,
}

/// `projected.sources[].serviceAccountToken`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct TokenSource<'a> {
    /// Empty: the API server itself.
    pub audience: Str<'a>,
}

/// `volumes[].persistentVolumeClaim`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ClaimVolume<'a> {
    pub claim_name: Str<'a>,
    pub read_only: Bool,
}

/// `volumes[].csi`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct CsiVolume<'a> {
    pub node_publish_secret_ref: Option<LocalRef<'a>>,
}

/// `spec` of a Deployment, ReplicaSet, StatefulSet, DaemonSet, ReplicationController, Job or
/// CronJob.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct WorkloadSpec<'a> {
    pub replicas: Int,
    pub template: Option<PodTemplate<'a>>,
    /// Of a CronJob.
    pub job_template: Option<JobTemplate<'a>>,
}

/// `spec.template`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct PodTemplate<'a> {
    pub metadata: Option<Meta<'a>>,
    pub spec: Option<PodSpec<'a>>,
}

/// `spec.jobTemplate`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct JobTemplate<'a> {
    pub spec: Option<JobSpec<'a>>,
}

/// `spec.jobTemplate.spec`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct JobSpec<'a> {
    pub template: Option<PodTemplate<'a>>,
}

/// `status` of a Job, and of the other workloads as far as they share a field.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct WorkloadStatus<'a> {
    /// Of a Job: `Complete` or `Failed` once it has ended.
    pub conditions: List<Condition<'a>>,
}

/// One of `status.conditions`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct Condition<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
    pub status: Str<'a>,
}
