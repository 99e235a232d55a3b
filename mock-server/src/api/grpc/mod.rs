//! The streams of a job over gRPC, with health and reflection beside them; where it is asked for, the older stream
//! service as well.
//!
//! One set of services serves every job port; which job a call is for is known from the connection it came in on.

mod calls;
mod legacy;

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use focus_proto::datastream::data_stream_service_server::DataStreamServiceServer as LegacyServiceServer;
use focus_proto::pandadatastream::data_stream_service_server::{DataStreamService, DataStreamServiceServer};
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use http_body::Body;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::effect::Line;
use super::status;
use crate::domain::fiber::Channel;
use crate::domain::ids::JobId;
use crate::domain::job::CallRefusal;
use crate::sim::Simulation;
use crate::sim::calls::Progress;
use crate::sim::frames::{MAXIMUM, MINIMUM};
use crate::sim::stream::{Frame, StreamCall};
use calls::{Caller, Message, Messages, Spoilt, messages};

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

    /// Opens a call on a stream of a job, for its frames; a limit says how many at most, or why none.
    async fn read<M: Message>(
        &self,
        caller: Caller,
        most: Result<Option<i64>, CallRefusal>,
    ) -> Result<Response<Messages<M>>, Status> {
        let simulation = self.simulation()?;
        let Caller { job, stream, .. } = caller;
        if simulation.faults().any_at_grpc()
            && let Some(instead) = caller.opens(&simulation).await
        {
            return instead;
        }
        let most = most.map_err(refused)?;
        let call = simulation.open_call(job, stream).map_err(refused)?;
        tracing::debug!(%job, stream_id = stream, "call opened");
        Ok(messages(call, caller, most))
    }

    /// Who asks for a stream; the rest of the request.
    fn caller<T>(&self, request: Request<T>, stream: impl FnOnce(&T) -> i32) -> Result<(Caller, T), Status> {
        let (metadata, extensions, message) = request.into_parts();
        let JobOfPort(job) = *extensions.get().expect("every job port says whose it is");
        let line = extensions.get::<Line>().expect("every connection has its line").clone();
        // Only rules want to know, and the world is asked for it.
        let simulation = self.simulation()?;
        let terms = simulation.faults().any_at_grpc().then(|| simulation.job(job).ok()).flatten();
        let view = terms.map(|terms| terms.request.view().number());
        Ok((Caller { job, stream: stream(&message), view, metadata, line }, message))
    }
}

fn refused(refusal: CallRefusal) -> Status {
    Status::new(status::grpc_refused(refusal), refusal.to_string())
}

#[tonic::async_trait]
impl DataStreamService for Streams {
    type StreamDataStream = Messages<DataStream>;

    async fn stream_data(
        &self,
        request: Request<StreamDataRequest>,
    ) -> Result<Response<Self::StreamDataStream>, Status> {
        let (caller, _) = self.caller(request, |asked| asked.stream_id)?;
        self.read(caller, Ok(None)).await
    }
}

impl Message for DataStream {
    fn of(frame: Frame, call: &StreamCall, _: i64) -> Self {
        Self {
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
            job_id: Some(call.terms().id.sequence.number()),
        }
    }

    fn spoil_values(&mut self) {
        (self.global_maximum, self.global_minimum) = (f32::NAN, f32::NAN);
        for row in &mut self.main_data {
            *row = f32::NAN.to_le_bytes().repeat(row.len() / size_of::<f32>()).into();
        }
    }

    fn spoil_shape(&mut self) {
        self.data_shape_y += 1;
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
    spoilt: Option<Arc<Spoilt>>,
    /// Messages that have left.
    messages: u64,
}

impl Watched {
    /// The body of a response, of which its handler said what there is to watch.
    pub(crate) fn new(
        response: http::Response<tonic::body::Body>,
        world: Weak<Simulation>,
    ) -> http::Response<Self> {
        let (mut parts, body) = response.into_parts();
        let watch = parts.extensions.remove().map(|progress| (progress, world));
        let spoilt = parts.extensions.remove();
        http::Response::from_parts(parts, Self { body, watch, spoilt, messages: 0 })
    }

    fn spoil(&mut self, bytes: Bytes) -> Bytes {
        let Some(spoilt) = &self.spoilt else { return bytes };
        let (bytes, count) = spoilt.pass(bytes, self.messages);
        self.messages += count;
        bytes
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
            if let Poll::Ready(Some(Ok(frame))) = &polled {
                world.streamed().bytes(frame.data_ref().map_or(0, Bytes::len));
            }
        }
        polled.map_ok(|frame| frame.map_data(|bytes| self.spoil(bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}
