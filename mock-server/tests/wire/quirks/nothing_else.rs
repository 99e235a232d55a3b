//! Each quirk changes the answers that its documentation names, and every other answer stays as it is, byte for byte.

use std::collections::BTreeSet;

use focus_mock::domain::quirk::Quirk;

use super::battery;

/// Answers of jobs.
const JOBS: [&str; 7] = [
    "multi-channel",
    "multi-channel, integer view",
    "single-channel",
    "waterfall",
    "historic",
    "metadata at once",
    "metadata later",
];

/// Those of the battery whose answers a quirk changes.
fn changed_by(quirk: Quirk) -> Vec<&'static str> {
    match quirk {
        Quirk::NfftUnchecked => vec!["nfft 1000"],
        Quirk::FutureWindowAccepted => vec!["window in the future"],
        Quirk::ViewTypeIntRejected => vec!["multi-channel, integer view"],
        Quirk::ViewTypeStringResponse | Quirk::StatusEmpty | Quirk::StreamPortString => JOBS.to_vec(),
        // A waterfall has no bins.
        Quirk::FrequencyBinsDecimated => JOBS.into_iter().filter(|name| *name != "waterfall").collect(),
        Quirk::Parser500 => vec!["no view", "no channels", "no displayInfo", "no frequencyRange"],
        Quirk::WaterfallMinimal500 => vec!["waterfall"],
        Quirk::ChannelsUnchecked => {
            vec![
                "channel 0",
                "channels reversed",
                "channels beyond",
                "too many channels",
                "far too many channels",
            ]
        }
        Quirk::FrequencyUnchecked => {
            vec!["frequencies beyond", "frequencies reversed", "frequencies equal", "frequency negative"]
        }
        Quirk::HeightUnchecked => vec!["height 0"],
        Quirk::SingleChannelRangeAccepted => vec!["single-channel range"],
        Quirk::OneSidedWindow500 => vec!["start alone", "end alone"],
        Quirk::WaterfallUnchecked => vec!["waterfall with everything"],
        Quirk::RecordingsWrapped => vec!["recordings", "recordings, none"],
        Quirk::LiveMetadata404 => vec!["live metadata, waiting"],
        Quirk::LiveMetadataFieldsMissing => {
            vec!["live metadata", "live metadata, mixed", "live metadata, waiting"]
        }
        Quirk::SlowOutage => vec![
            "MongoDB down: historic",
            "MongoDB down: recordings",
            "MongoDB down: timeline",
            "RabbitMQ down: live",
            "fiber waiting: live",
        ],
        // The whole path is missing, for other methods, too.
        Quirk::CancelNotImplemented => vec!["cancel", "cancel, unknown job", "wrong method of a job"],
        Quirk::MetadataRace => vec!["metadata at once"],
        Quirk::TaskApiMissing => vec![
            "sensors",
            "task config",
            "task data",
            "task metadata",
            "wrong method of a task",
            "task data, unknown",
            "task config, wrong",
        ],
        Quirk::SlowPodStart => vec!["port"],
        Quirk::StreamGoaway => vec!["historic stream"],
        Quirk::BareErrorBody => BARE.to_vec(),
        // There is no Kubernetes API yet.
        Quirk::JobTemplateObserved => vec![],
    }
}

/// Every refusal of the battery, and the one at the end of a cancelled job.
const BARE: [&str; 51] = [
    "metadata, unknown job",
    "cancel",
    "cancel, unknown job",
    "unknown route",
    "wrong method",
    "wrong method of a job",
    "wrong method of a task",
    "metadata, unknown task",
    "task data, unknown",
    "task config, wrong",
    "recordings, wrong order",
    "recordings, no times",
    "no JSON",
    "no object",
    "empty object",
    "too large",
    "no view",
    "unknown view",
    "no channels",
    "channels of text",
    "channel 0",
    "channels reversed",
    "channels beyond",
    "too many channels",
    "far too many channels",
    "single-channel range",
    "no displayInfo",
    "height 0",
    "no duration",
    "duration 0",
    "no nfft",
    "nfft 1000",
    "nfft 0",
    "no frequencyRange",
    "frequencies beyond",
    "frequencies reversed",
    "frequencies equal",
    "frequency negative",
    "waterfall with everything",
    "start alone",
    "end alone",
    "window reversed",
    "window in the future",
    "window without a recording",
    "MongoDB down: historic",
    "MongoDB down: recordings",
    "MongoDB down: timeline",
    "RabbitMQ down: live",
    "fiber waiting: live",
    "cluster refuses: live",
    "server down",
];

#[tokio::test]
async fn a_quirk_changes_exactly_the_answers_that_it_is_about() {
    let contract = battery::of(&[]).await;
    assert!(contract.len() > 70, "only {} kinds of requests", contract.len());
    assert_eq!(battery::of(&[]).await, contract, "without a quirk nothing differs");
    for quirk in Quirk::ALL.iter().copied() {
        let quirky = battery::of(&[quirk]).await;
        let changed: BTreeSet<_> =
            contract.iter().filter(|(name, seen)| quirky[*name] != **seen).map(|(name, _)| *name).collect();
        let expected: BTreeSet<_> = changed_by(quirk).into_iter().collect();
        let shown: Vec<_> = changed
            .symmetric_difference(&expected)
            .map(|name| format!("{name}\n  {:?}\n  {:?}", contract.get(name), quirky.get(name)))
            .collect();
        assert_eq!(changed, expected, "{quirk}\n{}", shown.join("\n"));
    }
}
