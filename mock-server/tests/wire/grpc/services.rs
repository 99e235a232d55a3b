//! What is served beside the streams: health and reflection; and what is not served.

use bytes::Bytes;
use futures_util::stream;
use prost::Message;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::{v1, v1alpha};

use super::raw::{Http2, envelope};
use super::{Job, in_time, reader};
use crate::common::{held, light};

pub(super) const SERVED: [&str; 4] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "pandadatastream.DataStreamService",
];

#[tokio::test]
async fn health_is_serving_for_the_server_and_its_streams_and_unknown_for_anything_else() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut health = HealthClient::new(job.connect().await);
    for service in ["", "pandadatastream.DataStreamService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = in_time("a health answer", health.check(request.clone())).await.expect("known");
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving, "{service:?}");
        let mut watch = in_time("a watch", health.watch(request)).await.expect("known").into_inner();
        let first = in_time("its first state", watch.message()).await.expect("no error").expect("a state");
        assert_eq!(first.status(), ServingStatus::Serving, "{service:?}");
    }
    for service in ["datastream.DataStreamService", "pandadatastream", "x"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let status = in_time("a health answer", health.check(request)).await.expect_err("unknown");
        assert_eq!(status.code(), Code::NotFound, "{service:?}");
    }
    assert_eq!(job.state(&server).expect("there").open_calls, 0, "a watch is no reader of a stream");
}

#[tokio::test]
async fn unknown_methods_and_services_are_unimplemented() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let mut connection = Http2::connect(job.address).await;
    for path in [
        "/pandadatastream.DataStreamService/Nope",
        "/pandadatastream.DataStreamService/streamdata",
        "/pandadatastream.DataStreamService/",
        "/pandadatastream.DataStreamService",
        "/nope.Service/StreamData",
        "/grpc.health.v1.Health/Nope",
        "/channels",
        "/",
    ] {
        let (code, message) = connection.status(path, envelope(0, 0, &[])).await;
        assert_eq!(code, 12, "{path}: {message}");
        let (code, message) = connection.status(path, Bytes::new()).await;
        assert_eq!(code, 12, "{path} without a message: {message}");
    }
    reader::check(&job, 0, &job.call(0).await.frame().await);
}

/// As much of a `google.protobuf.FileDescriptorProto` as a generated client depends on.
#[derive(Clone, PartialEq, Message)]
struct File {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    package: String,
    #[prost(message, repeated, tag = "4")]
    messages: Vec<Type>,
    #[prost(message, repeated, tag = "6")]
    services: Vec<Service>,
    #[prost(string, tag = "12")]
    syntax: String,
}

#[derive(Clone, PartialEq, Message)]
struct Type {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    fields: Vec<Field>,
}

#[derive(Clone, PartialEq, Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
    #[prost(bool, tag = "17")]
    explicit: bool,
}

#[derive(Clone, PartialEq, Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    methods: Vec<Method>,
}

#[derive(Clone, PartialEq, Message)]
struct Method {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    input: String,
    #[prost(string, tag = "3")]
    output: String,
    #[prost(bool, tag = "5")]
    streams_in: bool,
    #[prost(bool, tag = "6")]
    streams_out: bool,
}

/// What both versions of reflection answer: names of services, a file, or an error.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Services(Vec<String>),
    Files(Vec<Vec<u8>>),
    Error(i32),
}

