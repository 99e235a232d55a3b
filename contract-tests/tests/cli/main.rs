//! The binary as its users meet it: arguments and variables in, exit status, words and files out.

mod common;
mod exits;
#[cfg(unix)]
mod interrupt;
mod known;
mod listing;
mod reports;
mod targets;
mod tls;
