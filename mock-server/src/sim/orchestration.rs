//! The door to the cluster: its objects, their changes, what their containers say, and what can be done to them.

use std::sync::Arc;

use super::cluster::edit::{Edit, EditRefused};
use super::cluster::facts::{Key, Kind, NodeName, Record};
use super::cluster::logs::LogLine;
use super::cluster::store::{Listing, Store};
use super::simulation::Simulation;

impl Simulation {
    /// The objects of a kind, in one namespace or in all.
    #[must_use]
    pub fn objects(&self, kind: Kind, namespace: Option<&str>) -> Listing {
        // Under the world's lock: nobody sees half of what a command does.
        self.with(|world, _| world.store.list(kind, namespace))
    }

    /// An object.
    #[must_use]
    pub fn object(&self, key: &Key) -> Option<Arc<Record>> {
        self.with(|world, _| world.store.get(key))
    }

    /// All objects, and how they change.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Does something to the cluster; the object as it was left, or as it last was.
    ///
    /// # Errors
    /// When that cannot be done; then nothing has changed.
    pub fn edit(&self, edit: &Edit) -> Result<Arc<Record>, EditRefused> {
        self.with(|world, now| world.edit(edit, now))
    }

    /// What the container of a pod has said so far, oldest first, as far as it is kept; `None` when there is no such pod.
    #[must_use]
    pub fn log(&self, pod: &Key) -> Option<Vec<LogLine>> {
        self.with(|world, now| world.log(pod, now))
    }

    /// CPU that a pod uses now, in millicores; `None` when there is no such pod, or it does not run.
    #[must_use]
    pub fn cpu_of_pod(&self, pod: &Key) -> Option<u32> {
        self.with(|world, _| world.cpu_of_pod(pod))
    }

    /// CPU that all pods of a node use now, in millicores.
    #[must_use]
    pub fn cpu_of_node(&self, node: NodeName) -> u32 {
        self.with(|world, _| world.cpu_of_node(node))
    }
}

impl super::world::World {
    fn edit(&mut self, _edit: &Edit, _now: crate::domain::time::Moment) -> Result<Arc<Record>, EditRefused> {
        Err(EditRefused::TooManyServices)
    }

    fn log(&self, _pod: &Key, _now: crate::domain::time::Moment) -> Option<Vec<LogLine>> {
        None
    }

    fn cpu_of_pod(&self, _pod: &Key) -> Option<u32> {
        None
    }

    fn cpu_of_node(&self, _node: NodeName) -> u32 {
        0
    }
}
