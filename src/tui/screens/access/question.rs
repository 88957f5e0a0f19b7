//! A question about permissions, as it is typed and as a command line spells it.

use crate::graph::Graph;
use crate::query::access::{Asked, granting};
use crate::tui::model::quote;
use crate::world::{BindingIx, Principal, RuleRef, World};

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) verb: String,
    pub(super) resource: String,
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
}

/// For whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Of {
    /// For everybody who holds it.
    Everybody,
    /// For one user with groups; without any, those that Kubernetes itself adds.
    One { who: String, groups: Vec<String> },
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) wanted: Wanted,
    pub(super) of: Of,
}

const WHO_CAN: &str = "who-can takes VERB RESOURCE [NAME] [-n NS], such as `get secrets -n shop`";
const CAN_I: &str = "can-i takes --as WHO VERB RESOURCE [NAME] [-n NS], such as \
                     `--as sa/shop/web create pods/exec -n shop`";

impl Question {
    /// Who holds a permission.
    pub(super) fn who(verb: &str, resource: &str, name: Option<&str>, ns: Option<&str>) -> Self {
        let own = |text: Option<&str>| text.filter(|t| !t.is_empty()).map(str::to_owned);
        let (verb, resource) = (verb.to_owned(), resource.to_owned());
        let wanted = Wanted { verb, resource, name: own(name), namespace: own(ns) };
        Self { wanted, of: Of::Everybody }
    }

    /// Reads what was typed behind `who-can`; with it whether paths are asked for as well.
    pub(super) fn who_can(text: &str) -> Result<(Self, bool), String> {
        let typed = Typed::read(text, WHO_CAN)?;
        if typed.who.is_some() || !typed.groups.is_empty() {
            return Err(format!("who-can asks about everybody, `can-i` takes --as; {WHO_CAN}"));
        }
        let through = typed.through;
        Ok((Self { wanted: typed.wanted(WHO_CAN)?, of: Of::Everybody }, through))
    }

    /// Reads what was typed behind `can-i`. `here` is who is looked at, for where nobody is named.
    pub(super) fn can_i(text: &str, here: Option<String>) -> Result<Self, String> {
        let mut typed = Typed::read(text, CAN_I)?;
        let who = typed.who.take().or(here).ok_or_else(|| format!("nobody is named: {CAN_I}"))?;
        let groups = std::mem::take(&mut typed.groups);
        Ok(Self { wanted: typed.wanted(CAN_I)?, of: Of::One { who, groups } })
    }

    /// The bindings that grant what is asked for, to whomever.
    pub(super) fn granting(&self, world: &World) -> Vec<(BindingIx, RuleRef)> {
        let Wanted { verb, resource, name, namespace } = &self.wanted;
        let asked = Asked::read(world, verb, resource);
        let (name, namespace) = (name.as_deref(), namespace.as_deref());
        match self.of {
            Of::Everybody => granting(world, &asked, name, namespace),
            // One user's question without a namespace is about the whole cluster.
            Of::One { .. } => world.allowing(verb, &asked.target(name, namespace), false),
        }
    }

    /// The command line that asks the same of some snapshots, after `kspm-graph`.
    pub(super) fn command(&self, inputs: &str) -> String {
        let mut words: Vec<String> = Vec::new();
        match &self.of {
            Of::Everybody => words.push("who-can".to_owned()),
            Of::One { .. } => words.push("can-i".to_owned()),
        }
        if !inputs.is_empty() {
            words.push(inputs.to_owned());
        }
        if let Of::One { who, groups } = &self.of {
            words.extend(["--as".to_owned(), quote(who)]);
            let groups = groups.iter().flat_map(|g| ["--as-group".to_owned(), quote(g)]);
            words.extend(groups);
        }
        let Wanted { verb, resource, name, namespace } = &self.wanted;
        words.extend([quote(verb), quote(resource)]);
        words.extend(name.as_deref().map(quote));
        words.extend(namespace.iter().flat_map(|ns| ["-n".to_owned(), quote(ns)]));
        words.join(" ")
    }
}

/// The words of a line, by what they are.
#[derive(Default)]
struct Typed {
    words: Vec<String>,
    namespace: Option<String>,
    who: Option<String>,
    groups: Vec<String>,
    through: bool,
}

