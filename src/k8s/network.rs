//! Services and Ingresses: what makes a pod reachable from outside.

use super::scalar::{Bool, Int, IntOrStr, List, Str};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `spec` of a Service.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServiceSpec<'a> {
    #[serde(rename = "type")]
    pub kind: Str<'a>,
    pub selector: Option<BTreeMap<String, Str<'a>>>,
    pub ports: List<ServicePort<'a>>,
    /// `None` of a headless Service.
    #[serde(rename = "clusterIP")]
    pub cluster_ip: Str<'a>,
    #[serde(rename = "clusterIPs")]
    pub cluster_ips: List<Str<'a>>,
    pub ip_families: List<Str<'a>>,
    pub external_name: Str<'a>,
    #[serde(rename = "externalIPs")]
    pub external_ips: List<Str<'a>>,
    pub load_balancer_source_ranges: List<Str<'a>>,
    #[serde(rename = "loadBalancerIP")]
    pub load_balancer_ip: Str<'a>,
    pub load_balancer_class: Str<'a>,
    pub allocate_load_balancer_node_ports: Bool,
    pub external_traffic_policy: Str<'a>,
}

/// One of `spec.ports` of a Service.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct ServicePort<'a> {
    pub name: Str<'a>,
    pub port: Int,
    pub target_port: Option<IntOrStr<'a>>,
    pub node_port: Int,
    pub protocol: Str<'a>,
}

/// `status` of a Service or an Ingress.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct LoadBalancerStatus<'a> {
    pub load_balancer: Option<LoadBalancer<'a>>,
}

/// `status.loadBalancer`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct LoadBalancer<'a> {
    pub ingress: List<LoadBalancerIngress<'a>>,
}

/// One of `status.loadBalancer.ingress`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct LoadBalancerIngress<'a> {
    pub ip: Str<'a>,
    pub hostname: Str<'a>,
}

/// `spec` of an Ingress, in `networking.k8s.io/v1` and the beta before it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct IngressSpec<'a> {
    pub ingress_class_name: Str<'a>,
    pub default_backend: Option<IngressBackend<'a>>,
    /// The beta's name of `defaultBackend`.
    pub backend: Option<IngressBackend<'a>>,
    pub rules: List<IngressRule<'a>>,
}

/// One of `spec.rules` of an Ingress.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressRule<'a> {
    pub host: Str<'a>,
    pub http: Option<IngressHttp<'a>>,
}

/// `spec.rules[].http`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressHttp<'a> {
    pub paths: List<IngressPath<'a>>,
}

/// One of `spec.rules[].http.paths`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressPath<'a> {
    pub path: Str<'a>,
    pub backend: Option<IngressBackend<'a>>,
}

/// Where an Ingress sends a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct IngressBackend<'a> {
    pub service: Option<IngressService<'a>>,
    /// The beta's spelling.
    pub service_name: Str<'a>,
    /// The beta's spelling.
    pub service_port: Option<IntOrStr<'a>>,
}

/// `backend.service`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressService<'a> {
    pub name: Str<'a>,
    pub port: Option<IngressPort<'a>>,
}

/// `backend.service.port`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressPort<'a> {
    pub name: Str<'a>,
    pub number: Int,
}

/// `spec` of an IngressClass.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressClassSpec<'a> {
    pub controller: Str<'a>,
    pub parameters: Option<IngressClassParametersReference<'a>>,
}

/// What an IngressClass refers to for more.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IngressClassParametersReference<'a> {
    pub name: Str<'a>,
}
