//! `can-i`: what an API server would answer, from the snapshot alone.

use super::open::{SnapshotArg, open, warn_without_rbac};
use super::{Context, Exit, Failure};
use crate::k8s::Kind;
use crate::sym::Sym;
use crate::world::rbac::{Allowed, Request, Target, account_of_user};
use crate::world::rows::Rule;
use crate::world::{Principal, World};
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
    let asked = Asked::parse(resource);
    let request = Request {
        user: &user,
        groups: &groups,
        verb,
        target: asked.target(args.name.as_deref(), args.namespace.as_deref()),
    };
    let answer = opened.world.review(&request);
    match &answer {
        Some(allowed) => writeln!(context.out, "yes - {}", reason(&opened.world, *allowed))?,
        None => {
            writeln!(context.out, "no")?;
            for doubt in doubts(&opened.world, &asked, verb, args.namespace.as_deref()) {
                context.note(&format!("warning: {doubt}"));
            }
        }
    }
    Ok(if answer.is_some() { Exit::Done } else { Exit::GateFailed })
}

/// What a question names that neither Kubernetes nor the snapshot knows: a `no` to a slip of the pen
/// would be believed. Resources of other APIs are known by the rules that name them.
fn doubts(world: &World, asked: &Asked, verb: &str, namespace: Option<&str>) -> Vec<String> {
    const VERBS: &[&str] = &[
        "approve",
        "attest",
        "bind",
        "create",
        "delete",
        "deletecollection",
        "escalate",
        "get",
        "head",
        "impersonate",
        "list",
        "options",
        "patch",
        "post",
        "proxy",
        "put",
        "sign",
        "update",
        "use",
        "watch",
        "*",
    ];
    let rules = |of: fn(&Rule) -> &[Sym], text: &str| {
        let sym = world.symbols.get(text);
        sym.is_some_and(|sym| world.rules.iter().any(|rule| of(rule).contains(&sym)))
    };
    let mut doubts = Vec::new();
    if !VERBS.contains(&verb) && !rules(|r| &r.verbs, verb) {
        doubts.push(format!("no rule has the verb `{verb}`, and Kubernetes has none of that name"));
    }
    let resource = &asked.resource;
    let path = resource.starts_with('/');
    let full = match asked.subresource.as_str() {
        "" => resource.clone(),
        sub => format!("{resource}/{sub}"),
    };
    let known = path
        || full == "*"
        || (asked.subresource.is_empty() && Kind::typed(resource).is_some())
        || rules(|r| &r.resources, &full);
    if !known {
        doubts.push(format!("no rule names the resource `{full}`; is it spelled in the plural?"));
    }
    if let Some(ns) = namespace
        && world.symbols.get(ns).is_none_or(|ns| world.namespace(ns).is_none())
    {
        doubts.push(format!("the snapshot has no namespace `{ns}`"));
    }
    doubts
}

/// A resource as typed on the command line.
pub(crate) struct Asked {
    group: String,
    resource: String,
    subresource: String,
}

impl Asked {
    /// Reads `pods/exec`, `deployments.apps/scale`, `deploy`, `/healthz`.
    pub(crate) fn parse(text: &str) -> Self {
        if text.starts_with('/') {
            let resource = text.to_owned();
            return Self { group: String::new(), resource, subresource: String::new() };
        }
        let (resource, subresource) = text.split_once('/').unwrap_or((text, ""));
        let (plural, group) = match resource.split_once('.') {
            Some((plural, group)) => (plural.to_owned(), group.to_owned()),
            None => known(resource),
        };
        Self { group, resource: plural, subresource: subresource.to_owned() }
    }

