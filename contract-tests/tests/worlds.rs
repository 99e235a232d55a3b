//! What must not depend on the server that it is asked of.

mod mocks;

use std::collections::BTreeSet;
use std::path::Path;

use focus_contract::case::Case;
use focus_contract::cases;
use focus_contract::drive::{Rounds, hold};
use focus_contract::model::{command::sequences, run::run};
use focus_contract::snapshot::{APPROVED, approved};
use focus_mock::domain::ids::Sequence;
use focus_mock::domain::time::Moment;
use focus_mock::sim::seed::Seed;
use focus_mock::{Addresses, Config, PortChoice, StreamsAt};
use mocks::{passes, untold};

/// The same files for two seeds, several hosts and ports, another time, another number of jobs before.
#[test]
fn snapshots_keep_nothing_that_varies() {
    for config in [seeded(), elsewhere(), later()] {
        for case in cases::all().filter(|case| case.area() == "snapshots") {
            passes(case, config.clone());
        }
    }
}

fn seeded() -> Config {
    Config { seed: Seed(77), ..Config::default() }
}

/// Free ports of another address, named otherwise.
fn elsewhere() -> Config {
    let addresses = Addresses::Given {
        listen: ([127, 0, 0, 1], 0).into(),
        admin: Some(([127, 0, 0, 1], 0).into()),
        kube: None,
        ports: PortChoice::FreeBlock,
    };
    let streams_at = StreamsAt { public_url: None, host: Some(String::from("streams.example")) };
    Config { addresses, streams_at, ..Config::default() }
}

fn later() -> Config {
    let start = Moment::from_nanos(1_900_000_123_456_789_000);
    let mut config = Config { start_time: Some(start), ..Config::default() };
    config.setup.first_sequence = Sequence::new(4711).expect("a number");
    config
}

#[test]
fn approved_texts_name_no_server() {
    for (name, _) in APPROVED {
        let text = approved(name).unwrap_or_default();
        for piece in ["127.0", "localhost", ":5000", "123"] {
            assert!(!text.contains(piece), "{name} contains {piece}:\n{text}");
        }
    }
}

/// Programs carry exactly the files that there are.
#[test]
fn every_snapshot_is_carried() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let files = folder.read_dir().expect("the snapshots").filter_map(|file| {
        let name = file.ok()?.file_name().into_string().ok()?;
        name.strip_suffix(".snap").map(str::to_owned)
    });
    let carried = APPROVED.iter().map(|(name, _)| (*name).to_owned());
    assert_eq!(files.collect::<BTreeSet<_>>(), carried.collect(), "name them in src/snapshot.rs");
}

/// With room for three jobs, sequences reach the limit all the time.
#[test]
fn sequences_keep_the_limit_on_jobs() {
    static CASE: Case = untold("properties/limited", |story| {
        let sequences = sequences(18);
        Box::pin(async move {
            hold(&sequences, Rounds::of(story, 40), async |steps| run(story, 3, &steps).await).await
        })
    });
    let mut config = Config::default();
    config.setup.limits.max_jobs = 3;
    passes(&CASE, config);
}
