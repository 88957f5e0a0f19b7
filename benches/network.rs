//! Services, their EndpointSlices, Ingresses.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cluster::{Cluster, Owner, Workload};
use crate::json::List;
use crate::object::Object;
use crate::planted;
use crate::random::uid;
use crate::template;

/// From where a Service can be reached.
pub(crate) enum Exposure {
    Inside,
    NodePort(u16),
    /// At a public address.
    LoadBalancer(String),
    /// At a private address, for private sources.
    Internal(String),
}

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    for service in planted::services() {
        list.item(service)?;
    }
    let served = || {
        cluster.workloads.iter().enumerate().filter(|(_, workload)| {
            workload.port != 0 && matches!(workload.owner, Owner::Deployment | Owner::StatefulSet)
        })
    };
    for (index, workload) in served() {
        let ip = format!("172.{}.{}.{}", 20 + (index >> 16), (index >> 8) & 255, index & 255);
        list.item(service(
            &workload.namespace,
            &workload.name,
            &template::selector(workload),
            workload.port,
            &exposure(workload, index),
            &ip,
        ))?;
    }
    for (_, workload) in served() {
        list.item(endpoint_slice(cluster, workload))?;
    }
    list.item(
        Object::new("networking.k8s.io/v1", "IngressClass", "", "nginx")
            .meta("annotations", json!({ "ingressclass.kubernetes.io/is-default-class": "true" }))
            .with("spec", json!({ "controller": "k8s.io/ingress-nginx" }))
            .finish(),
    )?;
    for ingress in planted::ingresses() {
        list.item(ingress)?;
    }
    for (_, workload) in served().filter(|(_, workload)| workload.app) {
        if workload.port == 8080 && workload.random("ingress").chance(15) {
            let host = format!("{}.{}.example.com", workload.name, workload.namespace);
            list.item(ingress(&workload.namespace, &workload.name, &host))?;
        }
    }
    Ok(())
}

fn exposure(workload: &Workload, index: usize) -> Exposure {
    if let Some(exposure) = planted::exposure(&workload.namespace, &workload.name) {
        return exposure;
    }
    if !workload.app || workload.port != 8080 {
        return Exposure::Inside;
    }
    match workload.random("exposure").below(100) {
        // 203.0.113.1 to .31 are kept for what is planted.
        0..2 => Exposure::LoadBalancer(format!("203.0.113.{}", 32 + index % 222)),
        2..3 => Exposure::Internal(format!("10.200.{}.{}", 1 + index / 250 % 250, index % 250)),
        3..5 => Exposure::NodePort(30_000 + (index % 2_000) as u16),
        _ => Exposure::Inside,
    }
}

pub(crate) fn service(
    namespace: &str,
    name: &str,
    selector: &Value,
    port: u16,
    exposure: &Exposure,
    ip: &str,
) -> Value {
    let mut spec = json!({
        "clusterIP": ip,
        "clusterIPs": [ip],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{
            "name": "main",
            "port": if port == 8080 { 80 } else { port },
            "protocol": "TCP",
            "targetPort": port,
        }],
        "selector": selector,
        "sessionAffinity": "None",
        "type": match exposure {
            Exposure::Inside => "ClusterIP",
            Exposure::NodePort(_) => "NodePort",
            Exposure::LoadBalancer(_) | Exposure::Internal(_) => "LoadBalancer",
        },
    });
    let mut status = json!({ "loadBalancer": {} });
    let mut service = Object::new("v1", "Service", namespace, name)
        .meta("labels", json!({ "app.kubernetes.io/name": name }));
    match exposure {
        Exposure::Inside => {}
        Exposure::NodePort(port) => {
            spec["externalTrafficPolicy"] = "Cluster".into();
            spec["ports"][0]["nodePort"] = (*port).into();
        }
        Exposure::LoadBalancer(address) | Exposure::Internal(address) => {
            // Not taken for a NodePort of its own, as a load balancer that targets pods allows.
            spec["allocateLoadBalancerNodePorts"] = false.into();
            spec["externalTrafficPolicy"] = "Cluster".into();
            status["loadBalancer"]["ingress"] = json!([{ "ip": address, "ipMode": "VIP" }]);
        }
    }
    if matches!(exposure, Exposure::Internal(_)) {
        spec["loadBalancerSourceRanges"] = json!(["10.0.0.0/8"]);
        service = service.meta(
            "annotations",
            json!({
                "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
            }),
        );
    }
    service.with("spec", spec).with("status", status).finish()
}

fn endpoint_slice(cluster: &Cluster, workload: &Workload) -> Value {
    let namespace = workload.namespace.as_str();
    let endpoints: Vec<Value> = (0..workload.pods)
        .map(|ordinal| {
            let place = cluster.place(workload, ordinal);
            json!({
                "addresses": [place.ip],
                "conditions": { "ready": true, "serving": true, "terminating": false },
                "nodeName": cluster.node(place.node),
                "targetRef": {
                    "kind": "Pod",
                    "name": place.name,
                    "namespace": namespace,
                    "uid": uid("Pod", namespace, &place.name),
                },
            })
        })
        .collect();
    let name = format!("{}-{}", workload.name, workload.random("slice").suffix(5));
    Object::new("discovery.k8s.io/v1", "EndpointSlice", namespace, &name)
        .by("kube-controller-manager")
        .meta("generateName", format!("{}-", workload.name))
        .meta(
            "labels",
            json!({
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": workload.name,
            }),
        )
        .owner("v1", "Service", &workload.name)
        .with("addressType", "IPv4")
        .with("endpoints", endpoints)
        .with("ports", json!([{ "name": "main", "port": workload.port, "protocol": "TCP" }]))
        .finish()
}

pub(crate) fn ingress(namespace: &str, service: &str, host: &str) -> Value {
    Object::new("networking.k8s.io/v1", "Ingress", namespace, service)
        .meta(
            "annotations",
            json!({
                "nginx.ingress.kubernetes.io/configuration-snippet":
                    "if ($request_uri ~ \"<\") { return 400; }\nproxy_set_header X-Q \"$a&$b\";\n",
            }),
        )
        .with(
            "spec",
            json!({
                "ingressClassName": "nginx",
                "rules": [{
                    "host": host,
                    "http": { "paths": [{
                        "backend": { "service": { "name": service, "port": { "number": 80 } } },
                        "path": "/",
                        "pathType": "Prefix",
                    }] },
                }],
            }),
        )
        .with("status", json!({ "loadBalancer": { "ingress": [{ "ip": "203.0.113.11" }] } }))
        .finish()
}
