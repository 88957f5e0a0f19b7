//! What a policy says of a request that is not about a way to a node: whether it lets it pass,
//! whoever asks and whatever the object holds that the caller chooses.

use super::eval::Eval;
use super::policy::{Answer, FUEL, Local, Place, Program, Question};
use super::value::{Mark, Value};
use crate::world::requests::{Operation, Request};
use std::cell::Cell;

/// Who sends a request, as far as the snapshot tells.
#[derive(Debug, Clone)]
pub(in crate::world) struct Caller {
    /// `None`: any member of the groups.
    pub(in crate::world) name: Option<String>,
    pub(in crate::world) groups: Vec<String>,
    /// There are no other groups.
    pub(in crate::world) all: bool,
}

/// A question to a policy.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Ask<'a> {
    pub(in crate::world) request: &'a Request,
    pub(in crate::world) place: Place<'a>,
    /// `None`: it is not known who.
    pub(in crate::world) caller: Option<&'a Caller>,
    /// The account that a new pod must have; `None` if any will do.
    pub(in crate::world) account: Option<&'a str>,
}

/// What a policy says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) enum Reply {
    Passes,
    Refused,
    Open,
}

/// A reply, with what it depends on.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Replied {
    pub(in crate::world) reply: Reply,
    pub(in crate::world) local: Local,
    pub(in crate::world) looks: Looks,
}

/// What of a request a policy looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::world) struct Looks {
    /// Who sends it.
    pub(in crate::world) caller: bool,
    /// The account of a new pod.
    pub(in crate::world) account: bool,
}

/// What of an object is the step's own matter, and not up to the caller.
const FIELDS: &[&str] = &[
    "aggregationRule",
    "automountServiceAccountToken",
    "data",
    "endpoints",
    "imagePullSecrets",
    "immutable",
    "roleRef",
    "rules",
    "secrets",
    "spec",
    "status",
    "stringData",
    "subjects",
    "subsets",
    "target",
    "type",
    "webhooks",
];

fn foreign() -> Value {
    Value::Unknown.marked(Mark::Foreign)
}

impl Program {
    /// What the policy says of a request. `skipped`: it is not asked if there are no parameters.
    pub(in crate::world) fn reply(
        &self,
        ask: &Ask<'_>,
        skipped: bool,
        budget: &Cell<u64>,
    ) -> Replied {
        let nothing =
            Replied { reply: Reply::Open, local: Local::default(), looks: Looks::default() };
        let Some(left) = budget.get().checked_sub(u64::from(FUEL)) else { return nothing };
        let namespace = if ask.request.cluster { Value::text("") } else { ask.place.value() };
        let mut globals = self.surroundings(&ask.place, &namespace);
        if ask.request.cluster {
            globals.retain(|(name, _)| *name != "namespaceObject");
            globals.push(("namespaceObject", Value::Null));
        }
        globals.push(("request", request(ask, &namespace)));
        let (object, old) = match ask.request.operation {
            Operation::Delete => (Value::Null, foreign()),
            Operation::Update => (object(ask, &namespace), foreign()),
            Operation::Create | Operation::Connect => (object(ask, &namespace), Value::Null),
        };
        globals.push(("oldObject", old));
        globals.push(("object", object));
        let question = Question { program: self, globals, skipped, budget };
        let eval = Eval::new(FUEL, &question.globals, &self.variables, self.ignores);
        let answer = question.weighed(&eval);
        budget.set(left + u64::from(eval.meter.left()));
        let local = Local {
            labels: eval.meter.saw(Mark::Labels),
            name: eval.meter.saw(Mark::Name),
            spelling: eval.meter.saw(Mark::Spelling),
        };
        let reply = match answer {
            Answer::Allowed | Answer::Open { free: true } => Reply::Passes,
            Answer::Refused => Reply::Refused,
            Answer::Open { free: false } => Reply::Open,
        };
        let looks =
            Looks { caller: eval.meter.saw(Mark::Caller), account: eval.meter.saw(Mark::Account) };
        Replied { reply, local, looks }
    }
}

fn request(ask: &Ask<'_>, namespace: &Value) -> Value {
    let Request { operation, group, resource, part, .. } = *ask.request;
    let text = Value::text;
    let resource =
        [("group", text(group)), ("version", Value::Unknown), ("resource", text(resource))];
    let resource = Value::map(resource, false);
    // The kind of a part is another one, and those of custom resources are not known.
    let kind = if *ask.request == Request::NEW_POD {
        Value::map([("group", text("")), ("version", text("v1")), ("kind", text("Pod"))], false)
    } else {
        foreign()
    };
    let chosen = operation == Operation::Create && part.is_empty();
    let user = ask.caller.map_or_else(foreign, |caller| {
        let name = caller.name.as_deref().map_or_else(foreign, text);
        let groups = Value::list(caller.groups.iter().map(|g| text(g)).collect(), !caller.all);
        let groups = if caller.all { groups } else { groups.marked(Mark::Foreign) };
        let fields =
            [("username", name), ("groups", groups), ("uid", foreign()), ("extra", foreign())];
        Value::map(fields, false)
    });
    Value::map(
        [
            ("kind", kind.clone()),
            ("requestKind", kind),
            ("resource", resource.clone()),
            ("requestResource", resource),
            ("subResource", text(part)),
            ("requestSubResource", text(part)),
            ("operation", text(operation.name())),
            ("name", if chosen { Value::Unknown } else { foreign() }),
            ("namespace", namespace.clone()),
            ("userInfo", user.marked(Mark::Caller)),
            ("dryRun", Value::Bool(false)),
            ("options", foreign()),
            ("uid", foreign()),
        ],
        false,
    )
}

/// The object as the caller would send it: what he chooses is unknown, and no more.
fn object(ask: &Ask<'_>, namespace: &Value) -> Value {
    let request = ask.request;
    let mut metadata = vec![("namespace", namespace.clone())];
    let pod = || {
        let account = ask.account.map_or(Value::Unknown, Value::text).marked(Mark::Account);
        let container = Value::map([], true);
        Value::map(
            [
                ("serviceAccountName", account.clone()),
                ("serviceAccount", account),
                ("containers", Value::list(vec![container], true)),
                ("ephemeralContainers", Value::Absent),
            ],
            true,
        )
    };
    let template = || Value::map([("spec", pod())], true);
    let mut fields = Vec::new();
    let ephemeral = matches!(request.part, "" | "ephemeralcontainers");
    if *request == Request::NEW_POD {
        fields.push(("spec", pod()));
    } else if request.group.is_empty() && request.resource == "pods" && ephemeral {
        // The pod has passed before, and the caller chooses what he changes of it.
        fields.push(("spec", Value::map([("serviceAccountName", foreign())], true)));
    } else if request.controller().is_some() {
        let spec = Value::map([("template", template())], true);
        let spec = match request.resource {
            "cronjobs" => {
                let job = Value::map([("spec", spec)], true);
                Value::map([("jobTemplate", job)], true)
            }
            _ => spec,
        };
        fields.push(("spec", spec));
    } else if request.operation != Operation::Connect && request.part != "token" {
        // A label is at the caller's choice, what the step is about is not.
        metadata.push(("name", foreign()));
        fields.extend(FIELDS.iter().map(|field| (*field, foreign())));
    }
    fields.push(("metadata", Value::map(metadata, true)));
    Value::map(fields, true)
}
