//! Administration interfaces that act for whoever opens them, with their own service account.
//!
//! Most interfaces ask for a login, and whether it is a weak one no snapshot shows. Here are those
//! whose image and command line say that they ask for none. What serves an API without one is in
//! `open_servers`.

use super::open_servers::{api_server, kubectl_proxy, tiller};
use crate::graph::{Attack, Fact, Odds, SetKey, SetKind, Sink, Thing};
use crate::sym::Sym;
use crate::world::OPEN_NOTEBOOK;
use crate::world::World;
use crate::world::hosts::Host;
use crate::world::image::Image;
use crate::world::pods::Container;
use std::net::IpAddr;

crate::attack! {
    /// Uses an administration interface that is in reach and asks for no login, and acts by its
    /// service account, or runs commands in its container.
    ///
    /// ## Needs
    /// A door from outside that leads to, or a container that reaches over the network, one of:
    /// Kubernetes Dashboard with `--enable-skip-login`, or before 1.10.1; the server of Argo
    /// Workflows with `--auth-mode=server`, or before 3.0 without any mode; the server of Argo CD
    /// with `--disable-auth`; Tekton Dashboard with `--read-only=false`. They act by their
    /// account. The app of Weave Scope without `--app.basicAuth` opens terminals by the probes of
    /// its namespace. A Jupyter server whose token is set to nothing, and which has no password, opens a
    /// terminal in its container; listening elsewhere than on the loopback is its image's default
    /// in Jupyter's own images alone, and possible in others.
    /// ## Abuse
    /// Open the Dashboard, choose Skip, and create a pod or read a Secret as its service account
    /// may. Of Argo Workflows: `curl -k -X POST https://ADDRESS:2746/api/v1/workflows/NAMESPACE -d
    /// @workflow.json`. Of Argo CD: `argocd app create` without a login, or a change of a live
    /// object. Of Tekton Dashboard: `curl http://ADDRESS:9097/api/v1/...`, which it passes on. Of
    /// Jupyter: New, Terminal.
    /// ## Stopped by
    /// An authenticating proxy before the interface, which is not judged here; a service account
    /// with few rights; network policies that let none but the proxy reach the pod (see
    /// `network-reach`). Whether an interface that asks for a login has a weak one is not in a
    /// snapshot.
    /// ## Fix
    /// Remove `--enable-skip-login` and `--disable-auth`; set `--auth-mode=client` or `sso`,
    /// `--read-only=true`, a token; make the Service `ClusterIP` and use `kubectl port-forward`;
    /// take rights from the interface's account.
    /// ## Detect
    /// Audit events of the interface's service account that nobody of the team asked for.
    /// ## References
    /// - <https://github.com/kubernetes/dashboard/blob/v2.7.0/docs/user/access-control/README.md>
    /// - <https://argo-workflows.readthedocs.io/en/latest/argo-server-auth-mode/>
    /// - <https://argo-cd.readthedocs.io/en/stable/operator-manual/server-commands/argocd-server/>
    /// - <https://github.com/tektoncd/dashboard/blob/main/docs/install.md>
    /// - <https://jupyter-server.readthedocs.io/en/latest/operators/security.html>
    pub(super) static DASHBOARD_EXPOSED = {
        id: "dashboard-exposed", title: "Use an interface that asks for no login",
        mitre: &["T1133", "MS-TA9005"], odds: Odds::likely(0.9),
    }
}

/// What gives itself to whoever reaches its port.
pub(super) struct Open {
    pub(super) attack: &'static Attack,
    pub(super) odds: Odds,
    pub(super) gives: Gives,
    /// Where it answers, if its command line or its program says so; else the ports that its
    /// container declares, or those that are usual.
    pub(super) port: Option<u16>,
    usual: &'static [u16],
    /// The field of the container that says so, and what it says.
    pub(super) field: &'static str,
    pub(super) says: String,
}

/// What whoever reaches it comes to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gives {
    /// The service account of its pod.
    Account,
    /// Its container: it runs commands.
    Container,
    /// The cluster.
    Cluster,
    /// The probes of Weave Scope in its namespace, which do what the app asks of them.
    Probes,
}

