//! Who a credential signs in as, and where: kubeconfigs, tokens of service accounts, and Argo CD's
//! clusters.
//!
//! The text is decoded while its object is read, and dropped with it. What stays is the name that
//! an API server would see, and the host of the server; of a key, a token or a password nothing
//! does, nor anything made from one.

use super::scalar::{List, Str};
use serde::Deserialize;

/// The longest text that is decoded.
const LONGEST: usize = 96 << 10;

/// A way to sign in to a cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Login {
    /// The key of the Secret.
    pub key: String,
    /// The user that the API server would see; empty where the credential does not tell.
    pub user: String,
    pub groups: Vec<String>,
    /// The uid of the service account.
    pub uid: String,
    /// The host of the server; empty where the credential does not tell.
    pub server: String,
}

/// What the values of a Secret or ConfigMap tell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Logins {
    pub list: Vec<Login>,
    /// There was something to decode, and it could be decoded.
    pub shown: bool,
    /// The server that a key of its own names.
    server: String,
}

/// Whether the value of a key may be a credential that tells whose it is.
pub(super) fn may_tell(key: &str) -> bool {
    matches!(key, "token" | "config" | "value" | "server" | "admin.conf" | "super-admin.conf")
        || key.contains("kubeconfig")
        || key.contains("KUBECONFIG")
        || key.contains("kube-config")
}

impl Logins {
    /// Takes up the value of a key: in base64, or as it stands, which no kubeconfig and no token
    /// could be mistaken for.
    pub(super) fn add(&mut self, key: &str, value: &str) {
        if value.len() > LONGEST {
            return;
        }
        let decoded = base64(value).unwrap_or_else(|| value.as_bytes().to_vec());
        let Ok(text) = String::from_utf8(decoded) else { return };
        let known = self.list.len();
        if key == "server" {
            self.server = host(&text);
        } else if let Some(login) = token(&text) {
            self.shown = true;
            self.list.push(login);
        } else if text.contains("clusters") && text.contains("users") {
            let Ok(file) = serde_yaml::from_str::<File<'_>>(&text) else { return };
            self.shown |= !file.clusters.is_empty();
            self.list.extend(file.logins());
        } else if text.contains("bearerToken") || text.contains("tlsClientConfig") {
            let Ok(cluster) = serde_yaml::from_str::<ArgoCluster>(&text) else { return };
            self.shown = true;
            let by_token = token(&cluster.bearer_token);
            let by_certificate = || certificate(&cluster.tls_client_config.cert_data);
            self.list.extend(by_token.or_else(by_certificate));
        }
        for login in self.list.iter_mut().skip(known) {
            key.clone_into(&mut login.key);
        }
    }

    /// All values are known: gives the server that a key names to those that name none.
    pub(super) fn finish(&mut self) {
        for login in self.list.iter_mut().filter(|l| l.server.is_empty()) {
            login.server.clone_from(&self.server);
        }
    }
}

/// A kubeconfig.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", bound(deserialize = "'de: 'a"))]
struct File<'a> {
    clusters: List<Named<'a>>,
    users: List<Named<'a>>,
    contexts: List<Named<'a>>,
}

/// An entry of one of its lists.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Named<'a> {
    name: Str<'a>,
    cluster: Option<Cluster<'a>>,
    user: Option<User<'a>>,
    context: Option<Context<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Cluster<'a> {
    server: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case", bound(deserialize = "'de: 'a"))]
struct User<'a> {
    token: Str<'a>,
    client_certificate_data: Str<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct Context<'a> {
    cluster: Str<'a>,
    user: Str<'a>,
}

/// The value of `config` in a cluster of Argo CD.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ArgoCluster {
    bearer_token: String,
    tls_client_config: TlsClientConfig,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TlsClientConfig {
    cert_data: String,
}