impl Typed {
    fn read(text: &str, usage: &str) -> Result<Self, String> {
        let mut typed = Self::default();
        let mut words = words(text).into_iter();
        while let Some(word) = words.next() {
            let (flag, given) = match word.split_once('=') {
                Some((flag, value)) if word.starts_with("--") => {
                    (flag.to_owned(), Some(value.to_owned()))
                }
                _ => (word, None),
            };
            let mut value = || {
                given
                    .clone()
                    .or_else(|| words.next())
                    .ok_or(format!("`{flag}` lacks its value; {usage}"))
            };
            match flag.as_str() {
                "-n" | "--namespace" => typed.namespace = Some(value()?),
                "--as" => typed.who = Some(value()?),
                "--as-group" => typed.groups.push(value()?),
                "--through-paths" => typed.through = true,
                other if other.starts_with('-') => {
                    return Err(format!("there is no `{other}`; {usage}"));
                }
                _ => typed.words.push(flag),
            }
        }
        Ok(typed)
    }

    fn wanted(self, usage: &str) -> Result<Wanted, String> {
        let mut words = self.words.into_iter();
        let (Some(verb), Some(resource)) = (words.next(), words.next()) else {
            return Err(usage.to_owned());
        };
        let name = words.next();
        match words.next() {
            Some(more) => Err(format!("`{more}` is one word too many; {usage}")),
            None => Ok(Wanted { verb, resource, name, namespace: self.namespace }),
        }
    }
}

/// The words of a line; quotes hold one together, as in a shell.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut open, mut begun) = (Vec::new(), String::new(), None, false);
    for c in text.chars() {
        match open {
            Some(quote) if c == quote => open = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => (open, begun) = (Some(c), true),
            None if c.is_whitespace() => {
                if begun || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            None => word.push(c),
        }
    }
    if begun || !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whom `--as` takes for a principal, and the group that it needs named.
pub(super) fn as_who(world: &World, principal: Principal) -> (String, Vec<String>) {
    match principal {
        Principal::Account(a) => {
            let a = &world.accounts[a.index()];
            (format!("sa/{}/{}", world.text(a.ns), world.text(a.name)), Vec::new())
        }
        Principal::Node(n) => {
            (format!("system:node:{}", world.text(world.nodes[n.index()].name)), Vec::new())
        }
        Principal::User(u) => {
            (format!("user/{}", world.text(world.users[u.index()].1)), Vec::new())
        }
        // Somebody who is nothing but a member.
        Principal::Group(g) => {
            ("user/anybody".to_owned(), vec![world.text(world.groups[g.index()].1).to_owned()])
        }
    }
}

/// The question whether a rule's holder may do what it allows first.
pub(super) fn of_rule(graph: &Graph, of: Of, by: BindingIx, rule: RuleRef) -> Option<Question> {
    let world = graph.world();
    let row = world.rules.get(rule.rule as usize)?;
    let first = |syms: &[crate::sym::Sym]| syms.first().map(|s| world.text(*s).to_owned());
    let verb = first(&row.verbs)?;
    let resource = match (first(&row.resources), first(&row.groups)) {
        (Some(resource), group) => {
            let (plain, sub) = resource.split_once('/').unwrap_or((&resource, ""));
            let group = group.filter(|g| !g.is_empty() && g != "*");
            let group = group.map_or_else(String::new, |g| format!(".{g}"));
            let sub = if sub.is_empty() { String::new() } else { format!("/{sub}") };
            format!("{plain}{group}{sub}")
        }
        (None, _) => first(&row.urls)?,
    };
    let namespace = Some(world.text(world.bindings[by.index()].ns).to_owned());
    let wanted = Wanted {
        verb,
        resource,
        name: first(&row.names),
        namespace: namespace.filter(|ns| !ns.is_empty()),
    };
    Some(Question { wanted, of })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_read_and_spelled_alike() {
        let (question, through) =
            Question::who_can("get secrets db -n shop --through-paths").unwrap();
        assert!(through);
        assert_eq!(question.command(""), "who-can get secrets db -n shop");
        let question = Question::can_i("--as 'my user' --as-group=devs '*' '*'", None).unwrap();
        assert_eq!(
            question.command("a.json"),
            "can-i a.json --as 'my user' --as-group devs '*' '*'"
        );
        let question = Question::can_i("get /metrics", Some("sa/a/b".to_owned())).unwrap();
        assert_eq!(question.command(""), "can-i --as sa/a/b get /metrics");
    }

    #[test]
    fn mistakes_say_what_is_taken() {
        let error = |text: &str| Question::who_can(text).unwrap_err();
        assert!(error("get").starts_with("who-can takes VERB RESOURCE"));
        assert!(error("get secrets -n").starts_with("`-n` lacks its value; who-can takes"));
        assert!(error("get secrets -x").starts_with("there is no `-x`; "));
        assert!(error("get secrets a b").starts_with("`b` is one word too many; "));
        assert!(error("--as x get secrets").contains("`can-i` takes --as"));
        assert!(Question::can_i("get secrets", None).unwrap_err().starts_with("nobody is named"));
    }
}
