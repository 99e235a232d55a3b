//! A call's frames as messages, with what rules make of them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

use crate::api::effect::{Line, Order, hold_up};
use crate::api::status;
use crate::domain::ids::JobId;
use crate::domain::job::StreamEnd;
use crate::domain::time::Moment;
use crate::sim::Simulation;
use crate::sim::counts::Source;
use crate::sim::faults::{Corruption, Effect, GrpcCode, Hit, Point, StatusDetails, StreamPoint, Subject};
use crate::sim::stream::{Frame, Next, StreamCall};

/// The error code of HTTP/2 with which real servers go away.
const INTERNAL_ERROR: u32 = 2;

/// The messages of a call.
pub(super) type Messages<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// Who calls, from where, and for what.
pub(super) struct Caller {
    pub(super) job: JobId,
    pub(super) stream: i32,
    pub(super) view: Option<u8>,
    pub(super) metadata: MetadataMap,
    pub(super) line: Line,
}

/// A caller at some frame.
struct At<'a>(&'a Caller, Option<u64>);

impl Subject for At<'_> {
    fn resource(&self) -> String {
        format!("{}/{}", self.0.job, self.0.stream)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.0.metadata.get(name)?.to_str().ok()
    }

    fn caller(&self) -> Option<Cow<'_, str>> {
        Some(self.0.line.peer?.ip().to_canonical().to_string().into())
    }

    fn job(&self) -> Option<JobId> {
        Some(self.0.job)
    }

    fn view(&self) -> Option<u8> {
        self.0.view
    }

    fn stream(&self) -> Option<u32> {
        u32::try_from(self.0.stream).ok()
    }

    fn frame(&self) -> Option<u64> {
        self.1
    }
}

/// How a call goes on after everything that was to be sent.
enum Last {
    /// It ends well.
    Ok,
    /// It ends with a status.
    Status(Status),
    /// The server says nothing any more. A call that the world knows takes no rows either, and is over with its job: a
    /// client that would read is none that makes no progress.
    Silence,
    /// The connection goes, and the call with it.
    Lost(Order),
}

impl Caller {
    /// The first rule that does not pass, after its delay.
    async fn judge(&self, simulation: &Simulation, point: StreamPoint, frame: Option<u64>) -> Option<Hit> {
        let hit = self.hit(simulation, point, frame)?;
        self.hold_up(simulation, &hit).await;
        Some(hit)
    }

    /// The same before its delay.
    fn hit(&self, simulation: &Simulation, point: StreamPoint, frame: Option<u64>) -> Option<Hit> {
        if !simulation.faults().any_at_grpc() {
            return None;
        }
        simulation.judge(Point::Grpc(point), &At(self, frame), None)
    }

    async fn hold_up(&self, simulation: &Simulation, hit: &Hit) {
        hold_up(simulation, hit.delay, "fault: call held up", Some(self.job)).await;
    }

    /// What a rule has for this call before the world hears of it.
    pub(super) async fn opens<M: Send + 'static>(
        &self,
        simulation: &Simulation,
    ) -> Option<Result<Response<Messages<M>>, Status>> {
        let effect = self.judge(simulation, StreamPoint::Open, None).await?.effect?;
        Some(match Self::last(&effect)? {
            Last::Status(status) => Err(status),
            // The headers come, so that the client learns that its call was taken.
            Last::Ok | Last::Silence => {
                Ok(Response::new(Box::pin(futures_util::stream::pending()) as Messages<M>))
            }
            Last::Lost(order) => {
                self.line.end(order);
                std::future::pending().await
            }
        })
    }

    /// How an effect ends the call, if it does.
    fn last(effect: &Effect) -> Option<Last> {
        match effect {
            Effect::EndCall { code, message, details } => {
                Some(Last::Status(ended_with(*code, message, details.as_ref())))
            }
            Effect::Silence => Some(Last::Silence),
            Effect::GoAway { code } => Some(Last::Lost(Order::GoAway { code: *code, text: "" })),
            Effect::Reset => Some(Last::Lost(Order::Reset)),
            _ => None,
        }
    }

    /// How the world's end of a call is told.
    fn told(end: StreamEnd) -> Last {
        if end == StreamEnd::GoneAway {
            return Last::Lost(Order::GoAway { code: INTERNAL_ERROR, text: "Cancelling all calls" });
        }
        status::grpc_ended(end).map_or(Last::Ok, |(code, text)| Last::Status(Status::new(code, text)))
    }
}

