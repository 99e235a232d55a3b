//! Rounds that alternate between sides, and the spread of what came out.

use std::time::Duration;

/// How much to measure.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    /// Rounds of each side.
    pub(crate) pairs: usize,
    /// Length of one round.
    pub(crate) round: Duration,
    /// Whether to leave out what takes long.
    pub(crate) quick: bool,
}

/// One round of every side, side 0 being the mock.
pub(crate) type Turn<T, const SIDES: usize> = [T; SIDES];

/// Runs rounds in turns; every other turn goes backwards, so that no side is always first. The first round of each
/// side warms up and does not count.
pub(crate) async fn alternate<T, const SIDES: usize>(
    plan: Plan,
    round: impl AsyncFn(usize) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Turn<T, SIDES>>> {
    let mut turns = Vec::with_capacity(plan.pairs);
    for turn in 0..=plan.pairs {
        let mut done: [Option<T>; SIDES] = [const { None }; SIDES];
        let backwards = turn % 2 == 1;
        for place in 0..SIDES {
            let side = if backwards { SIDES - 1 - place } else { place };
            done[side] = Some(round(side).await?);
        }
        if turn > 0 {
            turns.push(done.map(|round| round.expect("every side had its round")));
        }
    }
    Ok(turns)
}

/// Median, smallest and largest of some numbers.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) smallest: f64,
    pub(crate) largest: f64,
}

impl Spread {
    /// The spread of one number or more.
    pub(crate) fn of(numbers: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<_> = numbers.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Self { median, smallest: sorted[0], largest: sorted[sorted.len() - 1] }
    }
}
