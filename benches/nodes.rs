//! Nodes and namespaces.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::cluster::{Cluster, level, node_ip, team};
use crate::json::List;
use crate::object::Object;
use crate::random::Random;

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    for name in &cluster.namespaces {
        list.item(namespace(name))?;
    }
    for index in 0..cluster.size.nodes {
        list.item(node(cluster, index))?;
    }
    Ok(())
}

fn namespace(name: &str) -> Value {
    let mut random = Random::of(&["namespace", name]);
    let mut labels = json!({ "kubernetes.io/metadata.name": name });
    if name.ends_with(|last: char| last.is_ascii_digit()) {
        let (team, environment) = team(name);
        labels["env"] = environment.into();
        labels["team"] = team.into();
    }
    let level = level(name);
    if !level.is_empty() {
        labels["pod-security.kubernetes.io/enforce"] = level.into();
        if random.chance(50) {
            labels["pod-security.kubernetes.io/enforce-version"] = "latest".into();
        }
    }
    if random.chance(40) {
        labels["pod-security.kubernetes.io/audit"] = "restricted".into();
        labels["pod-security.kubernetes.io/warn"] = "restricted".into();
    }
    Object::new("v1", "Namespace", "", name)
        .meta("labels", labels)
        .with("spec", json!({ "finalizers": ["kubernetes"] }))
        .with("status", json!({ "phase": "Active" }))
        .finish()
}

fn node(cluster: &Cluster, index: usize) -> Value {
    let name = cluster.node(index);
    let mut random = Random::of(&["node", &name]);
    let control = index < cluster.size.control_plane();
    let zone = format!("eu-west-1{}", random.pick(&['a', 'b', 'c']));
    let mut labels = json!({
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": random.pick(&["m7i.2xlarge", "m7i.4xlarge"]),
        "topology.kubernetes.io/region": "eu-west-1",
        "topology.kubernetes.io/zone": zone,
    });
    let mut addresses = vec![
        json!({ "address": node_ip(index), "type": "InternalIP" }),
        json!({ "address": name, "type": "Hostname" }),
    ];
    let range = format!("10.{}.{}.0/24", 64 + (index >> 8), index & 255);
    let mut spec = json!({
        "podCIDR": range,
        "podCIDRs": [range],
        "providerID": format!("aws:///{zone}/i-{}", random.hex(17)),
    });
    if control {
        labels["node-role.kubernetes.io/control-plane"] = "".into();
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = "".into();
        spec["taints"] = json!([{
            "effect": "NoSchedule",
            "key": "node-role.kubernetes.io/control-plane",
        }]);
    } else if index % 25 == 2 {
        let address = format!("198.51.100.{}", index / 25 % 254 + 1);
        addresses.push(json!({ "address": address, "type": "ExternalIP" }));
    }
    let condition = |kind: &str, holds: &str, reason: &str| {
        json!({
            "lastHeartbeatTime": "2026-09-28T10:00:00Z",
            "lastTransitionTime": "2026-01-05T08:12:30Z",
            "message": format!("kubelet reports {reason}"),
            "reason": reason,
            "status": holds,
            "type": kind,
        })
    };
    let resources = json!({
        "cpu": "16",
        "ephemeral-storage": "103079844Ki",
        "hugepages-2Mi": "0",
        "memory": "65011712Ki",
        "pods": "110",
    });
    Object::new("v1", "Node", "", &name)
        .by("kubelet")
        .meta(
            "annotations",
            json!({
                "node.alpha.kubernetes.io/ttl": "0",
                "projectcalico.org/IPv4Address": format!("{}/24", node_ip(index)),
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            }),
        )
        .meta("labels", labels)
        .with("spec", spec)
        .with(
            "status",
            json!({
                "addresses": addresses,
                "allocatable": resources,
                "capacity": resources,
                "conditions": [
                    condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                    condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                    condition("PIDPressure", "False", "KubeletHasSufficientPID"),
                    condition("Ready", "True", "KubeletReady"),
                ],
                "daemonEndpoints": { "kubeletEndpoint": { "Port": 10250 } },
                "images": images(&mut random),
                "nodeInfo": {
                    "architecture": "amd64",
                    "bootID": random.hex(32),
                    "containerRuntimeVersion": "containerd://2.1.4",
                    "kernelVersion": "6.12.0",
                    "kubeProxyVersion": "",
                    "kubeletVersion": "v1.36.2",
                    "machineID": random.hex(32),
                    "operatingSystem": "linux",
                    "osImage": "Debian GNU/Linux 13 (trixie)",
                    "systemUUID": random.hex(32),
                },
            }),
        )
        .finish()
}

/// The kubelet lists up to fifty images, the largest part of a Node.
fn images(random: &mut Random) -> Vec<Value> {
    (0..random.between(15, 35))
        .map(|_| {
            let name = format!("registry.example.com/platform/{}", random.suffix(8));
            json!({
                "names": [
                    format!("{name}@sha256:{}", random.hex(64)),
                    format!("{name}:{}.{}", random.below(9), random.below(30)),
                ],
                "sizeBytes": random.between(1_000_000, 900_000_000),
            })
        })
        .collect()
}
