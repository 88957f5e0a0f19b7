//! Deputies that deliver: Argo CD, the Helm controller of k3s, OLM. They apply manifests with their
//! own service account, whoever asked. Flux has a file of its own.

use super::Family;
use super::controllers::{Controller, Found};
use super::deputies::{CHANGE, Deputy, Reach, Reads, Steer, To, walk};
use super::together::allows_everything;
use crate::graph::{Confidence, Odds, SetKind, Sink, Thing};
use crate::world::World;
use crate::world::grants::{Names, Permission, Scope};

crate::attack! {
    /// Has Argo CD apply manifests of one's own with the application controller's account.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `applications` or `applicationsets` of `argoproj.io` in the
    /// namespace of a running application controller, or in one that its flag
    /// `--application-namespaces` names.
    /// ## Abuse
    /// Create an Application of the project `default` whose `source.repoURL` is a repository of
    /// one's own with a ClusterRoleBinding, `destination.server: https://kubernetes.default.svc`
    /// and `syncPolicy.automated: {}`; the controller applies it.
    /// ## Stopped by
    /// The AppProject: its `sourceRepos`, `destinations` and `clusterResourceWhitelist`, which are
    /// not read; in other namespaces its `sourceNamespaces` too. An Application in a namespace that
    /// the controller does not read does nothing. `application.namespaces` in the ConfigMap
    /// `argocd-cmd-params-cm` is not read either: only the flag is.
    /// ## Fix
    /// Remove write verbs on `applications` from the role and let people use Argo CD's own API;
    /// narrow the project `default`; turn on `application.sync.impersonation.enabled`, or bind the
    /// controller to less than `*`.
    /// ## Detect
    /// Audit events that write `applications` by others than Argo CD's own accounts.
    /// ## References
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/>
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/security/>
    pub(super) static ARGO_CD_APPLICATION_CREATE = {
        id: "argo-cd-application-create", title: "Have Argo CD apply manifests",
        mitre: &["T1098", "T1610"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Makes oneself an administrator of Argo CD by its configuration, and applies manifests.
    ///
    /// ## Needs
    /// `update` or `patch` on the ConfigMaps `argocd-cm` or `argocd-rbac-cm`, on the Secret
    /// `argocd-secret`, or on `appprojects`, in the namespace of a running Argo CD server and
    /// application controller.
    /// ## Abuse
    /// Set `admin.password` in `argocd-secret` to a bcrypt hash of one's own and sign in as `admin`;
    /// or `policy.default: role:admin` in `argocd-rbac-cm`; or an identity provider of one's own in
    /// `argocd-cm`. Then create an Application as in `argo-cd-application-create`.
    /// ## Stopped by
    /// A server that one cannot reach. `admin.enabled: "false"` in `argocd-cm` stops the password;
    /// a change of the policy needs some account of Argo CD, a change of a project one whose group
    /// the project's new role can name.
    /// ## Fix
    /// Give nobody but the installer write verbs on ConfigMaps and Secrets in Argo CD's namespace.
    /// ## Detect
    /// Audit events that write these objects; logins as `admin` in the log of `argocd-server`.
    /// ## References
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/rbac/>
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/>
    pub(super) static ARGO_CD_CONFIG_WRITE = {
        id: "argo-cd-config-write", title: "Become Argo CD's administrator",
        mitre: &["T1078", "T1098"], odds: Odds::likely(0.7),
    }
}

crate::attack! {
    /// Has the Helm controller of k3s or RKE2 install a chart, which it does as cluster-admin.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `helmcharts` of `helm.cattle.io` in any namespace, or on
    /// `helmchartconfigs` in `kube-system`, whose packaged charts take the values, in a cluster of
    /// k3s or RKE2: the controller is part of the server's binary.
    /// ## Abuse
    /// Create a HelmChart with `spec.chartContent`, a packed chart with a ClusterRoleBinding, or
    /// with `spec.jobImage` of one's own: the Job runs as the account `helm-NAME`, bound to
    /// `cluster-admin`.
    /// ## Stopped by
    /// A server that runs with `--disable-helm-controller`, which no object shows; a version whose
    /// Job runs as less.
    /// ## Fix
    /// Remove write verbs on `helmcharts` and `helmchartconfigs` from the role.
    /// ## Detect
    /// Audit events that write these resources by others than `system:k3s-supervisor`; Jobs named
    /// `helm-install-*`.
    /// ## References
    /// - <https://docs.k3s.io/helm>
    /// - k3s-io/helm-controller issues 23 and 322, `pkg/controllers/chart`
    pub(super) static HELM_CHART_CREATE = {
        id: "helm-chart-create", title: "Have k3s install a chart", mitre: &["T1098", "T1610"],
        odds: Odds::likely(0.85),
    }
}

crate::attack! {
    /// Has the Operator Lifecycle Manager install an operator with the rights that it asks for.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `clusterserviceversions` of `operators.coreos.com` in a
    /// namespace with an OperatorGroup; or on `catalogsources` in OLM's own namespace; or on
    /// `subscriptions` in all namespaces, which chooses among the operators of the catalogs only.
    /// OLM's operators run in the snapshot.
    /// ## Abuse
    /// Create a ClusterServiceVersion whose `install.spec.clusterPermissions` ask for everything
    /// for an account of the namespace, and whose deployment runs one's image as it; OLM creates
    /// the ClusterRole and the ClusterRoleBinding.
    /// ## Stopped by
    /// No OperatorGroup in the namespace; one whose `spec.serviceAccountName` limits what OLM does.
    /// Neither is read.
    /// ## Fix
    /// Remove write verbs on these resources from the role; name a service account in each
    /// OperatorGroup of a tenant.
    /// ## Detect
    /// Audit events of `olm-operator-serviceaccount` that create ClusterRoleBindings labelled
    /// `olm.owner`.
    /// ## References
    /// - <https://olm.operatorframework.io/docs/advanced-tasks/operator-scoping-with-operatorgroups/>
    /// - operator-framework/operator-lifecycle-manager, `pkg/controller/install`
    pub(super) static OLM_CSV_CREATE = {
        id: "olm-csv-create", title: "Have OLM install an operator", mitre: &["T1098", "T1610"],
        odds: Odds::likely(0.6),
    }
}

/// Delivery.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: delivery",
    attacks: &[
        &ARGO_CD_APPLICATION_CREATE,
        &ARGO_CD_CONFIG_WRITE,
        &HELM_CHART_CREATE,
        &OLM_CSV_CREATE,
    ],
    find,
};

const ARGO_IMAGES: &[&str] = &["argocd", "argocd-rhel8", "argocd-rhel9"];
static ARGO_CONTROLLER: Controller = Controller {
    images: ARGO_IMAGES,
    parts: &["application-controller", "-application-controller"],
    labels: &["argocd-application-controller"],
};
static ARGO_SERVER: Controller = Controller {
    images: ARGO_IMAGES,
    parts: &["argocd-server", "server"],
    labels: &["argocd-server"],
};
static ARGO_SETS: Controller = Controller {
    images: ARGO_IMAGES,
    parts: &["applicationset-controller", "-applicationset-controller"],
    labels: &["argocd-applicationset-controller"],
};
static OLM: Controller = Controller {
    images: &["operator-framework/olm", "operator-lifecycle-manager"],
    parts: &["olm-operator"],
    labels: &["olm-operator"],
};
/// The Helm controller outside of k3s, as a workload of its own.
static HELM_DEPLOYMENT: Controller =
    Controller { images: &["rancher/helm-controller"], parts: &[], labels: &[] };

const ARGO: &str = "argoproj.io";
const HELM_CATTLE: &str = "helm.cattle.io";
const OLM_GROUP: &str = "operators.coreos.com";

pub(super) static ROWS: &[Deputy] = &[
    Deputy {
        attack: &ARGO_CD_APPLICATION_CREATE,
        controller: &ARGO_CONTROLLER,
        beside: None,
        steers: &[Steer::on(ARGO, &["applications"], ARGO_CD_APPLICATION_CREATE.odds)],
        judge: applications,
        to: To::Account,
        set: SetKind {
            id: "argo-applications",
            noun: "Argo CD controllers that read Applications",
        },
        wide: SetKind { id: "argo-applications-all", noun: "Argo CD controllers that read all" },
    },
    Deputy {
        attack: &ARGO_CD_APPLICATION_CREATE,
        controller: &ARGO_CONTROLLER,
        beside: Some(&ARGO_SETS),
        steers: &[Steer::on(ARGO, &["applicationsets"], ARGO_CD_APPLICATION_CREATE.odds)],
        judge: own_namespace,
        to: To::Account,
        set: SetKind { id: "argo-sets", noun: "Argo CD controllers that read ApplicationSets" },
        wide: SetKind { id: "argo-sets-all", noun: "Argo CD controllers that read all sets" },
    },
    Deputy {
        attack: &ARGO_CD_CONFIG_WRITE,
        controller: &ARGO_CONTROLLER,
        beside: Some(&ARGO_SERVER),
        steers: &[
            Steer::on("", &["secrets"], ARGO_CD_CONFIG_WRITE.odds).by(CHANGE, &["argocd-secret"]),
            Steer::on("", &["configmaps"], Odds::likely(0.5))
                .by(CHANGE, &["argocd-cm", "argocd-rbac-cm"]),
            Steer::on(ARGO, &["appprojects"], Odds::possible(0.3)),
        ],
        judge: own_namespace,
        to: To::Account,
        set: SetKind { id: "argo-settings", noun: "Argo CD controllers with settings" },
        wide: SetKind { id: "argo-settings-all", noun: "Argo CD controllers with common settings" },
    },
    Deputy {
        attack: &HELM_CHART_CREATE,
        controller: &HELM_DEPLOYMENT,
        beside: None,
        steers: &[Steer::on(HELM_CATTLE, &["helmcharts"], HELM_CHART_CREATE.odds)],
        judge: helm_deployment,
        to: To::Account,
        set: SetKind { id: "helm-charts", noun: "Helm controllers that read HelmCharts" },
        wide: SetKind { id: "helm-charts-all", noun: "Helm controllers that read all" },
    },
    Deputy {
        attack: &OLM_CSV_CREATE,
        controller: &OLM,
        beside: None,
        steers: &[Steer::on(OLM_GROUP, &["clusterserviceversions"], OLM_CSV_CREATE.odds)],
        judge: everywhere,
        to: To::Account,
        set: SetKind { id: "olm-versions", noun: "OLM operators that read versions" },
        wide: SetKind { id: "olm-versions-all", noun: "OLM operators of all namespaces" },
    },
    Deputy {
        attack: &OLM_CSV_CREATE,
        controller: &OLM,
        beside: None,
        steers: &[
            Steer::on(OLM_GROUP, &["catalogsources"], Odds::possible(0.35)),
            Steer::wide(OLM_GROUP, &["subscriptions"], Odds::possible(0.2)),
        ],
        judge: own_namespace,
        to: To::Account,
        set: SetKind { id: "olm-catalogs", noun: "OLM operators with catalogs" },
        wide: SetKind { id: "olm-catalogs-all", noun: "OLM operators with any catalog" },
    },
];

/// A controller that reads its own namespace.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
pub(super) fn own_namespace(_: &World, _: &Found) -> Option<Reach> {
    Some(Reach::of(Reads::Own))
}

/// A controller that reads every namespace.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
pub(super) fn everywhere(_: &World, _: &Found) -> Option<Reach> {
    Some(Reach::of(Reads::All))
}

/// Argo CD reads Applications in its own namespace and in those that its flag names.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn applications(world: &World, found: &Found) -> Option<Reach> {
    const FLAG: &str = "--application-namespaces";
    let mut patterns: Vec<String> = found
        .flags(world, FLAG)
        .flat_map(|value| value.split(','))
        .map(|pattern| pattern.trim().to_owned())
        .filter(|pattern| !pattern.is_empty())
        .collect();
    if !patterns.is_empty() {
        patterns.push(world.text(found.ns).to_owned());
    }
    Some(match patterns.as_slice() {
        [] => Reach::of(Reads::Own),
        // A project must name the namespace among its `sourceNamespaces`.
        _ if patterns.iter().any(|p| p == "*") => {
            Reach::of(Reads::All).but(0.8, Confidence::Likely).shown(&[FLAG])
        }
        _ => Reach::of(Reads::Some(patterns)).but(0.8, Confidence::Likely).shown(&[FLAG]),
    })
}

