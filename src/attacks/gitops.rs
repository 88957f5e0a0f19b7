//! Deputies that deliver: Argo CD, Flux, the Helm controller of k3s, OLM. They apply manifests with
//! their own service account, whoever asked.

use super::Family;
use super::deputies::{CHANGE, Controller, Deputy, Found, Reach, Reads, Steer, To, walk};
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
    /// Has Flux apply manifests of one's own with the account of its controller.
    ///
    /// ## Needs
    /// `create`, `update` or `patch` on `kustomizations` of `kustomize.toolkit.fluxcd.io` or on
    /// `helmreleases` of `helm.toolkit.fluxcd.io`, and the controller running. It reads every
    /// namespace unless it runs with `--watch-all-namespaces=false`. The role `flux-edit` of an
    /// installation gives this to every `edit` and `admin`.
    /// ## Abuse
    /// Create a Kustomization without `serviceAccountName` whose `sourceRef` is a GitRepository of
    /// one's own, or any that is there with `spec.patches`, and whose manifests hold a
    /// ClusterRoleBinding; or a HelmRelease whose chart does.
    /// ## Stopped by
    /// With `--default-service-account` the controller impersonates an account of the object's own
    /// namespace: any that the object names, but no other. `--no-cross-namespace-refs` asks for a
    /// source in the same namespace.
    /// ## Fix
    /// Run kustomize-controller and helm-controller with `--default-service-account=default` and
    /// `--no-cross-namespace-refs=true`.
    /// ## Detect
    /// Audit events that write these resources outside `flux-system`; objects labelled
    /// `kustomize.toolkit.fluxcd.io/namespace` of a tenant that belong to no namespace.
    /// ## References
    /// - <https://fluxcd.io/flux/installation/configuration/multitenancy/>
    /// - Flux RFC-0001, memorandum on the authorization model
    pub(super) static FLUX_KUSTOMIZATION_CREATE = {
        id: "flux-kustomization-create", title: "Have Flux apply manifests",
        mitre: &["T1098", "T1610"], odds: Odds::likely(0.8),
    }
}

