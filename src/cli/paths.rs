//! `paths`: the best ways between two selections that the user names.

use super::open::{Opened, SnapshotsArg, open};
use super::output::{Output, report_output, write_answers};
use super::query::selector_failure;
use super::{Context, Exit, Failure};
use crate::attacks::attacks;
use crate::graph::{Graph, Thing};
use crate::query::filter::Filter;
use crate::query::library::Avoid;
use crate::query::library::Goal;
use crate::query::search::{Direction, Next, Search, cost_in};
use crate::query::selector::Selector;
use crate::query::{Asker, Query};
use crate::world::{BindingIx, RuleRef};

/// Finds the best paths between two selections, by likelihood.
///
/// `kspm-graph help selectors` explains how to select.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph paths cluster.json --from internet --to cluster-admin
  kspm-graph paths cluster.json --from 'sa/shop/*' --to 'secret/kube-system/*' -k 3
  kspm-graph paths cluster.json --from user/alice --to node/cp-1 --avoid pod-exec --via ns/ci")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshots: SnapshotsArg,
    /// Where paths start
    #[arg(long, value_name = "SEL")]
    from: String,
    /// Where they end
    #[arg(long, value_name = "SEL")]
    to: String,
    /// How many paths for each pair of ends
    #[arg(short, value_name = "N", default_value_t = 1)]
    k: usize,
    /// An attack's id or a selector that paths must not use; may be given several times
    #[arg(long, value_name = "ATTACK|SEL")]
    avoid: Vec<String>,
    /// Something that paths must pass
    #[arg(long, value_name = "SEL")]
    via: Option<String>,
    /// A format, and a file to write it to; may be given several times
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = report_output)]
    outputs: Vec<Output>,
    /// How many paths to print in full as text
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let select = |text: &str| Selector::parse(text).map_err(|e| selector_failure(&e));
    let attacks = attacks();
    let avoid: Result<Vec<Avoid>, Failure> = args
        .avoid
        .iter()
        .map(|text| Avoid::parse(text, &attacks).map_err(|e| selector_failure(&e)))
        .collect();
    let mut query = Query::between(select(&args.from)?, select(&args.to)?);
    query.avoid = avoid?;
    query.via = args.via.as_deref().map(select).transpose()?;
    let opened = open(&args.snapshots.snapshots, context)?;
    let graph = opened.derive();
    ends_exist(&graph, &query)?;
    let outcome = Asker::new(&graph).ask_more(&query, args.k.max(1));
    let notes = crate::query::notes(&query, &outcome);
    let answers = outcome.answers;
    write_answers(&opened, &graph, (&answers, None, &notes), &args.outputs, args.top, context)?;
    Ok(Exit::Done)
}

/// A selector that matches nothing is an error here: the user typed it.
pub(super) fn ends_exist(graph: &Graph, query: &Query) -> Result<(), Failure> {
    let selected =
        |selector: &Selector| selector.select(graph).map(drop).map_err(|e| selector_failure(&e));
    selected(&query.from)?;
    if let Goal::Selected(to) = &query.to {
        selected(to)?;
    }
    query.via.as_ref().map_or(Ok(()), selected)
}

/// Who reaches one of these bindings by attack paths, folded, with the likelihood of the best.
pub(super) fn reaching(opened: &Opened, held: &[(BindingIx, RuleRef)]) -> Vec<(String, f64)> {
    let graph = opened.derive();
    let targets: Vec<_> =
        held.iter().filter_map(|(binding, _)| graph.node(&Thing::Binding(*binding))).collect();
    let mut search = Search::new(&graph);
    let filter = Filter::default();
    search.run(Direction::Backward, &targets, &filter, None, usize::MAX, |_, _| Next::Expand);
    let tree = search.tree();
    let mut best: std::collections::BTreeMap<String, f64> = std::collections::BTreeMap::new();
    for node in tree.nodes() {
        use crate::graph::NodeKind as K;
        let counts = matches!(
            graph.kind(node),
            K::Internet | K::User | K::Group | K::ServiceAccount | K::Workload | K::Pod | K::Node
        );
        if counts && graph.fold(node) == node {
            let likelihood = crate::graph::likelihood_of(cost_in(tree.key(node)));
            best.insert(crate::query::spell(&graph, node), likelihood);
        }
    }
    let mut list: Vec<_> = best.into_iter().collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}
