//! Expressions, read by the crate `cel` into a tree of our own: the only file that knows the crate.
//!
//! A policy may be anybody's, and the crate's parser recurses: a text is measured before it is
//! parsed, so that neither it nor the evaluation of its tree can run out of stack.

use super::value::Value;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr as Ast, IdedExpr, LiteralValue};
use cel::parser::Parser;
use std::collections::BTreeSet;

/// What is longer is not read.
const LENGTH: usize = 8 << 10;
/// What has more brackets within each other is not read.
const NESTING: usize = 24;
/// What has more operators, calls and fields is not read: each may be a step down the tree.
const STEPS: usize = 600;

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Literal(Value),
    Ident(String),
    /// Each with whether it is left out where it has no value.
    List(Vec<(Self, bool)>),
    Map(Vec<(Self, Self, bool)>),
    Select(Box<Self>, String),
    /// `has()`.
    Has(Box<Self>, String),
    /// An operator or a function. What it is called on stands first.
    Call {
        name: String,
        member: bool,
        args: Vec<Self>,
    },
    Fold(Box<Fold>),
    /// What is not evaluated.
    Other,
}

/// A macro over the items of a list or the keys of a map.
#[derive(Debug, Clone)]
pub(super) struct Fold {
    pub(super) over: Expr,
    pub(super) name: String,
    pub(super) how: How,
}

/// What is done with each item.
#[derive(Debug, Clone)]
pub(super) enum How {
    All(Expr),
    Exists(Expr),
    ExistsOne(Expr),
    /// `filter` and `map`: which items, and what is made of them.
    Collect(Option<Expr>, Expr),
}

/// The stack that parsing gets: a bracket takes up to 100 KiB of it.
const STACK: usize = 16 << 20;

/// Reads expressions with enough stack for the deepest that are read.
pub(super) fn apart<T: Send>(read: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        thread.ok()?.join().ok().flatten()
    })
}

/// Reads an expression; nothing if it is none, or too big. To be called in [`apart`].
pub(super) fn parse(text: &str) -> Option<Expr> {
    if !is_small(text) {
        return None;
    }
    let parser = Parser::new()
        .enable_optional_syntax(true)
        .enable_ident_escape_syntax(true)
        .max_recursion_depth(32)
        .error_recovery_limit(0);
    parser.parse(text).ok().map(expr)
}

/// Whether a text can hold no tree that is too deep. Quoted text counts like any other, which errs
/// on the safe side.
fn is_small(text: &str) -> bool {
    let (mut depth, mut deepest, mut steps) = (0_usize, 0, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
                steps += 1;
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'.' | b'?' | b'!' | b'-' | b'+' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'&'
            | b'|' => steps += 1,
            _ => {}
        }
    }
    text.len() <= LENGTH && deepest <= NESTING && steps <= STEPS
}

fn expr(of: IdedExpr) -> Expr {
    match of.expr {
        Ast::Literal(literal) => Expr::Literal(literal_value(&literal)),
        Ast::Ident(name) => Expr::Ident(name),
        Ast::List(list) => {
            let optional = list.optional_indices;
            let items = list.elements.into_iter().enumerate();
            Expr::List(items.map(|(i, item)| (expr(item), optional.contains(&i))).collect())
        }
        Ast::Map(map) => {
            let entries = map.entries.into_iter().map(|entry| match entry.expr {
                EntryExpr::MapEntry(e) => Some((expr(e.key), expr(e.value), e.optional)),
                EntryExpr::StructField(_) => None,
            });
            entries.collect::<Option<_>>().map_or(Expr::Other, Expr::Map)
        }
        Ast::Select(select) => {
            let operand = Box::new(expr(*select.operand));
            if select.test {
                Expr::Has(operand, select.field)
            } else {
                Expr::Select(operand, select.field)
            }
        }
        Ast::Call(call) => {
            let member = call.target.is_some();
            let target = call.target.map(|target| expr(*target));
            let args = target.into_iter().chain(call.args.into_iter().map(expr)).collect();
            Expr::Call { name: call.func_name, member, args }
        }
        Ast::Comprehension(of) => fold(*of).unwrap_or(Expr::Other),
        Ast::Struct(_) | Ast::Unspecified => Expr::Other,
    }
}

fn literal_value(of: &LiteralValue) -> Value {
    match of {
        LiteralValue::Boolean(b) => Value::Bool(*b.inner()),
        LiteralValue::Int(i) => Value::Int(*i.inner()),
        LiteralValue::UInt(u) => i64::try_from(*u.inner()).map_or(Value::Unknown, Value::Int),
        LiteralValue::Double(d) => Value::Double(*d.inner()),
        LiteralValue::String(text) => Value::text(text.inner()),
        LiteralValue::Null => Value::Null,
        LiteralValue::Bytes(_) => Value::Unknown,
    }
}

/// The macro that a comprehension was written as.
fn fold(of: ComprehensionExpr) -> Option<Expr> {
    if of.iter_var2.is_some() {
        return None;
    }
    let (over, name) = (expr(of.iter_range), of.iter_var);
    let Ast::Call(mut step) = of.loop_step.expr else { return None };
    let how = match (of.accu_init.expr, step.func_name.as_str()) {
        (Ast::Literal(LiteralValue::Boolean(_)), "_&&_") => How::All(expr(step.args.pop()?)),
        (Ast::Literal(LiteralValue::Boolean(_)), "_||_") => How::Exists(expr(step.args.pop()?)),
        (Ast::Literal(LiteralValue::Int(_)), "_?_:_") => {
            How::ExistsOne(expr(step.args.into_iter().next()?))
        }
        (Ast::List(_), "_+_") => How::Collect(None, expr(made(step.args)?)),
        (Ast::List(_), "_?_:_") => {
            let mut args = step.args.into_iter();
            let which = expr(args.next()?);
            let Ast::Call(add) = args.next()?.expr else { return None };
            How::Collect(Some(which), expr(made(add.args)?))
        }
        _ => return None,
    };
    Some(Expr::Fold(Box::new(Fold { over, name, how })))
}

/// What is added to the list that is made: the item of `@result + [item]`.
fn made(mut args: Vec<IdedExpr>) -> Option<IdedExpr> {
    let Ast::List(mut list) = args.pop()?.expr else { return None };
    list.elements.pop()
}

/// Every text that an expression spells out.
pub(super) fn spelled(of: &Expr, into: &mut BTreeSet<String>) {
    let mut all = |of: &Expr| spelled(of, into);
    match of {
        Expr::Literal(Value::Text(text)) => {
            into.insert(text.to_string());
        }
        Expr::Literal(_) | Expr::Ident(_) | Expr::Other => {}
        Expr::List(items) => items.iter().for_each(|(item, _)| all(item)),
        Expr::Map(entries) => entries.iter().for_each(|(key, value, _)| {
            all(key);
            all(value);
        }),
        Expr::Select(of, _) | Expr::Has(of, _) => all(of),
        Expr::Call { args, .. } => args.iter().for_each(all),
        Expr::Fold(fold) => {
            all(&fold.over);
            match &fold.how {
                How::All(body) | How::Exists(body) | How::ExistsOne(body) => all(body),
                How::Collect(which, body) => which.iter().chain([body]).for_each(all),
            }
        }
    }
}
