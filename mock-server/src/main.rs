//! The command line of the mock Focus Server: what is said to a configuration, a configuration to a server.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
