//! Deputies that run platforms: Crossplane, Velero, Rancher, and the controllers of cloud
//! providers' resources.

use super::Family;
use super::controllers::{Controller, Found};
use super::deputies::{CHANGE, Deputy, Reach, Reads, Steer, To, WRITE, walk};
use super::gitops::{everywhere, own_namespace};
use super::rancher_projects;
use crate::graph::{Confidence, Odds, SetKind, Sink};
use crate::world::World;

crate::attack! {
    /// Has Crossplane or one of its providers apply objects with its own account.
    ///
    /// ## Needs
    /// By a ClusterRoleBinding, `create`, `update` or `patch` on `objects` of
    /// `kubernetes.crossplane.io` or `releases` of `helm.crossplane.io` with that provider running
    /// (in a namespace for the groups `kubernetes.m.crossplane.io` and `helm.m.crossplane.io`); or
    /// on `providers`, `functions` or `configurations` of `pkg.crossplane.io`, or on `compositions`
    /// of `apiextensions.crossplane.io`, with Crossplane running.
    /// ## Abuse
    /// An Object whose `forProvider.manifest` is a ClusterRoleBinding is applied by
    /// provider-kubernetes. A Provider's package is an image of one's own that Crossplane runs, and
    /// its webhook configurations and CRDs are applied by Crossplane's account.
    /// ## Stopped by
    /// The ProviderConfig, which may name another cluster or lesser credentials, and is not read;
    /// an ImageConfig that asks for signatures.
    /// ## Fix
    /// Give tenants claims of composite resources only; give a provider no more than it manages.
    /// ## Detect
    /// Audit events that write these resources by others than Crossplane's accounts.
    /// ## References
    /// - <https://docs.crossplane.io/latest/packages/providers/>
    /// - <https://github.com/crossplane-contrib/provider-kubernetes>
    pub(super) static CROSSPLANE_MANAGED = {
        id: "crossplane-managed", title: "Have Crossplane apply objects", mitre: &["T1078", "T1098"],
        odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Has Velero run commands in pods, or restore what it saved where one can read it.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `backups`, `schedules` or `restores` of `velero.io`, or a
    /// change of a `backupstoragelocations`, in the namespace of a running Velero server.
    /// ## Abuse
    /// A Backup with `spec.hooks.resources[].pre[].exec` runs a command in every pod that it
    /// selects, of any namespace. A Restore with `namespaceMapping` puts the Secrets of another
    /// namespace into one's own, and its hooks add init containers. A storage location that points
    /// to a bucket of one's own receives the next backup.
    /// ## Stopped by
    /// Objects in other namespaces than Velero's own are not read. A Restore needs a backup.
    /// ## Fix
    /// Let nobody but administrators write in Velero's namespace.
    /// ## Detect
    /// Audit events that write these resources; `pods/exec` by Velero's account.
    /// ## References
    /// - <https://velero.io/docs/main/backup-hooks/>
    /// - <https://velero.io/docs/main/restore-reference/>
    pub(super) static VELERO_RESTORE = {
        id: "velero-restore", title: "Have Velero run or restore", mitre: &["T1078", "T1609"],
        odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Has Rancher or Fleet grant roles, or apply manifests, with its own account.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `globalrolebindings`, `globalroles`, `roletemplates` or
    /// `tokens` of `management.cattle.io` by a ClusterRoleBinding, or on
    /// `clusterroletemplatebindings` in the namespace `local`, which is this cluster, with Rancher
    /// running; or on `projectroletemplatebindings` in the namespace of a project, for the namespaces
    /// that bear its label; or on `bundles` or `gitrepos` of `fleet.cattle.io` in the namespace `fleet-local`
    /// with Fleet's agent running.
    /// ## Abuse
    /// A GlobalRoleBinding of one's own user to the GlobalRole `admin`; a Bundle whose resources
    /// hold a ClusterRoleBinding.
    /// ## Stopped by
    /// Rancher's webhook refuses bindings to more than the writer holds. A GitRepo with a
    /// `serviceAccount` is applied as that one.
    /// ## Fix
    /// Remove write verbs on these resources from roles of the local cluster; keep Rancher's
    /// webhook running.
    /// ## Detect
    /// Audit events that write these resources by others than Rancher's account.
    /// ## References
    /// - <https://ranchermanager.docs.rancher.com/reference-guides/rancher-webhook>
    /// - <https://fleet.rancher.io/namespaces>
    pub(super) static RANCHER_BINDING = {
        id: "rancher-binding", title: "Have Rancher grant a role", mitre: &["T1078", "T1098"],
        odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Has a controller of a cloud provider's resources grant itself rights in the cloud.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on the identity resources of ACK (`iam.services.k8s.aws`),
    /// Config Connector (`iam.cnrm.cloud.google.com`), Azure Service Operator
    /// (`authorization.azure.com`) or Karpenter's node classes (`karpenter.k8s.aws`), the
    /// controller running, and its account naming its cloud identity by an annotation.
    /// ## Abuse
    /// An ACK Role whose trust policy names one's own AWS account and whose policy allows
    /// everything; an IAMPolicyMember that makes one owner of the project.
    /// ## Stopped by
    /// What the controller's own cloud identity may do, which is not in the snapshot; permissions
    /// boundaries and organisation policies.
    /// ## Fix
    /// Remove write verbs on these resources from the roles of tenants; limit the identity of the
    /// controller to paths or projects of its own.
    /// ## Detect
    /// Audit events that write these resources, and the cloud's log of what the identity created.
    /// ## References
    /// - <https://aws-controllers-k8s.github.io/community/docs/user-docs/irsa/>
    /// - <https://cloud.google.com/config-connector/docs/reference/resource-docs/iam/iampolicymember>
    pub(super) static CLOUD_CRD_CONTROLLERS = {
        id: "cloud-crd-controllers", title: "Have a controller grant rights in the cloud",
        mitre: &["T1078.004", "T1098.003"], odds: Odds::likely(0.6),
    }
}

/// Platforms.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: platforms",
    attacks: &[&CROSSPLANE_MANAGED, &VELERO_RESTORE, &RANCHER_BINDING, &CLOUD_CRD_CONTROLLERS],
    find,
};

static PROVIDER_KUBERNETES: Controller = Controller {
    images: &["provider-kubernetes", "provider-kubernetes-controller"],
    parts: &[],
    labels: &[],
};
static PROVIDER_HELM: Controller =
    Controller { images: &["provider-helm", "provider-helm-controller"], parts: &[], labels: &[] };
static CROSSPLANE: Controller = Controller {
    images: &["crossplane/crossplane", "upbound/crossplane"],
    parts: &["crossplane", "universal-crossplane"],
    labels: &[],
};
static VELERO: Controller =
    Controller { images: &["velero/velero", "velero"], parts: &["velero"], labels: &[] };
pub(super) static RANCHER: Controller =
    Controller { images: &["rancher/rancher"], parts: &[], labels: &[] };
static RANCHER_WEBHOOK: Controller =
    Controller { images: &["rancher/rancher-webhook"], parts: &[], labels: &[] };
static FLEET_AGENT: Controller =
    Controller { images: &["rancher/fleet-agent"], parts: &[], labels: &[] };
static ACK_IAM: Controller =
    Controller { images: &["aws-controllers-k8s/iam-controller"], parts: &[], labels: &[] };
static CONFIG_CONNECTOR: Controller =
    Controller { images: &["cnrm/controller"], parts: &[], labels: &[] };
static AZURE_OPERATOR: Controller =
    Controller { images: &["azureserviceoperator"], parts: &[], labels: &[] };
static KARPENTER: Controller =
    Controller { images: &["karpenter/controller"], parts: &[], labels: &["karpenter"] };

const MANAGEMENT: &str = "management.cattle.io";
const FLEET: &str = "fleet.cattle.io";

pub(super) static ROWS: &[Deputy] = &[
    Deputy {
        attack: &CROSSPLANE_MANAGED,
        controller: &PROVIDER_KUBERNETES,
        beside: None,
        steers: &[
            Steer::wide("kubernetes.crossplane.io", &["objects"], CROSSPLANE_MANAGED.odds),
            Steer::on("kubernetes.m.crossplane.io", &["objects"], CROSSPLANE_MANAGED.odds),
        ],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "crossplane-objects", noun: "providers that read Objects" },
        wide: SetKind { id: "crossplane-objects-all", noun: "providers that read all Objects" },
    },
    Deputy {
        attack: &CROSSPLANE_MANAGED,
        controller: &PROVIDER_HELM,
        beside: None,
        steers: &[
            Steer::wide("helm.crossplane.io", &["releases"], CROSSPLANE_MANAGED.odds),
            Steer::on("helm.m.crossplane.io", &["releases"], CROSSPLANE_MANAGED.odds),
        ],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "crossplane-releases", noun: "providers that read Releases" },
        wide: SetKind { id: "crossplane-releases-all", noun: "providers that read all Releases" },
    },
    Deputy {
        attack: &CROSSPLANE_MANAGED,
        controller: &CROSSPLANE,
        beside: None,
        steers: &[
            Steer::wide(
                "pkg.crossplane.io",
                &["providers", "functions", "configurations"],
                Odds::likely(0.5),
            ),
            Steer::wide("apiextensions.crossplane.io", &["compositions"], Odds::likely(0.5)),
        ],
        judge: crossplane,
        to: To::Account,
        set: SetKind { id: "crossplane-packages", noun: "Crossplanes that read packages" },
        wide: SetKind { id: "crossplane-packages-all", noun: "Crossplanes that read all packages" },
    },
    Deputy {
        attack: &VELERO_RESTORE,
        controller: &VELERO,
        beside: None,
        steers: &[
            Steer::on("velero.io", &["backups", "schedules"], VELERO_RESTORE.odds).by(WRITE, &[]),
            Steer::on("velero.io", &["restores"], Odds::likely(0.6)).by(&["create"], &[]),
            Steer::on("velero.io", &["backupstoragelocations"], Odds::possible(0.4))
                .by(CHANGE, &[]),
        ],
        judge: own_namespace,
        to: To::Account,
        set: SetKind { id: "velero", noun: "Velero servers" },
        wide: SetKind { id: "velero-all", noun: "Velero servers of all" },
    },
    Deputy {
        attack: &RANCHER_BINDING,
        controller: &RANCHER,
        beside: None,
        steers: &[Steer::wide(
            MANAGEMENT,
            &["globalrolebindings", "globalroles", "roletemplates", "tokens"],
            RANCHER_BINDING.odds,
        )],
        judge: rancher,
        to: To::Account,
        set: SetKind { id: "rancher", noun: "Rancher servers" },
        wide: SetKind { id: "rancher-all", noun: "Rancher servers of all" },
    },
    Deputy {
        attack: &RANCHER_BINDING,
        controller: &RANCHER,
        beside: None,
        steers: &[Steer::on(MANAGEMENT, &["clusterroletemplatebindings"], RANCHER_BINDING.odds)],
        judge: local_cluster,
        to: To::Account,
        set: SetKind { id: "rancher-local", noun: "Rancher servers of this cluster" },
        wide: SetKind { id: "rancher-local-all", noun: "Rancher servers of every cluster" },
    },
    Deputy {
        attack: &RANCHER_BINDING,
        controller: &FLEET_AGENT,
        beside: None,
        steers: &[Steer::on(FLEET, &["bundles", "gitrepos"], Odds::likely(0.7))],
        judge: fleet_local,
        to: To::Account,
        set: SetKind { id: "fleet", noun: "Fleet's agents" },
        wide: SetKind { id: "fleet-all", noun: "Fleet's agents of every cluster" },
    },
    Deputy {
        attack: &CLOUD_CRD_CONTROLLERS,
        controller: &ACK_IAM,
        beside: None,
        steers: &[Steer::on(
            "iam.services.k8s.aws",
            &["roles", "policies", "users", "groups"],
            CLOUD_CRD_CONTROLLERS.odds,
        )],
        judge: everywhere,
        to: To::Cloud,
        set: SetKind { id: "ack-iam", noun: "controllers of AWS IAM" },
        wide: SetKind { id: "ack-iam-all", noun: "controllers of all of AWS IAM" },
    },
    Deputy {
        attack: &CLOUD_CRD_CONTROLLERS,
        controller: &CONFIG_CONNECTOR,
        beside: None,
        steers: &[Steer::on(
            "iam.cnrm.cloud.google.com",
            &["iampolicies", "iampartialpolicies", "iampolicymembers", "iamserviceaccountkeys"],
            CLOUD_CRD_CONTROLLERS.odds,
        )],
        judge: config_connector,
        to: To::Cloud,
        set: SetKind { id: "config-connector", noun: "controllers of Google's IAM" },
        wide: SetKind { id: "config-connector-all", noun: "controllers of all of Google's IAM" },
    },
    Deputy {
        attack: &CLOUD_CRD_CONTROLLERS,
        controller: &AZURE_OPERATOR,
        beside: None,
        steers: &[Steer::on(
            "authorization.azure.com",
            &["roleassignments", "roledefinitions"],
            CLOUD_CRD_CONTROLLERS.odds,
        )],
        judge: everywhere,
        to: To::Cloud,
        set: SetKind { id: "azure-roles", noun: "controllers of Azure's roles" },
        wide: SetKind { id: "azure-roles-all", noun: "controllers of all of Azure's roles" },
    },
    Deputy {
        attack: &CLOUD_CRD_CONTROLLERS,
        controller: &KARPENTER,
        beside: None,
        // It passes node roles only, to machines that one then runs code on.
        steers: &[Steer::wide("karpenter.k8s.aws", &["ec2nodeclasses"], Odds::possible(0.4))],
        judge: everywhere,
        to: To::Cloud,
        set: SetKind { id: "karpenter", noun: "controllers of machines" },
        wide: SetKind { id: "karpenter-all", noun: "controllers of all machines" },
    },
];

