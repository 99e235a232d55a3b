//! Any sequence of commands: what must hold after each of them, seen from the outside.
//!
//! The world checks itself after every command in debug builds; here it is compared with what a client, the cluster's
//! API and the machine's ports show. Sequences that found something are kept as tests with names, not as seeds.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use crate::domain::fiber::FiberState;
use crate::domain::job::JobState;
use crate::sim::calls::{OpenedCall, Turn};
use crate::sim::faults::Step;
use crate::sim::setup::{ClusterState, GpuPool, MongoDb, NodeState, OnConflict, RecordingsState, Supply};

use super::*;

const SLOTS: u16 = 5;
const MAX_JOBS: usize = 4;

#[derive(Clone, Debug)]
enum Command {
    Configure(ConfigureDraft),
    Cancel(usize),
    Open(usize, i32),
    Take(usize),
    Stall(usize),
    Close(usize),
    Advance(Duration),
    KillPod(usize),
    DeleteCleanupJob(usize),
    Fiber(FiberState),
    Depend(Dependencies),
    Plant(u16, bool),
    OtherProcess(u16, bool),
    OutOfSockets(bool),
    FailNext(Step, u32),
    Reset,
}

fn drafts() -> impl Strategy<Value = ConfigureDraft> {
    let invalid = [
        ConfigureDraft::default(),
        ConfigureDraft { nfft: Given::Value(100), ..live() },
        ConfigureDraft { channels: range(9, 2), ..live() },
        historic(-100, 3_600),
    ];
    prop_oneof![
        3 => Just(live()),
        1 => (1..20_i64, 1..20_i64).prop_map(|(min, more)| ConfigureDraft {
            channels: range(min, min + more),
            display: Given::Value(Given::Value(800)),
            ..live()
        }),
        4 => (-9_000..-3_000_i64, 1..3_000_i64)
            .prop_map(|(from, length)| ConfigureDraft { channels: range(7, 7), ..historic(from, from + length) }),
        1 => Just(historic(-10 * 86_400, -10 * 86_400 + 60)),
        1 => select(invalid.to_vec()),
    ]
}

fn dependencies() -> impl Strategy<Value = Dependencies> {
    use MongoDb::{Down, Restarting, SlowFail, Up};
    let supply = || prop_oneof![4 => Just(Supply::Up), 1 => Just(Supply::Down)];
    (
        prop_oneof![4 => Just(Up), 1 => select(vec![Down, SlowFail, Restarting])],
        supply(),
        supply(),
        prop_oneof![
            4 => Just(RecordingsState::Present),
            1 => select(vec![RecordingsState::None, RecordingsState::PathMismatch])
        ],
        prop_oneof![
            4 => Just(ClusterState::Ok),
            1 => select(vec![ClusterState::RefusesObjects, ClusterState::OutOfPodAddresses])
        ],
        supply(),
        prop_oneof![4 => Just(NodeState::Ready), 1 => Just(NodeState::NotReady)],
    )
        .prop_map(|(mongodb, rabbitmq, recorder, recordings, cluster, focus_server, node)| {
            Dependencies { mongodb, rabbitmq, recorder, recordings, cluster, focus_server, node }
        })
}

fn commands() -> impl Strategy<Value = Command> {
    let job = || 0..MAX_JOBS;
    let call = || 0..3_usize;
    let stream = prop_oneof![2 => Just(0), 1 => -1..4_i32];
    let port = || (1..=SLOTS).prop_map(|slot| 12_300 + slot);
    let times = prop_oneof![2 => Just(100), 4 => 1..20_000_u64, 1 => 10_000..200_000_u64];
    prop_oneof![
        10 => drafts().prop_map(Command::Configure),
        2 => job().prop_map(Command::Cancel),
        10 => (job(), stream).prop_map(|(job, stream)| Command::Open(job, stream)),
        10 => call().prop_map(Command::Take),
        1 => call().prop_map(Command::Stall),
        2 => call().prop_map(Command::Close),
        8 => times.prop_map(|millis| Command::Advance(Duration::from_millis(millis))),
        1 => job().prop_map(Command::KillPod),
        1 => job().prop_map(Command::DeleteCleanupJob),
        1 => select(vec![FiberState::Lit, FiberState::Mixed, FiberState::Waiting]).prop_map(Command::Fiber),
        2 => dependencies().prop_map(Command::Depend),
        1 => (port(), any::<bool>()).prop_map(|(port, there)| Command::Plant(port, there)),
        1 => (port(), any::<bool>()).prop_map(|(port, there)| Command::OtherProcess(port, there)),
        1 => select(vec![false, false, true]).prop_map(Command::OutOfSockets),
        1 => (select(Step::ALL.to_vec()), 1..3_u32).prop_map(|(step, times)| Command::FailNext(step, times)),
        1 => Just(Command::Reset),
    ]
}