impl File<'_> {
    /// Each user of the file at each server that a context pairs it with. A file whose users tell
    /// nothing still tells its servers.
    fn logins(&self) -> Vec<Login> {
        let server = |name: &str| {
            let cluster = self.clusters.iter().find(|c| &*c.name == name);
            cluster.and_then(|c| c.cluster.as_ref()).map_or_else(String::new, |c| host(&c.server))
        };
        let mut found = Vec::new();
        for context in self.contexts.iter().take(32).filter_map(|c| c.context.as_ref()) {
            let user = self.users.iter().find(|u| *u.name == *context.user);
            let user = user.and_then(|u| u.user.as_ref());
            let login = user
                .and_then(|u| token(&u.token).or_else(|| certificate(&u.client_certificate_data)));
            found.push(Login { server: server(&context.cluster), ..login.unwrap_or_default() });
        }
        if found.is_empty() {
            let servers = self.clusters.iter().take(32).filter_map(|c| c.cluster.as_ref());
            found.extend(servers.map(|c| Login { server: host(&c.server), ..Login::default() }));
        }
        found
    }
}

/// The host of a URL, in lower case, without its port.
fn host(url: &str) -> String {
    let url = url.trim();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.to_ascii_lowercase()
}

/// What the token of a service account says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Claims {
    sub: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.uid")]
    legacy_uid: String,
    #[serde(rename = "kubernetes.io")]
    bound: Bound,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bound {
    serviceaccount: Of,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Of {
    uid: String,
}

/// Whose a token of a service account is; none where it is no such token.
fn token(text: &str) -> Option<Login> {
    let mut parts = text.trim().split('.');
    let (head, claims) = (parts.next()?, parts.next()?);
    if !head.starts_with("eyJ") || parts.next().is_none() || parts.next().is_some() {
        return None;
    }
    let claims: Claims = serde_json::from_slice(&base64(claims)?).ok()?;
    if !claims.sub.starts_with("system:serviceaccount:") {
        return None;
    }
    let uids = [claims.legacy_uid, claims.bound.serviceaccount.uid];
    let uid = uids.into_iter().find(|uid| !uid.is_empty()).unwrap_or_default();
    Some(Login { user: claims.sub, uid, ..Login::default() })
}

/// Whose a client certificate is: PEM in base64, as a kubeconfig holds it.
fn certificate(data: &str) -> Option<Login> {
    let pem = String::from_utf8(base64(data)?).ok()?;
    let body = pem.split_once("-----BEGIN CERTIFICATE-----")?.1;
    let der = base64(body.split_once("-----END")?.0)?;
    let (user, groups) = subject(&der)?;
    Some(Login { user, groups, ..Login::default() })
}

/// One element of DER: its tag, what it holds, and what stands behind it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [tag, length, rest @ ..] = der else { return None };
    let (length, rest) = match length {
        0..=0x7f => (usize::from(*length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
            (bytes.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
        }
        _ => return None,
    };
    let (held, rest) = rest.split_at_checked(length)?;
    Some((*tag, held, rest))
}

/// The common name and the organisations of a certificate's subject: a user and its groups.
fn subject(der: &[u8]) -> Option<(String, Vec<String>)> {
    const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
    const ORGANISATION: &[u8] = &[0x55, 0x04, 0x0a];
    let (_, certificate, _) = element(der)?;
    let (_, mut rest, _) = element(certificate)?;
    if rest.first() == Some(&0xa0) {
        rest = element(rest)?.2;
    }
    // Serial number, algorithm, issuer, validity.
    for _ in 0..4 {
        rest = element(rest)?.2;
    }
    let (_, mut names, _) = element(rest)?;
    let (mut user, mut groups) = (String::new(), Vec::new());
    while let Some((_, mut set, behind)) = element(names) {
        names = behind;
        while let Some((_, pair, behind)) = element(set) {
            set = behind;
            let (_, kind, value) = element(pair)?;
            let text = String::from_utf8_lossy(element(value)?.1).into_owned();
            match kind {
                COMMON_NAME => user = text,
                ORGANISATION => groups.push(text),
                _ => {}
            }
        }
    }
    (!user.is_empty() || !groups.is_empty()).then_some((user, groups))
}

/// Decodes base64 of either alphabet, with or without padding; white space does not count.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' | b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap_or(0));
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
        let held = parts.concat();
        let mut bytes = vec![tag];
        match u8::try_from(held.len()) {
            Ok(length @ 0..=0x7f) => bytes.push(length),
            _ => bytes.extend([0x82, (held.len() >> 8) as u8, held.len() as u8]),
        }
        bytes.extend(held);
        bytes
    }

    /// A certificate as far as its subject, `O=shop, O=ops, CN=una`.
    fn cut_off() -> Vec<u8> {
        let name = |kind: u8, text: &str| {
            let pair = [der(6, &[&[0x55, 4, kind]]), der(12, &[text.as_bytes()])];
            der(0x30, &[&pair[0], &pair[1]])
        };
        let organisations = der(0x31, &[&name(10, "shop"), &name(10, "ops")]);
        let names = der(0x30, &[&organisations, &der(0x31, &[&name(3, "una")])]);
        let filler = der(0x30, &[&[0; 200]]);
        let version = der(0xa0, &[&der(2, &[&[2]])]);
        let serial = der(2, &[&[7]]);
        let signed = der(0x30, &[&version, &serial, &filler, &filler, &filler, &names]);
        der(0x30, &[&signed])
    }

    fn of(key: &str, value: &str) -> Logins {
        let mut logins = Logins::default();
        logins.add(key, value);
        logins.finish();
        logins
    }

    #[test]
    fn base64_is_read_with_and_without_padding() {
        assert_eq!(base64("dW5h").as_deref(), Some(&b"una"[..]));
        assert_eq!(base64("dW4=").as_deref(), Some(&b"un"[..]));
        assert_eq!(base64("dW4").as_deref(), Some(&b"un"[..]));
        assert_eq!(base64("a b: c"), None);
    }

    #[test]
    fn hosts_lose_scheme_port_and_user() {
        for (url, of) in [
            ("https://API.shop.example:6443/x", "api.shop.example"),
            ("https://[fd00::1]:6443", "fd00::1"),
            ("10.0.0.7:6443", "10.0.0.7"),
            ("https://a@b", "b"),
            ("", ""),
        ] {
            assert_eq!(host(url), of);
        }
    }

    #[test]
    fn the_subject_names_user_and_groups_unless_it_is_cut_off() {
        let whole = cut_off();
        let groups = vec!["shop".to_owned(), "ops".to_owned()];
        assert_eq!(subject(&whole), Some(("una".to_owned(), groups)));
        for end in 0..whole.len() {
            assert_eq!(subject(&whole[..end]), None);
        }
        assert_eq!(element(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }

    #[test]
    fn a_token_of_another_kind_names_nobody() {
        // {"alg":"none"} and {"sub":"una"}.
        assert!(of("token", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1bmEifQ.x").list.is_empty());
        assert!(of("token", "eyJ.").list.is_empty());
        assert!(of("kubeconfig", "clusters: [users").list.is_empty());
    }

    #[test]
    fn a_file_that_names_no_user_still_names_its_server() {
        let file = "users: []\nclusters: [{name: c, cluster: {server: 'https://a:1'}}]";
        let logins = of("kubeconfig", file);
        assert!(logins.shown);
        assert_eq!(logins.list.len(), 1);
        assert_eq!((&*logins.list[0].server, &*logins.list[0].user), ("a", ""));
    }

    #[test]
    fn no_value_stays() {
        let file = "users: [{name: u, user: {token: s3cret, password: s3cret}}]\n\
            clusters: [{name: c, cluster: {server: 'https://a:1'}}]\n\
            contexts: [{name: x, context: {cluster: c, user: u}}]";
        assert!(!format!("{:?}", of("kubeconfig", file)).contains("s3cret"));
    }
}
