//! Calico's language of selectors: `app == 'web' && has(tier) || env in {'a', 'b'}`.

use crate::sym::{Sym, Symbols};
use crate::world::network::{Compare, Expr, Key};

/// How deep parentheses may stand in one another.
const DEEPEST: u8 = 64;

/// A selector; [`Expr::Unknown`] for what cannot be read.
pub(super) fn parse(text: &str, symbols: &mut Symbols, key: fn(Sym) -> Key) -> Expr {
    let mut parser = Parser { rest: text, symbols, key, depth: 0 };
    match parser.any() {
        Some(expr) if parser.rest.trim_start().is_empty() => expr,
        _ => Expr::Unknown,
    }
}

struct Parser<'t, 's> {
    rest: &'t str,
    symbols: &'s mut Symbols,
    key: fn(Sym) -> Key,
    depth: u8,
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '/')
}

impl<'t> Parser<'t, '_> {
    /// Takes a mark if it stands here.
    fn take(&mut self, mark: &str) -> bool {
        match self.rest.trim_start().strip_prefix(mark) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a word, if it stands here and ends.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        match rest.filter(|rest| !rest.starts_with(is_name)) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> Option<Expr> {
        let mut parts = vec![self.all()?];
        while self.take("||") {
            parts.push(self.all()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Expr::Any(parts.into()) })
    }

    fn all(&mut self) -> Option<Expr> {
        let mut joined = self.one()?;
        let mut more = false;
        while self.take("&&") {
            let next = self.one()?;
            joined = if more || !matches!(joined, Expr::All(_)) {
                joined.and(next)
            } else {
                Expr::All([joined, next].into())
            };
            more = true;
        }
        Some(joined)
    }

    fn one(&mut self) -> Option<Expr> {
        if self.take("!") {
            self.depth += 1;
            let inner = (self.depth < DEEPEST).then(|| self.one())?;
            self.depth -= 1;
            return Some(Expr::Not(Box::new(inner?)));
        }
        if self.take("(") {
            self.depth += 1;
            let inner = (self.depth < DEEPEST).then(|| self.any())?;
            self.depth -= 1;
            return inner.filter(|_| self.take(")"));
        }
        // A call, unless it is a label of that name.
        let before = self.rest;
        if self.word("all") && self.take("(") {
            return self.take(")").then(Expr::all);
        }
        self.rest = before;
        if self.word("global") && self.take("(") {
            // What is in no namespace: no pod, but a set of addresses of all.
            let nowhere = || Expr::Is(Key::Namespace, Compare::DoesNotExist, Box::default());
            return self.take(")").then(nowhere);
        }
        self.rest = before;
        if self.word("has") && self.take("(") {
            let key = self.label()?;
            return self.take(")").then(|| Expr::Is(key, Compare::Exists, Box::default()));
        }
        self.rest = before;
        let key = self.label()?;
        let (compare, list) = self.operator()?;
        let values = if list { self.list()? } else { [self.value()?].into() };
        Some(Expr::Is(key, compare, values))
    }

    fn operator(&mut self) -> Option<(Compare, bool)> {
        Some(if self.take("==") {
            (Compare::In, false)
        } else if self.take("!=") {
            (Compare::NotIn, false)
        } else if self.word("in") {
            (Compare::In, true)
        } else if self.word("not") {
            return self.word("in").then_some((Compare::NotIn, true));
        } else if self.word("contains") {
            (Compare::Contains, false)
        } else if self.word("starts") {
            return self.word("with").then_some((Compare::StartsWith, false));
        } else if self.word("ends") {
            return self.word("with").then_some((Compare::EndsWith, false));
        } else {
            return None;
        })
    }

    /// Calico gives what it selects some labels of its own.
    fn label(&mut self) -> Option<Key> {
        let rest = self.rest.trim_start();
        let (name, rest) = rest.split_at(rest.find(|c| !is_name(c)).unwrap_or(rest.len()));
        self.rest = rest;
        let own = (self.key)(Sym::EMPTY);
        match (name, own) {
            ("", _) => None,
            ("projectcalico.org/namespace", _) => Some(Key::Namespace),
            ("projectcalico.org/serviceaccount", _) => Some(Key::Account),
            ("projectcalico.org/name", Key::NamespaceLabel(_)) => Some(Key::Namespace),
            ("projectcalico.org/name", Key::AccountLabel(_)) => Some(Key::Account),
            // That of the orchestrator, and others that no label of an object shows.
            (name, _) if name.starts_with("projectcalico.org/") => None,
            (name, _) => Some((self.key)(self.symbols.intern(name))),
        }
    }

    fn value(&mut self) -> Option<Sym> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (value, rest) = rest.strip_prefix(quote)?.split_once(quote)?;
        self.rest = rest;
        Some(self.symbols.intern(value))
    }

    fn list(&mut self) -> Option<Box<[Sym]>> {
        let mut values = Vec::new();
        if !self.take("{") {
            return None;
        }
        if self.take("}") {
            return Some(values.into());
        }
        loop {
            values.push(self.value()?);
            if self.take("}") {
                return Some(values.into());
            }
            if !self.take(",") {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let mut symbols = Symbols::default();
        let expr = parse(text, &mut symbols, Key::Label);
        spell(&expr, &symbols)
    }

    fn spell(expr: &Expr, symbols: &Symbols) -> String {
        let list = |list: &[Expr], by: &str| {
            let parts: Vec<String> = list.iter().map(|e| spell(e, symbols)).collect();
            format!("({})", parts.join(by))
        };
        match expr {
            Expr::All(parts) => list(parts, " & "),
            Expr::Any(parts) => list(parts, " | "),
            Expr::Not(inner) => format!("!{}", spell(inner, symbols)),
            Expr::Unknown => "?".to_owned(),
            Expr::Is(key, compare, values) => {
                let key = match key {
                    Key::Label(sym) => symbols.text(*sym).to_owned(),
                    other => format!("{other:?}"),
                };
                let values: Vec<&str> = values.iter().map(|v| symbols.text(*v)).collect();
                format!("{key} {compare:?} {}", values.join(",")).trim_end().to_owned()
            }
        }
    }

    #[test]
    fn the_grammar() {
        assert_eq!(read("all()"), "()");
        assert_eq!(read("global()"), "Namespace DoesNotExist");
        assert_eq!(read("app == 'web'"), "app In web");
        assert_eq!(read("app != \"it's\""), "app NotIn it's");
        assert_eq!(read("has(app.kubernetes.io/name)"), "app.kubernetes.io/name Exists");
        assert_eq!(read("a in {'x', \"y\"} && b not in { 'z' }"), "(a In x,y & b NotIn z)");
        assert_eq!(read("a=='1'&&b=='2'||c=='3'"), "((a In 1 & b In 2) | c In 3)");
        assert_eq!(read("!has(a) && !(b == '1' || c == '2')"), "(!a Exists & !(b In 1 | c In 2))");
        assert_eq!(
            read("a contains 'x' && a starts with 'y' && a ends with 'z'"),
            "(a Contains x & a StartsWith y & a EndsWith z)"
        );
        assert_eq!(read("has == '1' && all != '2'"), "(has In 1 & all NotIn 2)");
        assert_eq!(read("projectcalico.org/namespace == 'n'"), "Namespace In n");
    }

    #[test]
    fn what_cannot_be_read_is_unknown() {
        for text in [
            "",
            "app",
            "app = 'web'",
            "app == web",
            "(app == 'web'",
            "app == 'web' &&",
            "has()",
            "a in {'x'",
            "projectcalico.org/orchestrator == 'k8s'",
        ] {
            assert_eq!(read(text), "?", "{text}");
        }
        assert_eq!(read(&"(".repeat(100_000)), "?");
        assert_eq!(read(&"!".repeat(100_000)), "?");
    }
}