/// The worlds that sequences run in: with and without a pool of GPU shares, a start-up time, skipped conflicts, a
/// server that needs MongoDB and starts without it.
fn setups() -> impl Strategy<Value = Setup> {
    let yes_or_no = any::<bool>;
    (select(vec![None, Some(2)]), select(vec![0, 7_000]), yes_or_no(), yes_or_no(), yes_or_no()).prop_map(
        |(size, pod_start, reject_when_full, skip, requires_mongo)| Setup {
            ports: slots(SLOTS),
            limits: crate::sim::setup::Limits { max_jobs: 4, ..Default::default() },
            gpu: GpuPool { size, reject_when_full },
            times: crate::sim::setup::Times {
                pod_start: Duration::from_millis(pod_start),
                ..Default::default()
            },
            on_conflict: if skip { OnConflict::Skip } else { OnConflict::Reject },
            requires_mongo,
            dependencies: Dependencies {
                mongodb: if requires_mongo { MongoDb::Restarting } else { MongoDb::Up },
                ..Dependencies::default()
            },
            ..Setup::default()
        },
    )
}

/// Somebody who gives commands and remembers what the answers promised.
struct Client {
    rig: Rig,
    calls: Vec<OpenedCall>,
    /// Calls of a world before a reset, whose readers have not noticed yet.
    stale: Vec<OpenedCall>,
    without_cleanup_job: BTreeSet<JobId>,
    last_sequence: i32,
    /// Next row number and last time of every stream that was read.
    streams: BTreeMap<(JobId, u32), (u64, i64)>,
    turns: Vec<Turn>,
}

impl Client {
    fn of(setup: Setup) -> Self {
        Self {
            rig: Rig::with(|fresh| *fresh = setup),
            calls: Vec::new(),
            stale: Vec::new(),
            without_cleanup_job: BTreeSet::new(),
            last_sequence: 0,
            streams: BTreeMap::new(),
            turns: Vec::new(),
        }
    }

    fn run(&mut self, command: &Command) {
        let rig = &self.rig;
        match *command {
            Command::Configure(ref draft) => self.configure(draft),
            Command::Cancel(job) => self.on_job(job, |client, job| {
                let live = client.rig.state(job).is_some_and(JobState::is_live);
                assert_eq!(client.rig.sim.cancel(job).is_ok(), live, "only a live job can be cancelled");
            }),
            Command::Open(job, stream) => self.on_job(job, |client, job| client.open(job, stream)),
            Command::Take(call) => self.on_call(call, |client, call| client.take(call)),
            Command::Stall(call) => self.on_call(call, |client, call| {
                client.calls[call].progress.was_given(client.rig.sim.clock().now());
            }),
            Command::Close(call) => {
                for call in self.stale.drain(..) {
                    self.rig.sim.close_call(call.id);
                }
                self.on_call(call, |client, call| {
                    let call = client.calls.swap_remove(call);
                    client.rig.sim.close_call(call.id);
                });
            }
            Command::Advance(by) => drop(rig.sim.advance(by)),
            Command::KillPod(job) => self.on_job(job, |client, job| {
                client.rig.sim.with(|world, now| world.kill_pod(job, now));
            }),
            Command::DeleteCleanupJob(job) => self.on_job(job, |client, job| {
                if client.rig.state(job).is_some_and(JobState::is_live) {
                    client.without_cleanup_job.insert(job);
                }
                client.rig.sim.with(|world, now| world.delete_cleanup_job(job, now));
            }),
            Command::Fiber(state) => rig.sim.with(|world, now| world.change_fiber(state, now)),
            Command::Depend(all) => rig.depend(|outside| *outside = all),
            Command::Plant(port, planted) => rig.plant_leftover_service(port, planted),
            Command::OtherProcess(port, there) => {
                // On a port that is free or only held; one that listens cannot be taken.
                if !there || !rig.ports.table().listening.contains_key(&port) {
                    rig.ports.foreign(port, there);
                }
            }
            Command::OutOfSockets(out) => rig.ports.out_of_sockets(out),
            Command::FailNext(step, times) => rig.sim.with(|world, _| world.fail_next(step, times)),
            Command::Reset => self.reset(),
        }
    }

    fn on_job(&mut self, number: usize, command: impl FnOnce(&mut Self, JobId)) {
        if let Some(job) = self.rig.snapshot().jobs.get(number) {
            command(self, job.id);
        }
    }

