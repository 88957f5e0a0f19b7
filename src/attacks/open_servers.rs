//! Servers of an API that ask nobody who they are: the API server's insecure port, `kubectl proxy`
//! on an address that others reach, Tiller of Helm 2.

use super::Family;
use super::interfaces::{Gives, Open, is_loopback};
use crate::graph::{Confidence, Odds};
use crate::world::KUBECTL_PROXY;
use crate::world::World;
use crate::world::image::Image;
use crate::world::pods::Container;

crate::attack! {
    /// Sends requests to a port that the API server, or `kubectl proxy` in a pod, serves without
    /// asking who sends them.
    ///
    /// ## Needs
    /// A door from outside that leads to it, or a container that reaches it over the network:
    /// `kubectl proxy` with an `--address` that is not the loopback, which acts by its pod's service
    /// account; or an API server before 1.20 with an `--insecure-bind-address` that is not the
    /// loopback and an `--insecure-port` that is not 0, which lets everybody do everything.
    ///
    /// `--accept-hosts` compares the `Host` that the client writes, and keeps nobody out. By
    /// default the proxy refuses `exec` and `attach`, and nothing else. What `--accept-paths` and
    /// `--reject-methods` leave is unknown.
    /// ## Abuse
    /// `curl -H 'Host: localhost' http://ADDRESS:8001/api/v1/secrets`;
    /// `kubectl -s http://ADDRESS:8080 get secrets -A`.
    /// ## Stopped by
    /// Network policies that keep others from the pod (see `network-reach`); a service account with
    /// few rights. A proxy that is given a kubeconfig, a token or another server is not judged: as
    /// whom it acts is not in a snapshot.
    /// ## Fix
    /// Remove `--address` from `kubectl proxy`, and let the containers beside it use the loopback;
    /// set `--insecure-port=0`, or update the cluster.
    /// ## Detect
    /// Audit events of the proxy's service account that its program does not cause; requests to the
    /// insecure port have the user `system:unsecured`.
    /// ## References
    /// - kubernetes `staging/src/k8s.io/kubectl/pkg/proxy/proxy_server.go`
    /// - <https://kubernetes.io/docs/reference/kubectl/generated/kubectl_proxy/>
    /// - <https://github.com/kubernetes/kubernetes/pull/95856>
    pub(super) static API_SERVER_INSECURE_PORT = {
        id: "api-server-insecure-port", title: "Use an API that asks for no login",
        mitre: &["T1133"], odds: Odds::certain(0.95),
    }
}

crate::attack! {
    /// Has Tiller of Helm 2 install a chart by its service account.
    ///
    /// ## Needs
    /// A door from outside that leads to port 44134 of Tiller, or a container that reaches it over
    /// the network. Tiller listens everywhere unless `--listen` says otherwise, and takes charts
    /// from everybody unless `--tls-verify` or `TILLER_TLS_VERIFY` makes it ask for a certificate.
    /// ## Abuse
    /// `helm --host tiller-deploy.kube-system:44134 install ./chart`, where the chart holds a
    /// ClusterRoleBinding, or a pod that runs as Tiller's account.
    /// ## Stopped by
    /// `--listen=localhost:44134`; certificates of clients; network policies that keep others from
    /// the pod (see `network-reach`); a service account that may create little.
    /// ## Fix
    /// Move to Helm 3, which has no Tiller, and delete its Deployment, account and binding.
    /// ## Detect
    /// Audit events of Tiller's account; ConfigMaps with the label `OWNER: TILLER` that nobody of
    /// the team made.
    /// ## References
    /// - <https://v2.helm.sh/docs/securing_installation/>
    /// - helm `cmd/tiller/tiller.go` of 2.17
    pub(super) static TILLER_EXPOSED = {
        id: "tiller-exposed", title: "Have Tiller install a chart", mitre: &["T1210"],
        odds: Odds::certain(0.9),
    }
}

/// Servers that ask nobody. Their steps are found where those to interfaces are: from outside in
/// `exposure`, from inside in `neighbours`.
pub(super) static FAMILY: Family = Family {
    name: "O Servers without a login",
    attacks: &[&API_SERVER_INSECURE_PORT, &TILLER_EXPOSED],
    find: |_, _| {},
};

/// `kubectl proxy` for others than its own pod.
pub(super) fn kubectl_proxy(world: &World, container: &Container) -> Option<Open> {
    if !container.command.iter().any(|word| world.text(*word) == KUBECTL_PROXY) {
        return None;
    }
    let given = |flag| world.flags(container, flag).last();
    let others = ["--as", "--client-certificate", "--cluster", "--context"];
    let further = ["--kubeconfig", "--server", "--token", "--unix-socket", "--user"];
    if others.into_iter().chain(further).any(|flag| given(flag).is_some()) {
        return None;
    }
    let address = given("--address").filter(|address| !is_loopback(address))?;
    // Port 0 is one that the system picks.
    let port = given("--port").map_or(Some(8001), |port| port.parse().ok()).filter(|p| *p > 0)?;
    let says = ("", format!("{KUBECTL_PROXY} --address={address}"));
    let mut open = Open::at(&API_SERVER_INSECURE_PORT, Gives::Account, port, says);
    let all = |flag, all: &[&str]| given(flag).is_none_or(|value| all.contains(&value));
    let filters = given("--disable-filter").is_none_or(|value| value != "true");
    let paths = all("--accept-paths", &[".*", "^.*", "^.*$", "^/.*", "^/.*$", "/", "^/"]);
    if filters && !(paths && all("--reject-methods", &["", "^$"])) {
        open.odds = open.odds.but(0.5, Confidence::Unknown);
    } else if filters && !all("--reject-paths", &["", "^$"]) && given("--reject-paths").is_some() {
        open.odds = open.odds.but(0.9, Confidence::Likely);
    }
    Some(open)
}

/// Tiller that asks for no certificate.
pub(super) fn tiller(world: &World, container: &Container, image: Image<'_>) -> Option<Open> {
    if !image.is("tiller") {
        return None;
    }
    let asks = world.flags(container, "--tls-verify").last().map_or_else(
        || container.command.iter().any(|word| world.text(*word) == "TILLER_TLS_VERIFY"),
        |value| value != "false",
    );
    let listens = world.flags(container, "--listen").last().unwrap_or(":44134");
    let (address, port) = listens.rsplit_once(':')?;
    if asks || is_loopback(address) {
        return None;
    }
    let says = (".image", world.text(container.image).to_owned());
    Some(Open::at(&TILLER_EXPOSED, Gives::Account, port.parse().ok()?, says))
}

/// An API server whose insecure port others reach. From 1.20 on there is none.
pub(super) fn api_server(world: &World, container: &Container, image: Image<'_>) -> Option<Open> {
    if !container.command.iter().any(|word| world.text(*word).ends_with("kube-apiserver")) {
        return None;
    }
    let given = |flag| world.flags(container, flag).last();
    let address = given("--insecure-bind-address").or_else(|| given("--address"))?;
    let port = given("--insecure-port").map_or(Some(8080), |port| port.parse().ok())?;
    let (major, minor, _) = image.version().unwrap_or((1, 0, None));
    if port == 0 || is_loopback(address) || (major, minor) >= (1, 20) {
        return None;
    }
    let says = (".command", format!("--insecure-bind-address={address}"));
    Some(Open::at(&API_SERVER_INSECURE_PORT, Gives::Cluster, port, says))
}