/// The Helm controller reads one namespace if its flag names one.
#[expect(clippy::unnecessary_wraps, reason = "a judgement of a row may be that it does not work")]
fn helm_deployment(world: &World, found: &Found) -> Option<Reach> {
    let one = found.flag(world, "--namespace").filter(|ns| !ns.is_empty());
    let reads = one.map_or(Reads::All, |ns| Reads::Some(vec![ns.to_owned()]));
    Some(Reach::of(reads).shown(&["--namespace"]))
}

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
    helm_in_k3s(world, sink);
}

/// The Helm controller in the server of k3s and RKE2, which the kubelets' versions show.
fn helm_in_k3s(world: &World, sink: &mut Sink<'_>) {
    let node = world.nodes.iter().find(|n| {
        let version = world.text(n.kubelet);
        version.contains("+k3s") || version.contains("+rke2")
    });
    let Some(node) = node else { return };
    let version = world.text(node.kubelet);
    let shown = sink.fact(node.object, ".status.nodeInfo.kubeletVersion", version);
    let system = world.symbols.get("kube-system");
    let verbs = ["create", "update", "patch"];
    for (resource, packaged) in [("helmcharts", false), ("helmchartconfigs", true)] {
        let wanted = verbs.map(|verb| Permission::namespaced(verb, HELM_CATTLE, resource));
        for grant in world.grants_any(&wanted) {
            let everything = grant.scope == Scope::Cluster && allows_everything(world, &grant);
            if everything || packaged && !system.is_some_and(|ns| grant.scope.covers(ns)) {
                continue;
            }
            let mut odds = HELM_CHART_CREATE.odds;
            if packaged || grant.names != Names::All {
                odds = odds.but(0.8, Confidence::Likely);
            }
            let mut facts = sink.grant(&grant).to_vec();
            facts.push(shown);
            let from = Thing::Binding(grant.binding);
            sink.edge_with(from, Thing::ClusterAdmin, &HELM_CHART_CREATE, odds, &facts);
        }
    }
}
