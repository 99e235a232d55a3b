//! Several reasons at once: the first one in the contract's order of checks (errors.md, section 3) is the answer.

use crate::domain::fiber::FiberState;
use crate::domain::refusal::{Capacity, PortHolder, Refusal};
use crate::sim::faults::Step;
use crate::sim::setup::{ClusterState, GpuPool, MongoDb, RecordingsState, Supply};

use super::*;

/// One thing that speaks against a job: how it comes and goes, and whether a refusal is its answer.
struct Obstacle {
    name: &'static str,
    stand: fn(&Rig, bool),
    is_answer: fn(&Refusal) -> bool,
}

/// Steps 6 and 7 of a historic request.
const STORE: [Obstacle; 3] = [
    Obstacle {
        name: "recordings store down",
        stand: |rig, stands| {
            rig.depend(|outside| outside.mongodb = if stands { MongoDb::Down } else { MongoDb::Up });
        },
        is_answer: |refusal| *refusal == Refusal::RecordingsUnavailable,
    },
    Obstacle {
        name: "no recordings",
        stand: |rig, stands| {
            let recordings = if stands { RecordingsState::None } else { RecordingsState::Present };
            rig.depend(|outside| outside.recordings = recordings);
        },
        is_answer: |refusal| *refusal == Refusal::NoRecording,
    },
    Obstacle {
        name: "recordings elsewhere",
        stand: |rig, stands| {
            let recordings = if stands { RecordingsState::PathMismatch } else { RecordingsState::Present };
            rig.depend(|outside| outside.recordings = recordings);
        },
        is_answer: |refusal| *refusal == Refusal::NoRecording,
    },
];

/// Step 6 of a live request.
const FIBER: [Obstacle; 1] = [Obstacle {
    name: "fibre waiting",
    stand: |rig, stands| {
        let state = if stands { FiberState::Waiting } else { FiberState::Lit };
        rig.sim.with(|world, now| world.change_fiber(state, now));
    },
    is_answer: |refusal| *refusal == Refusal::WaitingForFiber,
}];

/// Steps 8 to 11, the same for both. At most one job may be there, and "no slot" is such a job on slot 1: a request
/// would get slot 2 until it is gone, and slot 1 afterwards, so ports are taken on both.
const BOTH: [Obstacle; 5] = [
    Obstacle {
        name: "broker down",
        stand: |rig, stands| {
            rig.depend(|outside| outside.rabbitmq = if stands { Supply::Down } else { Supply::Up });
        },
        is_answer: |refusal| *refusal == Refusal::BrokerUnavailable,
    },
    Obstacle {
        name: "no slot",
        stand: |rig, stands| {
            if stands {
                rig.start(&live());
            } else {
                rig.sim.cancel(id("1-1")).expect("it is live");
                rig.sim.advance(Duration::from_secs(2));
            }
        },
        is_answer: |refusal| *refusal == Refusal::CapacityExhausted(Capacity::Jobs(1)),
    },
    Obstacle {
        name: "left-over Service",
        stand: |rig, stands| {
            for port in [12_301, 12_302] {
                rig.plant_leftover_service(port, stands);
            }
        },
        is_answer: |refusal| matches!(refusal, Refusal::PortInUse { holder: PortHolder::Service, .. }),
    },
    Obstacle {
        name: "another process",
        stand: |rig, stands| {
            // A port is the running job's while there is one; the process takes it as soon as it is free.
            for port in [12_301, 12_302] {
                if !rig.ports.table().listening.contains_key(&port) {
                    rig.ports.foreign(port, stands);
                }
            }
        },
        is_answer: |refusal| matches!(refusal, Refusal::PortInUse { holder: PortHolder::Process, .. }),
    },
    Obstacle {
        name: "cluster",
        stand: |rig, stands| {
            let cluster = if stands { ClusterState::RefusesObjects } else { ClusterState::Ok };
            rig.depend(|outside| outside.cluster = cluster);
        },
        is_answer: |refusal| *refusal == Refusal::JobCreationFailed,
    },
];

