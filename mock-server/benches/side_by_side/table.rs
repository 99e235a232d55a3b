//! The result as a Markdown table.

use std::fmt;

use crate::compare::Spread;

/// What a figure shall be.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// At most so many times more or less.
    WithinFactor(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::WithinFactor(factor) => (1.0 / factor..=factor).contains(&value),
        }
    }
}

/// One figure.
pub(crate) struct Row {
    pub(crate) figure: String,
    pub(crate) goal: Goal,
    /// `None` where it cannot be measured.
    pub(crate) spread: Option<Spread>,
    /// What the numbers are in: `x` for ratios.
    pub(crate) unit: &'static str,
    /// What else is worth knowing.
    pub(crate) notes: String,
}

/// All figures.
#[derive(Default)]
pub(crate) struct Table(Vec<Row>);

impl Table {
    pub(crate) fn extend(&mut self, rows: Vec<Row>) {
        self.0.extend(rows);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| Figure | Goal | Median | Min – max | Met | Medians of the sides |")?;
        writeln!(f, "|---|---|---|---|---|---|")?;
        for Row { figure, goal, spread, unit, notes } in &self.0 {
            let goal_text = match goal {
                Goal::AtLeast(value) => format!("≥ {value}{unit}"),
                Goal::AtMost(value) => format!("≤ {value}{unit}"),
                Goal::WithinFactor(factor) => format!("within {factor}{unit}"),
            };
            let Some(Spread { median, smallest, largest }) = *spread else {
                writeln!(f, "| {figure} | {goal_text} | not measured here | | | {notes} |")?;
                continue;
            };
            let met = if goal.is_met(median) { "yes" } else { "**no**" };
            writeln!(
                f,
                "| {figure} | {goal_text} | {median:.2}{unit} | {smallest:.2} – {largest:.2} | {met} | {notes} |"
            )?;
        }
        Ok(())
    }
}
