//! One HTTP/1.1 connection, from its first byte to its last, within limits of the wall clock.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use super::room::{Place, Room};
use super::traffic::{Limit, Patience, Traffic, Underway};
use super::wall::WallTime;
use super::watched::{Answering, Watched};
use crate::api::effect::{Answered, End, Raw};
use crate::api::rest::Ends;
use crate::config::HttpLimits;
use crate::sim::signal::Signal;

/// How much a refused client may go on sending before it is cut off.
const LINGER_BYTES: usize = 16 * 1024 * 1024;
/// The smallest buffer there can be for a connection; limits of headers may be lower.
const SMALLEST_BUFFER: usize = 8 * 1024;

/// What answers the requests of one connection.
pub(super) trait Answer: Clone + Send + Unpin + 'static {
    fn answer(self, request: Request<Incoming>, ends: Arc<Ends>) -> BoxFuture<'static, Answered>;
}

/// What holds for every connection of a listener.
pub(super) struct House {
    pub(super) limits: HttpLimits,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) room: Arc<Room>,
    /// Whether a client that ended its side is served to the end of its request. Where answers go on and on it has left,
    /// and what it was told would go on for nobody.
    pub(super) half_close: bool,
    /// Raised with the moment by which everything must have ended.
    pub(super) stop: Arc<Signal<WallTime>>,
}

/// Why a connection is asked to go.
enum Farewell {
    /// The server stops; it may take until then to answer what it was asked.
    Stop(WallTime),
    /// Others need its place; should a request have come at the last moment, it has that time.
    Evicted(Duration),
    Overdue(Limit),
}

impl House {
    /// A place for a new connection, if there is one.
    pub(super) fn admit(&self) -> Option<Place> {
        // A TLS handshake is due at once, a request need not be.
        self.room.admit(if self.tls.is_some() { Traffic::greeting() } else { Traffic::silent() })
    }

    /// Serves a connection until the client leaves, is asked to leave, or has used up a limit.
    pub(super) async fn serve<A: Answer>(&self, stream: TcpStream, place: Place, answer: A) {
        let (Ok(local), Ok(peer)) = (stream.local_addr(), stream.peer_addr()) else { return };
        let (ends, traffic) = (Ends::new(local, peer), Arc::clone(&place.traffic));
        let service = Http1 { answer, ends, traffic, slot: Arc::default() };
        let stream = Watched::heads(stream, Arc::clone(&place.traffic));
        let Some(acceptor) = &self.tls else { return self.converse(stream, service, &place).await };
        let greeted = tokio::select! {
            biased;
            greeted = acceptor.accept(stream).into_fallible() => greeted,
            _ = self.farewell(&place.traffic) => return,
        };
        match greeted {
            Ok(stream) => {
                place.traffic.greeted();
                self.converse(stream, service, &place).await;
            }
            Err((error, stream)) => {
                tracing::debug!(%error, "a client did not come to speak TLS");
                self.linger(stream, &place.traffic).await;
            }
        }
    }

    async fn converse<S, A>(&self, stream: S, service: Http1<A>, place: &Place)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        A: Answer,
    {
        let traffic = &place.traffic;
        let slot = Arc::clone(&service.slot);
        let mut builder = http1::Builder::new();
        if self.limits.max_headers != HttpLimits::HEADERS_ON_THE_STACK {
            builder.max_headers(self.limits.max_headers);
        }
        let mut connection = builder
            // The limit of time is ours: hyper's arms a timer for every request.
            .header_read_timeout(None)
            .max_header_size(self.limits.max_header_bytes)
            .max_buf_size(self.limits.max_header_bytes.max(SMALLEST_BUFFER))
            // A client that ends its side after a request, or leaves, has asked all the same, unless answers may be long.
            .half_close(self.half_close)
            .serve_connection(TokioIo::new(stream), service);
        let farewell = tokio::select! {
            biased;
            raw = underway(&mut connection, &slot, traffic) => match raw {
                None => None,
                Some(raw) => return self.send(raw, connection.into_parts().io.into_inner(), traffic).await,
            },
            farewell = self.farewell(traffic) => Some(farewell),
        };
        let until = match farewell {
            None | Some(Farewell::Overdue(Limit::Opening)) => {
                return self.linger(connection.into_parts().io.into_inner(), traffic).await;
            }
            Some(Farewell::Stop(until)) => until,
            Some(Farewell::Evicted(time)) if traffic.is_busy() => WallTime::now().after(time),
            Some(Farewell::Evicted(_)) => return,
            Some(Farewell::Overdue(Limit::Idle)) => WallTime::now().after(self.limits.wind_up_time),
            Some(Farewell::Overdue(Limit::Writing)) => return traffic.cut(),
        };
        Pin::new(&mut connection).graceful_shutdown();
        let ending = async {
            let raw = underway(&mut connection, &slot, traffic).await;
            let mut stream = connection.into_parts().io.into_inner();
            if let Some(raw) = raw {
                return self.send(raw, stream, traffic).await;
            }
            if has_read_everything(&mut stream).await {
                // Nothing can be lost, and clients that keep connections for later would hold the end of the server.
                let _ = stream.shutdown().await;
            } else {
                self.linger(stream, traffic).await;
            }
        };
        tokio::select! { biased; () = ending => {}, () = until.reached() => {} }
    }

