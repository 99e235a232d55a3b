//! What this process takes of its machine. In a test's process that is more than the server.

use sysinfo::{ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

/// This process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) memory_bytes: u64,
    pub(super) virtual_bytes: u64,
    pub(super) cpu_ms: u64,
    pub(super) open_files: Option<usize>,
    pub(super) open_files_limit: Option<usize>,
    /// Seconds since the epoch, of the machine's clock.
    pub(super) started: u64,
}

impl Process {
    /// Looks; nothing where the system does not tell.
    pub(super) fn look() -> Option<Self> {
        let pid = get_current_pid().ok()?;
        let mut system = System::new().ok()?;
        let wanted = ProcessRefreshKind::nothing().with_memory().with_cpu().without_tasks();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, wanted);
        let process = system.process(pid)?;
        Some(Self {
            memory_bytes: process.memory(),
            virtual_bytes: process.virtual_memory(),
            cpu_ms: process.accumulated_cpu_time(),
            open_files: process.open_files(),
            open_files_limit: process.open_files_limit(),
            started: process.start_time(),
        })
    }
}
