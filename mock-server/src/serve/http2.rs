//! One HTTP/2 connection to a job's port, from its preface to its last call, within limits of the wall clock.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::Request;
use hyper::body::{Body, Incoming};
use hyper::server::conn::http2;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::frames::LastWords;
use super::room::Place;
use super::traffic::{Limit, Patience, Traffic};
use super::wall::WallTime;
use super::watched::Watched;
use crate::api::effect::{Line, Order};
use crate::config::GrpcLimits;
use crate::sim::signal::Signal;

/// Connection preface and the header of the settings that follow it.
const PREFACE_BYTES: usize = 24 + 9;

/// When a connection is to end although its client would stay.
pub(super) struct Ends {
    /// Raised when the job's port closes, with the time that connections have to wind up.
    pub(super) door: Arc<Signal<Duration>>,
    /// Raised when the server stops, with the moment by which everything must have ended.
    pub(super) server: Arc<Signal<WallTime>>,
    /// Ordered where a call takes the connection with it.
    pub(super) line: Line,
}

/// Serves a connection until the client leaves, or is asked to and its open calls have ended or its time is over.
///
/// Once the preface has arrived the client may be silent for as long as it likes: channels without a call are normal.
pub(super) async fn serve<S, B>(limits: GrpcLimits, stream: TcpStream, place: Place, service: S, ends: Ends)
where
    S: Service<Request<Incoming>, Response = hyper::Response<B>, Error = Infallible> + Send,
    S::Future: Send + 'static,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let traffic = &place.traffic;
    let words = LastWords::default();
    let stream = Watched::greeting(stream, Arc::clone(traffic), PREFACE_BYTES, words.clone());
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(limits.max_header_bytes)
        .max_concurrent_streams(limits.max_calls_per_connection)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let patience = Patience { opening: limits.preface_time, idle: None, writing: limits.write_time };
    let mut overdue = pin!(traffic.overdue(patience));
    let until = tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        time = ends.door.wait() => {
            words.let_read();
            WallTime::now().after(time)
        }
        until = ends.server.wait() => until,
        // Without a preface there is nobody yet to say goodbye to.
        time = traffic.evicted() => if traffic.is_opening() { return } else { WallTime::now().after(time) },
        limit = overdue.as_mut() => return cut_if_unread(traffic, limit),
        order = ends.line.ended() => return obey(order, connection, &words, traffic, limits.wind_up_time, &ends).await,
    };
    connection.as_mut().graceful_shutdown();
    let stopped = async { ends.server.wait().await.reached().await };
    let order = tokio::select! {
        biased;
        _ = connection.as_mut() => return,
        () = until.reached() => return,
        () = stopped => return,
        limit = overdue => return cut_if_unread(traffic, limit),
        order = ends.line.ended() => order,
    };
    obey(order, connection, &words, traffic, limits.wind_up_time, &ends).await;
}

/// Ends a connection as a call has ordered.
async fn obey(
    order: Order,
    mut connection: Pin<&mut impl Future>,
    words: &LastWords,
    traffic: &Traffic,
    wind_up: Duration,
    ends: &Ends,
) {
    // What was to be sent before leaves first, as far as the client takes it: without this it would depend on chance
    // how much of it does.
    let leaving = std::future::poll_fn(|context| Poll::Ready(connection.as_mut().poll(context).is_ready()));
    if tokio::task::unconstrained(leaving).await {
        return;
    }
    match order {
        Order::Reset => traffic.cut(),
        Order::GoAway { code, text } => {
            words.go_away(code, text);
            // A socket closed with unread bytes in it is reset, and the last words would be lost.
            let stopped = async { ends.server.wait().await.reached().await };
            tokio::select! {
                biased;
                _ = connection => {}
                () = WallTime::now().after(wind_up).reached() => {}
                () = stopped => {}
            }
        }
    }
}

/// A client that reads nothing would not see the end either.
fn cut_if_unread(traffic: &Traffic, limit: Limit) {
    if limit == Limit::Writing {
        traffic.cut();
    }
}
