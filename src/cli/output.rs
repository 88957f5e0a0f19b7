//! `-o FORMAT[=FILE]`: where results go, and how they look.

use super::open::Opened;
use super::{Context, Failure};
use crate::graph::Graph;
use crate::query::{Answer, Finding, Summary};
use crate::report::{FORMATS, Format, Report, Style};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

/// One `-o`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// The format's name.
    pub(crate) format: String,
    /// The file; standard output without one.
    pub(crate) file: Option<PathBuf>,
}

/// Reads `FORMAT` or `FORMAT=FILE`, the format being one of `names`.
pub(crate) fn parse(text: &str, names: &[&str]) -> Result<Output, String> {
    let (format, file) = match text.split_once('=') {
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    if !names.contains(&format) {
        return Err(format!("`{format}` is no format: choose from {}", names.join(", ")));
    }
    Ok(Output { format: format.to_owned(), file })
}

/// Reads an `-o` of the commands that print answers.
pub(crate) fn report_output(text: &str) -> Result<Output, String> {
    let names: Vec<&str> = FORMATS.iter().map(|f| f.name).collect();
    parse(text, &names)
}

/// The style of text, for a terminal or a pipe alike but for colour.
pub(crate) fn style(context: &Context<'_>, most: usize) -> Style {
    // A pipe has no width: wide enough for most names, narrow enough for a page.
    let width = terminal_size::terminal_size().map_or(120, |(width, _)| usize::from(width.0));
    Style { width: width.clamp(60, 200), colour: context.colour(), most }
}

/// Writes something to where an `-o` says.
pub(crate) fn write_to(
    output: &Output,
    context: &mut Context<'_>,
    write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Failure> {
    let Some(file) = &output.file else {
        return Ok(write(context.out)?);
    };
    let failed = |error: std::io::Error| {
        let path = file.display();
        let error = anyhow::Error::from(error).context(format!("cannot write `{path}`"));
        Failure::usage(error, "choose a file in a folder that exists and may be written".to_owned())
    };
    let mut out = BufWriter::new(File::create(file).map_err(failed)?);
    write(&mut out).and_then(|()| out.flush()).map_err(failed)
}

/// Writes the answers to one question in every format asked for; findings if it was one to the
/// network.
pub(crate) fn write_answers(
    opened: &Opened,
    graph: &Graph,
    (answers, findings, notes): (&[Answer], Option<&[Finding]>, &[String]),
    outputs: &[Output],
    most: usize,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let report = Report {
        graph,
        snapshot: &opened.snapshot,
        coverage: &opened.coverage,
        summary: Summary::of(answers),
        answers,
        findings: findings.unwrap_or_default(),
        paths_asked: usize::from(findings.is_none()),
        notes,
        lines: opened,
        style: style(context, most),
    };
    write_report(&report, outputs, context)
}

/// Writes a report in every format asked for; text to standard output if none was.
pub(crate) fn write_report(
    report: &Report<'_>,
    outputs: &[Output],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let text = [Output { format: "text".to_owned(), file: None }];
    for output in if outputs.is_empty() { &text[..] } else { outputs } {
        let Some(Format { write, .. }) = FORMATS.iter().find(|f| f.name == output.format) else {
            continue;
        };
        // Colour is for the terminal, never for a file.
        let mut report = *report;
        report.style.colour &= output.file.is_none();
        write_to(output, context, |out| write(&report, out))?;
    }
    Ok(())
}
