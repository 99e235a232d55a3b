//! The server from the outside: every test starts its own and talks to it over sockets.

mod common;
