//! Pod templates, as their authors wrote them: before admission adds anything.

use serde_json::{Map, Value, json};

use crate::cluster::{Access, Owner, Workload, level, team};
use crate::random::Random;

/// Settings of the kinds that fill real environments; `&`, `<` and `>` are escaped in a dump.
const SETTINGS: [(&str, &str); 12] = [
    ("JAVA_TOOL_OPTIONS", "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"),
    ("JDBC_URL", "jdbc:postgresql://orders-db:5432/app?ssl=true&connectTimeout=5"),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://otel-collector.monitoring.svc:4317"),
    ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=live,service.version=2"),
    ("HTTP_READ_TIMEOUT_SECONDS", "30"),
    ("FEATURE_FLAGS", "new-checkout,audit-log,<experimental>"),
    ("QUEUE_URL", "amqp://events-queue.default.svc.cluster.local:5672/%2f"),
    ("CORS_ALLOWED_ORIGINS", "https://app.example.com,https://admin.example.com"),
    ("METRICS_PREFIX", "app"),
    ("GOMEMLIMIT", "400MiB"),
    ("TZ", "Etc/UTC"),
    ("MAX_CONNECTIONS", "64"),
];

/// The labels that select a workload's pods.
pub(crate) fn selector(workload: &Workload) -> Value {
    match workload.owner {
        Owner::Node => json!({ "component": workload.name, "tier": "control-plane" }),
        _ => json!({
            "app.kubernetes.io/instance": workload.name,
            "app.kubernetes.io/name": workload.name,
        }),
    }
}

/// All labels of a workload's template.
pub(crate) fn labels(workload: &Workload) -> Value {
    let mut labels = selector(workload);
    if workload.app {
        let (team, environment) = team(&workload.namespace);
        labels["app.kubernetes.io/managed-by"] = "Helm".into();
        labels["app.kubernetes.io/part-of"] = team.into();
        labels["app.kubernetes.io/version"] = version(workload).into();
        labels["env"] = environment.into();
        labels["team"] = team.into();
        labels["tier"] = if workload.port == 8080 { "frontend" } else { "backend" }.into();
    }
    labels
}

/// The annotations of a workload's template.
pub(crate) fn annotations(workload: &Workload) -> Value {
    let mut random = workload.random("annotations");
    let mut annotations = json!({
        "checksum/config": random.hex(64),
        "kubectl.kubernetes.io/restartedAt": random.moment(),
    });
    if workload.port != 0 {
        annotations["prometheus.io/path"] = "/metrics".into();
        annotations["prometheus.io/port"] = workload.port.to_string().into();
        annotations["prometheus.io/scrape"] = "true".into();
    }
    annotations
}

fn version(workload: &Workload) -> String {
    let mut random = workload.random("version");
    format!("{}.{}.{}", random.between(1, 6), random.below(30), random.below(12))
}

/// The image of a container, pinned by a tag.
fn image(workload: &Workload, container: &str) -> String {
    let version = version(workload);
    match workload.owner {
        Owner::Node => format!("registry.k8s.io/{}:v1.36.2", workload.name),
        _ if container != workload.name => {
            format!("registry.example.com/platform/{container}:{version}")
        }
        _ => format!(
            "registry.example.com/{}/{}:{version}",
            team(&workload.namespace).0,
            workload.name
        ),
    }
}

/// The spec of a workload's pods.
pub(crate) fn spec(workload: &Workload) -> Value {
    let mut random = workload.random("template");
    let mut containers = vec![container(workload, &workload.name, workload.port, &mut random)];
    if workload.app {
        let sidecars = ["log-shipper", "otel-agent", "proxy"];
        let count = random.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2]);
        let first = random.below(sidecars.len());
        for index in 0..count {
            let name = sidecars[(first + index) % sidecars.len()];
            containers.push(container(workload, name, 15_020 + index as u16, &mut random));
        }
    }
    let host_network = workload.on_host_network();
    let dns = if host_network { "ClusterFirstWithHostNet" } else { "ClusterFirst" };
    let mut spec = json!({
        "containers": containers,
        "dnsPolicy": dns,
        "restartPolicy": if workload.owner == Owner::CronJob { "Never" } else { "Always" },
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": random.pick(&[30, 30, 60, 120]),
    });
    let volumes = volumes(workload);
    if !volumes.is_empty() {
        spec["volumes"] = volumes.into();
    }
    if workload.owner == Owner::Node {
        return host(workload, spec);
    }
    if workload.account != "default" {
        spec["serviceAccount"] = workload.account.as_str().into();
        spec["serviceAccountName"] = workload.account.as_str().into();
    }
    if workload.access == Access::NoToken {
        spec["automountServiceAccountToken"] = false.into();
    }
    if workload.app {
        spec["imagePullSecrets"] = json!([{ "name": "registry" }]);
        spec["securityContext"] = json!({
            "fsGroup": 10_001,
            "runAsNonRoot": true,
            "runAsUser": 10_001,
            "seccompProfile": { "type": "RuntimeDefault" },
        });
    }
    if workload.app && random.chance(40) {
        spec["topologySpreadConstraints"] = json!([{
            "labelSelector": { "matchLabels": selector(workload) },
            "maxSkew": 1,
            "topologyKey": "topology.kubernetes.io/zone",
            "whenUnsatisfiable": "ScheduleAnyway",
        }]);
    }
    host(workload, spec)
}

/// Adds what reaches into the host.
fn host(workload: &Workload, mut spec: Value) -> Value {
    match workload.access {
        Access::Plain | Access::NoToken => return spec,
        Access::Privileged => {}
        Access::HostNetwork => spec["hostNetwork"] = true.into(),
        Access::Metrics => {
            spec["hostNetwork"] = true.into();
            spec["hostPID"] = true.into();
        }
    }
    spec["priorityClassName"] = "system-node-critical".into();
    spec["tolerations"] = json!([{ "effect": "NoSchedule", "operator": "Exists" }]);
    spec
}

