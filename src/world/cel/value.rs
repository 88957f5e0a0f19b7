//! Values of CEL, some of which are not known, or known in part.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Why a value matters to the judgement: whoever reads it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// What makes a pod dangerous.
    Danger,
    /// What the snapshot does not tell, and whoever makes the pod does not choose.
    Foreign,
    /// The namespace's labels.
    Labels,
    /// The namespace's name.
    Name,
    /// Who asks.
    Caller,
    /// The account of a pod.
    Account,
    /// No mark of a value: a text is taken for more than a name that is or is not another one.
    Spelling,
}

/// What an evaluation may still cost, and the marks that it met.
#[derive(Debug)]
pub(super) struct Meter {
    left: Cell<u32>,
    seen: Cell<[bool; 7]>,
}

impl Meter {
    pub(super) const fn new(fuel: u32) -> Self {
        Self { left: Cell::new(fuel), seen: Cell::new([false; 7]) }
    }

    /// Pays for something; whether there was enough.
    pub(super) fn spend(&self, cost: usize) -> bool {
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let left = self.left.get().checked_sub(cost);
        self.left.set(left.unwrap_or(0));
        left.is_some()
    }

    pub(super) fn left(&self) -> u32 {
        self.left.get()
    }

    pub(super) fn see(&self, mark: Mark) {
        let mut seen = self.seen.get();
        seen[mark as usize] = true;
        self.seen.set(seen);
    }

    pub(super) fn saw(&self, mark: Mark) -> bool {
        self.seen.get()[mark as usize]
    }

    /// A value without its marks, which are remembered.
    pub(super) fn read(&self, mut value: Value) -> Value {
        while let Value::Marked(mark, inner) = value {
            self.see(mark);
            value = Value::clone(&inner);
        }
        value
    }

    /// What is not evaluated.
    pub(super) fn foreign(&self) -> Value {
        self.see(Mark::Foreign);
        Value::Unknown
    }
}

/// A value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Any value, or none: reading it may fail.
    Unknown,
    /// Of an entry of an open map: it is not there.
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Text(Arc<str>),
    List(Arc<List>),
    Map(Arc<Map>),
    Optional(Option<Arc<Self>>),
    /// A quantity in its base unit.
    Quantity(f64),
    /// A number that is not smaller.
    AtLeast(i64),
    Marked(Mark, Arc<Self>),
}

/// A list. An open one may hold more, anywhere.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    pub(super) items: Vec<Value>,
    pub(super) open: bool,
}

/// A map, or an object. An open one may hold more.
#[derive(Debug, Clone, Default)]
pub(super) struct Map {
    pub(super) entries: BTreeMap<Arc<str>, Value>,
    pub(super) open: bool,
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn list(items: Vec<Self>, open: bool) -> Self {
        Self::List(Arc::new(List { items, open }))
    }