    /// What is asked for.
    pub(crate) fn target<'a>(&'a self, name: Option<&'a str>, ns: Option<&'a str>) -> Target<'a> {
        if self.resource.starts_with('/') {
            return Target::Path(&self.resource);
        }
        Target::Resource {
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            name: name.unwrap_or(""),
            namespace: ns.unwrap_or(""),
        }
    }

    /// Whether the resource lives outside namespaces, as far as the tool knows it.
    pub(crate) fn is_cluster_wide(&self) -> bool {
        Kind::typed(&self.resource).is_some_and(|k| !k.is_namespaced())
    }
}

/// The plural and group of a resource typed without a group, by its kind, plural or short name.
fn known(resource: &str) -> (String, String) {
    if let Some(kind) = Kind::typed(resource) {
        return (kind.plural().to_owned(), kind.group().to_owned());
    }
    let group = match resource {
        "certificatesigningrequests" | "csr" | "signers" => "certificates.k8s.io",
        "mutatingwebhookconfigurations" | "validatingwebhookconfigurations" => {
            "admissionregistration.k8s.io"
        }
        "storageclasses" | "csidrivers" => "storage.k8s.io",
        "poddisruptionbudgets" => "policy",
        "leases" => "coordination.k8s.io",
        "customresourcedefinitions" | "crd" => "apiextensions.k8s.io",
        _ => "",
    };
    let plural = match resource {
        "csr" => "certificatesigningrequests",
        "crd" => "customresourcedefinitions",
        other => other,
    };
    (plural.to_owned(), group.to_owned())
}

/// The user name of what `--as` took.
pub(crate) fn user_name(who: &str) -> String {
    let account = who.strip_prefix("sa/").or_else(|| who.strip_prefix("serviceaccount/"));
    match account.and_then(|rest| rest.split_once('/')) {
        Some((ns, name)) => format!("system:serviceaccount:{ns}:{name}"),
        None => who.strip_prefix("user/").unwrap_or(who).to_owned(),
    }
}

/// The groups that Kubernetes itself puts a user into.
fn groups_of(user: &str) -> Vec<String> {
    if user == "system:anonymous" {
        return vec!["system:unauthenticated".to_owned()];
    }
    let mut groups = vec!["system:authenticated".to_owned()];
    if let Some((ns, _)) = account_of_user(user) {
        groups.push("system:serviceaccounts".to_owned());
        groups.push(format!("system:serviceaccounts:{ns}"));
    } else if user.starts_with("system:node:") {
        groups.push("system:nodes".to_owned());
    }
    groups
}

/// Which binding, role and subject allow it.
fn reason(world: &World, allowed: Allowed) -> String {
    let Allowed::By { binding, subject, .. } = allowed else {
        return "group system:masters may do everything".to_owned();
    };
    let binding = &world.bindings[binding.index()];
    let kind = if binding.ns.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let at = match world.text(binding.ns) {
        "" => world.text(binding.name).to_owned(),
        ns => format!("{ns}/{}", world.text(binding.name)),
    };
    let role = binding.role.map(|r| &world.roles[r.index()]);
    let role = role.map_or_else(String::new, |role| {
        let kind = if role.ns.is_empty() { "ClusterRole" } else { "Role" };
        format!(" of {kind} \"{}\"", world.text(role.name))
    });
    let subject = binding.subjects.iter().find(|s| s.place == subject).map(|s| s.principal);
    let to = match subject {
        Some(Principal::Account(a)) => {
            let a = &world.accounts[a.index()];
            format!(" to ServiceAccount \"{}/{}\"", world.text(a.name), world.text(a.ns))
        }
        Some(Principal::Node(n)) => {
            format!(" to User \"system:node:{}\"", world.text(world.nodes[n.index()].name))
        }
        Some(Principal::User(u)) => {
            format!(" to User \"{}\"", world.text(world.users[u.index()].1))
        }
        Some(Principal::Group(g)) => {
            format!(" to Group \"{}\"", world.text(world.groups[g.index()].1))
        }
        None => String::new(),
    };
    format!("RBAC: allowed by {kind} \"{at}\"{role}{to}")
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
