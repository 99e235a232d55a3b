//! What differs between operating systems, each with a portable branch.

use socket2::Socket;

/// Whether a port can be bound again while connections of its former owner wind down.
///
/// On Unix that is what the option means, and a listener needs it. A socket that is bound and does not listen must not
/// have it: another one that has it could take the same port. On Windows the option lets two processes share a port in
/// any case, which would hide conflicts, and rebinding works without it.
pub(super) fn allow_rebinding(socket: &Socket, allow: bool) -> std::io::Result<()> {
    if cfg!(unix) { socket.set_reuse_address(allow) } else { Ok(()) }
}

/// Raises the soft limit of open files to the hard one; returns what it is then, where there is one.
pub(super) fn raise_open_files() -> Option<u64> {
    rlimit::increase_nofile_limit(u64::MAX).ok()
}

/// The lowest port that the system gives to outgoing connections.
pub(super) fn ephemeral_low() -> u16 {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    let low = range.and_then(|range| range.split_whitespace().next()?.parse().ok());
    // Linux starts here; the others start higher.
    low.unwrap_or(32_768)
}

/// What ends when the process is asked to end; whoever asks is heard from the moment this returns.
#[cfg(unix)]
pub(super) fn asked_to_end() -> std::io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT" }
    })
}

/// What ends when the process is asked to end; whoever asks is heard from the moment this returns.
#[cfg(windows)]
pub(super) fn asked_to_end() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupt.recv().await;
        "Ctrl-C"
    })
}
