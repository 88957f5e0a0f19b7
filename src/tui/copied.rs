//! Copies a command line that prints what is shown, and says what of the view no command knows.

use super::loaded::Changes;
use super::message::Effect;
use super::model::{Model, quote};
use super::screens::Screen;
use crate::graph::{Graph, NodeId};
use crate::query::spell;

/// How many nodes of a workload a command line names one by one.
const MEMBERS: usize = 8;

/// Copies the command of the screen.
pub(super) fn command(model: &mut Model) -> Vec<Effect> {
    let command = format!("kspm-graph {}", (model.screen.room().command)(model));
    let unsaid = match unsaid(model) {
        0 => String::new(),
        1 => " without 1 change that no command has".to_owned(),
        n => format!(" without {n} changes that no command has"),
    };
    model.status = format!("copied{unsaid}: {command}");
    vec![Effect::Copy(command)]
}

/// How many changes the view shows and its command does not.
fn unsaid(model: &Model) -> usize {
    let Some(graph) = model.graph() else { return 0 };
    match model.screen {
        Screen::Paths => model.changes.count() - avoided(graph, &model.changes).len(),
        Screen::Overview | Screen::Explorer | Screen::Blast | Screen::Cuts | Screen::Network => {
            model.changes.count()
        }
        Screen::Access | Screen::Coverage | Screen::Help => 0,
    }
}

/// What of the changes `--avoid` can say: attacks and nodes.
fn avoided(graph: &Graph, changes: &Changes) -> Vec<String> {
    let attacks = changes.attacks.iter().map(|attack| attack.id.to_owned());
    attacks.chain(changes.nodes.iter().filter_map(|node| members(graph, *node))).collect()
}

/// The flags that leave out what the changes do, as far as there are any.
pub(super) fn avoid(graph: &Graph, changes: &Changes) -> String {
    avoided(graph, changes).iter().map(|what| format!(" --avoid {}", quote(what))).collect()
}

/// A node with all that folds into it, as a selector, unless there is too much of it.
fn members(graph: &Graph, node: NodeId) -> Option<String> {
    let of = graph.nodes().filter(|n| graph.fold(*n) == node);
    let names: Vec<String> = of.take(MEMBERS + 1).map(|n| spell(graph, n)).collect();
    (names.len() <= MEMBERS).then(|| names.join(","))
}
