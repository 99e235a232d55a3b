//! The command line of the contract suite: which cases, which server, and what to say about it.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
