//! The command line as documentation: `docs/cli.md` and the manual page, from the same description
//! that parses the arguments.

use super::command;
use std::fmt::Write;

/// `docs/cli.md`: the help of the program and of every command.
#[must_use]
pub fn markdown() -> String {
    let mut page = "# The command line\n\nWhat `--help` prints, command by command.\n".to_owned();
    let mut root = command().term_width(100);
    root.build();
    section(&mut page, &mut root, "##");
    page
}

fn section(page: &mut String, command: &mut clap::Command, heading: &str) {
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    // Writing into a String cannot fail.
    let _ = write!(page, "\n{heading} {name}\n\n```text\n{}\n```\n", help.join("\n").trim_end());
    let names: Vec<String> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
    for name in names {
        if let Some(sub) = command.find_subcommand_mut(&name) {
            section(page, sub, "###");
        }
    }
}

/// The manual page, as roff.
///
/// # Errors
///
/// When the output cannot be written.
pub fn manual(out: &mut dyn std::io::Write) -> std::io::Result<()> {
    super::man::render(out)
}
