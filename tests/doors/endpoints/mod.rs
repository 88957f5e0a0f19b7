//! Where Services lead that no selector leads: S-08 and S-11 of the reference. Packets go by address;
//! a `targetRef` tells where the address does not.

mod addresses;
mod shown;
mod slices;

use super::{pod, service};
use kspm_graph::world::World;
use kspm_graph::world::endpoints::Endpoint;

const DOOR: &str = "shop/service/lb";

/// A balancer without a selector, with ports.
fn by_hand(ports: &str) -> String {
    let spec = format!("type: LoadBalancer, ports: [{ports}]");
    service("shop/lb", "", &spec, "{ip: 203.0.113.9}")
}

/// The balancer of one port without a name, before a cluster.
fn with(cluster: &[&str]) -> String {
    [by_hand("{port: 80, targetPort: 8080}"), cluster.concat()].concat()
}

/// A pod that shows its addresses.
fn at(pod: &str, addresses: &[&str]) -> String {
    let ips: Vec<String> = addresses.iter().map(|a| format!("{{ip: \"{a}\"}}")).collect();
    let status = format!(
        "status: {{phase: Running, podIP: \"{}\", podIPs: [{}]}}",
        addresses[0],
        ips.join(", ")
    );
    pod.replace("status: {phase: Running}", &status)
}

fn db() -> String {
    pod("shop/db", "n1", "[{name: app, ports: [{containerPort: 8080}]}]")
}

/// A slice `shop/NAME` of the Service `lb` with more labels.
fn slice(name: &str, labels: &str, family: &str, endpoints: &str, ports: &str) -> String {
    format!(
        "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n\
         metadata: {{name: {name}, namespace: shop, labels: {{kubernetes.io/service-name: lb, {labels}}}}}\n\
         addressType: {family}\nendpoints: [{endpoints}]\nports: [{ports}]\n"
    )
}

/// A slice of the port 8080.
fn v4(endpoints: &str) -> String {
    slice("lb-1", "", "IPv4", endpoints, "{name: \"\", port: 8080, protocol: TCP}")
}

fn endpoints(more: &str, subsets: &str) -> String {
    format!(
        "---\napiVersion: v1\nkind: Endpoints\n\
         metadata: {{name: lb, namespace: shop, {more}}}\nsubsets: [{subsets}]\n"
    )
}

/// What the first port of the Service `shop/lb` leads to.
fn of_first(world: &World) -> Vec<Endpoint> {
    let sym = |text: &str| world.symbols.get(text).unwrap();
    world.endpoints(world.service(sym("shop"), sym("lb")).unwrap(), 0)
}

const WEB: &[&str] = &["shop/web/app"];
const DB: &[&str] = &["shop/db/app"];