/// What both versions of reflection can be asked here.
#[derive(Clone, Copy)]
pub(super) enum Question {
    Services,
    Symbol(&'static str),
    File(&'static str),
}

/// The two versions differ in their package only.
macro_rules! ask {
    ($version:ident, $channel:expr, $question:expr) => {{
        use $version::server_reflection_request::MessageRequest;
        use $version::server_reflection_response::MessageResponse;
        let request = match $question {
            Question::Services => MessageRequest::ListServices(String::new()),
            Question::Symbol(name) => MessageRequest::FileContainingSymbol(name.to_owned()),
            Question::File(name) => MessageRequest::FileByFilename(name.to_owned()),
        };
        let request =
            $version::ServerReflectionRequest { host: String::new(), message_request: Some(request) };
        let mut client = $version::server_reflection_client::ServerReflectionClient::new($channel);
        let call = client.server_reflection_info(stream::iter([request]));
        let mut answers = in_time("a call", call).await.expect("served").into_inner();
        match in_time("an answer", answers.message()).await {
            Err(status) => Answer::Error(status.code().into()),
            Ok(answer) => match answer.and_then(|answer| answer.message_response).expect("an answer") {
                MessageResponse::ListServicesResponse(list) => {
                    let mut names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
                    names.sort();
                    Answer::Services(names)
                }
                MessageResponse::FileDescriptorResponse(files) => Answer::Files(files.file_descriptor_proto),
                MessageResponse::ErrorResponse(error) => Answer::Error(error.error_code),
                other => panic!("not an answer to the question: {other:?}"),
            },
        }
    }};
}

pub(super) async fn ask_v1(channel: Channel, question: Question) -> Answer {
    ask!(v1, channel, question)
}

pub(super) async fn ask_v1alpha(channel: Channel, question: Question) -> Answer {
    ask!(v1alpha, channel, question)
}

/// The file as the contract's tables write it.
fn assert_is_the_contract(file: &[u8]) {
    let file = File::decode(file).expect("a file descriptor");
    let head = (file.name.as_str(), file.package.as_str(), file.syntax.as_str());
    assert_eq!(head, ("pandadatastream.proto", "pandadatastream", "proto3"));
    let [service] = &file.services[..] else { panic!("one service: {:?}", file.services) };
    assert_eq!(service.name, "DataStreamService");
    let [method] = &service.methods[..] else { panic!("one method: {:?}", service.methods) };
    let types = (method.input.as_str(), method.output.as_str());
    assert_eq!(types, (".pandadatastream.StreamDataRequest", ".pandadatastream.DataStream"));
    assert_eq!((method.name.as_str(), method.streams_in, method.streams_out), ("StreamData", false, true));
    let names: Vec<_> = file.messages.iter().map(|message| message.name.as_str()).collect();
    assert_eq!(names, ["StreamDataRequest", "DataStream"]);
    let fields: Vec<_> = file.messages[1].fields.iter().map(|f| (f.name.as_str(), f.number)).collect();
    let expected = [
        ("start_channel", 1),
        ("end_channel", 2),
        ("timestamp_in_milis", 3),
        ("row_index", 4),
        ("data_shape_x", 5),
        ("data_shape_y", 6),
        ("data_shape_z", 11),
        ("global_maximum", 7),
        ("global_minimum", 8),
        ("main_data", 9),
        ("job_id", 10),
    ];
    assert_eq!(fields, expected);
    let explicit = file.messages[1].fields.iter().filter(|field| field.explicit);
    assert_eq!(explicit.map(|field| field.number).collect::<Vec<_>>(), [11, 10]);
}

#[tokio::test]
async fn reflection_lists_exactly_what_is_served_and_describes_the_stream_service() {
    let server = held();
    let job = Job::start(&server, &light()).await;
    let channel = job.connect().await;
    let served = || Answer::Services(SERVED.map(str::to_owned).to_vec());
    assert_eq!(ask_v1(channel.clone(), Question::Services).await, served());
    assert_eq!(ask_v1alpha(channel.clone(), Question::Services).await, served());
    for question in [
        Question::Symbol("pandadatastream.DataStreamService"),
        Question::Symbol("pandadatastream.DataStreamService.StreamData"),
        Question::Symbol("pandadatastream.DataStream"),
        Question::File("pandadatastream.proto"),
    ] {
        let (new, old) =
            (ask_v1(channel.clone(), question).await, ask_v1alpha(channel.clone(), question).await);
        assert_eq!(new, old);
        let Answer::Files(files) = new else { panic!("no file: {new:?}") };
        let [file] = &files[..] else { panic!("{} files", files.len()) };
        assert_is_the_contract(file);
    }
    for service in SERVED {
        let answer = ask_v1(channel.clone(), Question::Symbol(service)).await;
        assert!(matches!(answer, Answer::Files(_)), "{service} is listed and not described: {answer:?}");
    }
    let unknown = Question::Symbol("nope.Service");
    assert_eq!(ask_v1(channel.clone(), unknown).await, Answer::Error(Code::NotFound.into()));
    assert_eq!(ask_v1alpha(channel, unknown).await, Answer::Error(Code::NotFound.into()));
}
