//! What can be wrong with one field of a request: the closed list, its texts and its two classes.

use std::fmt;

/// A place in a request body, spelled as the client spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The body as a whole.
    Body,
    /// `view_type`
    ViewType,
    /// `channels`
    Channels,
    /// `channels.min`
    ChannelsMin,
    /// `channels.max`
    ChannelsMax,
    /// `displayInfo`
    DisplayInfo,
    /// `displayInfo.height`
    Height,
    /// `displayTimeAxisDuration`
    Duration,
    /// `nfftSelection`
    Nfft,
    /// `frequencyRange`
    FrequencyRange,
    /// `frequencyRange.min`
    FrequencyMin,
    /// `frequencyRange.max`
    FrequencyMax,
    /// `start_time`
    StartTime,
    /// `end_time`
    EndTime,
    /// `canvasInfo`
    Canvas,
    /// `canvasInfo.height`
    CanvasHeight,
    /// `sensors`
    Sensors,
    /// `sensors.min`
    SensorsMin,
    /// `sensors.max`
    SensorsMax,
    /// `task_id`, a part of the path
    TaskId,
    /// `row_count`, a part of the path
    RowCount,
}

impl Field {
    /// Keys from the body down to the field.
    #[must_use]
    pub fn path(self) -> &'static [&'static str] {
        match self {
            Self::Body => &[],
            Self::ViewType => &["view_type"],
            Self::Channels => &["channels"],
            Self::ChannelsMin => &["channels", "min"],
            Self::ChannelsMax => &["channels", "max"],
            Self::DisplayInfo => &["displayInfo"],
            Self::Height => &["displayInfo", "height"],
            Self::Duration => &["displayTimeAxisDuration"],
            Self::Nfft => &["nfftSelection"],
            Self::FrequencyRange => &["frequencyRange"],
            Self::FrequencyMin => &["frequencyRange", "min"],
            Self::FrequencyMax => &["frequencyRange", "max"],
            Self::StartTime => &["start_time"],
            Self::EndTime => &["end_time"],
            Self::Canvas => &["canvasInfo"],
            Self::CanvasHeight => &["canvasInfo", "height"],
            Self::Sensors => &["sensors"],
            Self::SensorsMin => &["sensors", "min"],
            Self::SensorsMax => &["sensors", "max"],
            Self::TaskId => &["task_id"],
            Self::RowCount => &["row_count"],
        }
    }
}

impl Field {
    /// Where the field was sent.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            Self::TaskId | Self::RowCount => "path",
            Self::Body
            | Self::ViewType
            | Self::Channels
            | Self::ChannelsMin
            | Self::ChannelsMax
            | Self::DisplayInfo
            | Self::Height
            | Self::Duration
            | Self::Nfft
            | Self::FrequencyRange
            | Self::FrequencyMin
            | Self::FrequencyMax
            | Self::StartTime
            | Self::EndTime
            | Self::Canvas
            | Self::CanvasHeight
            | Self::Sensors
            | Self::SensorsMin
            | Self::SensorsMax => "body",
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path().join("."))
    }
}

/// Whether the request has the wrong shape, or the right shape with a value that cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A well-formed value outside its bounds.
    Value,
    /// Missing, of another type, not allowed here, or naming something that does not exist.
    Shape,
}

/// One violated check. The variants stand in the order in which an answer lists them; the texts carry numbers only,
/// never text of the client.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each variant's error text says what it is")]
pub enum Violation {
    #[error("Request body must be a JSON object")]
    NotAnObject,
    #[error("{0} is required")]
    Missing(Field),
    #[error("view_type is invalid: must be 0, 1 or 2")]
    UnknownView,
    #[error("{0} must be an object")]
    NotAnObjectAt(Field),
    #[error("{0} must be an integer")]
    NotAnInteger(Field),
    #[error("channel range is invalid: channels.min must be at least 1")]
    ChannelBelowOne,
    #[error("channel range is invalid: channels.min {min} must not exceed channels.max {max}")]
    ChannelsReversed { min: i64, max: i64 },
    #[error("channel range is invalid: channels.min {min} is below the lowest channel {lowest}")]
    ChannelBelowLowest { min: i64, lowest: i64 },
    #[error("channel range is invalid: channels.max {max} is above the highest channel {highest}")]
    ChannelAboveHighest { max: i64, highest: i64 },
    #[error("channel range is invalid: {count} channels exceed the maximum {limit} per request")]
    TooManyChannels { count: i64, limit: u32 },
    #[error("channel range is invalid: SINGLECHANNEL needs channels.min equal to channels.max")]
    NotASingleChannel,
    #[error("displayInfo.height is invalid: height must be positive")]
    HeightNotPositive,
    #[error("{0} is required for view_type 0 and 1")]
    MissingForSpectrum(Field),
    #[error("{0} is not allowed for WATERFALL")]
    NotForWaterfall(Field),
    #[error("displayTimeAxisDuration is invalid: duration must be positive")]
    DurationNotPositive,
    #[error("nfftSelection is invalid: nfft must be 1 or absent for WATERFALL")]
    NfftForWaterfall,
    #[error(
        "nfftSelection {nfft} is invalid: nfft must be a power of 2 (128, 256, 512, 1024, 2048 and so on), minimum 128, \
         maximum {limit}"
    )]
    NfftUnsupported { nfft: i64, limit: u32 },
    #[error("frequency range is invalid: frequencyRange.min must not be negative")]
    FrequencyNegative,
    #[error(
        "frequency range is invalid: frequencyRange.min {min} must be less than frequencyRange.max {max}"
    )]
    FrequenciesReversed { min: i64, max: i64 },
    #[error("frequency range is invalid: {max} Hz exceeds the Nyquist limit of {nyquist} Hz")]
    AboveNyquist { max: i64, nyquist: f64 },
    #[error("time range is ambiguous: give both start_time and end_time, or neither")]
    OneSidedWindow { absent: Field },
    #[error("time range is invalid: {0} must not be negative")]
    TimeNegative(Field),
    #[error("time range is invalid: start_time must be before end_time")]
    TimesReversed,
    #[error("time range is invalid: end_time is in the future")]
    TimeInFuture,
    #[error("task_id is invalid: must be 1 to 256 characters of a-z, A-Z, 0-9, _ and -")]
    BadTaskId,
    #[error("{0} must be a number")]
    NotANumber(Field),
    #[error("{0} must be a time of 12 digits, yymmddHHMMSS")]
    NotAStamp(Field),
    #[error("{0} is invalid: must be positive")]
    NotPositive(Field),
    #[error("{0} is invalid: must not be negative")]
    Negative(Field),
    #[error("{0} is invalid: {0}.min must be less than {0}.max")]
    RangeReversed(Field),
    #[error("sensors is invalid: sensors.max {max} is above the last sensor {last}")]
    SensorAboveLast { max: i64, last: u32 },
}

