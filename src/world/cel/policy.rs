//! Policies in CEL, and what each says of the ways to a node.
//!
//! Kubernetes asks a policy so (`policy/validating/validator.go`): if a match condition is false, it
//! is not asked; if one fails, the failure policy decides; then each validation must be true, and
//! one that fails refuses or not, as the failure policy says.

use super::eval::{Eval, Fault};
use super::parse::{Expr, apart, parse};
pub(in crate::world) use super::pods::Asked;
use super::pods::{outlines, ways, whole};
use super::value::{Mark, Value};
use crate::world::guards::Ways;
use serde_json::Value as Json;
use std::cell::Cell;

/// What a single question to a policy may cost.
const FUEL: u32 = 20_000;
/// Of each kind of expression a policy may have so many.
const EXPRESSIONS: usize = 64;

/// The expressions of a policy.
#[derive(Debug, Clone)]
pub(in crate::world) struct Program {
    conditions: Vec<Option<Expr>>,
    variables: Vec<(String, Option<Expr>)>,
    validations: Vec<Option<Expr>>,
    /// What fails lets pods pass.
    ignores: bool,
    /// It takes parameters, which the snapshot does not keep.
    takes_parameters: bool,
}

/// A namespace as policies see it. What is `None` is not known.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Place<'a> {
    pub(in crate::world) name: Option<&'a str>,
    pub(in crate::world) labels: Option<&'a [(&'a str, &'a str)]>,
}

/// What a policy says of the ways of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Verdict {
    /// It refuses every pod that takes them.
    pub(in crate::world) closed: Ways,
    /// It may refuse them.
    pub(in crate::world) unsure: Ways,
    /// It depends on the namespace.
    pub(in crate::world) local: bool,
}

/// What a policy says of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Refused,
    Allowed,
    /// It is not known. `free`: nothing that it depends on is the danger, and all of it is up to
    /// whoever makes the pod.
    Open {
        free: bool,
    },
}

impl Program {
    /// Reads the expressions of a policy; nothing if there are none, or too many.
    pub(in crate::world) fn read(
        conditions: &Json,
        variables: &Json,
        validations: &Json,
        failure: &Json,
        takes_parameters: bool,
    ) -> Option<Self> {
        let list = |of: &Json| -> Option<Vec<Option<Expr>>> {
            let items = of.as_array().map_or(&[][..], Vec::as_slice);
            (items.len() <= EXPRESSIONS).then(|| {
                items.iter().map(|item| item["expression"].as_str().and_then(parse)).collect()
            })
        };
        let none = |of: &Json| of.as_array().is_none_or(Vec::is_empty);
        if none(validations) {
            return None;
        }
        let names = variables.as_array().into_iter().flatten();
        let names = names.map(|v| v["name"].as_str().unwrap_or_default().to_owned());
        apart(|| {
            Some(Self {
                conditions: list(conditions)?,
                variables: names.zip(list(variables)?).collect(),
                validations: list(validations)?,
                ignores: failure == "Ignore",
                takes_parameters,
            })
        })
    }

    /// What the policy says of a request in a namespace. `skipped`: it is not asked if there are no
    /// parameters. `budget` is what is left for all questions.
    pub(in crate::world) fn judge(
        &self,
        asked: Asked,
        place: &Place<'_>,
        skipped: bool,
        budget: &Cell<u64>,
    ) -> Verdict {
        let mut verdict =
            Verdict { closed: Ways::default(), unsure: Ways::default(), local: false };
        let namespace = local(place.name.map_or(Value::Unknown, Value::text));
        let globals = self.globals(asked, place, &namespace);
        for way in ways(asked) {
            let mut question =
                Question { program: self, globals: globals.clone(), skipped, budget };
            let local = &mut verdict.local;
            let mut whole =
                if asked == Asked::Create { whole(*way, &namespace) } else { Vec::new() };
            if whole.drain(..).any(|pod| question.ask(pod, local) == Answer::Allowed) {
                continue;
            }
            let outlines = outlines(*way, asked, &namespace);
            let mut answers = outlines.into_iter().map(|pod| question.ask(pod, local));
            let mut all = Answer::Refused;
            for answer in &mut answers {
                match answer {
                    Answer::Refused => {}
                    Answer::Allowed => all = Answer::Allowed,
                    Answer::Open { free } if free && asked == Asked::Create => {
                        all = Answer::Allowed;
                    }
                    Answer::Open { .. } if all == Answer::Refused => all = answer,
                    Answer::Open { .. } => {}
                }
            }
            match all {
                Answer::Refused => verdict.closed = verdict.closed.and(*way),
                Answer::Allowed => {}
                Answer::Open { .. } => verdict.unsure = verdict.unsure.and(*way),
            }
        }
        verdict
    }

