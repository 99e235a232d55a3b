//! HTTP/1.1 by hand: requests as bytes, answers read off the connection one after the other.
//!
//! What a client library would put right before it reaches the server (paths, header blocks, lengths that lie) goes
//! out as it is written here.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::common::Answer;

/// After this long without a byte a test fails instead of hanging.
const HANG: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Wire<S = TcpStream>(BufReader<S>);

/// A socket on which nothing lasts for ever.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_nodelay(true).expect("a socket option");
    stream.set_read_timeout(Some(HANG)).expect("a socket option");
    stream.set_write_timeout(Some(HANG)).expect("a socket option");
    stream
}

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Self {
        Self::over(connect(address))
    }

    /// Tells the server that nothing more will come.
    pub(crate) fn end_sending(&mut self) {
        self.0.get_mut().shutdown(Shutdown::Write).expect("the connection is open");
    }

    /// Whether the server has ended its side, as of now; there must be nothing else to be read.
    pub(crate) fn is_closed(&self) -> bool {
        self.peek().is_some_and(|bytes| {
            assert_eq!(bytes, 0, "nothing but the end");
            true
        })
    }

    /// Whether there is something to be read, as of now, and it is not the end.
    pub(crate) fn has_bytes(&self) -> bool {
        self.peek().is_some_and(|bytes| {
            assert_ne!(bytes, 0, "not the end");
            true
        })
    }

    /// How many bytes there are, at least; none are the end.
    fn peek(&self) -> Option<usize> {
        assert_eq!(self.0.buffer(), b"", "everything was read");
        let stream = self.0.get_ref();
        stream.set_nonblocking(true).expect("a socket option");
        let peeked = stream.peek(&mut [0]);
        stream.set_nonblocking(false).expect("a socket option");
        match peeked {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => None,
            Err(error) => panic!("an orderly end: {error}"),
        }
    }
}

impl<S: Read + Write> Wire<S> {
    pub(crate) fn over(stream: S) -> Self {
        Self(BufReader::new(stream))
    }

    pub(crate) fn inner(&self) -> &S {
        self.0.get_ref()
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.try_send(bytes).expect("the server takes what is sent");
    }

    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// The next answer.
    pub(crate) fn answer(&mut self) -> Answer {
        let mut answer = self.head();
        let length = answer.headers.get("content-length").expect("every answer with a body tells its length");
        let length: usize = length.to_str().expect("a number").parse().expect("a number");
        answer.body = vec![0; length];
        self.0.read_exact(&mut answer.body).expect("the whole body");
        answer
    }

    /// The next answer where it has no body: one to HEAD, or an interim one.
    pub(crate) fn head(&mut self) -> Answer {
        let line = self.line();
        let (version, rest) = line.split_once(' ').expect("a status line");
        assert!(["HTTP/1.1", "HTTP/1.0"].contains(&version), "{line}");
        let status = rest.split(' ').next().expect("a status").as_bytes();
        let status = StatusCode::from_bytes(status).expect("a status");
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line();
            if line.is_empty() {
                return Answer { status, headers, body: Vec::new() };
            }
            let (name, value) = line.split_once(": ").expect("a header");
            let name: HeaderName = name.parse().expect("a header name");
            headers.append(name, HeaderValue::from_str(value).expect("a header value"));
        }
    }

    /// The next so many bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.0.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("a line of the answer");
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("the answer breaks off after {line:?}")).to_owned()
    }

    /// Everything until the server closes; fails when it resets the connection instead.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("an orderly end");
        rest
    }

    /// Closed without an answer. Where the server has not read all that was sent, the system resets the connection; a
    /// test that cannot know how much was read can tell no more.
    pub(crate) fn assert_cut_off(&mut self) {
        let mut rest = Vec::new();
        let ended = self.0.read_to_end(&mut rest);
        assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
        assert_eq!(String::from_utf8_lossy(&rest), "", "nothing but the end");
    }

    /// How the connection breaks, after whatever is still to be read.
    pub(crate) fn broken(&mut self) -> io::Error {
        self.0.read_to_end(&mut Vec::new()).expect_err("no orderly end")
    }

    pub(crate) fn assert_closed(&mut self) {
        assert_eq!(String::from_utf8_lossy(&self.rest()), "", "nothing but the end");
    }
}

/// A request with a body of known length; none is announced for an empty one.
pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\n");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        text.push_str("host: localhost\r\n");
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// The answer to one request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &[u8]) -> Answer {
    let mut wire = Wire::to(address);
    wire.send(&request(method, path, &[], body));
    if method == "HEAD" { wire.head() } else { wire.answer() }
}
