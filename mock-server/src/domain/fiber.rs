//! The fibre: what the interrogator measures, and whether there is light in it.

/// Pulse repetition rate in Hz: how often the interrogator samples the whole fibre. A whole number, at least 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Prr(u32);

impl Prr {
    /// A rate of at least 2 Hz, so that the Nyquist limit is at least 1 Hz and some frequency range exists.
    #[must_use]
    pub fn new(hertz: u32) -> Option<Self> {
        (hertz >= 2).then_some(Self(hertz))
    }

    /// The rate in Hz.
    #[must_use]
    pub fn hertz(self) -> u32 {
        self.0
    }

    /// Half the rate: the highest frequency a view can show, itself included.
    #[must_use]
    pub fn nyquist(self) -> f64 {
        f64::from(self.0) / 2.0
    }
}

/// A 1-based place on the fibre. Where channels are not checked a request may name places below the first one, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(pub i64);

/// Channels `min..=max`, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelRange {
    min: Channel,
    max: Channel,
}

impl ChannelRange {
    /// The range, `None` when `min` lies above `max` or at channel 0.
    #[must_use]
    pub fn new(min: Channel, max: Channel) -> Option<Self> {
        (min.0 >= 1 && min <= max).then_some(Self { min, max })
    }

    /// The channels from one end to the other, whichever is the lower one and wherever they lie: what a server that
    /// does not check makes of them.
    #[must_use]
    pub fn between(one: Channel, other: Channel) -> Self {
        Self { min: one.min(other), max: one.max(other) }
    }

    /// Lowest channel of the range.
    #[must_use]
    pub fn min(self) -> Channel {
        self.min
    }

    /// Highest channel of the range, inclusive.
    #[must_use]
    pub fn max(self) -> Channel {
        self.max
    }

    /// How many channels it has, at least 1.
    #[must_use]
    pub fn count(self) -> u32 {
        u32::try_from(self.max.0.saturating_sub(self.min.0)).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Its channels, the lowest first.
    pub fn iter(self) -> impl Iterator<Item = Channel> {
        (self.min.0..=self.max.0).map(Channel)
    }

    /// The part of it that begins after so many of its channels and has so many of them; shorter at its end, `None`
    /// beyond it.
    #[must_use]
    pub fn part(self, skipped: u32, count: u32) -> Option<Self> {
        let min = Channel(self.min.0.saturating_add(i64::from(skipped)));
        let max = Channel(min.0.saturating_add(i64::from(count) - 1)).min(self.max);
        (min <= max).then_some(Self { min, max })
    }
}

/// Whether the interrogator delivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FiberState {
    /// No light yet: live metadata says so and live jobs are refused.
    Waiting,
    /// The state recovery passes through: light is back, only the software version still reads as waiting.
    Mixed,
    /// Delivering.
    Lit,
}

impl FiberState {
    /// Whether live rows come: the gate of live jobs is `prr > 0` alone, so `Mixed` delivers.
    #[must_use]
    pub fn delivers(self) -> bool {
        match self {
            Self::Waiting => false,
            Self::Mixed | Self::Lit => true,
        }
    }
}

/// What is known of the fibre and its interrogator.
#[derive(Clone, Debug, PartialEq)]
pub struct Fiber {
    /// All channels a view can ask for.
    pub channels: ChannelRange,
    /// Pulse repetition rate; also the base of the Nyquist limit while the fibre waits.
    pub prr: Prr,
    /// Distance between two channels in metres.
    pub dx: f64,
    /// Where the fibre begins, metres.
    pub start_meters: u32,
    /// How far it reaches, metres.
    pub length_meters: u32,
    /// Version of the interrogator's software.
    pub sw_version: String,
    /// Free text about the fibre.
    pub description: String,
    /// Channels the interrogator reports; sensors of the task API are counted by it.
    pub number_of_channels: u32,
    /// Samples in one trace.
    pub num_samples_per_trace: u32,
    /// Element type of a trace.
    pub dtype: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_range_is_never_empty_and_starts_at_channel_one() {
        assert!(ChannelRange::new(Channel(0), Channel(5)).is_none());
        assert!(ChannelRange::new(Channel(6), Channel(5)).is_none());
        assert_eq!(ChannelRange::new(Channel(7), Channel(7)).expect("one channel").count(), 1);
    }

    #[test]
    fn channels_between_two_ends_are_the_same_from_either_end_and_may_lie_anywhere() {
        let range = ChannelRange::between(Channel(3), Channel(-2));
        assert_eq!(range, ChannelRange::between(Channel(-2), Channel(3)));
        assert_eq!((range.min(), range.max(), range.count()), (Channel(-2), Channel(3), 6));
        assert_eq!(range.iter().map(|channel| channel.0).collect::<Vec<_>>(), [-2, -1, 0, 1, 2, 3]);
        assert_eq!(ChannelRange::between(Channel(i64::MIN), Channel(i64::MAX)).count(), u32::MAX);
    }

    #[test]
    fn a_part_ends_where_the_range_does() {
        let range = ChannelRange::between(Channel(11), Channel(20));
        assert_eq!(range.part(0, 4), Some(ChannelRange::between(Channel(11), Channel(14))));
        assert_eq!(range.part(8, 4), Some(ChannelRange::between(Channel(19), Channel(20))));
        assert_eq!((range.part(10, 4), range.part(0, 0)), (None, None));
    }

    #[test]
    fn an_odd_rate_has_a_nyquist_limit_between_two_hertz() {
        assert!((Prr::new(2001).expect("valid").nyquist() - 1000.5).abs() < f64::EPSILON);
        assert!(Prr::new(1).is_none());
    }
}
