//! What differs between operating systems, each with a portable branch.

use socket2::Socket;

/// Lets a port be bound again while connections of its former owner wind down.
///
/// On Unix that is what the option means. On Windows the same option lets two processes share a port, which would hide
/// conflicts, and rebinding works without it.
pub(super) fn allow_rebinding(socket: &Socket) -> std::io::Result<()> {
    if cfg!(unix) { socket.set_reuse_address(true) } else { Ok(()) }
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

/// Waits until the process is asked to end.
#[cfg(unix)]
pub(super) async fn asked_to_end() -> std::io::Result<&'static str> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! { _ = terminate.recv() => "SIGTERM", _ = interrupt.recv() => "SIGINT" })
}

/// Waits until the process is asked to end.
#[cfg(not(unix))]
pub(super) async fn asked_to_end() -> std::io::Result<&'static str> {
    tokio::signal::ctrl_c().await.map(|()| "Ctrl-C")
}
