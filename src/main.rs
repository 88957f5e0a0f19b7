//! Parses the arguments, runs the command and maps its end to an exit code. Nothing else.

use std::process::ExitCode;

fn main() -> ExitCode {
    kspm_graph::cli::main()
}
