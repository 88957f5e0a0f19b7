//! `reach`: who reaches whom over the network, and what faces the outside.

use super::ends::{self, Typed};
use super::open::{Opened, SnapshotArg, open};
use super::output::{Output, parse, style, write_to};
use super::{Context, Exit, Failure};
use crate::query::reach::{Ground, Level, ports};
use crate::report::reach::{self, Reach};
use crate::world::network::PortSpec;

const FORMATS: &[&str] = &["text", "json", "dot", "md"];

fn output(text: &str) -> Result<Output, String> {
    parse(text, FORMATS)
}

/// Tells who reaches whom over the network, and what faces the outside.
///
/// Network policies of every kind that is read are evaluated as the network plugin does: alone, the
/// command says which policies isolate what, which doors lead in from the internet, who reaches the
/// pods that policies speak of, and who gets out to the internet and to the metadata service of a
/// cloud. With --from or --to it lists one side's connections. With both it says which policy and
/// rule decide, and what would have to change.
///
/// An end is a selector (`help selectors`) of pods, workloads, namespaces or nodes, `internet`, an
/// address or a block of addresses such as 10.0.0.0/8. That a packet may arrive says nothing about
/// whether something listens there.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph reach cluster.json
  kspm-graph reach cluster.json --to sts/shop/db --port 5432
  kspm-graph reach cluster.json --from deploy/shop/web --to sts/shop/db --port 5432
  kspm-graph reach cluster.json --from internet --to ns/shop
  kspm-graph reach cluster.json --from ns/shop --to 169.254.169.254
  kspm-graph reach cluster.json --level namespace -o md=matrix.md
  kspm-graph reach cluster.json --enforces no -o json
  kspm-graph reach cluster.json --level pod --sets -o json=reach.json")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// Only what comes from here
    #[arg(long, value_name = "SEL")]
    from: Option<String>,
    /// Only what goes there
    #[arg(long, value_name = "SEL")]
    to: Option<String>,
    /// Only this port of the pods, as 5432 or 53/udp
    #[arg(long, value_name = "PORT[/PROTO]", value_parser = ports::parse)]
    port: Option<PortSpec>,
    /// What a row stands for; workload, or pod where pods are selected
    #[arg(long, value_name = "LEVEL", value_parser = ["pod", "workload", "namespace"])]
    level: Option<String>,
    /// Also what is denied, and what no policy speaks of
    #[arg(long)]
    all: bool,
    /// In JSON, name ends that are treated alike once, as sets, instead of a row for each pair
    #[arg(long)]
    sets: bool,
    /// How many rows of each part to print as text or to draw
    #[arg(long, value_name = "N", default_value_t = 40)]
    top: usize,
    /// text, json (kspm-graph/reach/v1), dot or md (a matrix), and a file to write it to; may be
    /// given several times
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", value_parser = output)]
    outputs: Vec<Output>,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let typed = |text: &Option<String>| text.as_deref().map(Typed::new).transpose();
    let (from, to) = (typed(&args.from)?, typed(&args.to)?);
    let opened = open(&args.snapshot.all(), context)?;
    let asks = [&from, &to].into_iter().flatten().any(Typed::selects);
    // Selections are of the graph's nodes; it is not needed for addresses.
    let graph = asks.then(|| opened.derive());
    let pods = || {
        let mut ends = [&from, &to].into_iter().flatten();
        ends.any(|t| {
            t.is_pod_address(&opened.world) || graph.as_ref().is_some_and(|graph| t.is_pods(graph))
        })
    };
    let level = match args.level.as_deref() {
        Some("pod") => Level::Pod,
        Some("namespace") => Level::Namespace,
        None if pods() => Level::Pod,
        _ => Level::Workload,
    };
    let ground = Ground::new(&opened.world, level);
    let wanted = |typed: &Option<Typed>| match typed {
        Some(typed) => typed.running(&ground, graph.as_ref()),
        None => Ok(ground.everything()),
    };
    for note in [&from, &to].into_iter().flatten().flat_map(|typed| typed.notes(&opened.world)) {
        context.note(&format!("note: {note}"));
    }
    let (from, to) = (wanted(&from)?, wanted(&to)?);
    let reach = Reach {
        ground: &ground,
        from: &from,
        to: &to,
        port: args.port,
        all: args.all,
        sets: args.sets,
        top: args.top,
        snapshot: &opened.snapshot,
        coverage: &ends::coverage(&opened),
        lines: &opened,
        width: style(context, 0).width,
    };
    write(args, &opened, &reach, context)
}

fn write(
    args: &Args,
    opened: &Opened,
    reach: &Reach<'_>,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let text = [Output { format: "text".to_owned(), file: None }];
    let outputs = if args.outputs.is_empty() { &text[..] } else { &args.outputs };
    for output in outputs {
        match output.format.as_str() {
            "json" => write_to(output, context, |out| reach::json(reach, out))?,
            "dot" => write_to(output, context, |out| reach::dot(reach, out))?,
            "md" => {
                let size = reach::size(reach);
                if size > reach::MOST {
                    let error = anyhow::anyhow!(
                        "a matrix of {size} rows or columns is more than a person reads"
                    );
                    let help = "give --level namespace, or --from and --to".to_owned();
                    return Err(Failure::usage(error, help));
                }
                write_to(output, context, |out| reach::markdown(reach, out))?;
            }
            _ => write_to(output, context, |out| reach::text(reach, out))?,
        }
    }
    if opened.world.pods.is_empty() && opened.world.workloads.is_empty() {
        context.note("warning: the snapshot holds no pods and no workloads: nothing runs");
    }
    Ok(Exit::Done)
}
