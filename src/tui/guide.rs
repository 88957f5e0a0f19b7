//! The page about the terminal interface, made of the tables that it runs by.

use super::commands::COMMANDS;
use super::keymap::{KEYMAP, On};
use super::theme::PALETTES;
use std::fmt::Write as _;

/// Which command prints what a screen shows: nothing is only seen in the interface.
const PLAIN: &[(&str, &str)] = &[
    ("Overview", "`kspm-graph analyze SNAPSHOT`"),
    ("Paths", "`kspm-graph analyze`, `query`, and `paths --from A --to B -k N` for other ways"),
    ("Explorer", "`kspm-graph why SNAPSHOT A B`; `export -o json` has every edge"),
    ("Blast", "`kspm-graph blast SNAPSHOT A`"),
    ("Cuts", "`kspm-graph analyze` names the cut of each path and how many it closes"),
    ("Network", "`kspm-graph reach SNAPSHOT --from A --to B`"),
    ("Access", "`kspm-graph who-can` and `can-i`"),
    ("Coverage", "`kspm-graph snapshot info SNAPSHOT`"),
    ("Evidence", "every path of `analyze` has the file and line of each fact"),
];

/// The page, as Markdown.
#[must_use]
pub fn page() -> String {
    let mut out = "# The terminal interface\n\n\
        Written from the tables in `src/tui`: change those, not this page.\n\n\
        `kspm-graph tui SNAPSHOT` opens on the paths, the worst first. `?` shows the keys of this page,\n\
        and Enter there runs one; Esc goes back; `q` leaves. What is pretended (Space on a fact or, on\n\
        Network, a policy; `x` on a step, `N` on a node) is asked again at once, on every screen that it\n\
        touches: a policy that is gone opens connections, which paths do not follow. Nothing is written\n\
        to the cluster or to the snapshot. D, S and M write what the screen shows; Y says what of it no\n\
        command has.\n\n## The gate\n\n\
        `kspm-graph tui SNAPSHOT --fail-on high`, or `:fail-on high` within it, shows on the Overview\n\
        whether `analyze --fail-on high` would pass, and the first answers that fail it: Tab goes there,\n\
        Enter opens one. The first line of every screen says it too. What is pretended is judged as\n\
        well: `gate would pass` means that it fails as things are and passes after these changes. As on\n\
        the command line, answers that begin at Kubernetes' own components count once they are shown\n\
        (`K`; there `--system`).\n\n## Keys\n\n"
        .to_owned();
    keys(&mut out, |on| on != On::Prompt);
    out.push_str("\n### While a line is typed\n\n");
    keys(&mut out, |on| on == On::Prompt);
    out.push_str(
        "\nA file of `--keys` gives an action other keys, a line each: `mark = ctrl-x d`. A key that is\n\
         given to one action is taken from the other; `#` begins a comment.\n\n\
         ## Commands\n\nAfter `:`, beside the names of the table above:\n\n\
         | command | what it does |\n|---|---|\n",
    );
    for command in COMMANDS {
        let name = format!("{} {}", command.name, command.takes);
        let _ = writeln!(out, "| `{}` | {} |", name.trim(), command.about);
    }
    out.push_str(
        "\n## The mouse\n\n`m`, or `--mouse` from the start, listens to it. A click selects the row under it; a click\n\
         on the selected row opens it as Enter does, and so a double click does both. A click on a\n\
         screen's name or number in the second line goes there. The wheel moves the cursor of the list\n\
         that it is over. Meanwhile most terminals select text with Shift held; `m` lets go of it.\n\n## Filters\n\nAfter `/`, on every screen; all terms must hold, and `!` before one turns it\n\
         around: terms of selectors (`ns:shop`, `kind:secret`, `sa/shop/*`, `exposed`), a severity\n\
         (`high`: that or worse), `query:internet`, `attack:exploit-*`, or letters that a row has in\n\
         their order.\n\n## Looks\n\n",
    );
    for palette in PALETTES {
        let _ = writeln!(out, "- `--theme {}`: {}", palette.name, palette.about);
    }
    out.push_str(
        "\n`NO_COLOR` and `--color never` mean `none`. `--ascii` draws with letters only. Nothing is told\n\
         by colour alone: the cursor has a mark, severities have letters. It works from 40 columns and\n\
         10 rows on, and is made for 80 by 24.\n\n## Without it\n\n\
         Nothing is only seen here. For screen readers, scripts and reports:\n\n\
         | screen | the same as text |\n|---|---|\n",
    );
    for (screen, command) in PLAIN {
        let _ = writeln!(out, "| {screen} | {command} |");
    }
    out.push_str("\n`Y` copies the very command line for what is shown.\n");
    out
}

fn keys(out: &mut String, wanted: impl Fn(On) -> bool) {
    out.push_str("| keys | name | what it does |\n|---|---|---|\n");
    for row in KEYMAP.iter().filter(|row| wanted(row.on)) {
        let keys: Vec<String> = row.keys.iter().map(|key| format!("`{key}`")).collect();
        let _ = writeln!(out, "| {} | `{}` | {} |", keys.join(" "), row.name, row.help);
    }
}