impl Violation {
    /// The field the client has to change.
    #[must_use]
    pub fn field(self) -> Field {
        match self {
            Self::NotAnObject => Field::Body,
            Self::UnknownView => Field::ViewType,
            Self::Missing(field)
            | Self::NotAnObjectAt(field)
            | Self::NotAnInteger(field)
            | Self::MissingForSpectrum(field)
            | Self::NotForWaterfall(field)
            | Self::TimeNegative(field)
            | Self::NotANumber(field)
            | Self::NotAStamp(field)
            | Self::NotPositive(field)
            | Self::Negative(field)
            | Self::RangeReversed(field)
            | Self::OneSidedWindow { absent: field } => field,
            Self::BadTaskId => Field::TaskId,
            Self::SensorAboveLast { .. } => Field::SensorsMax,
            Self::ChannelBelowOne | Self::ChannelBelowLowest { .. } => Field::ChannelsMin,
            Self::ChannelAboveHighest { .. } => Field::ChannelsMax,
            Self::ChannelsReversed { .. } | Self::TooManyChannels { .. } | Self::NotASingleChannel => {
                Field::Channels
            }
            Self::HeightNotPositive => Field::Height,
            Self::DurationNotPositive => Field::Duration,
            Self::NfftForWaterfall | Self::NfftUnsupported { .. } => Field::Nfft,
            Self::FrequencyNegative => Field::FrequencyMin,
            Self::FrequenciesReversed { .. } => Field::FrequencyRange,
            Self::AboveNyquist { .. } => Field::FrequencyMax,
            Self::TimesReversed | Self::TimeInFuture => Field::EndTime,
        }
    }

    /// Shape or value. A channel that the fibre does not have counts as shape: it names nothing.
    #[must_use]
    pub fn class(self) -> Class {
        match self {
            Self::NotAnObject
            | Self::Missing(_)
            | Self::UnknownView
            | Self::NotAnObjectAt(_)
            | Self::NotAnInteger(_)
            | Self::ChannelBelowLowest { .. }
            | Self::ChannelAboveHighest { .. }
            | Self::MissingForSpectrum(_)
            | Self::NotForWaterfall(_)
            | Self::NfftForWaterfall
            | Self::NotANumber(_)
            | Self::NotAStamp(_)
            | Self::OneSidedWindow { .. } => Class::Shape,
            Self::ChannelBelowOne
            | Self::ChannelsReversed { .. }
            | Self::TooManyChannels { .. }
            | Self::NotASingleChannel
            | Self::HeightNotPositive
            | Self::DurationNotPositive
            | Self::NfftUnsupported { .. }
            | Self::FrequencyNegative
            | Self::FrequenciesReversed { .. }
            | Self::AboveNyquist { .. }
            | Self::TimeNegative(_)
            | Self::TimesReversed
            | Self::BadTaskId
            | Self::NotPositive(_)
            | Self::Negative(_)
            | Self::RangeReversed(_)
            | Self::SensorAboveLast { .. }
            | Self::TimeInFuture => Class::Value,
        }
    }
}

/// All violations of one request, in the order of the checks; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Violations(Vec<Violation>);

impl Violations {
    /// The list, or `None` when nothing was violated.
    #[must_use]
    pub fn of(found: Vec<Violation>) -> Option<Self> {
        (!found.is_empty()).then_some(Self(found))
    }

    /// The class of the whole request: shape as soon as one of them is.
    #[must_use]
    pub fn class(&self) -> Class {
        self.0.iter().map(|violation| violation.class()).max().unwrap_or(Class::Shape)
    }

    /// The violations in order.
    #[must_use]
    pub fn list(&self) -> &[Violation] {
        &self.0
    }
}

impl From<Violation> for Violations {
    fn from(only: Violation) -> Self {
        Self(vec![only])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, violation) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            violation.fmt(f)?;
        }
        Ok(())
    }
}
