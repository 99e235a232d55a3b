//! What a connection's traffic is seen by: the socket below everything else, and the body of each answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::traffic::{Traffic, Underway};

/// A socket whose traffic is noted.
pub(super) struct Watched {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    expected: Expected,
}

/// What a client that is not being answered sends.
#[derive(Clone, Copy)]
enum Expected {
    Heads,
    /// A greeting of which so many bytes are missing; what follows it may take its time.
    Greeting {
        missing: usize,
    },
}

impl Watched {
    /// A socket on which requests follow each other.
    pub(super) fn heads(stream: TcpStream, traffic: Arc<Traffic>) -> Self {
        Self { stream, traffic, expected: Expected::Heads }
    }

    /// A socket that begins with a greeting of so many bytes.
    pub(super) fn greeting(stream: TcpStream, traffic: Arc<Traffic>, bytes: usize) -> Self {
        Self { stream, traffic, expected: Expected::Greeting { missing: bytes } }
    }

    fn came(&mut self, bytes: usize) {
        match &mut self.expected {
            _ if bytes == 0 => {}
            Expected::Heads => self.traffic.head_came(),
            Expected::Greeting { missing: 0 } => {}
            Expected::Greeting { missing } => {
                *missing = missing.saturating_sub(bytes);
                if *missing == 0 {
                    self.traffic.greeted();
                }
            }
        }
    }

    fn wrote(&self, polled: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        self.traffic.wrote(polled.is_ready());
        polled
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if self.traffic.is_cut() {
            let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.came(buffer.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of an answer, which is underway until the transport has taken all of it.
pub(super) struct Answering<B> {
    body: B,
    _underway: Underway,
}

impl<B> Answering<B> {
    pub(super) fn new(body: B, underway: Underway) -> Self {
        Self { body, _underway: underway }
    }
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