    /// Sends what is to leave in the place of an answer, and ends the connection as was asked for.
    async fn send<S: AsyncRead + AsyncWrite + Unpin>(&self, raw: Hijack, mut stream: S, traffic: &Traffic) {
        let Hijack { raw: Raw { mut bytes, end }, underway } = raw;
        let sent = {
            let (mut from_client, mut to_client) = tokio::io::split(&mut stream);
            let sending = async {
                while let Some(bytes) = bytes.next().await {
                    to_client.write_all(&bytes).await?;
                    to_client.flush().await?;
                }
                io::Result::Ok(())
            };
            let left = async {
                if self.half_close {
                    std::future::pending::<()>().await;
                }
                let mut buffer = [0; 256];
                while from_client.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            };
            let time_is_up = async {
                match self.farewell(traffic).await {
                    Farewell::Stop(until) => until.reached().await,
                    Farewell::Evicted(time) => WallTime::now().after(time).reached().await,
                    Farewell::Overdue(_) => traffic.cut(),
                }
            };
            tokio::select! {
                biased;
                sent = sending => sent.is_ok(),
                () = time_is_up => false,
                () = left => false,
            }
        };
        drop(underway);
        match end {
            End::Reset => traffic.cut(),
            End::Close if sent => self.linger(stream, traffic).await,
            End::Close => {}
        }
    }

    async fn farewell(&self, traffic: &Traffic) -> Farewell {
        let HttpLimits { header_time, idle_time, write_time, .. } = self.limits;
        let patience = Patience { opening: header_time, idle: Some(idle_time), writing: write_time };
        tokio::select! {
            biased;
            until = self.stop.wait() => Farewell::Stop(until),
            time = traffic.evicted() => Farewell::Evicted(time),
            limit = traffic.overdue(patience) => Farewell::Overdue(limit),
        }
    }

    /// Ends a connection so that the client can read the last answer.
    ///
    /// A socket closed with unread bytes in it is reset, and a reset takes the answer with it; a client that is still
    /// sending what was refused, a body above the limit for one, would never learn why.
    async fn linger<S: AsyncRead + AsyncWrite + Unpin>(&self, mut stream: S, traffic: &Traffic) {
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
        let stopped = async { self.stop.wait().await.reached().await };
        tokio::select! {
            biased;
            _ = tokio::time::timeout(self.limits.wind_up_time, reading_on) => {}
            _ = traffic.evicted() => {}
            () = stopped => {}
        }
    }
}

/// Whether there is nothing to be read at the moment, not even the end.
async fn has_read_everything<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut byte = [0];
    tokio::task::unconstrained(stream.read(&mut byte)).now_or_never().is_none()
}

/// Bytes that take the connection from HTTP, and the request that they answer.
struct Hijack {
    raw: Raw,
    underway: Underway,
}

type Slot = Arc<Mutex<Option<Hijack>>>;

/// Serves until the connection is over, or is to be taken from HTTP.
async fn underway<S, A>(
    connection: &mut http1::Connection<TokioIo<S>, Http1<A>>,
    slot: &Slot,
    traffic: &Traffic,
) -> Option<Hijack>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    A: Answer,
{
    std::future::poll_fn(|context| {
        if connection.poll_without_shutdown(context).is_ready() {
            return Poll::Ready(None);
        }
        // As long as the client has not taken the answers before, they are in buffers that would be lost.
        if traffic.is_stuck() {
            return Poll::Pending;
        }
        let hijack = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        hijack.map_or(Poll::Pending, |hijack| Poll::Ready(Some(hijack)))
    })
    .await
}

struct Http1<A> {
    answer: A,
    ends: Arc<Ends>,
    traffic: Arc<Traffic>,
    /// Where an answer goes that HTTP has no words for.
    slot: Slot,
}

impl<A: Answer> Service<Request<Incoming>> for Http1<A> {
    type Response = hyper::Response<Answering<Body>>;
    type Error = Infallible;
    type Future = Reply;

    fn call(&self, request: Request<Incoming>) -> Reply {
        let underway = self.traffic.request();
        let answer = self.answer.clone().answer(request, Arc::clone(&self.ends));
        Reply { answer: Some(answer), underway: Some(underway), slot: Arc::clone(&self.slot) }
    }
}

/// An answer that is on its way.
struct Reply {
    /// `None` once the connection is to be taken from HTTP: then there is nothing to wait for.
    answer: Option<BoxFuture<'static, Answered>>,
    /// Goes with the answer's body.
    underway: Option<Underway>,
    slot: Slot,
}

impl Future for Reply {
    type Output = Result<hyper::Response<Answering<Body>>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(answer) = &mut self.answer else { return Poll::Pending };
        let Poll::Ready(answered) = answer.as_mut().poll(context) else { return Poll::Pending };
        let underway = self.underway.take().expect("a future is not polled after its end");
        match answered {
            Answered::Whole(response) => Poll::Ready(Ok(response.map(|body| Answering::new(body, underway)))),
            Answered::Raw(raw) => {
                self.answer = None;
                *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(Hijack { raw, underway });
                Poll::Pending
            }
        }
    }
}
