//! The streams of a job over gRPC, with health and reflection beside them.
//!
//! One set of services serves every job port; which job a call is for is known from the connection it came in on.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use focus_proto::pandadatastream::data_stream_service_server::{DataStreamService, DataStreamServiceServer};
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use futures_util::Stream;
use http_body::Body;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::status;
use crate::domain::ids::JobId;
use crate::sim::Simulation;
use crate::sim::calls::Progress;
use crate::sim::frames::{MAXIMUM, MINIMUM};
use crate::sim::stream::{Frame, Next, StreamCall};

/// Largest message either way; known clients accept as much.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// The job whose port a connection came in on.
#[derive(Clone, Copy)]
pub(crate) struct JobOfPort(pub(crate) JobId);

/// All services of a job port.
pub(crate) async fn services(simulation: Weak<Simulation>) -> Routes {
    // SERVING, for the server as a whole and for the stream service: a port that can be asked has a job that runs.
    let (health_state, health) = tonic_health::server::health_reporter();
    let streams = DataStreamServiceServer::new(Streams { simulation })
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    health_state.set_serving::<DataStreamServiceServer<Streams>>().await;
    // Both versions of reflection: current tools ask for `v1`, older ones know only `v1alpha`.
    let v1 = reflection().build_v1().expect("our own descriptors are complete");
    let v1alpha = reflection().build_v1alpha().expect("our own descriptors are complete");
    Routes::new(streams).add_service(health).add_service(v1).add_service(v1alpha).prepare()
}

/// Reflection over what is served; the descriptors know more, for instance the older stream service.
fn reflection() -> tonic_reflection::server::Builder<'static> {
    tonic_reflection::server::Builder::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(focus_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
        .with_service_name("pandadatastream.DataStreamService")
        .with_service_name("grpc.health.v1.Health")
        .with_service_name("grpc.reflection.v1.ServerReflection")
        .with_service_name("grpc.reflection.v1alpha.ServerReflection")
}

struct Streams {
    simulation: Weak<Simulation>,
}

#[tonic::async_trait]
impl DataStreamService for Streams {
    type StreamDataStream = Pin<Box<dyn Stream<Item = Result<DataStream, Status>> + Send>>;

    async fn stream_data(
        &self,
        request: Request<StreamDataRequest>,
    ) -> Result<Response<Self::StreamDataStream>, Status> {
        let stopping = || Status::new(status::GRPC_STOPPING.0, status::GRPC_STOPPING.1);
        let simulation = self.simulation.upgrade().ok_or_else(stopping)?;
        let JobOfPort(job) = *request.extensions().get().expect("every job port says whose it is");
        let asked = request.get_ref().stream_id;
        let call = simulation
            .open_call(job, asked)
            .map_err(|refusal| Status::new(status::grpc_refused(refusal), refusal.to_string()))?;
        tracing::debug!(%job, stream_id = asked, "call opened");
        let progress = call.progress();
        let mut response = Response::new(Box::pin(messages(call)) as Self::StreamDataStream);
        response.extensions_mut().insert(progress);
        Ok(response)
    }
}

/// The call's frames as messages; the call is closed when this is dropped.
fn messages(call: StreamCall) -> impl Stream<Item = Result<DataStream, Status>> {
    futures_util::stream::unfold(Some(call), |call| async {
        let mut call = call?;
        match call.next().await {
            Next::Frame(frame) => {
                let message = message(frame, call.terms().id);
                Some((Ok(message), Some(call)))
            }
            Next::End(end) => {
                status::grpc_ended(end).map(|(code, text)| (Err(Status::new(code, text)), None))
            }
        }
    })
}

fn message(frame: Frame, job: JobId) -> DataStream {
    let number = |value: u32| i32::try_from(value).unwrap_or(i32::MAX);
    DataStream {
        start_channel: number(frame.block.min().0),
        end_channel: number(frame.block.max().0),
        row_index: (frame.first_row..).take(frame.times.len()).map(row_index).collect(),
        timestamp_in_milis: frame.times,
        data_shape_x: number(frame.values_per_row),
        data_shape_y: i32::try_from(frame.rows.len()).unwrap_or(i32::MAX),
        data_shape_z: None,
        global_maximum: MAXIMUM,
        global_minimum: MINIMUM,
        main_data: frame.rows,
        job_id: Some(job.sequence.number()),
    }
}

/// The field has 31 bits: after two thousand million rows, years of play, it begins anew.
#[allow(clippy::cast_possible_truncation, reason = "the value was cut to 31 bits")]
fn row_index(row: u64) -> i32 {
    (row & 0x7fff_ffff) as i32
}

/// A response body that tells the world whether the transport asks for more.
///
/// The transport polls a body for the next chunk and then waits for room in the client's flow-control window, so
/// "stalled" begins with the chunk that did not fit: at most one frame later than the client stopped reading.
pub(crate) struct Watched {
    body: tonic::body::Body,
    watch: Option<(Arc<Progress>, Weak<Simulation>)>,
}

impl Watched {
    pub(crate) fn new(
        body: tonic::body::Body,
        progress: Option<Arc<Progress>>,
        world: Weak<Simulation>,
    ) -> Self {
        Self { body, watch: progress.map(|progress| (progress, world)) }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Status>>> {
        if let Some((progress, _)) = &self.watch {
            progress.asks();
        }
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready()
            && let Some((progress, world)) = &self.watch
            && let Some(world) = world.upgrade()
        {
            progress.was_given(world.clock().now());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
