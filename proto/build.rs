//! Turns the contract files beside this script into what the library embeds.
//!
//! The protos are compiled with protox, so no `protoc` has to be on the machine. The OpenAPI document is kept
//! by hand as YAML and parsed here: a mistake in it stops the build instead of the first request.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const PROTOS: [&str; 2] = ["pandadatastream.proto", "datastream.proto"];
const OPENAPI: &str = "openapi/focus-server.yaml";

/// A row of a frame can be megabytes: cloning it must share the bytes, not copy them.
const SHARED_BYTES: &str = ".pandadatastream.DataStream.main_data";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out_dir = env::var_os("OUT_DIR").ok_or("cargo did not set OUT_DIR")?;
    let out_dir = Path::new(&out_dir);
    if let Err(problem) = compile_protos(out_dir).and_then(|()| compile_openapi(out_dir)) {
        // `error` lines are shown as written; a returned error would be shown with its Debug quoting.
        for line in problem.to_string().lines() {
            println!("cargo::error={line}");
        }
    }
    Ok(())
}

fn compile_protos(out_dir: &Path) -> Result<(), Box<dyn Error>> {
    for proto in PROTOS {
        println!("cargo::rerun-if-changed={proto}");
    }
    let descriptors = protox::compile(PROTOS, ["."])?;
    fs::write(out_dir.join("descriptors.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .build_client(true)
        .build_server(true)
        .bytes(SHARED_BYTES)
        .compile_fds(descriptors)?;
    Ok(())
}

fn compile_openapi(out_dir: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={OPENAPI}");
    let yaml = fs::read_to_string(OPENAPI).map_err(|problem| format!("{OPENAPI}: {problem}"))?;
    let document: serde_json::Value =
        serde_saphyr::from_str(&yaml).map_err(|problem| format!("{OPENAPI}: {problem}"))?;
    if !document.is_object() {
        return Err(format!("{OPENAPI}: the document must be a mapping").into());
    }
    fs::write(out_dir.join("focus-server.json"), serde_json::to_vec(&document)?)?;
    Ok(())
}
