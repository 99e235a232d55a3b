//! How long the answer to a configuration takes: drawn for the job, evenly, and from nothing else.

use crate::sim::setup::Latency;

use super::*;

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// A world whose answers take from 130 to 890 ms, as those of the recorded server.
fn slow(seed: u64) -> Rig {
    Rig::seeded(Seed(seed), START, |setup| {
        setup.times.configure_latency = Latency { least: millis(130), most: millis(890) };
    })
}

/// The times of jobs on slot 1, by the numbers they could have.
fn drawn(rig: &Rig) -> Vec<Duration> {
    (1..=1_000).map(|number| rig.sim.configure_latency(id(&format!("1-{number}")))).collect()
}

#[test]
fn answers_take_no_time_unless_they_are_told_to() {
    assert!(drawn(&Rig::new()).iter().all(Duration::is_zero));
}

#[test]
fn bounds_that_are_equal_are_the_time() {
    let fixed = Latency { least: millis(500), most: millis(500) };
    let rig = Rig::with(|setup| setup.times.configure_latency = fixed);
    assert!(drawn(&rig).iter().all(|time| *time == millis(500)));
}

#[test]
fn times_reach_from_the_shortest_to_the_longest_and_both_belong_to_them() {
    for (least, most) in [(130, 890), (0, 890), (0, 1), (7, 7)] {
        let latency = Latency { least: millis(least), most: millis(most) };
        assert_eq!((latency.at(0), latency.at(u64::MAX)), (millis(least), millis(most)));
    }
    let two = Latency { least: Duration::ZERO, most: Duration::from_nanos(1) };
    assert_eq!([two.at(u64::MAX / 2), two.at(u64::MAX / 2 + 1)].map(|time| time.as_nanos()), [0, 1]);
}

#[test]
fn every_tenth_of_the_range_gets_about_a_tenth_of_the_jobs() {
    let mut tenths = [0_u32; 10];
    for time in drawn(&slow(1)) {
        let above = time.checked_sub(millis(130)).expect("not below the shortest");
        tenths[usize::try_from(above.as_millis() / 76).expect("small")] += 1;
    }
    assert!(tenths.iter().all(|jobs| (70..=130).contains(jobs)), "{tenths:?}");
}

#[test]
fn a_job_takes_the_same_time_whatever_was_asked_before_and_another_in_the_world_of_another_seed() {
    let (quiet, busy) = (slow(7), slow(7));
    busy.start(&live());
    busy.start(&live());
    assert_eq!(drawn(&quiet), drawn(&busy));
    let (same, others) = (drawn(&quiet), drawn(&slow(8)));
    assert!(same.iter().zip(&others).all(|(one, other)| one != other));
    let on = |slot| quiet.sim.configure_latency(id(&format!("{slot}-7")));
    assert_ne!(on(1), on(2), "the whole id counts");
}
