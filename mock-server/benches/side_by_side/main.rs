//! The mock beside bare servers: what its logic costs, measured in one run with one client.
//!
//! ```sh
//! cargo bench -p focus-mock --bench side_by_side                       # everything, about eight minutes
//! cargo bench -p focus-mock --bench side_by_side -- --quick            # short rounds, without the minute of full load
//! cargo bench -p focus-mock --bench side_by_side -- channels stream    # only figures of these groups
//! cargo bench -p focus-mock --bench side_by_side -- scale              # only how costs grow with jobs and streams
//! ```
//!
//! A bare server answers the same bytes without any logic: `axum::serve`, or tonic's server for streams, with the
//! answers that the mock gave once. Every server is a process of its own; rounds on the two sides alternate, and what
//! counts is the ratio within a pair of rounds, for machines are noisy and differ. The result is a Markdown table.
//! Of what is measured at several sizes there is another one, with a verdict for each curve, and a plot.

mod bare;
mod compare;
mod curve;
mod figures;
mod grpc;
mod http;
mod load;
mod mock;
mod plot;
mod process;
mod table;
mod wall;

use std::time::Duration;

use compare::Plan;
use curve::{Curve, Curves};
use figures::GROUPS;
use table::Table;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == bare::ARGUMENT) {
        return bare::serve();
    }
    let plan = plan(&arguments);
    let (_, filters): (Vec<_>, Vec<_>) = arguments.into_iter().partition(|word| word.starts_with("--"));
    let unknown =
        filters.iter().find(|filter| !GROUPS.iter().any(|group| group.name.contains(filter.as_str())));
    if let Some(unknown) = unknown {
        let names: Vec<_> = GROUPS.iter().map(|group| group.name).collect();
        anyhow::bail!("no figures are called {unknown}; there are {}", names.join(", "));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut table, mut curves, mut failed) = (Table::default(), Vec::<Curve>::new(), Vec::new());
    for group in GROUPS {
        if filters.is_empty() || filters.iter().any(|filter| group.name.contains(filter.as_str())) {
            eprintln!("{} …", group.name);
            match runtime.block_on((group.measure)(plan)) {
                Ok(measured) => {
                    table.extend(measured.rows);
                    curves.extend(measured.curves);
                }
                Err(error) => failed.push(format!("{}: {error:#}", group.name)),
            }
        }
    }
    println!("{table}");
    if !curves.is_empty() {
        let drawn: Vec<_> =
            curves.iter().filter(|curve| (curve.unit, curve.of) == ("µs", "live jobs")).collect();
        println!("{}\n```text\n{}```", Curves(&curves), plot::plot(&drawn));
    }
    anyhow::ensure!(failed.is_empty(), "could not be measured: {}", failed.join("; "));
    Ok(())
}

/// How long to measure; cargo adds a `--bench` of its own, which says nothing.
fn plan(arguments: &[String]) -> Plan {
    if arguments.iter().any(|argument| argument == "--quick") {
        Plan { pairs: 9, round: Duration::from_millis(250), quick: true }
    } else {
        Plan { pairs: 9, round: Duration::from_secs(1), quick: false }
    }
}