crate::attack! {
    /// Points a source of Flux that a Kustomization already applies to a repository of one's own.
    ///
    /// ## Needs
    /// `update` or `patch` on `gitrepositories`, `ocirepositories`, `buckets` or `helmrepositories`
    /// of `source.toolkit.fluxcd.io`, source-controller, and one of the two controllers that apply.
    /// Flux's own namespace holds the source of Flux itself; whether a source of another namespace
    /// is applied, and as whom, is not in the snapshot.
    /// ## Abuse
    /// `kubectl patch gitrepository flux-system -n flux-system --type merge -p
    /// '{"spec":{"url":"https://…"}}'`; the next reconciliation applies what is there.
    /// ## Stopped by
    /// Verification of signatures (`spec.verify`), unless the same patch takes it away. Outside
    /// Flux's namespace `--default-service-account` leaves an account of that namespace.
    /// ## Fix
    /// Keep write verbs on sources from everybody who may not write what they are applied as.
    /// ## Detect
    /// Audit events that change `spec.url` or `spec.endpoint` of a source by others than
    /// kustomize-controller.
    /// ## References
    /// - <https://fluxcd.io/flux/components/source/gitrepositories/>
    pub(super) static FLUX_SOURCE_REDIRECT = {
        id: "flux-source-redirect", title: "Redirect a source of Flux",
        mitre: &["T1195.002", "T1078"], odds: Odds::likely(0.7),
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
        &FLUX_KUSTOMIZATION_CREATE,
        &FLUX_SOURCE_REDIRECT,
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
static KUSTOMIZE_CONTROLLER: Controller =
    Controller { images: &["kustomize-controller"], parts: &[], labels: &["kustomize-controller"] };
static HELM_CONTROLLER: Controller =
    Controller { images: &["fluxcd/helm-controller"], parts: &[], labels: &["helm-controller"] };
static SOURCE_CONTROLLER: Controller =
    Controller { images: &["source-controller"], parts: &[], labels: &["source-controller"] };
static OLM: Controller = Controller {
    images: &["operator-framework/olm", "operator-lifecycle-manager"],
    parts: &["olm-operator"],
    labels: &["olm-operator"],
};
/// The Helm controller outside of k3s, as a workload of its own.
static HELM_DEPLOYMENT: Controller =
    Controller { images: &["rancher/helm-controller"], parts: &[], labels: &[] };

const ARGO: &str = "argoproj.io";
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";
const HELM_CATTLE: &str = "helm.cattle.io";
const OLM_GROUP: &str = "operators.coreos.com";

static ROWS: &[Deputy] = &[
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
        attack: &FLUX_KUSTOMIZATION_CREATE,
        controller: &KUSTOMIZE_CONTROLLER,
        beside: None,
        steers: &[Steer::on(KUSTOMIZE, &["kustomizations"], FLUX_KUSTOMIZATION_CREATE.odds)],
        judge: flux_as_itself,
        to: To::Account,
        set: SetKind {
            id: "flux-kustomizations",
            noun: "Flux controllers that read Kustomizations",
        },
        wide: SetKind {
            id: "flux-kustomizations-all",
            noun: "kustomize-controllers that read all",
        },
    },
    Deputy {
        attack: &FLUX_KUSTOMIZATION_CREATE,
        controller: &HELM_CONTROLLER,
        beside: None,
        steers: &[Steer::on(HELM, &["helmreleases"], FLUX_KUSTOMIZATION_CREATE.odds)],
        judge: flux_as_itself,
        to: To::Account,
        set: SetKind { id: "flux-releases", noun: "Flux controllers that read HelmReleases" },
        wide: SetKind { id: "flux-releases-all", noun: "helm-controllers that read all" },
    },
    Deputy {
        attack: &FLUX_KUSTOMIZATION_CREATE,
        controller: &KUSTOMIZE_CONTROLLER,
        beside: None,
        steers: &[Steer::on(KUSTOMIZE, &["kustomizations"], FLUX_KUSTOMIZATION_CREATE.odds)],
        judge: flux_as_tenant,
        to: To::Accounts,
        set: SetKind { id: "flux-kustomizers", noun: "kustomize-controllers that impersonate" },
        wide: SetKind { id: "flux-kustomizers-all", noun: "kustomize-controllers of all" },
    },
    Deputy {
        attack: &FLUX_KUSTOMIZATION_CREATE,
        controller: &HELM_CONTROLLER,
        beside: None,
        steers: &[Steer::on(HELM, &["helmreleases"], FLUX_KUSTOMIZATION_CREATE.odds)],
        judge: flux_as_tenant,
        to: To::Accounts,
        set: SetKind { id: "flux-releasers", noun: "helm-controllers that impersonate" },
        wide: SetKind { id: "flux-releasers-all", noun: "helm-controllers of all" },
    },
    Deputy {
        attack: &FLUX_SOURCE_REDIRECT,
        controller: &KUSTOMIZE_CONTROLLER,
        beside: Some(&SOURCE_CONTROLLER),
        steers: &[Steer::on(
            SOURCE,
            &["gitrepositories", "ocirepositories", "buckets"],
            FLUX_SOURCE_REDIRECT.odds,
        )
        .by(CHANGE, &[])],
        judge: own_namespace,
        to: To::Account,
        set: SetKind { id: "flux-sources", noun: "kustomize-controllers with sources" },
        wide: SetKind { id: "flux-sources-all", noun: "kustomize-controllers with any source" },
    },
    Deputy {
        attack: &FLUX_SOURCE_REDIRECT,
        controller: &KUSTOMIZE_CONTROLLER,
        beside: Some(&SOURCE_CONTROLLER),
        steers: &[Steer::on(
            SOURCE,
            &["gitrepositories", "ocirepositories", "buckets"],
            Odds::possible(0.3),
        )
        .by(CHANGE, &[])],
        judge: flux_as_itself,
        to: To::Account,
        set: SetKind {
            id: "flux-tenant-sources",
            noun: "kustomize-controllers with sources of tenants",
        },
        wide: SetKind {
            id: "flux-tenant-sources-all",
            noun: "kustomize-controllers with any tenant's",
        },
    },
    Deputy {
        attack: &FLUX_SOURCE_REDIRECT,
        controller: &HELM_CONTROLLER,
        beside: Some(&SOURCE_CONTROLLER),
        steers: &[Steer::on(
            SOURCE,
            &["helmrepositories", "ocirepositories", "gitrepositories", "buckets"],
            Odds::possible(0.3),
        )
        .by(CHANGE, &[])],
        judge: flux_as_itself,
        to: To::Account,
        set: SetKind { id: "flux-charts", noun: "helm-controllers with sources" },
        wide: SetKind { id: "flux-charts-all", noun: "helm-controllers with any source" },
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

const TENANT: &str = "--default-service-account";
const WATCH: &str = "--watch-all-namespaces";

fn watched(world: &World, found: &Found) -> Reads {
    if found.flag(world, WATCH) == Some("false") { Reads::Own } else { Reads::All }
}

/// A controller of Flux that uses its own account where the object names none.
fn flux_as_itself(world: &World, found: &Found) -> Option<Reach> {
    if found.flag(world, TENANT).is_some_and(|name| !name.is_empty()) {
        return None;
    }
    Some(Reach::of(watched(world, found)).shown(&[WATCH]))
}

/// A controller of Flux that impersonates an account of the object's namespace.
fn flux_as_tenant(world: &World, found: &Found) -> Option<Reach> {
    found.flag(world, TENANT).filter(|name| !name.is_empty())?;
    let reads = watched(world, found);
    let ns = if reads == Reads::All { None } else { Some(found.ns) };
    let may = found.may(world, "impersonate", "", "serviceaccounts", ns);
    may.then(|| Reach::of(reads).shown(&[TENANT, WATCH]))
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