    /// What expressions may name, but for the object.
    fn globals(
        &self,
        asked: Asked,
        place: &Place<'_>,
        namespace: &Value,
    ) -> Vec<(&'static str, Value)> {
        let foreign = || Value::Unknown.marked(Mark::Foreign);
        let text = Value::text;
        let kind = Value::map(
            [("group", text("")), ("version", text("v1")), ("kind", text("Pod"))],
            false,
        );
        let resource = Value::map(
            [("group", text("")), ("version", text("v1")), ("resource", text("pods"))],
            false,
        );
        let (operation, part) = match asked {
            Asked::Create => ("CREATE", ""),
            Asked::Ephemeral => ("UPDATE", "ephemeralcontainers"),
        };
        let request = Value::map(
            [
                ("kind", kind.clone()),
                ("requestKind", kind),
                ("resource", resource.clone()),
                ("requestResource", resource),
                ("subResource", text(part)),
                ("requestSubResource", text(part)),
                ("operation", text(operation)),
                ("name", Value::Unknown),
                ("namespace", namespace.clone()),
                ("userInfo", foreign()),
                ("dryRun", Value::Bool(false)),
                ("options", foreign()),
                ("uid", foreign()),
            ],
            false,
        );
        // The API server adds the name to the labels. Whoever makes a namespace chooses its labels.
        let labels = match place.labels {
            Some(labels) => Value::map(labels.iter().map(|(k, v)| (*k, text(v))), false),
            None if place.name.is_none() => {
                Value::map([("kubernetes.io/metadata.name", namespace.clone())], true)
            }
            None => foreign(),
        };
        let metadata = [
            ("name", namespace.clone()),
            ("labels", labels),
            ("annotations", foreign()),
            ("creationTimestamp", foreign()),
            ("uid", foreign()),
        ];
        let metadata = Value::map(metadata, true);
        let object = [("metadata", metadata), ("spec", foreign()), ("status", foreign())];
        let object = Value::map(object, true);
        vec![
            ("request", request),
            ("oldObject", if asked == Asked::Create { Value::Null } else { foreign() }),
            ("namespaceObject", local(object)),
            ("params", if self.takes_parameters { foreign() } else { Value::Null }),
            ("authorizer", foreign()),
        ]
    }
}

fn local(value: Value) -> Value {
    value.marked(Mark::Place)
}

/// A policy with what it is asked in.
struct Question<'q> {
    program: &'q Program,
    globals: Vec<(&'static str, Value)>,
    skipped: bool,
    budget: &'q Cell<u64>,
}

impl Question<'_> {
    /// What the policy says of an object; `local` is set if that depends on the namespace.
    fn ask(&mut self, object: Value, local: &mut bool) -> Answer {
        let unsure = Answer::Open { free: false };
        let Some(budget) = self.budget.get().checked_sub(u64::from(FUEL)) else { return unsure };
        self.globals.retain(|(name, _)| *name != "object");
        self.globals.push(("object", object));
        let program = self.program;
        let eval = Eval::new(FUEL, &self.globals, &program.variables, program.ignores);
        let answer = self.answer(&eval);
        self.budget.set(budget + u64::from(eval.meter.left()));
        *local |= eval.meter.saw(Mark::Place);
        let free = !eval.meter.saw(Mark::Danger) && !eval.meter.saw(Mark::Foreign);
        match answer {
            Ok(Some(true)) if program.takes_parameters && !self.skipped => unsure,
            Ok(Some(true)) => Answer::Allowed,
            // It may not be asked at all.
            Ok(Some(false)) if program.takes_parameters && self.skipped => unsure,
            Ok(Some(false)) => Answer::Refused,
            Ok(None) => Answer::Open { free },
            Err(_) => unsure,
        }
    }

    /// Whether the policy lets an object pass.
    fn answer(&self, eval: &Eval<'_>) -> Result<Option<bool>, Fault> {
        let ignores = self.program.ignores;
        // Whether it is asked: a condition that is false goes before one that fails.
        let (mut asked, mut failed) = (Some(true), false);
        for condition in &self.program.conditions {
            match eval.truth(condition.as_ref()) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => return Ok(Some(true)),
                Ok(None) => asked = None,
                Err(Fault::Error) => failed = true,
                Err(Fault::Spent) => return Err(Fault::Spent),
            }
        }
        if failed {
            return Ok(if ignores { Some(true) } else { asked.map(|_| false) });
        }
        let mut passes = Some(true);
        for validation in &self.program.validations {
            match eval.truth(validation.as_ref()) {
                Ok(Some(true)) => {}
                Err(Fault::Error) if ignores => {}
                Ok(Some(false)) | Err(Fault::Error) => return Ok(asked.map(|_| false)),
                Ok(None) => passes = None,
                Err(Fault::Spent) => return Err(Fault::Spent),
            }
        }
        Ok(passes)
    }
}
