//! Faults of an answer whose end nobody knows yet: a watch, a log that is followed. Its body is never collected: what
//! happens to it happens to its pieces as they come.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderValue, Version};

use super::paced::Pace;
use super::{Answered, Case, End, Raw, garbage, head, hold_up};
use crate::sim::faults::{Effect, Hit};

/// What a rule makes of the body.
///
/// **Chosen**: such a body has no half, so one that is reset or closed ends after its headers; `truncate` lets so many
/// bytes leave first, however long they take to come.
pub(super) fn spoil(case: Case<'_>, hit: &Hit, answer: Response) -> Answered {
    let cut = match hit.effect {
        Some(Effect::Reset) => Some((0, End::Reset)),
        Some(Effect::Close | Effect::Empty) => Some((0, End::Close)),
        Some(Effect::Truncate { bytes }) => Some((bytes as usize, End::Close)),
        _ => None,
    };
    let (mut parts, body) = answer.into_parts();
    let pieces = pieces(body);
    let (simulation, delay, job) = (Arc::clone(case.simulation), hit.delay, case.job);
    let held_up = futures_util::stream::once(async move {
        hold_up(&simulation, delay, "fault: before the body", job).await;
    });
    let held_up = held_up.filter_map(|()| async { None::<Bytes> });
    if let Some((most, end)) = cut {
        let in_chunks = case.version != Version::HTTP_10;
        if in_chunks {
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        let head = futures_util::stream::iter([head(&parts, case.version)]);
        let bytes = head.chain(held_up).chain(first(pieces, most, in_chunks)).boxed();
        return Answered::Raw(Raw { bytes, end });
    }
    let pieces = match hit.effect {
        Some(Effect::Garbage { bytes }) => spoilt(pieces, garbage(bytes, hit.bits)).boxed(),
        Some(Effect::Drip { bytes_per_second }) => {
            let pace = Pace::new(Arc::clone(case.simulation), bytes_per_second, case.job);
            dripping(pieces, pace).boxed()
        }
        _ => pieces,
    };
    let body = Body::from_stream(held_up.chain(pieces).map(Ok::<_, Infallible>));
    Answered::Whole(Response::from_parts(parts, body))
}

impl Case<'_> {
    /// The head of an answer that runs, as it would leave.
    ///
    /// **Chosen**: its length is nobody's to know, so one that is wrong by so many bytes is that of a body of none.
    pub(super) fn head_of_running(self, answer: Response, off_by: i32) -> Bytes {
        let (mut parts, _) = answer.into_parts();
        if off_by == 0 {
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        } else {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(off_by.max(0)));
        }
        head(&parts, self.version)
    }
}

/// A body that breaks ends there: whoever made it has said why, and there are no words for it on the wire.
fn pieces(body: Body) -> BoxStream<'static, Bytes> {
    let data = body.into_data_stream().take_while(|piece| std::future::ready(piece.is_ok()));
    data.filter_map(|piece| std::future::ready(piece.ok()))
        .filter(|piece| std::future::ready(!piece.is_empty()))
        .boxed()
}

/// The first so many bytes. In chunks, the last of them is left without its end, so that it cannot be taken for all of
/// the body.
fn first(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
    most: usize,
    in_chunks: bool,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let pieces = Box::pin(pieces);
    futures_util::stream::unfold((pieces, most), move |(mut pieces, left)| async move {
        if left == 0 {
            return None;
        }
        let piece = pieces.next().await?;
        let leaves = left.min(piece.len());
        let mut bytes = Vec::with_capacity(piece.len() + 16);
        if in_chunks {
            bytes.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        }
        bytes.extend_from_slice(&piece[..leaves]);
        if in_chunks && leaves == piece.len() {
            bytes.extend_from_slice(b"\r\n");
        }
        Some((Bytes::from(bytes), (pieces, left - leaves)))
    })
}

/// The pieces, the first bytes of all replaced by others.
fn spoilt(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
    mut garbage: Bytes,
) -> impl Stream<Item = Bytes> + Send + 'static {
    pieces.map(move |piece| {
        let others = garbage.split_to(garbage.len().min(piece.len()));
        Bytes::from([&others[..], &piece[others.len()..]].concat())
    })
}

/// The pieces, so many bytes in a second.
fn dripping(pieces: BoxStream<'static, Bytes>, pace: Pace) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold(
        (pieces, Bytes::new(), pace),
        |(mut pieces, mut left, mut pace)| async move {
            if left.is_empty() {
                left = pieces.next().await?;
                // A pause is no credit: what comes after it drips as well.
                pace.begin_anew();
            }
            let drop = pace.next(&mut left).await;
            Some((drop, (pieces, left, pace)))
        },
    )
}
