//! Whose addresses they are.

use super::super::{backends, node, pod, web};
use super::{DB, DOOR, WEB, at, db, of_first, slice, v4, with};
use crate::fixtures;

#[test]
fn whose_address_it_is() {
    let refer = |ip: &str, target: &str| v4(&format!("{{addresses: [{ip}], targetRef: {target}}}"));
    let to_web = |ip: &str| refer(ip, "{kind: Pod, namespace: shop, name: web}");
    let ip = |ip: &str| v4(&format!("{{addresses: [{ip}]}}"));
    let (web_1, db_2) = (at(&web(), &["10.0.0.1"]), at(&db(), &["10.0.0.2"]));
    let other = web().replace("namespace: shop", "namespace: other");
    let other_3 = at(&other, &["10.0.0.3"]);
    let ended = web_1.replace("phase: Running", "phase: Succeeded");
    backends(
        DOOR,
        &[
            ("no slice at all", with(&[&web_1]), &[]),
            // Manifests and pods that have none yet show no address.
            ("a targetRef alone", with(&[&web(), &to_web("10.0.0.9")]), WEB),
            ("an address alone", with(&[&web_1, &db_2, &ip("10.0.0.1")]), WEB),
            ("both say the same", with(&[&web_1, &db_2, &to_web("10.0.0.1")]), WEB),
            ("they differ: packets go by address", with(&[&web_1, &db_2, &to_web("10.0.0.2")]), DB),
            ("a further address of the pod", with(&[&web_1, &db_2, &to_web("10.9.0.9")]), WEB),
            ("nobody's address", with(&[&web_1, &ip("10.0.0.9")]), &[]),
            ("of outside", with(&[&web_1, &ip("198.51.100.7")]), &[]),
            (
                "a stale targetRef",
                with(&[&web_1, &refer("10.0.0.9", "{kind: Pod, namespace: shop, name: gone}")]),
                &[],
            ),
            (
                "a stale targetRef, and an address that is another's now",
                with(&[&web_1, &refer("10.0.0.1", "{kind: Pod, namespace: shop, name: gone}")]),
                WEB,
            ),
            (
                "a targetRef of another namespace",
                with(&[
                    &web(),
                    &other,
                    &refer("10.0.0.9", "{kind: Pod, namespace: other, name: web}"),
                ]),
                &["other/web/app"],
            ),
            (
                "an address of another namespace",
                with(&[&web_1, &other_3, &ip("10.0.0.3")]),
                &["other/web/app"],
            ),
            (
                "a targetRef without a namespace",
                with(&[&web(), &other, &refer("10.0.0.9", "{kind: Pod, name: web}")]),
                WEB,
            ),
            (
                "a targetRef of another kind",
                with(&[
                    &web(),
                    &refer("10.0.0.9", "{kind: VirtualMachine, namespace: shop, name: web}"),
                ]),
                &[],
            ),
            ("null for a targetRef", with(&[&web_1, &refer("10.0.0.1", "null")]), WEB),
            // Its address is given to another.
            ("a pod that has ended", with(&[&ended, &ip("10.0.0.1")]), &[]),
            ("a pod that has ended, by targetRef", with(&[&ended, &to_web("10.0.0.1")]), &[]),
            // The others have no meaning (`addresses` of the API's reference).
            ("the first address alone", with(&[&web_1, &ip("10.0.0.9, 10.0.0.1")]), &[]),
            ("no address", with(&[&web_1, &ip("")]), &[]),
            // The API server refuses those that lead a node to itself.
            ("loopback", with(&[&at(&web(), &["127.0.0.1"]), &ip("127.0.0.1")]), &[]),
            ("link-local", with(&[&at(&web(), &["169.254.0.7"]), &ip("169.254.0.7")]), &[]),
            (
                "several, one twice",
                with(&[
                    &web_1,
                    &db_2,
                    &v4(
                        "{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}, {addresses: [10.0.0.1]}",
                    ),
                ]),
                &["shop/db/app", "shop/web/app"],
            ),
            // They are not served now, and will be; those that end still run.
            (
                "conditions",
                with(&[
                    &web_1,
                    &db_2,
                    &v4("{addresses: [10.0.0.1], conditions: {ready: false}}, \
                        {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}"),
                ]),
                &["shop/db/app", "shop/web/app"],
            ),
        ],
    );
}

