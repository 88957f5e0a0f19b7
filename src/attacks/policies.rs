//! What admission policies leave of a step that needs a privileged pod, or one as strong.
//!
//! A policy never removes an edge: exceptions, failing webhooks and exempt users are not judged.
//! Those in CEL and those of the engines' libraries are judged by what they close, all others make
//! the step `possible`; each stands in the evidence.

use crate::graph::{Confidence, Fact, Odds, Sink};
use crate::world::guarded::{Guarded, RuleIx, Said};
use crate::world::guards::Ways;
use crate::world::{Namespace, World};

/// What policies leave of a step in a namespace, and the facts that say so.
pub(super) fn weigh(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
    facts: &mut Vec<Fact>,
) -> Odds {
    let guarded = namespace.guarded.as_deref();
    guarded.map_or(Odds::certain(1.0), |g| by(world, sink, g, &g.create, Ways::default(), facts))
}

/// The same of an ephemeral container, which not every policy is asked about, and which brings
/// neither volumes nor the host's namespaces.
pub(super) fn weigh_ephemeral(
    world: &World,
    sink: &mut Sink<'_>,
    namespace: &Namespace,
    facts: &mut Vec<Fact>,
) -> Odds {
    let guarded = namespace.guarded.as_deref();
    let without = Ways::HOST_PATH.and(Ways::HOST_NAMESPACES);
    guarded.map_or(Odds::certain(1.0), |g| by(world, sink, g, &g.ephemeral, without, facts))
}

/// The same of a namespace that somebody makes.
pub(super) fn weigh_new(world: &World, sink: &mut Sink<'_>, facts: &mut Vec<Fact>) -> Odds {
    let guarded = world.new_namespace.as_deref();
    guarded.map_or(Odds::certain(1.0), |g| by(world, sink, g, &g.create, Ways::default(), facts))
}

/// `without`: ways that the step does not have.
fn by(
    world: &World,
    sink: &mut Sink<'_>,
    guarded: &Guarded,
    said: &Said,
    without: Ways,
    facts: &mut Vec<Fact>,
) -> Odds {
    let mut odds = Odds::certain(1.0);
    let mut closed = Ways::default();
    for (ix, ways) in &said.closing {
        closed = closed.and(*ways);
        say(world, sink, *ix, &format!("refuses {}", names(*ways)), facts);
    }
    if closed != Ways::default() {
        odds = left(closed.and(without));
    }
    let unsure = said.others.iter().fold(Ways::default(), |all, (_, ways)| all.and(*ways));
    let unsure = unsure.without(closed.and(without));
    if unsure != Ways::default() {
        // Either a way that is open for sure, or the best one, which may be closed.
        let sure = left(closed.and(without).and(unsure));
        let half = match odds.confidence {
            Confidence::Certain | Confidence::Likely => odds.but(0.5, Confidence::Possible),
            _ => odds,
        };
        odds = if sure.likelihood > half.likelihood { sure } else { half };
        for (ix, ways) in
            said.others.iter().filter(|(_, ways)| unsure.within(*ways) != Ways::default())
        {
            let what = match *ways {
                Ways::ALL => "refuses what is not judged".to_owned(),
                ways => format!("may refuse {}", names(ways)),
            };
            say(world, sink, *ix, &what, facts);
        }
    }
    if let Some(ix) = said.harmless {
        odds = odds.but(1.0, Confidence::Likely);
        say(world, sink, ix, "refuses nothing that this needs", facts);
    }
    if let Some((guard, rule, _)) = guarded.idle.and_then(|ix| world.guard_rule(ix)) {
        let value =
            format!("without effect: {} does not run in the snapshot", guard.form.engine().name());
        facts.push(sink.fact(guard.object, world.text(rule.field), &value));
    }
    if guarded.hidden { odds.but(1.0, Confidence::Unknown) } else { odds }
}

/// What the ways that are left open are worth, the best of them.
fn left(closed: Ways) -> Odds {
    if !closed.has(Ways::PRIVILEGED) {
        Odds::likely(0.95)
    } else if !closed.has(Ways::HOST_PATH) {
        Odds::likely(0.9)
    } else if !closed.has(Ways::CAPABILITIES) {
        Odds::likely(0.7)
    } else if !closed.has(Ways::HOST_NAMESPACES) {
        Odds::possible(0.3)
    } else {
        Odds::possible(0.1)
    }
}

/// Ways in words.
fn names(ways: Ways) -> String {
    let all = [
        (Ways::PRIVILEGED, "privileged containers"),
        (Ways::HOST_PATH, "host paths"),
        (Ways::CAPABILITIES, "strong capabilities"),
        (Ways::HOST_NAMESPACES, "host namespaces"),
    ];
    let named: Vec<&str> =
        all.iter().filter(|(w, _)| ways.has(*w)).map(|(_, name)| *name).collect();
    named.join(", ")
}

/// The facts that a rule is in force.
fn say(world: &World, sink: &mut Sink<'_>, ix: RuleIx, what: &str, facts: &mut Vec<Fact>) {
    let Some((guard, rule, binding)) = world.guard_rule(ix) else { return };
    let value = format!("{} {what}", guard.form.engine().name());
    facts.push(sink.fact(guard.object, world.text(rule.field), &value));
    if let Some(binding) = binding {
        let name = world.objects[guard.object.index()].name;
        facts.push(sink.fact(binding, ".spec.policyName", world.text(name)));
    }
}