/// A status as a rule asks for it.
fn ended_with(code: GrpcCode, message: &str, details: Option<&StatusDetails>) -> Status {
    let code = status::grpc_forced(code);
    let Some(details) = details else { return Status::new(code, message) };
    let mut all = ErrorDetails::new();
    all.set_error_info(details.reason.clone(), details.domain.clone(), []);
    if details.retry_after.is_some() {
        all.set_retry_info(details.retry_after);
    }
    Status::with_error_details(code, message, all)
}

/// A message that frames become.
pub(super) trait Message: Clone + Send + 'static {
    /// The message of a frame, which is the so-manieth of its call.
    fn of(frame: Frame, call: &StreamCall, number: i64) -> Self;

    /// Every float is NaN.
    fn spoil_values(&mut self);

    /// It says that it has more than there is.
    fn spoil_shape(&mut self);
}

/// A call that is being read.
struct Reading<M> {
    /// `None` once the call is closed.
    call: Option<StreamCall>,
    caller: Caller,
    /// How many frames the world gave.
    frames: u64,
    /// How many it may give.
    most: Option<i64>,
    /// With the moments at which they should have left.
    ready: VecDeque<(M, Moment)>,
    /// A frame that waits for the one after it.
    held: Option<(M, Moment)>,
    last: Option<Last>,
    spoilt: Arc<Spoilt>,
    /// How many messages have left.
    sent: u64,
    /// Where those of all calls are counted, and whose clock says how late they are.
    world: Weak<Simulation>,
    source: Source,
}

/// A call's frames as messages, each with its number from 0 on; at most so many, where there is a limit.
///
/// The call is closed before its end is told, or when the messages are dropped. One that ends at its limit stays open
/// until the transport has taken the last message: a client that does not read it is found out as with any other.
pub(super) fn messages<M: Message>(
    call: StreamCall,
    caller: Caller,
    most: Option<i64>,
) -> Response<Messages<M>> {
    let (progress, spoilt) = (call.progress(), Arc::<Spoilt>::default());
    let world = Arc::downgrade(call.simulation());
    let source = call.terms().request.playback().into();
    let reading = Reading {
        call: Some(call),
        caller,
        frames: 0,
        most,
        ready: VecDeque::new(),
        held: None,
        last: None,
        spoilt: Arc::clone(&spoilt),
        sent: 0,
        world,
        source,
    };
    let messages = futures_util::stream::unfold(reading, |mut reading: Reading<M>| async move {
        let message = reading.next().await?;
        Some((message, reading))
    });
    let mut response = Response::new(Box::pin(messages) as Messages<M>);
    response.extensions_mut().insert(progress);
    response.extensions_mut().insert(spoilt);
    response
}

impl<M: Message> Reading<M> {
    async fn next(&mut self) -> Option<Result<M, Status>> {
        loop {
            if let Some((message, due)) = self.ready.pop_front() {
                self.sent += 1;
                if let Some(world) = self.world.upgrade() {
                    world.streamed().frame(self.source, world.clock().now().since(due));
                }
                return Some(Ok(message));
            }
            if self.last.is_some() {
                return self.end().await;
            }
            self.read().await;
        }
    }

    /// Takes the next frame, or the end.
    async fn read(&mut self) {
        let Some(call) = &mut self.call else { return };
        let over = self.most.is_some_and(|most| u64::try_from(most).is_ok_and(|most| self.frames >= most));
        let next = if over { Next::End(StreamEnd::PlayedOut) } else { call.next().await };
        match next {
            Next::Frame(frame) => {
                let number = self.frames;
                self.frames += 1;
                let due = frame.due;
                let message = M::of(frame, call, i64::try_from(number).unwrap_or(i64::MAX));
                let simulation = Arc::clone(call.simulation());
                let hit = self.caller.hit(&simulation, StreamPoint::Frame, Some(number));
                if let Some(hit) = &hit {
                    let ended = tokio::select! {
                        biased;
                        () = self.caller.hold_up(&simulation, hit) => None,
                        end = call.ended() => Some(end),
                    };
                    if let Some(end) = ended {
                        // The job has gone meanwhile: what is held up waits for nothing any more.
                        return self.ends(end, true).await;
                    }
                }
                match hit {
                    Some(Hit { effect: Some(effect), .. }) => self.spoil(message, due, &effect),
                    Some(Hit { effect: None, .. }) | None => self.send(message, due),
                }
            }
            Next::End(end) => self.ends(end, !over).await,
        }
    }

