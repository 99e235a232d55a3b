//! Cost against scale: the same with ten jobs, with a hundred and with a thousand; and many streams at a time.

mod memory;
mod operations;
mod streams;

use super::Measured;
use crate::compare::{Plan, Turn, alternate};
use crate::curve::Curve;

/// How many jobs live.
const SIZES: [usize; 3] = [10, 100, 1000];

pub(super) async fn figures(plan: Plan) -> anyhow::Result<Measured> {
    let mut curves = operations::curves(plan).await?;
    curves.extend(memory::per_job(plan).await?);
    let mut measured = streams::figures(plan).await?;
    curves.append(&mut measured.curves);
    Ok(Measured { curves, ..measured })
}

/// The light payload of a capacity run: three streams of ten frames a second.
fn light() -> String {
    String::from(
        r#"{"displayTimeAxisDuration":10,"nfftSelection":512,"displayInfo":{"height":800},"channels":{"min":1,"max":10},"frequencyRange":{"min":0,"max":250},"view_type":"0"}"#,
    )
}

/// So many rounds, in each of them all sizes in turn, so that noise hits all of them alike.
async fn rounds<T, const SIZES: usize>(
    plan: Plan,
    count: usize,
    round: impl AsyncFn(usize) -> anyhow::Result<T>,
) -> anyhow::Result<Vec<Turn<T, SIZES>>> {
    alternate(Plan { pairs: count, ..plan }, round).await
}

fn curve(name: &str, unit: &'static str, of: &'static str, sizes: &[usize], rounds: Vec<Vec<f64>>) -> Curve {
    Curve { name: name.into(), unit, of, sizes: sizes.iter().map(|size| *size as f64).collect(), rounds }
}
