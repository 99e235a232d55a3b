//! One connection, from its first byte to its last, within limits of the wall clock.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::gate::CONNECTION_ENDED;
use crate::sim::signal::Signal;

/// Largest block of request headers; above it the answer is 431.
const HEADER_BYTES: usize = 64 * 1024;
/// Most of them; above it the answer is 431, too.
const HEADERS: usize = 1024;
/// How long a client may take for its headers.
const HEADER_TIME: Duration = Duration::from_secs(30);
/// How long a gRPC client may take for the preface of its connection.
const PREFACE_TIME: Duration = Duration::from_secs(10);
/// Calls that are open at a time on one gRPC connection; each may hold one message that its client does not read.
const CALLS: u32 = 100;
/// Connection preface and the header of the settings that follow it.
const PREFACE_BYTES: usize = 24 + 9;
/// How long a connection may go on after it was asked to wind up.
pub(super) const WIND_UP: Duration = Duration::from_secs(2);
/// How long, and how much, a refused client may go on sending before it is cut off.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 16 * 1024 * 1024;

/// What answers the requests of one HTTP/1.1 connection.
pub(super) trait Answer: Clone + Send + Unpin + 'static {
    fn answer(self, request: Request<Incoming>, local: SocketAddr) -> BoxFuture<'static, Response>;
}

struct Http1<A> {
    answer: A,
    local: SocketAddr,
}

impl<A: Answer> Service<Request<Incoming>> for Http1<A> {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.answer.clone().answer(request, self.local);
        Box::pin(async move { Ok(answer.await) })
    }
}

/// Serves HTTP/1.1 until the client leaves or `stop` is raised and what was asked has been answered.
pub(super) async fn serve_http1<A: Answer>(stream: TcpStream, answer: A, stop: Arc<Signal<()>>) {
    let _ended = Ended;
    let Ok(local) = stream.local_addr() else { return };
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_header_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .max_buf_size(HEADER_BYTES)
        // A client that ends its side after a request, or leaves, has asked all the same.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), Http1 { answer, local });
    let stopped = {
        let serving = std::future::poll_fn(|context| connection.poll_without_shutdown(context));
        tokio::select! { _ = serving => false, () = stop.wait() => true }
    };
    if stopped {
        Pin::new(&mut connection).graceful_shutdown();
        let rest = std::future::poll_fn(|context| connection.poll_without_shutdown(context));
        let _ = tokio::time::timeout(WIND_UP, rest).await;
    }
    let stream = connection.into_parts().io.into_inner();
    if stopped && has_read_everything(&stream) {
        // Nothing can be lost, and clients that keep connections for later would hold the end of the server.
        return;
    }
    linger(stream).await;
}

fn has_read_everything(stream: &TcpStream) -> bool {
    stream.try_read(&mut [0]).is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

/// Ends a connection so that the client can read the last answer.
///
/// A socket closed with unread bytes in it is reset, and a reset takes the answer with it; a client that is still
/// sending what was refused, a body above the limit for one, would never learn why.
async fn linger(mut stream: TcpStream) {
    let reading_on = async {
        stream.shutdown().await?;
        let mut left = LINGER_BYTES;
        let mut buffer = [0; 4096];
        while left > 0 {
            match stream.read(&mut buffer).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(LINGER, reading_on).await;
}

/// Serves HTTP/2 until the client leaves, or `stop` is raised and the open calls have ended or its time is over.
pub(super) async fn serve_http2<S, B>(stream: TcpStream, service: S, stop: Arc<Signal<Duration>>)
where
    S: Service<Request<Incoming>, Response = hyper::Response<B>, Error = Infallible> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _ended = Ended;
    let arrived = Arc::new(Signal::default());
    let stream = Prefaced { stream, missing: PREFACE_BYTES, arrived: Arc::clone(&arrived) };
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(CALLS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let in_time = tokio::select! {
        _ = connection.as_mut() => return,
        arrived = tokio::time::timeout(PREFACE_TIME, arrived.wait()) => arrived.is_ok(),
        _ = stop.wait() => true,
    };
    if !in_time {
        return;
    }
    let time = tokio::select! {
        _ = connection.as_mut() => return,
        time = stop.wait() => time,
    };
    connection.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(time, connection).await;
}

/// Tells at its drop that a file descriptor came free.
struct Ended;

impl Drop for Ended {
    fn drop(&mut self) {
        CONNECTION_ENDED.notify_waiters();
    }
}

/// A stream that tells when the client's preface has arrived. After that the client may be silent for as long as it
/// likes: channels without a call are normal.
struct Prefaced {
    stream: TcpStream,
    missing: usize,
    arrived: Arc<Signal<()>>,
}

impl AsyncRead for Prefaced {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.missing > 0 {
            self.missing = self.missing.saturating_sub(buffer.filled().len() - before);
            if self.missing == 0 {
                self.arrived.raise(());
            }
        }
        polled
    }
}

impl AsyncWrite for Prefaced {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
