//! Ctrl-C, and being asked to terminate: once is a request, twice is an order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use focus_contract::report::INTERRUPTED;
use focus_contract::stop::Stop;

/// Whether somebody interrupted the run.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupted(Arc<AtomicBool>);

impl Interrupted {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Listens for as long as the process lives; must be called within a runtime.
    pub(super) fn listen(&self, stop: &Arc<Stop>) -> std::io::Result<()> {
        let mut signals = Signals::new()?;
        let (interrupted, stop) = (self.clone(), Arc::clone(stop));
        tokio::spawn(async move {
            signals.next().await;
            interrupted.0.store(true, Ordering::Relaxed);
            eprintln!("focus-contract: interrupted; cleaning up and writing reports (again: end at once)");
            stop.at_once("the run was interrupted");
            signals.next().await;
            std::process::exit(i32::from(INTERRUPTED));
        });
        Ok(())
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
