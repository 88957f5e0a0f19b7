//! Which version the API server has, as far as the snapshot shows it.
//!
//! A static pod's image names the server's own version. A kubelet may be older than its API server
//! but never newer (Kubernetes' version skew policy), so without that pod the newest kubelet is a
//! lower bound.

use super::image::Image;
use super::{ObjectId, World};

/// A Kubernetes version without its patch release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    pub major: u32,
    pub minor: u32,
    /// It is the API server's own, rather than a kubelet's, than which the server is no older.
    pub exact: bool,
    /// The pod or node that shows it.
    pub object: ObjectId,
}

impl Version {
    /// Whether it comes before another version.
    #[must_use]
    pub fn is_before(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) < (major, minor)
    }
}

impl World {
    /// The releases of the API servers that the snapshot shows by their static pods' images, as far
    /// as a tag is a release of Kubernetes itself.
    #[must_use]
    pub fn server_releases(&self) -> Vec<(Release, ObjectId)> {
        let Some(ns) = self.symbols.get("kube-system") else { return Vec::new() };
        let mirrors = self.pods[self.pods_of(ns)].iter().filter(|p| p.mirror);
        mirrors
            .filter_map(|pod| {
                let spec = self.specs.get(pod.spec as usize)?;
                let tag = spec.containers.iter().find_map(|c| server_tag(self.text(c.image)))?;
                Some((release(tag)?, pod.object))
            })
            .collect()
    }

    /// The API server's version: that of its static pod's image, the oldest of several, or else
    /// the newest kubelet's as a lower bound.
    #[must_use]
    pub fn server_version(&self) -> Option<Version> {
        let of_server = self.symbols.get("kube-system").and_then(|ns| {
            let pods = self.pods[self.pods_of(ns)].iter().filter(|p| p.mirror);
            pods.filter_map(|pod| {
                let spec = self.specs.get(pod.spec as usize)?;
                let tag = spec.containers.iter().find_map(|c| server_tag(self.text(c.image)))?;
                let (major, minor) = parse(tag)?;
                Some(Version { major, minor, exact: true, object: pod.object })
            })
            .min_by_key(|v| (v.major, v.minor))
        });
        of_server.or_else(|| {
            let kubelets = self.nodes.iter().filter_map(|node| {
                let (major, minor) = parse(self.text(node.kubelet))?;
                Some(Version { major, minor, exact: false, object: node.object })
            });
            kubelets.max_by_key(|v| (v.major, v.minor))
        })
    }
}

/// Major, minor and patch of a release.
pub type Release = (u32, u32, u32);

/// The release that a version names, such as `v1.34.2` or `2.1.4`. `None` for whatever bears more
/// than three numbers: a vendor's build may hold fixes that its number does not tell of.
#[must_use]
pub fn release(version: &str) -> Option<Release> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split('.');
    let mut next = || {
        let part = parts.next().filter(|p| p.bytes().all(|b| b.is_ascii_digit()))?;
        part.parse::<u32>().ok()
    };
    let release = (next()?, next()?, next()?);
    parts.next().is_none().then_some(release)
}

/// The tag of an image that is an API server's.
fn server_tag(image: &str) -> Option<&str> {
    let image = Image::new(image);
    image.tag.filter(|_| image.name().starts_with("kube-apiserver"))
}

/// Major and minor of `v1.34.2`, `v1.30.4+k3s1`, `v1.29.6-eks-1552ad0`.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.strip_prefix('v').unwrap_or(version).split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.trim_end_matches('+').parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_distributions() {
        assert_eq!(parse("v1.34.2"), Some((1, 34)));
        assert_eq!(parse("v1.30.4+k3s1"), Some((1, 30)));
        assert_eq!(parse("1.29-eks"), None);
        assert_eq!(parse("latest"), None);
        assert_eq!(parse(""), None);
    }

    #[test]
    fn releases_are_exact() {
        assert_eq!(release("v1.34.2"), Some((1, 34, 2)));
        assert_eq!(release("2.1.4"), Some((2, 1, 4)));
        for vendors in
            ["2.2.1-k3s1", "v1.30.4+k3s1", "v1.29.6-eks-1552ad0", "1.7", "1.7.0.1", "", "1.+7.0"]
        {
            assert_eq!(release(vendors), None, "{vendors}");
        }
    }

    #[test]
    fn images_of_api_servers() {
        assert_eq!(server_tag("registry.k8s.io/kube-apiserver:v1.34.0"), Some("v1.34.0"));
        assert_eq!(server_tag("r:5000/kube-apiserver-amd64:v1.9.1@sha256:aa"), Some("v1.9.1"));
        assert_eq!(server_tag("registry.k8s.io/etcd:3.5.21-0"), None);
    }
}
