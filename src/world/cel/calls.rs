//! Operators and functions of CEL on values that are there: the standard ones, and those of
//! Kubernetes that policies on pods use. Any other one may say anything.

use super::eval::{Fault, Outcome, truth};
use super::value::{List, Map, Mark, Meter, Value, to_double};
use regex_lite::RegexBuilder;
use std::cmp::Ordering;
use std::sync::Arc;

/// Calls an operator or a function; what it is called on stands first. `lenient`: an error lets a
/// pod pass, so that what is unknown must not be taken for a value of the right type.
pub(super) fn call(meter: &Meter, name: &str, args: &[Value], lenient: bool) -> Outcome {
    Ok(match (name, args) {
        ("_==_", [a, b]) => truth(sure(meter, a.same(b, meter), args)),
        ("_!=_", [a, b]) => truth(sure(meter, a.same(b, meter), args).map(|same| !same)),
        ("_<_" | "_<=_" | "_>_" | "_>=_", [a, b]) => compare(meter, name, a, b),
        ("!_", [Value::Bool(is)]) => Value::Bool(!is),
        ("-_", [Value::Int(i)]) => i.checked_neg().map(Value::Int).ok_or(Fault::Error)?,
        ("-_", [Value::Double(d)]) => Value::Double(-d),
        ("_+_", [a, b]) => add(meter, a, b, lenient)?,
        ("_-_" | "_*_" | "_/_" | "_%_", [Value::Int(a), Value::Int(b)]) => {
            let result = match name {
                "_-_" => a.checked_sub(*b),
                "_*_" => a.checked_mul(*b),
                "_/_" => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            result.map(Value::Int).ok_or(Fault::Error)?
        }
        ("@in", [Value::Text(key), Value::Map(map)]) => truth(held(meter, map, key)),
        ("@in", [item, Value::List(list)]) => truth(sure(meter, list.holds(item, meter), args)),
        ("_[_]", [of @ Value::Optional(_), key]) => {
            call(meter, "_[?_]", &[of.clone(), key.clone()], lenient)?
        }
        ("_[_]", [of, key]) => index(meter, of, key)?.ok_or(Fault::Error)?,
        ("_[?_]", [Value::Optional(None), _]) => Value::Optional(None),
        ("_[?_]", [Value::Optional(Some(of)), key]) => {
            optional(index(meter, &meter.read(Value::clone(of)), key)?)
        }
        ("_[?_]", [of, key]) => optional(index(meter, of, key)?),
        ("optional.of", [value]) => Value::some(value.clone()),
        ("optional.none", []) => Value::Optional(None),
        ("orValue", [Value::Optional(of), other]) => {
            of.as_ref().map_or_else(|| other.clone(), |value| Value::clone(value))
        }
        ("or", [Value::Optional(None), other]) => other.clone(),
        ("or", [of @ Value::Optional(Some(_)), _]) => of.clone(),
        ("hasValue", [Value::Optional(of)]) => Value::Bool(of.is_some()),
        ("value", [Value::Optional(of)]) => {
            of.as_ref().map(|value| Value::clone(value)).ok_or(Fault::Error)?
        }
        ("dyn", [value]) => value.clone(),
        ("size", [of]) => size(meter, of),
        ("string", [Value::Text(text)]) => Value::Text(text.clone()),
        ("string", [Value::Int(i)]) => Value::text(&i.to_string()),
        ("string", [Value::Bool(is)]) => Value::text(&is.to_string()),
        ("int", [Value::Int(i)]) => Value::Int(*i),
        ("int", [Value::Text(text)]) => {
            meter.see(Mark::Spelling);
            text.parse().map_or(Err(Fault::Error), |i| Ok(Value::Int(i)))?
        }
        ("quantity", [Value::Text(text)]) => {
            meter.see(Mark::Spelling);
            quantity(text).map(Value::Quantity).ok_or(Fault::Error)?
        }
        ("isQuantity", [Value::Text(text)]) => {
            meter.see(Mark::Spelling);
            Value::Bool(quantity(text).is_some())
        }
        ("isLessThan", [Value::Quantity(a), Value::Quantity(b)]) => Value::Bool(a < b),
        ("isGreaterThan", [Value::Quantity(a), Value::Quantity(b)]) => Value::Bool(a > b),
        ("compareTo", [Value::Quantity(a), Value::Quantity(b)]) => {
            Value::Int(a.total_cmp(b) as i64)
        }
        ("sets.contains", [Value::List(of), Value::List(part)]) => {
            truth(sure(meter, within(meter, part, of), args))
        }
        ("sets.intersects", [Value::List(a), Value::List(b)]) => {
            truth(sure(meter, intersects(meter, a, b), args))
        }
        ("sets.equivalent", [Value::List(a), Value::List(b)]) => {
            let both = match (within(meter, a, b), within(meter, b, a)) {
                (Some(true), Some(true)) => Some(true),
                (Some(false), _) | (_, Some(false)) => Some(false),
                _ => None,
            };
            truth(sure(meter, both, args))
        }
        ("join", [Value::List(_)]) => join(meter, args.first(), ""),
        ("join", [of @ Value::List(_), Value::Text(by)]) => join(meter, Some(of), by),
        _ => match texts(meter, name, args)? {
            Some(value) => value,
            None if KNOWN.contains(&name) && args.iter().any(is_open) => {
                sure(meter, None, args);
                Value::Unknown
            }
            None => meter.foreign(),
        },
    })
}

/// Functions whose value depends on their arguments alone, even if one of these is unknown.
const KNOWN: &[&str] = &[
    "!_",
    "-_",
    "_-_",
    "_*_",
    "_/_",
    "_%_",
    "@in",
    "_[_]",
    "_[?_]",
    "charAt",
    "compareTo",
    "contains",
    "distinct",
    "endsWith",
    "find",
    "findAll",
    "first",
    "flatten",
    "format",
    "hasValue",
    "indexOf",
    "int",
    "isGreaterThan",
    "isLessThan",
    "isQuantity",
    "isSorted",
    "join",
    "last",
    "lastIndexOf",
    "lowerAscii",
    "matches",
    "max",
    "min",
    "or",
    "orValue",
    "quantity",
    "replace",
    "reverse",
    "sets.contains",
    "sets.equivalent",
    "sets.intersects",
    "size",
    "slice",
    "sort",
    "split",
    "startsWith",
    "string",
    "substring",
    "sum",
    "trim",
    "type",
    "upperAscii",
    "value",
];

fn is_open(value: &Value) -> bool {
    match value {
        Value::Unknown | Value::AtLeast(_) => true,
        Value::List(list) => list.open || list.items.iter().any(is_unknown),
        Value::Map(map) => map.open,
        _ => false,
    }
}

const fn is_unknown(value: &Value) -> bool {
    matches!(value, Value::Unknown)
}

fn compare(meter: &Meter, name: &str, a: &Value, b: &Value) -> Value {
    let order = match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Int(a), Value::Double(b)) => to_double(*a).partial_cmp(b),
        (Value::Double(a), Value::Int(b)) => a.partial_cmp(&to_double(*b)),
        (Value::Text(a), Value::Text(b)) => {
            meter.see(Mark::Spelling);
            Some(a.cmp(b))
        }
        (Value::AtLeast(n), Value::Int(k)) => {
            return match name {
                "_>_" if n > k => Value::Bool(true),
                "_>=_" if n >= k => Value::Bool(true),
                "_<_" if n >= k => Value::Bool(false),
                "_<=_" if n > k => Value::Bool(false),
                _ => Value::Unknown,
            };
        }
        (Value::Int(_), Value::AtLeast(_)) => {
            let turned = match name {
                "_>_" => "_<_",
                "_>=_" => "_<=_",
                "_<_" => "_>_",
                _ => "_>=_",
            };
            return compare(meter, turned, b, a);
        }
        (Value::Unknown | Value::AtLeast(_), _) | (_, Value::Unknown | Value::AtLeast(_)) => {
            return Value::Unknown;
        }
        _ => return meter.foreign(),
    };
    let Some(order) = order else { return Value::Bool(false) };
    Value::Bool(match name {
        "_<_" => order == Ordering::Less,
        "_<=_" => order != Ordering::Greater,
        "_>_" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn add(meter: &Meter, a: &Value, b: &Value, lenient: bool) -> Outcome {
    Ok(match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or(Fault::Error)?,
        (Value::Double(a), Value::Double(b)) => Value::Double(a + b),
        (Value::AtLeast(n), Value::Int(k)) | (Value::Int(k), Value::AtLeast(n)) => {
            n.checked_add(*k).map_or(Value::Unknown, Value::AtLeast)
        }
        (Value::AtLeast(n), Value::AtLeast(k)) => {
            n.checked_add(*k).map_or(Value::Unknown, Value::AtLeast)
        }
        (Value::Text(a), Value::Text(b)) => {
            meter.see(Mark::Spelling);
            if !meter.spend(a.len() + b.len()) {
                return Err(Fault::Spent);
            }
            Value::Text(format!("{a}{b}").into())
        }
        (Value::List(a), Value::List(b)) => {
            if !meter.spend(a.items.len() + b.items.len()) {
                return Err(Fault::Spent);
            }
            let items = a.items.iter().chain(&b.items).cloned().collect();
            Value::list(items, a.open || b.open)
        }
        // If this does not fail, it is a list.
        (Value::List(list), Value::Unknown) | (Value::Unknown, Value::List(list)) if !lenient => {
            Value::list(list.items.clone(), true)
        }
        (Value::Unknown, other) | (other, Value::Unknown) => {
            touch(meter, other);
            Value::Unknown
        }
        _ => meter.foreign(),
    })
}

/// Whether a map has an entry of a name that was made up.
fn held(meter: &Meter, map: &Map, key: &str) -> Option<bool> {
    meter.see(Mark::Spelling);
    map.has(key, meter)
}

/// An item or an entry; `None` if there is none.
fn index(meter: &Meter, of: &Value, key: &Value) -> Result<Option<Value>, Fault> {
    Ok(match (of, key) {
        (Value::Map(map), Value::Text(key)) => match held(meter, map, key) {
            Some(true) => map.entries.get(key).map(|value| meter.read(value.clone())),
            Some(false) => None,
            None => Some(Value::Unknown),
        },
        (Value::List(list), Value::Int(i)) => {
            let item = usize::try_from(*i).ok().and_then(|i| list.items.get(i));
            match item {
                _ if list.open => {
                    // Whatever stands there may be what matters.
                    for item in &list.items {
                        touch(meter, item);
                    }
                    Some(Value::Unknown)
                }
                Some(item) => Some(meter.read(item.clone())),
                None => None,
            }
        }
        (Value::Unknown, _) | (_, Value::Unknown | Value::AtLeast(_)) => {
            touch(meter, of);
            Some(Value::Unknown)
        }
        _ => Some(meter.foreign()),
    })
}

/// An answer that may not be known; then whatever stands in the arguments may be the reason.
fn sure(meter: &Meter, answer: Option<bool>, args: &[Value]) -> Option<bool> {
    if answer.is_none() {
        args.iter().for_each(|value| touch(meter, value));
    }
    answer
}

/// Remembers every mark in a value.
pub(super) fn touch(meter: &Meter, value: &Value) {
    if !meter.spend(1) {
        return;
    }
    match value {
        Value::Marked(mark, inner) => {
            meter.see(*mark);
            touch(meter, inner);
        }
        Value::List(list) => list.items.iter().for_each(|item| touch(meter, item)),
        Value::Map(map) => map.entries.values().for_each(|item| touch(meter, item)),
        Value::Optional(Some(inner)) => touch(meter, inner),
        _ => {}
    }
}

fn optional(found: Option<Value>) -> Value {
    match found {
        Some(Value::Unknown) => Value::Unknown,
        found => Value::Optional(found.map(Arc::new)),
    }
}

fn size(meter: &Meter, of: &Value) -> Value {
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    match of {
        Value::Text(text) => {
            meter.see(Mark::Spelling);
            Value::Int(number(text.chars().count()))
        }
        Value::List(list) if list.open => Value::AtLeast(number(list.items.len())),
        Value::List(list) => Value::Int(number(list.items.len())),
        Value::Map(map) if map.open => Value::AtLeast(0),
        Value::Map(map) => Value::Int(number(map.entries.len())),
        Value::Unknown => Value::Unknown,
        _ => meter.foreign(),
    }
}

/// Whether every item of one list is among those of another.
fn within(meter: &Meter, part: &List, whole: &List) -> Option<bool> {
    let mut sure = !part.open;
    for item in &part.items {
        match whole.holds(item, meter) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => sure = false,
        }
    }
    sure.then_some(true)
}

