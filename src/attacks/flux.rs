//! Flux: a deputy that applies what its sources hold, as itself or, locked down for tenants, as an
//! account of theirs.

use super::Family;
use super::controllers::{Controller, Found};
use super::deputies::{CHANGE, Deputy, Reach, Reads, Steer, To, walk};
use super::gitops::own_namespace;
use crate::graph::{Odds, SetKind, Sink};
use crate::world::World;

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

/// Flux.
pub(super) static FAMILY: Family = Family {
    name: "R Third-party controllers: Flux",
    attacks: &[&FLUX_KUSTOMIZATION_CREATE, &FLUX_SOURCE_REDIRECT],
    find,
};

static KUSTOMIZE_CONTROLLER: Controller =
    Controller { images: &["kustomize-controller"], parts: &[], labels: &["kustomize-controller"] };
static HELM_CONTROLLER: Controller =
    Controller { images: &["fluxcd/helm-controller"], parts: &[], labels: &["helm-controller"] };
static SOURCE_CONTROLLER: Controller =
    Controller { images: &["source-controller"], parts: &[], labels: &["source-controller"] };
const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const HELM: &str = "helm.toolkit.fluxcd.io";
const SOURCE: &str = "source.toolkit.fluxcd.io";

pub(super) static ROWS: &[Deputy] = &[
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
];

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

fn find(world: &World, sink: &mut Sink<'_>) {
    walk(world, sink, ROWS);
}
