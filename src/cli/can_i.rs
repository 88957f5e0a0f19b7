//! `can-i`: what an API server would answer, from the snapshot alone.

use super::open::{SnapshotArg, open, warn_without_rbac};
use super::{Context, Exit, Failure};
use crate::query::access::{Asked, Doubt, cautions, doubts, groups_of, reason, user_name};
use crate::report::escape::terminal;
use crate::world::World;
use crate::world::rbac::{Request, Target};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;

/// Answers `may WHO do VERB on RESOURCE?` as the API server's RBAC authorizer does.
///
/// With -f it answers SubjectAccessReview objects (a List, several documents, or JSON lines), each
/// with `status.allowed` and `status.reason`, in the same order. User and groups are taken as
/// given there; --as alone adds the groups that Kubernetes itself would.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kspm-graph can-i cluster.json --as system:serviceaccount:shop:web create pods/exec -n shop
  kspm-graph can-i cluster.json --as sa/shop/web get secrets
  kspm-graph can-i cluster.json --as alice --as-group devs get /metrics
  kspm-graph can-i cluster.json -f reviews.jsonl

A single question prints yes or no with the reason, and exits with 0 or 1.")]
pub(crate) struct Args {
    #[command(flatten)]
    snapshot: SnapshotArg,
    /// A user name, or sa/NAMESPACE/NAME for a service account
    #[arg(long = "as", value_name = "WHO", required_unless_present = "file")]
    who: Option<String>,
    /// A group; may be given several times, and then no group is added
    #[arg(long = "as-group", value_name = "GROUP")]
    groups: Vec<String>,
    /// A verb
    #[arg(required_unless_present = "file")]
    verb: Option<String>,
    /// A resource as RESOURCE[.GROUP][/SUBRESOURCE], or a path such as /healthz
    #[arg(required_unless_present = "file")]
    resource: Option<String>,
    /// The object's name
    name: Option<String>,
    /// The namespace; without it the question is about the whole cluster
    #[arg(short, long, value_name = "NS")]
    namespace: Option<String>,
    /// A file of SubjectAccessReviews; - is standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["who", "verb", "resource", "name"])]
    file: Option<String>,
    /// Accepted for symmetry; reviews are always answered as JSON
    #[arg(short = 'o', long = "output", value_name = "FORMAT", value_parser = ["json", "text"])]
    output: Option<String>,
}

pub(crate) fn run(args: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let opened = open(&args.snapshot.all(), context)?;
    warn_without_rbac(&opened, context);
    if let Some(file) = &args.file {
        return bulk(&opened.world, file, context);
    }
    let (Some(who), Some(verb), Some(resource)) = (&args.who, &args.verb, &args.resource) else {
        return Ok(Exit::Done);
    };
    let user = user_name(who);
    let mut groups = args.groups.clone();
    if groups.is_empty() {
        groups = groups_of(&user);
    }
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let asked = Asked::read(&opened.world, verb, resource);
    let namespace = args.namespace.as_deref();
    let request = Request {
        user: &user,
        groups: &groups,
        verb,
        target: asked.target(args.name.as_deref(), namespace),
    };
    let answer = opened.world.review(&request);
    match &answer {
        Some(allowed) => writeln!(context.out, "yes - {}", reason(&opened.world, *allowed))?,
        None => writeln!(context.out, "no")?,
    }
    let mut doubted = cautions(&asked, args.name.as_deref(), namespace);
    if answer.is_none() {
        doubted.extend(doubts(&opened.world, &asked, namespace));
    }
    warn(&doubted, context);
    Ok(if answer.is_some() { Exit::Done } else { Exit::GateFailed })
}

/// Tells what is in doubt about a question.
pub(super) fn warn(doubts: &[Doubt], context: &Context<'_>) {
    for doubt in doubts {
        context.note(&format!("warning: {}", terminal(&doubt.sentence())));
    }
}

/// Answers every review of a file. A List in gives a List out.
fn bulk(world: &World, file: &str, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().lock().read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|mut f| f.read_to_string(&mut text))
    };
    let help = "a file of SubjectAccessReviews is a List, several documents, or JSON lines";
    let wrong = |error: anyhow::Error| {
        Failure::input(error.context(format!("cannot read reviews from `{file}`")), help.to_owned())
    };
    read.map_err(|e| wrong(e.into()))?;
    let documents = documents(&text).map_err(wrong)?;
    let mut count = 0_usize;
    for mut document in documents {
        let is_list = document.get("items").is_some_and(Value::is_array);
        if is_list {
            for review in
                document.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten()
            {
                answer(world, review);
                count += 1;
            }
        } else {
            answer(world, &mut document);
            count += 1;
        }
        serde_json::to_writer(&mut *context.out, &document).map_err(std::io::Error::from)?;
        writeln!(context.out)?;
    }
    if count == 0 {
        return Err(wrong(anyhow::anyhow!("it holds none")));
    }
    Ok(Exit::Done)
}

/// The documents of a text: JSON values one after another, or YAML documents.
fn documents(text: &str) -> anyhow::Result<Vec<Value>> {
    let trimmed = text.trim_start_matches('\u{feff}').trim_start();
    if trimmed.starts_with(['{', '[']) {
        let values = serde_json::Deserializer::from_str(trimmed).into_iter::<Value>();
        return Ok(values.collect::<Result<_, _>>()?);
    }
    let mut values = Vec::new();
    for document in serde_yaml::Deserializer::from_str(trimmed) {
        let value = Value::deserialize(document)?;
        if !value.is_null() {
            values.push(value);
        }
    }
    Ok(values)
}

/// Puts the answer into a review's status.
fn answer(world: &World, review: &mut Value) {
    let text = |pointer: &str| review.pointer(pointer).and_then(Value::as_str).unwrap_or("");
    let groups: Vec<&str> = review
        .pointer("/spec/groups")
        .and_then(Value::as_array)
        .map(|groups| groups.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let attribute = |name: &str| text(&format!("/spec/resourceAttributes/{name}"));
    let (verb, target) = if review.pointer("/spec/resourceAttributes").is_some_and(Value::is_object)
    {
        let target = Target::Resource {
            group: attribute("group"),
            resource: attribute("resource"),
            subresource: attribute("subresource"),
            name: attribute("name"),
            namespace: attribute("namespace"),
        };
        (attribute("verb"), target)
    } else {
        let path = Target::Path(text("/spec/nonResourceAttributes/path"));
        (text("/spec/nonResourceAttributes/verb"), path)
    };
    let request = Request { user: text("/spec/user"), groups: &groups, verb, target };
    let status = match world.review(&request) {
        Some(allowed) => json!({"allowed": true, "reason": reason(world, allowed)}),
        None => json!({"allowed": false}),
    };
    if let Some(object) = review.as_object_mut() {
        object.insert("status".to_owned(), status);
    }
}
