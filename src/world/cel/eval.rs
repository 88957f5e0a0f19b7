//! Evaluation of expressions. Three things may come out: a value, which may be unknown; an error,
//! as Kubernetes would meet it; or nothing, because the expression costs too much.

use super::calls::{call, touch};
use super::parse::{Expr, Fold, How};
use super::value::{List, Mark, Meter, Value};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The expression fails.
    Error,
    /// It costs more than is spent on it.
    Spent,
}

pub(super) type Outcome = Result<Value, Fault>;

/// How many expressions may be within each other, variables included.
const DEPTH: u32 = 120;

/// What expressions are evaluated in.
pub(super) struct Eval<'e> {
    pub(super) meter: Meter,
    globals: &'e [(&'static str, Value)],
    variables: &'e [(String, Option<Expr>)],
    found: RefCell<Vec<Option<Outcome>>>,
    depth: Cell<u32>,
    /// An error lets the pod pass, so that what may fail cannot be taken for a list.
    lenient: bool,
}

/// Names that macros bind.
struct Scope<'s> {
    name: &'s str,
    value: Value,
    up: Option<&'s Self>,
}

impl<'e> Eval<'e> {
    pub(super) fn new(
        fuel: u32,
        globals: &'e [(&'static str, Value)],
        variables: &'e [(String, Option<Expr>)],
        lenient: bool,
    ) -> Self {
        let found = RefCell::new(vec![None; variables.len()]);
        Self { meter: Meter::new(fuel), globals, variables, found, depth: Cell::new(0), lenient }
    }

    /// What an expression says. One that could not be read says nothing.
    pub(super) fn truth(&self, expr: Option<&Expr>) -> Result<Option<bool>, Fault> {
        let Some(expr) = expr else {
            self.meter.see(Mark::Foreign);
            return Ok(None);
        };
        let value = self.eval(expr, None, self.variables.len())?;
        match self.meter.read(value) {
            Value::Bool(is) => Ok(Some(is)),
            Value::Unknown => Ok(None),
            _ => {
                self.meter.see(Mark::Foreign);
                Ok(None)
            }
        }
    }

    /// `known` is how many variables the expression may use: those before it.
    fn eval(&self, expr: &Expr, scope: Option<&Scope<'_>>, known: usize) -> Outcome {
        let depth = self.depth.get();
        if depth >= DEPTH || !self.meter.spend(1) {
            return Err(Fault::Spent);
        }
        self.depth.set(depth + 1);
        let value = self.step(expr, scope, known);
        self.depth.set(depth);
        value.map(|value| self.meter.read(value))
    }

    fn step(&self, expr: &Expr, scope: Option<&Scope<'_>>, known: usize) -> Outcome {
        let eval = |expr: &Expr| self.eval(expr, scope, known);
        match expr {
            Expr::Literal(value) => Ok(value.clone()),
            Expr::Ident(name) => Ok(self.named(name, scope)),
            Expr::Select(of, field) => {
                if matches!(&**of, Expr::Ident(name) if name == "variables") {
                    return self.variable(field, known);
                }
                self.select(&eval(of)?, field)
            }
            Expr::Has(of, field) => {
                if matches!(&**of, Expr::Ident(name) if name == "variables") {
                    return Ok(self.meter.foreign());
                }
                Ok(match eval(of)? {
                    Value::Map(map) => truth(map.has(field, &self.meter)),
                    Value::Unknown => Value::Unknown,
                    Value::Optional(None) => Value::Bool(false),
                    Value::Optional(Some(of)) => match self.meter.read(Value::clone(&of)) {
                        Value::Map(map) => truth(map.has(field, &self.meter)),
                        _ => Value::Unknown,
                    },
                    _ => self.meter.foreign(),
                })
            }
            Expr::List(items) => self.list(items, &eval),
            Expr::Map(entries) => {
                let mut map = super::value::Map::default();
                for (key, value, optional) in entries {
                    let (key, value) = (eval(key)?, eval(value)?);
                    match (key, value, optional) {
                        (Value::Text(key), Value::Optional(value), true) => {
                            if let Some(value) = value {
                                map.entries.insert(key, Value::clone(&value));
                            }
                        }
                        (Value::Text(key), value, false) => {
                            map.entries.insert(key, value);
                        }
                        _ => return Ok(self.meter.foreign()),
                    }
                }
                Ok(Value::Map(Arc::new(map)))
            }
            Expr::Call { name, member, args } => self.called(name, *member, args, scope, known),
            Expr::Fold(fold) => self.fold(fold, scope, known),
            Expr::Other => {
                // Whatever it reads.
                self.meter.see(Mark::Danger);
                Ok(self.meter.foreign())
            }
        }
    }

    fn list(&self, items: &[(Expr, bool)], eval: &dyn Fn(&Expr) -> Outcome) -> Outcome {
        let mut list = List::default();
        for (item, optional) in items {
            match (eval(item)?, optional) {
                (Value::Optional(Some(value)), true) => list.items.push(Value::clone(&value)),
                (Value::Optional(None), true) => {}
                (_, true) => list.open = true,
                (value, false) => list.items.push(value),
            }
        }
        Ok(Value::List(Arc::new(list)))
    }

    fn named(&self, name: &str, scope: Option<&Scope<'_>>) -> Value {
        let mut next = scope;
        while let Some(scope) = next {
            if scope.name == name {
                return scope.value.clone();
            }
            next = scope.up;
        }
        let global = self.globals.iter().find(|(known, _)| *known == name);
        global.map_or_else(|| self.meter.foreign(), |(_, value)| value.clone())
    }

    fn variable(&self, name: &str, known: usize) -> Outcome {
        let before = self.variables.get(..known).unwrap_or_default();
        let Some(place) = before.iter().position(|(n, _)| n == name) else {
            return Ok(self.meter.foreign());
        };
        let stored = self.found.borrow().get(place).cloned().flatten();
        if let Some(found) = stored {
            return found;
        }
        let found = match &self.variables[place].1 {
            Some(expr) => self.eval(expr, None, place),
            None => {
                self.meter.see(Mark::Danger);
                Ok(self.meter.foreign())
            }
        };
        if let Some(slot) = self.found.borrow_mut().get_mut(place) {
            *slot = Some(found.clone());
        }
        found
    }

    /// A field of a value, which must be there; of an optional value it may be missing.
    pub(super) fn select(&self, of: &Value, field: &str) -> Outcome {
        Ok(match of {
            Value::Map(map) => match map.entries.get(field).cloned().map(|v| self.meter.read(v)) {
                Some(Value::Absent) => return Err(Fault::Error),
                Some(value) => value,
                None if map.open => Value::Unknown,
                None => return Err(Fault::Error),
            },
            Value::Optional(_) => self.select_optional(of, field),
            Value::Unknown => Value::Unknown,
            _ => self.meter.foreign(),
        })
    }

    /// A field of a value, if it is there.
    fn select_optional(&self, of: &Value, field: &str) -> Value {
        match of {
            Value::Optional(None) => Value::Optional(None),
            Value::Optional(Some(of)) => {
                self.select_optional(&self.meter.read(Value::clone(of)), field)
            }
            Value::Map(map) => match map.has(field, &self.meter) {
                Some(true) => map
                    .entries
                    .get(field)
                    .map_or(Value::Unknown, |value| Value::some(self.meter.read(value.clone()))),
                Some(false) => Value::Optional(None),
                None => Value::Unknown,
            },
            Value::Unknown => Value::Unknown,
            _ => self.meter.foreign(),
        }
    }

    fn called(
        &self,
        name: &str,
        member: bool,
        args: &[Expr],
        scope: Option<&Scope<'_>>,
        known: usize,
    ) -> Outcome {
        let eval = |expr: &Expr| self.eval(expr, scope, known);
        match (name, args) {
            ("_&&_", [a, b]) => self.logic(false, eval(a), || eval(b)),
            ("_||_", [a, b]) => self.logic(true, eval(a), || eval(b)),
            ("_?_:_", [which, then, other]) => match eval(which)? {
                Value::Bool(true) => eval(then),
                Value::Bool(false) => eval(other),
                Value::Unknown => {
                    let (a, b) = (settle(eval(then))?, settle(eval(other))?);
                    if a.same(&b, &self.meter) == Some(true) {
                        return Ok(a);
                    }
                    touch(&self.meter, &a);
                    touch(&self.meter, &b);
                    let lists = matches!((&a, &b), (Value::List(_), Value::List(_)));
                    Ok(if lists { Value::list(Vec::new(), true) } else { Value::Unknown })
                }
                _ => Ok(self.meter.foreign()),
            },
            ("_?._", [of, Expr::Literal(Value::Text(field))]) => {
                Ok(self.select_optional(&eval(of)?, field))
            }
            ("optMap" | "optFlatMap", [of, Expr::Ident(var), body]) => Ok(match eval(of)? {
                Value::Optional(None) => Value::Optional(None),
                Value::Optional(Some(value)) => {
                    let scope = Scope { name: var, value: Value::clone(&value), up: scope };
                    let made = self.eval(body, Some(&scope), known)?;
                    if name == "optMap" { Value::some(made) } else { made }
                }
                _ => {
                    let scope = Scope { name: var, value: Value::Unknown, up: scope };
                    settle(self.eval(body, Some(&scope), known))?;
                    Value::Unknown
                }
            }),
            // Functions with a prefix, unless it is a name of ours.
            (_, [Expr::Ident(prefix), rest @ ..])
                if member && matches!(prefix.as_str(), "optional" | "sets" | "lists" | "math") =>
            {
                let args = rest.iter().map(eval).collect::<Result<Vec<_>, _>>()?;
                call(&self.meter, &format!("{prefix}.{name}"), &args, self.lenient)
            }
            _ => {
                let args = args.iter().map(eval).collect::<Result<Vec<_>, _>>()?;
                call(&self.meter, name, &args, self.lenient)
            }
        }
    }

    /// `&&` and `||`: one operand may decide, whatever the other is, or whether it fails.
    fn logic(&self, decides: bool, a: Outcome, b: impl FnOnce() -> Outcome) -> Outcome {
        let is = |value: &Outcome| matches!(value, Ok(Value::Bool(is)) if *is == decides);
        if is(&a) || matches!(a, Err(Fault::Spent)) {
            return a;
        }
        let b = b();
        if is(&b) || matches!(b, Err(Fault::Spent)) {
            return b;
        }
        match (a, b) {
            (Ok(Value::Bool(_)), Ok(Value::Bool(_))) => Ok(Value::Bool(!decides)),
            (Err(fault), Ok(Value::Bool(_)) | Err(_)) | (Ok(Value::Bool(_)), Err(fault)) => {
                Err(fault)
            }
            (Ok(Value::Unknown | Value::Bool(_)) | Err(_), Ok(Value::Unknown | Value::Bool(_)))
            | (Ok(Value::Unknown), Err(_)) => Ok(Value::Unknown),
            _ => Ok(self.meter.foreign()),
        }
    }

    fn fold(&self, fold: &Fold, scope: Option<&Scope<'_>>, known: usize) -> Outcome {
        let over = self.eval(&fold.over, scope, known)?;
        let sure = !matches!(over, Value::Unknown);
        let (items, open) = match over {
            Value::List(list) => (list.items.clone(), list.open),
            Value::Map(map) => {
                let keys = map.entries.iter().filter(|(_, v)| !matches!(v, Value::Absent));
                (keys.map(|(key, _)| Value::Text(key.clone())).collect(), map.open)
            }
            Value::Unknown => (Vec::new(), true),
            _ => return Ok(self.meter.foreign()),
        };
        if !self.meter.spend(items.len()) {
            return Err(Fault::Spent);
        }
        let ask = |body: &Expr, item: Value| {
            let scope = Scope { name: &fold.name, value: item, up: scope };
            self.eval(body, Some(&scope), known)
        };
        // Of more items than are known, one stands for all: it may be there or not.
        match &fold.how {
            How::All(body) | How::Exists(body) => {
                let decides = matches!(fold.how, How::Exists(_));
                let mut all = Ok(Value::Bool(!decides));
                for item in items {
                    all = self.logic(decides, all, || ask(body, item));
                    if matches!(&all, Ok(Value::Bool(is)) if *is == decides) {
                        return all;
                    }
                }
                if open {
                    let more = settle(ask(body, Value::Unknown))?;
                    let none = sure && matches!(more, Value::Bool(is) if is != decides);
                    if !none {
                        all = self.logic(decides, all, || Ok(Value::Unknown));
                    }
                }
                all
            }
            How::ExistsOne(body) => {
                let (mut count, mut unsure) = (0, open);
                for item in items {
                    match ask(body, item)? {
                        Value::Bool(is) => count += i32::from(is),
                        _ => unsure = true,
                    }
                }
                if open {
                    settle(ask(body, Value::Unknown))?;
                }
                Ok(match (count, unsure) {
                    (2.., _) => Value::Bool(false),
                    (_, true) => Value::Unknown,
                    (count, false) => Value::Bool(count == 1),
                })
            }
            How::Collect(which, body) => {
                let mut made = List { items: Vec::new(), open };
                for item in items {
                    let taken = match which {
                        Some(which) => ask(which, item.clone())?,
                        None => Value::Bool(true),
                    };
                    match taken {
                        Value::Bool(true) => made.items.push(ask(body, item)?),
                        Value::Bool(false) => {}
                        _ => {
                            touch(&self.meter, &item);
                            settle(ask(body, item))?;
                            made.open = true;
                        }
                    }
                }
                if open {
                    let taken = which.iter().chain([body]);
                    for expr in taken {
                        settle(ask(expr, Value::Unknown))?;
                    }
                    if !sure && self.lenient {
                        return Ok(Value::Unknown);
                    }
                }
                Ok(Value::List(Arc::new(made)))
            }
        }
    }
}

/// A truth that may not be known.
pub(super) fn truth(is: Option<bool>) -> Value {
    is.map_or(Value::Unknown, Value::Bool)
}

/// What may not be evaluated at all may fail without harm.
fn settle(outcome: Outcome) -> Outcome {
    match outcome {
        Err(Fault::Error) => Ok(Value::Unknown),
        other => other,
    }
}
