//! Gates: what opens when all its parts are held, by whomever.
//!
//! An attack of several requests needs several rights, which different conquered identities may
//! hold: each sends its own request. Each part leads into the gate, and what the attack gives lies
//! behind it. Rights that one request needs together are another matter (`together`).

use crate::graph::{Attack, Fact, Odds, SetKey, Sink, Thing};
use crate::world::{GroupIx, ObjectId, World};

/// The parts of a gate lead into it without a likelihood of their own: the step's stands on the
/// edge out of it.
pub(super) const PART: Odds = Odds::certain(1.0);

/// What the fact between the parts of a gate says.
pub(crate) const TOGETHER: &str = "whoever holds all parts can use them together";

/// The fact between the parts of a gate and what it opens. It holds in every cluster.
pub(super) fn needed_together(world: &World, sink: &mut Sink<'_>) -> Fact {
    of_every_cluster(world, sink, TOGETHER)
}

/// A fact that holds in every cluster, of the group that everybody is in.
pub(super) fn of_every_cluster(world: &World, sink: &mut Sink<'_>, text: &str) -> Fact {
    let everybody = world.group("system:authenticated").map_or(0, GroupIx::index);
    let object = world.groups.get(everybody).map(|(object, _)| *object);
    let object = object.unwrap_or(ObjectId::new(0));
    sink.fact(object, "", text)
}

/// Leads all parts into a gate; returns the gate, for what lies behind it.
pub(super) fn gate(
    world: &World,
    sink: &mut Sink<'_>,
    key: SetKey,
    attack: &'static Attack,
    parts: &[Thing<'static>],
) -> Thing<'static> {
    let fact = needed_together(world, sink);
    let gate = Thing::Gate(key);
    for part in parts {
        sink.edge_with(*part, gate, attack, PART, &[fact]);
    }
    gate
}
