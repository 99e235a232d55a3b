//! Limits that change while jobs are there.

use crate::domain::refusal::Capacity;
use crate::sim::change::LimitsChange;
use crate::sim::setup::GpuPool;

use super::*;

fn limits(change: LimitsChange) -> Change {
    Change::Limits(change)
}

fn max_jobs(most: u32) -> Change {
    limits(LimitsChange { max_jobs: Some(most), ..LimitsChange::default() })
}

fn gpus(size: Option<u32>) -> Change {
    limits(LimitsChange { gpu_pool: Some(size), ..LimitsChange::default() })
}

fn pool(size: Option<u32>) -> Rig {
    Rig::with(|setup| setup.gpu = GpuPool { size, reject_when_full: false })
}

fn pending(rig: &Rig) -> Vec<String> {
    let jobs = rig.snapshot().jobs.into_iter().filter(|job| job.state == JobState::Pending);
    jobs.map(|job| job.id.to_string()).collect()
}

#[test]
fn jobs_above_a_lower_limit_go_on_and_no_other_comes_until_there_are_fewer() {
    let rig = Rig::new();
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    rig.apply(&max_jobs(2));
    let full = Refusal::CapacityExhausted(Capacity::Jobs(2));
    assert_eq!(rig.refused(&live()), full);
    assert!(jobs.iter().all(|job| rig.state(*job) == Some(JobState::Running)));
    for (cancelled, refused) in [(0, true), (1, false)] {
        rig.sim.cancel(jobs[cancelled]).expect("it is live");
        rig.sim.advance(Duration::from_secs(2));
        assert_eq!(rig.configure(&live()).is_err(), refused);
    }
    assert_eq!(rig.refused(&live()), full);
}

#[test]
fn a_limit_that_was_lowered_by_no_means_allows_as_many_again_as_there_were() {
    let rig = Rig::new();
    let jobs: Vec<_> = (0..3).map(|_| rig.start(&live())).collect();
    rig.apply(&max_jobs(1));
    for job in jobs {
        rig.sim.cancel(job).expect("it is live");
    }
    rig.go_to(2_000);
    rig.start(&live());
    assert_eq!(rig.refused(&live()), Refusal::CapacityExhausted(Capacity::Jobs(1)));
    assert_eq!(rig.sim.with(|world, _| world.jobs_allowed), 0);
}

#[test]
fn every_limit_changes_is_told_by_its_name_and_goes_back_after_its_time() {
    let rig = Rig::new();
    let before = rig.snapshot();
    let all = LimitsChange {
        max_jobs: Some(7),
        max_channels_per_request: Some(2),
        nfft_max_multichannel: Some(128),
        future_tolerance_s: Some(0),
        gpu_pool: Some(Some(0)),
        gpu_reject_when_full: Some(true),
    };
    rig.apply_for(&limits(all), 5_000);
    let names = vec![
        "max_jobs",
        "max_channels_per_request",
        "nfft_max_multichannel",
        "future_tolerance_s",
        "gpu_pool",
        "gpu_reject_when_full",
    ];
    assert_eq!(rig.told_since(0), [Happening::LimitsChanged(names.clone())]);
    let bounds = rig.sim.with(|world, now| world.bounds(now));
    assert_eq!((bounds.max_channels, bounds.nfft_max_multichannel), (2, 128));
    assert_eq!(bounds.latest_end, at(0).seconds());
    assert_eq!(rig.snapshot().gpu, GpuPool { size: Some(0), reject_when_full: true });
    let two = ConfigureDraft { channels: range(1, 2), ..live() };
    assert_eq!(rig.refused(&two), Refusal::CapacityExhausted(Capacity::Gpu));
    let back = rig.go_to(5_000);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].what, Happening::LimitsChanged(sorted(names)));
    let after = rig.snapshot();
    assert_eq!((after.limits, after.gpu), (before.limits, before.gpu));
    rig.start(&live());
}

fn sorted(mut names: Vec<&'static str>) -> Vec<&'static str> {
    names.sort_unstable();
    names
}

#[test]
fn a_limit_that_somebody_set_meanwhile_stays_and_the_others_go_back() {
    let rig = Rig::new();
    let both = LimitsChange { max_jobs: Some(7), future_tolerance_s: Some(5), ..LimitsChange::default() };
    rig.apply_for(&limits(both), 5_000);
    rig.apply(&max_jobs(9));
    rig.go_to(5_000);
    let limits = rig.snapshot().limits;
    assert_eq!((limits.max_jobs, limits.future_tolerance_s), (9, 60));
}

#[test]
fn a_limit_that_is_what_it_was_is_no_news() {
    let rig = Rig::new();
    rig.apply(&max_jobs(1024));
    rig.apply(&limits(LimitsChange::default()));
    assert_eq!(rig.told_since(0), []);
}

#[test]
fn a_larger_pool_gives_shares_to_those_who_wait_oldest_first() {
    let rig = pool(Some(1));
    let first = rig.start(&live());
    for _ in 0..4 {
        rig.start(&live());
    }
    rig.sim.cancel(first).expect("it is live");
    rig.go_to(2_000);
    rig.start(&live());
    assert_eq!(pending(&rig), ["1-6", "3-3", "4-4", "5-5"]);
    rig.apply(&gpus(Some(3)));
    assert_eq!(pending(&rig), ["1-6", "5-5"], "slot 1 has the youngest");
    rig.apply(&gpus(Some(2)));
    assert_eq!(rig.snapshot().gpu_shares_taken, 3, "a smaller pool takes none away");
    rig.apply(&gpus(None));
    assert_eq!(pending(&rig), [""; 0]);
    assert_eq!(rig.snapshot().gpu_shares_taken, 5);
}

#[test]
fn a_larger_pool_for_a_time_leaves_the_jobs_running_that_it_let_start() {
    let rig = pool(Some(1));
    for _ in 0..3 {
        rig.start(&live());
    }
    rig.apply_for(&gpus(Some(2)), 1_000);
    assert_eq!(pending(&rig), ["3-3"]);
    rig.go_to(1_000);
    assert_eq!((rig.snapshot().gpu.size, pending(&rig)), (Some(1), vec![String::from("3-3")]));
    rig.sim.cancel(id("1-1")).expect("it is live");
    assert_eq!(pending(&rig), ["3-3"], "one share is out, and that is all there are");
}

#[test]
fn a_share_of_a_pod_that_finds_its_port_taken_goes_on_to_the_next() {
    let rig = pool(Some(1));
    let running = rig.start(&live());
    let waiting: Vec<_> = (0..200).map(|_| rig.start(&live())).collect();
    for slot in 2..200 {
        rig.ports.foreign(12_300 + slot, true);
    }
    rig.sim.cancel(running).expect("it is live");
    let states: Vec<_> = waiting.iter().filter_map(|job| rig.state(*job)).collect();
    let (failed, rest) = states.split_at(198);
    assert!(failed.iter().all(|state| *state == JobState::Failed));
    assert_eq!(rest, [JobState::Running, JobState::Pending]);
}

#[test]
fn a_reset_takes_every_limit_back() {
    let rig = Rig::new();
    let before = rig.snapshot();
    rig.apply(&max_jobs(1));
    rig.apply_for(&gpus(Some(1)), 5_000);
    rig.sim.reset();
    assert_eq!((rig.snapshot().limits, rig.snapshot().gpu), (before.limits, before.gpu));
    assert_eq!(rig.go_to(60_000), []);
}
