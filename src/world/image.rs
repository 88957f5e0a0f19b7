//! References of container images: repository, tag, and the version that a tag names.

/// An image reference in its parts. The digest, which names no version, is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image<'a> {
    /// With its registry, if it names one.
    pub repository: &'a str,
    pub tag: Option<&'a str>,
}

impl<'a> Image<'a> {
    /// Reads a reference. Total: what is no reference is a repository without a tag.
    #[must_use]
    pub fn new(reference: &'a str) -> Self {
        let named = reference.split('@').next().unwrap_or(reference);
        match named.rsplit_once(':') {
            // A colon before a slash is that of the registry's port.
            Some((repository, tag)) if !tag.contains('/') => Self { repository, tag: Some(tag) },
            _ => Self { repository: named, tag: None },
        }
    }

    /// The last part of the repository's path.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }

    /// Whether the repository is one of this path, whatever registry it comes from.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        self.repository
            .strip_suffix(path)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    }

    /// Major, minor and patch, if there is one, of the version in a tag: the first numbers with
    /// dots between them in `v1.11.2`, `1.13-debug`, `nginx-1.9.4-hardened1`.
    #[must_use]
    pub fn version(&self) -> Option<(u32, u32, Option<u32>)> {
        let no_digit = |c: char| !c.is_ascii_digit();
        let rest = self.tag?.trim_start_matches(no_digit);
        let end = rest.find(|c: char| no_digit(c) && c != '.').unwrap_or(rest.len());
        let mut parts = rest.get(..end)?.split('.');
        let mut number = || parts.next()?.parse().ok();
        Some((number()?, number()?, number()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_parts() {
        let parts = |text| (Image::new(text).repository, Image::new(text).tag);
        assert_eq!(parts("argocd"), ("argocd", None));
        assert_eq!(parts("localhost:5000/a/b"), ("localhost:5000/a/b", None));
        assert_eq!(parts("q.io:443/a/b:v2@sha256:aa"), ("q.io:443/a/b", Some("v2")));
        assert_eq!(parts("a@sha256:aa"), ("a", None));
        assert_eq!(Image::new("q.io:443/a/b:v2").name(), "b");
    }

    #[test]
    fn an_image_is_told_whatever_registry_it_comes_from() {
        let image = Image::new("r:5000/m/argoproj/argocd:v2");
        assert!(image.is("argoproj/argocd") && image.is("argocd"));
        assert!(!Image::new("r/myargocd").is("argocd"));
        assert!(Image::new("argocd").is("argocd"));
    }

    #[test]
    fn tags_name_versions() {
        for (image, version) in [
            ("registry.k8s.io/ingress-nginx/controller:v1.11.2", Some((1, 11, Some(2)))),
            ("rancher/nginx-ingress-controller:nginx-1.9.4-hardened1", Some((1, 9, Some(4)))),
            ("r:5000/ingress-nginx/controller:v1.12.0@sha256:0a1", Some((1, 12, Some(0)))),
            ("kyverno:1.13-debug", Some((1, 13, None))),
            ("registry.k8s.io/ingress-nginx/controller@sha256:1.2.3", None),
            ("registry.k8s.io/ingress-nginx/controller:latest", None),
            ("r:5000/kyverno", None),
        ] {
            assert_eq!(Image::new(image).version(), version, "{image}");
        }
    }
}