/// Lets everything stand, takes one thing after the other away, and compares each answer.
fn walk(request: &ConfigureDraft, invalid: &ConfigureDraft, obstacles: &[&Obstacle]) {
    let rig = Rig::with(|setup| setup.limits.max_jobs = 1);
    // The obstacle that is a job comes first: the others would keep it away.
    let (jobs, others): (Vec<&Obstacle>, Vec<&Obstacle>) =
        obstacles.iter().copied().partition(|obstacle| obstacle.name == "no slot");
    for obstacle in jobs.into_iter().chain(others) {
        (obstacle.stand)(&rig, true);
    }
    for obstacle in obstacles {
        assert!(
            matches!(rig.refused(invalid), Refusal::Invalid(_)),
            "a mistake comes before {}",
            obstacle.name
        );
        if obstacle.name == "another process" {
            (obstacle.stand)(&rig, true);
        }
        let refusal = rig.refused(request);
        assert!((obstacle.is_answer)(&refusal), "{} is first, not {refusal:?}", obstacle.name);
        (obstacle.stand)(&rig, false);
    }
    rig.start(request);
}

#[test]
fn the_first_reason_against_a_live_job_is_the_answer() {
    let obstacles: Vec<_> = FIBER.iter().chain(&BOTH).collect();
    walk(&live(), &ConfigureDraft { channels: range(1, 2338), ..live() }, &obstacles);
}

#[test]
fn the_first_reason_against_a_historic_job_is_the_answer() {
    for recordings in [1, 2] {
        let obstacles: Vec<_> = [&STORE[0], &STORE[recordings]].into_iter().chain(&BOTH).collect();
        walk(&historic(-1_000, -100), &historic(-100, -1_000), &obstacles);
    }
}

#[test]
fn what_only_the_other_kind_of_job_needs_is_no_reason() {
    let rig = Rig::with(|setup| setup.fiber_state = FiberState::Waiting);
    rig.start(&historic(-1_000, -100));
    let rig = Rig::new();
    rig.depend(|outside| {
        outside.mongodb = MongoDb::Down;
        outside.recordings = RecordingsState::None;
        outside.recorder = Supply::Down;
    });
    rig.start(&live());
}

#[test]
fn a_limit_of_jobs_comes_before_a_full_pool_and_that_before_the_port() {
    let rig = Rig::with(|setup| {
        setup.limits.max_jobs = 2;
        setup.gpu = GpuPool { size: Some(1), reject_when_full: true };
    });
    let first = rig.start(&live());
    rig.plant_leftover_service(12_302, true);
    assert_eq!(rig.refused(&live()), Refusal::CapacityExhausted(Capacity::Gpu));
    rig.sim.with(|world, now| world.kill_pod(first, now));
    assert!(matches!(rig.refused(&live()), Refusal::PortInUse { .. }));
    rig.plant_leftover_service(12_302, false);
    rig.start(&live());
    assert_eq!(rig.refused(&live()), Refusal::CapacityExhausted(Capacity::Jobs(2)));
}

#[test]
fn an_invalid_request_is_refused_alike_in_every_state_of_the_world() {
    let invalid = ConfigureDraft { nfft: Given::Value(1000), ..historic(-100, -100) };
    let calm = Rig::new().refused(&invalid);
    let troubled = Rig::with(|setup| {
        setup.fiber_state = FiberState::Waiting;
        setup.limits.max_jobs = 0;
    });
    troubled.depend(|outside| {
        outside.mongodb = MongoDb::Restarting;
        outside.rabbitmq = Supply::Down;
        outside.cluster = ClusterState::OutOfPodAddresses;
    });
    assert_eq!(troubled.refused(&invalid), calm);
    assert_eq!(
        calm.to_string(),
        "nfftSelection 1000 is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), \
         minimum 128, maximum 65536; time range is invalid: start_time must be before end_time"
    );
}

#[test]
fn steps_fail_in_the_order_in_which_they_are_taken() {
    let rig = Rig::new();
    rig.sim.with(|world, _| Step::ALL.iter().rev().for_each(|step| world.fail_next(*step, 1)));
    let failed: Vec<_> = Step::ALL
        .iter()
        .map(|_| {
            let refusal = rig.refused(&live());
            match rig.snapshot().journal.pop().expect("an entry").what {
                Happening::RolledBack { step, .. } => step,
                other => {
                    assert_eq!(other, Happening::Refused(refusal));
                    Step::Slot
                }
            }
        })
        .collect();
    assert_eq!(failed, Step::ALL);
    rig.start(&live());
}
