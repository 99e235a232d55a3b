//! The server as a process of its own, whose threads and file descriptors can be counted from outside.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

pub(super) struct Server {
    process: Child,
    pub(super) rest: SocketAddr,
    /// Kept open, so that whatever the server still prints has somewhere to go.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    pub(super) fn start() -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_focus-mock")))
    }

    /// One that may have only so many files open.
    pub(super) fn with_open_files(limit: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")]);
        shell.arg(env!("CARGO_BIN_EXE_focus-mock"));
        Self::run(shell)
    }

    fn run(mut command: Command) -> Self {
        command.args(["--listen", "127.0.0.1:0", "--admin", "off", "--kube", "off", "--port-base", "0"]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = process.expect("the server's process");
        let mut stdout = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the ready line");
        let ready: Value = serde_json::from_str(&line).expect("the ready line is JSON");
        let rest = ready["rest"].as_str().and_then(|url| url.strip_prefix("http://")).expect("an address");
        Self { process, rest: rest.parse().expect("an address"), _stdout: stdout }
    }

    pub(super) fn open_files(&self) -> usize {
        self.files().len()
    }

    /// How many of the numbers below a limit are taken; what was inherited from us may lie above it.
    pub(super) fn open_files_below(&self, limit: u32) -> u32 {
        u32::try_from(self.files().range(..limit).count()).expect("fewer than the limit")
    }

    fn files(&self) -> BTreeSet<u32> {
        let path = format!("/proc/{}/fd", self.process.id());
        let entries = std::fs::read_dir(path).expect("the process is alive");
        let number = |entry: std::fs::DirEntry| entry.file_name().to_str().and_then(|name| name.parse().ok());
        entries.filter_map(|entry| number(entry.expect("the process is alive"))).collect()
    }

    pub(super) fn threads(&self) -> usize {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("the process is alive");
        let threads =
            status.lines().find_map(|line| line.strip_prefix("Threads:")).expect("a count of threads");
        threads.trim().parse().expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