    /// The world, or the limit of the request, ends the call.
    async fn ends(&mut self, end: StreamEnd, by_the_world: bool) {
        let simulation = self.call.as_ref().map(|call| Arc::clone(call.simulation()));
        if by_the_world {
            // However long a rule holds up the news: nothing of the job is held meanwhile.
            self.call = None;
        }
        let mut last = Caller::told(end);
        if let Some(simulation) = simulation
            && let Some(hit) = self.caller.judge(&simulation, StreamPoint::End, None).await
            && let Some(instead) = hit.effect.and_then(|effect| Caller::last(&effect))
        {
            last = instead;
        }
        self.finish(last);
    }

    fn spoil(&mut self, mut message: M, due: Moment, effect: &Effect) {
        match effect {
            Effect::Corrupt(Corruption::Values) => message.spoil_values(),
            Effect::Corrupt(Corruption::Shape) => message.spoil_shape(),
            Effect::Corrupt(Corruption::Encoding) => {
                self.spoilt.mark(self.sent + self.ready.len() as u64);
            }
            Effect::Duplicate => self.ready.push_back((message.clone(), due)),
            Effect::Reorder if self.held.is_none() => {
                self.held = Some((message, due));
                return;
            }
            effect => {
                if let Some(last) = Caller::last(effect) {
                    return self.finish(last);
                }
            }
        }
        self.send(message, due);
    }

    fn send(&mut self, message: M, due: Moment) {
        self.ready.push_back((message, due));
        self.ready.extend(self.held.take());
    }

    fn finish(&mut self, last: Last) {
        self.ready.extend(self.held.take());
        self.last = Some(last);
    }

    async fn end(&mut self) -> Option<Result<M, Status>> {
        match self.last.take()? {
            Last::Ok => {
                self.call = None;
                self.last = Some(Last::Ok);
                None
            }
            Last::Status(status) => {
                self.call = None;
                self.last = Some(Last::Ok);
                Some(Err(status))
            }
            Last::Silence => {
                self.last = Some(Last::Silence);
                let Some(call) = &mut self.call else { return std::future::pending().await };
                let end = call.ended().await;
                self.call = None;
                self.last = Some(Caller::told(end));
                match self.last.take()? {
                    Last::Status(status) => Some(Err(status)),
                    Last::Ok | Last::Silence | Last::Lost(_) => None,
                }
            }
            Last::Lost(order) => {
                // The world hears at once that nobody reads any more.
                self.call = None;
                self.last = Some(Last::Lost(order));
                // Several messages may leave in one piece, and that piece does not go before this waits: when it is
                // asked again, everything before the end is in the hands of the transport.
                tokio::task::yield_now().await;
                self.caller.line.end(order);
                std::future::pending().await
            }
        }
    }
}

/// Messages of a call that shall not be decodable, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Spoilt(Mutex<VecDeque<u64>>);

impl Spoilt {
    fn mark(&self, message: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(message);
    }

    /// What leaves in the place of bytes that begin with a message of that number; how many messages they hold.
    pub(super) fn pass(&self, bytes: Bytes, first: u64) -> (Bytes, u64) {
        let mut marked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut spoilt = None;
        let (mut at, mut number) = (0, first);
        while let Some(length) = bytes.get(at + 1..at + 5) {
            let length = length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
            let end = (at + 5 + length).min(bytes.len());
            if marked.front() == Some(&number) {
                marked.pop_front();
                // No tag of a field has so many bits.
                spoilt.get_or_insert_with(|| BytesMut::from(&bytes[..]))[at + 5..end].fill(0xff);
            }
            (at, number) = (end, number + 1);
        }
        (spoilt.map_or(bytes, BytesMut::freeze), number - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_marked_message_of_several_is_spoilt() {
        let spoilt = Spoilt::default();
        spoilt.mark(6);
        let three = Bytes::from_static(b"\0\0\0\0\x01a\0\0\0\0\x02bb\0\0\0\0\0");
        assert_eq!(spoilt.pass(three.clone(), 2), (three.clone(), 3));
        let (bytes, count) = spoilt.pass(three.clone(), 5);
        assert_eq!((&bytes[..], count), (&b"\0\0\0\0\x01a\0\0\0\0\x02\xff\xff\0\0\0\0\0"[..], 3));
        assert_eq!(spoilt.pass(three.clone(), 8), (three, 3));
    }
}
