//! `who-can`: every subject that holds a permission, with the binding and the rule.

use super::can_i::Asked;
use super::open::{SnapshotArg, open, warn_without_rbac};
use super::{Context, Exit, Failure};
use crate::report::escape::terminal;
use crate::sym::Sym;
use crate::world::World;
use serde_json::json;
use std::collections::BTreeSet;

/// Lists who holds a permission directly: users, groups and service accounts, each with the binding
/// that names it and the role's rule.
///
/// With --through-paths also those who could come to hold it by attack paths.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph who-can cluster.json get secrets -n kube-system
  kspm-graph who-can cluster.json create pods/exec -n shop --through-paths
  kspm-graph who-can cluster.json '*' '*'")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// A verb
    verb: String,
    /// A resource as RESOURCE[.GROUP][/SUBRESOURCE], or a path such as /metrics
    resource: String,
    /// The object's name
    name: Option<String>,
    /// The namespace; without it, bindings of all namespaces count
    #[arg(short, long, value_name = "NS")]
    namespace: Option<String>,
    /// Also list who could get there by attack paths
    #[arg(long)]
    through_paths: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    output: String,
}

/// One holder, ready to print: sorted by kind and name.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone)]
pub(super) struct Held {
    subject: String,
    namespace: String,
    binding: String,
    rule: String,
    /// What the rule allows, in words.
    allows: String,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = open(&args.snapshot.all(), context)?;
    warn_without_rbac(&opened, context);
    let world = &opened.world;
    let asked = Asked::parse(&args.resource);
    let namespace = args.namespace.as_deref().filter(|_| !asked.is_cluster_wide());
    let target = asked.target(args.name.as_deref(), namespace);
    let anywhere = namespace.is_none() && !asked.is_cluster_wide();
    let held: BTreeSet<Held> = world
        .allowing(&args.verb, &target, anywhere)
        .into_iter()
        .flat_map(|(binding, rule)| holders(world, binding, rule))
        .collect();
    let through = if args.through_paths {
        super::paths::reaching(&opened, &world.allowing(&args.verb, &target, anywhere))
    } else {
        Vec::new()
    };
    if args.output == "json" {
        let list: Vec<_> = held
            .iter()
            .map(|h| json!({"subject": h.subject, "namespace": h.namespace, "binding": h.binding, "rule": h.rule}))
            .collect();
        let paths: Vec<_> = through
            .iter()
            .map(|(from, likelihood)| json!({"from": from, "likelihood": likelihood}))
            .collect();
        let all =
            json!({"schema": "kspm-graph/who-can/v1", "holders": list, "throughPaths": paths});
        crate::report::write_value(&all, context.out)?;
        return Ok(Exit::Done);
    }
    if held.is_empty() {
        writeln!(context.out, "nobody but group system:masters")?;
    }
    let width =
        held.iter().map(|h| terminal(&h.subject).chars().count()).max().unwrap_or(0).min(60);
    for h in &held {
        let scope = if h.namespace.is_empty() { "cluster-wide" } else { &h.namespace };
        writeln!(
            context.out,
            "{:<width$}  {:<14}  {}: {} = {}",
            terminal(&h.subject),
            terminal(scope),
            terminal(&h.binding),
            terminal(&h.rule),
            terminal(&h.allows)
        )?;
    }
    if args.through_paths {
        writeln!(context.out, "\nby attack paths:")?;
        for (from, likelihood) in &through {
            writeln!(context.out, "  {likelihood:.2}  {}", terminal(from))?;
        }
        if through.is_empty() {
            writeln!(context.out, "  nobody else")?;
        }
    }
    Ok(Exit::Done)
}

fn holders(
    world: &World,
    binding: crate::world::BindingIx,
    rule: crate::world::RuleRef,
) -> Vec<Held> {
    use crate::world::Principal;
    let b = &world.bindings[binding.index()];
    let kind = if b.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let role = &world.roles[rule.role.index()];
    let role_kind = if role.ns.is_empty() { "ClusterRole" } else { "Role" };
    let list = |syms: &[Sym]| {
        let texts: Vec<&str> = syms.iter().map(|s| world.text(*s)).collect();
        texts.join(",")
    };
    let row = &world.rules[rule.rule as usize];
    let on = if row.resources.is_empty() { list(&row.urls) } else { list(&row.resources) };
    let mut allows = format!("{} on {on}", list(&row.verbs));
    if !row.names.is_empty() {
        allows = format!("{allows} named {}", list(&row.names));
    }
    b.subjects
        .iter()
        .map(|s| Held {
            subject: match s.principal {
                Principal::Account(a) => {
                    let a = &world.accounts[a.index()];
                    format!("sa/{}/{}", world.text(a.ns), world.text(a.name))
                }
                Principal::Node(n) => {
                    format!("user/system:node:{}", world.text(world.nodes[n.index()].name))
                }
                Principal::User(u) => format!("user/{}", world.text(world.users[u.index()].1)),
                Principal::Group(g) => format!("group/{}", world.text(world.groups[g.index()].1)),
            },
            namespace: world.text(b.ns).to_owned(),
            binding: format!("{kind} {}", world.text(b.name)),
            rule: format!("{role_kind} {} .rules[{}]", world.text(role.name), rule.place),
            allows: allows.clone(),
        })
        .collect()
}
