//! Policies in CEL, and what each says of the ways to a node.
//!
//! Kubernetes asks a policy so (`policy/validating/validator.go`): if a match condition is false, it
//! is not asked; if one fails, the failure policy decides; then each validation must be true, and
//! one that fails refuses or not, as the failure policy says.

use super::eval::{Eval, Fault};
use super::parse::{Expr, apart, parse, spelled};
pub(in crate::world) use super::pods::Asked;
use super::pods::{WORDS, outlines, ways, whole};
use super::value::{Mark, Value};
use crate::world::guards::Ways;
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::BTreeSet;

/// What a single question to a policy may cost.
pub(super) const FUEL: u32 = 20_000;
/// Of each kind of expression a policy may have so many.
const EXPRESSIONS: usize = 64;

/// The expressions of a policy.
#[derive(Debug, Clone)]
pub(in crate::world) struct Program {
    conditions: Vec<Option<Expr>>,
    pub(super) variables: Vec<(String, Option<Expr>)>,
    validations: Vec<Option<Expr>>,
    /// What fails lets pods pass.
    pub(super) ignores: bool,
    /// It takes parameters, which the snapshot does not keep.
    takes_parameters: bool,
    /// Every text that it spells out.
    texts: BTreeSet<String>,
}

/// A namespace as policies see it. What is `None` is not known.
#[derive(Debug, Clone, Copy)]
pub(in crate::world) struct Place<'a> {
    pub(in crate::world) name: Option<&'a str>,
    pub(in crate::world) labels: Option<&'a [(&'a str, &'a str)]>,
}

impl Place<'_> {
    /// The namespace's name.
    pub(super) fn value(&self) -> Value {
        self.name.map_or(Value::Unknown, Value::text).marked(Mark::Name)
    }
}

/// What a policy says of the ways of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::world) struct Verdict {
    /// It refuses every pod that takes them.
    pub(in crate::world) closed: Ways,
    /// It may refuse them.
    pub(in crate::world) unsure: Ways,
    pub(in crate::world) local: Local,
}

/// What of a namespace a verdict depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::world) struct Local {
    /// The labels, but for the name that is among them.
    pub(in crate::world) labels: bool,
    /// The name: which of some names it is, or, if it is taken apart, any of its letters.
    pub(in crate::world) name: bool,
    pub(in crate::world) spelling: bool,
}

/// What a policy says of one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
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
            let mut program = Self {
                conditions: list(conditions)?,
                variables: names.zip(list(variables)?).collect(),
                validations: list(validations)?,
                ignores: failure == "Ignore",
                takes_parameters,
                texts: BTreeSet::new(),
            };
            let named = program.variables.iter().map(|(_, expr)| expr);
            let all = program.conditions.iter().chain(&program.validations).chain(named);
            let mut texts = BTreeSet::new();
            all.flatten().for_each(|expr| spelled(expr, &mut texts));
            program.texts = texts;
            Some(program)
        })
    }

    /// Whether a namespace's name may be one that the policy compares it with; no other is told
    /// from the next, unless it is taken apart.
    pub(in crate::world) fn knows(&self, place: &Place<'_>) -> bool {
        let Some(name) = place.name else { return true };
        let labels = place.labels.into_iter().flatten();
        self.texts.contains(name)
            || WORDS.contains(&name)
            || labels
                .filter(|(k, _)| *k != "kubernetes.io/metadata.name")
                .any(|(k, v)| *k == name || *v == name)
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
            Verdict { closed: Ways::default(), unsure: Ways::default(), local: Local::default() };
        let namespace = place.value();
        let globals = self.globals(asked, place, &namespace);
        let mut question = Question { program: self, globals, skipped, budget };
        for way in ways(asked) {
            let local = &mut verdict.local;
            let mut refused = true;
            let open = outlines(*way, asked, &namespace).into_iter().any(|pod| {
                let answer = question.ask(pod, local);
                refused &= answer == Answer::Refused;
                let free = matches!(answer, Answer::Open { free: true });
                answer == Answer::Allowed || free && asked == Asked::Create
            });
            if open {
                continue;
            }
            if refused {
                verdict.closed = verdict.closed.and(*way);
                continue;
            }
            let passes = |pod| question.ask(pod, local) == Answer::Allowed;
            if asked != Asked::Create || !whole(*way, &namespace).into_iter().any(passes) {
                verdict.unsure = verdict.unsure.and(*way);
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
        let mut globals = self.surroundings(place, namespace);
        let old = if asked == Asked::Create { Value::Null } else { foreign() };
        globals.extend([("request", request), ("oldObject", old)]);
        globals
    }

    /// What expressions may name of all requests in a namespace.
    pub(super) fn surroundings(
        &self,
        place: &Place<'_>,
        namespace: &Value,
    ) -> Vec<(&'static str, Value)> {
        let foreign = || Value::Unknown.marked(Mark::Foreign);
        let text = Value::text;
        // The API server keeps the name among the labels. Whoever makes a namespace chooses its labels.
        let labels = match place.labels {
            Some(labels) => {
                let own = |key: &str| key == "kubernetes.io/metadata.name";
                let value = |(k, v): &(&'_ str, &str)| {
                    if own(k) { namespace.clone() } else { text(v) }
                };
                Value::map(labels.iter().map(|entry| (entry.0, value(entry))), false)
            }
            None if place.name.is_none() => {
                Value::map([("kubernetes.io/metadata.name", namespace.clone())], true)
            }
            None => foreign(),
        };
        let metadata = [
            ("name", namespace.clone()),
            ("labels", labels.marked(Mark::Labels)),
            ("annotations", foreign()),
            ("creationTimestamp", foreign()),
            ("uid", foreign()),
        ];
        let metadata = Value::map(metadata, true);
        let object = [("metadata", metadata), ("spec", foreign()), ("status", foreign())];
        let object = Value::map(object, true);
        vec![
            ("namespaceObject", object),
            ("params", if self.takes_parameters { foreign() } else { Value::Null }),
            ("authorizer", foreign()),
        ]
    }
}

/// A policy with what it is asked in.
pub(super) struct Question<'q> {
    pub(super) program: &'q Program,
    pub(super) globals: Vec<(&'static str, Value)>,
    pub(super) skipped: bool,
    pub(super) budget: &'q Cell<u64>,
}

impl Question<'_> {
    /// What the policy says of an object; `local` gets what of the namespace that depends on.
    fn ask(&mut self, object: Value, local: &mut Local) -> Answer {
        let unsure = Answer::Open { free: false };
        let Some(budget) = self.budget.get().checked_sub(u64::from(FUEL)) else { return unsure };
        self.globals.retain(|(name, _)| *name != "object");
        self.globals.push(("object", object));
        let program = self.program;
        let eval = Eval::new(FUEL, &self.globals, &program.variables, program.ignores);
        let answer = self.weighed(&eval);
        self.budget.set(budget + u64::from(eval.meter.left()));
        local.labels |= eval.meter.saw(Mark::Labels);
        local.name |= eval.meter.saw(Mark::Name);
        local.spelling |= eval.meter.saw(Mark::Spelling);
        answer
    }

    /// What the policy says, with the parameters that are not known taken into account.
    pub(super) fn weighed(&self, eval: &Eval<'_>) -> Answer {
        let unsure = Answer::Open { free: false };
        let program = self.program;
        let answer = self.answer(eval);
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
