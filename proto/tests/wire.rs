//! The protos against the tables they were written from, read back out of the embedded descriptor set.
//!
//! Clients were generated from other copies of these files, so every name, number, type and presence is fixed.

use focus_proto::FILE_DESCRIPTOR_SET;
use prost::Message as _;
use prost_types::{
    FileDescriptorProto, FileDescriptorSet,
    field_descriptor_proto::{Label, Type},
};

/// How often a field occurs, as the wire and a client can tell it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Presence {
    /// proto3 without `optional`: absent reads as zero.
    Implicit,
    /// proto3 with `optional`: absent can be told from zero.
    Explicit,
    Repeated,
}

use Presence::{Explicit, Implicit, Repeated};

/// Message, field, number, type, type name of a message field, presence; in the order of declaration.
type Row = (&'static str, &'static str, i32, Type, &'static str, Presence);

const PRODUCTION: &[Row] = &[
    ("StreamDataRequest", "stream_id", 1, Type::Int32, "", Implicit),
    ("DataStream", "start_channel", 1, Type::Int32, "", Implicit),
    ("DataStream", "end_channel", 2, Type::Int32, "", Implicit),
    ("DataStream", "timestamp_in_milis", 3, Type::Int64, "", Repeated),
    ("DataStream", "row_index", 4, Type::Int32, "", Repeated),
    ("DataStream", "data_shape_x", 5, Type::Int32, "", Implicit),
    ("DataStream", "data_shape_y", 6, Type::Int32, "", Implicit),
    ("DataStream", "data_shape_z", 11, Type::Int32, "", Explicit),
    ("DataStream", "global_maximum", 7, Type::Float, "", Implicit),
    ("DataStream", "global_minimum", 8, Type::Float, "", Implicit),
    ("DataStream", "main_data", 9, Type::Bytes, "", Repeated),
    ("DataStream", "job_id", 10, Type::Int32, "", Explicit),
];

const LEGACY: &[Row] = &[
    ("StreamRequest", "job_id", 1, Type::String, "", Implicit),
    ("StreamRequest", "max_frames", 2, Type::Int32, "", Implicit),
    ("StreamRequest", "stream_id", 3, Type::Int32, "", Implicit),
    ("HealthResponse", "healthy", 1, Type::Bool, "", Implicit),
    ("HealthResponse", "version", 2, Type::String, "", Implicit),
    ("HealthResponse", "status", 3, Type::String, "", Implicit),
    ("DataStream", "rows", 1, Type::Message, ".datastream.SpectrogramRow", Repeated),
    ("DataStream", "current_max_amp", 2, Type::Double, "", Implicit),
    ("DataStream", "current_min_amp", 3, Type::Double, "", Implicit),
    ("DataStream", "frame_number", 4, Type::Int64, "", Implicit),
    ("DataStream", "server_timestamp", 5, Type::Int64, "", Implicit),
    ("SpectrogramRow", "canvasId", 1, Type::String, "", Implicit),
    ("SpectrogramRow", "sensors", 2, Type::Message, ".datastream.SensorIntensity", Repeated),
    ("SpectrogramRow", "startTimestamp", 3, Type::Int64, "", Implicit),
    ("SpectrogramRow", "endTimestamp", 4, Type::Int64, "", Implicit),
    ("SensorIntensity", "id", 1, Type::Int32, "", Implicit),
    ("SensorIntensity", "intensity", 2, Type::Float, "", Repeated),
];

fn file(package: &str) -> FileDescriptorProto {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("the descriptor set decodes");
    let mut files: Vec<_> = set.file.into_iter().filter(|file| file.package() == package).collect();
    assert_eq!(files.len(), 1, "one file of package {package}");
    files.remove(0)
}

fn rows(file: &FileDescriptorProto) -> Vec<(String, String, i32, Type, String, Presence)> {
    let mut rows = Vec::new();
    for message in &file.message_type {
        for field in &message.field {
            let presence = match (field.label(), field.proto3_optional()) {
                (Label::Repeated, false) => Repeated,
                (Label::Optional, true) => Explicit,
                (Label::Optional, false) => Implicit,
                other => panic!("{}.{} has presence {other:?}", message.name(), field.name()),
            };
            rows.push((
                message.name().to_owned(),
                field.name().to_owned(),
                field.number(),
                field.r#type(),
                field.type_name().to_owned(),
                presence,
            ));
        }
    }
    rows
}

fn expect_rows(file: &FileDescriptorProto, table: &[Row]) {
    let wanted: Vec<_> = table
        .iter()
        .map(|&(message, field, number, kind, name, presence)| {
            (message.to_owned(), field.to_owned(), number, kind, name.to_owned(), presence)
        })
        .collect();
    assert_eq!(rows(file), wanted);
}

/// Path, request, answer, and whether the answer is a stream. No method of either file streams its request.
fn methods(file: &FileDescriptorProto) -> Vec<(String, String, String, bool)> {
    let mut methods = Vec::new();
    for service in &file.service {
        for method in &service.method {
            assert!(!method.client_streaming(), "{} streams its request", method.name());
            methods.push((
                format!("/{}.{}/{}", file.package(), service.name(), method.name()),
                method.input_type().to_owned(),
                method.output_type().to_owned(),
                method.server_streaming(),
            ));
        }
    }
    methods
}

fn method(path: &str, input: &str, output: &str, streams: bool) -> (String, String, String, bool) {
    (path.to_owned(), input.to_owned(), output.to_owned(), streams)
}

#[test]
fn every_field_of_the_production_proto_is_as_deployed_servers_speak_it() {
    expect_rows(&file("pandadatastream"), PRODUCTION);
}

#[test]
fn every_field_of_the_legacy_proto_is_as_its_clients_know_it() {
    expect_rows(&file("datastream"), LEGACY);
}

#[test]
fn the_production_service_has_one_method_that_streams_its_answer() {
    let wanted = [method(
        "/pandadatastream.DataStreamService/StreamData",
        ".pandadatastream.StreamDataRequest",
        ".pandadatastream.DataStream",
        true,
    )];
    assert_eq!(methods(&file("pandadatastream")), wanted);
}

#[test]
fn the_legacy_service_streams_spectrograms_and_answers_health() {
    let wanted = [
        method(
            "/datastream.DataStreamService/StreamSpectrograms",
            ".datastream.StreamRequest",
            ".datastream.DataStream",
            true,
        ),
        method(
            "/datastream.DataStreamService/CheckHealth",
            ".datastream.HealthRequest",
            ".datastream.HealthResponse",
            false,
        ),
    ];
    assert_eq!(methods(&file("datastream")), wanted);
}

#[test]
fn both_files_are_proto3_and_have_the_file_names_that_clients_import() {
    for package in ["pandadatastream", "datastream"] {
        let file = file(package);
        assert_eq!(file.syntax(), "proto3");
        assert_eq!(file.name(), format!("{package}.proto"));
    }
}

#[test]
fn messages_come_in_the_order_of_the_tables_and_the_health_request_is_empty() {
    let names = |package: &str| -> Vec<String> {
        file(package).message_type.iter().map(|message| message.name().to_owned()).collect()
    };
    assert_eq!(names("pandadatastream"), ["StreamDataRequest", "DataStream"]);
    assert_eq!(
        names("datastream"),
        [
            "StreamRequest",
            "HealthRequest",
            "HealthResponse",
            "DataStream",
            "SpectrogramRow",
            "SensorIntensity"
        ]
    );
}

#[test]
fn a_frame_is_the_bytes_that_other_implementations_write() {
    let frame = focus_proto::pandadatastream::DataStream {
        start_channel: 1,
        end_channel: 17,
        timestamp_in_milis: vec![1000],
        row_index: vec![0, 1],
        data_shape_x: 4352,
        data_shape_y: 1,
        data_shape_z: None,
        global_maximum: 1.0,
        global_minimum: 0.0,
        main_data: vec![bytes::Bytes::from_static(&[0xAB])],
        job_id: Some(0),
    };
    // Field by number: zero without presence is left out, zero with presence is written, numbers are packed.
    let wanted = [
        &[0x08, 1, 0x10, 17][..],
        &[0x1A, 2, 0xE8, 0x07],
        &[0x22, 2, 0, 1],
        &[0x28, 0x80, 0x22, 0x30, 1],
        &[0x3D, 0, 0, 0x80, 0x3F],
        &[0x4A, 1, 0xAB],
        &[0x50, 0],
    ]
    .concat();
    assert_eq!(frame.encode_to_vec(), wanted);
}

#[test]
fn cloning_a_frame_shares_its_rows() {
    let row = bytes::Bytes::from(vec![7; 64]);
    let frame =
        focus_proto::pandadatastream::DataStream { main_data: vec![row.clone()], ..Default::default() };
    assert_eq!(frame.clone().main_data[0].as_ptr(), row.as_ptr());
}
