//! Somebody on the wire before the port of a job who minds pings: HTTP/2 frame by frame, since no library says GOAWAY to
//! what it is told to.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

/// What a client begins with.
const PREFACE: usize = 24;
const HEADER: usize = 9;
/// Where in it the kind of a frame is, and its flags.
const KIND: usize = 3;
const FLAGS: usize = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const ACK: u8 = 1;
/// The reason of a GOAWAY that only takes no other calls.
const NO_ERROR: u8 = 0;

type Frame = Vec<u8>;

/// Starts one that lets so many pings of each connection pass.
pub(crate) fn start(job: SocketAddr, pings: u32, reason: u8) -> Result<SocketAddr, String> {
    let listener = std::net::TcpListener::bind((job.ip(), 0)).map_err(|error| error.to_string())?;
    listener.set_nonblocking(true).map_err(|error| error.to_string())?;
    let listener = TcpListener::from_std(listener).map_err(|error| error.to_string())?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(between(client, job, pings, reason));
        }
    });
    Ok(address)
}

async fn between(client: TcpStream, job: SocketAddr, pings: u32, reason: u8) -> std::io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_job, mut to_job) = TcpStream::connect(job).await?.into_split();
    // One writer of whole frames: a GOAWAY comes between two others, and is the last.
    let (frames, mut written) = unbounded_channel::<Frame>();
    let minds = frames.clone();
    tokio::spawn(async move {
        let mut preface = [0; PREFACE];
        from_client.read_exact(&mut preface).await?;
        to_job.write_all(&preface).await?;
        let mut left = pings;
        while let Some(frame) = next(&mut from_client).await {
            if frame[KIND] == PING && frame[FLAGS] & ACK == 0 {
                if left == 0 {
                    let _ = minds.send(goaway(reason));
                    if reason != NO_ERROR {
                        break;
                    }
                    // Once is enough; what is open goes on.
                    left = u32::MAX;
                }
                left -= 1;
            }
            to_job.write_all(&frame).await?;
        }
        // What the job still says is nobody's business once it is over.
        std::future::pending::<std::io::Result<()>>().await
    });
    tokio::spawn(async move {
        while let Some(frame) = next(&mut from_job).await {
            let _ = frames.send(frame);
        }
    });
    while let Some(frame) = written.recv().await {
        let last = frame[KIND] == GOAWAY;
        to_client.write_all(&frame).await?;
        if last && reason != NO_ERROR {
            return Ok(());
        }
    }
    Ok(())
}

/// A GOAWAY for every stream that there is.
fn goaway(reason: u8) -> Frame {
    let words = b"too_many_pings";
    let length = u8::try_from(8 + words.len()).expect("a short text");
    let last_stream = [0x7f, 0xff, 0xff, 0xff];
    let head = [0, 0, length, GOAWAY, 0, 0, 0, 0, 0];
    [&head[..], &last_stream, &[0, 0, 0, reason], words].concat()
}

/// The next whole frame; `None` when there is no other.
async fn next(from: &mut (impl AsyncRead + Unpin)) -> Option<Frame> {
    let mut frame = vec![0; HEADER];
    from.read_exact(&mut frame).await.ok()?;
    let length = u32::from_be_bytes([0, frame[0], frame[1], frame[2]]) as usize;
    frame.resize(HEADER + length, 0);
    from.read_exact(&mut frame[HEADER..]).await.ok()?;
    Some(frame)
}
