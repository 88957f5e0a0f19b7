//! Documentation pages: an attack's static as Markdown, for `explain` and for `docs/attacks/`.

use crate::attacks::peers::PEERS;
use crate::attacks::{CATALOGUE, attacks, by_technique};
use crate::graph::Attack;
use crate::query::Query;
use crate::query::library::Goal;
use std::fmt::Write;

/// The page of an attack: title, id, techniques, odds, then the sections of its doc comment.
#[must_use]
pub fn attack_page(attack: &Attack) -> String {
    let mut page = format!("# {}\n\n`{}`", attack.title, attack.id);
    let techniques: Vec<String> = attack.mitre.iter().map(|id| technique(id)).collect();
    if !techniques.is_empty() {
        // Writing into a String cannot fail.
        let _ = write!(page, " · {}", techniques.join(", "));
    }
    if attack.structure {
        page.push_str(" · structure");
    } else {
        let odds = attack.odds;
        let _ = write!(page, " · likelihood {:.2} · {}", odds.likelihood, odds.confidence);
    }
    page.push_str("\n\n");
    for line in attack.doc.lines() {
        page.push_str(line.strip_prefix(' ').unwrap_or(line));
        page.push('\n');
    }
    page
}

/// A technique with the address of its page.
fn technique(id: &str) -> String {
    if id.starts_with("MS-") {
        return id.to_owned();
    }
    format!("[{id}](https://attack.mitre.org/techniques/{}/)", id.replace('.', "/"))
}

/// The table of the catalogue, by mechanism.
#[must_use]
pub fn catalogue_page() -> String {
    let mut page = "# The catalogue of attacks\n\n".to_owned();
    let _ = writeln!(
        page,
        "Every kind of edge that the graph has: {} of them. Each page says what the attack needs, how it is\n\
         done, what stops it, how to close it and how to see it. The pages are generated from the code.\n",
        attacks().len()
    );
    // A family may only lead to attacks that others list.
    for family in CATALOGUE.iter().filter(|family| !family.attacks.is_empty()) {
        let _ = writeln!(
            page,
            "## {}\n\n| attack | what it does | ATT&CK |\n|---|---|---|",
            family.name
        );
        for attack in family.attacks {
            let techniques: Vec<String> = attack.mitre.iter().map(|id| technique(id)).collect();
            let id = attack.id;
            let (summary, techniques) = (attack.summary(), techniques.join(", "));
            let _ = writeln!(page, "| [{id}]({id}.md) | {summary} | {techniques} |");
        }
        page.push('\n');
    }
    peers(&mut page);
    techniques(&mut page);
    page
}

/// What other tools call the attacks.
fn peers(page: &mut String) {
    for peer in PEERS {
        let found = peer.edges.iter().filter(|edge| !edge.ids.is_empty()).count();
        let _ = writeln!(
            page,
            "## What {} calls them\n\n{found} of its {} kinds of edges have a counterpart here.\n\n\
             | {} | here | what differs |\n|---|---|---|",
            peer.name,
            peer.edges.len(),
            peer.name,
        );
        for edge in peer.edges {
            let ids: Vec<String> = edge.ids.iter().map(|id| format!("[{id}]({id}.md)")).collect();
            let _ = writeln!(page, "| {} | {} | {} |", edge.name, ids.join(", "), edge.note);
        }
        page.push('\n');
    }
}

/// Which attacks use each technique of ATT&CK and of Microsoft's matrix.
fn techniques(page: &mut String) {
    page.push_str("## By technique\n\n| technique | attacks |\n|---|---|\n");
    for (id, attacks) in by_technique() {
        let links: Vec<String> = attacks.iter().map(|id| format!("[{id}]({id}.md)")).collect();
        let _ = writeln!(page, "| {} | {} |", technique(id), links.join(", "));
    }
}

/// The page of a query.
#[must_use]
pub fn query_page(query: &Query) -> String {
    let to = match &query.to {
        Goal::Selected(selector) => selector.text().to_owned(),
        Goal::Outside => "whatever lies outside of the namespace".to_owned(),
        Goal::Network(question) => question.to.text().to_owned(),
    };
    let from = match &query.to {
        Goal::Network(question) => question.from.text(),
        _ => query.from.text(),
    };
    format!(
        "# {}\n\n`{}` · at worst {}\n\n{}\n\n- from: `{from}`\n- to: `{to}`\n",
        query.title, query.id, query.severity, query.why,
    )
}
