//! What no HTTP library can be made to do: answers that are cut off, never come, or are none.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

/// What is done to whoever connects.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw {
    /// The request is read, then the connection ends.
    Close,
    /// It ends with most of the request unread, which resets it.
    Reset,
    /// Bytes that are no HTTP.
    Garbage,
    /// A body that ends before its length.
    Truncated,
    /// A body in chunks that ends between two of them.
    EarlyClose,
    /// Nothing, ever.
    Stall,
    /// Half an answer, and nothing more.
    StallInside,
}

/// Its address; it lives as long as the test's process.
pub(crate) fn start(raw: Raw, host: IpAddr) -> SocketAddr {
    let listener = TcpListener::bind((host, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        // Connections that are kept open.
        let mut held = Vec::new();
        for connection in listener.incoming().flatten() {
            held.extend(answer(raw, connection));
        }
    });
    address
}

/// The connection, where it must stay open.
fn answer(raw: Raw, mut connection: TcpStream) -> Option<TcpStream> {
    // Every request here fits into the first segment.
    let mut request = [0; 16 * 1024];
    let room = if matches!(raw, Raw::Reset) { 1 } else { request.len() };
    let _ = connection.read(&mut request[..room]);
    let head = "HTTP/1.1 200 OK\r\nx-request-id: a\r\ncontent-type: application/json\r\n";
    let (said, stays) = match raw {
        Raw::Close | Raw::Reset => (String::new(), false),
        Raw::Garbage => (String::from("\u{0}\u{1}\u{fffd} 4711 nope\r\n\r\n"), false),
        Raw::Truncated => (format!("{head}content-length: 100\r\n\r\n{{\"lowest"), false),
        Raw::EarlyClose => (format!("{head}transfer-encoding: chunked\r\n\r\n5\r\n{{\"low\r\n"), false),
        Raw::Stall => (String::new(), true),
        Raw::StallInside => (format!("{head}content-length: 100\r\n\r\n{{"), true),
    };
    let _ = connection.write_all(said.as_bytes());
    stays.then_some(connection)
}
