//! A started program, and a client of a few lines for what it serves.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// After this long without what is waited for, a test fails instead of hanging.
const HANG: Duration = Duration::from_secs(60);

/// The program with these arguments.
pub(crate) fn focus_mock(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_focus-mock"));
    command.args(arguments);
    // What is set where the tests run is none of theirs.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("FOCUS_") {
            command.env_remove(name);
        }
    }
    command
}

/// Arguments that take nothing anybody else could want.
pub(crate) const FREE: [&str; 8] =
    ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--kube", "127.0.0.1:0", "--port-base", "0"];

/// What it wrote to standard error so far.
#[derive(Clone, Default)]
pub(crate) struct Log(Arc<(Mutex<String>, Condvar)>);

impl Log {
    fn read(&self, source: impl Read) {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            let mut text = self.0.0.lock().expect("no panic while it is held");
            text.push_str(&line);
            text.push('\n');
            self.0.1.notify_all();
        }
    }

    pub(crate) fn text(&self) -> String {
        self.0.0.lock().expect("no panic while it is held").clone()
    }

    /// Waits until a text is in it.
    pub(crate) fn wait_for(&self, part: &str) {
        let text = self.0.0.lock().expect("no panic while it is held");
        let wait = self.0.1.wait_timeout_while(text, HANG, |text| !text.contains(part));
        let (text, timeout) = wait.expect("no panic while it is held");
        assert!(!timeout.timed_out(), "{part:?} is missing in what it wrote:\n{text}");
    }
}

/// The program, from its start to its end at the latest with this.
pub(crate) struct Started {
    child: Child,
    lines: Receiver<String>,
    pub(crate) log: Log,
    reader: Option<std::thread::JoinHandle<()>>,
}

/// How it ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// What it wrote to standard output since the last look.
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Started {
    pub(crate) fn new(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let stdout = child.stdout.take().expect("a pipe");
        let stderr = child.stderr.take().expect("a pipe");
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let log = Log::default();
        let into = log.clone();
        let reader = Some(std::thread::spawn(move || into.read(stderr)));
        Self { child, lines, log, reader }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The next line of standard output.
    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(HANG)
            .unwrap_or_else(|_| panic!("no ready line; it wrote:\n{}", self.log.text()))
    }

    /// Waits for its end, at most that long.
    pub(crate) fn end_within(mut self, limit: Duration) -> Ended {
        let mut stdout = String::new();
        loop {
            match self.lines.recv_timeout(limit) {
                Ok(line) => stdout = stdout + &line + "\n",
                // Standard output closes with the process.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it has not ended within {limit:?}; it wrote:\n{}", self.log.text())
                }
            }
        }
        let status = self.child.wait().expect("a child of ours");
        self.reader.take().expect("only here").join().expect("the reader of standard error");
        Ended { status, stdout, stderr: self.log.text() }
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(status.expect("kill").success());
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program once it has said that it answers.
pub(crate) struct Ready {
    pub(crate) program: Started,
    pub(crate) line: String,
    pub(crate) said: Value,
}

impl Ready {
    /// Starts it on free addresses; later arguments win over those.
    pub(crate) fn with(arguments: &[&str]) -> Self {
        Self::of(focus_mock(&with_free(arguments)))
    }

    pub(crate) fn of(command: Command) -> Self {
        let program = Started::new(command);
        let line = program.line();
        let said = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        Self { program, line, said }
    }

    pub(crate) fn rest(&self) -> SocketAddr {
        address(&self.said["rest"])
    }

    pub(crate) fn admin(&self) -> SocketAddr {
        address(&self.said["admin"])
    }

    pub(crate) fn port_base(&self) -> u16 {
        self.said["port_base"].as_u64().and_then(|port| port.try_into().ok()).expect("a port")
    }

    pub(crate) fn job_port(&self, job: &Value) -> SocketAddr {
        let port = job["stream_port"].as_u64().and_then(|port| port.try_into().ok()).expect("a port");
        SocketAddr::new(self.rest().ip(), port)
    }
}

/// The given arguments, and free addresses for what they do not say.
pub(crate) fn with_free<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    let free = FREE.chunks(2).filter(|flag| !arguments.contains(&flag[0])).flatten();
    arguments.iter().copied().chain(free.copied()).collect()
}

/// How it ends when it does not come to serve.
pub(crate) fn failed(arguments: &[impl AsRef<OsStr>]) -> Ended {
    let mut command = focus_mock(&[]);
    command.args(arguments);
    let ended = Started::new(command).end_within(HANG);
    assert_eq!((ended.status.code(), ended.stdout.as_str()), (Some(2), ""), "{}", ended.stderr);
    ended
}

fn address(base: &Value) -> SocketAddr {
    let base = base.as_str().expect("a base");
    base.strip_prefix("http://").and_then(|address| address.parse().ok()).expect("http://address:port")
}

/// One connection to it.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect_timeout(&address, HANG).expect("a connection");
        stream.set_read_timeout(Some(HANG)).expect("a socket option");
        stream.set_nodelay(true).expect("a socket option");
        Self(BufReader::new(stream))
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("it takes what is sent");
    }

    /// Asks and reads the answer: status and body.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let length = body.len();
        self.send(&format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n\r\n{body}"
        ));
        self.answer()
    }

    /// The next answer: status and body.
    pub(crate) fn answer(&mut self) -> (u16, String) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).expect("an answer"), 0, "closed after {head:?}");
        }
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
        };
        let mut body = vec![0; head.lines().find_map(header).unwrap_or(0)];
        self.0.read_exact(&mut body).expect("the whole body");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, String::from_utf8(body).expect("a text"))
    }

    /// Whether the server closes this connection, within a minute.
    pub(crate) fn is_closed_by_the_server(&mut self) -> bool {
        matches!(self.0.read(&mut [0]), Ok(0) | Err(_))
    }

    /// Waits that long for an answer; whether one began to come.
    pub(crate) fn is_answered_within(&mut self, limit: Duration) -> bool {
        let stream = self.0.get_ref();
        stream.set_read_timeout(Some(limit)).expect("a socket option");
        let came = self.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        self.0.get_ref().set_read_timeout(Some(HANG)).expect("a socket option");
        came
    }
}

/// One request on a connection of its own.
pub(crate) fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
    Connection::to(address).ask(method, path, body)
}

/// The answer of a 200, as JSON.
pub(crate) fn json_of((status, body): (u16, String)) -> Value {
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

/// A configuration of three streams.
pub(crate) fn configuration() -> String {
    json!({"displayTimeAxisDuration": 10, "nfftSelection": 1024, "displayInfo": {"height": 1000},
           "channels": {"min": 1, "max": 50}, "frequencyRange": {"min": 0, "max": 500}, "view_type": "0"})
    .to_string()
}

/// Whether something listens there.
pub(crate) fn listens(host: IpAddr, port: u16) -> bool {
    TcpStream::connect_timeout(&SocketAddr::new(host, port), HANG).is_ok()
}