    fn on_call(&mut self, number: usize, command: impl FnOnce(&mut Self, usize)) {
        if number < self.calls.len() {
            command(self, number);
        }
    }

    fn configure(&mut self, draft: &ConfigureDraft) {
        let (before, ports) = (self.rig.snapshot(), self.rig.ports.table());
        match self.rig.configure(draft) {
            Ok(job) => {
                assert!(job.sequence.number() > self.last_sequence, "INV-SEQ: {job}");
                self.last_sequence = job.sequence.number();
                let lowest = before.lowest_free_slot.expect("a slot was free");
                assert!(job.slot.number() >= lowest, "{job} got a slot that was taken");
                if self.rig.sim.with(|world, _| world.setup().on_conflict) == OnConflict::Reject {
                    assert_eq!(job.slot.number(), lowest, "INV-SLOT");
                }
            }
            Err(refusal) => {
                assert_eq!(self.rig.ports.table(), ports, "INV-REFUSE: {refusal}");
                let after = self.rig.snapshot();
                assert!(after.next_sequence >= before.next_sequence);
                assert_eq!(without_traces(after), without_traces(before), "INV-REFUSE: {refusal}");
            }
        }
    }

    fn open(&mut self, job: JobId, stream: i32) {
        let seen = self.rig.job(job).expect("the list named it");
        let streams = i32::try_from(seen.streams).expect("few streams");
        let can = seen.state == JobState::Running && (0..streams).contains(&stream);
        let opened = self.rig.sim.with(|world, now| world.open_call(job, stream, now));
        assert_eq!(opened.is_ok(), can, "{:?} of {job}, stream {stream}", seen.state);
        self.calls.extend(opened.ok().inspect(|call| call.progress.asks()));
    }

    /// Takes everything that is due on a call.
    fn take(&mut self, number: usize) {
        while let Turn::Rows { .. } = self.take_one(number) {}
    }

