//! A server as a process of its own, so that what it uses can be told from what the client uses.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::Context;

/// A started server; killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    /// Kept open, so that whatever the server still prints has somewhere to go.
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("a server's process")?;
        let stdout = child.stdout.take().context("a pipe")?;
        Ok(Self { child, stdout: BufReader::new(stdout) })
    }

    /// The next line of its standard output.
    pub(crate) fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        anyhow::ensure!(self.stdout.read_line(&mut line)? > 0, "a server ended before it said its address");
        Ok(line)
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// CPU time used so far in the system's ticks; `None` where the system does not tell.
    pub(crate) fn cpu_ticks(&self) -> Option<u64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).ok()?;
        // After the name, which may contain anything: state, then numbers, utime and stime as the 12th and 13th.
        let fields: Vec<_> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
    }

    /// The same in seconds.
    pub(crate) fn cpu_seconds(&self) -> Option<f64> {
        Some(self.cpu_ticks()? as f64 / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Resident memory in KiB; `None` where the system does not tell.
    pub(crate) fn resident_kib(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