fn intersects(meter: &Meter, a: &List, b: &List) -> Option<bool> {
    let mut sure = !a.open;
    for item in &a.items {
        match b.holds(item, meter) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => sure = false,
        }
    }
    sure.then_some(false)
}

fn join(meter: &Meter, of: Option<&Value>, by: &str) -> Value {
    let Some(of @ Value::List(list)) = of else { return meter.foreign() };
    touch(meter, of);
    meter.see(Mark::Spelling);
    if list.open {
        return Value::Unknown;
    }
    let mut texts: Vec<&str> = Vec::new();
    let mut cost = 0;
    for item in &list.items {
        let Value::Text(text) = item else { return Value::Unknown };
        cost += text.len() + by.len();
        texts.push(text);
    }
    if meter.spend(cost) { Value::text(&texts.join(by)) } else { Value::Unknown }
}

/// Functions of texts.
fn texts(meter: &Meter, name: &str, args: &[Value]) -> Result<Option<Value>, Fault> {
    let Some((Value::Text(text), rest)) = args.split_first() else { return Ok(None) };
    meter.see(Mark::Spelling);
    if !meter.spend(text.len() / 8) {
        return Err(Fault::Spent);
    }
    Ok(match (name, rest) {
        ("startsWith", [Value::Text(part)]) => Some(Value::Bool(text.starts_with(&**part))),
        ("endsWith", [Value::Text(part)]) => Some(Value::Bool(text.ends_with(&**part))),
        ("contains", [Value::Text(part)]) => Some(Value::Bool(text.contains(&**part))),
        ("matches", [Value::Text(pattern)]) => {
            if !meter.spend(pattern.len() * (1 + text.len() / 64)) {
                return Err(Fault::Spent);
            }
            let regex = RegexBuilder::new(pattern).size_limit(1 << 16).build();
            regex.ok().map(|regex| Value::Bool(regex.is_match(text)))
        }
        ("lowerAscii", []) => Some(Value::text(&text.to_ascii_lowercase())),
        ("upperAscii", []) => Some(Value::text(&text.to_ascii_uppercase())),
        ("trim", []) => Some(Value::text(text.trim())),
        ("split", [Value::Text(by)]) if !by.is_empty() => {
            if !meter.spend(text.len()) {
                return Err(Fault::Spent);
            }
            Some(Value::list(text.split(&**by).map(Value::text).collect(), false))
        }
        ("replace", [Value::Text(from), Value::Text(to)]) if !from.is_empty() => {
            if !meter.spend(text.len() * (1 + to.len())) {
                return Err(Fault::Spent);
            }
            Some(Value::text(&text.replace(&**from, to)))
        }
        _ => None,
    })
}

/// A quantity of Kubernetes in its base unit.
fn quantity(text: &str) -> Option<f64> {
    const UNITS: &[(&str, f64)] = &[
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("E", 1e18),
    ];
    let (number, unit) = UNITS
        .iter()
        .find_map(|(unit, by)| text.strip_suffix(unit).map(|number| (number, *by)))
        .unwrap_or((text, 1.0));
    let plain = number.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    plain.then(|| number.parse::<f64>().ok()).flatten().map(|n| n * unit)
}