    fn take_one(&mut self, number: usize) -> Turn {
        let call = &self.calls[number];
        let turn = self.rig.sim.take_turn(call.id);
        match &turn {
            Turn::Rows { first, times, due } => {
                assert!(*due <= self.rig.sim.clock().now(), "a frame leaves before it is due");
                let stream = (call.terms.id, call.stream.0);
                let (next, last) = self.streams.get(&stream).copied().unwrap_or((0, i64::MIN));
                assert!(*first >= next, "INV-FRAME: row {first} comes after {next}");
                assert!(times[0] > last && times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
                let last = *times.last().expect("a frame has rows");
                self.streams.insert(stream, (first + times.len() as u64, last));
            }
            Turn::Wait(until) => assert!(*until > self.rig.sim.clock().now()),
            Turn::End(end) => {
                assert_eq!(*end, StreamEnd::PlayedOut, "another end is raised, not given");
                self.calls.swap_remove(number);
            }
        }
        self.turns.push(turn.clone());
        turn
    }

    fn reset(&mut self) {
        self.rig.sim.reset();
        assert!(self.calls.iter().all(|call| call.ended.get() == Some(StreamEnd::Gone)));
        self.stale.append(&mut self.calls);
        self.without_cleanup_job.clear();
        self.streams.clear();
        self.last_sequence = 0;
    }

    /// What holds at any moment.
    fn look(&mut self) {
        // The transport closes a call as soon as it hears its end.
        for call in self.calls.extract_if(.., |call| call.ended.get().is_some()) {
            self.rig.sim.close_call(call.id);
        }
        let snapshot = self.rig.snapshot();
        let jobs = &snapshot.jobs;
        assert!(jobs.len() <= MAX_JOBS, "INV-CAP");
        assert_eq!(jobs.len() + snapshot.free_slots, usize::from(SLOTS), "INV-SLOT");
        self.look_at_ports(jobs);
        self.look_at_objects(&snapshot);
        for job in jobs {
            assert_eq!(job.port.number(), 12_300 + job.id.slot.number(), "INV-PORT");
            assert_eq!(self.rig.sim.job(job.id).is_ok(), job.state.is_live(), "INV-META: {}", job.id);
            let open = self.calls.iter().filter(|call| call.terms.id == job.id).count();
            assert_eq!(job.open_calls, open, "calls of {}", job.id);
        }
        let running = jobs.iter().filter(|job| job.state == JobState::Running).count();
        let unready = jobs.iter().filter(|job| job.state == JobState::Pending).count();
        assert!((running..=running + unready).contains(&snapshot.gpu_shares_taken), "shares: {jobs:?}");
    }

    fn look_at_ports(&self, jobs: &[JobSnapshot]) {
        let of = |state| jobs.iter().filter(move |job| job.state == state);
        let table = self.rig.ports.table();
        let running: BTreeMap<_, _> =
            of(JobState::Running).map(|job| (job.port.number(), Some(job.id))).collect();
        assert_eq!(table.listening, running, "INV-PORT: open exactly while Running");
        let pending: BTreeSet<_> = of(JobState::Pending).map(|job| job.port.number()).collect();
        assert_eq!(table.held, pending, "INV-PORT: held exactly while Pending");
        assert!(jobs.iter().all(|job| {
            let of_the_job = running.get(&job.port.number()) == Some(&Some(job.id));
            job.port_held == (of_the_job || pending.contains(&job.port.number()))
        }));
    }

    fn look_at_objects(&self, snapshot: &Snapshot) {
        let mut expected = [const { BTreeSet::new() }; 3];
        for JobSnapshot { id, state, .. } in &snapshot.jobs {
            let [jobs, services, queues] = &mut expected;
            jobs.insert(format!("grpc-job-{id}"));
            if !self.without_cleanup_job.contains(id) {
                jobs.insert(format!("cleanup-job-{id}"));
            }
            if state.is_live() {
                services.insert(format!("grpc-service-{id}"));
            }
            queues.insert(format!("focus_baby.{id}"));
        }
        let objects = &snapshot.objects;
        let seen = [&objects.jobs, &objects.services, &objects.queues];
        for (seen, expected) in seen.into_iter().zip(&expected) {
            assert_eq!(seen.len(), expected.len(), "INV-OBJECTS: each once");
            assert_eq!(&seen.iter().cloned().collect::<BTreeSet<_>>(), expected, "INV-OBJECTS");
        }
        assert_eq!(objects.pods.len(), objects.jobs.len(), "one pod per Job");
        for (pod, job) in objects.pods.iter().zip(&objects.jobs) {
            assert_eq!(pod.len(), job.len() + 6);
            assert!(pod.starts_with(&format!("{job}-")));
        }
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn the_invariants_hold_after_any_sequence_of_commands(
        setup in setups(),
        commands in prop::collection::vec(commands(), 1..60),
    ) {
        let mut client = Client::of(setup);
        for command in &commands {
            client.run(command);
            client.look();
        }
    }
}

proptest! {
    #![proptest_config(config(80))]

    #[test]
    fn the_same_commands_in_the_same_world_give_the_same_world(
        setup in setups(),
        commands in prop::collection::vec(commands(), 1..40),
    ) {
        let (mut one, mut other) = (Client::of(setup.clone()), Client::of(setup));
        for command in &commands {
            for client in [&mut one, &mut other] {
                client.run(command);
                client.look();
            }
        }
        prop_assert_eq!(one.rig.snapshot(), other.rig.snapshot());
        prop_assert_eq!(one.turns, other.turns);
        prop_assert_eq!(one.rig.ports.table(), other.rig.ports.table());
    }

    #[test]
    fn time_in_one_step_and_in_many_leads_to_the_same_world(
        setup in setups(),
        commands in prop::collection::vec(commands(), 1..30),
        steps in 2..20_u32,
    ) {
        let (mut one, mut other) = (Client::of(setup.clone()), Client::of(setup));
        for command in &commands {
            for client in [&mut one, &mut other] {
                client.run(command);
                client.look();
            }
        }
        let total = Duration::from_secs(210);
        one.rig.sim.advance(total);
        for _ in 0..steps {
            other.rig.sim.advance(total / steps);
            other.rig.snapshot();
        }
        other.rig.sim.advance(total - (total / steps) * steps);
        prop_assert_eq!(one.rig.snapshot(), other.rig.snapshot());
    }

    #[test]
    fn in_the_end_every_job_is_removed_that_nobody_reads(
        commands in prop::collection::vec(commands(), 1..40),
    ) {
        let setup = Setup { ports: slots(SLOTS), ..Setup::default() };
        let mut client = Client::of(Setup { limits: crate::sim::setup::Limits { max_jobs: 4, ..setup.limits }, ..setup });
        for command in &commands {
            client.run(command);
            client.look();
        }
        for call in std::mem::take(&mut client.calls) {
            client.rig.sim.close_call(call.id);
        }
        // A pod that no node takes is not idle: it waits.
        client.rig.depend(|outside| outside.node = NodeState::Ready);
        client.rig.sim.advance(Duration::from_secs(50));
        let left = client.rig.snapshot();
        prop_assert!(left.jobs.iter().all(|job| client.without_cleanup_job.contains(&job.id)), "{:?}", left.jobs);
    }
}