impl Open {
    /// Something that answers at one port.
    pub(super) fn at(
        attack: &'static Attack,
        gives: Gives,
        port: u16,
        says: (&'static str, String),
    ) -> Self {
        let (field, says) = says;
        Self { attack, odds: attack.odds, gives, port: Some(port), usual: &[], field, says }
    }

    /// An interface that acts by its account.
    fn interface(usual: &'static [u16], says: (&'static str, String)) -> Self {
        let (field, says) = says;
        let (attack, gives) = (&DASHBOARD_EXPOSED, Gives::Account);
        Self { attack, odds: DASHBOARD_EXPOSED.odds, gives, port: None, usual, field, says }
    }

    /// The ports at which it answers.
    pub(super) fn ports(&self, container: &Container) -> Vec<u16> {
        if let Some(port) = self.port {
            return vec![port];
        }
        let declared: Vec<u16> = container.ports.iter().map(|port| port.number).collect();
        if declared.is_empty() { self.usual.to_vec() } else { declared }
    }

    /// Whether what arrives at a port of its pod may be for it.
    pub(super) fn answers(&self, port: Option<u16>) -> bool {
        self.port.is_none() || port.is_none() || self.port == port
    }
}

/// Whether an address that a program listens on is reached from its own pod alone.
pub(super) fn is_loopback(address: &str) -> bool {
    let address = address.trim_start_matches('[').trim_end_matches(']');
    address == "localhost" || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What a container's program gives to whoever reaches it, if it asks nobody for a login: its flag
/// says so, or its version where there is none.
fn asks_nobody(world: &World, container: &Container) -> Option<Open> {
    let image = Image::new(world.text(container.image));
    let given = |flag| world.flags(container, flag).collect::<Vec<_>>();
    let before = |known: (u32, u32, u32)| {
        let (major, minor, patch) = image.version()?;
        ((major, minor, patch?) < known).then(|| image.tag.unwrap_or_default().to_owned())
    };
    let dashboard = image.name().starts_with("kubernetes-dashboard")
        || image.repository.rsplit_once("kubernetesui/dashboard").is_some_and(|(_, rest)| {
            // Behind a dash stands the architecture.
            rest.is_empty() || rest.starts_with('-') && !rest.contains('/')
        });
    if dashboard {
        const SKIP: &str = "--enable-skip-login";
        let says = match given(SKIP).last() {
            Some(&"" | &"true") => (".args", SKIP.to_owned()),
            Some(_) => return None,
            None => (".image", before((1, 10, 1))?),
        };
        return Some(Open::interface(&[8443, 9090], says));
    }
    if image.is("argoproj/argocli") {
        const MODE: &str = "--auth-mode";
        let modes = given(MODE);
        let says = match *modes {
            [] => (".image", before((3, 0, 0))?),
            _ if modes.contains(&"server") => (".args", format!("{MODE}=server")),
            _ => return None,
        };
        return Some(Open::interface(&[2746], says));
    }
    if image.is("argoproj/argocd") {
        const OFF: &str = "--disable-auth";
        let off = given(OFF).last().is_some_and(|value| *value != "false");
        return off.then(|| Open::interface(&[8080], (".args", OFF.to_owned())));
    }
    if let Some(&"false") = given("--read-only").last() {
        let says = (".args", "--read-only=false".to_owned());
        return Some(Open::interface(&[9097, 8080], says));
    }
    weave_scope(world, container, image)
        .or_else(|| notebook(world, container, image))
        .or_else(|| kubectl_proxy(world, container))
        .or_else(|| tiller(world, container, image))
        .or_else(|| api_server(world, container, image))
}

/// Containers of Weave Scope's probes.
static SCOPE_PROBES: SetKind = SetKind { id: "scope-probes", noun: "probes of Weave Scope" };

/// The probes of a namespace, as a set.
pub(super) fn scope_probes(ns: Sym) -> SetKey {
    SetKey { kind: &SCOPE_PROBES, ns, of: 0 }
}

/// Whether a container is a probe of Weave Scope that opens terminals on its machine. The one that
/// watches the cluster alone does not.
pub(super) fn is_scope_probe(world: &World, container: &Container) -> bool {
    let given = |flag| world.flags(container, flag).last();
    Image::new(world.text(container.image)).is("weaveworks/scope")
        && given("--mode") == Some("probe")
        && given("--probe.no-controls").is_none_or(|value| value == "false")
        && given("--probe.kubernetes.role") != Some("cluster")
}

/// The app of Weave Scope: its probes open a terminal on their machines for whoever opens it.
fn weave_scope(world: &World, container: &Container, image: Image<'_>) -> Option<Open> {
    let given = |flag| world.flags(container, flag).last();
    let asks = given("--app.basicAuth").is_some_and(|value| value != "false")
        || container.command.iter().any(|word| world.text(*word) == "ENABLE_BASIC_AUTH");
    let listens = given("--app.http.address").unwrap_or(":4040");
    let local = listens.rsplit_once(':').is_some_and(|(address, _)| is_loopback(address));
    if !image.is("weaveworks/scope") || given("--mode") != Some("app") || asks || local {
        return None;
    }
    let mut open = Open::interface(&[4040], (".args", "--mode=app".to_owned()));
    open.gives = Gives::Probes;
    Some(open)
}

/// A Jupyter server without a token: whoever opens it runs commands.
fn notebook(world: &World, container: &Container, image: Image<'_>) -> Option<Open> {
    if !container.command.iter().any(|word| world.text(*word) == OPEN_NOTEBOOK) {
        return None;
    }
    let address = world.flags(container, "--ip").last();
    if address.is_some_and(is_loopback) {
        return None;
    }
    // Jupyter listens on the loopback by itself; its own images make it listen everywhere.
    let own = image.repository.split('/').any(|part| part == "jupyter");
    let mut open = Open::interface(&[8888], ("", "jupyter without a token".to_owned()));
    open.gives = Gives::Container;
    open.port = world.flags(container, "--port").last().and_then(|port| port.parse().ok());
    if address.is_none() && !own {
        open.odds = Odds::possible(0.5);
    }
    Some(open)
}

/// Whether a container's program asks nobody for a login.
pub(super) fn is_open(world: &World, container: &Container) -> bool {
    asks_nobody(world, container).is_some()
}

/// What a container gives to everybody who reaches its port, and what says so.
pub(super) fn open_interface(
    world: &World,
    sink: &mut Sink<'_>,
    host: Host,
    container: usize,
) -> Option<(Open, Thing<'static>, Vec<Fact>)> {
    let spec = world.host_spec(host);
    let it = spec.containers.get(container)?;
    let open = asks_nobody(world, it)?;
    let (object, _) = world.host_object(host);
    let at = world.host_field(host, &format!("{}{}", it.field(), open.field));
    let mut facts = vec![sink.fact(object, &at, &open.says)];
    let gives = match open.gives {
        Gives::Container => Thing::Container(host, container),
        Gives::Probes => Thing::Set(scope_probes(world.host_object(host).1)),
        Gives::Cluster => {
            // Another cluster's API server may run in a pod; this one's are static pods.
            let Host::Pod(pod) = host else { return None };
            let pod = &world.pods[pod.index()];
            if !pod.mirror {
                return None;
            }
            let mirror = "kubernetes.io/config.mirror";
            facts.push(sink.fact(pod.object, ".metadata.annotations", mirror));
            Thing::ClusterAdmin
        }
        Gives::Account => {
            let account = world.host_account(host)?;
            // A pod that was served and has no token cannot act at all. A cluster before 1.21
            // mounts it from a Secret.
            let mounted = || it.mounts.iter().any(|mount| mount.at_token_path);
            if world.is_served(host) && !spec.has_token_volume() && !mounted() {
                return None;
            }
            let runs_as = world.host_field(host, ".spec.serviceAccountName");
            facts.push(sink.fact(object, &runs_as, world.text(spec.account)));
            Thing::Account(account)
        }
    };
    Some((open, gives, facts))
}
