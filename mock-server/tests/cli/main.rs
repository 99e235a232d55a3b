//! The program as whoever starts it sees it: arguments, what it prints, what it answers, how it ends.

mod addresses;
mod arguments;
mod check;
mod child;
mod config;
mod ctl;
#[cfg(target_os = "linux")]
mod descriptors;
#[cfg(unix)]
mod exec;
mod faults;
mod healthcheck;
#[cfg(unix)]
mod kubeconfig;
#[cfg(unix)]
mod log;
mod quirks;
mod rehearse;
mod start;
#[cfg(unix)]
mod stop;
mod stream;
