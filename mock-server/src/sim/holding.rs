//! Ports that a rehearsal takes away: by a left-over Service of the cluster, or as another process would.

use std::sync::Arc;

use super::change::{ChangeRefused, PortRef};
use super::cluster;
use super::cluster::facts::{Key, Kind, Planted, Reach, ServicePort, Target};
use super::journal::Happening;
use super::port::HoldError;
use super::setup::OnConflict;
use super::world::World;
use crate::domain::ids::{NodePort, Slot};
use crate::domain::refusal::PortHolder;
use crate::domain::time::Moment;

/// The port that streaming pods listen on.
const STREAM_PORT: u16 = 5000;

impl World {
    /// Plants the Service of a job that was lost.
    pub(super) fn plant_leftover(&mut self, port: NodePort, now: Moment) {
        // No job has the number 0.
        let slot = port.number().saturating_sub(self.setup.ports.base());
        let lost = format!("{slot}-0");
        let names = (1..).map(|number| match number {
            1 => cluster::service_name_of(&lost),
            _ => format!("{}-{number}", cluster::service_name_of(&lost)),
        });
        let mut keys = names.map(|name| Key::new(Kind::Service, &self.cluster.namespace, name));
        let Some(key) = keys.find(|key| self.store.get(key).is_none()) else { return };
        let service_port = ServicePort {
            name: Some(String::from("grpc")),
            protocol: String::from("TCP"),
            port: port.number(),
            target: Target::Number(STREAM_PORT),
            node_port: Some(port),
        };
        let labels = [(String::from("app"), format!("grpc-job-{lost}"))];
        let service = Planted {
            labels: labels.clone().into(),
            selector: labels.into(),
            reach: Reach::NodePort,
            ports: vec![service_port],
            ..Planted::default()
        };
        // The name is free, and so is the port: whoever asks has looked.
        let _ = self.cluster.plant(key, Arc::new(service), now);
    }

    /// Takes every Service away that was planted on a port; whether there was one.
    pub(super) fn remove_leftovers(&mut self, port: NodePort) -> bool {
        let keys = self.cluster.planted_on(port);
        keys.iter().for_each(|key| drop(self.cluster.unplant(key)));
        !keys.is_empty()
    }

    /// Takes a port; which one it was.
    pub(super) fn hold_port(
        &mut self,
        port: PortRef,
        holder: PortHolder,
        now: Moment,
    ) -> Result<NodePort, ChangeRefused> {
        let port = self.port_to_hold(port)?;
        if self.is_held(port) {
            return Err(ChangeRefused::PortTaken(port));
        }
        match holder {
            PortHolder::Service => {
                if self.has_service(port) {
                    return Err(ChangeRefused::PortTaken(port));
                }
                self.plant_leftover(port, now);
            }
            PortHolder::Process => {
                let door = self.ports.hold(port).map_err(|error| match error {
                    HoldError::InUse => ChangeRefused::PortTaken(port),
                    HoldError::NoSocket(text) => ChangeRefused::NoSocket { port, text },
                })?;
                self.held_ports.insert(port, door);
            }
        }
        self.journal.write(now, Happening::PortHeld(port, holder));
        Ok(port)
    }

    /// Lets a port go that was taken that way.
    pub(super) fn release_port(&mut self, port: PortRef, now: Moment) -> Result<(), ChangeRefused> {
        let port = self.port_of(port)?;
        if !self.is_held(port) {
            return Err(ChangeRefused::NotHeld(port));
        }
        self.temporary.forget_port(port);
        self.let_port_go(port, now);
        Ok(())
    }

    /// Lets a port go, if it is held.
    pub(super) fn let_port_go(&mut self, port: NodePort, at: Moment) {
        let service = self.remove_leftovers(port);
        let process = self.held_ports.remove(&port).is_some();
        if service || process {
            self.journal.write(at, Happening::PortReleased(port));
        }
    }

    fn is_held(&self, port: NodePort) -> bool {
        !self.cluster.planted_on(port).is_empty() || self.held_ports.contains_key(&port)
    }

    /// Whether a Service of a job has the port: of one that is there, or of one whose Service was left behind.
    fn has_service(&self, port: NodePort) -> bool {
        let slot = port.number().checked_sub(self.setup.ports.base()).and_then(Slot::new);
        slot.is_some_and(|slot| self.cluster.has_service_on(slot))
    }

    /// The port that is meant where one is to be taken: the next is one that a job could really get.
    fn port_to_hold(&self, port: PortRef) -> Result<NodePort, ChangeRefused> {
        let skips = self.setup.on_conflict == OnConflict::Skip;
        match port {
            PortRef::Next if skips => {
                let mut free = self.free_slots.iter().map(|slot| self.setup.ports.port(*slot));
                let left = |port: &NodePort| self.left.doors.contains_key(port) || self.has_service(*port);
                free.find(|port| !self.is_held(*port) && !left(port)).ok_or(ChangeRefused::NoFreeSlot)
            }
            PortRef::Next | PortRef::Number(_) | PortRef::Slot(_) => self.port_of(port),
        }
    }

    fn port_of(&self, port: PortRef) -> Result<NodePort, ChangeRefused> {
        let plan = self.setup.ports;
        let number = match port {
            PortRef::Next => {
                let lowest = self.free_slots.first().ok_or(ChangeRefused::NoFreeSlot)?;
                return Ok(plan.port(*lowest));
            }
            PortRef::Number(port) => u32::from(port.number()),
            PortRef::Slot(slot) => u32::from(plan.base()) + u32::from(slot.get()),
        };
        let (lowest, highest) = (plan.base() + 1, plan.base() + plan.max_slots());
        let within = (u32::from(lowest)..=u32::from(highest)).contains(&number);
        let port = u16::try_from(number).ok().filter(|_| within).and_then(NodePort::new);
        port.ok_or(ChangeRefused::NotAJobPort { port: number, lowest, highest })
    }
}
