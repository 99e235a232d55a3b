//! Turns the contract files beside this script into what the library embeds.
//!
//! The protos are compiled with protox, so no `protoc` has to be on the machine. The OpenAPI documents are kept
//! by hand as YAML and parsed here: a mistake in them stops the build instead of the first request.

use std::{env, error::Error, fs, path::Path};

use prost::Message as _;

const PROTOS: [&str; 2] = ["pandadatastream.proto", "datastream.proto"];
/// The documents, each with the name of its JSON.
const OPENAPI: [(&str, &str); 2] =
    [("openapi/focus-server.yaml", "focus-server.json"), ("openapi/mock-admin.yaml", "mock-admin.json")];

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
    for (yaml, json) in OPENAPI {
        println!("cargo::rerun-if-changed={yaml}");
        let text = fs::read_to_string(yaml).map_err(|problem| format!("{yaml}: {problem}"))?;
        let document: serde_json::Value =
            serde_saphyr::from_str(&text).map_err(|problem| format!("{yaml}: {problem}"))?;
        if !document.is_object() {
            return Err(format!("{yaml}: the document must be a mapping").into());
        }
        fs::write(out_dir.join(json), serde_json::to_vec(&document)?)?;
    }
    Ok(())
}
