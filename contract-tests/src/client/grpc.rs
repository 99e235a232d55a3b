//! The streams of a job.

use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use tonic::Status;
use tonic::transport::Endpoint;

/// Largest message a client accepts.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// Opens a stream and reads its first frame.
///
/// # Errors
/// The status with which the server refused or ended the call before that.
pub async fn first_frame(host: &str, port: u64, stream_id: i32) -> Result<DataStream, Status> {
    let unreachable = |error| Status::unavailable(format!("{host}:{port}: {error}"));
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}")).map_err(unreachable)?;
    let channel = endpoint.connect().await.map_err(unreachable)?;
    let mut client = DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE);
    let mut frames = client.stream_data(StreamDataRequest { stream_id }).await?.into_inner();
    frames.message().await?.ok_or_else(|| Status::not_found("the call ended without a frame"))
}
