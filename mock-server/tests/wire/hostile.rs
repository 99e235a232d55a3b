//! What no client should send: well-formed requests without sense, bytes that are no requests, and too many of either.
//!
//! None of it may get an answer of 500 or above, change the world, or leave anything behind in the server's process.

// Open files and threads of a process are counted in /proc.
#[cfg(target_os = "linux")]
mod child;
mod crowds;
#[cfg(target_os = "linux")]
mod floods;
mod garbage;
mod lengths;
mod normal;
mod requests;
mod slow;
