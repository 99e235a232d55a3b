//! What a connection's traffic is seen by: the socket below everything else, and the body of each answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body::{Body, Frame, SizeHint};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::frames::{Frames, LastWords};
use super::traffic::{Traffic, Underway};

/// A socket whose traffic is noted.
pub(super) struct Watched {
    stream: TcpStream,
    traffic: Arc<Traffic>,
    expected: Expected,
    ending: Option<Ending>,
}

/// How the words of an HTTP/2 connection end.
struct Ending {
    frames: Frames,
    words: LastWords,
    /// What is left to be said of them; empty once all is said.
    saying: Option<Vec<u8>>,
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
        Self { stream, traffic, expected: Expected::Heads, ending: None }
    }

    /// A socket for frames of HTTP/2 that begins with a greeting of so many bytes, and may be given last words.
    pub(super) fn greeting(stream: TcpStream, traffic: Arc<Traffic>, bytes: usize, words: LastWords) -> Self {
        let ending = Some(Ending { frames: Frames::new(), words, saying: None });
        Self { stream, traffic, expected: Expected::Greeting { missing: bytes }, ending }
    }

    /// Says the last words if they are due and no frame is in the middle of leaving; whether all of them are said.
    fn poll_say(&mut self, context: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let Some(ending) = &mut self.ending else { return Poll::Ready(Ok(false)) };
        let Some((code, text)) = ending.words.get() else { return Poll::Ready(Ok(false)) };
        if ending.saying.is_none() && !ending.frames.is_between() {
            return Poll::Ready(Ok(false));
        }
        let frames = &ending.frames;
        let saying = ending.saying.get_or_insert_with(|| frames.go_away(code, text));
        while !saying.is_empty() {
            let said = ready!(Pin::new(&mut self.stream).poll_write(context, saying))?;
            saying.drain(..said);
            if saying.is_empty() {
                ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
            }
        }
        Poll::Ready(Ok(true))
    }

    /// Writes up to the end of the frame that is leaving, then the last words; what comes after them is swallowed.
    fn poll_write_last(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if ready!(self.poll_say(context))? {
            return Poll::Ready(Ok(bytes.len()));
        }
        let most = self.ending.as_ref().map_or(bytes.len(), |ending| ending.frames.until_next());
        let bytes = &bytes[..bytes.len().min(most)];
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.left(&polled, &[io::IoSlice::new(bytes)]);
        self.wrote(polled)
    }

    fn has_last_words(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.words.get().is_some())
    }

    /// Follows the frames of what was written.
    fn left(&mut self, polled: &Poll<io::Result<usize>>, slices: &[io::IoSlice<'_>]) {
        let (Some(ending), Poll::Ready(Ok(written))) = (&mut self.ending, polled) else { return };
        let mut left = *written;
        for slice in slices {
            let gone = left.min(slice.len());
            ending.frames.left(&slice[..gone]);
            left -= gone;
        }
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
        if self.has_last_words() {
            // Whether they could be said or not, reading goes on.
            let _ = self.poll_say(context);
        }
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
        if self.has_last_words() {
            return self.poll_write_last(context, bytes);
        }
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.left(&polled, &[io::IoSlice::new(bytes)]);
        self.wrote(polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.has_last_words() {
            let first = slices.iter().find(|slice| !slice.is_empty());
            return self.poll_write_last(context, first.map_or(&[], |slice| slice));
        }
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.left(&polled, slices);
        self.wrote(polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.has_last_words() {
            let _ = ready!(self.poll_say(context))?;
        }
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_shutdown(context))?;
        // A socket closed with unread bytes in it is reset, and what its client has not read yet would be lost.
        let mut scratch = [0; 4096];
        while self.ending.as_ref().is_some_and(|ending| ending.words.are_to_be_read()) {
            let mut unread = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(context, &mut unread));
            if read.is_err() || unread.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    #[tokio::test]
    async fn a_slow_client_gets_everything_although_it_has_sent_what_nobody_reads() {
        const BYTES: usize = 256 << 10;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a listener");
        let socket = TcpSocket::new_v4().expect("a socket");
        // All of it fits on the server's side, and next to nothing of it on the client's.
        socket.set_recv_buffer_size(4096).expect("a small buffer");
        let connecting = socket.connect(listener.local_addr().expect("an address"));
        let mut client = connecting.await.expect("a client");
        let (stream, _) = listener.accept().await.expect("a connection");
        SockRef::from(&stream).set_send_buffer_size(4 * BYTES).expect("a large buffer");
        let words = LastWords::default();
        let mut server = Watched::greeting(stream, Traffic::greeting(), 0, words.clone());
        words.let_read();
        client.write_all(b"a window that is wider now").await.expect("bytes that nobody reads");
        let serving = tokio::spawn(async move {
            server.write_all(&vec![b'x'; BYTES]).await.expect("bytes");
            server.shutdown().await.expect("an end");
        });
        let mut got = Vec::with_capacity(BYTES);
        let read = client.read_to_end(&mut got).await;
        assert_eq!((read.map_err(|error| error.kind()), got.len()), (Ok(BYTES), BYTES));
        drop(client);
        serving.await.expect("it ends with its client");
    }
}
