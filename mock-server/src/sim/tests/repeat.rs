//! The same seed and the same commands give the same world and the same bytes, whatever happened around them.

use crate::sim::faults::Step;

use super::*;

/// Some of everything, with all frames that were read on the way.
fn story(rig: &Rig) -> Vec<Frame> {
    let mut frames = Vec::new();
    let first = rig.start(&live());
    let mut call = rig.open_reading(first, 1);
    for step in 0..5 {
        rig.go_to(step * 100);
        frames.push(rig.frame(&mut call));
    }
    rig.sim.with(|world, _| world.fail_next(Step::Service, 1));
    rig.refused(&live());
    let second = rig.start(&historic(-4_000, -3_990));
    let mut played = rig.open_reading(second, 2);
    frames.extend(rig.play(&mut played).0.into_iter().map(|(_, frame)| frame));
    rig.start(&live());
    rig.sim.cancel(first).expect("it is live");
    rig.go_to(1_500);
    frames
}

fn seeded(seed: u64) -> Rig {
    Rig::seeded(Seed(seed), START, |_| {})
}

#[test]
fn the_same_seed_and_the_same_commands_give_equal_worlds_and_equal_frames() {
    let (one, other) = (seeded(7), seeded(7));
    let (frames, again) = (story(&one), story(&other));
    assert_eq!(frames.len(), 13);
    assert_eq!(frames, again);
    assert_eq!(one.snapshot(), other.snapshot());
}

#[test]
fn another_seed_changes_values_and_names_of_pods_and_nothing_else() {
    let (one, other) = (seeded(7), seeded(8));
    let (frames, others) = (story(&one), story(&other));
    for (frame, other) in frames.iter().zip(&others) {
        assert_ne!(frame.rows, other.rows);
        assert_eq!(*frame, Frame { rows: frame.rows.clone(), ..other.clone() });
    }
    let (mut here, mut there) = (one.snapshot(), other.snapshot());
    assert_ne!(here.objects.pods, there.objects.pods);
    (here.objects.pods, there.objects.pods) = (Vec::new(), Vec::new());
    assert_eq!(here, there);
}

#[test]
fn a_job_has_the_same_frames_whatever_other_clients_do() {
    let (quiet, busy) = (seeded(7), seeded(7));
    let job = quiet.start(&live());
    let busy_job = busy.start(&live());
    let mut other_calls: Vec<_> = (0..3).map(|_| busy.start(&live())).map(|job| busy.open(job, 0)).collect();
    let (mut call, mut busy_call) = (quiet.open_reading(job, 0), busy.open_reading(busy_job, 0));
    for step in 0..5 {
        for rig in [&quiet, &busy] {
            rig.go_to(step * 100);
        }
        for other in &mut other_calls {
            busy.frame(other);
        }
        assert_eq!(quiet.frame(&mut call), busy.frame(&mut busy_call));
    }
}

#[test]
fn a_world_that_was_reset_repeats_itself() {
    let rig = seeded(7);
    let values = |frames: Vec<Frame>| frames.into_iter().map(|frame| frame.rows).collect::<Vec<_>>();
    let first = rig.start(&live());
    let frame = rig.frame(&mut rig.open_reading(first, 0));
    rig.go_to(1_000);
    rig.sim.reset();
    let again = rig.start(&live());
    assert_eq!(values(vec![frame]), values(vec![rig.frame(&mut rig.open_reading(again, 0))]));
}

#[test]
fn rows_and_streams_of_a_job_differ_and_so_do_jobs() {
    let rig = seeded(7);
    let (one, other) = (rig.start(&live()), rig.start(&live()));
    let mut call = rig.open_reading(one, 0);
    let first = rig.frame(&mut call).rows;
    rig.go_to(100);
    let second = rig.frame(&mut call).rows;
    let stream = rig.frame(&mut rig.open_reading(one, 1)).rows;
    let job = rig.frame(&mut rig.open_reading(other, 0)).rows;
    let eight_rows = rig.start(&ConfigureDraft { display: Given::Value(Given::Value(800)), ..live() });
    let within = rig.frame(&mut rig.open_reading(eight_rows, 0)).rows;
    let all = [first, second, stream, job, within].concat();
    assert_eq!(all.len(), 12);
    for (place, row) in all.iter().enumerate() {
        assert!(!all[place + 1..].contains(row), "{place}");
    }
}
