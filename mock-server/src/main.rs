//! The command line of the mock Focus Server: arguments to a configuration, a configuration to a server.

mod cli;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match cli::run(cli::Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("focus-mock: {error:#}");
            ExitCode::from(2)
        }
    }
}
