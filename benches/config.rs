//! ServiceAccounts, ConfigMaps and Secrets. Their values are noise.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::bootstrap::CONTROLLERS;
use crate::cluster::{Access, Cluster, Workload};
use crate::json::List;
use crate::object::Object;
use crate::planted;
use crate::random::{Random, uid};
use crate::template::{config_name, labels, secret_name};

pub(crate) fn write<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    config_maps(cluster, list)?;
    secrets(cluster, list)?;
    accounts(cluster, list)
}

fn accounts<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    for namespace in &cluster.namespaces {
        let account = Object::new("v1", "ServiceAccount", namespace, "default");
        list.item(account.by("kube-controller-manager").finish())?;
    }
    let controllers = CONTROLLERS.map(|name| ("kube-system", name));
    for (namespace, name) in planted::ACCOUNTS.into_iter().chain(controllers) {
        list.item(Object::new("v1", "ServiceAccount", namespace, name).finish())?;
    }
    for workload in cluster.workloads.iter().filter(|workload| workload.account == workload.name) {
        list.item(account(workload))?;
    }
    Ok(())
}

fn account(workload: &Workload) -> Value {
    let mut random = workload.random("account");
    let name = &workload.account;
    let mut account = Object::new("v1", "ServiceAccount", &workload.namespace, name);
    if workload.app {
        account = account.meta("labels", labels(workload));
        if random.chance(3) {
            let role = format!("arn:aws:iam::111122223333:role/{}-{name}", workload.namespace);
            account = account.meta("annotations", json!({ "eks.amazonaws.com/role-arn": role }));
        }
        if workload.access == Access::NoToken && random.chance(50) {
            account = account.with("automountServiceAccountToken", false);
        }
    }
    account.finish()
}

fn config_maps<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    let authority = certificate(&mut Random::of(&["authority"]));
    for namespace in &cluster.namespaces {
        list.item(
            Object::new("v1", "ConfigMap", namespace, "kube-root-ca.crt")
                .by("kube-controller-manager")
                .meta(
                    "annotations",
                    json!({
                        "kubernetes.io/description":
                            "Contains a CA bundle that can be used to verify the kube-apiserver.",
                    }),
                )
                .with("data", json!({ "ca.crt": authority }))
                .finish(),
        )?;
    }
    for workload in cluster.apps() {
        list.item(
            Object::new("v1", "ConfigMap", &workload.namespace, &config_name(workload))
                .meta("labels", labels(workload))
                .with(
                    "data",
                    json!({
                        "application.yaml": settings(workload),
                        "log-level": "info",
                    }),
                )
                .finish(),
        )?;
    }
    Ok(())
}

/// A file in a ConfigMap: many lines, each with an escape.
fn settings(workload: &Workload) -> String {
    let mut random = workload.random("settings");
    let mut text = String::from("server:\n  port: 8080\nroutes:\n");
    for index in 0..random.between(2, 12) {
        text.push_str("  - match: \"^/v1/");
        text.push_str(&random.suffix(6));
        text.push_str("/<id>\"\n    target: http://backend-");
        text.push_str(&index.to_string());
        text.push_str(":8080/?a=1&b=2\n");
    }
    text
}

fn secrets<W: Write>(cluster: &Cluster, list: &mut List<W>) -> io::Result<()> {
    let planted = planted::secrets();
    let mut room = cluster.size.secrets.saturating_sub(planted.len());
    for secret in planted {
        list.item(secret)?;
    }
    for workload in cluster.apps().iter().take(room) {
        let mut random = workload.random("credentials");
        list.item(
            Object::new("v1", "Secret", &workload.namespace, &secret_name(workload))
                .meta("labels", labels(workload))
                .with(
                    "data",
                    json!({
                        "password": random.base64(32),
                        "tls.crt": random.base64(60),
                        "username": random.base64(16),
                    }),
                )
                .with("type", "Opaque")
                .finish(),
        )?;
        room -= 1;
    }
    for index in 0..room {
        list.item(secret(cluster.spread(index), index))?;
    }
    Ok(())
}

/// A Secret of one of the kinds that pile up in a namespace.
fn secret(workload: &Workload, index: usize) -> Value {
    let namespace = workload.namespace.as_str();
    let mut random = Random::of(&["secret", namespace, &workload.name, &index.to_string()]);
    let named = |name: &str| Object::new("v1", "Secret", namespace, name);
    match random.below(100) {
        0..5 => {
            let (name, revision) = (&workload.name, index % 10 + 1);
            // The compressed release of a chart, encoded twice: 6 to 36 KB.
            let release = random.between(1_500, 9_000) * 4;
            named(&format!("sh.helm.release.v1.{name}-{index}.v{revision}"))
                .by("helm")
                .meta(
                    "labels",
                    json!({
                        "name": name,
                        "owner": "helm",
                        "status": "deployed",
                        "version": revision.to_string(),
                    }),
                )
                .with("data", json!({ "release": random.base64(release) }))
                .with("type", "helm.sh/release.v1")
        }
        5..20 => {
            let name = format!("tls-{index}");
            let data = tls_data(namespace, &name);
            named(&name).with("data", data).with("type", "kubernetes.io/tls")
        }
        20..35 => named(&format!("registry-{index}"))
            .with("data", json!({ ".dockerconfigjson": random.base64(200) }))
            .with("type", "kubernetes.io/dockerconfigjson"),
        35..40 => {
            let account = workload.account.as_str();
            named(&format!("{account}-token-{}", random.suffix(5)))
                .by("kube-controller-manager")
                .meta("annotations", json!({
                    "kubernetes.io/service-account.name": account,
                    "kubernetes.io/service-account.uid": uid("ServiceAccount", namespace, account),
                }))
                .with("data", token_data(namespace, account))
                .with("type", "kubernetes.io/service-account-token")
        }
        _ => {
            let keys = ["api-key", "client-id", "client-secret", "dsn", "webhook-url"];
            let count = random.between(1, keys.len());
            let data: serde_json::Map<_, _> = keys
                .iter()
                .take(count)
                .map(|&key| (key.into(), random.base64(48).into()))
                .collect();
            named(&format!("external-{index}")).with("data", data).with("type", "Opaque")
        }
    }
    .finish()
}

/// The data of a Secret that holds an account's token.
pub(crate) fn token_data(namespace: &str, account: &str) -> Value {
    let mut random = Random::of(&["token", namespace, account]);
    json!({
        "ca.crt": random.base64(1_480),
        "namespace": random.base64(12),
        "token": random.base64(1_200),
    })
}

/// The data of a Secret that holds a certificate and its key.
pub(crate) fn tls_data(namespace: &str, name: &str) -> Value {
    let mut random = Random::of(&["tls", namespace, name]);
    json!({ "tls.crt": random.base64(1_600), "tls.key": random.base64(320) })
}

fn certificate(random: &mut Random) -> String {
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    for _ in 0..16 {
        text.push_str(&random.base64(64));
        text.push('\n');
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
