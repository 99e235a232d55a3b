//! A machine without sockets: who has which port is a table that a test can look at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::domain::ids::{JobId, NodePort};
use crate::domain::job::Terms;
use crate::sim::port::{Door, HoldError, Ports};

/// Who has which port. A port that nobody has is in none of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PortTable {
    /// Taken by this world, refusing connections.
    pub(super) held: BTreeSet<u16>,
    /// Accepting connections, for the streams of that job.
    pub(super) listening: BTreeMap<u16, Option<JobId>>,
    /// Another process listens.
    pub(super) foreign: BTreeSet<u16>,
}

#[derive(Default)]
struct Machine {
    table: PortTable,
    without_sockets: bool,
    holds: u32,
}

/// The ports of a test.
#[derive(Default)]
pub(super) struct FakePorts(Arc<Mutex<Machine>>);

impl FakePorts {
    /// How the ports stand now.
    pub(super) fn table(&self) -> PortTable {
        self.machine().table.clone()
    }

    /// How often a port was taken, also when it was given back since.
    pub(super) fn holds(&self) -> u32 {
        self.machine().holds
    }

    /// Another process comes to listen on a port, or leaves it; a port that is held but not open can be stolen so.
    pub(super) fn foreign(&self, port: u16, there: bool) {
        let mut machine = self.machine();
        if there {
            assert!(!machine.table.listening.contains_key(&port), "nobody can listen twice on {port}");
            machine.table.foreign.insert(port);
        } else {
            machine.table.foreign.remove(&port);
        }
    }

    /// The machine runs out of sockets, or has some again.
    pub(super) fn out_of_sockets(&self, out: bool) {
        self.machine().without_sockets = out;
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.0.lock().expect("no test panics while it looks at the ports")
    }
}

impl Ports for FakePorts {
    fn hold(&self, port: NodePort) -> Result<Box<dyn Door>, HoldError> {
        let mut machine = self.machine();
        let number = port.number();
        if machine.without_sockets {
            return Err(HoldError::NoSocket(String::from("too many open files")));
        }
        let table = &mut machine.table;
        if table.foreign.contains(&number) || table.listening.contains_key(&number) {
            return Err(HoldError::InUse);
        }
        if !table.held.insert(number) {
            return Err(HoldError::InUse);
        }
        machine.holds += 1;
        Ok(Box::new(FakeDoor { port: number, machine: Arc::clone(&self.0) }))
    }
}

struct FakeDoor {
    port: u16,
    machine: Arc<Mutex<Machine>>,
}

impl FakeDoor {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().expect("no test panics while it looks at the ports")
    }
}

impl Door for FakeDoor {
    fn listen(&mut self) -> Result<(), HoldError> {
        let table = &mut self.machine().table;
        if table.foreign.contains(&self.port) {
            return Err(HoldError::InUse);
        }
        if table.held.remove(&self.port) {
            table.listening.insert(self.port, None);
        }
        Ok(())
    }

    fn serve(&mut self, job: &Arc<Terms>) {
        if let Some(served) = self.machine().table.listening.get_mut(&self.port) {
            *served = Some(job.id);
        }
    }

    fn shut(&mut self) {
        let table = &mut self.machine().table;
        table.held.remove(&self.port);
        table.listening.remove(&self.port);
    }

    fn let_read_on(&mut self) {}
}

impl Drop for FakeDoor {
    fn drop(&mut self) {
        let mut machine = self.machine();
        machine.table.held.remove(&self.port);
        machine.table.listening.remove(&self.port);
    }
}
