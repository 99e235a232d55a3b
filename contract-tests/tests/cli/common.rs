//! The binary, and servers that a few lines can be.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// The binary without any variable that means something to it.
pub(crate) fn focus_contract(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_focus-contract"));
    command.args(arguments);
    for (name, _) in std::env::vars() {
        if name.starts_with("FOCUS_")
            || ["CI", "ENVIRONMENT", "GITHUB_STEP_SUMMARY", "KUBECONFIG", "VERIFY_SSL"]
                .contains(&name.as_str())
        {
            command.env_remove(name);
        }
    }
    command
}

/// What came of it.
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// With this exit status, whatever else.
    #[track_caller]
    pub(crate) fn with(self, status: i32) -> Self {
        assert_eq!(self.status, status, "\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &str) -> Self {
        assert!(self.out.contains(words), "no {words:?} in\n{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn complains(self, words: &str) -> Self {
        assert!(self.err.contains(words), "no {words:?} in\n{}", self.err);
        self
    }
}

pub(crate) fn ended(mut command: Command) -> Ended {
    let output = command.output().expect("the binary runs");
    Ended {
        status: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

pub(crate) fn run(arguments: &[&str]) -> Ended {
    ended(focus_contract(&[&["run"], arguments].concat()))
}

/// A request as far as the servers here look at it.
pub(crate) struct Asked {
    /// Method and path.
    pub(crate) line: String,
    /// The headers as they came, names in lower case.
    pub(crate) headers: String,
}

/// A server that says what a function says, one request per connection.
pub(crate) struct Server {
    pub(crate) base: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        // It lives as long as the test's process: nobody waits for it.
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                std::thread::spawn(move || {
                    let Some(asked) = read(&connection) else { return };
                    log.lock().expect("the log").push(asked.line.clone());
                    let _ = (&connection).write_all(&answer(&asked));
                });
            }
        });
        Self { base, asked }
    }

    /// Everything that it was asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("the log").clone()
    }
}

fn read(connection: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let line = line.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    let mut headers = String::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        headers.push_str(&header.to_lowercase());
    }
    let length = headers.lines().find_map(|header| header.strip_prefix("content-length: "));
    let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    reader.take(length).read_to_end(&mut Vec::new()).ok()?;
    Some(Asked { line, headers })
}

/// An answer with a request id, and whatever other headers.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} x\r\nx-request-id: a\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Nothing works.
pub(crate) fn broken() -> Server {
    Server::start(|_| answer(500, "", b"boom"))
}
