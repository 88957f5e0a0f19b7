//! Raw devices of a machine in a container.
//!
//! The runtime admits a container to the devices of its `volumeDevices` and to no others: a device
//! that is only mounted, by `hostPath: /dev` or the like, cannot be opened unless the container is
//! privileged.

use super::Family;
use super::escape::{Power, at_next_start, power, starts, user_fact};
use crate::graph::{Confidence, Odds, Sink, Thing};
use crate::world::World;
use crate::world::pods::Volume;

crate::attack! {
    /// Writes to a disk of the machine past its file system, by a raw device.
    ///
    /// ## Needs
    /// `volumeDevices` of a claim whose volume is a `local` path below `/dev`, root inside, and that
    /// the disk holds what the machine runs: most such disks are kept for data, and the snapshot
    /// does not tell.
    /// ## Abuse
    /// `debugfs -w /dev/xvda`, then change `/etc/shadow` or a unit; reading takes no more than
    /// `debugfs -R 'cat /var/lib/kubelet/pki/kubelet-client-current.pem'`.
    /// ## Stopped by
    /// A user other than root, by the device's mode. `hostPath` of `/dev` or of a device gives
    /// nothing: the control group of the container refuses to open it.
    /// ## Fix
    /// Keep `local` volumes on partitions of their own, and name them by a file system.
    /// ## Detect
    /// Opening of block devices by processes of a container's cgroup.
    /// ## References
    /// - <https://kubernetes.io/docs/concepts/storage/persistent-volumes/#raw-block-volume-support>
    /// - kubernetes `pkg/kubelet/kubelet_pods.go`, `makeBlockVolumes`
    pub(super) static DEVICE_MOUNT = {
        id: "device-mount", title: "Write to the machine's disk", mitre: &["T1611", "T1006"],
        odds: Odds::possible(0.15),
    }
}

/// Raw devices.
pub(super) static FAMILY: Family = Family { name: "I Devices", attacks: &[&DEVICE_MOUNT], find };

fn find(world: &World, sink: &mut Sink<'_>) {
    // Without such a volume no pod is worth a look.
    if !world.volumes.iter().any(|v| v.local && is_device(world.text(v.path))) {
        return;
    }
    for host in world.hosts() {
        let spec = world.host_spec(host);
        let (object, ns) = world.host_object(host);
        let Some(node) = world.host_node(host) else { continue };
        for (index, container) in spec.containers.iter().enumerate() {
            for mount in container.mounts.iter().filter(|m| m.device) {
                let Some(Volume::Claim { name, .. }) = spec.volumes.get(usize::from(mount.volume))
                else {
                    continue;
                };
                let claim = world.claim(ns, *name).map(|c| &world.claims[c.index()]);
                let Some(claim) = claim else { continue };
                let volume = claim.volume.map(|v| &world.volumes[v.index()]);
                let Some(volume) = volume.filter(|v| v.local && is_device(world.text(v.path)))
                else {
                    continue;
                };
                let field = format!("{}.volumeDevices[{}]", container.field(), mount.place);
                let field = world.host_field(host, &field);
                let mut facts = vec![
                    sink.fact(object, &field, world.text(*name)),
                    sink.fact(claim.object, ".spec.volumeName", world.text(volume.name)),
                    sink.fact(volume.object, ".spec.local.path", world.text(volume.path)),
                ];
                let mut odds = DEVICE_MOUNT.odds;
                if power(container) == Power::Other {
                    odds = odds.but(0.3, Confidence::Possible);
                    let (field, value) = user_fact(container);
                    facts.push(sink.fact(object, &world.host_field(host, &field), &value));
                }
                let Some((from, ended)) = starts(world, sink, host, index) else { continue };
                if ended.is_some() {
                    odds = at_next_start(odds);
                    facts.extend(ended);
                }
                sink.edge_with(from, Thing::Node(node), &DEVICE_MOUNT, odds, &facts);
            }
        }
    }
}

fn is_device(path: &str) -> bool {
    path.starts_with("/dev/")
}
