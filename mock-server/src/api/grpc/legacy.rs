//! The older stream service, beside the production one where a server is told to serve it: the same streams of the
//! same jobs in other messages. No current client calls it and no recording of it exists, so what the proto leaves open
//! is **chosen**:
//!
//! - A port stays one job. A request may name it, by the id that REST has given out, or leave the name away; any other
//!   name is NOT_FOUND, whether or not such a job exists on another port.
//! - What is wrong with a request is told in the order job, number of frames, stream.
//! - A call is one on the job's stream like any other: it takes rows off the same count, keeps the job from being
//!   swept, plays recordings on, and comes to the same ends. The last of `max_frames` frames is followed by OK.
//! - A frame has the rows of a production frame. The limit of a frame's size is kept by that one; here the same numbers
//!   take more bytes.

use focus_proto::datastream::data_stream_service_server::DataStreamService;
use focus_proto::datastream::{
    DataStream, HealthRequest, HealthResponse, SensorIntensity, SpectrogramRow, StreamRequest,
};
use tonic::{Request, Response, Status};

use super::{Messages, Streams, channel_number, job_of, messages, refused};
use crate::domain::ids::JobId;
use crate::domain::job::CallRefusal;
use crate::sim::frames::values;
use crate::sim::stream::{Frame, StreamCall};

#[tonic::async_trait]
impl DataStreamService for Streams {
    type StreamSpectrogramsStream = Messages<DataStream>;

    async fn stream_spectrograms(
        &self,
        request: Request<StreamRequest>,
    ) -> Result<Response<Self::StreamSpectrogramsStream>, Status> {
        let job = job_of(&request);
        let request = request.into_inner();
        let most = limit_of(&request, job).map_err(refused)?;
        let call = self.open(job, request.stream_id)?;
        Ok(messages(call, most, |frame, call, number| message(&frame, call, number)))
    }

    /// **Chosen**: a port that answers belongs to a job that runs, so the answer is always the same.
    async fn check_health(&self, _: Request<HealthRequest>) -> Result<Response<HealthResponse>, Status> {
        let fiber = self.simulation()?.live_metadata().fiber;
        Ok(Response::new(HealthResponse {
            healthy: true,
            version: fiber.sw_version.clone(),
            status: String::from("SERVING"),
        }))
    }
}

/// How many frames a request wants of the job of the port, `None` without limit.
fn limit_of(request: &StreamRequest, served: JobId) -> Result<Option<i64>, CallRefusal> {
    if !request.job_id.is_empty() && request.job_id != served.to_string() {
        return Err(CallRefusal::OtherJob { served });
    }
    match request.max_frames {
        asked @ ..0 => Err(CallRefusal::NegativeFrames { asked }),
        0 => Ok(None),
        most => Ok(Some(i64::from(most))),
    }
}

/// **Chosen**: a picture is a job's, a sensor is a channel, and the range of amplitudes is that of the frame alone.
fn message(frame: &Frame, call: &StreamCall, frame_number: i64) -> DataStream {
    let terms = call.terms();
    let canvas = terms.id.to_string();
    let row_millis = millis(terms.layout.lines_dt);
    let (least, most) = range(frame.rows.iter().flat_map(|row| values(row)));
    let row = |(row, start): (&bytes::Bytes, &i64)| SpectrogramRow {
        canvas_id: canvas.clone(),
        sensors: sensors(frame, row),
        start_timestamp: *start,
        end_timestamp: start.saturating_add(row_millis),
    };
    DataStream {
        rows: frame.rows.iter().zip(&frame.times).map(row).collect(),
        current_max_amp: f64::from(most),
        current_min_amp: f64::from(least),
        frame_number,
        server_timestamp: call.now().millis().0,
    }
}

/// One row of a frame, cut into its channels.
fn sensors(frame: &Frame, row: &[u8]) -> Vec<SensorIntensity> {
    let channel_bytes = row.len() / frame.block.count() as usize;
    let sensor =
        |(channel, bins)| SensorIntensity { id: channel_number(channel), intensity: values(bins).collect() };
    frame.block.iter().zip(row.chunks_exact(channel_bytes)).map(sensor).collect()
}

fn range(values: impl Iterator<Item = f32>) -> (f32, f32) {
    values
        .fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), value| (least.min(value), most.max(value)))
}

/// How long a line lasts, to the nearest millisecond.
fn millis(lines_dt: f64) -> i64 {
    let line = std::time::Duration::try_from_secs_f64(lines_dt).unwrap_or_default();
    i64::try_from((line.as_nanos() + 500_000) / 1_000_000).unwrap_or(i64::MAX)
}
