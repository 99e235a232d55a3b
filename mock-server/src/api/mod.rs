//! The transports: they parse, call the world and encode what it says. They decide nothing about jobs, fibres or ports.

pub(crate) mod admin;
pub(crate) mod effect;
pub(crate) mod grpc;
pub(crate) mod kube;
pub(crate) mod rejection;
pub(crate) mod rest;
pub(crate) mod status;
pub(crate) mod token;
