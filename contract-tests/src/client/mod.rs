//! Black-box calls that keep the raw answer. No retries, no hidden assertions.

pub mod admin;
pub mod grpc;
pub mod http2;
pub mod kube;
pub mod pod_metrics;
pub mod quantity;
pub mod rest;
pub mod watch;
