//! The contract suite: what a Focus Server promises, as cases that run against any server that can be reached.
//!
//! A case meets a server only on the wire. It asserts exact statuses, texts and fields; of the mock it knows nothing but
//! how to start one, in `target`. So far there is one case, which proves the way from a configuration to its frames.

pub mod cases;
pub mod client;
pub mod target;