/// The RBAC manager is the same image and does none of this.
fn crossplane(world: &World, found: &Found) -> Option<Reach> {
    let manager = found.label(world, "app").is_some_and(|app| app.ends_with("rbac-manager"));
    (!manager).then(|| Reach::of(Reads::All))
}

/// Rancher's webhook refuses bindings to more than the writer holds.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn rancher(world: &World, found: &Found) -> Option<Reach> {
    Some(guarded(world, found, Reach::of(Reads::All)))
}

/// The cluster that Rancher itself runs in is called `local`, and so is its namespace.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn local_cluster(world: &World, found: &Found) -> Option<Reach> {
    Some(guarded(world, found, Reach::of(Reads::Some(vec!["local".to_owned()]))))
}

pub(super) fn guarded(world: &World, found: &Found, reach: Reach) -> Reach {
    if found.beside(world, &RANCHER_WEBHOOK) { reach.but(0.2, Confidence::Possible) } else { reach }
}

#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn fleet_local(_: &World, _: &Found) -> Option<Reach> {
    Some(Reach::of(Reads::Some(vec!["fleet-local".to_owned()])))
}

/// In its mode of one controller a namespace, the label names the one that it reads.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn config_connector(world: &World, found: &Found) -> Option<Reach> {
    let one = found.label(world, "cnrm.cloud.google.com/scoped-namespace");
    let reads = one.map_or(Reads::All, |ns| Reads::Some(vec![ns.to_owned()]));
    Some(Reach::of(reads))
}

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
    rancher_projects::find(world, sink);
}
