//! What a job's port serves beside the streams, and what it does not.

use focus_proto::datastream::HealthRequest;
use focus_proto::datastream::data_stream_service_client::DataStreamServiceClient as LegacyClient;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::failure::{Failure, equal, holds};
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[
    Case {
        id: "streams/grpc-health",
        claim: "the health service of a job's port says SERVING for the server and for its streams",
        keys: &["PZ-13294"],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light",
            "check the health of ``, pandadatastream.DataStreamService and an unknown service",
        ],
        expects: "SERVING, SERVING, NOT_FOUND",
        body: |story| Box::pin(grpc_health(story)),
    },
    Case {
        id: "streams/grpc-reflection",
        claim: "the reflection service of a job's port names the services and gives their files",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light",
            "list the services",
            "ask for the file of pandadatastream.DataStreamService",
        ],
        expects: "pandadatastream.DataStreamService and grpc.health.v1.Health are listed; the file is given",
        body: |story| Box::pin(grpc_reflection(story)),
    },
    Case {
        id: "streams/grpc-unimplemented",
        claim: "the older stream service is not served",
        keys: &[],
        tags: &[Tag::Regression],
        needs: &[Capability::Writes, Capability::Grpc],
        steps: &[
            "configure Light",
            "call datastream.DataStreamService/CheckHealth",
            "read a frame of stream 0",
        ],
        expects: "UNIMPLEMENTED, then a frame",
        body: |story| Box::pin(grpc_unimplemented(story)),
    },
];

const STREAMS: &str = "pandadatastream.DataStreamService";

async fn grpc_health(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut health = HealthClient::new(story.connect(&job).await?.channel());
    for service in ["", STREAMS] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await;
        let answer = answer.map_err(|status| Failure::broken(format!("health of {service:?}: {status}")))?;
        equal("the health", &answer.into_inner().status(), &ServingStatus::Serving)?;
    }
    let unknown = health.check(HealthCheckRequest { service: String::from("nobody") }).await;
    let code = unknown.map_or_else(|status| status.code(), |_| Code::Ok);
    equal("the health of an unknown service", &code, &Code::NotFound)?;
    story.cancel(&job).await?;
    Ok(())
}

/// One question of reflection, and its answer.
async fn reflected(
    client: &mut ServerReflectionClient<Channel>,
    question: MessageRequest,
) -> Result<MessageResponse, Failure> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let broken = |status: Status| Failure::broken(format!("reflection: {status}"));
    let asking = futures_util::stream::iter([request]);
    let mut answers = client.server_reflection_info(asking).await.map_err(broken)?.into_inner();
    let answer = answers.message().await.map_err(broken)?;
    answer
        .and_then(|answer| answer.message_response)
        .ok_or_else(|| Failure::broken("reflection ends without an answer"))
}

async fn grpc_reflection(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut client = ServerReflectionClient::new(story.connect(&job).await?.channel());
    let listed = reflected(&mut client, MessageRequest::ListServices(String::new())).await?;
    let MessageResponse::ListServicesResponse(list) = listed else {
        return Err(Failure::broken(format!("a list of services was asked for, not {listed:?}")));
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for service in [STREAMS, "grpc.health.v1.Health"] {
        holds(names.contains(&service), || format!("{service} is not among the services {names:?}"))?;
    }
    let file = reflected(&mut client, MessageRequest::FileContainingSymbol(STREAMS.to_owned())).await?;
    let MessageResponse::FileDescriptorResponse(file) = file else {
        return Err(Failure::broken(format!("a file was asked for, not {file:?}")));
    };
    let names_it = file.file_descriptor_proto.iter().any(|file| {
        let text = String::from_utf8_lossy(file);
        ["pandadatastream", "timestamp_in_milis", "StreamData"].iter().all(|name| text.contains(name))
    });
    holds(names_it, || String::from("no file of reflection describes the streams"))?;
    story.cancel(&job).await?;
    Ok(())
}

async fn grpc_unimplemented(story: &Story) -> Result<(), Failure> {
    let job = story.configure(&light()).await?;
    let mut legacy = LegacyClient::new(story.connect(&job).await?.channel());
    let code = legacy.check_health(HealthRequest {}).await.map_or_else(|status| status.code(), |_| Code::Ok);
    equal("the status of a method that is not served", &code, &Code::Unimplemented)?;
    story.stream(&job, 0).await?.frame().await?;
    story.cancel(&job).await?;
    Ok(())
}
