//! The wire contracts of the Focus Server, and nothing else.
//!
//! Three documents are the contract, each kept by hand in this crate's directory: `pandadatastream.proto`, which
//! every streaming job serves on a port of its own; `datastream.proto`, the older service, kept for its clients;
//! and `openapi/focus-server.yaml`, the REST interface. This crate embeds them and the types generated from the
//! protos, for servers and for clients.
//!
//! What a server does with a message, and anything that needs a socket, is deliberately not here.

/// The gRPC service of a streaming job: one service, one method, frames of float rows.
///
/// `main_data` is [`bytes::Bytes`], so that cloning a frame shares its rows.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod pandadatastream {
    tonic::include_proto!("pandadatastream");
}

/// The older gRPC service, which no current client calls.
#[allow(
    missing_docs,
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    reason = "generated"
)]
pub mod datastream {
    tonic::include_proto!("datastream");
}

/// Both protos as an encoded `google.protobuf.FileDescriptorSet`, comments included, as server reflection takes it.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// The REST contract as it was written: OpenAPI 3.1 in YAML.
pub const OPENAPI_YAML: &str = include_str!("../openapi/focus-server.yaml");

/// The REST contract as compact JSON, the bytes `GET /openapi.json` answers with. Keys keep the order of the YAML.
pub const OPENAPI_JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/focus-server.json"));

/// The mock's own admin interface as it was written: OpenAPI 3.1 in YAML. No part of the product's contract.
pub const ADMIN_OPENAPI_YAML: &str = include_str!("../openapi/mock-admin.yaml");

/// The same as compact JSON, the bytes `GET /__mock/openapi.json` answers with.
pub const ADMIN_OPENAPI_JSON: &str = include_str!(concat!(env!("OUT_DIR"), "/mock-admin.json"));
