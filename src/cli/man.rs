//! `man`: the manual page.

use super::{Context, Exit, Failure, command};

/// Prints the manual page, as roff.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  kspm-graph man | man -l -")]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args, context: &mut Context<'_>) -> Result<Exit, Failure> {
    render(&mut context.out)?;
    Ok(Exit::Done)
}

/// Writes the page: the program, then each command with its options.
///
/// # Errors
///
/// When the output cannot be written.
pub(super) fn render(mut out: &mut dyn std::io::Write) -> std::io::Result<()> {
    let page = clap_mangen::Man::new(command()).date("");
    page.render_title(&mut out)?;
    page.render_name_section(&mut out)?;
    page.render_synopsis_section(&mut out)?;
    page.render_description_section(&mut out)?;
    page.render_options_section(&mut out)?;
    page.render_subcommands_section(&mut out)?;
    for sub in command().get_subcommands_mut() {
        sub.build();
        let name = sub.get_name().to_uppercase();
        writeln!(out, ".SH {name}")?;
        let page = clap_mangen::Man::new(sub.clone());
        page.render_synopsis_section(&mut out)?;
        page.render_description_section(&mut out)?;
        page.render_options_section(&mut out)?;
    }
    page.render_version_section(&mut out)
}
