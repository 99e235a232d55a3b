//! The server from the outside: every test starts its own and talks to it over sockets.

mod admin;
mod captured;
mod cluster;
mod common;
mod faults;
mod front;
mod grpc;
mod hostile;
mod in_process;
mod judge;
mod latency;
mod metrics;
mod quirks;
mod race;
mod raw;
mod refusals;
mod rehearsals;
mod rest;
mod rollback;
mod startup;
mod stop;
mod tasks;
mod tls;
