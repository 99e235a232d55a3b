//! `focus-contract capacity` against servers that carry less than they should.

#[path = "../cli/common.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "only a part of what the tests of the binary share is used here"
)]
mod common;

mod flags;
mod jobs;
mod levels;
mod pods;
mod results;
mod rig;
mod shapes;
