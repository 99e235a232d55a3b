//! A client that does next to nothing: prebuilt bytes out, an answer of a known length in.
//!
//! What a client costs is taken from the servers' share of the machine, so it parses no more than it needs.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// One kept-alive connection.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer, as long as the connection is not used again.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

/// The bytes of a request.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    if !body.is_empty() {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    (text + "\r\n" + body).into_bytes()
}

impl Connection {
    pub(crate) async fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("a connection")?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Asks and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let (status, head, end) = loop {
            filled += self.read_more(filled).await?;
            if let Some(head) = self.buffer[..filled].windows(4).position(|four| four == b"\r\n\r\n") {
                let (status, length) = read_head(&self.buffer[..head]).context("an answer with a length")?;
                break (status, head + 4, head + 4 + length);
            }
        };
        while filled < end {
            filled += self.read_more(filled).await?;
        }
        anyhow::ensure!(filled == end, "more bytes than one answer has");
        Ok(Answer { status, body: &self.buffer[head..end] })
    }

    async fn read_more(&mut self, filled: usize) -> anyhow::Result<usize> {
        if filled == self.buffer.len() {
            self.buffer.resize(2 * filled, 0);
        }
        let read = self.stream.read(&mut self.buffer[filled..]).await?;
        anyhow::ensure!(read > 0, "the server closed a connection that was kept alive");
        Ok(read)
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Option<(u16, usize)> {
    let head = std::str::from_utf8(head).ok()?;
    let status = head.get(9..12)?.parse().ok()?;
    // Both servers are hyper, which writes names in lower case.
    let length = head.split_once("content-length: ")?.1;
    let length = length.split_once("\r\n").map_or(length, |(length, _)| length);
    Some((status, length.parse().ok()?))
}
