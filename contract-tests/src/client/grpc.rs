//! The streams of a job. Each frame is held against the geometry of its stream before anybody sees it.

use std::time::Duration;

use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use crate::client::rest::PATIENCE;
use crate::failure::Failure;
use crate::geometry::Geometry;
use crate::job::Job;

/// Largest message a client accepts.
const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;
/// What HTTP/2 begins with.
const SMALLEST_WINDOW: u32 = 65_535;

/// A connection to a job's port.
#[derive(Clone, Debug)]
pub struct Port {
    channel: Channel,
    authority: String,
    patience: Duration,
}

impl Port {
    /// Connects, at the first try.
    ///
    /// # Errors
    /// When nobody takes the connection.
    pub async fn connect(authority: &str) -> Result<Self, Failure> {
        Self::connect_with(authority, |endpoint| endpoint).await
    }

    /// Connects with the smallest receive window: a frame that is not read overfills it, and the server has to wait.
    ///
    /// # Errors
    /// When nobody takes the connection.
    pub async fn connect_narrow(authority: &str) -> Result<Self, Failure> {
        let narrow = |endpoint: Endpoint| {
            endpoint
                .initial_stream_window_size(SMALLEST_WINDOW)
                .initial_connection_window_size(SMALLEST_WINDOW)
        };
        Self::connect_with(authority, narrow).await
    }

    async fn connect_with(authority: &str, tune: impl FnOnce(Endpoint) -> Endpoint) -> Result<Self, Failure> {
        let refused = |error: tonic::transport::Error| {
            Failure::broken(format!("no gRPC connection to the job's port {authority}: {}", chain(&error)))
        };
        let endpoint = tune(Endpoint::from_shared(format!("http://{authority}")).map_err(refused)?);
        let channel = endpoint.connect_timeout(PATIENCE).connect().await.map_err(refused)?;
        Ok(Self { channel, authority: authority.to_owned(), patience: PATIENCE })
    }

    /// With another time in which a call must be answered, and a frame must come.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// The connection itself, for services beside the streams.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Opens a call on a stream of a job.
    ///
    /// # Errors
    /// The status with which it is refused.
    pub async fn open(&self, job: &Job, stream: u32) -> Result<Reading, Status> {
        let frames = self.open_raw(i32::try_from(stream).unwrap_or(i32::MAX)).await?;
        let Self { authority, patience, .. } = self.clone();
        Ok(Reading { frames, geometry: Geometry::of(job, stream), authority, patience })
    }

    /// Opens a call on any number, without holding what comes against anything.
    ///
    /// # Errors
    /// The status with which it is refused.
    pub async fn open_raw(&self, stream_id: i32) -> Result<Streaming<DataStream>, Status> {
        let mut client =
            DataStreamServiceClient::new(self.channel.clone()).max_decoding_message_size(LARGEST_MESSAGE);
        let answered =
            tokio::time::timeout(self.patience, client.stream_data(StreamDataRequest { stream_id })).await;
        let answered = answered.map_err(|_| {
            Status::deadline_exceeded(format!("no answer to the call within {} s", self.patience.as_secs()))
        })??;
        Ok(answered.into_inner())
    }
}

/// A call that is read.
pub struct Reading {
    frames: Streaming<DataStream>,
    geometry: Geometry,
    authority: String,
    patience: Duration,
}

/// What comes next on a call.
#[derive(Debug)]
pub enum Next {
    /// A frame.
    Frame(Box<DataStream>),
    /// The end, with its status; OK is a normal one.
    End(Status),
}

impl Reading {
    /// Waits for what comes next.
    ///
    /// # Errors
    /// When nothing comes in time, or a frame breaks the geometry of its stream.
    pub async fn next(&mut self) -> Result<Next, Failure> {
        match tokio::time::timeout(self.patience, self.frames.message()).await {
            Err(_) => Err(Failure::broken(format!(
                "{}: neither a frame nor an end within {} s on stream {}, after {} frames",
                self.authority,
                self.patience.as_secs(),
                self.geometry.stream(),
                self.geometry.frames(),
            ))),
            Ok(Ok(Some(frame))) => {
                self.geometry.hold(&frame)?;
                Ok(Next::Frame(Box::new(frame)))
            }
            Ok(Ok(None)) => Ok(Next::End(Status::new(Code::Ok, ""))),
            Ok(Err(status)) => Ok(Next::End(status)),
        }
    }

    /// The next frame.
    ///
    /// # Errors
    /// When the call ends instead, or as [`Self::next`].
    pub async fn frame(&mut self) -> Result<DataStream, Failure> {
        match self.next().await? {
            Next::Frame(frame) => Ok(*frame),
            Next::End(status) => Err(Failure::broken(format!(
                "stream {} ended after {} frames: {:?} {:?}",
                self.geometry.stream(),
                self.geometry.frames(),
                status.code(),
                status.message()
            ))),
        }
    }

    /// So many frames.
    ///
    /// # Errors
    /// As [`Self::frame`].
    pub async fn frames(&mut self, count: usize) -> Result<Vec<DataStream>, Failure> {
        let mut frames = Vec::with_capacity(count);
        while frames.len() < count {
            frames.push(self.frame().await?);
        }
        Ok(frames)
    }

    /// Reads to the end: the frames on the way, and the status.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn rest(&mut self) -> Result<(Vec<DataStream>, Status), Failure> {
        let mut frames = Vec::new();
        loop {
            match self.next().await? {
                Next::Frame(frame) => frames.push(*frame),
                Next::End(status) => return Ok((frames, status)),
            }
        }
    }

    /// Reads to the end: how many more frames came, and the status.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn to_its_end(&mut self) -> Result<(u64, Status), Failure> {
        let before = self.geometry.frames();
        loop {
            if let Next::End(status) = self.next().await? {
                return Ok((self.geometry.frames() - before, status));
            }
        }
    }
}

/// An error with its reasons.
fn chain(error: &dyn std::error::Error) -> String {
    let reasons = std::iter::successors(Some(error), |error| error.source());
    reasons.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