fn container(workload: &Workload, name: &str, port: u16, random: &mut Random) -> Value {
    let mut container = json!({
        "env": environment(workload, name, random),
        "image": image(workload, name),
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "resources": {
            "limits": { "memory": random.pick(&["256Mi", "512Mi", "1Gi", "2Gi"]) },
            "requests": {
                "cpu": random.pick(&["50m", "100m", "250m", "1"]),
                "memory": random.pick(&["128Mi", "256Mi"]),
            },
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    });
    let mounts = mounts(workload, name);
    if !mounts.is_empty() {
        container["volumeMounts"] = mounts.into();
    }
    if random.chance(20) {
        container["command"] = json!(["/bin/sh", "-c"]);
        container["args"] = json!(["test -f /etc/app/ready && exec /app/run 2>&1 > /dev/stdout"]);
    }
    if port != 0 {
        container["ports"] = json!([
            { "containerPort": port, "name": "main", "protocol": "TCP" },
        ]);
        container["readinessProbe"] = probe("/health/ready", 5);
        if name == workload.name {
            container["livenessProbe"] = probe("/health/live", 15);
        }
    }
    match workload.access {
        Access::Privileged | Access::HostNetwork if workload.owner != Owner::Node => {
            container["securityContext"] = json!({ "privileged": true });
        }
        Access::Plain | Access::NoToken if hardened(workload) => {
            container["securityContext"] = json!({
                "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] },
                "readOnlyRootFilesystem": true,
            });
        }
        _ => {}
    }
    container
}

/// Whether the containers satisfy the level `restricted`: always where it is enforced.
fn hardened(workload: &Workload) -> bool {
    workload.app
        && (level(&workload.namespace) == "restricted" || workload.random("hardened").chance(70))
}

fn probe(path: &str, delay: u32) -> Value {
    json!({
        "failureThreshold": 3,
        "httpGet": { "path": path, "port": "main", "scheme": "HTTP" },
        "initialDelaySeconds": delay,
        "periodSeconds": 10,
        "successThreshold": 1,
        "timeoutSeconds": 2,
    })
}

fn environment(workload: &Workload, container: &str, random: &mut Random) -> Value {
    let field = |name: &str, path: &str| {
        json!({
            "name": name,
            "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": path } },
        })
    };
    let mut list =
        vec![field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")];
    if workload.app && container == workload.name {
        list.push(json!({
            "name": "LOG_LEVEL",
            "valueFrom": {
                "configMapKeyRef": { "key": "log-level", "name": config_name(workload) },
            },
        }));
        list.push(json!({
            "name": "DATABASE_PASSWORD",
            "valueFrom": {
                "secretKeyRef": { "key": "password", "name": secret_name(workload) },
            },
        }));
    }
    let first = random.below(SETTINGS.len());
    let settings = if workload.app { random.between(1, 3) } else { 0 };
    for index in 0..settings {
        let (name, value) = SETTINGS[(first + index) % SETTINGS.len()];
        list.push(json!({ "name": name, "value": value }));
    }
    list.into()
}

/// The ConfigMap of an application's workload.
pub(crate) fn config_name(workload: &Workload) -> String {
    format!("{}-config", workload.name)
}

/// The Secret of an application's workload.
pub(crate) fn secret_name(workload: &Workload) -> String {
    format!("{}-credentials", workload.name)
}

/// Directories of the host, under the names of their volumes.
fn host_paths(workload: &Workload) -> &'static [(&'static str, &'static str)] {
    match (workload.owner, workload.access) {
        (Owner::Node, _) => &[("k8s-certs", "/etc/kubernetes/pki")],
        (_, Access::Privileged | Access::Metrics) => &[("root", "/")],
        (_, Access::HostNetwork) => &[("lib-modules", "/lib/modules")],
        (_, Access::Plain | Access::NoToken) => &[],
    }
}

fn volumes(workload: &Workload) -> Vec<Value> {
    let mut list = Vec::new();
    for (name, path) in host_paths(workload) {
        list.push(json!({ "hostPath": { "path": path, "type": "Directory" }, "name": name }));
    }
    if workload.app {
        list.push(json!({
            "configMap": { "defaultMode": 420, "name": config_name(workload) },
            "name": "config",
        }));
        list.push(json!({ "emptyDir": {}, "name": "tmp" }));
        if workload.random("tls").chance(30) {
            list.push(json!({
                "name": "tls",
                "secret": { "defaultMode": 420, "secretName": secret_name(workload) },
            }));
        }
    }
    list
}

fn mounts(workload: &Workload, container: &str) -> Vec<Value> {
    let mut list = Vec::new();
    for (name, path) in host_paths(workload) {
        let path = if *path == "/" { "/host" } else { path };
        let mut mount = Map::new();
        mount.insert("mountPath".into(), path.into());
        mount.insert("name".into(), (*name).into());
        if workload.access != Access::Privileged {
            mount.insert("readOnly".into(), true.into());
        }
        list.push(mount.into());
    }
    if workload.app {
        list.push(json!({ "mountPath": "/tmp", "name": "tmp" }));
        if container == workload.name {
            list.push(json!({ "mountPath": "/etc/app", "name": "config", "readOnly": true }));
            if workload.random("tls").chance(30) {
                list.push(json!({ "mountPath": "/etc/tls", "name": "tls", "readOnly": true }));
            }
            if workload.owner == Owner::StatefulSet {
                list.push(json!({ "mountPath": "/var/lib/data", "name": "data" }));
            }
        }
    }
    list
}
