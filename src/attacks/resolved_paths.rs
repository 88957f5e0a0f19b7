//! Where a path of a machine leads when it is mounted.
//!
//! The runtime follows links outside the container, as root and among the machine's own processes,
//! when it mounts a path. So what a volume names may be another path than the one it gives.

use crate::graph::Confidence;

/// Links of `/proc` to a root directory. That of the first process is the machine's; that of the
/// process which looks is the kubelet's or the runtime's, and those as a rule have the same.
const ROOTS: &[(&[&str], Confidence)] = &[
    (&["proc", "1", "root"], Confidence::Certain),
    (&["proc", "1", "task", "1", "root"], Confidence::Certain),
    (&["proc", "self", "root"], Confidence::Likely),
    (&["proc", "thread-self", "root"], Confidence::Likely),
    // Started by the machine's init, they stand in its root directory.
    (&["proc", "1", "cwd"], Confidence::Likely),
    (&["proc", "self", "cwd"], Confidence::Likely),
    (&["proc", "thread-self", "cwd"], Confidence::Likely),
];

/// A path as the machine resolves it, and how sure that is: without doubled or trailing slashes and
/// dots, with `/var/run` and the links to root directories followed. `None`: not an absolute path,
/// or one with `..`, which the API refuses.
pub(super) fn resolved(path: &str, sub_path: &str) -> Option<(String, Confidence)> {
    if !path.starts_with('/') {
        return None;
    }
    let mut names = Vec::new();
    plain(path, &mut names)?;
    let mut sure = follow(&mut names, Confidence::Certain);
    // A `subPath` that leads out of its volume is refused, and nothing lies outside the root.
    let root = names.is_empty();
    plain(sub_path, &mut names)?;
    if root {
        sure = follow(&mut names, sure);
    }
    if let ["var", "run", ..] = names[..] {
        names.remove(0);
    }
    Some((format!("/{}", names.join("/")), sure))
}

/// Adds the names of a path to others.
fn plain<'p>(path: &'p str, names: &mut Vec<&'p str>) -> Option<()> {
    for name in path.split('/') {
        match name {
            "" | "." => {}
            ".." => return None,
            name => names.push(name),
        }
    }
    Some(())
}

/// Follows the links to root directories at a path's start.
fn follow(names: &mut Vec<&str>, mut sure: Confidence) -> Confidence {
    let mut rest = &names[..];
    while let Some((after, how)) =
        ROOTS.iter().find_map(|(root, how)| Some((rest.strip_prefix(*root)?, *how)))
    {
        rest = after;
        sure = sure.max(how);
    }
    let followed = names.len() - rest.len();
    names.drain(..followed);
    sure
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(path: &str, sub_path: &str) -> Option<String> {
        resolved(path, sub_path).map(|(path, _)| path)
    }

    #[test]
    fn slashes_and_dots_say_nothing() {
        assert_eq!(path("/var/run//docker.sock/", "").unwrap(), "/run/docker.sock");
        assert_eq!(path("/", "etc/./cron.d").unwrap(), "/etc/cron.d");
        assert_eq!(path("/", "").unwrap(), "/");
        assert_eq!(path("/a/../etc", ""), None);
        assert_eq!(path("C:\\data", ""), None);
    }

    #[test]
    fn links_to_the_root_directory_are_followed() {
        let sure = |path: &str| resolved(path, "").unwrap();
        assert_eq!(sure("/proc/1/root"), ("/".to_owned(), Confidence::Certain));
        assert_eq!(sure("/proc//1/root/"), ("/".to_owned(), Confidence::Certain));
        assert_eq!(sure("/proc/1/root/var/run"), ("/run".to_owned(), Confidence::Certain));
        assert_eq!(sure("/proc/self/root/etc"), ("/etc".to_owned(), Confidence::Likely));
        let twice = sure("/proc/1/root/proc/self/cwd/etc/cron.d");
        assert_eq!(twice, ("/etc/cron.d".to_owned(), Confidence::Likely));
        assert_eq!(path("/proc", "1/root/etc").unwrap(), "/proc/1/root/etc");
        assert_eq!(path("/", "proc/1/root/etc").unwrap(), "/etc");
    }

    #[test]
    fn other_processes_and_their_other_links_are_not() {
        for own in ["/proc/2/root", "/proc/10/root", "/proc/1", "/proc/1/rootless", "/proc/1/ns"] {
            assert_eq!(path(own, "").unwrap(), own);
        }
        assert_eq!(path("/data/proc/1/root", "").unwrap(), "/data/proc/1/root");
    }
}
