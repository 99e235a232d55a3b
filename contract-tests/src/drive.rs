//! Properties: what must hold for whatever a strategy draws, asked of a server round by round.
//!
//! proptest's own runner is synchronous, and a property here is a conversation. This drives the same strategies by hand:
//! the draws come from the seed alone, and what fails is made smaller until nothing smaller fails.

use std::fmt::Debug;
use std::time::Duration;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::case::Capability;
use crate::failure::{Failure, FailureKind};
use crate::story::Story;
use crate::wall;

/// Longest that a failing input is made smaller, in real time: it shall be told before its case runs out of time.
const LONGEST: Duration = Duration::from_secs(40);

/// How long a property is pursued.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// Seed of what is drawn.
    pub seed: u64,
    /// How many inputs.
    pub rounds: u32,
    /// Most inputs that are tried to make a failing one smaller.
    pub shrinks: u32,
}

impl Rounds {
    /// As many as a case may take: a mock answers at once, any other server is spared.
    #[must_use]
    pub fn of(story: &Story, rounds: u32) -> Self {
        if story.offers(Capability::Clock) {
            Self { seed: story.seed(), rounds, shrinks: 400 }
        } else {
            Self { seed: story.seed(), rounds: rounds.div_ceil(8), shrinks: 40 }
        }
    }
}

/// Holds a property against what a strategy draws.
///
/// # Errors
/// The failure of the smallest input that was found, with that input.
pub async fn hold<S, F, Fut>(strategy: &S, rounds: Rounds, property: F) -> Result<(), Failure>
where
    S: Strategy<Tree: Send>,
    F: Fn(S::Value) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let mut runner = runner(rounds.seed);
    for round in 1..=rounds.rounds {
        let tree = strategy
            .new_tree(&mut runner)
            .map_err(|reason| Failure::could_not_run(format!("nothing could be drawn: {reason}")))?;
        if let Err(failure) = property(tree.current()).await {
            if failure.kind == FailureKind::CouldNotRun {
                return Err(failure);
            }
            let mut found = shrunk(tree, failure, rounds.shrinks, &property).await;
            let Rounds { seed, .. } = rounds;
            found.what = format!("{} (round {round}, seed {seed})", found.what);
            return Err(found);
        }
    }
    Ok(())
}

/// The same draws for the same seed, on every machine.
fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    // Failures are replayed from seed and input; a file beside the sources would be of no use to a binary.
    let config = Config { failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

async fn shrunk<T, F, Fut>(mut tree: T, failure: Failure, limit: u32, property: &F) -> Failure
where
    T: ValueTree<Value: Debug>,
    F: Fn(T::Value) -> Fut,
    Fut: Future<Output = Result<(), Failure>>,
{
    let mut smallest = (format!("{:?}", tree.current()), failure);
    let (mut steps, mut tried) = (0, 0);
    let began = wall::now();
    let mut more = tree.simplify();
    while more && tried < limit && began.elapsed() < LONGEST {
        tried += 1;
        let text = format!("{:?}", tree.current());
        more = match property(tree.current()).await {
            Err(failure) if failure.kind == FailureKind::Broken => {
                smallest = (text, failure);
                steps += 1;
                tree.simplify()
            }
            // Too small to fail: back, and smaller in another way.
            Ok(()) | Err(_) => tree.complicate(),
        };
    }
    let (input, mut failure) = smallest;
    failure.what =
        format!("{}\n  smallest input, after {steps} steps of {tried} tried: {input}\n ", failure.what);
    failure
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;

    use super::*;

    fn drawn(seed: u64) -> Vec<u32> {
        let mut runner = runner(seed);
        (0..8).filter_map(|_| Some((0..1000_u32).new_tree(&mut runner).ok()?.current())).collect()
    }

    #[test]
    fn the_same_seed_draws_the_same() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[tokio::test]
    async fn what_fails_is_made_small() {
        let strategy = vec(0..100_u32, 0..20);
        let rounds = Rounds { seed: 1, rounds: 200, shrinks: 500 };
        let failed = hold(&strategy, rounds, async |numbers: Vec<u32>| match numbers.iter().max() {
            Some(most) if *most >= 42 => Err(Failure::broken("too much")),
            _ => Ok(()),
        });
        let failure = failed.await.expect_err("numbers from 42 on fail");
        assert!(failure.what.starts_with("too much"), "{failure}");
        assert!(failure.what.contains(": [42]\n"), "{failure}");
    }

    #[tokio::test]
    async fn what_cannot_be_asked_is_not_made_small() {
        let rounds = Rounds { seed: 1, rounds: 3, shrinks: 500 };
        let failed = hold(&(0..9_u32), rounds, async |_| Err(Failure::could_not_run("no server")));
        let failure = failed.await.expect_err("nothing can be asked");
        assert_eq!((failure.kind, failure.what.as_str()), (FailureKind::CouldNotRun, "no server"));
    }
}
