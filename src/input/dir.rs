//! The files of a folder, in the order of their paths.
//!
//! Symbolic links are never followed: one that stays inside leads to what is read anyway, one that
//! leaves is none of the dump's. So there are no cycles. It knows names, not contents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What a folder holds.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) files: Vec<PathBuf>,
    /// Symbolic links, sockets, devices: not read.
    pub(super) links: u64,
    /// Folders that could not be listed.
    pub(super) failures: Vec<(PathBuf, io::Error)>,
}

/// Lists a folder and all below it. Only a failure to list the folder itself is an error.
pub(super) fn list(root: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    // A stack, not recursion: depth is the file system's business.
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if folder == root => return Err(error),
            Err(error) => {
                listing.failures.push((folder, error));
                continue;
            }
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    listing.failures.push((folder.clone(), error));
                    continue;
                }
            };
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_file() => listing.files.push(path),
                Ok(kind) if kind.is_dir() && entry.file_name() == ".git" => {}
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(_) => listing.links += 1,
                Err(error) => listing.failures.push((path, error)),
            }
        }
    }
    listing.files.sort_unstable();
    listing.failures.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(listing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_sorted_and_links_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["z.json", "b/c/a.json", "b/x:y z.json", "ä.json"] {
            fs::write(root.join(name), "").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("/etc", root.join("out")).unwrap();
            std::os::unix::fs::symlink(root, root.join("b/cycle")).unwrap();
        }
        let listing = list(root).unwrap();
        let names: Vec<_> =
            listing.files.iter().map(|f| f.strip_prefix(root).unwrap().to_owned()).collect();
        let expected = ["b/c/a.json", "b/x:y z.json", "z.json", "ä.json"];
        assert_eq!(names, expected.map(PathBuf::from));
        if cfg!(unix) {
            assert_eq!(listing.links, 2);
        }
    }
}
