//! The clock moved on by hand: what is told of it, and by whom.

use crate::sim::change::Planned;
use crate::sim::setup::Supply;

use super::*;
use crate::sim::change::Outside;

/// A world in which something happens every 100 ms.
fn busy() -> Rig {
    Rig::with(|setup| {
        let flip = |at, state| Planned {
            at: Duration::from_millis(at),
            every: Some(Duration::from_millis(200)),
            times: Some(100_000),
            lasts: None,
            change: Change::Outside(Outside::RabbitMq(state)),
        };
        setup.timeline = vec![flip(100, Supply::Down), flip(200, Supply::Up)];
    })
}

#[test]
fn more_than_is_listed_is_counted_and_the_newest_are_listed() {
    let rig = busy();
    let fired = rig.sim.advance(Duration::from_millis(1_250_000));
    assert_eq!((fired.count, fired.entries.len()), (12_500, 10_000));
    let numbers = [fired[0].number, fired[9_999].number];
    assert_eq!(numbers, [2_501, 12_500]);
    assert_eq!(fired[9_999].at, at(1_250_000));
    assert_eq!(rig.sim.advance(Duration::from_millis(99)).count, 0);
}

#[test]
fn what_is_listed_never_goes_back_behind_the_advance() {
    let rig = busy();
    rig.sim.advance(Duration::from_secs(10));
    let fired = rig.sim.advance(Duration::from_secs(1));
    assert_eq!((fired.count, fired.entries.len(), fired[0].number), (10, 10, 101));
}

#[test]
fn two_that_move_the_clock_at_a_time_move_it_by_both() {
    let rig = busy();
    let together = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                together.wait();
                rig.sim.advance(Duration::from_secs(1_000))
            });
        }
    });
    assert_eq!(rig.sim.clock().now(), at(4_000_000));
    assert_eq!(rig.snapshot().journal_written, 40_000);
}

#[test]
fn who_looks_while_the_clock_is_moved_sees_the_world_before_it_or_after_it() {
    let rig = busy();
    std::thread::scope(|scope| {
        let moved = scope.spawn(|| rig.sim.advance(Duration::from_secs(600)).count);
        while !moved.is_finished() {
            let seen = rig.snapshot();
            let expected = if seen.journal_written == 0 { at(0) } else { at(600_000) };
            assert_eq!(seen.now, expected);
        }
        assert_eq!(moved.join().expect("it does not panic"), 6_000);
    });
}
