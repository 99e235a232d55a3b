//! The program as whoever starts it sees it: arguments, what it prints, what it answers, how it ends.

mod addresses;
mod arguments;
mod check;
mod child;
mod config;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(unix)]
mod exec;
mod healthcheck;
#[cfg(unix)]
mod log;
mod quirks;
mod start;
#[cfg(unix)]
mod stop;
mod stream;
