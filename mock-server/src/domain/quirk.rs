//! Quirks: the named ways in which real servers deviate from the contract, a closed list; and the profiles they make up.

use std::fmt;
use std::str::FromStr;

macro_rules! quirks {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $place:literal, $tickets:expr, $observed:literal;)+) => {
        /// One way in which real servers deviate from the contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Quirk {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Quirk {
            /// All of them, in the order of the documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name, as flags and files have it.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What differs with it, in one or two sentences.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// Where it shows.
            #[must_use]
            pub fn place(self) -> &'static str {
                match self {
                    $(Self::$variant => $place,)+
                }
            }

            /// The tickets that tell of it.
            #[must_use]
            pub fn tickets(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => $tickets,)+
                }
            }

            /// Whether servers deployed in December 2025 had it.
            #[must_use]
            pub fn is_of_2025_12(self) -> bool {
                match self {
                    $(Self::$variant => $observed,)+
                }
            }
        }
    };
}

quirks! {
    /// Views 0 and 1 take any positive nfftSelection up to 131072.
    NfftUnchecked = "nfft-unchecked", "POST /configure", &["PZ-13873", "PZ-13901"], true;
    /// A window in the future is taken, and needs no recording.
    FutureWindowAccepted = "future-window-accepted", "POST /configure", &["PZ-13870", "PZ-13984", "PZ-14089"], true;
    /// An integer view_type is refused with 422 and an empty body.
    ViewTypeIntRejected = "view-type-int-rejected", "POST /configure", &[], false;
    /// view_type is answered as a string.
    ViewTypeStringResponse = "view-type-string-response", "POST /configure, GET /metadata", &[], false;
    /// status is answered as an empty string.
    StatusEmpty = "status-empty", "POST /configure, GET /metadata", &["PZ-13667"], true;
    /// A quarter of the frequency bins, four times coarser.
    FrequencyBinsDecimated = "frequency-bins-decimated", "POST /configure, GET /metadata", &["PZ-14060", "PZ-14061"], false;
    /// A missing displayInfo, channels or view_type, or a missing frequencyRange in views 0 and 1, is answered with 500.
    Parser500 = "parser-500", "POST /configure", &["PZ-13266", "PZ-13267"], true;
    /// A waterfall with neither duration nor frequencyRange is answered with 500.
    WaterfallMinimal500 = "waterfall-minimal-500", "POST /configure", &["PZ-13238", "PZ-13296"], false;
    /// Channels are not checked: beyond the fibre, below 1, more than 2222 are taken, reversed ends are exchanged.
    ChannelsUnchecked = "channels-unchecked", "POST /configure", &["PZ-13554", "PZ-13760", "PZ-13427", "PZ-13876"], true;
    /// Frequencies are not checked: beyond Nyquist, equal, reversed and negative ones are taken.
    FrequencyUnchecked = "frequency-unchecked", "POST /configure", &["PZ-13555", "PZ-13761", "PZ-13877", "PZ-13903"], true;
    /// A height of 0 or below is taken as 1.
    HeightUnchecked = "height-unchecked", "POST /configure", &["PZ-13878"], true;
    /// View 1 takes a range of channels: one stream for all of them, and a channel_amount of 1.
    SingleChannelRangeAccepted = "single-channel-range-accepted", "POST /configure, GET /metadata", &["PZ-13669", "PZ-13823", "PZ-13852"], true;
    /// Only one of start_time and end_time is answered with 500.
    OneSidedWindow500 = "one-sided-window-500", "POST /configure", &["PZ-13907", "PZ-13909"], true;
    /// A waterfall takes duration, frequencyRange and any nfftSelection, and ignores them.
    WaterfallUnchecked = "waterfall-unchecked", "POST /configure", &["PZ-13428", "PZ-13429", "PZ-13557"], true;
    /// The list of recordings comes as the only key of an object.
    RecordingsWrapped = "recordings-wrapped", "POST /recordings_in_time_range", &["PZ-13564"], false;
    /// While the fibre is awaited, its metadata is not found.
    LiveMetadata404 = "live-metadata-404", "GET /live_metadata", &["PZ-13562", "PZ-13765"], false;
    /// num_samples_per_trace and dtype are missing; while waiting, null meters and a number of channels are there.
    LiveMetadataFieldsMissing = "live-metadata-fields-missing", "GET /live_metadata", &["PZ-13985"], true;
    /// stream_port is answered as a string.
    StreamPortString = "stream-port-string", "POST /configure, GET /metadata", &["PZ-13271"], false;
    /// Every 503 of an outside system comes 0.85 s late and without retry-after.
    SlowOutage = "slow-outage", "POST /configure, recordings", &["PZ-13640"], true;
    /// A job cannot be cancelled: the route does not exist, and the job goes on.
    CancelNotImplemented = "cancel-not-implemented", "DELETE /job/{job_id}", &["PZ-13670"], true;
    /// The metadata of a job is unknown for the first 2 s after its answer.
    MetadataRace = "metadata-race", "GET /metadata/{job_id}", &["PZ-13269", "PZ-13293", "PZ-14925", "PZ-14926", "PZ-14927"], true;
    /// The routes of tasks do not exist.
    TaskApiMissing = "task-api-missing", "/sensors, /config, /waterfall, /metadata/{task_id}", &["PZ-13897", "PZ-14750", "PZ-14764"], true;
    /// The port of a job opens 6.5 s after its answer; until then its pod is Pending.
    SlowPodStart = "slow-pod-start", "job ports, pods", &["PZ-13294"], true;
    /// Streams of recordings: 8 frames, 30 s of silence, GOAWAY with code 2, and the job is gone.
    StreamGoaway = "stream-goaway", "job ports", &[], true;
    /// Errors have the bodies that were recorded: error, or detail, and nothing else.
    BareErrorBody = "bare-error-body", "every refusal", &["PZ-13297"], true;
    /// Streaming pods ask for no CPU and memory and have no job_id label; the server's pods have no app label.
    JobTemplateObserved = "job-template-observed", "Kubernetes", &["PZ-14925"], true;
}

