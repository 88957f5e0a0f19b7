//! Turns settled rows into the world's tables: references become rows' numbers.

use super::build::{Tables, deployment_of};
use super::closed::Closed;
use super::network::HeldRow;
use super::nodes::{ControlPlane, control_plane_label};
use super::objects::Objects;
use super::openshift::Constraints;
use super::principals::{Named, named_principals};
use super::roles::{resolve_roles, role_key};
use super::rows::{PodRow, Row, SecretRow};
use super::secrets::{own_servers, whose};
use super::{
    Account, AccountIx, Binding, Claim, ConfigMap, GroupIx, Ingress, IngressClass, NOWHERE,
    Namespace, Node, NodeIx, Pod, PodIx, Policy, Principal, RoleIx, Secret, Service, Subject,
    UNKNOWN_NODE, UserIx, Volume, VolumeIx, Workload, WorkloadIx, World, rbac,
};
use crate::sym::{Sym, Symbols};
use std::sync::OnceLock;

/// Whether an owner's kind is one that owns without running pods.
pub(super) fn is_no_workload(symbols: &Symbols, kind: Sym) -> bool {
    matches!(symbols.text(kind), "Node" | "Pod" | "Namespace")
}

/// Turns settled rows into the world's tables.
#[expect(clippy::too_many_lines, reason = "one block a table, in the order of their dependence")]
pub(super) fn resolve(tables: Tables, duplicates: u64, clusters: usize) -> World {
    let Tables { mut part, symbols } = tables;
    let sym = |text: &str| symbols.get(text).unwrap_or(Sym::EMPTY);
    let labels = part.labels.into_items();
    let specs = part.specs.into_items();
    let rules = part.rules.into_items();
    let mut objects = Objects { list: Vec::new() };

    let enforce = symbols.get("pod-security.kubernetes.io/enforce");
    let label = |set: u32, key: Option<Sym>| -> Option<Sym> {
        let (key, set) = (key?, labels.get(set as usize)?);
        set.iter().find(|(k, _)| *k == key).map(|(_, v)| *v)
    };
    let mut namespaces: Vec<Namespace> = part
        .namespaces
        .iter()
        .map(|row| Namespace {
            object: objects.add(sym("Namespace"), row),
            name: row.name,
            usable: None,
            guarded: None,
            closed: row.body.terminating.then_some(Closed::Terminating),
            enforce: label(row.labels, enforce)
                .map(|v| super::admission::Level::enforced(symbols.text(v))),
        })
        .collect();
    for row in part.quotas.iter().filter(|row| !row.body.no_pods.is_empty()) {
        let of = namespaces.binary_search_by_key(&row.ns, |n| n.name);
        let Some(namespace) = of.ok().and_then(|at| namespaces.get_mut(at)) else { continue };
        if namespace.closed.is_none() {
            let object = objects.add(sym("ResourceQuota"), row);
            namespace.closed =
                Some(Closed::NoPods { object, name: row.name, key: row.body.no_pods });
        }
    }
    let mut nodes: Vec<Node> = part
        .nodes
        .into_iter()
        .map(|row| Node {
            object: objects.add(sym("Node"), &row),
            name: row.name,
            control_plane: labels
                .get(row.labels as usize)
                .and_then(|l| control_plane_label(&symbols, l))
                .map_or(ControlPlane::No, ControlPlane::Label),
            provider: row.body.provider,
            addresses: row.body.addresses,
            kubelet: row.body.kubelet,
            runtime: row.body.runtime,
            windows: row.body.windows,
            network: row.body.network,
            k3s_policies: row.body.k3s_policies,
        })
        .collect();
    let accounts_collected = part.accounts.iter().any(|a| a.origin.source != NOWHERE.source);
    let default_account = sym("default");
    let mut accounts: Vec<Account> = part
        .accounts
        .into_iter()
        .map(|row| Account {
            exists: !accounts_collected
                || row.origin.source != NOWHERE.source
                || row.name == default_account,
            object: objects.add(sym("ServiceAccount"), &row),
            ns: row.ns,
            name: row.name,
            automount: row.body.automount,
            pull_secrets: row.body.pull_secrets,
            annotations: row.body.annotations,
            lists_secrets: row.body.lists_secrets,
            uid: row.uid,
            usable: None,
        })
        .collect();
    let account_keys: Vec<(Sym, Sym)> = accounts.iter().map(|a| (a.ns, a.name)).collect();
    let find_account =
        |ns: Sym, name: Sym| account_keys.binary_search(&(ns, name)).ok().map(AccountIx::new);
    let node_names: Vec<Sym> = nodes.iter().map(|n| n.name).collect();
    let find_node = |name: Sym| node_names.binary_search(&name).map_or(NodeIx(0), NodeIx::new);
    let token = sym("kubernetes.io/service-account-token");
    let own = own_servers(&part.servers, &nodes, &symbols);
    let mut secret = |kind: Sym, row: &Row<SecretRow>| {
        let account = (row.body.kind == token && !row.body.account.is_empty())
            .then(|| find_account(row.ns, row.body.account))
            .flatten();
        let other = account.is_some_and(|a| {
            let uid = accounts[a.index()].uid;
            uid != 0 && row.body.account_uid != 0 && uid != row.body.account_uid
        });
        Secret {
            object: objects.add(kind, row),
            ns: row.ns,
            name: row.name,
            kind: row.body.kind,
            account,
            dead: other || row.body.invalid,
            signs_in: row.body.signs_in,
            filled: row.body.filled,
            extra_groups: row.body.extra_groups,
            immutable: row.body.immutable,
            hosted: row.body.hosted,
            holds: row.body.holds.clone(),
            release: row.body.release,
            logins: row.body.logins.iter().map(|login| whose(login, &own)).collect(),
            shown: row.body.shown,
        }
    };
    let secrets: Vec<Secret> = part.secrets.iter().map(|r| secret(sym("Secret"), r)).collect();
    let credential_maps: Vec<Secret> =
        part.credential_maps.iter().map(|r| secret(sym("ConfigMap"), r)).collect();

    let workload_rows = part.workloads;
    let find_workload = |ns: Sym, name: Sym, kind: Sym| {
        workload_rows.binary_search_by_key(&(ns, name, kind), |w| (w.ns, w.name, w.body.kind)).ok()
    };
    let top_of = |mut at: usize| {
        // A chain is short; the bound is for objects that own each other.
        for _ in 0..8 {
            let row = &workload_rows[at];
            // A pod or node that owns a workload (for its clean-up) is no controller of it.
            let owner = row.body.owner.filter(|(kind, _)| !is_no_workload(&symbols, *kind));
            let owner = owner.and_then(|(kind, name)| find_workload(row.ns, name, kind));
            match owner {
                Some(next) if next != at => at = next,
                _ => break,
            }
        }
        at
    };
    let unknown = find_node(sym(UNKNOWN_NODE));
    let mut pod_counts = vec![0_u32; workload_rows.len()];
    let pods: Vec<Pod> = part
        .pods
        .iter()
        .map(|row: &Row<PodRow>| {
            let workload =
                row.body.owner.filter(|(kind, _)| !is_no_workload(&symbols, *kind)).and_then(
                    |(kind, name)| {
                        let owner = find_workload(row.ns, name, kind)?;
                        let top = top_of(owner);
                        let is_bare_replica_set =
                            top == owner && workload_rows[owner].origin.source == NOWHERE.source;
                        let hash = symbols.text(row.body.template_hash);
                        let guessed = deployment_of(symbols.text(name), hash)
                            .filter(|_| is_bare_replica_set && symbols.text(kind) == "ReplicaSet")
                            .and_then(|name| {
                                find_workload(row.ns, symbols.get(name)?, sym("Deployment"))
                            });
                        Some(guessed.map_or(top, top_of))
                    },
                );
            if let Some(top) = workload {
                pod_counts[top] += 1;
            }
            let spec = specs.get(row.body.spec as usize);
            Pod {
                object: objects.add(sym("Pod"), row),
                ns: row.ns,
                name: row.name,
                spec: row.body.spec,
                node: if row.body.node.is_empty() { unknown } else { find_node(row.body.node) },
                account: (!row.body.mirror).then(|| find_account(row.ns, spec?.account)).flatten(),
                workload: workload.map(WorkloadIx::new),
                phase: row.body.phase,
                mirror: row.body.mirror,
                live: row.body.live,
                states: row.body.states,
            }
        })
        .collect();
    let workloads: Vec<Workload> = workload_rows
        .iter()
        .enumerate()
        .map(|(i, row)| Workload {
            object: objects.add(row.body.kind, row),
            kind: row.body.kind,
            ns: row.ns,
            name: row.name,
            spec: row.body.spec,
            account: row
                .body
                .spec
                .and_then(|s| specs.get(s as usize))
                .and_then(|s| find_account(row.ns, s.account)),
            template_labels: row.body.template_labels,
            top: WorkloadIx::new(top_of(i)),
            pods: pod_counts[i],
            idle: row.body.idle,
        })
        .collect();
    let component = symbols.get("component");
    let mut by_node: Vec<Vec<PodIx>> = vec![Vec::new(); nodes.len()];
    for (i, pod) in pods.iter().enumerate() {
        if let Some(account) = pod.account {
            accounts[account.index()].exists = true;
        }
        by_node[pod.node.index()].push(PodIx::new(i));
        let runs_control_plane = pod.mirror
            && symbols.text(pod.ns) == "kube-system"
            && label(objects.list[pod.object.index()].labels, component).is_some_and(|v| {
                matches!(symbols.text(v), "kube-apiserver" | "etcd" | "kube-controller-manager")
            });
        let node = &mut nodes[pod.node.index()];
        if runs_control_plane && !matches!(node.control_plane, ControlPlane::StaticPod(_)) {
            node.control_plane = ControlPlane::StaticPod(PodIx::new(i));
        }
    }

    let volumes: Vec<Volume> = part
        .volumes
        .iter()
        .map(|row| Volume {
            object: objects.add(sym("PersistentVolume"), row),
            name: row.name,
            path: row.body.path,
            local: row.body.local,
            claim: row.body.claim,
            placed: row.body.placed,
            nodes: row.body.nodes.clone(),
            free: row.body.free,
        })
        .collect();
    let claims = part
        .claims
        .iter()
        .map(|row| Claim {
            object: objects.add(sym("PersistentVolumeClaim"), row),
            ns: row.ns,
            name: row.name,
            volume: volumes
                .binary_search_by_key(&row.body.volume, |v| v.name)
                .ok()
                .filter(|_| !row.body.volume.is_empty())
                .map(VolumeIx::new),
            one_pod: row.body.one_pod,
        })
        .collect();

    let (roles, role_keys) =
        resolve_roles(&part.roles, &part.bindings, &labels, &symbols, &mut objects);
    let Named { users, groups, memberships } =
        named_principals(&part.bindings, &part.groups, &part.constraints, &symbols, &mut objects);
    let bindings = part
        .bindings
        .iter()
        .map(|row| {
            let kind = if row.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
            let subjects =
                row.body.subjects.iter().enumerate().filter_map(|(place, (kind, ns, name))| {
                    let (principal, spelled_as_user) = match symbols.text(*kind) {
                        "ServiceAccount" => {
                            let ns = if ns.is_empty() { row.ns } else { *ns };
                            (
                                Principal::Account(
                                    find_account(ns, *name).filter(|_| !ns.is_empty())?,
                                ),
                                false,
                            )
                        }
                        "User" => {
                            let user = symbols.text(*name);
                            if let Some((ns, name)) = rbac::account_of_user(user) {
                                let account = find_account(symbols.get(ns)?, symbols.get(name)?)?;
                                (Principal::Account(account), true)
                            } else if let Some(node) = rbac::node_of_user(user) {
                                (Principal::Node(find_node(symbols.get(node)?)), true)
                            } else {
                                let user =
                                    users.binary_search_by_key(name, |u: &(_, Sym)| u.1).ok()?;
                                (Principal::User(UserIx::new(user)), false)
                            }
                        }
                        "Group" => {
                            let group =
                                groups.binary_search_by_key(name, |g: &(_, Sym)| g.1).ok()?;
                            (Principal::Group(GroupIx::new(group)), false)
                        }
                        _ => return None,
                    };
                    let place = u32::try_from(place).unwrap_or(u32::MAX);
                    Some(Subject { principal, place, spelled_as_user })
                });
            Binding {
                subjects: subjects.collect(),
                object: objects.add(sym(kind), row),
                ns: row.ns,
                name: row.name,
                role: role_key(row, &symbols)
                    .and_then(|key| role_keys.binary_search(&key).ok())
                    .map(RoleIx::new),
            }
        })
        .collect();
    let services: Vec<Service> = part
        .services
        .into_iter()
        .map(|row| Service {
            object: objects.add(sym("Service"), &row),
            ns: row.ns,
            name: row.name,
            kind: row.body.kind,
            selector: row.body.selector,
            ports: row.body.ports,
            external_ips: row.body.external_ips,
            v6: row.body.v6,
            source_ranges: row.body.source_ranges,
            ranges_at: row.body.ranges_at,
            balancer: row.body.balancer,
            has_class: row.body.has_class,
            wanted_ip: row.body.wanted_ip,
            scheme: row.body.scheme,
            targets_pods: row.body.targets_pods,
            node_ports: row.body.node_ports,
            keeps_client: row.body.keeps_client,
            headless: row.body.headless,
            external_name: row.body.external_name,
        })
        .collect();
    let known = super::slices::Known {
        services: &services,
        pod_rows: &part.pods,
        pods: &pods,
        host_network: &|pod| specs.get(pod.spec as usize).is_some_and(|spec| spec.host_network),
        nodes: &nodes,
        symbols: &symbols,
    };
    let slices = super::slices::resolve(part.slices, part.endpoints, &known, &mut objects);
    let ingresses = part
        .ingresses
        .into_iter()
        .map(|row| Ingress {
            object: objects.add(sym("Ingress"), &row),
            ns: row.ns,
            name: row.name,
            class: row.body.class,
            annotated: row.body.annotated,
            backends: row.body.backends,
            balancer: row.body.balancer,
            scheme: row.body.scheme,
            sources: row.body.sources,
            funnel: row.body.funnel,
        })
        .collect();
    let classes = part
        .classes
        .iter()
        .map(|row| IngressClass {
            object: objects.add(sym("IngressClass"), row),
            name: row.name,
            controller: row.body.controller,
            parameters: row.body.parameters,
            default: row.body.default,
        })
        .collect();
    let policies = part
        .policies
        .into_iter()
        .map(|row| Policy {
            object: objects.add(sym("NetworkPolicy"), &row),
            ns: row.ns,
            selector: row.body.selector,
            ingress: row.body.ingress,
            egress: row.body.egress,
            rules: row.body.rules,
        })
        .collect();
    let of_pods = part.pods.iter().flat_map(|row| {
        let (ns, name) = (row.ns, row.name);
        let all = row.body.addresses.all();
        all.map(move |address| HeldRow { address, ns, name, service: false })
    });
    part.held.extend(of_pods);
    let network =
        super::network::resolve(part.other_policies, part.pod_blocks, part.held, &mut objects);
    let webhooks = super::webhooks::resolve(part.webhooks, &symbols, &mut objects);
    let constraints = part
        .constraints
        .into_iter()
        .map(|row| Constraints {
            object: objects.add(sym("SecurityContextConstraints"), &row),
            name: row.name,
            power: row.body.power,
            users: row.body.users,
            groups: row.body.groups,
        })
        .collect();
    let guards = super::guards::resolve(part.guards, &mut objects);
    let gateway = super::gateway::resolve(
        part.gateway_classes,
        part.gateways,
        part.routes,
        part.reference_grants,
        &mut objects,
    );
    let router_routes = super::gateway::table(part.router_routes, |r| r.kind, &mut objects);
    let istio = super::istio::resolve(part.istio_gateways, part.virtual_services, &mut objects);
    let config_maps = part
        .config_maps
        .iter()
        .map(|row| ConfigMap {
            object: objects.add(sym("ConfigMap"), row),
            ns: row.ns,
            name: row.name,
            snippets: row.body.snippets,
            open_kubelet: row.body.open_kubelet,
            policies: row.body.policies,
        })
        .collect();
    World {
        objects: objects.list,
        labels,
        specs,
        rules,
        namespaces,
        nodes,
        accounts,
        secrets,
        pods,
        workloads,
        volumes,
        claims,
        roles,
        bindings,
        services,
        slices,
        ingresses,
        classes,
        policies,
        network,
        webhooks,
        credential_maps,
        config_maps,
        constraints,
        guards,
        engines: super::guarded::Engines::default(),
        gateway,
        router_routes,
        istio,
        doors: OnceLock::new(),
        new_namespace: None,
        said: super::network::plugin::Said::default(),
        openshift: false,
        memberships,
        users,
        groups,
        seen: part
            .seen
            .into_iter()
            .flat_map(|(group, kinds)| {
                kinds.into_iter().map(move |(kind, count)| ((group.clone(), kind), count))
            })
            .collect(),
        duplicates,
        clusters,
        unusable: part.unusable.into_keys().collect(),
        definitions: part.definitions.into_iter().collect(),
        index: rbac::Index::default(),
        by_node,
        symbols,
    }
}
