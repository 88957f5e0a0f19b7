//! Administration interfaces that act for whoever opens them, with their own service account.
//!
//! Most interfaces ask for a login, and whether it is a weak one no snapshot shows. Here are those
//! whose image and command line say that they ask for none.

use crate::graph::{Fact, Odds, Sink};
use crate::world::hosts::Host;
use crate::world::image::Image;
use crate::world::pods::Container;
use crate::world::{AccountIx, World};

crate::attack! {
    /// Uses an administration interface that is in reach and asks for no login, and acts by its
    /// service account.
    ///
    /// ## Needs
    /// A door from outside that leads to, or a container that reaches over the network, Kubernetes
    /// Dashboard with `--enable-skip-login`, or before 1.10.1, or to
    /// the server of Argo Workflows with `--auth-mode=server`, or before 3.0 without any mode.
    /// ## Abuse
    /// Open the Dashboard, choose Skip, and create a pod or read a Secret as its service account
    /// may. Of Argo Workflows: `curl -k -X POST https://ADDRESS:2746/api/v1/workflows/NAMESPACE -d
    /// @workflow.json`.
    /// ## Stopped by
    /// An authenticating proxy before the interface, which is not judged here; a service account
    /// with few rights; network policies that let none but the proxy reach the pod (see
    /// `network-reach`). Whether an interface that asks for a login has a weak one is not in a
    /// snapshot.
    /// ## Fix
    /// Remove `--enable-skip-login`; set `--auth-mode=client` or `sso`; make the Service
    /// `ClusterIP` and use `kubectl port-forward`; take rights from the interface's account.
    /// ## Detect
    /// Audit events of the interface's service account that nobody of the team asked for.
    /// ## References
    /// - <https://github.com/kubernetes/dashboard/blob/v2.7.0/docs/user/access-control/README.md>
    /// - <https://argo-workflows.readthedocs.io/en/latest/argo-server-auth-mode/>
    pub(super) static DASHBOARD_EXPOSED = {
        id: "dashboard-exposed", title: "Use an interface that asks for no login",
        mitre: &["T1133", "MS-TA9005"], odds: Odds::likely(0.9),
    }
}

/// Why an interface asks nobody for a login: its flag, or its version where there is none.
fn asks_nobody(world: &World, container: &Container) -> Option<(&'static str, String)> {
    let image = Image::new(world.text(container.image));
    let given = |flag| world.flags(container, flag).collect::<Vec<_>>();
    let before = |known: (u32, u32, u32)| {
        let (major, minor, patch) = image.version()?;
        ((major, minor, patch?) < known).then(|| image.tag.unwrap_or_default().to_owned())
    };
    if image.is("kubernetesui/dashboard") || image.name().starts_with("kubernetes-dashboard") {
        const SKIP: &str = "--enable-skip-login";
        return match given(SKIP).last() {
            Some(&"" | &"true") => Some((".args", SKIP.to_owned())),
            Some(_) => None,
            None => before((1, 10, 1)).map(|tag| (".image", tag)),
        };
    }
    if image.is("argoproj/argocli") {
        const MODE: &str = "--auth-mode";
        let modes = given(MODE);
        return match *modes {
            [] => before((3, 0, 0)).map(|tag| (".image", tag)),
            _ => modes.contains(&"server").then(|| (".args", format!("{MODE}=server"))),
        };
    }
    None
}

/// The ports at which an interface answers: those that it declares, or those that it has by itself.
pub(super) fn ports(world: &World, container: &Container) -> Vec<u16> {
    let declared: Vec<u16> = container.ports.iter().map(|port| port.number).collect();
    if !declared.is_empty() {
        return declared;
    }
    let argo = Image::new(world.text(container.image)).is("argoproj/argocli");
    if argo { vec![2746] } else { vec![8443, 9090] }
}

/// Whether an interface asks nobody for a login.
pub(super) fn is_open(world: &World, container: &Container) -> bool {
    asks_nobody(world, container).is_some()
}

/// The account by which a container acts for everybody who reaches its port, and what says so.
pub(super) fn open_interface(
    world: &World,
    sink: &mut Sink<'_>,
    host: Host,
    container: usize,
) -> Option<(AccountIx, [Fact; 2])> {
    let spec = world.host_spec(host);
    let it = spec.containers.get(container)?;
    let (field, value) = asks_nobody(world, it)?;
    let account = world.host_account(host)?;
    // A pod that was served and has no token cannot act at all.
    if world.is_served(host) && !spec.has_token_volume() {
        return None;
    }
    let (object, _) = world.host_object(host);
    let at = world.host_field(host, &format!("{}{field}", it.field()));
    let runs_as = world.host_field(host, ".spec.serviceAccountName");
    let runs_as = sink.fact(object, &runs_as, world.text(spec.account));
    Some((account, [sink.fact(object, &at, &value), runs_as]))
}
