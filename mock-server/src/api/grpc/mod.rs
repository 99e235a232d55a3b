//! The streams of a job over gRPC, with health and reflection beside them; where it is asked for, the older stream
//! service as well.
//!
//! One set of services serves every job port; which job a call is for is known from the connection it came in on.

mod legacy;

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use focus_proto::datastream::data_stream_service_server::DataStreamServiceServer as LegacyServiceServer;
use focus_proto::pandadatastream::data_stream_service_server::{DataStreamService, DataStreamServiceServer};
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use futures_util::Stream;
use http_body::Body;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::status;
use crate::domain::fiber::Channel;
use crate::domain::ids::JobId;
use crate::domain::job::CallRefusal;
use crate::sim::Simulation;
use crate::sim::calls::Progress;
use crate::sim::frames::{MAXIMUM, MINIMUM};
use crate::sim::stream::{Frame, Next, StreamCall};

/// Largest message either way; known clients accept as much.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// The job whose port a connection came in on.
#[derive(Clone, Copy)]
pub(crate) struct JobOfPort(pub(crate) JobId);

/// All services of a job port, for as long as the server lives: a reset changes none of them.
pub(crate) async fn services(simulation: &Arc<Simulation>) -> Routes {
    let with_legacy = simulation.with(|world, _| world.setup().legacy_service);
    let streams = Streams { simulation: Arc::downgrade(simulation) };
    // SERVING, for the server as a whole and for every stream service: a port that can be asked has a job that runs.
    let (health_state, health) = tonic_health::server::health_reporter();
    let production = DataStreamServiceServer::new(streams.clone())
        .max_decoding_message_size(LARGEST_MESSAGE)
        .max_encoding_message_size(LARGEST_MESSAGE);
    health_state.set_serving::<DataStreamServiceServer<Streams>>().await;
    // Both versions of reflection: current tools ask for `v1`, older ones know only `v1alpha`.
    let v1 = reflection(with_legacy).build_v1().expect("our own descriptors are complete");
    let v1alpha = reflection(with_legacy).build_v1alpha().expect("our own descriptors are complete");
    let mut routes = Routes::new(production).add_service(health).add_service(v1).add_service(v1alpha);
    if with_legacy {
        let legacy = LegacyServiceServer::new(streams)
            .max_decoding_message_size(LARGEST_MESSAGE)
            .max_encoding_message_size(LARGEST_MESSAGE);
        health_state.set_serving::<LegacyServiceServer<Streams>>().await;
        routes = routes.add_service(legacy);
    }
    routes.prepare()
}

/// Reflection over what is served; the descriptors know both stream services in any case.
fn reflection(with_legacy: bool) -> tonic_reflection::server::Builder<'static> {
    let served = tonic_reflection::server::Builder::configure()
        .include_reflection_service(false)
        .register_encoded_file_descriptor_set(focus_proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET)
        .with_service_name("pandadatastream.DataStreamService")
        .with_service_name("grpc.health.v1.Health")
        .with_service_name("grpc.reflection.v1.ServerReflection")
        .with_service_name("grpc.reflection.v1alpha.ServerReflection");
    if with_legacy { served.with_service_name("datastream.DataStreamService") } else { served }
}

/// What stands behind both stream services.
#[derive(Clone)]
struct Streams {
    simulation: Weak<Simulation>,
}

impl Streams {
    fn simulation(&self) -> Result<Arc<Simulation>, Status> {
        let stopping = || Status::new(status::GRPC_STOPPING.0, status::GRPC_STOPPING.1);
        self.simulation.upgrade().ok_or_else(stopping)
    }

    /// Opens a call on a stream of a job.
    fn open(&self, job: JobId, stream_id: i32) -> Result<StreamCall, Status> {
        let call = self.simulation()?.open_call(job, stream_id).map_err(refused)?;
        tracing::debug!(%job, stream_id, "call opened");
        Ok(call)
    }
}

/// The job whose port a request came in on.
fn job_of<T>(request: &Request<T>) -> JobId {
    let JobOfPort(job) = request.extensions().get().expect("every job port says whose it is");
    *job
}

fn refused(refusal: CallRefusal) -> Status {
    Status::new(status::grpc_refused(refusal), refusal.to_string())
}

/// The messages of a call.
type Messages<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// A call's frames as messages, each with its number from 0 on; at most so many, where there is a limit.
///
/// The call is closed before its end is told, or when the messages are dropped. One that ends at its limit stays open
/// until the transport has taken the last message: a client that does not read it is found out as with any other.
fn messages<M: Send + 'static>(
    call: StreamCall,
    most: Option<i64>,
    message: fn(Frame, &StreamCall, i64) -> M,
) -> Response<Messages<M>> {
    let progress = call.progress();
    let messages = futures_util::stream::unfold(Some((call, 0)), move |reading| async move {
        let (mut call, number) = reading?;
        if most == Some(number) {
            return None;
        }
        match call.next().await {
            Next::Frame(frame) => {
                let message = message(frame, &call, number);
                Some((Ok(message), Some((call, number + 1))))
            }
            Next::End(end) => {
                status::grpc_ended(end).map(|(code, text)| (Err(Status::new(code, text)), None))
            }
        }
    });
    let mut response = Response::new(Box::pin(messages) as Messages<M>);
    response.extensions_mut().insert(progress);
    response
}

#[tonic::async_trait]
impl DataStreamService for Streams {
    type StreamDataStream = Messages<DataStream>;

    async fn stream_data(
        &self,
        request: Request<StreamDataRequest>,
    ) -> Result<Response<Self::StreamDataStream>, Status> {
        let call = self.open(job_of(&request), request.get_ref().stream_id)?;
        Ok(messages(call, None, |frame, call, _| message(frame, call.terms().id)))
    }
}

fn message(frame: Frame, job: JobId) -> DataStream {
    DataStream {
        start_channel: channel_number(frame.block.min()),
        end_channel: channel_number(frame.block.max()),
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

/// A number as the wire has it.
fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A channel as the wire has it; one beyond 32 bits, which only unchecked requests name, is the last of them.
fn channel_number(channel: Channel) -> i32 {
    i32::try_from(channel.0).unwrap_or(if channel.0 < 0 { i32::MIN } else { i32::MAX })
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