/// No quirk has that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such quirk: there are {}", names())]
pub struct NotAQuirk;

fn names() -> String {
    Quirk::ALL.iter().map(|quirk| quirk.name()).collect::<Vec<_>>().join(", ")
}

impl FromStr for Quirk {
    type Err = NotAQuirk;

    fn from_str(text: &str) -> Result<Self, NotAQuirk> {
        Self::ALL.iter().find(|quirk| quirk.name() == text).copied().ok_or(NotAQuirk)
    }
}

impl fmt::Display for Quirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Some of the quirks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Hash)]
pub struct Quirks(u32);

impl Quirks {
    /// None: the contract.
    pub const NONE: Self = Self(0);

    /// Whether it is one of them.
    #[must_use]
    pub const fn has(self, quirk: Quirk) -> bool {
        self.0 & (1 << quirk as u32) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// With a quirk more, or without it.
    #[must_use]
    pub const fn with(self, quirk: Quirk, on: bool) -> Self {
        let bit = 1 << quirk as u32;
        Self(if on { self.0 | bit } else { self.0 & !bit })
    }

    /// Them, in the order of the documents.
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.iter().copied().filter(move |quirk| self.has(*quirk))
    }
}

impl FromIterator<Quirk> for Quirks {
    fn from_iter<I: IntoIterator<Item = Quirk>>(quirks: I) -> Self {
        quirks.into_iter().fold(Self::NONE, |all, quirk| all.with(quirk, true))
    }
}

/// A named set of quirks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Profile {
    /// What was agreed: no quirk.
    #[default]
    Contract,
    /// What servers deployed in December 2025 did.
    Observed202512,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Contract, Self::Observed202512];

    /// Its name, as flags and files have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contract => "contract",
            Self::Observed202512 => "observed-2025-12",
        }
    }

    /// The quirks it is made of.
    #[must_use]
    pub fn quirks(self) -> Quirks {
        match self {
            Self::Contract => Quirks::NONE,
            Self::Observed202512 => {
                Quirk::ALL.iter().copied().filter(|quirk| quirk.is_of_2025_12()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_quirk_is_found_by_its_name_and_has_a_bit_of_its_own() {
        let names: BTreeSet<_> = Quirk::ALL.iter().map(|quirk| quirk.name()).collect();
        assert_eq!(names.len(), Quirk::ALL.len());
        for quirk in Quirk::ALL.iter().copied() {
            assert_eq!(quirk.name().parse(), Ok(quirk));
            assert_eq!(Quirks::NONE.with(quirk, true).iter().collect::<Vec<_>>(), [quirk]);
        }
        assert_eq!("metadata_race".parse::<Quirk>(), Err(NotAQuirk));
    }

    #[test]
    fn the_contract_has_no_quirk_and_december_2025_has_those_that_were_recorded() {
        assert!(Profile::Contract.quirks().is_empty());
        let observed = Profile::Observed202512.quirks();
        assert_eq!(observed.iter().count(), 19);
        assert!(observed.has(Quirk::StatusEmpty) && !observed.has(Quirk::StreamPortString));
        assert!(!observed.with(Quirk::StatusEmpty, false).has(Quirk::StatusEmpty));
    }
}
