//! Rate shapes, as moments at which configures are due: whoever is slow gets them all the same.

use std::time::Duration;

use super::demands::{Demand, Demands};

/// A way in which the rate of configures goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// 5 a second for 45 s.
    Steady,
    /// From 2 to 8 a second in 30 s.
    Ramp,
    /// 3 a second, 10 a second, and 3 again.
    Spike,
    /// One in 5 s, for 60 s.
    Sustained,
    /// 10 a second for 20 s, a pause of 10 s, then one a second for 10 s: those are judged.
    Recovery,
    /// 5 a second for 20 s, of which 4 a second must make jobs.
    Peak,
    /// 15 a second for 15 s: what came of them must be gone within a minute.
    Exhaustion,
}

/// Seconds of a stretch, with its rate at the beginning and at the end.
type Stretch = (f64, f64, u32);

impl Shape {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Steady,
        Self::Ramp,
        Self::Spike,
        Self::Sustained,
        Self::Recovery,
        Self::Peak,
        Self::Exhaustion,
    ];

    /// As the command line has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Ramp => "ramp",
            Self::Spike => "spike",
            Self::Sustained => "sustained",
            Self::Recovery => "recovery",
            Self::Peak => "peak",
            Self::Exhaustion => "exhaustion",
        }
    }

    /// **Chosen**, where the contract gives rates only: the spike lasts 10 s between two stretches of 10 s, and after the
    /// recovery's pause 10 configures come, one a second.
    fn stretches(self) -> &'static [Stretch] {
        match self {
            Self::Steady => &[(5.0, 5.0, 45)],
            Self::Ramp => &[(2.0, 8.0, 30)],
            Self::Spike => &[(3.0, 3.0, 10), (10.0, 10.0, 10), (3.0, 3.0, 10)],
            Self::Sustained => &[(0.2, 0.2, 60)],
            Self::Recovery => &[(10.0, 10.0, 20), (0.0, 0.0, 10), (1.0, 1.0, 10)],
            Self::Peak => &[(5.0, 5.0, 20)],
            Self::Exhaustion => &[(15.0, 15.0, 15)],
        }
    }

    /// When each configure is due.
    #[must_use]
    pub fn moments(self) -> Vec<Duration> {
        moments(self.stretches())
    }

    /// How long it lasts.
    #[must_use]
    pub fn length(self) -> Duration {
        Duration::from_secs(self.stretches().iter().map(|(_, _, seconds)| u64::from(*seconds)).sum())
    }

    /// From when on its configures are judged.
    #[must_use]
    pub fn judged_from(self) -> Duration {
        match self {
            Self::Recovery => Duration::from_secs(30),
            Self::Steady | Self::Ramp | Self::Spike | Self::Sustained | Self::Peak | Self::Exhaustion => {
                Duration::ZERO
            }
        }
    }

    /// What the contract demands of it.
    #[must_use]
    pub fn demand(self) -> Demand {
        Demands::default().of(self)
    }
}

/// The moments of stretches, each with its rate at the beginning, at the end, and its seconds: the n-th is due when the
/// integral of the rate reaches n.
fn moments(stretches: &[Stretch]) -> Vec<Duration> {
    let mut all = Vec::new();
    let (mut began, mut before) = (0.0, 0.0);
    for (from, to, seconds) in stretches {
        let seconds = f64::from(*seconds);
        let slope = (to - from) / seconds;
        let due_by = |time: f64| before + from * time + slope * time * time / 2.0;
        let end = due_by(seconds);
        #[allow(clippy::cast_precision_loss, reason = "a few hundred moments")]
        let mut next = all.len() as f64;
        // A moment at the very end belongs to the next stretch.
        while next < end - 1e-9 {
            let missing = next - before;
            let time = if slope == 0.0 {
                missing / from
            } else {
                (-from + (from * from + 2.0 * slope * missing).sqrt()) / slope
            };
            all.push(Duration::from_secs_f64(began + time.max(0.0)));
            next += 1.0;
        }
        began += seconds;
        before = end;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(moments: &[Duration], from: u64, to: u64) -> usize {
        let (from, to) = (Duration::from_secs(from), Duration::from_secs(to));
        moments.iter().filter(|moment| **moment >= from && **moment < to).count()
    }

    #[test]
    fn a_shape_has_as_many_requests_as_its_rates_say_where_they_say_it() {
        let steady = Shape::Steady.moments();
        assert_eq!(
            (steady.len(), steady[1], steady[224]),
            (225, Duration::from_millis(200), Duration::from_millis(44_800))
        );
        let ramp = Shape::Ramp.moments();
        // 2 to 8 a second: 5 in the mean, 3.5 in the mean of the first half and 6.5 in that of the second.
        assert_eq!((ramp.len(), within(&ramp, 0, 15), within(&ramp, 15, 30)), (150, 53, 97));
        let spike = Shape::Spike.moments();
        assert_eq!([within(&spike, 0, 10), within(&spike, 10, 20), within(&spike, 20, 30)], [30, 100, 30]);
        let sustained = Shape::Sustained.moments();
        assert_eq!((sustained.len(), sustained[11]), (12, Duration::from_secs(55)));
        let recovery = Shape::Recovery.moments();
        assert_eq!(
            [within(&recovery, 0, 20), within(&recovery, 20, 30), within(&recovery, 30, 40)],
            [200, 0, 10]
        );
        let peak = Shape::Peak.moments();
        assert_eq!((peak.len(), within(&peak, 0, 10)), (100, 50));
        let exhaustion = Shape::Exhaustion.moments();
        assert_eq!((exhaustion.len(), within(&exhaustion, 14, 15)), (225, 15));
    }

    #[test]
    fn moments_are_in_order_and_what_is_demanded_can_be_judged() {
        for shape in Shape::ALL {
            let moments = shape.moments();
            assert!(moments.is_sorted() && moments[0] == Duration::ZERO, "{}", shape.name());
            assert!(moments.iter().any(|moment| *moment >= shape.judged_from()), "{}", shape.name());
            assert!(moments.last().is_some_and(|last| *last < shape.length()), "{}", shape.name());
        }
    }
}