#[test]
fn families() {
    let web = at(&web(), &["10.0.0.1", "fd00::1"]);
    let of = |family: &str, ip: &str| {
        let ends = format!("{{addresses: [\"{ip}\"]}}");
        with(&[&web, &slice("lb-1", "", family, &ends, "{port: 8080}")])
    };
    backends(
        DOOR,
        &[
            ("IPv4", of("IPv4", "10.0.0.1"), WEB),
            ("IPv6", of("IPv6", "fd00::1"), WEB),
            ("IPv6, spelled in full", of("IPv6", "fd00:0:0:0:0:0:0:1"), WEB),
            ("IPv6, another", of("IPv6", "fd00::2"), &[]),
            // The API server would refuse them.
            ("IPv4 among IPv6", of("IPv6", "10.0.0.1"), &[]),
            ("IPv6 among IPv4", of("IPv4", "fd00::1"), &[]),
        ],
    );
    let both = [
        slice("lb-4", "", "IPv4", "{addresses: [10.0.0.1]}", "{port: 8080}"),
        slice("lb-6", "", "IPv6", "{addresses: [\"fd00::1\"]}", "{port: 8080}"),
    ];
    let world = fixtures::world(&with(&[&web, &both[0], &both[1]]));
    assert_eq!(of_first(&world).len(), 1, "a pod of both families is one endpoint");
}

/// Pods on a machine's network share its address, and so do the machine's own programs.
#[test]
fn addresses_of_machines() {
    let on_machine = |path: &str, port: &str| {
        let text = pod(path, "n1", &format!("[{{name: app, ports: [{port}]}}]"));
        at(&text.replace("nodeName: n1", "nodeName: n1, hostNetwork: true"), &["192.0.2.1"])
    };
    let (a, b, quiet) = (
        on_machine("shop/a", "{containerPort: 8080}"),
        on_machine("shop/b", "{containerPort: 9090}"),
        on_machine("shop/quiet", ""),
    );
    let beside = at(&web(), &["10.0.0.1"]);
    let machine = node("n1", "InternalIP", "192.0.2.1");
    let elsewhere = a.replace("nodeName: n1", "nodeName: n2").replace("192.0.2.1", "192.0.2.2");
    let elsewhere = elsewhere.replace("name: a,", "name: far,");
    let ip = v4("{addresses: [192.0.2.1]}");
    let to = |name: &str| {
        v4(&format!(
            "{{addresses: [192.0.2.1], targetRef: {{kind: Pod, namespace: shop, name: {name}}}}}"
        ))
    };
    let all = [a.clone(), b, quiet, beside, elsewhere].concat();
    backends(
        DOOR,
        &[
            // One that declares nothing may listen, as may any program of the machine.
            ("by its address", with(&[&all, &machine, &ip]), &["shop/a/app"]),
            ("by that of its pods, without the Node", with(&[&all, &ip]), &["shop/a/app"]),
            ("a targetRef tells", with(&[&all, &machine, &to("quiet")]), &["shop/quiet/app"]),
            ("nothing declares it", with(&[&all, &machine, &ip.replace("8080", "10250")]), &[]),
            (
                "a Node as target",
                with(&[
                    &all,
                    &machine,
                    &v4("{addresses: [192.0.2.1], targetRef: {kind: Node, name: n1}}"),
                ]),
                &["shop/a/app"],
            ),
            (
                "an external address of a node",
                with(&[
                    &node("n1", "ExternalIP", "203.0.113.77"),
                    &a,
                    &ip.replace("192.0.2.1", "203.0.113.77"),
                ]),
                &[],
            ),
        ],
    );
}

/// Thousands of endpoints, most of them no addresses, and repeated: one problem, and what is true.
#[test]
fn hostile_slices() {
    let mut ends = String::new();
    for i in 0..5000 {
        let address = match i % 5 {
            0 => "10.0.0.1".to_owned(),
            1 => "\"\\u001b[31m\"".to_owned(),
            2 => "999.1.1.1".to_owned(),
            3 => format!("198.51.{}.{}", i / 250 % 250, i % 250),
            _ => "10.0.0.1/24".to_owned(),
        };
        ends.push_str(&format!(
            "{{addresses: [{address}], targetRef: {{kind: Pod, name: ghost-{i}}}}}, "
        ));
    }
    let web = at(&web(), &["10.0.0.1"]);
    let world = fixtures::world(&with(&[&web, &v4(&ends)]));
    assert_eq!(of_first(&world).len(), 1);
    let problems: Vec<&str> = world.unusable.iter().map(|(_, said)| &**said).collect();
    assert_eq!(
        problems,
        ["`.endpoints[1].addresses[0]` of EndpointSlice is not an address of an endpoint"]
    );
    assert_eq!(world.slices[0].strangers, 1000);
}