    pub(super) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>, open: bool) -> Self {
        let entries = entries.into_iter().map(|(k, v)| (k.into(), v)).collect();
        Self::Map(Arc::new(Map { entries, open }))
    }

    pub(super) fn some(value: Self) -> Self {
        Self::Optional(Some(Arc::new(value)))
    }

    pub(super) fn marked(self, mark: Mark) -> Self {
        Self::Marked(mark, Arc::new(self))
    }

    /// What JSON says, in full.
    pub(super) fn json(value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(b) => Self::Bool(*b),
            Json::Number(n) => {
                n.as_i64().map_or_else(|| n.as_f64().map_or(Self::Unknown, Self::Double), Self::Int)
            }
            Json::String(text) => Self::text(text),
            Json::Array(list) => Self::list(list.iter().map(Self::json).collect(), false),
            Json::Object(map) => {
                Self::map(map.iter().map(|(k, v)| (k.as_str(), Self::json(v))), false)
            }
        }
    }

    /// Whether two values are the same; nothing if that is not known.
    pub(super) fn same(&self, other: &Self, meter: &Meter) -> Option<bool> {
        if !meter.spend(1) {
            return None;
        }
        match (self, other) {
            (Self::Marked(mark, a), b) | (b, Self::Marked(mark, a)) => {
                meter.see(*mark);
                a.same(b, meter)
            }
            (Self::Unknown | Self::Absent, _) | (_, Self::Unknown | Self::Absent) => None,
            (Self::AtLeast(n), Self::Int(k)) | (Self::Int(k), Self::AtLeast(n)) => {
                (k < n).then_some(false)
            }
            (Self::AtLeast(_), _) | (_, Self::AtLeast(_)) => None,
            (Self::List(a), Self::List(b)) => a.same(b, meter),
            (Self::Map(a), Self::Map(b)) => a.same(b, meter),
            (Self::Optional(Some(a)), Self::Optional(Some(b))) => a.same(b, meter),
            (Self::Int(i), Self::Double(d)) | (Self::Double(d), Self::Int(i)) => {
                Some(to_double(*i).total_cmp(d).is_eq())
            }
            (Self::Double(a), Self::Double(b)) | (Self::Quantity(a), Self::Quantity(b)) => {
                Some(a.total_cmp(b).is_eq())
            }
            (Self::Null, Self::Null) | (Self::Optional(None), Self::Optional(None)) => Some(true),
            (Self::Bool(a), Self::Bool(b)) => Some(a == b),
            (Self::Int(a), Self::Int(b)) => Some(a == b),
            (Self::Text(a), Self::Text(b)) => Some(a == b),
            _ => Some(false),
        }
    }
}

/// The nearest floating point number.
#[expect(clippy::cast_precision_loss, reason = "as CEL compares numbers of two kinds")]
pub(super) const fn to_double(i: i64) -> f64 {
    i as f64
}

impl List {
    fn same(&self, other: &Self, meter: &Meter) -> Option<bool> {
        if !self.open && !other.open {
            if self.items.len() != other.items.len() {
                return Some(false);
            }
            let mut all = Some(true);
            for (a, b) in self.items.iter().zip(&other.items) {
                match a.same(b, meter) {
                    Some(true) => {}
                    Some(false) => return Some(false),
                    None => all = None,
                }
            }
            return all;
        }
        // What stands in the one must stand in the other, if that is all there.
        let lacks = |whole: &Self, part: &Self| {
            !whole.open
                && (part.items.len() > whole.items.len()
                    || part.items.iter().any(|i| whole.holds(i, meter) == Some(false)))
        };
        (lacks(self, other) || lacks(other, self)).then_some(false)
    }

    /// Whether a value is among these.
    pub(super) fn holds(&self, value: &Value, meter: &Meter) -> Option<bool> {
        let mut sure = !self.open;
        for item in &self.items {
            match item.same(value, meter) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => sure = false,
            }
        }
        sure.then_some(false)
    }
}

impl Map {
    /// Whether there is an entry of a name.
    pub(super) fn has(&self, key: &str, meter: &Meter) -> Option<bool> {
        match self.entries.get(key).map(|value| meter.read(value.clone())) {
            Some(Value::Absent) => Some(false),
            // An entry that is not known at all may be missing.
            Some(Value::Unknown) => None,
            Some(_) => Some(true),
            None => (!self.open).then_some(false),
        }
    }

    fn same(&self, other: &Self, meter: &Meter) -> Option<bool> {
        let mut all = (!self.open && !other.open).then_some(true);
        for (a, b) in [(self, other), (other, self)] {
            for (key, value) in &a.entries {
                match b.entries.get(key).map(|v| v.same(value, meter)) {
                    Some(Some(false)) => return Some(false),
                    None if !b.open && !matches!(value, Value::Unknown | Value::Marked(..)) => {
                        return Some(false);
                    }
                    Some(Some(true)) => {}
                    None | Some(None) => all = None,
                }
            }
        }
        all
    }
}
