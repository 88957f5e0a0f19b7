//! Makes snapshots of clusters of a given size, the same bytes on every run.
//!
//! What real dumps have and readers trip over is in them: `kind` after `items` in the List and
//! after `data` in a Secret, Go's escapes, JSON in strings, `managedFields` of several KB, Helm
//! releases. [`crate::planted`] lists the chains and decoys that an analysis should tell apart.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hasher};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use flate2::{Compression, write::GzEncoder};

use crate::cluster::{Cluster, Size, TINY};
use crate::json::{List, Style};
use crate::{config, network, nodes, owners, pods, policies, rbac};

/// What the API server sends, and the size that the sizes are named after.
pub(crate) const AS_SENT: Style = Style { indent: false, managed_fields: true };

/// Writes a cluster as one List and returns how many objects it has.
pub(crate) fn write(size: &'static Size, style: Style, out: impl Write) -> io::Result<usize> {
    let cluster = Cluster::plan(size);
    let mut list = List::begin(out, style)?;
    nodes::write(&cluster, &mut list)?;
    config::write(&cluster, &mut list)?;
    network::write(&cluster, &mut list)?;
    owners::write(&cluster, &mut list)?;
    pods::write(&cluster, &mut list)?;
    policies::write(&cluster, &mut list)?;
    rbac::write(&cluster, &mut list)?;
    list.end()
}

/// Writes a cluster into a file.
pub(crate) fn write_file(size: &'static Size, style: Style, path: &Path) -> anyhow::Result<usize> {
    let context = || format!("failed to write `{}`", path.display());
    let file = File::create(path).with_context(context)?;
    write(size, style, BufWriter::with_capacity(1 << 20, file)).with_context(context)
}

/// Packs a file with gzip, at the speed of a dump that is packed on the way.
pub(crate) fn pack(plain: &Path, packed: &Path) -> anyhow::Result<()> {
    let context = || format!("failed to pack `{}`", plain.display());
    let mut input = File::open(plain).with_context(context)?;
    let output = File::create(packed).with_context(context)?;
    let mut encoder = GzEncoder::new(BufWriter::new(output), Compression::fast());
    io::copy(&mut input, &mut encoder).with_context(context)?;
    encoder.finish()?.flush().with_context(context)
}

/// Tells this generator from those before it, by the bytes of the smallest cluster: a snapshot
/// of another generator must not be measured against those of this one.
pub(crate) fn fingerprint() -> io::Result<String> {
    let mut text = Vec::new();
    write(&TINY, AS_SENT, &mut text)?;
    let mut hasher = DefaultHasher::new();
    hasher.write(&text);
    Ok(format!("{:016x}", hasher.finish()))
}

/// Makes the snapshot of `size` in `folder`, unless this generator has made it already.
pub(crate) fn ensure(size: &'static Size, packed: bool, folder: &Path) -> anyhow::Result<()> {
    let fingerprint = fingerprint()?;
    let plain = folder.join(format!("{}.json", size.name));
    let mark = folder.join(format!("{}.generator", size.name));
    if plain.exists() && fs::read_to_string(&mark).is_ok_and(|made_by| made_by == fingerprint) {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("failed to make `{}`", folder.display()))?;
    // The mark goes first and comes back last, so that what an interrupted run left is made anew.
    if mark.exists() {
        fs::remove_file(&mark)?;
    }
    write_file(size, AS_SENT, &plain)?;
    if packed {
        pack(&plain, &plain.with_extension("json.gz"))?;
    }
    fs::write(&mark, fingerprint).with_context(|| format!("failed to write `{}`", mark.display()))
}
