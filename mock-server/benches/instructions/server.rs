//! A server as a process of its own, and a client that does next to nothing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use anyhow::Context;
use serde_json::Value;

const CONFIGURATION: &str = r#"{"displayTimeAxisDuration":300,"nfftSelection":1024,"displayInfo":{"height":600},"channels":{"min":1,"max":50},"frequencyRange":{"min":0,"max":500},"view_type":"0"}"#;

/// A request, and the status it is answered with.
pub(crate) struct Request {
    pub(crate) name: &'static str,
    bytes: Vec<u8>,
    status: u16,
}

impl Request {
    pub(crate) fn channels() -> Self {
        Self::new("GET /channels", "GET", "/channels", "", 200)
    }

    pub(crate) fn refused() -> Self {
        let body = CONFIGURATION.replace(r#""min":1,"#, r#""min":51,"#).replace("1024", "1000");
        Self::new("POST /configure refused with 400", "POST", "/configure", &body, 400)
    }

    pub(crate) fn configure() -> Self {
        Self::new("POST /configure", "POST", "/configure", CONFIGURATION, 200)
    }

    pub(crate) fn new(name: &'static str, method: &str, path: &str, body: &str, status: u16) -> Self {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-team: blue\r\n");
        let text = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        Self { name, bytes: text.into_bytes(), status }
    }
}

/// A started server; killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) rest: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Server {
    /// Starts a server by a command: the program itself, or something that runs it.
    pub(crate) fn start(
        mut command: Command,
        arguments: &[&str],
        scenario: Option<&str>,
    ) -> anyhow::Result<Self> {
        let mut file = tempfile::Builder::new().suffix(".yaml").tempfile().context("a scenario file")?;
        command
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--kube", "off", "--port-base", "0"])
            .args(arguments);
        if let Some(scenario) = scenario {
            file.write_all(scenario.as_bytes())?;
            command.arg("--scenario").arg(file.path());
        }
        command
            .env_remove("FOCUS_MOCK_LOG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().context("a server's process")?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("a pipe")?).read_line(&mut line)?;
        let ready: Value = serde_json::from_str(&line).context("the ready line")?;
        let address = |key: &str| {
            let url = ready[key].as_str().and_then(|url| url.strip_prefix("http://"));
            anyhow::Ok(url.with_context(|| format!("the address of {key}"))?.parse()?)
        };
        Ok(Self { rest: address("rest")?, admin: address("admin")?, child })
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        rustix::process::kill_process(pid.context("a process")?, rustix::process::Signal::TERM)?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection that is kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::new() })
    }

    /// Asks, and reads the whole answer; its body.
    pub(crate) fn ask(&mut self, request: &Request) -> anyhow::Result<&[u8]> {
        self.stream.write_all(&request.bytes)?;
        self.read.clear();
        let mut buffer = [0; 16 * 1024];
        loop {
            let count = self.stream.read(&mut buffer)?;
            anyhow::ensure!(count > 0, "the server closed a connection that was kept alive");
            self.read.extend_from_slice(&buffer[..count]);
            let Some(head) = self.read.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let (status, length) = head_of(&self.read[..head]).context("an answer with a length")?;
            anyhow::ensure!(status == request.status, "{} was answered {status}", request.name);
            if self.read.len() >= head + 4 + length {
                return Ok(&self.read[head + 4..]);
            }
        }
    }
}

/// Status and length of the body.
fn head_of(head: &[u8]) -> Option<(u16, usize)> {
    let head = std::str::from_utf8(head).ok()?;
    let length = head.split_once("content-length: ")?.1;
    let length = length.split_once("\r\n").map_or(length, |(length, _)| length);
    Some((head.get(9..12)?.parse().ok()?, length.parse().ok()?))
}
