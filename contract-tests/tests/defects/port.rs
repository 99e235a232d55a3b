//! Somebody between the suite and the port of a job.

use std::collections::VecDeque;
use std::net::SocketAddr;

use focus_contract::client::grpc::Port;
use focus_proto::pandadatastream::data_stream_service_server::{DataStreamService, DataStreamServiceServer};
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Code, Request, Response, Status};

use crate::broken::Frames;

/// One word of a stream.
#[derive(Debug)]
pub(crate) enum Says {
    /// A frame.
    Frame(DataStream),
    /// The end; of a call that is refused it is the only word.
    End(Status),
    /// Nothing more, ever.
    Nothing,
}

/// A port that passes on what the job says.
pub(crate) const UNSPOILT: Frames = |_, says| vec![says];
/// One that falls silent behind the first frame.
pub(crate) const SILENT: Frames = |number, says| vec![if number == 0 { says } else { Says::Nothing }];

/// Changes every frame from a number on.
pub(crate) fn frame(says: Says, change: impl FnOnce(&mut DataStream)) -> Vec<Says> {
    match says {
        Says::Frame(mut frame) => {
            change(&mut frame);
            vec![Says::Frame(frame)]
        }
        other => vec![other],
    }
}

/// Starts one before the port of a job.
pub(crate) fn start(job: SocketAddr, spoil: Frames) -> Result<SocketAddr, String> {
    let incoming = TcpIncoming::bind(SocketAddr::new(job.ip(), 0)).map_err(|error| error.to_string())?;
    let address = incoming.local_addr().map_err(|error| error.to_string())?;
    let service = DataStreamServiceServer::new(Between { job, spoil });
    let server = tonic::transport::Server::builder().add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    Ok(address)
}

struct Between {
    job: SocketAddr,
    spoil: Frames,
}

#[tonic::async_trait]
impl DataStreamService for Between {
    type StreamDataStream = BoxStream<'static, Result<DataStream, Status>>;

    async fn stream_data(
        &self,
        request: Request<StreamDataRequest>,
    ) -> Result<Response<Self::StreamDataStream>, Status> {
        let port = Port::connect(&self.job.to_string()).await;
        let port = port.map_err(|failure| Status::unavailable(failure.what))?;
        let spoil = self.spoil;
        let job = match port.open_raw(request.into_inner().stream_id).await {
            Ok(frames) => frames,
            Err(status) => {
                return match spoil(0, Says::End(status)).pop() {
                    Some(Says::End(status)) => Err(status),
                    _ => Err(Status::internal("a refusal became something else")),
                };
            }
        };
        let words = futures_util::stream::unfold((job, 0, VecDeque::new()), move |state| async move {
            let (mut job, mut number, mut words) = state;
            loop {
                match words.pop_front() {
                    Some(Says::Frame(frame)) => return Some((Ok(frame), (job, number, words))),
                    Some(Says::End(status)) if status.code() == Code::Ok => return None,
                    Some(Says::End(status)) => return Some((Err(status), (job, number, words))),
                    Some(Says::Nothing) => std::future::pending().await,
                    None => {}
                }
                let said = match job.message().await {
                    Ok(Some(frame)) => Says::Frame(frame),
                    Ok(None) => Says::End(Status::ok("")),
                    Err(status) => Says::End(status),
                };
                words.extend(spoil(number, said));
                number += 1;
            }
        });
        Ok(Response::new(words.boxed()))
    }
}
