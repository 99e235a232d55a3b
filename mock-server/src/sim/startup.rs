//! The start of the Focus Server where it needs MongoDB for it (PZ-14712).
//!
//! The real server's process exits when it cannot reach MongoDB at its start, and the cluster starts its pod again and
//! again. Here that shows as what it comes to: no pod is ready until MongoDB answers and the pod that is started then
//! has had its time. A server that has come up does without MongoDB, as far as its routes can.

use std::time::Duration;

use crate::domain::time::Moment;

use super::agenda::Event;
use super::cluster::pods::POD_STARTS;
use super::cluster::workloads::Workload;
use super::journal::Happening;
use super::setup::{Dependencies, MongoDb, Supply};
use super::world::World;

/// What keeps the Focus Server from being up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Startup {
    /// Its pods exit for want of MongoDB.
    WaitsForMongoDb,
    /// MongoDB is there, and the pod that found it will be ready at that time. **Chosen**: it takes as long as the new
    /// pod of any workload; real clusters let a pod that exits again and again wait longer.
    PodStarts(Moment),
}

/// How long the cluster waits before it starts a container again that has exited; twice as long each time.
const FIRST_BACK_OFF: Duration = Duration::from_secs(10);
/// The longest that it waits.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

impl World {
    /// The process of the Focus Server was started again, and has exited.
    pub(super) fn server_exits(&mut self, times: u32, at: Moment) {
        if self.startup == Some(Startup::WaitsForMongoDb) {
            self.cluster.count_restart(Workload::FocusServer, at);
            let wait = FIRST_BACK_OFF.saturating_mul(1 << times.min(8)).min(LONGEST_BACK_OFF);
            self.agenda.enter(at.after(wait), Event::ServerExits(times.saturating_add(1)));
        }
    }

    /// A first pod of the Focus Server starts.
    pub(super) fn start_server(&mut self, at: Moment) {
        let starts = self.setup.requires_mongo && self.dependencies.focus_server == Supply::Up;
        if starts && self.dependencies.mongodb != MongoDb::Up {
            self.wait_for_mongodb(at);
        }
    }

    /// Does what a change of the outside systems means for a server that is coming up, or going down.
    pub(super) fn follow_startup(&mut self, old: Dependencies, at: Moment) {
        match (old.focus_server, self.dependencies.focus_server) {
            (Supply::Down, Supply::Up) => self.start_server(at),
            // Without pods there is none that waits.
            (_, Supply::Down) => self.startup = None,
            (Supply::Up, Supply::Up) => {}
        }
        match (self.startup, self.dependencies.mongodb) {
            (Some(Startup::WaitsForMongoDb), MongoDb::Up) => {
                let ready_at = at.after(POD_STARTS);
                self.startup = Some(Startup::PodStarts(ready_at));
                self.agenda.enter(ready_at, Event::ServerReady);
            }
            // Gone again before the pod was ready: it exits like those before it.
            (Some(Startup::PodStarts(_)), MongoDb::Down | MongoDb::SlowFail | MongoDb::Restarting) => {
                self.wait_for_mongodb(at);
            }
            (Some(Startup::WaitsForMongoDb | Startup::PodStarts(_)) | None, _) => {}
        }
    }

    fn wait_for_mongodb(&mut self, at: Moment) {
        self.startup = Some(Startup::WaitsForMongoDb);
        self.agenda.enter(at.after(FIRST_BACK_OFF), Event::ServerExits(1));
        self.journal.write(at, Happening::ServerWaits("mongodb"));
    }

    /// A pod's time to start is over; that of a pod which has exited meanwhile means nothing.
    pub(super) fn server_ready(&mut self, at: Moment) {
        if self.startup == Some(Startup::PodStarts(at)) {
            self.startup = None;
            self.show_health(at);
            self.journal.write(at, Happening::ServerUp);
        }
    }
}
