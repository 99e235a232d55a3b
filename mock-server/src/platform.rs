//! What differs between operating systems, each with a portable branch.

use socket2::Socket;

/// Whether a port can be bound again while connections of its former owner wind down.
///
/// On Unix that is what the option means, and a listener needs it. A socket that is bound and does not listen must not
/// have it: another one that has it could take the same port. On Windows the option lets two processes share a port in
/// any case, which would hide conflicts, and rebinding works without it.
pub(crate) fn allow_rebinding(socket: &Socket, allow: bool) -> std::io::Result<()> {
    if cfg!(unix) { socket.set_reuse_address(allow) } else { Ok(()) }
}

/// Raises the soft limit of open files to the hard one; returns what it is then, where there is one.
pub(crate) fn raise_open_files() -> Option<u64> {
    rlimit::increase_nofile_limit(u64::MAX).ok()
}

/// The lowest port that the system gives to outgoing connections.
pub(crate) fn ephemeral_low() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    let low = range.and_then(|range| range.split_whitespace().next()?.parse().ok());
    // Linux starts here; the others start higher.
    low.unwrap_or(32_768)
}

/// How a process is asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By whoever started it, or the system: SIGTERM.
    Terminate,
    /// By somebody at the terminal: SIGINT, Ctrl-C.
    Interrupt,
}

/// The times this process is asked to end. None is lost from the moment this exists.
pub struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Signals {
    #[cfg(unix)]
    pub(crate) fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    #[cfg(windows)]
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    /// Waits for the next time.
    #[cfg(unix)]
    pub async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
        }
    }

    /// Waits for the next time.
    #[cfg(windows)]
    pub async fn next(&mut self) -> Asked {
        self.interrupt.recv().await;
        Asked::Interrupt
    }
}

impl Asked {
    /// The exit status of a process that ends of it at once: 128 and the signal's number.
    #[must_use]
    pub fn exit_status(self) -> i32 {
        match self {
            Self::Terminate => 128 + 15,
            Self::Interrupt => 128 + 2,
        }
    }
}

impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Terminate => "SIGTERM",
            Self::Interrupt if cfg!(windows) => "Ctrl-C",
            Self::Interrupt => "SIGINT",
        })
    }
}

/// The exit status that tells how a command ended: its own, or 128 and the signal that ended it, as shells have it.
#[must_use]
pub fn exit_status(status: std::process::ExitStatus) -> i32 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    status.code().or(signal.map(|signal| 128 + signal)).unwrap_or(1)
}

/// Asks a child to end, where the system has a way to ask; elsewhere it is left to end by itself.
pub fn ask_to_end(child: u32) {
    #[cfg(unix)]
    if let Some(child) = i32::try_from(child).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process(child, rustix::process::Signal::TERM);
    }
    #[cfg(not(unix))]
    let _ = child;
}
