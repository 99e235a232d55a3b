//! The client of a stream: tonic's, with the message size that known clients accept.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use focus_proto::pandadatastream::data_stream_service_client::DataStreamServiceClient;
use focus_proto::pandadatastream::{DataStream, StreamDataRequest};
use tonic::Streaming;
use tonic::transport::{Channel, Endpoint};

use crate::wall::now;

/// What servers and clients accept.
pub(crate) const LARGEST_MESSAGE: usize = 50 * 1024 * 1024;

/// A connection to a job's port.
pub(crate) struct Calls(DataStreamServiceClient<Channel>);

impl Calls {
    pub(crate) async fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        Ok(Self(DataStreamServiceClient::new(channel).max_decoding_message_size(LARGEST_MESSAGE)))
    }

    /// Opens a call on a stream.
    pub(crate) async fn open(&mut self, stream_id: i32) -> anyhow::Result<Streaming<DataStream>> {
        Ok(self.0.stream_data(StreamDataRequest { stream_id }).await?.into_inner())
    }
}

/// Opens a call on stream 0.
async fn open(address: SocketAddr) -> anyhow::Result<Streaming<DataStream>> {
    Calls::to(address).await?.open(0).await
}

/// The first messages of a stream.
pub(crate) async fn first(address: SocketAddr, count: usize) -> anyhow::Result<Vec<DataStream>> {
    let (mut stream, mut messages) = (open(address).await?, Vec::with_capacity(count));
    while messages.len() < count {
        messages.push(stream.message().await?.context("a stream that goes on")?);
    }
    Ok(messages)
}

/// What came of reading for a while.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    pub(crate) took: Duration,
}

impl Read {
    /// Bytes of rows per second.
    pub(crate) fn rate(&self) -> f64 {
        self.bytes as f64 / self.took.as_secs_f64()
    }
}

/// Reads a stream for so long, from its first message on.
pub(crate) async fn read(address: SocketAddr, length: Duration) -> anyhow::Result<Read> {
    let mut stream = open(address).await?;
    stream.message().await?.context("a first message")?;
    let (began, mut bytes, mut messages) = (now(), 0, 0);
    loop {
        let message = stream.message().await?.context("a stream that goes on")?;
        bytes += message.main_data.iter().map(bytes::Bytes::len).sum::<usize>() as u64;
        messages += 1;
        let took = now() - began;
        if took >= length {
            return Ok(Read { bytes, messages, took });
        }
    }
}
