//! Istio: what its gateways listen for, and where its virtual services lead.

use super::scalar::{Int, List, Str};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `spec` of a Gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioGatewaySpec<'a> {
    pub selector: Option<BTreeMap<String, Str<'a>>>,
    pub servers: List<IstioServer<'a>>,
}

/// One of `spec.servers` of a Gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioServer<'a> {
    pub port: Option<IstioPort<'a>>,
    pub hosts: List<Str<'a>>,
    pub tls: Option<IstioTls<'a>>,
}

/// `port` of a server.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioPort<'a> {
    pub number: Int,
    pub protocol: Str<'a>,
}

/// `tls` of a server.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioTls<'a> {
    pub mode: Str<'a>,
}

/// `spec` of a VirtualService.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
pub struct VirtualServiceSpec<'a> {
    pub hosts: List<Str<'a>>,
    pub gateways: List<Str<'a>>,
    pub export_to: List<Str<'a>>,
    pub http: List<IstioRoute<'a>>,
    pub tls: List<IstioRoute<'a>>,
    pub tcp: List<IstioRoute<'a>>,
}

/// One of `http`, `tls` or `tcp`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioRoute<'a> {
    #[serde(rename = "match")]
    pub matches: List<IstioMatch<'a>>,
    pub route: List<IstioDestination<'a>>,
    pub mirror: Option<IstioTarget<'a>>,
    pub mirrors: List<IstioMirror<'a>>,
    pub delegate: Option<IstioDelegate<'a>>,
}

/// One of `match`, of any form: one of them has to hold.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioMatch<'a> {
    /// The gateways that it holds at; at all of them if it names none.
    pub gateways: List<Str<'a>>,
}

/// One of `route`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioDestination<'a> {
    pub destination: Option<IstioTarget<'a>>,
    pub weight: Int,
}

/// One of `mirrors`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioMirror<'a> {
    pub destination: Option<IstioTarget<'a>>,
}

/// `destination`, or `mirror`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioTarget<'a> {
    pub host: Str<'a>,
    pub port: Option<IstioPortNumber>,
}

/// `port` of a destination.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct IstioPortNumber {
    pub number: Int,
}

/// Another VirtualService, which says where the requests go.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub struct IstioDelegate<'a> {
    pub name: Str<'a>,
    pub namespace: Str<'a>,
}
