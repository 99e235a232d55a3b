//! How a cost grows with the size of what it is paid beside: cost = a·n^b, fitted where both are logarithms.

use std::fmt;

/// What an exponent says.
///
/// **Chosen**: flat up to 0.15, which is at most 1.41 times the cost at ten times the size; linear up to 1.15, by as much
/// of noise above 1; worse above that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Flat,
    Linear,
    Worse,
}

impl Verdict {
    const FLAT_UP_TO: f64 = 0.15;
    const LINEAR_UP_TO: f64 = 1.15;

    pub(crate) fn of(exponent: f64) -> Self {
        if exponent <= Self::FLAT_UP_TO {
            Self::Flat
        } else if exponent <= Self::LINEAR_UP_TO {
            Self::Linear
        } else {
            Self::Worse
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flat => "flat",
            Self::Linear => "linear",
            Self::Worse => "**worse**",
        })
    }
}

/// The exponent b of cost = a·n^b by least squares over the logarithms. `None` with fewer than two sizes, or where a cost
/// is nothing, or less: noise was larger than it.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    if points.iter().any(|(size, cost)| *size <= 0.0 || *cost <= 0.0) {
        return None;
    }
    let logs: Vec<_> = points.iter().map(|(size, cost)| (size.ln(), cost.ln())).collect();
    let count = logs.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|log| log.0), mean(|log| log.1));
    let along: f64 = logs.iter().map(|log| (log.0 - x).powi(2)).sum();
    let together: f64 = logs.iter().map(|log| (log.0 - x) * (log.1 - y)).sum();
    (along > 0.0).then(|| together / along)
}

/// A cost at several sizes, measured at all of them in each round.
pub(crate) struct Curve {
    /// What costs.
    pub(crate) name: String,
    pub(crate) unit: &'static str,
    /// What the sizes count.
    pub(crate) of: &'static str,
    pub(crate) sizes: Vec<f64>,
    /// Of each round, the cost at each size.
    pub(crate) rounds: Vec<Vec<f64>>,
}

/// What the rounds of a curve come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fitted {
    /// The exponent of the medians.
    pub(crate) exponent: f64,
    /// The smallest and the largest of the rounds.
    pub(crate) rounds: (f64, f64),
}

impl Curve {
    /// Sizes with the median of what all rounds measured there.
    pub(crate) fn medians(&self) -> Vec<(f64, f64)> {
        let median = |place: usize| {
            let mut costs: Vec<_> = self.rounds.iter().map(|round| round[place]).collect();
            costs.sort_by(f64::total_cmp);
            f64::midpoint(costs[(costs.len() - 1) / 2], costs[costs.len() / 2])
        };
        self.sizes.iter().enumerate().map(|(place, size)| (*size, median(place))).collect()
    }

    /// `None` where nothing can be said.
    pub(crate) fn fitted(&self) -> Option<Fitted> {
        let of_round = |round: &Vec<f64>| {
            exponent(&self.sizes.iter().copied().zip(round.iter().copied()).collect::<Vec<_>>())
        };
        let rounds: Vec<_> = self.rounds.iter().map(of_round).collect::<Option<_>>()?;
        let least = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let most = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Fitted { exponent: exponent(&self.medians())?, rounds: (least, most) })
    }
}

impl fmt::Display for Fitted {
    /// The verdict; where rounds alone would have given others, these too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [verdict, least, most] = [self.exponent, self.rounds.0, self.rounds.1].map(Verdict::of);
        write!(f, "{verdict}")?;
        if least == most { Ok(()) } else { write!(f, " (rounds: {least} to {most})") }
    }
}

/// Curves as the rows of a Markdown table.
pub(crate) struct Curves<'a>(pub(crate) &'a [Curve]);

impl fmt::Display for Curves<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| Cost | Medians | b of n^b | Min – max | Verdict |\n|---|---|---|---|---|")?;
        for curve in self.0 {
            let medians = curve.medians();
            let costs: Vec<_> = medians
                .iter()
                .map(|(size, cost)| format!("{}: {}", thousands(*size), digits(*cost)))
                .collect();
            write!(f, "| {}, {} by {} | {} ", curve.name, curve.unit, curve.of, costs.join("; "))?;
            match curve.fitted() {
                Some(fitted) => {
                    let (least, most) = fitted.rounds;
                    writeln!(f, "| {:.2} | {least:.2} – {most:.2} | {fitted} |", fitted.exponent)?;
                }
                None => writeln!(f, "| | | too small to tell from noise |")?,
            }
        }
        Ok(())
    }
}

/// A cost with as many digits as say something.
fn digits(cost: f64) -> String {
    let decimals = if cost.abs() < 1.0 { 2 } else { usize::from(cost.abs() < 100.0) };
    format!("{cost:.decimals$}")
}

/// A size as people write it.
pub(crate) fn thousands(size: f64) -> String {
    if size < 1000.0 {
        format!("{size:.0}")
    } else {
        format!("{:.0},{:03.0}", (size / 1000.0).floor(), size % 1000.0)
    }
}
