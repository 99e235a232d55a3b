//! What a server with quirks takes although the contract refuses it, and what it stumbles over before it checks anything.

use super::check::{ConfigureDraft, Given, ViewNumber};
use super::quirk::{Quirk, Quirks};
use super::refusal::Refusal;
use super::violation::Violation;

/// A violation that was not held against a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forgiven {
    /// The quirk that forgives it.
    pub quirk: Quirk,
    /// What the contract has against the request.
    pub violation: Violation,
}

/// Most channels that a server takes which does not check them: a bound on what one request can cost. **Chosen**.
const MOST_UNCHECKED_CHANNELS: i64 = 10_000;

/// The quirk that forgives a violation; `None` where none does.
#[must_use]
pub fn forgiving(violation: Violation) -> Option<Quirk> {
    match violation {
        Violation::ChannelBelowOne
        | Violation::ChannelsReversed { .. }
        | Violation::ChannelBelowLowest { .. }
        | Violation::ChannelAboveHighest { .. } => Some(Quirk::ChannelsUnchecked),
        Violation::TooManyChannels { count, .. } => {
            (count <= MOST_UNCHECKED_CHANNELS).then_some(Quirk::ChannelsUnchecked)
        }
        Violation::NotASingleChannel => Some(Quirk::SingleChannelRangeAccepted),
        Violation::HeightNotPositive => Some(Quirk::HeightUnchecked),
        Violation::NotForWaterfall(_) | Violation::NfftForWaterfall => Some(Quirk::WaterfallUnchecked),
        Violation::NfftUnsupported { nfft, .. } => {
            super::view::Nfft::unchecked(nfft).map(|_| Quirk::NfftUnchecked)
        }
        Violation::FrequencyNegative
        | Violation::FrequenciesReversed { .. }
        | Violation::AboveNyquist { .. } => Some(Quirk::FrequencyUnchecked),
        Violation::TimeInFuture => Some(Quirk::FutureWindowAccepted),
        Violation::NotAnObject
        | Violation::Missing(_)
        | Violation::UnknownView
        | Violation::NotAnObjectAt(_)
        | Violation::NotAnInteger(_)
        | Violation::MissingForSpectrum(_)
        | Violation::DurationNotPositive
        | Violation::OneSidedWindow { .. }
        | Violation::TimeNegative(_)
        | Violation::TimesReversed
        | Violation::BadTaskId
        | Violation::NotANumber(_)
        | Violation::NotAStamp(_)
        | Violation::NotPositive(_)
        | Violation::Negative(_)
        | Violation::RangeReversed(_)
        | Violation::SensorAboveLast { .. } => None,
    }
}

/// How a server with quirks fails at a request before it looks at its values, whatever else is wrong with it.
///
/// A request that says nothing at all is refused as anywhere else; only one that lacks some parts meets the parser.
#[must_use]
pub fn stumbles(draft: &ConfigureDraft, quirks: Quirks) -> Option<Refusal> {
    if quirks.is_empty() {
        return None;
    }
    if quirks.has(Quirk::ViewTypeIntRejected) && draft.view_is_number {
        return Some(Refusal::ViewTypeNumber);
    }
    if *draft == ConfigureDraft::default() {
        return None;
    }
    let no_frequencies = matches!(draft.frequencies, Given::Absent);
    let is_spectrum =
        matches!(draft.view, Given::Value(ViewNumber::MultiChannel | ViewNumber::SingleChannel));
    let lacks_parts = matches!(draft.display, Given::Absent)
        || matches!(draft.channels, Given::Absent)
        || matches!(draft.view, Given::Absent)
        || (is_spectrum && no_frequencies);
    let is_minimal_waterfall = draft.view == Given::Value(ViewNumber::Waterfall)
        && matches!(draft.duration, Given::Absent)
        && no_frequencies;
    let is_one_sided =
        matches!(draft.window.start, Given::Absent) != matches!(draft.window.end, Given::Absent);
    let fails = (quirks.has(Quirk::Parser500) && lacks_parts)
        || (quirks.has(Quirk::WaterfallMinimal500) && is_minimal_waterfall)
        || (quirks.has(Quirk::OneSidedWindow500) && is_one_sided);
    fails.then_some(Refusal::Parser)
}

/// Violations as they are found: those that count and those that are forgiven.
pub(super) struct Findings {
    quirks: Quirks,
    pub(super) violations: Vec<Violation>,
    pub(super) forgiven: Vec<Forgiven>,
}

impl Findings {
    /// Nothing yet, on a server with these quirks.
    pub(super) fn under(quirks: Quirks) -> Self {
        Self { quirks, violations: Vec::new(), forgiven: Vec::new() }
    }

    /// Whether the server has a quirk.
    pub(super) fn has(&self, quirk: Quirk) -> bool {
        self.quirks.has(quirk)
    }

    /// Notes a violation.
    pub(super) fn push(&mut self, violation: Violation) {
        self.forgives(violation);
    }

    /// Notes a violation; whether it is forgiven.
    pub(super) fn forgives(&mut self, violation: Violation) -> bool {
        match forgiving(violation).filter(|quirk| self.quirks.has(*quirk)) {
            Some(quirk) => {
                self.forgiven.push(Forgiven { quirk, violation });
                true
            }
            None => {
                self.violations.push(violation);
                false
            }
        }
    }

    pub(super) fn extend(&mut self, violations: impl Iterator<Item = Violation>) {
        violations.for_each(|violation| self.push(violation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::violation::Field;

    #[test]
    fn what_a_quirk_takes_ends_somewhere() {
        let channels = |count| forgiving(Violation::TooManyChannels { count, limit: 2222 });
        assert_eq!(
            (channels(2223), channels(10_000)),
            (Some(Quirk::ChannelsUnchecked), Some(Quirk::ChannelsUnchecked))
        );
        assert_eq!(channels(10_001), None);
        let nfft = |nfft| forgiving(Violation::NfftUnsupported { nfft, limit: 65_536 });
        assert_eq!((nfft(1), nfft(131_072)), (Some(Quirk::NfftUnchecked), Some(Quirk::NfftUnchecked)));
        assert_eq!((nfft(0), nfft(-1), nfft(131_073)), (None, None, None));
        assert_eq!(forgiving(Violation::Missing(Field::Channels)), None);
    }

    #[test]
    fn a_request_that_says_nothing_meets_no_parser() {
        let all: Quirks = Quirk::ALL.iter().copied().collect();
        assert_eq!(stumbles(&ConfigureDraft::default(), all), None);
        let draft = ConfigureDraft { nfft: Given::Value(1024), ..ConfigureDraft::default() };
        assert_eq!(stumbles(&draft, all), Some(Refusal::Parser));
        assert_eq!(stumbles(&draft, Quirks::NONE), None);
    }
}
