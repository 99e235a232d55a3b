//! The suite against every quirk alone: each is noticed by the cases that the README names for it.

mod mocks;

use std::path::Path;
use std::time::Duration;

use focus_contract::case::Case;
use focus_contract::cases;
use focus_contract::known_failing::KnownFailing;
use focus_contract::runner::{Manner, Outcome, tell};
use focus_mock::Config;
use focus_mock::domain::quirk::{Profile, Quirk, Quirks};
use mocks::Mocks;

/// The cases that notice a quirk, each alone.
fn noticed_by(quirk: Quirk) -> &'static [&'static str] {
    match quirk {
        Quirk::NfftUnchecked => &["nfft/nfft-non-power-of-two"],
        Quirk::FutureWindowAccepted => &["windows/future-timestamps"],
        Quirk::ViewTypeIntRejected => &["shape/view-type-forms"],
        Quirk::ViewTypeStringResponse | Quirk::StreamPortString => &["shape/response-invariants"],
        Quirk::StatusEmpty => &["jobs/two-jobs"],
        Quirk::FrequencyBinsDecimated => &["nfft/nfft-variations"],
        Quirk::Parser500 => &["shape/missing-fields"],
        Quirk::WaterfallMinimal500 => &["shape/waterfall-minimal"],
        Quirk::ChannelsUnchecked => &["channels/channels-out-of-range"],
        Quirk::FrequencyUnchecked => &["frequency/frequency-values"],
        Quirk::HeightUnchecked => &["shape/height-positive"],
        Quirk::SingleChannelRangeAccepted => &["channels/single-channel-range"],
        Quirk::OneSidedWindow500 => &["windows/one-sided-window"],
        Quirk::WaterfallUnchecked => &["shape/waterfall-forbidden"],
        Quirk::RecordingsWrapped => &["recordings/recordings-list"],
        Quirk::LiveMetadata404 => &["outages/live-metadata"],
        Quirk::LiveMetadataFieldsMissing => &["fibre/live-metadata-ready"],
        Quirk::SlowOutage => &["outages/mongo-outage", "kubernetes/mongo-outage"],
        Quirk::CancelNotImplemented => {
            &["jobs/cancellation-and-cleanup", "kubernetes/cancellation-and-cleanup"]
        }
        Quirk::MetadataRace => &["jobs/metadata-by-job-id"],
        Quirk::TaskApiMissing => &["tasks/task-api-config"],
        Quirk::SlowPodStart => &["jobs/connect-stream-port", "kubernetes/port-exposure"],
        Quirk::StreamGoaway => &["streams/grpc-historic-end"],
        Quirk::BareErrorBody => &["http/uniform-errors"],
        Quirk::JobTemplateObserved => &["kubernetes/creation-triggers-pod", "kubernetes/resource-allocation"],
    }
}

fn case(id: &str) -> &'static Case {
    cases::find(id).unwrap_or_else(|| panic!("there is no case {id}"))
}

fn with(quirk: Quirk) -> Config {
    let mut config = Config::default();
    config.setup.quirks = Quirks::NONE.with(quirk, true);
    config
}

#[tokio::test]
async fn every_quirk_alone_is_noticed_by_its_cases() {
    for quirk in Quirk::ALL.iter().copied() {
        let mocks = Mocks::impatient(with(quirk), Duration::from_millis(900));
        for id in noticed_by(quirk) {
            let told = tell(case(id), &mocks, Manner::default()).await;
            match told.outcome {
                Outcome::Failed(_) => {}
                Outcome::Passed => panic!("{quirk} is not noticed by {id}"),
                Outcome::CouldNotRun(failure) => panic!("{quirk}: {id} could not be told: {failure}"),
                Outcome::Skipped(why) => panic!("{quirk}: {id} is skipped: {why}"),
            }
        }
    }
}

/// What a server of December 2025 fails is listed, and no line is there for nothing.
#[tokio::test]
async fn the_profile_of_december_2025_fails_what_is_listed_and_nothing_else() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("known-failing/observed-2025-12.txt");
    let list = KnownFailing::read(&path).expect("the list");
    let mut config = Config::default();
    config.setup.quirks = Profile::Observed202512.quirks();
    let mocks = Mocks::impatient(config, Duration::from_millis(900));
    let (mut unexpected, mut healed) = (Vec::new(), Vec::new());
    for case in cases::all() {
        let told = tell(case, &mocks, Manner::default()).await;
        match (told.outcome, list.about(case.id)) {
            (Outcome::Failed(_), Some(_)) | (Outcome::Passed, None) => {}
            (Outcome::Passed, Some(line)) => healed.push(list.healed(line, case.id)),
            (Outcome::Failed(failure) | Outcome::CouldNotRun(failure), _) => {
                unexpected.push(format!("{}: {failure}", case.id));
            }
            (Outcome::Skipped(why), _) => unexpected.push(format!("{} is skipped: {why}", case.id)),
        }
    }
    assert!(unexpected.is_empty() && healed.is_empty(), "{}\n{}", unexpected.join("\n"), healed.join("\n"));
}

#[test]
fn the_readme_names_the_cases_for_every_quirk() {
    let readme = include_str!("../README.md");
    for quirk in Quirk::ALL.iter().copied() {
        let by = noticed_by(quirk).iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ");
        let row = format!("| `{quirk}` | {by} |");
        assert!(readme.contains(&row), "missing: {row}");
    }
}
