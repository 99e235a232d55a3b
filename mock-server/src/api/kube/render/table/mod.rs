//! Tables, as `kubectl get` asks for them: the columns of each kind, and a row for each object.
//!
//! Cells are read off the rendered object, as a real API server's printers do it.

mod cells;
mod columns;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;

pub(in crate::api::kube) use self::columns::columns;
use super::Scene;
use super::object::{Object, object};
use crate::sim::cluster::facts::Record;

/// A cell of a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Cell {
    Text(String),
    Number(i32),
}

/// A row of a table. `k8s-openapi` has no type for it.
#[derive(Serialize)]
struct Row<'a> {
    cells: Vec<Cell>,
    object: Shown<'a>,
}

/// What a row has of its object.
#[derive(Serialize)]
#[serde(untagged)]
enum Shown<'a> {
    Whole(&'a Object),
    Metadata(PartialObjectMetadata<'a>),
}

/// An object's metadata alone. `k8s-openapi` has no type for it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PartialObjectMetadata<'a> {
    kind: &'static str,
    api_version: &'static str,
    metadata: &'a ObjectMeta,
}

/// Appends the row of an object as JSON, with the whole object or with its metadata.
pub(in crate::api::kube) fn write_row(
    record: &Record,
    scene: &Scene,
    include_object: bool,
    out: &mut Vec<u8>,
) {
    let object = object(record, scene);
    let shown = if include_object {
        Shown::Whole(&object)
    } else {
        Shown::Metadata(PartialObjectMetadata {
            kind: "PartialObjectMetadata",
            api_version: "meta.k8s.io/v1",
            metadata: object.metadata(),
        })
    };
    let row = Row { cells: cells::cells(&object, scene.now), object: shown };
    serde_json::to_writer(out, &row).expect("rows have texts for keys, and memory takes it all");
}
