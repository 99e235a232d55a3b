//! Connections that are kept alive by pings.

use std::time::Duration;

use crate::bodies::light;
use crate::case::{Capability, Case, Tag};
use crate::client::http2::Http2;
use crate::failure::Failure;
use crate::story::Story;

pub(crate) static CASES: &[Case] = &[Case {
    id: "streams/grpc-keepalive",
    claim: "clients may ping every 30 seconds, with a call and without one",
    keys: &[],
    tags: &[Tag::Long],
    needs: &[Capability::Writes, Capability::Grpc],
    steps: &[
        "configure Light",
        "a connection with an open call, and another one without any",
        "six times: 30 s, then a ping on both",
        "open a call on each",
    ],
    expects: "every ping answered, no GOAWAY on either, frames all the time, and both take another call",
    body: |story| Box::pin(grpc_keepalive(story)),
}];

/// How often known clients ping.
const PING: Duration = Duration::from_secs(30);
/// For three minutes.
const PINGS: u32 = 6;

/// The pings are sent by hand: a library sends them in real time, and here 30 s pass on the server's clock where that is
/// held. Whether a server minds pings it decides by real time, so there six at once are a harder demand.
async fn grpc_keepalive(story: &Story) -> Result<(), Failure> {
    let pacer = story.pacer();
    let job = story.configure(&light()).await?;
    let authority = story.authority(&job);
    let patience = story.patience();
    let mut with = Http2::connect("the connection with a call", &authority, patience).await?;
    let mut without = Http2::connect("the connection without a call", &authority, patience).await?;
    let mut call = with.stream_data(0).await?;
    for _ in 0..PINGS {
        let before = call.bytes();
        pacer.pass(PING).await?;
        with.ping().await?;
        without.ping().await?;
        call.until_more_than(before).await?;
    }
    // A GOAWAY that lets open calls go on takes no other one.
    for connection in [&mut with, &mut without] {
        connection.stream_data(1).await?.until_more_than(0).await?;
    }
    drop((with, without));
    story.cancel(&job).await?;
    Ok(())
}
